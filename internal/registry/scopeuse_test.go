package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
)

// Scopes are counted within the organisation, inactive apps included, deleted ones not.
func TestScopeUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		with := func(name string, scopes ...string) registry.App {
			f := w.fields(name)
			f.Scopes = scopes
			app, _ := w.registerFields(t, w.admin, f)
			return app
		}
		with("Order mirror", "core.invoice.read", "ccw.candidates")
		off := with("Ärger", "core.invoice.read")
		gone := with("Gone", "core.invoice.read", "core.user.read")
		w.globexApp(t, "Theirs")
		w.deactivate(t, off.ID)
		if err := w.Delete(t.Context(), w.admin, gone.ID, w.deactivate(t, gone.ID).Version, "Gone"); err != nil {
			t.Fatal(err)
		}
		for _, reader := range []access.Actor{w.admin, w.viewer} {
			use := must(w.ScopeUse(t.Context(), reader))(t)
			if diff := cmp.Diff(map[string]int{"core.invoice.read": 2, "ccw.candidates": 1}, use); diff != "" {
				t.Errorf("%s: %s", reader.Name, diff)
			}
		}
		if diff := cmp.Diff(map[string]int{"core.invoice.read": 1}, must(w.ScopeUse(t.Context(), w.globexAdmin))(t)); diff != "" {
			t.Errorf("Globex: %s", diff)
		}

		apps, total, err := w.Holding(t.Context(), w.viewer, "core.invoice.read")
		if err != nil || total != 2 || len(apps) != 2 {
			t.Fatalf("%v of %d, %v", apps, total, err)
		}
		got := map[string]registry.Status{apps[0].Name: apps[0].Status, apps[1].Name: apps[1].Status}
		if diff := cmp.Diff(map[string]registry.Status{"Order mirror": registry.Active, "Ärger": registry.Inactive}, got); diff != "" {
			t.Error(diff)
		}
		for _, name := range []string{"core.user.read", "core.invoice.write", "", "core.invoice.rea%", "' OR 1=1 --"} {
			if apps, total, err := w.Holding(t.Context(), w.admin, name); err != nil || total != 0 || len(apps) != 0 {
				t.Errorf("%q: %v of %d, %v", name, apps, total, err)
			}
		}
	})
}

// More apps than are named are still counted.
func TestHoldingIsBounded(t *testing.T) {
	w := sqliteWorld(t)
	for i := range 53 {
		w.register(t, fmt.Sprintf("App %02d", 52-i))
	}
	apps, total, err := w.Holding(t.Context(), w.admin, "core.invoice.read")
	if err != nil || total != 53 || len(apps) != 50 || apps[0].Name != "App 00" || apps[49].Name != "App 49" {
		t.Errorf("%d of %d, %v", len(apps), total, err)
	}
}

// Where very many apps have the scope another statement finds the first of them: the same ones.
func TestHoldingAmongMany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Zulu")
		f := w.fields("Other scope")
		f.Scopes = []string{"core.user.read"}
		w.registerFields(t, w.admin, f)
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for i := range 1100 {
				id, name := database.NewID(), fmt.Sprintf("app %04d", i)
				err := tx.DB().Exec(`INSERT INTO apps (id, organisation_id, client_id, name, name_key, description, category, type,
					credential_type, api_user_id, default_api, status, generation, secret_generation, created_at, created_by_kind, created_by_id,
					modified_at, modified_by_kind, modified_by_id, version)
					SELECT ?, organisation_id, ?, ?, ?, description, category, type, credential_type, api_user_id, default_api, status, generation,
					secret_generation, created_at, created_by_kind, created_by_id, modified_at, modified_by_kind, modified_by_id, version
					FROM apps WHERE id = ?`, id, "client "+id, name, name, string(app.ID)).Error
				if err == nil && i >= 5 {
					err = tx.DB().Exec("INSERT INTO app_scopes (organisation_id, app_id, scope) VALUES (?, ?, 'core.invoice.read')",
						string(w.acme.ID), id).Error
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		apps, total, err := w.Holding(t.Context(), w.viewer, "core.invoice.read")
		if err != nil || total != 1096 || len(apps) != 50 || apps[0].Name != "app 0005" || apps[49].Name != "app 0054" {
			t.Errorf("%d of %d, %v", len(apps), total, err)
		}
	})
}

// Both reads come off the index on scopes, whatever the number of other organisations' apps.
func TestScopeUseIsIndexed(t *testing.T) {
	w := sqliteWorld(t)
	for _, query := range []string{
		"SELECT scope, count(*) FROM app_scopes WHERE organisation_id = 'o' GROUP BY scope",
		"SELECT app_id FROM app_scopes WHERE organisation_id = 'o' AND scope = 's' LIMIT 1001",
	} {
		var plan []struct{ Detail string }
		if err := w.db.Read(t.Context()).Raw("EXPLAIN QUERY PLAN " + query).Scan(&plan).Error; err != nil || len(plan) == 0 {
			t.Fatal(plan, err)
		}
		if got := fmt.Sprint(plan); !strings.Contains(got, "INDEX app_scopes_scope (organisation_id=?") || strings.Contains(got, "SCAN") {
			t.Errorf("%s: %s", query, got)
		}
	}
}
