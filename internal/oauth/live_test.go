package oauth_test

import (
	"testing"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
)

// ending is one way in which an app's tokens end.
type ending struct {
	name   string
	end    func(r *rig, a app, token string)
	client bool // the app itself is refused, too
	revive func(r *rig, a app)
}

// endings are protocol.md §1.3, a line each: what of it stands in the token alone is C36 to C43.
var endings = []ending{
	{name: "its generation is another", end: func(r *rig, a app, _ string) {
		r.edit(a, func(f *registry.AppFields) { f.Active = false })
		r.edit(a, func(f *registry.AppFields) { f.Active = true })
	}},
	{name: "its jti was revoked", end: func(r *rig, a app, token string) {
		if p := r.post(oauth.PathRevoke, a, "token", token); p.status != 200 {
			r.t.Fatalf("revoke: %d %s", p.status, p.raw)
		}
	}},
	{name: "its credential leaked", client: true, end: func(r *rig, a app, _ string) {
		must(r.t, r.registry.MarkLeaked(r.t.Context(), access.System("test", a.Organisation), a.ID, a.secretID))
	}},
	{name: "the app is inactive", client: true, end: func(r *rig, a app, _ string) { r.deactivate(a) }},
	{name: "the app was deleted", client: true, end: func(r *rig, a app, _ string) {
		r.deactivate(a)
		now := r.reload(a)
		must(r.t, r.registry.Delete(r.t.Context(), access.System("test", a.Organisation), a.ID, now.Version, now.Name))
	}},
	{name: "the organisation is suspended", client: true, end: func(r *rig, a app, _ string) {
		must(r.t, r.identity.SuspendOrganisation(r.t.Context(), access.System("test", ""), a.Organisation))
	}},
	{
		name: "the API user is inactive", client: true,
		end:    func(r *rig, a app, _ string) { r.setRobot(a, identity.Inactive) },
		revive: func(r *rig, a app) { r.setRobot(a, identity.Active) },
	},
	{name: "the API user has expired", client: true, end: func(r *rig, _ app, _ string) { r.clock.Advance(30 * time.Minute) }},
	{name: "the API user is another", end: func(r *rig, a app, _ string) {
		other, err := r.identity.CreateRobot(r.t.Context(), access.System("test", a.Organisation), identity.NewRobot{
			Organisation: a.Organisation, Name: "Other user", Kind: identity.KindClient,
		})
		must(r.t, err)
		r.edit(a, func(f *registry.AppFields) { f.APIUser = other.ID })
	}},
	{name: "it has expired", end: func(r *rig, _ app, _ string) { r.clock.Advance(time.Hour) }},
}

// expiring is an app whose API user expires within half an hour.
func (r *rig) expiring() app {
	r.t.Helper()
	user, err := r.identity.CreateRobot(r.t.Context(), access.System("test", r.acme.ID), identity.NewRobot{
		Organisation: r.acme.ID, Name: "Expiring user", Kind: identity.KindClient, ExpiresAt: r.clock.Now().Add(30 * time.Minute),
	})
	must(r.t, err)
	return r.appOf(r.acme, func(n *registry.NewApp) { n.APIUser = user.ID })
}

// TestC25_WhatEndsCountsAtOnce goes through every way in which an app or a token ends, and asks at every place what the
// next request hears: the token endpoint, introspection by the app, by the API and by the organisation's other app, our
// own APIs, and a call check.
func TestC25_WhatEndsCountsAtOnce(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			each(t, func(t *testing.T, r *rig) {
				a := r.app(invoiceRead)
				if e.name == "the API user has expired" {
					a = r.expiring()
				}
				server, observer := r.resourceServer("coupa-core"), r.observer(r.acme)
				token := r.token(a)
				check := func() string {
					return verdict(r.through(proxies["nginx"]("coupa-core", "GET", "/api/invoices"), token))
				}
				if check() != passes || !r.live(token) || !r.isActive(a, token) || !r.isActive(server, token) || !r.isActive(observer, token) {
					t.Fatal("not live from the beginning")
				}
				e.end(r, a, token)
				if r.live(token) || r.isActive(server, token) || check() == passes {
					t.Error("the token is still live")
				}
				if a.Organisation != r.suspended() && r.isActive(observer, token) {
					t.Error("the organisation's other app sees it live")
				}
				if e.client {
					refused(t, r.ask(a), 401, "invalid_client")
					refused(t, r.introspect(a, token), 401, "invalid_client")
					refused(t, r.post(oauth.PathRevoke, a, "token", token), 401, "invalid_client")
				} else if fresh := r.token(a); r.isActive(a, token) || !r.isActive(a, fresh) {
					t.Error("the app itself sees the old token live, or the new one not")
				}
				if e.revive == nil {
					return
				}
				e.revive(r, a)
				if r.token(a); !r.live(token) || !r.isActive(server, token) || check() != passes {
					t.Error("the token did not come back")
				}
			})
		})
	}
}

// suspended returns Acme's ID once it is suspended, and nothing before.
func (r *rig) suspended() access.OrganisationID {
	r.t.Helper()
	org, err := r.identity.Organisation(r.t.Context(), r.acme.ID)
	must(r.t, err)
	if org.Status == identity.Suspended {
		return org.ID
	}
	return ""
}

// What of the rules of TestC25 a token carries is asked one by one here, without anything else being changed: each claim
// alone decides.
func TestEachClaimDecidesAlone(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, sibling := r.app(invoiceRead), r.app(invoiceRead)
		rotated, err := r.registry.Rotate(t.Context(), r.actor(r.acme), a.ID, registry.Rotation{Reason: registry.Planned})
		must(t, err)
		token := r.token(a)
		must(t, r.registry.MarkLeaked(t.Context(), r.actor(r.acme), a.ID, rotated.ID))
		revoked := r.token(a)
		r.post(oauth.PathRevoke, a, "token", revoked)
		header, claims := originalHeader(t, token), whole(t, token)
		if !r.live(forge(t, r.ring.Signer(), header, claims)) {
			t.Fatal("a token like the app's own is not live")
		}
		for claim, value := range map[string]any{
			"gen": 2, "jti": part(t, revoked, 1)["jti"], "cred": string(rotated.ID), "org": string(r.globex.ID),
			"api_user": string(r.apiUser(r.globex)), "exp": r.clock.Now().Unix(), "iss": issuer + "/", "aud": issuer + "/apis/none",
		} {
			if r.live(forge(t, r.ring.Signer(), header, with(claims, claim, value))) {
				t.Errorf("%s counts for nothing", claim)
			}
		}
		for _, client := range []string{r.resourceServer("coupa-core").ClientID, "CCWACME_22222222222222222222"} {
			if r.live(forge(t, r.ring.Signer(), header, with(claims, "client_id", client, "sub", client, "api_user", "", "org", string(r.platform.ID)))) {
				t.Errorf("a token of %s is live", client)
			}
		}
		if !r.live(forge(t, r.ring.Signer(), header, with(claims, "cred", string(sibling.secretID)))) {
			t.Error("a credential that did not leak ends a token") // cred says what bought it, and nothing more
		}
	})
}

// TestEffectiveScope: token ∩ app now, at introspection and for our own APIs alike.
func TestEffectiveScope(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, server := r.app(invoiceRead, invoiceWrite), r.resourceServer("coupa-core")
		token, narrow := r.token(a), r.token(a, "scope", invoiceRead)
		says := func(when, token, want string) {
			t.Helper()
			got, err := r.server.Live(t.Context(), token)
			must(t, err)
			own, api := r.introspect(a, token), r.introspect(server, token)
			if got.Scopes.String() != want || own.text("scope") != want || api.text("scope") != want || !own.active() || !api.active() {
				t.Errorf("%s: own APIs %q, the app %q, the API %q; want %q", when, got.Scopes, own.text("scope"), api.text("scope"), want)
			}
		}
		says("all", token, invoiceRead+" "+invoiceWrite)
		says("asked for one", narrow, invoiceRead)
		r.edit(a, func(f *registry.AppFields) { f.Scopes = []string{invoiceRead} })
		says("one removed", token, invoiceRead)
		r.edit(a, func(f *registry.AppFields) { f.Scopes = []string{invoiceWrite, candidates} })
		says("another in its place", token, invoiceWrite)
		says("what was never asked for", narrow, "")
		r.edit(a, func(f *registry.AppFields) { f.Scopes = []string{invoiceRead, invoiceWrite} })
		says("given back", token, invoiceRead+" "+invoiceWrite)
	})
}
