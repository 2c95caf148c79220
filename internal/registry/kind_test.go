package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// platform makes the platform's organisation with one of its administrators.
func (w *world) platform(t testing.TB) (identity.Organisation, access.Actor) {
	t.Helper()
	n := identity.NewOrganisation{Name: "Platform", ClientPrefix: "PLAT", Kind: identity.Platform}
	org := must(w.identity.CreateOrganisation(t.Context(), access.Operator("root", ""), n))(t)
	return org, w.actor(t, org, "root@platform.example", "Robin", "Root", identity.RolePlatformAdministrator)
}

// platformPerson makes somebody of the platform with these rights and no others.
func (w *world) platformPerson(t testing.TB, org identity.Organisation, name string, rights ...access.Right) access.Actor {
	t.Helper()
	must(w.identity.CreateRole(t.Context(), w.operator(org), identity.NewRole{Organisation: org.ID, Name: name, Rights: rights}))(t)
	return w.actor(t, org, name+"@platform.example", name, "Person", name)
}

// resourceServer is a form without a fault: what only callers are asked for is left out.
func (w *world) resourceServer(name string) registry.NewApp {
	return registry.NewApp{Kind: registry.ResourceServer, ResourceAPI: "coupa-core", AppFields: registry.AppFields{
		Name: name, Description: "Asks what the tokens of the spend API are good for.",
		Contact: registry.Contact{FirstName: "Robin", LastName: "Root", Email: "root@platform.example"}, Active: true,
	}}
}

func TestResourceServer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org, root := w.platform(t)
		made, shown, err := w.Register(t.Context(), root, w.resourceServer("Spend API"))
		if err != nil {
			t.Fatal(err)
		}
		app := must(w.App(t.Context(), root, made.ID))(t)
		if app.Kind != registry.ResourceServer || app.ResourceAPI != "coupa-core" || app.Scopes != nil || app.DefaultAPI != "" ||
			app.APIUser != (identity.RobotAccount{}) || len(app.Usable()) != 1 {
			t.Errorf("app %+v", app)
		}
		event := w.events(t, org)[0]
		want := map[string]any{
			"kind": "resource_server", "resource_api": "coupa-core", "name": "Spend API", "status": "active",
			"description": "Asks what the tokens of the spend API are good for.", "credential_type": "secret",
			"contact": string(app.Contact.ID), "client_id": app.ClientID, "secret": string(shown.ID),
		}
		if diff := cmp.Diff(want, event.After); event.Action != "app.register" || diff != "" {
			t.Errorf("%s %s", event.Action, diff)
		}
		c := must(w.Client(t.Context(), app.ClientID))(t)
		if c.Kind != registry.ResourceServer || c.ResourceAPI != "coupa-core" || !c.Live(w.clock.Now()) || len(c.Scopes) != 0 {
			t.Errorf("client %+v", c)
		}
		if !w.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
			t.Error("its secret is refused")
		}
		for _, words := range []string{"coupa", "spend"} {
			page := must(w.Search(t.Context(), root, registry.Query{Text: words}))(t)
			if len(page.Rows) != 1 || page.Rows[0].Kind != registry.ResourceServer || page.Rows[0].ResourceAPI != "coupa-core" {
				t.Errorf("search for %s: %+v", words, page.Rows)
			}
		}
	})
}

// Its life is that of every app: secrets come and go, it stops and starts, and is deleted.
func TestResourceServerLivesLikeAnApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, root := w.platform(t)
		app, first, err := w.Register(t.Context(), root, w.resourceServer("Spend API"))
		if err != nil {
			t.Fatal(err)
		}
		second := must(w.Rotate(t.Context(), root, app.ID, registry.Rotation{Reason: registry.Planned}))(t)
		if err := w.MarkLeaked(t.Context(), root, app.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		if w.authenticates(t, app.ClientID, first.Secret.Reveal()) || !w.authenticates(t, app.ClientID, second.Secret.Reveal()) {
			t.Error("the leaked secret works, or the new one does not")
		}
		n := w.resourceServer("Spend API, renamed")
		n.Scopes, n.APIUser, n.Category, n.DefaultAPI = []string{"core.invoice.read"}, w.client.ID, registry.MSP, "ccw"
		now := must(w.App(t.Context(), root, app.ID))(t)
		edited := must(w.Edit(t.Context(), root, app.ID, now.Version, n.AppFields))(t)
		if edited.Name != "Spend API, renamed" || edited.Scopes != nil || edited.APIUser.ID != "" || edited.ResourceAPI != "coupa-core" {
			t.Errorf("edited %+v", edited)
		}
		off := must(w.Deactivate(t.Context(), root, app.ID, edited.Version))(t)
		if w.authenticates(t, app.ClientID, second.Secret.Reveal()) {
			t.Error("an inactive one authenticates")
		}
		on := must(w.Activate(t.Context(), root, app.ID, off.Version))(t)
		if !w.authenticates(t, app.ClientID, second.Secret.Reveal()) {
			t.Error("an active one does not authenticate")
		}
		off = must(w.Deactivate(t.Context(), root, app.ID, on.Version))(t)
		if err := w.Delete(t.Context(), root, app.ID, off.Version, off.Name); err != nil {
			t.Fatal(err)
		}
		history := must(w.History(t.Context(), root, app.ID, 0))(t)
		if len(history.Events) != 8 {
			t.Errorf("%d events, want register, rotate, leak, edit, 2 deactivate, activate, delete", len(history.Events))
		}
	})
}

func TestResourceServerIsJudged(t *testing.T) {
	w := sqliteWorld(t)
	_, root := w.platform(t)
	for name, tt := range map[string]struct {
		actor  access.Actor
		change func(n *registry.NewApp)
		want   map[string]string
	}{
		"no API":      {root, func(n *registry.NewApp) { n.ResourceAPI = "" }, map[string]string{"resource_api": "app.resource_api.choose"}},
		"unknown API": {root, func(n *registry.NewApp) { n.ResourceAPI = "core" }, map[string]string{"resource_api": "app.resource_api.choose"}},
		"the portal's own API": {
			root, func(n *registry.NewApp) { n.ResourceAPI = "identity-pm" }, map[string]string{"resource_api": "app.resource_api.choose"},
		},
		"unknown kind": {w.admin, func(n *registry.NewApp) {
			n.AppFields, n.Kind = w.fields("Other kind"), "both"
		}, map[string]string{"kind": "app.kind.choose"}},
		"of a customer": {w.operator(w.acme), func(*registry.NewApp) {}, map[string]string{"kind": "app.kind.platform"}},
		"everything": {root, func(n *registry.NewApp) {
			*n = registry.NewApp{Kind: registry.ResourceServer}
		}, map[string]string{
			"resource_api": "app.resource_api.choose", "name": "app.name.missing", "description": "app.description.missing",
			"contact_first_name": "app.contact_first_name.missing", "contact_last_name": "app.contact_last_name.missing",
			"contact_email": "app.contact_email.missing",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n := w.resourceServer("Spend API")
			tt.change(&n)
			w.unchanged(t, func() {
				_, _, err := w.Register(t.Context(), tt.actor, n)
				wantFields(t, err, tt.want)
			})
		})
	}
	var keys []string
	for _, api := range w.ResourceAPIs() {
		keys = append(keys, api.Key)
	}
	if diff := cmp.Diff([]string{"coupa-core", "ccw"}, keys); diff != "" {
		t.Errorf("APIs on offer: %s", diff)
	}
}

// Every act that gives power to a resource server, or gives it again, takes catalogue.manage besides apps.manage; what
// takes power away does not (protocol.md §6).
func TestPowerOverResourceServers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org, root := w.platform(t)
		keeper := w.platformPerson(t, org, "keeper", access.AppsManage)
		app, first, err := w.Register(t.Context(), root, w.resourceServer("Spend API"))
		if err != nil {
			t.Fatal(err)
		}
		version := func() int64 { return must(w.App(t.Context(), keeper, app.ID))(t).Version }
		gives := map[string]func(actor access.Actor) error{
			"app.register": func(actor access.Actor) error {
				_, _, err := w.Register(t.Context(), actor, w.resourceServer("Another API"))
				return err
			},
			"app.edit": func(actor access.Actor) error {
				_, err := w.Edit(t.Context(), actor, app.ID, version(), w.resourceServer("Renamed").AppFields)
				return err
			},
			"app.rotate": func(actor access.Actor) error {
				_, err := w.Rotate(t.Context(), actor, app.ID, registry.Rotation{Reason: registry.Planned})
				return err
			},
			"app.activate": func(actor access.Actor) error {
				_, err := w.Activate(t.Context(), actor, app.ID, version())
				return err
			},
		}
		must(w.Deactivate(t.Context(), keeper, app.ID, version()))(t)
		for action, give := range gives {
			w.unchanged(t, func() {
				if p := wantCode(t, give(keeper), problem.Forbidden); p.Args["Right"] != "catalogue.manage" {
					t.Errorf("%s names %v", action, p.Args)
				}
			})
			if event := w.events(t, org)[0]; event.Action != action || event.Result != audit.Refused || event.ActorID != keeper.ID {
				t.Errorf("%s: recorded %s %s", action, event.Action, event.Result)
			}
		}
		for action, give := range gives {
			if err := give(root); err != nil {
				t.Errorf("%s: %v", action, err)
			}
		}
		if err := w.MarkLeaked(t.Context(), keeper, app.ID, first.ID); err != nil {
			t.Errorf("whoever manages apps ends a secret: %v", err)
		}
	})
}

// Outside the platform nobody makes one or reaches one, whatever else they hold.
func TestResourceServersAreThePlatforms(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		org, root := w.platform(t)
		app, _, err := w.Register(t.Context(), root, w.resourceServer("Spend API"))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = w.Register(t.Context(), w.admin, w.resourceServer("Mine"))
		if p := wantCode(t, err, problem.Forbidden); p.Args["Right"] != "catalogue.manage" {
			t.Errorf("names %v", p.Args)
		}
		_, err = w.App(t.Context(), w.admin, app.ID)
		wantCode(t, err, problem.NotFound)
		_, err = w.Rotate(t.Context(), w.admin, app.ID, registry.Rotation{Reason: registry.Planned})
		wantCode(t, err, problem.NotFound)
		support := w.actor(t, org, "support@platform.example", "Sam", "Support", identity.RoleSupport)
		_, err = w.App(t.Context(), support, app.ID)
		wantCode(t, err, problem.Forbidden)
		theirs, _ := w.register(t, "Spend export")
		_, err = w.App(t.Context(), root, theirs.ID)
		wantCode(t, err, problem.NotFound)
	})
}

// The platform has no API users, so that its people make no callers there.
func TestPlatformHasNoCallers(t *testing.T) {
	w := sqliteWorld(t)
	_, root := w.platform(t)
	_, _, err := w.Register(t.Context(), root, registry.NewApp{AppFields: w.fields("Caller")})
	wantFields(t, err, map[string]string{"api_user": "app.api_user.unknown"})
}

// What a kind must have stands in the database too.
func TestKindsAreHeldByTheDatabase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, root := w.platform(t)
		server, _, err := w.Register(t.Context(), root, w.resourceServer("Spend API"))
		if err != nil {
			t.Fatal(err)
		}
		caller, _ := w.register(t, "Spend export")
		for name, statement := range map[string]struct{ sql, id string }{
			"a caller without API user":       {"UPDATE apps SET api_user_id = NULL WHERE id = ?", string(caller.ID)},
			"a caller of an API":              {"UPDATE apps SET resource_api = 'ccw' WHERE id = ?", string(caller.ID)},
			"a caller turned":                 {"UPDATE apps SET kind = 'resource_server' WHERE id = ?", string(caller.ID)},
			"a resource server turned":        {"UPDATE apps SET kind = 'caller' WHERE id = ?", string(server.ID)},
			"a resource server of no API":     {"UPDATE apps SET resource_api = '' WHERE id = ?", string(server.ID)},
			"a resource server with API user": {"UPDATE apps SET api_user_id = organisation_id WHERE id = ?", string(server.ID)},
			"a kind that is none":             {"UPDATE apps SET kind = 'both' WHERE id = ?", string(server.ID)},
			"an API user of nobody":           {"UPDATE apps SET api_user_id = id WHERE id = ?", string(caller.ID)},
			"an API user of another organisation": {`UPDATE apps SET api_user_id = (SELECT u.id FROM robot_accounts u
				WHERE u.organisation_id <> apps.organisation_id LIMIT 1) WHERE id = ?`, string(caller.ID)},
		} {
			err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec(statement.sql, statement.id).Error })
			if err == nil {
				t.Errorf("%s is written", name)
			}
		}
	})
}
