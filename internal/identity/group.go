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

// GroupID is the ID of a group.
type GroupID string

// ParseGroupID returns s as an ID; ok is false when it cannot be one.
func ParseGroupID(s string) (id GroupID, ok bool) {
	s, ok = database.ParseID(s)
	return GroupID(s), ok
}

// GroupKind says where a group comes from.
type GroupKind string

// The kinds of groups.
const (
	GroupBuiltIn  GroupKind = "built_in" // made with the organisation; name and roles are fixed, it cannot be deleted
	GroupLocal    GroupKind = "local"    // made by somebody of the organisation
	GroupProvider GroupKind = "provider" // follows an identity provider; none is made yet
)

// The names of the built-in groups of a customer. Their members hold the built-in roles Administrator and Viewer.
const (
	GroupAdministrators = "Administrators"
	GroupViewers        = "Viewers"
)

// MaxIDs bounds how many IDs one act upon groups or robot accounts takes: each is a row that is written while other
// writers wait.
const MaxIDs = 500

// Group is a set of people and robot accounts of one organisation, who hold the rights of its roles besides their own.
// Groups hold no groups. ModifiedAt is when name, roles or members changed last.
type Group struct {
	ID           GroupID
	Organisation OrganisationID
	Name         string
	Kind         GroupKind
	Roles        []Role
	People       int // members, whatever their state
	Robots       int
	CreatedAt    time.Time
	ModifiedAt   time.Time
	Version      int64
}

// Rights returns what the group passes to its members.
func (g Group) Rights() access.Set { return together(g.Roles) }

// NewGroup is what CreateGroup is asked for. Roles are names. Members are IDs of people and of robot accounts of the
// organisation, as they came from outside.
type NewGroup struct {
	Organisation OrganisationID
	Name         string
	Roles        []string
	Members      []string
}

// GroupChange is what ChangeGroup is asked for: what is nil or empty stays as it is. Roles are names and replace those the
// group has. Add and Remove are IDs of people and robot accounts as they came from outside; who is a member already, or is
// none, stays so. Version is the one the actor saw, for changes that replace; 0 leaves the question out.
type GroupChange struct {
	Name    *string
	Roles   *[]string
	Add     []string
	Remove  []string
	Version int64
}

func groupAct(action string, org OrganisationID, id GroupID) audit.Act {
	return audit.Act{
		Right: access.RobotsManage, Action: action, Organisation: org,
		Target: audit.Target{Kind: "group", ID: string(id)},
	}
}

// builtInGroups returns the groups of a new organisation, given its roles.
func builtInGroups(org Organisation, roles []Role) []Group {
	if org.Kind == Platform {
		return nil
	}
	names := map[string]string{RoleAdministrator: GroupAdministrators, RoleViewer: GroupViewers}
	var list []Group
	for _, r := range roles {
		if name, ok := names[r.Name]; ok {
			list = append(list, Group{
				ID: GroupID(database.NewID()), Organisation: org.ID, Name: name, Kind: GroupBuiltIn, Roles: []Role{r}, Version: 1,
			})
		}
	}
	return list
}

// CreateGroup makes a local group. It takes robots.manage and every right of the roles given to it. The answers are
// problem.Invalid with faults of the fields name, roles and members, problem.Forbidden and problem.NotFound. Names are
// unique in the organisation, compared by Fold.
func (d *Directory) CreateGroup(ctx context.Context, actor access.Actor, n NewGroup) (Group, error) {
	group := Group{ID: GroupID(database.NewID()), Organisation: n.Organisation, Kind: GroupLocal, Version: 1}
	act := groupAct("group.create", n.Organisation, group.ID)
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return Group{}, err
	}
	var found faults
	var f *problem.Field
	group.Name, f = Text("group.name", n.Name, 2, 80)
	found.add(f)
	members, f := parseMembers("group.members", n.Members)
	found.add(f)
	if err := found.err(); err != nil {
		return Group{}, err
	}
	act.Target.Label = group.Name
	err := d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		group.CreatedAt, group.ModifiedAt = tx.Now(), tx.Now()
		var err error
		if group.Roles, err = rolesNamed(tx, "group.roles", n.Organisation, n.Roles); err == nil {
			err = Power(actor, n.Organisation, group.Rights())
		}
		if err != nil {
			return audit.Change{}, err
		}
		sorted, err := sortMembers(tx, "group.members", group.Organisation, members)
		if err != nil {
			return audit.Change{}, err
		}
		if err := insertGroup(tx, group); err != nil {
			return audit.Change{}, err
		}
		if err := addMembers(tx, group.Organisation, group.ID, sorted); err != nil {
			return audit.Change{}, err
		}
		group.People, group.Robots = len(sorted.people), len(sorted.robots)
		return audit.Change{After: map[string]any{
			"name": group.Name, "roles": roleNames(group.Roles), "people": sorted.people, "robots": sorted.robots,
		}}, nil
	})
	if err != nil {
		return Group{}, err
	}
	return group, nil
}

// ChangeGroup renames a group, replaces its roles and adds and removes members, all or nothing. It takes robots.manage;
// with members added every right of the group, with roles added every right of these. A built-in group keeps its name and
// roles (problem.Conflict), and no change leaves the organisation without anybody who manages roles (problem.Conflict).
// The answers are else those of CreateGroup, with faults of the fields add and remove, and problem.Stale. It returns the
// group as it then is.
func (d *Directory) ChangeGroup(ctx context.Context, actor access.Actor, org OrganisationID, id GroupID, c GroupChange) (Group, error) {
	act := groupAct("group.change", org, id)
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return Group{}, err
	}
	add, remove, err := c.check()
	if err != nil {
		return Group{}, err
	}
	err = d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		group, err := readGroup(tx.DB(), org, id)
		if err != nil {
			return audit.Change{}, err
		}
		if c.Version != 0 && c.Version != group.Version {
			return audit.Change{}, stale()
		}
		w := groupWriter{tx: tx, actor: actor, was: group, now: group}
		if err := w.change(c, add, remove); err != nil {
			return audit.Change{}, err
		}
		return w.finish(act.Target)
	})
	if err != nil {
		return Group{}, err
	}
	return readGroup(d.db.Read(ctx), org, id)
}

// check returns the members to add and to remove.
func (c *GroupChange) check() (add, remove []string, err error) {
	var found faults
	if c.Name != nil {
		name, f := Text("group.name", *c.Name, 2, 80)
		found.add(f)
		c.Name = &name
	}
	add, f := parseMembers("group.add", c.Add)
	found.add(f)
	remove, f = parseMembers("group.remove", c.Remove)
	found.add(f)
	if overlap(add, remove) {
		found.add(fault("group.remove", "both"))
	}
	return add, remove, found.err()
}

// groupWriter changes one group within a transaction.
type groupWriter struct {
	tx       *database.Tx
	actor    access.Actor
	was, now Group
	added    members
	removed  members
}

func (w *groupWriter) change(c GroupChange, add, remove []string) error {
	if err := w.describe(c); err != nil {
		return err
	}
	adding, err := sortMembers(w.tx, "group.add", w.was.Organisation, add)
	if err != nil {
		return err
	}
	removing, err := sortMembers(w.tx, "group.remove", w.was.Organisation, remove)
	if err != nil {
		return err
	}
	held, err := membersOf(w.tx.DB(), w.was.Organisation, w.was.ID)
	if err != nil {
		return err
	}
	w.added, w.removed = adding.without(held), removing.within(held)
	gains := without(w.now.Rights(), w.was.Rights())
	if w.added.count() > 0 {
		gains = w.now.Rights()
	}
	return Power(w.actor, w.was.Organisation, gains)
}

// describe takes over the new name and roles.
func (w *groupWriter) describe(c GroupChange) error {
	if c.Name != nil {
		w.now.Name = *c.Name
	}
	if c.Roles != nil {
		var err error
		if w.now.Roles, err = rolesNamed(w.tx, "group.roles", w.was.Organisation, *c.Roles); err != nil {
			return err
		}
	}
	if w.was.Kind == GroupBuiltIn && (w.now.Name != w.was.Name || w.newRoles()) {
		return problem.New(problem.Conflict, "identity.group_built_in", "Name", w.was.Name)
	}
	return nil
}

func (w *groupWriter) newRoles() bool {
	was, now := roleNames(w.was.Roles), roleNames(w.now.Roles)
	slices.Sort(was)
	slices.Sort(now)
	return !slices.Equal(was, now)
}

// finish writes what changed and returns it for the event.
func (w *groupWriter) finish(target audit.Target) (audit.Change, error) {
	target.Label = w.now.Name
	change := audit.Change{Target: target, Before: map[string]any{}, After: map[string]any{}}
	if w.now.Name != w.was.Name {
		change.Before["name"], change.After["name"] = w.was.Name, w.now.Name
	}
	if w.newRoles() {
		change.Before["roles"], change.After["roles"] = roleNames(w.was.Roles), roleNames(w.now.Roles)
	}
	w.added.record(change.After)
	w.removed.record(change.Before)
	if len(change.Before) == 0 && len(change.After) == 0 {
		return change, audit.ErrNothing
	}
	return change, keepAdministrator(w.tx, w.was.Organisation, w.write)
}

func (w *groupWriter) write() error {
	org, id := w.was.Organisation, w.was.ID
	if err := w.writeGroup(); err != nil {
		return err
	}
	if w.newRoles() {
		if err := replaceGroupRoles(w.tx, w.now); err != nil {
			return err
		}
		w.tx.Changed(database.TopicRole, string(org))
	}
	if err := addMembers(w.tx, org, id, w.added); err != nil {
		return err
	}
	return removeMembers(w.tx, org, id, w.removed)
}

// writeGroup raises the version only for what a form shows, so that those who add members at once do not collide.
func (w *groupWriter) writeGroup() error {
	if w.now.Name == w.was.Name && !w.newRoles() {
		return touchGroups(w.tx, w.was.Organisation, []string{string(w.was.ID)})
	}
	return updateGroup(w.tx, w.now)
}

// keepAdministrator runs a change and refuses it when it takes the last person who manages the organisation's roles out:
// nobody could give that right again but the platform.
func keepAdministrator(tx *database.Tx, org OrganisationID, change func() error) error {
	before, err := readAdministrators(tx.DB(), org)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	after, err := readAdministrators(tx.DB(), org)
	if err == nil && len(before) > 0 && len(after) == 0 {
		err = problem.New(problem.Conflict, "identity.last_administrator")
	}
	return err
}

// DeleteGroups deletes groups, all or none. It takes robots.manage. The answers are problem.Invalid with a fault of the
// field groups (none, too many, unknown), problem.NotFound for a single unknown one, and problem.Conflict for a built-in
// group and for one whose end leaves nobody who manages roles.
func (d *Directory) DeleteGroups(ctx context.Context, actor access.Actor, org OrganisationID, ids []string) error {
	act := groupAct("group.delete", org, "")
	if len(ids) == 1 {
		act.Target.ID = ids[0]
	}
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return err
	}
	ids, f := parseIDs("group.groups", ids)
	if f != nil {
		return problem.Fields(*f)
	}
	return d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		gone, err := groupsToDelete(tx, org, ids)
		if err != nil {
			return audit.Change{}, err
		}
		err = keepAdministrator(tx, org, func() error {
			for _, group := range gone {
				if err := deleteGroup(tx, group); err != nil {
					return err
				}
			}
			return nil
		})
		tx.Changed(database.TopicRole, string(org))
		return deletion(act.Target.Kind, gone, func(g Group) (string, string) { return string(g.ID), g.Name }), err
	})
}

func groupsToDelete(tx *database.Tx, org OrganisationID, ids []string) ([]Group, error) {
	list, err := groupsWithin(tx, org, ids)
	switch {
	case err != nil:
		return nil, err
	case len(list) < len(ids) && len(ids) == 1:
		return nil, notFound()
	case len(list) < len(ids):
		return nil, problem.Fields(*fault("group.groups", "unknown"))
	}
	for _, group := range list {
		if group.Kind == GroupBuiltIn {
			return nil, problem.New(problem.Conflict, "identity.group_built_in", "Name", group.Name)
		}
	}
	return list, nil
}

// deletion makes the events of things that are deleted together: one for each, so that each one's history ends with it.
func deletion[T any](kind string, gone []T, name func(T) (id, name string)) audit.Change {
	var change audit.Change
	for i, one := range gone {
		id, label := name(one)
		target, fields := audit.Target{Kind: kind, ID: id, Label: label}, map[string]any{"name": label}
		if i == 0 {
			change.Target, change.Before = target, fields
			continue
		}
		change.Together = append(change.Together, audit.Together{Target: target, Before: fields})
	}
	return change
}
