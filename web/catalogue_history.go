package web

import (
	"net/http"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// maxChanges is how many changes a page tells of.
const maxChanges = 100

// apiHistory answers /catalogue/{api}/history: what was changed of an API and of its calls.
func (s *Server) apiHistory(c *call) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	events, err := s.Catalogue.History(c.ctx(), c.actor.Organisation, api.Key)
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, templates.CatalogueHistoryPage(templates.CatalogueHistory{
		Frame: c.frame("catalogue"), API: api.Title, APIHref: apiPath(api.Key), Events: c.catalogueEvents(api, events),
	}))
}

// scopeChanges are the changes of the catalogue that touched a scope, for its page.
func (c *call) scopeChanges(api scope.API, name string) ([]templates.CatalogueEvent, error) {
	events, err := c.s.Catalogue.History(c.ctx(), c.actor.Organisation, api.Key)
	if err != nil {
		return nil, err
	}
	var touching []audit.Event
	for _, e := range events {
		if scope.Tells(e, name) {
			touching = append(touching, e)
		}
	}
	return c.catalogueEvents(api, touching), nil
}

// catalogueEvents says who changed what. People of other organisations are not named: a shared API is the platform's.
func (c *call) catalogueEvents(api scope.API, events []audit.Event) []templates.CatalogueEvent {
	names := map[string]string{}
	list := make([]templates.CatalogueEvent, 0, min(len(events), maxChanges))
	for _, e := range events[:min(len(events), maxChanges)] {
		text := func(fields map[string]any, field string) string { value, _ := fields[field].(string); return value }
		view := templates.CatalogueEvent{
			At: e.At, Who: c.catalogueAuthor(names, e), Act: strings.TrimPrefix(e.Action, "catalogue."),
			API: api.Title, Call: e.Target.Label,
		}
		switch {
		case e.Action == "catalogue.api" && len(e.Before) > 0:
			view.Act = "api_edit"
		case strings.HasPrefix(e.Action, "catalogue.api"):
			view.Call = ""
		default:
			view.Before, view.After = text(e.Before, "any_of"), text(e.After, "any_of")
			view.Note = text(e.After, "note")
		}
		list = append(list, view)
	}
	return list
}

// catalogueAuthor is the name of who changed the catalogue, "" for somebody whose name is not the reader's to know.
func (c *call) catalogueAuthor(known map[string]string, e audit.Event) string {
	switch {
	case e.ActorKind == access.KindSystem:
		return c.t("product.name")
	case e.ActorKind != access.KindPerson || e.Chain != c.actor.Organisation:
		return ""
	}
	if name, ok := known[e.ActorID]; ok {
		return name
	}
	if person, err := c.s.Identity.Person(c.ctx(), identity.PersonID(e.ActorID)); err == nil && person.Organisation == c.actor.Organisation {
		known[e.ActorID] = person.Name()
	}
	return known[e.ActorID]
}
