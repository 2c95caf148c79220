package web

import (
	"net/http"
	"slices"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// scopesPerPage is about how many rows a page has; objects are not torn apart for it. With their calls and sources, the
// rows of objects are heavier than those of other lists (ui.md §7 item 12).
const scopesPerPage = 40

// scopeFinder says what a state of the list leaves of the catalogue.
type scopeFinder struct {
	c       *call
	list    scopeList
	use     map[string]int // apps by scope; nil: the reader may not know
	result  scope.Result
	hits    map[string]scope.Hit
	objects map[string]bool // found by their own names or calls, by objectKey
	calls   map[string]bool // the query is a call: these, by API and call
}

// scopeGroup is an object with those of its scopes that were found; without an object, scopes of an API that open no
// published call.
type scopeGroup struct {
	api    scope.API
	object *scope.Object
	scopes []scope.Scope
}

// size is how many rows the group takes.
func (g scopeGroup) size() int { return max(1, len(g.scopes)) }

func objectKey(api, object string) string { return api + "/" + object }

func newScopeFinder(c *call, list scopeList, use map[string]int) *scopeFinder {
	f := &scopeFinder{
		c: c, list: list, use: use, result: c.catalogue().Search(list.text),
		hits: map[string]scope.Hit{}, objects: map[string]bool{},
	}
	for _, hit := range f.result.Hits {
		f.hits[hit.Scope] = hit
	}
	for _, o := range f.result.Objects {
		f.objects[objectKey(o.API, o.Name)] = true
	}
	for _, o := range f.result.Calls {
		if f.calls == nil {
			f.calls = map[string]bool{}
		}
		f.calls[o.API+" "+o.Call.String()] = true
	}
	return f
}

// results fills the part of the page that live search swaps.
func (f *scopeFinder) results() templates.ScopeResults {
	groups := f.groups()
	pages := paged(groups)
	page := min(f.list.page, max(1, len(pages)))
	r := templates.ScopeResults{
		State: templates.ScopesRows, Filters: f.list.filters(f.where()), ClearHref: f.list.clearHref(), ShowUse: f.use != nil,
		Pages:    templates.ScopePages{Page: page, Pages: max(1, len(pages))},
		Searched: strings.TrimSpace(f.list.text) != "",
		Count:    countScopes(groups), Bar: templates.ScopeBar{Chosen: f.list.chosen, Act: f.c.actor.Has(access.AppsManage)},
	}
	shown, seen := []scopeGroup{}, map[string]bool{}
	if len(pages) > 0 {
		shown = pages[page-1]
	}
	for _, g := range shown {
		r.Objects = append(r.Objects, f.object(g, seen))
	}
	for _, name := range f.list.chosen {
		if s, ok := f.c.catalogue().Scope(name); ok && !seen[name] {
			r.Bar.Kept = append(r.Bar.Kept, templates.ScopeRow{Scope: s.Name})
		}
	}
	switch {
	case len(f.list.text) > scope.MaxQuery:
		r.State = templates.ScopesTooLong
	case len(groups) == 0 && f.result.NoCall:
		r.State = templates.ScopesNoCall
	case len(groups) == 0:
		r.State, r.Names = templates.ScopesNoMatch, f.near()
	default:
		r.Calls = f.lead()
	}
	if f.result.NoCall {
		r.Asked, r.Own, r.Nearest = strings.TrimSpace(f.list.text), f.own(), f.nearest()
		if r.Own == templates.OwnSelf {
			r.Nearest = nil
		}
	}
	return r
}

// groups returns what was found: first the objects of all APIs, then what stands without a published call.
func (f *scopeFinder) groups() []scopeGroup {
	var objects, loose []scopeGroup
	for _, api := range f.c.catalogue().APIs() {
		for i := range api.Objects {
			if g := f.ofObject(api, &api.Objects[i]); g != nil {
				objects = append(objects, *g)
			}
		}
		if g := f.loose(api); g != nil {
			loose = append(loose, *g)
		}
	}
	all := append(objects, loose...)
	exact := func(s scope.Scope) bool { return strings.EqualFold(s.Name, strings.TrimSpace(f.list.text)) }
	slices.SortStableFunc(all, func(a, b scopeGroup) int { // the scope that was typed in full stands first
		switch first, second := slices.ContainsFunc(a.scopes, exact), slices.ContainsFunc(b.scopes, exact); {
		case first == second:
			return 0
		case first:
			return -1
		default:
			return 1
		}
	})
	return all
}

// ofObject returns the object's part of what was found; nil for none. An object for which no scope is published is
// found itself, as long as no filter asks for scopes of a kind.
func (f *scopeFinder) ofObject(api scope.API, o *scope.Object) *scopeGroup {
	if f.list.in != "" && f.list.in != api.Key && f.list.in != objectKey(api.Key, o.Name) {
		return nil
	}
	g := scopeGroup{api: api, object: o}
	for _, name := range o.Scopes {
		if s, ok := f.c.catalogue().Scope(name); ok && f.wants(s) && f.belongs(*o, s) {
			g.scopes = append(g.scopes, s)
		}
	}
	searched := strings.TrimSpace(f.list.text) != ""
	bare := o.Unpublished() && len(f.list.kinds) == 0 && !f.list.used && (!searched || f.objects[objectKey(api.Key, o.Name)])
	if len(g.scopes) == 0 && !bare {
		return nil
	}
	return &g
}

// loose returns the scopes of an API that no object lists; nil for none.
func (f *scopeFinder) loose(api scope.API) *scopeGroup {
	if f.list.in != "" && f.list.in != api.Key {
		return nil
	}
	g := scopeGroup{api: api}
	for _, name := range api.Scopes() {
		if s, ok := f.c.catalogue().Scope(name); ok && len(s.Objects) == 0 && f.wants(s) {
			g.scopes = append(g.scopes, s)
		}
	}
	if len(g.scopes) == 0 {
		return nil
	}
	return &g
}

// wants reports whether the search found the scope and the filters let it through.
func (f *scopeFinder) wants(s scope.Scope) bool {
	if _, found := f.hits[s.Name]; !found {
		return false
	}
	return (len(f.list.kinds) == 0 || slices.Contains(f.list.kinds, string(s.Kind))) && (!f.list.used || f.use[s.Name] > 0)
}

// belongs reports whether a scope that was found is shown below this object. One that was found for an object or a call
// is not shown below others that share it.
func (f *scopeFinder) belongs(o scope.Object, s scope.Scope) bool {
	if f.calls != nil {
		return len(f.callsOf(o, s.Name)) > 0
	}
	byObject := func(w scope.Why) bool { return w.By == scope.ByObject || w.By == scope.ByCall }
	why := f.hits[s.Name].Why
	if len(why) == 0 || slices.ContainsFunc(why, func(w scope.Why) bool { return !byObject(w) }) {
		return true
	}
	itself := func(name string) bool { return f.objects[objectKey(o.API, name)] }
	return itself(o.Name) || !slices.ContainsFunc(s.Objects, itself)
}

// callsOf are the calls of an object that a scope opens, as pages write them; of a search for a call only those. Without
// a name, all calls.
func (f *scopeFinder) callsOf(o scope.Object, name string) []templates.ScopeCall {
	api, _ := f.c.catalogue().API(o.API)
	var calls []templates.ScopeCall
	for _, one := range o.Calls {
		asked := f.calls == nil || f.calls[o.API+" "+one.String()]
		if one.Matches() && asked && (name == "" || slices.Contains(one.AnyOf, name)) {
			calls = append(calls, templates.ScopeCall{Method: one.Method, Path: api.BasePath + one.Path, AnyOf: one.AnyOf})
		}
	}
	return calls
}

// paged cuts groups into pages. An object stays whole; a long list of scopes without calls goes on, on the next page.
func paged(groups []scopeGroup) [][]scopeGroup {
	var pages [][]scopeGroup
	var page []scopeGroup
	rows := 0
	turn := func() {
		if rows > 0 {
			pages = append(pages, page)
		}
		page, rows = nil, 0
	}
	for _, g := range groups {
		if rows+g.size() > scopesPerPage && g.object != nil {
			turn()
		}
		for g.object == nil && rows+g.size() > scopesPerPage {
			part := g
			part.scopes, g.scopes = g.scopes[:scopesPerPage-rows], g.scopes[scopesPerPage-rows:]
			if len(part.scopes) > 0 {
				page, rows = append(page, part), rows+part.size()
			}
			turn()
		}
		page, rows = append(page, g), rows+g.size()
	}
	turn()
	return pages
}

func countScopes(groups []scopeGroup) int {
	seen := map[string]bool{}
	for _, g := range groups {
		for _, s := range g.scopes {
			seen[s.Name] = true
		}
	}
	return len(seen)
}

// object is a group as it is drawn. seen collects the scopes that stand on the page.
func (f *scopeFinder) object(g scopeGroup, seen map[string]bool) templates.ScopeObject {
	view := templates.ScopeObject{API: g.api.Title}
	if o := g.object; o != nil {
		view.Name, view.Unserved, view.Unpublished, view.Source = o.Name, o.Unserved, o.Unpublished(), f.c.scopeSource(*o)
		if view.Unpublished {
			view.Calls, view.Suggested = f.callsOf(*o, ""), suggested(*o)
		}
	}
	for _, s := range g.scopes {
		row := templates.ScopeRow{
			Scope: s.Name, Href: scopePath(s.Name), Kind: string(s.Kind), Offered: s.Grantable(),
			Checked: slices.Contains(f.list.chosen, s.Name), Again: seen[s.Name], Apps: f.use[s.Name],
			Required: slices.Contains(g.api.Mandatory.Connections, s.Name), Notes: f.c.scopeNotes(s, true),
		}
		if g.object != nil {
			row.Calls = f.callsOf(*g.object, s.Name)
		}
		seen[s.Name] = true
		view.Rows = append(view.Rows, row)
	}
	return view
}

// lead are the calls that a search for a call found.
func (f *scopeFinder) lead() []templates.ScopeCall {
	var calls []templates.ScopeCall
	for _, o := range f.result.Calls {
		api, _ := f.c.catalogue().API(o.API)
		calls = append(calls, templates.ScopeCall{Method: o.Call.Method, Path: api.BasePath + o.Call.Path, AnyOf: o.Call.AnyOf})
	}
	return calls
}

// nearest are the published calls that may have been meant.
func (f *scopeFinder) nearest() []templates.ScopeNear {
	var near []templates.ScopeNear
	for _, o := range f.result.Nearest {
		api, _ := f.c.catalogue().API(o.API)
		call := templates.ScopeNear{Method: o.Call.Method, Path: api.BasePath + o.Call.Path}
		call.Href = scopeList{text: call.Method + " " + call.Path, chosen: f.list.chosen}.href()
		near = append(near, call)
	}
	return near
}

// own says whether the query asks for one of the portal's own calls: its path lies below the base path of such an API,
// wherever that begins, since a host or an organisation may stand before it.
func (f *scopeFinder) own() templates.OwnCall {
	fields := strings.Fields(f.list.text)
	if len(fields) == 0 {
		return templates.OwnNone
	}
	path := fields[len(fields)-1]
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	path = "/" + strings.Trim(path, "/") + "/"
	reads := len(fields) == 1 || slices.Contains([]string{http.MethodGet, http.MethodHead}, strings.ToUpper(fields[0]))
	if reads && strings.HasSuffix(path, selfAPIPath+"/") {
		return templates.OwnSelf
	}
	below := func(api scope.API) bool { return api.Own && strings.Contains(path, api.BasePath+"/") }
	if slices.ContainsFunc(f.c.catalogue().APIs(), below) {
		return templates.OwnOther
	}
	return templates.OwnNone
}

// where names what the search is narrowed to: an API by its title, an object by its name.
func (f *scopeFinder) where() string {
	key, object, _ := strings.Cut(f.list.in, "/")
	if api, ok := f.c.catalogue().API(key); ok && object == "" {
		return api.Title
	} else if ok {
		return object
	}
	return f.list.in
}

// near are names that may have been meant, when the text alone found nothing.
func (f *scopeFinder) near() []templates.ScopeLink {
	if len(f.result.Hits) > 0 {
		return nil
	}
	return scopeLinks(f.c.catalogue().Near(strings.TrimSpace(f.list.text)))
}

func scopeLinks(names []string) []templates.ScopeLink {
	var links []templates.ScopeLink
	for _, name := range names {
		links = append(links, templates.ScopeLink{Scope: name, Href: scopePath(name)})
	}
	return links
}

// suggested are the scopes that other public pages name for an object's calls.
func suggested(o scope.Object) []string {
	var names []string
	for _, one := range o.Calls {
		names = append(names, one.Suggested...)
	}
	return distinct(names)
}
