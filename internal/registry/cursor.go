package registry

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
)

// cursorPurpose is what the key ring's MAC of a cursor is bound to.
const cursorPurpose = "registry.search.cursor"

// cursor is a place between two rows of a list: everything beyond the row with this key and ID. It leaves the product
// as base64url of MAC and JSON; one that was made up, changed, or made for another organisation or order is refused
// (C65).
type cursor struct {
	Organisation access.OrganisationID `json:"o"`
	Sort         Sort                  `json:"s"`
	Descending   bool                  `json:"d"`
	Text         string                `json:"t,omitempty"` // key, when the order is by a text
	Time         int64                 `json:"n,omitempty"` // key, when the order is by a time
	ID           AppID                 `json:"i"`
	Position     int                   `json:"p"` // number of the row, from 1
}

func (r *Registry) sealCursor(c cursor) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(r.ring.MAC(cursorPurpose, body), body...)), nil
}

// openCursor reads a cursor that came back in the named parameter.
func (r *Registry) openCursor(field, text string, want cursor) (cursor, error) {
	const size = 32
	var c cursor
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) <= size || !hmac.Equal(raw[:size], r.ring.MAC(cursorPurpose, raw[size:])) {
		return c, badCursor(field)
	}
	if err := json.Unmarshal(raw[size:], &c); err != nil {
		return c, badCursor(field)
	}
	if c.Organisation != want.Organisation || c.Sort != want.Sort || c.Descending != want.Descending {
		return c, badCursor(field)
	}
	return c, nil
}

func badCursor(field string) error {
	return problem.Fields(problem.NewField(field, "app.search.cursor"))
}
