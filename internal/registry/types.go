package registry

import (
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
)

// AppID is the ID of an app: a UUIDv7 in text form. It is not the client ID.
type AppID string

// ParseAppID reports whether s has the form of an app's ID.
func ParseAppID(s string) (AppID, bool) {
	id, ok := database.ParseID(s)
	return AppID(id), ok
}

// SecretID is the ID of a secret; tokens carry it as `cred` (protocol.md §1.2).
type SecretID string

// ParseSecretID reports whether s has the form of a secret's ID.
func ParseSecretID(s string) (SecretID, bool) {
	id, ok := database.ParseID(s)
	return SecretID(id), ok
}

// ContactID is the ID of the row that holds a contact person.
type ContactID string

// Category says whom an app belongs to. It decides which API users the app may act as (product.md decision 3).
type Category string

// The categories.
const (
	Customer Category = "customer"
	Partner  Category = "partner"
	Supplier Category = "supplier"
	MSP      Category = "msp"
)

// Categories returns the categories in the order forms show them.
func Categories() []Category { return []Category{Customer, Partner, Supplier, MSP} }

// Type says how an app gets its tokens.
type Type string

// The types. Web and Device are planned: the form shows them as such and Register refuses them.
const (
	Machine Type = "machine" // client credentials
	Web     Type = "web"
	Device  Type = "device"
)

// CredentialType says what an app proves itself with.
type CredentialType string

// The credential types. KeySet is planned: Register refuses it.
const (
	SharedSecret CredentialType = "secret"
	KeySet       CredentialType = "jwks"
)

// Status says whether an app may get tokens.
type Status string

// The statuses that exist today; approval and suspension bring theirs.
const (
	Active   Status = "active"
	Inactive Status = "inactive"
)

// Statuses returns the statuses in the order forms show them.
func Statuses() []Status { return []Status{Active, Inactive} }

// Author is who made or changed something. Name is as it is known now: a person's name, an app's client ID, or the ID
// where there is no other.
type Author struct {
	Kind access.Kind
	ID   string
	Name string
}

// Contact is a person to call on technical trouble. ID is empty in input.
type Contact struct {
	ID        ContactID
	FirstName string
	LastName  string
	Email     string
}

// IsZero reports whether nothing was filled in.
func (c Contact) IsZero() bool { return c.FirstName == "" && c.LastName == "" && c.Email == "" }

// sameAs reports whether both are the same person with the same address, whatever the rows.
func (c Contact) sameAs(other Contact) bool {
	return c.FirstName == other.FirstName && c.LastName == other.LastName && c.Email == other.Email
}

// App is an API consumer app (product.md decision 3). Scopes are sorted; Secrets are newest first, all of them. A
// resource server has neither scopes nor API user, and its category and type say nothing.
type App struct {
	ID             AppID
	Organisation   access.OrganisationID
	ClientID       string
	Kind           Kind
	ResourceAPI    string // of a resource server: the key of its API
	Name           string
	Description    string
	Category       Category
	Type           Type
	CredentialType CredentialType
	APIUser        identity.RobotAccount
	Contact        Contact
	SecondContact  Contact // zero: none
	Scopes         []string
	DefaultAPI     string // key of an API, or empty
	Status         Status
	Generation     int64
	Secrets        []Secret
	CreatedAt      time.Time
	CreatedBy      Author
	ModifiedAt     time.Time
	ModifiedBy     Author
	LastUsedAt     time.Time // of any of its secrets (product.md decision 18); zero: never
	Version        int64

	nameKey          string
	secretGeneration int64
}

// Usable returns the secrets that work now, oldest first: none, one or two.
func (a *App) Usable() []Secret {
	var usable []Secret
	for _, s := range slices.Backward(a.Secrets) {
		if s.Usable() {
			usable = append(usable, s)
		}
	}
	return usable
}

// Secret returns the app's secret with this ID.
func (a *App) Secret(id SecretID) (Secret, bool) {
	for _, s := range a.Secrets {
		if s.ID == id {
			return s, true
		}
	}
	return Secret{}, false
}
