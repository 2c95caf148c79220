package registry_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// ended returns an app whose first secret was retired, and both secrets.
func (w *world) ended(t testing.TB, name string) (app registry.App, first, second *registry.NewSecret) {
	t.Helper()
	app, first = w.register(t, name)
	second = w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
	return app, first, second
}

func (w *world) secretOf(t testing.TB, app registry.App, id registry.SecretID) registry.Secret {
	t.Helper()
	now := w.app(t, app.ID)
	s, ok := now.Secret(id)
	if !ok {
		t.Fatalf("no secret %s", id)
	}
	return s
}

// A retired secret works again at once when it is restored, for as long as a rotation gives it beside a newer one.
func TestRestore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first, second := w.ended(t, "Spend export")
		if w.authenticates(t, app.ClientID, first.Secret.Reveal()) {
			t.Fatal("the first secret was not ended")
		}
		w.clock.Advance(24*time.Hour - time.Microsecond)
		if err := w.Restore(t.Context(), w.admin, app.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*registry.NewSecret{first, second} {
			if !w.authenticates(t, app.ClientID, s.Secret.Reveal()) {
				t.Errorf("…%s does not work", s.Hint)
			}
		}
		ends := w.clock.Now().Add(7 * 24 * time.Hour)
		if s := w.secretOf(t, app, first.ID); s.State != registry.SecretEnding || !s.EndsAt.Equal(ends) {
			t.Errorf("restored: %s until %v", s.State, s.EndsAt)
		}
		want := map[string]any{"secret": string(first.ID), "secret_state": "ending", "ends_at": ends.Format(time.RFC3339)}
		if e := w.lastEvent(t); e.Action != "app.restore" || cmp.Diff(want, e.After) != "" || e.Before["secret_state"] != "retired" {
			t.Errorf("event %+v", e)
		}
		w.unchanged(t, func() {
			if err := w.Restore(t.Context(), w.admin, app.ID, first.ID); err != nil {
				t.Errorf("once more: %v", err)
			}
		})
		if err := w.Retire(t.Context(), w.admin, app.ID, second.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.Restore(t.Context(), w.admin, app.ID, second.ID); err != nil {
			t.Fatal(err)
		}
		if s := w.secretOf(t, app, second.ID); s.State != registry.SecretActive || !s.EndsAt.Equal(second.ExpiresAt) {
			t.Errorf("the newest of two came back %s until %v, want its own expiry", s.State, s.EndsAt)
		}
	})
}

func TestRestoreRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		refused := func(what string, app registry.App, id registry.SecretID, key string) {
			t.Helper()
			w.unchanged(t, func() {
				err := w.Restore(t.Context(), w.admin, app.ID, id)
				if p := wantCode(t, err, problem.Conflict); p.Key != key {
					t.Errorf("%s: %s, want %s", what, p.Key, key)
				}
			})
		}
		leaky, first, _ := w.ended(t, "Leaky")
		if err := w.MarkLeaked(t.Context(), w.admin, leaky.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		refused("leaked", leaky, first.ID, "app.restore.leaked")

		full, first, _ := w.ended(t, "Full")
		w.rotate(t, full.ID, registry.Rotation{})
		refused("two work", full, first.ID, "app.restore.two")

		late, first, _ := w.ended(t, "Late")
		slot, ancient, _ := w.ended(t, "Slots")
		for range 61 { // until the newest stands where the first one stood
			w.rotate(t, slot.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		}
		refused("its slot is taken", slot, ancient.ID, "app.restore.slot")
		w.clock.Advance(24 * time.Hour)
		refused("late", late, first.ID, "app.restore.late")

		short, last, err := w.Register(t.Context(), w.admin, registry.NewApp{
			AppFields: w.fields("Short"), Expires: registry.Expiry{Choice: registry.ExpiresOn, At: w.clock.Now().Add(time.Hour)},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.rotate(t, short.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		w.clock.Advance(time.Hour)
		refused("retired, then its expiry came", short, last.ID, "app.restore.expired")
	})
}

// Restoring and extending give power again, so they take what a new secret takes (protocol.md §6, C53, C54).
func TestProlongTakesPower(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first, second := w.ended(t, "Spend export")
		missing := registry.SecretID(database.NewID())
		manager := w.withRights(t, "apps", access.AppsManage)
		f := w.fields("Robots")
		f.Scopes = []string{"PM.RobotAccount"}
		robots, theirs := w.registerFields(t, w.admin, f)
		w.rotate(t, robots.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		for name, tt := range map[string]struct {
			actor  access.Actor
			app    registry.AppID
			secret registry.SecretID
			want   problem.Code
		}{
			"viewer":        {w.viewer, app.ID, first.ID, problem.Forbidden},
			"stranger":      {w.globexAdmin, app.ID, first.ID, problem.NotFound},
			"no power":      {manager, robots.ID, theirs.ID, problem.Forbidden},
			"no secret":     {w.admin, app.ID, missing, problem.NotFound},
			"another app's": {w.admin, robots.ID, second.ID, problem.NotFound},
		} {
			t.Run(name, func(t *testing.T) {
				w.unchanged(t, func() {
					wantCode(t, w.Restore(t.Context(), tt.actor, tt.app, tt.secret), tt.want)
					wantCode(t, w.Extend(t.Context(), tt.actor, tt.app, tt.secret, registry.End{}), tt.want)
				})
			})
		}
		if err := w.Restore(t.Context(), manager, app.ID, first.ID); err != nil {
			t.Errorf("a manager who holds everything: %v", err)
		}
	})
}

func TestExtend(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsIn24Hours}})
		w.clock.Advance(23 * time.Hour)
		now := w.clock.Now()
		extend := func(e registry.End) error { return w.Extend(t.Context(), w.admin, app.ID, first.ID, e) }
		for key, e := range map[string]registry.End{
			"app.extend.earlier":  {Choice: registry.EndsIn1Hour},
			"app.date.missing":    {Choice: registry.EndsOn},
			"app.date.too_far":    {Choice: registry.EndsOn, At: now.Add(90*24*time.Hour + time.Microsecond)},
			"app.old_ends.choose": {Choice: "whenever"},
		} {
			w.unchanged(t, func() { wantFields(t, extend(e), map[string]string{"until": key}) })
		}
		if err := extend(registry.End{Choice: registry.EndsIn7Days}); err != nil {
			t.Fatal(err)
		}
		e := w.lastEvent(t)
		if e.Action != "app.extend" || e.After["ends_at"] != now.Add(7*24*time.Hour).Format(time.RFC3339) || e.Before["ends_at"] != now.Add(time.Hour).Format(time.RFC3339) {
			t.Errorf("event %+v", e)
		}
		w.clock.Advance(7*24*time.Hour - time.Microsecond)
		if !w.authenticates(t, app.ClientID, first.Secret.Reveal()) {
			t.Error("it ended at the old end")
		}
		w.clock.Advance(time.Microsecond)
		if w.authenticates(t, app.ClientID, first.Secret.Reveal()) {
			t.Error("it outlives the new end")
		}
		if p := wantCode(t, extend(registry.End{}), problem.Conflict); p.Key != "app.extend.not_ending" {
			t.Errorf("one that ended: %s", p.Key)
		}
		sole, only := w.register(t, "Sole")
		if err := w.Extend(t.Context(), w.admin, sole.ID, only.ID, registry.End{}); !problem.Is(err, problem.Conflict) {
			t.Errorf("one that no rotation ends: %v", err)
		}
	})
}

func TestExtendOptions(t *testing.T) {
	w := sqliteWorld(t)
	now := w.clock.Now()
	for name, tt := range map[string]struct {
		ends, expires time.Time
		want          []registry.EndChoice
		latest        time.Time
	}{
		"ends soon":           {now.Add(time.Hour), now.AddDate(1, 0, 0), []registry.EndChoice{"24h", "7d", "30d", "date"}, now.Add(90 * 24 * time.Hour)},
		"ends in a week":      {now.Add(7 * 24 * time.Hour), time.Time{}, []registry.EndChoice{"30d", "date"}, now.Add(90 * 24 * time.Hour)},
		"expires in two days": {now.Add(time.Hour), now.AddDate(0, 0, 2), []registry.EndChoice{"24h", "date"}, now.AddDate(0, 0, 2)},
	} {
		options, earliest, latest := w.ExtendOptions(registry.Secret{State: registry.SecretEnding, EndsAt: tt.ends, ExpiresAt: tt.expires})
		var got []registry.EndChoice
		for _, o := range options {
			got = append(got, o.Choice)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || !earliest.Equal(tt.ends) || !latest.Equal(tt.latest) {
			t.Errorf("%s: from %v to %v\n%s", name, earliest, latest, diff)
		}
	}
}

// Whoever restores and whoever rotates at once: never three usable secrets, and no secret that was shown is lost (C55c).
func TestC55c_RestoreAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			app, first, second := w.ended(t, fmt.Sprintf("Contested %d", round))
			third := w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
			var shown *registry.NewSecret
			errs := make([]error, 3)
			atOnce(3, func(i int) {
				if i == 2 {
					shown, errs[i] = w.Rotate(t.Context(), w.admin, app.ID, registry.Rotation{Reason: registry.Planned})
					return
				}
				errs[i] = w.Restore(t.Context(), w.admin, app.ID, []registry.SecretID{first.ID, second.ID}[i])
			})
			done := 0
			for _, err := range errs {
				if err == nil {
					done++
				} else if !problem.Is(err, problem.Conflict) {
					t.Error(err)
				}
			}
			now := w.app(t, app.ID)
			if n := len(now.Usable()); n != 2 || done != 1 {
				t.Fatalf("%d usable, %d were done: %v", n, done, errs)
			}
			if !w.authenticates(t, app.ClientID, third.Secret.Reveal()) || shown != nil && !w.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
				t.Error("a secret that was shown does not work")
			}
		}
	})
}
