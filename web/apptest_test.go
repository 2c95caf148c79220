package web_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
)

// Scopes that tests use, of two APIs.
const (
	invoiceRead  = "core.invoice.read"
	invoiceWrite = "core.invoice.write"
	candidates   = "ccw.candidates"
)

type selection = goquery.Selection

// newApp is the register form, filled so that it is accepted. changes replace values; nil takes a field out.
func (b *browser) newApp(changes map[string][]string) url.Values {
	b.p.t.Helper()
	form := b.get("/apps/new").is(http.StatusOK).form("main form")
	form = with(form, map[string][]string{
		"name": {"SAP spend export"}, "description": {"Copies approved invoices to SAP every night."},
		"category": {"customer"}, "api_user": {string(b.p.apiUser(b.p.acme, identity.KindClient).ID)},
		"scope": {invoiceRead}, "do": {"save"},
	})
	return with(form, changes)
}

// registered is an app with its secret, read off the page that shows it.
type registered struct {
	*page

	id       registry.AppID
	path     string // of its page
	clientID string
	secret   string
}

// register registers an app through the form and reads its secret.
func (b *browser) register(changes map[string][]string) registered {
	b.p.t.Helper()
	return b.post("/apps", b.newApp(changes)).is(http.StatusOK).revealed()
}

// revealed reads the page that shows a new secret.
func (a *page) revealed() registered {
	a.t.Helper()
	path := a.Find("form.reveal-close").AttrOr("action", "")
	id, ok := registry.ParseAppID(strings.TrimPrefix(path, "/apps/"))
	if !ok {
		a.t.Fatalf("%s shows no secret:\n%s", a.path, a.text("main"))
	}
	return registered{
		page: a, id: id, path: path,
		clientID: a.Find("#client-id").AttrOr("value", ""), secret: a.Find("#client-secret").AttrOr("value", ""),
	}
}

// token asks for an access token with client credentials and returns status and answer.
func (p *portal) token(clientID, secret string) (status int, answer map[string]any) {
	p.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, publicURL+"/oauth2/token", strings.NewReader(form.Encode()))
	p.must(err)
	r.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(secret))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := p.RoundTrip(r)
	p.must(err)
	defer func() { _ = got.Body.Close() }()
	p.must(json.NewDecoder(got.Body).Decode(&answer))
	return got.StatusCode, answer
}

// accessToken is a token bought with a secret that works.
func (p *portal) accessToken(clientID, secret string) string {
	p.t.Helper()
	status, answer := p.token(clientID, secret)
	token, _ := answer["access_token"].(string)
	if status != http.StatusOK || token == "" {
		p.t.Fatalf("no token: %d %v", status, answer)
	}
	return token
}

// self asks for the app's own record.
func (p *portal) self(token string) (status int, answer map[string]any) {
	p.t.Helper()
	a := p.machine(http.MethodGet, "/api/v1/apps/self", http.Header{"Authorization": {"Bearer " + token}})
	p.must(json.Unmarshal([]byte(a.body), &answer))
	return a.status, answer
}

// machine sends a request as a program does: without cookies and without a browser's headers.
func (p *portal) machine(method, path string, headers http.Header) *page {
	p.t.Helper()
	b := p.stranger()
	all := http.Header{"Sec-Fetch-Site": nil}
	maps.Copy(all, headers)
	return b.do(method, path, nil, all)
}

// app reads an app past all pages.
func (p *portal) app(id registry.AppID) registry.App {
	p.t.Helper()
	app, err := p.registry.App(p.t.Context(), p.actor("admin@acme.example"), id)
	p.must(err)
	return app
}

// appNamed is a form with another name, so that several apps can be registered.
func appNamed(name string) map[string][]string { return map[string][]string{"name": {name}} }
