package oauth

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"credenza.example/credenza/internal/keyring"
)

const (
	// maxToken bounds what is looked at as a token, in bytes (C43). An app with every scope of the catalogue's largest
	// API gets about 5,000.
	maxToken = 8 << 10
	// leeway is how far the clocks of two replicas may differ for a token that was issued just now (C39). The end of a
	// token has none.
	leeway = 10 * time.Second
	// integerSize is that of one half of an ES256 signature (RFC 7518 §3.4).
	integerSize = 32
)

var signatureLength = base64.RawURLEncoding.EncodedLen(2 * integerSize)

// claims are those of an access token (RFC 9068 §2.2 and protocol.md §1.2).
type claims struct {
	Issuer       string `json:"iss"`
	Subject      string `json:"sub"`
	Audience     string `json:"aud"`
	Expires      int64  `json:"exp"`
	IssuedAt     int64  `json:"iat"`
	NotBefore    int64  `json:"nbf,omitempty"` // never set by us
	ID           string `json:"jti"`
	ClientID     string `json:"client_id"`
	Scope        string `json:"scope"`
	Organisation string `json:"org"`
	APIUser      string `json:"api_user"`
	Generation   int64  `json:"gen"`
	Credential   string `json:"cred"`
}

// headers knows the one header that tokens of a key have. Tokens are ours alone, so their first part is compared as
// text instead of parsed: no algorithm, type, key address or extension in it is ever believed (C37, C38, C40). The text
// must therefore stay as it is for as long as tokens live, also from one version of the product to the next.
type headers struct {
	byKey  sync.Map // key ID → header as base64url
	keyIDs sync.Map // the other way round
}

// of returns the header of tokens signed by this key: {"alg":"ES256","kid":"…","typ":"at+jwt"}.
func (h *headers) of(keyID, algorithm string) string {
	known, _ := h.byKey.Load(keyID)
	if header, ok := known.(string); ok {
		return header
	}
	text, err := json.Marshal(struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
		Type      string `json:"typ"`
	}{algorithm, keyID, "at+jwt"})
	if err != nil {
		return "" // three strings always marshal
	}
	header := base64.RawURLEncoding.EncodeToString(text)
	h.byKey.Store(keyID, header)
	h.keyIDs.Store(header, keyID)
	return header
}

// sign returns the claims as a signed JWT (RFC 7515 §7.1).
func (h *headers) sign(key keyring.SigningKey, c *claims) (string, error) {
	if time.Duration(c.Expires-c.IssuedAt)*time.Second > keyring.LongestToken {
		return "", errors.New("a token would outlive the key that verifies it")
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode a token: %w", err)
	}
	header := h.of(key.KeyID, key.Algorithm)
	token := make([]byte, 0, len(header)+base64.RawURLEncoding.EncodedLen(len(payload))+signatureLength+2)
	token = append(append(token, header...), '.')
	token = base64.RawURLEncoding.AppendEncode(token, payload)
	digest := sha256.Sum256(token)
	r, s, err := ecdsa.Sign(rand.Reader, key.Key, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	var signature [2 * integerSize]byte
	r.FillBytes(signature[:integerSize])
	s.FillBytes(signature[integerSize:])
	token = base64.RawURLEncoding.AppendEncode(append(token, '.'), signature[:])
	if len(token) > maxToken {
		return "", errors.New("a token would be longer than 8 KiB")
	}
	return string(token), nil
}

// verify returns the claims of a token that one of the keys of this installation signed. Whether they still hold is
// asked elsewhere.
func (h *headers) verify(ring *keyring.Ring, token string) (claims, bool) {
	if len(token) > maxToken || strings.Count(token, ".") != 2 {
		return claims{}, false
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	key, ok := h.keyOf(ring, header)
	if !ok {
		return claims{}, false
	}
	digest := sha256.Sum256([]byte(token[:len(header)+1+len(payload)]))
	raw, ok := decodeStrictly(signature)
	if !ok || len(raw) != 2*integerSize {
		return claims{}, false
	}
	r, s := new(big.Int).SetBytes(raw[:integerSize]), new(big.Int).SetBytes(raw[integerSize:])
	if !ecdsa.Verify(key.Key, digest[:], r, s) {
		return claims{}, false
	}
	text, ok := decodeStrictly(payload)
	if !ok {
		return claims{}, false
	}
	var c claims
	if err := json.Unmarshal(text, &c); err != nil {
		return claims{}, false
	}
	return c, true
}

// keyOf returns the key whose tokens have this header. Only keys that verify access tokens are asked, so a token that
// names another published key, such as an RS256 one, is refused like one that names none. The ring is asked each time:
// a key may have ended since its header was seen first.
func (h *headers) keyOf(ring *keyring.Ring, header string) (keyring.VerificationKey, bool) {
	if known, ok := h.keyIDs.Load(header); ok {
		keyID, _ := known.(string)
		return ring.Verification(keyID)
	}
	for _, jwk := range ring.JWKS().Keys {
		key, ok := ring.Verification(jwk.KeyID)
		if ok && h.of(key.KeyID, key.Algorithm) == header {
			return key, true
		}
	}
	return keyring.VerificationKey{}, false
}

// decodeStrictly decodes base64url and accepts only the one text that stands for the bytes: the decoder by itself skips
// line breaks and spare bits, and a token would have several spellings (C41).
func decodeStrictly(s string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != s {
		return nil, false
	}
	return raw, true
}

// valid reports whether the claims are whole and hold at this time for this issuer. Numbers that are no whole seconds
// did not decode; a missing one is 0.
func (c *claims) valid(issuer string, now time.Time) bool {
	second := now.Unix()
	switch {
	case c.Issuer != issuer || c.ID == "" || c.ClientID == "" || c.Subject != c.ClientID || c.Audience == "":
		return false
	case c.IssuedAt <= 0 || c.Expires <= c.IssuedAt:
		return false
	default:
		soon := now.Add(leeway).Unix()
		return second < c.Expires && c.IssuedAt <= soon && c.NotBefore <= soon
	}
}
