package identity_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// deed is a use case or a read of groups or robot accounts.
type deed struct {
	right  access.Right
	action string
	do     func(ctx context.Context, h *house, actor access.Actor, g identity.Group, r identity.RobotAccount) error
}

// deeds are those that the identity API and the pages of robot accounts and groups are made of.
var deeds = map[string]deed{
	"Groups": {access.RobotsView, "group.list", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, _ identity.RobotAccount) error {
		_, err := h.Groups(ctx, actor, h.acme.ID)
		return err
	}},
	"Group": {access.RobotsView, "group.show", func(ctx context.Context, h *house, actor access.Actor, g identity.Group, _ identity.RobotAccount) error {
		_, err := h.Group(ctx, actor, h.acme.ID, g.ID)
		return err
	}},
	"MembersOf": {access.RobotsView, "group.show", func(ctx context.Context, h *house, actor access.Actor, g identity.Group, _ identity.RobotAccount) error {
		_, err := h.MembersOf(ctx, actor, h.acme.ID, g.ID)
		return err
	}},
	"Losses": {access.RobotsView, "group.show", func(ctx context.Context, h *house, actor access.Actor, g identity.Group, _ identity.RobotAccount) error {
		_, err := h.Losses(ctx, actor, h.acme.ID, g.ID)
		return err
	}},
	"Robots": {access.RobotsView, "robot.list", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, _ identity.RobotAccount) error {
		_, err := h.Robots(ctx, actor, identity.RobotQuery{Organisation: h.acme.ID})
		return err
	}},
	"Robot": {access.RobotsView, "robot.show", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, r identity.RobotAccount) error {
		_, err := h.Robot(ctx, actor, h.acme.ID, r.ID)
		return err
	}},
	"RobotGrants": {access.RobotsView, "robot.show", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, r identity.RobotAccount) error {
		_, err := h.RobotGrants(ctx, actor, h.acme.ID, r.ID)
		return err
	}},
	"PersonGrants": {access.RobotsView, "person.show", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, _ identity.RobotAccount) error {
		_, err := h.PersonGrants(ctx, actor, h.acme.ID, identity.PersonID(actor.ID))
		return err
	}},
	"RightsOfRobots": {access.RobotsView, "robot.list", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, r identity.RobotAccount) error {
		_, err := h.RightsOfRobots(ctx, actor, h.acme.ID, r.ID)
		return err
	}},
	"CreateGroup": {access.RobotsManage, "group.create", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, _ identity.RobotAccount) error {
		_, err := h.CreateGroup(ctx, actor, identity.NewGroup{Organisation: h.acme.ID, Name: "Another"})
		return err
	}},
	"ChangeGroup": {access.RobotsManage, "group.change", func(ctx context.Context, h *house, actor access.Actor, g identity.Group, r identity.RobotAccount) error {
		_, err := h.ChangeGroup(ctx, actor, h.acme.ID, g.ID, identity.GroupChange{Add: []string{string(r.ID)}})
		return err
	}},
	"DeleteGroups": {access.RobotsManage, "group.delete", func(ctx context.Context, h *house, actor access.Actor, g identity.Group, _ identity.RobotAccount) error {
		return h.DeleteGroups(ctx, actor, h.acme.ID, []string{string(g.ID)})
	}},
	"CreateRobot": {access.RobotsManage, "robot.create", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, _ identity.RobotAccount) error {
		_, err := h.CreateRobot(ctx, actor, identity.NewRobot{Organisation: h.acme.ID, Name: "Another"})
		return err
	}},
	"ChangeRobot": {access.RobotsManage, "robot.change", func(ctx context.Context, h *house, actor access.Actor, g identity.Group, r identity.RobotAccount) error {
		_, err := h.ChangeRobot(ctx, actor, h.acme.ID, r.ID, identity.RobotChange{AddGroups: []string{string(g.ID)}})
		return err
	}},
	"ExtendRobot": {access.RobotsManage, "robot.expiry", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, r identity.RobotAccount) error {
		return h.ExtendRobot(ctx, actor, r, h.clock.Now().Add(time.Hour))
	}},
	"SetRobotStatus": {access.RobotsManage, "robot.deactivate", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, r identity.RobotAccount) error {
		return h.SetRobotStatus(ctx, actor, r, identity.Inactive)
	}},
	"DeleteRobots": {access.RobotsManage, "robot.delete", func(ctx context.Context, h *house, actor access.Actor, _ identity.Group, r identity.RobotAccount) error {
		return h.DeleteRobots(ctx, actor, h.acme.ID, []string{string(r.ID)})
	}},
}

// judgedElsewhere are the methods that are about people, roles and organisations.
var judgedElsewhere = map[string]bool{
	"CreateOrganisation": true, "SuspendOrganisation": true, "ResumeOrganisation": true, "SetPolicy": true, "CreatePerson": true,
	"SetPersonRoles": true, "SetPersonStatus": true, "People": true, "CreateRole": true, "SetRoleRights": true,
}

func TestEveryMethodOfGroupsAndRobotsIsJudged(t *testing.T) {
	actor := reflect.TypeFor[access.Actor]()
	methods := reflect.TypeFor[*identity.Directory]()
	for m := range methods.Methods() {
		takes := m.Type.NumIn() > 2 && m.Type.In(2) == actor && !judgedElsewhere[m.Name]
		if _, judged := deeds[m.Name]; judged != takes {
			t.Errorf("%s takes an actor: %t, is judged: %t", m.Name, takes, judged)
		}
	}
}

// TestC52_GroupsAndRobotsMethodByMethod: who lacks the right is refused by name of the right, and recorded; another
// organisation's people find nothing.
func TestC52_GroupsAndRobotsMethodByMethod(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		group, robot := h.group(t, "Able", nil), h.robot(t, "Nightly")
		guest := h.actor(t, h.active(t, h.acme, "guest@acme.example"))
		viewer := h.actor(t, h.active(t, h.acme, "viewer@acme.example", identity.RoleViewer))
		theirs := h.actor(t, h.active(t, h.globex, "admin@globex.example", identity.RoleAdministrator))
		root := h.actor(t, h.active(t, h.platform, "root@platform.example", identity.RolePlatformAdministrator))
		for name, d := range deeds {
			for _, actor := range []access.Actor{guest, viewer} {
				err := d.do(t.Context(), h, actor, group, robot)
				if actor.Has(d.right) {
					if err != nil {
						t.Errorf("%s as %s: %v", name, actor.Email, err)
					}
					continue
				}
				if p := wantCode(t, err, problem.Forbidden); p.Args["Right"] != string(d.right) {
					t.Errorf("%s as %s misses %v", name, actor.Email, p.Args)
				}
				last := h.events(t, h.acme)[0]
				if last.Action != d.action && last.Action != "access.refused" || last.Result != audit.Refused {
					t.Errorf("%s as %s left %s", name, actor.Email, last.Action)
				}
				h.clock.Advance(61 * time.Second)
			}
			for _, actor := range []access.Actor{theirs, root} {
				wantCode(t, d.do(t.Context(), h, actor, group, robot), problem.NotFound)
			}
		}
		if now, err := h.Robot(t.Context(), viewer, h.acme.ID, robot.ID); err != nil || now.Version != robot.Version || len(now.Groups) != 0 {
			t.Errorf("%+v, %v", now, err)
		}
	})
}
