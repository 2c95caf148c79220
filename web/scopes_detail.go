package web

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// scopeDetail answers /scopes/{name}: what one scope opens, who may give it and who holds it (ui.md §4.6).
func (s *Server) scopeDetail(c *call) error {
	name := c.Param("name")
	one, ok := c.catalogue().Scope(name)
	if !ok {
		return s.scopeMissing(c, name)
	}
	apps, err := c.appsHolding(name)
	if err != nil {
		return err
	}
	view := c.scopeView(one)
	view.Apps = apps
	api, _ := c.catalogue().API(one.API)
	if view.Changes, err = c.scopeChanges(api, name); err != nil {
		return err
	}
	return c.render(http.StatusOK, templates.ScopePageView(view))
}

// scopeMissing answers for a name that no scope has, with those that may have been meant.
func (s *Server) scopeMissing(c *call, name string) error {
	if !utf8.ValidString(name) || len(name) > scope.MaxNameLength {
		return s.notFound(c)
	}
	return c.render(http.StatusNotFound, templates.ScopeMissingPage(templates.ScopeMissing{
		Frame: c.frame("scopes"), Name: name, Near: scopeLinks(c.catalogue().Near(name)), SearchHref: scopeList{text: name}.href(),
	}))
}

// appsHolding are the apps of the reader's organisation with a scope; nil for whoever may not know.
func (c *call) appsHolding(name string) (*templates.ScopeApps, error) {
	if !c.actor.Has(access.AppsView) {
		return nil, nil
	}
	apps, total, err := c.s.Registry.Holding(c.ctx(), c.actor, name)
	view := &templates.ScopeApps{Total: total}
	for _, app := range apps {
		view.Apps = append(view.Apps, scopeApp(app, appPath(app.ID)))
	}
	return view, err
}

func scopeApp(app registry.NamedApp, href string) templates.ScopeApp {
	return templates.ScopeApp{Name: app.Name, Href: href, Status: string(app.Status)}
}

// scopeView is what the catalogue and the rights say of a scope.
func (c *call) scopeView(s scope.Scope) templates.ScopePage {
	api, _ := c.catalogue().API(s.API)
	source, _ := c.catalogue().Source(s.Source)
	view := templates.ScopePage{
		Frame: c.frame("scopes"), Name: s.Name, Kind: string(s.Kind), API: api.Title, Own: api.Own, Source: source.Text,
		Required: slices.Contains(api.Mandatory.Connections, s.Name), Notes: c.scopeNotes(s, false), Granting: c.granting(s),
	}
	for _, p := range s.Permissions {
		view.Permissions = append(view.Permissions, templates.ScopePermission{Resource: p.Resource, Actions: p.Actions})
	}
	for _, o := range s.Opens {
		view.Calls = append(view.Calls, opened(api, s.Name, o))
	}
	if s.Twin != "" {
		view.Twin = &scopeLinks([]string{s.Twin})[0]
	}
	for _, o := range api.Objects {
		if slices.Contains(o.Scopes, s.Name) {
			if source := c.scopeSource(o); source != nil {
				view.Sources = append(view.Sources, templates.ScopeObject{Name: o.Name, Source: source})
			}
		}
	}
	if s.Grantable() && c.actor.Has(access.AppsManage) && c.actor.MayGrant(s.Name) {
		view.StartHref, view.AddHref = newAppWith([]string{s.Name}), withScopes(addScopePath, []string{s.Name})
	}
	return view
}

// opened is a call that a scope opens, with what else opens it.
func opened(api scope.API, name string, o scope.Opened) templates.ScopeOpened {
	return templates.ScopeOpened{
		Call: templates.ScopeCall{Method: o.Call.Method, Path: api.BasePath + o.Call.Path, AnyOf: o.Call.AnyOf}, Object: o.Object,
		Also: scopeLinks(slices.DeleteFunc(slices.Clone(o.Call.AnyOf), func(other string) bool { return other == name })),
	}
}

// granting says who may give a scope: the right it takes (protocol.md §6), and who in the reader's organisation has it.
func (c *call) granting(s scope.Scope) templates.ScopeGranting {
	right, byOrganisation := access.GrantRight(s.Name)
	if !s.Grantable() || !byOrganisation {
		return templates.ScopeGranting{Withheld: string(s.Withheld)}
	}
	return templates.ScopeGranting{Right: string(right), Holders: names(c.holders(right)), Mine: c.actor.Has(right)}
}

// scopeNotes are the sentences about a scope. In a list, who may give it is said where it matters to the reader; the
// page of a scope has its own place for that.
func (c *call) scopeNotes(s scope.Scope, inList bool) []templates.ScopeNote {
	var notes []templates.ScopeNote
	add := func(applies bool, code, value string) {
		if applies {
			notes = append(notes, templates.ScopeNote{Code: code, Value: value})
		}
	}
	right, byOrganisation := access.GrantRight(s.Name)
	lacks := c.actor.Has(access.AppsManage) && !c.actor.MayGrant(s.Name)
	add(inList && !s.Grantable(), string(s.Withheld), "")
	add(inList && s.Grantable() && !byOrganisation, "platform", "")
	add(inList && s.Grantable() && byOrganisation && lacks, "needs", string(right))
	add(s.CoversRead, "covers_read", "")
	add(len(s.AlsoSpelled) > 0, "spelled", strings.Join(s.AlsoSpelled, ", "))
	add(s.EmptyAsOf != "", "empty", s.EmptyAsOf)
	add(s.Note != "", "text", s.Note)
	return notes
}

// scopeSource is a source's row for an object beside what was made of it, and the notes on both; nil when there is
// neither (product.md decision 23).
func (c *call) scopeSource(o scope.Object) *templates.ScopeSource {
	view := &templates.ScopeSource{
		Printed: o.Printed.Source != "", Otherwise: o.PrintedOtherwise(), Calls: o.Printed.Calls, Scopes: o.Printed.Scopes,
	}
	if source, ok := c.catalogue().Source(o.Printed.Source); ok {
		view.Source = source.Text
	}
	for _, one := range o.Calls {
		if one.Matches() {
			view.TakenCall = append(view.TakenCall, templates.ScopeCall{Method: one.Method, Path: one.Path})
		}
		if one.Note != "" || !one.Matches() {
			view.Notes = append(view.Notes, templates.ScopeRemark{Call: one.String(), Never: !one.Matches(), Text: one.Note})
		}
		view.Taken = append(view.Taken, one.AnyOf...)
	}
	view.Taken = distinct(view.Taken)
	for _, text := range []string{o.Note, o.Differs} {
		if text != "" {
			view.Notes = append(view.Notes, templates.ScopeRemark{Text: text})
		}
	}
	if !view.Printed && len(view.Notes) == 0 {
		return nil
	}
	return view
}

// addScopes answers /scopes/add: choose the app whose form opens with scopes ticked.
func (s *Server) addScopes(c *call) error {
	asked := distinct(c.QueryParams()["scope"])
	give, refused := c.askedScopes(asked)
	if len(give)+len(refused) == 0 {
		return c.redirect(scopesPath)
	}
	view := templates.ScopeAdd{Frame: c.frame("scopes"), Scopes: give, Refused: refused, Query: oneQuery(c, "q")}
	page, err := s.Registry.Search(c.ctx(), c.actor, registry.Query{Text: view.Query})
	if err != nil && !toldInForm(err) {
		return err
	}
	view.Total, view.More = page.Total, page.Capped
	for _, row := range page.Rows {
		app := registry.NamedApp{ID: row.ID, Name: row.Name, Status: row.Status}
		view.Apps = append(view.Apps, scopeApp(app, withScopes(editPath(row.ID), give)))
	}
	for _, name := range give {
		view.Keep = append(view.Keep, templates.Hidden{Name: "scope", Value: name})
	}
	return c.render(http.StatusOK, templates.ScopeAddPage(view))
}

// maxRefused is how many of the scopes that an address asks for in vain are explained.
const maxRefused = 10

// askedScopes sorts the scopes that an address asks for into those the reader can give to an app, and the others with the
// reason why they cannot.
func (c *call) askedScopes(asked []string) (give []string, refused []templates.ScopeRefusal) {
	for _, name := range asked {
		code, right := "", access.Right("")
		s, known := c.catalogue().Scope(name)
		grant, byOrganisation := access.GrantRight(name)
		switch {
		case name == "":
			continue
		case !known:
			code = "unknown"
		case !s.Grantable():
			code = string(s.Withheld)
		case !byOrganisation:
			code = "platform"
		case !c.actor.MayGrant(name):
			code, right = "right", grant
		default:
			give = append(give, name)
			continue
		}
		if len(refused) < maxRefused {
			refused = append(refused, templates.ScopeRefusal{Scope: shortName(name), Code: code, Right: string(right)})
		}
	}
	return give, refused
}

// shortName is a name from outside, cut to what a scope's name can be.
func shortName(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if runes := []rune(name); len(runes) > scope.MaxNameLength {
		return string(runes[:scope.MaxNameLength]) + "…"
	}
	return name
}
