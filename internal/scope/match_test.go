package scope_test

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"credenza.example/credenza/internal/scope"
)

// The rules of protocol.md §7 on the built-in catalogue: what a request is, and what it is not.
func TestMatch(t *testing.T) {
	tests := []struct {
		api, request string // method and path
		want         string // the call; "" when denied
		anyOf        string
	}{
		{"coupa-core", "GET /api/invoices", "GET /invoices", "core.invoice.read"},
		{"coupa-core", "HEAD /api/invoices", "GET /invoices", "core.invoice.read"},
		{"coupa-core", "POST /api/invoices", "POST /invoices", "core.invoice.create core.invoice.write"},
		{"coupa-core", "PATCH /api/invoices/17", "PATCH /invoices/{id}", "core.invoice.write"},
		{"coupa-core", "GET /api/invoices/INV_2026-1", "GET /invoices/{id}", "core.invoice.read"},
		{"coupa-core", "GET /api/invoices/" + strings.Repeat("x", 64), "GET /invoices/{id}", "core.invoice.read"},
		{"coupa-core", "GET /api/items", "GET /items", ""},
		{"coupa-core", "PUT /api/close_purchaseorders/5", "PUT /close_purchaseorders/{id}", "core.purchase_order.write"},
		{"coupa-core", "PUT /api/purchase_orders/5/cancel", "PUT /purchase_orders/{id}/cancel", "core.purchase_order.write"},
		{"coupa-core", "GET /api/contracts/1/attachments/2", "GET /contracts/{contractId}/attachments/{attachmentId}", "core.contract.read"},
		{"ccw", "POST /api/candidates/search", "POST /candidates/search", "ccw.candidates"},
		{"identity-pm", "GET /identity_/api/Group/0192", "GET /Group/{partitionGlobalId}", "PM.Group PM.Group.Read"},
		{"integration-service", "GET /connections_/api/v1/Connections/9/token", "GET /v1/Connections/{id}/token", "IS.Connections.Token"},

		// Another API, another method, no base path, or what is not served here.
		{"ccw", "GET /api/invoices", "", ""},
		{"Coupa-Core", "GET /api/invoices", "", ""},
		{"", "GET /api/invoices", "", ""},
		{"coupa-core", "DELETE /api/invoices/17", "", ""},
		{"coupa-core", "PUT /api/invoices/17", "", ""},
		{"coupa-core", "get /api/invoices", "", ""},
		{"coupa-core", "head /api/invoices", "", ""},
		{"coupa-core", "OPTIONS /api/invoices", "", ""},
		{"coupa-core", "TRACE /api/invoices", "", ""},
		{"coupa-core", " /api/invoices", "", ""},
		{"coupa-core", "GET /invoices", "", ""},
		{"coupa-core", "GET /api", "", ""},
		{"coupa-core", "GET /", "", ""},
		{"coupa-core", "GET ", "", ""},
		{"coupa-core", "GET api/invoices", "", ""},
		{"coupa-core", "GET /API/invoices", "", ""},
		{"coupa-core", "GET /api/Invoices", "", ""},
		{"coupa-core", "GET /api/invoices/17/18", "", ""},
		{"identity-pm", "GET /identity_/api/ExternalClient/1", "", ""},
		{"identity-pm", "GET /acme/main/identity_/api/Group/0192", "", ""},
		{"credenza", "GET /api/v1/apps", "", ""},

		// What two readers may read in two ways.
		{"coupa-core", "GET /api/invoices/", "", ""},
		{"coupa-core", "GET /api/invoices.", "", ""},
		{"coupa-core", "GET /api/invoices/17.", "", ""},
		{"coupa-core", "GET //api/invoices", "", ""},
		{"coupa-core", "GET /api//invoices", "", ""},
		{"coupa-core", "GET /api/./invoices", "", ""},
		{"coupa-core", "GET /api/users/../invoices", "", ""},
		{"coupa-core", "GET /api/invoices/..", "", ""},
		{"coupa-core", "GET /api/invoices/17;v=1", "", ""},
		{"coupa-core", "GET /api/invoices;x", "", ""},
		{"coupa-core", "GET /api/%69nvoices", "", ""},
		{"coupa-core", "GET /api%2Finvoices", "", ""},
		{"coupa-core", "GET /api/invoices/1%2F2", "", ""},
		{"coupa-core", "GET /api/invoices/..%2fusers", "", ""},
		{"coupa-core", `GET /api\invoices`, "", ""},
		{"coupa-core", `GET /api/invoices\17`, "", ""},
		{"coupa-core", "GET /api/invoices/1 7", "", ""},
		{"coupa-core", "GET /api/invoices/17\t", "", ""},
		{"coupa-core", "GET /api/invoices/17\n", "", ""},
		{"coupa-core", "GET /api/invoices/\x00", "", ""},
		{"coupa-core", "GET /api/invoices/\x7f", "", ""},
		{"coupa-core", "GET /api/invoices/ä", "", ""},
		{"coupa-core", "GET /api/ınvoices", "", ""},
		{"coupa-core", "GET /api/invoices/17?x=1", "", ""},
		{"coupa-core", "GET /api/invoices#", "", ""},
		{"coupa-core", "GET /api/invoices/a.b", "", ""},
		{"coupa-core", "GET /api/invoices/{id}", "", ""},
		{"coupa-core", "GET /api/invoices/" + strings.Repeat("x", 65), "", ""},
		{"coupa-core", "GET https://acme.coupahost.com/api/invoices", "", ""},
	}
	c := load(t)
	for _, tt := range tests {
		t.Run(tt.api+" "+tt.request, func(t *testing.T) {
			method, requested, _ := strings.Cut(tt.request, " ")
			got, ok := c.Match(tt.api, method, requested)
			if ok != (tt.want != "") || ok && (got.Call.String() != tt.want || got.API != tt.api) {
				t.Fatalf("matches %v, %q of %q", ok, got.Call, got.API)
			}
			if names := strings.Join(got.Call.AnyOf, " "); names != tt.anyOf {
				t.Errorf("opened by %q, want %q", names, tt.anyOf)
			}
		})
	}
}

// Every call of the catalogue is found by a request for it, and by no other method.
func TestEveryCallIsMatched(t *testing.T) {
	c := load(t)
	parameters := regexp.MustCompile(`\{[^}]*\}`)
	matched := 0
	for _, api := range c.APIs() {
		for _, o := range api.Objects {
			for _, call := range o.Calls {
				if o.Unserved || !call.Matches() {
					continue
				}
				matched++
				requested := parameters.ReplaceAllString(api.BasePath+call.Path, "x-1")
				got, ok := c.Match(api.Key, call.Method, requested)
				if !ok || got.Object != o.Name {
					t.Errorf("%s %s: %v, %s of %s", call.Method, requested, ok, got.Call, got.Object)
				}
				if diff := cmp.Diff(call, got.Call); diff != "" {
					t.Errorf("%s %s (-catalogue +match):\n%s", call.Method, requested, diff)
				}
			}
		}
	}
	if matched != 58+3+12+4 {
		t.Errorf("%d calls", matched)
	}
}

func TestMatchURI(t *testing.T) {
	c := load(t)
	for uri, want := range map[string]string{
		"/api/invoices":                    "GET /invoices",
		"/api/invoices?":                   "GET /invoices",
		"/api/invoices?a=1?b=%2F..//&c=/;": "GET /invoices",
		"/api/invoices/17?x":               "GET /invoices/{id}",
		"/api/invoices/?x":                 "",
		"/api/invoices%3Fx":                "",
		"?/api/invoices":                   "",
		"":                                 "",
		"https://h.example/api/invoices":   "",
	} {
		got, ok := c.MatchURI("coupa-core", "GET", uri)
		if ok != (want != "") || ok && got.Call.String() != want {
			t.Errorf("%q: %v, %s", uri, ok, got.Call)
		}
	}
}

func TestOpenTo(t *testing.T) {
	c := load(t)
	post, _ := c.Match("coupa-core", "POST", "/api/invoices")
	items, _ := c.Match("coupa-core", "GET", "/api/items")
	for held, want := range map[string]bool{
		"": false, "core.invoice.read": false, "core.invoice.create": true, "core.invoice.read core.invoice.write": true,
	} {
		if got := post.Call.OpenTo(scope.SetOf(strings.Fields(held)...)); got != want {
			t.Errorf("%q opens POST /invoices: %v", held, got)
		}
	}
	if items.Call.OpenTo(scope.SetOf("core.item.read")) { // suggested by public pages, and nothing more
		t.Error("a call without a published scope is open")
	}
}

// typed is a catalogue with what the built-in one has no need for: typed parameters, and literals that beat parameters.
var typed = catalogueOf(
	"/users", "/users/me", "/users/{id}", "/users/{id}/keys", "/users/me/keys", "/users/{id}/{part}", "/n/{n:int}", "/n/{u:uuid}", "/n/new",
	"/n/{n:int}/next", "/n/{any}/x", "/0/{a}/{b:int}/{c:uuid}", "/0/{a}/{b:int}/last",
)

// catalogueOf is a catalogue of one API with these GET calls.
func catalogueOf(paths ...string) string {
	var b strings.Builder
	b.WriteString("version: 1\nsources: [{key: s, kind: ours, text: t}]\napis:\n  - key: a\n    title: A\n    base_path: /v1\n" +
		"    token_lifetime: 1h\n    families: [{name: f, scopes: [{name: f.read, kind: read, source: s}]}]\n    objects:\n" +
		"      - name: o\n        scopes: [f.read]\n        calls:\n")
	for _, p := range paths {
		fmt.Fprintf(&b, "          - {method: GET, path: '%s', access: read, any_of: [f.read]}\n", p)
	}
	return b.String()
}

func parse(tb testing.TB, text string) *scope.Catalogue {
	tb.Helper()
	c, err := scope.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestMatchTypesAndLiterals(t *testing.T) {
	const id = "0192d3e4-5a6b-7c8d-9e0f-112233445566"
	c := parse(t, typed)
	for requested, want := range map[string]string{
		"/users/me": "/users/me", "/users/17": "/users/{id}", "/users/me/keys": "/users/me/keys", "/users/ME/keys": "/users/{id}/keys",
		"/users/me/mail": "/users/{id}/{part}", "/users/17/mail": "/users/{id}/{part}", "/users/me/mail/x": "",

		"/n/0": "/n/{n:int}", "/n/17": "/n/{n:int}", "/n/9223372036854775807": "/n/{n:int}", "/n/17/next": "/n/{n:int}/next",
		"/n/17/x": "/n/{any}/x", "/n/new": "/n/new", "/n/new/x": "/n/{any}/x", "/n/" + id: "/n/{u:uuid}", "/n/" + id + "/x": "/n/{any}/x",
		"/n/00": "", "/n/017": "", "/n/-1": "", "/n/+1": "", "/n/1e3": "", "/n/9223372036854775808": "", "/n/92233720368547758070": "",
		"/n/" + strings.ToUpper(id): "", "/n/{" + id + "}": "", "/n/" + strings.ReplaceAll(id, "-", ""): "", "/n/urn:uuid:" + id: "",
		"/n/0192d3e4-5a6b-7c8d-9e0f-11223344556g": "", "/n/0192d3e45a6b-7c8d-9e0f-1122334-45566": "", "/n/new/next": "",

		"/0/x/3/" + id: "/0/{a}/{b:int}/{c:uuid}", "/0/x/3/last": "/0/{a}/{b:int}/last", "/0/x/y/last": "",
	} {
		got, ok := c.Match("a", "GET", "/v1"+requested)
		if ok != (want != "") || got.Call.Path != want {
			t.Errorf("%s: %v, %s, want %s", requested, ok, got.Call.Path, want)
		}
	}
}

// Literals that beat a parameter here and are beaten there leave two equal matches.
func TestEqualMatchesAreALoadError(t *testing.T) {
	for name, tt := range map[string]struct {
		paths []string
		equal bool
	}{
		"same template":        {[]string{"/x/{a}", "/x/{b}"}, true},
		"crosswise":            {[]string{"/{a}/x", "/x/{a}"}, true},
		"crosswise and deeper": {[]string{"/p/{a}/x/{b}", "/p/x/{a}/y"}, true},
		"one more literal":     {[]string{"/{a}/{b}", "/x/{b}"}, false},
		"other literal":        {[]string{"/{a}/x", "/{a}/y"}, false},
		"other length":         {[]string{"/{a}", "/{a}/{b}"}, false},
		"int and uuid":         {[]string{"/{a:int}", "/{a:uuid}"}, false},
		"int and anything":     {[]string{"/{a:int}", "/{a}"}, true},
		"uuid and anything":    {[]string{"/{a:uuid}/{b}", "/{a}/{b:int}"}, true},
		"apart in the end":     {[]string{"/{a:int}/x", "/{a}/y"}, false},
		"literal no number":    {[]string{"/{a:int}", "/x"}, false},
		"literal a number":     {[]string{"/{a:int}", "/7"}, false},
		"types and a literal":  {[]string{"/{a:int}/{b}", "/{a}/x"}, true},
	} {
		_, err := scope.Parse([]byte(catalogueOf(tt.paths...)))
		if (err != nil) != tt.equal || err != nil && !strings.Contains(err.Error(), "matches the same requests as") {
			t.Errorf("%s %v: %v", name, tt.paths, err)
		}
	}
}

// naive is a second reading of protocol.md §7: all templates as regular expressions, of those that match the ones that
// no other beats.
type naive struct{ calls []naiveCall }

type naiveCall struct {
	method, template string
	form             *regexp.Regexp
}

func newNaive(c *scope.Catalogue, key string) naive {
	api, _ := c.API(key)
	var n naive
	for _, o := range api.Objects {
		for _, call := range o.Calls {
			if !o.Unserved && call.Matches() {
				n.calls = append(n.calls, naiveCall{call.Method, api.BasePath + call.Path, formOf(api.BasePath + call.Path)})
			}
		}
	}
	return n
}

func formOf(template string) *regexp.Regexp {
	form := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllStringFunc(template, func(p string) string {
		switch {
		case strings.HasSuffix(p, ":int}"):
			return `(?:0|[1-9][0-9]{0,18})`
		case strings.HasSuffix(p, ":uuid}"):
			return `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`
		default:
			return `[A-Za-z0-9_-]{1,64}`
		}
	})
	return regexp.MustCompile(`\A` + form + `\z`)
}

func (n naive) match(method, requested string) []string {
	if method == "HEAD" {
		method = "GET"
	}
	var found []string
	for _, c := range n.calls {
		if c.method == method && c.form.MatchString(requested) && numbersFit(c.template, requested) {
			found = append(found, c.template)
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(t string) bool {
		return slices.ContainsFunc(found, func(other string) bool { return beats(other, t) })
	})
}

// numbersFit is what a regular expression does not say: that a number is one of 63 bits.
func numbersFit(template, requested string) bool {
	parts := strings.Split(requested, "/")
	for i, p := range strings.Split(template, "/") {
		if _, err := strconv.ParseInt(parts[i], 10, 64); strings.HasSuffix(p, ":int}") && err != nil {
			return false
		}
	}
	return true
}

// beats reports whether a has literals where b has parameters, and never the other way round.
func beats(a, b string) bool {
	more := false
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range as {
		switch mine, theirs := as[i][:min(1, len(as[i]))] == "{", bs[i][:min(1, len(bs[i]))] == "{"; {
		case mine && !theirs:
			return false
		case !mine && theirs:
			more = true
		}
	}
	return more
}

// canonicalForm is the one way to write a path that means what a match says: templates filled with the values read.
func canonicalForm(tb testing.TB, template, requested string) string {
	tb.Helper()
	parts := strings.Split(requested, "/")
	for i, p := range strings.Split(template, "/") {
		switch {
		case strings.HasSuffix(p, ":int}"):
			n, err := strconv.ParseInt(parts[i], 10, 64)
			if err != nil {
				tb.Fatal(err)
			}
			parts[i] = strconv.FormatInt(n, 10)
		case strings.HasSuffix(p, ":uuid}"):
			parts[i] = uuid.MustParse(parts[i]).String()
		case strings.HasPrefix(p, "{"):
			parts[i] = url.PathEscape(parts[i])
		default:
			parts[i] = p
		}
	}
	return path.Clean(strings.Join(parts, "/"))
}

// holds fails unless Match says of a request what the naive reading says, and what matches is canonical.
func holds(tb testing.TB, c *scope.Catalogue, n naive, key, method, requested string) {
	tb.Helper()
	got, ok := c.Match(key, method, requested)
	want := n.match(method, requested)
	if len(want) > 1 {
		tb.Fatalf("%q: two equal matches: %v", requested, want)
	}
	api, _ := c.API(key)
	if ok != (len(want) == 1) || ok && want[0] != api.BasePath+got.Call.Path {
		tb.Fatalf("%s %q: match %v %s, naively %v", method, requested, ok, got.Call, want)
	}
	if withQuery, okQuery := c.MatchURI(key, method, requested+"?"+requested); okQuery != ok && !strings.Contains(requested, "?") ||
		okQuery && ok && withQuery.Call.Path != got.Call.Path {
		tb.Fatalf("%s %q: a query changes the match", method, requested)
	}
	if !ok {
		return
	}
	if canonical := canonicalForm(tb, api.BasePath+got.Call.Path, requested); canonical != requested {
		tb.Fatalf("%q matches, though its canonical form is %q", requested, canonical)
	}
	u, err := url.ParseRequestURI(requested)
	if err != nil || u.Path != requested || u.EscapedPath() != requested || u.RawQuery != "" || u.Host != "" {
		tb.Fatalf("%q matches, and reads otherwise as an address: %+v, %v", requested, u, err)
	}
	for i := range len(requested) {
		if b := requested[i]; b < 0x21 || b > 0x7e || strings.IndexByte(`%\;.?#`, b) >= 0 {
			tb.Fatalf("%q matches with the byte %#x", requested, b)
		}
	}
}

// FuzzMatch is security.md's fuzz target of the path match.
func FuzzMatch(f *testing.F) {
	for _, seed := range []string{
		"/api/invoices/17", "/api/invoices/17/", "/api/%69nvoices", "/v1/n/9223372036854775808",
		"/v1/n/0192d3e4-5a6b-7c8d-9e0f-112233445566", "/v1/users/me/keys",
	} {
		f.Add("GET", seed)
	}
	f.Add("HEAD", "/api/items")
	builtIn, err := scope.Load()
	if err != nil {
		f.Fatal(err)
	}
	type side struct {
		catalogue *scope.Catalogue
		key       string
		naive     naive
	}
	var sides []side
	for _, api := range builtIn.APIs() {
		sides = append(sides, side{builtIn, api.Key, newNaive(builtIn, api.Key)})
	}
	own := parse(f, typed)
	sides = append(sides, side{own, "a", newNaive(own, "a")})
	f.Fuzz(func(t *testing.T, method, requested string) {
		for _, s := range sides {
			holds(t, s.catalogue, s.naive, s.key, method, requested)
		}
	})
}

// pieces are what paths and templates of the property tests are made of: few enough that all paths can be tried.
var (
	templatePieces = []string{"x", "7", "{p%d}", "{p%d:int}", "{p%d:uuid}"}
	pathPieces     = []string{"x", "y", "7", "07", "0192d3e4-5a6b-7c8d-9e0f-112233445566"}
)

// allPaths are all paths of up to three pieces below the base path.
func allPaths() []string {
	level, all := []string{"/v1"}, []string{}
	for range 3 {
		var next []string
		for _, begin := range level {
			for _, piece := range pathPieces {
				next = append(next, begin+"/"+piece)
			}
		}
		all, level = append(all, next...), next
	}
	return all
}

// Whatever templates a catalogue holds, it is refused exactly when some path has two equal matches, or a typed and an
// untyped parameter compete; else every path is matched as a naive reading matches it.
func TestMatchAgreesWithNaiveReading(t *testing.T) {
	paths := allPaths()
	rapid.Check(t, func(rt *rapid.T) {
		templates := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
			var b strings.Builder
			for i, piece := range rapid.SliceOfN(rapid.SampledFrom(templatePieces), 1, 3).Draw(t, "template") {
				if strings.Contains(piece, "%d") {
					piece = fmt.Sprintf(piece, i)
				}
				b.WriteString("/" + piece)
			}
			return b.String()
		}), 1, 5, rapid.ID[string]).Draw(rt, "templates")
		c, err := scope.Parse([]byte(catalogueOf(templates...)))
		if err != nil {
			if !compete(templates, paths) {
				rt.Fatalf("%v is refused: %v", templates, err)
			}
			return
		}
		n := newNaive(c, "a")
		for _, p := range paths {
			holds(t, c, n, "a", "GET", p)
		}
	})
}

// compete reports whether two templates match one path and neither beats the other, or one has a typed parameter where
// the other has an untyped one.
func compete(templates, paths []string) bool {
	kind := func(s string) string { _, k, _ := strings.Cut(strings.Trim(s, "{}"), ":"); return k }
	for i, a := range templates {
		for _, b := range templates[:i] {
			both := func(p string) bool { return formOf("/v1"+a).MatchString(p) && formOf("/v1"+b).MatchString(p) }
			if !slices.ContainsFunc(paths, both) {
				continue
			}
			as, bs := strings.Split(a, "/"), strings.Split(b, "/")
			for j := range as {
				if strings.HasPrefix(as[j], "{") && strings.HasPrefix(bs[j], "{") && kind(as[j]) != kind(bs[j]) {
					return true
				}
			}
			if !beats(a, b) && !beats(b, a) {
				return true
			}
		}
	}
	return false
}

func TestMatchAllocatesNothing(t *testing.T) {
	c := load(t)
	for _, requested := range []string{"/api/invoices", "/api/contracts/17/attachments/18", "/api/nothing/of/this", "/api/invoices/%2e%2e"} {
		if n := testing.AllocsPerRun(100, func() { c.MatchURI("coupa-core", "GET", requested) }); n != 0 {
			t.Errorf("%s: %v allocations", requested, n)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	c, err := scope.Load()
	if err != nil {
		b.Fatal(err)
	}
	held := scope.SetOf("core.invoice.read", "core.contract.read", "core.user.read")
	for name, requested := range map[string]string{
		"literal": "/api/invoices?limit=50", "parameter": "/api/invoices/1234567", "two parameters": "/api/contracts/17/attachments/18",
		"none": "/api/nothing/17", "refused": "/api/invoices/%2e%2e/users", "long": "/api/invoices/" + strings.Repeat("x", 8000),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if found, ok := c.MatchURI("coupa-core", "GET", requested); ok && !found.Call.OpenTo(held) {
					b.Fatal("not open")
				}
			}
		})
	}
}
