package registry

import (
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/secret"
)

// Client is what decides about an app's tokens, as it was when it was read. It never changes and is safe for use by many
// goroutines; what depends on the time is asked with the time. Whoever decides takes a fresh one from Registry.Client.
type Client struct {
	ID           AppID
	Organisation access.OrganisationID
	ClientID     string
	Kind         Kind
	ResourceAPI  string // of a resource server: the key of its API
	Name         string
	Generation   int64 // tokens of another one are dead
	Status       Status
	Scopes       []string // sorted
	DefaultAPI   string
	APIUser      identity.RobotID

	organisationLive bool
	apiUser          identity.RobotAccount // status and expiry
	secrets          []clientSecret        // those that were usable when it was read
	leaked           map[SecretID]struct{}
	revoked          map[string]struct{}
}

// clientSecret is a usable secret with what verification needs.
type clientSecret struct {
	id      SecretID
	slot    int
	version int64
	hash    string
	ends    time.Time // zero: never
}

func (s *clientSecret) usable(now time.Time) bool { return s.ends.IsZero() || now.Before(s.ends) }

// Live reports whether the app may have and use tokens: it is active, its organisation is, and its API user is and has
// not expired (protocol.md §1.3). A resource server has no API user; it may ask of tokens.
func (c *Client) Live(now time.Time) bool { return c.LiveButAPIUser() && c.APIUserLive(now) }

// LiveButAPIUser is Live but for what it says of the API user.
func (c *Client) LiveButAPIUser() bool { return c.Status == Active && c.organisationLive }

// APIUserLive is what Live says of the API user.
func (c *Client) APIUserLive(now time.Time) bool {
	return c.Kind == ResourceServer || c.apiUser.Live(now)
}

// TokenLives reports whether a token of this generation, ID, credential and API user has not been ended: the half of
// "live" that the registry knows, besides Live (protocol.md §1.3).
func (c *Client) TokenLives(t TokenRef) bool {
	_, revoked := c.revoked[t.JTI]
	_, leaked := c.leaked[t.Credential]
	return t.Generation == c.Generation && t.APIUser == c.APIUser && !revoked && !leaked
}

// TokenRef is what of a token the registry judges: its claims gen, jti, cred and api_user.
type TokenRef struct {
	Generation int64
	JTI        string
	Credential SecretID
	APIUser    identity.RobotID
}

// SecretEnds returns when a secret ends, zero for never; ok is false when it is not usable.
func (c *Client) SecretEnds(id SecretID, now time.Time) (ends time.Time, ok bool) {
	for i := range c.secrets {
		if s := &c.secrets[i]; s.id == id && s.usable(now) {
			return s.ends, true
		}
	}
	return time.Time{}, false
}

// candidate returns the usable secret in a slot.
func (c *Client) candidate(slot int, now time.Time) (secret.Candidate, bool) {
	for i := range c.secrets {
		if s := &c.secrets[i]; s.slot == slot && s.usable(now) {
			return secret.Candidate{CredentialID: string(s.id), Version: s.version, Hash: s.hash}, true
		}
	}
	return secret.Candidate{}, false
}
