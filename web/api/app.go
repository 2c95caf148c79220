package api

import "time"

// App is an app as the management API shows it. EndsAt and the like are null for never; Version goes with the ETag.
type App struct {
	ID             string     `json:"id"`
	ClientID       string     `json:"client_id"`
	Kind           string     `json:"kind"`
	Name           string     `json:"name"`
	Description    string     `json:"description"`
	Category       string     `json:"category"`
	Type           string     `json:"type"`
	CredentialType string     `json:"credential_type"`
	Status         string     `json:"status"`
	Contact        Contact    `json:"contact"`
	SecondContact  *Contact   `json:"second_contact"`
	APIUser        APIUserRef `json:"api_user"`
	Scopes         []string   `json:"scopes"`
	DefaultAPI     string     `json:"default_api"`
	ResourceAPI    string     `json:"resource_api"`
	CreatedAt      time.Time  `json:"created_at"`
	CreatedBy      Author     `json:"created_by"`
	ModifiedAt     time.Time  `json:"modified_at"`
	ModifiedBy     Author     `json:"modified_by"`
	LastUsedAt     *time.Time `json:"last_used_at"`
	Version        int64      `json:"version"`
	Secrets        []Secret   `json:"secrets"`
}

// Contact is a person to call on technical trouble.
type Contact struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
}

// APIUserRef names an API user.
type APIUserRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Author is who made or changed something.
type Author struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}
