package identity

import (
	"context"
	"slices"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// Person is somebody who signs in; a person belongs to one organisation (product.md decision 16).
type Person struct {
	ID           PersonID
	Organisation OrganisationID
	Email        string
	FirstName    string
	LastName     string
	Status       Status
	CreatedAt    time.Time
	Version      int64
}

// Name returns first and last name.
func (p Person) Name() string { return strings.TrimSpace(p.FirstName + " " + p.LastName) }

// NewPerson is what CreatePerson is asked for. Roles are names of roles of the organisation; none means no right.
type NewPerson struct {
	Organisation OrganisationID
	Email        string
	FirstName    string
	LastName     string
	Roles        []string
}

func (n NewPerson) check(p *Person) error {
	var found faults
	var f *problem.Field
	p.Email, f = Email("person.email", n.Email)
	found.add(f)
	p.FirstName, f = Text("person.first_name", n.FirstName, 1, 80)
	found.add(f)
	p.LastName, f = Text("person.last_name", n.LastName, 1, 80)
	found.add(f)
	return found.err()
}

func personAct(actor access.Actor, action string, p Person) audit.Act {
	return audit.Act{
		Right: ManageRight(actor, p.Organisation, access.PeopleManage), Action: action, Organisation: p.Organisation,
		Target: audit.Target{Kind: "person", ID: string(p.ID)},
	}
}

// CreatePerson makes a person, who is invited until a password is set. It takes people.manage and every right of the
// roles given. E-mail addresses are unique in the installation, compared by Fold.
func (d *Directory) CreatePerson(ctx context.Context, actor access.Actor, n NewPerson) (Person, error) {
	person := Person{ID: PersonID(database.NewID()), Organisation: n.Organisation, Status: Invited, Version: 1}
	act := personAct(actor, "person.create", person)
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return Person{}, err
	}
	if err := n.check(&person); err != nil {
		return Person{}, err
	}
	err := d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if _, err := organisationWithin(tx, n.Organisation); err != nil {
			return audit.Change{}, err
		}
		roles, err := rolesNamed(tx, "person.roles", n.Organisation, n.Roles)
		if err == nil {
			err = Power(actor, n.Organisation, together(roles))
		}
		if err != nil {
			return audit.Change{}, err
		}
		person.CreatedAt = tx.Now()
		if err := insertPerson(tx, person); err != nil {
			return audit.Change{}, err
		}
		if err := insertPersonRoles(tx, person, roles); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicPerson, string(person.ID))
		return audit.Change{After: map[string]any{"status": string(person.Status), "roles": roleNames(roles)}}, nil
	})
	if err != nil {
		return Person{}, err
	}
	return person, nil
}

// SetPersonRoles replaces the roles of a person by those with these names. It takes people.manage and every right of the
// roles that are added.
func (d *Directory) SetPersonRoles(ctx context.Context, actor access.Actor, person Person, names []string) error {
	act := personAct(actor, "person.roles", person)
	return d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		now, err := personWithin(tx, person.Organisation, person.ID)
		if err != nil {
			return audit.Change{}, err
		}
		wanted, err := rolesNamed(tx, "person.roles", now.Organisation, names)
		if err != nil {
			return audit.Change{}, err
		}
		held, err := rolesOf(tx, now.Person)
		if err != nil {
			return audit.Change{}, err
		}
		added := slices.DeleteFunc(slices.Clone(wanted), func(r Role) bool { return containsRole(held, r.ID) })
		if len(added) == 0 && len(wanted) == len(held) {
			return audit.Change{}, audit.ErrNothing
		}
		if err := Power(actor, now.Organisation, together(added)); err != nil {
			return audit.Change{}, err
		}
		if err := replacePersonRoles(tx, now, wanted); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicPerson, string(now.ID))
		return audit.Change{
			Before: map[string]any{"roles": roleNames(held)}, After: map[string]any{"roles": roleNames(wanted)},
		}, nil
	})
}

// SetPersonStatus switches a person on (Active) or off (Inactive). It takes people.manage, and to switch on every right
// of the person. Who never set a password becomes Invited instead of Active. Switching off ends all sessions and links
// of the person; switching on revives none.
func (d *Directory) SetPersonStatus(ctx context.Context, actor access.Actor, person Person, status Status) error {
	if status != Active && status != Inactive {
		return problem.Fields(*fault("person.status", "invalid"))
	}
	action := map[Status]string{Active: "person.activate", Inactive: "person.deactivate"}[status]
	act := personAct(actor, action, person)
	return d.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		now, err := personWithin(tx, person.Organisation, person.ID)
		if err != nil {
			return audit.Change{}, err
		}
		after := status
		if status == Active && !now.hasPassword {
			after = Invited
		}
		if now.Status == after {
			return audit.Change{}, audit.ErrNothing
		}
		if status == Active {
			err = PowerOver(tx, actor, now.Person)
		} else {
			err = d.end(tx, now.ID)
		}
		if err != nil {
			return audit.Change{}, err
		}
		if err := updatePersonStatus(tx, now.Person, after); err != nil {
			return audit.Change{}, err
		}
		tx.Changed(database.TopicPerson, string(now.ID))
		return statusChange(act.Target, now.Status, after), nil
	})
}

// PowerOver returns problem.Forbidden unless the actor holds every right of the person's roles and groups, as whoever
// lets somebody into the person's account must (protocol.md §6).
func PowerOver(tx *database.Tx, actor access.Actor, person Person) error {
	grants, err := readGrants(tx.DB(), personHolds, person.Organisation, string(person.ID))
	if err != nil {
		return err
	}
	return Power(actor, person.Organisation, rightsOf(grants))
}

// People returns the people of an organisation in the order of their last and first names. It takes people.manage.
func (d *Directory) People(ctx context.Context, actor access.Actor, org OrganisationID) ([]Person, error) {
	act := audit.Act{
		Right: ManageRight(actor, org, access.PeopleManage), Action: "person.list", Organisation: org,
		Target: audit.Target{Kind: "organisation", ID: string(org)},
	}
	if err := d.trail.Check(ctx, actor, act); err != nil {
		return nil, err
	}
	list, err := d.readPeople(ctx, org)
	byName(list)
	return list, err
}

// Person returns one person, or problem.NotFound. It asks for no right: who shows the person to somebody compares the
// organisation first.
func (d *Directory) Person(ctx context.Context, id PersonID) (Person, error) {
	return d.readPerson(ctx, id)
}

// PersonByEmail returns the person with this address, compared by Fold, or problem.NotFound.
func (d *Directory) PersonByEmail(ctx context.Context, email string) (Person, error) {
	c, ok, err := d.CredentialByEmail(ctx, email)
	if err == nil && !ok {
		err = notFound()
	}
	return c.Person, err
}

// maxHolders bounds the names that a page offers to ask.
const maxHolders = 20

// FirstAdministrator returns who came first of an organisation's people that manage its roles and are not switched off;
// an invited one counts. ok is false when there is none.
func (d *Directory) FirstAdministrator(ctx context.Context, org OrganisationID) (p Person, ok bool, err error) {
	list, err := readAdministrators(d.db.Read(ctx), org)
	if err != nil || len(list) == 0 {
		return Person{}, false, err
	}
	return list[0], true, nil
}

// Holders returns up to 20 active people of an active organisation who hold the right, in the order of their names: whom
// to ask for it.
func (d *Directory) Holders(ctx context.Context, org OrganisationID, right access.Right) ([]Person, error) {
	list, err := d.readHolders(ctx, org, right)
	byName(list)
	return list[:min(len(list), maxHolders)], err
}

// EveryHolder is Holders without its bound of 20, for mail that goes to all of them; of more than 500 the first made.
func (d *Directory) EveryHolder(ctx context.Context, org OrganisationID, right access.Right) ([]Person, error) {
	list, err := d.readHolders(ctx, org, right)
	byName(list)
	return list, err
}

func byName(list []Person) {
	byFold(list, func(p Person) string { return p.LastName + "\x00" + p.FirstName })
}
