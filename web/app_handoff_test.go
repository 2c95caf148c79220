package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/access"
)

// handOff makes a link through the form and returns its address on this host, and the page that showed it.
func (b *browser) handOff(made registered, changes map[string][]string) (path string, shown *page) {
	b.p.t.Helper()
	form := b.get(made.path + "/hand-offs/new").is(http.StatusOK).form("main form")
	form = with(with(form, map[string][]string{"recipient": {"Kim at SAP"}, "end": {"24h"}}), changes)
	shown = b.post(made.path+"/hand-offs/new", form).is(http.StatusOK)
	link := shown.Find("#hand-off-link").AttrOr("value", "")
	path, ok := strings.CutPrefix(link, publicURL)
	if !ok || !strings.HasPrefix(path, "/hand-off?token=") {
		b.p.t.Fatalf("the link is %q", link)
	}
	return path, shown
}

// TestHandOff: a stranger with the link gets the secret, once, by pressing the button and not by looking (protocol.md
// §3.7, C13).
func TestHandOff(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	link, shown := admin.handOff(made, nil)
	if shown.header.Get("Cache-Control") != "no-store" || shown.header.Get("Referrer-Policy") != "no-referrer" || shown.Find("[data-reveal]").Length() != 1 {
		t.Errorf("the link is shown with %v", shown.header)
	}
	token := strings.TrimPrefix(link, "/hand-off?token=")
	admin.get(made.path).says("[aria-labelledby=hand-offs]", "For Kim at SAP, made by Ana Silva").says("[aria-labelledby=hand-offs]", "Open")

	p.clock.Advance(3 * time.Hour)
	kim := p.stranger()
	for range 3 { // as mail scanners do
		page := kim.get(link).is(http.StatusOK).says("main", "Get a secret of SAP spend export").says("main", "Ana Silva of Acme made this link for Kim at SAP").
			says("main", "works for 24 more hours after that")
		if page.header.Get("Referrer-Policy") != "no-referrer" || page.header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", page.header)
		}
	}
	if n := len(p.app(made.id).Secrets); n != 1 {
		t.Fatalf("looking at the link made %d secrets", n-1)
	}
	form := kim.get(link).form("main form")
	answer := kim.post("/hand-off", form).is(http.StatusOK)
	secret := answer.Find("#client-secret").AttrOr("value", "")
	if answer.header.Get("Referrer-Policy") != "no-referrer" || answer.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the secret is shown with %v", answer.header)
	}
	if closes := answer.Find("form.reveal-close").AttrOr("action", ""); closes != "/hand-off/done" {
		t.Errorf("closing leads to %s", closes)
	}
	kim.get("/hand-off/done").is(http.StatusOK).says("main", "You can close this window")
	if status, _ := p.token(made.clientID, secret); status != http.StatusOK || !p.works(made) {
		t.Error("one of the two secrets does not work")
	}
	for _, again := range []*page{kim.post("/hand-off", form), kim.get(link)} {
		again.is(http.StatusGone).says("main", "This link has been used")
		if strings.Contains(again.body, secret) {
			t.Error("the secret is shown again")
		}
	}
	admin = p.as("admin@acme.example")
	detail := admin.get(made.path).is(http.StatusOK).says("[aria-labelledby=hand-offs]", "Used on 22 Nov 2026, 16:05 UTC from ")
	detail.wantRow(made.secret, "Ends 23 Nov 2026")
	history := admin.get(made.path+"/history").says(".events", "The hand-off link of Ana Silva made the new secret …"+secret[len(secret)-4:]).says(".events", "Kim at SAP")
	for _, page := range []*page{detail, history} {
		if strings.Contains(page.body, token) || strings.Contains(page.body, secret) {
			t.Error("the token or the secret stands on a later page")
		}
	}
	if strings.Contains(p.log.String(), token) || strings.Contains(p.log.String(), secret) {
		t.Error("the token or the secret is in the log")
	}
}

// TestHandOffEnds: each way in which a link ends has its page, looked at or used.
func TestHandOffEnds(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	ended := func(what, link string, status int, says string) {
		t.Helper()
		kim := p.stranger()
		kim.get(link).is(status).says("main", says)
		kim.post("/hand-off", url.Values{"token": {strings.TrimPrefix(link, "/hand-off?token=")}}).is(status).says("main", says)
		if n := len(p.app(made.id).Secrets); n != 1 {
			t.Fatalf("%s: a secret was made", what)
		}
	}
	ended("unknown", "/hand-off?token="+strings.Repeat("x", 43), http.StatusNotFound, "There is no such link")
	ended("none", "/hand-off?token=", http.StatusNotFound, "There is no such link")

	link, _ := admin.handOff(made, nil)
	withdraw := admin.get(made.path).Find("[aria-labelledby=hand-offs] a[href$='/withdraw']").AttrOr("href", "")
	dialog := admin.fragment(withdraw, "dialog").is(http.StatusOK).says("form", "Withdraw the link for Kim at SAP")
	admin.follow(admin.post(withdraw, dialog.form("form"))).is(http.StatusOK).says("main", "The link for Kim at SAP is withdrawn.").
		says("[aria-labelledby=hand-offs]", "Withdrawn on")
	ended("withdrawn", link, http.StatusGone, "This link was withdrawn")
	if again := admin.get(withdraw); again.status != http.StatusSeeOther {
		t.Errorf("a link that ended is asked about: %d", again.status)
	}

	link, _ = admin.handOff(made, map[string][]string{"hours": {"1"}})
	admin.follow(admin.post(made.path+"/deactivate", admin.get(made.path+"/deactivate").form("main form"))).is(http.StatusOK)
	ended("inactive", link, http.StatusGone, "is not active")
	admin.follow(admin.post(made.path+"/activate", admin.get(made.path+"/activate").form("main form"))).is(http.StatusOK)
	p.clock.Advance(time.Hour)
	ended("expired", link, http.StatusGone, "This link has expired")

	manager := p.withRights("manager", access.AppsManage)
	link, _ = p.as(manager).handOff(made, nil)
	admin = p.as("admin@acme.example")
	edit := admin.get(made.path + "/edit").is(http.StatusOK).form("main form")
	admin.follow(admin.post(made.path+"/edit", with(edit, map[string][]string{"scope": {invoiceRead, "PM.RobotAccount.Read"}, "do": {"save"}}))).is(http.StatusOK)
	if kim := p.stranger(); kim.post("/hand-off", kim.get(link).is(http.StatusOK).form("main form")).is(http.StatusGone) == nil || len(p.app(made.id).Secrets) != 1 {
		t.Error("a link gives more than its giver holds")
	}
}

// TestHandOffForm: what is wrong is said at the field; a form that was sent makes one link.
func TestHandOffForm(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	path := made.path + "/hand-offs/new"
	form := with(admin.get(path).is(http.StatusOK).form("main form"), map[string][]string{"recipient": {"Kim"}})
	for field, change := range map[string]map[string][]string{
		"recipient": {"recipient": {" "}}, "hours": {"hours": {"25"}}, "why": {"why": {"leaked"}}, "expiry": {"expiry": {"date"}},
		"end": {"end": {"date"}}, "label": {"label": {strings.Repeat("x", 61)}},
	} {
		page := admin.post(path, with(form, change)).is(http.StatusUnprocessableEntity)
		if page.problems()[field] == "" {
			t.Errorf("%s: %v", field, page.problems())
		}
	}
	admin.post(path, form).is(http.StatusOK)
	admin.follow(admin.post(path, form)).is(http.StatusOK).says("main", "The link was already shown")
	if n := admin.get(made.path).Find("[aria-labelledby=hand-offs] li").Length(); n != 1 {
		t.Errorf("%d links", n)
	}
	viewer := p.as("viewer@acme.example").get(made.path).is(http.StatusOK)
	if viewer.Find("[aria-labelledby=hand-offs]").Length() != 0 || strings.Contains(viewer.body, "hand-off") {
		t.Error("whoever may only view sees links")
	}
}

func TestHandOffIsLimited(t *testing.T) {
	p := newPortal(t)
	b := p.stranger()
	for range 60 {
		b.get("/hand-off?token=x").is(http.StatusNotFound)
	}
	limited := b.get("/hand-off?token=x").is(http.StatusTooManyRequests)
	if limited.header.Get("Retry-After") == "" {
		t.Error("nobody says when to come again")
	}
	p.clock.Advance(time.Second)
	b.get("/hand-off?token=x").is(http.StatusNotFound)
}
