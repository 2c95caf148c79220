package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func (a *page) hrefs(selector string) []string {
	list := []string{}
	a.Find(selector).Each(func(_ int, s *selection) { list = append(list, s.AttrOr("href", "")) })
	return list
}

// TestHomeOfANewOrganisation: three steps with their marks for whoever can take them, until the first token (ui.md §4.12).
func TestHomeOfANewOrganisation(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	done := func() int {
		return admin.get("/").is(http.StatusOK).Find("section[aria-labelledby=home-steps] .is-done").Length()
	}
	first := admin.get("/").is(http.StatusOK).says("main", "Nothing needs attention. Last checked")
	if done() != 0 || first.Find(".counts").Length() != 0 || first.Find(".find[action='/find'] [name=q]").Length() != 1 {
		t.Errorf("the first home has %d steps done, or the wrong parts:\n%s", done(), first.text("main"))
	}
	if got := p.as("viewer@acme.example").get("/").is(http.StatusOK); got.Find("section[aria-labelledby=home-steps]").Length() != 0 {
		t.Error("who may not register is told to")
	}
	made := admin.register(nil)
	if done() != 2 {
		t.Errorf("%d steps are done after registering, want 2", done())
	}
	p.accessToken(made.clientID, made.secret)
	p.must(p.registry.FlushUse(t.Context()))
	if admin.get("/").Find("section[aria-labelledby=home-steps]").Length() != 0 {
		t.Error("the steps stay after the first token")
	}
}

// TestHome: what needs attention, the numbers and the last changes, each with a link to exactly these apps.
func TestHome(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	leaked := admin.register(appNamed("Leaked"))
	rotate := leaked.path + "/secrets/new"
	admin.follow(admin.post(rotate, with(admin.get(rotate).form("main form"), map[string][]string{"do": {"end"}, "why": {"leaked"}})))
	two := admin.register(appNamed("Two <b>secrets</b>"))
	admin.post(two.path+"/secrets/new", with(admin.get(two.path+"/secrets/new").form("main form"), map[string][]string{"do": {"create"}})).is(http.StatusOK)
	home := admin.get("/").is(http.StatusOK)
	attention := "section[aria-labelledby=home-attention] "
	home.says(attention, "1 active app has no secret that works").says(attention, "1 app is in the middle of a rotation")
	for i, href := range append(home.hrefs(attention+"a"), home.hrefs(".counts a")...) {
		list := admin.get(href).is(http.StatusOK)
		want := map[string]int{"Leaked": 1, "Two": 1, "active": 2, "inactive": 0, "unused": 0}
		code := []string{"Leaked", "Two", "active", "inactive", "Two", "unused"}[i]
		if got := list.Find("#results tbody tr").Length(); got != want[code] {
			t.Errorf("%s lists %d apps, want %d", href, got, want[code])
		}
	}
	recent := home.Find("section[aria-labelledby=home-recent] li")
	if recent.Length() != 4 || !strings.Contains(recent.First().Text(), "Two <b>secrets</b>") || recent.Find("b").Length() != 0 {
		t.Errorf("%d recent changes, the last of all: %s", recent.Length(), recent.First().Text())
	}
	for _, href := range home.hrefs("section[aria-labelledby=home-recent] a") {
		admin.get(href).is(http.StatusOK).says("h1", map[bool]string{true: "Two", false: "Leaked"}[strings.HasPrefix(href, two.path)])
	}
	viewer := p.as("viewer@acme.example").get("/").is(http.StatusOK).says(attention, "1 active app has no secret that works")
	noControls(t, viewer)
	if globex := p.as("admin@globex.example").get("/"); strings.Contains(globex.body, "Leaked") || globex.Find(".counts").Length() != 0 {
		t.Error("another organisation's home shows ours")
	}

	p.clock.Advance(400 * 24 * time.Hour)
	p.as("admin@acme.example").get("/").is(http.StatusOK).says(attention, "2 active apps have no secret that works").
		says(attention, "2 apps were not used in the last 90 days")
}

// TestHomeOfThePlatform: support gets the box that looks over all organisations, and nothing of apps it may not see.
func TestHomeOfThePlatform(t *testing.T) {
	p := newPortal(t)
	p.platform()
	made := p.as("admin@acme.example").register(nil)
	support := p.as("support@platform.example")
	home := support.get("/").is(http.StatusOK)
	if got := home.hrefs("nav a[href='/lookup']"); len(got) == 0 || home.Find("nav a[href='/apps']").Length() != 0 {
		t.Errorf("support's navigation: %v", got)
	}
	if home.Find("form[method=post][action='/lookup'] [name=q]").Length() != 1 || home.Find("[action='/find'], .counts, [href='/apps/new']").Length() != 0 {
		t.Errorf("support's home:\n%s", home.text("main"))
	}
	form := home.form("form[action='/lookup']")
	form.Set("q", made.clientID)
	support.post("/lookup", form).is(http.StatusOK).says(".found", "SAP spend export").says(".found", "admin@acme.example")
	root := p.as("root@platform.example").get("/").is(http.StatusOK)
	if root.Find("form[action='/lookup']").Length() != 1 || root.Find(".steps").Length() != 0 || root.Find("a[href='/apps/new']").Length() == 0 {
		t.Errorf("the platform administrator's home:\n%s", root.text("main"))
	}
}

// TestUI5_HomeDropsSecrets: a client secret in the Find box is dropped before anything sees it.
func TestUI5_HomeDropsSecrets(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	answer := admin.get("/find?" + url.Values{"q": {made.secret}}.Encode()).is(http.StatusSeeOther)
	if answer.to() != "/apps?hint=secret" || strings.Contains(p.log.String(), made.secret) {
		t.Errorf("a secret in the Find box leads to %s", answer.to())
	}
}
