package oauth

import (
	"context"
	"net/http"

	"credenza.example/credenza/internal/problem"
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

// Introspect is the introspection endpoint (RFC 7662): an app learns about its own tokens. Of every other token the
// answer is that it is not active.
func (s *Server) Introspect(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, endpoint{name: endpointIntrospect, check: checkToken, act: s.introspect})
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
	case t.Client.ID != c.client.ID:
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
		Scope:        t.Scopes.String(),
		TokenType:    "Bearer",
		Organisation: string(t.Organisation),
		APIUser:      string(t.Client.APIUser),
	}}, nil
}
