package registry_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
)

const day = 24 * time.Hour

// mailsTo returns the keys of the mails about an app by their recipients, oldest first.
func (w *world) mailsTo(t testing.TB, id registry.AppID) map[string][]string {
	t.Helper()
	var rows []struct{ ToEmail, TextKey string }
	err := w.db.Read(t.Context()).Raw("SELECT to_email, text_key FROM mails WHERE about_id = ? ORDER BY id", string(id)).Scan(&rows).Error
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]string{}
	for _, row := range rows {
		list[row.ToEmail] = append(list[row.ToEmail], row.TextKey)
	}
	return list
}

// forgetMails makes a test begin with none.
func (w *world) forgetMails(t testing.TB) {
	t.Helper()
	err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec("DELETE FROM mails").Error })
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) tellEnds(t testing.TB) {
	t.Helper()
	if err := w.TellEnds(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// endsIn registers an app of two contacts whose secret ends after so long, and forgets the mails of that.
func (w *world) endsIn(t testing.TB, name string, after time.Duration) registry.App {
	t.Helper()
	f := w.fields(name)
	f.Contact = registry.Contact{FirstName: "Con", LastName: "Tact", Email: "contact@acme.example"}
	f.SecondContact = registry.Contact{FirstName: "Sec", LastName: "Ond", Email: "second@acme.example"}
	app, _, err := w.Register(t.Context(), w.admin, registry.NewApp{
		AppFields: f, Expires: registry.Expiry{Choice: registry.ExpiresOn, At: w.clock.Now().Add(after)},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.forgetMails(t)
	return app
}

// TestUI14_FiveNotices moves the clock hour by hour to the end of a secret and beyond: both contacts and every manager
// get exactly five mails, whichever of two servers is first each hour.
func TestUI14_FiveNotices(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		second := must(registry.New(w.deps))(t)
		w.withRights(t, "manager", access.AppsManage)
		app := w.endsIn(t, "SAP spend export", 45*day)
		w.globexApp(t, "Somebody else's")
		w.forgetMails(t)
		counts := map[int]int{}
		for hour := range 50 * 24 {
			if hour%6 == 0 || hour > 43*24 { // each hour where the stages are close
				w.tellEnds(t)
				if err := second.TellEnds(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			counts[hour/24] = len(w.mailsTo(t, app.ID)["contact@acme.example"])
			w.clock.Advance(time.Hour)
		}
		five := []string{"secret_ends", "secret_ends", "secret_ends", "secret_ends", "secret_ended"}
		want := map[string][]string{
			"contact@acme.example": five, "second@acme.example": five, "ana.silva@acme.example": five, "manager@acme.example": five,
		}
		if diff := cmp.Diff(want, w.mailsTo(t, app.ID)); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
		for after, want := range map[int]int{14: 0, 15: 1, 30: 1, 31: 2, 37: 2, 38: 3, 43: 3, 44: 4, 45: 5, 49: 5} {
			if counts[after] != want {
				t.Errorf("after day %d the contact has %d mails, want %d", after, counts[after], want)
			}
		}
		var days []int
		for _, m := range must(w.Mails(t.Context(), w.viewer, app.ID))(t) {
			if m.To.Email == "contact@acme.example" && m.Key == "secret_ends" {
				days = append(days, int(app.Secrets[0].EndsAt.Sub(m.CreatedAt).Hours()/24))
			}
		}
		if diff := cmp.Diff([]int{1, 7, 14, 30}, days); diff != "" {
			t.Errorf("days before the end, the last first (-want +got):\n%s", diff)
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM mails WHERE about_id <> ?", string(app.ID)); n != 0 {
			t.Errorf("%d mails about other apps", n)
		}
	})
}

// TestUI14_NoneAfterRotation: a secret that another takes over from is not told of, unless it is still used on its last day.
func TestUI14_NoneAfterRotation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		quiet, used := w.endsIn(t, "Quiet", 40*day), w.endsIn(t, "Used", 40*day)
		w.clock.Advance(12 * day)
		w.tellEnds(t)
		for _, app := range []registry.App{quiet, used} {
			w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsIn7Days}})
		}
		w.forgetMails(t)
		for range 12 * 4 {
			err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
				return tx.DB().Exec("UPDATE app_secrets SET last_used_at = ? WHERE id = ?", database.Micros(w.clock.Now()), string(used.Secrets[0].ID)).Error
			})
			if err != nil {
				t.Fatal(err)
			}
			w.tellEnds(t)
			w.clock.Advance(6 * time.Hour)
		}
		if got := w.mailsTo(t, quiet.ID); len(got) != 0 {
			t.Errorf("mails after the rotation: %v", got)
		}
		want := map[string][]string{
			"contact@acme.example": {"secret_still_used"}, "second@acme.example": {"secret_still_used"}, "ana.silva@acme.example": {"secret_still_used"},
		}
		if diff := cmp.Diff(want, w.mailsTo(t, used.ID)); diff != "" {
			t.Errorf("mails about the secret that is still used (-want +got):\n%s", diff)
		}
	})
}

// Who gets a secret for ten days hears of the stages that come, not of those before; who is late hears of the last alone;
// and what does not work, or ended long ago, is not told of.
func TestNoticesOfStages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		short := w.endsIn(t, "Short", 10*day)
		w.tellEnds(t)
		if got := w.mailsTo(t, short.ID); len(got) != 0 {
			t.Errorf("a new secret is told of at once: %v", got)
		}
		off, retired, deleted, suspended := w.endsIn(t, "Off", 40*day), w.endsIn(t, "Retired", 40*day), w.endsIn(t, "Deleted", 40*day), w.endsIn(t, "Late", 40*day)
		w.deactivate(t, off.ID)
		second := w.rotate(t, retired.ID, registry.Rotation{})
		if err := w.Retire(t.Context(), w.admin, retired.ID, retired.Secrets[0].ID); err != nil {
			t.Fatal(err)
		}
		inactive := w.deactivate(t, deleted.ID)
		if err := w.Delete(t.Context(), w.admin, deleted.ID, inactive.Version, "Deleted"); err != nil {
			t.Fatal(err)
		}
		w.forgetMails(t)
		w.clock.Advance(34 * day)
		w.tellEnds(t)
		want := map[registry.AppID]map[string][]string{
			short.ID: {}, off.ID: {}, retired.ID: {}, deleted.ID: {},
			suspended.ID: {"contact@acme.example": {"secret_ends"}, "second@acme.example": {"secret_ends"}, "ana.silva@acme.example": {"secret_ends"}},
		}
		for id, mails := range want {
			if diff := cmp.Diff(mails, w.mailsTo(t, id)); diff != "" {
				t.Errorf("mails about %s (-want +got):\n%s", id, diff)
			}
		}
		_ = second
		if err := w.identity.SuspendOrganisation(t.Context(), access.Operator("root", ""), w.acme.ID); err != nil {
			t.Fatal(err)
		}
		w.forgetMails(t)
		w.clock.Advance(6 * day)
		w.tellEnds(t)
		if got := w.mailsTo(t, suspended.ID); len(got) != 0 {
			t.Errorf("a suspended organisation is told: %v", got)
		}
	})
}

// Many servers at once give each notice once, to each address once.
func TestNoticesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var apps []registry.App
		for i := range 5 {
			apps = append(apps, w.endsIn(t, fmt.Sprintf("App %d", i), 31*day))
		}
		w.clock.Advance(25 * day)
		var all sync.WaitGroup
		for range 3 {
			r := must(registry.New(w.deps))(t)
			all.Go(func() {
				if err := r.TellEnds(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, app := range apps {
			for to, keys := range w.mailsTo(t, app.ID) {
				if len(keys) != 1 {
					t.Errorf("%s got %v", to, keys)
				}
			}
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM mails"); n != 15 {
			t.Errorf("%d mails, want 15", n)
		}
		w.clock.Advance(200 * day)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM secret_notices"); n != 0 {
			t.Errorf("%d notices are left after half a year", n)
		}
	})
}

// Each act tells the contacts in its own transaction.
func TestActsAreTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fields("Told")
		f.Contact.Email = "one@acme.example"
		app, shown := w.registerFields(t, w.admin, f)
		wantTold := func(what string, want map[string][]string) {
			t.Helper()
			if diff := cmp.Diff(want, w.mailsTo(t, app.ID)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			w.forgetMails(t)
		}
		one := func(keys ...string) map[string][]string { return map[string][]string{"one@acme.example": keys} }
		wantTold("registered", one("app_created"))

		w.authenticates(t, app.ClientID, shown.Secret.Reveal())
		if err := w.FlushUse(t.Context()); err != nil {
			t.Fatal(err)
		}
		next := w.rotate(t, app.ID, registry.Rotation{})
		wantTold("rotated", one("rotation_started"))
		if err := w.Retire(t.Context(), w.admin, app.ID, shown.ID); err != nil {
			t.Fatal(err)
		}
		wantTold("retired early", one("secret_retired"))
		w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		wantTold("replaced at once", one("secret_replaced"))
		leaked := w.rotate(t, app.ID, registry.Rotation{Reason: registry.Leaked})
		wantTold("replaced because it leaked", one("secret_leaked", "secret_created"))
		if err := w.MarkLeaked(t.Context(), w.admin, app.ID, leaked.ID); err != nil {
			t.Fatal(err)
		}
		wantTold("leaked", one("secret_leaked"))
		w.rotate(t, app.ID, registry.Rotation{Expires: registry.Expiry{Choice: registry.ExpiresNever}})
		wantTold("a first secret without end", one("secret_created_endless"))
		if err := w.Retire(t.Context(), w.admin, app.ID, next.ID); err != nil {
			t.Fatal(err)
		}
		wantTold("nothing changed", map[string][]string{})

		edit := func(change func(f *registry.AppFields)) {
			change(&f)
			must(w.Edit(t.Context(), w.admin, app.ID, w.app(t, app.ID).Version, f))(t)
		}
		edit(func(f *registry.AppFields) { f.Contact.FirstName = "Jona" })
		edit(func(f *registry.AppFields) { f.Contact.Email = "ONE@acme.example" })
		wantTold("the same contact, written otherwise", map[string][]string{})
		edit(func(f *registry.AppFields) {
			f.SecondContact = registry.Contact{FirstName: "T", LastName: "Wo", Email: "two@acme.example"}
		})
		wantTold("a second contact", map[string][]string{"two@acme.example": {"contact_new"}})
		edit(func(f *registry.AppFields) { f.Contact, f.SecondContact = f.SecondContact, registry.Contact{} })
		wantTold("the first went", map[string][]string{"ONE@acme.example": {"contact_old"}})
		edit(func(f *registry.AppFields) { f.Active = false })
		wantTold("switched off in the form", map[string][]string{"two@acme.example": {"app_deactivated"}})
		must(w.Activate(t.Context(), w.admin, app.ID, w.app(t, app.ID).Version))(t)
		wantTold("activated", map[string][]string{})
		off := w.deactivate(t, app.ID)
		if diff := cmp.Diff(map[string][]string{"two@acme.example": {"app_deactivated"}}, w.mailsTo(t, app.ID)); diff != "" {
			t.Errorf("deactivated (-want +got):\n%s", diff)
		}
		if err := w.Delete(t.Context(), w.admin, app.ID, off.Version, "Told"); err != nil {
			t.Fatal(err)
		}
		wantTold("deleted: the mails before are erased", map[string][]string{"two@acme.example": {"app_deleted"}})
	})
}

// Mails are for who may see the app, and hold no secret.
func TestMailsOfAnApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Shown")
		list, err := w.Mails(t.Context(), w.viewer, app.ID)
		if err != nil || len(list) != 1 || list[0].Key != "app_created" {
			t.Errorf("the viewer sees %v, %v", list, err)
		}
		for name, actor := range map[string]access.Actor{"nobody": w.nobody, "another organisation": w.globexAdmin} {
			if got, err := w.Mails(t.Context(), actor, app.ID); err == nil || got != nil {
				t.Errorf("%s sees %v, %v", name, got, err)
			}
		}
		next := w.rotate(t, app.ID, registry.Rotation{})
		for _, secret := range []string{shown.Secret.Reveal(), next.Secret.Reveal()} {
			if n := value[int](t, w.db, "SELECT count(*) FROM mails WHERE args LIKE ?", "%"+secret[:20]+"%"); n != 0 {
				t.Error("a mail holds a secret")
			}
		}
		// Refused acts tell nobody.
		w.forgetMails(t)
		if _, err := w.Rotate(t.Context(), w.viewer, app.ID, registry.Rotation{Reason: registry.Planned}); err == nil {
			t.Fatal("a viewer rotates")
		}
		if got := w.mailsTo(t, app.ID); len(got) != 0 {
			t.Errorf("a refused act told %v", got)
		}
	})
}

// When many secrets end on a day an address gets one mail of them at each stage, and that of the last day does not wait.
func TestManyEndsAreOneMail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		second := must(registry.New(w.deps))(t)
		apps := make([]registry.App, 40)
		for i := range apps {
			apps[i] = w.endsIn(t, fmt.Sprintf("App %02d", i), 40*day)
		}
		for stage, want := range []struct {
			after time.Duration
			key   string
		}{{11 * day, "secrets_end"}, {28*day + time.Hour, "secrets_end"}, {day, "secrets_ended"}} {
			w.clock.Advance(want.after)
			w.tellEnds(t)
			if err := second.TellEnds(t.Context()); err != nil {
				t.Fatal(err)
			}
			late := value[int](t, w.db, "SELECT count(*) FROM jobs WHERE kind = 'mail.urgent' AND due_at > ?", database.Micros(w.clock.Now()))
			if n := value[int](t, w.db, "SELECT count(*) FROM mails WHERE about_kind = 'app'"); n != 0 || late != 0 {
				t.Errorf("stage %d: %d mails about one app, %d late", stage, n, late)
			}
			got := w.news(t)
			if len(got) != 3 {
				t.Fatalf("stage %d: %d mails, want one for each address", stage, len(got))
			}
			for _, m := range got {
				if m.Key != want.key || m.N != 40 || len(m.List) != 40 || m.More != 0 {
					t.Errorf("stage %d: %+v", stage, m)
				}
			}
		}
		// Few are told of one by one.
		for i := range 5 {
			w.endsIn(t, fmt.Sprintf("Few %d", i), 40*day)
		}
		w.clock.Advance(11 * day)
		w.tellEnds(t)
		if n := value[int](t, w.db, "SELECT count(*) FROM mails WHERE text_key = 'secret_ends'"); n != 15 || len(w.news(t)) != 0 {
			t.Errorf("%d mails about one secret, want 15", n)
		}
	})
}
