package identity

import (
	"context"

	"credenza.example/credenza/internal/access"
)

// GroupName is a group as it stands beside its members.
type GroupName struct {
	ID   GroupID
	Name string
}

// Robot is a robot account with its groups, in the order of their names.
type Robot struct {
	RobotAccount
	Groups []GroupName
}

// RobotSort is what robot accounts are listed by.
type RobotSort string

// The orders. Texts are compared by Fold.
const (
	RobotByName        RobotSort = "name"
	RobotByDisplayName RobotSort = "display_name"
	RobotByCreation    RobotSort = "created_at"
)

// MaxRobots bounds how many robot accounts one query returns.
const MaxRobots = 1000

// RobotQuery says which robot accounts are wanted: those whose name or display name contains Search, compared by Fold, of
// which Skip are left out and Limit returned (0: none, only the total; at most MaxRobots).
type RobotQuery struct {
	Organisation OrganisationID
	Search       string
	Sort         RobotSort // empty: by name
	Descending   bool
	Skip         int
	Limit        int
}

// RobotPage is the answer to a RobotQuery. Total counts all that were found.
type RobotPage struct {
	Total  int
	Robots []Robot
}

// Robots lists robot accounts of every kind. It takes robots.view.
func (d *Directory) Robots(ctx context.Context, actor access.Actor, q RobotQuery) (RobotPage, error) {
	if err := d.mayView(ctx, actor, "robot.list", q.Organisation); err != nil {
		return RobotPage{}, err
	}
	q.Limit, q.Skip = min(max(q.Limit, 0), MaxRobots), max(q.Skip, 0)
	total, accounts, err := q.find(d.db.Read(ctx))
	if err != nil {
		return RobotPage{}, err
	}
	list, err := d.withGroups(ctx, q.Organisation, accounts...)
	return RobotPage{Total: total, Robots: list}, err
}

// Robot returns one robot account of any kind, or problem.NotFound. It takes robots.view.
func (d *Directory) Robot(ctx context.Context, actor access.Actor, org OrganisationID, id RobotID) (Robot, error) {
	if err := d.mayView(ctx, actor, "robot.show", org); err != nil {
		return Robot{}, err
	}
	return d.readRobotWithGroups(ctx, org, id)
}

func (d *Directory) readRobotWithGroups(ctx context.Context, org OrganisationID, id RobotID) (Robot, error) {
	account, err := readRobot(d.db.Read(ctx), org, id)
	if err != nil {
		return Robot{}, err
	}
	list, err := d.withGroups(ctx, org, account)
	if err != nil {
		return Robot{}, err
	}
	return list[0], nil
}

func (d *Directory) withGroups(ctx context.Context, org OrganisationID, accounts ...RobotAccount) ([]Robot, error) {
	ids := make([]string, len(accounts))
	for i := range accounts {
		ids[i] = string(accounts[i].ID)
	}
	groups, err := readRobotGroups(d.db.Read(ctx), org, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Robot, len(accounts))
	for i, account := range accounts {
		list[i] = Robot{RobotAccount: account, Groups: groups[account.ID]}
	}
	return list, nil
}
