package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web"
)

// The acceptance list of the portal as far as it is about every page: what the table of routes has is in these tests.

// common are the parameters of paths that are nobody's: names of scopes, topics of the help.
var common = []string{":name", ":task", ":api"}

// things are an organisation in which everything has happened once, as the values of all parameters of paths.
func (p *portal) things(org identity.Organisation, domain string) map[string]string {
	p.t.Helper()
	admin := p.as("admin@" + domain)
	user := string(p.apiUser(org, identity.KindClient).ID)
	made := admin.register(map[string][]string{
		"name": {"Ledger of " + org.Name}, "api_user": {user}, "second_first_name": {"Jo"}, "second_last_name": {"Weber"},
		"second_email": {"second@" + domain},
	})
	admin.register(map[string][]string{"name": {"Idle app of " + org.Name}, "api_user": {user}, "active": nil})
	p.accessToken(made.clientID, made.secret)
	p.token(made.clientID, "not the secret")
	p.token(made.clientID[:len(made.clientID)-1]+"0", "not the secret")
	p.flush()
	p.flushRejections()
	rotate := admin.get(made.path + "/secrets/new").form("main form")
	admin.post(made.path+"/secrets/new", with(rotate, map[string][]string{"do": {"create"}, "end": {"24h"}})).revealed()
	admin.get("/apps")
	admin.save("/apps?q=ledger", "Ledgers", true).is(http.StatusSeeOther)
	started := admin.post("/apps/bulk/start", url.Values{"act": {"activate"}, "ids": {string(made.id)}}).is(http.StatusSeeOther).header.Get("Location")
	p.work()

	values := unknown()
	values[":id"], values[":sid"] = string(made.id), string(admin.p.appOf(domain, made.id).Secrets[0].ID)
	values[":robot"], values[":group"] = p.robotAndGroup(org)
	values[":job"] = strings.TrimPrefix(started, "/jobs/")
	values[":view"] = strings.TrimPrefix(admin.get("/apps/views").Find("a[href^='/apps/views/']").First().AttrOr("href", ""), "/apps/views/")
	return values
}

// withHandOff adds a link for somebody to the things; there is no room for one while two secrets work.
func (p *portal) withHandOff(values map[string]string, domain string) map[string]string {
	p.t.Helper()
	admin := p.as("admin@" + domain)
	path := "/apps/" + values[":id"]
	retire := path + "/secrets/" + values[":sid"] + "/retire"
	admin.follow(admin.post(retire, admin.get(retire).is(http.StatusOK).form("main form")))
	admin.handOff(registered{path: path}, nil)
	withdraw := admin.get(path).Find("a[href$='/withdraw']").AttrOr("href", "")
	values[":hid"] = strings.TrimSuffix(strings.TrimPrefix(withdraw, path+"/hand-offs/"), "/withdraw")
	for name, value := range values {
		if value == "" || strings.Contains(value, "/") {
			p.t.Fatalf("the organisation has no %s: %q", name, value)
		}
	}
	return values
}

// appOf reads an app past all pages.
func (p *portal) appOf(domain string, id registry.AppID) registry.App {
	p.t.Helper()
	app, err := p.registry.App(p.t.Context(), p.actor("admin@"+domain), id)
	p.must(err)
	return app
}

// TestUI2_EveryPage: no answer of any route, asked rightly or wrongly by anybody, holds what the content security policy
// would stop, and none looks unfinished.
func TestUI2_EveryPage(t *testing.T) {
	p := newPortal(t)
	p.platform()
	crawl := func(method string, values map[string]string) {
		for _, email := range []string{"", "admin@acme.example", "viewer@acme.example", "guest@acme.example", "root@platform.example", "support@platform.example"} {
			for _, route := range web.Routes() {
				if route.Method != method {
					continue
				}
				b := p.stranger()
				if email != "" {
					b = p.as(email)
				}
				got := ask(b, method, target{parameters: values}.fill(t, route.Path))
				if strings.HasPrefix(got.header.Get("Content-Type"), "text/html") && got.body != "" {
					plainMarkup(t, email, got)
				}
			}
		}
	}
	things := p.things(p.acme, "acme.example")
	crawl(http.MethodGet, things) // while two secrets work
	crawl(http.MethodGet, p.withHandOff(things, "acme.example"))
	off := maps.Clone(things)
	off[":id"] = p.idsOf("idle")[0]
	crawl(http.MethodGet, off)
	crawl(http.MethodPost, things) // last, since it may end what is looked at
}

// plainMarkup fails on what the policy would stop, on what a template left undone, and on a page without its one heading.
func plainMarkup(t *testing.T, who string, a *page) {
	t.Helper()
	inert(t, a)
	if a.Find("style, [http-equiv], iframe, object, embed, base, script:not([src^='/static/'])").Length() > 0 {
		t.Errorf("%s: an element that the policy stops", a.path)
	}
	for _, undone := range []string{"<no value>", "%!", "{{", "i18n:", "0001-01-01", "1 Jan 1970"} {
		if strings.Contains(a.body, undone) {
			t.Errorf("%s for %q (%d) holds %q", a.path, who, a.status, undone)
		}
	}
	if a.Find("h1").Length() != 1 || a.Find("main").Length() != 1 || a.text("title") == "" {
		t.Errorf("%s for %q (%d): %d headings, title %q", a.path, who, a.status, a.Find("h1").Length(), a.text("title"))
	}
}

// leadsTo is the route that a request goes to, by the table.
func leadsTo(method, address string) (web.Route, bool) {
	u, err := url.Parse(address)
	if err != nil {
		return web.Route{}, false
	}
	var best web.Route
	fewest := -1
	for _, route := range web.Routes() {
		parts, pattern := strings.Split(u.Path, "/"), strings.Split(route.Path, "/")
		if route.Method != method || len(parts) != len(pattern) {
			continue
		}
		free, fits := 0, true
		for i := range parts {
			if strings.HasPrefix(pattern[i], ":") {
				free++
			} else if pattern[i] != parts[i] {
				fits = false
			}
		}
		if fits && (fewest < 0 || free < fewest) {
			best, fewest = route, free
		}
	}
	return best, fewest >= 0
}

// controls are the requests that a page offers, as method and address.
func controls(a *page) map[[2]string]bool {
	list := map[[2]string]bool{}
	a.Find("a[href]").Each(func(_ int, s *selection) { list[[2]string{http.MethodGet, s.AttrOr("href", "")}] = true })
	a.Find("form").Each(func(_ int, s *selection) {
		method := strings.ToUpper(s.AttrOr("method", "get"))
		list[[2]string{method, s.AttrOr("action", a.path)}] = true
		s.Find("[formaction]").Each(func(_ int, b *selection) { list[[2]string{method, b.AttrOr("formaction", "")}] = true })
	})
	return list
}

// TestUI9_NoControlBeyondRights: on no page does anybody find a link, form or button to what they may not do. Viewers
// find nothing that creates, edits, rotates or deletes; what the POSTs answer is in the matrix of C52.
func TestUI9_NoControlBeyondRights(t *testing.T) {
	p := newPortal(t)
	things := p.withHandOff(p.things(p.acme, "acme.example"), "acme.example")
	off := maps.Clone(things)
	off[":id"] = p.idsOf("idle")[0]
	p.platform()
	machines := map[string]bool{}
	for _, m := range web.Machines(p.handler.(*web.Server)) {
		machines[m.Path] = true
	}
	for email, pages := range map[string]int{"viewer@acme.example": 19, "guest@acme.example": 4, "support@platform.example": 5, "admin@acme.example": 40} {
		rights, b, seen := p.actor(email).Rights, p.as(email), 0
		addresses := []string{"/apps?q=nothing+matches", "/apps?q=status:gone", "/no/such/page"}
		for _, values := range []map[string]string{things, off} {
			for _, route := range web.Routes() {
				if route.Method == http.MethodGet {
					addresses = append(addresses, target{parameters: values}.fill(t, route.Path))
				}
			}
		}
		for _, address := range addresses {
			got := b.get(address)
			if got.status == http.StatusOK {
				seen++
			}
			for control := range controls(got) {
				route, known := leadsTo(control[0], control[1])
				switch {
				case strings.HasPrefix(control[1], "#"), strings.HasPrefix(control[1], "mailto:"):
				case control[0] == http.MethodGet && machines[control[1]]:
				case !known:
					t.Errorf("%s on %s: %v leads nowhere", email, address, control)
				case route.Right != "" && !rights.Has(route.Right) && (route.Or == "" || !rights.Has(route.Or)):
					t.Errorf("%s on %s: %v needs %s", email, address, control, route.Right)
				}
			}
		}
		if seen < pages {
			t.Errorf("%s saw %d pages only", email, seen)
		}
	}
	if manage := access.AppsManage; p.actor("viewer@acme.example").Rights.Has(manage) {
		t.Error("the viewer may manage, so this proves nothing")
	}
}

// TestUI17_EveryRoute: in every path, each ID of another organisation is answered 404 in the words for one that nobody
// has, alone and among one's own, and what it is about stays as it is.
func TestUI17_EveryRoute(t *testing.T) {
	p := newPortal(t)
	theirs := p.withHandOff(p.things(p.acme, "acme.example"), "acme.example")
	own := p.withHandOff(p.things(p.globex, "globex.example"), "globex.example")
	nobodys := unknown()
	before := p.seen(theirs)
	tried := map[string]bool{}
	for _, route := range web.Routes() {
		for name := range strings.SplitSeq(route.Path, "/") {
			if !strings.HasPrefix(name, ":") || slices.Contains(common, name) {
				continue
			}
			tried[name] = true
			var words [2]string
			for i, id := range []string{theirs[name], nobodys[name]} {
				values := maps.Clone(own)
				values[name] = id
				path := target{parameters: values}.fill(t, route.Path)
				got := ask(p.as("admin@globex.example"), route.Method, path).is(http.StatusNotFound)
				words[i] = strings.ReplaceAll(got.text("main"), id, "ID")
			}
			if diff := cmp.Diff(words[1], words[0]); diff != "" {
				t.Errorf("%s %s tells another organisation's %s from nobody's: %s", route.Method, route.Path, name, diff)
			}
			path := target{parameters: theirs}.fill(t, route.Path)
			ask(p.as("admin@globex.example"), route.Method, path).is(http.StatusNotFound)
		}
	}
	for name := range own {
		if !tried[name] && !slices.Contains(common, name) {
			t.Errorf("no route has %s", name)
		}
	}
	if diff := cmp.Diff(before, p.seen(theirs)); diff != "" {
		t.Errorf("Globex changed something of Acme: %s", diff)
	}
}

// seen is what Acme's administrator reads of the things.
func (p *portal) seen(values map[string]string) []string {
	p.t.Helper()
	b := p.as("admin@acme.example")
	app := "/apps/" + values[":id"]
	var texts []string
	for _, path := range []string{app, app + "/history", "/apps/views", "/jobs/" + values[":job"], app + "/hand-offs/" + values[":hid"] + "/withdraw"} {
		texts = append(texts, b.get(path).is(http.StatusOK).text("main"))
	}
	return texts
}

// searches are, by the head of a column, searches that find the app of TestUI8_EveryColumnHasASearch by what it shows there.
var searches = map[string][]string{
	"Name":          {"name:ledger", "ledger"},
	"Category":      {"category:customer", "customer"},
	"Status":        {"status:active", "active"},
	"Secret":        {"secret:two"},
	"Last used":     {"used:2026-11-22", "-used:never", "used:<1d"},
	"Created by":    {"by:silva", "silva"},
	"Created at":    {"created:2026-11-22", "22.11.2026"},
	"Last modified": {"modified:2026-11-22", "2026-11-22"},
	"Contact":       {"contact:weber", "contact:second@acme.example", "weber"},
	"API user":      {"user:client"},
	"Scopes":        {"scope:" + invoiceRead},
}

// TestUI8_EveryColumnHasASearch: what stands in a column of the list can be searched for by its key, where words do, by a
// word, and with a minus in front it finds every other app.
func TestUI8_EveryColumnHasASearch(t *testing.T) {
	p := newPortal(t)
	p.things(p.acme, "acme.example")
	admin := p.as("admin@acme.example")
	all := url.Values{}
	admin.get("/apps").is(http.StatusOK).Find("input[name=cols]").Each(func(_ int, s *selection) { all.Add("cols", s.AttrOr("value", "")) })
	list := admin.follow(admin.get("/apps?" + all.Encode())).is(http.StatusOK)
	var names []string
	list.Find("#results thead th:not(:last-child)").Each(func(_ int, s *selection) { names = append(names, strings.TrimSpace(s.Text())) })
	slices.Sort(names)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(searches)), names); diff != "" {
		t.Errorf("columns (-with a search +shown):\n%s", diff)
	}
	for name, queries := range searches {
		for _, q := range queries {
			if got := appNames(admin.get("/apps?q=" + url.QueryEscape(q)).is(http.StatusOK)); !slices.Contains(got, "Ledger of Acme") {
				t.Errorf("%s: %q finds %v", name, q, got)
			}
			if strings.HasPrefix(q, "-") {
				continue
			}
			if got := appNames(admin.get("/apps?q=" + url.QueryEscape("-"+q)).is(http.StatusOK)); slices.Contains(got, "Ledger of Acme") {
				t.Errorf("%s: what is not %q holds the app", name, q)
			}
		}
	}
}

// TestUI8_EveryFilterComesBack: each choice of the filter form, and all of them at once, stands in the address that the
// form leads to and in the form that this address shows.
func TestUI8_EveryFilterComesBack(t *testing.T) {
	p := newPortal(t)
	p.fill(2)
	admin := p.as("admin@acme.example")
	form := admin.get("/apps?q=zeppelin").is(http.StatusOK).Find("#results details form")
	states, all := []url.Values{}, url.Values{}
	choose := func(name, value string) {
		states = append(states, url.Values{name: {value}})
		all.Set(name, value)
	}
	form.Find("select").Each(func(_ int, s *selection) {
		s.Find("option").Each(func(_ int, option *selection) {
			if value := option.AttrOr("value", ""); value != "" {
				choose(s.AttrOr("name", ""), value)
			}
		})
	})
	form.Find("input:not([type=hidden])").Each(func(i int, s *selection) {
		if s.AttrOr("type", "") == "date" {
			choose(s.AttrOr("name", ""), "2026-11-22")
		} else {
			choose(s.AttrOr("name", ""), "some")
		}
	})
	if len(states) < 20 || len(all) < 10 {
		t.Fatalf("%d states of %d filters: %v", len(states), len(all), all)
	}
	for _, state := range append(states, all) {
		shown := admin.get(admin.get("/apps?" + state.Encode()).is(http.StatusSeeOther).to()).is(http.StatusOK)
		got := shown.form("#results details form")
		maps.DeleteFunc(got, func(_ string, values []string) bool { return values[0] == "" })
		if diff := cmp.Diff(state, got); diff != "" {
			t.Errorf("%s comes back otherwise (-want +got):\n%s", state.Encode(), diff)
		}
		if chips := shown.Find("#results .filters .filter").Length(); chips == 0 {
			t.Errorf("%s: nothing on the page says so", state.Encode())
		}
	}
}
