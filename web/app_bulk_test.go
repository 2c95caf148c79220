package web_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/registry"
)

// work does the jobs that are due.
func (p *portal) work() {
	p.t.Helper()
	runner, err := job.NewRunner(job.Deps{DB: p.db, Log: slog.New(slog.DiscardHandler)})
	p.must(err)
	p.registry.WorkBulk(runner)
	p.must(runner.RunDue(p.t.Context()))
}

// idsOf are the apps that a search finds, in the order of their names.
func (p *portal) idsOf(text string) []string {
	p.t.Helper()
	page, err := p.registry.Search(p.t.Context(), p.actor("admin@acme.example"), registry.Query{Text: text, PerPage: 100})
	p.must(err)
	var ids []string
	for _, r := range page.Rows {
		ids = append(ids, string(r.ID))
	}
	return ids
}

// TestBulkWalk: ask, begin, watch, look at what became of each, and undo.
func TestBulkWalk(t *testing.T) {
	p := newPortal(t)
	p.fill(4) // two of them active
	admin := p.as("admin@acme.example")
	ids := append(p.idsOf("app"), database.NewID())
	ask := admin.post("/apps/bulk", url.Values{"act": {"deactivate"}, "ids": ids, "q": {"app"}}).is(http.StatusOK)
	ask.says("h1", "Deactivate 5 apps").says(".bulk-names", "App 004")
	if got := ask.Find(".actions a").AttrOr("href", ""); got != "/apps?q=app" {
		t.Errorf("Cancel leads to %s", got)
	}
	started := admin.post("/apps/bulk/start", ask.form("main form")).is(http.StatusSeeOther)
	at := started.header.Get("Location")
	if again := admin.post("/apps/bulk/start", ask.form("main form")).is(http.StatusSeeOther); again.header.Get("Location") != at {
		t.Error("the same form begins another change")
	}
	waiting := admin.get(at).is(http.StatusOK).says("main", "Waits for its turn")
	if waiting.Find("[data-poll]").AttrOr("data-poll", "") != at || waiting.Find("progress").AttrOr("max", "") != "5" {
		t.Error("the page does not follow the work")
	}
	p.work()
	over := admin.get(at).is(http.StatusOK).says("main", "Finished: 5 of 5 done.").says("main", "2 apps were changed").says("main", "2 were so already").
		says("main", "1 is not there any more").says("table", "An app that is not there")
	if over.Find("[data-poll]").Length() > 0 {
		t.Error("the page follows what is over")
	}
	undo := admin.post("/apps/bulk", over.form("form[action='/apps/bulk']")).is(http.StatusOK).says("h1", "Activate 2 apps")
	at = admin.post("/apps/bulk/start", undo.form("main form")).is(http.StatusSeeOther).header.Get("Location")
	p.work()
	admin.get(at).says("main", "2 apps were changed")
	admin.post(at+"/cancel", nil).is(http.StatusConflict).says("[role=alert]", "This has ended already")
}

// TestBulkOfASearch sends the search and not the apps; what came meanwhile is not changed unseen.
func TestBulkOfASearch(t *testing.T) {
	p := newPortal(t)
	p.fill(2)
	admin := p.as("admin@acme.example")
	ask := admin.post("/apps/bulk", url.Values{"act": {"deactivate"}, "all": {"on"}, "q": {"app"}}).is(http.StatusOK).says("h1", "Deactivate 2 apps")
	form := ask.form("main form")
	if len(form["ids"]) > 0 || form.Get("q") != "app" || form.Get("confirmed") != "2" {
		t.Errorf("the form sends %v", form)
	}
	p.as("admin@acme.example").register(url.Values{"name": {"App that came late"}})
	again := admin.post("/apps/bulk/start", form).is(http.StatusConflict).says(".error-summary", "3 apps match now. Nothing was changed.")
	again.says("h1", "Deactivate 3 apps")
	at := admin.post("/apps/bulk/start", again.form("main form")).is(http.StatusSeeOther).header.Get("Location")
	stopped := admin.follow(admin.post(at+"/cancel", nil)).is(http.StatusOK).says("main", "Stopped after 0 of 3")
	p.work()
	if stopped.Find("form[action$='/cancel']").Length() > 0 || len(p.idsOf("status:active")) != 2 {
		t.Error("what was stopped goes on")
	}
}

// TestBulkFaults: a list without a tick leads back to itself, a wrong contact to its field, with what was typed.
func TestBulkFaults(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	admin := p.as("admin@acme.example")
	admin.follow(admin.post("/apps/bulk", url.Values{"act": {"deactivate"}, "q": {"app"}})).is(http.StatusOK).says("[role=alert]", "Choose at least one app.")
	admin.follow(admin.post("/apps/bulk", url.Values{"act": {"deactivate"}, "all": {"on"}, "q": {strings.Repeat("a ", 13)}})).
		says("[role=alert]", "Search for at most 12 words")
	ask := admin.post("/apps/bulk", url.Values{"act": {"reassign"}, "ids": p.idsOf("app")}).is(http.StatusOK)
	form := ask.form("main form")
	form.Set("contact_first_name", "Jo")
	form.Set("contact_email", "jo\r\nbcc: all@acme.example")
	back := admin.post("/apps/bulk/start", form).is(http.StatusUnprocessableEntity)
	if got := back.problems(); !strings.Contains(got["contact_last_name"], "last name") || !strings.Contains(got["contact_email"], "e-mail") {
		t.Errorf("problems: %v", got)
	}
	if got := back.form("main form"); got.Get("contact_first_name") != "Jo" || len(got["ids"]) != 1 {
		t.Errorf("the form lost something: %v", got)
	}
	form.Set("contact_last_name", "Weber")
	form.Set("contact_email", "jo@acme.example")
	admin.post("/apps/bulk/start", form).is(http.StatusSeeOther)
	p.work()
	admin.get("/apps/"+form.Get("ids")).is(http.StatusOK).says("main", "Jo Weber")
}

// TestBulkIsTheOrganisations: neither a viewer nor another organisation changes, sees or stops it.
func TestBulkIsTheOrganisations(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	admin := p.as("admin@acme.example")
	ids := p.idsOf("app")
	at := admin.post("/apps/bulk/start", url.Values{"act": {"deactivate"}, "ids": ids}).is(http.StatusSeeOther).header.Get("Location")
	for email, status := range map[string]int{"viewer@acme.example": http.StatusForbidden, "admin@globex.example": http.StatusNotFound} {
		b := p.as(email)
		b.get(at).is(status)
		b.post(at+"/cancel", nil).is(status)
	}
	globex := p.as("admin@globex.example")
	theirs := globex.post("/apps/bulk/start", url.Values{"act": {"deactivate"}, "ids": ids}).is(http.StatusSeeOther).header.Get("Location")
	admin.post(at+"/cancel", nil).is(http.StatusSeeOther)
	p.work()
	globex.get(theirs).is(http.StatusOK).says("main", "1 is not there any more")
	if app := p.app(registry.AppID(ids[0])); app.Status != registry.Active {
		t.Error("another organisation deactivated the app")
	}
}

// TestBulkMailWalk: what is prepared can be changed, what is wrong comes back with what was typed, each address is told
// of, and nothing of it can be undone.
func TestBulkMailWalk(t *testing.T) {
	p := newPortal(t)
	p.fill(3)
	admin := p.as("admin@acme.example")
	page := admin.get("/apps").is(http.StatusOK)
	if page.Find("#bulk button[value=mail]").Length() != 1 {
		t.Error("the bar does not offer mail")
	}
	ask := admin.post("/apps/bulk", url.Values{"act": {"mail"}, "ids": p.idsOf("app"), "q": {"app"}}).is(http.StatusOK)
	ask.says("h1", "Mail the contacts of 3 apps").says("form p", "1 address gets one mail").says("form p", "the answer goes to admin@acme.example").
		says("form p", "cannot be taken back").says(".bulk-names", "App 001").says(".actions button", "Send 1 mail")
	form := ask.form("main form")
	if !strings.Contains(form.Get("mail_subject"), "Acme") || !strings.Contains(form.Get("mail_text"), "still needed") {
		t.Errorf("prepared: %v", form)
	}
	form.Set("mail_subject", "Hello\r\nBcc: all@acme.example")
	form.Set("mail_text", "<b>Look</b> at these, please.")
	back := admin.post("/apps/bulk/start", form).is(http.StatusUnprocessableEntity)
	if got := back.problems(); !strings.Contains(got["mail_subject"], "one line") || len(got) != 1 {
		t.Errorf("problems: %v", got)
	}
	if got := back.form("main form"); got.Get("mail_text") != "<b>Look</b> at these, please." || len(got["ids"]) != 3 {
		t.Errorf("the form lost something: %v", got)
	}
	form.Set("mail_subject", "Hello")
	at := admin.post("/apps/bulk/start", form).is(http.StatusSeeOther).header.Get("Location")
	admin.get(at).is(http.StatusOK).says("h1", "Mail to 1 address").says("main", "No mail is on its way yet")
	p.work()
	over := admin.get(at).is(http.StatusOK).says("main", "Finished: 1 of 1 done.").says("main", "1 mail is on its way or was sent").
		says("tbody th", "@").says("tbody td", "It names 3 apps.")
	if over.Find("form[action='/apps/bulk']").Length() > 0 {
		t.Error("mail can be undone")
	}
	var words string
	p.must(p.db.Read(t.Context()).Raw("SELECT words FROM mails WHERE text_key = 'letter'").Scan(&words).Error)
	if words != "<b>Look</b> at these, please." {
		t.Errorf("the mail says %q", words)
	}
	p.as("viewer@acme.example").post("/apps/bulk", url.Values{"act": {"mail"}, "ids": p.idsOf("app")}).is(http.StatusForbidden)
	theirs := p.as("admin@globex.example").post("/apps/bulk/start", form)
	if theirs.is(http.StatusUnprocessableEntity); theirs.Find("main").Length() == 0 {
		t.Error("another organisation mails our contacts")
	}
}

// TestBulkMailWithoutServer is not offered, and says why; who asks for it all the same is told.
func TestBulkMailWithoutServer(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	messages, err := i18n.Load()
	p.must(err)
	runner, err := job.NewRunner(job.Deps{DB: p.db, Log: slog.New(slog.DiscardHandler)})
	p.must(err)
	p.must(p.outbox.Send(runner, notify.Sending{Messages: messages, PublicURL: publicURL}))
	admin := p.as("admin@acme.example")
	page := admin.get("/apps").is(http.StatusOK).says("#bulk .hint", "this portal has no mail server")
	if page.Find("#bulk button[value=mail]").Length() != 0 {
		t.Error("mail is offered")
	}
	admin.follow(admin.post("/apps/bulk", url.Values{"act": {"mail"}, "ids": p.idsOf("app")})).says("[role=alert]", "This portal sends no mail")
}

// TestGridStateIsBounded: however long a search that is sent, the address that an answer leads to is short, and so is the
// form that repeats it.
func TestGridStateIsBounded(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	admin := p.as("admin@acme.example")
	long := strings.Repeat("x", 20_000)
	for path, form := range map[string]url.Values{
		"/apps/bulk":  {"act": {"deactivate"}, "all": {"on"}, "q": {long}, "sort": {long}, "dir": {long}, "per": {long}},
		"/apps/views": {"name": {"A view"}, "q": {long}, "sort": {long}, "dir": {long}, "per": {long}},
	} {
		got := admin.post(path, form)
		if to := got.header.Get("Location"); len(to) > 4000 || strings.Contains(got.body, long[:1000]) {
			t.Errorf("%s leads to %d bytes, or repeats the search", path, len(to))
		}
	}
	if to := admin.get("/apps?contact=" + long).is(http.StatusSeeOther).header.Get("Location"); len(to) > 1000 {
		t.Errorf("the filter form leads to %d bytes", len(to))
	}
}
