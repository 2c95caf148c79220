package identity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func TestNewCustomerHasItsRolesAndAPIUsers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		want := identity.Organisation{
			Name: "Acme", ShortName: "acme", ClientPrefix: "ACME", Kind: identity.Customer, Status: identity.Active,
			CreatedAt: h.clock.Now(), Version: 1,
		}
		got, err := h.Organisation(t.Context(), h.acme.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(identity.Organisation{}, "ID")); diff != "" {
			t.Error(diff)
		}
		roles, err := h.Roles(t.Context(), h.acme.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantRoles := []identity.Role{
			{Name: "Administrator", BuiltIn: true, Rights: access.NewSet(access.OrganisationRights()...)},
			{Name: "Viewer", BuiltIn: true, Rights: access.NewSet(access.ViewRights()...)},
		}
		ignore := cmpopts.IgnoreFields(identity.Role{}, "ID", "Organisation", "CreatedAt", "Version")
		if diff := cmp.Diff(wantRoles, roles, ignore); diff != "" {
			t.Error(diff)
		}
		users, err := h.APIUsers(t.Context(), h.acme.ID)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, u := range users {
			names = append(names, string(u.Kind)+": "+u.Name)
			rights, err := h.RobotRights(t.Context(), h.acme.ID, u.ID)
			if err != nil || len(rights) != 0 || !u.Live(h.clock.Now()) {
				t.Errorf("%s: rights %v, live %v, %v", u.Name, rights, u.Live(h.clock.Now()), err)
			}
		}
		if diff := cmp.Diff([]string{"client: Client user", "msp: MSP user", "supplier: Supplier user"}, names); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPlatformHasPlatformRolesAndNoAPIUsers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		platformRole := access.NewSet(append(access.PlatformRights(), access.AppsManage)...)
		roles, err := h.Roles(t.Context(), h.platform.ID)
		if err != nil || len(roles) != 2 {
			t.Fatal(roles, err)
		}
		if roles[0].Name != "Platform administrator" || !cmp.Equal(roles[0].Rights, platformRole) {
			t.Errorf("got %v", roles[0])
		}
		if roles[1].Name != "Support" || !cmp.Equal(roles[1].Rights, access.NewSet(access.SupportLookup)) {
			t.Errorf("got %v", roles[1])
		}
		if users, err := h.APIUsers(t.Context(), h.platform.ID); err != nil || len(users) != 0 {
			t.Errorf("API users %v, %v", users, err)
		}
		_, err = h.CreateOrganisation(t.Context(), operator(),
			identity.NewOrganisation{Name: "Second platform", ClientPrefix: "PLT2", Kind: identity.Platform})
		wantCode(t, err, problem.Conflict)
	})
}

func TestOrganisationFieldsAreChecked(t *testing.T) {
	long := strings.Repeat("a", 81)
	tests := []struct {
		name       string
		in         identity.NewOrganisation
		field, key string
	}{
		{"no name", identity.NewOrganisation{ClientPrefix: "NEW"}, "name", "organisation.name.missing"},
		{"short name of one", identity.NewOrganisation{Name: "X", ClientPrefix: "NEW"}, "name", "organisation.name.too_short"},
		{"long name", identity.NewOrganisation{Name: long, ClientPrefix: "NEW"}, "name", "organisation.name.too_long"},
		{"control character", identity.NewOrganisation{Name: "New\x00", ClientPrefix: "NEW"}, "name", "organisation.name.characters"},
		{"same name folded", identity.NewOrganisation{Name: " ａＣme ", ClientPrefix: "NEW", ShortName: "new"}, "name", "organisation.name.taken"},
		{"no prefix", identity.NewOrganisation{Name: "New"}, "client_prefix", "organisation.client_prefix.missing"},
		{"prefix of one", identity.NewOrganisation{Name: "New", ClientPrefix: "N"}, "client_prefix", "organisation.client_prefix.invalid"},
		{"prefix of nine", identity.NewOrganisation{Name: "New", ClientPrefix: "NEWNEWNEW"}, "client_prefix", "organisation.client_prefix.invalid"},
		{"prefix in small letters", identity.NewOrganisation{Name: "New", ClientPrefix: "new"}, "client_prefix", "organisation.client_prefix.invalid"},
		{"prefix with accent", identity.NewOrganisation{Name: "New", ClientPrefix: "NÉW"}, "client_prefix", "organisation.client_prefix.invalid"},
		{"prefix with line break inside", identity.NewOrganisation{Name: "New", ClientPrefix: "NE\nW"}, "client_prefix", "organisation.client_prefix.invalid"},
		{"prefix taken", identity.NewOrganisation{Name: "New", ClientPrefix: "ACME"}, "client_prefix", "organisation.client_prefix.taken"},
		{"prefix is a short name", identity.NewOrganisation{Name: "New", ClientPrefix: "GLOBEX"}, "client_prefix", "organisation.client_prefix.taken"},
		{"short name taken", identity.NewOrganisation{Name: "New", ClientPrefix: "NEW", ShortName: "globex"}, "short_name", "organisation.short_name.taken"},
		{"short name is a prefix", identity.NewOrganisation{Name: "New", ClientPrefix: "NEW", ShortName: "glbx"}, "short_name", "organisation.short_name.taken"},
		{"derived short name taken", identity.NewOrganisation{Name: "Glôbéx!", ClientPrefix: "NEW"}, "short_name", "organisation.short_name.taken"},
		{"short name with capitals", identity.NewOrganisation{Name: "New", ClientPrefix: "NEW", ShortName: "New"}, "short_name", "organisation.short_name.invalid"},
		{"short name with slash", identity.NewOrganisation{Name: "New", ClientPrefix: "NEW", ShortName: "a/b"}, "short_name", "organisation.short_name.invalid"},
		{"short name with hyphen at the end", identity.NewOrganisation{Name: "New", ClientPrefix: "NEW", ShortName: "new-"}, "short_name", "organisation.short_name.invalid"},
		{"unknown kind", identity.NewOrganisation{Name: "New", ClientPrefix: "NEW", Kind: "partner"}, "kind", "organisation.kind.invalid"},
	}
	each(t, func(t *testing.T, h *house) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				_, err := h.CreateOrganisation(t.Context(), operator(), test.in)
				wantField(t, err, test.field, test.key)
			})
		}
		_, err := h.CreateOrganisation(t.Context(), operator(), identity.NewOrganisation{Kind: "x"})
		if p := wantCode(t, err, problem.Invalid); len(p.Fields) != 3 {
			t.Errorf("all faults at once: got %v", err)
		}
		if list, err := h.Organisations(t.Context()); err != nil || len(list) != 3 {
			t.Errorf("%d organisations, %v", len(list), err)
		}
	})
}

func TestShortNameIsDerived(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		tests := []struct{ name, prefix, want string }{
			{"Müller & Söhne GmbH", "MUE", "muller-sohne-gmbh"},
			{"  3M  ", "THREEM", "3m"},
			{"采购", "CHINA", "china"},
			{strings.Repeat("long name ", 8), "LONG", "long-name-long-name-long-name-long-name"},
		}
		for _, test := range tests {
			org := h.organisation(t, identity.NewOrganisation{Name: test.name, ClientPrefix: test.prefix})
			if org.ShortName != test.want {
				t.Errorf("%q: got %q, want %q", test.name, org.ShortName, test.want)
			}
		}
	})
}

func TestFindOrganisation(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, ref := range []string{string(h.globex.ID), "globex", "GLOBEX", "Globex", "glbx", "GLBX", " GLBX "} {
			got, err := h.FindOrganisation(t.Context(), ref)
			if err != nil || got != h.globex {
				t.Errorf("%q: got %v, %v", ref, got.Name, err)
			}
		}
		for _, ref := range []string{"", "nobody", database.NewID(), "glob%", "' OR 1=1 --", "gl\x00bx", "gl\xffbx", strings.Repeat("a", 100_000)} {
			_, err := h.FindOrganisation(t.Context(), ref)
			wantCode(t, err, problem.NotFound)
		}
		_, err := h.Organisation(t.Context(), "no such ID")
		wantCode(t, err, problem.NotFound)
	})
}

func TestOrganisationsAreListedByName(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.organisation(t, identity.NewOrganisation{Name: "beta", ClientPrefix: "BETA"})
		list, err := h.Organisations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, o := range list {
			names = append(names, o.Name)
		}
		if diff := cmp.Diff([]string{"Acme", "beta", "Credenza platform", "Globex"}, names); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOrganisationsAreTheBusinessOfThePlatform(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.actor(t, h.active(t, h.acme, "admin@acme.example", identity.RoleAdministrator))
		_, err := h.CreateOrganisation(t.Context(), admin, identity.NewOrganisation{Name: "Mine", ClientPrefix: "MINE"})
		if p := wantCode(t, err, problem.Forbidden); p.Args["Right"] != "organisations.manage" {
			t.Errorf("names %v", p.Args["Right"])
		}
		wantCode(t, h.SuspendOrganisation(t.Context(), admin, h.acme.ID), problem.Forbidden)
		wantCode(t, h.SuspendOrganisation(t.Context(), admin, h.globex.ID), problem.NotFound)

		root := h.actor(t, h.active(t, h.platform, "root@platform.example", identity.RolePlatformAdministrator))
		org, err := h.CreateOrganisation(t.Context(), root, identity.NewOrganisation{Name: "Initech", ClientPrefix: "INI"})
		if err != nil {
			t.Fatal(err)
		}
		events := h.events(t, org)
		want := []audit.Event{{
			Sequence: 1, ActorKind: access.KindPerson, ActorID: root.ID, Action: "organisation.create", Result: audit.Done,
			Target: audit.Target{Kind: "organisation", ID: string(org.ID), Label: "Initech"},
			After: map[string]any{
				"name": "Initech", "short_name": "initech", "client_prefix": "INI", "kind": "customer", "status": "active",
				"roles":     []any{"Administrator", "Viewer"},
				"groups":    []any{"Administrators", "Viewers"},
				"api_users": []any{"Client user", "Supplier user", "MSP user"},
			},
		}}
		if diff := cmp.Diff(want, events, cmpopts.IgnoreFields(audit.Event{}, "ID", "Chain", "At")); diff != "" {
			t.Error(diff)
		}
		wantCode(t, h.SuspendOrganisation(t.Context(), root, h.platform.ID), problem.Conflict)
	})
}

func TestSuspensionIsRecordedAndHeard(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var heard []database.Change
		h.db.Feed().Subscribe(func(c []database.Change) { heard = append(heard, c...) })
		ana := h.active(t, h.acme, "ana@acme.example")
		heard = nil
		var ended []identity.PersonID
		h.WhenEnded(func(_ *database.Tx, people []identity.PersonID) error { ended = append(ended, people...); return nil })
		for _, act := range []func() error{
			func() error { return h.SuspendOrganisation(t.Context(), operator(), h.acme.ID) },
			func() error { return h.SuspendOrganisation(t.Context(), operator(), h.acme.ID) },
			func() error { return h.ResumeOrganisation(t.Context(), operator(), h.acme.ID) },
		} {
			if err := act(); err != nil {
				t.Fatal(err)
			}
		}
		change := database.Change{Topic: database.TopicOrganisation, ID: string(h.acme.ID)}
		if diff := cmp.Diff([]database.Change{change, change}, heard); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]identity.PersonID{ana.ID}, ended); diff != "" {
			t.Errorf("the hook: %s", diff)
		}
		events := h.events(t, h.acme)
		if events[0].Action != "organisation.resume" || events[1].Action != "organisation.suspend" || events[2].Action != "person.create" {
			t.Errorf("got %v", events)
		}
		wantCode(t, h.SuspendOrganisation(t.Context(), operator(), identity.OrganisationID(database.NewID())), problem.NotFound)
	})
}

// Administrators of the platform manage apps in their own organisation. In another they hold nothing and so give nothing
// of it, neither by a role nor by letting somebody into an account (protocol.md §6).
func TestPlatformGivesNothingOfItsOwnElsewhere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		root := h.actor(t, h.active(t, h.platform, "root@platform.example", identity.RolePlatformAdministrator))
		if !root.Has(access.AppsManage) || root.Has(access.RobotsView) {
			t.Errorf("rights %v", root.Rights.Rights())
		}
		_, err := h.CreateRole(t.Context(), root, identity.NewRole{
			Organisation: h.platform.ID, Name: "API keeper", Rights: []access.Right{access.AppsManage, access.CatalogueManage},
		})
		if err != nil {
			t.Errorf("a role of the platform's own: %v", err)
		}
		h.role(t, h.acme, "App manager", access.AppsManage)
		manager := h.active(t, h.acme, "manager@acme.example", "App manager")
		_, err = h.CreatePerson(t.Context(), root, identity.NewPerson{
			Organisation: h.acme.ID, Email: "new@acme.example", FirstName: "New", LastName: "Person", Roles: []string{"App manager"},
		})
		if p := wantCode(t, err, problem.Forbidden); p.Args["Right"] != "apps.manage" {
			t.Errorf("names %v", p.Args)
		}
		_, err = h.CreateRole(t.Context(), root, identity.NewRole{
			Organisation: h.acme.ID, Name: "Mine", Rights: []access.Right{access.AppsView},
		})
		wantCode(t, err, problem.Forbidden)
		err = h.db.Transact(t.Context(), func(tx *database.Tx) error { return identity.PowerOver(tx, root, manager) })
		wantCode(t, err, problem.Forbidden)
	})
}
