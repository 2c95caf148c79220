package templates_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

// appPages are all pages and states of this area, each under a name.
func appPages() map[string]templates.AppsGrid {
	empty, stranger, lost, broken := sampleGrid(0), sampleGrid(0), sampleGrid(0), sampleGrid(0)
	empty.Results.State, empty.Results.CreateHref = templates.AppsEmpty, "/apps/new"
	stranger.Results.State, stranger.CreateHref = templates.AppsEmpty, ""
	stranger.Results.Holders = []string{"Ana Silva", "Jo Weber"}
	lost.Results.State, lost.Results.LooksLikeClientID, lost.Results.Pager.Total = templates.AppsNoMatch, true, 0
	lost.Results.Query = "status:active CCWACME_x"
	lost.Results.Filters = []templates.AppsFilter{
		{Token: "status:active", RemoveHref: "/apps?q=CCWACME_x"}, {Token: "CCWACME_x", RemoveHref: "/apps?status=active"},
	}
	lost.Results.ClearHref, lost.Results.UnknownKeys, lost.SecretHint = "/apps", []string{"foo"}, true
	broken.Results.State, broken.Results.Reference, broken.Results.RetryHref = templates.AppsFailed, "R1", "/apps?q=x"
	odd := sampleGrid(0)
	odd.Results.State, odd.Results.Problem, odd.Results.ClearHref = templates.AppsInvalid, "The date 2026-13-01 does not exist.", "/apps"
	further := sampleGrid(12)
	further.RevokeHref, further.SecretHint, further.Results.Of = "/apps/pasted", true, 10_001
	further.Results.Chooser = templates.AppsChooser{Action: "/apps", Keep: []templates.Hidden{{Name: "q", Value: "x"}}, Columns: []templates.AppsOptional{
		{Code: "contact", Shown: true}, {Code: "user", Shown: true}, {Code: "scopes", Shown: true},
	}}
	further.Results.Densities = []templates.AppsTab{{Code: "normal", Href: "/apps"}, {Code: "compact", Href: "/apps?density=compact", Current: true}}
	for i := range further.Results.Rows {
		r := &further.Results.Rows[i]
		r.Contact, r.Stale, r.APIUser, r.Scopes, r.MailHref = "Ana Silva", i%2 == 1, "Client user", i, r.Href+"/mail"
	}
	return map[string]templates.AppsGrid{
		"further columns": further,
		"invalid":         odd, "rows": sampleGrid(12), "view only": viewOnly(sampleGrid(12)), "empty": empty, "empty, view only": stranger,
		"no match": lost, "failed": broken,
	}
}

func TestGridIsAWholePageInEveryState(t *testing.T) {
	for name, g := range appPages() {
		t.Run(name, func(t *testing.T) { checkPage(t, templates.AppsPage(g)) })
	}
}

func TestGridRows(t *testing.T) {
	doc := renderDoc(t, templates.AppsPage(sampleGrid(6)))
	rows := doc.Find("#results tbody tr")
	if rows.Length() != 6 {
		t.Fatalf("%d rows", rows.Length())
	}
	first := rows.First()
	if got := first.Find("th a").AttrOr("href", ""); got != sampleRow(0).Href {
		t.Errorf("the name leads to %q", got)
	}
	if got := words(first.Find("th code")); got != sampleRow(0).ClientID {
		t.Errorf("screen readers hear the client ID %q", got)
	}
	if got := words(first.Find("th code i")); got != "x4ktr9hvzpd3" {
		t.Errorf("of the client ID %q is not shown", got)
	}
	want := []string{
		"Customer", "Active", "In use", "21 Nov 2026, 09:30 CET", "Ana Silva", "1 Nov 2026, 10:12 CET", "2 Nov 2026, 15:05 CET",
	}
	var got []string
	first.Find("td:not(:last-child)").Each(func(_ int, s *goquery.Selection) { got = append(got, words(s)) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var chips []string
	rows.Each(func(_ int, s *goquery.Selection) { chips = append(chips, words(s.Find("td:nth-child(4)"))) })
	wantChips := []string{
		"In use", "2 secrets", "Expires in 12 days", "Expired", "None", "Expires in 1 day",
	}
	if diff := cmp.Diff(wantChips, chips); diff != "" {
		t.Error(diff)
	}
}

func TestGridIsATableForScreenReaders(t *testing.T) {
	doc := renderDoc(t, templates.AppsPage(sampleGrid(2)))
	if words(doc.Find("table caption")) == "" {
		t.Error("no caption")
	}
	region := doc.Find("[role=region][tabindex='0']")
	if id := region.AttrOr("aria-labelledby", ""); doc.Find("caption#"+id).Length() != 1 {
		t.Error("the region that scrolls is not named by the caption")
	}
	// The stylesheet folds rows, which would take their meaning away without explicit roles.
	for role, n := range map[string]int{"table": 1, "rowgroup": 2, "row": 3, "columnheader": 9, "rowheader": 2, "cell": 16} {
		if got := doc.Find("#results [role=" + role + "]").Length(); got != n {
			t.Errorf("%d elements have the role %s, want %d", got, role, n)
		}
	}
}

func TestGridSorts(t *testing.T) {
	head := renderDoc(t, templates.AppsPage(sampleGrid(1))).Find("thead th")
	got := map[string]string{}
	head.Each(func(_ int, s *goquery.Selection) {
		got[words(s)] = s.AttrOr("aria-sort", "") + " " + s.Find("a").AttrOr("href", "")
	})
	want := map[string]string{
		"Name": "ascending /apps?sort=name&dir=desc", "Category": " /apps?sort=category", "Status": " /apps?sort=status",
		"Secret": " ", "Last used": " /apps?sort=used", "Created by": " ", "Created at": " /apps?sort=created", "Last modified": " /apps?sort=modified",
		"Actions": " ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGridMenuOffersWhatHasAnAddress(t *testing.T) {
	entries := func(row templates.AppsRow) []string {
		g := sampleGrid(0)
		g.Results.Rows = []templates.AppsRow{row}
		doc := renderDoc(t, templates.AppsPage(g))
		if got := doc.Find("td:last-child button").AttrOr("aria-label", ""); got != "Actions for "+row.Name {
			t.Errorf("the menu is called %q", got)
		}
		var all []string
		doc.Find("td:last-child a").Each(func(_ int, s *goquery.Selection) {
			entry := words(s)
			if _, ok := s.Attr("data-dialog"); ok {
				entry += " (asks)"
			}
			all = append(all, entry)
		})
		return all
	}
	active := []string{"Edit", "Rotate secret", "History", "Deactivate (asks)"}
	if diff := cmp.Diff(active, entries(sampleRow(0))); diff != "" {
		t.Error(diff)
	}
	inactive := []string{"Edit", "Rotate secret", "History", "Activate (asks)", "Delete (asks)"}
	if diff := cmp.Diff(inactive, entries(sampleRow(4))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Open", "History"}, entries(viewOnly(sampleGrid(1)).Results.Rows[0])); diff != "" {
		t.Error(diff)
	}
}

// ui.md §7 item 9: who may only view finds no control that changes anything.
func TestUI9_GridForViewers(t *testing.T) {
	checkNothingToChange(t, renderDoc(t, templates.AppsPage(viewOnly(sampleGrid(12)))))
	if renderDoc(t, templates.AppsPage(sampleGrid(1))).Find(".page-actions a[href='/apps/new']").Length() != 1 {
		t.Error("managers have no button Create")
	}
}

// checkNothingToChange fails on any link or form that leads to a change of an app.
func checkNothingToChange(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("a").Each(func(_ int, s *goquery.Selection) {
		for _, part := range []string{"/new", "/edit", "/secrets/", "/deactivate", "/activate", "/delete"} {
			if strings.Contains(s.AttrOr("href", ""), part) {
				t.Errorf("a link to %s", s.AttrOr("href", ""))
			}
		}
	})
	doc.Find("form[method=post]").Each(func(_ int, s *goquery.Selection) {
		if action := s.AttrOr("action", ""); action != "/signout" {
			t.Errorf("a form to %s", action)
		}
	})
}

func TestGridSearch(t *testing.T) {
	g := sampleGrid(1)
	g.Search.Query = `spend "exact words"`
	doc := renderDoc(t, templates.AppsPage(g))
	form := doc.Find("search form[method=get][action='/apps']")
	if got := form.Find("input[type=search][name=q]").AttrOr("value", ""); got != g.Search.Query {
		t.Errorf("the query came back as %q", got)
	}
	if form.Find("input[type=hidden][name=per][value='50']").Length() != 1 || form.Find("button[type=submit]").Length() != 1 {
		t.Error("the page size or the button is missing")
	}
	if form.AttrOr("data-results", "") != "results" {
		t.Error("live search does not know what to swap")
	}
	var tabs []string
	doc.Find(".tabs a").Each(func(_ int, s *goquery.Selection) {
		tabs = append(tabs, words(s)+" "+s.AttrOr("href", "")+" "+s.AttrOr("aria-current", ""))
	})
	want := []string{"All /apps page", "Active /apps?q=status%3Aactive ", "Needs attention /apps?q=secret%3Aexpired "}
	if diff := cmp.Diff(want, tabs); diff != "" {
		t.Error(diff)
	}
}

// The filter form says with labels what the search says with keys; what it cannot say goes along.
func TestGridFilterForm(t *testing.T) {
	g := sampleGrid(1)
	g.Results.Form.Rest, g.Results.Form.Keep = `-sap name:"a b"`, []templates.Hidden{{Name: "per", Value: "25"}}
	g.Results.Form.Values = map[string]string{"category": "supplier", "used": ">90d", "contact": "ana silva", "created_to": "2026-11-22"}
	form := renderDoc(t, templates.AppsPage(g)).Find("#results details form[method=get][action='/apps']")
	got := map[string]string{}
	form.Find("input").Each(func(_ int, s *goquery.Selection) {
		if value := s.AttrOr("value", ""); value != "" {
			got[s.AttrOr("name", "")] = value
		}
	})
	form.Find("option[selected]").Each(func(_ int, s *goquery.Selection) {
		got[s.Closest("select").AttrOr("name", "")] = s.AttrOr("value", "") + " " + s.Text()
	})
	want := map[string]string{
		"q": g.Results.Form.Rest, "per": "25", "category": "supplier Supplier", "status": " Any", "secret": " Any",
		"used": ">90d Not in the last 90 days", "contact": "ana silva", "created_to": "2026-11-22",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if labels, fields := form.Find("label").Length(), form.Find("select, input:not([type=hidden])").Length(); labels != 12 || fields != 12 {
		t.Errorf("%d labels for %d fields", labels, fields)
	}
	lost := sampleGrid(0)
	lost.Results.State, lost.Results.Query = templates.AppsNoMatch, "status:active <b>"
	if got := words(renderDoc(t, templates.AppsPage(lost)).Find(".empty h2")); got != "No app matches status:active <b>." {
		t.Errorf("nothing found: %q", got)
	}
}

func TestGridFiltersAndPages(t *testing.T) {
	g := sampleGrid(2)
	g.Results.Filters = []templates.AppsFilter{{Token: "status:active", RemoveHref: "/apps?q=x"}}
	g.Results.ClearHref, g.Results.UnknownKeys = "/apps", []string{"foo"}
	g.Results.Pager.PrevHref, g.Results.Pager.More, g.Results.Pager.Total = "/apps?before=b", true, 10000
	doc := renderDoc(t, templates.AppsPage(g))
	filter := doc.Find(".filters a.filter")
	if filter.AttrOr("href", "") != "/apps?q=x" || filter.AttrOr("aria-label", "") != "Remove filter status:active" {
		t.Error("the chip does not remove its filter")
	}
	if got := words(doc.Find(".filters li").Last()); got != "Remove all filters" {
		t.Errorf("the last chip says %q", got)
	}
	if got := doc.Find("#results").Text(); !strings.Contains(got, "foo: is not a filter; it was searched as text.") {
		t.Error("the unknown key is not told")
	}
	if got := words(doc.Find(".results-count")); got != "10,000+ apps" {
		t.Errorf("count %q", got)
	}
	if got := words(doc.Find(".pager-range")); got != "1-2 of 10,000+" {
		t.Errorf("range %q", got)
	}
	if doc.Find(".pager a[rel=prev]").Length() != 1 || doc.Find(".pager a[rel=next]").Length() != 1 {
		t.Error("previous or next is missing")
	}
}

// The answer to X-Fragment: results is the section alone, with what live search says aloud.
func TestResultsAloneAreAFragment(t *testing.T) {
	html := renderHTML(t, templates.AppsResultsSection(sampleGrid(3).Results))
	if !strings.HasPrefix(html, `<section id="results"`) || strings.Contains(html, "<html") {
		t.Errorf("starts with %.60q", html)
	}
	checkMarkup(t, html)
	if got := renderDoc(t, templates.AppsResultsSection(sampleGrid(3).Results)).Find("#results").AttrOr("data-status", ""); got != "1,284 apps" {
		t.Errorf("it says %q", got)
	}
	broken := appPages()["failed"].Results
	if got := renderDoc(t, templates.AppsResultsSection(broken)).Find("#results").AttrOr("data-status", ""); got != "The list could not be read" {
		t.Errorf("a failure says %q", got)
	}
}

func TestGridStates(t *testing.T) {
	pages := appPages()
	empty := renderDoc(t, templates.AppsPage(pages["empty"]))
	if empty.Find(".steps li").Length() != 3 || empty.Find(".empty a[href='/apps/new']").Length() != 1 {
		t.Error("an empty grid has no three steps or no button")
	}
	if empty.Find("search").Length() != 0 {
		t.Error("an empty grid offers to search")
	}
	stranger := renderDoc(t, templates.AppsPage(pages["empty, view only"]))
	checkNothingToChange(t, stranger)
	if got := words(stranger.Find(".empty")); !strings.Contains(got, "Ask one of: Ana Silva and Jo Weber") {
		t.Errorf("nobody to ask: %q", got)
	}
	lost := renderDoc(t, templates.AppsPage(pages["no match"]))
	if got := words(lost.Find(".empty")); got != "No app matches status:active CCWACME_x.No app in this organisation has this client ID.Remove all filters" {
		t.Errorf("no match says %q", got)
	}
	if lost.Find("table").Length() != 0 || lost.Find(".filters .filter").Length() != 2 {
		t.Error("no match shows a table or loses its filters")
	}
	if got := words(lost.Find("[role=alert]")); !strings.HasPrefix(got, "That was a client secretIt was not searched for") {
		t.Errorf("a pasted secret is answered with %q", got)
	}
	odd := renderDoc(t, templates.AppsPage(pages["invalid"]))
	if got := words(odd.Find("#results")); !strings.Contains(got, "The date 2026-13-01 does not exist.") {
		t.Errorf("a query nobody understands is answered with %q", got)
	}
	broken := renderDoc(t, templates.AppsPage(pages["failed"]))
	if got := broken.Find("#results a").AttrOr("href", ""); got != "/apps?q=x" {
		t.Errorf("trying again leads to %q", got)
	}
	if !strings.Contains(words(broken.Find("#results")), "R1") {
		t.Error("no reference to quote")
	}
}

// ui.md §7 item 12: fifty rows in under 90 KB, also with long names and the longest menu.
func TestUI12_FiftyRowsAreSmall(t *testing.T) {
	g := sampleGrid(50)
	for i := range g.Results.Rows {
		r := &g.Results.Rows[i]
		r.ID, r.Name = strings.TrimPrefix(r.Href, "/apps/"), fmt.Sprintf("%s for the region number %d", r.Name, i)
		r.Status, r.DeactivateHref, r.MailHref = "inactive", "", r.Href+"/mail"
		r.ActivateHref, r.DeleteHref = r.Href+"/activate", r.Href+"/delete"
		r.Secret = templates.SecretSummary{Code: "expiring", Days: 12}
	}
	if size := len(renderHTML(t, templates.AppsPage(g))); size >= 90_000 {
		t.Errorf("%d bytes", size)
	}
}
