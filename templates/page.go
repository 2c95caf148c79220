package templates

import (
	"context"

	"credenza.example/credenza/internal/i18n"
)

// Frame is what every page gets from the request: who is signed in, where they may go, how they want to see it. It is
// the same for all pages of a session, so package web fills it in one place.
type Frame struct {
	User    *User     // nil when nobody is signed in
	Nav     []NavLink // only what the person may open, in any order
	Current string    // code of the navigation link this page belongs to
	Flash   *Flash
	Theme   string // "light", "dark" or "" for the system's
	Density string // "compact" or ""
	NoKeys  bool   // the person switched the shortcuts off
	Help    string // address of the help for what this page does; "" leads to the index
}

// NavLink is one link of the left navigation. Code is one of home, lookup, apps, scopes, connections, robots, groups, people,
// roles, policies, approvals and audit; it gives the link its words, its place, its symbol and its shortcut.
type NavLink struct{ Code, Href string }

// Page is what Layout needs: the frame, and what this page says of itself.
type Page struct {
	Frame
	Title   string  // the first part of the document title, the last step of the breadcrumb
	Section string  // second part of the document title; "" where the page is a section itself
	Crumbs  []Crumb // from the section down to, but without, this page
	Error   bool    // a form that came back: the document title starts with "Error:"
}

// Crumb is one step of the breadcrumb.
type Crumb struct{ Label, Href string }

// User is the signed-in person as the header shows them.
type User struct{ Name, Email, Organisation string }

// Flash is the one message after a redirect.
type Flash struct {
	Kind string // KindOK, KindInfo, KindWarn or KindBad
	Text string
}

// The kinds of chips, banners and flash messages: colour and shape. The word beside it carries the meaning.
const (
	KindOK   = "ok"   // active, in use, success
	KindInfo = "info" // pending, new, notes
	KindWarn = "warn" // expiring
	KindBad  = "bad"  // expired, failing, errors
	KindNeu  = "neu"  // inactive, retired
	KindTwo  = "two"  // chips only: two secrets at once, in the colours of warn
)

// Assets are the addresses of the static files, with their content hashes.
type Assets struct{ CSS, JS, Icons, Favicon string }

type assetsKey struct{}

// WithAssets returns a context in which pages and icons find the static files. Every render needs it, fragments too.
func WithAssets(ctx context.Context, a Assets) context.Context {
	return context.WithValue(ctx, assetsKey{}, a)
}

func assets(ctx context.Context) Assets {
	a, _ := ctx.Value(assetsKey{}).(Assets)
	return a
}

// helpHref is where the header's link to the help leads.
func (f Frame) helpHref() string {
	if f.Help == "" {
		return helpPath
	}
	return f.Help
}

// documentTitle is "Thing · Section · Credenza", with "Error:" before it when the form came back.
func (p Page) documentTitle(ctx context.Context) string {
	product := i18n.T(ctx, "product.name")
	title := i18n.T(ctx, "layout.title", "Title", p.Title, "Product", product)
	if p.Section != "" && p.Section != p.Title {
		title = i18n.T(ctx, "layout.title_section", "Title", p.Title, "Section", p.Section, "Product", product)
	}
	if p.Error {
		return i18n.T(ctx, "layout.title_error", "Title", title)
	}
	return title
}

// navGroup is a group of the navigation as drawn.
type navGroup struct {
	title string
	items []navItem
}

type navItem struct{ code, label, href, icon, key string }

// navGroups puts the links into the order of ui.md §3.1. Codes it does not know are left out.
func (f Frame) navGroups(ctx context.Context) []navGroup {
	known := []navGroup{
		{items: []navItem{
			{code: "home", label: i18n.T(ctx, "nav.home"), icon: "home", key: "g h"},
			{code: "lookup", label: i18n.T(ctx, "nav.lookup"), icon: "search"},
		}},
		{title: i18n.T(ctx, "nav.toolkit"), items: []navItem{
			{code: "apps", label: i18n.T(ctx, "nav.apps"), icon: "app", key: "g a"},
			{code: "scopes", label: i18n.T(ctx, "nav.scopes"), icon: "scope", key: "g s"},
			{code: "catalogue", label: i18n.T(ctx, "nav.catalogue"), icon: "document"},
			{code: "api", label: i18n.T(ctx, "nav.api"), icon: "document"},
			{code: "connections", label: i18n.T(ctx, "nav.connections"), icon: "link", key: "g c"},
		}},
		{title: i18n.T(ctx, "nav.automation"), items: []navItem{
			{code: "robots", label: i18n.T(ctx, "nav.robots"), icon: "robot"},
			{code: "groups", label: i18n.T(ctx, "nav.groups"), icon: "people"},
		}},
		{title: i18n.T(ctx, "nav.administration"), items: []navItem{
			{code: "people", label: i18n.T(ctx, "nav.people"), icon: "person"},
			{code: "roles", label: i18n.T(ctx, "nav.roles"), icon: "key"},
			{code: "policies", label: i18n.T(ctx, "nav.policies"), icon: "policy"},
			{code: "approvals", label: i18n.T(ctx, "nav.approvals"), icon: "check"},
			{code: "audit", label: i18n.T(ctx, "nav.audit"), icon: "history"},
		}},
	}
	hrefs := make(map[string]string, len(f.Nav))
	for _, link := range f.Nav {
		hrefs[link.Code] = link.Href
	}
	var groups []navGroup
	for _, g := range known {
		open := navGroup{title: g.title}
		for _, item := range g.items {
			if href, ok := hrefs[item.code]; ok {
				item.href = href
				open.items = append(open.items, item)
			}
		}
		if len(open.items) > 0 {
			groups = append(groups, open)
		}
	}
	return groups
}

// role is how loudly a screen reader says the flash message.
func (f Flash) role() string {
	if f.Kind == KindBad {
		return "alert"
	}
	return "status"
}
