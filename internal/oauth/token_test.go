package oauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
)

const tokenForm = "grant_type=client_credentials"

func TestC1_ClientCredentials(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead, invoiceWrite)
	send := map[string]func(extra string) reply{
		"client_secret_basic": func(extra string) reply {
			return r.send(request(oauth.PathToken, tokenForm+extra, "Authorization", basic(a.ClientID, a.secret)))
		},
		"client_secret_post": func(extra string) reply {
			return r.send(request(oauth.PathToken, tokenForm+extra+"&"+form("client_id", a.ClientID, "client_secret", a.secret)))
		},
		"the client_id beside Basic": func(extra string) reply {
			return r.send(request(oauth.PathToken, tokenForm+extra+"&client_id="+a.ClientID, "Authorization", basic(a.ClientID, a.secret)))
		},
		"scheme in other letters": func(extra string) reply {
			return r.send(request(oauth.PathToken, tokenForm+extra, "Authorization", "bASIC"+strings.TrimPrefix(basic(a.ClientID, a.secret), "Basic")))
		},
	}
	for name, send := range send {
		t.Run(name, func(t *testing.T) {
			p := send("&scope=core.invoice.read")
			if p.status != http.StatusOK {
				t.Fatalf("%d %s", p.status, p.raw)
			}
			want := map[string]any{
				"access_token": p.text("access_token"), "token_type": "Bearer", "expires_in": float64(3600), "scope": invoiceRead,
			}
			if diff := cmp.Diff(want, p.body); diff != "" {
				t.Error(diff)
			}
			if p.header.Get("Cache-Control") != "no-store" || p.header.Get("Pragma") != "no-cache" {
				t.Errorf("headers %v", p.header)
			}
			if got := send("").text("scope"); got != invoiceRead+" "+invoiceWrite {
				t.Errorf("without asking: scope %q", got)
			}
		})
	}
}

func TestC8_OtherGrantsAreRefused(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	for _, grant := range []string{
		"foo", "password", "implicit", "authorization_code", "refresh_token", "client_credential", "CLIENT_CREDENTIALS",
		" client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:device_code",
	} {
		refused(t, r.post(oauth.PathToken, a, "grant_type", grant), 400, "unsupported_grant_type")
	}
}

func TestC10_Scopes(t *testing.T) {
	r := newRig(t)
	a := r.appOf(r.acme, func(n *registry.NewApp) {
		n.Scopes, n.DefaultAPI = []string{invoiceRead, candidates, workers, connections}, "ccw"
	})
	tests := map[string]struct {
		asked string
		want  string // "" is refused
		says  string
	}{
		"one":                {asked: invoiceRead, want: invoiceRead},
		"two":                {asked: workers + " " + candidates, want: candidates + " " + workers},
		"twice the same":     {asked: candidates + " " + candidates, want: candidates},
		"none":               {asked: "", want: candidates + " " + workers},
		"own API":            {asked: connections, want: connections},
		"not held":           {asked: invoiceWrite, says: "does not hold the scope core.invoice.write"},
		"one held, one not":  {asked: candidates + " " + invoiceWrite, says: "core.invoice.write"},
		"of two APIs":        {asked: candidates + " " + invoiceRead, says: "(ccw, coupa-core)"},
		"unknown":            {asked: "no.such.scope", says: "no scope no.such.scope"},
		"misprinted":         {asked: "ccw.candidate", says: "did you mean ccw.candidates?"},
		"sign-in scope":      {asked: "openid", says: "does not hold"},
		"offline":            {asked: "offline_access", says: "does not hold"},
		"other letters":      {asked: "CCW.Candidates", says: "no scope"},
		"quote":              {asked: `ccw.candidates "`},
		"backslash":          {asked: `ccw.candidates\`},
		"NUL":                {asked: "ccw.candidates\x00"},
		"tab":                {asked: "ccw.candidates\tccw.contingent_workers"},
		"two spaces":         {asked: "ccw.candidates  ccw.contingent_workers"},
		"space before":       {asked: " ccw.candidates"},
		"space after":        {asked: "ccw.candidates "},
		"space":              {asked: " "},
		"comma":              {asked: "ccw.candidates,ccw.contingent_workers"},
		"no ASCII":           {asked: "ccw.cändidates"},
		"line break":         {asked: "ccw.candidates\r\nX: y"},
		"very long":          {asked: strings.Repeat("a", 5000)},
		"very many":          {asked: strings.Repeat("a ", 9000) + "a"},
		"plus is no scope":   {asked: "+"},
		"a scope of nothing": {asked: "*"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := r.ask(a, "scope", tt.asked)
			if tt.want == "" {
				refused(t, p, 400, "invalid_scope")
				if !strings.Contains(p.text("error_description"), tt.says) {
					t.Errorf("%q does not say %q", p.text("error_description"), tt.says)
				}
				return
			}
			if p.status != 200 || p.text("scope") != tt.want {
				t.Errorf("got %d %s, want %s", p.status, p.raw, tt.want)
			}
		})
	}
}

func TestOneAPIPerToken(t *testing.T) {
	r := newRig(t)
	three := func(defaultAPI string) app {
		return r.appOf(r.acme, func(n *registry.NewApp) {
			n.Scopes, n.DefaultAPI = []string{invoiceRead, candidates, connections}, defaultAPI
		})
	}
	chosen, undecided, ownOnly := three("coupa-core"), three(""), r.app(connections)
	core, ccw, own := issuer+"/apis/coupa-core", issuer+"/apis/ccw", issuer+"/apis/integration-service"
	tests := map[string]struct {
		app  app
		ask  []string
		aud  string
		code string
	}{
		"default API":            {chosen, nil, core, ""},
		"resource":               {chosen, []string{"resource", ccw}, ccw, ""},
		"resource, own API":      {chosen, []string{"resource", own}, own, ""},
		"resource twice":         {chosen, []string{"resource", ccw, "resource", ccw}, ccw, ""},
		"scope":                  {chosen, []string{"scope", candidates}, ccw, ""},
		"resource and scope":     {chosen, []string{"scope", candidates, "resource", ccw}, ccw, ""},
		"the only API":           {ownOnly, nil, own, ""},
		"no default":             {undecided, nil, "", "invalid_scope"},
		"no default, named":      {undecided, []string{"resource", core}, core, ""},
		"other API's scope":      {chosen, []string{"scope", candidates, "resource", core}, "", "invalid_scope"},
		"no scope of that API":   {ownOnly, []string{"resource", core}, "", "invalid_scope"},
		"two resources":          {chosen, []string{"resource", ccw, "resource", core}, "", "invalid_target"},
		"unknown":                {chosen, []string{"resource", issuer + "/apis/none"}, "", "invalid_target"},
		"one unknown of two":     {chosen, []string{"resource", ccw, "resource", "https://evil.example"}, "", "invalid_target"},
		"foreign":                {chosen, []string{"resource", "https://evil.example/apis/ccw"}, "", "invalid_target"},
		"relative":               {chosen, []string{"resource", "/apis/ccw"}, "", "invalid_target"},
		"key only":               {chosen, []string{"resource", "ccw"}, "", "invalid_target"},
		"fragment":               {chosen, []string{"resource", ccw + "#x"}, "", "invalid_target"},
		"empty fragment":         {chosen, []string{"resource", ccw + "#"}, "", "invalid_target"},
		"slash after":            {chosen, []string{"resource", ccw + "/"}, "", "invalid_target"},
		"query":                  {chosen, []string{"resource", ccw + "?x"}, "", "invalid_target"},
		"other letters":          {chosen, []string{"resource", strings.ToUpper(ccw)}, "", "invalid_target"},
		"the issuer":             {chosen, []string{"resource", issuer}, "", "invalid_target"},
		"no URI":                 {chosen, []string{"resource", "https://[::1"}, "", "invalid_target"},
		"space":                  {chosen, []string{"resource", " "}, "", "invalid_target"},
		"audience is not spoken": {chosen, []string{"audience", ccw}, core, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := r.ask(tt.app, tt.ask...)
			if tt.code != "" {
				refused(t, p, 400, tt.code)
				return
			}
			if p.status != 200 {
				t.Fatalf("%d %s", p.status, p.raw)
			}
			if got := part(t, p.text("access_token"), 1)["aud"]; got != tt.aud {
				t.Errorf("aud %v, want %s", got, tt.aud)
			}
		})
	}
}

func TestAppMayAskForLess(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	for asked, want := range map[string]float64{
		"1": 1, "60": 60, "3600": 3600, "3601": 3600, "2000000000": 3600, "0060": 60,
		"0": 0, "-1": 0, "1.5": 0, "1e3": 0, "60s": 0, " 60": 0, "99999999999999999999": 0, "abc": 0,
	} {
		p := r.ask(a, "expires_in", asked)
		if want == 0 {
			refused(t, p, 400, "invalid_request")
			continue
		}
		if p.status != 200 || p.body["expires_in"] != want {
			t.Errorf("%s: got %d %s", asked, p.status, p.raw)
			continue
		}
		c := part(t, p.text("access_token"), 1)
		if c["exp"].(float64)-c["iat"].(float64) != want {
			t.Errorf("%s: lives from %v to %v", asked, c["iat"], c["exp"])
		}
	}
}

func TestC16_UI6_OldAndNewSecret(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	before := r.token(a)
	shown, err := r.registry.Rotate(t.Context(), r.actor(r.acme), a.ID, registry.Rotation{
		Reason: registry.Planned, OldEnds: registry.End{Choice: registry.EndsIn1Hour}, Expires: registry.Expiry{Choice: registry.ExpiresNever},
	})
	must(t, err)
	renewed := a
	renewed.secret, renewed.secretID = shown.Secret.Reveal(), shown.ID
	for name, one := range map[string]app{"old": a, "new": renewed} {
		if cred := part(t, r.token(one), 1)["cred"]; cred != string(one.secretID) {
			t.Errorf("%s: cred %v, want %s", name, cred, one.secretID)
		}
	}
	r.clock.Advance(time.Hour - time.Microsecond)
	r.token(a)
	r.clock.Advance(time.Microsecond)
	refused(t, r.ask(a), 401, "invalid_client")
	r.token(renewed)
	if r.isActive(renewed, before) {
		t.Error("a token of an hour ago is active")
	}
}

// A rotation leaves issued tokens alone, also "now"; "leaked" ends those of that secret only (product.md decision 17).
func TestLeakedSecretEndsItsTokens(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	ofOld := r.token(a)
	shown, err := r.registry.Rotate(t.Context(), r.actor(r.acme), a.ID, registry.Rotation{
		Reason: registry.Planned, OldEnds: registry.End{Choice: registry.EndsNow}, Expires: registry.Expiry{Choice: registry.ExpiresNever},
	})
	must(t, err)
	renewed := a
	renewed.secret = shown.Secret.Reveal()
	ofNew := r.token(renewed)
	refused(t, r.ask(a), 401, "invalid_client")
	if !r.isActive(renewed, ofOld) {
		t.Error("a rotation ended an issued token")
	}
	must(t, r.registry.MarkLeaked(t.Context(), r.actor(r.acme), a.ID, a.secretID))
	if r.isActive(renewed, ofOld) || !r.isActive(renewed, ofNew) {
		t.Error("leaked must end the old secret's tokens and no others")
	}
}

func TestOneLogLinePerToken(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	req := request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret))
	req.RemoteAddr = "203.0.113.77:4711"
	p := r.send(req)
	log := r.log.String()
	if n := strings.Count(log, "token issued"); n != 1 {
		t.Fatalf("%d lines: %s", n, log)
	}
	jti, _ := part(t, p.text("access_token"), 1)["jti"].(string)
	for _, want := range []string{
		"jti=" + jti, "client=" + a.ClientID, "secret=" + string(a.secretID), "audience=" + issuer + "/apis/coupa-core", "network=203.0.113.0/24",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not in %s", want, log)
		}
	}
	for _, never := range []string{p.text("access_token"), a.secret, "203.0.113.77", strings.Split(p.text("access_token"), ".")[2]} {
		if strings.Contains(log, never) {
			t.Errorf("%s is logged", never)
		}
	}
}

func TestTokenLogCanBeOff(t *testing.T) {
	r := newRig(t)
	quiet, err := oauth.New(oauth.Deps{Issuer: issuer, DB: r.db, Registry: r.registry, Catalogue: r.shelf, Ring: r.ring, Log: r.logger()})
	must(t, err)
	a := r.app(invoiceRead)
	w := httptest.NewRecorder()
	quiet.Token(w, request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret)))
	if w.Code != 200 || strings.Contains(r.log.String(), "token issued") {
		t.Errorf("%d, log %s", w.Code, r.log)
	}
}

// The client library of the Go project fetches tokens in both styles, and finds out by itself which one works.
func TestGoOAuth2Client(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(r.mux)
	defer server.Close()
	a := r.app(invoiceRead, invoiceWrite)
	for name, style := range map[string]oauth2.AuthStyle{
		"header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams, "either": oauth2.AuthStyleAutoDetect,
	} {
		t.Run(name, func(t *testing.T) {
			config := clientcredentials.Config{
				ClientID: a.ClientID, ClientSecret: a.secret, TokenURL: server.URL + oauth.PathToken, Scopes: []string{invoiceWrite},
				EndpointParams: url.Values{"resource": {issuer + "/apis/coupa-core"}}, AuthStyle: style,
			}
			ctx := context.WithValue(t.Context(), oauth2.HTTPClient, server.Client())
			token, err := config.Token(ctx)
			must(t, err)
			if !r.isActive(a, token.AccessToken) || token.Type() != "Bearer" || token.Extra("scope") != invoiceWrite {
				t.Errorf("got %v %v", token.Type(), token.Extra("scope"))
			}
			config.ClientSecret = strings.ToUpper(a.secret)
			if _, err := config.Token(ctx); err == nil || !strings.Contains(err.Error(), "invalid_client") {
				t.Errorf("with a wrong secret: %v", err)
			}
		})
	}
}

// P4, protocol.md §2: once an app is known, a token needs no database.
func TestWarmTokensNeedNoDatabase(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	tok := r.token(a)
	must(t, r.db.Close())
	for range 3 {
		r.token(a)
	}
	if !r.isActive(a, tok) {
		t.Error("introspection needs the database")
	}
}

// F4: somebody else holds the database's write lock.
func TestF4_RevocationThatCannotBeWritten(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	tok := r.token(a)
	other := dbtest.Open(t, "sqlite:"+r.db.Path(), r.clock)
	must(t, other.Transact(t.Context(), func(*database.Tx) error {
		soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		req := request(oauth.PathRevoke, "token="+tok, "Authorization", basic(a.ClientID, a.secret))
		unavailable(t, r.send(req.WithContext(soon)))
		return nil
	}))
	if !r.isActive(a, tok) {
		t.Error("a revocation that was put off took place")
	}
}

// unavailable checks an answer that asks to come again.
func unavailable(t *testing.T, p reply) {
	t.Helper()
	refused(t, p, 503, "temporarily_unavailable")
	if p.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", p.header.Get("Retry-After"))
	}
}

func TestNetworksAreLoggedWithoutTheHost(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.77": "203.0.113.0/24", "::ffff:203.0.113.77": "203.0.113.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
		"fe80::1%eth0": "fe80::/48", "": "unknown", "somebody": "unknown", "@": "unknown",
	} {
		if got := oauth.Network(address); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
