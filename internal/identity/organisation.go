package identity

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// OrganisationKind tells a customer from the platform.
type OrganisationKind string

// The kinds of organisations. There is one platform in an installation.
const (
	Customer OrganisationKind = "customer"
	Platform OrganisationKind = "platform"
)

// Organisation is a tenant (product.md decision 16). ShortName is the {organization} of paths; ClientPrefix stands in
// every client ID of its apps.
type Organisation struct {
	ID           OrganisationID
	Name         string
	ShortName    string
	ClientPrefix string
	Kind         OrganisationKind
	Status       Status
	CreatedAt    time.Time
	Version      int64
}

// NewOrganisation is what CreateOrganisation is asked for. An empty ShortName is derived from the name; an empty Kind is
// Customer.
type NewOrganisation struct {
	Name         string
	ShortName    string
	ClientPrefix string
	Kind         OrganisationKind
}

const maxShortName = 40

var (
	prefixForm    = regexp.MustCompile(`^[A-Z0-9]{2,8}$`)
	shortNameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])$`)
)

// CreateOrganisation makes an organisation. A customer gets the API users "Client user", "Supplier user" and "MSP user",
// without rights, and the roles Administrator and Viewer with a group for each; the platform gets the roles Platform administrator and
// Support. Name, short name and prefix are unique and never used again. It takes organisations.manage.
func (d *Directory) CreateOrganisation(ctx context.Context, actor access.Actor, n NewOrganisation) (Organisation, error) {
	org := Organisation{ID: OrganisationID(database.NewID()), Status: Active, Version: 1}
	act := audit.Act{Right: access.OrganisationsManage, Action: "organisation.create", Organisation: actor.Organisation}
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return Organisation{}, err
	}
	if err := n.check(&org); err != nil {
		return Organisation{}, err
	}
	act.Organisation = org.ID
	act.Target = audit.Target{Kind: "organisation", ID: string(org.ID), Label: org.Name}
	err := d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		org.CreatedAt = tx.Now()
		if err := organisationFree(tx, org); err != nil {
			return audit.Change{}, err
		}
		if err := insertOrganisation(tx, org); err != nil {
			return audit.Change{}, err
		}
		after, err := furnish(tx, org)
		tx.Changed(database.TopicOrganisation, string(org.ID))
		return audit.Change{After: after}, err
	})
	if err != nil {
		return Organisation{}, err
	}
	return org, nil
}

// furnish gives a new organisation its roles, groups and API users and returns the fields of the event.
func furnish(tx *database.Tx, org Organisation) (map[string]any, error) {
	var roles, groups, robots []string
	builtIn := builtInRoles(org)
	for _, r := range builtIn {
		r.CreatedAt = tx.Now()
		if err := insertRole(tx, r); err != nil {
			return nil, err
		}
		roles = append(roles, r.Name)
	}
	for _, g := range builtInGroups(org, builtIn) {
		g.CreatedAt, g.ModifiedAt = tx.Now(), tx.Now()
		if err := insertGroup(tx, g); err != nil {
			return nil, err
		}
		groups = append(groups, g.Name)
	}
	for _, r := range builtInRobots(org) {
		r.CreatedAt = tx.Now()
		if err := insertRobot(tx, r); err != nil {
			return nil, err
		}
		robots = append(robots, r.Name)
	}
	after := map[string]any{
		"name": org.Name, "short_name": org.ShortName, "client_prefix": org.ClientPrefix,
		"kind": string(org.Kind), "status": string(org.Status), "roles": roles, "api_users": robots,
	}
	if len(groups) > 0 {
		after["groups"] = groups
	}
	return after, nil
}

// check fills org from what was asked for.
func (n NewOrganisation) check(org *Organisation) error {
	var found faults
	var f *problem.Field
	org.Name, f = Text("organisation.name", n.Name, 2, 80)
	found.add(f)
	org.ClientPrefix = strings.TrimSpace(n.ClientPrefix)
	switch {
	case org.ClientPrefix == "":
		found.add(fault("organisation.client_prefix", "missing"))
	case !prefixForm.MatchString(org.ClientPrefix):
		found.add(fault("organisation.client_prefix", "invalid"))
	}
	org.ShortName = strings.TrimSpace(n.ShortName)
	if org.ShortName == "" {
		org.ShortName = slug(org.Name)
	}
	if org.ShortName == "" { // a name without a Latin letter
		org.ShortName = strings.ToLower(org.ClientPrefix)
	}
	if !shortNameForm.MatchString(org.ShortName) && len(found) == 0 {
		found.add(fault("organisation.short_name", "invalid"))
	}
	org.Kind = n.Kind
	if org.Kind == "" {
		org.Kind = Customer
	}
	if org.Kind != Customer && org.Kind != Platform {
		found.add(fault("organisation.kind", "invalid"))
	}
	return found.err()
}

// slug derives a short name: Latin letters without accents, digits, and single hyphens for everything between.
func slug(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		default:
			if s := b.String(); s != "" && s[len(s)-1] != '-' {
				b.WriteByte('-')
			}
		}
	}
	s := b.String()
	return strings.Trim(s[:min(len(s), maxShortName)], "-")
}

// Organisations returns all organisations in the order of their names.
func (d *Directory) Organisations(ctx context.Context) ([]Organisation, error) {
	list, err := d.readOrganisations(ctx)
	byFold(list, func(o Organisation) string { return o.Name })
	return list, err
}

// Organisation returns one organisation, or problem.NotFound.
func (d *Directory) Organisation(ctx context.Context, id OrganisationID) (Organisation, error) {
	return d.readOrganisation(ctx, "id = ?", string(id))
}

// FindOrganisation returns the organisation with this ID, short name or client prefix, in any case, or
// problem.NotFound. It serves the command line and paths.
func (d *Directory) FindOrganisation(ctx context.Context, ref string) (Organisation, error) {
	ref = strings.TrimSpace(ref)
	if id, ok := ParseOrganisationID(ref); ok {
		return d.Organisation(ctx, id)
	}
	short, prefix := strings.ToLower(ref), strings.ToUpper(ref)
	var err error
	if shortNameForm.MatchString(short) {
		var org Organisation
		if org, err = d.readOrganisation(ctx, "short_name = ?", short); !problem.Is(err, problem.NotFound) {
			return org, err
		}
	}
	if prefixForm.MatchString(prefix) {
		return d.readOrganisation(ctx, "client_prefix = ?", prefix)
	}
	return Organisation{}, problem.New(problem.NotFound, "identity.organisation_not_found")
}

// SuspendOrganisation stops an organisation: its people are signed out and cannot sign in, its apps and their tokens are
// refused. It takes organisations.manage. The platform's own organisation cannot be suspended.
func (d *Directory) SuspendOrganisation(ctx context.Context, actor access.Actor, id OrganisationID) error {
	return d.setOrganisationStatus(ctx, actor, id, Suspended)
}

// ResumeOrganisation ends a suspension. What the suspension ended stays ended: people sign in anew.
func (d *Directory) ResumeOrganisation(ctx context.Context, actor access.Actor, id OrganisationID) error {
	return d.setOrganisationStatus(ctx, actor, id, Active)
}

func (d *Directory) setOrganisationStatus(ctx context.Context, actor access.Actor, id OrganisationID, status Status) error {
	action := map[Status]string{Suspended: "organisation.suspend", Active: "organisation.resume"}[status]
	act := audit.Act{
		Right: access.OrganisationsManage, Action: action, Organisation: id,
		Target: audit.Target{Kind: "organisation", ID: string(id)},
	}
	return d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		org, err := organisationWithin(tx, id)
		if err != nil {
			return audit.Change{}, err
		}
		if org.Kind == Platform && status == Suspended {
			return audit.Change{}, problem.New(problem.Conflict, "identity.platform_suspended")
		}
		if org.Status == status {
			return audit.Change{}, audit.ErrNothing
		}
		if err := updateOrganisationStatus(tx, org, status); err != nil {
			return audit.Change{}, err
		}
		if status == Suspended {
			if err := d.endAll(tx, id); err != nil {
				return audit.Change{}, err
			}
		}
		tx.Changed(database.TopicOrganisation, string(id))
		target := act.Target
		target.Label = org.Name
		return statusChange(target, org.Status, status), nil
	})
}

func (d *Directory) endAll(tx *database.Tx, id OrganisationID) error {
	people, err := peopleIDsWithin(tx, id)
	if err != nil {
		return err
	}
	if err := d.end(tx, people...); err != nil {
		return err
	}
	for _, fn := range d.stops {
		if err := fn(tx, id); err != nil {
			return err
		}
	}
	return nil
}

func statusChange(target audit.Target, before, after Status) audit.Change {
	return audit.Change{
		Target: target,
		Before: map[string]any{"status": string(before)}, After: map[string]any{"status": string(after)},
	}
}
