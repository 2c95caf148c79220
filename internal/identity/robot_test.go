package identity_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func names(page identity.RobotPage) []string {
	var list []string
	for _, r := range page.Robots {
		list = append(list, r.Name)
	}
	return list
}

func TestRobotsAreSearchedSortedAndPaged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		group := h.group(t, "Payables", nil)
		for i, name := range []string{"zeta", "Alpha", "ÄRGER 50%", "beta_x"} {
			h.clock.Advance(time.Second)
			_, err := h.CreateRobot(t.Context(), operator(), identity.NewRobot{
				Organisation: h.acme.ID, Name: name, DisplayName: fmt.Sprintf("Number %d", 9-i), Groups: []string{string(group.ID)},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		own := []string{"Client user", "MSP user", "Supplier user"}
		tests := []struct {
			name  string
			query identity.RobotQuery
			total int
			want  []string
		}{
			{"all by name", identity.RobotQuery{Limit: 10}, 7, []string{"Alpha", "beta_x", own[0], own[1], own[2], "zeta", "ÄRGER 50%"}},
			{"down", identity.RobotQuery{Limit: 2, Descending: true}, 7, []string{"ÄRGER 50%", "zeta"}},
			{"second page", identity.RobotQuery{Limit: 2, Skip: 1}, 7, []string{"beta_x", own[0]}},
			{"beyond", identity.RobotQuery{Limit: 2, Skip: 100}, 7, nil},
			{"only the number", identity.RobotQuery{}, 7, nil},
			{"any case", identity.RobotQuery{Search: "BETA", Limit: 9}, 1, []string{"beta_x"}},
			{"accent, other form", identity.RobotQuery{Search: "a\u0308rg", Limit: 9}, 1, []string{"ÄRGER 50%"}},
			{"percent stands for itself", identity.RobotQuery{Search: "%", Limit: 9}, 1, []string{"ÄRGER 50%"}},
			{"underscore too", identity.RobotQuery{Search: "a_", Limit: 9}, 1, []string{"beta_x"}},
			{"display name", identity.RobotQuery{Search: "number 9", Limit: 9}, 1, []string{"zeta"}},
			{"by display name", identity.RobotQuery{Search: "number", Sort: identity.RobotByDisplayName, Limit: 9}, 4, []string{"beta_x", "ÄRGER 50%", "Alpha", "zeta"}},
			{"by time, newest first", identity.RobotQuery{Sort: identity.RobotByCreation, Descending: true, Limit: 2}, 7, []string{"beta_x", "ÄRGER 50%"}},
		}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				test.query.Organisation = h.acme.ID
				page, err := h.Robots(t.Context(), operator(), test.query)
				if err != nil || page.Total != test.total {
					t.Fatalf("%d found, %v", page.Total, err)
				}
				if diff := cmp.Diff(test.want, names(page)); diff != "" {
					t.Error(diff)
				}
			})
		}
		page, err := h.Robots(t.Context(), operator(), identity.RobotQuery{Organisation: h.acme.ID, Search: "zeta", Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]identity.GroupName{{ID: group.ID, Name: "Payables"}}, page.Robots[0].Groups); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRobotChangesDisplayNameAndGroups(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, b := h.group(t, "Able", nil), h.group(t, "Baker", nil)
		robot := h.robot(t, "Invoice robot", string(a.ID))
		name := " Invoices "
		now, err := h.ChangeRobot(t.Context(), operator(), h.acme.ID, robot.ID, identity.RobotChange{
			DisplayName: &name, AddGroups: []string{string(b.ID), string(b.ID)}, RemoveGroups: []string{string(a.ID)}, Version: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]identity.GroupName{{ID: b.ID, Name: "Baker"}}, now.Groups); diff != "" || now.DisplayName != "Invoices" || now.Name != "Invoice robot" {
			t.Errorf("%+v %s", now, diff)
		}
		before := len(h.events(t, h.acme))
		if _, err := h.ChangeRobot(t.Context(), operator(), h.acme.ID, robot.ID, identity.RobotChange{
			AddGroups: []string{string(b.ID)}, RemoveGroups: []string{string(a.ID)},
		}); err != nil || len(h.events(t, h.acme)) != before {
			t.Errorf("what changes nothing leaves an event, %v", err)
		}
		for key, c := range map[string]identity.RobotChange{
			"robot.add_groups.unknown":    {AddGroups: []string{database.NewID()}},
			"robot.remove_groups.unknown": {RemoveGroups: []string{"x"}},
			"robot.remove_groups.both":    {AddGroups: []string{string(a.ID)}, RemoveGroups: []string{string(a.ID)}},
		} {
			_, err := h.ChangeRobot(t.Context(), operator(), h.acme.ID, robot.ID, c)
			if p := wantCode(t, err, problem.Invalid); len(p.Fields) != 1 || p.Fields[0].Key != key {
				t.Errorf("%s: %v", key, p)
			}
		}
		_, err = h.ChangeRobot(t.Context(), operator(), h.acme.ID, robot.ID, identity.RobotChange{Version: 1})
		wantCode(t, err, problem.Stale)
		_, err = h.ChangeRobot(t.Context(), operator(), h.acme.ID, identity.RobotID(database.NewID()), identity.RobotChange{})
		wantCode(t, err, problem.NotFound)
	})
}

// TestC55_RobotsAreDeletedTogetherOrNotAtAll also makes one of the same name again, which inherits nothing.
func TestC55_RobotsAreDeletedTogetherOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		group := h.group(t, "Able", []string{identity.RoleViewer})
		one, two := h.robot(t, "One", string(group.ID)), h.robot(t, "Two", string(group.ID))
		both := []string{string(one.ID), string(two.ID)}
		wantField(t, h.DeleteRobots(t.Context(), operator(), h.acme.ID, append(both, database.NewID())), "robots", "robot.robots.unknown")
		wantField(t, h.DeleteRobots(t.Context(), operator(), h.acme.ID, nil), "robots", "robot.robots.missing")
		if g, err := h.Group(t.Context(), operator(), h.acme.ID, group.ID); err != nil || g.Robots != 2 {
			t.Fatalf("%+v, %v", g, err)
		}
		if err := h.DeleteRobots(t.Context(), operator(), h.acme.ID, both); err != nil {
			t.Fatal(err)
		}
		if g, err := h.Group(t.Context(), operator(), h.acme.ID, group.ID); err != nil || g.Robots != 0 {
			t.Errorf("%+v, %v", g, err)
		}
		for _, r := range []identity.RobotAccount{one, two} {
			_, err := h.Robot(t.Context(), operator(), h.acme.ID, r.ID)
			wantCode(t, err, problem.NotFound)
			wantCode(t, h.SetRobotStatus(t.Context(), operator(), r, identity.Active), problem.NotFound)
			page, err := h.trail.Events(t.Context(), audit.Query{Chain: h.acme.ID, Limit: 1, TargetKind: "robot", TargetID: string(r.ID)})
			if err != nil || len(page.Events) != 1 || page.Events[0].Action != "robot.delete" {
				t.Errorf("history %+v, %v", page.Events, err)
			}
		}
		wantCode(t, h.DeleteRobots(t.Context(), operator(), h.acme.ID, both[:1]), problem.NotFound)
		again := h.robot(t, "ONE")
		if again.ID == one.ID {
			t.Error("the ID came again")
		}
		for _, id := range []identity.RobotID{again.ID, one.ID} {
			if rights, err := h.RobotRights(t.Context(), h.acme.ID, id); err != nil || len(rights) != 0 {
				t.Errorf("rights outlived the account: %v, %v", rights, err)
			}
		}
	})
}

func TestRobotThatIsActedAsStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		one, two := h.robot(t, "One"), h.robot(t, "Two")
		h.WhenRobotsDeleted(func(_ *database.Tx, org identity.OrganisationID, robots []identity.RobotID) error {
			if org != h.acme.ID {
				t.Errorf("asked about %s", org)
			}
			if slices.Contains(robots, two.ID) {
				return problem.New(problem.Conflict, "identity.robot_in_use", "Name", "Two", "Apps", []string{"Spend"}, "N", 1)
			}
			return nil
		})
		err := h.DeleteRobots(t.Context(), operator(), h.acme.ID, []string{string(one.ID), string(two.ID)})
		wantCode(t, err, problem.Conflict)
		if _, err := h.Robot(t.Context(), operator(), h.acme.ID, one.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestRobotExpiry(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		now := h.clock.Now()
		robot, err := h.CreateRobot(t.Context(), operator(), identity.NewRobot{
			Organisation: h.acme.ID, Name: "Short", ExpiresAt: now.Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(2 * time.Hour)
		if robot.Live(h.clock.Now()) {
			t.Error("lives on")
		}
		wantField(t, h.ExtendRobot(t.Context(), operator(), robot, now.Add(time.Hour)), "expires_at", "robot.expires_at.past")
		if err := h.ExtendRobot(t.Context(), operator(), robot, h.clock.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.ExtendRobot(t.Context(), operator(), robot, time.Time{}), problem.Stale)
		_, err = h.SetPolicy(t.Context(), operator(), identity.Policy{
			Organisation: h.acme.ID, SecretExpiry: identity.ExpiryRequired, CeilingDays: 30,
		})
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := h.Robot(t.Context(), operator(), h.acme.ID, robot.ID)
		if err != nil || !fresh.Live(h.clock.Now()) {
			t.Fatalf("%+v, %v", fresh, err)
		}
		for name, until := range map[string]time.Time{"never": {}, "beyond": h.clock.Now().AddDate(0, 0, 31)} {
			t.Run(name, func(t *testing.T) {
				wantField(t, h.ExtendRobot(t.Context(), operator(), fresh.RobotAccount, until), "expires_at", "robot.expires_at.ceiling")
			})
		}
		silent := h.robot(t, "Says nothing")
		if want := h.clock.Now().AddDate(0, 0, 30); !silent.ExpiresAt.Equal(want) {
			t.Errorf("expires %s, want %s", silent.ExpiresAt, want)
		}
	})
}
