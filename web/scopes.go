package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// The addresses of the pages about scopes, built here and nowhere else. The route table has their patterns.
const (
	scopesPath   = "/scopes"
	addScopePath = "/scopes/add"
)

func scopePath(name string) string { return scopesPath + "/" + url.PathEscape(name) }

// withScopes is an address with scopes in its query.
func withScopes(path string, names []string) string {
	return path + "?" + url.Values{"scope": names}.Encode()
}

// scopesPage answers /scopes: the catalogue, its search and its filters, all of whose state stands in the address, ticked
// scopes included (ui.md §4.6). A button of the bar sends the same form and leads on.
func (s *Server) scopesPage(c *call) error {
	list := readScopeList(c)
	if to := list.leadsTo(c); to != "" {
		return c.redirect(to)
	}
	var use map[string]int
	if c.actor.Has(access.AppsView) {
		var err error
		if use, err = s.Registry.ScopeUse(c.ctx(), c.actor); err != nil {
			return err
		}
	}
	results := newScopeFinder(c, list, use).results()
	if c.fragment() == "results" {
		return c.render(http.StatusOK, templates.ScopeResultsSection(results))
	}
	status := http.StatusOK
	if results.State == templates.ScopesTooLong {
		status = http.StatusBadRequest
	}
	return c.render(status, list.whole(c, results))
}

// scopeList is the state of the list of scopes: the query parameters of /scopes and nothing else.
type scopeList struct {
	text   string
	in     string   // an API's key, or "key/object"; "" is everywhere
	kinds  []string // codes; none is any
	used   bool     // only scopes that an app of the organisation holds
	chosen []string // ticked, in the order of the address
	page   int      // 1 is the first
	do     string
}

// kindCodes are the kinds of scopes in the order pages show them.
func kindCodes() []string {
	return []string{string(scope.KindRead), string(scope.KindWrite), string(scope.KindDelete), string(scope.KindSpecial)}
}

// readScopeList reads the state. What nobody offers (a kind, a scope that cannot be ticked) is left out: a link from
// elsewhere may be old.
func readScopeList(c *call) scopeList {
	query := c.QueryParams()
	list := scopeList{
		text: searchedFor(oneQuery(c, "q")), in: oneQuery(c, "in"), do: oneQuery(c, "do"), page: 1,
		used: oneQuery(c, "used") == "on" && c.actor.Has(access.AppsView),
	}
	for _, kind := range kindCodes() {
		if slices.Contains(query["kind"], kind) {
			list.kinds = append(list.kinds, kind)
		}
	}
	for _, name := range distinct(query["scope"]) {
		if s, ok := c.catalogue().Scope(name); ok && s.Grantable() && !takenOff(query, name) {
			list.chosen = append(list.chosen, name)
		}
	}
	if n, err := strconv.Atoi(oneQuery(c, "page")); err == nil && n > 1 {
		list.page = n
	}
	return list
}

// takenOff reports whether the tick was taken off one of the rows in which a scope stood ticked: of n rows, n-1 send
// again besides (templates.Scopes).
func takenOff(query url.Values, name string) bool {
	times := func(parameter string) (n int) {
		for _, value := range query[parameter] {
			if value == name {
				n++
			}
		}
		return n
	}
	return times("scope") <= times("again")
}

// searchedFor is what was typed into a search for scopes; of a pasted command line of curl, the call it makes. The rest
// may be a stranger's token, which stands on no page.
func searchedFor(typed string) string {
	if call, ok := scope.Curl(typed); ok {
		return call
	}
	return typed
}

// dropCommands answers a search for a command line of curl with the address of a search for its call, before the rest
// of it is passed on by any redirect or stays in the browser's history.
func (s *Server) dropCommands(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		values := c.QueryParams()
		typed := values.Get("q")
		text := searchedFor(typed)
		fragment := c.Request().Header.Get("X-Fragment") != "" // answered as it is: the script follows no redirect
		if c.Request().URL.Path != scopesPath || !safeMethod(c.Request().Method) || text == typed || fragment {
			return next(c)
		}
		values.Set("q", text)
		return c.Redirect(http.StatusSeeOther, scopesPath+"?"+values.Encode())
	}
}

// leadsTo is where a button of the bar leads; "" for none, for nothing ticked, and for whoever may not go there.
func (l scopeList) leadsTo(c *call) string {
	if len(l.chosen) == 0 || !c.actor.Has(access.AppsManage) {
		return ""
	}
	switch l.do {
	case "app":
		return newAppWith(l.chosen)
	case "add":
		return withScopes(addScopePath, l.chosen)
	default:
		return ""
	}
}

// newAppWith is the address of the form of a new app with scopes ticked.
func newAppWith(names []string) string { return withScopes(newAppPath, names) }

// href is the address of this state, on its first page.
func (l scopeList) href() string {
	values := url.Values{}
	for name, value := range map[string]string{"q": l.text, "in": l.in} {
		if strings.TrimSpace(value) != "" {
			values.Set(name, value)
		}
	}
	if l.used {
		values.Set("used", "on")
	}
	if len(l.kinds) > 0 {
		values["kind"] = l.kinds
	}
	if len(l.chosen) > 0 {
		values["scope"] = l.chosen
	}
	if len(values) == 0 {
		return scopesPath
	}
	return scopesPath + "?" + values.Encode()
}

// narrowed reports whether anything is searched for or filtered.
func (l scopeList) narrowed() bool {
	return strings.TrimSpace(l.text) != "" || l.in != "" || len(l.kinds) > 0 || l.used
}

// maxToken is how much of a search a chip shows, in characters.
const maxToken = 60

// filters are the chips above the list: each takes one thing out of the state. where is the
// name of what the search is narrowed to.
func (l scopeList) filters(where string) []templates.ScopeFilter {
	var chips []templates.ScopeFilter
	add := func(code, value string, rest scopeList) {
		if runes := []rune(value); len(runes) > maxToken {
			value = string(runes[:maxToken]) + "…"
		}
		chips = append(chips, templates.ScopeFilter{Code: code, Value: value, RemoveHref: rest.href()})
	}
	if text := strings.TrimSpace(l.text); text != "" {
		rest := l
		rest.text = ""
		add("q", text, rest)
	}
	if l.in != "" {
		rest := l
		rest.in = ""
		add("in", where, rest)
	}
	for _, kind := range l.kinds {
		rest := l
		rest.kinds = slices.DeleteFunc(slices.Clone(l.kinds), func(k string) bool { return k == kind })
		add("kind", kind, rest)
	}
	if l.used {
		rest := l
		rest.used = false
		add("used", "", rest)
	}
	return chips
}

// clearHref is the list without any filter, ticked scopes kept; "" when there is none.
func (l scopeList) clearHref() string {
	if !l.narrowed() {
		return ""
	}
	return scopeList{chosen: l.chosen}.href()
}

// whole is the page around the results.
func (l scopeList) whole(c *call, results templates.ScopeResults) templ.Component {
	view := templates.Scopes{
		Frame: c.frame("scopes"), Query: l.text, SecretHint: oneQuery(c, "hint") == "secret", In: l.in,
		OffersUsed: c.actor.Has(access.AppsView), Used: l.used, Results: results,
	}
	for _, kind := range kindCodes() {
		view.Kinds = append(view.Kinds, templates.ScopeKind{Code: kind, Checked: slices.Contains(l.kinds, kind)})
	}
	for _, api := range c.catalogue().APIs() {
		within := templates.ScopeWithin{Value: api.Key, Title: api.Title}
		for _, o := range api.Objects {
			within.Objects = append(within.Objects, templates.ScopeObjectChoice{Value: api.Key + "/" + o.Name, Name: o.Name})
		}
		view.Within = append(view.Within, within)
	}
	return templates.ScopesPage(view)
}
