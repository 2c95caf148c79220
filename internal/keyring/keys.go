package keyring

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"credenza.example/credenza/internal/database"
)

// What a key is for: the column purpose. The two algorithms that sign have a purpose each: of each one key signs.
const (
	purposeCheck   = "check"      // a known text, sealed: tells a wrong master key
	purposeData    = "data"       // seals values of other rooms
	purposeSigning = "sign"       // ES256: signs access tokens
	purposeRSA     = "sign-rs256" // RS256: published, since RFC 9068 §2.1 and OpenID Discovery demand one; signs nothing yet
	purposeTag     = "tag"        // makes the tag inside client secrets (security.md §6.2)
	purposeMAC     = "mac"        // cursors and their like
)

// known are the purposes that this version can judge; a newer one may keep others.
var known = []string{purposeCheck, purposeData, purposeSigning, purposeRSA, purposeTag, purposeMAC}

func isSigning(purpose string) bool { return purpose == purposeSigning || purpose == purposeRSA }

// The states of keys. Those of tag keys mean what protocol.md §3.3 says. A row holds StateSigning as long as it holds
// the key itself; which of these keys signs is decided by time (see line).
const (
	StateNext      = "next"      // known to all, signs from a moment to come
	StateSigning   = "signing"   // signs now
	StateAccepted  = "accepted"  // signed before; what it signed is accepted
	StateUntrusted = "untrusted" // lost or leaked: what it signed says nothing
	StateRetired   = "retired"   // what it signed has ended
)

const (
	algorithmES256  = "ES256"
	algorithmRS256  = "RS256"
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

// TagKey makes and checks the tag inside client secrets. ID is one base62 character; State is StateSigning,
// StateAccepted or StateUntrusted, which has no Key.
type TagKey struct {
	hidden

	ID    byte
	State string
	Key   []byte
}

// newRows makes the first keys of a database, sealed.
func (r *Ring) newRows() ([]keyRow, error) {
	data, err := newDataKey()
	if err != nil {
		return nil, err
	}
	made := []fresh{
		{keyRow{Purpose: purposeCheck, KeyID: firstKeyID, Algorithm: algorithmAESGCM}, []byte(checkText)},
		{keyRow{Purpose: purposeData, KeyID: firstKeyID, Algorithm: algorithmAESGCM}, data},
		newTagKey(firstKeyID),
		{keyRow{Purpose: purposeMAC, KeyID: firstKeyID, Algorithm: algorithmHMAC}, random(macKeySize)},
	}
	signing, err := r.newSigningKeys()
	if err != nil {
		return nil, err
	}
	made = append(made, signing...)
	rows := make([]keyRow, 0, len(made))
	for _, f := range made {
		row, err := f.sealed(r.master)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// fresh is a key that was made and is not sealed yet.
type fresh struct {
	row keyRow
	key []byte
}

// sealed returns the row with the key in it. The row must be whole: what it says is sealed too.
func (f fresh) sealed(m *Master) (keyRow, error) {
	row := f.row
	row.ID, row.State = database.NewID(), StateSigning
	return row, row.seal(m, f.key)
}

// seal puts the key into the row; nothing for one that was erased.
func (r *keyRow) seal(m *Master, key []byte) (err error) {
	r.Sealed, err = seal(m.aead, key, r.associated())
	return err
}

// open returns the key in the row, after making sure that nobody changed the row.
func (r *keyRow) open(m *Master) ([]byte, error) {
	key, err := unseal(m.aead, r.Sealed, r.associated())
	if err != nil {
		return nil, fmt.Errorf("key %s of purpose %s was changed in the database: %w", r.KeyID, r.Purpose, err)
	}
	return key, nil
}

// check refuses what no version of the product leaves behind.
func (r *keyRow) check(key []byte) error {
	whole := len(key) > 0
	if !slices.Contains(known, r.Purpose) {
		return nil
	}
	switch r.State {
	case StateSigning:
		if whole {
			return nil
		}
	case StateAccepted, StateRetired:
		if !whole && r.SignsUntil != nil && isSigning(r.Purpose) {
			return nil
		}
	case StateUntrusted:
		if !whole && (isSigning(r.Purpose) || r.Purpose == purposeTag) {
			return nil
		}
	default:
	}
	return fmt.Errorf("key %s of purpose %s cannot be in the state %q", r.KeyID, r.Purpose, r.State)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: the process ends when the system has no randomness
	return b
}

func newTagKey(id string) fresh {
	return fresh{keyRow{Purpose: purposeTag, KeyID: id, Algorithm: algorithmHMAC}, random(macKeySize)}
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

func parseDataKey(text []byte) (tink.AEAD, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, errors.New("the data key is no key set")
	}
	return aead.New(handle)
}
