package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"credenza.example/credenza/web"
)

// parameters are what the pages read from addresses, and one that none reads.
var parameters = []string{"q", "sort", "per", "after", "before", "from", "cols", "scope", "token", "unheard_of"}

// TestC65_EveryParameterOfEveryPage: a forged place in a list, a text of 10,000 characters and bytes that are no text are
// answered on every page, with it or with what is wrong, and never by a fault of ours.
func TestC65_EveryParameterOfEveryPage(t *testing.T) {
	p := newPortal(t)
	values := p.withHandOff(p.things(p.acme, "acme.example"), "acme.example")
	admin := p.as("admin@acme.example")
	grid := admin.get("/apps?per=1").is(http.StatusOK)
	cursor := mustQuery(t, grid.Find("a[rel=next]").AttrOr("href", "")).Get("after")
	if cursor == "" {
		t.Fatal("the list has no second page")
	}
	texts := []string{"9223372036854775808", "a\x00b", "\xff\xfe", cursor + "A", strings.Repeat("x", 10_000), strings.Repeat("a:b ", 2_500)}
	for _, route := range web.Routes() {
		if route.Method != http.MethodGet {
			continue
		}
		path := target{parameters: values}.fill(t, route.Path)
		for _, name := range parameters {
			for _, text := range texts {
				got := admin.get(path + "?" + name + "=" + url.QueryEscape(text))
				if got.status >= http.StatusInternalServerError || !utf8.ValidString(got.body) {
					t.Errorf("%s?%s=%.20q: %d", path, name, text, got.status)
				}
			}
		}
	}
	for _, long := range []string{strings.Repeat("x", 10_000), strings.Repeat("a:b ", 2_500)} {
		refused := admin.get("/apps?q="+url.QueryEscape(long)).is(http.StatusBadRequest).says("#results", "at most 400 characters")
		if len(refused.body) > 100_000 {
			t.Errorf("%d bytes say that a search is too long", len(refused.body))
		}
	}
}

// TestC65_NoNUL: the one character that PostgreSQL keeps in no text reaches no statement. In an address it becomes the
// sign for what cannot be shown, and a form that holds it is refused.
func TestC65_NoNUL(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	admin := p.as("admin@acme.example")
	got := admin.get("/apps?q=scope:a%00b").is(http.StatusOK)
	if strings.Contains(got.body, "\x00") || got.Find("input[name=q]").AttrOr("value", "") != "scope:a\ufffdb" {
		t.Error("the search holds U+0000 still")
	}
	for _, path := range []string{"/apps/bulk", "/apps/views"} {
		admin.post(path, url.Values{"act": {"deactivate"}, "all": {"on"}, "name": {"A view"}, "q": {"scope:a\x00b"}}).is(http.StatusUnprocessableEntity).says("main", "could not be read")
	}
}
