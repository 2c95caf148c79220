package scope

import "credenza.example/credenza/internal/access"

// of returns the catalogue without the APIs of other organisations.
func (c *Catalogue) of(org access.OrganisationID) *Catalogue {
	view := &Catalogue{
		sources: c.sources, ordered: c.ordered, byKey: make(map[string]int, len(c.apis)), byName: make(map[string]int, len(c.scopes)),
		spelling: make(map[string]string, len(c.spelling)),
	}
	for i, api := range c.apis {
		if api.Organisation != "" && api.Organisation != org {
			continue
		}
		view.byKey[api.Key] = len(view.apis)
		view.apis = append(view.apis, api)
		view.groups = append(view.groups, c.groups[i])
		view.private = view.private || api.Organisation != ""
	}
	for _, s := range c.scopes {
		if _, ok := view.byKey[s.API]; !ok {
			continue
		}
		view.byName[s.Name] = len(view.scopes)
		view.scopes = append(view.scopes, s)
	}
	for printed, name := range c.spelling {
		if view.Known(name) {
			view.spelling[printed] = name
		}
	}
	view.index = newIndex(view.apis)
	return view
}
