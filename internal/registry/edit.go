package registry

import (
	"context"
	"reflect"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
)

// Edit replaces what a person fills in about an app, whose version must be the one they saw. It takes apps.manage, and
// when scopes, API user, category or credential type change or the app is switched on, the power that the app then has;
// for a resource server always.
//
// It returns the app as it then is. With problem.Stale it returns the app as somebody else made it meanwhile, so that a
// page can show both; other answers are problem.NotFound, problem.Forbidden and problem.Invalid naming every field at
// fault. Another API user or credential type, and switching off, end the tokens of the app (protocol.md §1.3).
func (r *Registry) Edit(ctx context.Context, actor access.Actor, id AppID, version int64, f AppFields) (App, error) {
	return r.edit(ctx, actor, id, version, f, r.tellEdited)
}

func (r *Registry) edit(ctx context.Context, actor access.Actor, id AppID, version int64, f AppFields, also besides) (App, error) {
	stored, act, err := r.admit(ctx, actor, "app.edit", id)
	if err != nil {
		return App{}, err
	}
	if stored.Version != version {
		return r.clash(ctx, actor, id)
	}
	app := stored
	found, err := r.fill(ctx, &app, f)
	if err == nil {
		err = found.err()
	}
	if err != nil {
		return App{}, err
	}
	if gives(&stored, &app) {
		if err := r.power(ctx, actor, act, &app); err != nil {
			return App{}, err
		}
	}
	if err := r.store.nameAuthors(ctx, app.Organisation, []*Author{&app.CreatedBy}); err != nil {
		return App{}, err
	}
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		change, err := writeEdit(tx, stored, app, actor)
		if err == nil {
			err = also(tx, actor, &stored, &app)
		}
		return change, err
	})
	if isStale(err) {
		return r.clash(ctx, actor, id)
	}
	if err != nil {
		return App{}, r.afterCollision(ctx, &app, err)
	}
	return r.App(ctx, actor, id)
}

// clash returns the app as it is now, with problem.Stale; or problem.NotFound when it is gone.
func (r *Registry) clash(ctx context.Context, actor access.Actor, id AppID) (App, error) {
	current, err := r.App(ctx, actor, id)
	if err != nil {
		return App{}, err
	}
	return current, stale()
}

// gives reports whether the change gives power, or gives it again (protocol.md §6).
func gives(before, after *App) bool {
	return after.Kind == ResourceServer || !slices.Equal(before.Scopes, after.Scopes) || before.APIUser.ID != after.APIUser.ID ||
		before.Category != after.Category || before.CredentialType != after.CredentialType ||
		before.Status != Active && after.Status == Active
}

// ends reports whether tokens that were issued before the change must stop working.
func ends(before, after *App) bool {
	return before.APIUser.ID != after.APIUser.ID || before.CredentialType != after.CredentialType ||
		before.Status == Active && after.Status != Active
}

// writeEdit writes what differs.
func writeEdit(tx *database.Tx, before, after App, actor access.Actor) (audit.Change, error) {
	change := differences(before.record(), after.record())
	if len(change.Before)+len(change.After) == 0 {
		return audit.Change{}, audit.ErrNothing
	}
	change.Target = audit.Target{Kind: targetKind, ID: string(after.ID), Label: after.Name}
	after.ModifiedBy = Author{Kind: actor.Kind, ID: actor.ID}
	if ok, err := updateApp(tx, &after, before.Version, ends(&before, &after)); err != nil || !ok {
		return audit.Change{}, orStale(err)
	}
	if !slices.Equal(before.Scopes, after.Scopes) {
		if err := replaceScopes(tx, &after); err != nil {
			return audit.Change{}, err
		}
	}
	if err := replaceContact(tx, &after, 1, before.Contact, after.Contact); err != nil {
		return audit.Change{}, err
	}
	if err := replaceContact(tx, &after, 2, before.SecondContact, after.SecondContact); err != nil {
		return audit.Change{}, err
	}
	if err := forgetAddresses(tx, after.Organisation, keysOf(without(before.contacts(), after.contacts()))...); err != nil {
		return audit.Change{}, err
	}
	if before.Name != after.Name {
		if err := replaceNameParts(tx, after.Organisation, after.ID, after.Name); err != nil {
			return audit.Change{}, err
		}
	}
	if err := replaceWords(tx, after.Organisation, after.ID, wordsOf(&after)); err != nil {
		return audit.Change{}, err
	}
	tx.Changed(database.TopicApp, string(after.ID))
	return change, nil
}

// replaceContact ends the row of a contact and makes another, where the contact changed.
func replaceContact(tx *database.Tx, app *App, rank int, before, after Contact) error {
	if before.ID == after.ID {
		return nil
	}
	if !before.IsZero() {
		if err := endContact(tx, app, before.ID); err != nil {
			return err
		}
	}
	if after.IsZero() {
		return nil
	}
	return insertContact(tx, app, rank, after)
}

// differences returns the fields whose values differ, before and after.
func differences(before, after map[string]any) audit.Change {
	change := audit.Change{Before: map[string]any{}, After: map[string]any{}}
	for name, was := range before {
		if is, ok := after[name]; !ok || !reflect.DeepEqual(was, is) {
			change.Before[name] = was
		}
	}
	for name, is := range after {
		if was, ok := before[name]; !ok || !reflect.DeepEqual(was, is) {
			change.After[name] = is
		}
	}
	return change
}
