package identity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func TestCreatePerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.actor(t, h.active(t, h.acme, "admin@acme.example", identity.RoleAdministrator))
		admin.Origin = access.Origin{Address: "192.0.2.7", UserAgent: "browser", RequestID: "r-9"}
		got, err := h.CreatePerson(t.Context(), admin, identity.NewPerson{
			Organisation: h.acme.ID, Email: " Jo.Weber@acme.example ", FirstName: "Jo", LastName: "Weber", Roles: []string{"viewer", "Viewer"},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := identity.Person{
			Organisation: h.acme.ID, Email: "Jo.Weber@acme.example", FirstName: "Jo", LastName: "Weber",
			Status: identity.Invited, CreatedAt: h.clock.Now(), Version: 1,
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(identity.Person{}, "ID")); diff != "" {
			t.Error(diff)
		}
		if got.Name() != "Jo Weber" {
			t.Errorf("name %q", got.Name())
		}
		event := h.events(t, h.acme)[0]
		wantEvent := audit.Event{
			Chain: h.acme.ID, ActorKind: access.KindPerson, ActorID: admin.ID, Action: "person.create", Result: audit.Done,
			Target: audit.Target{Kind: "person", ID: string(got.ID)},
			After:  map[string]any{"status": "invited", "roles": []any{"Viewer"}}, Origin: admin.Origin,
		}
		if diff := cmp.Diff(wantEvent, event, cmpopts.IgnoreFields(audit.Event{}, "ID", "At", "Sequence")); diff != "" {
			t.Error(diff)
		}
		for _, find := range []func() (identity.Person, error){
			func() (identity.Person, error) { return h.Person(t.Context(), got.ID) },
			func() (identity.Person, error) { return h.PersonByEmail(t.Context(), " JO.WEBER@ACME.EXAMPLE") },
		} {
			if again, err := find(); err != nil || again != got {
				t.Errorf("found %v, %v", again, err)
			}
		}
	})
}

func TestPersonFieldsAreChecked(t *testing.T) {
	good := func(change func(*identity.NewPerson)) identity.NewPerson {
		n := identity.NewPerson{Email: "new@acme.example", FirstName: "New", LastName: "Person"}
		change(&n)
		return n
	}
	tests := []struct {
		name       string
		in         identity.NewPerson
		field, key string
	}{
		{"no e-mail", good(func(n *identity.NewPerson) { n.Email = "" }), "email", "person.email.missing"},
		{"two lines", good(func(n *identity.NewPerson) { n.Email = "a@acme.example\nb@acme.example" }), "email", "person.email.invalid"},
		{"long e-mail", good(func(n *identity.NewPerson) { n.Email = strings.Repeat("a", 250) + "@acme.example" }), "email", "person.email.too_long"},
		{"taken", good(func(n *identity.NewPerson) { n.Email = "TAKEN@acme.example" }), "email", "person.email.taken"},
		{"taken at another organisation", good(func(n *identity.NewPerson) { n.Email = "taken@globex.example" }), "email", "person.email.taken"},
		{"no first name", good(func(n *identity.NewPerson) { n.FirstName = " " }), "first_name", "person.first_name.missing"},
		{"long first name", good(func(n *identity.NewPerson) { n.FirstName = strings.Repeat("x", 81) }), "first_name", "person.first_name.too_long"},
		{"control in the last name", good(func(n *identity.NewPerson) { n.LastName = "a\x1bb" }), "last_name", "person.last_name.characters"},
		{"no last name", good(func(n *identity.NewPerson) { n.LastName = "" }), "last_name", "person.last_name.missing"},
		{"long last name", good(func(n *identity.NewPerson) { n.LastName = strings.Repeat("x", 81) }), "last_name", "person.last_name.too_long"},
		{"unknown role", good(func(n *identity.NewPerson) { n.Roles = []string{"Viewer", "Emperor"} }), "roles", "person.roles.unknown"},
		{"role of another organisation", good(func(n *identity.NewPerson) { n.Roles = []string{"Globex only"} }), "roles", "person.roles.unknown"},
	}
	each(t, func(t *testing.T, h *house) {
		h.person(t, h.acme, "taken@acme.example")
		h.person(t, h.globex, "taken@globex.example")
		h.role(t, h.globex, "Globex only")
		admin := h.actor(t, h.active(t, h.acme, "admin@acme.example", identity.RoleAdministrator))
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				test.in.Organisation = h.acme.ID
				_, err := h.CreatePerson(t.Context(), admin, test.in)
				wantField(t, err, test.field, test.key)
			})
		}
		if people, err := h.People(t.Context(), admin, h.acme.ID); err != nil || len(people) != 2 {
			t.Errorf("%d people, %v", len(people), err)
		}
	})
}

// Protocol.md §6: nobody gives more than they hold.
func TestNobodyGivesRolesBeyondTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Clerk", access.PeopleManage, access.RolesManage, access.AppsView)
		clerk := h.active(t, h.acme, "clerk@acme.example", "Clerk")
		actor := h.actor(t, clerk)
		jo := identity.NewPerson{Organisation: h.acme.ID, Email: "jo@acme.example", FirstName: "Jo", LastName: "Weber"}

		jo.Roles = []string{identity.RoleAdministrator}
		_, err := h.CreatePerson(t.Context(), actor, jo)
		if p := wantCode(t, err, problem.Forbidden); p.Args["Right"] != "apps.approve" {
			t.Errorf("names %v", p.Args["Right"])
		}
		wantCode(t, h.SetPersonRoles(t.Context(), actor, clerk, []string{"Clerk", identity.RoleAdministrator}), problem.Forbidden)
		_, err = h.CreateRole(t.Context(), actor, identity.NewRole{Organisation: h.acme.ID, Name: "Robber", Rights: []access.Right{access.AppsManage}})
		wantCode(t, err, problem.Forbidden)

		jo.Roles = []string{"Clerk"}
		if _, err := h.CreatePerson(t.Context(), actor, jo); err != nil {
			t.Errorf("a role within their own: %v", err)
		}
		var refused int
		for _, e := range h.events(t, h.acme) {
			if e.Result == audit.Refused {
				refused++
			}
		}
		if refused != 3 {
			t.Errorf("%d refused acts recorded, want 3", refused)
		}
	})
}

func TestC55_SwitchingOnAgainGivesPowerAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Clerk", access.PeopleManage)
		clerk := h.actor(t, h.active(t, h.acme, "clerk@acme.example", "Clerk"))
		admin := h.active(t, h.acme, "admin@acme.example", identity.RoleAdministrator)
		if err := h.SetPersonStatus(t.Context(), clerk, admin, identity.Inactive); err != nil {
			t.Fatalf("taking power away needs only people.manage: %v", err)
		}
		wantCode(t, h.SetPersonStatus(t.Context(), clerk, admin, identity.Active), problem.Forbidden)
	})
}

func TestC55_InactivePersonHasNoAccess(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.active(t, h.acme, "ana@acme.example", identity.RoleAdministrator)
		h.actor(t, ana)
		var ended []identity.PersonID
		h.WhenEnded(func(tx *database.Tx, people []identity.PersonID) error {
			if tx.DB() == nil {
				t.Error("the hook has no transaction")
			}
			ended = append(ended, people...)
			return nil
		})
		if err := h.SetPersonStatus(t.Context(), operator(), ana, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		_, err := h.ActorFor(t.Context(), ana.ID)
		wantCode(t, err, problem.Unauthenticated)
		if diff := cmp.Diff([]identity.PersonID{ana.ID}, ended); diff != "" {
			t.Error(diff)
		}
		if holders, err := h.Holders(t.Context(), h.acme.ID, access.AppsManage); err != nil || len(holders) != 0 {
			t.Errorf("an inactive person is still named: %v, %v", holders, err)
		}
		c, ok, err := h.CredentialByEmail(t.Context(), "ana@acme.example")
		if err != nil || !ok || c.Live {
			t.Errorf("live %v, ok %v, %v", c.Live, ok, err)
		}
		_, err = h.CreatePerson(t.Context(), operator(), identity.NewPerson{
			Organisation: h.acme.ID, Email: "ana@acme.example", FirstName: "New", LastName: "Ana",
		})
		wantField(t, err, "email", "person.email.taken") // an address is never given to a second row
		if err := h.SetPersonStatus(t.Context(), operator(), ana, identity.Active); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Person(t.Context(), ana.ID); err != nil || got.Status != identity.Active {
			t.Errorf("got %v, %v", got.Status, err)
		}
	})
}

func TestFailingHookKeepsThePersonActive(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.active(t, h.acme, "ana@acme.example")
		boom := errors.New("boom")
		h.WhenEnded(func(*database.Tx, []identity.PersonID) error { return boom })
		if err := h.SetPersonStatus(t.Context(), operator(), ana, identity.Inactive); !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		h.actor(t, ana)
	})
}

func TestStatusOfAPersonWithoutPassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		jo := h.person(t, h.acme, "jo@acme.example")
		_, err := h.ActorFor(t.Context(), jo.ID)
		wantCode(t, err, problem.Unauthenticated)
		status := func() identity.Status {
			p, err := h.Person(t.Context(), jo.ID)
			if err != nil {
				t.Fatal(err)
			}
			return p.Status
		}
		for _, step := range []struct{ set, want identity.Status }{
			{identity.Active, identity.Invited}, {identity.Inactive, identity.Inactive}, {identity.Active, identity.Invited},
		} {
			if err := h.SetPersonStatus(t.Context(), operator(), jo, step.set); err != nil {
				t.Fatal(err)
			}
			if got := status(); got != step.want {
				t.Errorf("set %s: got %s, want %s", step.set, got, step.want)
			}
		}
		h.setPassword(t, jo, "$argon2id$x")
		if got := status(); got != identity.Active {
			t.Errorf("with a password: %s", got)
		}
		wantField(t, h.SetPersonStatus(t.Context(), operator(), jo, identity.Suspended), "status", "person.status.invalid")
	})
}

// C53: what belongs to another organisation looks like what never was.
func TestC53_OtherOrganisationsPeopleAndRolesDoNotExist(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.actor(t, h.active(t, h.acme, "admin@acme.example", identity.RoleAdministrator))
		theirs := h.active(t, h.globex, "admin@globex.example", identity.RoleAdministrator)
		role := h.role(t, h.globex, "Custom")
		user, err := h.APIUsers(t.Context(), h.globex.ID)
		if err != nil {
			t.Fatal(err)
		}
		before := h.events(t, h.globex)
		inMine := theirs
		inMine.Organisation = h.acme.ID // a forged pair of organisation and ID
		robotInMine := user[0]
		robotInMine.Organisation = h.acme.ID
		roleInMine := role
		roleInMine.Organisation = h.acme.ID
		tests := map[string]func() error{
			"create a person": func() error {
				_, err := h.CreatePerson(t.Context(), admin, identity.NewPerson{Organisation: h.globex.ID, Email: "x@globex.example", FirstName: "X", LastName: "Y"})
				return err
			},
			"create in none": func() error {
				_, err := h.CreatePerson(t.Context(), admin, identity.NewPerson{Organisation: "0190a1b2-0000-7000-8000-0000000000b0"})
				return err
			},
			"list people":        func() error { _, err := h.People(t.Context(), admin, h.globex.ID); return err },
			"deactivate":         func() error { return h.SetPersonStatus(t.Context(), admin, theirs, identity.Inactive) },
			"deactivate as mine": func() error { return h.SetPersonStatus(t.Context(), admin, inMine, identity.Inactive) },
			"set roles":          func() error { return h.SetPersonRoles(t.Context(), admin, theirs, nil) },
			"set roles as mine":  func() error { return h.SetPersonRoles(t.Context(), admin, inMine, nil) },
			"create a role": func() error {
				_, err := h.CreateRole(t.Context(), admin, identity.NewRole{Organisation: h.globex.ID, Name: "Mole"})
				return err
			},
			"set rights":         func() error { return h.SetRoleRights(t.Context(), admin, role, nil) },
			"set rights as mine": func() error { return h.SetRoleRights(t.Context(), admin, roleInMine, nil) },
			"create a robot": func() error {
				_, err := h.CreateRobot(t.Context(), admin, identity.NewRobot{Organisation: h.globex.ID, Name: "Mole"})
				return err
			},
			"stop a robot":          func() error { return h.SetRobotStatus(t.Context(), admin, user[0], identity.Inactive) },
			"stop a robot as mine":  func() error { return h.SetRobotStatus(t.Context(), admin, robotInMine, identity.Inactive) },
			"read an API user":      func() error { _, err := h.APIUser(t.Context(), h.acme.ID, user[0].ID); return err },
			"read one that is none": func() error { _, err := h.APIUser(t.Context(), h.acme.ID, "no ID"); return err },
		}
		for name, act := range tests {
			t.Run(name, func(t *testing.T) {
				if p := wantCode(t, act(), problem.NotFound); p.Key != "problem.not_found" || len(p.Args)+len(p.Fields) > 0 {
					t.Errorf("another answer than for an unknown ID: %v %v", p, p.Args)
				}
			})
		}
		if rights, err := h.RobotRights(t.Context(), h.acme.ID, user[0].ID); err != nil || len(rights) != 0 {
			t.Errorf("rights of another organisation's robot: %v, %v", rights, err)
		}
		if got := h.events(t, h.globex); len(got) != len(before) {
			t.Errorf("Globex's trail grew by %d", len(got)-len(before))
		}
		if got, err := h.Person(t.Context(), theirs.ID); err != nil || got != theirs {
			t.Errorf("their administrator changed: %v, %v", got, err)
		}
		if holders, err := h.Holders(t.Context(), h.acme.ID, access.AppsManage); err != nil || len(holders) != 1 {
			t.Errorf("holders: %v, %v", holders, err)
		}
	})
}

func TestPeopleWithoutTheRightAreTurnedAway(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		guest := h.active(t, h.acme, "guest@acme.example")
		actor := h.actor(t, guest)
		tests := map[string]func() error{
			"people.manage": func() error { _, err := h.People(t.Context(), actor, h.acme.ID); return err },
			"roles.manage": func() error {
				_, err := h.CreateRole(t.Context(), actor, identity.NewRole{Organisation: h.acme.ID, Name: "\x00"})
				return err
			},
			"robots.manage": func() error {
				_, err := h.CreateRobot(t.Context(), actor, identity.NewRobot{Organisation: h.acme.ID})
				return err
			},
		}
		for right, act := range tests {
			if p := wantCode(t, act(), problem.Forbidden); p.Args["Right"] != right {
				t.Errorf("names %v, want %s", p.Args["Right"], right)
			}
		}
		wantCode(t, h.SetPersonStatus(t.Context(), actor, guest, identity.Inactive), problem.Forbidden)
		wantCode(t, h.SetPersonRoles(t.Context(), actor, guest, []string{identity.RoleAdministrator}), problem.Forbidden)
	})
}

func TestHoldersAreActiveAndSorted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for i, name := range []string{"weber Jo", "Álvarez Bo", "Zhang Li", "Silva Ana"} {
			last, first, _ := strings.Cut(name, " ")
			p, err := h.CreatePerson(t.Context(), operator(), identity.NewPerson{
				Organisation: h.acme.ID, Email: fmt.Sprintf("p%d@acme.example", i), FirstName: first, LastName: last, Roles: []string{identity.RoleViewer},
			})
			if err != nil {
				t.Fatal(err)
			}
			if first != "Li" { // invited only
				h.setPassword(t, p, "$argon2id$x")
			}
		}
		h.active(t, h.acme, "guest@acme.example")
		names := func() []string {
			list, err := h.Holders(t.Context(), h.acme.ID, access.AppsView)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, p := range list {
				names = append(names, p.Name())
			}
			return names
		}
		if diff := cmp.Diff([]string{"Ana Silva", "Jo weber", "Bo Álvarez"}, names()); diff != "" {
			t.Error(diff)
		}
		if err := h.SuspendOrganisation(t.Context(), operator(), h.acme.ID); err != nil {
			t.Fatal(err)
		}
		if got := names(); len(got) != 0 {
			t.Errorf("people of a suspended organisation are named: %v", got)
		}
	})
}

func TestFirstAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		want := func(want identity.Person) {
			t.Helper()
			got, ok, err := h.FirstAdministrator(t.Context(), h.acme.ID)
			if err != nil || ok != (want.ID != "") || got.ID != want.ID {
				t.Errorf("got %v, %v, %v", got, ok, err)
			}
		}
		h.active(t, h.globex, "admin@globex.example", identity.RoleAdministrator)
		h.active(t, h.acme, "viewer@acme.example", identity.RoleViewer)
		want(identity.Person{})
		first := h.person(t, h.acme, "first@acme.example", identity.RoleAdministrator) // invited
		second := h.active(t, h.acme, "second@acme.example", identity.RoleAdministrator)
		want(first)
		if err := h.SetPersonStatus(t.Context(), operator(), first, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		want(second)
	})
}

func TestPersonByEmailOfNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, email := range []string{"", "nobody@acme.example", "x", "a\x00@acme.example", "a\xff@acme.example", "%@acme.example", strings.Repeat("a", 1<<20)} {
			_, err := h.PersonByEmail(t.Context(), email)
			wantCode(t, err, problem.NotFound)
		}
		_, err := h.Person(t.Context(), "x")
		wantCode(t, err, problem.NotFound)
	})
}

func TestOneAddressIsGivenOnceHoweverManyAsk(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const askers = 8
		var made, taken int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range askers {
			wg.Go(func() {
				_, err := h.CreatePerson(t.Context(), operator(), identity.NewPerson{
					Organisation: h.acme.ID, Email: "jo@acme.example", FirstName: "Jo", LastName: "Weber",
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					made++
				case problem.Is(err, problem.Invalid):
					taken++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made != 1 || taken != askers-1 {
			t.Errorf("made %d, refused %d", made, taken)
		}
	})
}

// C72: names and addresses of people stand in their rows, never in the trail.
func TestTrailHoldsNoPersonalData(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		jo, err := h.CreatePerson(t.Context(), operator(), identity.NewPerson{
			Organisation: h.acme.ID, Email: "canary-mail@acme.example", FirstName: "Canaryfirst", LastName: "Canarylast", Roles: []string{"Viewer"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.SetPersonRoles(t.Context(), operator(), jo, nil); err != nil {
			t.Fatal(err)
		}
		if err := h.SetPersonStatus(t.Context(), operator(), jo, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		events := h.events(t, h.acme)
		if len(events) != 4 {
			t.Fatalf("%d events", len(events))
		}
		for _, e := range events {
			b, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(strings.ToLower(string(b)), "canary") {
				t.Errorf("%s", b)
			}
		}
	})
}
