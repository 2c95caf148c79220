package web

import (
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// picker fills the fieldset "What it may do" from the catalogue. Offered is what the reader may give, and what the app
// holds already; everything else that was chosen is kept aside, so that neither a search nor a lost right loses a tick.
type picker struct {
	catalogue *scope.Catalogue
	actor     access.Actor
	query     string
	found     map[string]bool // nil: nothing is searched for
	opened    map[string]bool // calls the search named, as "GET /path" below an API's key
	bare      map[string]bool // objects without a published scope that the search found, by API and name
	chosen    map[string]bool
	held      map[string]bool
	shown     map[string]bool
}

// scopePicker returns the picker for a search, the chosen scopes and those the app holds already.
func (c *call) scopePicker(query string, chosen, held []string) templates.ScopePicker {
	p := &picker{
		catalogue: c.catalogue(), actor: c.actor, query: query,
		chosen: setOf(chosen), held: setOf(held), shown: map[string]bool{},
	}
	if query != "" {
		p.search()
	}
	view := templates.ScopePicker{Query: query, Count: len(p.chosen), APIs: p.apis()}
	for _, lonely := range p.catalogue.MissingTwins(distinct(chosen)) {
		view.Lonely = append(view.Lonely, lonely.Name)
	}
	for _, name := range distinct(chosen) {
		if !p.shown[name] {
			view.Chosen = append(view.Chosen, p.kept(name))
		}
	}
	for name := range p.shown {
		if p.found[name] {
			view.Matches++
		}
	}
	return view
}

func (p *picker) search() {
	result := p.catalogue.Search(p.query)
	p.found, p.opened, p.bare = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, hit := range result.Hits {
		p.found[hit.Scope] = true
	}
	for _, o := range result.Calls {
		p.opened[o.API+" "+o.Call.String()] = true
		if len(o.Call.AnyOf) == 0 {
			p.bare[o.API+" "+o.Object] = true
		}
	}
	for _, object := range result.Unpublished {
		p.bare[object.API+" "+object.Name] = true
	}
}

// apis returns what the search found, by API; everything on offer when nothing is searched for.
func (p *picker) apis() []templates.ScopeAPI {
	var list []templates.ScopeAPI
	for _, group := range p.catalogue.Grouped(p.offers) {
		api := templates.ScopeAPI{Key: group.API.Key, Title: group.API.Title}
		for _, g := range group.Groups {
			api.Groups = append(api.Groups, p.groups(group.API, g)...)
		}
		slices.SortStableFunc(api.Groups, tickedFirst)
		if len(api.Groups) > 0 {
			list = append(list, api)
		}
	}
	return list
}

// tickedFirst orders groups so that what was chosen is seen without looking for it in a long list.
func tickedFirst(a, b templates.ScopeGroup) int {
	ticked := func(box templates.ScopeBox) bool { return box.Checked }
	switch first, second := slices.ContainsFunc(a.Boxes, ticked), slices.ContainsFunc(b.Boxes, ticked); {
	case first == second:
		return 0
	case first:
		return -1
	default:
		return 1
	}
}

// offers reports whether a scope is shown at all: what may be given to apps and is given by people of an organisation,
// and what the app holds.
func (p *picker) offers(s scope.Scope) bool {
	if p.held[s.Name] {
		return true
	}
	_, byOrganisation := access.GrantRight(s.Name)
	return s.Grantable() && byOrganisation
}

// groups returns a group of the catalogue as it is drawn: one entry, or one per family where no object names them.
func (p *picker) groups(api scope.API, g scope.Group) []templates.ScopeGroup {
	if len(g.Objects) > 0 {
		return p.group(api, g, objectNames(g.Objects))
	}
	var list []templates.ScopeGroup
	for _, family := range g.Families {
		list = append(list, p.group(api, scope.Group{Families: []scope.Family{family}}, []string{family.Name})...)
	}
	return list
}

func (p *picker) group(api scope.API, g scope.Group, names []string) []templates.ScopeGroup {
	view := templates.ScopeGroup{Objects: names}
	for _, family := range g.Families {
		for _, s := range family.Scopes {
			if p.found == nil || p.found[s.Name] {
				view.Boxes = append(view.Boxes, p.box(s))
				p.shown[s.Name] = true
			}
		}
	}
	bare := false
	for _, object := range g.Objects {
		bare = bare || p.bare[api.Key+" "+object.Name]
		view.Calls = append(view.Calls, callsOf(api, object)...)
		for _, one := range object.Calls {
			view.Open = view.Open || p.opened[api.Key+" "+one.String()]
		}
	}
	if p.found != nil && len(view.Boxes) == 0 && !bare {
		return nil
	}
	return []templates.ScopeGroup{view}
}

func (p *picker) box(s scope.Scope) templates.ScopeBox {
	box := templates.ScopeBox{Scope: s.Name, Kind: string(s.Kind), Checked: p.chosen[s.Name]}
	if !p.actor.MayGrant(s.Name) {
		right, _ := access.GrantRight(s.Name)
		box.NeedsRight = string(right)
	}
	return box
}

// kept is a chosen scope that the list does not show. Its name may be nothing the catalogue knows.
func (p *picker) kept(name string) templates.ScopeBox {
	if s, ok := p.catalogue.Scope(name); ok {
		return p.box(s)
	}
	return templates.ScopeBox{Scope: name, Checked: true}
}

// callsOf are the calls of an object that requests can be matched to.
func callsOf(api scope.API, object scope.Object) []templates.ScopeCall {
	var calls []templates.ScopeCall
	for _, one := range object.Calls {
		if one.Matches() {
			calls = append(calls, templates.ScopeCall{Method: one.Method, Path: api.BasePath + one.Path, AnyOf: one.AnyOf})
		}
	}
	return calls
}

// defaultAPIs are the APIs that may be an app's default: not the portal's own, and only where the reader has a choice.
func (c *call) defaultAPIs() []templates.AppAPI {
	var list []templates.AppAPI
	for _, api := range c.catalogue().APIs() {
		grantable := slices.ContainsFunc(api.Scopes(), func(name string) bool {
			s, _ := c.catalogue().Scope(name)
			return s.Grantable()
		})
		if !api.Own && grantable {
			list = append(list, templates.AppAPI{Key: api.Key, Title: api.Title})
		}
	}
	if len(list) < 2 {
		return nil
	}
	return list
}

func objectNames(objects []scope.Object) []string {
	names := make([]string, 0, len(objects))
	for _, o := range objects {
		names = append(names, o.Name)
	}
	return names
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// distinct returns the names once each, in the order given.
func distinct(names []string) []string {
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}
