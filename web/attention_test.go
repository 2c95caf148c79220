package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credenza.example/credenza/internal/access"
)

// TestHomeTellsOfStaleContacts and of apps refused today, each with a link to the list of exactly these; whoever may only
// view sees the same without a way to change anything, and another organisation nothing.
func TestHomeTellsOfStaleContacts(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	one := admin.register(appNamed("Import"))
	admin.get("/").says("section[aria-labelledby=home-attention]", "Nothing needs attention")
	admin.get("/apps/contacts").is(http.StatusOK).says(".empty", "No contact of an active app is stale")
	link, err := url.Parse(p.askLink("admin@acme.example"))
	p.must(err)
	p.must(p.registry.AnswerAsk(t.Context(), access.Origin{}, link.Query().Get("ask"), false))

	line := admin.get("/").is(http.StatusOK).says("section[aria-labelledby=home-attention] li", "Contact stale").
		says("section[aria-labelledby=home-attention] a", "1 contact is stale")
	list := admin.get(line.hrefs("section[aria-labelledby=home-attention] a")[0]).is(http.StatusOK)
	list.says("tbody tr", "Ana Silva").says("tbody tr", "admin@acme.example").says("tbody tr", "Answered on")
	if got := list.hrefs("tbody a"); len(got) != 2 || got[0] != one.path || got[1] != one.path+"/edit" {
		t.Errorf("one app leads to %v", got)
	}
	admin.register(appNamed("Export"))
	list = admin.get("/apps/contacts").is(http.StatusOK).says("tbody tr", "2 apps")
	grid := admin.get(list.hrefs("tbody .act a")[0]).is(http.StatusOK)
	if n := grid.Find("tbody tr").Length(); n != 2 {
		t.Errorf("the list of them has %d apps, want 2", n)
	}
	viewer := p.as("viewer@acme.example").get("/apps/contacts").is(http.StatusOK).says("tbody tr", "Ana Silva")
	if viewer.Find("tbody .act").Length() != 0 {
		t.Error("whoever may only view is asked to change contacts")
	}
	p.as("admin@globex.example").get("/apps/contacts").is(http.StatusOK).says(".empty", "No contact")
}

func TestHomeTellsOfRejections(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(appNamed("Import <b>"))
	admin.register(appNamed("Export"))
	admin.get("/apps/rejected").is(http.StatusOK).says(".empty", "No request that named an app")
	for range 3 {
		p.token(made.clientID, "not the secret")
	}
	p.flushRejections()
	home := admin.get("/").is(http.StatusOK).says("section[aria-labelledby=home-attention] a", "1 app had requests rejected today: 3 in all")
	list := admin.get(home.hrefs("section[aria-labelledby=home-attention] a")[0]).is(http.StatusOK).says("tbody tr", "Import <b>")
	if n := list.Find("tbody tr").Length(); n != 1 || list.Find("main b").Length() != 0 {
		t.Errorf("%d apps are listed", n)
	}
	admin.get(list.hrefs("tbody .act a")[0]).is(http.StatusOK).says("main", "no secret of this app")
	if theirs := p.as("admin@globex.example").get("/apps/rejected"); strings.Contains(theirs.body, "Import") {
		t.Error("another organisation sees ours")
	}
}
