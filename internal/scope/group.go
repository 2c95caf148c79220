package scope

import "slices"

// APIGroup is the part of the registration form about one API.
type APIGroup struct {
	API    API
	Groups []Group
}

// Group is one fieldset of the form: objects that share scopes, and the scopes, in rows of a family each. Every scope
// of an API stands in exactly one group, so a form has one checkbox for it.
//
// A group without objects holds the scopes that open no published call; a group without families holds an object for
// which no scope is published.
type Group struct {
	Objects  []Object
	Families []Family
}

// Grouped returns the catalogue as the form shows it: APIs, in them groups, in them families with the scopes that keep
// wants. Families and groups left empty are dropped, objects without a published scope are kept as long as another
// group of their API is, and APIs with nothing to choose are dropped. A nil keep wants everything.
func (c *Catalogue) Grouped(keep func(Scope) bool) []APIGroup {
	if keep == nil {
		keep = func(Scope) bool { return true }
	}
	var kept []APIGroup
	for i, api := range c.apis {
		var groups []Group
		choices := false
		for _, g := range c.groups[i] {
			families := keepFamilies(g.Families, keep)
			if len(families) == 0 && len(g.Families) > 0 {
				continue
			}
			choices = choices || len(families) > 0
			groups = append(groups, Group{Objects: g.Objects, Families: families})
		}
		if choices {
			kept = append(kept, APIGroup{API: api, Groups: groups})
		}
	}
	return kept
}

func keepFamilies(families []Family, keep func(Scope) bool) []Family {
	var kept []Family
	for _, f := range families {
		var scopes []Scope
		for _, s := range f.Scopes {
			if keep(s) {
				scopes = append(scopes, s)
			}
		}
		if len(scopes) > 0 {
			f.Scopes = scopes
			kept = append(kept, f)
		}
	}
	return kept
}

// groupsOf puts objects that share a family of scopes into one group, in the order of their first object, and the
// families that no object names into a last one.
func groupsOf(api API) []Group {
	lead := leads(api)
	var groups []Group
	at := make(map[int]int) // leading object → group
	for i, object := range api.Objects {
		g, ok := at[lead[i]]
		if !ok {
			g = len(groups)
			at[lead[i]] = g
			groups = append(groups, Group{})
		}
		groups[g].Objects = append(groups[g].Objects, object)
	}
	var rest []Family
	for _, family := range api.Families {
		i := slices.IndexFunc(api.Objects, func(o Object) bool { return lists(o, family) })
		if i < 0 {
			rest = append(rest, family)
			continue
		}
		g := &groups[at[lead[i]]]
		g.Families = append(g.Families, family)
	}
	if len(rest) > 0 {
		groups = append(groups, Group{Families: rest})
	}
	return groups
}

// leads returns for each object the first one that it shares a family with, directly or through others.
func leads(api API) []int {
	lead := make([]int, len(api.Objects))
	for i := range lead {
		lead[i] = i
	}
	for _, family := range api.Families {
		first := -1
		for i, object := range api.Objects {
			if !lists(object, family) {
				continue
			}
			if first < 0 {
				first = lead[i]
				continue
			}
			from, to := max(first, lead[i]), min(first, lead[i])
			for j := range lead {
				if lead[j] == from {
					lead[j] = to
				}
			}
			first = to
		}
	}
	return lead
}

// lists reports whether the object lists a scope of the family.
func lists(o Object, f Family) bool {
	return slices.ContainsFunc(f.Scopes, func(s Scope) bool { return slices.Contains(o.Scopes, s.Name) })
}
