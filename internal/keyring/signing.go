package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// rsaBits is the size of RS256 keys (protocol.md §1.7, C43b).
const rsaBits = 3072

// algorithms says by which algorithm, and no other, keys of a signing purpose sign (C37).
var algorithms = map[string]string{purposeSigning: algorithmES256, purposeRSA: algorithmRS256}

// newSigningKeys makes one key of each kind. The RSA key takes some tenths of a second.
func (r *Ring) newSigningKeys() ([]fresh, error) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	first, err := newSigningKey(purposeSigning, ec)
	if err != nil {
		return nil, err
	}
	second, err := r.newRSAKey()
	return []fresh{first, second}, err
}

func (r *Ring) newRSAKey() (fresh, error) {
	key, err := r.makeRSA()
	if err != nil {
		return fresh{}, fmt.Errorf("make a signing key: %w", err)
	}
	return newSigningKey(purposeRSA, key)
}

func generateRSA() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, rsaBits) }

// newSigningKey names the key by its RFC 7638 thumbprint.
func newSigningKey(purpose string, key crypto.Signer) (fresh, error) {
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fresh{}, errors.New("make a signing key: it cannot be encoded")
	}
	jwk, err := publicJWK(purpose, key.Public())
	if err != nil {
		return fresh{}, err
	}
	public, err := jwk.MarshalJSON()
	if err != nil {
		return fresh{}, fmt.Errorf("make a signing key: %w", err)
	}
	return fresh{keyRow{Purpose: purpose, KeyID: jwk.KeyID, Algorithm: jwk.Algorithm, PublicKey: string(public)}, private}, nil
}

func publicJWK(purpose string, key crypto.PublicKey) (jose.JSONWebKey, error) {
	jwk := jose.JSONWebKey{Key: key, Algorithm: algorithms[purpose], Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("name a signing key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return jwk, nil
}

// parsePublic returns the public half of a row of a signing purpose. It must be of the kind that the purpose has.
func parsePublic(row *keyRow) (jose.JSONWebKey, error) {
	refused := fmt.Errorf("signing key %s is no %s key", row.KeyID, algorithms[row.Purpose])
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON([]byte(row.PublicKey)); err != nil {
		return jose.JSONWebKey{}, refused
	}
	fits := false
	switch key := parsed.Key.(type) {
	case *ecdsa.PublicKey:
		fits = row.Purpose == purposeSigning && key.Curve == elliptic.P256()
	case *rsa.PublicKey:
		fits = row.Purpose == purposeRSA && key.N.BitLen() == rsaBits
	default:
	}
	if !fits || row.Algorithm != algorithms[row.Purpose] {
		return jose.JSONWebKey{}, refused
	}
	jwk, err := publicJWK(row.Purpose, parsed.Key)
	if err != nil || jwk.KeyID != row.KeyID {
		return jose.JSONWebKey{}, refused
	}
	return jwk, nil
}

// parsePrivate returns the private half, which must belong to the public one.
func parsePrivate(row *keyRow, der []byte, public jose.JSONWebKey) (crypto.Signer, error) {
	refused := fmt.Errorf("signing key %s does not fit its public half", row.KeyID)
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, refused
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, refused
	}
	half, ok := private.Public().(interface{ Equal(x crypto.PublicKey) bool })
	if !ok || !half.Equal(public.Key) {
		return nil, refused
	}
	return private, nil
}
