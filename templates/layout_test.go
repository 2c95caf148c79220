package templates_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

func TestDocumentTitle(t *testing.T) {
	for want, page := range map[string]templates.Page{
		"Sign in · Credenza":                        {Title: "Sign in"},
		"SAP export · API consumer apps · Credenza": {Title: "SAP export", Section: "API consumer apps"},
		"API consumer apps · Credenza":              {Title: "API consumer apps", Section: "API consumer apps"},
		"Error: Edit · Apps · Credenza":             {Title: "Edit", Section: "Apps", Error: true},
	} {
		if got := renderDoc(t, templates.Layout(page)).Find("title").Text(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLayoutOfSignedOutPages(t *testing.T) {
	doc := renderDoc(t, templates.Layout(templates.Page{Title: "Sign in"}))
	for _, selector := range []string{"nav", "dialog", "form", "[popover]", "body[data-keys]", "details"} {
		if doc.Find(selector).Length() > 0 {
			t.Errorf("%s is there", selector)
		}
	}
	if got := doc.Find("a.skip").AttrOr("href", ""); got != "#main" {
		t.Errorf("skip link to %q", got)
	}
}

func TestLayoutOfSignedInPages(t *testing.T) {
	doc := renderDoc(t, templates.Layout(templates.Page{Frame: signedIn(), Title: "Apps"}))
	form := doc.Find("form[action='/signout']")
	if form.Length() != 1 || form.AttrOr("method", "") != "post" {
		t.Error("signing out is no POST")
	}
	if got := words(doc.Find("#user-menu .menu-note")); got != "Signed in as Ana Silva ana@acme.example Acme" {
		t.Errorf("menu: %q", got)
	}
	if doc.Find("[popovertarget=user-menu]").AttrOr("aria-label", "") != "Account of Ana Silva" {
		t.Error("the menu's button has no name")
	}
	if doc.Find("dialog#dlg[aria-labelledby=dlg-title]").Length() != 1 {
		t.Error("the dialog is missing")
	}
	for _, name := range []string{"data-copied", "data-copy-failed", "data-search-failed", "data-secret-kept", "data-keys"} {
		if _, ok := doc.Find("body").Attr(name); !ok {
			t.Errorf("the script finds no %s", name)
		}
	}
}

// Items keep the order of ui.md §3.1 whatever order they come in; what the person may not open is absent.
func TestNavigation(t *testing.T) {
	f := signedIn()
	f.Nav = append(f.Nav, templates.NavLink{Code: "audit", Href: "/audit"}, templates.NavLink{Code: "people", Href: "/people"},
		templates.NavLink{Code: "nobody-knows", Href: "/x"})
	doc := renderDoc(t, templates.Layout(templates.Page{Frame: f, Title: "Apps"}))
	for _, nav := range []string{"nav.side", "details.drawer nav"} {
		got := doc.Find(nav + " a, " + nav + " .nav-title").Map(func(_ int, s *goquery.Selection) string { return words(s) })
		want := []string{"Home", "Integration toolkit", "API consumer apps", "Administration", "People", "Audit log"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", nav, diff)
		}
		current := doc.Find(nav + " [aria-current=page]")
		if current.Length() != 1 || current.AttrOr("href", "") != "/apps" {
			t.Errorf("%s: the current page is %q", nav, current.AttrOr("href", ""))
		}
	}
	if got := doc.Find("nav.side a[href='/apps']").AttrOr("data-key", ""); got != "g a" {
		t.Errorf("shortcut %q", got)
	}
}

func TestSettingsOfTheReader(t *testing.T) {
	f := signedIn()
	f.Theme, f.Density, f.NoKeys = "dark", "compact", true
	doc := renderDoc(t, templates.Layout(templates.Page{Frame: f, Title: "Apps"}))
	html := doc.Find("html")
	if html.AttrOr("data-theme", "") != "dark" || html.AttrOr("data-density", "") != "compact" {
		t.Error("theme or density is missing")
	}
	if _, on := doc.Find("body").Attr("data-keys"); on {
		t.Error("shortcuts are on")
	}
	plain := renderDoc(t, templates.Layout(templates.Page{Frame: signedIn(), Title: "Apps"})).Find("html")
	if _, set := plain.Attr("data-theme"); set {
		t.Error("a theme is forced on everybody")
	}
}

func TestBreadcrumb(t *testing.T) {
	p := templates.Page{Frame: signedIn(), Title: "Edit", Crumbs: []templates.Crumb{{Label: "Apps", Href: "/apps"}}}
	crumbs := renderDoc(t, templates.Layout(p)).Find("nav.crumbs li")
	if got := crumbs.Map(func(_ int, s *goquery.Selection) string { return words(s) }); cmp.Diff([]string{"Apps", "Edit"}, got) != "" {
		t.Errorf("got %v", got)
	}
	if crumbs.Last().Find("a").Length() > 0 || crumbs.Last().AttrOr("aria-current", "") != "page" {
		t.Error("the last step is a link")
	}
	p.Crumbs = nil
	if renderDoc(t, templates.Layout(p)).Find("nav.crumbs").Length() > 0 {
		t.Error("a breadcrumb on a first-level page")
	}
}

func TestFlash(t *testing.T) {
	for kind, role := range map[string]string{
		templates.KindOK: "status", templates.KindInfo: "status", templates.KindWarn: "status", templates.KindBad: "alert",
	} {
		f := signedIn()
		f.Flash = &templates.Flash{Kind: kind, Text: "SAP export is <active>."}
		flash := renderDoc(t, templates.Layout(templates.Page{Frame: f, Title: "Apps"})).Find(".flash")
		if flash.AttrOr("role", "") != role || flash.AttrOr("tabindex", "") != "-1" || !flash.HasClass("banner-"+kind) {
			t.Errorf("%s: role %q", kind, flash.AttrOr("role", ""))
		}
		if _, ok := flash.Attr("autofocus"); !ok || words(flash) != "SAP export is <active>." {
			t.Errorf("%s: not focused, or says %q", kind, words(flash))
		}
	}
}

func TestStaticFilesComeFromTheContext(t *testing.T) {
	doc := renderDoc(t, templates.Layout(templates.Page{Frame: signedIn(), Title: "Apps"}))
	if got := doc.Find("link[rel=stylesheet]").AttrOr("href", ""); got != frameAssets.CSS {
		t.Errorf("stylesheet %q", got)
	}
	script := doc.Find("script")
	if script.AttrOr("src", "") != frameAssets.JS || script.AttrOr("type", "") != "module" {
		t.Error("the script is not the module of this build")
	}
	doc.Find("svg use").Each(func(_ int, s *goquery.Selection) {
		if !strings.HasPrefix(s.AttrOr("href", ""), frameAssets.Icons+"#") {
			t.Errorf("symbol %q", s.AttrOr("href", ""))
		}
	})
}

// Addresses in view models are plain strings: one that would run script is made harmless.
func TestAddressesAreSanitised(t *testing.T) {
	f := signedIn()
	f.Nav = []templates.NavLink{{Code: "apps", Href: "javascript:alert(1)"}}
	p := templates.Page{Frame: f, Title: "x", Crumbs: []templates.Crumb{{Label: "y", Href: "data:text/html,<script>"}}}
	html := renderHTML(t, templates.Layout(p))
	if strings.Contains(html, "javascript:") || strings.Contains(html, "data:text") {
		t.Error("a script address stands in the page")
	}
}
