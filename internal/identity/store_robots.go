package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

type robotRow struct {
	ID             string `gorm:"primaryKey"`
	OrganisationID string
	Name           string
	NameKey        string
	DisplayName    string
	DisplayKey     string
	Kind           string
	Status         string
	ExpiresAt      *time.Time `gorm:"serializer:micros"`
	CreatedAt      time.Time  `gorm:"serializer:micros"`
	DeletedAt      *time.Time `gorm:"serializer:micros"`
	Version        int64
}

// TableName names the table for the ORM.
func (*robotRow) TableName() string { return "robot_accounts" }

func (r *robotRow) account() RobotAccount {
	robot := RobotAccount{
		ID: RobotID(r.ID), Organisation: OrganisationID(r.OrganisationID), Name: r.Name, DisplayName: r.DisplayName,
		Kind: RobotKind(r.Kind), Status: Status(r.Status), CreatedAt: r.CreatedAt, Version: r.Version,
	}
	if r.ExpiresAt != nil {
		robot.ExpiresAt = *r.ExpiresAt
	}
	return robot
}

func insertRobot(tx *database.Tx, robot RobotAccount, roles ...Role) error {
	row := &robotRow{
		ID: string(robot.ID), OrganisationID: string(robot.Organisation), Name: robot.Name, NameKey: Fold(robot.Name),
		DisplayName: robot.DisplayName, DisplayKey: Fold(robot.DisplayName), Kind: string(robot.Kind), Status: string(robot.Status),
		CreatedAt: robot.CreatedAt, Version: robot.Version,
	}
	if !robot.ExpiresAt.IsZero() {
		row.ExpiresAt = &robot.ExpiresAt
	}
	err := tx.DB().Create(row).Error
	switch {
	case database.IsUniqueOn(err, "name_key"):
		return problem.Fields(*fault("robot.name", "taken"))
	case database.IsForeignKey(err):
		return notFound()
	case err != nil:
		return fmt.Errorf("insert a robot account: %w", err)
	}
	for _, role := range roles {
		err := tx.DB().Exec("INSERT INTO robot_roles (organisation_id, robot_id, role_id) VALUES (?, ?, ?)",
			string(robot.Organisation), string(robot.ID), string(role.ID)).Error
		if err != nil {
			return fmt.Errorf("insert a robot account's role: %w", err)
		}
	}
	return nil
}

func readRobot(g *gorm.DB, org OrganisationID, id RobotID) (RobotAccount, error) {
	var row robotRow
	err := g.Where("organisation_id = ? AND id = ? AND deleted_at IS NULL", string(org), string(id)).Take(&row).Error
	if database.IsNotFound(err) {
		return RobotAccount{}, notFound()
	}
	if err != nil {
		return RobotAccount{}, fmt.Errorf("read a robot account: %w", err)
	}
	return row.account(), nil
}

// readRobots returns the accounts with these IDs; who asks compares the number.
func readRobots(g *gorm.DB, org OrganisationID, ids []string) ([]RobotAccount, error) {
	var rows []robotRow
	err := g.Where("organisation_id = ? AND id IN ? AND deleted_at IS NULL", string(org), ids).Order("id").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read robot accounts: %w", err)
	}
	list := make([]RobotAccount, len(rows))
	for i := range rows {
		list[i] = rows[i].account()
	}
	return list, nil
}

func (d *Directory) readAPIUsers(ctx context.Context, org OrganisationID) ([]RobotAccount, error) {
	var rows []robotRow
	err := d.db.Read(ctx).Where("organisation_id = ? AND kind IN ? AND deleted_at IS NULL", string(org),
		[]string{string(KindClient), string(KindSupplier), string(KindMSP)}).Order("id").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read API users: %w", err)
	}
	list := make([]RobotAccount, len(rows))
	for i := range rows {
		list[i] = rows[i].account()
	}
	return list, nil
}

func robotRights(g *gorm.DB, org OrganisationID, id RobotID) (access.Set, error) {
	var names []access.Right
	err := g.Raw("SELECT DISTINCT rr.right_name FROM ("+robotHolds+`) held
		JOIN role_rights rr ON rr.organisation_id = ? AND rr.role_id = held.role_id`,
		string(org), string(id), string(org), string(id), string(org)).Scan(&names).Error
	if err != nil {
		return nil, fmt.Errorf("read a robot account's rights: %w", err)
	}
	return access.NewSet(names...), nil
}

// readRightsOfRobots is robotRights for several accounts.
func readRightsOfRobots(g *gorm.DB, org OrganisationID, ids []RobotID) (map[RobotID]access.Set, error) {
	rights := map[RobotID]access.Set{}
	for len(ids) > 0 {
		var texts []string
		for _, id := range ids[:min(len(ids), MaxIDs)] {
			texts = append(texts, string(id))
		}
		ids = ids[len(texts):]
		var rows []struct {
			RobotID   RobotID
			RightName access.Right
		}
		err := g.Raw(`SELECT held.robot_id, rr.right_name FROM (
				SELECT robot_id, role_id FROM robot_roles WHERE organisation_id = ? AND robot_id IN ?
				UNION SELECT m.robot_id, gr.role_id FROM group_robots m
				JOIN group_roles gr ON gr.organisation_id = m.organisation_id AND gr.group_id = m.group_id
				WHERE m.organisation_id = ? AND m.robot_id IN ?) held
			JOIN role_rights rr ON rr.organisation_id = ? AND rr.role_id = held.role_id`,
			string(org), texts, string(org), texts, string(org)).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("read the rights of robot accounts: %w", err)
		}
		for _, row := range rows {
			if rights[row.RobotID] == nil {
				rights[row.RobotID] = access.Set{}
			}
			rights[row.RobotID][row.RightName] = struct{}{}
		}
	}
	return rights, nil
}

func updateRobotStatus(tx *database.Tx, robot RobotAccount, status Status) error {
	return one(tx.DB().Exec(`UPDATE robot_accounts SET status = ?, version = version + 1
		WHERE organisation_id = ? AND id = ? AND version = ? AND deleted_at IS NULL`,
		string(status), string(robot.Organisation), string(robot.ID), robot.Version))
}

// updateRobot writes display name and expiry.
func updateRobot(tx *database.Tx, robot RobotAccount) error {
	var expires *int64
	if !robot.ExpiresAt.IsZero() {
		at := database.Micros(robot.ExpiresAt)
		expires = &at
	}
	return one(tx.DB().Exec(`UPDATE robot_accounts SET display_name = ?, display_key = ?, expires_at = ?, version = version + 1
		WHERE organisation_id = ? AND id = ? AND version = ? AND deleted_at IS NULL`,
		robot.DisplayName, Fold(robot.DisplayName), expires, string(robot.Organisation), string(robot.ID), robot.Version))
}

// holdRobot keeps an account from being deleted before this transaction ends: its row stays when it is, so that no foreign
// key tells.
func holdRobot(tx *database.Tx, org OrganisationID, id RobotID) error {
	return one(tx.DB().Exec("UPDATE robot_accounts SET version = version WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL",
		string(org), string(id)))
}

// deleteRobot takes an account out of everything but its row, which deleted apps name. A key that begins with a space is
// nobody's name. The row comes first: who put the account into a group holds it until that is there to be deleted.
func deleteRobot(tx *database.Tx, robot RobotAccount) error {
	err := one(tx.DB().Exec(`UPDATE robot_accounts SET deleted_at = ?, status = ?, name_key = ' ' || id, version = version + 1
		WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL`,
		database.Micros(tx.Now()), string(Inactive), string(robot.Organisation), string(robot.ID)))
	if err != nil {
		return err
	}
	for _, statement := range []string{
		"DELETE FROM group_robots WHERE organisation_id = ? AND robot_id = ?",
		"DELETE FROM robot_roles WHERE organisation_id = ? AND robot_id = ?",
	} {
		if err := tx.DB().Exec(statement, string(robot.Organisation), string(robot.ID)).Error; err != nil {
			return fmt.Errorf("delete what a robot account holds: %w", err)
		}
	}
	return nil
}

// robotOrders are the ways in which robot accounts are listed, each with the ID last so that pages neither repeat nor
// leave out.
var robotOrders = map[RobotSort][2]string{
	RobotByName:        {"name_key, id", "name_key DESC, id DESC"},
	RobotByDisplayName: {"display_key, id", "display_key DESC, id DESC"},
	RobotByCreation:    {"created_at, id", "created_at DESC, id DESC"},
}

// likeEscape makes a text stand for itself in LIKE … ESCAPE '!'.
var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func (q RobotQuery) find(g *gorm.DB) (int, []RobotAccount, error) {
	conditions := func() *gorm.DB {
		g := g.Model(&robotRow{}).Where("organisation_id = ? AND deleted_at IS NULL", string(q.Organisation))
		if key := Fold(q.Search); key != "" {
			pattern := "%" + likeEscape.Replace(key) + "%"
			g = g.Where("(name_key LIKE ? ESCAPE '!' OR display_key LIKE ? ESCAPE '!')", pattern, pattern)
		}
		return g
	}
	var total int64
	if err := conditions().Count(&total).Error; err != nil {
		return 0, nil, fmt.Errorf("count robot accounts: %w", err)
	}
	var rows []robotRow
	if q.Limit > 0 {
		if err := q.order(conditions()).Limit(q.Limit).Offset(q.Skip).Find(&rows).Error; err != nil {
			return 0, nil, fmt.Errorf("list robot accounts: %w", err)
		}
	}
	list := make([]RobotAccount, len(rows))
	for i := range rows {
		list[i] = rows[i].account()
	}
	return int(total), list, nil
}

func (q RobotQuery) order(g *gorm.DB) *gorm.DB {
	ways, ok := robotOrders[q.Sort]
	if !ok {
		ways = robotOrders[RobotByName]
	}
	if q.Descending {
		return g.Order(ways[1])
	}
	return g.Order(ways[0])
}

// readRobotGroups returns the groups of each robot account, by name.
func readRobotGroups(g *gorm.DB, org OrganisationID, ids []string) (map[RobotID][]GroupName, error) {
	groups := map[RobotID][]GroupName{}
	for len(ids) > 0 {
		var rows []struct {
			RobotID RobotID
			ID      GroupID
			Name    string
		}
		chunk := ids[:min(len(ids), MaxIDs)]
		ids = ids[len(chunk):]
		err := g.Raw(`SELECT m.robot_id, g.id, g.name FROM group_robots m
			JOIN groups g ON g.organisation_id = m.organisation_id AND g.id = m.group_id
			WHERE m.organisation_id = ? AND m.robot_id IN ? ORDER BY g.id`, string(org), chunk).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("read the groups of robot accounts: %w", err)
		}
		for _, row := range rows {
			groups[row.RobotID] = append(groups[row.RobotID], GroupName{ID: row.ID, Name: row.Name})
		}
	}
	for _, list := range groups {
		byFold(list, func(g GroupName) string { return g.Name })
	}
	return groups, nil
}

// addRobotGroups and removeRobotGroups are addMembers and removeMembers from the other side.
func addRobotGroups(tx *database.Tx, robot RobotAccount, groups []Group) error {
	for _, group := range groups {
		if err := addMembers(tx, robot.Organisation, group.ID, members{robots: []RobotID{robot.ID}}); err != nil {
			return err
		}
	}
	return nil
}

func removeRobotGroups(tx *database.Tx, robot RobotAccount, groups []Group) error {
	for _, group := range groups {
		if err := removeMembers(tx, robot.Organisation, group.ID, members{robots: []RobotID{robot.ID}}); err != nil {
			return err
		}
	}
	return nil
}
