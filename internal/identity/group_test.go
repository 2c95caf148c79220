package identity_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func (h *house) group(t *testing.T, name string, roles []string, members ...string) identity.Group {
	t.Helper()
	g, err := h.CreateGroup(t.Context(), operator(), identity.NewGroup{
		Organisation: h.acme.ID, Name: name, Roles: roles, Members: members,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (h *house) robot(t *testing.T, name string, groups ...string) identity.RobotAccount {
	t.Helper()
	r, err := h.CreateRobot(t.Context(), operator(), identity.NewRobot{Organisation: h.acme.ID, Name: name, Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (h *house) changeGroup(t *testing.T, g identity.Group, c identity.GroupChange) identity.Group {
	t.Helper()
	now, err := h.ChangeGroup(t.Context(), operator(), h.acme.ID, g.ID, c)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func (h *house) builtIn(t *testing.T, name string) identity.Group {
	t.Helper()
	list, err := h.Groups(t.Context(), operator(), h.acme.ID)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(list, func(g identity.Group) bool { return g.Name == name })
	if at < 0 {
		t.Fatalf("no group %s", name)
	}
	return list[at]
}

func TestGroupPassesItsRolesToItsMembers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Integrator", access.AppsManage)
		ana := h.active(t, h.acme, "ana@acme.example", identity.RoleViewer)
		robot := h.robot(t, "Invoice robot")
		if h.actor(t, ana).Has(access.AppsManage) {
			t.Fatal("a right without the group")
		}
		group := h.group(t, "Integrators", []string{"Integrator"}, string(ana.ID), string(robot.ID), string(ana.ID))
		if group.People != 1 || group.Robots != 1 {
			t.Errorf("%d people, %d robots", group.People, group.Robots)
		}
		h.wantRights(t, ana, robot, true)
		h.changeGroup(t, group, identity.GroupChange{Roles: &[]string{}})
		h.wantRights(t, ana, robot, false)
		h.changeGroup(t, group, identity.GroupChange{Roles: &[]string{"integrator"}})
		h.wantRights(t, ana, robot, true)
		h.changeGroup(t, group, identity.GroupChange{Remove: []string{string(ana.ID), string(robot.ID)}})
		h.wantRights(t, ana, robot, false)
		h.changeGroup(t, group, identity.GroupChange{Add: []string{string(ana.ID), string(robot.ID)}})
		h.wantRights(t, ana, robot, true)
		if err := h.DeleteGroups(t.Context(), operator(), h.acme.ID, []string{string(group.ID)}); err != nil {
			t.Fatal(err)
		}
		h.wantRights(t, ana, robot, false)
	})
}

// wantRights asks everything that knows of rights whether the group counts.
func (h *house) wantRights(t *testing.T, p identity.Person, r identity.RobotAccount, want bool) {
	t.Helper()
	if got := h.actor(t, p).Has(access.AppsManage); got != want {
		t.Errorf("the person has the right: %v", got)
	}
	rights, err := h.RobotRights(t.Context(), h.acme.ID, r.ID)
	if err != nil || rights.Has(access.AppsManage) != want {
		t.Errorf("the robot account's rights %v, %v", rights, err)
	}
	several, err := h.RightsOfRobots(t.Context(), operator(), h.acme.ID, r.ID)
	if err != nil || several[r.ID].Has(access.AppsManage) != want {
		t.Errorf("the rights of several accounts %v, %v", several, err)
	}
	holders, err := h.Holders(t.Context(), h.acme.ID, access.AppsManage)
	if err != nil || slices.ContainsFunc(holders, func(o identity.Person) bool { return o.ID == p.ID }) != want {
		t.Errorf("holders %v, %v", holders, err)
	}
	grants, err := h.RobotGrants(t.Context(), operator(), h.acme.ID, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !want {
		if len(grants) != 0 {
			t.Errorf("grants %v", grants)
		}
		return
	}
	for _, g := range grants {
		if len(g.Sources) != 1 || g.Sources[0].Role != "Integrator" || g.Sources[0].GroupName != "Integrators" {
			t.Errorf("%s comes from %v", g.Right, g.Sources)
		}
	}
}

func TestGrantsNameEverySource(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Robots", access.RobotsManage)
		jo := h.active(t, h.acme, "jo@acme.example", identity.RoleViewer)
		first := h.group(t, "Able", []string{"Robots"}, string(jo.ID))
		second := h.group(t, "Baker", []string{"Robots", identity.RoleViewer}, string(jo.ID))
		grants, err := h.PersonGrants(t.Context(), operator(), h.acme.ID, jo.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := map[access.Right][]identity.Source{}
		for _, g := range grants {
			got[g.Right] = g.Sources
		}
		want := []identity.Source{
			{Role: "Robots", Group: first.ID, GroupName: "Able"}, {Role: "Robots", Group: second.ID, GroupName: "Baker"},
		}
		if diff := cmp.Diff(want, got[access.RobotsManage]); diff != "" {
			t.Error(diff)
		}
		view := []identity.Source{{Role: identity.RoleViewer}, {Role: identity.RoleViewer, Group: second.ID, GroupName: "Baker"}}
		if diff := cmp.Diff(view, got[access.AuditView]); diff != "" {
			t.Error(diff)
		}
		losses, err := h.Losses(t.Context(), operator(), h.acme.ID, second.ID)
		if err != nil || len(losses) != 0 {
			t.Errorf("losses %v, %v", losses, err)
		}
		h.changeGroup(t, first, identity.GroupChange{Remove: []string{string(jo.ID)}})
		losses, err = h.Losses(t.Context(), operator(), h.acme.ID, second.ID)
		if err != nil || len(losses) != 1 || losses[0].Person.ID != jo.ID {
			t.Fatalf("losses %v, %v", losses, err)
		}
		if diff := cmp.Diff([]access.Right{access.RobotsManage}, losses[0].Rights.Rights()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestGroupGivesNoMoreThanTheActorHolds: membership is power, for people, robots and roles alike.
func TestGroupGivesNoMoreThanTheActorHolds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Robots", access.RobotsManage)
		actor := h.actor(t, h.active(t, h.acme, "ana@acme.example", "Robots"))
		other := h.person(t, h.acme, "jo@acme.example")
		admins, robot := h.builtIn(t, identity.GroupAdministrators), h.robot(t, "Invoice robot")
		harmless := h.group(t, "Harmless", []string{"Robots"}, string(robot.ID))
		mighty := h.group(t, "Mighty", []string{identity.RoleAdministrator}, string(robot.ID))
		acts := map[string]func() error{
			"a person into the administrators": func() error {
				_, err := h.ChangeGroup(t.Context(), actor, h.acme.ID, admins.ID, identity.GroupChange{Add: []string{string(other.ID)}})
				return err
			},
			"oneself": func() error {
				_, err := h.ChangeGroup(t.Context(), actor, h.acme.ID, admins.ID, identity.GroupChange{Add: []string{actor.ID}})
				return err
			},
			"a robot": func() error {
				_, err := h.ChangeRobot(t.Context(), actor, h.acme.ID, robot.ID, identity.RobotChange{AddGroups: []string{string(admins.ID)}})
				return err
			},
			"a new robot": func() error {
				_, err := h.CreateRobot(t.Context(), actor, identity.NewRobot{Organisation: h.acme.ID, Name: "New", Groups: []string{string(admins.ID)}})
				return err
			},
			"a role for a group": func() error {
				_, err := h.ChangeGroup(t.Context(), actor, h.acme.ID, harmless.ID, identity.GroupChange{Roles: &[]string{identity.RoleAdministrator}})
				return err
			},
			"a new group": func() error {
				_, err := h.CreateGroup(t.Context(), actor, identity.NewGroup{Organisation: h.acme.ID, Name: "New", Roles: []string{identity.RoleViewer}})
				return err
			},
			"an account that holds more, extended": func() error {
				return h.ExtendRobot(t.Context(), actor, robot, h.clock.Now().AddDate(0, 1, 0))
			},
		}
		for name, act := range acts {
			t.Run(name, func(t *testing.T) { wantCode(t, act(), problem.Forbidden) })
		}
		// What gives nothing beyond is allowed, and so is taking away.
		group, err := h.ChangeGroup(t.Context(), actor, h.acme.ID, harmless.ID, identity.GroupChange{Add: []string{string(other.ID)}})
		if err != nil || group.People != 1 {
			t.Errorf("%+v, %v", group, err)
		}
		if _, err := h.ChangeGroup(t.Context(), actor, h.acme.ID, mighty.ID, identity.GroupChange{Remove: []string{string(robot.ID)}}); err != nil {
			t.Error(err)
		}
		if err := h.DeleteGroups(t.Context(), actor, h.acme.ID, []string{string(mighty.ID)}); err != nil {
			t.Error(err)
		}
	})
}

func TestPowerOverAPersonCountsGroups(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Personnel", access.PeopleManage)
		actor := h.actor(t, h.active(t, h.acme, "ana@acme.example", "Personnel"))
		jo := h.active(t, h.acme, "jo@acme.example")
		h.changeGroup(t, h.builtIn(t, identity.GroupAdministrators), identity.GroupChange{Add: []string{string(jo.ID)}})
		if err := h.SetPersonStatus(t.Context(), operator(), jo, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		wantCode(t, h.SetPersonStatus(t.Context(), actor, jo, identity.Active), problem.Forbidden)
	})
}

func TestBuiltInGroupsAreProtected(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		viewers := h.builtIn(t, identity.GroupViewers)
		local := h.group(t, "Local", nil)
		name := "Others"
		for what, c := range map[string]identity.GroupChange{"name": {Name: &name}, "roles": {Roles: &[]string{}}} {
			_, err := h.ChangeGroup(t.Context(), operator(), h.acme.ID, viewers.ID, c)
			if p := wantCode(t, err, problem.Conflict); p.Key != "identity.group_built_in" {
				t.Errorf("%s: %s", what, p.Key)
			}
		}
		// One built-in group keeps the others of the same act alive.
		err := h.DeleteGroups(t.Context(), operator(), h.acme.ID, []string{string(local.ID), string(viewers.ID)})
		wantCode(t, err, problem.Conflict)
		if _, err := h.Group(t.Context(), operator(), h.acme.ID, local.ID); err != nil {
			t.Error(err)
		}
		same := viewers.Name
		jo := h.person(t, h.acme, "jo@acme.example")
		if now := h.changeGroup(t, viewers, identity.GroupChange{Name: &same, Add: []string{string(jo.ID)}}); now.People != 1 {
			t.Errorf("%+v", now)
		}
		platform, err := h.Groups(t.Context(), operator(), h.platform.ID)
		if err != nil || len(platform) != 0 {
			t.Errorf("the platform has groups %v, %v", platform, err)
		}
	})
}

func TestLastAdministratorStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admins := h.builtIn(t, identity.GroupAdministrators)
		jo := h.person(t, h.acme, "jo@acme.example")
		own := h.group(t, "Own administrators", []string{identity.RoleAdministrator}, string(jo.ID))
		_, err := h.ChangeGroup(t.Context(), operator(), h.acme.ID, own.ID, identity.GroupChange{Remove: []string{string(jo.ID)}})
		if p := wantCode(t, err, problem.Conflict); p.Key != "identity.last_administrator" {
			t.Error(p.Key)
		}
		wantCode(t, h.DeleteGroups(t.Context(), operator(), h.acme.ID, []string{string(own.ID)}), problem.Conflict)
		h.changeGroup(t, admins, identity.GroupChange{Add: []string{string(jo.ID)}})
		if err := h.DeleteGroups(t.Context(), operator(), h.acme.ID, []string{string(own.ID)}); err != nil {
			t.Error(err)
		}
	})
}

func TestGroupIsChecked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		stranger := h.person(t, h.globex, "jo@globex.example")
		many := make([]string, identity.MaxIDs+1)
		for i := range many {
			many[i] = database.NewID()
		}
		h.group(t, "Maße", nil)
		tests := []struct {
			name       string
			in         identity.NewGroup
			field, key string
		}{
			{"no name", identity.NewGroup{}, "name", "group.name.missing"},
			{"short", identity.NewGroup{Name: "x"}, "name", "group.name.too_short"},
			{"control", identity.NewGroup{Name: "x\x07y"}, "name", "group.name.characters"},
			{"differs by case", identity.NewGroup{Name: " MASSE "}, "name", "group.name.taken"},
			{"like a built-in one", identity.NewGroup{Name: "administrators"}, "name", "group.name.taken"},
			{"no such role", identity.NewGroup{Name: "New", Roles: []string{"Nobody"}}, "roles", "group.roles.unknown"},
			{"stranger", identity.NewGroup{Name: "New", Members: []string{string(stranger.ID)}}, "members", "group.members.unknown"},
			{"no ID", identity.NewGroup{Name: "New", Members: []string{"' OR 1=1 --"}}, "members", "group.members.unknown"},
			{"nobody", identity.NewGroup{Name: "New", Members: []string{database.NewID()}}, "members", "group.members.unknown"},
			{"too many", identity.NewGroup{Name: "New", Members: many}, "members", "group.members.too_many"},
		}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				test.in.Organisation = h.acme.ID
				_, err := h.CreateGroup(t.Context(), operator(), test.in)
				wantField(t, err, test.field, test.key)
			})
		}
		group := h.group(t, "New", nil)
		jo := string(h.person(t, h.acme, "jo@acme.example").ID)
		for key, c := range map[string]identity.GroupChange{
			"group.remove.both":     {Add: []string{jo}, Remove: []string{jo}},
			"group.add.unknown":     {Add: []string{string(stranger.ID)}},
			"group.remove.unknown":  {Remove: []string{string(stranger.ID)}},
			"group.add.too_many":    {Add: many},
			"group.remove.too_many": {Remove: many},
		} {
			_, err := h.ChangeGroup(t.Context(), operator(), h.acme.ID, group.ID, c)
			wantField(t, err, map[bool]string{true: "add", false: "remove"}[key[6] == 'a'], key)
		}
		_, err := h.ChangeGroup(t.Context(), operator(), h.acme.ID, group.ID, identity.GroupChange{Version: 7})
		wantCode(t, err, problem.Stale)
		wantField(t, h.DeleteGroups(t.Context(), operator(), h.acme.ID, nil), "groups", "group.groups.missing")
		wantField(t, h.DeleteGroups(t.Context(), operator(), h.acme.ID, many), "groups", "group.groups.too_many")
		wantField(t, h.DeleteGroups(t.Context(), operator(), h.acme.ID, []string{string(group.ID), database.NewID()}), "groups", "group.groups.unknown")
		wantCode(t, h.DeleteGroups(t.Context(), operator(), h.acme.ID, []string{database.NewID()}), problem.NotFound)
	})
}

// TestC53_GroupsOfOthersAreNotThere: what is another organisation's is not found, or unknown in the same words.
func TestC53_GroupsOfOthersAreNotThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		group := h.group(t, "Acme's", nil)
		robot := h.robot(t, "Acme's robot")
		actor := h.actor(t, h.active(t, h.globex, "ana@globex.example", identity.RoleAdministrator))
		for name, act := range map[string]func() error{
			"list": func() error { _, err := h.Groups(t.Context(), actor, h.acme.ID); return err },
			"show": func() error { _, err := h.Group(t.Context(), actor, h.globex.ID, group.ID); return err },
			"robots": func() error {
				_, err := h.Robots(t.Context(), actor, identity.RobotQuery{Organisation: h.acme.ID})
				return err
			},
			"robot": func() error { _, err := h.Robot(t.Context(), actor, h.globex.ID, robot.ID); return err },
			"change": func() error {
				_, err := h.ChangeGroup(t.Context(), actor, h.globex.ID, group.ID, identity.GroupChange{})
				return err
			},
			"delete": func() error { return h.DeleteGroups(t.Context(), actor, h.globex.ID, []string{string(group.ID)}) },
			"delete robot": func() error {
				return h.DeleteRobots(t.Context(), actor, h.globex.ID, []string{string(robot.ID)})
			},
		} {
			t.Run(name, func(t *testing.T) { wantCode(t, act(), problem.NotFound) })
		}
		members, err := h.MembersOf(t.Context(), actor, h.globex.ID, group.ID)
		if err != nil || len(members) != 0 {
			t.Errorf("members %v, %v", members, err)
		}
		_, err = h.CreateRobot(t.Context(), actor, identity.NewRobot{Organisation: h.globex.ID, Name: "Spy", Groups: []string{string(group.ID)}})
		wantField(t, err, "groups", "robot.groups.unknown")
	})
}
