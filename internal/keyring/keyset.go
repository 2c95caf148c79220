package keyring

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// keySet is what the table holds, opened; never changed once made.
type keySet struct {
	news    uint64 // Ring.news when it was read
	rows    []keyRow
	lines   map[string]line
	data    tink.AEAD
	mac     []byte
	tags    map[string][]byte // key ID → key, of those that have one
	private map[string]*ecdsa.PrivateKey
	public  map[string]jose.JSONWebKey
}

// openRows opens every row. The key check comes first, so that a wrong master key is called by its name.
func openRows(m *Master, rows []keyRow) (*keySet, error) {
	check := false
	for i := range rows {
		if rows[i].Purpose != purposeCheck {
			continue
		}
		text, err := unseal(m.aead, rows[i].Sealed, rows[i].associated())
		if err != nil || string(text) != checkText {
			return nil, ErrWrongMaster
		}
		check = true
	}
	if !check {
		return nil, ErrIncomplete
	}
	keys := &keySet{
		rows: rows, lines: lines(rows), tags: map[string][]byte{},
		private: map[string]*ecdsa.PrivateKey{}, public: map[string]jose.JSONWebKey{},
	}
	for i := range rows {
		if err := keys.add(m, &rows[i]); err != nil {
			return nil, err
		}
	}
	if keys.data == nil || keys.mac == nil || len(keys.private) == 0 || keys.lines[purposeTag].signer(time.Time{}) == nil {
		return nil, ErrIncomplete
	}
	return keys, nil
}

func (k *keySet) add(m *Master, row *keyRow) error {
	plain, err := row.open(m)
	if err == nil {
		err = row.check(plain)
	}
	if err != nil {
		return err
	}
	switch row.Purpose {
	case purposeData:
		k.data, err = parseDataKey(plain)
	case purposeMAC:
		k.mac = plain
	case purposeTag:
		if len(row.KeyID) != 1 {
			return fmt.Errorf("the ID of tag key %q is not one character", row.KeyID)
		}
		k.tags[row.KeyID] = plain
	case purposeSigning, purposeRSA:
		err = k.addSigning(row, plain)
	default: // the key check, and what a newer version may keep here
	}
	return err
}

func (k *keySet) addSigning(row *keyRow, der []byte) error {
	jwk, err := parsePublic(row)
	if err != nil {
		return err
	}
	k.public[row.KeyID] = jwk
	if row.State != StateSigning {
		return nil
	}
	private, err := parsePrivate(row, der, jwk)
	if key, ok := private.(*ecdsa.PrivateKey); ok {
		k.private[row.KeyID] = key
	}
	return err
}

// view is what the keys are good for at a time; never changed once made.
type view struct {
	span

	keys   *keySet
	signer SigningKey
	verify map[string]VerificationKey
	public jose.JSONWebKeySet
	tags   []TagKey
}

// at returns the view at this time and for as long as nothing turns.
func (k *keySet) at(now time.Time) *view {
	v := &view{span: spanAt(k.rows, now), keys: k, verify: map[string]VerificationKey{}}
	v.addSigning(purposeSigning, now)
	v.addSigning(purposeRSA, now)
	for _, row := range k.lines[purposeTag] {
		state := k.lines[purposeTag].state(row, now)
		if state == StateNext {
			state = StateAccepted // of secrets that a quicker process makes
		}
		v.tags = append(v.tags, TagKey{ID: row.KeyID[0], State: state, Key: k.tags[row.KeyID]})
	}
	return v
}

func (v *view) addSigning(purpose string, now time.Time) {
	keys := v.keys.lines[purpose]
	for _, row := range keys {
		state := keys.state(row, now)
		if state == StateUntrusted || state == StateRetired {
			continue
		}
		jwk := v.keys.public[row.KeyID]
		v.public.Keys = append(v.public.Keys, jwk)
		key, ok := jwk.Key.(*ecdsa.PublicKey)
		if !ok {
			continue // an RS256 key: access tokens are signed by ES256 alone
		}
		v.verify[row.KeyID] = VerificationKey{KeyID: row.KeyID, Algorithm: row.Algorithm, Key: key}
		if state == StateSigning {
			v.signer = SigningKey{KeyID: row.KeyID, Algorithm: row.Algorithm, Key: v.keys.private[row.KeyID]}
		}
	}
}

// tagKeys returns copies, which the caller may keep and change.
func (v *view) tagKeys() []TagKey {
	keys := make([]TagKey, 0, len(v.tags))
	for _, k := range v.tags {
		keys = append(keys, TagKey{ID: k.ID, State: k.State, Key: bytes.Clone(k.Key)})
	}
	return keys
}
