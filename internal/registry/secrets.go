package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// actionLeak is the act of ending a secret because it leaked, with or without a new one in its place.
const actionLeak = "app.leak"

// Retire takes a secret out of use at once; tokens that were issued stay (product.md decision 17). It takes
// apps.manage. The last usable secret of an active app cannot be retired: the answer is then problem.Conflict with the
// key app.secrets.last, and what helps is to deactivate the app. A secret that is not usable stays as it is.
func (r *Registry) Retire(ctx context.Context, actor access.Actor, id AppID, secretID SecretID) error {
	return r.stop(ctx, actor, "app.retire", id, secretID, func(app *App, s Secret) (ending, error) {
		switch {
		case !s.Usable():
			return "", audit.ErrNothing
		case app.Status == Active && len(app.Usable()) == 1:
			return "", problem.New(problem.Conflict, "app.secrets.last", "Hint", s.Hint)
		default:
			return retiredAt, nil
		}
	})
}

// MarkLeaked ends a secret and all tokens that it bought, at once, and makes no new one; any secret of the app will do,
// the last included, and one that ended before (protocol.md §3.5). It takes apps.manage, and no power: it only takes
// away.
func (r *Registry) MarkLeaked(ctx context.Context, actor access.Actor, id AppID, secretID SecretID) error {
	return r.stop(ctx, actor, actionLeak, id, secretID, func(_ *App, s Secret) (ending, error) {
		if s.State == SecretLeaked {
			return "", audit.ErrNothing
		}
		return leakedAt, nil
	})
}

// stop ends a secret now, in the way that judge chooses from the app as it is while it is locked.
func (r *Registry) stop(ctx context.Context, actor access.Actor, action string, id AppID, secretID SecretID,
	judge func(*App, Secret) (ending, error),
) error {
	_, act, err := r.admit(ctx, actor, action, id)
	if err != nil {
		return err
	}
	return r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if ok, err := touchApp(tx, actor.Organisation, id, actor); err != nil {
			return audit.Change{}, err
		} else if !ok {
			return audit.Change{}, notFound()
		}
		app, err := appWithin(tx, actor.Organisation, id)
		if err != nil {
			return audit.Change{}, err
		}
		s, ok := app.Secret(secretID)
		if !ok {
			return audit.Change{}, notFound()
		}
		how, err := judge(&app, s)
		if err != nil {
			return audit.Change{}, err
		}
		if err := stopSecret(tx, &app, s.ID, how, tx.Now()); err != nil {
			return audit.Change{}, err
		}
		if err := r.tellStopped(tx, actor, &app, s, how); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicApp, string(id))
		return audit.Change{
			Before: map[string]any{"secret": string(s.ID), "secret_state": string(s.State)},
			After:  map[string]any{"secret": string(s.ID), "secret_state": stateAfter(how)},
		}, nil
	})
}

func stateAfter(how ending) string {
	if how == leakedAt {
		return string(SecretLeaked)
	}
	return string(SecretRetired)
}
