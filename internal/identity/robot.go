package identity

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// RobotKind says what a robot account is for (product.md decision 14).
type RobotKind string

// The kinds. Robot accounts of the last three are API users, which apps act as.
const (
	KindRobot    RobotKind = "robot"
	KindClient   RobotKind = "client"
	KindSupplier RobotKind = "supplier"
	KindMSP      RobotKind = "msp"
)

func (k RobotKind) valid() bool {
	return k == KindRobot || k.apiUser()
}

func (k RobotKind) apiUser() bool {
	return k == KindClient || k == KindSupplier || k == KindMSP
}

// RobotAccount is a machine identity. Name is unique in the organisation and fixed (product.md decision 11). ExpiresAt
// is zero for one that does not expire.
type RobotAccount struct {
	ID           RobotID
	Organisation OrganisationID
	Name         string
	DisplayName  string
	Kind         RobotKind
	Status       Status
	ExpiresAt    time.Time
	CreatedAt    time.Time
	Version      int64
}

// Live reports whether the account may act at this time. Whether its organisation may is asked there.
func (r RobotAccount) Live(now time.Time) bool {
	return r.Status == Active && (r.ExpiresAt.IsZero() || now.Before(r.ExpiresAt))
}

// NewRobot is what CreateRobot is asked for. An empty DisplayName is the name, an empty Kind is KindRobot, a zero
// ExpiresAt means never, or under a ceiling of the organisation (RobotCeiling) as late as may be. Roles are names, Groups
// are IDs as they came from outside.
type NewRobot struct {
	Organisation OrganisationID
	Name         string
	DisplayName  string
	Kind         RobotKind
	Roles        []string
	Groups       []string
	ExpiresAt    time.Time
}

func builtInRobots(org Organisation) []RobotAccount {
	if org.Kind == Platform {
		return nil
	}
	robot := func(name string, kind RobotKind) RobotAccount {
		return RobotAccount{
			ID: RobotID(database.NewID()), Organisation: org.ID, Name: name, DisplayName: name, Kind: kind,
			Status: Active, Version: 1,
		}
	}
	return []RobotAccount{
		robot("Client user", KindClient), robot("Supplier user", KindSupplier), robot("MSP user", KindMSP),
	}
}

// CreateRobot makes a robot account. It takes robots.manage and every right of the roles given to it and of the groups it
// joins. An app can make accounts of kind robot only; the kinds that apps act as are set by people. The answers are
// problem.Invalid with faults of the fields name, display_name, kind, roles, groups and expires_at, problem.Forbidden and
// problem.NotFound.
func (d *Directory) CreateRobot(ctx context.Context, actor access.Actor, n NewRobot) (RobotAccount, error) {
	robot := RobotAccount{ID: RobotID(database.NewID()), Organisation: n.Organisation, Status: Active, Version: 1}
	act := robotAct("robot.create", n.Organisation, robot.ID)
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return RobotAccount{}, err
	}
	groups, err := d.checkNewRobot(ctx, n, &robot)
	if err != nil {
		return RobotAccount{}, err
	}
	act.Target.Label = robot.Name
	err = d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if actor.Kind == access.KindApp && robot.Kind != KindRobot {
			return audit.Change{}, problem.New(problem.Forbidden, "identity.kind_by_person", "Right", string(access.RobotsManage))
		}
		roles, err := rolesNamed(tx, "robot.roles", n.Organisation, n.Roles)
		if err != nil {
			return audit.Change{}, err
		}
		joined, err := groupsNamed(tx, "robot.groups", n.Organisation, groups)
		if err == nil {
			err = Power(actor, n.Organisation, together(roles))
		}
		if err == nil {
			err = Power(actor, n.Organisation, groupRights(joined))
		}
		if err != nil {
			return audit.Change{}, err
		}
		robot.CreatedAt = tx.Now()
		return createdRobot(tx, robot, roles, joined)
	})
	if err != nil {
		return RobotAccount{}, err
	}
	return robot, nil
}

// createdRobot writes a new account and returns the fields of its event.
func createdRobot(tx *database.Tx, robot RobotAccount, roles []Role, groups []Group) (audit.Change, error) {
	if err := insertRobot(tx, robot, roles...); err != nil {
		return audit.Change{}, err
	}
	if err := addRobotGroups(tx, robot, groups); err != nil {
		return audit.Change{}, err
	}
	tx.Changed(database.TopicRobot, string(robot.ID))
	after := map[string]any{
		"name": robot.Name, "display_name": robot.DisplayName, "kind": string(robot.Kind),
		"status": string(robot.Status), "roles": roleNames(roles),
	}
	if len(groups) > 0 {
		after["groups"] = groupNames(groups)
	}
	if !robot.ExpiresAt.IsZero() {
		after["expires_at"] = robot.ExpiresAt
	}
	return audit.Change{After: after}, touchGroups(tx, robot.Organisation, groupIDs(groups))
}

// checkNewRobot fills robot from what was asked for, and returns the IDs of the groups.
func (d *Directory) checkNewRobot(ctx context.Context, n NewRobot, robot *RobotAccount) ([]string, error) {
	var found faults
	var f *problem.Field
	robot.Name, f = Text("robot.name", n.Name, 2, 80)
	found.add(f)
	robot.DisplayName = robot.Name
	if n.DisplayName != "" {
		robot.DisplayName, f = Text("robot.display_name", n.DisplayName, 2, 80)
		found.add(f)
	}
	robot.Kind = n.Kind
	if robot.Kind == "" {
		robot.Kind = KindRobot
	}
	if !robot.Kind.valid() {
		found.add(fault("robot.kind", "invalid"))
	}
	groups, f := parseMembers("robot.groups", n.Groups)
	found.add(f)
	until, err := d.newRobotExpiry(ctx, n)
	if err != nil && !problem.Is(err, problem.Invalid) {
		return nil, err
	}
	if err != nil {
		found = append(found, problem.As(err).Fields...)
	}
	robot.ExpiresAt = until
	return groups, found.err()
}

// newRobotExpiry is robotExpiry, but who says nothing gets the ceiling.
func (d *Directory) newRobotExpiry(ctx context.Context, n NewRobot) (time.Time, error) {
	until := n.ExpiresAt
	if until.IsZero() {
		ceiling, err := d.RobotCeiling(ctx, n.Organisation)
		if err != nil || ceiling == 0 {
			return until, err
		}
		until = d.db.Now().AddDate(0, 0, ceiling)
	}
	return d.robotExpiry(ctx, n.Organisation, until)
}

// SetRobotStatus switches a robot account on or off. It takes robots.manage, and to switch on every right of the
// account, because that gives power again.
func (d *Directory) SetRobotStatus(ctx context.Context, actor access.Actor, robot RobotAccount, status Status) error {
	if status != Active && status != Inactive {
		return problem.Fields(*fault("robot.status", "invalid"))
	}
	action := map[Status]string{Active: "robot.activate", Inactive: "robot.deactivate"}[status]
	act := robotAct(action, robot.Organisation, robot.ID)
	act.Target.Label = robot.Name
	return d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		now, err := readRobot(tx.DB(), robot.Organisation, robot.ID)
		if err != nil {
			return audit.Change{}, err
		}
		if now.Status == status {
			return audit.Change{}, audit.ErrNothing
		}
		rights, err := robotRights(tx.DB(), now.Organisation, now.ID)
		if err != nil {
			return audit.Change{}, err
		}
		if status == Active {
			if err := Power(actor, now.Organisation, rights); err != nil {
				return audit.Change{}, err
			}
		}
		if err := updateRobotStatus(tx, now, status); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicRobot, string(now.ID))
		return statusChange(act.Target, now.Status, status), nil
	})
}

// APIUsers returns the API users of an organisation, whatever their state, in the order of their names.
func (d *Directory) APIUsers(ctx context.Context, org OrganisationID) ([]RobotAccount, error) {
	list, err := d.readAPIUsers(ctx, org)
	byFold(list, func(r RobotAccount) string { return r.Name })
	return list, err
}

// APIUser returns one API user of the organisation, or problem.NotFound; so also for a robot account of kind robot and
// for another organisation's.
func (d *Directory) APIUser(ctx context.Context, org OrganisationID, id RobotID) (RobotAccount, error) {
	robot, err := readRobot(d.db.Read(ctx), org, id)
	if err == nil && !robot.Kind.apiUser() {
		return RobotAccount{}, notFound()
	}
	return robot, err
}

// RobotRights returns the rights of a robot account's roles and groups, whatever the account's state: who makes something act as
// the account must hold them all, even if the account is switched on only later.
func (d *Directory) RobotRights(ctx context.Context, org OrganisationID, id RobotID) (access.Set, error) {
	return robotRights(d.db.Read(ctx), org, id)
}
