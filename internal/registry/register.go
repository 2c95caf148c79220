package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

// KeySecretShown is the key of the problem (code Gone) that answers a repeated form: the secret it made was shown once
// and is not shown again. Args["App"] is the ID of the app (protocol.md §3.8).
const KeySecretShown = "app.secret_already_shown"

// KeyNonceReused is the key of the problem (code Conflict) that answers a nonce which was spent on another request.
const KeyNonceReused = "app.nonce_reused"

const (
	maxLabel = 60
	// maxTries bounds how often an act begins again because it lost a race: for a client ID that was taken, or for the
	// number of a secret.
	maxTries = 8
)

// NewApp is what Register is asked for. Faults name the fields of AppFields, kind, resource_api, expires and label.
type NewApp struct {
	AppFields

	Kind          Kind   // empty: Caller
	ResourceAPI   string // of a resource server: the key of its API
	Label         string // of the first secret; empty: the month
	Expires       Expiry // of the first secret
	WithoutSecret bool   // make no secret: Expires and Label count for nothing
	Nonce         string // of the form; empty: every call registers an app
	Request       string // hash of what is asked for; with a nonce that was spent on something else, KeyNonceReused
}

// NewSecret is a secret at the one moment when it can be seen.
type NewSecret struct {
	App       AppID
	AppName   string
	ClientID  string
	ID        SecretID
	Secret    secret.Secret
	Label     string
	Hint      string
	ExpiresAt time.Time // zero: never
	Old       Secret    // rotate: the secret it takes over from, with its end; zero when there is none
}

// Register makes an app and its first secret (product.md decisions 3 to 5). It takes apps.manage and the power that the
// app gets; a resource server takes catalogue.manage besides, and the platform's organisation. The answers are problem.Forbidden, problem.Invalid naming every field at fault, and problem.Gone with
// KeySecretShown for a form that was sent before.
func (r *Registry) Register(ctx context.Context, actor access.Actor, n NewApp) (App, *NewSecret, error) {
	app := App{ID: AppID(database.NewID()), Organisation: actor.Organisation, Generation: 1, Version: 1}
	act := manageAct(actor, "app.register", app.ID, "")
	if err := r.trail.Check(ctx, actor, act); err != nil {
		return App{}, nil, err
	}
	if n.Kind == ResourceServer {
		if err := r.overCatalogue(ctx, actor, act); err != nil {
			return App{}, nil, err
		}
	}
	nonce := newNonce(actor, act.Action, "", n.Nonce, n.Request)
	if err := r.unspent(ctx, actor.Organisation, nonce); err != nil {
		return App{}, nil, err
	}
	org, err := r.identity.Organisation(ctx, actor.Organisation)
	if err != nil {
		return App{}, nil, err
	}
	draft, err := r.draft(ctx, actor, &app, n, org)
	if err != nil {
		return App{}, nil, err
	}
	act.Target.Label = app.Name
	if err := r.power(ctx, actor, act, &app); err != nil {
		return App{}, nil, err
	}
	shown, err := r.register(ctx, actor, act, registration{app: &app, draft: draft, nonce: nonce, clientPrefix: org.ClientPrefix})
	if err != nil {
		return App{}, nil, err
	}
	return app, shown, nil // not read back: a failure now would lose a secret that is stored
}

// registration is an app about to be written.
type registration struct {
	app          *App
	draft        *draft // nil: without a secret
	nonce        nonce
	clientPrefix string
}

// draft is what is known of a secret before it is made.
type draft struct {
	label   string
	expires *time.Time
}

// draft checks the whole form.
func (r *Registry) draft(ctx context.Context, actor access.Actor, app *App, n NewApp, org identity.Organisation) (*draft, error) {
	var found faults
	r.fillKind(app, n, org, &found)
	more, err := r.fill(ctx, app, n.AppFields)
	if err != nil {
		return nil, err
	}
	found = append(found, more...)
	var d *draft
	if !n.WithoutSecret {
		rule, err := r.expiryRule(ctx, app.Organisation)
		if err != nil {
			return nil, err
		}
		d = &draft{}
		var fault *problem.Field
		d.label, fault = label(n.Label, rule.now)
		found.add(fault)
		d.expires, fault = rule.resolve(n.Expires)
		found.add(fault)
	}
	app.CreatedBy = Author{Kind: actor.Kind, ID: actor.ID, Name: actor.Name}
	app.ModifiedBy = app.CreatedBy
	return d, found.err()
}

// label checks the label of a secret. Without one it is the month.
func label(text string, now time.Time) (string, *problem.Field) {
	text, fault := checked("label", text, shortText(0, maxLabel))
	if text == "" {
		text = now.Format("2006-01")
	}
	return text, fault
}

// register writes the app under a client ID that was never given before. The secret is made for the client ID and
// hashed before the transaction, so a client ID that is taken means to make both anew; so does a tag, of which a row
// must be found by itself (protocol.md §3.2).
func (r *Registry) register(ctx context.Context, actor access.Actor, act audit.Act, reg registration) (*NewSecret, error) {
	for try := 1; ; try++ {
		clientID, err := newClientID(r.random, r.prefix, reg.clientPrefix)
		if err != nil {
			return nil, err
		}
		reg.app.ClientID = clientID
		row, shown, err := r.firstSecret(ctx, reg)
		if err == nil {
			actor, err = r.again(ctx, actor, act, reg.app)
		}
		if err != nil {
			return nil, err
		}
		err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
			change, err := insertRegistration(tx, reg, row, actor)
			if err == nil {
				err = r.tell(tx, actor, reg.app, tidings{key: "app_created", to: reg.app.contacts()})
			}
			return change, err
		})
		switch {
		case err == nil:
			return shown, nil
		case (database.IsUniqueOn(err, "client_id") || database.IsUniqueOn(err, "tag")) && try < maxTries:
		default:
			return nil, r.afterCollision(ctx, reg.app, err)
		}
	}
}

// firstSecret makes the first secret of an app, or none.
func (r *Registry) firstSecret(ctx context.Context, reg registration) (*secretRow, *NewSecret, error) {
	if reg.draft == nil {
		return nil, nil, nil
	}
	reg.app.secretGeneration = 1
	return r.makeSecret(ctx, reg.app, 1, *reg.draft)
}

// makeSecret makes and hashes a secret. It is called before the transaction, since a hash takes a tenth of a second.
func (r *Registry) makeSecret(ctx context.Context, app *App, generation int64, d draft) (*secretRow, *NewSecret, error) {
	made, err := r.keys.Make(app.ClientID, generation)
	if err != nil {
		return nil, nil, err
	}
	hash, err := r.hasher.Hash(ctx, made.Secret)
	if err != nil {
		return nil, nil, err
	}
	row := &secretRow{
		ID: SecretID(database.NewID()), OrganisationID: app.Organisation, AppID: app.ID, Generation: generation,
		Tag: made.Tag, Hash: hash, Hint: made.Hint, Label: d.label, Life: life{ExpiresAt: d.expires}, Version: 1,
	}
	shown := &NewSecret{
		App: app.ID, AppName: app.Name, ClientID: app.ClientID, ID: row.ID, Secret: made.Secret,
		Label: d.label, Hint: made.Hint, ExpiresAt: row.Life.ends(),
	}
	return row, shown, nil
}

func insertRegistration(tx *database.Tx, reg registration, row *secretRow, actor access.Actor) (audit.Change, error) {
	app := reg.app
	app.CreatedAt, app.ModifiedAt = tx.Now(), tx.Now()
	if err := spend(tx, app, reg.nonce); err != nil {
		return audit.Change{}, err
	}
	if err := insertApp(tx, app); err != nil {
		return audit.Change{}, err
	}
	after := app.record()
	after["client_id"] = app.ClientID
	if row != nil {
		row.by(actor, tx.Now())
		if err := insertSecret(tx, row); err != nil {
			return audit.Change{}, err
		}
		app.Secrets = []Secret{row.secret(tx.Now())}
		app.Secrets[0].CreatedBy.Name = actor.Name
		after["secret"] = string(row.ID)
	}
	tx.Changed(database.TopicApp, string(app.ID))
	return audit.Change{After: after}, nil
}

// by notes who made the secret, and when.
func (row *secretRow) by(actor access.Actor, now time.Time) {
	row.CreatedAt, row.CreatedByKind, row.CreatedByID = now, actor.Kind, actor.ID
}

// record returns the app's fields for the audit trail: codes, IDs and plain values. Persons are named by their rows.
func (a *App) record() map[string]any {
	fields := map[string]any{
		"name": a.Name, "description": a.Description, "credential_type": string(a.CredentialType),
		"contact": string(a.Contact.ID), "status": string(a.Status),
	}
	if a.Kind == ResourceServer {
		fields["kind"], fields["resource_api"] = string(a.Kind), a.ResourceAPI
	} else {
		fields["category"], fields["type"] = string(a.Category), string(a.Type)
		fields["api_user"], fields["scopes"] = string(a.APIUser.ID), a.Scopes
	}
	if !a.SecondContact.IsZero() {
		fields["second_contact"] = string(a.SecondContact.ID)
	}
	if a.DefaultAPI != "" {
		fields["default_api"] = a.DefaultAPI
	}
	return fields
}

// nonce is what is kept of a form's nonce, and of what the form asked for; hash is empty without a nonce.
type nonce struct{ hash, request string }

// newNonce binds a nonce to the actor, the act and the app, so that it means nothing anywhere else.
func newNonce(actor access.Actor, action string, id AppID, text, request string) nonce {
	if text == "" {
		return nonce{}
	}
	h := sha256.New()
	for _, s := range []string{string(actor.Kind), actor.ID, action, string(id), text} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return nonce{hash: hex.EncodeToString(h.Sum(nil)), request: request}
}

// unspent returns the answer to a nonce that was spent, before any work is done for it. What decides is spend.
func (r *Registry) unspent(ctx context.Context, org access.OrganisationID, n nonce) error {
	if n.hash == "" {
		return nil
	}
	on, err := r.store.spentOn(ctx, org, n.hash)
	if err == nil && on.TargetID != "" {
		err = n.answer(on)
	}
	return err
}

// spend spends a form's nonce on an app.
func spend(tx *database.Tx, app *App, n nonce) error {
	if n.hash == "" {
		return nil
	}
	already, err := spendNonce(tx, app.Organisation, n, app.ID)
	if err == nil && already.TargetID != "" {
		err = n.answer(already)
	}
	return err
}

// answer is that to a nonce which was spent.
func (n nonce) answer(on spentNonce) error {
	if n.request != on.RequestHash {
		return problem.New(problem.Conflict, KeyNonceReused)
	}
	return problem.New(problem.Gone, KeySecretShown, "App", string(on.TargetID))
}
