package identity

import (
	"context"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// Members are those who belong to a group, each list in the order of names.
type Members struct {
	People []Person
	Robots []RobotAccount
}

// Loss is what somebody no longer holds when a group is gone: rights that neither own roles nor other groups give.
// Exactly one of Person and Robot is set.
type Loss struct {
	Person Person
	Robot  RobotAccount
	Rights access.Set
}

// members are the IDs of people and robot accounts, without repeats.
type members struct {
	people []PersonID
	robots []RobotID
}

func (m members) count() int { return len(m.people) + len(m.robots) }

// without returns those of m who are not in other.
func (m members) without(other members) members {
	return members{
		people: slices.DeleteFunc(slices.Clone(m.people), func(id PersonID) bool { return slices.Contains(other.people, id) }),
		robots: slices.DeleteFunc(slices.Clone(m.robots), func(id RobotID) bool { return slices.Contains(other.robots, id) }),
	}
}

// within returns those of m who are in other.
func (m members) within(other members) members { return m.without(m.without(other)) }

// record writes who they are into the fields of an event.
func (m members) record(fields map[string]any) {
	if len(m.people) > 0 {
		fields["people"] = m.people
	}
	if len(m.robots) > 0 {
		fields["robots"] = m.robots
	}
}

// parseMembers is parseIDs for lists that may be empty.
func parseMembers(field string, texts []string) ([]string, *problem.Field) {
	if len(texts) == 0 {
		return nil, nil
	}
	return parseIDs(field, texts)
}

// parseIDs returns the IDs without repeats. A fault is one of missing, too_many (Max) and unknown: what cannot be an ID is
// nobody's, and is told in the same words.
func parseIDs(field string, texts []string) ([]string, *problem.Field) {
	switch {
	case len(texts) == 0:
		return nil, fault(field, "missing")
	case len(texts) > MaxIDs:
		return nil, fault(field, "too_many", "Max", MaxIDs)
	}
	seen := make(map[string]bool, len(texts))
	var ids []string
	for _, text := range texts {
		id, ok := database.ParseID(text)
		if !ok {
			return nil, fault(field, "unknown")
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(id string) bool { return slices.Contains(b, id) })
}

// sortMembers tells people from robot accounts. An ID of neither, or of another organisation's, is a fault of the field.
func sortMembers(tx *database.Tx, field string, org OrganisationID, ids []string) (members, error) {
	if len(ids) == 0 {
		return members{}, nil
	}
	m, err := readMemberIDs(tx.DB(), org, ids)
	if err == nil && m.count() != len(ids) {
		err = problem.Fields(*fault(field, "unknown"))
	}
	return m, err
}

// Groups returns the groups of an organisation in the order of their names. It takes robots.view.
func (d *Directory) Groups(ctx context.Context, actor access.Actor, org OrganisationID) ([]Group, error) {
	if err := d.mayView(ctx, actor, "group.list", org); err != nil {
		return nil, err
	}
	list, err := readGroups(d.db.Read(ctx), org)
	byFold(list, func(g Group) string { return g.Name })
	return list, err
}

// Group returns one group, or problem.NotFound. It takes robots.view.
func (d *Directory) Group(ctx context.Context, actor access.Actor, org OrganisationID, id GroupID) (Group, error) {
	if err := d.mayView(ctx, actor, "group.show", org); err != nil {
		return Group{}, err
	}
	return readGroup(d.db.Read(ctx), org, id)
}

// MembersOf returns the members of groups of the organisation; a group without members, or of somebody else, has no entry.
// It takes robots.view.
func (d *Directory) MembersOf(ctx context.Context, actor access.Actor, org OrganisationID, ids ...GroupID) (map[GroupID]Members, error) {
	if err := d.mayView(ctx, actor, "group.show", org); err != nil {
		return nil, err
	}
	all, err := readMembers(d.db.Read(ctx), org, ids)
	for _, m := range all {
		byName(m.People)
		byFold(m.Robots, func(r RobotAccount) string { return r.Name })
	}
	return all, err
}

// Losses returns who loses which rights when the group is deleted; who loses none is left out. It takes robots.view. The
// answer is problem.NotFound when there is no such group.
func (d *Directory) Losses(ctx context.Context, actor access.Actor, org OrganisationID, id GroupID) ([]Loss, error) {
	group, err := d.Group(ctx, actor, org, id)
	if err != nil {
		return nil, err
	}
	all, err := d.MembersOf(ctx, actor, org, id)
	if err != nil {
		return nil, err
	}
	people, err := readOtherRights(d.db.Read(ctx), peopleWithout, org, id)
	if err != nil {
		return nil, err
	}
	robots, err := readOtherRights(d.db.Read(ctx), robotsWithout, org, id)
	if err != nil {
		return nil, err
	}
	var losses []Loss
	for _, p := range all[id].People {
		if lost := without(group.Rights(), people[string(p.ID)]); len(lost) > 0 {
			losses = append(losses, Loss{Person: p, Rights: lost})
		}
	}
	for _, r := range all[id].Robots {
		if lost := without(group.Rights(), robots[string(r.ID)]); len(lost) > 0 {
			losses = append(losses, Loss{Robot: r, Rights: lost})
		}
	}
	return losses, nil
}

// mayView asks for robots.view, recording a refusal.
func (d *Directory) mayView(ctx context.Context, actor access.Actor, action string, org OrganisationID) error {
	return d.trail.Check(ctx, actor, audit.Act{
		Right: access.RobotsView, Action: action, Organisation: org,
		Target: audit.Target{Kind: "organisation", ID: string(org)},
	})
}
