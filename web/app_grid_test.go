package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
)

// fill registers apps without secrets, past the pages: App 001 and so on.
func (p *portal) fill(n int) {
	p.t.Helper()
	actor, user := p.actor("admin@acme.example"), p.apiUser(p.acme, identity.KindClient)
	contact := registry.Contact{FirstName: "Ana", LastName: "Silva", Email: "ana@acme.example"}
	for i := 1; i <= n; i++ {
		_, _, err := p.registry.Register(p.t.Context(), actor, registry.NewApp{
			WithoutSecret: true,
			AppFields: registry.AppFields{
				Name: fmt.Sprintf("App %03d", i), Description: "One of many apps in a long list.", Category: registry.Customer,
				Type: registry.Machine, CredentialType: registry.SharedSecret, Contact: contact, APIUser: user.ID,
				Scopes: []string{invoiceRead}, Active: i%2 == 1,
			},
		})
		p.must(err)
	}
}

func appNames(a *page) []string {
	var names []string
	a.Find("#results tbody th a").Each(func(_ int, s *selection) { names = append(names, s.Text()) })
	return names
}

// TestGridPages walks a list to its end and back; every address can be taken as it stands.
func TestGridPages(t *testing.T) {
	p := newPortal(t)
	p.fill(60)
	admin := p.as("admin@acme.example")
	page := admin.get("/apps?per=25&sort=name&dir=desc").is(http.StatusOK).says(".pager-range", "1-25 of 60")
	first := appNames(page)
	var all []string
	for {
		all = append(all, appNames(page)...)
		next, more := page.Find("a[rel=next]").Attr("href")
		if !more {
			break
		}
		page = admin.get(next).is(http.StatusOK)
	}
	if len(all) != 60 || all[0] != "App 060" || all[59] != "App 001" {
		t.Fatalf("%d apps: %v", len(all), all)
	}
	page.says(".pager-range", "51-60 of 60")
	for range 2 {
		page = admin.get(page.Find("a[rel=prev]").AttrOr("href", "")).is(http.StatusOK)
	}
	if diff := cmp.Diff(first, appNames(page)); diff != "" {
		t.Error(diff)
	}
	if page.Find("a[rel=prev]").Length() > 0 {
		t.Error("the first page has one before it")
	}
	page.says(".pager-range", "1-25 of 60")
}

// TestUI8_GridKeepsItsState: each link changes one thing and keeps the rest.
func TestUI8_GridKeepsItsState(t *testing.T) {
	p := newPortal(t)
	p.fill(30)
	admin := p.as("admin@acme.example")
	page := admin.get("/apps?q=app+status%3Aactive+-name%3A%22b+c%22&sort=created&dir=desc&per=25").is(http.StatusOK)
	links := map[string]string{}
	page.Find("#results a, .tabs a").Each(func(_ int, s *selection) {
		links[strings.Join(strings.Fields(s.Text()+" "+s.AttrOr("aria-label", "")), " ")] = s.AttrOr("href", "")
	})
	const q, order = "q=app+status%3Aactive+-name%3A%22b+c%22", "&sort=created&dir=desc&per=25"
	want := map[string]string{
		"All": order, "Active": "q=status%3Aactive" + order,
		"Name": q + "&sort=name&per=25", "Created at": q + "&sort=created&per=25",
		"50": q + "&sort=created&dir=desc&per=50", "Remove all filters": order,
		"CSV": q + "&sort=created&dir=desc", "JSON": q + "&sort=created&dir=desc",
		"app Remove filter app":                     "q=status%3Aactive+-name%3A%22b+c%22" + order,
		"status:active Remove filter status:active": "q=app+-name%3A%22b+c%22" + order,
		`-name:"b c" Remove filter -name:"b c"`:     "q=app+status%3Aactive" + order,
	}
	for name, query := range want {
		values, err := url.ParseQuery(query)
		p.must(err)
		if name == "CSV" || name == "JSON" {
			query = "&format=" + strings.ToLower(name)
		} else {
			query = ""
		}
		if got := links[name]; got != "/apps?"+values.Encode()+query {
			t.Errorf("%s leads to %q, want %q", name, got, "/apps?"+values.Encode())
		}
	}
	if got := page.Find("th[aria-sort]"); got.Length() != 1 || got.AttrOr("aria-sort", "") != "descending" {
		t.Errorf("%d columns are sorted", got.Length())
	}
	form := page.form("search form")
	if diff := cmp.Diff(url.Values{
		"q": {`app status:active -name:"b c"`}, "sort": {"created"}, "dir": {"desc"}, "per": {"25"},
	}, form); diff != "" {
		t.Error(diff)
	}
}

// TestGridStates are the faces of the list.
func TestGridStates(t *testing.T) {
	p := newPortal(t)
	viewer := p.as("viewer@acme.example")
	viewer.get("/apps").is(http.StatusOK).says(".empty", "Ana Silva")
	if viewer.get("/apps").Find("a[href='/apps/new']").Length() > 0 {
		t.Error("a viewer is led to the register form")
	}
	p.fill(1)
	admin := p.as("admin@acme.example")
	none := admin.get("/apps?q=CCWACME_7q2mx4ktr9hvzpd3bfgn").is(http.StatusOK)
	none.says("#results", "No app in this organisation has this client ID")
	admin.get("/apps?q=nobody").is(http.StatusOK).says("#results", "Remove all filters")
	admin.get("/apps?q=owner:ana").is(http.StatusOK).says("#results", "owner:")
	admin.get("/apps?q=https://acme.example").is(http.StatusOK)

	invalid := admin.get("/apps?q=" + strings.Repeat("a+", 13)).is(http.StatusBadRequest)
	invalid.says("#results", "at most 12 words")
	if got := invalid.Find("#f-q").AttrOr("value", ""); !strings.HasPrefix(got, "a a a") {
		t.Errorf("the search box holds %q", got)
	}
	part := admin.fragment("/apps?q="+strings.Repeat("a+", 13), "results").is(http.StatusOK)
	part.says("#results", "at most 12 words")
}

// TestGridBeyondTheEnd: a place that the list has become too short for shows the first page.
func TestGridBeyondTheEnd(t *testing.T) {
	p := newPortal(t)
	p.fill(3)
	admin := p.as("admin@acme.example")
	next := admin.get("/apps?per=2&sort=name").Find("a[rel=next]").AttrOr("href", "")
	page := admin.get(next).is(http.StatusOK)
	path, _ := page.Find("#results tbody th a").Attr("href")
	form := admin.get(path + "/deactivate").form("main form")
	admin.post(path+"/deactivate", form)
	form = admin.get(path + "/delete").form("main form")
	admin.follow(admin.post(path+"/delete", with(form, map[string][]string{"confirm_name": {"App 003"}})))
	admin.get(next).is(http.StatusOK).says(".pager-range", "1-2 of 2")
}

// TestGridRows: a row says what stands with the app and leads to what one may do about it.
func TestGridRows(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{"expiry": {"date"}, "expires_on": {"2026-12-04"}})
	p.fill(2)
	grid := admin.get("/apps?sort=name").is(http.StatusOK)
	row := grid.Find("#results tbody tr").FilterFunction(func(_ int, s *selection) bool { return strings.Contains(s.Text(), "SAP") })
	for _, part := range []string{"Customer", "Active", "Expires in 12 days", "Ana Silva", "22 Nov 2026, 13:05 UTC", made.clientID} {
		if !strings.Contains(row.Text(), part) {
			t.Errorf("the row lacks %q: %s", part, strings.Join(strings.Fields(row.Text()), " "))
		}
	}
	for sub, want := range map[string]int{"/edit": 1, "/secrets/new": 1, "/history": 1, "/deactivate": 1, "/activate": 0, "/delete": 0} {
		if got := row.Find("a[href='" + made.path + sub + "']").Length(); got != want {
			t.Errorf("the row of an active app has %d links to %s", got, sub)
		}
	}
	off := grid.Find("#results tbody tr:has(td:nth-child(3) .chip-neu)")
	if off.Length() != 1 || off.Find("a[href$='/delete']").Length() != 1 || off.Find("a[href$='/activate']").Length() != 1 || off.Find("a[href$='/deactivate']").Length() != 0 {
		t.Errorf("%d rows of inactive apps", off.Length())
	}
	if !strings.Contains(off.Text(), "None") {
		t.Errorf("an app without a secret: %s", off.Text())
	}
	viewed := p.as("viewer@acme.example").get("/apps").is(http.StatusOK)
	noControls(t, viewed)
	if viewed.Find("#results tbody tr a[href$='/history']").Length() != 3 {
		t.Error("a viewer cannot open the history")
	}
}
