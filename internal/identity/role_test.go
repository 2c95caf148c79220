package identity_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func TestRolesStartEmptyAndManageBringsView(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if got := h.role(t, h.acme, "Nothing"); len(got.Rights) != 0 {
			t.Errorf("a new role holds %v", got.Rights)
		}
		role := h.role(t, h.acme, "Integrator", access.AppsManage)
		roles, err := h.Roles(t.Context(), h.acme.ID)
		if err != nil {
			t.Fatal(err)
		}
		var found bool
		for _, r := range roles {
			if r.ID == role.ID {
				found = true
				if diff := cmp.Diff(role, r); diff != "" {
					t.Error(diff)
				}
				if !r.Rights.Has(access.AppsView) {
					t.Error("manage does not bring view")
				}
			}
		}
		if !found {
			t.Error("not listed")
		}
	})
}

func TestRoleIsChecked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tests := []struct {
			name       string
			in         identity.NewRole
			field, key string
		}{
			{"no name", identity.NewRole{Organisation: h.acme.ID}, "name", "role.name.missing"},
			{"one letter", identity.NewRole{Organisation: h.acme.ID, Name: "x"}, "name", "role.name.too_short"},
			{"control", identity.NewRole{Organisation: h.acme.ID, Name: "x\x07y"}, "name", "role.name.characters"},
			{"taken", identity.NewRole{Organisation: h.acme.ID, Name: "VIEWER"}, "name", "role.name.taken"},
			{"right of the platform", identity.NewRole{Organisation: h.acme.ID, Name: "Spy", Rights: []access.Right{access.SupportLookup}}, "rights", "role.rights.invalid"},
			{"right of organisations", identity.NewRole{Organisation: h.platform.ID, Name: "Spy", Rights: []access.Right{access.RobotsView}}, "rights", "role.rights.invalid"},
			{"no right at all", identity.NewRole{Organisation: h.acme.ID, Name: "Spy", Rights: []access.Right{"apps.*"}}, "rights", "role.rights.invalid"},
		}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				_, err := h.CreateRole(t.Context(), operator(), test.in)
				wantField(t, err, test.field, test.key)
			})
		}
		h.role(t, h.globex, "Integrator")
		h.role(t, h.acme, "Integrator") // names are an organisation's own
		_, err := h.CreateRole(t.Context(), operator(), identity.NewRole{Organisation: identity.OrganisationID(database.NewID()), Name: "Lost"})
		wantCode(t, err, problem.NotFound)
	})
}

func TestRightsOfARoleAreReplaced(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		role := h.role(t, h.acme, "Integrator", access.AppsManage)
		ana := h.active(t, h.acme, "ana@acme.example", "Integrator")
		if got := h.actor(t, ana); !got.Has(access.AppsManage) {
			t.Fatalf("rights %v", got.Rights)
		}
		if err := h.SetRoleRights(t.Context(), operator(), role, []access.Right{access.AppsView, access.AuditView}); err != nil {
			t.Fatal(err)
		}
		if got := h.actor(t, ana); got.Has(access.AppsManage) || !got.Has(access.AuditView) {
			t.Errorf("rights %v", got.Rights.Rights())
		}
		wantCode(t, h.SetRoleRights(t.Context(), operator(), role, nil), problem.Stale)
		role.Version++
		if err := h.SetRoleRights(t.Context(), operator(), role, []access.Right{access.AuditView, access.AppsView}); err != nil {
			t.Errorf("no change is no act: %v", err)
		}
		events := h.events(t, h.acme)
		if len(events) != 4 || events[0].Action != "role.rights" {
			t.Fatalf("%d events, the last %s", len(events), events[0].Action)
		}
		if diff := cmp.Diff(map[string]any{"rights": []any{"apps.manage", "apps.view"}}, events[0].Before); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]any{"rights": []any{"apps.view", "audit.view"}}, events[0].After); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRightsAreAddedOnlyByTheirHolders(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		role := h.role(t, h.acme, "Wide", access.AppsManage, access.RobotsManage)
		h.role(t, h.acme, "Keeper", access.RolesManage)
		keeper := h.actor(t, h.active(t, h.acme, "keeper@acme.example", "Keeper"))
		err := h.SetRoleRights(t.Context(), keeper, role, append(role.Rights.Rights(), access.PoliciesManage))
		if p := wantCode(t, err, problem.Forbidden); p.Args["Right"] != "policies.manage" {
			t.Errorf("names %v", p.Args["Right"])
		}
		if err := h.SetRoleRights(t.Context(), keeper, role, []access.Right{access.AppsManage}); err != nil {
			t.Errorf("taking away needs only roles.manage: %v", err)
		}
	})
}

func TestRobotAccounts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Automation", access.RobotsManage, access.ConnectionsManage)
		admin := h.actor(t, h.active(t, h.acme, "admin@acme.example", identity.RoleAdministrator))
		robot, err := h.CreateRobot(t.Context(), admin, identity.NewRobot{
			Organisation: h.acme.ID, Name: "automation", Kind: identity.KindClient, Roles: []string{"Automation"},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.APIUser(t.Context(), h.acme.ID, robot.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := identity.RobotAccount{
			ID: robot.ID, Organisation: h.acme.ID, Name: "automation", DisplayName: "automation", Kind: identity.KindClient,
			Status: identity.Active, CreatedAt: h.clock.Now(), Version: 1,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		rights, err := h.RobotRights(t.Context(), h.acme.ID, robot.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantRights := access.NewSet(access.RobotsManage, access.ConnectionsManage)
		if diff := cmp.Diff(wantRights, rights); diff != "" {
			t.Error(diff)
		}
		event := h.events(t, h.acme)[0]
		if event.Action != "robot.create" || event.Target.Label != "automation" || event.After["kind"] != "client" {
			t.Errorf("got %+v", event)
		}
	})
}

func TestRobotKinds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.actor(t, h.active(t, h.acme, "admin@acme.example", identity.RoleAdministrator))
		plain, err := h.CreateRobot(t.Context(), admin, identity.NewRobot{Organisation: h.acme.ID, Name: "plain", DisplayName: "Plain robot"})
		if err != nil || plain.Kind != identity.KindRobot || plain.DisplayName != "Plain robot" {
			t.Fatalf("got %v, %v", plain, err)
		}
		_, err = h.APIUser(t.Context(), h.acme.ID, plain.ID)
		wantCode(t, err, problem.NotFound)

		app := access.Actor{Kind: access.KindApp, ID: database.NewID(), Organisation: h.acme.ID, Rights: access.NewSet(access.RobotsManage)}
		_, err = h.CreateRobot(t.Context(), app, identity.NewRobot{Organisation: h.acme.ID, Name: "by app", Kind: identity.KindClient})
		wantCode(t, err, problem.Forbidden)
		if _, err = h.CreateRobot(t.Context(), app, identity.NewRobot{Organisation: h.acme.ID, Name: "by app"}); err != nil {
			t.Errorf("an app makes robots: %v", err)
		}
		_, err = h.CreateRobot(t.Context(), app, identity.NewRobot{Organisation: h.acme.ID, Name: "strong", Roles: []string{identity.RoleAdministrator}})
		wantCode(t, err, problem.Forbidden)
	})
}

func TestRobotFieldsAreChecked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tests := []struct {
			name       string
			in         identity.NewRobot
			field, key string
		}{
			{"no name", identity.NewRobot{}, "name", "robot.name.missing"},
			{"one letter", identity.NewRobot{Name: "x"}, "name", "robot.name.too_short"},
			{"taken", identity.NewRobot{Name: "CLIENT user"}, "name", "robot.name.taken"},
			{"display name", identity.NewRobot{Name: "xy", DisplayName: "a\nb"}, "display_name", "robot.display_name.characters"},
			{"kind", identity.NewRobot{Name: "xy", Kind: "human"}, "kind", "robot.kind.invalid"},
			{"role", identity.NewRobot{Name: "xy", Roles: []string{"Emperor"}}, "roles", "robot.roles.unknown"},
			{"end", identity.NewRobot{Name: "xy", ExpiresAt: h.clock.Now()}, "expires_at", "robot.expires_at.past"},
		}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				test.in.Organisation = h.acme.ID
				_, err := h.CreateRobot(t.Context(), operator(), test.in)
				wantField(t, err, test.field, test.key)
			})
		}
		_, err := h.CreateRobot(t.Context(), operator(), identity.NewRobot{Organisation: identity.OrganisationID(database.NewID()), Name: "lost"})
		wantCode(t, err, problem.NotFound)
	})
}

func TestRobotIsSwitchedOffAndOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var heard []database.Change
		h.db.Feed().Subscribe(func(c []database.Change) { heard = append(heard, c...) })
		ends := h.clock.Now().Add(time.Hour)
		robot, err := h.CreateRobot(t.Context(), operator(), identity.NewRobot{
			Organisation: h.acme.ID, Name: "short-lived", Kind: identity.KindMSP, Roles: []string{identity.RoleAdministrator}, ExpiresAt: ends,
		})
		if err != nil {
			t.Fatal(err)
		}
		live := func() bool {
			now, err := h.APIUser(t.Context(), h.acme.ID, robot.ID)
			if err != nil || !now.ExpiresAt.Equal(ends) {
				t.Fatal(now, err)
			}
			return now.Live(h.clock.Now())
		}
		h.role(t, h.acme, "Mechanic", access.RobotsManage)
		mechanic := h.actor(t, h.active(t, h.acme, "mechanic@acme.example", "Mechanic"))
		heard = nil
		if err := h.SetRobotStatus(t.Context(), mechanic, robot, identity.Inactive); err != nil || live() {
			t.Errorf("%v, live %v", err, live())
		}
		if diff := cmp.Diff([]database.Change{{Topic: database.TopicRobot, ID: string(robot.ID)}}, heard); diff != "" {
			t.Error(diff)
		}
		wantCode(t, h.SetRobotStatus(t.Context(), mechanic, robot, identity.Active), problem.Forbidden)
		if err := h.SetRobotStatus(t.Context(), operator(), robot, identity.Active); err != nil || !live() {
			t.Errorf("%v, live %v", err, live())
		}
		if err := h.SetRobotStatus(t.Context(), operator(), robot, identity.Active); err != nil || len(heard) != 2 {
			t.Errorf("no change is no act: %v, heard %v", err, heard)
		}
		wantField(t, h.SetRobotStatus(t.Context(), operator(), robot, "gone"), "status", "robot.status.invalid")
		h.clock.Advance(time.Hour)
		if live() {
			t.Error("live after its end")
		}
	})
}
