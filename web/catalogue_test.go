package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credenza.example/credenza/internal/access"
)

// items is the form of a call for which nothing is published, filled so that it is accepted.
func mapItems(b *browser) url.Values {
	b.p.t.Helper()
	form := b.get("/catalogue/coupa-core/map?method=GET&path=%2Fitems").is(http.StatusOK).form("main form")
	return with(form, map[string][]string{"any_of": {"core.item.read"}, "note": {"Asked for by Acme."}})
}

// row is the line of a call on the page of an API.
func callRow(a *page, call string) *selection {
	return a.Find("tr[data-row]").FilterFunction(func(_ int, s *selection) bool {
		return strings.Join(strings.Fields(s.Find("th code").Text()), " ") == call
	}).First()
}

func text(s *selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

// TestMapACall: who keeps the catalogue gives scopes to a call that has none, and takes them back; the page, the page of
// the scope and both histories tell of it, to everybody but by name.
func TestMapACall(t *testing.T) {
	p := newPortal(t)
	p.platform()
	root := p.as("root@platform.example")
	root.get("/").is(http.StatusOK).says("nav", "API catalogue")
	list := root.get("/catalogue").is(http.StatusOK).says("main", "APIs for every organisation").says("main", "Your organisation’s own APIs")
	if !strings.Contains(text(list.Find("tr[data-row]").First()), "Coupa Core API") {
		t.Errorf("the list: %s", list.text("main"))
	}
	before := root.get("/catalogue/coupa-core").is(http.StatusOK)
	if row := text(callRow(before, "GET /api/items")); !strings.Contains(row, "Nobody: no scope is published") || !strings.Contains(row, "Denied") {
		t.Errorf("before: %s", row)
	}
	form := mapItems(root)
	if form.Get("object") != "items" || form.Get("method") != "GET" || form.Get("path") != "/items" || form.Get("access") != "read" {
		t.Errorf("prefilled: %v", form)
	}
	after := root.follow(root.post("/catalogue/coupa-core/map", form)).says(".flash", "GET /api/items is mapped")
	if row := text(callRow(after, "GET /api/items")); !strings.Contains(row, "core.item.read") || !strings.Contains(row, "Mapped, version 1") {
		t.Errorf("after: %s", row)
	}
	clash := root.post("/catalogue/coupa-core/map", with(form, map[string][]string{"any_of": {"core.item.write"}})).is(http.StatusConflict)
	clash.says("[role=alert]", "It is open to core.item.read now").says("title", "Error:")
	root.follow(root.post("/catalogue/coupa-core/map", clash.form("main form")))
	root.get("/catalogue/coupa-core/history").is(http.StatusOK).says(".events", "Robin Root mapped GET /items.").says(".events", "Asked for by Acme.")
	viewer := p.as("viewer@acme.example")
	told := viewer.get("/scopes/core.item.write").is(http.StatusOK).says("main", "The platform mapped GET /items.")
	if strings.Contains(told.body, "Robin") {
		t.Error("another organisation's person is named")
	}
	ask := root.get("/catalogue/coupa-core/unmap?method=GET&path=%2Fitems").is(http.StatusOK).says("h1", "Take back the mapping of GET /api/items")
	path, _ := ask.Find("main form").Attr("action")
	last := root.follow(root.post(path, ask.form("main form"))).says(".flash", "taken back")
	if row := text(callRow(last, "GET /api/items")); !strings.Contains(row, "Denied") {
		t.Errorf("taken back: %s", row)
	}
}

// TestMapFaults: what is wrong stands at its field, and nothing that was typed is lost.
func TestMapFaults(t *testing.T) {
	p := newPortal(t)
	p.platform()
	root := p.as("root@platform.example")
	form := with(mapItems(root), map[string][]string{"path": {"/items/../x"}, "object": {" "}, "method": {"BREW"}, "any_of": {candidates}, "access": nil})
	again := root.post("/catalogue/coupa-core/map", form).is(http.StatusUnprocessableEntity)
	for _, field := range []string{"path", "object", "method", "any_of", "access"} {
		if again.problems()[field] == "" {
			t.Errorf("%s: %v", field, again.problems())
		}
	}
	if got := again.form("main form"); got.Get("path") != "/items/../x" || got.Get("note") != "Asked for by Acme." {
		t.Errorf("lost: %v", got)
	}
}

// TestMapPrefill: a shape of paths as the page of undescribed calls has it becomes a template below the base path.
func TestMapPrefill(t *testing.T) {
	p := newPortal(t)
	p.platform()
	root := p.as("root@platform.example")
	for path, want := range map[string]string{
		"/api/payments/{…}/void": "/payments/{id}/void", "/api/a/{…}/b/{…}": "/a/{id}/b/{id2}", "/items": "/items", "/api": "/api",
	} {
		query := url.Values{"method": {"POST"}, "path": {path}}
		got := root.get("/catalogue/coupa-core/map?" + query.Encode()).is(http.StatusOK).form("main form")
		if got.Get("path") != want || got.Get("method") != "POST" {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// TestCatalogueRights: the shared catalogue is the platform's; managers of apps may look.
func TestCatalogueRights(t *testing.T) {
	p := newPortal(t)
	p.platform()
	manager := p.as(p.withRights("manager", access.AppsManage))
	list := manager.get("/catalogue").is(http.StatusOK)
	if strings.Contains(list.text("main"), "APIs for every organisation") {
		t.Error("the shared part is offered to a manager of apps")
	}
	if api := manager.get("/catalogue/coupa-core").is(http.StatusOK); api.Find("main a[href*='/map']").Length() != 0 {
		t.Error("a manager of apps is offered to map")
	}
	manager.get("/catalogue/coupa-core/map").is(http.StatusForbidden)
	manager.post("/catalogue/coupa-core/map", url.Values{}).is(http.StatusForbidden)
	p.as("viewer@acme.example").get("/catalogue").is(http.StatusForbidden)
	root := p.as("root@platform.example")
	root.get("/catalogue/identity-pm/map").is(http.StatusNotFound)
	root.get("/catalogue/nothing").is(http.StatusNotFound)
}
