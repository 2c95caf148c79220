package oauth_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"credenza.example/credenza/internal/oauth"
)

func TestC35c_Revocation(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		stranger := newRig(t)
		a, sibling, foreign := r.app(invoiceRead), r.app(invoiceRead), r.appOf(r.globex, nil)
		token, other := r.token(a), r.token(a)
		expired := r.token(a, "expires_in", "1")
		r.clock.Advance(time.Second)
		empty := func(name string, p reply) {
			t.Helper()
			if p.status != 200 || p.raw != "" || p.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %q %v", name, p.status, p.raw, p.header)
			}
		}
		for name, text := range map[string]string{
			"garbage": "garbage", "unknown": "a.b.c", "expired": expired, "cut": token[:len(token)-2], "large": strings.Repeat("x", 20_000),
			"of nobody here": stranger.token(stranger.app(invoiceRead)),
		} {
			empty(name, r.post(oauth.PathRevoke, a, "token", text))
		}
		for name, by := range map[string]app{"the organisation's other app": sibling, "another organisation": foreign} {
			p := r.post(oauth.PathRevoke, by, "token", token)
			refused(t, p, 400, "invalid_request")
			if !r.isActive(a, token) {
				t.Errorf("%s ended the token", name)
			}
		}
		refused(t, r.send(request(oauth.PathRevoke, "token="+token)), 401, "invalid_client")
		refused(t, r.post(oauth.PathRevoke, a), 400, "invalid_request")
		if !r.isActive(a, token) {
			t.Fatal("the token ended too early")
		}
		empty("own", r.post(oauth.PathRevoke, a, "token", token, "token_type_hint", "refresh_token"))
		if r.isActive(a, token) || r.live(token) {
			t.Error("a revoked token is active")
		}
		empty("again", r.post(oauth.PathRevoke, a, "token", token))
		if !r.isActive(a, other) {
			t.Error("another token of the app ended with it")
		}
	})
}

func TestManyRevokeAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a := r.app(invoiceRead)
		tokens := []string{r.token(a), r.token(a), r.token(a)}
		kept := r.token(a)
		var wg sync.WaitGroup
		for range 4 {
			for _, token := range tokens {
				wg.Go(func() {
					if p := r.post(oauth.PathRevoke, a, "token", token); p.status != 200 {
						t.Errorf("%d %s", p.status, p.raw)
					}
				})
			}
		}
		wg.Wait()
		for _, token := range tokens {
			if r.live(token) {
				t.Error("a revoked token is live")
			}
		}
		if !r.live(kept) {
			t.Error("a token that nobody revoked has ended")
		}
		if reg := r.reload(a); reg.Generation != 1 {
			t.Errorf("generation %d", reg.Generation)
		}
	})
}
