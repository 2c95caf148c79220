package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
)

// proxies ask about a call each in its way.
var proxies = map[string]func(api, method, uri string) *http.Request{
	"nginx": func(api, method, uri string) *http.Request {
		return told("/gateway/"+api+"/nginx", "X-Original-Method", method, "X-Original-URI", uri)
	},
	"traefik": func(api, method, uri string) *http.Request {
		return told("/gateway/"+api+"/traefik", "X-Forwarded-Method", method, "X-Forwarded-Uri", uri)
	},
	"envoy": func(api, method, uri string) *http.Request {
		req := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		req.Method, req.RequestURI = method, "/gateway/"+api+"/envoy"+uri
		return req
	},
}

// told is a proxy's request with headers, which are pairs.
func told(path string, headers ...string) *http.Request {
	req := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return req
}

// through sends a proxy's request with a token and returns the answer.
func (r *rig) through(req *http.Request, token string) *httptest.ResponseRecorder {
	r.t.Helper()
	if token != "" {
		req.Header.Add("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	r.server.Gateway().ServeHTTP(w, req)
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		r.t.Errorf("Cache-Control %q", got)
	}
	return w
}

// verdict is what a call check said: its status, and the code of a refusal with the scopes that would do.
func verdict(w *httptest.ResponseRecorder) string {
	text := strings.Join([]string{http.StatusText(w.Code), w.Header().Get(oauth.HeaderError), w.Header().Get(oauth.HeaderScopeNeeded)}, " ")
	return strings.TrimSpace(text)
}

const (
	passes      = "OK"
	badToken    = "Unauthorized E4010002"
	notOpen     = "Forbidden E4030002"
	noAPIUser   = "Forbidden E4030003"
	needsWrites = "Forbidden E4030002 core.invoice.create core.invoice.write"
)

// TestGatewayVerdicts: every kind of proxy hears the same about a call.
func TestGatewayVerdicts(t *testing.T) {
	r := newRig(t)
	token := r.token(r.app(invoiceRead))
	for _, test := range []struct{ name, api, method, uri, want string }{
		{"open", "coupa-core", "GET", "/api/invoices", passes},
		{"with a query", "coupa-core", "GET", "/api/invoices?offset=50&status=a%2Fb", passes},
		{"HEAD is GET", "coupa-core", "HEAD", "/api/invoices", passes},
		{"with an ID", "coupa-core", "GET", "/api/invoices/17", passes},
		{"another scope's", "coupa-core", "POST", "/api/invoices", needsWrites},
		{"another API's", "ccw", "POST", "/api/candidates/search", badToken},
		{"no API's", "coupa", "GET", "/api/invoices", notOpen},
		{"nobody's", "coupa-core", "GET", "/api/unheard", notOpen},
		{"without its base path", "coupa-core", "GET", "/invoices", notOpen},
		{"without a published scope", "coupa-core", "GET", "/api/items", notOpen},
		{"method in lower case", "coupa-core", "get", "/api/invoices", notOpen},
		{"method that is none", "coupa-core", "BREW", "/api/invoices", notOpen},
		{"slash at the end", "coupa-core", "GET", "/api/invoices/", notOpen},
		{"dot at the end", "coupa-core", "GET", "/api/invoices.", notOpen},
		{"two slashes", "coupa-core", "GET", "/api//invoices", notOpen},
		{"two slashes first", "coupa-core", "GET", "//api/invoices", notOpen},
		{"up and down", "coupa-core", "GET", "/api/x/../invoices", notOpen},
		{"encoded slash", "coupa-core", "GET", "/api%2Finvoices", notOpen},
		{"encoded letter", "coupa-core", "GET", "/api/invoice%73", notOpen},
		{"matrix parameter", "coupa-core", "GET", "/api/invoices;v=1", notOpen},
		{"backslash", "coupa-core", "GET", `/api\invoices`, notOpen},
		{"an address", "coupa-core", "GET", "http://upstream.example/api/invoices", notOpen},
		{"method in the query", "coupa-core", "GET", "/api/invoices?_method=DELETE", notOpen},
		{"method in the query, encoded", "coupa-core", "GET", "/api/invoices?%5Fmethod=DELETE", notOpen},
		{"token in the query", "coupa-core", "GET", "/api/invoices?access_token=x", badToken},
	} {
		for proxy, ask := range proxies {
			if proxy == "envoy" && !strings.HasPrefix(test.uri, "/") {
				continue // it appends a path
			}
			t.Run(test.name+" by "+proxy, func(t *testing.T) {
				if got := verdict(r.through(ask(test.api, test.method, test.uri), token)); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		}
	}
}

// TestGatewayHeaders: the caller stands in the answer, from the token and never from what the client sent.
func TestGatewayHeaders(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead, invoiceWrite)
	req := proxies["nginx"]("coupa-core", "GET", "/api/invoices")
	req.Header.Set(oauth.HeaderClient, "CCWGLBX_forged")
	got := r.through(req, r.token(a)).Header()
	want := map[string]string{
		oauth.HeaderClient: a.ClientID, oauth.HeaderOrganisation: string(r.acme.ID), oauth.HeaderAPIUser: string(a.APIUser.ID),
		oauth.HeaderScope: "core.invoice.read core.invoice.write", oauth.HeaderError: "", oauth.HeaderScopeNeeded: "",
	}
	for name, value := range want {
		if diff := cmp.Diff(value, got.Get(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	refused := r.through(proxies["nginx"]("coupa-core", "GET", "/api/invoices"), "").Header()
	for _, name := range []string{oauth.HeaderClient, oauth.HeaderOrganisation, oauth.HeaderAPIUser, oauth.HeaderScope} {
		if values := refused.Values(name); len(values) != 1 || values[0] != "" {
			t.Errorf("%s of a refusal is %q, want it empty and there", name, values)
		}
	}
}

// TestGatewayBodies: refusals are in the words of the CCW API, with the challenge of RFC 6750.
func TestGatewayBodies(t *testing.T) {
	r := newRig(t)
	token := r.token(r.app(invoiceRead))
	ask := proxies["traefik"]
	for _, test := range []struct {
		name, token, method, code, subCode, challenge string
	}{
		{"no token", "", "GET", "E4010000", "E4010002", `Bearer realm="credenza"`},
		{"no such token", "x.y.z", "GET", "E4010000", "E4010002", `Bearer realm="credenza", error="invalid_token"`},
		{
			"no scope", token, "POST", "E4030000", "E4030002",
			`Bearer realm="credenza", error="insufficient_scope", scope="core.invoice.create core.invoice.write"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := ask("coupa-core", test.method, "/api/invoices")
			if test.token != "" {
				req.Header.Set("Authorization", "Bearer "+test.token)
			}
			w := httptest.NewRecorder()
			r.server.Gateway().ServeHTTP(w, req)
			var body struct {
				Code   string `json:"error_code"`
				Causes []struct {
					SubCode string `json:"error_sub_code"`
				} `json:"error_causes"`
			}
			must(t, json.Unmarshal(w.Body.Bytes(), &body))
			if body.Code != test.code || len(body.Causes) != 1 || body.Causes[0].SubCode != test.subCode {
				t.Errorf("got %s", w.Body)
			}
			if got := w.Header().Get("WWW-Authenticate"); got != test.challenge {
				t.Errorf("WWW-Authenticate %q, want %q", got, test.challenge)
			}
		})
	}
}

// TestGatewayAsks: what is not asked in the way of the address is refused, whatever the token.
func TestGatewayAsks(t *testing.T) {
	r := newRig(t)
	token := r.token(r.app(invoiceRead))
	for _, test := range []struct {
		name string
		req  *http.Request
		want string
	}{
		{"headers of the other kind", told("/gateway/coupa-core/nginx", "X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/invoices"), notOpen},
		{"none", told("/gateway/coupa-core/nginx"), notOpen},
		{"method twice", told("/gateway/coupa-core/nginx", "X-Original-Method", "GET", "X-Original-Method", "GET", "X-Original-URI", "/api/invoices"), notOpen},
		{"address twice", told("/gateway/coupa-core/nginx", "X-Original-Method", "GET", "X-Original-URI", "/api/invoices", "X-Original-URI", "/api/x"), notOpen},
		{"both kinds, the other forged", told("/gateway/coupa-core/nginx", "X-Original-Method", "POST", "X-Original-URI", "/api/invoices",
			"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/api/invoices"), needsWrites},
		{"an overriding header", told("/gateway/coupa-core/nginx", "X-Original-Method", "GET", "X-Original-URI", "/api/invoices",
			"X-HTTP-Method-Override", "DELETE"), notOpen},
		{"two tokens", told("/gateway/coupa-core/nginx", "X-Original-Method", "GET", "X-Original-URI", "/api/invoices", "Authorization", "Bearer x"), badToken},
		{"no kind", told("/gateway/coupa-core"), "Not Found"},
		{"a kind that is none", told("/gateway/coupa-core/apache"), "Not Found"},
		{"more address", told("/gateway/coupa-core/nginx/x"), "Not Found"},
		{"elsewhere", told("/"), "Not Found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := verdict(r.through(test.req, token)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestGatewayTokens: only a live token of this API with a scope that the app still has opens a call.
func TestGatewayTokens(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead, invoiceWrite)
	token := r.token(a)
	read := func() string {
		return verdict(r.through(proxies["nginx"]("coupa-core", "GET", "/api/invoices"), token))
	}
	write := func() string {
		return verdict(r.through(proxies["nginx"]("coupa-core", "POST", "/api/invoices"), token))
	}
	if read() != passes || write() != passes {
		t.Fatal("not open from the beginning")
	}
	r.edit(a, func(f *registry.AppFields) { f.Scopes = []string{invoiceRead} })
	if got := write(); got != needsWrites {
		t.Errorf("a scope that was taken away still opens: %s", got)
	}
	r.setRobot(a, identity.Inactive)
	if got := read(); got != noAPIUser {
		t.Errorf("an inactive API user: %s", got)
	}
	r.setRobot(a, identity.Active)
	if got := read(); got != passes {
		t.Errorf("an API user that came back: %s", got)
	}
	r.deactivate(a)
	if got := read(); got != badToken {
		t.Errorf("an inactive app: %s", got)
	}
}
