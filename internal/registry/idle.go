package registry

import (
	"context"
	"errors"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

const (
	// UnusedAfter is how long nobody must have used an app for the report of unused apps.
	UnusedAfter = 90 * 24 * time.Hour
	// idleNotice is how long before a policy switches an unused app off its people are told.
	idleNotice = 30 * 24 * time.Hour
	// maxUnused bounds the report; who has more begins with the oldest.
	maxUnused = 200
	idleChunk = 200

	actionIdle = "app.idle"
)

// idlePolicy is the actor that switches unused apps off.
const idlePolicy = "idle-policy"

// UnusedApp is an active app that nobody has used for long.
type UnusedApp struct {
	ID          AppID
	ClientID    string
	Name        string
	LastUsedAt  time.Time // zero: never
	CreatedAt   time.Time
	SwitchedOff time.Time // when the policy switches it off; zero: nobody was told that it will
}

// Unused returns the active apps of the actor's organisation that nobody has used for UnusedAfter, since they were
// registered or used, those unused for longest first: 200 at most, and whether there are more. It takes apps.view.
func (r *Registry) Unused(ctx context.Context, actor access.Actor) (apps []UnusedApp, more bool, err error) {
	if err := r.mayView(ctx, actor, "app.unused"); err != nil {
		return nil, false, err
	}
	policy, err := r.identity.PolicyOf(ctx, actor.Organisation)
	if err != nil {
		return nil, false, err
	}
	rows, err := r.store.unused(ctx, actor.Organisation, r.db.Now().Add(-UnusedAfter), maxUnused+1)
	for i := range rows[:min(len(rows), maxUnused)] {
		row := &rows[i]
		apps = append(apps, UnusedApp{
			ID: row.ID, ClientID: row.ClientID, Name: row.Name, LastUsedAt: moment(row.LastUsedAt), CreatedAt: moment(row.CreatedAt),
			SwitchedOff: row.switchedOff(policy),
		})
	}
	return apps, len(rows) > maxUnused, err
}

// IdleEnd returns when the organisation's policy switches the app off unless somebody uses or changes it before; zero
// when it does not, or when nobody was told yet. It asks for no right: whoever has the app may know.
func (r *Registry) IdleEnd(ctx context.Context, app *App) (time.Time, error) {
	policy, err := r.identity.PolicyOf(ctx, app.Organisation)
	if err != nil || policy.IdleDays == 0 || app.Status != Active {
		return time.Time{}, err
	}
	row, found, err := r.store.idleOf(ctx, app.Organisation, app.ID)
	if err != nil || !found {
		return time.Time{}, err
	}
	return row.switchedOff(policy), nil
}

// unusedSince is since when nobody has used the app.
func (row *idleRow) unusedSince() time.Time { return moment(max(row.LastUsedAt, row.CreatedAt)) }

// told reports whether the notice still stands: a use or a change since takes it back, and so does another policy.
func (row *idleRow) told(p identity.Policy) bool {
	return row.NoticedAt > 0 && row.NoticedAt > row.LastUsedAt && row.NoticedAt >= row.ModifiedAt &&
		row.NoticedAt >= database.Micros(p.ChangedAt)
}

// switchedOff is when the policy switches the app off, 30 days after the notice at the earliest; zero without one.
func (row *idleRow) switchedOff(p identity.Policy) time.Time {
	if p.IdleDays == 0 || !row.told(p) {
		return time.Time{}
	}
	at, unused := moment(row.NoticedAt).Add(idleNotice), row.unusedSince().AddDate(0, 0, p.IdleDays)
	if unused.After(at) {
		return unused
	}
	return at
}

// DisableIdle obeys the policies for unused apps: it tells the contacts and managers of an active app 30 days before,
// and switches off those that nobody has used or changed since (ui.md §4.3). Nothing is deleted. It is meant to be
// called once a day, by as many processes as there are; use that another process has not written yet, a minute's at
// most, is not seen.
func (r *Registry) DisableIdle(ctx context.Context) error {
	if err := r.FlushUse(ctx); err != nil {
		return err
	}
	policies, err := r.identity.IdlePolicies(ctx)
	for _, p := range policies {
		err = errors.Join(err, r.disableIdleOf(ctx, p))
	}
	return err
}

func (r *Registry) disableIdleOf(ctx context.Context, p identity.Policy) error {
	managers, err := r.identity.EveryHolder(ctx, p.Organisation, access.AppsManage)
	if err != nil {
		return err
	}
	for after := AppID(""); ; {
		now := r.db.Now()
		rows, err := r.store.idle(ctx, p.Organisation, now.AddDate(0, 0, -p.IdleDays).Add(idleNotice), after)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].ID
		for i := range rows {
			row := &rows[i]
			switch off := row.switchedOff(p); {
			case off.IsZero():
				err = r.noteIdle(ctx, p, row, managers)
			case !off.After(now):
				err = r.switchOff(ctx, p, row, managers)
			}
			if err != nil {
				return err
			}
		}
	}
}

// noteIdle tells the people of an app, unless another process was quicker.
func (r *Registry) noteIdle(ctx context.Context, p identity.Policy, row *idleRow, managers []identity.Person) error {
	app, found, err := r.store.loadApp(ctx, p.Organisation, row.ID)
	if err != nil || !found {
		return err
	}
	return r.db.Housekeep(ctx, func(tx *database.Tx) error {
		first, err := takeIdleNotice(tx, p.Organisation, row)
		if err != nil || !first {
			return err
		}
		noted := *row
		noted.NoticedAt = database.Micros(tx.Now())
		return r.tell(tx, access.System(idlePolicy, p.Organisation), &app, tidings{
			key: "app_idle", to: everybody(app.contacts(), managers), args: map[string]any{"Ends": noted.switchedOff(p), "N": p.IdleDays},
		})
	})
}

// switchOff deactivates an app, as the policy; one that somebody used or changed meanwhile stays as it is.
func (r *Registry) switchOff(ctx context.Context, p identity.Policy, row *idleRow, managers []identity.Person) error {
	app, found, err := r.store.loadApp(ctx, p.Organisation, row.ID)
	if err != nil || !found || app.Status != Active || database.Micros(app.ModifiedAt) != row.ModifiedAt {
		return err
	}
	actor := access.System(idlePolicy, p.Organisation)
	err = r.trail.Do(ctx, actor, manageAct(actor, actionIdle, app.ID, app.Name), func(tx *database.Tx) (audit.Change, error) {
		if still, err := stillIdle(tx, p.Organisation, row); err != nil || !still {
			return audit.Change{}, orNothing(err)
		}
		after := app
		after.Status, after.ModifiedBy = Inactive, Author{Kind: actor.Kind, ID: actor.ID}
		if ok, err := updateApp(tx, &after, app.Version, true); err != nil || !ok {
			return audit.Change{}, orNothing(err)
		}
		tx.Changed(database.TopicApp, string(app.ID))
		change := differences(app.record(), after.record())
		return change, r.tell(tx, actor, &after, tidings{
			key: "app_idle_off", to: everybody(after.contacts(), managers), args: map[string]any{"N": p.IdleDays},
		})
	})
	if problem.Is(err, problem.NotFound) {
		return nil // deleted meanwhile
	}
	return err
}

// orNothing is the answer to an update that somebody else made needless.
func orNothing(err error) error {
	if err != nil {
		return err
	}
	return audit.ErrNothing
}
