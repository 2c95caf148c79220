package templates

import (
	"context"

	"credenza.example/credenza/internal/i18n"
)

// Page is what the layout needs from every page. Page structs embed it.
type Page struct {
	Title   string  // the h1, and the first part of the document title
	Section string  // second part of the document title; "" where the page is a section itself
	Crumbs  []Crumb // from the section down to, but without, this page
	Nav     []NavGroup
	User    *User // nil when nobody is signed in
	Flash   *Flash
	Error   bool   // a form that came back: the document title starts with "Error:"
	Theme   string // "light", "dark" or "" for the system's
	Density string // "compact" or ""
	NoKeys  bool   // the person switched the shortcuts off
}

// Crumb is one step of the breadcrumb.
type Crumb struct{ Label, Href string }

// NavGroup is a group of the left navigation. A group without a title stands first, alone.
type NavGroup struct {
	Title string
	Items []NavItem
}

// NavItem is one link of the left navigation. Only items the person may open are in the view model.
type NavItem struct {
	Label, Href string
	Icon        string // a symbol of icons.svg
	Key         string // shortcut, such as "g a"
	Current     bool
}

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

// flashRole is how loudly a screen reader says the flash message.
func (f Flash) role() string {
	if f.Kind == KindBad {
		return "alert"
	}
	return "status"
}
