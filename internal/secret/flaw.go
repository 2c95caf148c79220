package secret

import (
	"regexp"
	"strings"
)

// Flaw says in which way a text fails to be a secret, for the person who pasted it. "" is none: the text has the format,
// though it may never have been a secret.
type Flaw string

// The flaws, the first that applies.
const (
	FlawSpaces     Flaw = "spaces"     // space around it
	FlawQuoted     Flaw = "quoted"     // quotation marks around it
	FlawBearer     Flaw = "bearer"     // the value of a header
	FlawSetting    Flaw = "setting"    // a line of settings: a name and it
	FlawVariable   Flaw = "variable"   // the name of a variable that was to be replaced by it
	FlawPrefix     Flaw = "prefix"     // it does not begin as secrets do
	FlawShort      Flaw = "short"      // a part is missing
	FlawLong       Flaw = "long"       // there is more than a secret
	FlawCharacters Flaw = "characters" // a character that no secret has
	FlawChecksum   Flaw = "checksum"   // some characters are others than they were
)

// What is pasted along with a secret, or in its place.
const quotes = "\"'`“”„‘’«»"

var (
	bearer   = regexp.MustCompile(`(?i)^(authorization\s*:\s*)?(bearer|basic)\s+["']?ccws_`)
	setting  = regexp.MustCompile(`(?i)^(export\s+|set\s+)?["']?[a-z_][\w.-]*["']?\s*[=:]\s*["']?ccws_`)
	variable = regexp.MustCompile(`(?i)^["']?(\$(env:)?[a-z_]\w*|\$\{+\s*(env:)?[a-z_][\w.]*\s*\}+|\{\{\s*[\w.]+\s*\}\}|%[a-z_]\w*%)["']?$`)
)

// FlawOf returns the flaw of a text. It is for people who hold the text anyway: who guesses learns the format, which is
// public.
func FlawOf(text string) Flaw {
	_, err := Parse(text)
	switch {
	case err == nil:
		return ""
	case strings.TrimSpace(text) != text:
		return FlawSpaces
	case strings.Trim(text, quotes) != text && strings.HasPrefix(strings.Trim(text, quotes), Prefix):
		return FlawQuoted
	case bearer.MatchString(text):
		return FlawBearer
	case setting.MatchString(text):
		return FlawSetting
	case variable.MatchString(text):
		return FlawVariable
	case !strings.HasPrefix(text, Prefix):
		return FlawPrefix
	case strings.Trim(text[len(Prefix):], alphabet) != "":
		return FlawCharacters
	case len(text) < length:
		return FlawShort
	case len(text) > length:
		return FlawLong
	default:
		return FlawChecksum
	}
}
