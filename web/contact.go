package web

import (
	"net/http"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// contactForm is the page behind the link of a mail that asks whether a contact's address is right. It changes nothing:
// mail scanners follow links.
func (s *Server) contactForm(c *call) error {
	if err := c.followLink(); err != nil {
		return err
	}
	link := oneQuery(c, "ask")
	asked, err := s.Registry.Asked(c.ctx(), link)
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, templates.ContactPage(c.askView(link, asked)))
}

func (c *call) askView(link string, asked registry.Asked) templates.ContactAsk {
	return templates.ContactAsk{
		Frame: c.frame(""), Action: registry.ContactPath, Link: link, Organisation: asked.Organisation, Email: asked.Email,
		Apps: asked.Apps, Total: asked.Total, State: string(asked.Known.State), At: asked.Known.At,
	}
}

// contactAnswer keeps the answer and shows the page again, which then says so and offers the other one.
func (s *Server) contactAnswer(c *call) error {
	if err := c.followLink(); err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	link, answer := f.one("ask"), f.one("answer")
	if err := f.err(); err != nil {
		return err
	}
	asked, err := s.Registry.Asked(c.ctx(), link)
	if err != nil {
		return err
	}
	if answer != "yes" && answer != "no" {
		view := c.askView(link, asked)
		view.Errors = c.fieldErrors(problem.Fields(problem.NewField("answer", "app.contact.choose")), nil)
		return c.render(http.StatusUnprocessableEntity, templates.ContactPage(view))
	}
	if err := s.Registry.AnswerAsk(c.ctx(), origin(c), link, answer == "yes"); problem.Is(err, problem.Limited) {
		view := c.askView(link, asked)
		view.Errors = c.fieldErrors(err, nil)
		return c.render(c.sentBack(err), templates.ContactPage(view))
	} else if err != nil {
		return err
	}
	if asked, err = s.Registry.Asked(c.ctx(), link); err != nil {
		return err
	}
	return c.render(http.StatusOK, templates.ContactPage(c.askView(link, asked)))
}

func addressView(a registry.Address) templates.AppAddress {
	return templates.AppAddress{State: string(a.State), At: a.At}
}
