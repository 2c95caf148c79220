package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/registry"
)

// TestUI1_Walk is issue 2, items 2 to 6, without a browser's engine: register, read the secret once, use it, find, edit,
// rotate, retire, deactivate, activate, delete, and what the others see of it.
func TestUI1_Walk(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.get("/apps").is(http.StatusOK).says(".empty", "Register")

	made := admin.register(nil)
	if !strings.HasPrefix(made.clientID, "CCWACME_") || !strings.HasPrefix(made.secret, "ccws_") || len(made.secret) != 67 {
		t.Fatalf("client ID %q, secret of %d characters", made.clientID, len(made.secret))
	}
	if got := made.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the page with the secret has Cache-Control %q", got)
	}
	token := p.accessToken(made.clientID, made.secret)
	status, self := p.self(token)
	if status != http.StatusOK || self["client_id"] != made.clientID || self["name"] != "SAP spend export" {
		t.Fatalf("self: %d %v", status, self)
	}

	t.Run("find", func(t *testing.T) { walkGrid(t, admin, made) })
	t.Run("edit", func(t *testing.T) { walkEdit(t, admin, made) })
	t.Run("rotate", func(t *testing.T) { walkRotation(t, admin, made) })
	t.Run("stop", func(t *testing.T) { walkEnd(t, admin, made, token) })
}

func walkGrid(t *testing.T, admin *browser, made registered) {
	for _, query := range []string{"", "?q=spend", "?q=" + made.clientID, "?q=silva", "?q=category:customer", "?q=status:active&sort=created&dir=desc"} {
		grid := admin.get("/apps"+query).is(http.StatusOK).says(".apps-table tbody", "SAP spend export")
		if got := grid.Find("#results tbody tr").Length(); got != 1 {
			t.Errorf("%q finds %d apps", query, got)
		}
	}
	admin.get("/apps?q=nothing").is(http.StatusOK).says("#results", "No app matches")
	admin.get("/apps?q=status:inactive").is(http.StatusOK).says("#results", "No app matches")
	part := admin.fragment("/apps?q=spend", "results").is(http.StatusOK)
	if part.Find("nav, header").Length() > 0 && part.Find("header.top").Length() > 0 || part.Find("#results").Length() != 1 {
		t.Error("the fragment is no fragment")
	}
	if vary := strings.Join(part.header.Values("Vary"), ", "); !strings.Contains(vary, "X-Fragment") {
		t.Errorf("Vary is %q", vary)
	}
}

func walkEdit(t *testing.T, admin *browser, made registered) {
	form := admin.get(made.path + "/edit").is(http.StatusOK).form("main form")
	form = with(form, map[string][]string{
		"name": {"SAP export"}, "scope": {invoiceRead, invoiceWrite}, "first_name": {"Jo"}, "email": {"jo@acme.example"}, "do": {"save"},
	})
	detail := admin.follow(admin.post(made.path+"/edit", form))
	detail.is(http.StatusOK).says("h1", "SAP export").says(".flash", "SAP export").says(".scopes", invoiceWrite).says(".contact", "Jo Silva")
	if admin.get(made.path).Find(".flash").Length() > 0 {
		t.Error("the message is shown twice")
	}
	history := admin.get(made.path + "/history").is(http.StatusOK)
	history.says(".events", "Ana Silva changed SAP export").says(".events", "Ana Silva registered SAP spend export").
		says(".diff", invoiceRead).says(".diff", "jo@acme.example")
}

func walkRotation(t *testing.T, admin *browser, made registered) {
	form := admin.get(made.path + "/secrets/new").is(http.StatusOK).form("main form")
	again := admin.post(made.path+"/secrets/new", with(form, map[string][]string{"end": {"24h"}, "do": {"create"}})).is(http.StatusOK).revealed()
	if again.secret == made.secret || again.clientID != made.clientID {
		t.Fatal("rotation must give a new secret for the same client ID")
	}
	again.says(".reveal", made.secret[len(made.secret)-4:])
	for _, secret := range []string{made.secret, again.secret} {
		admin.p.accessToken(made.clientID, secret)
	}
	detail := admin.get(made.path).is(http.StatusOK).says(".secrets", "Ends")
	old := detail.Find(".secrets-table tbody tr").FilterFunction(func(_ int, s *selection) bool {
		return strings.Contains(s.Text(), made.secret[len(made.secret)-4:])
	})
	retire := old.Find("a[href$='/retire']").AttrOr("href", "")
	admin.get(retire).is(http.StatusOK).says("h1", made.secret[len(made.secret)-4:])
	dialog := admin.fragment(retire, "dialog").is(http.StatusOK)
	if dialog.Find("header.top").Length() != 0 || dialog.Find("form").Length() != 1 {
		t.Error("the dialog is no fragment with a form")
	}
	admin.follow(admin.post(retire, dialog.form("form"))).says(".flash", "retired")
	if status, _ := admin.p.token(made.clientID, made.secret); status != http.StatusUnauthorized {
		t.Errorf("the retired secret buys tokens: %d", status)
	}
	admin.p.accessToken(made.clientID, again.secret)
	admin.get(made.path+"/history").says(".events", "made the new secret").says(".events", "retired the secret")
}

func walkEnd(t *testing.T, admin *browser, made registered, token string) {
	admin.get(made.path+"/delete").is(http.StatusOK).says("main", "active")
	if to := admin.get(made.path + "/activate").is(http.StatusSeeOther).to(); to != made.path {
		t.Errorf("activating an active app leads to %s", to)
	}
	form := admin.get(made.path + "/deactivate").is(http.StatusOK).form("main form")
	admin.follow(admin.post(made.path+"/deactivate", form)).says(".flash", "inactive")
	if status, _ := admin.p.self(token); status != http.StatusUnauthorized {
		t.Errorf("a token of an inactive app: %d", status)
	}
	form = admin.get(made.path + "/activate").is(http.StatusOK).form("main form")
	admin.follow(admin.post(made.path+"/activate", form)).says(".flash", "active")
	if status, _ := admin.p.self(token); status != http.StatusUnauthorized {
		t.Errorf("a token revived: %d", status)
	}
	form = admin.get(made.path + "/deactivate").form("main form")
	admin.follow(admin.post(made.path+"/deactivate", form))
	form = admin.get(made.path + "/delete").is(http.StatusOK).form("main form")
	admin.post(made.path+"/delete", with(form, map[string][]string{"confirm_name": {"something else"}})).
		is(http.StatusUnprocessableEntity).says(".error-summary", "name")
	grid := admin.follow(admin.post(made.path+"/delete", with(form, map[string][]string{"confirm_name": {"SAP export"}})))
	grid.is(http.StatusOK).says(".flash", "deleted")
	for _, path := range []string{"", "/edit", "/secrets/new", "/deactivate", "/delete"} {
		admin.get(made.path + path).is(http.StatusNotFound)
	}
	history := admin.get(made.path+"/history").is(http.StatusOK).says(".events", "deleted SAP export").
		says(".diff", "The contact was erased").says("main", "Deleted")
	if strings.Contains(history.body, "jo@acme.example") {
		t.Error("the contact of a deleted app is still shown")
	}
}

// TestUI9_WalkOfTheOthers is item 5: a viewer sees everything and can change nothing, a guest is told which right is missing
// and whom to ask, at Globex nothing of Acme exists.
func TestUI9_WalkOfTheOthers(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	viewer := p.as("viewer@acme.example")
	for _, path := range []string{"/apps", made.path, made.path + "/history"} {
		a := viewer.get(path).is(http.StatusOK).says("main", "SAP spend export")
		noControls(t, a)
	}
	for _, path := range []string{"/apps/new", made.path + "/edit", made.path + "/secrets/new", made.path + "/deactivate"} {
		viewer.get(path).is(http.StatusForbidden).says("main", "Manage API client app").says("main", "Ana Silva")
	}
	guest := p.as("guest@acme.example")
	guest.get("/apps").is(http.StatusForbidden).says("main", "View API client app").says("main", "Ana Silva")
	guest.get("/").is(http.StatusOK).says("main", "Ana Silva")

	globex := p.as("admin@globex.example")
	globex.get("/apps").is(http.StatusOK).says(".empty", "Register")
	globex.get("/apps?q=SAP").is(http.StatusOK).says("#results", "No app matches")
	globex.get(made.path).is(http.StatusNotFound)
	globex.register(map[string][]string{
		"name": {"SAP spend export"}, "api_user": {string(p.apiUser(p.globex, "client").ID)}, "contact": nil,
	})
}

// noControls fails when a page for who may only view has a control that changes something.
func noControls(t *testing.T, a *page) {
	t.Helper()
	a.Find("form").Each(func(_ int, s *selection) {
		action, method := s.AttrOr("action", ""), strings.ToLower(s.AttrOr("method", "get"))
		if method != "get" && action != "/signout" {
			t.Errorf("%s has a form that posts to %s", a.path, action)
		}
	})
	a.Find("main a[href], main button[formaction]").Each(func(_ int, s *selection) {
		to := s.AttrOr("href", s.AttrOr("formaction", ""))
		for _, change := range []string{"/new", "/edit", "/retire", "/activate", "/deactivate", "/delete"} {
			if path, err := url.Parse(to); err == nil && strings.HasSuffix(path.Path, change) && path.Path != "/apps/views/new" { // one's own
				t.Errorf("%s leads a viewer to %s", a.path, to)
			}
		}
	})
}

// TestUI4_ReplayedForm: sending a form twice makes one app and one secret, and says so (ui.md §4.4).
func TestUI4_ReplayedForm(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	form := admin.newApp(nil)
	made := admin.post("/apps", form).is(http.StatusOK).revealed()
	again := admin.post("/apps", form)
	if again.is(http.StatusSeeOther).to() != made.path {
		t.Fatalf("the repeated form leads to %s", again.to())
	}
	admin.follow(again).says(".flash", "already shown")
	if n := admin.get("/apps").Find("#results tbody tr").Length(); n != 1 {
		t.Fatalf("%d apps", n)
	}
	form = with(admin.get(made.path+"/secrets/new").form("main form"), map[string][]string{"do": {"create"}})
	admin.post(made.path+"/secrets/new", form).is(http.StatusOK)
	again = admin.post(made.path+"/secrets/new", form)
	if again.is(http.StatusSeeOther).to() != made.path {
		t.Fatalf("the repeated rotation leads to %s", again.to())
	}
	if app := p.app(made.id); len(app.Secrets) != 2 {
		t.Fatalf("%d secrets", len(app.Secrets))
	}
}

func TestC16_UI6_RotateWithTwoUsableAndAfterTheEnd(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	first := admin.register(nil)
	rotate := first.path + "/secrets/new"
	form := func(changes map[string][]string) url.Values {
		changes["do"] = []string{"create"}
		return with(admin.get(rotate).is(http.StatusOK).form("main form"), changes)
	}
	second := admin.post(rotate, form(map[string][]string{"end": {"1h"}})).is(http.StatusOK).revealed()
	third := admin.post(rotate, form(map[string][]string{"label": {"kept text"}})).is(http.StatusConflict)
	if third.problems()["retire"] == "" || third.Find("#f-label").AttrOr("value", "") != "kept text" {
		t.Errorf("a third secret: %v", third.problems())
	}
	p.accessToken(first.clientID, first.secret)
	p.accessToken(first.clientID, second.secret)
	p.clock.Advance(time.Hour)
	if status, _ := p.token(first.clientID, first.secret); status != http.StatusUnauthorized {
		t.Errorf("the old secret after its end: %d", status)
	}
	p.accessToken(first.clientID, second.secret)

	admin = p.as("admin@acme.example") // the session ended meanwhile
	now := admin.post(rotate, form(map[string][]string{"end": {"now"}})).is(http.StatusOK).revealed()
	now.says(".reveal", "ended")
	if status, _ := p.token(first.clientID, second.secret); status != http.StatusUnauthorized {
		t.Errorf("a secret that was to end now: %d", status)
	}
	p.accessToken(first.clientID, now.secret)

	fourth := admin.post(rotate, form(map[string][]string{"end": {"7d"}})).is(http.StatusOK).revealed()
	room := admin.post(rotate, form(map[string][]string{"retire": {usable(p, first.id)[0]}})).is(http.StatusOK).revealed()
	if status, _ := p.token(first.clientID, now.secret); status != http.StatusUnauthorized {
		t.Errorf("a secret that made room: %d", status)
	}
	p.accessToken(first.clientID, fourth.secret)
	p.accessToken(first.clientID, room.secret)
}

func usable(p *portal, id registry.AppID) []string {
	p.t.Helper()
	app := p.app(id)
	var ids []string
	for _, s := range app.Usable() {
		ids = append(ids, string(s.ID))
	}
	return ids
}

// TestUI6_Leaked: a leaked secret ends at once, with the tokens it bought, the last one included.
func TestUI6_Leaked(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	rotate := made.path + "/secrets/new"
	token := p.accessToken(made.clientID, made.secret)
	form := admin.get(rotate).form("main form")

	refused := admin.post(rotate, with(form, map[string][]string{"do": {"end"}})).is(http.StatusUnprocessableEntity)
	if refused.problems()["why"] == "" {
		t.Errorf("ending a secret that did not leak: %v", refused.problems())
	}
	p.accessToken(made.clientID, made.secret)
	admin.follow(admin.post(rotate, with(form, map[string][]string{"do": {"end"}, "why": {"leaked"}}))).
		says(".flash", "leaked").says(".strip", "no secret")
	if status, _ := p.self(token); status != http.StatusUnauthorized {
		t.Errorf("a token of a leaked secret: %d", status)
	}
	fresh := admin.post(rotate, with(admin.get(rotate).form("main form"), map[string][]string{"do": {"create"}})).
		is(http.StatusOK).revealed()
	other := admin.post(rotate, with(admin.get(rotate).form("main form"), map[string][]string{"do": {"create"}})).
		is(http.StatusOK).revealed()
	token = p.accessToken(made.clientID, fresh.secret)
	form = with(admin.get(rotate).form("main form"), map[string][]string{"do": {"create"}, "why": {"leaked"}})
	if admin.post(rotate, form).is(http.StatusUnprocessableEntity).problems()["leaked"] == "" {
		t.Error("which of two leaked must be said")
	}
	form.Set("leaked", usable(p, made.id)[0])
	last := admin.post(rotate, form).is(http.StatusOK).revealed()
	if status, _ := p.self(token); status != http.StatusUnauthorized {
		t.Errorf("a token of a leaked secret: %d", status)
	}
	p.accessToken(made.clientID, other.secret)
	p.accessToken(made.clientID, last.secret)
	admin.get(made.path+"/history").says(".events", "leaked")
}

// TestUI6_LastSecretStays: people cannot retire the last secret of an active app (product.md decision 17).
func TestUI6_LastSecretStays(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	if admin.get(made.path).Find("a[href$='/retire']").Length() != 0 {
		t.Error("the last secret can be retired")
	}
	retire := made.path + "/secrets/" + usable(p, made.id)[0] + "/retire"
	if admin.get(retire).is(http.StatusOK).Find("main form").Length() != 0 {
		t.Error("the question about the last secret has a form")
	}
	admin.post(retire, url.Values{"version": {"1"}}).is(http.StatusConflict)
	p.accessToken(made.clientID, made.secret)
}
