package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
)

// platform makes the platform's organisation with an administrator, somebody of support, and somebody who manages apps
// and nothing else.
func (p *portal) platform() identity.Organisation {
	p.t.Helper()
	system := access.System("test", "")
	org, err := p.identity.CreateOrganisation(p.t.Context(), system,
		identity.NewOrganisation{Name: "Platform", ClientPrefix: "PLAT", Kind: identity.Platform})
	p.must(err)
	_, err = p.identity.CreateRole(p.t.Context(), access.System("test", org.ID),
		identity.NewRole{Organisation: org.ID, Name: "Keeper", Rights: []access.Right{access.AppsManage}})
	p.must(err)
	p.person(org, "root@platform.example", "Robin", "Root", identity.RolePlatformAdministrator)
	p.person(org, "support@platform.example", "Sam", "Support", identity.RoleSupport)
	p.person(org, "keeper@platform.example", "Kit", "Keeper", "Keeper")
	return org
}

// newServer is the register form filled for a resource server, as a browser without style sheets would send it: with
// all fields of callers besides.
func (b *browser) newServer(changes map[string][]string) url.Values {
	b.p.t.Helper()
	form := with(b.get("/apps/new").is(http.StatusOK).form("main form"), map[string][]string{
		"resource_api": {"coupa-core"}, "name": {"Spend API"}, "description": {"Asks what tokens of the spend API are good for."},
		"do": {"save"},
	})
	return with(form, changes)
}

// introspect asks about a token as a program does.
func (p *portal) introspect(clientID, secret, token string) map[string]any {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, publicURL+"/oauth2/introspect",
		strings.NewReader(url.Values{"token": {token}}.Encode()))
	p.must(err)
	r.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(secret))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := p.RoundTrip(r)
	p.must(err)
	defer func() { _ = got.Body.Close() }()
	var answer map[string]any
	p.must(json.NewDecoder(got.Body).Decode(&answer))
	return answer
}

// TestResourceServerFromFormToAnswer walks through its life in the browser, and asks about a token with what it showed.
func TestResourceServerFromFormToAnswer(t *testing.T) {
	p := newPortal(t)
	p.platform()
	caller := p.as("admin@acme.example").register(nil)
	token := p.accessToken(caller.clientID, caller.secret)
	root := p.as("root@platform.example")

	fresh := root.get("/apps/new").is(http.StatusOK).says("h1", "Register an app or an API").says("label[for=f-name]", "Name").
		says("#f-description-hint", "What is it for?").says(".actions", "Create")
	if text := fresh.text("main form"); strings.Contains(text, "this app") || strings.Contains(text, "Application name") {
		t.Errorf("the form speaks of an app where it may be none: %s", text)
	}
	form := root.newServer(nil)
	if form.Get("kind") != "resource_server" {
		t.Errorf("the form begins with %q, and nobody there can call", form.Get("kind"))
	}
	made := root.post("/apps", form).is(http.StatusOK).revealed()
	if text := made.text("main"); !strings.Contains(text, "CCW_INTROSPECTION_URL="+publicURL+"/oauth2/introspect") ||
		strings.Contains(text, "grant_type") || !strings.Contains(text, "CCW_TOKEN") {
		t.Errorf("the page says %s", text)
	}
	answer := p.introspect(made.clientID, made.secret, token)
	if active, _ := answer["active"].(bool); !active || answer["scope"] != invoiceRead || answer["org"] != string(p.acme.ID) {
		t.Errorf("introspection says %v", answer)
	}
	if status, answer := p.token(made.clientID, made.secret); status != http.StatusBadRequest || answer["error"] != "unauthorized_client" {
		t.Errorf("it asks for a token and hears %d %v", status, answer)
	}

	root.get("/apps").says(".apps-table tbody", "Introspects tokens of Coupa Core API")
	detail := root.get(made.path).is(http.StatusOK)
	detail.says(".page-head", "Introspects tokens of").says("main", publicURL+"/oauth2/introspect")
	for _, word := range []string{"API user", "Scopes", "Partner", "Token URL", "gets no tokens, and", "api_user"} {
		if strings.Contains(detail.text("main"), word) {
			t.Errorf("its page says %q", word)
		}
	}
	edit := root.get(made.path + "/edit").is(http.StatusOK)
	for _, field := range []string{"kind", "resource_api", "category", "type", "api_user", "scope", "scope_q", "default_api"} {
		if edit.Find("[name="+field+"]").Length() > 0 {
			t.Errorf("the form to edit asks for %s", field)
		}
	}
	edited := with(edit.form("main form"), map[string][]string{"name": {"Spend API 2"}, "scope": {invoiceRead}, "do": {"save"}})
	root.follow(root.post(made.path+"/edit", edited)).says("h1", "Spend API 2")
	root.follow(root.post(made.path+"/deactivate", root.get(made.path+"/deactivate").form("main form"))).
		says("main", "nothing is answered when the API asks about a token")
	if answer := p.introspect(made.clientID, made.secret, token); answer["error"] != "invalid_client" {
		t.Errorf("inactive, it hears %v", answer)
	}
	root.get(made.path+"/history").is(http.StatusOK).says("main", "An API that checks tokens").says("main", "Coupa Core API")
}

// A form that comes back keeps what was chosen, and names what is missing in the order of its fields.
func TestResourceServerFormComesBack(t *testing.T) {
	p := newPortal(t)
	p.platform()
	root := p.as("root@platform.example")
	answer := root.post("/apps", root.newServer(map[string][]string{"resource_api": {""}, "name": {""}})).is(http.StatusUnprocessableEntity)
	if found := answer.problems(); len(found) != 2 || found["resource_api"] == "" || found["name"] == "" {
		t.Errorf("problems %v", found)
	}
	if again := answer.form("main form"); again.Get("kind") != "resource_server" {
		t.Errorf("the form came back with %q", again.Get("kind"))
	}
	for _, own := range []string{"credenza", "identity-pm", "nothing"} {
		answer = root.post("/apps", root.newServer(map[string][]string{"resource_api": {own}})).is(http.StatusUnprocessableEntity)
		if answer.problems()["resource_api"] == "" {
			t.Errorf("%s: %v", own, answer.problems())
		}
	}
	redrawn := root.post("/apps/new", root.newServer(map[string][]string{"redraw": {"scopes"}, "do": nil})).is(http.StatusOK)
	if again := redrawn.form("main form"); again.Get("resource_api") != "coupa-core" || again.Get("kind") != "resource_server" {
		t.Errorf("drawn again: %q %q", again.Get("kind"), again.Get("resource_api"))
	}
}

// Nobody else is offered the choice, and a forged form is refused and recorded (C54).
func TestWhoMayMakeAResourceServer(t *testing.T) {
	p := newPortal(t)
	org := p.platform()
	admin, keeper := p.as("admin@acme.example"), p.as("keeper@platform.example")
	for _, b := range []*browser{admin, keeper} {
		if b.get("/apps/new").is(http.StatusOK).Find("[name=kind], [name=resource_api]").Length() > 0 {
			t.Error("the kind is offered")
		}
		forged := b.newServer(map[string][]string{"kind": {"resource_server"}})
		b.post("/apps", forged).is(http.StatusForbidden)
		b.get("/apps").says("main", "No app")
	}
	p.as("support@platform.example").get("/apps").is(http.StatusForbidden)
	p.as("support@platform.example").get("/apps/new").is(http.StatusForbidden)

	root := p.as("root@platform.example")
	made := root.post("/apps", root.newServer(nil)).is(http.StatusOK).revealed()
	detail := keeper.get(made.path).is(http.StatusOK)
	if detail.Find(`a[href$="/edit"]`).Length() > 0 || detail.Find(`a[href$="/deactivate"]`).Length() == 0 {
		t.Error("who may not give power is offered to edit, or not to deactivate")
	}
	keeper.post(made.path+"/edit", with(keeper.get(made.path+"/edit").form("main form"), map[string][]string{"do": {"save"}, "name": {"Mine"}})).
		is(http.StatusForbidden)
	keeper.post(made.path+"/secrets/new", with(keeper.get(made.path+"/secrets/new").form("main form"), map[string][]string{"do": {"create"}})).
		is(http.StatusForbidden)
	keeper.follow(keeper.post(made.path+"/deactivate", keeper.get(made.path+"/deactivate").form("main form")))
	keeper.post(made.path+"/activate", keeper.get(made.path+"/activate").form("main form")).is(http.StatusForbidden)
	admin.get(made.path).is(http.StatusNotFound)
	if app, err := p.registry.App(t.Context(), access.System("test", org.ID), made.id); err != nil || app.Name != "Spend API" || len(app.Usable()) != 1 {
		t.Errorf("%+v, %v", app, err)
	}
}
