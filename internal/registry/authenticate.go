package registry

import (
	"context"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

// Authenticate judges a client ID and the secret that came with it, and returns the client and which of its secrets it
// was (security.md §6.3). Whatever is wrong, the error is secret.ErrWrong: unknown client, wrong or ended secret, app,
// organisation or API user not live; the latter are asked after the hash, so that whoever does not know the secret
// learns nothing (C22). The error is a Refused, which tells the app's own people why. Other errors are problem.Unavailable and problem.Limited, both with RetryAfter.
//
// State is read again after bcrypt; who waits for something else before acting on it asks Standing. The last argument is
// the network that the request came from (limit.Network), by which failures are counted and clients are known; "" where
// that says nothing.
func (r *Registry) Authenticate(ctx context.Context, clientID, presented, network string) (*Client, SecretID, error) {
	p := secret.Presented{ClientID: clientID, Text: presented, Network: network}
	result, err := r.verifier.Verify(ctx, p, r.lookup(clientID))
	if err != nil {
		return nil, "", r.whyRefused(p, result.Gate, err)
	}
	id := SecretID(result.CredentialID)
	c, err := r.Standing(ctx, clientID, id)
	if err != nil {
		return nil, "", err
	}
	return c, id, nil
}

// Standing returns the client as it is now, while the secret that it authenticated with is usable and the app,
// organisation and API user are live; else secret.ErrWrong. The caller signs from what is returned and waits for nothing
// in between (protocol.md §2).
func (r *Registry) Standing(ctx context.Context, clientID string, id SecretID) (*Client, error) {
	c, err := r.Client(ctx, clientID)
	if isNotFound(err) {
		return nil, secret.ErrWrong
	}
	if err != nil {
		return nil, err
	}
	now := r.db.Now()
	if _, usable := c.SecretEnds(id, now); !usable || !c.Live(now) {
		return nil, notStanding(c, usable)
	}
	return c, nil
}

func isNotFound(err error) bool { return problem.Is(err, problem.NotFound) }
