package scope

import (
	"slices"
	"strings"

	"credenza.example/credenza/internal/problem"
)

// Bounds of what ParseSet reads. All scopes of the built-in catalogue in one string are about 5,000 bytes.
const (
	MaxSetLength  = 16 << 10 // bytes of a scope string
	MaxNameLength = 128      // bytes of one scope
)

// Set is a set of scope names, kept sorted. The zero value is the empty set. Sets are values: no method changes one.
type Set struct{ names []string }

// ParseSet reads a scope string from outside, strictly by RFC 6749 §3.3: one or more scopes of the characters %x21,
// %x23-5B and %x5D-7E, one space between two. A repeated scope counts once. The error is a problem Invalid: the OAuth
// side answers it as invalid_scope. Whether the scopes exist is another question (Catalogue.Unknown).
func ParseSet(s string) (Set, error) {
	switch {
	case s == "":
		return Set{}, problem.New(problem.Invalid, "scope.empty")
	case len(s) > MaxSetLength:
		return Set{}, problem.New(problem.Invalid, "scope.too_long", "Max", MaxSetLength)
	}
	names := strings.Split(s, " ")
	for _, n := range names {
		if !validName(n) {
			return Set{}, problem.New(problem.Invalid, "scope.malformed")
		}
	}
	return SetOf(names...), nil
}

// SetOf returns the set of names that were checked before: of the catalogue, of the store, or of a parsed set.
func SetOf(names ...string) Set {
	if len(names) == 0 {
		return Set{}
	}
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return Set{names: slices.Compact(sorted)}
}

// validName reports whether s is one scope-token of RFC 6749 §3.3 of a length we take.
func validName(s string) bool {
	if s == "" || len(s) > MaxNameLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < 0x21 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Names returns the names, sorted. The slice is the caller's.
func (s Set) Names() []string { return slices.Clone(s.names) }

// Len returns how many names the set has.
func (s Set) Len() int { return len(s.names) }

// Has reports whether the name is in the set, to the letter.
func (s Set) Has(name string) bool {
	_, found := slices.BinarySearch(s.names, name)
	return found
}

// Equal reports whether both sets have the same names.
func (s Set) Equal(other Set) bool { return slices.Equal(s.names, other.names) }

// SubsetOf reports whether every name of the set is in the other. The empty set is a subset of every set.
func (s Set) SubsetOf(other Set) bool {
	for _, n := range s.names {
		if !other.Has(n) {
			return false
		}
	}
	return true
}

// Intersect returns the names that are in both sets.
func (s Set) Intersect(other Set) Set {
	return s.filter(other.Has)
}

// Minus returns the names that are not in the other set.
func (s Set) Minus(other Set) Set {
	return s.filter(func(name string) bool { return !other.Has(name) })
}

func (s Set) filter(keep func(string) bool) Set {
	var names []string
	for _, n := range s.names {
		if keep(n) {
			names = append(names, n)
		}
	}
	return Set{names: names}
}

// String returns the one way to write the set: sorted, one space between two; "" for the empty set. ParseSet reads a
// set back from it.
func (s Set) String() string { return strings.Join(s.names, " ") }
