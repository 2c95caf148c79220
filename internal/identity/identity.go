package identity

import (
	"cmp"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// OrganisationID is the ID of an organisation.
type OrganisationID = access.OrganisationID

// PersonID is the ID of a person.
type PersonID string

// RoleID is the ID of a role.
type RoleID string

// RobotID is the ID of a robot account.
type RobotID string

// ParseOrganisationID returns s as an ID; ok is false when it cannot be one.
func ParseOrganisationID(s string) (id OrganisationID, ok bool) {
	s, ok = database.ParseID(s)
	return OrganisationID(s), ok
}

// ParseRobotID returns s as an ID; ok is false when it cannot be one.
func ParseRobotID(s string) (id RobotID, ok bool) {
	s, ok = database.ParseID(s)
	return RobotID(s), ok
}

// Status is the state of an organisation (active, suspended), a person (invited, active, inactive) or a robot account
// (active, inactive).
type Status string

// The states.
const (
	Active    Status = "active"
	Inactive  Status = "inactive"  // switched off by somebody
	Invited   Status = "invited"   // a person who has not set a password yet
	Suspended Status = "suspended" // an organisation the platform has stopped; all its people and apps are
)

// Directory is the room's door: every use case and query. It is safe for use by many goroutines.
type Directory struct {
	db    *database.DB
	trail *audit.Trail
	known *standings
	ended []func(tx *database.Tx, people []PersonID) error
	stops []func(tx *database.Tx, org OrganisationID) error

	deleted []func(tx *database.Tx, org OrganisationID, robots []RobotID) error
}

// New returns the directory kept in a database.
func New(db *database.DB, trail *audit.Trail) (*Directory, error) {
	known, err := newStandings()
	if err != nil {
		return nil, err
	}
	db.Feed().Subscribe(known.heard)
	return &Directory{db: db, trail: trail, known: known}, nil
}

// WhenEnded has fn called in the transaction that takes access from people for good (a person made inactive, an
// organisation suspended), so that what they hold elsewhere ends with it. It is meant for wiring, before first use. fn
// may run twice and uses nothing but tx.
func (d *Directory) WhenEnded(fn func(tx *database.Tx, people []PersonID) error) {
	d.ended = append(d.ended, fn)
}

// WhenSuspended has fn called in the transaction that suspends an organisation: what its apps were given ends for good and
// does not revive when it is resumed (protocol.md §1.3). It is meant for wiring, before first use. fn may run twice and
// uses nothing but tx.
func (d *Directory) WhenSuspended(fn func(tx *database.Tx, org OrganisationID) error) {
	d.stops = append(d.stops, fn)
}

func (d *Directory) end(tx *database.Tx, people ...PersonID) error {
	for chunk := range slices.Chunk(people, 500) {
		for _, fn := range d.ended {
			if err := fn(tx, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// Power returns problem.Forbidden unless the actor holds every right of the set in the organisation, naming the first one
// missing: nobody gives more than they hold (protocol.md §6). What people of the platform hold upon their own
// organisation is nothing in another.
func Power(actor access.Actor, org OrganisationID, rights access.Set) error {
	stranger := (actor.Kind == access.KindPerson || actor.Kind == access.KindApp) && actor.Organisation != org
	for _, r := range rights.Rights() {
		if stranger || !actor.Has(r) {
			return problem.New(problem.Forbidden, "identity.power", "Right", string(r))
		}
	}
	return nil
}

// ManageRight returns the right that an act upon an organisation's people and roles takes: the organisation's own, or
// the platform's for its administrators, who hold no right inside an organisation.
func ManageRight(actor access.Actor, org OrganisationID, own access.Right) access.Right {
	if actor.Organisation == org && actor.Has(own) {
		return own
	}
	if actor.Has(access.OrganisationsManage) {
		return access.OrganisationsManage
	}
	return own
}

// allowed are the rights that roles of an organisation of this kind may hold (product.md decision 15).
func allowed(kind OrganisationKind) access.Set {
	if kind == Platform {
		return access.NewSet(append(access.PlatformRights(), access.PlatformOwnRights()...)...)
	}
	return access.NewSet(access.OrganisationRights()...)
}

func notFound() error { return problem.New(problem.NotFound, "problem.not_found") }

func stale() error { return problem.New(problem.Stale, "problem.stale") }

// byFold sorts by the folded form of a text, so that both databases list alike.
func byFold[T any](list []T, text func(T) string) {
	type keyed struct {
		key  string
		item T
	}
	sorted := make([]keyed, len(list))
	for i, item := range list {
		sorted[i] = keyed{key: Fold(text(item)), item: item}
	}
	slices.SortStableFunc(sorted, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	for i, s := range sorted {
		list[i] = s.item
	}
}
