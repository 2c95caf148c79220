package api

import "time"

// App is an app as the management API shows it. What there is none of is null. Version goes with the ETag.
type App struct {
	ID             string       `json:"id" format:"uuid"`
	ClientID       string       `json:"client_id"`
	Kind           string       `json:"kind" words:"kind"`
	Name           string       `json:"name"`
	Description    string       `json:"description"`
	Category       string       `json:"category" words:"category"`
	Type           string       `json:"type" words:"type"`
	CredentialType string       `json:"credential_type" words:"proof"`
	Status         string       `json:"status" words:"status"`
	Contact        Contact      `json:"contact"`
	SecondContact  *Contact     `json:"second_contact"`
	APIUser        *IdentityRef `json:"api_user"`
	Scopes         []string     `json:"scopes"`
	DefaultAPI     *string      `json:"default_api"`
	ResourceAPI    *string      `json:"resource_api"`
	CreatedAt      time.Time    `json:"created_at"`
	CreatedBy      Author       `json:"created_by"`
	ModifiedAt     time.Time    `json:"modified_at"`
	ModifiedBy     Author       `json:"modified_by"`
	LastUsedAt     *time.Time   `json:"last_used_at"`
	Version        int64        `json:"version"`
	Secrets        []Secret     `json:"secrets"`
}

// Contact is a person to call on technical trouble.
type Contact struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
}

// IdentityRef names an API user.
type IdentityRef struct {
	ID   string `json:"id" format:"uuid"`
	Name string `json:"name"`
}

// Author is who made or changed something.
type Author struct {
	Kind string `json:"kind" words:"actor"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// AppPage is a page of apps. Total counts all that match; with TotalCapped there are more than that. The pages before
// and after are in the Link header.
type AppPage struct {
	Items       []AppRow `json:"items"`
	Total       int      `json:"total"`
	TotalCapped bool     `json:"total_capped"`
}

// AppRow is an app in a list.
type AppRow struct {
	ID         string     `json:"id" format:"uuid"`
	ClientID   string     `json:"client_id"`
	Kind       string     `json:"kind" words:"kind"`
	Name       string     `json:"name"`
	Category   string     `json:"category" words:"category"`
	Status     string     `json:"status" words:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  Author     `json:"created_by"`
	ModifiedAt time.Time  `json:"modified_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// NewApp asks for an app. Without Secret it gets none. DefaultAPI is the key of an API; left out it is the only one that
// the scopes leave to choose, if there is one.
type NewApp struct {
	Name          string     `json:"name"`
	Description   string     `json:"description"`
	Category      string     `json:"category" words:"category"`
	Contact       Contact    `json:"contact"`
	SecondContact *Contact   `json:"second_contact,omitempty"`
	APIUser       string     `json:"api_user" format:"uuid"`
	Scopes        []string   `json:"scopes"`
	DefaultAPI    string     `json:"default_api,omitempty"`
	Active        *bool      `json:"active,omitempty"`
	Secret        *NewSecret `json:"secret,omitempty"`
}

// NewSecret asks for the first secret of an app. ExpiresAt left out is what the organisation's policy suggests, null is
// never. Label left out is the month.
type NewSecret struct {
	Label     string              `json:"label,omitempty"`
	ExpiresAt Optional[time.Time] `json:"expires_at,omitzero" null:"true"`
}

// AppPatch changes an app (RFC 7396): what is left out stays. SecondContact and DefaultAPI may be null, which takes them
// away.
type AppPatch struct {
	Name          Optional[string]   `json:"name,omitzero"`
	Description   Optional[string]   `json:"description,omitzero"`
	Category      Optional[string]   `json:"category,omitzero" words:"category"`
	Contact       Optional[Contact]  `json:"contact,omitzero"`
	SecondContact Optional[Contact]  `json:"second_contact,omitzero" null:"true"`
	APIUser       Optional[string]   `json:"api_user,omitzero" format:"uuid"`
	Scopes        Optional[[]string] `json:"scopes,omitzero"`
	DefaultAPI    Optional[string]   `json:"default_api,omitzero" null:"true"`
}

// AppCreated is a new app. Secret is null where none was asked for.
type AppCreated struct {
	App    App          `json:"app"`
	Secret *ShownSecret `json:"secret"`
}

// ShownSecret is a secret in the one answer that shows it. ReplacesID is the secret it takes over from, null without one,
// and ReplacedEndsAt when that ends.
type ShownSecret struct {
	ID             string     `json:"id" format:"uuid"`
	ClientID       string     `json:"client_id"`
	ClientSecret   string     `json:"client_secret"`
	Label          string     `json:"label"`
	Hint           string     `json:"hint"`
	EndsAt         *time.Time `json:"ends_at"`
	ReplacesID     *string    `json:"replaces" format:"uuid"`
	ReplacedEndsAt *time.Time `json:"replaced_ends_at"`
}

// Rotation asks for a new secret of an app. Reason left out is planned. Replaces is the secret it takes over from, which
// must be named while two work; ReplacedEnds is when that ends: now, 1h, 24h, 7d (left out), 30d, or a time.
type Rotation struct {
	Reason       string              `json:"reason,omitempty" words:"reason"`
	Label        string              `json:"label,omitempty"`
	ExpiresAt    Optional[time.Time] `json:"expires_at,omitzero" null:"true"`
	Replaces     string              `json:"replaces,omitempty" format:"uuid"`
	ReplacedEnds string              `json:"replaced_ends,omitempty"`
}

// SecretList are all secrets of an app, newest first.
type SecretList struct {
	Items []Secret `json:"items"`
}
