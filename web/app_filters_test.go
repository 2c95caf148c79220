package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUI8_GridFiltersFold: the fields of the filter form become words of the search, at one address, and the form that comes
// back holds them again (ui.md §7 item 8).
func TestUI8_GridFiltersFold(t *testing.T) {
	p := newPortal(t)
	p.fill(3)
	admin := p.as("admin@acme.example")
	for query, want := range map[string]string{
		"category=customer":                         "category:customer",
		"category=&status=&used=":                   "",
		"q=app&status=active":                       "app status:active",
		"q=%22app&status=active":                    `"app" status:active`,
		"used=%3E90d&secret=expiring":               "secret:expiring used:>90d",
		"contact=ana+sil,web":                       "contact:ana contact:sil,web",
		"scope=core.invoice.read&by=silva&user=cli": "by:silva user:cli scope:core.invoice.read",
		"created_from=2026-01-01":                   "created:2026-01-01..",
		"created_from=2026-01-01&created_to=2026-01-01&modified_to=2026-11-30": "created:2026-01-01 modified:..2026-11-30",
		"q=-sap+foo%3Abar&category=msp":                                        "-sap foo:bar category:msp",
	} {
		to := admin.get("/apps?sort=created&" + query).is(http.StatusSeeOther).header.Get("Location")
		u, err := url.Parse(to)
		p.must(err)
		wantValues := url.Values{"sort": {"created"}}
		if want != "" {
			wantValues.Set("q", want)
		}
		if diff := cmp.Diff(wantValues, u.Query()); diff != "" || u.Path != "/apps" {
			t.Errorf("%s leads to %s (-want +got):\n%s", query, to, diff)
		}
		again := admin.get(to).is(http.StatusOK).form("#results details form")
		back := admin.get("/apps?" + again.Encode()).is(http.StatusSeeOther).header.Get("Location")
		v, err := url.Parse(back)
		p.must(err)
		if got := strings.Fields(v.Query().Get("q")); !sameWords(got, strings.Fields(want)) {
			t.Errorf("%s comes back as %q, want %q", query, got, want)
		}
	}
}

func sameWords(got, want []string) bool {
	count := map[string]int{}
	for _, w := range got {
		count[w]++
	}
	for _, w := range want {
		count[w]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestUI8_GridColumnsAreSearched: what a column shows can be searched for, by a word and by its key (ui.md §7 item 8).
func TestUI8_GridColumnsAreSearched(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	for _, q := range []string{
		"SAP", "name:sap", made.clientID, "id:" + made.clientID, "customer", "category:customer", "active", "status:active", "secret:ok", "used:never",
		"silva", "by:silva", "2026-11-22", "created:2026-11-22", "modified:2026-11-22", "contact:silva", "user:client", "scope:" + invoiceRead,
		"-status:inactive", "created:<1d", "modified:..2026-11-22",
	} {
		page := admin.get("/apps?q=" + url.QueryEscape(q)).is(http.StatusOK)
		if got := appNames(page); len(got) != 1 {
			t.Errorf("%q finds %v", q, got)
		}
		if none := admin.get("/apps?q=" + url.QueryEscape(q+" zeppelin")).is(http.StatusOK); len(appNames(none)) != 0 {
			t.Errorf("%q with another word finds something", q)
		}
	}
}

// TestGridSaysWhatIsAllowed: a value that its key does not take is told in words, and can be taken out again.
func TestGridSaysWhatIsAllowed(t *testing.T) {
	p := newPortal(t)
	p.fill(1)
	admin := p.as("admin@acme.example")
	for q, want := range map[string]string{
		"status:gone":            "“status:” takes active or inactive, not “gone”.",
		"category:friend":        "customer, partner, supplier or msp",
		"secret:new":             "ok, expiring, expired, two or none",
		"created:yesterday":      "2026-11-01..2026-11-22",
		"used:>90":               "takes never, a day",
		"name:":                  "Write what to look for right behind “name:”",
		strings.Repeat("x", 401): "at most 400 characters",
	} {
		page := admin.get("/apps?q="+url.QueryEscape(q)).is(http.StatusBadRequest).says("#results", want)
		if page.Find(".filters a[href='/apps']").Length() < 1 {
			t.Errorf("%q cannot be taken out", q)
		}
		admin.fragment("/apps?q="+url.QueryEscape(q), "results").is(http.StatusOK).says("#results", want)
	}
	admin.get("/apps?q=" + strings.Repeat("a%3Ab+", 1500)).is(http.StatusBadRequest)
	admin.get("/apps?q=owner%3Aana+-team%3Ax").is(http.StatusOK).says("#results", "owner:").says("#results", "team:")
}

// TestGridTabs: each tab is a search of its own, and the one whose search it is is the current one.
func TestGridTabs(t *testing.T) {
	p := newPortal(t)
	p.fill(2)
	admin := p.as("admin@acme.example")
	page := admin.get("/apps?per=25").is(http.StatusOK)
	for name, want := range map[string][]string{
		"All": {"App 001", "App 002"}, "Active": {"App 001"}, "Needs attention": {"App 001"}, "Unused 90 days": nil,
	} {
		link := page.Find(".tabs a").FilterFunction(func(_ int, s *selection) bool { return strings.TrimSpace(s.Text()) == name })
		tab := admin.get(link.AttrOr("href", "")).is(http.StatusOK)
		if diff := cmp.Diff(want, appNames(tab)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if got := strings.TrimSpace(tab.Find(".tabs a[aria-current]").Text()); got != name {
			t.Errorf("%s: the current tab is %q", name, got)
		}
	}
}
