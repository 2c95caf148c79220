package registry_test

import (
	"testing"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

func (w *world) disableIdle(t testing.TB) {
	t.Helper()
	if err := w.DisableIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// days lets time go by, a day at a time, with the policy obeyed each day.
func (w *world) days(t testing.TB, n int) {
	t.Helper()
	for range n {
		w.clock.Advance(24 * time.Hour)
		w.disableIdle(t)
	}
}

// An app that nobody uses is switched off 30 days after its people were told, and never deleted.
func TestIdleAppsAreSwitchedOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		idle, _ := w.register(t, "Idle")
		used, secret := w.register(t, "Used")
		touched, _ := w.register(t, "Touched")
		elsewhere, _ := w.globexApp(t, "Elsewhere")
		w.policy(t, identity.ExpiryOptional, 0, 60)
		ends := func(app registry.App) time.Time {
			t.Helper()
			now := w.app(t, app.ID)
			return must(w.IdleEnd(t.Context(), &now))(t)
		}
		w.days(t, 29)
		if at := ends(idle); !at.IsZero() {
			t.Errorf("told after 29 days that it ends %v", at)
		}
		w.days(t, 1)
		if at, want := ends(idle), w.clock.Now().AddDate(0, 0, 30); !at.Equal(want) {
			t.Errorf("switched off %v, want %v", at, want)
		}
		w.days(t, 10)
		w.use(t, used, secret.ID, "192.0.2.1", 1)
		w.rotate(t, touched.ID, registry.Rotation{})
		w.days(t, 19)
		if got := w.app(t, idle.ID); got.Status != registry.Active {
			t.Fatal("switched off before its time")
		}
		w.days(t, 1)
		got := w.app(t, idle.ID)
		if got.Status != registry.Inactive || got.Generation != idle.Generation+1 || len(got.Usable()) != 1 {
			t.Errorf("after its time it is %s, generation %d", got.Status, got.Generation)
		}
		if e := w.lastEvent(t); e.Action != "app.idle" || e.ActorKind != access.KindSystem || e.Target.ID != string(idle.ID) || e.After["status"] != "inactive" {
			t.Errorf("event %+v", e)
		}
		for _, app := range []registry.App{used, touched} {
			if now := w.app(t, app.ID); now.Status != registry.Active {
				t.Errorf("%s was switched off", app.Name)
			}
		}
		if now := must(w.App(t.Context(), w.globexAdmin, elsewhere.ID))(t); now.Status != registry.Active {
			t.Error("an organisation without the policy lost an app")
		}

		must(w.Activate(t.Context(), w.admin, idle.ID, got.Version))(t)
		w.disableIdle(t)
		w.days(t, 29)
		if now := w.app(t, idle.ID); now.Status != registry.Active {
			t.Error("switched on again, it was switched off without another notice")
		}
		w.days(t, 1)
		if now := w.app(t, idle.ID); now.Status != registry.Inactive {
			t.Error("it is never switched off again")
		}
	})
}

// A policy that begins late tells first; one that ends leaves everything as it is.
func TestIdlePolicyThatBeginsLate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Idle")
		w.clock.Advance(400 * 24 * time.Hour)
		w.disableIdle(t)
		w.policy(t, identity.ExpiryOptional, 0, 60)
		w.disableIdle(t)
		w.days(t, 29)
		if now := w.app(t, app.ID); now.Status != registry.Active {
			t.Fatal("switched off without 30 days of notice")
		}
		w.policy(t, identity.ExpiryOptional, 0, 0)
		w.days(t, 40)
		if now := w.app(t, app.ID); now.Status != registry.Active {
			t.Error("switched off although the policy ended")
		}
	})
}

func TestIdleAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Idle")
		w.policy(t, identity.ExpiryOptional, 0, 60)
		for range 2 {
			w.clock.Advance(30 * 24 * time.Hour)
			errs := make([]error, 4)
			atOnce(4, func(i int) { errs[i] = w.DisableIdle(t.Context()) })
			for _, err := range errs {
				if err != nil {
					t.Error(err)
				}
			}
		}
		n := 0
		for _, e := range w.events(t, w.acme) {
			if e.Action == "app.idle" {
				n++
			}
		}
		if now := w.app(t, app.ID); n != 1 || now.Status != registry.Inactive || now.Version != app.Version+1 {
			t.Errorf("%d events, %s, version %d", n, now.Status, now.Version)
		}
	})
}

func TestUnused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		never, _ := w.register(t, "Never used")
		w.clock.Advance(time.Hour)
		once, secret := w.register(t, "Used once")
		off, _ := w.register(t, "Switched off")
		w.use(t, once, secret.ID, "192.0.2.1", 1)
		w.flush(t)
		w.deactivate(t, off.ID)
		names := func() (list []string) {
			apps, more, err := w.Unused(t.Context(), w.viewer)
			if err != nil || more {
				t.Fatal(more, err)
			}
			for _, a := range apps {
				list = append(list, a.Name)
			}
			return list
		}
		w.clock.Advance(registry.UnusedAfter - time.Hour)
		if got := names(); len(got) != 0 {
			t.Errorf("after 90 days less an instant: %v", got)
		}
		w.clock.Advance(time.Hour + time.Microsecond)
		w.register(t, "New")
		if got := names(); len(got) != 2 || got[0] != "Never used" || got[1] != "Used once" {
			t.Errorf("unused: %v", got)
		}
		w.policy(t, identity.ExpiryOptional, 0, 60)
		w.disableIdle(t)
		apps, _, err := w.Unused(t.Context(), w.admin)
		if err != nil || apps[0].ID != never.ID || !apps[0].SwitchedOff.Equal(w.clock.Now().AddDate(0, 0, 30)) {
			t.Errorf("%+v, %v", apps, err)
		}
		_, _, err = w.Unused(t.Context(), w.nobody)
		wantCode(t, err, problem.Forbidden)
	})
}

// A notice of before an organisation was suspended does not count when it comes back: people are told anew.
func TestIdleNoticeIsGivenAnew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Idle")
		w.policy(t, identity.ExpiryOptional, 0, 60)
		w.days(t, 31)
		root := access.Operator("root", "")
		if err := w.identity.SuspendOrganisation(t.Context(), root, w.acme.ID); err != nil {
			t.Fatal(err)
		}
		w.forgetMails(t)
		w.clock.Advance(98 * day)
		w.days(t, 2)
		if n := value[int](t, w.db, "SELECT count(*) FROM mails"); n != 0 {
			t.Errorf("%d mails to a suspended organisation", n)
		}
		if err := w.identity.ResumeOrganisation(t.Context(), root, w.acme.ID); err != nil {
			t.Fatal(err)
		}
		w.days(t, 1)
		if now := w.app(t, app.ID); now.Status != registry.Active || len(w.mailsTo(t, app.ID)) == 0 {
			t.Fatalf("%s with mails %v", now.Status, w.mailsTo(t, app.ID))
		}
		w.days(t, 29)
		if now := w.app(t, app.ID); now.Status != registry.Active {
			t.Error("switched off before 30 days of notice")
		}
		w.days(t, 1)
		if now := w.app(t, app.ID); now.Status != registry.Inactive {
			t.Error("not switched off after the notice")
		}
	})
}
