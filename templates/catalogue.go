package templates

import (
	"context"
	"strconv"
	"time"

	"credenza.example/credenza/internal/i18n"
)

const cataloguePath = "/catalogue"

// Catalogue is the page /catalogue: the APIs that the reader keeps.
type Catalogue struct {
	Frame           Frame
	Parts           []CataloguePart
	AddHref         string
	ImportHref      string
	UndescribedHref string // "" when there is no such page
}

// CataloguePart is a table of APIs. Code is shared or own.
type CataloguePart struct {
	Code string
	Rows []CatalogueRow
}

// CatalogueRow is one API. Kind is built_in, added, own (the portal serves it) or private. Mapped calls were given scopes
// here; Denied ones are open to nobody.
type CatalogueRow struct {
	Title, Key, Base, Href, Kind  string
	Calls, Mapped, Denied, Scopes int
}

// CatalogueAPI is the page /catalogue/{api}. What the reader may not do has no address.
type CatalogueAPI struct {
	Frame       Frame
	Row         CatalogueRow
	Audience    string
	Lifetime    time.Duration
	Objects     []CatalogueObject
	Loose       []ScopeLink // scopes that open no call
	MapHref     string
	EditHref    string
	RemoveHref  string
	HistoryHref string
}

// CatalogueObject is an object with its calls.
type CatalogueObject struct {
	Name     string
	Unserved bool // documented, and not served here
	Calls    []CatalogueCall
}

// CatalogueCall is a call and what opens it. Version is that of its mapping, 0 when it is not mapped.
type CatalogueCall struct {
	Call       ScopeCall
	Access     string // read, write
	Scopes     []ScopeLink
	Note       string
	Version    int64
	ModifiedAt time.Time
	MapHref    string
	UnmapHref  string
}

// CatalogueMap is the form /catalogue/{api}/map. The fields it sends: object, method, path, access, any_of (repeated), note
// and version.
type CatalogueMap struct {
	Frame                              Frame
	API, APIHref, Action, Base         string
	Object, Method, Path, Access, Note string
	Version                            int64
	Likely, Others                     []ScopeChoice
	Objects                            []string
	Errors                             FieldErrors
	Clash                              bool   // somebody else mapped the call meanwhile
	Theirs                             string // … to these scopes; "" for none
}

// ScopeChoice is a scope to tick.
type ScopeChoice struct {
	Name, Kind string
	Checked    bool
}

// CatalogueUnmap asks before a mapping is taken back.
type CatalogueUnmap struct {
	Frame                      Frame
	API, APIHref, Action, Call string
	Version                    int64
	Errors                     FieldErrors
}

// cataloguePage is what the layout needs of a page below the list of APIs.
func (f Frame) cataloguePage(ctx context.Context, title, api, href string) Page {
	section := i18n.T(ctx, "nav.catalogue")
	p := Page{Frame: f, Title: title, Section: section, Crumbs: []Crumb{{Label: section, Href: cataloguePath}}}
	if api != "" {
		p.Crumbs = append(p.Crumbs, Crumb{Label: api, Href: href})
	}
	return p
}

func (v CatalogueMap) page(ctx context.Context) Page {
	p := v.Frame.cataloguePage(ctx, i18n.T(ctx, "catalogue.map.title"), v.API, v.APIHref)
	p.Error = len(v.Errors) > 0 || v.Clash
	return p
}

func (v CatalogueMap) methods(ctx context.Context) []Option {
	options := []Option{{Label: i18n.T(ctx, "catalogue.map.choose"), Disabled: true, Selected: v.Method == ""}}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		options = append(options, Option{Value: method, Label: method, Selected: v.Method == method})
	}
	return options
}

func (v CatalogueMap) accesses(ctx context.Context) []Option {
	return []Option{
		{Value: "read", Label: i18n.T(ctx, "catalogue.access.read"), Selected: v.Access == "read"},
		{Value: "write", Label: i18n.T(ctx, "catalogue.access.write"), Selected: v.Access == "write"},
	}
}

func scopeOptions(ctx context.Context, choices []ScopeChoice) []Option {
	options := make([]Option, 0, len(choices))
	for _, s := range choices {
		options = append(options, Option{Value: s.Name, Label: s.Name, Hint: i18n.T(ctx, "apps.scope.kind."+s.Kind), Selected: s.Checked})
	}
	return options
}

func (v CatalogueUnmap) page(ctx context.Context) Page {
	p := v.Frame.cataloguePage(ctx, i18n.T(ctx, "catalogue.unmap.title", "Call", v.Call), v.API, v.APIHref)
	p.Error = len(v.Errors) > 0
	return p
}

func (v CatalogueUnmap) confirm(ctx context.Context) Confirm {
	return Confirm{
		Title: i18n.T(ctx, "catalogue.unmap.title", "Call", v.Call), Text: []string{i18n.T(ctx, "catalogue.unmap.text")},
		Post: v.Action, Cancel: v.APIHref, Errors: v.Errors, Hidden: []Hidden{VersionField(v.Version)},
		Button: Action{Label: i18n.T(ctx, "catalogue.unmap.button"), Kind: "danger"},
	}
}

func (v CatalogueAPI) items(ctx context.Context) []Item {
	return []Item{
		{Label: i18n.T(ctx, "catalogue.field.key"), Value: v.Row.Key, Mono: true},
		{Label: i18n.T(ctx, "catalogue.field.kind"), Value: i18n.T(ctx, "catalogue.kind."+v.Row.Kind)},
		{Label: i18n.T(ctx, "catalogue.field.base"), Value: v.Row.Base, Mono: true},
		{Label: i18n.T(ctx, "catalogue.field.audience"), Value: v.Audience, Mono: true},
		{Label: i18n.T(ctx, "catalogue.field.lifetime"), Value: i18n.T(ctx, "catalogue.seconds", "N", int(v.Lifetime/time.Second))},
		{Label: i18n.T(ctx, "catalogue.field.calls"), Value: i18n.T(ctx, "catalogue.calls_of", "N", v.Row.Calls, "Mapped", v.Row.Mapped, "Denied", v.Row.Denied)},
	}
}

func (c CatalogueCall) mappedID() string { return strconv.FormatInt(c.Version, 10) }
