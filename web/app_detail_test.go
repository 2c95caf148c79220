package web_test

import (
	"net/http"
	"strings"
	"testing"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
)

// TestDetail shows what the app is, what it may do and whom to call, and nothing of a secret but its ending.
func TestDetail(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{
		"scope": {invoiceRead, invoiceWrite}, "second_first_name": {"Jo"}, "second_last_name": {"Weber"}, "second_email": {"jo@acme.example"},
	})
	detail := admin.get(made.path).is(http.StatusOK)
	for selector, text := range map[string]string{
		"h1": "SAP spend export", ".contact": "jo@acme.example", "[aria-labelledby=about]": "Copies approved invoices to SAP every night.",
		"[aria-labelledby=scopes]": "2 scopes", ".scopes": "Opens 2 calls", "[aria-labelledby=danger]": "Deactivate it first",
		"#try-token": made.clientID, ".secrets": "22 Nov 2027, 13:05 UTC",
	} {
		detail.says(selector, text)
	}
	about := detail.text("[aria-labelledby=about]")
	for _, part := range []string{"Client user", "Machine to machine", "Shared secret", "Ana Silva", "ACME"} {
		if !strings.Contains(about, part) {
			t.Errorf("the side column lacks %q: %s", part, about)
		}
	}
	if strings.Contains(about, "Default API") {
		t.Error("an API nobody chose is shown as chosen")
	}
	if got := detail.Find("#client-id").AttrOr("value", ""); got != made.clientID {
		t.Errorf("client ID %q", got)
	}
	if strings.Contains(detail.body, made.secret[7:20]) || !strings.Contains(detail.text(".secrets"), made.secret[len(made.secret)-4:]) {
		t.Error("of the secret the ending must be shown, and nothing else")
	}
	first := p.as("viewer@acme.example").get(made.path).is(http.StatusOK).Find(".columns section").First()
	if !first.HasClass("contact") {
		t.Error("for a viewer the contact does not come first")
	}
}

// TestAPIUserSwitchedOff: the page says so, and the edit form keeps the user until somebody chooses another.
func TestAPIUserSwitchedOff(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	user := p.apiUser(p.acme, identity.KindClient)
	p.must(p.identity.SetRobotStatus(t.Context(), p.actor("admin@acme.example"), user, identity.Inactive))

	admin.get(made.path).is(http.StatusOK).says(".strip", "API user").says("[aria-labelledby=about]", "Client user")
	if admin.get("/apps/new").Find("#f-api_user option[value='"+string(user.ID)+"']").Length() != 0 {
		t.Error("a new app is offered an API user that is switched off")
	}
	form := admin.get(made.path + "/edit").is(http.StatusOK).form("main form")
	if form.Get("api_user") != string(user.ID) {
		t.Errorf("the edit form has %q", form.Get("api_user"))
	}
	admin.follow(admin.post(made.path+"/edit", with(form, map[string][]string{"name": {"Renamed"}, "do": {"save"}}))).says("h1", "Renamed")
}

// TestMadeByTheProduct: what the demonstration or the command line made names its maker, and an app without a secret
// says what to do.
func TestMadeByTheProduct(t *testing.T) {
	p := newPortal(t)
	for actor, name := range map[*access.Actor]string{
		{Kind: access.KindSystem, ID: "demonstration", Organisation: p.acme.ID}:              "Credenza",
		{Kind: access.KindOperator, ID: "operator:root", Organisation: p.acme.ID, Name: "x"}: "operator:root",
	} {
		app, _, err := p.registry.Register(t.Context(), *actor, registry.NewApp{
			WithoutSecret: true,
			AppFields: registry.AppFields{
				Name: "Made by " + name, Description: "Made without a person.", Category: registry.MSP, Type: registry.Machine,
				CredentialType: registry.SharedSecret, Contact: registry.Contact{FirstName: "A", LastName: "B", Email: "a@acme.example"},
				APIUser: p.apiUser(p.acme, identity.KindMSP).ID, Scopes: []string{candidates}, Active: true,
			},
		})
		p.must(err)
		admin := p.as("admin@acme.example")
		path := "/apps/" + string(app.ID)
		admin.get("/apps").says("#results", name)
		admin.get(path).is(http.StatusOK).says("[aria-labelledby=about]", name).says(".strip", "no secret").says("main", "Make a secret")
		admin.get(path+"/history").says(".events", name+" registered Made by "+name)
		rotate := admin.get(path + "/secrets/new").is(http.StatusOK)
		if rotate.Find("[name=end], [name=old], [name=do][value=end]").Length() != 0 {
			t.Error("an app without a secret is asked when the old one ends")
		}
		form := with(rotate.form("main form"), map[string][]string{"do": {"create"}})
		fresh := admin.post(path+"/secrets/new", form).is(http.StatusOK).revealed()
		if strings.Contains(fresh.text(".reveal"), "old secret") {
			t.Error("the first secret has one before it")
		}
		p.accessToken(fresh.clientID, fresh.secret)
	}
}

// TestHistoryPages: a long history has pages, and says of each value what it was.
func TestHistoryPages(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	actor := p.actor("admin@acme.example")
	for i := range 60 {
		app := p.app(made.id)
		act := p.registry.Deactivate
		if i%2 == 1 {
			act = p.registry.Activate
		}
		_, err := act(t.Context(), actor, made.id, app.Version)
		p.must(err)
	}
	page := admin.get(made.path+"/history").is(http.StatusOK).says(".diff", "Inactive").says(".pager-range", "1-")
	events, pages := page.Find(".event").Length(), 1
	for {
		next, more := page.Find("a[rel=next]").Attr("href")
		if !more {
			break
		}
		page = admin.get(next).is(http.StatusOK)
		events += page.Find(".event").Length()
		pages++
	}
	if events != 61 || pages < 2 {
		t.Errorf("%d events on %d pages", events, pages)
	}
	page.says(".events", "registered SAP spend export").says(".pager-range", "-61 of 61")
	page.says(".dl", invoiceRead).says(".dl", "Ana Silva, admin@acme.example").says(".dl", "Client user").says(".dl", made.clientID)
}
