package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		w.rotate(t, app.ID, registry.Rotation{})
		off := w.deactivate(t, app.ID)
		if err := w.Delete(t.Context(), w.admin, app.ID, off.Version, " Spend export "); err != nil {
			t.Fatal(err)
		}
		if _, err := w.App(t.Context(), w.admin, app.ID); !problem.Is(err, problem.NotFound) {
			t.Errorf("app: %v", err)
		}
		if _, err := w.ByClientID(t.Context(), w.admin, app.ClientID); !problem.Is(err, problem.NotFound) {
			t.Errorf("by client ID: %v", err)
		}
		if _, err := w.Client(t.Context(), app.ClientID); !problem.Is(err, problem.NotFound) {
			t.Errorf("client: %v", err)
		}
		if w.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
			t.Error("the secret of a deleted app works")
		}
		for query, want := range map[string]int{
			"SELECT count(*) FROM apps WHERE deleted_at IS NOT NULL AND generation = 3": 1, // deactivated, deleted
			"SELECT count(*) FROM app_contacts":                                         0,
			"SELECT count(*) FROM app_words":                                            0,
			"SELECT count(*) FROM app_scopes":                                           0,
			"SELECT count(*) FROM app_secrets":                                          2,
			"SELECT count(*) FROM app_secrets WHERE hash <> ''":                         0,
		} {
			if n := value[int](t, w.db, query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
		e := w.lastEvent(t)
		if e.Action != "app.delete" || e.Target.Label != "Spend export" || e.Before["name"] != "Spend export" || e.After != nil {
			t.Errorf("event %+v", e)
		}
		if page := must(w.Search(t.Context(), w.admin, registry.Query{}))(t); page.Total != 0 {
			t.Errorf("%d apps in the grid", page.Total)
		}
	})
}

func TestDeleteRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		w.unchanged(t, func() {
			err := w.Delete(t.Context(), w.admin, app.ID, app.Version, app.Name)
			if p := wantCode(t, err, problem.Conflict); p.Key != "app.delete.active" {
				t.Errorf("active: %v", err)
			}
		})
		off := w.deactivate(t, app.ID)
		w.unchanged(t, func() {
			for _, typed := range []string{"", "spend export", "Spend  export", "Spend export.", "Spend export\x00"} {
				wantFields(t, w.Delete(t.Context(), w.admin, app.ID, off.Version, typed), fault("confirm_name", "app.delete.name"))
			}
			wantCode(t, w.Delete(t.Context(), w.admin, app.ID, app.Version, app.Name), problem.Stale)
		})
	})
}

// A new app of the same name inherits nothing (C55).
func TestC55_SameNameAfterDelete(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		old, shown := w.register(t, "Spend export")
		off := w.deactivate(t, old.ID)
		if err := w.Delete(t.Context(), w.admin, old.ID, off.Version, old.Name); err != nil {
			t.Fatal(err)
		}
		again, _ := w.register(t, "Spend export")
		if again.ID == old.ID || again.ClientID == old.ClientID || again.Contact.ID == old.Contact.ID {
			t.Errorf("the new app %+v inherits from %+v", again, old)
		}
		for _, clientID := range []string{old.ClientID, again.ClientID} {
			if w.authenticates(t, clientID, shown.Secret.Reveal()) {
				t.Errorf("the old secret works for %s", clientID)
			}
		}
		var events []string
		for _, e := range must(w.History(t.Context(), w.admin, again.ID, 0))(t).Events {
			events = append(events, e.Action)
		}
		if diff := cmp.Diff([]string{"app.register"}, events); diff != "" {
			t.Errorf("history of the new app:\n%s", diff)
		}
	})
}

// Delete and activate at once: either it is gone, or it is active; never an active app that is gone.
func TestDeleteAgainstActivate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 10 {
			app, _ := w.register(t, "Contested")
			off := w.deactivate(t, app.ID)
			errs := make([]error, 2)
			atOnce(2, func(i int) {
				if i == 0 {
					errs[0] = w.Delete(t.Context(), w.admin, app.ID, off.Version, app.Name)
				} else {
					_, errs[1] = w.Activate(t.Context(), w.admin, app.ID, off.Version)
				}
			})
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("delete: %v; activate: %v", errs[0], errs[1])
			}
			for _, err := range errs {
				if code := problem.CodeOf(err); err != nil && code != problem.Stale && code != problem.NotFound && code != problem.Conflict {
					t.Errorf("%v", err)
				}
			}
			if n := value[int](t, w.db, "SELECT count(*) FROM apps WHERE deleted_at IS NOT NULL AND status = 'active'"); n != 0 {
				t.Fatal("an active app was deleted")
			}
			if errs[0] != nil { // make room for the next round
				now := w.deactivate(t, app.ID)
				if err := w.Delete(t.Context(), w.admin, app.ID, now.Version, app.Name); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
