package bare

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/labstack/echo/v4"
)

// readKeys returns the ES256 keys of a key set by their IDs. No set has no keys.
func readKeys(text []byte) (map[string]*ecdsa.PublicKey, error) {
	keys := map[string]*ecdsa.PublicKey{}
	if len(text) == 0 {
		return keys, nil
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	for _, k := range set.Keys {
		if public, ok := k.Key.(*ecdsa.PublicKey); ok {
			keys[k.KeyID] = public
		}
	}
	return keys, nil
}

// verify answers 200 to a token of the product that holds by itself. It knows nothing of what became of it since.
func (e *endpoint) verify(c echo.Context) error {
	token, ok := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
	if !ok || !e.holds(token) {
		return c.NoContent(http.StatusUnauthorized)
	}
	return c.NoContent(http.StatusOK)
}

func (e *endpoint) holds(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	var body claims
	if decode(parts[0], &header) != nil || header.Algorithm != "ES256" || e.verifying[header.KeyID] == nil || decode(parts[1], &body) != nil {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 2*integerSize {
		return false
	}
	digest := sha256.Sum256([]byte(token[:len(parts[0])+1+len(parts[1])]))
	r, s := new(big.Int).SetBytes(signature[:integerSize]), new(big.Int).SetBytes(signature[integerSize:])
	now := time.Now().Unix() //nolint:forbidigo // as where tokens are made
	return ecdsa.Verify(e.verifying[header.KeyID], digest[:], r, s) && body.Issuer == e.issuer && body.Audience == e.audience && now < body.Expires
}

func decode(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
