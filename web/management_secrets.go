package web

import (
	"context"
	"net/http"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

// apiSecrets answers with what may be known of an app's secrets.
func (s *Server) apiSecrets(c *apiCall) error {
	id, err := c.appID()
	if err != nil {
		return err
	}
	app, err := s.Registry.App(c.ctx(), c.actor, id)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, api.SecretList{Items: wireSecrets(app.Secrets)})
}

// rotationFaults are the wire's names of the registry's fields.
var rotationFaults = map[string]string{"expires": "expires_at", "old": "replaces", "old_ends": "replaced_ends"}

// apiRotate makes a secret and shows it, once: sent again under the same key the answer is 409.
func (s *Server) apiRotate(c *apiCall) error {
	id, err := c.appID()
	if err != nil {
		return err
	}
	var body api.Rotation
	if err := c.read(&body); err != nil {
		return err
	}
	key, request, err := c.idempotencyKey(body)
	if err != nil {
		return err
	}
	n := registry.Rotation{
		Reason: registry.Reason(body.Reason), Label: body.Label, Expires: expiryOf(body.ExpiresAt), Old: registry.SecretID(body.Replaces),
		OldEnds: endOf(body.ReplacedEnds), Nonce: key, Request: request,
	}
	if body.Reason == "" {
		n.Reason = registry.Planned
	}
	shown, err := s.Registry.Rotate(c.ctx(), c.actor, id, n)
	if made, ok := replayOf(err); ok {
		return s.replayed(c, made, true)
	}
	if err != nil {
		return renamed(err, rotationFaults)
	}
	return c.json(http.StatusCreated, wireShown(shown))
}

// endOf is when the old secret shall end: a choice or a time.
func endOf(text string) registry.End {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return registry.End{Choice: registry.EndsOn, At: at}
	}
	return registry.End{Choice: registry.EndChoice(text)}
}

func wireShown(n *registry.NewSecret) *api.ShownSecret {
	if n == nil {
		return nil
	}
	w := &api.ShownSecret{
		ID: string(n.ID), ClientID: n.ClientID, ClientSecret: n.Secret.Reveal(), Label: n.Label, Hint: n.Hint, EndsAt: orNull(n.ExpiresAt),
	}
	if n.Old.ID != "" {
		w.ReplacesID, w.ReplacedEndsAt = orAbsent(string(n.Old.ID)), orNull(n.Old.EndsAt)
	}
	return w
}

// apiRetire takes a secret out of use.
func (s *Server) apiRetire(c *apiCall) error { return s.changeSecret(c, s.Registry.Retire) }

// apiRestore makes a retired secret usable again.
func (s *Server) apiRestore(c *apiCall) error { return s.changeSecret(c, s.Registry.Restore) }

// apiLeak ends a secret and the tokens that it bought.
func (s *Server) apiLeak(c *apiCall) error { return s.changeSecret(c, s.Registry.MarkLeaked) }

// changeSecret changes a secret and answers with it as it then is. Done again it changes nothing, so that it takes neither
// a version nor a key.
func (s *Server) changeSecret(c *apiCall,
	change func(context.Context, access.Actor, registry.AppID, registry.SecretID) error,
) error {
	id, err := c.appID()
	if err != nil {
		return err
	}
	secretID, err := c.secretID()
	if err != nil {
		return err
	}
	if err := change(c.ctx(), c.actor, id, secretID); err != nil {
		return err
	}
	app, err := s.Registry.App(c.ctx(), c.actor, id)
	if err != nil {
		return err
	}
	secret, ok := app.Secret(secretID)
	if !ok {
		return problem.New(problem.NotFound, "problem.not_found")
	}
	return c.json(http.StatusOK, wireSecrets([]registry.Secret{secret})[0])
}
