package web

import (
	"net/http"
	"slices"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/web/api"
)

// apiAPIs answers with the APIs that the organisation's apps may get tokens for.
func (s *Server) apiAPIs(c *apiCall) error {
	answer := api.CatalogueAPIs{Items: []api.CatalogueAPI{}}
	for _, a := range s.Catalogue.For(c.actor.Organisation).APIs() {
		answer.Items = append(answer.Items, api.CatalogueAPI{
			Key: a.Key, Title: a.Title, Audience: s.OAuth.Audience(a.Key), BasePath: a.BasePath,
			TokenLifetime: seconds(a.TokenLifetime), Own: a.Own, Scopes: len(a.Scopes()),
		})
	}
	return c.json(http.StatusOK, answer)
}

// apiScopes answers with a page of the catalogue's scopes.
func (s *Server) apiScopes(c *apiCall) error {
	q, err := c.query("q", "api", "kind", "limit", "after")
	if err != nil {
		return err
	}
	limit, err := number(q, "limit", maxListed)
	if err != nil {
		return err
	}
	if limit == 0 {
		limit = maxListed
	}
	catalogue := s.Catalogue.For(c.actor.Organisation)
	if key := q.Get("api"); key != "" {
		if _, ok := catalogue.API(key); !ok {
			return problem.Fields(problem.NewField("api", "api.query.api"))
		}
	}
	if kind := q.Get("kind"); kind != "" && !slices.Contains(kindCodes(), kind) {
		return problem.Fields(problem.NewField("kind", "api.query.kind"))
	}
	found := foundScopes(catalogue, q.Get("q"))
	found = slices.DeleteFunc(found, func(x scope.Scope) bool {
		return q.Get("api") != "" && x.API != q.Get("api") || q.Get("kind") != "" && string(x.Kind) != q.Get("kind")
	})
	answer := api.ScopePage{Items: []api.Scope{}, Total: len(found)}
	if after := q.Get("after"); after != "" {
		at := slices.IndexFunc(found, func(x scope.Scope) bool { return x.Name == after })
		if at < 0 {
			return problem.Fields(problem.NewField("after", "app.search.cursor"))
		}
		found = found[at+1:]
	}
	for _, x := range found[:min(len(found), limit)] {
		answer.Items = append(answer.Items, wireScope(x))
	}
	if len(found) > limit {
		c.link(s, "next", nil, "after", found[limit-1].Name)
	}
	return c.json(http.StatusOK, answer)
}

// foundScopes searches as the page of scopes does; hits come best first.
func foundScopes(catalogue *scope.Catalogue, text string) []scope.Scope {
	if text == "" {
		return catalogue.Scopes()
	}
	var list []scope.Scope
	for _, hit := range catalogue.Search(text).Hits {
		if x, ok := catalogue.Scope(hit.Scope); ok {
			list = append(list, x)
		}
	}
	return list
}

// apiScope answers with one scope and the calls it opens.
func (s *Server) apiScope(c *apiCall) error {
	x, ok := s.Catalogue.For(c.actor.Organisation).Scope(c.Param("name"))
	if !ok {
		return problem.New(problem.NotFound, "problem.not_found")
	}
	answer := api.ScopeDetail{Scope: wireScope(x), Note: x.Note, Calls: []api.Call{}}
	for _, o := range x.Opens {
		answer.Calls = append(answer.Calls, api.Call{
			Object: o.Object, Method: o.Call.Method, Path: o.Call.Path, Access: string(o.Call.Access),
		})
	}
	return c.json(http.StatusOK, answer)
}

func wireScope(x scope.Scope) api.Scope {
	return api.Scope{Name: x.Name, API: x.API, Kind: string(x.Kind), CoversRead: x.CoversRead, Grantable: x.Grantable()}
}

// apiAPIUsers answers with the API users that an app may be given.
func (s *Server) apiAPIUsers(c *apiCall) error {
	users, err := s.Registry.APIUsers(c.ctx(), c.actor)
	if err != nil {
		return err
	}
	answer := api.Identities{Items: []api.Identity{}}
	for _, u := range users {
		w := api.Identity{
			ID: string(u.ID), Name: u.Name, DisplayName: u.DisplayName, Kind: string(u.Kind), ExpiresAt: orNull(u.ExpiresAt),
		}
		for _, category := range u.Categories {
			w.Categories = append(w.Categories, string(category))
		}
		answer.Items = append(answer.Items, w)
	}
	return c.json(http.StatusOK, answer)
}

// maxSequence is more events than a trail ever has.
const maxSequence = 1 << 53

// apiEvents answers with a page of the organisation's audit trail.
func (s *Server) apiEvents(c *apiCall) error {
	q, err := c.query("app", "result", "limit", "before")
	if err != nil {
		return err
	}
	limit, err := number(q, "limit", maxListed)
	if err != nil {
		return err
	}
	before, err := number(q, "before", maxSequence)
	if err != nil {
		return err
	}
	asked := audit.Query{
		Chain: c.actor.Organisation, Result: audit.Result(q.Get("result")), Before: int64(before), Limit: limit,
	}
	if r := asked.Result; r != "" && !slices.Contains([]audit.Result{audit.Done, audit.Refused, audit.Failed}, r) {
		return problem.Fields(problem.NewField("result", "api.query.result"))
	}
	if id := q.Get("app"); id != "" {
		app, ok := registry.ParseAppID(id)
		if !ok {
			return problem.Fields(problem.NewField("app", "api.query.app"))
		}
		asked.TargetKind, asked.TargetID = "app", string(app)
	}
	page, err := s.Trail.Events(c.ctx(), asked)
	if err != nil {
		return err
	}
	answer := api.EventPage{Items: []api.Event{}}
	for _, e := range page.Events {
		answer.Items = append(answer.Items, wireEvent(e))
	}
	if page.Next > 0 {
		c.link(s, "next", nil, "before", decimal(page.Next))
	}
	return c.json(http.StatusOK, answer)
}

// fieldsOf are the fields of an event; an event without any has none.
func fieldsOf(fields map[string]any) map[string]any {
	if fields == nil {
		return map[string]any{}
	}
	return fields
}

func wireEvent(e audit.Event) api.Event {
	return api.Event{
		ID: e.ID, Sequence: e.Sequence, At: e.At, Actor: api.EventActor{Kind: string(e.ActorKind), ID: e.ActorID}, Action: e.Action,
		Target: api.EventTarget{Kind: e.Target.Kind, ID: e.Target.ID, Label: e.Target.Label}, Result: string(e.Result),
		Reason: e.Reason, Before: fieldsOf(e.Before), After: fieldsOf(e.After), Address: e.Origin.Address, RequestID: e.Origin.RequestID,
		Repeated: e.Repeated,
	}
}
