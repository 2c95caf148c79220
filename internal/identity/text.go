package identity

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"credenza.example/credenza/internal/problem"
)

// The longest e-mail address and local part that mail systems carry, in bytes (RFC 5321 §4.5.3.1).
const (
	maxEmail = 254
	maxLocal = 64
	maxLabel = 63
)

// Fold returns the form in which texts are compared (product.md decision 3): compatibility forms unified, case folded,
// invisible characters dropped, spaces trimmed and runs of them made one. Two names with equal folds are the same name.
// Fold(Fold(s)) == Fold(s).
func Fold(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	// Folding can undo a normal form and a normal form can make capitals (as "℡" does), hence both twice; NFKD first,
	// because some compatibility forms decompose into invisible characters.
	s = strings.Map(visible, norm.NFKD.String(s))
	s = norm.NFKC.String(cases.Fold().String(s))
	s = norm.NFKC.String(cases.Fold().String(s))
	return strings.Join(strings.Fields(s), " ")
}

// visible is a mapping that drops the characters that show nothing by themselves.
func visible(r rune) rune {
	if invisible(r) {
		return -1
	}
	return r
}

// invisible reports whether a character shows nothing by itself and so must not make two names differ.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Text checks one line of text and returns it composed (NFC) and trimmed. field is the prefix of its messages, such as
// "app.name"; the part after the last dot is the name of the form field. minimum and maximum count characters.
//
// A fault has one of the keys field+".missing", ".too_short" (Min), ".too_long" (Max) and ".characters": no valid UTF-8,
// a control character, a line break, or one of the marks that reorder the text after them.
func Text(field, value string, minimum, maximum int) (string, *problem.Field) {
	return rule{field: field, minimum: minimum, maximum: maximum}.check(value)
}

// Lines is Text for longer texts: line breaks are allowed and become "\n", as are tabs.
func Lines(field, value string, minimum, maximum int) (string, *problem.Field) {
	value = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(value)
	return rule{field: field, minimum: minimum, maximum: maximum, lines: true}.check(value)
}

type rule struct {
	field            string
	minimum, maximum int
	lines            bool
}

func (r rule) check(value string) (string, *problem.Field) {
	if !utf8.ValidString(value) {
		return "", fault(r.field, "characters")
	}
	value = strings.TrimSpace(norm.NFC.String(value))
	if strings.ContainsFunc(value, r.refused) {
		return "", fault(r.field, "characters")
	}
	n := utf8.RuneCountInString(value)
	switch {
	case r.minimum > 0 && Fold(value) == "":
		return "", fault(r.field, "missing")
	case n < r.minimum:
		return "", fault(r.field, "too_short", "Min", r.minimum)
	case n > r.maximum:
		return "", fault(r.field, "too_long", "Max", r.maximum)
	default:
		return value, nil
	}
}

func (r rule) refused(c rune) bool {
	if r.lines && (c == '\n' || c == '\t') {
		return false
	}
	switch {
	case unicode.IsControl(c), c == '\u2028', c == '\u2029':
		return true
	case '\u202A' <= c && c <= '\u202E', '\u2066' <= c && c <= '\u2069': // embeddings, overrides and isolates
		return true
	default:
		return c == '\uFEFF' || unicode.Is(unicode.Noncharacter_Code_Point, c)
	}
}

// Email checks an e-mail address and returns it trimmed. It takes the plain address only: no display name, no comment,
// no quotes, no address literal, no line break, a domain of at least two labels, 254 bytes at most. Keys of a fault:
// field+".missing", ".too_long" (Max) and ".invalid".
func Email(field, value string) (string, *problem.Field) {
	if len(value) > 4*maxEmail {
		return "", fault(field, "too_long", "Max", maxEmail)
	}
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return "", fault(field, "missing")
	case !utf8.ValidString(value), strings.ContainsFunc(value, notInAddress):
		return "", fault(field, "invalid")
	}
	value = norm.NFC.String(value)
	if len(value) > maxEmail {
		return "", fault(field, "too_long", "Max", maxEmail)
	}
	parsed, err := mail.ParseAddress(value)
	if err != nil || parsed.Name != "" || parsed.Address != value {
		return "", fault(field, "invalid")
	}
	at := strings.LastIndexByte(value, '@')
	if at > maxLocal || !isDomain(value[at+1:]) {
		return "", fault(field, "invalid")
	}
	return value, nil
}

func notInAddress(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || invisible(r) || unicode.Is(unicode.Noncharacter_Code_Point, r)
}

func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if r != '-' && !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Nd) {
				return false
			}
		}
	}
	return len(labels) > 1
}

// fault returns the fault of a field: the name after the last dot, the message under the whole.
func fault(field, what string, args ...any) *problem.Field {
	f := problem.NewField(field[strings.LastIndexByte(field, '.')+1:], field+"."+what, args...)
	return &f
}

// faults collects the faults of a form.
type faults []problem.Field

func (f *faults) add(one *problem.Field) {
	if one != nil {
		*f = append(*f, *one)
	}
}

func (f *faults) err() error { return problem.Fields(*f...) }
