package scope

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// maxLifetime bounds an API's token lifetime: a token is a bearer credential, and the longest any source documents is
// 86,399 s.
const maxLifetime = 24 * time.Hour

// validate returns every fault of the catalogue, or nil.
func (c *Catalogue) validate() error {
	v := &validation{catalogue: c, key: regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)}
	v.checkSources()
	keys := make(map[string]bool)
	for _, api := range c.apis {
		v.once("apis", keys, api.Key)
		v.checkAPI(api)
	}
	names := make(map[string]bool)
	for _, s := range c.scopes {
		v.once("api "+s.API+", family "+s.Family, names, s.Name)
		v.checkScope(s)
	}
	v.checkServed()
	return v.err()
}

// validation is one walk over a catalogue.
type validation struct {
	faults

	catalogue *Catalogue
	key       *regexp.Regexp
}

// once reports a name that is empty or was there before.
func (v *validation) once(where string, seen map[string]bool, name string) {
	switch {
	case name == "":
		v.add(where, "a name is missing")
	case seen[name]:
		v.add(where, "%s stands twice", name)
	}
	seen[name] = true
}

// source reports a source that is not in the list. An empty one is fine.
func (v *validation) source(where, key string) {
	if _, ok := v.catalogue.sources[key]; key != "" && !ok {
		v.add(where, "source %q is not in the list of sources", key)
	}
}

func (v *validation) checkSources() {
	seen := make(map[string]bool)
	kinds := []SourceKind{SourceHelpPage, SourcePublic, SourceInference, SourceOurs}
	for _, s := range v.catalogue.ordered {
		v.once("sources", seen, s.Key)
		if !slices.Contains(kinds, s.Kind) {
			v.add("source "+s.Key, "kind %q is not one of %v", s.Kind, kinds)
		}
		if s.Text == "" {
			v.add("source "+s.Key, "text is missing")
		}
	}
}

func (v *validation) checkAPI(api API) {
	where := "api " + api.Key
	if !v.key.MatchString(api.Key) {
		v.add(where, "key must be lower-case letters and digits, in parts joined by -")
	}
	if api.Title == "" {
		v.add(where, "title is missing")
	}
	if base, err := parseTemplate(api.BasePath); err != nil && (api.BasePath != "" || !api.Added) { // one that was added may begin at the root
		v.add(where, "base path %q %v", api.BasePath, err)
	} else if slices.ContainsFunc(base, func(s segment) bool { return s.parameter }) {
		v.add(where, "base path %q has a parameter", api.BasePath)
	}
	if api.TokenLifetime < time.Second || api.TokenLifetime > maxLifetime {
		v.add(where, "token lifetime %v is not between 1s and %v", api.TokenLifetime, maxLifetime)
	}
	v.source(where, api.Mandatory.Source)
	v.ofAPI(where+", mandatory", api.Key, api.Mandatory.Connections)
	families := make(map[string]bool)
	for _, family := range api.Families {
		v.once(where+", families", families, family.Name)
		v.checkFamily(api, family)
	}
	objects, calls := make(map[string]bool), make(map[string][]placed)
	for _, object := range api.Objects {
		v.once(where+", objects", objects, object.Name)
		v.checkObject(object, calls)
	}
}

// checkFamily also keeps the sign-in scopes to the vendor's side: the portal's own APIs know no such thing, and only
// they can be "not served".
func (v *validation) checkFamily(api API, family Family) {
	where := fmt.Sprintf("api %s, family %s", api.Key, family.Name)
	switch family.Withheld {
	case "":
	case WithheldSignIn:
		if api.Own {
			v.add(where, "sign_in is for other parties' APIs")
		}
	case WithheldNotServed:
		if !api.Own {
			v.add(where, "not_served is for the portal's own APIs")
		}
	default:
		v.add(where, "withheld %q is not a known reason", family.Withheld)
	}
	if len(family.Scopes) == 0 {
		v.add(where, "has no scope")
	}
	reads := 0
	for _, s := range family.Scopes {
		if s.Kind == KindRead {
			reads++
		}
	}
	if reads > 1 {
		v.add(where, "has more than one read scope")
	}
}

func (v *validation) checkScope(s Scope) {
	where := "scope " + s.Name
	if !validName(s.Name) {
		v.add(where, "is not a scope token of RFC 6749 §3.3 of at most %d bytes", MaxNameLength)
	}
	switch s.Kind {
	case KindRead, KindDelete, KindSpecial:
		if s.CoversRead {
			v.add(where, "covers_read is for writing scopes")
		}
	case KindWrite:
	default:
		v.add(where, "kind %q is not read, write, delete or special", s.Kind)
	}
	if s.Source == "" {
		v.add(where, "source is missing")
	}
	v.source(where, s.Source)
	for _, printed := range s.AlsoSpelled {
		if v.catalogue.Known(printed) {
			v.add(where, "spelling %s is a scope itself", printed)
		}
		if v.catalogue.spelling[printed] != s.Name {
			v.add(where, "spelling %s stands for two scopes", printed)
		}
	}
	for _, p := range s.Permissions {
		if p.Resource == "" || len(p.Actions) == 0 {
			v.add(where, "a permission lacks its resource or its actions")
		}
	}
}

// ofAPI reports scopes that are not in the catalogue, belong to another API, or are listed twice.
func (v *validation) ofAPI(where, api string, names []string) {
	seen := make(map[string]bool)
	for _, name := range names {
		v.once(where, seen, name)
		switch owner, ok := v.catalogue.APIOf(name); {
		case !ok:
			v.add(where, "scope %q is not in the catalogue", name)
		case owner != api:
			v.add(where, "scope %s belongs to API %s", name, owner)
		}
	}
}

// placed is a matched call with where it stands, for finding two that one request could mean.
type placed struct {
	template template
	name     string
}

// checkObject also enters the object's calls, by method, among those of its API.
func (v *validation) checkObject(object Object, calls map[string][]placed) {
	where := fmt.Sprintf("api %s, object %s", object.API, object.Name)
	v.source(where, object.Source)
	v.source(where, object.Printed.Source)
	v.ofAPI(where, object.API, object.Scopes)
	for _, call := range object.Calls {
		at := where + ", " + call.String()
		v.checkCall(at, object, call)
		t, err := parseTemplate(call.Path)
		if err != nil {
			v.add(at, "path %v", err)
			continue
		}
		if !call.Matches() {
			continue
		}
		for _, other := range calls[call.Method] {
			if t.rivals(other.template) {
				v.add(at, "matches the same requests as %s", other.name)
			}
		}
		calls[call.Method] = append(calls[call.Method], placed{t, call.String() + " of " + object.Name})
	}
}

func (v *validation) checkCall(at string, object Object, call Call) {
	if !slices.Contains(Methods(), call.Method) {
		v.add(at, "method is not one of %v", Methods())
	}
	if call.Access != AccessRead && call.Access != AccessWrite {
		v.add(at, "access %q is not read or write", call.Access)
	}
	if call.Success != 0 && (call.Success < 200 || call.Success > 299) {
		v.add(at, "success %d is not a status of success", call.Success)
	}
	v.source(at, call.Source)
	v.source(at, call.ScopesFrom)
	v.ofAPI(at, object.API, call.AnyOf)
	for _, name := range call.AnyOf {
		if !slices.Contains(object.Scopes, name) {
			v.add(at, "scope %s is not among the object's scopes", name)
		}
	}
	v.ofAPI(at, object.API, call.Suggested)
	if len(call.AnyOf) > 0 && len(call.Suggested) > 0 {
		v.add(at, "suggests scopes beside published ones")
	}
}

// checkServed keeps the two ways of saying "not served here" together: a scope that only unserved objects list must be
// withheld, and one that a served object lists must not be.
func (v *validation) checkServed() {
	listed, served := make(map[string]bool), make(map[string]bool)
	for _, api := range v.catalogue.apis {
		for _, object := range api.Objects {
			if object.Unserved && !api.Own {
				v.add("api "+api.Key+", object "+object.Name, "unserved is for the portal's own APIs")
			}
			for _, name := range object.Scopes {
				listed[name] = true
				served[name] = served[name] || !object.Unserved
			}
		}
	}
	for _, s := range v.catalogue.scopes {
		switch withheld := s.Withheld == WithheldNotServed; {
		case listed[s.Name] && !served[s.Name] && !withheld:
			v.add("scope "+s.Name, "no served object lists it, so it must be withheld as not_served")
		case served[s.Name] && withheld:
			v.add("scope "+s.Name, "is withheld as not_served, yet a served object lists it")
		}
	}
}

// Methods returns the methods a call can have. HEAD counts as GET (protocol.md §7).
func Methods() []string { return []string{"GET", "POST", "PUT", "PATCH", "DELETE"} }
