package secret

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a text that must not reach a log, an error, a page or a file by accident: whatever prints or marshals it
// writes [redacted]. It is a secret of an app or a one-time token; the zero value holds nothing.
//
// The text is behind a pointer because package fmt prints the unexported fields of a struct without asking their
// methods; of a pointer it shows an address. Two Secrets are therefore not to be compared with ==.
type Secret struct {
	text *string
}

func newSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text. Every call is a place where a secret leaves: the one answer that shows it, and tests.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String returns [redacted].
func (Secret) String() string { return redacted }

// Format writes [redacted] for every verb and flag.
func (Secret) Format(f fmt.State, _ rune) { writeRedacted(f) }

// MarshalJSON returns [redacted] as a JSON string.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns [redacted], for map keys and for formats other than JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// writeRedacted ignores the error as package fmt does: a state that cannot be written to reports it itself.
func writeRedacted(w io.Writer) { _, _ = io.WriteString(w, redacted) }
