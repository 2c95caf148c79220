package templates_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

// evil is a name that somebody gave to see what happens.
const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`

func evilFrame() templates.Frame {
	f := signedIn()
	f.User = &templates.User{Name: evil, Email: evil, Organisation: evil}
	f.Flash = &templates.Flash{Kind: templates.KindOK, Text: evil}
	return f
}

func sampleHome(f templates.Frame, name string) templates.Home {
	return templates.Home{
		Frame: f, Name: name, Checked: noon, Create: "/apps/new", Scopes: "/scopes", API: "/api",
		Steps: &templates.HomeSteps{Registered: true, Register: "/apps/new", Copy: "/apps/1"},
		Attention: []templates.HomeLine{
			{Code: "expired", N: 1, Href: "/apps?q=secret:expired"},
			{Code: "expiring", N: 3, Href: "/apps?q=secret:expiring"},
			{Code: "two", N: 2, Href: "/apps?q=secret:two"},
			{Code: "unused", N: 12, Href: "/apps/unused"},
			{Code: "stale", N: 1, Href: "/apps/contacts"},
			{Code: "rejected", N: 2, Times: 1041, Href: "/apps/rejected"},
		},
		Counts: []templates.HomeCount{
			{Code: "active", N: 1284, Href: "/apps?status=active"},
			{Code: "inactive", N: 0, Href: "/apps?status=inactive"},
			{Code: "two", N: 2, Href: "/a"},
			{Code: "expiring", N: 1, Href: "/b"},
		},
		Recent: []templates.HomeEvent{
			{AppEvent: templates.AppEvent{Action: "app.register", Result: "done", Who: name, What: name, At: noon}, Href: "/apps/1"},
			{AppEvent: templates.AppEvent{Action: "app.delete", Result: "done", Who: "Jo", What: "Old app", At: noon}},
		},
	}
}

// Every page of this package that belongs to no app, drawn with what people could have typed.
func framePages(f templates.Frame, name string) map[string]templ.Component {
	out := templates.Frame{}
	return map[string]templ.Component{
		"sign in":        templates.SignInPage(templates.SignIn{Frame: out}),
		"sign in failed": templates.SignInPage(templates.SignIn{Frame: out, Email: name, Next: "/apps?q=" + name, Problem: name}),
		"sign in again":  templates.SignInPage(templates.SignIn{Frame: out, Notice: name}),
		"accept":         templates.AcceptPage(templates.Accept{Frame: out, Name: name, Email: name, Organisation: name, Link: name, MinLength: 15, Until: noon}),
		"accept failed": templates.AcceptPage(templates.Accept{
			Name: name, Email: name, MinLength: 15, Errors: templates.FieldErrors{{Field: "password", Text: name}},
		}),
		"home":      templates.HomePage(sampleHome(f, name)),
		"home bare": templates.HomePage(templates.Home{Frame: f, Name: name}),
		"forbidden": templates.ForbiddenPage(templates.Forbidden{
			Frame: f, Rights: []string{"apps.manage", name}, Holders: []templates.Holder{{Name: name, Email: name}},
		}),
		"guest":      templates.ForbiddenPage(templates.Forbidden{Frame: f, Nothing: true, Rights: []string{"apps.view", "apps.manage"}}),
		"failure":    templates.FailurePage(templates.Failure{Frame: f, Status: 500, Reference: name, Retry: "/apps?q=" + name, Text: name}),
		"signed out": templates.FailurePage(templates.Failure{Frame: out, Status: 404}),
		"stale": templates.StaleContactsPage(templates.StaleContacts{Frame: f, Now: noon, MayManage: true, More: true, Rows: []templates.StaleContact{
			{Name: name, Email: name, Apps: 1, AppName: name, Href: "/apps/1", EditHref: "/apps/1/edit", Address: templates.AppAddress{State: "denied", At: noon}},
			{Name: name, Email: name, Apps: 7, Href: "/apps?q=" + name, Address: templates.AppAddress{State: "refused", At: noon}},
		}}),
		"none stale": templates.StaleContactsPage(templates.StaleContacts{Frame: f, Now: noon}),
		"rejected": templates.RejectedTodayPage(templates.RejectedToday{Frame: f, Now: noon, More: true, UnknownHref: "/apps/unknown", Rows: []templates.RejectedApp{
			{Name: name, Status: "inactive", Times: 1041, LastAt: noon, Href: "/apps/1", RejectionsHref: "/apps/1/rejections"},
		}}),
		"none rejected": templates.RejectedTodayPage(templates.RejectedToday{Frame: f, Now: noon, UnknownHref: "/apps/unknown"}),
		"help":          templates.HelpIndexPage(templates.HelpIndex{Frame: f}),
		"help out":      templates.HelpIndexPage(templates.HelpIndex{Frame: out}),
		"help token":    templates.HelpPage(templates.Help{Frame: f, Task: "token", TokenURL: name}),
	}
}

// ui.md §7 item 2: no page needs anything that the content security policy forbids.
func TestUI2_PagesAreClean(t *testing.T) {
	for name, page := range framePages(signedIn(), "Ana Silva") {
		t.Run(name, func(t *testing.T) { checkPage(t, page) })
	}
}

// Whatever people are called and whatever they type stays text.
func TestPagesEscapeNames(t *testing.T) {
	for name, page := range framePages(evilFrame(), evil) {
		t.Run(name, func(t *testing.T) {
			html := renderHTML(t, page)
			checkMarkup(t, html)
			if strings.Contains(html, "<script>") || strings.Contains(html, "<img") {
				t.Error("a name became an element")
			}
		})
	}
}

func TestSignInForm(t *testing.T) {
	doc := renderDoc(t, templates.SignInPage(templates.SignIn{Next: "/apps/7"}))
	form := doc.Find("form[method=post][action='/signin']")
	for selector, attrs := range map[string]map[string]string{
		"[name=email]":    {"type": "email", "autocomplete": "username", "required": "", "autofocus": ""},
		"[name=password]": {"type": "password", "autocomplete": "current-password", "required": ""},
		"[name=next]":     {"type": "hidden", "value": "/apps/7"},
	} {
		for name, want := range attrs {
			if got := form.Find(selector).AttrOr(name, "-"); got != want {
				t.Errorf("%s: %s is %q, want %q", selector, name, got, want)
			}
		}
	}
	// WCAG 3.3.8: pasting and password managers are not stopped; the one button sends the form.
	if form.Find("button[type=submit]").Length() != 1 || form.Find("[onpaste], [autocomplete=off]").Length() > 0 {
		t.Error("the form has other buttons, or stops password managers")
	}
}

func TestSignInFailureIsFocused(t *testing.T) {
	doc := renderDoc(t, templates.SignInPage(templates.SignIn{
		Email: "ana@acme.example", Problem: "E-mail or password is wrong.", Notice: "You were signed out.",
	}))
	if focused := doc.Find("[autofocus]"); focused.Length() != 1 || focused.AttrOr("role", "") != "alert" {
		t.Errorf("%d elements want the focus", focused.Length())
	}
	if !strings.HasPrefix(doc.Find("title").Text(), "Error: ") {
		t.Errorf("title %q", doc.Find("title").Text())
	}
	if doc.Find("[name=email]").AttrOr("value", "") != "ana@acme.example" || doc.Find(".banner").Length() != 1 {
		t.Error("the address is lost, or the page says two things")
	}
}

func TestAcceptForm(t *testing.T) {
	doc := renderDoc(t, templates.AcceptPage(templates.Accept{
		Name: "Jo", Email: "jo@acme.example", Organisation: "Acme", Link: "one-time", MinLength: 15, Until: noon,
		Errors: templates.FieldErrors{{Field: "password", Text: "Too short"}, {Field: "password_again", Text: "Differs"}},
	}))
	form := doc.Find("form[method=post][action='/people/accept']")
	if form.Find("[name=token]").AttrOr("value", "") != "one-time" {
		t.Error("the link's secret is not sent back")
	}
	for _, name := range []string{"password", "password_again"} {
		input := form.Find("[name=" + name + "]")
		if input.AttrOr("autocomplete", "") != "new-password" || input.AttrOr("aria-invalid", "") != "true" {
			t.Errorf("%s: no new password, or its error is lost", name)
		}
		if _, has := input.Attr("value"); has {
			t.Errorf("%s: the password came back", name)
		}
	}
	// The address stands in the form so that a password manager keeps it; it cannot be changed here.
	if _, fixed := form.Find("[name=email][autocomplete=username]").Attr("readonly"); !fixed {
		t.Error("the address can be changed")
	}
	if !strings.Contains(words(doc.Find("#f-password-hint")), "At least 15 characters") {
		t.Errorf("hint %q", words(doc.Find("#f-password-hint")))
	}
}

func TestHome(t *testing.T) {
	doc := renderDoc(t, templates.HomePage(sampleHome(signedIn(), "Ana Silva")))
	want := []string{
		"1 active app has no secret that works", "3 apps stop working within 30 days: their secrets end",
		"2 apps are in the middle of a rotation", "12 apps were not used in the last 90 days",
		"1 contact is stale: somebody else should be chosen", "2 apps had requests rejected today: 1,041 in all",
	}
	got := doc.Find("section[aria-labelledby=home-attention] li a").Map(func(_ int, s *goquery.Selection) string { return words(s) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := words(doc.Find(".counts a").First()); got != "1,284 active" {
		t.Errorf("count %q", got)
	}
	recent := doc.Find("section[aria-labelledby=home-recent] li")
	if got := words(recent.First()); got != "Ana Silva registered Ana Silva 22 Nov 2026, 13:00 CET" {
		t.Errorf("recent %q", got)
	}
	if recent.Last().Find("a").Length() > 0 {
		t.Error("a link to what is gone")
	}
	steps := doc.Find("section[aria-labelledby=home-steps] li")
	if !steps.First().HasClass("is-done") || steps.First().Find("a").Length() > 0 || !strings.Contains(words(steps.First()), "Done") {
		t.Error("the first step is not marked as done")
	}
	if steps.Last().Find("a").AttrOr("href", "") != "/apps/1" {
		t.Error("the last step leads nowhere")
	}
}

// Who may only view gets the same page without a way to create.
func TestHomeOfViewers(t *testing.T) {
	doc := renderDoc(t, templates.HomePage(templates.Home{Frame: signedIn(), Name: "Vera", Checked: noon}))
	if doc.Find("a[href='/apps/new'], .btn-primary").Length() > 0 {
		t.Error("a button to create")
	}
	if got := words(doc.Find("section[aria-labelledby=home-attention] p")); got != "Nothing needs attention. Last checked 22 Nov 2026, 13:00 CET." {
		t.Errorf("got %q", got)
	}
}

func TestForbidden(t *testing.T) {
	doc := renderDoc(t, templates.ForbiddenPage(templates.Forbidden{
		Frame: signedIn(), Rights: []string{"apps.manage"},
		Holders: []templates.Holder{{Name: "Ana & Co", Email: "ana+admin@acme.example"}},
	}))
	if got := words(doc.Find(".rights li")); got != "Integration toolkit > API consumer apps > Manage API client app" {
		t.Errorf("right %q", got)
	}
	mail := doc.Find("a[href^='mailto:']")
	href := mail.AttrOr("href", "")
	if !strings.HasPrefix(href, "mailto:ana%2Badmin@acme.example?") || strings.Contains(strings.SplitN(href, "?", 2)[1], "+") {
		t.Errorf("mail %q", href)
	}
	if !strings.Contains(href, "Manage%20API%20client%20app") || !strings.Contains(words(doc.Find("main")), "Ana & Co") {
		t.Errorf("mail %q", href)
	}
	if doc.Find("main form, main button").Length() > 0 {
		t.Error("a control where nothing may be done")
	}
}

func TestGuest(t *testing.T) {
	doc := renderDoc(t, templates.ForbiddenPage(templates.Forbidden{
		Frame: signedIn(), Nothing: true, Rights: []string{"apps.view", "apps.manage"},
	}))
	text := words(doc.Find("main"))
	for _, part := range []string{"View API client app", "Manage API client app", "Ask the administrator"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not said", part)
		}
	}
	if strings.Contains(text, "403") {
		t.Error("a guest's home is shown as an error")
	}
}

// Every right of product.md decision 15 has its full path; an unknown one keeps its name.
func TestRightPaths(t *testing.T) {
	ctx := renderContext(t)
	seen := map[string]string{}
	for _, right := range []string{
		"apps.view", "apps.manage", "apps.approve", "docs.view", "connections.view", "connections.manage", "robots.view",
		"robots.manage", "people.manage", "roles.manage", "policies.manage", "audit.view", "organisations.manage",
		"support.lookup", "catalogue.manage", "keys.manage", "platform.audit",
	} {
		path := templates.RightPath(ctx, right)
		if before, twice := seen[path]; twice || !strings.Contains(path, " > ") {
			t.Errorf("%s is called %q, like %q", right, path, before)
		}
		seen[path] = right
	}
	if got := templates.RightPath(ctx, "future.right"); got != "future.right" {
		t.Errorf("got %q", got)
	}
}

func TestFailures(t *testing.T) {
	titles := map[string]int{}
	for _, status := range []int{400, 404, 409, 410, 429, 500, 503} {
		doc := renderDoc(t, templates.FailurePage(templates.Failure{Frame: signedIn(), Status: status, Reference: "ref-1", Retry: "/apps"}))
		title := words(doc.Find("h1"))
		if before, twice := titles[title]; twice {
			t.Errorf("%d has the title of %d", status, before)
		}
		titles[title] = status
		if got := strings.Contains(words(doc.Find("main")), "ref-1"); got != (status >= 500) {
			t.Errorf("%d: reference shown: %v", status, got)
		}
		if doc.Find("main a[href='/apps']").Length() != 1 || doc.Find("main a[href='/']").Length() != 1 {
			t.Errorf("%d: no way on", status)
		}
	}
	for status, like := range map[int]int{405: 400, 413: 400, 415: 400, 422: 400, 502: 500} {
		title := words(renderDoc(t, templates.FailurePage(templates.Failure{Status: status})).Find("h1"))
		if titles[title] != like {
			t.Errorf("%d has the title %q", status, title)
		}
	}
	own := renderDoc(t, templates.FailurePage(templates.Failure{Status: 409, Text: "The app is active."}))
	if !strings.Contains(words(own.Find("main")), "The app is active.") || own.Find("main a").Length() != 1 {
		t.Error("the text of the problem is lost, or there is a link that leads nowhere")
	}
}
