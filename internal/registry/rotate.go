package registry

import (
	"context"
	"maps"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// Reason says why a secret is replaced.
type Reason string

// The reasons. Leaked ends the old secret now and with it the tokens that it bought.
const (
	Planned Reason = "planned"
	Lost    Reason = "lost"
	Leaked  Reason = "leaked"
)

// Rotation is what Rotate is asked for. Faults name the fields reason, label, expires, old_ends and old.
type Rotation struct {
	Reason  Reason
	Label   string   // of the new secret; empty: the month
	Expires Expiry   // of the new secret
	Old     SecretID // which secret it takes over from; may be empty while fewer than two are usable
	OldEnds End      // when the old one ends; counts for nothing when it leaked
	Nonce   string   // of the form; empty: every call makes a secret
	Request string   // as NewApp.Request

	alone bool // end no secret, although one is usable
}

// making is what making a secret goes with: the act, what is asked before any work is done, and what is used up in the
// transaction, so that it is used once.
type making struct {
	action  string
	unspent func(ctx context.Context) error
	spend   func(tx *database.Tx, app *App, made SecretID) error
	fields  map[string]any // of the event, besides those of every rotation
}

// Rotate makes a new secret and says when the old one ends; the client ID stays, and so do tokens that were issued,
// unless the old secret leaked (product.md decisions 5 and 17). It takes apps.manage and the power that the app has.
//
// At most two secrets are usable: while two are, Old must name the one that ends now, else the answer is
// problem.Conflict with both under Args["Secrets"]. One that was never used ends now by itself when OldEnds leaves it
// open (protocol.md §3.5); it has to be named all the same, so that of two who rotate at once none takes the other's
// new secret away. The other answers are problem.NotFound, problem.Forbidden,
// problem.Invalid, and problem.Gone with KeySecretShown for a form that was sent before.
func (r *Registry) Rotate(ctx context.Context, actor access.Actor, id AppID, n Rotation) (*NewSecret, error) {
	nonce := newNonce(actor, "app.rotate", id, n.Nonce, n.Request)
	return r.make(ctx, actor, id, n, making{
		action:  "app.rotate",
		unspent: func(ctx context.Context) error { return r.unspent(ctx, actor.Organisation, nonce) },
		spend:   func(tx *database.Tx, app *App, _ SecretID) error { return spend(tx, app, nonce) },
	})
}

// make makes a secret in place of another. It begins again when somebody else was quicker.
func (r *Registry) make(ctx context.Context, actor access.Actor, id AppID, n Rotation, m making) (*NewSecret, error) {
	for try := 1; ; try++ {
		shown, err := r.rotate(ctx, actor, id, n, m)
		if isStale(err) && try < maxTries {
			continue // somebody else changed the app or made a secret since it was read: judge again from the start
		}
		return shown, err
	}
}

func (r *Registry) rotate(ctx context.Context, actor access.Actor, id AppID, n Rotation, m making) (*NewSecret, error) {
	app, act, err := r.admit(ctx, actor, m.action, id)
	if err != nil {
		return nil, err
	}
	if m.unspent != nil {
		if err := m.unspent(ctx); err != nil {
			return nil, err
		}
	}
	rule, err := r.expiryRule(ctx, app.Organisation)
	if err != nil {
		return nil, err
	}
	p, err := plans(&app, n, rule)
	p.fields = m.fields
	if err != nil {
		return nil, err
	}
	if p.how == leakedAt && p.old.ID != "" {
		act.Action = actionLeak
	}
	if err := r.power(ctx, actor, act, &app); err != nil {
		return nil, err
	}
	generation := nextGeneration(app.secretGeneration, app.Usable())
	row, shown, err := r.makeSecret(ctx, &app, generation, p.draft)
	if err == nil {
		actor, err = r.again(ctx, actor, act, &app)
	}
	if err != nil {
		return nil, err
	}
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if err := m.spend(tx, &app, row.ID); err != nil {
			return audit.Change{}, err
		}
		if ok, err := takeGeneration(tx, &app, generation, actor); err != nil || !ok {
			return audit.Change{}, orStale(err)
		}
		row.by(actor, tx.Now())
		change, err := p.write(tx, &app, row, shown)
		if err == nil {
			err = r.tellRotated(tx, actor, &app, p, shown)
		}
		return change, err
	})
	if err != nil {
		return nil, err
	}
	return shown, nil
}

// plan is a rotation that was judged: what the new secret is to be and what becomes of the old one.
type plan struct {
	reason Reason
	draft  draft
	old    Secret // zero: none is usable, or another than a usable one leaked
	how    ending // with old: the way it ends
	at     time.Time
	fields map[string]any // of the event besides
}

// plans judges a rotation by the secrets of the app as it was read, and by the rule for the new one.
func plans(app *App, n Rotation, rule expiryRule) (plan, error) {
	now := rule.now
	var found faults
	p := plan{reason: n.Reason}
	if !slices.Contains([]Reason{Planned, Lost, Leaked}, n.Reason) {
		found.addNew("reason", "app.reason.choose")
	}
	var fault *problem.Field
	p.draft.label, fault = label(n.Label, now)
	found.add(fault)
	p.draft.expires, fault = rule.resolve(n.Expires)
	found.add(fault)
	p.how = leakedAt
	p.at = now
	if n.Reason != Leaked {
		p.how = endsAt
		p.at, fault = n.OldEnds.resolve(now)
		found.add(fault)
	}
	usable := app.Usable()
	p.old, fault = oldSecret(app, usable, n)
	found.add(fault)
	if err := found.err(); err != nil {
		return plan{}, err
	}
	stays := len(usable)
	if p.old.Usable() && !p.at.After(now) {
		stays--
	}
	if stays >= 2 {
		if p.old.ID == "" || !p.old.LastUsedAt.IsZero() || n.OldEnds.Choice != "" {
			return plan{}, twoUsable(usable)
		}
		p.at = now // nobody can miss it
	}
	return p, nil
}

// oldSecret returns the secret that a rotation takes over from: the one that was named, else the only usable one. A
// leaked one must be named while it could be either of two, and may be one that ended before.
func oldSecret(app *App, usable []Secret, n Rotation) (Secret, *problem.Field) {
	wrong := problem.NewField("old", "app.old.unknown")
	switch {
	case n.alone:
		return Secret{}, nil
	case n.Old != "":
		old, ok := app.Secret(n.Old)
		if !ok || !old.Usable() && n.Reason != Leaked {
			return Secret{}, &wrong
		}
		return old, nil
	case len(usable) == 1:
		return usable[0], nil
	case len(usable) == 2 && n.Reason == Leaked:
		wrong.Key = "app.old.choose"
		return Secret{}, &wrong
	default:
		return Secret{}, nil
	}
}

// twoUsable is the answer to a third secret: it names both, so that a page can offer to retire one.
func twoUsable(usable []Secret) error {
	hints := make([]string, len(usable))
	for i, s := range usable {
		hints[i] = "…" + s.Hint
	}
	return problem.New(problem.Conflict, "app.secrets.two", "Hints", hints, "Secrets", usable)
}

// write writes the new secret and ends the old one. The app is locked, and is as it was read.
func (p plan) write(tx *database.Tx, app *App, row *secretRow, shown *NewSecret) (audit.Change, error) {
	if err := insertSecret(tx, row); err != nil {
		return audit.Change{}, err
	}
	change := audit.Change{After: map[string]any{"secret": string(row.ID), "reason": string(p.reason)}}
	maps.Copy(change.After, p.fields)
	if p.old.ID != "" {
		if err := stopSecret(tx, app, p.old.ID, p.how, p.at); err != nil {
			return audit.Change{}, err
		}
		change.After["old_secret"] = string(p.old.ID)
		change.After["old_ends"] = p.at.Format(time.RFC3339)
		shown.Old = p.old
		shown.Old.EndsAt = p.ends()
	}
	tx.Changed(database.TopicApp, string(app.ID))
	return change, nil
}

// ends returns when the old secret really ends: its own expiry may come first.
func (p plan) ends() time.Time {
	if !p.old.ExpiresAt.IsZero() && p.old.ExpiresAt.Before(p.at) {
		return p.old.ExpiresAt
	}
	return p.at
}
