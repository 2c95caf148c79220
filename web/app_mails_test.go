package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
)

// sendNothing runs the jobs of a portal without a mail server.
func (p *portal) sendNothing() {
	p.t.Helper()
	messages, err := i18n.Load()
	p.must(err)
	runner, err := job.NewRunner(job.Deps{DB: p.db, Log: p.logger()})
	p.must(err)
	p.must(p.outbox.Send(runner, notify.Sending{Messages: messages, PublicURL: publicURL}))
	p.must(runner.RunDue(p.t.Context()))
}

// mailsBecome ends all mails to an address, as the mail server would.
func (p *portal) mailsBecome(state notify.State, address string) {
	p.t.Helper()
	p.must(p.db.Housekeep(p.t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec("UPDATE mails SET state = ?, finished_at = ? WHERE to_email = ? AND finished_at IS NULL",
			string(state), database.Micros(tx.Now()), address).Error
	}))
}

// Where no mail is sent, notices stand on the app's page (product.md decision 19), each once however many get it.
func TestNoticesWithoutMailServer(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{
		"name": {"<b>Spend</b>"}, "second_first_name": {"Jo"}, "second_last_name": {"Weber"}, "second_email": {"jo@acme.example"},
	})
	if admin.get(made.path).is(http.StatusOK).Find("#mails").Length() != 0 {
		t.Error("a mail on its way stands on the page")
	}
	p.sendNothing()
	a := p.as("viewer@acme.example").get(made.path).is(http.StatusOK).
		says("[aria-labelledby=mails]", "This portal sends no mail").says("[aria-labelledby=mails]", "named you as a contact")
	if got := a.Find("[aria-labelledby=mails] details").Length(); got != 1 {
		t.Errorf("%d notices, want one for both contacts", got)
	}
	if got := a.text("[aria-labelledby=mails] summary"); !strings.HasPrefix(got, "<b>Spend</b>: you are a contact") {
		t.Errorf("the notice begins %q", got)
	}
	if a.Find("[aria-labelledby=mails] b").Length() != 0 {
		t.Error("a name became markup")
	}
}

// A mail that came back stands on the app's page until one gets through.
func TestRefusedMailIsShown(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{"email": {"gone@acme.example"}})
	p.mailsBecome(notify.Refused, "gone@acme.example")
	const said = "The mail to gone@acme.example was refused on 22 Nov 2026, 13:05 UTC."
	if href := admin.get(made.path).is(http.StatusOK).says(".strip", said).Find(".strip a[href$='/edit']").Length(); href != 1 {
		t.Error("who may change the contact is not shown where")
	}
	viewer := p.as("viewer@acme.example")
	if viewer.get(made.path).is(http.StatusOK).says(".strip", said).Find(".strip a[href$='/edit']").Length() != 0 {
		t.Error("a viewer is sent to a form that is not for them")
	}
	p.clock.Advance(time.Minute)
	app, err := p.registry.App(t.Context(), p.actor("admin@acme.example"), made.id)
	p.must(err)
	_, err = p.registry.Deactivate(t.Context(), p.actor("admin@acme.example"), made.id, app.Version)
	p.must(err)
	p.mailsBecome(notify.Sent, "gone@acme.example")
	if text := viewer.get(made.path).is(http.StatusOK).text(".strip"); strings.Contains(text, "gone@acme.example") {
		t.Errorf("a mail got through, and the strip says %q", text)
	}
}
