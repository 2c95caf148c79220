package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"credenza.example/credenza/templates"
	"credenza.example/credenza/web"
)

// TestHelpIsForEverybody: each task has a page, signed in or not; what is no task is not found in the product's way.
func TestHelpIsForEverybody(t *testing.T) {
	p := newPortal(t)
	for _, b := range []*browser{p.stranger(), p.as("guest@acme.example")} {
		index := b.get("/help").is(http.StatusOK)
		for _, task := range templates.HelpTasks() {
			if !slices.Contains(index.hrefs("main a"), "/help/"+task) {
				t.Errorf("the index does not lead to %s", task)
			}
			b.get("/help/"+task).is(http.StatusOK).says(".help-need", "need")
		}
		for _, none := range []string{"/help/nothing", "/help/ROTATE", "/help/rotate/", "/help/%2e%2e", "/help/help.title"} {
			b.get(none).is(http.StatusNotFound).says("h1", "Nothing is here")
		}
	}
	p.stranger().get("/help/token").says("main", publicURL+"/oauth2/token")
}

// TestHelpLinksResolve: whatever the product links of its help is there, and the header's link of a page leads to the
// help for what the page does.
func TestHelpLinksResolve(t *testing.T) {
	p := newPortal(t)
	p.platform()
	things := p.things(p.acme, "acme.example")
	found := map[string]string{}
	for _, email := range []string{"", "admin@acme.example", "viewer@acme.example", "guest@acme.example", "root@platform.example", "support@platform.example"} {
		for _, route := range web.Routes() {
			if route.Method != http.MethodGet {
				continue
			}
			b := p.stranger()
			if email != "" {
				b = p.as(email)
			}
			got := b.get(target{parameters: things}.fill(t, route.Path))
			for _, href := range got.hrefs("a[href^='/help']") {
				found[href] = route.Path
			}
			if want := templates.HelpPath(web.HelpOf(route.Name)); got.Find("header.top").Length() > 0 && got.hrefs("header.top .top-link[href^='/help']")[0] != want {
				t.Errorf("%s as %q: the header does not lead to %s", route.Path, email, want)
			}
		}
	}
	if len(found) <= len(templates.HelpTasks()) {
		t.Errorf("only %d links to the help: the search is broken", len(found))
	}
	stranger := p.stranger()
	for href, from := range found {
		path, anchor, _ := strings.Cut(href, "#")
		if to := stranger.get(path).is(http.StatusOK); anchor != "" && to.Find("#"+anchor).Length() != 1 {
			t.Errorf("%s links %s, which has no such place", from, href)
		}
	}
}

// TestHelpOfEveryRoute: what changes something, or is only about one task, has help of its own.
func TestHelpOfEveryRoute(t *testing.T) {
	without := []string{
		"home", "help", "help.task", "signin.form", "signin", "signout", "people.accept.form", "people.accept", "app.show",
	}
	for _, route := range web.Routes() {
		task := web.HelpOf(route.Name)
		if task == "" != slices.Contains(without, route.Name) || task != "" && !templates.IsHelpTask(task) {
			t.Errorf("%s has the help %q", route.Name, task)
		}
	}
}
