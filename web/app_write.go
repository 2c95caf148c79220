package web

import (
	"net/http"

	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// writePage shows the prepared mails to the contacts of an app: the grid has no room for them in each row, and not every
// browser has a program for mail.
func (s *Server) writePage(c *call) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	known, err := s.Registry.Addresses(c.ctx(), c.actor, &app)
	if err != nil {
		return err
	}
	view := templates.AppWrite{
		Frame: c.frame("apps"), AppName: app.Name, AppHref: appPath(app.ID), EditHref: c.ifGiver(app.Kind, editPath(app.ID)),
	}
	for _, contact := range []registry.Contact{app.Contact, app.SecondContact} {
		if contact.Email == "" {
			continue // there is none, or the person was erased
		}
		m := templates.ContactMail{
			FirstName: contact.FirstName, LastName: contact.LastName, Email: contact.Email, App: app.Name, ClientID: app.ClientID,
		}
		if user := view.Frame.User; user != nil {
			m.Organisation = user.Organisation
		}
		view.Mails = append(view.Mails, templates.PreparedMail{Mail: m, Address: addressView(known[contact.Email])})
	}
	return c.render(http.StatusOK, templates.AppWritePage(view))
}
