package oauth

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strconv"
	"time"

	"credenza.example/credenza/internal/registry"
)

const grantClientCredentials = "client_credentials"

// clientCredentials is the grant of RFC 6749 §4.4: the app acts for itself. An app of another kind may not (C9). Reading
// the keys anew may take a while; the client is read after it, and nothing waits between then and the signature
// (protocol.md §2).
func (s *Server) clientCredentials(ctx context.Context, c *call) (result, error) {
	if c.client.Kind != registry.Caller {
		return result{}, refuse(reasonNotCaller)
	}
	err := s.keys.Fresh(ctx)
	if err != nil {
		return result{}, err
	}
	if c.client, err = s.registry.Standing(ctx, c.client.ClientID, c.secret); err != nil {
		return result{}, err
	}
	shorter, err := readLifetime(c.form.get("expires_in"))
	if err != nil {
		return result{}, err
	}
	t, err := s.targets.choose(c.form.values["resource"], c.form.get("scope"),
		holder{organisation: c.client.Organisation, scopes: c.client.Scopes, defaultAPI: c.client.DefaultAPI})
	if err != nil {
		return result{}, err
	}
	if shorter > 0 {
		t.lifetime = min(t.lifetime, shorter)
	}
	return s.issue(ctx, c, t)
}

// readLifetime reads expires_in, the request parameter of ours with which a client asks for less than an API's tokens
// last. 0 means that it does not ask.
func readLifetime(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil || seconds == 0 {
		return 0, refuse(reasonLifetime)
	}
	return time.Duration(seconds) * time.Second, nil
}

// issue signs a token of the client for the target and answers with it.
func (s *Server) issue(ctx context.Context, c *call, t target) (result, error) {
	now := s.clock()
	made := claims{
		Issuer:       s.issuer,
		Subject:      c.client.ClientID,
		Audience:     t.audience,
		Expires:      now.Add(t.lifetime).Unix(),
		IssuedAt:     now.Unix(),
		ID:           rand.Text(),
		ClientID:     c.client.ClientID,
		Scope:        t.scopes.String(),
		Organisation: string(c.client.Organisation),
		APIUser:      string(c.client.APIUser),
		Generation:   c.client.Generation,
		Credential:   string(c.secret),
	}
	token, err := s.headers.sign(s.keys.Signer(), &made)
	if err != nil {
		return result{}, err
	}
	s.logToken(ctx, c, &made, now)
	return result{outcome: outcomeIssued, body: tokenAnswer{
		AccessToken: token, TokenType: "Bearer", ExpiresIn: made.Expires - made.IssuedAt, Scope: made.Scope,
	}}, nil
}

// logToken writes the line of a token (product.md decision 18). It does not look for the place in the code from which it
// is written, which costs more than the rest of the line.
func (s *Server) logToken(ctx context.Context, c *call, made *claims, now time.Time) {
	h := s.log.Handler()
	if !s.tokenLog || !h.Enabled(ctx, slog.LevelInfo) {
		return
	}
	r := slog.NewRecord(now, slog.LevelInfo, "token issued", 0)
	r.AddAttrs(slog.String("jti", made.ID), slog.String("client", made.ClientID), slog.String("secret", made.Credential),
		slog.String("audience", made.Audience), slog.String("network", registry.NetworkOf(c.address).String()))
	_ = h.Handle(ctx, r) // as slog does: there is nobody to tell
}
