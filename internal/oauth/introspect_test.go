package oauth_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
)

func TestIntrospection(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a := r.app(candidates)
		token := r.token(a)
		now := float64(r.clock.Now().Unix())
		p := r.introspect(a, token)
		want := map[string]any{
			"active": true, "client_id": a.ClientID, "sub": a.ClientID, "aud": issuer + "/apis/ccw", "iss": issuer,
			"iat": now, "exp": now + 3600, "jti": part(t, token, 1)["jti"], "scope": candidates, "token_type": "Bearer",
			"org": string(r.acme.ID), "api_user": string(a.APIUser.ID),
		}
		if diff := cmp.Diff(want, p.body); p.status != 200 || diff != "" {
			t.Errorf("%d %s", p.status, diff)
		}
		for _, hint := range []string{"access_token", "refresh_token", "unheard_of"} {
			if p := r.post(oauth.PathIntrospect, a, "token", token, "token_type_hint", hint); !p.active() {
				t.Errorf("hint %s: %s", hint, p.raw)
			}
		}
		body := r.send(request(oauth.PathIntrospect, form("token", token, "client_id", a.ClientID, "client_secret", a.secret)))
		if !body.active() {
			t.Errorf("client_secret_post: %s", body.raw)
		}
	})
}

func TestC35d_NothingIsSaidOfOtherTokens(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, sibling, foreign := r.app(invoiceRead), r.app(invoiceRead), r.appOf(r.globex, nil)
		otherAPI, otherObserver := r.resourceServer("ccw"), r.observer(r.globex)
		token := r.token(a)
		revoked := r.token(a)
		if p := r.post(oauth.PathRevoke, a, "token", revoked); p.status != 200 {
			t.Fatalf("revoke: %d %s", p.status, p.raw)
		}
		short := r.token(a, "expires_in", "1")
		r.clock.Advance(time.Second)
		for name, tt := range map[string]struct {
			by    app
			token string
		}{
			"expired": {a, short}, "revoked": {a, revoked}, "malformed": {a, "x.y.z"}, "spaces": {a, "  "},
			"a secret": {a, a.secret}, "cut": {a, token[:len(token)-1]},
			"of the organisation's other app": {sibling, token}, "of another organisation": {foreign, token},
			"of another API": {otherAPI, token}, "of another organisation, which it may not observe": {otherObserver, token},
		} {
			if r.isActive(tt.by, tt.token) {
				t.Errorf("%s: active", name)
			}
		}
		if !r.isActive(a, token) {
			t.Error("its own token is not active")
		}
		for name, p := range map[string]reply{
			"nobody":           r.send(request(oauth.PathIntrospect, "token="+token)),
			"by the token":     r.send(request(oauth.PathIntrospect, "token="+token, "Authorization", "Bearer "+token)),
			"with wrong proof": r.send(request(oauth.PathIntrospect, "token="+token, "Authorization", basic(a.ClientID, sibling.secret))),
		} {
			if p.status != 401 || p.code() != "invalid_client" {
				t.Errorf("%s: %d %s", name, p.status, p.raw)
			}
		}
		refused(t, r.post(oauth.PathIntrospect, a), 400, "invalid_request")
	})
}

// TestC53_WhoMayAskAboutWhichToken is protocol.md §1.6 as a table: every caller asks about every token.
func TestC53_WhoMayAskAboutWhichToken(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		everything := func(n *registry.NewApp) { n.Scopes = []string{invoiceRead, candidates, connections} }
		acme, globex := r.appOf(r.acme, everything), r.appOf(r.globex, everything)
		observer := r.observer(r.acme)
		tokens := map[string]string{
			"Acme core": r.token(acme, "scope", invoiceRead), "Acme ccw": r.token(acme, "scope", candidates),
			"Acme own API": r.token(acme, "scope", connections), "Globex core": r.token(globex, "scope", invoiceRead),
			"Globex own API": r.token(globex, "scope", connections), "the observer's": r.token(observer),
		}
		for name, tt := range map[string]struct {
			caller app
			sees   []string
		}{
			"the app":                       {acme, []string{"Acme core", "Acme ccw", "Acme own API"}},
			"another app":                   {r.app(invoiceRead), nil},
			"the observer":                  {observer, []string{"Acme core", "Acme ccw", "the observer's"}},
			"another observer":              {r.observer(r.acme), []string{"Acme core", "Acme ccw"}},
			"Globex's observer":             {r.observer(r.globex), []string{"Globex core"}},
			"Globex's app":                  {globex, []string{"Globex core", "Globex own API"}},
			"the API core":                  {r.resourceServer("coupa-core"), []string{"Acme core", "Globex core"}},
			"the API core, another of it":   {r.resourceServer("coupa-core"), []string{"Acme core", "Globex core"}},
			"the API ccw":                   {r.resourceServer("ccw"), []string{"Acme ccw"}},
			"an app with scopes of the API": {r.app(invoiceRead, invoiceWrite, candidates, connections), nil},
		} {
			got, want := map[string]bool{}, map[string]bool{}
			for about, token := range tokens {
				got[about] = r.isActive(tt.caller, token)
			}
			for about := range tokens {
				want[about] = false
			}
			for _, about := range tt.sees {
				want[about] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// What an API hears of another organisation's token is what its app hears.
func TestResourceServerHearsWhatTheAppHears(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, server := r.app(invoiceRead, invoiceWrite, candidates), r.resourceServer("coupa-core")
		token := r.token(a, "resource", issuer+"/apis/coupa-core")
		own, api := r.introspect(a, token), r.introspect(server, token)
		if diff := cmp.Diff(own.body, api.body); diff != "" || !api.active() || api.text("org") != string(r.acme.ID) {
			t.Errorf("%s %s", api.raw, diff)
		}
		// A scope of another API in a token for this one: no token is issued so, and none would be believed.
		odd := forge(t, r.ring.Signer(), originalHeader(t, token), with(whole(t, token), "scope", invoiceRead+" "+candidates))
		if got := r.introspect(server, odd); !got.active() || got.text("scope") != invoiceRead {
			t.Errorf("scopes are not cut to the API's: %s", got.raw)
		}
	})
}

// TestC9_ResourceServerGetsNoToken: it may introspect, and nothing else.
func TestC9_ResourceServerGetsNoToken(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		server, a := r.resourceServer("coupa-core"), r.app(invoiceRead)
		token := r.token(a)
		for name, p := range map[string]reply{
			"plain":       r.ask(server),
			"with scope":  r.ask(server, "scope", invoiceRead),
			"of nothing":  r.ask(server, "scope", "nothing.known"),
			"for the API": r.ask(server, "resource", issuer+"/apis/coupa-core"),
			"in the body": r.send(request(oauth.PathToken, tokenForm+"&"+form("client_id", server.ClientID, "client_secret", server.secret))),
			"revoke":      r.post(oauth.PathRevoke, server, "token", token),
			"revoke none": r.post(oauth.PathRevoke, server, "token", "x"),
		} {
			if p.status != 400 || p.code() != "unauthorized_client" || p.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s: %d %s", name, p.status, p.raw)
			}
		}
		refused(t, r.ask(app{App: server.App, secret: a.secret}), 401, "invalid_client")
		refused(t, r.post(oauth.PathToken, server, "grant_type", "password"), 400, "unsupported_grant_type")
		if !r.isActive(server, token) {
			t.Error("the token ended")
		}
	})
}

// A caller that is not live is not heard, whatever it asks about (protocol.md §1.6).
func TestIntrospectionNeedsALiveCaller(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		token := r.token(r.app(invoiceRead))
		for name, end := range map[string]func(a app){
			"inactive": r.deactivate,
			"deleted": func(a app) {
				r.deactivate(a)
				now := r.reload(a)
				must(t, r.registry.Delete(t.Context(), r.actor(r.platform), a.ID, now.Version, now.Name))
			},
			"leaked": func(a app) {
				must(t, r.registry.MarkLeaked(t.Context(), r.actor(r.platform), a.ID, a.secretID))
			},
		} {
			server := r.resourceServer("coupa-core")
			if !r.isActive(server, token) {
				t.Fatal("not active from the beginning")
			}
			end(server)
			refused(t, r.introspect(server, token), 401, "invalid_client")
			refused(t, r.introspect(server, "x"), 401, "invalid_client")
			refused(t, r.ask(server), 401, "invalid_client")
			if name == "inactive" {
				_, err := r.registry.Activate(t.Context(), r.actor(r.platform), server.ID, r.reload(server).Version)
				must(t, err)
				if !r.isActive(server, token) {
					t.Error("active again, it is not heard")
				}
			}
		}
		observer := r.observer(r.acme)
		must(t, r.identity.SuspendOrganisation(t.Context(), access.System("test", ""), r.acme.ID))
		refused(t, r.introspect(observer, token), 401, "invalid_client")
	})
}

// oauth.introspect counts as the app holds it now, not as some token of it says.
func TestObserverLosesItsScopeAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		observer, token := r.observer(r.acme), r.token(r.app(invoiceRead))
		if !r.isActive(observer, token) {
			t.Fatal("an observer sees nothing")
		}
		r.edit(observer, func(f *registry.AppFields) { f.Scopes = []string{invoiceRead} })
		if r.isActive(observer, token) {
			t.Error("an app without the scope sees it")
		}
		r.edit(observer, func(f *registry.AppFields) { f.Scopes = []string{"oauth.introspect"} })
		if !r.isActive(observer, token) {
			t.Error("with the scope again it sees nothing")
		}
	})
}
