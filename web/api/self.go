package api

import "time"

// SelfApp is the answer of GET /api/v1/apps/self: the record of the app whose token asks (protocol.md §1.5). Times are
// RFC 3339 in UTC.
type SelfApp struct {
	ID          string     `json:"id" format:"uuid"`
	ClientID    string     `json:"client_id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Category    string     `json:"category" words:"category"`
	Status      string     `json:"status" words:"status"`
	APIUser     string     `json:"api_user"`
	Scopes      []string   `json:"scopes"`
	CreatedAt   time.Time  `json:"created_at"`
	ModifiedAt  time.Time  `json:"modified_at"`
	Secrets     []Secret   `json:"secrets"`
	Token       TokenState `json:"token"`
}

// Secret is what may be known about a secret: never its value. EndsAt is when it stops working, null for never.
type Secret struct {
	ID        string     `json:"id" format:"uuid"`
	Label     string     `json:"label"`
	Hint      string     `json:"hint"`
	State     string     `json:"state" words:"state"`
	CreatedAt time.Time  `json:"created_at"`
	EndsAt    *time.Time `json:"ends_at"`
}

// TokenState says what the token that asked may still do. SecretID is the secret that bought it.
type TokenState struct {
	Scope     string    `json:"scope"`
	Audience  string    `json:"audience"`
	ExpiresAt time.Time `json:"expires_at"`
	SecretID  string    `json:"secret_id" format:"uuid"`
}
