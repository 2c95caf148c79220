package registry

import (
	"fmt"
	"io"
)

// clientIDAlphabet is lower-case base32 without 0 1 l o, which people misread (product.md decision 4).
const (
	clientIDAlphabet = "23456789abcdefghijkmnpqrstuvwxyz"
	clientIDRandom   = 20 // characters, 100 bits
)

// newClientID returns the installation's prefix, the organisation's client prefix, "_" and 20 random characters. It
// fails when the source of random bytes does.
func newClientID(random io.Reader, prefix, clientPrefix string) (string, error) {
	b := make([]byte, clientIDRandom)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("random bytes for a client ID: %w", err)
	}
	for i := range b {
		b[i] = clientIDAlphabet[b[i]%byte(len(clientIDAlphabet))] // 256 is a multiple of 32: no character is likelier
	}
	return prefix + clientPrefix + "_" + string(b), nil
}

// validClientID reports whether a text could be a client ID at all, so that nonsense from outside costs no query. It is
// wide: installations may have changed their prefix.
func validClientID(s string) bool {
	if len(s) <= clientIDRandom || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}
