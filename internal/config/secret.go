package config

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a setting that must not be seen. Every printed form of it is [redacted], or empty when it is not set, so
// that a log may tell whether it was set.
//
// It stands here, not in package secret, because that one is about clients' secrets and this room is a leaf.
type Secret struct{ value string }

// NewSecret returns value as a Secret.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the value itself. Callers hand it to what needs it and keep it out of every text.
func (s Secret) Reveal() string { return s.value }

// String returns [redacted], or "" when the setting is not set.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return redacted
}

// Format prints String for every verb, also for those that print fields.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // the state of a fmt call has no one to report to
}

// MarshalText returns String; encoding/json uses it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns String for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
