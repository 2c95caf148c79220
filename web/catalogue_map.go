package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// mapForm answers /catalogue/{api}/map: which scopes open a call. Its address may name the call, as the page of calls
// that nobody described does.
func (s *Server) mapForm(c *call) error {
	api, err := c.mappedAPI("catalogue.map")
	if err != nil {
		return err
	}
	m := scope.Mapping{API: api.Key, Access: scope.AccessRead}
	if method, path := oneQuery(c, "method"), oneQuery(c, "path"); method != "" || path != "" {
		if m, err = s.Catalogue.Mapping(c.ctx(), c.actor.Organisation, api.Key, method, belowBase(api, path)); err != nil {
			return err
		}
	}
	if draft := c.draft(); draft != nil {
		m = readMapping(api, &form{values: draft})
	}
	return c.drawMap(http.StatusOK, api, m, nil)
}

// mappedAPI is an API whose calls the reader may map: those of our own APIs are what the program serves.
func (c *call) mappedAPI(act string) (scope.API, error) {
	api, err := c.keptAPI(act)
	if err == nil && api.Own {
		err = problem.New(problem.NotFound, "problem.not_found")
	}
	return api, err
}

// belowBase is a path of a request as the form has it: below the API's base path, with names for what stands for any
// text. A path that the catalogue has to the letter stays.
func belowBase(api scope.API, path string) string {
	for _, o := range api.Objects {
		if slices.ContainsFunc(o.Calls, func(one scope.Call) bool { return one.Path == path }) {
			return path
		}
	}
	if rest, ok := strings.CutPrefix(path, api.BasePath+"/"); ok {
		path = "/" + rest
	}
	parts, n := strings.Split(path, "/"), 0
	for i, part := range parts {
		if part != "{…}" && part != "{}" {
			continue
		}
		if n++; n == 1 {
			parts[i] = "{id}"
		} else {
			parts[i] = "{id" + strconv.Itoa(n) + "}"
		}
	}
	return strings.Join(parts, "/")
}

func readMapping(api scope.API, f *form) scope.Mapping {
	return scope.Mapping{
		API: api.Key, Object: strings.TrimSpace(f.one("object")), Method: f.one("method"), Path: strings.TrimSpace(f.one("path")),
		Access: scope.Access(f.one("access")), AnyOf: distinct(f.all("any_of")), Note: strings.TrimSpace(f.one("note")), Version: f.version(),
	}
}

// mapCall saves the form. When somebody else mapped the call meanwhile, the page says how, and saving again takes the
// reader's.
func (s *Server) mapCall(c *call) error {
	api, err := c.mappedAPI("catalogue.map")
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	m := readMapping(api, f)
	if err = f.err(); err == nil {
		err = s.Catalogue.Map(c.ctx(), c.actor, m)
	}
	switch {
	case err == nil:
		return c.done(apiPath(api.Key), "catalogue.flash.mapped", "Call", m.Method+" "+api.BasePath+m.Path)
	case !toldInForm(err) && !problem.Is(err, problem.Stale):
		return err
	}
	return c.drawMap(c.sentBack(err), api, m, err)
}

func (c *call) drawMap(status int, api scope.API, m scope.Mapping, wrong error) error {
	view := templates.CatalogueMap{
		Frame: c.frame("catalogue"), API: api.Title, APIHref: apiPath(api.Key), Action: mapPath(api.Key, "", ""), Base: api.BasePath,
		Object: m.Object, Method: m.Method, Path: m.Path, Access: string(m.Access), Note: m.Note, Version: m.Version,
	}
	if problem.Is(wrong, problem.Stale) {
		theirs, err := c.s.Catalogue.Mapping(c.ctx(), c.actor.Organisation, api.Key, m.Method, m.Path)
		if err != nil {
			return err
		}
		view.Version, view.Theirs, view.Clash = theirs.Version, strings.Join(theirs.AnyOf, ", "), true
	} else if wrong != nil {
		view.Errors = c.fieldErrors(wrong, nil)
	}
	for _, o := range api.Objects {
		view.Objects = append(view.Objects, o.Name)
	}
	likely := likelyScopes(api, m)
	for _, name := range api.Scopes() {
		one, _ := c.catalogue().Scope(name)
		choice := templates.ScopeChoice{Name: name, Kind: string(one.Kind), Checked: slices.Contains(m.AnyOf, name)}
		if choice.Checked || slices.Contains(likely, name) {
			view.Likely = append(view.Likely, choice)
		} else {
			view.Others = append(view.Others, choice)
		}
	}
	return c.render(status, templates.CatalogueMapPage(view))
}

// likelyScopes are those that the object lists or public pages hint at.
func likelyScopes(api scope.API, m scope.Mapping) []string {
	var names []string
	for _, o := range api.Objects {
		if o.Name != m.Object {
			continue
		}
		names = append(names, o.Scopes...)
		for _, one := range o.Calls {
			names = append(names, one.Suggested...)
		}
	}
	return names
}

// mapping is what is mapped of the call that the address names.
func (c *call) mapping() (scope.API, scope.Mapping, error) {
	api, err := c.mappedAPI("catalogue.unmap")
	if err != nil {
		return api, scope.Mapping{}, err
	}
	m, err := c.s.Catalogue.Mapping(c.ctx(), c.actor.Organisation, api.Key, oneQuery(c, "method"), oneQuery(c, "path"))
	if err == nil && m.Version == 0 {
		err = problem.New(problem.NotFound, "problem.not_found")
	}
	return api, m, err
}

// unmapForm asks before a mapping is taken back.
func (s *Server) unmapForm(c *call) error {
	api, m, err := c.mapping()
	if err != nil {
		return err
	}
	return c.askUnmap(http.StatusOK, api, m, nil)
}

func (c *call) askUnmap(status int, api scope.API, m scope.Mapping, errs templates.FieldErrors) error {
	ask := templates.CatalogueUnmap{
		Frame: c.frame("catalogue"), API: api.Title, APIHref: apiPath(api.Key), Action: unmapPath(api.Key, m.Method, m.Path),
		Call: m.Method + " " + api.BasePath + m.Path, Version: m.Version, Errors: errs,
	}
	if c.fragment() == "dialog" {
		return c.render(status, templates.CatalogueUnmapFragment(ask))
	}
	return c.render(status, templates.CatalogueUnmapPage(ask))
}

func (s *Server) unmapCall(c *call) error {
	api, m, err := c.mapping()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	seen := m
	seen.Version = f.version()
	if err = f.err(); err == nil {
		err = s.Catalogue.Unmap(c.ctx(), c.actor, seen)
	}
	switch {
	case err == nil:
		return c.done(apiPath(api.Key), "catalogue.flash.unmapped", "Call", m.Method+" "+api.BasePath+m.Path)
	case !toldInForm(err) && !problem.Is(err, problem.Stale):
		return err
	}
	return c.askUnmap(c.sentBack(err), api, m, c.fieldErrors(err, map[string]string{"any_of": ""}))
}
