package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// viewLines are the saved views as their page lists them.
func viewLines(a *page) []string {
	var lines []string
	a.Find("[data-row]").Each(func(_ int, row *selection) {
		var cells []string
		row.Find("th, td:not(.row), .row a").Each(func(_ int, s *selection) { cells = append(cells, strings.TrimSpace(s.Text())) })
		lines = append(lines, strings.Join(cells, " "))
	})
	return lines
}

// save saves the grid at an address and returns the answer.
func (b *browser) save(address, name string, shared bool) *page {
	b.p.t.Helper()
	form := b.get(strings.Replace(address, "/apps", "/apps/views/new", 1)).is(http.StatusOK).form("main form")
	form.Set("name", name)
	form.Del("shared")
	if shared {
		form.Set("shared", "on")
	}
	return b.post("/apps/views", form)
}

// TestSavedViews: what is saved leads back to the same list, for whom it is meant.
func TestSavedViews(t *testing.T) {
	p := newPortal(t)
	p.fill(3)
	admin, viewer := p.as("admin@acme.example"), p.as("viewer@acme.example")
	admin.get("/apps/views").is(http.StatusOK).says(".empty", "Save this view")
	admin.follow(admin.save("/apps?q=app&sort=used&dir=desc&per=25", "Latest", true)).is(http.StatusOK).says("[role=status]", "The view Latest is saved.")
	viewer.save("/apps?q=export", "Mine", false).is(http.StatusSeeOther)

	want := []string{"Latest app Last used, descending Everybody who may view apps"}
	if diff := cmp.Diff(append(want, "Mine export Name Only you Edit Delete"), viewLines(viewer.get("/apps/views"))); diff != "" {
		t.Error(diff)
	}
	list := admin.get("/apps/views").is(http.StatusOK)
	if diff := cmp.Diff([]string{want[0] + " Edit Delete"}, viewLines(list)); diff != "" {
		t.Error(diff)
	}
	open := list.Find("[data-open]").AttrOr("href", "")
	if values, _ := url.ParseQuery("q=app&sort=used&dir=desc&per=25"); open != "/apps?"+values.Encode() {
		t.Errorf("the view leads to %s", open)
	}
	viewer.get(open).is(http.StatusOK).says("th[aria-sort]", "Last used").says(".tabs [aria-current]", "Latest")

	edit := list.Find("a[href^='/apps/views/']").First().AttrOr("href", "")
	form := admin.get(edit).is(http.StatusOK).form("main form")
	form.Set("name", "Used last")
	admin.follow(admin.post(edit, form)).says("[role=status]", "The view Used last is saved.")
	admin.post(edit, form).is(http.StatusConflict).says(".error-summary", "")

	ask := admin.get(edit+"/delete").is(http.StatusOK).says("main", "for everybody in the organisation")
	admin.follow(admin.post(edit+"/delete", ask.form("main form"))).says("[role=status]", "The view Used last is deleted.")
	admin.post(edit+"/delete", nil).is(http.StatusNotFound)
}

// TestSavedViewsAreTheirOwners: another person's and another organisation's are not there, a shared one is not a
// viewer's to change.
func TestSavedViewsAreTheirOwners(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	admin, viewer := p.as("admin@acme.example"), p.as("viewer@acme.example")
	viewer.save("/apps?q=export", "Mine", false).is(http.StatusSeeOther)
	mine := viewer.get("/apps/views").Find("a[href^='/apps/views/']").First().AttrOr("href", "")
	for _, other := range []*browser{admin, p.as("admin@globex.example")} {
		for _, path := range []string{mine, mine + "/delete"} {
			other.get(path).is(http.StatusNotFound)
			other.post(path, url.Values{"name": {"Theirs"}, "version": {"1"}}).is(http.StatusNotFound)
		}
	}
	admin.save("/apps?q=app", "Ours", true).is(http.StatusSeeOther)
	ours := admin.get("/apps/views").Find("a[href^='/apps/views/']").First().AttrOr("href", "")
	viewer.post(ours, url.Values{"name": {"Theirs"}, "version": {"1"}, "shared": {"on"}}).is(http.StatusForbidden)
	viewer.post(ours+"/delete", nil).is(http.StatusForbidden)
	viewer.save("/apps?q=app", "Shared", true).is(http.StatusForbidden)
	if got := viewLines(viewer.get("/apps/views")); len(got) != 2 {
		t.Errorf("views: %q", got)
	}
}

// TestSavedViewFaults: what is wrong is told at its field, and what was typed stays.
func TestSavedViewFaults(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	admin := p.as("admin@acme.example")
	admin.save("/apps?q=app", "Ours", false).is(http.StatusSeeOther)
	for name, test := range map[string]struct{ name, field, text string }{
		"empty": {"", "name", "Enter a name for the view."},
		"taken": {"OURS", "name", "There is a view of this name."},
		"long":  {strings.Repeat("a", 41), "name", "40 characters at most"},
	} {
		back := admin.save("/apps?q=export&sort=used", test.name, false).is(http.StatusUnprocessableEntity)
		if got := back.problems()[test.field]; !strings.Contains(got, test.text) {
			t.Errorf("%s: %q", name, got)
		}
		if form := back.form("main form"); form.Get("name") != test.name || form.Get("q") != "export" || form.Get("sort") != "used" {
			t.Errorf("%s: the form lost something: %v", name, form)
		}
	}
}
