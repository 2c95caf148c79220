package registry

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxQuery is how many characters a search may have.
	MaxQuery = 400
	// MaxTerms is how many words and values of filters a search may have together.
	MaxTerms = 12
)

// Filter is what stands in the search box (ui.md §4.1): conditions that must all be true of an app.
//
//	query = { term }    term = ["-"] ( word | "quoted words" | key ":" value { "," value } )
//
// ParseFilter reads any text, and what String prints is read as the same Filter again; whether values fit their keys is
// for Search to say.
type Filter []Condition

// Condition is one term of a search. Values of a key are alternatives; words without a key have one value, and Key is
// empty.
type Condition struct {
	Not    bool
	Key    string
	Values []Choice
}

// Choice is a word, a value of a key, or what stands between two quotes.
type Choice struct {
	Text   string
	Quoted bool
}

// The keys of the grammar. They are English in every language.
const (
	KeyName     = "name"
	KeyCategory = "category"
	KeyStatus   = "status"
	KeyBy       = "by"
	KeyContact  = "contact"
	KeyUser     = "user"
	KeyScope    = "scope"
	KeyID       = "id"
	KeySecret   = "secret"
	KeyCreated  = "created"
	KeyModified = "modified"
	KeyUsed     = "used"
)

// Keys returns the keys in the order in which help lists them.
func Keys() []string {
	return []string{
		KeyName, KeyCategory, KeyStatus, KeyBy, KeyContact, KeyUser, KeyScope, KeyID, KeySecret, KeyCreated, KeyModified, KeyUsed,
	}
}

// ParseFilter reads a search as it was typed. A quote opens or closes quoted words wherever it stands, and the end closes
// an open one. A word with a colon whose beginning is no key is a word (UnknownKeys).
func ParseFilter(text string) Filter {
	var f Filter
	for rest := trimLeft(text); rest != ""; rest = trimLeft(rest) {
		var c Condition
		c, rest = nextCondition(rest)
		f = append(f, c)
	}
	return f
}

func trimLeft(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) }

// nextCondition reads the condition at the beginning of s. A minus that stands alone is a word.
func nextCondition(s string) (c Condition, rest string) {
	if after, ok := strings.CutPrefix(s, "-"); ok && after != "" && trimLeft(after) == after {
		c.Not, s = true, after
	}
	key, after, _ := strings.Cut(s, ":")
	if key = strings.ToLower(key); len(key) == len(s) || !slices.Contains(Keys(), key) {
		v, rest := nextValue(s, `"`)
		c.Values = []Choice{v}
		return c, rest
	}
	c.Key = key
	for more := true; more; after, more = strings.CutPrefix(after, ",") {
		var v Choice
		v, after = nextValue(after, `",`)
		c.Values = append(c.Values, v)
	}
	return c, after
}

// nextValue reads what stands between quotes, or up to a space or one of the characters of ends.
func nextValue(s, ends string) (v Choice, rest string) {
	if after, ok := strings.CutPrefix(s, `"`); ok {
		text, rest, _ := strings.Cut(after, `"`)
		return Choice{Text: text, Quoted: true}, rest
	}
	end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(ends, r) })
	if end < 0 {
		end = len(s)
	}
	return Choice{Text: s[:end]}, s[end:]
}

// String prints the search as ParseFilter reads it.
func (f Filter) String() string {
	parts := make([]string, len(f))
	for i, c := range f {
		parts[i] = c.String()
	}
	return strings.Join(parts, " ")
}

// String prints one condition.
func (c Condition) String() string {
	var b strings.Builder
	if c.Not {
		b.WriteByte('-')
	}
	if c.Key != "" {
		b.WriteString(c.Key + ":")
	}
	for i, v := range c.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(v.String())
	}
	return b.String()
}

// String prints a value, in quotes if it stood in quotes.
func (v Choice) String() string {
	if v.Quoted {
		return `"` + v.Text + `"`
	}
	return v.Text
}

// Without returns the search without its condition at i.
func (f Filter) Without(i int) Filter { return slices.Delete(slices.Clone(f), i, i+1) }

// UnknownKeys returns what looks like a key and is none, as "foo" in foo:bar, each once. It was searched for as text.
func (f Filter) UnknownKeys() []string {
	var keys []string
	for _, c := range f {
		if c.Key != "" || c.Values[0].Quoted {
			continue
		}
		key, value, ok := strings.Cut(c.Values[0].Text, ":")
		// An address of the web has slashes after its colon.
		if ok && value != "" && value[0] != '/' && isKeyLike(key) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func isKeyLike(s string) bool {
	letters := strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz_")
	return s != "" && letters == "" && utf8.RuneCountInString(s) <= maxWord
}
