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
// ExpiresAt means never. Roles are names.
type NewRobot struct {
	Organisation OrganisationID
	Name         string
	DisplayName  string
	Kind         RobotKind
	Roles        []string
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

// CreateRobot makes a robot account. It takes robots.manage and every right of the roles given to it. An app can make
// accounts of kind robot only; the kinds that apps act as are set by people.
func (d *Directory) CreateRobot(ctx context.Context, actor access.Actor, n NewRobot) (RobotAccount, error) {
	robot := RobotAccount{ID: RobotID(database.NewID()), Organisation: n.Organisation, Status: Active, Version: 1}
	act := audit.Act{
		Right: access.RobotsManage, Action: "robot.create", Organisation: n.Organisation,
		Target: audit.Target{Kind: "robot", ID: string(robot.ID)},
	}
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return RobotAccount{}, err
	}
	if err := n.check(&robot, d.db.Now()); err != nil {
		return RobotAccount{}, err
	}
	act.Target.Label = robot.Name
	err := d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if actor.Kind == access.KindApp && robot.Kind != KindRobot {
			return audit.Change{}, problem.New(problem.Forbidden, "identity.kind_by_person", "Right", string(access.RobotsManage))
		}
		roles, err := rolesNamed(tx, "robot.roles", n.Organisation, n.Roles)
		if err == nil {
			err = Power(actor, n.Organisation, together(roles))
		}
		if err != nil {
			return audit.Change{}, err
		}
		robot.CreatedAt = tx.Now()
		if err := insertRobot(tx, robot, roles...); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicRobot, string(robot.ID))
		return audit.Change{After: map[string]any{
			"name": robot.Name, "display_name": robot.DisplayName, "kind": string(robot.Kind),
			"status": string(robot.Status), "roles": roleNames(roles),
		}}, nil
	})
	if err != nil {
		return RobotAccount{}, err
	}
	return robot, nil
}

func (n NewRobot) check(robot *RobotAccount, now time.Time) error {
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
	if !n.ExpiresAt.IsZero() {
		robot.ExpiresAt = n.ExpiresAt.UTC().Truncate(time.Microsecond)
		if !robot.ExpiresAt.After(now) {
			found.add(fault("robot.expires_at", "past"))
		}
	}
	return found.err()
}

// SetRobotStatus switches a robot account on or off. It takes robots.manage, and to switch on every right of the
// account, because that gives power again.
func (d *Directory) SetRobotStatus(ctx context.Context, actor access.Actor, robot RobotAccount, status Status) error {
	if status != Active && status != Inactive {
		return problem.Fields(*fault("robot.status", "invalid"))
	}
	action := map[Status]string{Active: "robot.activate", Inactive: "robot.deactivate"}[status]
	act := audit.Act{
		Right: access.RobotsManage, Action: action, Organisation: robot.Organisation,
		Target: audit.Target{Kind: "robot", ID: string(robot.ID), Label: robot.Name},
	}
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

// RobotRights returns the rights of a robot account's roles, whatever the account's state: who makes something act as
// the account must hold them all, even if the account is switched on only later.
func (d *Directory) RobotRights(ctx context.Context, org OrganisationID, id RobotID) (access.Set, error) {
	return robotRights(d.db.Read(ctx), org, id)
}
