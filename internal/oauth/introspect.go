package oauth

import (
	"context"
	"net/http"
	"slices"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
)

// inactive is all that is said of a token that is not live, or not the caller's to ask about (RFC 7662 §2.2).
type inactive struct {
	Active bool `json:"active"`
}

// active is what is said of a live token (protocol.md §1.6).
type active struct {
	Active       bool   `json:"active"`
	ClientID     string `json:"client_id"`
	Subject      string `json:"sub"`
	Audience     string `json:"aud"`
	Issuer       string `json:"iss"`
	Expires      int64  `json:"exp"`
	IssuedAt     int64  `json:"iat"`
	ID           string `json:"jti"`
	Scope        string `json:"scope"`
	TokenType    string `json:"token_type"`
	Organisation string `json:"org"`
	APIUser      string `json:"api_user"`
}

// scopeIntrospect lets an app ask about the tokens of its organisation.
const scopeIntrospect = "oauth.introspect"

// Introspect is the introspection endpoint (RFC 7662). An app learns about its own tokens; an API that checks tokens,
// about every token for it; an app that holds oauth.introspect, about its organisation's tokens but those for the
// portal's own APIs (protocol.md §1.6). Of every other token the answer is that it is not active.
func (s *Server) Introspect(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, s.introspections)
}

func (s *Server) introspectEndpoint() endpoint {
	return endpoint{name: endpointIntrospect, check: checkToken, act: s.introspect}
}

func checkToken(f form) error {
	if f.get("token") == "" {
		return refuse(reasonTokenMissing)
	}
	return nil
}

func (s *Server) introspect(ctx context.Context, c *call) (result, error) {
	t, err := s.live(ctx, c.form.get("token"))
	switch {
	case problem.Is(err, problem.Unauthenticated):
		return result{body: inactive{}, outcome: outcomeInactive}, nil
	case err != nil:
		return result{}, err
	}
	scopes, ok := s.tells(c.client, t)
	if !ok {
		return result{body: inactive{}, outcome: outcomeInactive}, nil
	}
	return result{outcome: outcomeActive, body: active{
		Active:       true,
		ClientID:     t.Client.ClientID,
		Subject:      t.Client.ClientID,
		Audience:     t.Audience,
		Issuer:       s.issuer,
		Expires:      t.ExpiresAt.Unix(),
		IssuedAt:     t.IssuedAt.Unix(),
		ID:           t.ID,
		Scope:        scopes.String(),
		TokenType:    "Bearer",
		Organisation: string(t.Organisation),
		APIUser:      string(t.Client.APIUser),
	}}, nil
}

// tells returns the scopes that a client may know of a live token; ok is false for a token that it may not ask about.
func (s *Server) tells(caller *registry.Client, t *Token) (scopes scope.Set, ok bool) {
	switch {
	case caller.Kind == registry.ResourceServer:
		return s.targets.cut(t.Scopes, caller.ResourceAPI), t.API == caller.ResourceAPI
	case t.Client.ID == caller.ID:
		return t.Scopes, true
	case t.Organisation != caller.Organisation || !slices.Contains(caller.Scopes, scopeIntrospect):
		return scope.Set{}, false
	default:
		api, known := s.targets.api(t.Audience)
		return t.Scopes, known && !api.Own
	}
}
