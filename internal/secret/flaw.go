package secret

import "strings"

// Flaw says in which way a text fails to be a secret, for the person who pasted it. "" is none: the text has the format,
// though it may never have been a secret.
type Flaw string

// The flaws, the first that applies.
const (
	FlawSpaces     Flaw = "spaces"     // space around it
	FlawPrefix     Flaw = "prefix"     // it does not begin as secrets do
	FlawShort      Flaw = "short"      // a part is missing
	FlawLong       Flaw = "long"       // there is more than a secret
	FlawCharacters Flaw = "characters" // a character that no secret has
	FlawChecksum   Flaw = "checksum"   // some characters are others than they were
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
