package scope

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
)

// usualLifetime is how long tokens for an added API live that says nothing else (protocol.md §1.1).
const usualLifetime = time.Hour

// sourceOurs is the source of what administrators added, in the list of sources.
const sourceOurs = "ours"

// Mapping says which scopes open a call of an API: of a call that has none published, of one that the built-in catalogue
// does not have, or instead of the built-in ones.
type Mapping struct {
	API        string // key of a shared API
	Object     string // where the call stands; made when there is none of that name
	Method     string
	Path       string // template below the API's base path
	Access     Access
	AnyOf      []string // scopes of the API; none closes the call
	Note       string
	Version    int64
	ModifiedAt time.Time
}

// Addition is an API that an administrator added.
type Addition struct {
	API          API
	Document     string                // the API as YAML, in the form of catalogue.yaml
	Organisation access.OrganisationID // whose own it is; "" when every organisation may use it
	Version      int64
	CreatedAt    time.Time
	ModifiedAt   time.Time
}

// changes are all changes of the built-in catalogue.
type changes struct {
	version   int64
	additions []Addition
	mappings  []Mapping
}

// build returns the built-in catalogue with every change. The error names the faults.
func (c changes) build() (*Catalogue, error) {
	f, err := read(embedded)
	if err != nil {
		return nil, err
	}
	for _, a := range c.additions {
		api, err := a.read()
		if err != nil {
			return nil, err
		}
		f.APIs = append(f.APIs, api)
	}
	for _, m := range c.mappings {
		m.apply(f.APIs)
	}
	return build(f)
}

// buildWhatFits leaves out every change with which the catalogue has faults.
func (c changes) buildWhatFits() (*Catalogue, error) {
	kept := changes{version: c.version}
	whole, err := kept.build()
	if err != nil {
		return nil, err
	}
	for _, a := range c.additions {
		with := kept
		with.additions = append(slices.Clone(kept.additions), a)
		if fits, err := with.build(); err == nil {
			kept, whole = with, fits
		}
	}
	for _, m := range c.mappings {
		with := kept
		with.mappings = append(slices.Clone(kept.mappings), m)
		if fits, err := with.build(); err == nil {
			kept, whole = with, fits
		}
	}
	return whole, nil
}

// withMapping returns the changes with another mapping, in the place of the one for the same call.
func (c changes) withMapping(m Mapping) changes {
	c.mappings = append(c.withoutMapping(m).mappings, m)
	return c
}

func (c changes) withoutMapping(m Mapping) changes {
	c.mappings = slices.DeleteFunc(slices.Clone(c.mappings), m.sameCall)
	return c
}

func (m Mapping) sameCall(other Mapping) bool {
	return m.API == other.API && m.Method == other.Method && m.Path == other.Path
}

func (c changes) withAddition(a Addition) changes {
	c.additions = append(c.withoutAddition(a.API.Key).additions, a)
	slices.SortFunc(c.additions, func(a, b Addition) int { return cmp.Compare(a.API.Key, b.API.Key) })
	return c
}

func (c changes) withoutAddition(key string) changes {
	c.additions = slices.DeleteFunc(slices.Clone(c.additions), func(a Addition) bool { return a.API.Key == key })
	return c
}

// read returns the API of the document, marked as added.
func (a Addition) read() (API, error) {
	api, err := ParseAPI([]byte(a.Document))
	api.Organisation, api.Added = a.Organisation, true
	return api, err
}

// ParseAPI reads one API in the form of an entry of catalogue.yaml, as strictly as Parse does. Whether it fits the rest
// of the catalogue is found out when it is added. Rows without a source have "ours".
func ParseAPI(document []byte) (API, error) {
	var api API
	if err := decodeStrictly(document, &api); err != nil {
		return API{}, err
	}
	if api.TokenLifetime == 0 {
		api.TokenLifetime = usualLifetime
	}
	for i := range api.Families {
		for j := range api.Families[i].Scopes {
			orOurs(&api.Families[i].Scopes[j].Source)
		}
	}
	for i := range api.Objects {
		orOurs(&api.Objects[i].Source)
	}
	return api, nil
}

func orOurs(source *string) {
	if *source == "" {
		*source = sourceOurs
	}
}

// apply enters the mapping into its API. Where there is none of that key, nothing is said: the API was removed.
func (m Mapping) apply(apis []API) {
	at := slices.IndexFunc(apis, func(a API) bool { return a.Key == m.API })
	if at < 0 {
		return
	}
	api := &apis[at]
	object, call := m.place(api)
	if call == nil {
		object.Calls = append(object.Calls, Call{Method: m.Method, Path: m.Path, Source: sourceOurs})
		call = &object.Calls[len(object.Calls)-1]
	}
	call.Access, call.AnyOf, call.ScopesFrom, call.Suggested, call.Mapped = m.Access, m.AnyOf, sourceOurs, nil, true
	if m.Note != "" {
		call.Note = m.Note
	}
	for _, name := range m.AnyOf {
		if !slices.Contains(object.Scopes, name) {
			object.Scopes = append(object.Scopes, name)
		}
	}
}

// place returns the call, nil when it is new, and the object it stands in or is to stand in.
func (m Mapping) place(api *API) (*Object, *Call) {
	for i := range api.Objects {
		for j := range api.Objects[i].Calls {
			if c := &api.Objects[i].Calls[j]; c.Matches() && c.Method == m.Method && c.Path == m.Path {
				return &api.Objects[i], c
			}
		}
	}
	for i := range api.Objects {
		if strings.EqualFold(api.Objects[i].Name, m.Object) {
			return &api.Objects[i], nil
		}
	}
	api.Objects = append(api.Objects, Object{Name: m.Object, Source: sourceOurs})
	return &api.Objects[len(api.Objects)-1], nil
}
