package registry_test

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"credenza.example/credenza/internal/registry"
)

// The grammar of ui.md §4.1, and what it makes of odd spellings.
func TestParseFilter(t *testing.T) {
	word := func(text string) registry.Condition {
		return registry.Condition{Values: []registry.Choice{{Text: text}}}
	}
	quoted := func(text string) registry.Condition {
		return registry.Condition{Values: []registry.Choice{{Text: text, Quoted: true}}}
	}
	not := func(c registry.Condition) registry.Condition {
		c.Not = true
		return c
	}
	key := func(key string, values ...string) registry.Condition {
		c := registry.Condition{Key: key}
		for _, v := range values {
			text, isQuoted := strings.CutPrefix(v, `"`)
			c.Values = append(c.Values, registry.Choice{Text: text, Quoted: isQuoted})
		}
		return c
	}
	for text, want := range map[string]registry.Filter{
		"":                            nil,
		" \t\n":                       nil,
		"sap spend":                   {word("sap"), word("spend")},
		`"spend export" sap`:          {quoted("spend export"), word("sap")},
		`spend"export it`:             {word("spend"), quoted("export it")},
		`""`:                          {quoted("")},
		"-sap":                        {not(word("sap"))},
		`-"spend export"`:             {not(quoted("spend export"))},
		"- sap -":                     {word("-"), word("sap"), word("-")},
		"--sap":                       {not(word("-sap"))},
		"status:active":               {key("status", "active")},
		"STATUS:Active":               {key("status", "Active")},
		"-secret:expired,none":        {not(key("secret", "expired", "none"))},
		`name:"spend export",sap,-x`:  {key("name", `"spend export`, "sap", "-x")},
		"status: active":              {key("status", ""), word("active")},
		"status:active,":              {key("status", "active", "")},
		`name:a"b c"`:                 {key("name", "a"), quoted("b c")},
		`name:"a"b`:                   {key("name", `"a`), word("b")},
		"created:2026-01-01..":        {key("created", "2026-01-01..")},
		"foo:bar":                     {word("foo:bar")},
		"foo:a,b":                     {word("foo:a,b")},
		":active":                     {word(":active")},
		"https://acme.example/?a=1,2": {word("https://acme.example/?a=1,2")},
		"\xff -\xff":                  {word("\xff"), not(word("\xff"))},
	} {
		if diff := gocmp.Diff(want, registry.ParseFilter(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// What is printed is read as the same again: of any text, and of any search put together from parts.
func TestParsePrintIsIdentity(t *testing.T) {
	part := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?(status|name|used|foo|CONTACT|):?(["a-z,. >-]{0,12})`),
		rapid.SampledFrom([]string{" ", `"`, ",", "-", ":", "secret:", "-by:", "采购", "\u00a0", "\xff", "\x00"}))
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Join(rapid.SliceOfN(part, 0, 8).Draw(r, "parts"), "")
		filter := registry.ParseFilter(text)
		printed := filter.String()
		if diff := gocmp.Diff(filter, registry.ParseFilter(printed)); diff != "" {
			r.Fatalf("%q is printed %q, which is read as another (-first +again):\n%s", text, printed, diff)
		}
		if again := registry.ParseFilter(printed).String(); again != printed {
			r.Fatalf("%q is printed %q and then %q", text, printed, again)
		}
		for i := range filter {
			rest := filter.Without(i)
			if diff := gocmp.Diff(rest.String(), registry.ParseFilter(rest.String()).String()); diff != "" {
				r.Fatalf("%q without its condition %d: %s", text, i, diff)
			}
		}
	})
}

func TestUnknownKeys(t *testing.T) {
	for text, want := range map[string][]string{
		"foo:bar":                      {"foo"},
		"foo:a -foo:b owner:me":        {"foo", "owner"},
		"status:active name:foo:b":     nil,
		`"foo:bar"`:                    nil,
		"https://acme.example":         nil,
		"foo:":                         nil,
		"10:30":                        nil,
		strings.Repeat("x", 41) + ":y": nil,
	} {
		if diff := gocmp.Diff(want, registry.ParseFilter(text).UnknownKeys()); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
