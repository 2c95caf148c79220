package keyring

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// hidden is embedded by every type that holds a key: whatever prints the type prints [redacted].
type hidden struct{}

// String returns [redacted].
func (hidden) String() string { return redacted }

// Format prints [redacted] for every verb, also for those that print fields.
func (hidden) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, redacted) // the state of a fmt call has no one to report to
}

// MarshalText returns [redacted]; encoding/json uses it too.
func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [redacted] for slog.
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }
