package database_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
)

// TestMigrationToGroups: customers that exist get the built-in groups with the built-in roles, the platform none.
func TestMigrationToGroups(t *testing.T) {
	const roles = `INSERT INTO roles (id, organisation_id, name, name_key, built_in, created_at, version)
		VALUES ('pa', 'p', 'Platform administrator', 'platform administrator', true, 1, 1),
		('aa', 'a', 'Administrator', 'administrator', true, 1, 1), ('av', 'a', 'Viewer', 'viewer', true, 1, 1),
		('ao', 'a', 'Other', 'other', false, 1, 1)`
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		if err := db.MigrateDown(t.Context(), 28); err != nil {
			t.Fatal(err)
		}
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for _, statement := range []string{organisationsBefore14, roles, userBefore14} {
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
		var got []string
		err = db.Read(t.Context()).Raw(`SELECT g.organisation_id || ' ' || g.name || ' ' || g.name_key || ' ' || g.kind || ' ' || r.role_id
			FROM groups g JOIN group_roles r ON r.organisation_id = g.organisation_id AND r.group_id = g.id ORDER BY 1`).Scan(&got).Error
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"a Administrators administrators built_in aa", "a Viewers viewers built_in av"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		var key string
		if err := db.Read(t.Context()).Raw("SELECT display_key FROM robot_accounts").Scan(&key).Error; err != nil || key != "client user" {
			t.Errorf("display key %q, %v", key, err)
		}
	})
}
