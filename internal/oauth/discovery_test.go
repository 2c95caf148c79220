package oauth_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/problem"
)

func (r *rig) get(path string, headers ...string) reply {
	r.t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.mux.ServeHTTP(w, req)
	p := reply{status: w.Code, header: w.Result().Header, raw: w.Body.String()}
	if p.raw != "" {
		must(r.t, json.Unmarshal([]byte(p.raw), &p.body))
	}
	return p
}

func TestC42_KeySet(t *testing.T) {
	r := newRig(t)
	p := r.get(oauth.PathJWKS)
	keys, _ := p.body["keys"].([]any)
	if p.status != 200 || len(keys) != 2 || len(p.body) != 1 {
		t.Fatalf("%d %s", p.status, p.raw)
	}
	ec, _ := keys[0].(map[string]any)
	if diff := cmp.Diff([]string{"alg", "crv", "kid", "kty", "use", "x", "y"}, slices.Sorted(maps.Keys(ec))); diff != "" {
		t.Error(diff)
	}
	if ec["kid"] != r.ring.Signer().KeyID || ec["use"] != "sig" || ec["alg"] != "ES256" {
		t.Errorf("key %v", ec)
	}
	rs, _ := keys[1].(map[string]any)
	if diff := cmp.Diff([]string{"alg", "e", "kid", "kty", "n", "use"}, slices.Sorted(maps.Keys(rs))); diff != "" {
		t.Error(diff)
	}
	if rs["kid"] == ec["kid"] || rs["use"] != "sig" || rs["alg"] != "RS256" || rs["e"] != "AQAB" {
		t.Errorf("key %v", rs)
	}
}

func TestC82_Metadata(t *testing.T) {
	r := newRig(t)
	p := r.get(oauth.PathMetadata)
	scopes, _ := p.body["scopes_supported"].([]any)
	if len(scopes) < 50 || !slices.Contains(scopes, any(candidates)) || slices.Contains(scopes, any("openid")) {
		t.Errorf("%d scopes", len(scopes))
	}
	delete(p.body, "scopes_supported")
	methods := []any{"client_secret_basic", "client_secret_post"}
	want := map[string]any{
		"issuer":         issuer,
		"token_endpoint": issuer + "/oauth2/token", "token_endpoint_auth_methods_supported": methods,
		"introspection_endpoint": issuer + "/oauth2/introspect", "introspection_endpoint_auth_methods_supported": methods,
		"revocation_endpoint": issuer + "/oauth2/revoke", "revocation_endpoint_auth_methods_supported": methods,
		"jwks_uri": issuer + "/oauth2/jwks", "grant_types_supported": []any{"client_credentials"},
		"request_parameter_supported": false, "request_uri_parameter_supported": false,
	}
	if diff := cmp.Diff(want, p.body); diff != "" {
		t.Error(diff)
	}
	// Every address that is published answers, and nothing is published that does not.
	for name, value := range p.body {
		address, _ := value.(string)
		path, ok := strings.CutPrefix(address, issuer+"/")
		if !ok {
			continue
		}
		w := httptest.NewRecorder()
		r.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+path, nil))
		if w.Code == http.StatusNotFound {
			t.Errorf("%s: %s is not there", name, address)
		}
	}
}

func TestC61_MetadataComesFromTheSettingsOnly(t *testing.T) {
	r := newRig(t)
	want := r.get(oauth.PathMetadata).raw
	for _, name := range []string{"Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-URL"} {
		req := httptest.NewRequest(http.MethodGet, "http://evil.example"+oauth.PathMetadata, nil)
		req.Host = "evil.example"
		req.Header.Set(name, "evil.example")
		w := httptest.NewRecorder()
		r.mux.ServeHTTP(w, req)
		if w.Body.String() != want {
			t.Errorf("%s changes the metadata", name)
		}
	}
}

func TestPublishedDocumentsAreCached(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{oauth.PathJWKS, oauth.PathMetadata} {
		p := r.get(path)
		tag := p.header.Get("ETag")
		if p.header.Get("Content-Type") != "application/json" || p.header.Get("Cache-Control") != "public, max-age=300" || len(tag) < 10 {
			t.Errorf("%s: headers %v", path, p.header)
		}
		if again := r.get(path, "If-None-Match", tag); again.status != 304 || again.raw != "" {
			t.Errorf("%s: with its tag %d %s", path, again.status, again.raw)
		}
		if other := r.get(path, "If-None-Match", `"other"`); other.status != 200 || other.raw != p.raw {
			t.Errorf("%s: with another tag %d", path, other.status)
		}
		w := httptest.NewRecorder()
		r.mux.ServeHTTP(w, httptest.NewRequest(http.MethodHead, path, nil))
		if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
			t.Errorf("%s: HEAD %d", path, w.Code)
		}
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	r := newRig(t)
	whole := oauth.Deps{Issuer: issuer, DB: r.db, Registry: r.registry, Catalogue: r.shelf, Ring: r.ring, Log: r.logger()}
	for name, change := range map[string]func(*oauth.Deps){
		"issuer": func(d *oauth.Deps) { d.Issuer = "" }, "slash": func(d *oauth.Deps) { d.Issuer += "/" },
		"database": func(d *oauth.Deps) { d.DB = nil }, "registry": func(d *oauth.Deps) { d.Registry = nil },
		"catalogue": func(d *oauth.Deps) { d.Catalogue = nil }, "ring": func(d *oauth.Deps) { d.Ring = nil },
		"log": func(d *oauth.Deps) { d.Log = nil }, "metrics twice": func(d *oauth.Deps) { d.Metrics = r.metrics },
	} {
		d := whole
		change(&d)
		if _, err := oauth.New(d); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestC83_BearerTokens(t *testing.T) {
	tests := map[string]struct {
		path    string
		headers []string
		token   string
		code    problem.Code
	}{
		"one":                 {"/", []string{"Bearer abc.def-_~+/=="}, "abc.def-_~+/==", ""},
		"scheme in small":     {"/", []string{"bearer abc"}, "abc", ""},
		"scheme in large":     {"/", []string{"BEARER abc"}, "abc", ""},
		"missing":             {"/", nil, "", problem.Unauthenticated},
		"other scheme":        {"/", []string{"Basic abc"}, "", problem.Unauthenticated},
		"two headers":         {"/", []string{"Bearer a", "Bearer b"}, "", problem.Invalid},
		"Basic and Bearer":    {"/", []string{"Basic a", "Bearer b"}, "", problem.Invalid},
		"in the address":      {"/?access_token=a", nil, "", problem.Invalid},
		"here and there":      {"/?access_token=a", []string{"Bearer a"}, "", problem.Invalid},
		"two spaces":          {"/", []string{"Bearer  abc"}, "", problem.Invalid},
		"tab":                 {"/", []string{"Bearer\tabc"}, "", problem.Invalid},
		"scheme only":         {"/", []string{"Bearer"}, "", problem.Invalid},
		"scheme and space":    {"/", []string{"Bearer "}, "", problem.Invalid},
		"two in one":          {"/", []string{"Bearer a b"}, "", problem.Invalid},
		"comma":               {"/", []string{"Bearer a,Bearer b"}, "", problem.Invalid},
		"quotes":              {"/", []string{`Bearer "a"`}, "", problem.Invalid},
		"padding in front":    {"/", []string{"Bearer =abc"}, "", problem.Invalid},
		"a comma in a scheme": {"/", []string{"Basic,Bearer abc"}, "", problem.Invalid},
	}
	for name, tt := range tests {
		req := httptest.NewRequest(http.MethodGet, tt.path, nil)
		for _, h := range tt.headers {
			req.Header.Add("Authorization", h)
		}
		got, err := oauth.Bearer(req)
		if got != tt.token || problem.CodeOf(err) != tt.code {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestC83_Challenges(t *testing.T) {
	r := newRig(t)
	_, missing := oauth.Bearer(httptest.NewRequest(http.MethodGet, "/", nil))
	_, twice := oauth.Bearer(httptest.NewRequest(http.MethodGet, "/?access_token=x", nil))
	_, invalid := r.server.Live(t.Context(), "x")
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"no token":    {missing, `Bearer realm="credenza"`},
		"in address":  {twice, `Bearer realm="credenza", error="invalid_request"`},
		"not valid":   {invalid, `Bearer realm="credenza", error="invalid_token"`},
		"scope short": {problem.New(problem.Forbidden, "x", "Scope", "a.b c.d"), `Bearer realm="credenza", error="insufficient_scope", scope="a.b c.d"`},
		"right short": {problem.New(problem.Forbidden, "x"), `Bearer realm="credenza", error="insufficient_scope"`},
		"not found":   {problem.New(problem.NotFound, "x"), ""},
	} {
		if got := oauth.Challenge(tt.err); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}
