package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

// maxListed is how much a page of a list may hold.
const maxListed = 100

// secretScope opens what makes or ends secrets.
const secretScope = "registry.secrets.write"

// appFaults are the wire's names of the registry's fields.
var appFaults = map[string]string{
	"contact_first_name": "contact.first_name", "contact_last_name": "contact.last_name", "contact_email": "contact.email",
	"second_contact_first_name": "second_contact.first_name", "second_contact_last_name": "second_contact.last_name",
	"second_contact_email": "second_contact.email", "expires": "secret.expires_at", "label": "secret.label",
}

// canonical writes a wire struct so that equal requests give equal bytes.
func canonical(body any) ([]byte, error) { return json.Marshal(body) }

// descendingOrder reads the direction of a list.
func descendingOrder(q url.Values) (bool, error) {
	switch q.Get("order") {
	case "", "asc":
		return false, nil
	case "desc":
		return true, nil
	default:
		return false, problem.Fields(problem.NewField("order", "api.query.order"))
	}
}

// apiCreateApp registers an app, with a first secret where one is asked for: then the token needs the scope for secrets
// too. Sent again under the same key it answers with the app, never with the secret.
func (s *Server) apiCreateApp(c *apiCall) error {
	var body api.NewApp
	if err := c.read(&body); err != nil {
		return err
	}
	if body.Secret != nil && !c.token.Scopes.Has(secretScope) {
		return s.refuseAPI(c, codeScope, c.token.Scopes.Names(),
			problem.New(problem.Forbidden, "api.scope", "Scope", secretScope), secretScope)
	}
	key, request, err := c.idempotencyKey(body)
	if err != nil {
		return err
	}
	n := registry.NewApp{AppFields: newFields(body), Nonce: key, Request: request, WithoutSecret: body.Secret == nil}
	if body.Secret != nil {
		n.Label, n.Expires = body.Secret.Label, expiryOf(body.Secret.ExpiresAt)
	}
	app, shown, err := s.Registry.Register(c.ctx(), c.actor, n)
	if made, ok := replayOf(err); ok {
		return s.replayed(c, made, body.Secret != nil)
	}
	if err != nil {
		return renamed(err, appFaults)
	}
	c.Response().Header().Set("Location", s.PublicURL+apiAppsPath+"/"+string(app.ID))
	c.Response().Header().Set(headerETag, etag(app.Version))
	return c.json(http.StatusCreated, api.AppCreated{App: wireApp(app), Secret: wireShown(shown)})
}

func newFields(body api.NewApp) registry.AppFields {
	f := registry.AppFields{
		Name: body.Name, Description: body.Description, Category: registry.Category(body.Category), Type: registry.Machine,
		CredentialType: registry.SharedSecret, Contact: wantedContact(body.Contact), APIUser: identity.RobotID(body.APIUser),
		Scopes: body.Scopes, DefaultAPI: body.DefaultAPI, Active: body.Active == nil || *body.Active,
	}
	if body.SecondContact != nil {
		f.SecondContact = wantedContact(*body.SecondContact)
	}
	return f
}

func wantedContact(c api.Contact) registry.Contact {
	return registry.Contact{FirstName: c.FirstName, LastName: c.LastName, Email: c.Email}
}

// expiryOf is what a body says of a secret's end: nothing, never, or a time.
func expiryOf(at api.Optional[time.Time]) registry.Expiry {
	switch {
	case !at.Given:
		return registry.Expiry{}
	case at.Null:
		return registry.Expiry{Choice: registry.ExpiresNever}
	default:
		return registry.Expiry{Choice: registry.ExpiresOn, At: at.Value}
	}
}

// replayOf returns the app that a repeated request was about.
func replayOf(err error) (registry.AppID, bool) {
	p := problem.As(err)
	if err == nil || p.Key != registry.KeySecretShown {
		return "", false
	}
	id, ok := p.Args["App"].(string)
	return registry.AppID(id), ok
}

// replayed answers a request that was sent before: with what it made, but for a secret, which was shown once and is kept
// nowhere (protocol.md §3.8).
func (s *Server) replayed(c *apiCall, id registry.AppID, secret bool) error {
	c.Response().Header().Set("Location", s.PublicURL+apiAppsPath+"/"+string(id))
	if secret {
		return &statusError{status: http.StatusConflict, key: "api.secret_already_shown", code: "secret_already_shown"}
	}
	app, err := s.Registry.App(c.ctx(), c.actor, id)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Idempotency-Replayed", "true")
	c.Response().Header().Set(headerETag, etag(app.Version))
	return c.json(http.StatusCreated, api.AppCreated{App: wireApp(app)})
}

// apiEditApp changes what a merge patch names.
func (s *Server) apiEditApp(c *apiCall) error {
	var patch api.AppPatch
	if err := c.read(&patch); err != nil {
		return err
	}
	return s.changeApp(c, func(ctx context.Context, app registry.App) (registry.App, error) {
		fields, err := patched(app, patch)
		if err != nil {
			return app, err
		}
		changed, err := s.Registry.Edit(ctx, c.actor, app.ID, app.Version, fields)
		return changed, renamed(err, appFaults)
	})
}

// patched is an app's form with what a patch changes.
func patched(app registry.App, patch api.AppPatch) (registry.AppFields, error) {
	f := registry.AppFields{
		Name: app.Name, Description: app.Description, Category: app.Category, Type: app.Type, CredentialType: app.CredentialType,
		Contact: app.Contact, SecondContact: app.SecondContact, APIUser: app.APIUser.ID, Scopes: app.Scopes,
		DefaultAPI: app.DefaultAPI, Active: app.Status == registry.Active,
	}
	var faults []problem.Field
	text := func(name string, member api.Optional[string], put func(string)) {
		switch {
		case member.Null:
			faults = append(faults, problem.NewField(name, "api.member.null"))
		case member.Given:
			put(member.Value)
		}
	}
	text("name", patch.Name, func(v string) { f.Name = v })
	text("description", patch.Description, func(v string) { f.Description = v })
	text("category", patch.Category, func(v string) { f.Category = registry.Category(v) })
	text("api_user", patch.APIUser, func(v string) { f.APIUser = identity.RobotID(v) })
	if patch.Contact.Null {
		faults = append(faults, problem.NewField("contact", "api.member.null"))
	} else if patch.Contact.Given {
		f.Contact = wantedContact(patch.Contact.Value)
	}
	if patch.Scopes.Null {
		faults = append(faults, problem.NewField("scopes", "api.member.null"))
	} else if patch.Scopes.Given {
		f.Scopes = patch.Scopes.Value
	}
	if patch.SecondContact.Given {
		f.SecondContact = wantedContact(patch.SecondContact.Value)
	}
	if patch.DefaultAPI.Given {
		f.DefaultAPI = patch.DefaultAPI.Value
	}
	return f, problem.Fields(faults...)
}

// changeApp makes a change to the version of an app that the caller has seen, and answers with the app as it then is.
func (s *Server) changeApp(c *apiCall, change func(context.Context, registry.App) (registry.App, error)) error {
	app, err := s.seenApp(c)
	if err != nil {
		return err
	}
	app, err = change(c.ctx(), app)
	if problem.Is(err, problem.Stale) {
		return stalePrecondition()
	}
	return c.app(http.StatusOK, app, err)
}

// seenApp reads the path's app, which must be of the version that the caller has seen.
func (s *Server) seenApp(c *apiCall) (registry.App, error) {
	id, err := c.appID()
	if err != nil {
		return registry.App{}, err
	}
	app, err := s.Registry.App(c.ctx(), c.actor, id)
	if err != nil {
		return registry.App{}, err
	}
	version, whichever, err := c.ifMatch()
	if err == nil && !whichever && version != app.Version {
		err = stalePrecondition()
	}
	return app, err
}

// apiActivate switches an app on.
func (s *Server) apiActivate(c *apiCall) error {
	return s.changeApp(c, func(ctx context.Context, app registry.App) (registry.App, error) {
		return s.Registry.Activate(ctx, c.actor, app.ID, app.Version)
	})
}

// apiDeactivate switches an app off.
func (s *Server) apiDeactivate(c *apiCall) error {
	return s.changeApp(c, func(ctx context.Context, app registry.App) (registry.App, error) {
		return s.Registry.Deactivate(ctx, c.actor, app.ID, app.Version)
	})
}

// apiDeleteApp deletes an inactive app. A person types its name; a program has named its version instead.
func (s *Server) apiDeleteApp(c *apiCall) error {
	app, err := s.seenApp(c)
	if err != nil {
		return err
	}
	err = s.Registry.Delete(c.ctx(), c.actor, app.ID, app.Version, app.Name)
	if problem.Is(err, problem.Stale) {
		return stalePrecondition()
	}
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
