package scope

import (
	"slices"
	"strings"
	"unicode"
)

// curlAlone is what is left of a command line of curl that names no address.
const curlAlone = "curl"

// Curl reads a pasted command line of curl as the call that it makes, such as "POST /api/invoices". ok is false for what
// is no such line. Nothing but method and path comes back: headers, bodies, credentials and the query of the address may
// hold what must not be shown again. Of a line without an address "curl" is left, of one with another method the path.
func Curl(line string) (call string, ok bool) {
	words := shellWords(line)
	if len(words) > 0 && words[0] == "$" { // a prompt that was copied along
		words = words[1:]
	}
	if len(words) < 2 || !slices.Contains([]string{"curl", "curl.exe"}, strings.ToLower(words[0])) {
		return "", false
	}
	var c curlLine
	for words = words[1:]; len(words) > 0; {
		words = c.take(words)
	}
	if c.path == "" {
		return curlAlone, true
	}
	return strings.TrimSpace(c.verb() + " " + c.path), true
}

// curlLine is what is known of a command line of curl so far.
type curlLine struct {
	method         string // as -X says
	get, put, data bool   // options that choose another method than GET, or hold it
	path           string
}

// verb is the method; "" for one that no call of a catalogue has.
func (c *curlLine) verb() string {
	switch {
	case c.method == "HEAD":
		return "GET"
	case slices.Contains(Methods(), c.method):
		return c.method
	case c.method != "":
		return ""
	case c.get:
		return "GET"
	case c.put:
		return "PUT"
	case c.data:
		return "POST"
	default:
		return "GET"
	}
}

// take reads the first word with the value that belongs to it, and returns the words after them.
func (c *curlLine) take(words []string) []string {
	word, rest := words[0], words[1:]
	switch {
	case len(word) > 2 && strings.HasPrefix(word, "--"):
		return c.long(word, rest)
	case len(word) > 1 && word[0] == '-':
		return c.short(word[1:], rest)
	default:
		c.address(word)
		return rest
	}
}

// short reads options of one letter, written together. One with a value ends them: the value is the rest, or the next word.
func (c *curlLine) short(letters string, rest []string) []string {
	for i := range len(letters) {
		name := letters[i : i+1]
		if !strings.Contains("AbcCdDeEFHKmoPQrtTuUwxXyYz", name) {
			c.option(name, "")
			continue
		}
		value := letters[i+1:]
		if value == "" && len(rest) > 0 {
			value, rest = rest[0], rest[1:]
		}
		c.option(name, value)
		return rest
	}
	return rest
}

// long reads an option that is a word. Of those not listed the next word is taken for the value, unless it is a whole
// address.
func (c *curlLine) long(word string, rest []string) []string {
	name, value, written := strings.Cut(word[2:], "=")
	valued := slices.ContainsFunc([]string{
		"cookie", "data", "doh-url", "form", "header", "json", "output", "preproxy", "proxy", "referer", "request", "upload-file",
		"url", "user", "variable", "expand-",
	}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	if !written && len(rest) > 0 && (valued || !strings.HasPrefix(rest[0], "-") && !strings.Contains(rest[0], "://")) {
		value, rest = rest[0], rest[1:]
	}
	c.option(name, value)
	return rest
}

func (c *curlLine) option(name, value string) {
	switch {
	case name == "X" || name == "request":
		c.method = strings.ToUpper(value)
	case name == "G" || name == "get" || name == "I" || name == "head":
		c.get = true
	case name == "T" || name == "upload-file":
		c.put = true
	case name == "d" || name == "F" || name == "json" || strings.HasPrefix(name, "data") || strings.HasPrefix(name, "form"):
		c.data = true
	case name == "url":
		c.address(value)
	}
}

// address takes the path of the first word that looks like an address: "https://host/path", or "host/path".
func (c *curlLine) address(word string) {
	if c.path != "" || strings.ContainsFunc(word, unicode.IsSpace) {
		return
	}
	if _, rest, full := strings.Cut(word, "://"); full {
		word = rest
	}
	if end := strings.IndexAny(word, "?#"); end >= 0 {
		word = word[:end]
	}
	if slash := strings.IndexByte(word, '/'); slash >= 0 && slash+1 < len(word) {
		c.path = word[slash:]
	}
}

// shellWords splits a command line as a shell does, as far as pasted commands need it: quotation marks, $'…', and a
// backslash at the end of a line, which a field of one line joins with the next. Carets are those of Windows.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	begun := false
	var quote rune // 0 outside; '$' inside $'…'
	runes := []rune(strings.ReplaceAll(line, "^", ""))
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		next := rune(' ')
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		switch {
		case r == '\\' && quote != '\'' && (quote != 0 || !unicode.IsSpace(next)):
			word.WriteRune(next)
			begun = true
			i++
		case r == '\\' && quote == 0: // the end of a line
		case quote != 0 && (r == quote || quote == '$' && r == '\''):
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '$' && next == '\'':
			quote, begun = '$', true
			i++
		case r == '\'' || r == '"':
			quote, begun = r, true
		case !unicode.IsSpace(r):
			word.WriteRune(r)
			begun = true
		case begun:
			words = append(words, word.String())
			word.Reset()
			begun = false
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
