package signin

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a password or the token of a link. Every way of printing it gives [redacted].
type Secret struct{ value string }

const redacted = "[redacted]"

// NewSecret wraps what somebody typed or a link carried.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the value.
func (s Secret) Reveal() string { return s.value }

// String returns [redacted].
func (Secret) String() string { return redacted }

// Format writes [redacted] whatever the verb.
func (Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, redacted) // a state that cannot be written to shows less, not more
}

// MarshalJSON returns "[redacted]".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
