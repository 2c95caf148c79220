package registry_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// An account that apps act as stays, and the refusal names them; deleted apps let it go and still say when it was used.
func TestRobotsThatAppsActAs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		robot, err := w.identity.CreateRobot(t.Context(), w.admin, identity.NewRobot{
			Organisation: w.acme.ID, Name: "Nightly", Kind: identity.KindClient,
		})
		if err != nil {
			t.Fatal(err)
		}
		var apps []registry.App
		for _, name := range []string{"Second", "First"} {
			f := w.fields(name)
			f.APIUser = robot.ID
			app, _ := w.registerFields(t, w.admin, f)
			apps = append(apps, app)
		}
		remove := func() error {
			return w.identity.DeleteRobots(t.Context(), w.admin, w.acme.ID, []string{string(robot.ID)})
		}
		p := wantCode(t, remove(), problem.Conflict)
		if diff := cmp.Diff(map[string]any{"Name": "Nightly", "Apps": []string{"First", "Second"}, "N": 2}, p.Args); diff != "" {
			t.Error(diff)
		}
		at := w.clock.Now().Add(-time.Hour)
		err = w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec("UPDATE apps SET last_used_at = ? WHERE id = ?", database.Micros(at), string(apps[0].ID)).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[identity.RobotID]time.Time{robot.ID: at}
		use := must(w.RobotUse(t.Context(), w.viewer, robot.ID, w.client.ID, w.globexClient.ID))(t)
		if diff := cmp.Diff(want, use); diff != "" {
			t.Error(diff)
		}
		if use := must(w.RobotUse(t.Context(), w.globexAdmin, robot.ID))(t); len(use) != 0 {
			t.Errorf("Globex sees %v", use)
		}
		for _, app := range apps {
			if err := w.Delete(t.Context(), w.admin, app.ID, w.deactivate(t, app.ID).Version, app.Name); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, must(w.RobotUse(t.Context(), w.viewer, robot.ID))(t)); diff != "" {
			t.Error(diff)
		}
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		f := w.fields("Third")
		f.APIUser = robot.ID
		if _, _, err := w.Register(t.Context(), w.admin, registry.NewApp{AppFields: f}); !problem.Is(err, problem.Invalid) {
			t.Errorf("an app acts as a deleted account: %v", err)
		}
		users := must(w.APIUsers(t.Context(), w.admin))(t)
		if slices.ContainsFunc(users, func(u registry.APIUserOption) bool { return u.ID == robot.ID }) {
			t.Error("a deleted account is offered")
		}
	})
}
