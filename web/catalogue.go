package web

import (
	"net/http"
	"net/url"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// The addresses of the pages of the catalogue, built here and nowhere else.
const (
	cataloguePath  = "/catalogue"
	addAPIPath     = cataloguePath + "/new"
	importAPIPath  = cataloguePath + "/import"
	undescribedRow = "undescribed" // the name of the page of calls that nobody described
)

func apiPath(key string) string        { return cataloguePath + "/" + url.PathEscape(key) }
func editAPIPath(key string) string    { return apiPath(key) + "/edit" }
func removeAPIPath(key string) string  { return apiPath(key) + "/remove" }
func apiHistoryPath(key string) string { return apiPath(key) + "/history" }

// mapPath is the form that says which scopes open a call; without a method it is an empty one.
func mapPath(key, method, path string) string { return ofCall(apiPath(key)+"/map", method, path) }

func unmapPath(key, method, path string) string { return ofCall(apiPath(key)+"/unmap", method, path) }

func ofCall(address, method, path string) string {
	if method == "" {
		return address
	}
	return address + "?" + url.Values{"method": {method}, "path": {path}}.Encode()
}

// cataloguePage answers /catalogue: the APIs that the reader keeps, shared ones and the organisation's own.
func (s *Server) cataloguePage(c *call) error {
	view := templates.Catalogue{Frame: c.frame("catalogue"), AddHref: addAPIPath, ImportHref: importAPIPath}
	if s.mounted(cataloguePath + "/" + undescribedRow) {
		view.UndescribedHref = cataloguePath + "/" + undescribedRow
	}
	var shared, own []templates.CatalogueRow
	for _, api := range c.catalogue().APIs() {
		if api.Organisation == "" {
			shared = append(shared, catalogueRow(api))
		} else {
			own = append(own, catalogueRow(api))
		}
	}
	if c.actor.Has(access.CatalogueManage) {
		view.Parts = append(view.Parts, templates.CataloguePart{Code: "shared", Rows: shared})
	}
	if c.actor.Has(access.AppsManage) {
		view.Parts = append(view.Parts, templates.CataloguePart{Code: "own", Rows: own})
	}
	return c.render(http.StatusOK, templates.CataloguePage(view))
}

// mounted reports whether there is a page of this path.
func (s *Server) mounted(path string) bool {
	return slices.ContainsFunc(pages(), func(r route) bool { return r.path == path })
}

func catalogueRow(api scope.API) templates.CatalogueRow {
	row := templates.CatalogueRow{
		Title: api.Title, Key: api.Key, Base: api.BasePath, Href: apiPath(api.Key), Kind: kindOfAPI(api), Scopes: len(api.Scopes()),
	}
	for _, o := range api.Objects {
		for _, one := range o.Calls {
			if o.Unserved || !one.Matches() {
				continue
			}
			row.Calls++
			if one.Mapped {
				row.Mapped++
			}
			if len(one.AnyOf) == 0 {
				row.Denied++
			}
		}
	}
	return row
}

// kindOfAPI is where an API comes from, as a word that pages know.
func kindOfAPI(api scope.API) string {
	switch {
	case api.Organisation != "":
		return "private"
	case api.Own:
		return "own"
	case api.Added:
		return "added"
	default:
		return "built_in"
	}
}

// api reads the API that the path names, of those that the reader's organisation may see.
func (c *call) api() (scope.API, error) {
	api, ok := c.catalogue().API(c.Param("api"))
	if !ok {
		return scope.API{}, problem.New(problem.NotFound, "problem.not_found")
	}
	return api, nil
}

// keeps is the right that changing an API takes.
func keeps(api scope.API) access.Right {
	if api.Organisation != "" {
		return access.AppsManage
	}
	return access.CatalogueManage
}

// keptAPI is api for somebody who wants to change it.
func (c *call) keptAPI(act string) (scope.API, error) {
	api, err := c.api()
	if err != nil {
		return api, err
	}
	if right := keeps(api); !c.actor.Has(right) {
		c.s.Trail.Refused(c.ctx(), c.actor, audit.Act{
			Right: right, Action: act, Organisation: c.actor.Organisation, Target: audit.Target{Kind: "catalogue_api", ID: api.Key, Label: api.Title},
		}, "problem.forbidden")
		return api, audit.Forbidden(right)
	}
	return api, nil
}

// catalogueAPI answers /catalogue/{api}: its calls by object, and what opens them.
func (s *Server) catalogueAPI(c *call) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	mapped, err := s.Catalogue.Mappings(c.ctx(), api.Key)
	if err != nil {
		return err
	}
	view := templates.CatalogueAPI{
		Frame: c.frame("catalogue"), Row: catalogueRow(api), Audience: s.OAuth.Audience(api.Key), Lifetime: api.TokenLifetime,
		HistoryHref: apiHistoryPath(api.Key),
	}
	mine := c.actor.Has(keeps(api)) && !api.Own
	if mine {
		view.MapHref = mapPath(api.Key, "", "")
	}
	if mine && api.Added {
		view.EditHref, view.RemoveHref = editAPIPath(api.Key), removeAPIPath(api.Key)
	}
	for _, o := range api.Objects {
		object := templates.CatalogueObject{Name: o.Name, Unserved: o.Unserved}
		for _, one := range o.Calls {
			if one.Matches() {
				object.Calls = append(object.Calls, catalogueCall(api, one, mapped, mine))
			}
		}
		view.Objects = append(view.Objects, object)
	}
	for _, name := range api.Scopes() {
		if one, ok := c.catalogue().Scope(name); ok && len(one.Opens) == 0 {
			view.Loose = append(view.Loose, templates.ScopeLink{Scope: name, Href: scopePath(name)})
		}
	}
	return c.render(http.StatusOK, templates.CatalogueAPIPage(view))
}

func catalogueCall(api scope.API, one scope.Call, mapped []scope.Mapping, mine bool) templates.CatalogueCall {
	row := templates.CatalogueCall{
		Call: templates.ScopeCall{Method: one.Method, Path: api.BasePath + one.Path}, Access: string(one.Access), Scopes: scopeLinks(one.AnyOf),
		Note: one.Note,
	}
	at := slices.IndexFunc(mapped, func(m scope.Mapping) bool { return m.Method == one.Method && m.Path == one.Path })
	if at >= 0 {
		row.Version, row.ModifiedAt = mapped[at].Version, mapped[at].ModifiedAt
	}
	if mine {
		row.MapHref = mapPath(api.Key, one.Method, one.Path)
		if at >= 0 {
			row.UnmapHref = unmapPath(api.Key, one.Method, one.Path)
		}
	}
	return row
}
