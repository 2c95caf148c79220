package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// restorable is how long after its end a retired secret may be restored (product.md decision 17).
const restorable = 24 * time.Hour

// RestoredUntil returns when a secret would end that is restored now, zero for never: beside a newer one it gets the
// usual overlap, so that a rotation goes on instead of starting anew; otherwise it works until its expiry.
func (a *App) RestoredUntil(s Secret, now time.Time) time.Time {
	ends := s.ExpiresAt
	for _, other := range a.Usable() {
		if after, _ := EndsRecommended.after(); other.Generation > s.Generation && (ends.IsZero() || now.Add(after).Before(ends)) {
			ends = now.Add(after)
		}
	}
	return ends
}

// Restorable returns nil when a secret that stopped may be restored now, or problem.Conflict with the reason as its key:
// it leaked, its expiry has come, it stopped more than 24 hours ago, two others are usable, or one of them stands in
// its slot, so that a presented secret would not name one of the two. One that is usable is no conflict.
func (a *App) Restorable(s Secret, now time.Time) error {
	usable := a.Usable()
	switch {
	case s.Usable():
		return nil
	case s.State == SecretLeaked:
		return conflict("app.restore.leaked", s)
	case s.State == SecretExpired, !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt):
		return conflict("app.restore.expired", s)
	case !now.Before(s.StoppedAt.Add(restorable)):
		return conflict("app.restore.late", s)
	case len(usable) >= 2:
		return conflict("app.restore.two", s)
	}
	for _, other := range usable {
		if other.slot() == s.slot() {
			return conflict("app.restore.slot", s)
		}
	}
	return nil
}

// RestorableUntil returns until when a secret may be restored, zero for one that may not be now.
func (a *App) RestorableUntil(s Secret, now time.Time) time.Time {
	if s.Usable() || a.Restorable(s, now) != nil {
		return time.Time{}
	}
	until := s.StoppedAt.Add(restorable)
	if !s.ExpiresAt.IsZero() && s.ExpiresAt.Before(until) {
		return s.ExpiresAt
	}
	return until
}

func conflict(key string, s Secret) error {
	return problem.New(problem.Conflict, key, "Hint", s.Hint)
}

// Restore makes a retired secret usable again, until RestoredUntil. It takes apps.manage and the power that the app has.
// The answers are problem.Conflict as Restorable has it, problem.NotFound and problem.Forbidden; a secret that is
// usable stays as it is. What had ended besides, such as tokens of a generation, stays ended.
func (r *Registry) Restore(ctx context.Context, actor access.Actor, id AppID, secretID SecretID) error {
	return r.prolong(ctx, actor, "app.restore", id, secretID, func(app *App, s Secret, now time.Time) (time.Time, error) {
		if s.Usable() {
			return time.Time{}, audit.ErrNothing
		}
		ends := app.RestoredUntil(s, now)
		if ends.Equal(s.ExpiresAt) {
			ends = time.Time{} // it ends by its expiry, not by a rotation
		}
		return ends, app.Restorable(s, now)
	})
}

// ExtendOptions returns to when the end of a secret that a rotation ends may be put off, and between which moments an
// own date must lie: later than now, at most as long as two secrets may work side by side, and not beyond its expiry.
func (r *Registry) ExtendOptions(s Secret) (options []EndOption, earliest, latest time.Time) {
	now := r.db.Now()
	latest = extendedUntil(s, now)
	for _, c := range []EndChoice{EndsIn24Hours, EndsIn7Days, EndsIn30Days} {
		after, _ := c.after()
		if at := now.Add(after); at.After(s.EndsAt) && !at.After(latest) {
			options = append(options, EndOption{Choice: c, At: at})
		}
	}
	return append(options, EndOption{Choice: EndsOn}), s.EndsAt, latest
}

// extendedUntil is the latest end that a secret may get.
func extendedUntil(s Secret, now time.Time) time.Time {
	latest := now.Add(maxOverlap)
	if !s.ExpiresAt.IsZero() && s.ExpiresAt.Before(latest) {
		return s.ExpiresAt
	}
	return latest
}

// Extend puts off the end that a rotation set for a secret which still works. It takes apps.manage and the power that
// the app has. An end that is not later, or beyond what ExtendOptions tells, is problem.Invalid with the field until; a
// secret that no rotation ends is problem.Conflict; others as for Restore.
func (r *Registry) Extend(ctx context.Context, actor access.Actor, id AppID, secretID SecretID, until End) error {
	return r.prolong(ctx, actor, "app.extend", id, secretID, func(_ *App, s Secret, now time.Time) (time.Time, error) {
		if s.State != SecretEnding {
			return time.Time{}, conflict("app.extend.not_ending", s)
		}
		at, fault := until.resolve(now)
		if fault == nil {
			fault = within("until", at, s.EndsAt, extendedUntil(s, now))
		}
		if fault != nil {
			fault.Name = "until"
			if fault.Key == "app.date.past" {
				fault.Key, fault.Args = "app.extend.earlier", map[string]any{"At": s.EndsAt}
			}
			return time.Time{}, problem.Fields(*fault)
		}
		return at, nil
	})
}

// prolong lets a secret work until another end, zero for its expiry alone, which judge tells from the app as it is while
// it is locked. Power is asked before; of an app that changed in between it is asked again.
func (r *Registry) prolong(ctx context.Context, actor access.Actor, action string, id AppID, secretID SecretID,
	judge func(app *App, s Secret, now time.Time) (time.Time, error),
) error {
	for try := 1; ; try++ {
		app, act, err := r.admit(ctx, actor, action, id)
		if err == nil {
			err = r.power(ctx, actor, act, &app)
		}
		if err != nil {
			return err
		}
		err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
			return prolongWithin(tx, actor, &app, secretID, judge)
		})
		if !isStale(err) || try == maxTries {
			return err
		}
	}
}

func prolongWithin(tx *database.Tx, actor access.Actor, asked *App, secretID SecretID,
	judge func(app *App, s Secret, now time.Time) (time.Time, error),
) (audit.Change, error) {
	if ok, err := touchApp(tx, actor.Organisation, asked.ID, actor); err != nil {
		return audit.Change{}, err
	} else if !ok {
		return audit.Change{}, notFound()
	}
	app, err := appWithin(tx, actor.Organisation, asked.ID)
	if err != nil {
		return audit.Change{}, err
	}
	if app.Version != asked.Version {
		return audit.Change{}, stale()
	}
	s, ok := app.Secret(secretID)
	if !ok {
		return audit.Change{}, notFound()
	}
	ends, err := judge(&app, s, tx.Now())
	if err != nil {
		return audit.Change{}, err
	}
	if !s.Usable() {
		if err := skipGeneration(tx, &app); err != nil {
			return audit.Change{}, err
		}
	}
	if err := resumeSecret(tx, &app, s.ID, ends); err != nil {
		return audit.Change{}, err
	}
	tx.Changed(database.TopicApp, string(app.ID))
	return prolonged(s, ends), nil
}

// prolonged are the fields of the event.
func prolonged(s Secret, ends time.Time) audit.Change {
	state, at := SecretActive, s.ExpiresAt
	if !ends.IsZero() {
		state, at = SecretEnding, ends
	}
	change := audit.Change{Before: map[string]any{"secret": string(s.ID)}, After: map[string]any{"secret": string(s.ID)}}
	if s.State != state {
		change.Before["secret_state"], change.After["secret_state"] = string(s.State), string(state)
	}
	if s.Usable() {
		change.Before["ends_at"] = s.EndsAt.Format(time.RFC3339)
	}
	if !at.IsZero() {
		change.After["ends_at"] = at.Format(time.RFC3339)
	}
	return change
}
