package identity

import (
	"context"

	"credenza.example/credenza/internal/access"
)

// Grant is one effective right and all that gives it.
type Grant struct {
	Right   access.Right
	Sources []Source
}

// Source is a role that gives a right. Group and GroupName are empty for a role that is held without a group.
type Source struct {
	Role      string
	Group     GroupID
	GroupName string
}

// RobotGrants returns the effective rights of a robot account with what gives each, in alphabetical order, whatever the
// account's state. It takes robots.view; an account that is not there has none.
func (d *Directory) RobotGrants(ctx context.Context, actor access.Actor, org OrganisationID, id RobotID) ([]Grant, error) {
	if err := d.mayView(ctx, actor, "robot.show", org); err != nil {
		return nil, err
	}
	return readGrants(d.db.Read(ctx), robotHolds, org, string(id))
}

// RightsOfRobots returns the effective rights of several robot accounts, for lists; one without rights has no entry. It
// takes robots.view.
func (d *Directory) RightsOfRobots(ctx context.Context, actor access.Actor, org OrganisationID, ids ...RobotID) (map[RobotID]access.Set, error) {
	if err := d.mayView(ctx, actor, "robot.list", org); err != nil {
		return nil, err
	}
	return readRightsOfRobots(d.db.Read(ctx), org, ids)
}

// PersonGrants is RobotGrants for a person of the organisation.
func (d *Directory) PersonGrants(ctx context.Context, actor access.Actor, org OrganisationID, id PersonID) ([]Grant, error) {
	if err := d.mayView(ctx, actor, "person.show", org); err != nil {
		return nil, err
	}
	return readGrants(d.db.Read(ctx), personHolds, org, string(id))
}

// rightsOf returns the rights without what gives them.
func rightsOf(grants []Grant) access.Set {
	set := access.Set{}
	for _, g := range grants {
		set[g.Right] = struct{}{}
	}
	return set
}
