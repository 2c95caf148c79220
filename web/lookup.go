package web

import (
	"net/http"
	"net/url"
	"strings"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/secret"
	"credenza.example/credenza/templates"
)

// minLookupName is how many letters of a name the page says one needs; the registry asks.
const minLookupName = 3

// lookupForm is the empty page. An address may bring a client ID along (ui.md §2: /lookup?client=), from a log or a
// ticket: it is filled in and not looked up, since opening a page must not count, nor be recorded, as a look.
func (s *Server) lookupForm(c *call) error {
	page := c.lookupPage()
	if id := strings.TrimSpace(oneQuery(c, "client")); registry.LooksLikeClientID(id) {
		page.Query = id
	}
	return c.render(http.StatusOK, templates.LookupPage(page))
}

// lookup looks an app up. It is a POST: each look counts and is recorded, and what is typed may be somebody's address,
// which belongs in no browser's history and no proxy's log.
func (s *Server) lookup(c *call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	page := c.lookupPage()
	page.Query = f.one("q")
	if secret.Contains(page.Query) {
		page.Query, page.Secret = "", true
		return c.render(http.StatusUnprocessableEntity, templates.LookupPage(page))
	}
	var answer registry.Lookup
	if err = f.err(); err == nil {
		answer, err = s.Registry.Lookup(c.ctx(), c.actor, page.Query)
	}
	switch p := problem.As(err); {
	case err == nil:
		page.Answer = lookupAnswer(answer)
		return c.render(http.StatusOK, templates.LookupPage(page))
	case p.Code == problem.Invalid, p.Code == problem.Limited:
		c.retryAfter(p)
		page.Errors = c.fieldErrors(err, nil)
		return c.render(statusOf(p.Code), templates.LookupPage(page))
	default:
		return err
	}
}

func (c *call) lookupPage() templates.Lookup {
	return templates.Lookup{Frame: c.frame("lookup"), Action: lookupPath, MinName: minLookupName}
}

func lookupAnswer(answer registry.Lookup) *templates.LookupAnswer {
	view := &templates.LookupAnswer{By: string(answer.By), More: answer.More, Left: answer.Left}
	for _, found := range answer.Found {
		app := templates.LookupApp{
			Name: found.Name, Organisation: found.Organisation, Status: string(found.Status),
			Contacts: []templates.AppContact{contactView(found.Contact)},
		}
		if !found.SecondContact.IsZero() {
			app.Contacts = append(app.Contacts, contactView(found.SecondContact))
		}
		view.Apps = append(view.Apps, app)
	}
	return view
}

// find answers the Find box of the home page: the exact client ID of an app of one's own organisation leads straight to
// it, whatever else was typed to the list that searches for it (ui.md §4.12).
func (s *Server) find(c *call) error {
	text := strings.TrimSpace(oneQuery(c, "q"))
	if text == "" {
		return c.redirect(appsPath)
	}
	app, err := s.Registry.ByClientID(c.ctx(), c.actor, text)
	switch {
	case err == nil:
		return c.redirect(appPath(app.ID))
	case problem.Is(err, problem.NotFound):
		return c.redirect(appsPath + "?" + url.Values{"q": {text}}.Encode())
	default:
		return err
	}
}
