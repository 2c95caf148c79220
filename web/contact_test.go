package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credenza.example/credenza/internal/registry"
)

// askLink has the contacts asked and returns the path in the mail to one of them.
func (p *portal) askLink(email string) string {
	p.t.Helper()
	p.must(p.registry.AskContacts(p.t.Context()))
	var path string
	p.must(p.db.Read(p.t.Context()).Raw("SELECT path FROM mails WHERE text_key = 'contact_ask' AND to_email = ?", email).Scan(&path).Error)
	if path == "" {
		p.t.Fatal("nobody was asked")
	}
	return path
}

// TestContactAnswers: the link alone changes nothing; each answer counts until the next, and shows at the app.
func TestContactAnswers(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	app := p.app(made.id)
	path := p.askLink(app.Contact.Email)
	reader, viewer := p.stranger(), p.as("viewer@acme.example")
	first := reader.get(path).is(http.StatusOK).says("main", "Acme names "+app.Contact.Email).says("main", app.Name)
	if reader.get(path); viewer.get(made.path).Find(".contact").Text() == "" || strings.Contains(viewer.get(made.path).text(".contact"), "Confirmed") {
		t.Error("to open the page was an answer")
	}
	answer := func(asked *page, value string) *selection {
		form := asked.form("main form")
		form.Set("answer", value)
		return reader.post("/contact/verify", form).is(http.StatusOK).says("[role=status]", "Thank you").Find("main")
	}
	if got := answer(first, "yes").Find("button[value=yes]").Length(); got != 0 {
		t.Error("the answer that was given is offered again")
	}
	viewer.get(made.path).says(".contact", "Confirmed on ")
	answer(reader.get(path), "no")
	viewer.get(made.path).says(".contact", "Contact stale").says(".contact", "somebody else should be the contact")
	answer(reader.get(path), "yes")
	viewer.get(made.path).says(".contact", "Confirmed on ")
}

// TestContactLinkFaults: what is no link opens nothing, and no answer is none.
func TestContactLinkFaults(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	path := p.askLink(p.app(made.id).Contact.Email)
	reader := p.stranger()
	for _, bad := range []string{registry.ContactPath, path + "x", registry.ContactPath + "?ask=%ff%00", registry.ContactPath + "?ask=" + strings.Repeat("A", 5000)} {
		reader.get(bad).is(http.StatusNotFound)
	}
	form := reader.get(path).form("main form")
	reader.post("/contact/verify", form).is(http.StatusUnprocessableEntity).says(".error-summary", "Press one of the two buttons.")
	reader.post("/contact/verify", url.Values{"ask": {"forged"}, "answer": {"yes"}}).is(http.StatusNotFound)
	p.clock.Advance(61 * 24 * 3600e9)
	reader.get(path).is(http.StatusGone)
	if got := reader.get(path).header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %s", got)
	}
}

// TestContactAnswersEnd: who changes the answer again and again is told that the last one stands, on the page itself.
func TestContactAnswersEnd(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	path := p.askLink(p.app(made.id).Contact.Email)
	reader := p.stranger()
	form := reader.get(path).form("main form")
	for i := range 10 {
		form.Set("answer", []string{"yes", "no"}[i%2])
		reader.post("/contact/verify", form).is(http.StatusOK)
	}
	form.Set("answer", "yes")
	reader.post("/contact/verify", form).is(http.StatusTooManyRequests).says(".error-summary", "the last one stands").says("main", "somebody else")
}
