package scope_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/scope"
)

// The part of C10 that is about characters. That a scope which is not the app's is refused is shown at the token
// endpoint.
func TestC10_ScopeStringsAreReadStrictly(t *testing.T) {
	long := strings.Repeat("x", scope.MaxNameLength)
	full := strings.TrimSuffix(strings.Repeat("abcdefg ", scope.MaxSetLength/8), " ")
	tests := []struct {
		name, in string
		want     []string
		key      string // of the problem, when refused
	}{
		{"one", "core.user.read", []string{"core.user.read"}, ""},
		{"sorted", "b a c", []string{"a", "b", "c"}, ""},
		{"case counts", "a A", []string{"A", "a"}, ""},
		{"repeated", "a b a", []string{"a", "b"}, ""},
		{"every edge of the alphabet", "! # [ ] ~", []string{"!", "#", "[", "]", "~"}, ""},
		{"longest name", long, []string{long}, ""},
		{"longest string", full, []string{"abcdefg"}, ""},

		{"empty", "", nil, "scope.empty"},
		{"a space", " ", nil, "scope.malformed"},
		{"leading space", " a", nil, "scope.malformed"},
		{"trailing space", "a ", nil, "scope.malformed"},
		{"two spaces", "a  b", nil, "scope.malformed"},
		{"tab", "a\tb", nil, "scope.malformed"},
		{"newline", "a\n", nil, "scope.malformed"},
		{"NUL", "a\x00", nil, "scope.malformed"},
		{"double quote", `a"b`, nil, "scope.malformed"},
		{"backslash", `a\b`, nil, "scope.malformed"},
		{"DEL", "a\x7f", nil, "scope.malformed"},
		{"beyond ASCII", "ä", nil, "scope.malformed"},
		{"no-break space", "a\u00a0b", nil, "scope.malformed"},
		{"not UTF-8", "a\xff", nil, "scope.malformed"},
		{"name too long", long + "x", nil, "scope.malformed"},
		{"string too long", full + " abcdefgh", nil, "scope.too_long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := scope.ParseSet(tt.in)
			if tt.key != "" {
				if p := problem.As(err); p.Code != problem.Invalid || p.Key != tt.key {
					t.Fatalf("error %v, want invalid %s", err, tt.key)
				}
				if got.Len() != 0 {
					t.Errorf("refused, yet with %v", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Names()); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParsedSetFitsTheWholeCatalogue(t *testing.T) {
	var names []string
	for _, s := range load(t).Scopes() {
		names = append(names, s.Name)
	}
	all := scope.SetOf(names...)
	back, err := scope.ParseSet(all.String())
	if err != nil || !back.Equal(all) || back.Len() != 198 {
		t.Errorf("%d scopes in %d bytes: %v", back.Len(), len(all.String()), err)
	}
}

func TestSetAlgebra(t *testing.T) {
	tests := []struct {
		name             string
		a, b             []string
		intersect, minus string
		subset           bool
	}{
		{"empty and empty", nil, nil, "", "", true},
		{"empty and some", nil, []string{"x"}, "", "", true},
		{"some and empty", []string{"x"}, nil, "", "x", false},
		{"equal", []string{"y", "x"}, []string{"x", "y"}, "x y", "", true},
		{"subset", []string{"x"}, []string{"x", "y"}, "x", "", true},
		{"superset", []string{"z", "x", "y"}, []string{"y"}, "y", "x z", false},
		{"overlap", []string{"x", "y"}, []string{"y", "z"}, "y", "x", false},
		{"apart", []string{"x"}, []string{"X"}, "", "x", false},
		{"a prefix is another scope", []string{"core.a"}, []string{"core.a.b"}, "", "core.a", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := scope.SetOf(tt.a...), scope.SetOf(tt.b...)
			if got := a.Intersect(b).String(); got != tt.intersect {
				t.Errorf("intersection %q, want %q", got, tt.intersect)
			}
			if got := a.Minus(b).String(); got != tt.minus {
				t.Errorf("difference %q, want %q", got, tt.minus)
			}
			if got := a.SubsetOf(b); got != tt.subset {
				t.Errorf("subset %v, want %v", got, tt.subset)
			}
		})
	}
}

func TestSetIsAValue(t *testing.T) {
	given := []string{"b", "a"}
	s := scope.SetOf(given...)
	given[0] = "z"
	s.Names()[0] = "y"
	if s.String() != "a b" || !s.Has("a") || s.Has("y") || s.Has("z") {
		t.Errorf("the set changed to %v", s)
	}
	var zero scope.Set
	if zero.Len() != 0 || zero.String() != "" || zero.Has("") || !zero.Equal(scope.SetOf()) || !zero.SubsetOf(s) {
		t.Error("the zero value is not the empty set")
	}
}

// Against maps: the plainest way to say what a set is.
func TestSetAgreesWithMaps(t *testing.T) {
	names := rapid.SliceOf(rapid.SampledFrom([]string{"a", "a.b", "a.b.c", "b", "B", "c"}))
	rapid.Check(t, func(t *rapid.T) {
		as, bs := names.Draw(t, "a"), names.Draw(t, "b")
		a, b := scope.SetOf(as...), scope.SetOf(bs...)
		var both, only []string
		for _, n := range as {
			if slices.Contains(bs, n) {
				both = append(both, n)
			} else {
				only = append(only, n)
			}
			if !a.Has(n) {
				t.Fatalf("%q is not in %v", n, a)
			}
		}
		if !a.Intersect(b).Equal(scope.SetOf(both...)) || !a.Minus(b).Equal(scope.SetOf(only...)) {
			t.Fatalf("%v and %v: intersection %v, difference %v", a, b, a.Intersect(b), a.Minus(b))
		}
		if !a.Intersect(b).Equal(b.Intersect(a)) || a.SubsetOf(b) != (len(only) == 0) {
			t.Fatalf("%v and %v: intersection or subset is wrong", a, b)
		}
	})
}

// RFC 6749 §3.3 in the words of a regular expression, as a second reading.
var scopeGrammar = regexp.MustCompile(`\A[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*\z`)

// FuzzScopeSet is security.md's FuzzScope: what is given is never more than was asked for and than is allowed.
func FuzzScopeSet(f *testing.F) {
	f.Add("core.invoice.read core.invoice.write", "core.invoice.read")
	f.Add("a", "a b")
	f.Add(" a", "a")
	f.Add("a\x00", "a\x00")
	f.Add(`"`, `\`)
	f.Fuzz(func(t *testing.T, askedText, allowedText string) {
		allowed := scope.SetOf(strings.Fields(allowedText)...)
		asked, err := scope.ParseSet(askedText)
		tooLong := len(askedText) > scope.MaxSetLength
		for n := range strings.SplitSeq(askedText, " ") {
			tooLong = tooLong || len(n) > scope.MaxNameLength
		}
		if accepted := err == nil; accepted != (scopeGrammar.MatchString(askedText) && !tooLong) {
			t.Fatalf("ParseSet(%q): %v", askedText, err)
		}
		given := asked.Intersect(allowed)
		for _, n := range given.Names() {
			if !slices.Contains(strings.Split(askedText, " "), n) || !slices.Contains(strings.Fields(allowedText), n) {
				t.Fatalf("%q was given for %q of %q", n, askedText, allowedText)
			}
		}
		if !given.SubsetOf(asked) || !given.SubsetOf(allowed) || asked.SubsetOf(allowed) != given.Equal(asked) {
			t.Fatalf("%v of %v and %v", given, asked, allowed)
		}
		if given.Len()+asked.Minus(allowed).Len() != asked.Len() {
			t.Fatalf("%v: intersection and difference do not add up", asked)
		}
		if err != nil {
			return
		}
		again, err := scope.ParseSet(asked.String())
		if err != nil || !again.Equal(asked) || again.String() != asked.String() {
			t.Fatalf("%v read back as %v: %v", asked, again, err)
		}
	})
}
