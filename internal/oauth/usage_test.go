package oauth_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/oauth"
)

// uses returns how often the secret of an app was used, by network.
func (r *rig) uses(a app) map[string]int64 {
	r.t.Helper()
	must(r.t, r.registry.FlushUse(r.t.Context()))
	use, err := r.registry.Use(r.t.Context(), access.System("test", a.Organisation), a.ID)
	must(r.t, err)
	uses := map[string]int64{}
	for _, n := range use[a.secretID].Networks {
		uses[n.Network] = n.Week
	}
	return uses
}

// What got its answer is a use of the secret: tokens, introspection and revocation. What was refused is none.
func TestWhatCountsAsUse(t *testing.T) {
	const network = "192.0.2.0/24" // of httptest's requests
	tests := map[string]struct {
		act  func(r *rig, a app)
		want map[string]int64
	}{
		"nothing":           {func(*rig, app) {}, map[string]int64{}},
		"tokens":            {func(r *rig, a app) { r.token(a); r.token(a) }, map[string]int64{network: 2}},
		"introspection":     {func(r *rig, a app) { r.introspect(a, r.token(a)) }, map[string]int64{network: 2}},
		"introspecting air": {func(r *rig, a app) { r.introspect(a, "no token") }, map[string]int64{network: 1}},
		"revocation":        {func(r *rig, a app) { r.post(oauth.PathRevoke, a, "token", r.token(a)) }, map[string]int64{network: 2}},
		"wrong secret":      {func(r *rig, a app) { a.secret = a.secret[:66] + "?"; r.ask(a) }, map[string]int64{}},
		"no such scope":     {func(r *rig, a app) { r.ask(a, "scope", "no.such.scope") }, map[string]int64{}},
		"no such grant":     {func(r *rig, a app) { r.post(oauth.PathToken, a, "grant_type", "password") }, map[string]int64{}},
		"another's token":   {func(r *rig, a app) { r.post(oauth.PathRevoke, a, "token", r.token(r.app(invoiceRead))) }, map[string]int64{}},
		"inactive app":      {func(r *rig, a app) { r.token(a); r.deactivate(a); r.ask(a) }, map[string]int64{network: 1}},
		"several networks": {func(r *rig, a app) {
			for i := range 3 {
				req := request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret))
				req.RemoteAddr = fmt.Sprintf("[2001:db8:%d::1]:4711", i/2)
				r.send(req)
			}
		}, map[string]int64{"2001:db8::/48": 2, "2001:db8:1::/48": 1}},
		"no address": {func(r *rig, a app) {
			req := request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret))
			req.RemoteAddr = "@"
			r.send(req)
		}, map[string]int64{"unknown": 1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			a := r.app(invoiceRead)
			tt.act(r, a)
			if diff := cmp.Diff(tt.want, r.uses(a)); diff != "" {
				t.Errorf("uses (-want +got):\n%s", diff)
			}
		})
	}
}

// P4: a thousand warm tokens write nothing to the database's files, and are all counted by the flush that follows.
func TestP4_TokensWriteNothing(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	r.token(a)
	files := func() (all string) {
		for _, name := range []string{r.db.Path(), r.db.Path() + "-wal"} {
			info, err := os.Stat(name)
			must(t, err)
			all += fmt.Sprintln(info.Name(), info.Size(), info.ModTime())
		}
		return all
	}
	before := files()
	for range 1000 {
		w := httptest.NewRecorder()
		r.server.Token(w, request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret)))
		if w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
	}
	if diff := cmp.Diff(before, files()); diff != "" {
		t.Errorf("tokens wrote to the database:\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"192.0.2.0/24": 1001}, r.uses(a)); diff != "" {
		t.Error(diff)
	}
	if files() == before {
		t.Error("a flush was not seen: the test is blind")
	}
}

// The line of a token says its ID, client, secret, audience and network, and nothing else (product.md decision 18).
func TestTokenLogHasFiveFields(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	r.token(a)
	for line := range strings.Lines(r.log.String()) {
		if !strings.Contains(line, "token issued") {
			continue
		}
		var names []string
		for field := range strings.FieldsSeq(strings.Replace(line, `msg="token issued"`, "msg=token", 1)) {
			name, _, _ := strings.Cut(field, "=")
			names = append(names, name)
		}
		if diff := cmp.Diff([]string{"time", "level", "msg", "jti", "client", "secret", "audience", "network"}, names); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
		return
	}
	t.Error("no line")
}
