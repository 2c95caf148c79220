package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// NewToken returns a one-time token, 256 random bits as 43 base62 digits, and the hash that a row keeps of it
// (protocol.md §3.6). A token is found by its hash; bcrypt is for client secrets alone, which are found by client ID.
func NewToken() (Secret, string) {
	var random [bodyBytes]byte
	_, _ = rand.Read(random[:]) // crypto/rand never fails: it ends the process instead
	var digits [bodyDigits]byte
	encode62(digits[:], random[:])
	token := string(digits[:])
	return newSecret(token), HashToken(token)
}

// HashToken returns the hash under which a presented token would be stored: its SHA-256 in lower-case hexadecimal.
// Any text has one; only a token that was made is found.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
