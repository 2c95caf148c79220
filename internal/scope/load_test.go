package scope_test

import (
	"os"
	"strings"
	"testing"

	"credenza.example/credenza/internal/scope"
)

// small is a catalogue with one of each thing, for faults to be put into.
const small = `version: 1
sources:
  - {key: doc, kind: public, text: a page}
apis:
  - key: shop
    title: Shop API
    base_path: /api
    token_lifetime: 3600s
    objects:
      - name: carts
        source: doc
        scopes: [shop.cart.read, shop.cart.write]
        calls:
          - {method: GET, path: '/carts/{id}', access: read, any_of: [shop.cart.read]}
          - {method: PUT, path: '/carts/{id}', access: write, any_of: [shop.cart.write], success: 200}
      - name: wishes
        calls:
          - {method: GET, path: /wishes, access: read, suggested: [shop.cart.read]}
    families:
      - name: shop.cart
        scopes:
          - {name: shop.cart.read, kind: read, source: doc}
          - {name: shop.cart.write, kind: write, source: doc, also_spelled: [shop.kart.write]}
  - key: office
    title: Office API
    base_path: /office/api
    own: true
    token_lifetime: 3600s
    objects:
      - name: desks
        unserved: true
        scopes: [office.desk]
    families:
      - name: office.desk
        withheld: not_served
        scopes:
          - {name: office.desk, kind: write, covers_read: true, source: doc}
`

func TestParseAcceptsASmallCatalogue(t *testing.T) {
	c, err := scope.Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.APIs()) != 2 || len(c.Scopes()) != 3 {
		t.Errorf("%d APIs, %d scopes", len(c.APIs()), len(c.Scopes()))
	}
}

func TestParseNamesEachFault(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // replaced in small, first occurrence
		want     string // part of the error
	}{
		{"version", "version: 1", "version: 2", "version is 2, not 1"},
		{"no version", "version: 1\n", "", "version is 0"},
		{"unknown field", "title: Shop API", "titel: Shop API", "titel not found"},
		{"repeated key", "title: Shop API", "title: Shop API\n    title: Shop", `"title" already defined`},
		{"wrong type", "own: true", "own: perhaps", "perhaps"},
		{"lifetime without unit", "token_lifetime: 3600s", "token_lifetime: 3600", "3600"},
		{
			"alias", "scopes: [shop.cart.read, shop.cart.write]",
			"scopes: &s [shop.cart.read]\n        note: *s", "anchors and aliases",
		},
		{"anchor alone", "key: shop", "key: &k shop", "anchors and aliases"},
		{"merge key", "- name: wishes", "- <<: {name: wishes}", "merge keys"},
		{"tag", "key: shop", "key: !!str shop", "tags are not allowed"},
		{"not YAML", "apis:", "apis: [", "line"},

		{
			"source twice", "text: a page}", "text: a page}\n  - {key: doc, kind: public, text: b}",
			"sources: doc stands twice",
		},
		{"source kind", "kind: public", "kind: hearsay", `source doc: kind "hearsay"`},
		{"source text", ", text: a page", "", "source doc: text is missing"},
		{"source without key", "key: doc, ", "", "sources: a name is missing"},
		{"unknown source of an object", "source: doc\n", "source: dok\n", `source "dok" is not in the list`},
		{
			"unknown source of a scope", "kind: read, source: doc", "kind: read, source: dok",
			`source "dok" is not in the list`,
		},
		{"scope without source", "kind: read, source: doc", "kind: read", "scope shop.cart.read: source is missing"},

		{"API twice", "key: office", "key: shop", "apis: shop stands twice"},
		{"API key", "key: shop", "key: Shop_", "key must be lower-case"},
		{"API title", "title: Shop API\n", "title: ''\n", "title is missing"},
		{"base path", "base_path: /api", "base_path: api", "base path \"api\" must begin with a slash"},
		{"base path parameter", "base_path: /api", "base_path: '/{x}'", "has a parameter"},
		{"lifetime short", "token_lifetime: 3600s", "token_lifetime: 1ms", "token lifetime 1ms"},
		{"lifetime long", "token_lifetime: 3600s", "token_lifetime: 25h", "token lifetime 25h"},
		{
			"mandatory unknown", "own: true", "mandatory: {source: doc, connections: [x.y]}",
			`scope "x.y" is not in the catalogue`,
		},

		{
			"family without scopes", "    families:\n", "    families:\n      - {name: empty}\n",
			"family empty: has no scope",
		},
		{
			"family twice", "name: office.desk\n",
			"name: office.desk\n        scopes: [{name: a, kind: read, source: doc}]\n      - name: office.desk\n",
			"office.desk stands twice",
		},
		{"two readers", "kind: write, source: doc, also", "kind: read, source: doc, also", "more than one read scope"},
		{"withheld for no reason", "withheld: not_served", "withheld: mood", `withheld "mood"`},
		{"sign-in of our own", "withheld: not_served", "withheld: sign_in", "sign_in is for other parties' APIs"},
		{
			"not served by others", "name: shop.cart\n", "name: shop.cart\n        withheld: not_served\n",
			"not_served is for the portal's own APIs",
		},

		{"scope twice in an API", "name: shop.cart.write", "name: shop.cart.read", "shop.cart.read stands twice"},
		{
			"scope of two APIs", "name: office.desk, kind", "name: shop.cart.read, kind",
			"api office, family office.desk: shop.cart.read stands twice",
		},
		{"scope with a space", "name: office.desk, kind", "name: 'office desk', kind", "not a scope token"},
		{"scope with a quote", "name: office.desk, kind", `name: 'office"desk', kind`, "not a scope token"},
		{
			"scope too long", "name: office.desk, kind",
			"name: " + strings.Repeat("x", scope.MaxNameLength+1) + ", kind", "not a scope token",
		},
		{"kind", "kind: write, covers", "kind: all, covers", `kind "all"`},
		{
			"reader covers reading", "kind: write, covers_read: true", "kind: read, covers_read: true",
			"covers_read is for writing scopes",
		},
		{"spelling is a scope", "shop.kart.write", "office.desk", "spelling office.desk is a scope itself"},
		{
			"spelling of two", "covers_read: true", "covers_read: true, also_spelled: [shop.kart.write]",
			"stands for two scopes",
		},
		{
			"empty permission", "kind: read, source: doc",
			"kind: read, source: doc, permissions: [{resource: x}]", "lacks its resource or its actions",
		},

		{"object twice", "name: wishes", "name: carts", "carts stands twice"},
		{"object without name", "name: wishes", "name: ''", "a name is missing"},
		{
			"object with an unknown scope", "scopes: [shop.cart.read,",
			"scopes: [shop.card.read, shop.cart.read,", `scope "shop.card.read" is not`,
		},
		{
			"object with another API's scope", "scopes: [shop.cart.read,",
			"scopes: [office.desk, shop.cart.read,", "office.desk belongs to API office",
		},
		{
			"object with a scope twice", "scopes: [shop.cart.read,", "scopes: [shop.cart.read, shop.cart.read,",
			"shop.cart.read stands twice",
		},
		{
			"unserved object of others", "- name: wishes", "- name: wishes\n        unserved: true",
			"unserved is for the portal's own APIs",
		},
		{"unserved but given", "        withheld: not_served\n", "", "must be withheld as not_served"},
		{"served but withheld", "unserved: true", "unserved: false", "yet a served object lists it"},

		{"method", "method: PUT", "method: put", "method is not one of"},
		{"HEAD", "method: PUT", "method: HEAD", "method is not one of"},
		{"access", "access: write", "access: all", `access "all"`},
		{"status", "success: 200", "success: 404", "success 404"},
		{
			"call with an unknown scope", "any_of: [shop.cart.write]", "any_of: [shop.cart.wrote]",
			`scope "shop.cart.wrote" is not`,
		},
		{
			"call with a scope the object lacks", "scopes: [shop.cart.read, shop.cart.write]",
			"scopes: [shop.cart.read]", "shop.cart.write is not among the object's scopes",
		},
		{
			"call suggests beside", "any_of: [shop.cart.write]",
			"any_of: [shop.cart.write], suggested: [shop.cart.read]", "suggests scopes beside",
		},
		{"suggestion unknown", "suggested: [shop.cart.read]", "suggested: [shop.x]", `scope "shop.x" is not`},
		{"printed by nobody", "source: doc\n", "printed: {source: nobody}\n", `source "nobody"`},

		{"path without slash", "path: /wishes", "path: wishes", "must begin with a slash"},
		{"path with a trailing slash", "path: /wishes", "path: /wishes/", "empty segment"},
		{"path with a double slash", "path: /wishes", "path: /a//b", "empty segment"},
		{"path with a dot", "path: /wishes", "path: /wishes.json", "characters other than"},
		{"path with dots", "path: /wishes", "path: /../wishes", "characters other than"},
		{"path with percent", "path: /wishes", "path: /wis%68es", "characters other than"},
		{"path with a query", "path: /wishes", "path: '/wishes?x'", "characters other than"},
		{"parameter unnamed", "path: /wishes", "path: '/wishes/{}'", "is not a name"},
		{"parameter misnamed", "path: /wishes", "path: '/wishes/{1a}'", "is not a name"},
		{"parameter with a dash", "path: /wishes", "path: '/wishes/{a-b}'", "is not a name"},
		{"parameter with a suffix", "path: /wishes", "path: '/wishes/{a}b'", "characters other than"},
		{"parameter twice", "path: /wishes", "path: '/wishes/{a}/{a}'", "{a} stands twice"},
		{"call twice", "method: PUT", "method: GET", "matches the same requests as GET /carts/{id} of carts"},
		{
			"call twice in two objects", "path: /wishes", "path: '/carts/{other}'",
			"matches the same requests as GET /carts/{id} of carts",
		},
		{"parameter of an unknown type", "path: /wishes", "path: '/wishes/{a:text}'", "is of no known type"},
		{"parameter with an empty type", "path: /wishes", "path: '/wishes/{a:}'", "is of no known type"},
		{"typed and untyped", "path: /wishes", "path: '/carts/{id:int}'", "matches the same requests as GET /carts/{id}"},
		{"typed parameter unnamed", "path: /wishes", "path: '/wishes/{:int}'", "is not a name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(small, tt.old) {
				t.Fatalf("%q is not in the sample", tt.old)
			}
			_, err := scope.Parse([]byte(strings.Replace(small, tt.old, tt.new, 1)))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant it to say %q", err, tt.want)
			}
		})
	}
}

func TestParseTakesARowThatIsShownOnly(t *testing.T) {
	twice := strings.Replace(small, "path: /wishes,", "path: '/carts/{id}', shown_only: true,", 1)
	if _, err := scope.Parse([]byte(twice)); err != nil {
		t.Errorf("a row that is never matched may repeat another: %v", err)
	}
}

func TestParseNamesAllFaultsAtOnce(t *testing.T) {
	broken := strings.NewReplacer(
		"method: PUT", "method: put", "title: Office API", "title: ''", "kind: public", "kind: x",
	).Replace(small)
	_, err := scope.Parse([]byte(broken))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"method is not one of", "title is missing", `kind "x"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 3 {
		t.Errorf("%d faults named, want 3:\n%v", got, err)
	}
}

func TestParseRefusesOtherShapes(t *testing.T) {
	tests := map[string]string{
		"empty":               "",
		"a list":              "- a\n",
		"a second document":   small + "---\nversion: 1\n",
		"an empty second one": small + "---\n",
		"too large":           small + strings.Repeat("# filler\n", 1<<17),
		"an alias bomb":       "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
		"not text":            "\x00\x01\x02",
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := scope.Parse([]byte(data)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// The file is a document for people too: it stays readable at the width of the rest of the project.
func TestFileIsReadable(t *testing.T) {
	data, err := os.ReadFile("catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(data), "\n") {
		if len(line) > 120 || strings.ContainsRune(line, '\t') || strings.TrimRight(line, " ") != line {
			t.Errorf("line %d is too long, has a tab or ends in a space: %q", i+1, line)
		}
	}
}
