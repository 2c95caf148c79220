package registry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// policy sets what Acme requires.
func (w *world) policy(t testing.TB, expiry identity.SecretExpiry, ceiling, idle int) {
	t.Helper()
	p := must(w.identity.PolicyOf(t.Context(), w.acme.ID))(t)
	p.SecretExpiry, p.CeilingDays, p.IdleDays = expiry, ceiling, idle
	must(w.identity.SetPolicy(t.Context(), w.operator(w.acme), p))(t)
}

// What is offered is what the policy allows, and nothing else is taken (product.md decision 5).
func TestExpiryFollowsThePolicy(t *testing.T) {
	all := []registry.ExpiryChoice{"90d", "180d", "1y", "longest", "date", "never", ""}
	for name, tt := range map[string]struct {
		expiry  identity.SecretExpiry
		ceiling int
		offered []registry.ExpiryChoice
		begins  registry.ExpiryChoice
	}{
		"optional":         {identity.ExpiryOptional, 0, []registry.ExpiryChoice{"90d", "180d", "1y", "date", "never"}, "never"},
		"recommended":      {identity.ExpiryRecommended, 0, []registry.ExpiryChoice{"90d", "180d", "1y", "date", "never"}, "1y"},
		"required, 10":     {identity.ExpiryRequired, 10, []registry.ExpiryChoice{"longest", "date"}, "longest"},
		"required, 90":     {identity.ExpiryRequired, 90, []registry.ExpiryChoice{"90d", "date"}, "90d"},
		"required, 120":    {identity.ExpiryRequired, 120, []registry.ExpiryChoice{"90d", "longest", "date"}, "longest"},
		"required, 180":    {identity.ExpiryRequired, 180, []registry.ExpiryChoice{"90d", "180d", "date"}, "180d"},
		"required, a year": {identity.ExpiryRequired, 365, []registry.ExpiryChoice{"90d", "180d", "1y", "date"}, "1y"},
		"required, longer": {identity.ExpiryRequired, 700, []registry.ExpiryChoice{"90d", "180d", "1y", "longest", "date"}, "1y"},
	} {
		t.Run(name, func(t *testing.T) {
			w := sqliteWorld(t)
			w.policy(t, tt.expiry, tt.ceiling, 0)
			now := w.clock.Now()
			offer := must(w.ExpiryOptions(t.Context(), w.acme.ID))(t)
			var offered []registry.ExpiryChoice
			for _, o := range offer.Options {
				offered = append(offered, o.Choice)
			}
			if diff := cmp.Diff(tt.offered, offered); diff != "" || offer.Default != tt.begins || offer.Ceiling != tt.ceiling {
				t.Errorf("begins with %q, ceiling %d, offered (-want +got):\n%s", offer.Default, offer.Ceiling, diff)
			}
			allowed := map[registry.ExpiryChoice]bool{"": true}
			for _, c := range offered {
				allowed[c] = true
			}
			app, _ := w.register(t, "Spend export")
			for _, choice := range all {
				if choice == registry.ExpiresLongest && tt.expiry == identity.ExpiryRequired {
					allowed[choice] = true // not offered where another choice says the same
				}
				n := registry.Rotation{
					Reason: registry.Planned, OldEnds: registry.End{Choice: registry.EndsNow},
					Expires: registry.Expiry{Choice: choice, At: now.AddDate(0, 0, 9)},
				}
				made, err := w.Rotate(t.Context(), w.admin, app.ID, n)
				switch {
				case allowed[choice] && err != nil, !allowed[choice] && !problem.Is(err, problem.Invalid) && choice != registry.ExpiresLongest:
					t.Errorf("%q: %v", choice, err)
				case err == nil && tt.ceiling > 0 && (made.ExpiresAt.IsZero() || made.ExpiresAt.After(now.AddDate(0, 0, tt.ceiling))):
					t.Errorf("%q: expires %v", choice, made.ExpiresAt)
				}
			}
		})
	}
}

func TestExpiryBeyondTheCeiling(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		w.policy(t, identity.ExpiryRequired, 30, 0)
		now := w.clock.Now()
		for _, at := range []time.Time{now.AddDate(0, 0, 30).Add(time.Microsecond), now.AddDate(9, 0, 0)} {
			n := registry.Rotation{Reason: registry.Planned, Expires: registry.Expiry{Choice: registry.ExpiresOn, At: at}}
			_, err := w.Rotate(t.Context(), w.admin, app.ID, n)
			p := wantCode(t, err, problem.Invalid)
			if len(p.Fields) != 1 || p.Fields[0].Name != "expires" || p.Fields[0].Key != "app.expires.policy" || p.Fields[0].Args["N"] != 30 {
				t.Errorf("%v: %+v", at, p.Fields)
			}
			_, _, err = w.Register(t.Context(), w.admin, registry.NewApp{AppFields: w.fields("Other"), Expires: n.Expires})
			wantCode(t, err, problem.Invalid)
		}
		if s := w.app(t, app.ID).Secrets[0]; !s.EndsAt.Equal(first.ExpiresAt) || !w.authenticates(t, app.ClientID, first.Secret.Reveal()) {
			t.Errorf("the policy changed the end of a secret that existed, to %v", s.EndsAt)
		}
		if made := w.rotate(t, app.ID, registry.Rotation{}); !made.ExpiresAt.Equal(now.AddDate(0, 0, 30)) {
			t.Errorf("without a choice it expires %v", made.ExpiresAt)
		}
		if _, shown := w.globexApp(t, "Elsewhere"); !shown.ExpiresAt.Equal(now.AddDate(1, 0, 0)) {
			t.Errorf("another organisation's secret expires %v", shown.ExpiresAt)
		}
	})
}
