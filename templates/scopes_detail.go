package templates

import (
	"context"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// ScopePage is the page /scopes/{name} (ui.md §4.6).
type ScopePage struct {
	Frame       Frame
	Name        string
	Kind        string // read, write, delete, special
	API         string // title
	Own         bool   // the portal itself serves the API
	Required    bool   // on every connection to the API
	Source      string // text of the source
	Notes       []ScopeNote
	Permissions []ScopePermission
	Calls       []ScopeOpened
	Twin        *ScopeLink // the scope for reading that most apps need beside this one
	Granting    ScopeGranting
	// Apps are the apps of the reader's organisation that hold it; nil when the reader may not know.
	Apps      *ScopeApps
	Changes   []CatalogueEvent
	Sources   []ScopeObject // its objects with what their source prints
	StartHref string        // registers an app with it; "" when the reader cannot
	AddHref   string        // adds it to an app
}

// ScopePermission is an entry of the vendor's permission list: a resource and what may be done with it.
type ScopePermission struct {
	Resource string
	Actions  []string
}

// ScopeOpened is a call that the scope opens, with the other scopes that open it too.
type ScopeOpened struct {
	Call   ScopeCall
	Object string
	Also   []ScopeLink
}

// ScopeGranting says who may give the scope to an app.
type ScopeGranting struct {
	Withheld string   // sign_in, not_served: never given; "" when it may be
	Right    string   // the right it takes; "" when only the platform gives it
	Holders  []string // names of people of the organisation who hold the right
	Mine     bool     // the reader is one of them
}

// ScopeApps are apps that hold a scope: the first of them by name, and how many there are.
type ScopeApps struct {
	Apps  []ScopeApp
	Total int
}

// ScopeApp is an app in a list.
type ScopeApp struct{ Name, Href, Status string }

// ScopeMissing is the page of a scope that does not exist (status 404).
type ScopeMissing struct {
	Frame      Frame
	Name       string
	Near       []ScopeLink
	SearchHref string // searches for the name
}

// ScopeAdd is the page /scopes/add: choose the app that gets the scopes. Nothing is changed before its form is saved.
type ScopeAdd struct {
	Frame   Frame
	Scopes  []string
	Refused []ScopeRefusal
	Query   string
	Keep    []Hidden // the scopes, for the search
	Apps    []ScopeApp
	Total   int
	More    bool // Total is only a lower bound
}

// ScopeRefusal is a scope that was asked for and is not ticked. Code is unknown, sign_in, not_served, platform or right;
// Right is the missing one.
type ScopeRefusal struct{ Scope, Code, Right string }

// opensNothing says why no call is listed.
func (v ScopePage) opensNothing(ctx context.Context) string {
	switch {
	case v.Granting.Withheld == "not_served":
		return i18n.T(ctx, "scopes.opens_unserved")
	case v.Own:
		return i18n.T(ctx, "scopes.opens_none_own")
	default:
		return i18n.T(ctx, "scopes.opens_none")
	}
}

func (g ScopeGranting) sentence(ctx context.Context) string {
	switch {
	case g.Withheld != "":
		return i18n.T(ctx, "scopes.withheld."+g.Withheld)
	case g.Right == "":
		return i18n.T(ctx, "scopes.grant.platform")
	default:
		return i18n.T(ctx, "scopes.grant.right", "Right", RightPath(ctx, g.Right))
	}
}

// sentence says why the scope was left out.
func (r ScopeRefusal) sentence(ctx context.Context) templ.Component {
	switch r.Code {
	case "sign_in", "not_served", "platform":
		return Rich("scopes.refused."+r.Code, "Scope", Code(r.Scope))
	case "right":
		return Rich("scopes.refused.right", "Scope", Code(r.Scope), "Right", RightPath(ctx, r.Right))
	default:
		return Rich("scopes.refused.unknown", "Scope", Code(r.Scope))
	}
}

// more is how many apps are not named.
func (a ScopeApps) more() int { return a.Total - len(a.Apps) }
