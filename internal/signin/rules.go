package signin

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// The bounds of a password: characters at least, bytes at most. Nothing between is cut, trimmed or changed.
const (
	MinPassword = 15
	MaxPassword = 1024
)

const (
	// leastTerm is the shortest name that a password may not contain: shorter ones stand in ordinary words.
	leastTerm = 4
	// leastDistinct is how many different characters a password needs at least.
	leastDistinct = 5
)

// commonList are long passwords that many people choose, one a line.
//
//go:embed common.txt
var commonList string

func commonPasswords() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonList) {
		if s := squash(line); s != "" {
			set[s] = true
		}
	}
	return set
}

// checkPassword applies the rules of C44 and returns the fault of the field "password", or nil. There are no rules about
// kinds of characters, and none about changing it now and then.
func (s *Service) checkPassword(password Secret, c identity.Credential) error {
	p := password.Reveal()
	refuse := func(what string, args ...any) error {
		return problem.Fields(problem.NewField("password", "signin.password."+what, args...))
	}
	switch {
	case p == "":
		return refuse("missing")
	case len(p) > MaxPassword:
		return refuse("too_long", "Max", MaxPassword)
	case utf8.RuneCountInString(p) < MinPassword:
		return refuse("too_short", "Min", MinPassword)
	case s.isCommon(p):
		return refuse("common")
	case namesOwner(p, c):
		return refuse("personal")
	default:
		return nil
	}
}

// isCommon reports whether many people choose this password, or one built as simply: of few characters, by repeating a
// shorter text, by adding digits to a common one.
func (s *Service) isCommon(password string) bool {
	plain := squash(password)
	distinct := map[rune]bool{}
	for _, r := range identity.Fold(password) {
		distinct[r] = true
	}
	unit := repeated(plain)
	return len(distinct) < leastDistinct || s.common[plain] || s.common[strings.TrimFunc(plain, unicode.IsDigit)] ||
		len(unit) < len(plain) && utf8.RuneCountInString(unit) < MinPassword
}

// repeated returns the shortest text of which s is a repetition, s itself when there is none.
func repeated(s string) string {
	for n := 1; n <= len(s)/2; n++ {
		if len(s)%n == 0 && strings.Repeat(s[:n], len(s)/n) == s {
			return s[:n]
		}
	}
	return s
}

// namesOwner reports whether the password contains the person's e-mail address or the organisation's name.
func namesOwner(password string, c identity.Credential) bool {
	local, _, _ := strings.Cut(c.Person.Email, "@")
	plain := squash(password)
	for _, term := range []string{c.Person.Email, local, c.Organisation.Name, c.Organisation.ShortName, c.Organisation.ClientPrefix} {
		term = squash(term)
		if utf8.RuneCountInString(term) >= leastTerm && strings.Contains(plain, term) {
			return true
		}
	}
	return false
}

// squash folds a text and leaves only its letters and digits.
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, identity.Fold(s))
}
