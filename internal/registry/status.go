package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// Activate lets an app get tokens, whose version must be the one the actor saw. It takes apps.manage and the power that
// the app has. An app that is active already stays as it is. Answers like Edit's.
func (r *Registry) Activate(ctx context.Context, actor access.Actor, id AppID, version int64) (App, error) {
	return r.setStatus(ctx, actor, id, version, Active, r.tellEdited)
}

// Deactivate stops an app and ends its tokens for good: they do not revive when it is activated again (product.md
// decision 17). It takes apps.manage. An app that is inactive already stays as it is. Answers like Edit's.
func (r *Registry) Deactivate(ctx context.Context, actor access.Actor, id AppID, version int64) (App, error) {
	return r.setStatus(ctx, actor, id, version, Inactive, r.tellEdited)
}

// besides is what else belongs to a change: it runs in its transaction, and says who is told.
type besides func(tx *database.Tx, actor access.Actor, before, after *App) error

func (r *Registry) setStatus(ctx context.Context, actor access.Actor, id AppID, version int64, status Status, also besides) (App, error) {
	action := "app.deactivate"
	if status == Active {
		action = "app.activate"
	}
	app, act, err := r.admit(ctx, actor, action, id)
	switch {
	case err != nil:
		return App{}, err
	case app.Version != version:
		return r.clash(ctx, actor, id)
	case app.Status == status:
		return r.App(ctx, actor, id)
	}
	if status == Active {
		if actor, err = r.again(ctx, actor, act, &app); err != nil {
			return App{}, err
		}
	}
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		after := app
		after.Status, after.ModifiedBy = status, Author{Kind: actor.Kind, ID: actor.ID}
		if ok, err := updateApp(tx, &after, version, ends(&app, &after)); err != nil || !ok {
			return audit.Change{}, orStale(err)
		}
		tx.Changed(database.TopicApp, string(id))
		return differences(app.record(), after.record()), also(tx, actor, &app, &after)
	})
	if isStale(err) {
		return r.clash(ctx, actor, id)
	}
	if err != nil {
		return App{}, err
	}
	return r.App(ctx, actor, id)
}

// Delete erases an inactive app, whose version must be the one the actor saw and whose name they have typed: its hashes,
// contacts, words and scopes go, its name is free for another, its client ID is never given again (product.md decisions
// 6 and 17). It takes apps.manage. Answers: problem.Conflict for an active app, problem.Invalid with the field
// confirm_name for another name, problem.Stale, problem.NotFound.
func (r *Registry) Delete(ctx context.Context, actor access.Actor, id AppID, version int64, typedName string) error {
	app, act, err := r.admit(ctx, actor, "app.delete", id)
	switch {
	case err != nil:
		return err
	case app.Status != Inactive:
		return problem.New(problem.Conflict, "app.delete.active", "Name", app.Name)
	case app.Version != version:
		return stale()
	}
	if typed, fault := identity.Text("app.name", typedName, 0, 80); fault != nil || typed != app.Name {
		return problem.Fields(problem.NewField("confirm_name", "app.delete.name", "Name", app.Name))
	}
	return r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if ok, err := eraseApp(tx, &app, actor); err != nil || !ok {
			return audit.Change{}, orStale(err)
		}
		if err := r.tellDeleted(tx, actor, &app); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicApp, string(id))
		return audit.Change{Before: app.record()}, nil
	})
}

// orStale is the answer to an update that found no row: an error of its own, or that somebody was quicker.
func orStale(err error) error {
	if err != nil {
		return err
	}
	return stale()
}

func isStale(err error) bool { return problem.Is(err, problem.Stale) }
