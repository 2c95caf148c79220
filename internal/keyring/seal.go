package keyring

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrSealed says that a sealed value does not open: it was changed, belongs elsewhere, or was sealed by another key.
// Which of them it was cannot be told.
var ErrSealed = errors.New("a sealed value does not open")

// Associated writes the parts of an associated value as one text, each preceded by its length, so that no two lists of
// parts give the same text. By convention the parts are organisation, row and field, so that a value which was moved to
// another of them does not open (T19).
func Associated(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(strconv.Itoa(len(p)))
		b.WriteByte(':')
		b.WriteString(p)
	}
	return b.String()
}

// seal encrypts and authenticates plaintext, and authenticates associated with it. The text is base64 with padding.
func seal(a tink.AEAD, plaintext []byte, associated string) (string, error) {
	sealed, err := a.Encrypt(plaintext, []byte(associated))
	if err != nil {
		return "", errors.New("seal a value: the key refused")
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

func unseal(a tink.AEAD, sealed, associated string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	// The decoder skips line breaks and ignores spare bits: only the one text that seal wrote is accepted.
	if err != nil || base64.StdEncoding.EncodeToString(raw) != sealed {
		return nil, ErrSealed
	}
	plaintext, err := a.Decrypt(raw, []byte(associated))
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}
