package scope

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a search. What is typed beyond them finds nothing (MaxQuery) or is ignored (words).
const (
	MaxQuery    = 2048 // bytes; a pasted URL may be long
	maxWords    = 8
	maxNearest  = 3
	minNearness = 4 // bytes of path in common, slash included, to be called near
)

// By says what made a search find something.
type By string

// What a search looks at, most telling first.
const (
	ByName       By = "name"
	BySpelling   By = "spelling" // a spelling seen in print
	ByCall       By = "call"
	ByObject     By = "object"
	ByPermission By = "permission" // an entry of the vendor's permission list
)

// Why is one reason for a hit: what was looked at, and its text as the catalogue has it.
type Why struct {
	By   By
	Text string
}

// Hit is a scope that was found.
type Hit struct {
	Scope string
	Why   []Why // empty when nothing was asked for
}

// Result is what a search found. A query that reads as a call fills Calls, with the scopes that open them in Hits. When
// there is no such call, NoCall says so, Nearest names others, and the rest is what the words of the query are found in.
type Result struct {
	Hits    []Hit
	Calls   []Opened // also those that no scope opens
	Nearest []Opened
	NoCall  bool // the query reads as a call, and none like it is published
	// Objects are those found by their own names or calls; none when nothing was asked for.
	Objects []Object
	// Unpublished are those of them for which no scope is published, so that a page can say so.
	Unpublished []Object
}

// addObject enters an object once.
func addObject(r *Result, object Object) {
	if slices.ContainsFunc(r.Objects, func(o Object) bool { return o.API == object.API && o.Name == object.Name }) {
		return
	}
	r.Objects = append(r.Objects, object)
	if object.Unpublished() {
		r.Unpublished = append(r.Unpublished, object)
	}
}

// Has reports whether the scope was found.
func (r Result) Has(scope string) bool {
	return slices.ContainsFunc(r.Hits, func(h Hit) bool { return h.Scope == scope })
}

// Search finds scopes for a person who types a scope, an object, a call such as "POST /invoices", or pastes a full URL.
// Case does not count. Each word must stand in the scope's name, a printed spelling of it, one of its objects, calls or
// permissions. An empty query finds every scope, without reasons. Withheld scopes are found too: what is offered is the
// caller's choice. Search is lenient and must never decide over a call.
func (c *Catalogue) Search(query string) Result {
	query = strings.TrimSpace(query)
	if len(query) > MaxQuery || !utf8.ValidString(query) {
		return Result{}
	}
	asked, isCall := parseAsked(query)
	if isCall {
		if r := c.searchCall(asked); len(r.Calls) > 0 {
			return r
		}
	}
	r := c.searchWords(searchWords(query))
	if isCall && (asked.surely || len(r.Hits) == 0 && len(r.Unpublished) == 0) {
		r.NoCall, r.Nearest = true, c.nearest(asked)
	}
	return r
}

// searchWords splits a query into folded words. An underscore separates like a space, as the sources write one name
// either way.
func searchWords(query string) []string {
	words := strings.Fields(fold(query))
	return words[:min(len(words), maxWords)]
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", " ") }

func (c *Catalogue) searchWords(words []string) Result {
	var r Result
	for _, s := range c.scopes {
		if why, ok := matchWords(words, looks(s)); ok {
			r.Hits = append(r.Hits, Hit{Scope: s.Name, Why: why})
		}
	}
	if len(words) == 0 {
		return r
	}
	slices.SortStableFunc(r.Hits, func(a, b Hit) int { return cmp.Compare(rank(a, words), rank(b, words)) })
	for _, api := range c.apis {
		for _, object := range api.Objects {
			if _, ok := matchWords(words, objectLooks(object)); ok {
				addObject(&r, object)
			}
		}
	}
	return r
}

// rank puts the scope that was typed in full first, then those found by name alone.
func rank(h Hit, words []string) int {
	switch {
	case fold(h.Scope) == strings.Join(words, " "):
		return 0
	case len(h.Why) == 1 && (h.Why[0].By == ByName || h.Why[0].By == BySpelling):
		return 1
	default:
		return 2
	}
}

// looks returns what a search looks at for a scope, most telling first.
func looks(s Scope) []Why {
	all := []Why{{ByName, s.Name}}
	for _, printed := range s.AlsoSpelled {
		all = append(all, Why{BySpelling, printed})
	}
	for _, o := range s.Opens {
		all = append(all, Why{ByCall, o.Call.String()})
	}
	for _, o := range s.Objects {
		all = append(all, Why{ByObject, o})
	}
	for _, p := range s.Permissions {
		all = append(all, Why{ByPermission, p.Resource + ": " + strings.Join(p.Actions, ", ")})
	}
	return all
}

func objectLooks(o Object) []Why {
	all := []Why{{ByObject, o.Name}}
	for _, call := range o.Calls {
		all = append(all, Why{ByCall, call.String()})
	}
	return all
}

// matchWords reports whether every word stands in one of the texts, and why: the first text that has all words, else for
// each word the first text that has it.
func matchWords(words []string, texts []Why) ([]Why, bool) {
	if len(words) == 0 {
		return nil, true
	}
	folded := make([]string, len(texts))
	for i, t := range texts {
		folded[i] = fold(t.Text)
	}
	whole := slices.IndexFunc(folded, func(text string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
	})
	if whole >= 0 {
		return []Why{texts[whole]}, true
	}
	var why []Why
	for _, word := range words {
		i := slices.IndexFunc(folded, func(text string) bool { return strings.Contains(text, word) })
		if i < 0 {
			return nil, false
		}
		if !slices.Contains(why, texts[i]) {
			why = append(why, texts[i])
		}
	}
	return why, true
}

// askedCall is a query that reads as a call.
type askedCall struct {
	method string   // upper case; "" when none was typed
	path   []string // folded segments
	surely bool     // it cannot be but a call: with a method, a slash at its beginning, or as an address of the web
}

// parseAsked reads "[METHOD] path" or "[METHOD] URL". It wants a slash and no further words.
func parseAsked(query string) (askedCall, bool) {
	fields := strings.Fields(query)
	var a askedCall
	if len(fields) == 2 {
		a.method = strings.ToUpper(fields[0])
		if a.method == "HEAD" {
			a.method = "GET"
		}
		if !slices.Contains(Methods(), a.method) {
			return askedCall{}, false
		}
		fields = fields[1:]
	}
	if len(fields) != 1 || !strings.Contains(fields[0], "/") {
		return askedCall{}, false
	}
	path := fields[0]
	a.surely = len(strings.Fields(query)) == 2 || path[0] == '/' || strings.Contains(path, "://")
	if _, rest, isURL := strings.Cut(path, "://"); isURL {
		_, path, _ = strings.Cut(rest, "/")
	}
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	a.path = strings.FieldsFunc(strings.ToLower(path), func(r rune) bool { return r == '/' })
	return a, len(a.path) > 0
}

// below returns the readings of the path as one below the base path: as it stands, and from behind the base path
// wherever that begins, since hosts and organisations may stand before it.
func (a askedCall) below(base []string) [][]string {
	readings := [][]string{a.path}
	for i := 0; i+len(base) < len(a.path); i++ {
		if slices.Equal(a.path[i:i+len(base)], base) {
			return append(readings, a.path[i+len(base):])
		}
	}
	return readings
}

// fits reports whether the path is one of the template's: letters in any case, any text for a parameter.
func (t template) fits(path []string) bool {
	if len(t) != len(path) {
		return false
	}
	for i, s := range t {
		if !s.parameter && strings.ToLower(s.text) != path[i] {
			return false
		}
	}
	return true
}

func (c *Catalogue) searchCall(asked askedCall) Result {
	var r Result
	c.eachCall(func(at place) {
		if asked.method != "" && asked.method != at.opened.Call.Method {
			return
		}
		if slices.ContainsFunc(asked.below(at.base), at.template.fits) {
			addCall(&r, at)
		}
	})
	return r
}

// addCall enters a call that was asked for, and what opens it.
func addCall(r *Result, at place) {
	r.Calls = append(r.Calls, at.opened)
	addObject(r, at.object)
	why := Why{ByCall, at.opened.Call.String()}
	for _, name := range at.opened.Call.AnyOf {
		i := slices.IndexFunc(r.Hits, func(h Hit) bool { return h.Scope == name })
		if i < 0 {
			r.Hits = append(r.Hits, Hit{Scope: name, Why: []Why{why}})
		} else if !slices.Contains(r.Hits[i].Why, why) {
			r.Hits[i].Why = append(r.Hits[i].Why, why)
		}
	}
}

// nearest returns the calls whose paths differ from the one asked for by a few characters, or by the method alone; where
// there are none, those that begin most like it. Of equal ones those of its method come first.
func (c *Catalogue) nearest(asked askedCall) []Opened {
	type near struct {
		call  Opened
		score int
	}
	var found []near
	c.eachCall(func(at place) {
		score := nearness(asked, at)
		if score == 0 {
			return
		}
		score *= 2
		if at.opened.Call.Method == asked.method {
			score++
		}
		found = append(found, near{at.opened, score})
	})
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Compare(b.score, a.score) })
	var calls []Opened
	for _, n := range found[:min(len(found), maxNearest)] {
		if found[0].score > MaxQuery && n.score <= MaxQuery {
			break
		}
		calls = append(calls, n.call)
	}
	return calls
}

// nearness is 0 for a call that is not near, else higher the nearer it is: beyond MaxQuery for one that is misspelled,
// up to it for one that only begins alike.
func nearness(asked askedCall, at place) int {
	nearest := 0
	for _, reading := range asked.below(at.base) {
		if slips, ok := at.template.slip(reading); ok {
			nearest = max(nearest, 2*MaxQuery-slips)
		}
		path := "/" + strings.Join(reading, "/")
		if common := commonPrefix(path, strings.ToLower(at.opened.Call.Path)); common >= minNearness {
			nearest = max(nearest, min(common, MaxQuery/2-1))
		}
	}
	return nearest
}

// place is a call with all that a search wants to know about where it stands.
type place struct {
	opened   Opened
	object   Object
	template template
	base     []string // folded segments of the API's base path
}

// eachCall visits every call that requests are matched to.
func (c *Catalogue) eachCall(visit func(place)) {
	for _, api := range c.apis {
		base := strings.Split(strings.ToLower(strings.TrimPrefix(api.BasePath, "/")), "/")
		for _, object := range api.Objects {
			for _, call := range object.Calls {
				t, err := parseTemplate(call.Path)
				if err != nil || !call.Matches() {
					continue
				}
				visit(place{Opened{API: api.Key, Object: object.Name, Call: call}, object, t, base})
			}
		}
	}
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
