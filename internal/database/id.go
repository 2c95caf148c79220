package database

import "github.com/google/uuid"

// NewID returns a new UUIDv7 in text form. It panics only when the system has no randomness left, as crypto/rand does.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// ParseID reports whether s is an ID in the one form the product writes: 36 lower-case characters. Rooms build the
// parsers of their typed IDs on it.
func ParseID(s string) (string, bool) {
	if len(s) != 36 {
		return "", false
	}
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s {
		return "", false
	}
	return s, true
}
