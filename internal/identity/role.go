package identity

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// The names of the built-in roles.
const (
	RoleAdministrator         = "Administrator"          // customer: every right of an organisation
	RoleViewer                = "Viewer"                 // customer: the view rights
	RolePlatformAdministrator = "Platform administrator" // platform: every right of the platform, and its own apps
	RoleSupport               = "Support"                // platform: support lookup
)

// Role is a named set of rights of one organisation, held by people and robot accounts.
type Role struct {
	ID           RoleID
	Organisation OrganisationID
	Name         string
	Rights       access.Set
	BuiltIn      bool
	CreatedAt    time.Time
	Version      int64
}

// NewRole is what CreateRole is asked for.
type NewRole struct {
	Organisation OrganisationID
	Name         string
	Rights       []access.Right
}

func builtInRoles(org Organisation) []Role {
	role := func(name string, rights ...access.Right) Role {
		return Role{
			ID: RoleID(database.NewID()), Organisation: org.ID, Name: name, Rights: access.NewSet(rights...),
			BuiltIn: true, Version: 1,
		}
	}
	if org.Kind == Platform {
		all := append(access.PlatformRights(), access.PlatformOwnRights()...)
		return []Role{role(RolePlatformAdministrator, all...), role(RoleSupport, access.SupportLookup)}
	}
	return []Role{role(RoleAdministrator, access.OrganisationRights()...), role(RoleViewer, access.ViewRights()...)}
}

// CreateRole makes a role. It takes roles.manage and every right that the role shall hold. All rights are off unless
// named; a manage right brings its view right with it.
func (d *Directory) CreateRole(ctx context.Context, actor access.Actor, n NewRole) (Role, error) {
	role := Role{ID: RoleID(database.NewID()), Organisation: n.Organisation, Rights: access.NewSet(n.Rights...), Version: 1}
	act := audit.Act{
		Right: ManageRight(actor, n.Organisation, access.RolesManage), Action: "role.create", Organisation: n.Organisation,
		Target: audit.Target{Kind: "role", ID: string(role.ID)},
	}
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return Role{}, err
	}
	name, f := Text("role.name", n.Name, 2, 80)
	if f != nil {
		return Role{}, problem.Fields(*f)
	}
	role.Name, act.Target.Label = name, name
	err := d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		role.CreatedAt = tx.Now()
		if err := checkRights(tx, actor, role.Organisation, role.Rights); err != nil {
			return audit.Change{}, err
		}
		if err := insertRole(tx, role); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicRole, string(role.Organisation))
		return audit.Change{After: map[string]any{"name": role.Name, "rights": role.Rights.Rights()}}, nil
	})
	if err != nil {
		return Role{}, err
	}
	return role, nil
}

// checkRights makes sure that roles of the organisation may hold the rights at all, and that the actor may give them.
func checkRights(tx *database.Tx, actor access.Actor, id OrganisationID, rights access.Set) error {
	org, err := organisationWithin(tx, id)
	if err != nil {
		return err
	}
	if !allowed(org.Kind).HasAll(rights) {
		return problem.Fields(*fault("role.rights", "invalid"))
	}
	return Power(actor, id, rights)
}

// SetRoleRights replaces the rights of a role. It takes roles.manage and every right that the role gains.
func (d *Directory) SetRoleRights(ctx context.Context, actor access.Actor, role Role, rights []access.Right) error {
	act := audit.Act{
		Right: ManageRight(actor, role.Organisation, access.RolesManage), Action: "role.rights", Organisation: role.Organisation,
		Target: audit.Target{Kind: "role", ID: string(role.ID), Label: role.Name},
	}
	wanted := access.NewSet(rights...)
	return d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		now, err := roleWithin(tx, role.Organisation, role.ID)
		if err != nil {
			return audit.Change{}, err
		}
		if now.Version != role.Version {
			return audit.Change{}, stale()
		}
		if now.Rights.HasAll(wanted) && wanted.HasAll(now.Rights) {
			return audit.Change{}, audit.ErrNothing
		}
		if err := checkRights(tx, actor, role.Organisation, without(wanted, now.Rights)); err != nil {
			return audit.Change{}, err
		}
		if err := replaceRights(tx, now, wanted); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicRole, string(role.Organisation))
		return audit.Change{
			Before: map[string]any{"rights": now.Rights.Rights()}, After: map[string]any{"rights": wanted.Rights()},
		}, nil
	})
}

// without returns the rights of a that b lacks.
func without(a, b access.Set) access.Set {
	rest := access.Set{}
	for r := range a {
		if !b.Has(r) {
			rest[r] = struct{}{}
		}
	}
	return rest
}

// Roles returns the roles of an organisation in the order of their names.
func (d *Directory) Roles(ctx context.Context, org OrganisationID) ([]Role, error) {
	list, err := readRoles(d.db.Read(ctx), org)
	byFold(list, func(r Role) string { return r.Name })
	return list, err
}

// rolesNamed returns the organisation's roles with these names, or a fault of the field that names one it lacks.
func rolesNamed(tx *database.Tx, field string, org OrganisationID, names []string) ([]Role, error) {
	list, err := readRoles(tx.DB(), org)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]Role, len(list))
	for _, r := range list {
		byName[Fold(r.Name)] = r
	}
	var found []Role
	for _, name := range names {
		key := Fold(name)
		role, ok := byName[key]
		if !ok {
			return nil, problem.Fields(*fault(field, "unknown"))
		}
		if !containsRole(found, role.ID) {
			found = append(found, role)
		}
	}
	return found, nil
}

func containsRole(list []Role, id RoleID) bool {
	for _, r := range list {
		if r.ID == id {
			return true
		}
	}
	return false
}

// together returns the rights of all the roles.
func together(roles []Role) access.Set {
	all := access.Set{}
	for _, role := range roles {
		for r := range role.Rights {
			all[r] = struct{}{}
		}
	}
	return all
}

func roleNames(roles []Role) []string {
	names := make([]string, 0, len(roles))
	for _, r := range roles {
		names = append(names, r.Name)
	}
	return names
}
