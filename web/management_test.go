package web_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

const appsAPI = "/api/v1/apps"

// manager is a program that may do everything with the apps of Acme, and pass on two scopes of another API.
func (p *portal) manager() *program {
	p.t.Helper()
	scopes := append(slices.Clone(managementScopes), invoiceRead, invoiceWrite)
	return p.program(p.acme, "Manager", scopes, access.AppsManage, access.AuditView)
}

// wanted is a request for an app that is granted.
func (m *program) wanted(name string) api.NewApp {
	return api.NewApp{
		Name: name, Description: "Copies approved invoices every night.", Category: "customer", APIUser: string(m.robot.ID),
		Contact: api.Contact{FirstName: "Ana", LastName: "Silva", Email: "ana@acme.example"}, Scopes: []string{invoiceRead},
	}
}

// create makes an app.
func (m *program) create(body api.NewApp, headers ...string) api.AppCreated {
	m.p.t.Helper()
	var made api.AppCreated
	got := m.call(http.MethodPost, appsAPI, body, headers...)
	if got.status != http.StatusCreated {
		m.p.t.Fatalf("%d %s", got.status, got.body)
	}
	got.into(&made)
	if got.header.Get("ETag") != `"1"` || got.header.Get("Location") != publicURL+appsAPI+"/"+made.App.ID {
		m.p.t.Errorf("ETag %q, Location %q", got.header.Get("ETag"), got.header.Get("Location"))
	}
	return made
}

// TestManagementLife walks an app through its life by the API alone.
func TestManagementLife(t *testing.T) {
	p := newPortal(t)
	m := p.manager()
	made := m.create(m.wanted("Invoices"))
	if made.Secret != nil || len(made.App.Secrets) != 0 || made.App.Status != "active" || made.App.CreatedBy.Kind != "app" {
		t.Errorf("%+v", made)
	}
	path := appsAPI + "/" + made.App.ID
	var app, same api.App
	m.call(http.MethodGet, path, nil).is(http.StatusOK).into(&app)
	if diff := cmp.Diff(made.App, app); diff != "" {
		t.Errorf("read otherwise than made:\n%s", diff)
	}
	m.call(http.MethodGet, appsAPI+"/by-client-id/"+app.ClientID, nil).is(http.StatusOK).into(&same)
	if diff := cmp.Diff(app, same); diff != "" {
		t.Error(diff)
	}

	var shown api.ShownSecret
	got := m.call(http.MethodPost, path+"/secrets", api.Rotation{Label: "first"}).is(http.StatusCreated).into(&shown)
	if shown.ClientSecret == "" || shown.ReplacesID != nil || shown.EndsAt == nil || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%+v %v", shown, got.header)
	}
	p.accessToken(shown.ClientID, shown.ClientSecret)
	var second api.ShownSecret
	m.call(http.MethodPost, path+"/secrets", api.Rotation{Reason: "lost", ReplacedEnds: "1h"}).is(http.StatusCreated).into(&second)
	if second.ReplacesID == nil || *second.ReplacesID != shown.ID || !second.ReplacedEndsAt.Equal(p.clock.Now().Add(time.Hour)) {
		t.Errorf("%+v", second)
	}
	m.call(http.MethodPost, path+"/secrets", api.Rotation{}).is(http.StatusConflict)

	var secret api.Secret
	m.call(http.MethodPost, path+"/secrets/"+shown.ID+"/retire", nil).is(http.StatusOK).into(&secret)
	if secret.State != "retired" {
		t.Errorf("%+v", secret)
	}
	m.call(http.MethodPost, path+"/secrets/"+shown.ID+"/restore", nil).is(http.StatusOK).into(&secret)
	if secret.State != "active" && secret.State != "ending" {
		t.Errorf("%+v", secret)
	}
	m.call(http.MethodPost, path+"/secrets/"+shown.ID+"/leak", nil).is(http.StatusOK).into(&secret)
	m.call(http.MethodPost, path+"/secrets/"+shown.ID+"/restore", nil).is(http.StatusConflict)
	m.call(http.MethodPost, path+"/secrets/"+database.NewID()+"/leak", nil).is(http.StatusNotFound)
	var list api.SecretList
	m.call(http.MethodGet, path+"/secrets", nil).is(http.StatusOK).into(&list)
	if len(list.Items) != 2 || list.Items[1].State != "leaked" || list.Items[0].State != "active" {
		t.Errorf("%+v", list)
	}

	tag := m.call(http.MethodGet, path, nil).header.Get("ETag")
	got = m.call(http.MethodPost, path+"/deactivate", nil, "If-Match", tag).is(http.StatusOK)
	got.into(&app)
	if app.Status != "inactive" {
		t.Errorf("%+v", app)
	}
	if status, _ := p.token(second.ClientID, second.ClientSecret); status != http.StatusUnauthorized {
		t.Errorf("a token for an inactive app: %d", status)
	}
	m.call(http.MethodPost, path+"/activate", nil, "If-Match", "*").is(http.StatusOK)
	m.call(http.MethodDelete, path, nil, "If-Match", "*").is(http.StatusConflict)
	m.call(http.MethodPost, path+"/deactivate", nil, "If-Match", "*").is(http.StatusOK)
	if got := m.call(http.MethodDelete, path, nil, "If-Match", "*").is(http.StatusNoContent); got.body != "" {
		t.Errorf("%q", got.body)
	}
	m.call(http.MethodGet, path, nil).is(http.StatusNotFound)
}

// TestManagementEdit: what a patch names changes, of the version that was seen.
func TestManagementEdit(t *testing.T) {
	p := newPortal(t)
	m := p.manager()
	made := m.create(m.wanted("Invoices"))
	path := appsAPI + "/" + made.App.ID
	for _, x := range []struct {
		name, tag string
		status    int
		code      string
	}{
		{"no version", "", http.StatusPreconditionRequired, "precondition_required"},
		{"another version", `"7"`, http.StatusPreconditionFailed, "stale"},
		{"a weak tag", `W/"1"`, http.StatusPreconditionFailed, "stale"},
		{"no tag of ours", `"abc"`, http.StatusPreconditionFailed, "stale"},
		{"bare", "1", http.StatusPreconditionFailed, "stale"},
	} {
		var headers []string
		if x.tag != "" {
			headers = []string{"If-Match", x.tag}
		}
		if doc := m.call(http.MethodPatch, path, `{"name":"Other"}`, headers...).is(x.status).problem(); doc.Code != x.code {
			t.Errorf("%s: %+v", x.name, doc)
		}
	}
	patch := `{"name":"Bills","second_contact":{"first_name":"Jo","last_name":"Weber","email":"jo@acme.example"},
		"scopes":["core.invoice.read","core.invoice.write"],"default_api":null}`
	got := m.call(http.MethodPatch, path, patch, "If-Match", `"1"`, "Content-Type", "application/merge-patch+json").is(http.StatusOK)
	var app api.App
	got.into(&app)
	if app.Name != "Bills" || app.SecondContact.Email != "jo@acme.example" || len(app.Scopes) != 2 || app.Description != made.App.Description ||
		got.header.Get("ETag") != `"2"` || app.Version != 2 {
		t.Errorf("%s", got.body)
	}
	got = m.call(http.MethodPatch, path, `{"second_contact":null}`, "If-Match", `"2"`).is(http.StatusOK)
	app = api.App{}
	got.into(&app)
	if app.SecondContact != nil {
		t.Error("null took nothing away")
	}
	doc := m.call(http.MethodPatch, path, `{"name":null,"contact":null,"scopes":null}`, "If-Match", "*").is(http.StatusBadRequest).problem()
	if diff := cmp.Diff([]string{"contact", "name", "scopes"}, keys(doc.Errors)); diff != "" {
		t.Error(diff)
	}
}

// TestManagementBodies: bodies that are not what is expected, and how each is told.
func TestManagementBodies(t *testing.T) {
	p := newPortal(t)
	m := p.manager()
	const kind = "Content-Type"
	for _, x := range []struct {
		name, body, kind string
		status           int
		fields           []string
	}{
		{"form", "name=x", "application/x-www-form-urlencoded", http.StatusUnsupportedMediaType, nil},
		{"merge patch to create", "{}", "application/merge-patch+json", http.StatusUnsupportedMediaType, nil},
		{"other charset", "{}", "application/json; charset=latin1", http.StatusUnsupportedMediaType, nil},
		{"too large", `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, "application/json", http.StatusRequestEntityTooLarge, nil},
		{"cut", `{"name":`, "application/json", http.StatusBadRequest, nil},
		{"two", `{} {}`, "application/json", http.StatusBadRequest, nil},
		{"list", `[]`, "application/json", http.StatusBadRequest, nil},
		{"null", `null`, "application/json", http.StatusBadRequest, nil},
		{"no text", "{\"name\":\"\xff\"}", "application/json", http.StatusBadRequest, nil},
		{"deep", `{"name":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, "application/json", http.StatusBadRequest, nil},
		{"unknown", `{"nmae":"x","Name":"y","contact":{"mail":""}}`, "application/json", http.StatusBadRequest, []string{"Name", "contact.mail", "nmae"}},
		{"repeated", `{"name":"x","name":"y"}`, "application/json", http.StatusBadRequest, []string{"name"}},
		{
			"types", `{"name":7,"scopes":["a",1],"contact":[],"active":"yes","secret":{"expires_at":3}}`, "application/json",
			http.StatusBadRequest,
			[]string{"active", "contact", "name", "scopes[1]", "secret.expires_at"},
		},
		{"no time", `{"secret":{"expires_at":"tomorrow"}}`, "application/json", http.StatusBadRequest, nil},
		{"empty", `{}`, "application/json", http.StatusBadRequest, []string{
			"api_user", "category", "contact.email", "contact.first_name",
			"contact.last_name", "description", "name", "scopes",
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			doc := m.call(http.MethodPost, appsAPI, x.body, kind, x.kind).is(x.status).problem()
			if diff := cmp.Diff(x.fields, keys(doc.Errors)); diff != "" && x.fields != nil {
				t.Errorf("%s\n%+v", diff, doc)
			}
		})
	}
	for query, field := range map[string]string{
		"nothing=1": "nothing", "q=a&q=b": "q", "limit=0": "limit", "limit=101": "limit", "order=up": "order", "sort=color": "sort",
		"status=on": "status", "after=abc": "after", "q=" + m.secret: "q",
	} {
		got := m.call(http.MethodGet, appsAPI+"?"+query, nil).is(http.StatusBadRequest)
		if diff := cmp.Diff([]string{field}, keys(got.problem().Errors)); diff != "" || strings.Contains(got.body, m.secret) {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

// TestManagementPaging follows the links of a list in both directions.
func TestManagementPaging(t *testing.T) {
	p := newPortal(t)
	m := p.manager()
	for _, name := range []string{"Delta", "Alpha", "Charlie", "Bravo"} {
		m.create(m.wanted(name))
	}
	var seen []string
	path := appsAPI + "?limit=2&sort=name"
	pages := 0
	for next := path; next != ""; pages++ {
		var page api.AppPage
		got := m.call(http.MethodGet, next, nil).is(http.StatusOK).into(&page)
		for _, row := range page.Items {
			seen = append(seen, row.Name)
		}
		if page.Total != 5 || page.TotalCapped {
			t.Errorf("%+v", page)
		}
		next = linkTo(got, "next")
		if pages > 0 && linkTo(got, "prev") == "" {
			t.Error("no way back")
		}
	}
	if diff := cmp.Diff([]string{"Alpha", "Bravo", "Charlie", "Delta", "Manager"}, seen); diff != "" || pages != 3 {
		t.Errorf("%s in %d pages", diff, pages)
	}
	var page api.AppPage
	m.call(http.MethodGet, appsAPI+"?q=name:Charlie&order=desc", nil).is(http.StatusOK).into(&page)
	if len(page.Items) != 1 || page.Items[0].Name != "Charlie" {
		t.Errorf("%+v", page)
	}
}

// linkTo reads a link of the header, without the host.
func linkTo(a *page, rel string) string {
	for _, l := range a.header.Values("Link") {
		target, params, _ := strings.Cut(strings.TrimPrefix(l, "<"), ">")
		if strings.TrimSpace(params) == `; rel="`+rel+`"` || strings.TrimSpace(params) == `;rel="`+rel+`"` {
			return strings.TrimPrefix(target, publicURL)
		}
	}
	return ""
}

// TestIdempotency: a POST that is sent again makes nothing anew, and no secret is shown twice.
func TestIdempotency(t *testing.T) {
	p := newPortal(t)
	m := p.manager()
	first := m.create(m.wanted("Once"), "Idempotency-Key", "k1")
	again := m.call(http.MethodPost, appsAPI, m.wanted("Once"), "Idempotency-Key", "k1").is(http.StatusCreated)
	var same api.AppCreated
	again.into(&same)
	if same.App.ID != first.App.ID || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s", again.body)
	}
	other := m.call(http.MethodPost, appsAPI, m.wanted("Twice"), "Idempotency-Key", "k1").is(http.StatusConflict).problem()
	if !strings.Contains(other.Detail, "another request") {
		t.Errorf("%+v", other)
	}

	body := m.wanted("With secret")
	body.Secret = &api.NewSecret{}
	made := m.create(body, "Idempotency-Key", "k2")
	got := m.call(http.MethodPost, appsAPI, body, "Idempotency-Key", "k2").is(http.StatusConflict)
	if got.problem().Code != "secret_already_shown" || got.header.Get("Location") != publicURL+appsAPI+"/"+made.App.ID ||
		strings.Contains(got.body, made.Secret.ClientSecret) {
		t.Errorf("%v %s", got.header, got.body)
	}
	path := appsAPI + "/" + made.App.ID + "/secrets"
	var shown api.ShownSecret
	m.call(http.MethodPost, path, api.Rotation{}, "Idempotency-Key", "k3").is(http.StatusCreated).into(&shown)
	if doc := m.call(http.MethodPost, path, api.Rotation{}, "Idempotency-Key", "k3").is(http.StatusConflict).problem(); doc.Code != "secret_already_shown" {
		t.Errorf("%+v", doc)
	}
	m.call(http.MethodPost, path, api.Rotation{Label: "x"}, "Idempotency-Key", "k3").is(http.StatusConflict)
	if app := p.app(registry.AppID(made.App.ID)); len(app.Secrets) != 2 {
		t.Errorf("%d secrets", len(app.Secrets))
	}
	for _, key := range []string{"", "two words", strings.Repeat("x", 201), "ümlaut"} {
		m.call(http.MethodPost, path, api.Rotation{}, "Idempotency-Key", key).is(http.StatusBadRequest)
	}
}

// TestC53_ManagementPower: an app gives no scope that is not its own, no API user with more than its own rights, and nothing
// of another organisation (protocol.md §6, C53).
func TestC53_ManagementPower(t *testing.T) {
	p := newPortal(t)
	m := p.manager()
	body := m.wanted("More")
	body.Scopes = []string{candidates}
	if doc := m.call(http.MethodPost, appsAPI, body).is(http.StatusForbidden).problem(); len(doc.Errors["scopes"]) != 1 {
		t.Errorf("%+v", doc)
	}
	strong := p.program(p.acme, "Strong", []string{invoiceRead}, access.RobotsManage)
	body = m.wanted("More")
	body.APIUser = string(strong.robot.ID)
	if doc := m.call(http.MethodPost, appsAPI, body).is(http.StatusForbidden).problem(); len(doc.Errors["api_user"]) != 1 {
		t.Errorf("%+v", doc)
	}
	m.call(http.MethodPost, appsAPI+"/"+string(strong.app.ID)+"/secrets", api.Rotation{Reason: "planned"}).is(http.StatusForbidden)
	theirs := p.program(p.globex, "Theirs", []string{invoiceRead}, access.AppsManage)
	for _, path := range []string{"", "/secrets"} {
		m.call(http.MethodGet, appsAPI+"/"+string(theirs.app.ID)+path, nil).is(http.StatusNotFound)
	}
	m.call(http.MethodGet, appsAPI+"/by-client-id/"+theirs.clientID, nil).is(http.StatusNotFound)
	m.call(http.MethodPatch, appsAPI+"/"+string(theirs.app.ID), `{}`, "If-Match", "*").is(http.StatusNotFound)
	m.call(http.MethodDelete, appsAPI+"/"+string(theirs.app.ID), nil, "If-Match", "*").is(http.StatusNotFound)
	body = m.wanted("Foreign user")
	body.APIUser = string(theirs.robot.ID)
	if doc := m.call(http.MethodPost, appsAPI, body).is(http.StatusBadRequest).problem(); len(doc.Errors["api_user"]) != 1 {
		t.Errorf("%+v", doc)
	}

	// With a secret takes the scope for secrets besides; nothing is made without.
	bare := p.program(p.acme, "Bare", []string{"registry.apps.write", invoiceRead}, access.AppsManage)
	body = m.wanted("With secret")
	body.Secret = &api.NewSecret{}
	if doc := bare.call(http.MethodPost, appsAPI, body).is(http.StatusForbidden).problem(); doc.ErrorCode != "E4030002" {
		t.Errorf("%+v", doc)
	}
	page, err := p.trail.Events(t.Context(), audit.Query{Chain: p.acme.ID, TargetKind: "app", Result: audit.Refused})
	p.must(err)
	if len(page.Events) < 3 {
		t.Errorf("%d refusals are in the trail", len(page.Events))
	}
}

func keys(m map[string][]string) []string {
	return slices.Sorted(maps.Keys(m))
}

// TestManagementCatalogue: APIs, scopes with their calls, and API users.
func TestManagementCatalogue(t *testing.T) {
	p := newPortal(t)
	m := p.manager()
	var apis api.CatalogueAPIs
	m.call(http.MethodGet, "/api/v1/apis", nil).is(http.StatusOK).into(&apis)
	i := slices.IndexFunc(apis.Items, func(a api.CatalogueAPI) bool { return a.Key == "credenza" })
	if i < 0 || !apis.Items[i].Own || apis.Items[i].Audience != publicURL+"/apis/credenza" || apis.Items[i].TokenLifetime != 3600 {
		t.Errorf("%+v", apis)
	}
	var names []string
	for next := "/api/v1/scopes?limit=60"; next != ""; {
		var page api.ScopePage
		got := m.call(http.MethodGet, next, nil).is(http.StatusOK).into(&page)
		for _, x := range page.Items {
			names = append(names, x.Name)
		}
		if page.Total != len(p.catalogue.Scopes()) {
			t.Errorf("%d in all", page.Total)
		}
		next = linkTo(got, "next")
	}
	if len(names) != len(p.catalogue.Scopes()) || !slices.Contains(names, invoiceRead) {
		t.Errorf("%d scopes by pages", len(names))
	}
	var found api.ScopePage
	m.call(http.MethodGet, "/api/v1/scopes?q=POST%20/invoices&kind=write&api=coupa-core", nil).is(http.StatusOK).into(&found)
	if len(found.Items) == 0 || found.Items[0].Kind != "write" {
		t.Errorf("%+v", found)
	}
	var detail api.ScopeDetail
	m.call(http.MethodGet, "/api/v1/scopes/"+invoiceRead, nil).is(http.StatusOK).into(&detail)
	if detail.API != "coupa-core" || !detail.Grantable || len(detail.Calls) == 0 {
		t.Errorf("%+v", detail)
	}
	m.call(http.MethodGet, "/api/v1/scopes/core.invoices.read", nil).is(http.StatusNotFound)
	for _, query := range []string{"api=none", "kind=big", "after=none"} {
		m.call(http.MethodGet, "/api/v1/scopes?"+query, nil).is(http.StatusBadRequest)
	}
	var users api.Identities
	m.call(http.MethodGet, "/api/v1/api-users", nil).is(http.StatusOK).into(&users)
	i = slices.IndexFunc(users.Items, func(u api.Identity) bool { return u.Name == "Manager" })
	if i < 0 || users.Items[i].ID != string(m.robot.ID) || !slices.Equal(users.Items[i].Categories, []string{"customer", "partner"}) {
		t.Errorf("%+v", users)
	}
}

// TestManagementAudit: an organisation's trail by pages, without anybody else's and without persons' names.
func TestManagementAudit(t *testing.T) {
	p := newPortal(t)
	m := p.manager()
	made := m.create(m.wanted("Seen"))
	m.call(http.MethodPost, appsAPI+"/"+made.App.ID+"/deactivate", nil, "If-Match", "*").is(http.StatusOK)
	p.program(p.globex, "Theirs", []string{invoiceRead})
	var actions []string
	for next := "/api/v1/audit/events?limit=1&app=" + made.App.ID; next != ""; {
		var page api.EventPage
		got := m.call(http.MethodGet, next, nil).is(http.StatusOK).into(&page)
		for _, e := range page.Items {
			actions = append(actions, e.Action+" "+e.Actor.Kind+" "+e.Target.Label+" "+e.Result)
			if e.Actor.ID != string(m.app.ID) || e.RequestID == "" || strings.Contains(got.body, "ana@acme.example") {
				t.Errorf("%s", got.body)
			}
		}
		next = linkTo(got, "next")
	}
	if diff := cmp.Diff([]string{"app.deactivate app Seen done", "app.register app Seen done"}, actions); diff != "" {
		t.Error(diff)
	}
	got := m.call(http.MethodGet, "/api/v1/audit/events?limit=100&result=done", nil).is(http.StatusOK)
	if strings.Contains(got.body, "Theirs") {
		t.Error("another organisation's trail is shown")
	}
	for _, query := range []string{"app=x", "result=fine", "before=0", "limit=1000"} {
		m.call(http.MethodGet, "/api/v1/audit/events?"+query, nil).is(http.StatusBadRequest)
	}
}
