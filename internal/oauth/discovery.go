package oauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/scope"
)

// metadata is RFC 8414 §2. It names only what is there (C82): response_types_supported, which that section requires,
// has no element without an authorization endpoint, and §3.2 has lists without elements left out.
type metadata struct {
	Issuer                string   `json:"issuer"`
	TokenEndpoint         string   `json:"token_endpoint"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	JWKS                  string   `json:"jwks_uri"`
	Scopes                []string `json:"scopes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	IntrospectionMethods  []string `json:"introspection_endpoint_auth_methods_supported"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	RevocationMethods     []string `json:"revocation_endpoint_auth_methods_supported"`
	// False is not the default of the second one (OpenID Connect Discovery 1.0 §3).
	RequestParameter    bool `json:"request_parameter_supported"`
	RequestURIParameter bool `json:"request_uri_parameter_supported"`
}

// authMethods are the ways in which readClient lets a client authenticate.
var authMethods = []string{"client_secret_basic", "client_secret_post"}

func newMetadata(issuer string, catalogue *scope.Catalogue) (document, error) {
	m := metadata{
		Issuer:                issuer,
		TokenEndpoint:         issuer + PathToken,
		TokenAuthMethods:      authMethods,
		JWKS:                  issuer + PathJWKS,
		GrantTypes:            grantTypes,
		IntrospectionEndpoint: issuer + PathIntrospect,
		IntrospectionMethods:  authMethods,
		RevocationEndpoint:    issuer + PathRevoke,
		RevocationMethods:     authMethods,
	}
	for _, sc := range catalogue.Scopes() {
		if sc.Grantable() {
			m.Scopes = append(m.Scopes, sc.Name)
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		return document{}, fmt.Errorf("encode the metadata: %w", err)
	}
	return newDocument(text), nil
}

// document is a public JSON answer with the tag by which caches ask whether it changed.
type document struct {
	text []byte
	etag string
}

func newDocument(text []byte) document {
	sum := sha256.Sum256(text)
	return document{text: text, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

// Metadata answers with the authorization server's metadata (RFC 8414).
func (s *Server) Metadata(w http.ResponseWriter, r *http.Request) {
	d, err := newMetadata(s.issuer, s.targets.catalogue.For(""))
	if err != nil {
		writeRefusal(w, r, refusalOf(err))
		return
	}
	s.publish(w, r, d)
}

// JWKS answers with the public keys that verify access tokens (RFC 7517).
func (s *Server) JWKS(w http.ResponseWriter, r *http.Request) {
	text, err := json.Marshal(s.keys.JWKS())
	if err != nil {
		writeRefusal(w, r, refusalOf(fmt.Errorf("encode the key set: %w", err)))
		return
	}
	s.publish(w, r, newDocument(text))
}

// cacheControl lets verifiers keep a document for five minutes; a new signing key waits longer before it signs.
var cacheControl = fmt.Sprintf("public, max-age=%d", keyring.CacheFor/time.Second)

// publish answers GET and HEAD.
func (s *Server) publish(w http.ResponseWriter, r *http.Request, d document) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		writeRefusal(w, r, refuseFor(reasonMethod, "GET, HEAD"))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", cacheControl)
	h.Set("ETag", d.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.text))
}
