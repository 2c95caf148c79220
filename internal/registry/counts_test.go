package registry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// TestCounts: each number of the home page is that of the list which it leads to.
func TestCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		same := func(want registry.Counts) {
			t.Helper()
			got := must(w.Counts(t.Context(), w.viewer))(t)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			for query, n := range map[string]int{
				"status:active": got.Active, "status:inactive": got.Inactive, "status:active secret:two": got.TwoSecrets,
				"status:active secret:expiring": got.Expiring, "status:active secret:expired,none": got.NoSecret,
				"status:active used:>90d created:>90d": got.Unused,
			} {
				if page := must(w.Search(t.Context(), w.viewer, registry.Query{Text: query}))(t); page.Total != n {
					t.Errorf("%s lists %d apps, the home page says %d", query, page.Total, n)
				}
			}
		}
		same(registry.Counts{})
		app, first := w.register(t, "Spend export")
		w.globexApp(t, "Other organisation's")
		two, _ := w.register(t, "Two secrets")
		w.rotate(t, two.ID, registry.Rotation{Reason: registry.Planned})
		leaked, secret := w.register(t, "Leaked")
		if err := w.MarkLeaked(t.Context(), w.admin, leaked.ID, secret.ID); err != nil {
			t.Fatal(err)
		}
		off, _ := w.register(t, "Switched off")
		must(w.Deactivate(t.Context(), w.admin, off.ID, off.Version))(t)
		same(registry.Counts{Active: 3, Inactive: 1, TwoSecrets: 1, NoSecret: 1})

		w.clock.Advance(91 * 24 * time.Hour)
		same(registry.Counts{Active: 3, Inactive: 1, NoSecret: 1, Unused: 3})
		w.use(t, app, first.ID, "203.0.113.7", 1)
		w.flush(t)
		same(registry.Counts{Active: 3, Inactive: 1, NoSecret: 1, Unused: 2, Called: true})
		w.clock.Advance(250 * 24 * time.Hour)
		same(registry.Counts{Active: 3, Inactive: 1, Expiring: 2, NoSecret: 1, Unused: 3, Called: true})
		w.clock.Advance(60 * 24 * time.Hour)
		same(registry.Counts{Active: 3, Inactive: 1, NoSecret: 3, Unused: 3, Called: true})
	})
}

func TestRecent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		support := w.support(t)
		app, first := w.register(t, "Spend export")
		w.globexApp(t, "Spend import")
		made := w.rotate(t, app.ID, registry.Rotation{Reason: registry.Planned})
		_, err := w.Activate(t.Context(), w.viewer, app.ID, 1)
		wantCode(t, err, problem.Forbidden)
		must(w.Lookup(t.Context(), support, "spend"))(t)
		type seen struct {
			action, who, name, hint string
			app                     registry.AppID
			result                  audit.Result
			changes                 int
		}
		got := []seen{}
		for _, e := range must(w.Recent(t.Context(), w.viewer, 8))(t) {
			got = append(got, seen{e.Action, e.By.Name, e.AppName, e.Hint, e.App, e.Result, len(e.Changes)})
		}
		want := []seen{
			{"support.lookup", support.ID, "Spend export", "", app.ID, audit.Done, 0},
			{"app.rotate", "Ana Silva", "Spend export", made.Hint, app.ID, audit.Done, 0},
			{"app.register", "Ana Silva", "Spend export", first.Hint, app.ID, audit.Done, 0},
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); diff != "" {
			t.Errorf("recent acts (-want +got):\n%s", diff)
		}
		if got := must(w.Recent(t.Context(), w.viewer, 2))(t); len(got) != 2 {
			t.Errorf("%d acts, at most 2 were asked for", len(got))
		}
		_, err = w.Recent(t.Context(), w.nobody, 8)
		wantCode(t, err, problem.Forbidden)
		_, err = w.Counts(t.Context(), w.nobody)
		wantCode(t, err, problem.Forbidden)
	})
}
