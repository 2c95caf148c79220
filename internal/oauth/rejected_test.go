package oauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
)

// rejected returns why requests of an app were refused: "reason detail" in the order they came.
func (r *rig) rejected(a app) []string {
	r.t.Helper()
	must(r.t, r.registry.FlushRejections(r.t.Context()))
	list, err := r.registry.Rejections(r.t.Context(), access.System("test", a.Organisation), a.ID, registry.Span{Most: 1000})
	must(r.t, err)
	var rows []string
	for _, row := range list.Rows {
		if row.Network != "192.0.2.0/24" { // of httptest's requests
			r.t.Errorf("refused from %s", row.Network)
		}
		what := strings.TrimSpace(fmt.Sprintf("%s %s", row.Reason, row.Detail))
		if row.Secret == a.secretID {
			what += " this"
		}
		rows = append(rows, what)
	}
	return rows
}

// TestRejections: every refusal of the three endpoints is told to the people of the app that the request names, with its
// reason; answers of what was accepted are not.
func TestRejections(t *testing.T) {
	other := func(r *rig) string { return r.token(r.app(invoiceRead)) }
	odd := func(r *rig, a app, header, value string) {
		r.send(request(oauth.PathToken, tokenForm, "Authorization", basic(a.ClientID, a.secret), header, value))
	}
	tests := map[string]struct {
		act  func(r *rig, a app)
		want string
	}{
		"nothing":           {func(r *rig, a app) { r.introspect(a, r.token(a)) }, ""},
		"no shape":          {func(r *rig, a app) { a.secret = "hunter2"; r.ask(a) }, "no_secret"},
		"another's secret":  {func(r *rig, a app) { a.secret = r.app(invoiceRead).secret; r.ask(a) }, "no_secret"},
		"inactive":          {func(r *rig, a app) { r.deactivate(a); r.ask(a) }, "app_inactive"},
		"leaked":            {func(r *rig, a app) { r.leak(a); r.ask(a) }, "leaked this"},
		"suspended":         {func(r *rig, a app) { r.suspend(a); r.ask(a) }, "organisation_inactive"},
		"scope not held":    {func(r *rig, a app) { r.ask(a, "scope", invoiceWrite) }, "scope_not_held core.invoice.write"},
		"unknown scope":     {func(r *rig, a app) { r.ask(a, "scope", "core.invoices.read") }, "scope_unknown core.invoices.read"},
		"secret as scope":   {func(r *rig, a app) { r.ask(a, "scope", a.secret) }, "scope_unknown"},
		"token as scope":    {func(r *rig, a app) { r.ask(a, "scope", r.token(a)) }, "target scope_malformed"},
		"two spaces":        {func(r *rig, a app) { r.ask(a, "scope", "core.invoice.read  email") }, "target scope_malformed"},
		"unknown resource":  {func(r *rig, a app) { r.ask(a, "resource", "https://api.example") }, "target target_unknown"},
		"grant":             {func(r *rig, a app) { r.post(oauth.PathToken, a, "grant_type", "password") }, "grant"},
		"no grant":          {func(r *rig, a app) { r.post(oauth.PathToken, a) }, "grant"},
		"content type":      {func(r *rig, a app) { odd(r, a, "Content-Type", "") }, "malformed content_type"},
		"encoded":           {func(r *rig, a app) { odd(r, a, "Content-Encoding", "gzip") }, "malformed content_encoding"},
		"repeated":          {func(r *rig, a app) { r.ask(a, "scope", invoiceRead, "scope", invoiceRead) }, "malformed repeated_parameter"},
		"no token":          {func(r *rig, a app) { r.post(oauth.PathIntrospect, a) }, "malformed token_missing"},
		"another's token":   {func(r *rig, a app) { r.post(oauth.PathRevoke, a, "token", other(r)) }, "token_foreign"},
		"GET":               {func(r *rig, a app) { r.getToken(a) }, "malformed method"},
		"secret in address": {func(r *rig, a app) { r.inAddress(a) }, "malformed credential_in_address"},
		"no credentials":    {func(r *rig, a app) { r.send(request(oauth.PathToken, tokenForm+"&client_id="+a.ClientID)) }, "no_credentials"},
		"two methods": {func(r *rig, a app) {
			r.send(request(oauth.PathToken, tokenForm+"&client_secret=x&client_assertion=y&client_id="+a.ClientID))
		}, "malformed two_methods"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			a := r.app(invoiceRead)
			tt.act(r, a)
			want := []string{tt.want}
			if tt.want == "" {
				want = nil
			}
			if diff := cmp.Diff(want, r.rejected(a)); diff != "" {
				t.Errorf("rejections (-want +got):\n%s", diff)
			}
			if uses := r.uses(a); tt.want != "" && len(uses) > 1 {
				t.Errorf("uses: %v", uses)
			}
			if strings.Contains(r.log.String(), a.secret[5:30]) {
				t.Error("the secret is in the log")
			}
		})
	}
}

func (r *rig) leak(a app) {
	r.t.Helper()
	must(r.t, r.registry.MarkLeaked(r.t.Context(), r.actor(r.acme), a.ID, a.secretID))
}

func (r *rig) suspend(a app) {
	r.t.Helper()
	must(r.t, r.identity.SuspendOrganisation(r.t.Context(), access.System("test", ""), a.Organisation))
}

func (r *rig) getToken(a app) {
	req := httptest.NewRequest(http.MethodGet, oauth.PathToken, nil)
	req.Header.Set("Authorization", basic(a.ClientID, a.secret))
	r.send(req)
}

func (r *rig) inAddress(a app) {
	r.send(request(oauth.PathToken+"?client_secret="+a.secret, tokenForm, "Authorization", basic(a.ClientID, a.secret)))
}

// TestLimitedRequestsAreTold: whoever is put off is told why, under the same reason as everybody who is.
func TestLimitedRequestsAreTold(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	for range 60 { // pairs within two seconds count once
		a.secret = "hunter2"
		r.ask(a)
		r.clock.Advance(time.Millisecond)
		a.secret = "hunter3"
		r.ask(a)
	}
	if diff := cmp.Diff([]string{"limited", "no_secret"}, r.rejected(a)); diff != "" {
		t.Errorf("rejections (-want +got):\n%s", diff)
	}
}

// TestC22_CountingChangesNoAnswer: the answers to unknown, inactive and deleted apps and to wrong secrets are the same
// bytes before and after something was counted and written, and the same for all of them.
func TestC22_CountingChangesNoAnswer(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, off := r.app(invoiceRead), r.app(invoiceRead)
		r.deactivate(off)
		unknown := a
		unknown.App.ClientID = "CCWACME_22222222222222222222"
		wrong := a
		wrong.secret = off.secret
		answers := map[string]bool{}
		for range 3 {
			for _, who := range []app{unknown, off, wrong} {
				p := r.ask(who)
				p.header.Del("X-Request-Id")
				answers[fmt.Sprint(p.status, p.header, p.raw)] = true
			}
			must(t, r.registry.FlushRejections(t.Context()))
			r.clock.Advance(time.Minute)
		}
		if len(answers) != 1 {
			t.Errorf("%d different answers: %v", len(answers), answers)
		}
	})
}
