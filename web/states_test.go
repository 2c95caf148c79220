package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/templates"
	"credenza.example/credenza/web"
)

// TestEveryPageWhileTheStoreIsAway: each says that it failed, what to quote, and leads to itself for another try, to
// people signed in and to strangers; a part that the script asked for too (ui.md §3.6 "Error"). No page is the server's
// own, and nothing of what went wrong inside stands there.
func TestEveryPageWhileTheStoreIsAway(t *testing.T) {
	p := newPortal(t)
	values := p.things(p.acme, "acme.example")
	admin, stranger := p.as("admin@acme.example"), p.stranger()
	p.must(p.db.Close())
	for _, route := range web.Routes() {
		if route.Method != http.MethodGet {
			continue
		}
		path := target{parameters: values}.fill(t, route.Path)
		failed := admin.get(path + "?q=x")
		if failed.status < http.StatusInternalServerError {
			t.Errorf("%s answers %d", path, failed.status)
			continue
		}
		reference := failed.header.Get("X-Request-Id")
		failed.says("main", reference)
		if got := failed.hrefs("main .btn-primary"); !slices.Contains(got, path+"?q=x") || failed.text("main .btn-primary") != "Try again" {
			t.Errorf("%s: another try leads to %v", path, got)
		}
		for _, inside := range []string{"sql", "database", "closed", ".go"} {
			if strings.Contains(strings.ToLower(failed.text("main")), inside) {
				t.Errorf("%s tells of %q", path, inside)
			}
		}
	}
	for _, path := range []string{"/help", "/help/rotate", "/signin"} { // these need no store of a stranger
		stranger.get(path).is(http.StatusOK)
	}
}

// TestEveryPageOfAppsWhileTheyCannotBeRead: whoever is signed in keeps the frame of the page, with the way to elsewhere.
func TestEveryPageOfAppsWhileTheyCannotBeRead(t *testing.T) {
	p := newPortal(t)
	values := p.things(p.acme, "acme.example")
	admin := p.as("admin@acme.example")
	p.readsFail()
	failing := 0
	for _, route := range web.Routes() {
		if route.Method != http.MethodGet || route.Who == "public" {
			continue
		}
		path := target{parameters: values}.fill(t, route.Path)
		failed := admin.get(path)
		if failed.status < http.StatusInternalServerError {
			continue // reads no app
		}
		failing++
		if got := failed.hrefs("main a"); !slices.Contains(got, path) || failed.Find("nav a[href='/scopes']").Length() == 0 {
			t.Errorf("%s: another try leads to %v", path, got)
		}
		failed.says("main", failed.header.Get("X-Request-Id"))
	}
	if failing < 20 {
		t.Errorf("only %d pages failed: the fault is in the test", failing)
	}
	if part := admin.fragment("/apps?q=ledger", "results"); part.status < http.StatusInternalServerError || part.Find("a[href='/apps?q=ledger']").Length() != 1 {
		t.Errorf("live search hears %d:\n%s", part.status, part.body)
	}
}

// TestEveryPageNamesTheRight that is missing, the people who can give it, and a mail to ask them, to whoever may not open
// it (ui.md §3.6 "No permission"); and leads to the help, which says what else the task takes.
func TestEveryPageNamesTheRight(t *testing.T) {
	p := newPortal(t)
	values := p.things(p.acme, "acme.example")
	messages, err := i18n.Load()
	p.must(err)
	english := i18n.With(t.Context(), messages.For("en"), nil)
	for _, route := range web.Routes() {
		if route.Method != http.MethodGet || route.Who != "holder" {
			continue
		}
		b := p.as("guest@acme.example")
		if route.Right == access.AppsManage {
			b = p.as("viewer@acme.example")
		}
		got := b.get(target{parameters: values}.fill(t, route.Path)).is(http.StatusForbidden)
		got.says(".rights", templates.RightPath(english, string(route.Right))).says("main", "Ana Silva")
		mail := got.Find("main a.btn[href^='mailto:admin@acme.example?']")
		if mail.AttrOr("aria-label", "") != "Mail a request to Ana Silva" {
			t.Errorf("%s: there is no way to ask", route.Path)
		}
		if got.Find(fmt.Sprintf("main a[href='%s']", templates.HelpPath(web.HelpOf(route.Name)))).Length() == 0 && web.HelpOf(route.Name) != "" {
			t.Errorf("%s does not lead to its help", route.Path)
		}
	}
}

// TestEmptyLists say what they are for and lead to the help (ui.md §3.6 "Empty"); who may only view is told whom to ask.
func TestEmptyLists(t *testing.T) {
	p := newPortal(t)
	admin, viewer := p.as("admin@acme.example"), p.as("viewer@acme.example")
	for path, help := range map[string]string{
		"/apps": "register", "/apps/unused": "unused", "/apps/contacts": "notices", "/apps/rejected": "failures",
		"/apps/unknown": "failures", "/apps/views": "views",
	} {
		for _, b := range []*browser{admin, viewer} {
			empty := b.get(path).is(http.StatusOK)
			if n := empty.Find(".empty a[href='/help/" + help + "']").Length(); n != 1 || empty.text(".empty p") == "" {
				t.Errorf("%s: %d links to the help", path, n)
			}
		}
	}
	admin.get("/apps").says(".empty .btn", "Register")
	viewer.get("/apps").says(".empty", "Ask one of: Ana Silva")
	if viewer.get("/apps").Find(".empty .btn").Length() != 0 {
		t.Error("whoever may not register is told to")
	}
}
