package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
)

// objects are the headings of the groups of a list of scopes.
func objects(a *page) []string {
	var names []string
	a.Find("#results th[scope=rowgroup]").Each(func(_ int, s *selection) {
		s = s.Clone()
		s.Find(".small, .tag").Remove()
		names = append(names, strings.TrimSpace(s.Text()))
	})
	return names
}

// listed are the scopes of a list, each once, in its order.
func listed(a *page) []string {
	var names []string
	a.Find("#results tr[data-row] th code").Each(func(_ int, s *selection) { names = append(names, s.Text()) })
	return distinct(names)
}

func distinct(names []string) []string {
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// row is the first row of a scope.
func row(a *page, name string) *selection {
	return a.Find("#results tr[data-row]").FilterFunction(func(_ int, s *selection) bool { return s.Find("th code").First().Text() == name }).First()
}

// spaced is the text of an element with a space between its parts, which lie apart on the page.
func spaced(s *selection) string {
	var parts []string
	s.Contents().Each(func(_ int, n *selection) {
		if n.Is(".skip") {
			return // seen while a box of the row is ticked and it has the focus
		}
		if goquery.NodeName(n) == "#text" || n.Is(".call") { // a path lies in pieces that may part
			parts = append(parts, strings.Fields(n.Text())...)
		} else if text := spaced(n); text != "" {
			parts = append(parts, text)
		}
	})
	return strings.Join(parts, " ")
}

// query is the address of the list with these parameters, name and value in turn.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return "/scopes?" + values.Encode()
}

// chips are the active filters by what they say.
func chips(a *page) []string {
	var tokens []string
	a.Find(".filters .filter-token").Each(func(_ int, s *selection) { tokens = append(tokens, s.Text()) })
	return tokens
}

// Every page of the list together shows each scope of the catalogue, each object, and no page is heavy (ui.md §7 item
// 12).
func TestScopesListIsWhole(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	var scopes, groups []string
	for n := 1; ; n++ {
		a := admin.get(query("page", fmt.Sprint(n))).is(http.StatusOK)
		scopes, groups = append(scopes, listed(a)...), append(groups, objects(a)...)
		if rows := a.Find("#results tr[data-row]").Length(); rows > 60 {
			t.Errorf("page %d has %d rows", n, rows)
		}
		if len(a.body) > 90<<10 {
			t.Errorf("page %d weighs %d bytes", n, len(a.body))
		}
		t.Logf("page %d: %d rows, %d bytes", n, a.Find("#results tr[data-row]").Length(), len(a.body))
		if a.Find("button[name=page]").Length() == 0 || n > 9 {
			t.Fatalf("page %d has no pager", n)
		}
		a.says(".pager-range", fmt.Sprintf("Page %d of ", n)).says(".results-count", "198 scopes")
		if a.Find(fmt.Sprintf("button[name=page][value='%d']", n+1)).Length() == 0 {
			break
		}
	}
	for _, s := range p.catalogue.Scopes() {
		if !slices.Contains(scopes, s.Name) {
			t.Errorf("%s is on no page", s.Name)
		}
	}
	for _, api := range p.catalogue.APIs() {
		for _, o := range api.Objects {
			if !slices.Contains(groups, o.Name) {
				t.Errorf("%s is on no page", o.Name)
			}
		}
	}
	if a, b := admin.get(query("page", "99")), admin.get(query("page", "x")); !slices.Contains(objects(a), "Without a published call") ||
		objects(b)[0] != "accounts" {
		t.Error("a page that is none is not the nearest one")
	}
}

// A row says what the scope opens, what kind it is, who uses it; objects without a scope say so.
func TestScopesRows(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.register(nil)
	admin.register(map[string][]string{"name": {"Second"}, "scope": {invoiceRead, invoiceWrite}})
	globexThings(p)
	a := admin.get(query("in", "coupa-core/invoices")).is(http.StatusOK)
	want := "core.invoice.read Copy read GET /api/invoices GET /api/invoices/{id} 2 apps"
	if got := spaced(row(a, invoiceRead)); got != want {
		t.Errorf("row %q, want %q", got, want)
	}
	if got := row(a, invoiceRead).Find(".used a").AttrOr("href", ""); got != "/scopes/core.invoice.read#apps" {
		t.Errorf("the apps are at %q", got)
	}
	if got := spaced(row(a, "core.invoice.delete")); got != "core.invoice.delete Copy delete none published no app" {
		t.Errorf("row %q", got)
	}
	a.says(".source", "none of the calls printed here").says(".source", "GET/invoices POST/invoices GET/invoices/{id} PATCH/invoices/{id}").
		says(".source summary", "The source prints this differently").says(".source", "PATCH is kept")

	cancel := admin.get(query("in", "coupa-core/cancel_purchaseorders"))
	cancel.says(".source", "PUT/close_purchaseorders/{id}").says(".source", "PUT /purchase_orders/{id}/cancel").says(".source", "never matched")

	items := admin.get(query("q", "items")).says("#results", "No scope published.").says("#results", "GET /api/items").
		says("#results", "core.item.read and core.item.write")
	if slices.Contains(objects(items), "invoices") || row(items, "core.item.read").Length() != 1 {
		t.Errorf("items: %v", objects(items))
	}

	admin.get(query("q", "openid")).says("tr[data-row]", "required").says("tr[data-row]", "not given to apps")
	if n := admin.get(query("q", "openid")).Find("tr[data-row] input").Length(); n != 0 {
		t.Error("a scope of sign-in can be ticked")
	}
	admin.get(query("q", "PM.OAuthApp")).says("th[scope=rowgroup]", "not served here")
	admin.get(query("q", "csp")).says("tr[data-row]", "Given by the platform only.")
	admin.get(query("q", "ccw.candidate")).says("tr[data-row]", "Printed elsewhere as ccw.candidate").says("tr[data-row]", "Opens reading, too.")
	manager := p.as(p.withRights("manager", access.AppsManage))
	manager.get(query("q", "PM.Group.Read")).says("tr[data-row]", "takes the right Automation > Robot accounts > Manage")
}

// By scope, object, call or address; what is shown is what was found, and no other object that shares the scope.
func TestScopesSearch(t *testing.T) {
	p := newPortal(t)
	guest := p.as("guest@acme.example")
	for _, tt := range []struct {
		query           string
		objects, scopes []string
	}{
		{"POST /invoices", []string{"invoices"}, []string{"core.invoice.create", invoiceWrite}},
		{"https://acme.coupahost.com/api/invoices/17?exported=false", []string{"invoices"}, []string{invoiceRead, invoiceWrite}},
		{"PUT /api/purchase_orders/5/cancel", []string{"cancel_purchaseorders"}, []string{"core.purchase_order.write"}},
		{"cancel_purchaseorders", []string{"cancel_purchaseorders"}, []string{"core.purchase_order.write"}},
		{
			"core.purchase_order.write",
			[]string{"cancel_purchaseorders", "close_purchaseorders", "issue_purchaseorders", "purchase_orders"},
			[]string{"core.purchase_order.write"},
		},
		{"candidates/search", []string{"candidates"}, []string{candidates}},
		{"POST /items", []string{"items"}, nil},
		{"HEAD /identity_/api/Group/1", []string{"Group"}, []string{"PM.Group", "PM.Group.Read"}},
		{"email", []string{"Without a published call", "invoices", "suppliers"}, []string{"email", invoiceWrite, "core.supplier.read", "core.supplier.write"}},
		{"exchange rates", []string{"Without a published call"}, []string{"core.common.read", "core.common.write"}},
	} {
		a := guest.get(query("q", tt.query)).is(http.StatusOK)
		if diff := cmp.Diff(tt.objects, objects(a)); diff != "" {
			t.Errorf("%s: objects (-want +got):\n%s", tt.query, diff)
		}
		if diff := cmp.Diff(tt.scopes, listed(a)); diff != "" {
			t.Errorf("%s: scopes (-want +got):\n%s", tt.query, diff)
		}
		if a.Find("#f-q").AttrOr("value", "") != tt.query {
			t.Errorf("%s: the search is lost", tt.query)
		}
	}
	guest.get(query("q", "POST /invoices")).says("#results", "POST /api/invoices is open to a token with any one of its scopes.")
	guest.get(query("q", "GET /invoices")).says("#results", "GET /api/invoices is open to a token with this scope.")
	guest.get(query("q", "GET /items")).says("#results", "GET /api/items is known, but no scope is published for it")
	call := guest.get(query("q", "PATCH /invoices/1"))
	if got := spaced(row(call, invoiceWrite).Find(".call-list")); got != "PATCH /api/invoices/{id}" {
		t.Errorf("a search for a call shows others: %q", got)
	}
}

// Unknown calls and names are said to be none, with what may have been meant.
func TestScopesNothingFound(t *testing.T) {
	p := newPortal(t)
	guest := p.as("guest@acme.example")
	near := guest.get(query("q", "DELETE /invoices/17")).is(http.StatusOK).says(".empty h2", "No published call matches").
		says(".empty", "DELETE /invoices/17 is not a call of this catalogue").says(".empty .call-list", "GET /api/invoices/{id}")
	link := near.Find(".empty .call-list a").First()
	guest.get(link.AttrOr("href", "")).says("#results", "GET /api/invoices/{id} is open to")
	if got := near.Find("#results").AttrOr("data-status", ""); got != "No published call matches" {
		t.Errorf("it is said %q", got)
	}
	far := guest.get(query("q", "GET https://example.com/nothing/of/the/sort")).says(".empty h2", "No published call matches")
	if far.Find(".call-list").Length() != 0 {
		t.Error("something is near that is not")
	}
	both := guest.get(query("q", "POST /invoice")).says(".banner", "No published call matches").says(".banner", "POST /api/invoices")
	if !slices.Contains(listed(both), "core.invoice.create") {
		t.Error("the words of a call that is none are not searched for")
	}
	guest.get(query("q", "core.invoices.reed")).says(".empty h2", "No scope matches").says(".empty", "Did you mean core.invoice.read?")
	guest.get(query("q", "xyzzy")).says(".empty", "Check the spelling")
	guest.get(query("q", "invoice", "in", "ccw")).says(".empty h2", "No scope matches")
	guest.get(query("in", "no-such-api")).says(".empty h2", "No scope matches").says(".filters", "In: no-such-api")

	// Filters alone are not misspelt, and one control takes them all away.
	only := guest.get(query("in", "ccw", "kind", "delete")).says(".empty", "No scope fits all filters together.")
	if all := only.Find("#results a[href='/scopes']"); all.Length() != 1 || strings.Contains(only.Find(".empty").Text(), "spelling") {
		t.Errorf("%d controls take all filters away", all.Length())
	}

	long := strings.Repeat("x", 2049)
	guest.get(query("q", long)).is(http.StatusBadRequest).says(".empty h2", "The search is too long")
	guest.fragment(query("q", long), "results").is(http.StatusOK).says(".empty h2", "The search is too long")
	if a := guest.get(query("q", strings.Repeat("ä", 1024))).is(http.StatusOK); len(chips(a)[0]) > 200 {
		t.Error("a long search makes a long chip")
	}
}

// A call of the portal itself is never said to be denied.
func TestScopesOwnCalls(t *testing.T) {
	p := newPortal(t)
	guest := p.as("guest@acme.example")
	for text, want := range map[string]string{
		"GET /api/v1/apps/self":                        "is served by the portal itself. Any live token may ask it",
		"/api/v1/apps/self":                            "is served by the portal itself.",
		"api/v1/apps/self":                             "is served by the portal itself.",
		"https://portal.example/api/v1/apps/self/?x=1": "is served by the portal itself.",
		"POST /api/v1/apps/self":                       "Any live token may ask GET /api/v1/apps/self.",
		"/api/v1/apps":                                 "Any live token may ask GET /api/v1/apps/self.",
		"GET /api/v1/apps":                             "Any live token may ask GET /api/v1/apps/self.",
		"DELETE /acme/identity_/api/Nothing":           "lies where the portal itself answers",
	} {
		a := guest.get(query("q", text)).says("#results", want).says("#results", "One of the portal's own calls")
		if strings.Contains(a.Find("#results").Text(), "denied") {
			t.Errorf("%s is said to be denied", text)
		}
	}
	guest.get(query("q", "GET /api/v2/apps/self")).says("#results", "Calls that are not published are denied.")
}

// The text of a row reads without its looks, and a path breaks before its slashes only.
func TestScopesRowsReadAsText(t *testing.T) {
	p := newPortal(t)
	guest := p.as("guest@acme.example")
	tags := row(guest.get(query("q", "openid")), "openid").Find(".right").Text()
	if got := strings.Join(strings.Fields(tags), " "); !strings.HasSuffix(got, " required") {
		t.Errorf("the right reads %q", got)
	}
	call := row(guest.get(query("q", "GET /invoices/1")), invoiceRead).Find(".call")
	html, err := call.Html()
	if err != nil || !strings.Contains(html, "/api<wbr/>/invoices<wbr/>/{id}") || strings.TrimSpace(call.Text()) != "GET /api/invoices/{id}" {
		t.Errorf("%q: %s %v", call.Text(), html, err)
	}
}

// Every filter state stands in the address and comes back from it (ui.md §7 item 8).
func TestUI8_ScopesFilters(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.register(nil)
	admin.register(map[string][]string{"name": {"Second"}, "scope": {candidates}})
	a := admin.get(query("q", "invoice", "in", "coupa-core", "kind", "read", "kind", "delete", "used", "on", "scope", candidates)).is(http.StatusOK)
	if diff := cmp.Diff([]string{invoiceRead}, listed(a)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"invoice", "In: Coupa Core API", "Right: read", "Right: delete", "In use by your apps"}, chips(a)); diff != "" {
		t.Error(diff)
	}
	form := a.form("#scope-form") // fields inside it
	outside := map[string][]string{}
	a.Find("[form=scope-form]").Each(func(_ int, s *selection) {
		_, checked := s.Attr("checked")
		switch {
		case goquery.NodeName(s) == "select":
			outside[s.AttrOr("name", "")] = []string{chosen(s)}
		case checked:
			outside[s.AttrOr("name", "")] = append(outside[s.AttrOr("name", "")], s.AttrOr("value", ""))
		}
	})
	want := map[string][]string{"in": {"coupa-core"}, "kind": {"read", "delete"}, "used": {"on"}, "scope": {candidates}}
	if diff := cmp.Diff(want, outside); diff != "" || form.Get("q") != "invoice" {
		t.Errorf("the form does not hold its state: %s", diff)
	}
	a.says(".scopes-kept", candidates).says("#results", "1 scope")

	// Each chip takes one thing away, and none takes the ticks.
	a.Find(".filters a").Each(func(_ int, s *selection) {
		href := s.AttrOr("href", "")
		next := admin.get(href).is(http.StatusOK)
		rest := slices.DeleteFunc(chips(a), func(c string) bool { return c == s.Find(".filter-token").Text() })
		if s.Find(".filter-token").Length() == 0 {
			rest = nil
		}
		if diff := cmp.Diff(rest, chips(next)); diff != "" || !strings.Contains(href, "scope=ccw.candidates") {
			t.Errorf("%s: %s", href, diff)
		}
	})
	inUse := admin.get(query("used", "on"))
	if diff := cmp.Diff([]string{invoiceRead, candidates}, listed(inUse)); diff != "" {
		t.Error(diff)
	}
	kinds := admin.get(query("kind", "delete", "kind", "special", "kind", "nonsense"))
	if diff := cmp.Diff([]string{"Right: delete", "Right: special"}, chips(kinds)); diff != "" {
		t.Error(diff)
	}
	kinds.Find("#results tr[data-row] .right .tag:first-child").Each(func(_ int, s *selection) {
		if s.Text() != "delete" && s.Text() != "special" {
			t.Errorf("kind %q", s.Text())
		}
	})
	if names := objects(admin.get(query("in", "ccw"))); !slices.Equal(names, []string{"candidates", "contingent_workers"}) {
		t.Errorf("ccw has %v", names)
	}
}

// What is ticked comes along through searches, and leads to the form of a new app or to the apps that there are.
func TestScopesTicked(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	a := admin.get(query("q", "candidates", "scope", invoiceRead, "scope", candidates, "scope", invoiceRead, "scope", "openid", "scope", "core.gone")).
		is(http.StatusOK)
	if diff := cmp.Diff([]string{candidates, invoiceRead}, ticked(a)); diff != "" {
		t.Errorf("ticked: %s", diff)
	}
	if got := a.Find("#ticked").AttrOr("value", ""); got != invoiceRead+" "+candidates {
		t.Errorf("the list is %q", got)
	}
	to := admin.get(query("do", "app", "q", "x", "scope", invoiceRead, "scope", candidates)).is(http.StatusSeeOther).to()
	if to != "/apps/new?scope=core.invoice.read&scope=ccw.candidates" {
		t.Fatalf("it leads to %s", to)
	}
	form := admin.get(to).is(http.StatusOK)
	if diff := cmp.Diff([]string{candidates, invoiceRead}, ticked(form)); diff != "" {
		t.Error(diff)
	}
	to = admin.get(query("do", "add", "scope", candidates)).is(http.StatusSeeOther).to()
	choose := admin.get(to).is(http.StatusOK).says("main", candidates).says("main", "Nothing changes until you save it.")
	link := choose.Find(".lines a").First().AttrOr("href", "")
	if link != made.path+"/edit?scope="+candidates {
		t.Fatalf("the app is at %s", link)
	}
	edit := admin.get(link).is(http.StatusOK).says(".warning", "the app's once you save: "+candidates)
	if diff := cmp.Diff([]string{candidates, invoiceRead}, ticked(edit)); diff != "" {
		t.Error(diff)
	}
	if app := p.app(made.id); len(app.Scopes) != 1 {
		t.Error("looking changed the app")
	}
	saved := with(edit.form("main form"), map[string][]string{"do": {"save"}, "default_api": {"coupa-core"}})
	admin.follow(admin.post(made.path+"/edit", saved)).says("[aria-labelledby=scopes]", candidates)

	for _, do := range []string{"app", "add", "nonsense"} {
		admin.get(query("do", do)).is(http.StatusOK)
		admin.get(query("do", do, "scope", "openid")).is(http.StatusOK)
		p.as("viewer@acme.example").get(query("do", do, "scope", invoiceRead)).is(http.StatusOK)
	}
	if bar := p.as("viewer@acme.example").get(query("scope", invoiceRead)); bar.Find("button[name=do]").Length() != 0 || bar.Find("#ticked").Length() != 1 {
		t.Error("a viewer may not start apps, and may copy")
	}
}

// Without a script, a scope that stands in several rows is ticked in all of them. Ticking one of them is enough, and so is
// taking the tick off one.
func TestScopesTickedInSeveralRows(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	const order = "core.purchase_order.write"
	pressed := func(changes map[string][]string) *page {
		return admin.get("/scopes?" + with(url.Values{"q": {order}}, changes).Encode()).is(http.StatusOK)
	}
	boxes := func(a *page) []string {
		return a.Find("input[name=scope][checked]").Map(func(_ int, s *selection) string { return s.AttrOr("value", "") })
	}
	again := func(a *page) []string {
		return a.Find("input[type=hidden][name=again]").Map(func(_ int, s *selection) string { return s.AttrOr("value", "") })
	}
	a := pressed(map[string][]string{"scope": {order, candidates}})
	if on, more := boxes(a), again(a); len(on) != 5 || len(more) != 3 || a.Find("#ticked").AttrOr("value", "") != order+" "+candidates {
		t.Fatalf("of one box ticked come %v, %v", on, more)
	}
	whole := pressed(map[string][]string{"scope": boxes(a), "again": again(a)})
	if diff := cmp.Diff(boxes(a), boxes(whole)); diff != "" {
		t.Errorf("sent again as it came: %s", diff)
	}
	off := pressed(map[string][]string{"scope": {order, order, order, candidates}, "again": again(a)})
	if diff := cmp.Diff([]string{candidates}, boxes(off)); diff != "" || len(again(off)) != 0 {
		t.Errorf("taken off one row: %s", diff)
	}
	elsewhere := pressed(map[string][]string{"q": {"candidates"}, "scope": boxes(a), "again": again(a)})
	if diff := cmp.Diff([]string{candidates, order}, boxes(elsewhere)); diff != "" || len(again(elsewhere)) != 0 {
		t.Errorf("on another page: %s", diff)
	}
	to := admin.get("/scopes?" + url.Values{"do": {"app"}, "scope": boxes(a), "again": again(a)}.Encode()).is(http.StatusSeeOther).to()
	if to != "/apps/new?scope=core.purchase_order.write&scope=ccw.candidates" {
		t.Errorf("it leads to %s", to)
	}
}

// The form of a new app begins with the scopes and their API, and says what it left out and why.
func TestScopesStartAnApp(t *testing.T) {
	p := newPortal(t)
	manager := p.as(p.withRights("manager", access.AppsManage))
	address := "/apps/new?" + url.Values{"scope": {candidates, "openid", "PM.User", "csp.invoices.read", "PM.Group.Read", "core.gone", ""}}.Encode()
	a := manager.get(address).is(http.StatusOK)
	if diff := cmp.Diff([]string{candidates}, ticked(a)); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{
		"openid was left out: it belongs to connections", "PM.User was left out: its calls are not served here",
		"csp.invoices.read was left out: only the platform gives it", "core.gone is not in the catalogue",
		"PM.Group.Read was left out: giving it takes the right Automation > Robot accounts > Manage robot accounts and groups",
	} {
		a.says(".warning", text)
	}
	if got := a.form("main form").Get("default_api"); got != "ccw" {
		t.Errorf("the default API is %q", got)
	}
	two := manager.get("/apps/new?scope=" + candidates + "&scope=" + invoiceRead)
	if got := two.form("main form").Get("default_api"); got != "" {
		t.Errorf("of two APIs %q was chosen", got)
	}
	made := manager.post("/apps", with(a.form("main form"), map[string][]string{
		"name": {"From the catalogue"}, "description": {"Started from the scope catalogue."}, "category": {"customer"},
		"api_user": manager.newApp(nil)["api_user"], "do": {"save"},
	})).is(http.StatusOK).revealed()
	if app := p.app(made.id); !slices.Equal(app.Scopes, []string{candidates}) || app.DefaultAPI != "ccw" {
		t.Errorf("the app has %v, default %s", app.Scopes, app.DefaultAPI)
	}
	many := url.Values{}
	for i := range 300 {
		many.Add("scope", fmt.Sprintf("junk.%d%s", i, strings.Repeat("x", 20)))
	}
	if n := manager.get("/apps/new?" + many.Encode()).is(http.StatusOK).Find(".warning").Length(); n != 10 {
		t.Errorf("%d refusals are told", n)
	}
}

// Everybody signed in may look; who may not see apps sees no counts, and nobody sees another organisation's.
func TestScopesAreOpenToMembers(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.register(nil)
	guest, globex := p.as("guest@acme.example"), p.as("admin@globex.example")
	list := guest.get(query("q", "invoice", "used", "on")).is(http.StatusOK)
	if list.Find("td.used").Length() != 0 || list.Find("[name=used]").Length() != 0 || len(chips(list)) != 1 {
		t.Error("a guest sees what apps hold")
	}
	guest.get("/scopes/"+invoiceRead).is(http.StatusOK).says("[aria-labelledby=apps]", "takes the right Integration toolkit > API consumer apps > View")
	if got := spaced(row(globex.get(query("q", invoiceRead)), invoiceRead).Find(".used")); got != "no app" {
		t.Errorf("Globex sees %q", got)
	}
	globex.get("/scopes/"+invoiceRead).says("[aria-labelledby=apps]", "No app of your organisation holds it.")
	admin.get("/scopes/"+invoiceRead).says("[aria-labelledby=apps]", "SAP spend export")
	for _, b := range []*browser{guest, globex, admin} {
		if b.get("/").Find("nav.side a[href='/scopes']").Length() != 1 {
			t.Error("the navigation does not lead to the scopes")
		}
	}
	if events := p.refusals(); len(events) != 0 {
		t.Errorf("looking left refusals: %v", events)
	}
	if to := p.stranger().get(query("q", "invoice")).is(http.StatusSeeOther).to(); !strings.HasPrefix(to, "/signin?next=") {
		t.Errorf("a stranger is sent to %s", to)
	}
}

// refusals are the acts that were refused to people of Acme.
func (p *portal) refusals() []string {
	p.t.Helper()
	events, err := p.trail.Events(p.t.Context(), audit.Query{Chain: p.acme.ID, Limit: 100})
	p.must(err)
	var acts []string
	for _, e := range events.Events {
		if e.Result == audit.Refused {
			acts = append(acts, e.Action)
		}
	}
	return acts
}

// A secret that was pasted into the search is dropped before anything is answered, and the page says so (C72).
func TestUI5_ScopesDropSecrets(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	guest := p.as("guest@acme.example")
	to := guest.get(query("q", made.secret)).is(http.StatusSeeOther).to()
	if to != "/scopes?hint=secret" {
		t.Errorf("it leads to %s", to)
	}
	guest.get(to).is(http.StatusOK).says("[role=alert]", "That was a client secret").says("[role=alert]", "not kept anywhere")
	if n := len(p.holding(made.secret)); n != 1 {
		t.Errorf("%d answers hold the secret", n)
	}
	if strings.Contains(p.log.String(), made.secret[:20]) {
		t.Error("the log holds the secret")
	}
}

// The page of a scope: what it opens and what else does, who gives it, what is printed of it.
func TestScopePage(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	a := admin.get("/scopes/core.invoice.create").is(http.StatusOK).says("h1", "core.invoice.create").says("h1 + .tag", "write").
		says("[aria-labelledby=calls]", "POST /api/invoices").says("[aria-labelledby=calls]", "Also opened by core.invoice.write").
		says(".warning", "Most apps that write read as well: core.invoice.read").says("[aria-labelledby=about]", "Coupa Core API").
		says("[aria-labelledby=grant]", "Manage API client app").says("[aria-labelledby=grant]", "In your organisation: Ana Silva").
		says("[aria-labelledby=sources]", "PATCH/invoices/{id}").says("[aria-labelledby=permissions]", "Invoices")
	if a.Find(".warning a[href='/scopes/core.invoice.read']").Length() != 1 {
		t.Error("the twin is no link")
	}
	start := a.Find(".page-actions a").Map(func(_ int, s *selection) string { return s.AttrOr("href", "") })
	if diff := cmp.Diff([]string{"/scopes/add?scope=core.invoice.create", "/apps/new?scope=core.invoice.create"}, start); diff != "" {
		t.Error(diff)
	}
	for name, texts := range map[string][]string{
		"openid":                        {"belongs to connections where a person signs in", "On every connection to Coupa Core API"},
		"PM.OAuthApp":                   {"The calls it is documented for are not served here.", "would gain power"},
		"csp.invoices.read":             {"Only the platform gives it.", "Of the supplier portal API"},
		"core.common.read":              {"On every connection to Coupa Core API", "Exchange Rates", "No published call needs this scope."},
		"ccw.candidates":                {"Printed elsewhere as ccw.candidate", "Opens reading, too."},
		"oauth.introspect":              {"Manage roles", "No published call needs this scope.", "Introspects the tokens"},
		"IS.Connections.Token":          {"GET /connections_/api/v1/Connections/{id}/token", "Manage connections"},
		"core.inventory.pick_list.read": {"one changing action"},
	} {
		got := admin.get("/scopes/" + name).is(http.StatusOK)
		for _, text := range texts {
			got.says("main", text)
		}
	}
	for _, s := range p.catalogue.Scopes() {
		got := admin.get("/scopes/" + s.Name).is(http.StatusOK)
		if offers := got.Find(".page-actions a").Length() > 0; offers != (s.Grantable() && p.actor("admin@acme.example").MayGrant(s.Name)) {
			t.Errorf("%s starts an app: %v", s.Name, offers)
		}
	}
	viewer := p.as("viewer@acme.example").get("/scopes/" + invoiceRead).is(http.StatusOK)
	if viewer.Find(".page-actions a").Length() != 0 {
		t.Error("a viewer is offered to start an app")
	}
}

func TestScopePageOfManyApps(t *testing.T) {
	p := newPortal(t)
	actor, user := p.actor("admin@acme.example"), p.apiUser(p.acme, identity.KindClient)
	for i := range 52 {
		_, _, err := p.registry.Register(t.Context(), actor, registry.NewApp{AppFields: registry.AppFields{
			Name: fmt.Sprintf("App %02d", i), Description: "One of very many apps.", Category: registry.Customer, Type: registry.Machine,
			CredentialType: registry.SharedSecret, APIUser: user.ID, Scopes: []string{invoiceRead},
			Contact: registry.Contact{FirstName: "Jo", LastName: "Weber", Email: "jo@acme.example"},
		}})
		p.must(err)
	}
	a := p.as("viewer@acme.example").get("/scopes/"+invoiceRead).is(http.StatusOK).says("[aria-labelledby=apps]", "2 more apps hold it.").
		says("[aria-labelledby=apps]", "App 00 Inactive")
	if n := a.Find("[aria-labelledby=apps] li").Length(); n != 50 {
		t.Errorf("%d apps are named", n)
	}
	add := p.as("admin@acme.example").get("/scopes/add?scope="+candidates).is(http.StatusOK).says("main", "More apps match.")
	if n := add.Find(".lines a").Length(); n != 50 {
		t.Errorf("%d apps are offered", n)
	}
	found := p.as("admin@acme.example").get("/scopes/add?scope=" + candidates + "&q=51").is(http.StatusOK)
	if diff := cmp.Diff([]string{"App 51"}, found.Find(".lines a").Map(func(_ int, s *selection) string { return s.Text() })); diff != "" {
		t.Error(diff)
	}
	p.as("admin@acme.example").get("/scopes/add?scope="+candidates+"&q=nothing").says("main", "No app matches.")
	p.as("admin@acme.example").get("/scopes/add?scope="+candidates+"&q="+strings.Repeat("x", 300)).is(http.StatusOK).says("main", "No app matches.")
}

// A name that no scope has: 404, with near ones; what cannot be a name is a plain 404.
func TestScopeMissing(t *testing.T) {
	p := newPortal(t)
	guest := p.as("guest@acme.example")
	for name, near := range map[string]string{
		"ccw.candidate": candidates, "core.invoice.reed": invoiceRead, "Core.Invoice.Read": invoiceRead, "xyzzy": "", "%3Cscript%3E": "",
	} {
		a := guest.get("/scopes/"+name).is(http.StatusNotFound).says("h1", "No such scope")
		if got := a.Find("main .panel a code").First().Text(); got != near {
			t.Errorf("%s: near %q, want %q", name, got, near)
		}
		if a.Find("script:not([src])").Length() != 0 {
			t.Error("a name became an element")
		}
	}
	for _, path := range []string{
		"/scopes/", "/scopes/" + strings.Repeat("x", 129), "/scopes/%FF%FE", "/scopes/a/b", "/scopes/core.invoice.read/", "/scopes/core.invoice.read/x",
		"/scopes/core.invoice.read%2Fx", "/scopes/..%2fapps", "/scopes//core.invoice.read",
	} {
		if got := guest.get(path); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// Live search gets the results alone; HEAD answers as GET without a body; what is forged is no harm.
func TestScopesRequests(t *testing.T) {
	p := newPortal(t)
	b := p.as("viewer@acme.example")
	a := b.fragment(query("q", "invoice"), "results").is(http.StatusOK)
	if a.Find("html > head > title").Length() != 0 || a.Find("body > section#results").Length() != 1 || !strings.Contains(a.header.Get("Vary"), "X-Fragment") {
		t.Error("the fragment is a page")
	}
	if got := a.Find("#results").AttrOr("data-status", ""); got != "14 scopes" {
		t.Errorf("it says %q", got)
	}
	for _, path := range []string{"/scopes", query("q", "POST /invoices"), "/scopes/core.invoice.read", "/scopes/none", "/scopes/add"} {
		get, head := b.get(path), b.do(http.MethodHead, path, nil, nil)
		if head.status != get.status || head.body != "" {
			t.Errorf("HEAD %s: %d with %d bytes, GET %d", path, head.status, len(head.body), get.status)
		}
	}
	for _, path := range []string{
		"/scopes?q=%00", "/scopes?q=%ff%fe", "/scopes?q=%", "/scopes?page=-1", "/scopes?page=99999999999999999999", "/scopes?in=/", "/scopes?in=%27--",
		"/scopes?kind=%3Cscript%3E", "/scopes?q=a&q=b&in=x&in=y", "/scopes?scope=%00&scope=" + strings.Repeat("x", 5000),
		"/scopes?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/scopes?;", "/scopes?q=http://[::1",
	} {
		if got := b.get(path); got.status != http.StatusOK || got.Find("script:not([src])").Length() != 0 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	big := strings.NewReader(strings.Repeat("q=x&", 10<<20/4))
	if got := b.do(http.MethodPost, "/scopes", big, nil); got.status != http.StatusMethodNotAllowed && got.status != http.StatusNotFound {
		t.Errorf("10 MB posted: %d", got.status)
	}
	if got := b.do(http.MethodGet, "/scopes?q=invoice", strings.NewReader(strings.Repeat("x", 10<<20)), nil); got.status != http.StatusOK {
		t.Errorf("10 MB with GET: %d", got.status)
	}
	b.get("/scopes/add").is(http.StatusForbidden)
	if to := p.as("admin@acme.example").get("/scopes/add").is(http.StatusSeeOther).to(); to != "/scopes" {
		t.Errorf("nothing to add leads to %s", to)
	}
	p.as("admin@acme.example").get("/scopes/add?scope=openid&scope=x").is(http.StatusOK).says("main", "0 scopes").says("main", "openid was left out")
}
