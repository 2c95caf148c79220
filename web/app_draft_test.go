package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/secret"
	"credenza.example/credenza/web"
)

// signedInAgain sends a form after the session has ended by time, signs in and follows to the form.
func (b *browser) signedInAgain(path string, form url.Values) *page {
	b.p.t.Helper()
	b.p.clock.Advance(31 * time.Minute)
	door := b.follow(b.post(path, form)).is(http.StatusOK).says("main", "kept")
	values := door.form("main form")
	values.Set("email", "admin@acme.example")
	values.Set("password", password)
	return b.follow(b.post("/signin", values)).is(http.StatusOK)
}

// TestDraftOfRegister: what was typed when the session ended fills the form again, and can be sent (ui.md §3.5).
func TestDraftOfRegister(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	sent := admin.newApp(map[string][]string{"name": {"Typed <b>"}, "scope": {invoiceRead, candidates}, "active": nil, "email": {"team@acme.example"}})
	back := admin.signedInAgain("/apps", sent)
	got := back.form("main form")
	for _, field := range []string{"name", "description", "category", "api_user", "email", "scope", "active", "expiry", "type", "credential_type"} {
		if diff := cmp.Diff(sent[field], got[field]); diff != "" {
			t.Errorf("%s: %s", field, diff)
		}
	}
	if got.Get("nonce") == "" || got.Get("nonce") == sent.Get("nonce") {
		t.Error("the form has no nonce of its own")
	}
	if name := admin.get("/apps/new?restore=1").form("main form").Get("name"); name != "Typed <b>" {
		t.Errorf("a reload loses the draft: %q", name)
	}
	if name := admin.get("/apps/new").form("main form").Get("name"); name != "" {
		t.Errorf("a fresh form begins with the draft: %q", name)
	}
	got.Set("do", "save")
	admin.post("/apps", got).is(http.StatusOK).revealed()
}

// TestDraftOfEditAndRotate is the same for the other two forms; the version that was seen still counts.
func TestDraftOfEditAndRotate(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	sent := with(admin.get(made.path+"/edit").form("main form"), map[string][]string{"name": {"Typed"}, "do": {"save"}})
	got := admin.signedInAgain(made.path+"/edit", sent).form("main form")
	if got.Get("name") != "Typed" || got.Get("version") != sent.Get("version") {
		t.Errorf("%v", got)
	}
	got.Set("do", "save")
	admin.follow(admin.post(made.path+"/edit", got)).says("h1", "Typed")

	sent = with(admin.get(made.path+"/secrets/new").form("main form"), map[string][]string{
		"label": {"typed label"}, "why": {"lost"}, "end": {"24h"}, "expiry": {"90d"}, "do": {"create"},
	})
	got = admin.signedInAgain(made.path+"/secrets/new", sent).form("main form")
	for _, field := range []string{"label", "why", "end", "expiry"} {
		if got.Get(field) != sent.Get(field) {
			t.Errorf("%s is %q", field, got.Get(field))
		}
	}
	got.Set("do", "create")
	admin.post(made.path+"/secrets/new", got).is(http.StatusOK).revealed()
}

// TestDraftOfBulk: a change of many apps, and the letter that was being written, are asked about again.
func TestDraftOfBulk(t *testing.T) {
	p := newPortal(t)
	p.fill(2)
	admin := p.as("admin@acme.example")
	choice := url.Values{"act": {"reassign"}, "ids": p.idsOf("app"), "contact_first_name": {"Jo"}, "contact_email": {"jo@acme.example"}}
	for _, path := range []string{"/apps/bulk", "/apps/bulk/start"} {
		got := admin.signedInAgain(path, choice).is(http.StatusOK).form("main form")
		if len(got["ids"]) != 2 || got.Get("contact_first_name") != "Jo" || got.Get("contact_email") != "jo@acme.example" {
			t.Errorf("%s: the form lost something: %v", path, got)
		}
	}
	letter := url.Values{"act": {"mail"}, "all": {"on"}, "q": {"app"}, "confirmed": {"2"}, "mail_subject": {"Typed"}, "mail_text": {"Typed for long."}}
	got := admin.signedInAgain("/apps/bulk/start", letter).form("main form")
	for _, field := range []string{"act", "q", "all", "confirmed", "mail_subject", "mail_text"} {
		if got.Get(field) != letter.Get(field) {
			t.Errorf("%s is %q", field, got.Get(field))
		}
	}
	letter.Del("mail_subject")
	letter.Del("mail_text")
	if got := admin.signedInAgain("/apps/bulk", letter).form("main form"); got.Get("mail_text") == "" {
		t.Error("a letter that was not begun is not prepared")
	}
	admin.follow(admin.get("/apps/bulk")).is(http.StatusOK).says("h1", "API consumer apps")
}

// TestDraftOfView: the name of a view, and the list that it is of, come back.
func TestDraftOfView(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	admin := p.as("admin@acme.example")
	sent := with(admin.get("/apps/views/new?q=app&sort=used").form("main form"), map[string][]string{"name": {"Typed"}, "shared": {"on"}})
	got := admin.signedInAgain("/apps/views", sent).form("main form")
	if diff := cmp.Diff(sent, got); diff != "" {
		t.Error(diff)
	}
	admin.follow(admin.post("/apps/views", got)).is(http.StatusOK)
	edit := admin.get("/apps/views").Find("main a[href^='/apps/views/']").First().AttrOr("href", "")
	sent = with(admin.get(edit).form("main form"), map[string][]string{"name": {"Typed again"}})
	if diff := cmp.Diff(sent, admin.signedInAgain(edit, sent).form("main form")); diff != "" {
		t.Error(diff)
	}
}

// TestFormsHavePages: whoever signs in again after sending a form comes to a page, and is promised that the form was kept
// by those only that give it back.
func TestFormsHavePages(t *testing.T) {
	pages := map[string]bool{}
	for _, r := range web.Routes() {
		pages[r.Path] = pages[r.Path] || r.Method == http.MethodGet
	}
	for _, r := range web.Routes() {
		if page, _ := web.FormPage(r, r.Path); r.Method == http.MethodPost && r.Who != "public" && !pages[page] {
			t.Errorf("%s has no page: %s", r.Path, page)
		}
	}
	p := newPortal(t)
	p.fill(1)
	admin := p.as("admin@acme.example")
	at := admin.post("/apps/bulk/start", url.Values{"act": {"deactivate"}, "ids": p.idsOf("app")}).is(http.StatusSeeOther).header.Get("Location")
	p.clock.Advance(31 * time.Minute)
	to := admin.post(at+"/cancel", url.Values{"x": {"y"}}).is(http.StatusSeeOther).header.Get("Location")
	if got := mustQuery(t, to); got.Get("next") != at || got.Has("kept") {
		t.Errorf("whoever was stopping a job is led to %s", to)
	}
}

// TestDraftOfAnother: a form is given back to the person who typed it and nobody else, and never to a stranger.
func TestDraftOfAnother(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	sent := admin.newApp(appNamed("Typed by Ana"))
	p.clock.Advance(31 * time.Minute)
	admin.post("/apps", sent).is(http.StatusSeeOther)
	globex := p.as("admin@globex.example")
	if got := globex.get("/apps/new?restore=1").is(http.StatusOK); strings.Contains(got.body, "Typed by Ana") {
		t.Error("somebody else's draft")
	}
	stranger := p.stranger().post("/apps", sent).is(http.StatusSeeOther)
	if strings.Contains(stranger.header.Get("Location"), "kept") {
		t.Error("a stranger's form is kept")
	}
}

// TestUI3_DraftHoldsNoSecret: what package secret takes for a secret is not kept with a form, though signin, which keeps it,
// does not know that package.
func TestUI3_DraftHoldsNoSecret(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	texts := []string{"ccws_", "x ccwr_0 y", "Ccwt_0", "CCWS_0123456789", "ccw.candidates", "ccws", "plain"}
	for _, text := range texts {
		back := admin.signedInAgain("/apps", admin.newApp(map[string][]string{"description": {text}}))
		want := text
		if secret.Contains(text) {
			want = ""
		}
		if got := back.form("main form").Get("description"); got != want {
			t.Errorf("of %q the draft holds %q", text, got)
		}
	}
}
