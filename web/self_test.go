package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/web/api"
)

const selfPath = "/api/v1/apps/self"

// TestSelf is the whole answer to an app that asks about itself.
func TestSelf(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{"scope": {invoiceRead, "core.purchase_order.read"}, "expiry": {"90d"}})
	token := p.accessToken(made.clientID, made.secret)
	got := p.machine(http.MethodGet, selfPath, http.Header{"Authorization": {"Bearer " + token}}).is(http.StatusOK)
	if ct, cc := got.header.Get("Content-Type"), got.header.Get("Cache-Control"); ct != "application/json" || cc != "no-store" {
		t.Errorf("Content-Type %q, Cache-Control %q", ct, cc)
	}
	var answer api.SelfApp
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&answer); err != nil {
		t.Fatal(err)
	}
	app, now := p.app(made.id), p.clock.Now()
	ends := now.AddDate(0, 0, 90)
	want := api.SelfApp{
		ID: string(made.id), ClientID: made.clientID, Name: "SAP spend export", Description: app.Description, Category: "customer",
		Status: "active", APIUser: "Client user", Scopes: []string{invoiceRead, "core.purchase_order.read"},
		CreatedAt: now, ModifiedAt: now,
		Secrets: []api.Secret{{
			ID: string(app.Secrets[0].ID), Label: "2026-11", Hint: made.secret[len(made.secret)-4:], State: "active", CreatedAt: now, EndsAt: &ends,
		}},
		Token: api.TokenState{
			Scope: invoiceRead + " core.purchase_order.read", Audience: publicURL + "/apis/coupa-core", ExpiresAt: now.Add(time.Hour),
			SecretID: string(app.Secrets[0].ID),
		},
	}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(got.body, made.secret) || strings.Contains(got.body, "admin@acme.example") {
		t.Error("the answer tells a secret or a person")
	}
}

// TestSelfFollowsTheApp: the answer is about now, whatever the token was bought for, and a secret without an end has none.
func TestSelfFollowsTheApp(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{"scope": {invoiceRead, invoiceWrite}, "expiry": {"never"}})
	token := p.accessToken(made.clientID, made.secret)
	form := with(admin.get(made.path+"/edit").form("main form"), map[string][]string{"scope": {invoiceWrite}, "name": {"Renamed"}, "do": {"save"}})
	admin.follow(admin.post(made.path+"/edit", form))
	_, answer := p.self(token)
	state, _ := answer["token"].(map[string]any)
	secrets, _ := answer["secrets"].([]any)
	first, _ := secrets[0].(map[string]any)
	if answer["name"] != "Renamed" || state["scope"] != invoiceWrite || first["ends_at"] != nil {
		t.Errorf("%v", answer)
	}
	p.clock.Advance(time.Hour)
	if status, _ := p.self(token); status != http.StatusUnauthorized {
		t.Errorf("an hour later: %d", status)
	}
}

// TestC83_BearerTokens: what is no token, no live token or more than one, and how that is told.
func TestC83_BearerTokens(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	token := p.accessToken(made.clientID, made.secret)
	const bare, invalid, request = `Bearer realm="credenza"`, `Bearer realm="credenza", error="invalid_token"`, `Bearer realm="credenza", error="invalid_request"`
	tests := []struct {
		name      string
		query     string
		headers   []string
		status    int
		challenge string
	}{
		{"right", "", []string{"Bearer " + token}, http.StatusOK, ""},
		{"scheme in lower case", "", []string{"bearer " + token}, http.StatusOK, ""},
		{"scheme in upper case", "", []string{"BEARER " + token}, http.StatusOK, ""},
		{"another parameter", "?x=1", []string{"Bearer " + token}, http.StatusOK, ""},
		{"none", "", nil, http.StatusUnauthorized, bare},
		{"Basic", "", []string{"Basic QTpC"}, http.StatusUnauthorized, bare},
		{"not ours", "", []string{"Bearer eyJhbGciOiJub25lIn0.e30."}, http.StatusUnauthorized, invalid},
		{"cut", "", []string{"Bearer " + token[:len(token)-1]}, http.StatusUnauthorized, invalid},
		{"the secret itself", "", []string{"Bearer " + made.secret}, http.StatusUnauthorized, invalid},
		{"the client ID", "", []string{"Bearer " + made.clientID}, http.StatusUnauthorized, invalid},
		{"empty", "", []string{"Bearer "}, http.StatusBadRequest, request},
		{"scheme alone", "", []string{"Bearer"}, http.StatusBadRequest, request},
		{"tab", "", []string{"Bearer\t" + token}, http.StatusBadRequest, request},
		{"two spaces", "", []string{"Bearer  " + token}, http.StatusBadRequest, request},
		{"two in one header", "", []string{"Bearer " + token + ", Bearer " + token}, http.StatusBadRequest, request},
		{"two headers", "", []string{"Bearer " + token, "Bearer " + token}, http.StatusBadRequest, request},
		{"token and Basic", "", []string{"Bearer " + token, "Basic QTpC"}, http.StatusBadRequest, request},
		{"in the address", "?access_token=" + token, nil, http.StatusBadRequest, request},
		{"in both", "?access_token=" + token, []string{"Bearer " + token}, http.StatusBadRequest, request},
		{"quoted", "", []string{`Bearer "` + token + `"`}, http.StatusBadRequest, request},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := p.machine(http.MethodGet, selfPath+tt.query, http.Header{"Authorization": tt.headers})
			if got.status != tt.status || got.header.Get("WWW-Authenticate") != tt.challenge {
				t.Errorf("%d %q, want %d %q", got.status, got.header.Get("WWW-Authenticate"), tt.status, tt.challenge)
			}
			if got.header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be kept")
			}
			if got.status != http.StatusOK && got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("the refusal is %s", got.header.Get("Content-Type"))
			}
			if strings.Contains(got.body, token) {
				t.Error("the answer repeats the token")
			}
		})
	}
	if strings.Contains(p.log.String(), token) {
		t.Error("the log holds the token")
	}
}

// TestSelfTakesNoCookie: whoever is signed in as a person is nobody here, and only GET and HEAD are answered.
func TestSelfTakesNoCookie(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.get(selfPath).is(http.StatusUnauthorized)
	made := admin.register(nil)
	header := http.Header{"Authorization": {"Bearer " + p.accessToken(made.clientID, made.secret)}}
	p.machine(http.MethodHead, selfPath, header).is(http.StatusOK)
	p.machine(http.MethodDelete, selfPath, header).is(http.StatusUnauthorized) // an app's address, of another API
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		if got := p.machine(method, selfPath, header); got.status != http.StatusMethodNotAllowed && got.status != http.StatusNotFound {
			t.Errorf("%s: %d", method, got.status)
		}
	}
	p.machine(http.MethodGet, selfPath+"/", header).is(http.StatusNotFound)
}
