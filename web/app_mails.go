package web

import (
	"strings"

	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// maxKept bounds the notices that a page shows where no mail is sent.
const maxKept = 10

// mails tells whom mails about an app do not reach, and what they say where none are sent (product.md decision 19).
func (c *call) mails(app registry.App) (templates.AppMails, error) {
	list, err := c.s.Registry.Mails(c.ctx(), c.actor, app.ID)
	if err != nil {
		return templates.AppMails{}, err
	}
	view := templates.AppMails{EditHref: c.ifGiver(app.Kind, editPath(app.ID))}
	judged, shown := map[string]bool{}, map[string]bool{}
	for _, m := range list {
		switch m.State {
		case notify.Queued:
		case notify.Kept:
			// A notice goes to several people and says the same to all.
			if title := m.Title(c.ctx()); !shown[title] && len(view.Kept) < maxKept {
				shown[title] = true
				view.Kept = append(view.Kept, templates.KeptMail{Title: title, Texts: m.Text(c.ctx()), At: m.CreatedAt})
			}
		case notify.Sent, notify.Failed, notify.Refused:
			// The last mail to somebody decides whether they can be reached.
			address := strings.ToLower(m.To.Email)
			if !judged[address] && m.State != notify.Sent {
				view.Refused = append(view.Refused, refusedMail(app, m))
			}
			judged[address] = true
		}
	}
	return view, nil
}

// refusedMail names a contact by the address, which stands on the page anyway, and others by their names alone.
func refusedMail(app registry.App, m notify.Mail) templates.RefusedMail {
	r := templates.RefusedMail{To: m.To.Name, At: m.FinishedAt, Failed: m.State == notify.Failed}
	for _, contact := range []registry.Contact{app.Contact, app.SecondContact} {
		if m.To.Email != "" && strings.EqualFold(contact.Email, m.To.Email) {
			r.To, r.Contact = contact.Email, true
		}
	}
	return r
}
