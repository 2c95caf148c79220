// Package oauth is the authorization server: it issues access tokens to apps, tells what has become of them, ends them,
// and publishes what a client or an API has to know to take part (RFC 6749, 7009, 7662, 8414, 8707, 9068; protocol.md).
//
// Each endpoint is a plain HTTP handler with a file of its own: token.go (and one file per grant), introspect.go,
// revoke.go, discovery.go. What they share: request.go reads a form and the client's credentials, strictly; errors.go is
// the only place where a refusal becomes a status, a code and a sentence; target.go chooses the API and the scopes;
// jwt.go signs and verifies, verified.go remembers what was verified; live.go answers, for the endpoints and for the
// portal's own APIs alike, whether a token still works. bearer.go reads the token of a request to the latter.
//
// # Tokens
//
// A token is a signed JWT and stored nowhere. It is live while its signature and claims hold and nothing has ended it:
// its app, organisation and API user are live, the app's generation is still the token's, neither the token nor the
// credential that bought it was revoked. All of that is asked of the registry's snapshot on every use; the database is
// not on that path (protocol.md §1.3, §2).
//
// A client may ask for a token that lives shorter than the API's tokens do, with the request parameter expires_in in
// whole seconds; more than the API's lifetime is cut to it, and the answer's expires_in says what it became (product.md
// decision 7).
//
// # What lives elsewhere
//
// Apps, their secrets and the snapshot: package registry. Verification of secrets with its gates and limits: package
// secret. Keys: package keyring. Scopes: package scope. Routes, request IDs, panics and the address of a client behind
// proxies: package web. What comes later has its place: further grants a file each beside client_credentials.go.
package oauth
