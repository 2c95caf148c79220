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
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/signin"
)

// demoPeople are who can sign in, by the part of the address before the @.
type demoPerson struct {
	local, first, last string
	roles              []string
}

// demonstrate fills an empty database with the demonstration (architecture.md §5) and prints who can sign in.
func (r *rooms) demonstrate(ctx context.Context, out io.Writer) error {
	orgs, err := r.identity.Organisations(ctx)
	if err != nil {
		return err
	}
	password, where, err := r.demoPassword()
	if err != nil {
		return err
	}
	if len(orgs) == 0 {
		if err := r.fillDemo(ctx, password); err != nil {
			return fmt.Errorf("fill the demonstration: %w", err)
		}
	} else if !isDemo(orgs) {
		return errors.New("the database is in use and holds no demonstration: start without --demo")
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

func isDemo(orgs []identity.Organisation) bool {
	for _, o := range orgs {
		if o.ClientPrefix == "GLBX" {
			return true
		}
	}
	return false
}

func (r *rooms) fillDemo(ctx context.Context, password string) error {
	members := []demoPerson{
		{"admin", "Ana", "Silva", []string{identity.RoleAdministrator}},
		{"viewer", "Jo", "Weber", []string{identity.RoleViewer}},
		{"guest", "Kim", "Lee", nil},
	}
	staff := []demoPerson{
		{"root", "Robin", "Root", []string{identity.RolePlatformAdministrator}},
		{"support", "Sam", "Support", []string{identity.RoleSupport}},
	}
	for _, o := range []struct {
		org    identity.NewOrganisation
		domain string
		people []demoPerson
	}{
		{identity.NewOrganisation{Name: "Acme", ClientPrefix: "ACME"}, "acme.example", members},
		{identity.NewOrganisation{Name: "Globex", ClientPrefix: "GLBX"}, "globex.example", members},
		{identity.NewOrganisation{Name: "Platform", ClientPrefix: "PLATFORM", Kind: identity.Platform}, "platform.example", staff},
	} {
		org, err := r.identity.CreateOrganisation(ctx, access.System("demonstration", ""), o.org)
		if err != nil {
			return err
		}
		for _, one := range o.people {
			if err := r.demoPerson(ctx, org, one, one.local+"@"+o.domain, password); err != nil {
				return err
			}
		}
		if org.Kind == identity.Customer {
			if err := r.demoApps(ctx, org, o.domain); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *rooms) demoPerson(ctx context.Context, org identity.Organisation, one demoPerson, email, password string) error {
	actor := access.System("demonstration", org.ID)
	person, err := r.identity.CreatePerson(ctx, actor, identity.NewPerson{
		Organisation: org.ID, Email: email, FirstName: one.first, LastName: one.last, Roles: one.roles,
	})
	if err != nil {
		return err
	}
	return r.signin.SetPassword(ctx, actor, person.ID, signin.NewSecret(password))
}

// demoApps makes the API user "automation" and a few apps without secrets.
func (r *rooms) demoApps(ctx context.Context, org identity.Organisation, domain string) error {
	system := access.System("demonstration", org.ID)
	_, err := r.identity.CreateRole(ctx, system, identity.NewRole{
		Organisation: org.ID, Name: "Automation", Rights: []access.Right{access.RobotsManage, access.ConnectionsManage},
	})
	if err != nil {
		return err
	}
	_, err = r.identity.CreateRobot(ctx, system, identity.NewRobot{
		Organisation: org.ID, Name: "automation", DisplayName: "Automation", Kind: identity.KindClient, Roles: []string{"Automation"},
	})
	if err != nil {
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
		if _, _, err := r.registry.Register(ctx, actor, app); err != nil {
			return fmt.Errorf("app %s: %w", app.Name, err)
		}
	}
	return nil
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
