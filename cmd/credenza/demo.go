package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/signin"
)

// demoPeople are who can sign in, by the part of the address before the @.
type demoPerson struct {
	local, first, last string
	roles              []string
}

// demonstrate makes sure that the demonstration is there (architecture.md §5), also after a start that was cut off, and
// prints who can sign in.
func (r *rooms) demonstrate(ctx context.Context, out io.Writer) error {
	orgs, err := r.identity.Organisations(ctx)
	if err != nil {
		return err
	}
	if !onlyDemo(orgs) {
		return errors.New("the database is in use and holds other organisations than the demonstration's: start without --demo")
	}
	password, where, err := r.demoPassword()
	if err != nil {
		return err
	}
	if err := r.fillDemo(ctx, signin.NewSecret(password)); err != nil {
		return fmt.Errorf("fill the demonstration: %w", err)
	}
	_, _ = fmt.Fprintf(out, `This is a demonstration. Sign in with one of these addresses:
  admin@acme.example      integration admin of Acme: sees and manages its apps
  viewer@acme.example     sees Acme's apps, changes nothing
  guest@acme.example      has no rights
  admin@globex.example, viewer@globex.example, guest@globex.example   the same at Globex
  root@platform.example, support@platform.example                    run the installation
Password of all: %s   (%s)
`, password, where)
	return nil
}

// demoPassword returns the password everybody shares: from the setting, else a random one kept beside the database.
func (r *rooms) demoPassword() (password, where string, err error) {
	if set := r.cfg.DemoPassword.Reveal(); set != "" {
		return set, "from CREDENZA_DEMO_PASSWORD", nil
	}
	dir := "data"
	if r.db.Path() != "" {
		dir = filepath.Dir(r.db.Path())
	}
	path := filepath.Join(dir, "demo-password")
	kept, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(kept)), "kept in " + path, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	password = rand.Text()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", err
	}
	return password, "kept in " + path, os.WriteFile(path, []byte(password+"\n"), 0o600)
}

// demoOrganisation is an organisation of the demonstration with its people.
type demoOrganisation struct {
	identity.NewOrganisation
	domain string
	people []demoPerson
}

func demoOrganisations() []demoOrganisation {
	members := []demoPerson{
		{"admin", "Ana", "Silva", []string{identity.RoleAdministrator}},
		{"viewer", "Jo", "Weber", []string{identity.RoleViewer}},
		{"guest", "Kim", "Lee", nil},
	}
	staff := []demoPerson{
		{"root", "Robin", "Root", []string{identity.RolePlatformAdministrator}},
		{"support", "Sam", "Support", []string{identity.RoleSupport}},
	}
	return []demoOrganisation{
		{identity.NewOrganisation{Name: "Acme", ClientPrefix: "ACME"}, "acme.example", members},
		{identity.NewOrganisation{Name: "Globex", ClientPrefix: "GLBX"}, "globex.example", members},
		{identity.NewOrganisation{Name: "Platform", ClientPrefix: "PLATFORM", Kind: identity.Platform}, "platform.example", staff},
	}
}

// onlyDemo reports whether there is no organisation but those of the demonstration.
func onlyDemo(orgs []identity.Organisation) bool {
	for _, o := range orgs {
		known := false
		for _, d := range demoOrganisations() {
			known = known || o.ClientPrefix == d.ClientPrefix
		}
		if !known {
			return false
		}
	}
	return true
}

// fillDemo makes what is missing.
func (r *rooms) fillDemo(ctx context.Context, password signin.Secret) error {
	for _, d := range demoOrganisations() {
		org, err := r.identity.FindOrganisation(ctx, d.ClientPrefix)
		if problem.Is(err, problem.NotFound) {
			org, err = r.identity.CreateOrganisation(ctx, access.System("demonstration", ""), d.NewOrganisation)
		}
		if err == nil {
			err = r.furnishDemo(ctx, org, d, password)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// furnishDemo makes an organisation's people and apps. The last person is made last of all: once there, the apps are not
// made again, since somebody may have deleted them.
func (r *rooms) furnishDemo(ctx context.Context, org identity.Organisation, d demoOrganisation, password signin.Secret) error {
	last := len(d.people) - 1
	_, err := r.identity.PersonByEmail(ctx, d.people[last].local+"@"+d.domain)
	complete := err == nil
	if err != nil && !problem.Is(err, problem.NotFound) {
		return err
	}
	for i, one := range d.people {
		if i == last && !complete && org.Kind == identity.Customer {
			if err := r.demoApps(ctx, org, d.domain); err != nil {
				return err
			}
		}
		if err := r.demoPerson(ctx, org, one, one.local+"@"+d.domain, password); err != nil {
			return err
		}
	}
	return nil
}

// demoPerson makes a person, or gives one who is there the password that is printed.
func (r *rooms) demoPerson(ctx context.Context, org identity.Organisation, one demoPerson, email string, password signin.Secret) error {
	actor := access.System("demonstration", org.ID)
	person, err := r.identity.PersonByEmail(ctx, email)
	if problem.Is(err, problem.NotFound) {
		person, err = r.identity.CreatePerson(ctx, actor, identity.NewPerson{
			Organisation: org.ID, Email: email, FirstName: one.first, LastName: one.last, Roles: one.roles,
		})
	}
	if err != nil {
		return err
	}
	if has, err := r.signin.HasPassword(ctx, person.ID, password); err != nil || has {
		return err
	}
	return r.signin.SetPassword(ctx, actor, person.ID, password)
}

// demoApps makes the API user "automation" and a few apps without secrets.
func (r *rooms) demoApps(ctx context.Context, org identity.Organisation, domain string) error {
	system := access.System("demonstration", org.ID)
	_, err := r.identity.CreateRole(ctx, system, identity.NewRole{
		Organisation: org.ID, Name: "Automation", Rights: []access.Right{access.RobotsManage, access.ConnectionsManage},
	})
	if err := unlessTaken(err); err != nil {
		return err
	}
	_, err = r.identity.CreateRobot(ctx, system, identity.NewRobot{
		Organisation: org.ID, Name: "automation", DisplayName: "Automation", Kind: identity.KindClient, Roles: []string{"Automation"},
	})
	if err := unlessTaken(err); err != nil {
		return err
	}
	admin, err := r.identity.PersonByEmail(ctx, "admin@"+domain)
	if err != nil {
		return err
	}
	actor, err := r.identity.ActorFor(ctx, admin.ID)
	if err != nil {
		return err
	}
	users, err := r.identity.APIUsers(ctx, org.ID)
	if err != nil {
		return err
	}
	for _, app := range demoApps(admin) {
		app.APIUser = userOfKind(users, app.Category)
		if _, _, err := r.registry.Register(ctx, actor, app); unlessTaken(err) != nil {
			return fmt.Errorf("app %s: %w", app.Name, err)
		}
	}
	return nil
}

// unlessTaken passes over a name that is there already: nothing else can be wrong with what stands in this file.
func unlessTaken(err error) error {
	if problem.Is(err, problem.Invalid) {
		return nil
	}
	return err
}

func demoApps(contact identity.Person) []registry.NewApp {
	person := registry.Contact{FirstName: contact.FirstName, LastName: contact.LastName, Email: contact.Email}
	app := func(category registry.Category, active bool, name, description string, scopes ...string) registry.NewApp {
		return registry.NewApp{WithoutSecret: true, AppFields: registry.AppFields{
			Name: name, Description: description, Category: category, Type: registry.Machine,
			CredentialType: registry.SharedSecret, Contact: person, Scopes: scopes, Active: active,
		}}
	}
	return []registry.NewApp{
		app(registry.Customer, true, "SAP spend export", "Exports approved invoices and purchase orders to SAP every night.",
			"core.invoice.read", "core.purchase_order.read"),
		app(registry.Customer, true, "Workforce sync", "Keeps contingent workers and candidates in step with the HR system.",
			"ccw.candidates", "ccw.contingent_workers"),
		app(registry.Supplier, true, "Staffing supplier portal", "Lets the staffing supplier confirm candidates.", "ccw.candidates"),
		app(registry.MSP, true, "MSP reporting", "Weekly figures for the managed service provider.", "ccw.contingent_workers"),
		app(registry.Partner, false, "Expense pilot", "Pilot of the expense integration, switched off since the summer.",
			"core.expense.read"),
	}
}

// userOfKind returns the API user that an organisation has from the start for this category.
func userOfKind(users []identity.RobotAccount, category registry.Category) identity.RobotID {
	kind := identity.KindClient
	switch category {
	case registry.Supplier:
		kind = identity.KindSupplier
	case registry.MSP:
		kind = identity.KindMSP
	case registry.Customer, registry.Partner:
	}
	for _, u := range users {
		if u.Kind == kind && u.Name != "automation" {
			return u.ID
		}
	}
	return ""
}
