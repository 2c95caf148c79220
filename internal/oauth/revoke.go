package oauth

import (
	"context"
	"net/http"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// Revoke is the revocation endpoint (RFC 7009): an app ends one of its own tokens. A token that is none any more, or
// never was, is answered like one that was ended; another client's is refused and stays as it is (§2.1). An API that
// checks tokens has none to end, and hears so whatever it sends.
func (s *Server) Revoke(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, endpoint{name: endpointRevoke, check: checkToken, act: s.revoke})
}

func (s *Server) revoke(ctx context.Context, c *call) (result, error) {
	if c.client.Kind != registry.Caller {
		return result{}, refuse(reasonNotCaller)
	}
	t, err := s.live(ctx, c.form.get("token"))
	switch {
	case problem.Is(err, problem.Unauthenticated):
		return result{outcome: outcomeIgnored}, nil
	case err != nil:
		return result{}, err
	case t.Client.ID != c.client.ID:
		return result{}, refuse(reasonTokenForeign)
	}
	if err := s.registry.RevokeToken(ctx, t.Client, t.ID, t.ExpiresAt); err != nil {
		return result{}, err
	}
	return result{outcome: outcomeRevoked}, nil
}
