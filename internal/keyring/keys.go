package keyring

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"credenza.example/credenza/internal/database"
)

// What a key is for: the column purpose.
const (
	purposeCheck   = "check" // a known text, sealed: tells a wrong master key
	purposeData    = "data"  // seals values of other rooms
	purposeSigning = "sign"  // signs access tokens
	purposeTag     = "tag"   // makes the tag inside client secrets (security.md §6.2)
	purposeMAC     = "mac"   // cursors and their like
)

// The states of keys. Those of tag keys mean what protocol.md §3.3 says. Of signing keys one is StateSigning; those in
// StateAccepted still verify.
const (
	StateSigning   = "signing"
	StateAccepted  = "accepted"
	StateUntrusted = "untrusted"
)

const (
	algorithmES256  = "ES256"
	algorithmHMAC   = "HMAC-SHA256"
	algorithmAESGCM = "AES256-GCM"

	// firstKeyID names the first key of a purpose. A tag key's ID is one base62 character (security.md §6.2).
	firstKeyID = "1"
	macKeySize = 32
)

// checkText is what the key check holds.
const checkText = "credenza key check 1"

// SigningKey signs access tokens.
type SigningKey struct {
	hidden

	KeyID     string
	Algorithm string // ES256
	Key       *ecdsa.PrivateKey
}

// VerificationKey verifies what a signing key of this ID signed, by this one algorithm and no other.
type VerificationKey struct {
	KeyID     string
	Algorithm string // ES256
	Key       *ecdsa.PublicKey
}

// TagKey makes and checks the tag inside client secrets. ID is one base62 character; State one of the State constants.
type TagKey struct {
	hidden

	ID    byte
	State string
	Key   []byte
}

// newRows makes the first keys of a database, sealed.
func newRows(m *Master) ([]keyRow, error) {
	data, err := newDataKey()
	if err != nil {
		return nil, err
	}
	signing, private, err := newSigningRow()
	if err != nil {
		return nil, err
	}
	plain := []struct {
		row keyRow
		key []byte
	}{
		{keyRow{Purpose: purposeCheck, Algorithm: algorithmAESGCM}, []byte(checkText)},
		{keyRow{Purpose: purposeData, Algorithm: algorithmAESGCM}, data},
		{keyRow{Purpose: purposeTag, Algorithm: algorithmHMAC}, random(macKeySize)},
		{keyRow{Purpose: purposeMAC, Algorithm: algorithmHMAC}, random(macKeySize)},
		{signing, private},
	}
	rows := make([]keyRow, 0, len(plain))
	for _, p := range plain {
		row := p.row
		row.ID, row.State = database.NewID(), StateSigning
		if row.KeyID == "" {
			row.KeyID = firstKeyID
		}
		if row.Sealed, err = seal(m.aead, p.key, row.associated()); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: the process ends when the system has no randomness
	return b
}

// newDataKey returns a fresh AES256-GCM key set as Tink's JSON, so that it can later hold older keys beside new ones.
func newDataKey() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make the data key: %w", err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return nil, errors.New("make the data key: its key set cannot be written as text")
	}
	return b.Bytes(), nil
}

// newSigningRow makes an ES256 key (P-256). Its ID is the RFC 7638 thumbprint.
func newSigningRow() (row keyRow, private []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyRow{}, nil, fmt.Errorf("make the signing key: %w", err)
	}
	if private, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return keyRow{}, nil, errors.New("make the signing key: it cannot be encoded")
	}
	jwk := publicJWK("", &key.PublicKey)
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return keyRow{}, nil, fmt.Errorf("make the signing key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	public, err := jwk.MarshalJSON()
	if err != nil {
		return keyRow{}, nil, fmt.Errorf("make the signing key: %w", err)
	}
	row = keyRow{Purpose: purposeSigning, KeyID: jwk.KeyID, Algorithm: algorithmES256, PublicKey: string(public)}
	return row, private, nil
}

func publicJWK(keyID string, key *ecdsa.PublicKey) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key, KeyID: keyID, Algorithm: algorithmES256, Use: "sig"}
}

func parseDataKey(text []byte) (tink.AEAD, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errors.New("the data key is no key set")
	}
	return aead.New(handle)
}

func parseSigningKey(row *keyRow, der []byte) (SigningKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() || row.Algorithm != algorithmES256 {
		return SigningKey{}, fmt.Errorf("signing key %s is no ES256 key", row.KeyID)
	}
	return SigningKey{KeyID: row.KeyID, Algorithm: row.Algorithm, Key: key}, nil
}
