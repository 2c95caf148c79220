package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// optional are the texts of a row past the usual columns, and those of the heads over them.
func optional(a *page) (heads, cells []string) {
	a.Find("#results thead th").Slice(8, -1).Each(func(_ int, s *selection) { heads = append(heads, strings.TrimSpace(s.Text())) })
	a.Find("#results tbody tr").First().Children().Slice(8, -1).Each(func(_ int, s *selection) {
		cells = append(cells, strings.Join(strings.Fields(s.Text()), " "))
	})
	return heads, cells
}

// TestGridColumns: further columns stand there when they are asked for, and what nobody knows is no column.
func TestGridColumns(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.register(map[string][]string{"first_name": {"Vera"}, "last_name": {"Lang <b>"}, "email": {"vera@acme.example"}})
	if strings.Contains(admin.get("/apps").body, "Vera") {
		t.Error("the contact stands in a list that shows none")
	}
	viewer := p.as("viewer@acme.example")
	for cols, want := range map[string][2][]string{
		"":                      {nil, nil},
		"nothing,<script>":      {nil, nil},
		"scopes,contact,name":   {{"Contact", "Scopes"}, {"Vera Lang <b>", "1"}},
		"user":                  {{"API user"}, {"Client user"}},
		"contact,user,scopes,x": {{"Contact", "API user", "Scopes"}, {"Vera Lang <b>", "Client user", "1"}},
	} {
		heads, cells := optional(viewer.get("/apps?cols=" + url.QueryEscape(cols)).is(http.StatusOK))
		if diff := cmp.Diff(want, [2][]string{heads, cells}); diff != "" {
			t.Errorf("%s: %s", cols, diff)
		}
		heads, cells = optional(viewer.fragment("/apps?q=vera&cols="+url.QueryEscape(cols), "results").is(http.StatusOK))
		if diff := cmp.Diff(want, [2][]string{heads, cells}); diff != "" {
			t.Errorf("%s, searched: %s", cols, diff)
		}
	}
	p.deny("vera@acme.example")
	viewer.get("/apps?cols=contact").says("td .chip-bad", "Contact stale")
}

// TestGridChoosesColumns: the boxes of the form lead to an address with one value, and the form says what is shown.
func TestGridChoosesColumns(t *testing.T) {
	p := newPortal(t)
	p.fill(2)
	admin := p.as("admin@acme.example")
	list := admin.get("/apps?q=app&sort=created&per=25&cols=user&density=compact").is(http.StatusOK)
	form := list.form("form#columns")
	want := url.Values{"q": {"app"}, "sort": {"created"}, "per": {"25"}, "cols": {"user"}, "density": {"compact"}}
	if diff := cmp.Diff(want, form); diff != "" {
		t.Error(diff)
	}
	form["cols"] = []string{"scopes", "contact", "nothing"}
	if to := admin.get("/apps?" + form.Encode()).to(); to != "/apps?cols=contact%2Cscopes&density=compact&per=25&q=app&sort=created" {
		t.Errorf("it leads to %s", to)
	}
	form.Del("cols")
	if heads, _ := optional(admin.get("/apps?" + form.Encode()).is(http.StatusOK)); heads != nil {
		t.Errorf("without a box it shows %v", heads)
	}
}

// TestGridKeepsColumnsAndDensity: whatever is clicked, and whatever form is sent, both stay; saved views have them too.
func TestGridKeepsColumnsAndDensity(t *testing.T) {
	p := newPortal(t)
	p.fill(30)
	admin := p.as("admin@acme.example")
	const address = "/apps?cols=contact%2Cscopes&density=compact&per=25&q=app"
	list := admin.get(address).is(http.StatusOK)
	if list.Find("html[data-density=compact]").Length() != 1 || list.Find(".pager a[aria-current]").Last().Text() != "Compact" {
		t.Error("the rows are not dense")
	}
	keeps := func(what string, values url.Values) {
		t.Helper()
		if values.Get("cols") != "contact,scopes" || values.Get("density") != "compact" {
			t.Errorf("%s loses something: %v", what, values)
		}
	}
	links := 0
	list.Find(".tabs a, thead a, .filters a, .pager a, .results-count a").Each(func(_ int, s *selection) {
		u, err := url.Parse(s.AttrOr("href", ""))
		p.must(err)
		if s.Text() != "Normal" && !u.Query().Has("format") && s.Text() != "Saved views" {
			links++
			keeps(s.Text(), u.Query())
		}
	})
	if links < 16 {
		t.Errorf("%d links", links)
	}
	keeps("the search", list.form("search form"))
	keeps("the filter form", list.form("form.filter-form"))
	folded, err := url.Parse(admin.get(address + "&status=active").to())
	p.must(err)
	keeps("a filter", folded.Query())
	bulk := list.form("#bulk")
	keeps("the bulk form", bulk)
	asked := admin.post("/apps/bulk", with(bulk, map[string][]string{"all": {"on"}, "act": {"deactivate"}})).is(http.StatusOK)
	keeps("the question", asked.form("main form"))
	admin.save(address, "Dense", true).is(http.StatusSeeOther)
	if href := admin.get("/apps/views").Find("[data-open]").AttrOr("href", ""); href != address {
		t.Errorf("the view leads to %s", href)
	}
	admin.get(address).says(".tabs [aria-current]", "Dense")
	normal := admin.get("/apps?density=dense&cols=").is(http.StatusOK)
	if normal.Find("html[data-density]").Length() != 0 || normal.Find(".tabs [aria-current]").Text() != "All" {
		t.Error("a density that nobody knows is one")
	}
}

// TestGridCounts: live search says of how many apps it found some.
func TestGridCounts(t *testing.T) {
	p := newPortal(t)
	p.fill(12)
	admin := p.as("admin@acme.example")
	for address, want := range map[string]string{
		"/apps": "12 apps", "/apps?q=": "12 apps", "/apps?q=status:active": "6 of 12 apps", "/apps?q=007": "1 of 12 apps", "/apps?q=zeppelin": "0 apps",
	} {
		if got := admin.fragment(address, "results").Find("#results").AttrOr("data-status", ""); got != want {
			t.Errorf("%s says %q", address, got)
		}
	}
}
