package identity

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

type groupRow struct {
	ID             string `gorm:"primaryKey"`
	OrganisationID string
	Name           string
	NameKey        string
	Kind           string
	CreatedAt      time.Time `gorm:"serializer:micros"`
	ModifiedAt     time.Time `gorm:"serializer:micros"`
	Version        int64
}

// TableName names the table for the ORM.
func (*groupRow) TableName() string { return "groups" }

func insertGroup(tx *database.Tx, g Group) error {
	err := tx.DB().Create(&groupRow{
		ID: string(g.ID), OrganisationID: string(g.Organisation), Name: g.Name, NameKey: Fold(g.Name), Kind: string(g.Kind),
		CreatedAt: g.CreatedAt, ModifiedAt: g.ModifiedAt, Version: g.Version,
	}).Error
	switch {
	case database.IsUniqueOn(err, "name_key"):
		return problem.Fields(*fault("group.name", "taken"))
	case database.IsForeignKey(err):
		return notFound()
	case err != nil:
		return fmt.Errorf("insert a group: %w", err)
	}
	return insertGroupRoles(tx, g)
}

func insertGroupRoles(tx *database.Tx, g Group) error {
	for _, role := range g.Roles {
		err := tx.DB().Exec("INSERT INTO group_roles (organisation_id, group_id, role_id) VALUES (?, ?, ?)",
			string(g.Organisation), string(g.ID), string(role.ID)).Error
		if err != nil {
			return fmt.Errorf("insert a group's role: %w", err)
		}
	}
	return nil
}

func replaceGroupRoles(tx *database.Tx, g Group) error {
	err := tx.DB().Exec("DELETE FROM group_roles WHERE organisation_id = ? AND group_id = ?",
		string(g.Organisation), string(g.ID)).Error
	if err != nil {
		return fmt.Errorf("delete a group's roles: %w", err)
	}
	return insertGroupRoles(tx, g)
}

// updateGroup writes the name and that the group changed.
func updateGroup(tx *database.Tx, g Group) error {
	result := tx.DB().Exec(`UPDATE groups SET name = ?, name_key = ?, modified_at = ?, version = version + 1
		WHERE organisation_id = ? AND id = ? AND version = ?`,
		g.Name, Fold(g.Name), database.Micros(tx.Now()), string(g.Organisation), string(g.ID), g.Version)
	if database.IsUniqueOn(result.Error, "name_key") {
		return problem.Fields(*fault("group.name", "taken"))
	}
	return one(result)
}

// touchGroups notes that the groups' members changed, which is no change of what a form shows.
func touchGroups(tx *database.Tx, org OrganisationID, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	err := tx.DB().Exec("UPDATE groups SET modified_at = ? WHERE organisation_id = ? AND id IN ?",
		database.Micros(tx.Now()), string(org), ids).Error
	if err != nil {
		return fmt.Errorf("touch groups: %w", err)
	}
	return nil
}

func deleteGroup(tx *database.Tx, g Group) error {
	for _, statement := range []string{
		"DELETE FROM group_people WHERE organisation_id = ? AND group_id = ?",
		"DELETE FROM group_robots WHERE organisation_id = ? AND group_id = ?",
		"DELETE FROM group_roles WHERE organisation_id = ? AND group_id = ?",
		"DELETE FROM groups WHERE organisation_id = ? AND id = ?",
	} {
		if err := tx.DB().Exec(statement, string(g.Organisation), string(g.ID)).Error; err != nil {
			if database.IsForeignKey(err) { // somebody became a member meanwhile
				return stale()
			}
			return fmt.Errorf("delete a group: %w", err)
		}
	}
	return nil
}

func readGroup(g *gorm.DB, org OrganisationID, id GroupID) (Group, error) {
	list, err := takeGroups(g, g.Where("organisation_id = ? AND id = ?", string(org), string(id)), org)
	if err == nil && len(list) == 0 {
		err = notFound()
	}
	if err != nil {
		return Group{}, err
	}
	return list[0], nil
}

func readGroups(g *gorm.DB, org OrganisationID) ([]Group, error) {
	return takeGroups(g, g.Where("organisation_id = ?", string(org)).Order("id"), org)
}

// takeGroups reads the groups that the condition names, with their roles and how many members they have.
func takeGroups(g, condition *gorm.DB, org OrganisationID) ([]Group, error) {
	var rows []groupRow
	if err := condition.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	roles, err := readRoles(g, org)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	var given []struct{ GroupID, RoleID string }
	err = g.Raw("SELECT group_id, role_id FROM group_roles WHERE organisation_id = ? AND group_id IN ?", string(org), ids).
		Scan(&given).Error
	if err != nil {
		return nil, fmt.Errorf("read the roles of groups: %w", err)
	}
	people, robots, err := countMembers(g, org, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Group, len(rows))
	for i := range rows {
		row := &rows[i]
		list[i] = Group{
			ID: GroupID(row.ID), Organisation: OrganisationID(row.OrganisationID), Name: row.Name, Kind: GroupKind(row.Kind),
			People: people[row.ID], Robots: robots[row.ID], CreatedAt: row.CreatedAt, ModifiedAt: row.ModifiedAt, Version: row.Version,
		}
		for _, one := range given {
			if at := slices.IndexFunc(roles, func(r Role) bool { return string(r.ID) == one.RoleID }); one.GroupID == row.ID && at >= 0 {
				list[i].Roles = append(list[i].Roles, roles[at])
			}
		}
		byFold(list[i].Roles, func(r Role) string { return r.Name })
	}
	return list, nil
}

func countMembers(g *gorm.DB, org OrganisationID, ids []string) (people, robots map[string]int, err error) {
	people, robots = map[string]int{}, map[string]int{}
	var rows []struct {
		GroupID string
		Robots  bool
		N       int
	}
	err = g.Raw(`SELECT group_id, FALSE AS robots, count(*) AS n FROM group_people WHERE organisation_id = ? AND group_id IN ? GROUP BY group_id
		UNION ALL
		SELECT group_id, TRUE AS robots, count(*) AS n FROM group_robots WHERE organisation_id = ? AND group_id IN ? GROUP BY group_id`,
		string(org), ids, string(org), ids).Scan(&rows).Error
	if err != nil {
		return nil, nil, fmt.Errorf("count the members of groups: %w", err)
	}
	for _, row := range rows {
		if row.Robots {
			robots[row.GroupID] = row.N
		} else {
			people[row.GroupID] = row.N
		}
	}
	return people, robots, nil
}

// groupsWithin returns the groups of the organisation with these IDs; who asks compares the number.
func groupsWithin(tx *database.Tx, org OrganisationID, ids []string) ([]Group, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return takeGroups(tx.DB(), tx.DB().Where("organisation_id = ? AND id IN ?", string(org), ids).Order("id"), org)
}

// readMemberIDs tells which of the IDs are people of the organisation and which robot accounts.
func readMemberIDs(g *gorm.DB, org OrganisationID, ids []string) (members, error) {
	var m members
	err := g.Raw("SELECT id FROM people WHERE organisation_id = ? AND id IN ? ORDER BY id", string(org), ids).Scan(&m.people).Error
	if err == nil {
		err = g.Raw("SELECT id FROM robot_accounts WHERE organisation_id = ? AND id IN ? AND deleted_at IS NULL ORDER BY id",
			string(org), ids).Scan(&m.robots).Error
	}
	if err != nil {
		return members{}, fmt.Errorf("tell members: %w", err)
	}
	return m, nil
}

func membersOf(g *gorm.DB, org OrganisationID, id GroupID) (members, error) {
	var m members
	err := g.Raw("SELECT person_id FROM group_people WHERE organisation_id = ? AND group_id = ?", string(org), string(id)).
		Scan(&m.people).Error
	if err == nil {
		err = g.Raw("SELECT robot_id FROM group_robots WHERE organisation_id = ? AND group_id = ?", string(org), string(id)).
			Scan(&m.robots).Error
	}
	if err != nil {
		return members{}, fmt.Errorf("read members: %w", err)
	}
	return m, nil
}

func readMembers(g *gorm.DB, org OrganisationID, ids []GroupID) (map[GroupID]Members, error) {
	var people []struct {
		GroupID GroupID
		Person  personRow `gorm:"embedded"`
	}
	err := g.Raw(`SELECT m.group_id, p.* FROM group_people m JOIN people p ON p.organisation_id = m.organisation_id AND p.id = m.person_id
		WHERE m.organisation_id = ? AND m.group_id IN ? ORDER BY p.id`, string(org), ids).Scan(&people).Error
	if err != nil {
		return nil, fmt.Errorf("read the people of groups: %w", err)
	}
	var robots []struct {
		GroupID GroupID
		Robot   robotRow `gorm:"embedded"`
	}
	err = g.Raw(`SELECT m.group_id, r.* FROM group_robots m
		JOIN robot_accounts r ON r.organisation_id = m.organisation_id AND r.id = m.robot_id
		WHERE m.organisation_id = ? AND m.group_id IN ? ORDER BY r.id`, string(org), ids).Scan(&robots).Error
	if err != nil {
		return nil, fmt.Errorf("read the robot accounts of groups: %w", err)
	}
	all := map[GroupID]Members{}
	for i := range people {
		m := all[people[i].GroupID]
		m.People = append(m.People, people[i].Person.person())
		all[people[i].GroupID] = m
	}
	for i := range robots {
		m := all[robots[i].GroupID]
		m.Robots = append(m.Robots, robots[i].Robot.account())
		all[robots[i].GroupID] = m
	}
	return all, nil
}

// addMembers puts people and robot accounts into a group. Who is in it already stays.
func addMembers(tx *database.Tx, org OrganisationID, id GroupID, m members) error {
	for _, person := range m.people {
		err := tx.DB().Exec(`INSERT INTO group_people (organisation_id, group_id, person_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			string(org), string(id), string(person)).Error
		if err != nil {
			return memberError(err)
		}
		tx.Changed(database.TopicPerson, string(person))
	}
	for _, robot := range m.robots {
		if err := holdRobot(tx, org, robot); err != nil {
			return err
		}
		err := tx.DB().Exec(`INSERT INTO group_robots (organisation_id, group_id, robot_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			string(org), string(id), string(robot)).Error
		if err != nil {
			return memberError(err)
		}
		tx.Changed(database.TopicRobot, string(robot))
	}
	return nil
}

// memberError is stale when group or member went away since they were read.
func memberError(err error) error {
	if database.IsForeignKey(err) {
		return stale()
	}
	return fmt.Errorf("insert a member: %w", err)
}

func removeMembers(tx *database.Tx, org OrganisationID, id GroupID, m members) error {
	for _, person := range m.people {
		err := tx.DB().Exec("DELETE FROM group_people WHERE organisation_id = ? AND group_id = ? AND person_id = ?",
			string(org), string(id), string(person)).Error
		if err != nil {
			return fmt.Errorf("delete a member: %w", err)
		}
		tx.Changed(database.TopicPerson, string(person))
	}
	for _, robot := range m.robots {
		err := tx.DB().Exec("DELETE FROM group_robots WHERE organisation_id = ? AND group_id = ? AND robot_id = ?",
			string(org), string(id), string(robot)).Error
		if err != nil {
			return fmt.Errorf("delete a member: %w", err)
		}
		tx.Changed(database.TopicRobot, string(robot))
	}
	return nil
}

// The roles that a person and a robot account hold, by themselves and through groups. Each takes organisation and ID
// twice.
const (
	personHolds = `SELECT role_id, NULL AS group_id FROM person_roles WHERE organisation_id = ? AND person_id = ?
		UNION ALL SELECT gr.role_id, gr.group_id FROM group_people m
		JOIN group_roles gr ON gr.organisation_id = m.organisation_id AND gr.group_id = m.group_id
		WHERE m.organisation_id = ? AND m.person_id = ?`
	robotHolds = `SELECT role_id, NULL AS group_id FROM robot_roles WHERE organisation_id = ? AND robot_id = ?
		UNION ALL SELECT gr.role_id, gr.group_id FROM group_robots m
		JOIN group_roles gr ON gr.organisation_id = m.organisation_id AND gr.group_id = m.group_id
		WHERE m.organisation_id = ? AND m.robot_id = ?`
)

// readGrants returns the effective rights of whom holds, one of the constants above, is about.
func readGrants(g *gorm.DB, holds string, org OrganisationID, id string) ([]Grant, error) {
	var rows []struct {
		RightName          access.Right
		RoleName           string
		GroupID, GroupName *string
	}
	err := g.Raw(`SELECT rr.right_name, r.name AS role_name, g.id AS group_id, g.name AS group_name FROM (`+holds+`) held
		JOIN roles r ON r.organisation_id = ? AND r.id = held.role_id
		JOIN role_rights rr ON rr.organisation_id = r.organisation_id AND rr.role_id = r.id
		LEFT JOIN groups g ON g.organisation_id = r.organisation_id AND g.id = held.group_id
		ORDER BY rr.right_name, held.group_id, r.id`, string(org), id, string(org), id, string(org)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read what gives rights: %w", err)
	}
	var list []Grant
	for _, row := range rows {
		at := slices.IndexFunc(list, func(g Grant) bool { return g.Right == row.RightName })
		if at < 0 {
			at = len(list)
			list = append(list, Grant{Right: row.RightName})
		}
		source := Source{Role: row.RoleName}
		if row.GroupID != nil {
			source.Group, source.GroupName = GroupID(*row.GroupID), *row.GroupName
		}
		list[at].Sources = append(list[at].Sources, source)
	}
	slices.SortFunc(list, func(a, b Grant) int { return cmp.Compare(a.Right, b.Right) })
	for i := range list {
		byFold(list[i].Sources, func(s Source) string { return s.GroupName + "\x00" + s.Role })
	}
	return list, nil
}

// The roles that the members of a group hold without it, people and robot accounts. Each takes organisation and group
// twice.
const (
	peopleWithout = `SELECT r.person_id AS id, r.role_id FROM group_people m
		JOIN person_roles r ON r.organisation_id = m.organisation_id AND r.person_id = m.person_id
		WHERE m.organisation_id = ? AND m.group_id = ?
		UNION SELECT o.person_id, gr.role_id FROM group_people m
		JOIN group_people o ON o.organisation_id = m.organisation_id AND o.person_id = m.person_id AND o.group_id <> m.group_id
		JOIN group_roles gr ON gr.organisation_id = o.organisation_id AND gr.group_id = o.group_id
		WHERE m.organisation_id = ? AND m.group_id = ?`
	robotsWithout = `SELECT r.robot_id AS id, r.role_id FROM group_robots m
		JOIN robot_roles r ON r.organisation_id = m.organisation_id AND r.robot_id = m.robot_id
		WHERE m.organisation_id = ? AND m.group_id = ?
		UNION SELECT o.robot_id, gr.role_id FROM group_robots m
		JOIN group_robots o ON o.organisation_id = m.organisation_id AND o.robot_id = m.robot_id AND o.group_id <> m.group_id
		JOIN group_roles gr ON gr.organisation_id = o.organisation_id AND gr.group_id = o.group_id
		WHERE m.organisation_id = ? AND m.group_id = ?`
)

// readOtherRights returns what the members of a group hold without it, by their IDs. held is one of the constants above.
func readOtherRights(g *gorm.DB, held string, org OrganisationID, id GroupID) (map[string]access.Set, error) {
	var rows []struct {
		ID        string
		RightName access.Right
	}
	err := g.Raw("SELECT DISTINCT held.id, rr.right_name FROM ("+held+`) held
		JOIN role_rights rr ON rr.organisation_id = ? AND rr.role_id = held.role_id`,
		string(org), string(id), string(org), string(id), string(org)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read what members hold besides: %w", err)
	}
	rights := map[string]access.Set{}
	for _, row := range rows {
		if rights[row.ID] == nil {
			rights[row.ID] = access.Set{}
		}
		rights[row.ID][row.RightName] = struct{}{}
	}
	return rights, nil
}
