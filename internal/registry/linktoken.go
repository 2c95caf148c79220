package registry

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// linkTokenBytes are the random bytes in a link (protocol.md §3.6: 256 bits).
const linkTokenBytes = 32

// LinkToken is what a hand-off link holds. Every way of printing it gives [redacted].
type LinkToken struct{ value string }

const redactedToken = "[redacted]"

// NewLinkToken wraps what a link carried.
func NewLinkToken(value string) LinkToken { return LinkToken{value: value} }

func makeLinkToken(random io.Reader) (LinkToken, error) {
	b := make([]byte, linkTokenBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return LinkToken{}, fmt.Errorf("make a link: %w", err)
	}
	return LinkToken{value: base64.RawURLEncoding.EncodeToString(b)}, nil
}

// Reveal returns the value.
func (t LinkToken) Reveal() string { return t.value }

// digest is what is stored of it.
func (t LinkToken) digest() string {
	sum := sha256.Sum256([]byte(t.value))
	return hex.EncodeToString(sum[:])
}

// String returns [redacted].
func (LinkToken) String() string { return redactedToken }

// Format writes [redacted] whatever the verb.
func (LinkToken) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, redactedToken) // a state that cannot be written to shows less, not more
}

// MarshalJSON returns "[redacted]".
func (LinkToken) MarshalJSON() ([]byte, error) { return []byte(`"` + redactedToken + `"`), nil }

// LogValue returns [redacted].
func (LinkToken) LogValue() slog.Value { return slog.StringValue(redactedToken) }
