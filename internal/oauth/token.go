package oauth

import (
	"context"
	"net/http"
)

// tokenAnswer is RFC 6749 §5.1.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
}

// grant answers a token request of one grant type, the client being authenticated.
type grant func(ctx context.Context, c *call) (result, error)

// grantTypes are those that discovery publishes.
var grantTypes = []string{grantClientCredentials}

func (s *Server) grant(grantType string) (grant, error) {
	switch grantType {
	case "":
		return nil, refuse(reasonGrantMissing)
	case grantClientCredentials:
		return s.clientCredentials, nil
	default:
		return nil, refuse(reasonGrantUnknown)
	}
}

// Token is the token endpoint (RFC 6749 §3.2): POST with a form, answered by a token or by an error of RFC 6749 §5.2.
func (s *Server) Token(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, s.tokens)
}

func (s *Server) tokenEndpoint() endpoint {
	check := func(f form) error {
		_, err := s.grant(f.get("grant_type"))
		return err
	}
	return endpoint{name: endpointToken, check: check, act: func(ctx context.Context, c *call) (result, error) {
		g, err := s.grant(c.form.get("grant_type"))
		if err != nil {
			return result{}, err
		}
		return g(ctx, c)
	}}
}
