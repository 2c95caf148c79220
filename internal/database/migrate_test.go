package database_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
)

// before14 is an installation as it stood before resource servers: the platform, a customer, and an app.
const (
	organisationsBefore14 = `INSERT INTO organisations (id, name, name_key, short_name, client_prefix, kind, status, created_at, version)
		VALUES ('p', 'Platform', 'platform', 'platform', 'PLAT', 'platform', 'active', 1, 1),
		('a', 'Acme', 'acme', 'acme', 'ACME', 'customer', 'active', 1, 1)`
	rolesBefore14 = `INSERT INTO roles (id, organisation_id, name, name_key, built_in, created_at, version)
		VALUES ('pa', 'p', 'Platform administrator', 'platform administrator', true, 1, 1),
		('ps', 'p', 'Support', 'support', true, 1, 1),
		('po', 'p', 'Catalogue', 'catalogue', false, 1, 1),
		('aa', 'a', 'Platform administrator', 'platform administrator', false, 1, 1)`
	rightsBefore14 = `INSERT INTO role_rights (organisation_id, role_id, right_name)
		VALUES ('p', 'pa', 'catalogue.manage'), ('p', 'ps', 'support.lookup'), ('p', 'po', 'catalogue.manage'),
		('a', 'aa', 'catalogue.manage')`
	userBefore14 = `INSERT INTO robot_accounts (id, organisation_id, name, name_key, display_name, kind, status, created_at, version)
		VALUES ('u', 'a', 'Client user', 'client user', 'Client user', 'client', 'active', 1, 1)`
	appBefore14 = `INSERT INTO apps (id, organisation_id, client_id, name, name_key, description, category, type, credential_type,
		api_user_id, default_api, status, generation, secret_generation, created_at, created_by_kind, created_by_id, modified_at,
		modified_by_kind, modified_by_id, version)
		VALUES ('x', 'a', 'CCWACME_x', 'Spend', 'spend', '', 'customer', 'machine', 'secret', 'u', '', 'active', 1, 0, 1, 'person',
		'y', 1, 'person', 'y', 1)`
	contactBefore14 = `INSERT INTO app_contacts (id, organisation_id, app_id, rank, first_name, last_name, email, created_at)
		VALUES ('c', 'a', 'x', 1, 'Ana', 'Silva', 'ana@acme.example', 1)`
)

func TestMigrationToResourceServers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		if err := db.MigrateDown(t.Context(), 13); err != nil {
			t.Fatal(err)
		}
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for _, statement := range []string{
				organisationsBefore14, rolesBefore14, rightsBefore14, userBefore14, appBefore14, contactBefore14,
			} {
				if err := tx.DB().Exec(statement).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var rights []string
		if err := db.Read(t.Context()).Raw("SELECT role_id || ' ' || right_name FROM role_rights ORDER BY 1").Scan(&rights).Error; err != nil {
			t.Fatal(err)
		}
		want := []string{
			"aa catalogue.manage", "pa apps.manage", "pa apps.view", "pa catalogue.manage", "po catalogue.manage", "ps support.lookup",
		}
		if diff := cmp.Diff(want, rights); diff != "" {
			t.Errorf("rights (-want +got):\n%s", diff)
		}
		var app struct{ Kind, ResourceAPI, APIUserID string }
		if err := db.Read(t.Context()).Raw("SELECT kind, resource_api, api_user_id FROM apps").Scan(&app).Error; err != nil {
			t.Fatal(err)
		}
		if app.Kind != "caller" || app.ResourceAPI != "" || app.APIUserID != "u" {
			t.Errorf("app %+v", app)
		}
		err = db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec("DELETE FROM apps").Error })
		if !database.IsForeignKey(err) {
			t.Errorf("what points to an app stands without it: %v", err)
		}
	})
}

// TestMigrationOfBulkJobs: jobs say what they are without their payload, and those that are over lose the names in it.
func TestMigrationOfBulkJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		if err := db.MigrateDown(t.Context(), 23); err != nil {
			t.Fatal(err)
		}
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for _, statement := range []string{
				`INSERT INTO organisations (id, name, name_key, short_name, client_prefix, kind, status, created_at, version)
					VALUES ('a', 'Acme', 'acme', 'acme', 'ACME', 'customer', 'suspended', 1, 1)`,
				`INSERT INTO jobs (id, organisation_id, kind, job_key, payload, state, due_at, claims, failures, total, done, cancel_asked,
					last_error, created_at) VALUES
					('over', 'a', 'app.bulk', 'app.bulk', '{"Act":"reassign","Contact":{"Email":"jo@acme.example"}}', 'done', 1, 1, 0, 1, 1, FALSE, '', 1),
					('waits', 'a', 'app.bulk', 'app.bulk', '{"Act":"deactivate","IDs":["x"]}', 'queued', 1, 1, 0, 1, 1, FALSE, '', 1),
					('mail', 'a', 'mail', 'm', '{"mail":"m"}', 'done', 1, 1, 0, 1, 1, FALSE, '', 1)`,
			} {
				if err := tx.DB().Exec(statement).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var rows []string
		if err := db.Read(t.Context()).Raw("SELECT id || ' ' || label || ' ' || payload FROM jobs ORDER BY id").Scan(&rows).Error; err != nil {
			t.Fatal(err)
		}
		want := []string{`mail  {"mail":"m"}`, "over reassign {}", `waits deactivate {"Act":"deactivate","IDs":["x"]}`}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
	})
}
