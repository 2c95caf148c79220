package api

import "time"

// ScopePage is a page of scopes, in the catalogue's order. The page after it is in the Link header.
type ScopePage struct {
	Items []Scope `json:"items"`
	Total int     `json:"total"`
}

// Scope is a scope of the catalogue. Grantable says whether an app may hold it at all; CoversRead that it writes and opens
// reading too.
type Scope struct {
	Name       string `json:"name"`
	API        string `json:"api"`
	Kind       string `json:"kind" words:"scope"`
	CoversRead bool   `json:"covers_read"`
	Grantable  bool   `json:"grantable"`
}

// ScopeDetail is a scope with the calls that it opens; none where none is published.
type ScopeDetail struct {
	Scope

	Note  string `json:"note"`
	Calls []Call `json:"calls"`
}

// Call is one call of an API: a method and a path below the API's base path, with parameters in braces.
type Call struct {
	Object string `json:"object"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Access string `json:"access" words:"access"`
}

// CatalogueAPIs are the APIs that tokens are made for.
type CatalogueAPIs struct {
	Items []CatalogueAPI `json:"items"`
}

// CatalogueAPI is one API. Audience is what its tokens carry as aud, and what a token request may name as resource;
// TokenLifetime is in seconds. Own says that the portal serves it itself, so that it is no app's default API.
type CatalogueAPI struct {
	Key           string `json:"key"`
	Title         string `json:"title"`
	Audience      string `json:"audience"`
	BasePath      string `json:"base_path"`
	TokenLifetime int    `json:"token_lifetime"`
	Own           bool   `json:"own"`
	Scopes        int    `json:"scopes"`
}

// Identities are the API users that an app may be given now.
type Identities struct {
	Items []Identity `json:"items"`
}

// Identity is one that apps act as, with the categories of apps that may. ExpiresAt is null for never.
type Identity struct {
	ID          string     `json:"id" format:"uuid"`
	Name        string     `json:"name"`
	DisplayName string     `json:"display_name"`
	Kind        string     `json:"kind" words:"user"`
	Categories  []string   `json:"categories" words:"category"`
	ExpiresAt   *time.Time `json:"expires_at"`
}

// EventPage is a page of the audit trail, newest first. The page after it is in the Link header.
type EventPage struct {
	Items []Event `json:"items"`
}

// Event is one entry of the organisation's audit trail. Persons are named by their IDs alone. Sequence has no gaps.
// Before and After hold the fields that changed; Repeated is how often a refused act was tried
// again in the same minute.
type Event struct {
	ID        string         `json:"id" format:"uuid"`
	Sequence  int64          `json:"sequence"`
	At        time.Time      `json:"at"`
	Actor     EventActor     `json:"actor"`
	Action    string         `json:"action"`
	Target    EventTarget    `json:"target"`
	Result    string         `json:"result" words:"result"`
	Reason    string         `json:"reason"`
	Before    map[string]any `json:"before"`
	After     map[string]any `json:"after"`
	Address   string         `json:"address"`
	RequestID string         `json:"request_id"`
	Repeated  int64          `json:"repeated"`
}

// EventActor is who acted.
type EventActor struct {
	Kind string `json:"kind" words:"actor"`
	ID   string `json:"id"`
}

// EventTarget is what was acted upon. Label is its name at that time.
type EventTarget struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Label string `json:"label"`
}
