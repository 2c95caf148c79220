package oauth

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
)

// Token is a live access token. Scopes are what it is good for now: those it was issued with that are still the app's.
type Token struct {
	ID           string // jti
	Client       *registry.Client
	API          string // key of the API it is for
	Audience     string
	Organisation access.OrganisationID
	Scopes       scope.Set
	Credential   registry.SecretID // that bought it
	IssuedAt     time.Time
	ExpiresAt    time.Time
}

// Live returns what a presented token is good for at this moment. It is the one place that knows: introspection, our own
// APIs and whatever else judges tokens ask here. Every token that is not live, for whatever reason, is
// problem.Unauthenticated; problem.Unavailable means that it cannot be told just now (protocol.md §1.3, §2). It answers
// for tokens of every API: who guards one compares Token.API.
func (s *Server) Live(ctx context.Context, token string) (*Token, error) {
	t, err := s.live(ctx, token)
	outcome := outcomeActive
	if err != nil {
		outcome = outcomeInactive
		if why := refusalOf(err).reason; why != reasonClient {
			outcome = string(why)
		}
	}
	s.metrics.count(endpointLive, outcome)
	return t, err
}

// live is what Live promises.
func (s *Server) live(ctx context.Context, token string) (*Token, error) {
	t, err := s.issued(ctx, token)
	if err != nil {
		return nil, err
	}
	if !t.Client.APIUserLive(s.clock()) {
		return nil, notLive()
	}
	return t, nil
}

// issued is live for all but the API user, who may be inactive or have expired. First the token by itself, by the keys
// of now, then the state of the app.
func (s *Server) issued(ctx context.Context, token string) (*Token, error) {
	if err := s.keys.Fresh(ctx); err != nil {
		return nil, err
	}
	c, ok := s.verified.of(token)
	now := s.clock()
	if !ok || !c.valid(s.issuer, now) {
		return nil, notLive()
	}
	api, ok := s.targets.api(c.Audience)
	if !ok {
		return nil, notLive()
	}
	client, err := s.registry.Client(ctx, c.ClientID)
	switch {
	case problem.Is(err, problem.NotFound):
		return nil, notLive()
	case err != nil:
		return nil, err
	case !stands(&c.claims, client):
		return nil, notLive()
	}
	return &Token{
		ID: c.ID, Client: client, API: api.Key, Audience: c.Audience, Organisation: client.Organisation,
		Scopes:     c.scopes.Intersect(scope.SetOf(client.Scopes...)),
		Credential: registry.SecretID(c.Credential),
		IssuedAt:   time.Unix(c.IssuedAt, 0).UTC(), ExpiresAt: time.Unix(c.Expires, 0).UTC(),
	}, nil
}

// stands reports whether nothing has ended the token since it was issued, but for its API user.
func stands(c *claims, client *registry.Client) bool {
	return client.Kind == registry.Caller && client.LiveButAPIUser() && c.Organisation == string(client.Organisation) &&
		client.TokenLives(registry.TokenRef{
			Generation: c.Generation, JTI: c.ID, Credential: registry.SecretID(c.Credential), APIUser: identity.RobotID(c.APIUser),
		})
}

func notLive() error { return problem.New(problem.Unauthenticated, keyTokenInvalid) }
