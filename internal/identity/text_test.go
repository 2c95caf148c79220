package identity_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func TestFold(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"case", "SAP Spend Export", "sap spend export"},
		{"spaces", "  SAP \t spend\u00a0\u2003export\n", "sap spend export"},
		{"wide letters", "ＡＢＣ１２", "abc12"},
		{"ligature", "ﬁnance", "finance"},
		{"sharp s", "STRASSE straße", "strasse strasse"},
		{"Greek final sigma", "ΟΔΟΣ", "οδοσ"},
		{"dotted capital I", "İ", "i\u0307"},
		{"composed or not", "Zoe\u0301", "zoé"},
		{"sign made of capitals", "℡ 5", "tel 5"},
		{"zero width", "ac\u200bme\u200d", "acme"},
		{"soft hyphen and marks", "ac\u00adm\u200ee\ufe0f", "acme"},
		{"Chinese", "采购 导出", "采购 导出"},
		{"bytes that are no UTF-8", "a\xffb", "a\ufffdb"},
		{"nothing", " \u200b ", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := identity.Fold(test.in); got != test.want {
				t.Errorf("Fold(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

func TestFoldIsIdempotent(t *testing.T) {
	check := func(t interface{ Errorf(string, ...any) }, s string) {
		once := identity.Fold(s)
		if twice := identity.Fold(once); twice != once {
			t.Errorf("Fold(%q) = %q, folded again %q", s, once, twice)
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r) || unicode.In(r, unicode.Han, unicode.Hangul) && r%97 != 0 {
			continue // unassigned, or one of thousands alike
		}
		check(t, string(r))
		check(t, "a"+string(r)+"\u0301")
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.String().Draw(t, "s")) })
}

func TestText(t *testing.T) {
	tests := []struct{ name, in, want, key string }{
		{"plain", "SAP spend export", "SAP spend export", ""},
		{"trimmed", "  SAP  spend \n", "SAP  spend", ""},
		{"composed", "Zoe\u0301", "Zoé", ""},
		{"least", "abc", "abc", ""},
		{"most, in characters", strings.Repeat("é", 20), strings.Repeat("é", 20), ""},
		{"joined emoji", "👩\u200d🔧 tools", "👩\u200d🔧 tools", ""},
		{"right to left", "تطبيق\u200f 1", "تطبيق\u200f 1", ""},
		{"markup is text", "<script>alert(1)</script", "", "x.name.too_long"},
		{"empty", "", "", "x.name.missing"},
		{"spaces", " \t\u00a0\u3000", "", "x.name.missing"},
		{"nothing visible", "\u200b\u200b\u200b\u200b", "", "x.name.missing"},
		{"too short", "ab", "", "x.name.too_short"},
		{"too long", strings.Repeat("a", 21), "", "x.name.too_long"},
		{"NUL", "abc\x00def", "", "x.name.characters"},
		{"escape", "abc\x1b[31m", "", "x.name.characters"},
		{"DEL", "abc\x7f", "", "x.name.characters"},
		{"C1 control", "abc\u0085def", "", "x.name.characters"},
		{"line break", "abc\ndef", "", "x.name.characters"},
		{"carriage return", "abc\r\nX: y", "", "x.name.characters"},
		{"tab", "abc\tdef", "", "x.name.characters"},
		{"line separator", "abc\u2028def", "", "x.name.characters"},
		{"override", "abc\u202edef", "", "x.name.characters"},
		{"isolate", "abc\u2066def", "", "x.name.characters"},
		{"byte order mark", "abc\ufeffdef", "", "x.name.characters"},
		{"noncharacter", "abc\ufffe", "", "x.name.characters"},
		{"no UTF-8", "abc\xff", "", "x.name.characters"},
		{"surrogate in UTF-8", "abc\xed\xa0\x80", "", "x.name.characters"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, f := identity.Text("x.name", test.in, 3, 20)
			if got != test.want || key(f) != test.key {
				t.Errorf("got %q, %q; want %q, %q", got, key(f), test.want, test.key)
			}
			if f != nil && f.Name != "name" {
				t.Errorf("field %q, want name", f.Name)
			}
		})
	}
	if got, f := identity.Text("x.note", " ", 0, 5); got != "" || f != nil {
		t.Errorf("an optional text may be empty: got %q, %v", got, f)
	}
	if _, f := identity.Text("x.name", "ab", 3, 20); f.Args["Min"] != 3 {
		t.Errorf("Min is %v", f.Args["Min"])
	}
	if _, f := identity.Text("x.name", strings.Repeat("a", 30), 3, 20); f.Args["Max"] != 20 {
		t.Errorf("Max is %v", f.Args["Max"])
	}
}

func key(f *problem.Field) string {
	if f == nil {
		return ""
	}
	return f.Key
}

func TestLines(t *testing.T) {
	got, f := identity.Lines("x.description", "one\r\ntwo\rthree\n\tfour ", 3, 100)
	if f != nil || got != "one\ntwo\nthree\n\tfour" {
		t.Errorf("got %q, %v", got, f)
	}
	for _, bad := range []string{"one\x00two", "one\u2028two", "one\u202etwo", "one\vtwo"} {
		if _, f := identity.Lines("x.description", bad, 3, 100); key(f) != "x.description.characters" {
			t.Errorf("%q: %q", bad, key(f))
		}
	}
}

func TestTextKeepsWhatItAccepts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		clean, f := identity.Text("x.name", s, 1, 50)
		if f != nil {
			return
		}
		again, f := identity.Text("x.name", clean, 1, 50)
		if f != nil || again != clean {
			t.Fatalf("%q became %q, then %q, %v", s, clean, again, f)
		}
		if identity.Fold(clean) != identity.Fold(s) {
			t.Fatalf("%q and its clean form %q fold differently", s, clean)
		}
	})
}

func TestEmail(t *testing.T) {
	good := []string{
		"admin@acme.example", "a@b.example", "first.last+tag@sub.acme.example", "o'neill@acme.example",
		"ADMIN@Acme.Example", "jürgen@köln.example", "x_y-z@a-b.example", strings.Repeat("a", 64) + "@acme.example",
	}
	for _, s := range good {
		if got, f := identity.Email("person.email", "  "+s+" "); f != nil || got != s {
			t.Errorf("%q: got %q, %v", s, got, key(f))
		}
	}
	bad := map[string]string{
		"": "missing", "  ": "missing", "admin": "invalid", "admin@": "invalid", "@acme.example": "invalid",
		"Ana <ana@acme.example>": "invalid", "<ana@acme.example>": "invalid", "ana@acme.example, bo@acme.example": "invalid",
		"ana@acme.example (work)": "invalid", `"ana b"@acme.example`: "invalid", "ana@[192.0.2.1]": "invalid",
		"ana@localhost": "invalid", "ana@acme..example": "invalid", "ana@-acme.example": "invalid", "ana@acme-.example": "invalid",
		"ana@acme_x.example": "invalid", "ana@acme.example.": "invalid", ".ana@acme.example": "invalid", "a..b@acme.example": "invalid",
		"ana@acme.example\r\nBcc: x@y.example": "invalid", "ana\n@acme.example": "invalid", "ana\x00@acme.example": "invalid",
		"ana@acme.example\u202e": "invalid", "a\u200bna@acme.example": "invalid", "ana\xff@acme.example": "invalid",
		"ana b@acme.example": "invalid", "ana@acme.exa mple": "invalid", "ana@acme.example@evil.example": "invalid",
		strings.Repeat("a", 65) + "@acme.example":                       "invalid",
		"a@" + strings.Repeat("b", 64) + ".example":                     "invalid",
		"a@" + strings.Repeat("b.", 126) + "example":                    "too_long",
		strings.Repeat("a@", 100_000) + "b.example":                     "too_long",
		strings.Repeat("(", 900) + "ana@acme.example":                   "too_long",
		strings.Repeat("a", 60) + "@" + strings.Repeat("b.", 93) + "ab": "",
	}
	for s, want := range bad {
		if want != "" {
			want = "person.email." + want
		}
		if _, f := identity.Email("person.email", s); key(f) != want {
			t.Errorf("%.60q: got %q, want %q", s, key(f), want)
		}
	}
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"ana@acme.example", "Ana <ana@acme.example>", "a@b", "\"a\"@b.example", "é@é.é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean, fault := identity.Email("person.email", s)
		if fault != nil {
			return
		}
		if len(clean) > 254 || strings.Count(clean, "@") != 1 || strings.ContainsFunc(clean, unicode.IsSpace) || strings.ContainsFunc(clean, unicode.IsControl) {
			t.Errorf("accepted %q", clean)
		}
		if again, fault := identity.Email("person.email", clean); fault != nil || again != clean {
			t.Errorf("%q becomes %q, %v", clean, again, fault)
		}
	})
}
