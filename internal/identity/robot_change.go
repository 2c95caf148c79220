package identity

import (
	"context"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// RobotChange is what ChangeRobot is asked for: what is nil or empty stays as it is. AddGroups and RemoveGroups are IDs of
// groups as they came from outside; a group that the account is in already, or is not in, stays so. Version is the one the
// actor saw; 0 leaves the question out.
type RobotChange struct {
	DisplayName  *string
	AddGroups    []string
	RemoveGroups []string
	Version      int64
}

func robotAct(action string, org OrganisationID, id RobotID) audit.Act {
	return audit.Act{
		Right: access.RobotsManage, Action: action, Organisation: org, Target: audit.Target{Kind: "robot", ID: string(id)},
	}
}

// ChangeRobot changes display name and groups, all or nothing; the name is fixed (product.md decision 11). It takes
// robots.manage and every right of the groups that are added. The answers are problem.Invalid with faults of the fields
// display_name, add_groups and remove_groups, problem.Forbidden, problem.NotFound and problem.Stale. It returns the
// account as it then is.
func (d *Directory) ChangeRobot(ctx context.Context, actor access.Actor, org OrganisationID, id RobotID, c RobotChange) (Robot, error) {
	act := robotAct("robot.change", org, id)
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return Robot{}, err
	}
	add, remove, err := c.check()
	if err != nil {
		return Robot{}, err
	}
	err = d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		robot, err := readRobot(tx.DB(), org, id)
		if err != nil {
			return audit.Change{}, err
		}
		if c.Version != 0 && c.Version != robot.Version {
			return audit.Change{}, stale()
		}
		act.Target.Label = robot.Name
		change := audit.Change{Target: act.Target, Before: map[string]any{}, After: map[string]any{}}
		if err := changeGroups(tx, actor, robot, add, remove, &change); err != nil {
			return change, err
		}
		if c.DisplayName != nil && *c.DisplayName != robot.DisplayName {
			change.Before["display_name"], change.After["display_name"] = robot.DisplayName, *c.DisplayName
			robot.DisplayName = *c.DisplayName
			if err := updateRobot(tx, robot); err != nil {
				return change, err
			}
		}
		if len(change.Before) == 0 && len(change.After) == 0 {
			return change, audit.ErrNothing
		}
		tx.Changed(database.TopicRobot, string(id))
		return change, nil
	})
	if err != nil {
		return Robot{}, err
	}
	return d.readRobotWithGroups(ctx, org, id)
}

func (c *RobotChange) check() (add, remove []string, err error) {
	var found faults
	if c.DisplayName != nil {
		name, f := Text("robot.display_name", *c.DisplayName, 2, 80)
		found.add(f)
		c.DisplayName = &name
	}
	add, f := parseMembers("robot.add_groups", c.AddGroups)
	found.add(f)
	remove, f = parseMembers("robot.remove_groups", c.RemoveGroups)
	found.add(f)
	if overlap(add, remove) {
		found.add(fault("robot.remove_groups", "both"))
	}
	return add, remove, found.err()
}

// changeGroups adds the account to groups and takes it from others, and notes in the change what was new.
func changeGroups(tx *database.Tx, actor access.Actor, robot RobotAccount, add, remove []string, change *audit.Change) error {
	adding, err := groupsNamed(tx, "robot.add_groups", robot.Organisation, add)
	if err != nil {
		return err
	}
	removing, err := groupsNamed(tx, "robot.remove_groups", robot.Organisation, remove)
	if err != nil {
		return err
	}
	held, err := readRobotGroups(tx.DB(), robot.Organisation, []string{string(robot.ID)})
	if err != nil {
		return err
	}
	in := func(g Group) bool {
		return slices.ContainsFunc(held[robot.ID], func(h GroupName) bool { return h.ID == g.ID })
	}
	adding = slices.DeleteFunc(adding, in)
	removing = slices.DeleteFunc(removing, func(g Group) bool { return !in(g) })
	if err := Power(actor, robot.Organisation, groupRights(adding)); err != nil {
		return err
	}
	if err := addRobotGroups(tx, robot, adding); err != nil {
		return err
	}
	if err := removeRobotGroups(tx, robot, removing); err != nil {
		return err
	}
	if len(adding) > 0 {
		change.After["groups"] = groupNames(adding)
	}
	if len(removing) > 0 {
		change.Before["groups"] = groupNames(removing)
	}
	return touchGroups(tx, robot.Organisation, groupIDs(adding, removing))
}

// groupsNamed returns the groups with these IDs; one that the organisation lacks is a fault of the field.
func groupsNamed(tx *database.Tx, field string, org OrganisationID, ids []string) ([]Group, error) {
	list, err := groupsWithin(tx, org, ids)
	if err == nil && len(list) != len(ids) {
		err = problem.Fields(*fault(field, "unknown"))
	}
	return list, err
}

func groupRights(groups []Group) access.Set {
	var roles []Role
	for _, g := range groups {
		roles = append(roles, g.Roles...)
	}
	return together(roles)
}

func groupNames(groups []Group) []string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.Name
	}
	return names
}

func groupIDs(lists ...[]Group) []string {
	var ids []string
	for _, g := range slices.Concat(lists...) {
		ids = append(ids, string(g.ID))
	}
	return ids
}

// ExtendRobot sets when the account expires, zero for never, which the policy of the organisation may not allow
// (RobotCeiling). It takes robots.manage and, since it gives power again, every effective right of the account. The
// answers are problem.Invalid with a fault of the field expires_at, problem.Forbidden, problem.NotFound and problem.Stale.
func (d *Directory) ExtendRobot(ctx context.Context, actor access.Actor, robot RobotAccount, until time.Time) error {
	act := robotAct("robot.expiry", robot.Organisation, robot.ID)
	act.Target.Label = robot.Name
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return err
	}
	until, err := d.robotExpiry(ctx, robot.Organisation, until)
	if err != nil {
		return err
	}
	return d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		now, err := readRobot(tx.DB(), robot.Organisation, robot.ID)
		switch {
		case err != nil:
			return audit.Change{}, err
		case now.Version != robot.Version:
			return audit.Change{}, stale()
		case now.ExpiresAt.Equal(until):
			return audit.Change{}, audit.ErrNothing
		}
		rights, err := robotRights(tx.DB(), now.Organisation, now.ID)
		if err == nil {
			err = Power(actor, now.Organisation, rights)
		}
		if err != nil {
			return audit.Change{}, err
		}
		before := now.ExpiresAt
		now.ExpiresAt = until
		tx.Changed(database.TopicRobot, string(now.ID))
		return audit.Change{
			Before: map[string]any{"expires_at": moment(before)}, After: map[string]any{"expires_at": moment(until)},
		}, updateRobot(tx, now)
	})
}

// moment is a time for an event, nil for never.
func moment(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at
}

// RobotCeiling returns for how many days at most a new or extended robot account lives; 0 when it may live for ever. It is
// that of the organisation's secrets while these must expire.
func (d *Directory) RobotCeiling(ctx context.Context, org OrganisationID) (days int, err error) {
	policy, err := d.PolicyOf(ctx, org)
	return policy.CeilingDays, err
}

// robotExpiry judges an end that was asked for, zero for never. Under a ceiling never is a fault.
func (d *Directory) robotExpiry(ctx context.Context, org OrganisationID, until time.Time) (time.Time, error) {
	ceiling, err := d.RobotCeiling(ctx, org)
	if err != nil {
		return until, err
	}
	now := d.db.Now()
	latest := now.AddDate(0, 0, ceiling)
	switch {
	case until.IsZero() && ceiling > 0:
		return until, problem.Fields(*fault("robot.expires_at", "ceiling", "N", ceiling))
	case until.IsZero():
		return until, nil
	}
	until = until.UTC().Truncate(time.Microsecond)
	if !until.After(now) {
		return until, problem.Fields(*fault("robot.expires_at", "past"))
	}
	if ceiling > 0 && until.After(latest) {
		return until, problem.Fields(*fault("robot.expires_at", "ceiling", "N", ceiling))
	}
	return until, nil
}

// WhenRobotsDeleted has fn called in the transaction that deletes robot accounts; an error of it refuses the deletion, as
// whoever has apps act as one must (product.md decision 14). It is meant for wiring, before first use. fn may run twice
// and uses nothing but tx.
func (d *Directory) WhenRobotsDeleted(fn func(tx *database.Tx, org OrganisationID, robots []RobotID) error) {
	d.deleted = append(d.deleted, fn)
}

// DeleteRobots deletes robot accounts, all or none, and frees their names. It takes robots.manage. The answers are
// problem.Invalid with a fault of the field robots (none, too many, unknown), problem.NotFound for a single unknown one,
// and problem.Conflict, naming the apps, when apps act as one of them.
func (d *Directory) DeleteRobots(ctx context.Context, actor access.Actor, org OrganisationID, ids []string) error {
	act := robotAct("robot.delete", org, "")
	if len(ids) == 1 {
		act.Target.ID = ids[0]
	}
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return err
	}
	ids, f := parseIDs("robot.robots", ids)
	if f != nil {
		return problem.Fields(*f)
	}
	return d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		gone, err := robotsToDelete(tx, org, ids)
		if err != nil {
			return audit.Change{}, err
		}
		robots := make([]RobotID, len(gone))
		for i, robot := range gone {
			robots[i] = robot.ID
		}
		for _, robot := range gone {
			if err := deleteRobot(tx, robot); err != nil {
				return audit.Change{}, err
			}
			tx.Changed(database.TopicRobot, string(robot.ID))
		}
		// Afterwards, because the rows are locked now: an app that was about to act as one is there to be seen.
		for _, fn := range d.deleted {
			if err := fn(tx, org, robots); err != nil {
				return audit.Change{}, err
			}
		}
		return deletion("robot", gone, func(r RobotAccount) (string, string) { return string(r.ID), r.Name }), nil
	})
}

func robotsToDelete(tx *database.Tx, org OrganisationID, ids []string) ([]RobotAccount, error) {
	list, err := readRobots(tx.DB(), org, ids)
	switch {
	case err != nil:
		return nil, err
	case len(list) < len(ids) && len(ids) == 1:
		return nil, notFound()
	case len(list) < len(ids):
		return nil, problem.Fields(*fault("robot.robots", "unknown"))
	}
	return list, nil
}
