package registry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/registry"
)

// The life of a secret and what the grid and the home page say of it, moment by moment.
func TestSecretStates(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		start := w.clock.Now()
		n := registry.NewApp{AppFields: w.fields("Spend export"), Expires: registry.Expiry{Choice: registry.Expires90Days}}
		app, first, err := w.Register(t.Context(), w.admin, n)
		if err != nil {
			t.Fatal(err)
		}
		type view struct {
			first  registry.SecretState
			usable int
			code   registry.SummaryCode
			counts registry.Counts
		}
		see := func(what string, want view) {
			t.Helper()
			now := w.app(t, app.ID)
			s, _ := now.Secret(first.ID)
			got := view{s.State, len(now.Usable()), w.search(t, registry.Query{}).Rows[0].Secrets.Code, must(w.Counts(t.Context(), w.viewer))(t)}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(view{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			if now.Summary(w.clock.Now()).Code != got.code {
				t.Errorf("%s: page and grid differ", what)
			}
		}
		to := func(at time.Time) { w.clock.Advance(at.Sub(w.clock.Now())) }

		see("fresh", view{registry.SecretActive, 1, registry.SecretsNew, registry.Counts{Active: 1}})
		w.use(t, app, first.ID, "203.0.113.7", 1)
		w.flush(t)
		see("used", view{registry.SecretActive, 1, registry.SecretsOK, registry.Counts{Active: 1, Called: true}})
		to(start.AddDate(0, 0, 60).Add(-time.Microsecond))
		see("more than 30 days left", view{registry.SecretActive, 1, registry.SecretsOK, registry.Counts{Active: 1, Called: true}})
		to(start.AddDate(0, 0, 60))
		see("30 days left", view{registry.SecretActive, 1, registry.SecretsExpiring, registry.Counts{Active: 1, Expiring: 1, Called: true}})
		made := w.rotate(t, app.ID, registry.Rotation{Expires: registry.Expiry{Choice: registry.ExpiresNever}, OldEnds: registry.End{Choice: registry.EndsOn, At: start.AddDate(0, 0, 100)}})
		if !made.Old.EndsAt.Equal(start.AddDate(0, 0, 90)) {
			t.Errorf("the old one is said to end %v", made.Old.EndsAt)
		}
		see("two, the old one until its expiry", view{registry.SecretActive, 2, registry.SecretsTwo, registry.Counts{Active: 1, TwoSecrets: 1, Called: true}})
		to(start.AddDate(0, 0, 90))
		see("the old one expired", view{registry.SecretExpired, 1, registry.SecretsNew, registry.Counts{Active: 1, Called: true}})
		if err := w.MarkLeaked(t.Context(), w.admin, app.ID, made.ID); err != nil {
			t.Fatal(err)
		}
		see("none works, one expired", view{registry.SecretExpired, 0, registry.SecretsExpired, registry.Counts{Active: 1, NoSecret: 1, Called: true}})
		if err := w.MarkLeaked(t.Context(), w.admin, app.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		see("none works, both leaked", view{registry.SecretLeaked, 0, registry.SecretsNone, registry.Counts{Active: 1, NoSecret: 1, Called: true}})
		w.deactivate(t, app.ID)
		see("inactive", view{registry.SecretLeaked, 0, registry.SecretsNone, registry.Counts{Inactive: 1, Called: true}})
	})
}

func TestSecretsOfADetail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		w.clock.Advance(time.Hour)
		rotated := w.clock.Now()
		second := w.rotate(t, app.ID, registry.Rotation{Label: "  winter  ", OldEnds: registry.End{Choice: registry.EndsIn24Hours}})
		w.clock.Advance(24 * time.Hour)
		want := []registry.Secret{
			{
				ID: second.ID, Label: "winter", Hint: second.Hint, Generation: 2, State: registry.SecretActive,
				ExpiresAt: rotated.AddDate(1, 0, 0), EndsAt: rotated.AddDate(1, 0, 0), CreatedAt: rotated, CreatedBy: author(w.admin),
			},
			{
				ID: first.ID, Label: "2026-11", Hint: first.Hint, Generation: 1, State: registry.SecretRetired,
				ExpiresAt: app.CreatedAt.AddDate(1, 0, 0), EndsAt: rotated.Add(24 * time.Hour), StoppedAt: rotated.Add(24 * time.Hour),
				CreatedAt: app.CreatedAt, CreatedBy: author(w.admin),
			},
		}
		if diff := cmp.Diff(want, w.app(t, app.ID).Secrets); diff != "" {
			t.Errorf("secrets (-want +got):\n%s", diff)
		}
	})
}
