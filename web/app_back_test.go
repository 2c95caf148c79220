package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// from is a GET by somebody who comes from another page.
func (b *browser) from(referer, path, fragment string) *page {
	b.p.t.Helper()
	header := http.Header{"Referer": {referer}}
	if fragment != "" {
		header.Set("X-Fragment", fragment)
	}
	return b.do(http.MethodGet, path, nil, header)
}

// TestStatusLeadsBackToTheList: who was asked on a filtered list lands on it again, with the message. Whatever else is
// named as the place to go back to, the app's page is.
func TestStatusLeadsBackToTheList(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	const list = "/apps?dir=desc&q=status%3Aactive+spend&sort=created"
	asked := admin.from(publicURL+list, made.path+"/deactivate", "dialog").is(http.StatusOK)
	form := asked.form("form")
	if form.Get("back") != list {
		t.Fatalf("the question goes back to %q", form.Get("back"))
	}
	stale := maps.Clone(form)
	stale.Set("version", "0")
	if again := admin.post(made.path+"/deactivate", stale).is(http.StatusConflict); again.form("main form").Get("back") != list ||
		again.Find(".actions a").AttrOr("href", "") != list {
		t.Error("the question that is asked again forgets the list")
	}
	done := admin.post(made.path+"/deactivate", form).is(http.StatusSeeOther)
	if got := done.header.Get("Location"); got != list {
		t.Errorf("leads to %s", got)
	}
	admin.follow(done).is(http.StatusOK).says(".banner", "is inactive")
	for _, back := range []string{
		"//evil.example/apps?q=a", "https://evil.example/apps?q=a", "/apps", "/apps?", "/apps?next=//evil.example", "/apps/../x?q=a", "/appsx?q=a",
		`/\evil.example`, "javascript:alert(1)", "/apps?q=%zz", "/apps?q=a;b=c", "/apps?q=" + strings.Repeat("a", 10_000),
	} {
		act := map[bool]string{true: "/deactivate", false: "/activate"}[strings.Contains(admin.get(made.path).body, made.path+"/deactivate")]
		form := admin.get(made.path + act).form("main form")
		form.Set("back", back)
		if got := admin.post(made.path+act, form).is(http.StatusSeeOther).header.Get("Location"); got != made.path {
			t.Errorf("%.40q leads to %s", back, got)
		}
	}
	for _, referer := range []string{"https://evil.example/apps?q=a", publicURL + ".evil.example/apps?q=a", publicURL + made.path, "/apps?q=a", ""} {
		if got := admin.from(referer, made.path+"/activate", "").form("main form"); got.Has("back") {
			t.Errorf("from %q it goes back to %q", referer, got.Get("back"))
		}
	}
	kept := admin.from(publicURL+"/apps?q="+url.QueryEscape("a\r\nb<\">&#x")+"&cols=user&after=x&evil=1#f", made.path+"/activate", "").form("main form")
	if got := kept.Get("back"); got != "/apps?after=x&cols=user&q=a%0D%0Ab%3C%22%3E%26%23x" {
		t.Errorf("what is odd is kept as %q", got)
	}
}

// TestWrongPlaceOfTheList: what is wrong with order, size or place is not called a search, and one link leads on.
func TestWrongPlaceOfTheList(t *testing.T) {
	p := newPortal(t)
	p.fill(2)
	admin := p.as("admin@acme.example")
	for path, want := range map[string][3]string{
		"/apps?sort=colour&cols=user":    {"The list has no such order", "Show all apps", "/apps?cols=user"},
		"/apps?per=7000&q=app&sort=name": {"A page of the list cannot have this size", "First page", "/apps?q=app&sort=name"},
		"/apps?after=x&per=25":           {"This page of the list is not there", "First page", "/apps?per=25"},
		"/apps?sort=colour&per=0":        {"The list has no such order", "Show all apps", "/apps"},
		"/apps?q=category:friend":        {"This search cannot be understood", "Remove all filters", "/apps"},
	} {
		link := admin.get(path).is(http.StatusBadRequest).says("#results h2", want[0]).Find("#results .empty a")
		if link.Text() != want[1] || link.AttrOr("href", "") != want[2] {
			t.Errorf("%s: %q leads to %s", path, link.Text(), link.AttrOr("href", ""))
		}
		if admin.fragment(path, "results").is(http.StatusOK).Find("#results[data-fault]").Length() != 1 {
			t.Errorf("%s: live search takes it for an answer", path)
		}
	}
}

// TestBulkBarOfOnePage: all that match can be chosen where they are all on the page too.
func TestBulkBarOfOnePage(t *testing.T) {
	p := newPortal(t)
	p.fill(3)
	admin := p.as("admin@acme.example")
	box := admin.get("/apps?q=app").says(".bulkbar", "Select all 3 that match").Find(".bulkbar [name=all]")
	if box.AttrOr("data-text", "") != "3 chosen" || box.AttrOr("data-all-of", "") != "ids" {
		t.Error("nobody is told how many are chosen")
	}
	if admin.get("/apps?q=002").Find(".bulkbar [name=all]").Length() > 0 {
		t.Error("one app is offered as all that match")
	}
}
