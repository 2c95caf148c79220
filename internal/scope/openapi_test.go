package scope_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/scope"
)

// sample reads a document of testdata.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "openapi", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// drafted are the calls of a draft with what opens them, and its scopes with their kinds.
func drafted(t *testing.T, draft string) (calls map[string]string, scopes map[string]scope.Kind) {
	t.Helper()
	api, err := scope.ParseAPI([]byte(draft))
	if err != nil {
		t.Fatalf("%v in\n%s", err, draft)
	}
	calls, scopes = map[string]string{}, map[string]scope.Kind{}
	for _, o := range api.Objects {
		for _, c := range o.Calls {
			calls[c.Method+" "+api.BasePath+c.Path] = strings.Join(c.AnyOf, " ")
			if len(c.Suggested) > 0 {
				calls[c.Method+" "+api.BasePath+c.Path] = "suggested " + strings.Join(c.Suggested, " ")
			}
		}
	}
	for _, f := range api.Families {
		for _, s := range f.Scopes {
			scopes[s.Name] = s.Kind
		}
	}
	return calls, scopes
}

// TestOpenAPI: calls come out of paths and methods, scopes out of what OAuth schemes ask for. What needs several scopes at
// once, or none, stays closed: the catalogue cannot say the one and does not open the other.
func TestOpenAPI(t *testing.T) {
	for name, test := range map[string]struct {
		file, key string
		owner     scope.Owner
		calls     map[string]string
		scopes    map[string]scope.Kind
		notes     []scope.Note
	}{
		"scopes, an organisation's own": {
			"orders.yaml", "x-acme-order-service", ofAcme,
			map[string]string{
				"GET /orders/v1/orders":                    "x.acme.orders.read x.acme.orders.write",
				"POST /orders/v1/orders":                   "x.acme.orders.write",
				"GET /orders/v1/orders/{id}":               "x.acme.orders.read",
				"DELETE /orders/v1/orders/{order_id}":      "x.acme.orders.delete",
				"POST /orders/v1/orders/{order_id}/refund": "suggested x.acme.orders.write x.acme.payments",
				"GET /orders/v1/health":                    "",
				"GET /orders/v1/keyed":                     "",
			},
			map[string]scope.Kind{
				"x.acme.orders.read": scope.KindRead, "x.acme.orders.write": scope.KindWrite, "x.acme.orders.delete": scope.KindDelete,
				"x.acme.payments": scope.KindWrite,
			},
			[]scope.Note{
				{"imported", "7"},
				{"renamed", "x.acme."},
				{"several", "POST /orders/{order-id}/refund"},
				{"denied", "3"},
				{"left_out", "GET /export.csv, OPTIONS /orders, GET /orders/{order-id}"},
			},
		},
		"no scopes, everybody's, JSON": {
			"bare.json", "bare",
			scope.Owner{},
			map[string]string{"GET /things": "bare.read bare.write", "POST /things": "bare.write", "GET /things/{p1}/{p12}": "bare.read bare.write"},
			map[string]scope.Kind{"bare.read": scope.KindRead, "bare.write": scope.KindWrite},
			[]scope.Note{{"imported", "3"}, {"proposed", ""}, {"no_base", ""}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			draft, notes, err := scope.FromOpenAPI(sample(t, test.file), test.owner)
			if err != nil {
				t.Fatal(err)
			}
			if api, err := scope.ParseAPI([]byte(draft)); err != nil || api.Key != test.key {
				t.Errorf("key %s, %v", api.Key, err)
			}
			calls, scopes := drafted(t, draft)
			for what, diff := range map[string]string{
				"calls": cmp.Diff(test.calls, calls), "scopes": cmp.Diff(test.scopes, scopes), "notes": cmp.Diff(test.notes, notes),
			} {
				if diff != "" {
					t.Errorf("%s (-want +got):\n%s\n%s", what, diff, draft)
				}
			}
		})
	}
}

// TestOpenAPIDraftIsAdded: a draft goes in by the ordinary door as it is.
func TestOpenAPIDraftIsAdded(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		own, _, err := scope.FromOpenAPI(sample(t, "orders.yaml"), ofAcme)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Add(t.Context(), o.ana, ofAcme, own, 0); err != nil {
			t.Errorf("%v\n%s", err, own)
		}
		if got := opens(o.For(acme), "x-acme-order-service", "DELETE", "/orders/v1/orders/17"); got != "x.acme.orders.delete" {
			t.Error(got)
		}
		shared, _, err := scope.FromOpenAPI(sample(t, "bare.json"), scope.Owner{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Add(t.Context(), o.root, scope.Owner{}, shared, 0); err != nil {
			t.Errorf("%v\n%s", err, shared)
		}
		if got := opens(o.Now(), "bare", "GET", "/things"); got != "bare.read bare.write" {
			t.Error(got)
		}
	})
}

// TestOpenAPIFaults: what cannot be read is refused in words, and soon.
func TestOpenAPIFaults(t *testing.T) {
	for name, test := range map[string]struct{ document, key string }{
		"20 MB":          {strings.Repeat("a: b\n", 4<<20), "catalogue.import.large"},
		"nothing":        {"", "catalogue.import.version"},
		"a picture":      {"\x89PNG\r\n\x1a\n\x00\x00", "catalogue.import.unreadable"},
		"Swagger 2.0":    {"swagger: '2.0'\npaths: {/a: {}}\n", "catalogue.import.swagger"},
		"OpenAPI 4":      {"openapi: 4.0.0\npaths: {/a: {}}\n", "catalogue.import.version"},
		"no paths":       {"openapi: 3.1.0\npaths: {}\n", "catalogue.import.empty"},
		"no calls":       {"openapi: 3.1.0\npaths: {/a.b: {get: {}}, /b: {}}\n", "catalogue.import.nothing"},
		"aliases":        {"openapi: 3.0.0\na: &a [1]\nb: *a\npaths: {/a: {get: {}}}\n", "catalogue.import.unreadable"},
		"a bomb":         {bomb(), "catalogue.import.unreadable"},
		"deep YAML":      {"openapi: " + strings.Repeat("[", 90_000), "catalogue.import.unreadable"},
		"deep JSON":      {`{"openapi":` + strings.Repeat("[", 90_000), "catalogue.import.unreadable"},
		"many elements":  {"openapi: 3.0.0\nx: [" + strings.Repeat("1,", 300_000) + "]\n", "catalogue.import.unreadable"},
		"wrong type":     {`{"openapi":"3.0.0","paths":7}`, "catalogue.import.unreadable"},
		"not quite JSON": {"{\"openapi\":\"3.0.0\",\n\"paths\":", "catalogue.import.unreadable"},
		"2,001 calls":    {"openapi: 3.0.0\npaths:\n" + manyPaths(2001), "catalogue.import.many"},
	} {
		t.Run(name, func(t *testing.T) {
			draft, _, err := scope.FromOpenAPI([]byte(test.document), ofAcme)
			fields := problem.As(err).Fields
			if err == nil || draft != "" || len(fields) != 1 || fields[0].Name != "document" || fields[0].Key != test.key {
				t.Fatalf("%v %+v", err, fields)
			}
			if text, _ := fields[0].Args["Fault"].(string); strings.Contains(text, "scope.") || len(text) > 500 {
				t.Errorf("tells of the program: %s", text)
			}
		})
	}
}

// bomb is a document whose aliases would make it large.
func bomb() string {
	var b strings.Builder
	b.WriteString("openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		n := string(rune('0' + i))
		b.WriteString("a" + n + ": &a" + n + " [" + strings.TrimSuffix(strings.Repeat("*a"+string(rune('0'+i-1))+", ", 9), ", ") + "]\n")
	}
	return b.String()
}

func manyPaths(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("  /p" + strings.Repeat("a", i%50) + "/" + strings.Repeat("b", i/50+1) + ": {get: {}}\n")
	}
	return b.String()
}

// FuzzOpenAPI: of whatever document, what comes back is a draft that stays within its owner's room and that the catalogue
// takes, or a fault of the field document.
func FuzzOpenAPI(f *testing.F) {
	for _, name := range []string{"orders.yaml", "bare.json"} {
		f.Add(sample(f, name))
	}
	for _, seed := range []string{
		"openapi: 3.0.0\npaths: {/a: {get: {}}, '/{b}': {get: {}}, '/{b}/c': {put: {security: [{o: [x.y, 'x.\"']}]}}}\ncomponents: {securitySchemes: {o: {type: oauth2}}}",
		"openapi: 3.1.0\ninfo: {title: 'x-new'}\nservers: [{url: 'https://{h}/v1/'}]\nsecurity: [{o: ['']}]\npaths: {'/{é}/{é}': {delete: {}}}\ncomponents: {securitySchemes: {o: {type: oauth2}}}",
		"openapi: 3.0.1\npaths: {/a: {$ref: x}, /b: {trace: {}}}", `{"openapi":"3.1.0","paths":{"/":{"get":{}},"/a/":{"get":{}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		for _, owner := range []scope.Owner{{}, ofAcme} {
			draft, notes, err := scope.FromOpenAPI(document, owner)
			if err != nil {
				if p := problem.As(err); p.Code != problem.Invalid || len(p.Fields) != 1 || p.Fields[0].Name != "document" {
					t.Fatalf("%v", err)
				}
				continue
			}
			if len(notes) == 0 {
				t.Error("nothing is said")
			}
			if err := scope.CheckDraft(draft, owner); err != nil {
				t.Errorf("%v\n%s", err, draft)
			}
		}
	})
}
