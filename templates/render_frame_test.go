package templates_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/templates"
)

// noon is the moment pages of these tests are drawn at.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var frameAssets = templates.Assets{
	CSS: "/static/app.0.css", JS: "/static/app.0.js", Icons: "/static/icons.0.svg", Favicon: "/static/favicon.0.svg",
}

// renderContext is a context as package web makes it: English, Berlin time. Unknown keys fail the test.
func renderContext(t *testing.T) context.Context {
	t.Helper()
	bundle, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	english := bundle.For("en").OnMissing(func(key string) { t.Errorf("no message %q", key) })
	ctx := i18n.With(t.Context(), english, bundle.Zone("Europe/Berlin"))
	return templates.WithAssets(ctx, frameAssets)
}

// renderHTML draws a component.
func renderHTML(t *testing.T, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(renderContext(t), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// renderDoc draws a component and reads it as a browser does.
func renderDoc(t *testing.T, c templ.Component) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(renderHTML(t, c)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// words returns the text of the elements with single spaces, as a reader sees it.
func words(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

// checkPage is what ui.md §3.4, §3.5 and §3.7 ask of the HTML of every page.
func checkPage(t *testing.T, c templ.Component) {
	t.Helper()
	checkMarkup(t, renderHTML(t, c))
	doc := renderDoc(t, c)
	if n := doc.Find("h1").Length(); n != 1 {
		t.Errorf("%d elements h1", n)
	}
	if doc.Find("html").AttrOr("lang", "") != "en" {
		t.Error("html has no lang")
	}
	if !strings.HasSuffix(doc.Find("title").Text(), " · Credenza") {
		t.Errorf("title %q", doc.Find("title").Text())
	}
	if doc.Find("main").Length() != 1 || doc.Find("[role=status]#status").Length() != 1 {
		t.Error("main or the status region is missing")
	}
	if last := doc.Find("header.top a, header.top button").Last().AttrOr("href", ""); last != "/help" {
		t.Errorf("the last link of the header goes to %q, not to the help (WCAG 3.2.6)", last)
	}
	checkParts(t, doc)
}

// joins finds names, chips and notes that stand apart on the page and together in its text: who hears or copies it gets
// "core.invoice.readread".
var joins = regexp.MustCompile(`[^\s>]{1,30}(?:` +
	`(?:</(?:code|a|b|strong|span|h1)>)+<(?:code|span|a|strong)[^>]*>|<(?:code|span|a) class="(?:chip|end|hint|muted|sub|tag)[^>]*>)`)

// checkMarkup finds what the content security policy would stop (ui.md §7 item 2).
func checkMarkup(t *testing.T, html string) {
	t.Helper()
	for _, bad := range []string{"<no value>", "%!", "<style", "javascript:", "http-equiv"} {
		if strings.Contains(html, bad) {
			t.Errorf("holds %q", bad)
		}
	}
	for _, joined := range joins.FindAllString(html, -1) {
		if !strings.Contains(joined, `class="btn`) {
			t.Errorf("reads as one word: %s", joined)
		}
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		t.Fatal(err)
	}
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		for _, attr := range s.Nodes[0].Attr {
			if attr.Key == "style" || attr.Key == "srcdoc" || strings.HasPrefix(attr.Key, "on") {
				t.Errorf("<%s> has %s", s.Nodes[0].Data, attr.Key)
			}
			address := attr.Key == "href" || attr.Key == "src" || attr.Key == "action" || attr.Key == "formaction"
			if address && strings.Contains(attr.Val, "//") {
				t.Errorf("<%s> leads to %q", s.Nodes[0].Data, attr.Val)
			}
		}
	})
	doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		if s.Text() != "" || !strings.HasPrefix(s.AttrOr("src", ""), "/static/") {
			t.Error("a script with text or of another place")
		}
	})
}

// checkParts finds controls without names and references to elements that are not there.
func checkParts(t *testing.T, doc *goquery.Document) {
	t.Helper()
	ids := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if ids[id] {
			t.Errorf("id %q stands twice", id)
		}
		ids[id] = true
	})
	for _, attr := range []string{
		"aria-describedby", "aria-labelledby", "aria-controls", "for", "popovertarget", "commandfor", "data-copy", "data-from",
		"data-filter", "data-hide", "data-peek", "data-results",
	} {
		doc.Find("[" + attr + "]").Each(func(_ int, s *goquery.Selection) {
			for id := range strings.FieldsSeq(s.AttrOr(attr, "")) {
				if !ids[id] && id != "dlg-title" && id != "dlg" {
					t.Errorf("%s names %q, which is not there", attr, id)
				}
			}
		})
	}
	doc.Find("a[href^='#']").Each(func(_ int, s *goquery.Selection) {
		if id := strings.TrimPrefix(s.AttrOr("href", ""), "#"); !ids[id] {
			t.Errorf("a link to #%s, which is not there", id)
		}
	})
	doc.Find("input, select, textarea").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		named := s.AttrOr("aria-label", "") != "" || s.Closest("label").Length() > 0 ||
			(id != "" && doc.Find("label[for='"+id+"']").Length() == 1)
		if s.AttrOr("type", "") != "hidden" && !named {
			t.Errorf("a field %q without a label", s.AttrOr("name", id))
		}
	})
	doc.Find("button").Each(func(_ int, s *goquery.Selection) {
		_, typed := s.Attr("type")
		_, opens := s.Attr("popovertarget")
		if !typed && (!opens || s.Closest("form").Length() > 0) { // without a form there is nothing to send by mistake
			t.Errorf("button %q has no type", words(s))
		}
	})
	doc.Find("a, button, summary").Each(func(_ int, s *goquery.Selection) {
		if words(s) == "" && s.AttrOr("aria-label", "") == "" {
			html, _ := goquery.OuterHtml(s)
			t.Errorf("no name: %s", html)
		}
	})
	doc.Find("svg").Each(func(_ int, s *goquery.Selection) {
		if s.AttrOr("aria-hidden", "") != "true" {
			t.Error("a symbol that is not hidden from screen readers")
		}
	})
}

func signedIn() templates.Frame {
	return templates.Frame{
		User:    &templates.User{Name: "Ana Silva", Email: "ana@acme.example", Organisation: "Acme"},
		Nav:     []templates.NavLink{{Code: "apps", Href: "/apps"}, {Code: "home", Href: "/"}},
		Current: "apps",
	}
}
