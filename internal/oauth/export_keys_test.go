package oauth

import (
	"time"

	"credenza.example/credenza/internal/keyring"
)

// SignFor signs a token that lives this long.
func SignFor(key keyring.SigningKey, now time.Time, lifetime time.Duration) error {
	var h headers
	_, err := h.sign(key, &claims{IssuedAt: now.Unix(), Expires: now.Add(lifetime).Unix()})
	return err
}
