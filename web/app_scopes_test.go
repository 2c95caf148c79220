package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
)

// offered are the scopes a page offers to tick, in its order.
func offered(a *page) []string {
	var names []string
	a.Find("input[name=scope]").Each(func(_ int, s *selection) { names = append(names, s.AttrOr("value", "")) })
	return names
}

func ticked(a *page) []string {
	var names []string
	a.Find("input[name=scope][checked]").Each(func(_ int, s *selection) { names = append(names, s.AttrOr("value", "")) })
	slices.Sort(names)
	return names
}

// TestScopePicker offers each scope that may be given once, with the calls it opens.
func TestScopePicker(t *testing.T) {
	p := newPortal(t)
	form := p.as("admin@acme.example").get("/apps/new").is(http.StatusOK)
	names := offered(form)
	unique := slices.Compact(slices.Sorted(slices.Values(names)))
	if len(unique) != len(names) {
		t.Errorf("%d scopes, %d boxes", len(unique), len(names))
	}
	actor := p.actor("admin@acme.example")
	for _, s := range p.catalogue.Scopes() {
		want := s.Grantable() && actor.MayGrant(s.Name)
		if got := slices.Contains(names, s.Name); got != want {
			t.Errorf("%s is offered: %v, want %v", s.Name, got, want)
		}
	}
	group := form.Find(".scope-group").FilterFunction(func(_ int, s *selection) bool {
		return strings.TrimSpace(s.Find(".scope-objects").Text()) == "invoices"
	})
	if text := group.Text(); group.Length() != 1 || !strings.Contains(text, invoiceRead) || !strings.Contains(text, "/api/invoices") {
		t.Errorf("invoices: %q", text)
	}
	form.says(".scope-list", "No scope is published")

	again := p.as("admin@acme.example").get("/apps/new?scope=" + invoiceWrite).is(http.StatusOK)
	if got := strings.TrimSpace(again.Find(".scope-objects").First().Text()); got != "invoices" {
		t.Errorf("what was chosen stands below %s", got)
	}
}

// TestScopeSearch: by scope, object or call; what was ticked stays, found or not.
func TestScopeSearch(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	base := admin.newApp(map[string][]string{"scope": {candidates, "core.purchase_order.write"}, "do": nil})
	for query, want := range map[string]string{
		"invoice": invoiceRead, "core.invoice.read": invoiceRead, "POST /invoices": invoiceWrite, "GET /api/invoices/17": invoiceRead,
		"purchase orders": "core.purchase_order.read", "https://acme.example/api/invoices?limit=5": invoiceRead,
	} {
		got := admin.post("/apps/new", with(base, map[string][]string{"scope_q": {query}, "redraw": {"scopes"}})).is(http.StatusOK)
		if !slices.Contains(offered(got), want) {
			t.Errorf("%q does not find %s: %v", query, want, offered(got))
		}
		if diff := cmp.Diff([]string{candidates, "core.purchase_order.write"}, ticked(got)); diff != "" {
			t.Errorf("%q loses ticks: %s", query, diff)
		}
		if got.Find("#f-scope_q").AttrOr("value", "") != query || got.Find("#f-name").AttrOr("value", "") != "SAP spend export" {
			t.Errorf("%q loses what was typed", query)
		}
		got.says(".warning", "core.purchase_order.write").says(".scope-count", "2")
		if len(got.problems()) > 0 {
			t.Errorf("a redraw is judged: %v", got.problems())
		}
	}
	none := admin.post("/apps/new", with(base, map[string][]string{"scope_q": {"xyzzy"}, "redraw": {"scopes"}})).is(http.StatusOK)
	if diff := cmp.Diff([]string{candidates, "core.purchase_order.write"}, slices.Sorted(slices.Values(offered(none)))); diff != "" {
		t.Errorf("a search that finds nothing offers: %s", diff)
	}
	items := admin.post("/apps/new", with(base, map[string][]string{"scope_q": {"GET /items"}, "redraw": {"scopes"}})).is(http.StatusOK)
	items.says(".scope-list", "items").says(".scope-list", "No scope is published")
	admin.get("/apps").says(".empty", "Register")
}

// TestHeldScope: what an app was given by others stays on its form, ticked or not, though the reader could not give it.
func TestHeldScope(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	p.must(p.db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec("INSERT INTO app_scopes (organisation_id, app_id, scope) VALUES (?, ?, 'openid')",
			string(p.acme.ID), string(made.id)).Error
	}))
	edit := admin.get(made.path + "/edit").is(http.StatusOK)
	if diff := cmp.Diff([]string{invoiceRead, "openid"}, ticked(edit)); diff != "" {
		t.Error(diff)
	}
	form := with(edit.form("main form"), map[string][]string{"scope": {invoiceRead}, "redraw": {"scopes"}})
	if got := offered(admin.post(made.path+"/edit", form).is(http.StatusOK)); !slices.Contains(got, "openid") {
		t.Error("once the tick is off the scope is gone")
	}
}

// TestEnterKey: in the search for scopes it searches, anywhere else it saves.
func TestEnterKey(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	form := admin.newApp(map[string][]string{"do": {"enter"}, "scope_q": {"invoice"}})
	found := admin.post("/apps", form).is(http.StatusOK)
	if found.Find("[data-secret]").Length() > 0 || len(offered(found)) == 0 {
		t.Fatal("Enter in the search saved")
	}
	again := with(found.form("main form"), map[string][]string{"do": {"enter"}})
	admin.post("/apps", again).is(http.StatusOK).revealed()

	made := admin.register(appNamed("Second"))
	form = with(admin.get(made.path+"/edit").form("main form"), map[string][]string{"do": {"enter"}, "scope_q": {"invoice"}, "name": {"Not yet"}})
	admin.post(made.path+"/edit", form).is(http.StatusOK)
	form = with(form, map[string][]string{"redraw": {"users"}, "do": nil, "scope_q": {""}, "category": {"msp"}})
	redrawn := admin.post(made.path+"/edit", form).is(http.StatusOK)
	if got := redrawn.Find("#f-api_user option:not([hidden]):not([value=''])").Length(); got != 1 {
		t.Errorf("the list for MSP offers %d API users", got)
	}
	if p.app(made.id).Name != "Second" {
		t.Error("a redraw saved")
	}
}

// TestPrefilledForm: an address fills the form and registers nothing; scopes that the catalogue lost are left out.
func TestPrefilledForm(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	query := url.Values{"name": {"From a link"}, "category": {"supplier"}, "scope": {invoiceRead, "core.gone.read", invoiceRead}, "description": {"no"}}
	got := admin.get("/apps/new?" + query.Encode()).is(http.StatusOK)
	form := got.form("main form")
	if form.Get("name") != "From a link" || form.Get("category") != "supplier" || form.Get("description") != "" {
		t.Errorf("%v", form)
	}
	if diff := cmp.Diff([]string{invoiceRead}, ticked(got)); diff != "" {
		t.Error(diff)
	}
	if form.Get("first_name") != "Ana" || form.Get("email") != "admin@acme.example" || form.Get("active") != "on" || form.Get("expiry") != "1y" {
		t.Errorf("the form does not begin with the reader as contact: %v", form)
	}
	if got.Find("#f-email").AttrOr("autocomplete", "") != "email" {
		t.Error("the reader's own data are not marked for the browser")
	}
	got.says(".form", "CCWACME_")
	admin.get("/apps").says(".empty", "Register")
}

// TestDefaultAPI is asked for when scopes belong to several APIs, and shown where it was chosen.
func TestDefaultAPI(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{"scope": {invoiceRead, candidates}, "default_api": {"ccw"}})
	ccw, _ := p.catalogue.API("ccw")
	admin.get(made.path).says("[aria-labelledby=about]", ccw.Title)
	edit := admin.get(made.path + "/edit")
	if got := edit.form("main form").Get("default_api"); got != "ccw" {
		t.Errorf("the edit form chooses %q", got)
	}
	single := admin.register(map[string][]string{"name": {"Single"}, "scope": {invoiceRead}})
	form := admin.get(single.path + "/edit").form("main form")
	if form.Get("default_api") != "" {
		t.Errorf("an API nobody chose stands in the form: %q", form.Get("default_api"))
	}
	form = with(form, map[string][]string{"scope": {candidates}, "do": {"save"}})
	admin.follow(admin.post(single.path+"/edit", form)).is(http.StatusOK)
	if got := p.app(single.id).DefaultAPI; got != "ccw" {
		t.Errorf("the default API is %q", got)
	}
}
