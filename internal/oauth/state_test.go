package oauth_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// same returns everything of an answer that a client can see, but for the time of the day.
func same(p reply) string {
	var b strings.Builder
	fmt.Fprintln(&b, p.status)
	for _, name := range slices.Sorted(maps.Keys(p.header)) {
		if name != "Date" {
			fmt.Fprintln(&b, name, p.header[name])
		}
	}
	return b.String() + p.raw
}

func TestC22_RefusedClientsAreAlike(t *testing.T) {
	r := newRig(t)
	known, inactive, deleted := r.app(invoiceRead), r.app(invoiceRead), r.app(invoiceRead)
	for _, a := range []app{known, inactive, deleted} {
		r.token(a)
	}
	r.deactivate(inactive)
	r.deactivate(deleted)
	now := r.reload(deleted)
	must(t, r.registry.Delete(t.Context(), r.actor(r.acme), deleted.ID, now.Version, now.Name))
	cases := map[string]app{
		"wrong secret":             {App: known.App, secret: inactive.secret},
		"no secret's form":         {App: known.App, secret: "guess"},
		"inactive":                 inactive,
		"inactive, wrong secret":   {App: inactive.App, secret: known.secret},
		"deleted":                  deleted,
		"deleted, wrong secret":    {App: deleted.App, secret: known.secret},
		"unknown":                  {App: registry.App{ClientID: "CCWACME_22222222222222222222"}, secret: known.secret},
		"unknown, no client's":     {App: registry.App{ClientID: "x"}, secret: "y"},
		"unknown, other prefix":    {App: registry.App{ClientID: "CCWNONE_22222222222222222222"}, secret: known.secret},
		"known in other letters":   {App: registry.App{ClientID: strings.ToLower(known.ClientID)}, secret: known.secret},
		"known with a space":       {App: registry.App{ClientID: known.ClientID + " "}, secret: known.secret},
		"SQL in place of a client": {App: registry.App{ClientID: "' OR '1'='1"}, secret: known.secret},
	}
	for i, path := range []string{oauth.PathToken, oauth.PathIntrospect, oauth.PathRevoke} {
		for j, style := range []string{"Basic", "body"} {
			answers := map[string][]string{}
			for name, a := range cases {
				body := tokenForm + "&token=x"
				req := request(path, body, "Authorization", basic(a.ClientID, a.secret))
				if style == "body" {
					req = request(path, body+"&"+form("client_id", a.ClientID, "client_secret", a.secret))
				}
				req.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", 2*i+j) // so that no network has to wait
				p := r.send(req)
				refused(t, p, 401, "invalid_client")
				answers[same(p)] = append(answers[same(p)], name)
			}
			if len(answers) != 1 {
				t.Errorf("%s, %s: %d different answers: %v", path, style, len(answers), answers)
			}
		}
	}
}

func (r *rig) setRobot(a app, status identity.Status) {
	r.t.Helper()
	user, err := r.identity.APIUser(r.t.Context(), a.Organisation, a.APIUser.ID)
	must(r.t, err)
	must(r.t, r.identity.SetRobotStatus(r.t.Context(), access.System("test", a.Organisation), user, status))
}

// What has ended never revives (protocol.md §1.3): a resumed organisation's apps get new tokens, the old ones stay dead.
func TestResumedOrganisationHasNoOldTokens(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	token := r.token(a)
	system := access.System("test", "")
	must(t, r.identity.SuspendOrganisation(t.Context(), system, a.Organisation))
	must(t, r.identity.ResumeOrganisation(t.Context(), system, a.Organisation))
	if fresh := r.token(a); !r.live(fresh) {
		t.Error("a new token is not live")
	}
	if r.live(token) {
		t.Error("a token from before the suspension revived")
	}
}

// What has ended never revives (product.md decision 17).
func TestActivatedAppHasNoOldTokens(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	token := r.token(a)
	r.deactivate(a)
	_, err := r.registry.Activate(t.Context(), r.actor(r.acme), a.ID, r.reload(a).Version)
	must(t, err)
	if r.live(token) {
		t.Error("a token from before is live again")
	}
	if gen := part(t, r.token(a), 1)["gen"]; gen != float64(2) {
		t.Errorf("gen %v, want 2", gen)
	}
}

// Nothing is signed, and no signature believed, with keys of which it is known only that they changed (protocol.md §2).
func TestKeysThatChangedAndCannotBeRead(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	token := r.token(a)
	change := func(sql string) {
		t.Helper()
		must(t, r.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			tx.Changed(database.TopicKey, "test")
			return tx.DB().Exec(sql).Error
		}))
	}
	change("UPDATE keys SET purpose = 'away-' || purpose")
	refused(t, r.ask(a), 503, "temporarily_unavailable")
	refused(t, r.introspect(a, token), 503, "temporarily_unavailable")
	change("UPDATE keys SET purpose = substr(purpose, 6)")
	r.clock.Advance(time.Second)
	r.token(a)
	if !r.isActive(a, token) {
		t.Error("the token of before is dead")
	}
}

func TestExpiredSecretIsRefused(t *testing.T) {
	r := newRig(t)
	a := r.appOf(r.acme, func(n *registry.NewApp) { n.Expires = registry.Expiry{Choice: registry.Expires90Days} })
	r.token(a)
	r.clock.Advance(90 * 24 * time.Hour)
	refused(t, r.ask(a), 401, "invalid_client")
}

func TestRemovedScopeCountsAtOnce(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead, invoiceWrite)
	token := r.token(a)
	r.edit(a, func(f *registry.AppFields) { f.Scopes = []string{invoiceRead} })
	if got := r.introspect(a, token).text("scope"); got != invoiceRead {
		t.Errorf("scope %q, want what is left", got)
	}
	refused(t, r.ask(a, "scope", invoiceWrite), 400, "invalid_scope")
	r.edit(a, func(f *registry.AppFields) { f.Scopes = []string{candidates} })
	p := r.introspect(a, token)
	if !p.active() || p.text("scope") != "" {
		t.Errorf("with no scope left: %s", p.raw)
	}
}

func (r *rig) edit(a app, change func(*registry.AppFields)) {
	r.t.Helper()
	now := r.reload(a)
	f := registry.AppFields{
		Name: now.Name, Description: now.Description, Category: now.Category, Type: now.Type, CredentialType: now.CredentialType,
		Contact: now.Contact, APIUser: now.APIUser.ID, Scopes: now.Scopes, Active: now.Status == registry.Active,
	}
	change(&f)
	_, err := r.registry.Edit(r.t.Context(), access.System("test", a.Organisation), a.ID, now.Version, f)
	must(r.t, err)
}

func TestManyTokensAtOnce(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for range 8 {
		wg.Go(func() {
			for range 5 {
				p := r.ask(a)
				if p.status != 200 {
					t.Errorf("%d %s", p.status, p.raw)
					continue
				}
				mu.Lock()
				seen[p.text("access_token")] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 40 {
		t.Errorf("%d different tokens, want 40", len(seen))
	}
	if n := r.bcrypts(); n != 1 {
		t.Errorf("%d bcrypts, want 1", n)
	}
}

var safe = regexp.MustCompile(`^[\x20-\x21\x23-\x5b\x5d-\x7e]+$`)

func TestC24_EveryErrorIsWellFormed(t *testing.T) {
	registered := map[string]bool{
		"invalid_request": true, "invalid_client": true, "unauthorized_client": true, "unsupported_grant_type": true, "invalid_scope": true,
		"invalid_target": true, "temporarily_unavailable": true, "server_error": true,
	}
	seen := map[string]bool{}
	for _, e := range oauth.AllErrors("scope \"\\\x00\r\nä%s") {
		raw, err := json.Marshal(e.Body)
		must(t, err)
		var body struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		must(t, json.Unmarshal(raw, &body))
		if !registered[body.Error] {
			t.Errorf("%s: %q is not a registered code", e.Reason, body.Error)
		}
		seen[body.Error] = true
		if !safe.MatchString(body.Description) || strings.Contains(body.Description, "%!") {
			t.Errorf("%s: description %q", e.Reason, body.Description)
		}
		if e.Status < 400 || http.StatusText(e.Status) == "" {
			t.Errorf("%s: status %d", e.Reason, e.Status)
		}
	}
	if diff := cmp.Diff(registered, seen); diff != "" {
		t.Error(diff)
	}
}

func TestC24_ProblemsOfOtherRooms(t *testing.T) {
	limited := problem.New(problem.Limited, "x")
	limited.RetryAfter = 1500 * time.Millisecond
	tests := []struct {
		err        error
		status     int
		code       string
		retryAfter string
	}{
		{problem.New(problem.Unauthenticated, "x"), 401, "invalid_client", ""},
		{limited, 429, "temporarily_unavailable", "2"},
		{problem.New(problem.Limited, "x"), 429, "temporarily_unavailable", "1"},
		{problem.New(problem.Unavailable, "x"), 503, "temporarily_unavailable", "1"},
		{problem.New(problem.Internal, "x"), 500, "server_error", ""},
		{problem.New(problem.Conflict, "x"), 500, "server_error", ""},
		{problem.New(problem.Invalid, "x"), 500, "server_error", ""},
		{fmt.Errorf("wrapped: %w", limited), 429, "temporarily_unavailable", "2"},
		{fmt.Errorf("some text with a secret"), 500, "server_error", ""},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		oauth.WriteError(w, httptest.NewRequest(http.MethodPost, "/", nil), tt.err)
		var body map[string]string
		must(t, json.Unmarshal(w.Body.Bytes(), &body))
		if w.Code != tt.status || body["error"] != tt.code || w.Header().Get("Retry-After") != tt.retryAfter {
			t.Errorf("%v: got %d %v, Retry-After %q", tt.err, w.Code, body, w.Header().Get("Retry-After"))
		}
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("the cause is shown: %s", w.Body)
		}
	}
}

func TestC76_PanicIsAnsweredAsServerError(t *testing.T) {
	r := newRig(t)
	broken, err := oauth.New(oauth.Deps{
		Issuer: issuer, DB: r.db, Registry: r.registry, Catalogue: r.shelf, Ring: r.ring, Log: r.logger(),
		Address: func(*http.Request) string { panic("canary-panic") },
	})
	must(t, err)
	a := r.app(invoiceRead)
	for _, e := range broken.Endpoints() {
		if e.Path != oauth.PathToken {
			continue
		}
		w := httptest.NewRecorder()
		e.Handler.ServeHTTP(w, request(e.Path, tokenForm, "Authorization", basic(a.ClientID, a.secret)))
		if w.Code != 500 || !strings.Contains(w.Body.String(), `"server_error"`) || strings.Contains(w.Body.String(), "canary") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if !strings.Contains(r.log.String(), "stack") || strings.Contains(r.log.String(), a.secret) {
		t.Error("the log must tell where it was, and no secret")
	}
}

func TestRequestsAreCounted(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	token := r.token(a)
	r.introspect(a, token)
	r.introspect(a, "x")
	r.ask(app{App: a.App, secret: "wrong"})
	r.ask(a, "scope", "nothing.known")
	for _, uri := range []string{"/api/invoices", "/api/invoices/", "/api/invoices?_method=PUT", "/api/items"} {
		r.through(proxies["nginx"]("coupa-core", "GET", uri), token)
	}
	r.post(oauth.PathRevoke, a, "token", token)
	r.post(oauth.PathRevoke, a, "token", token)
	r.live(token)
	want := `# HELP credenza_oauth_requests_total Requests to the OAuth endpoints by how they ended. Worth an alarm: unavailable and internal.
# TYPE credenza_oauth_requests_total counter
`
	counts := map[string]map[string]int{
		"gateway": {
			"allowed": 1, "undescribed": 1, "crooked": 1, "closed": 1, "api_user": 0, "other_api": 0, "scope": 0, "token": 0, "unknown_api": 0,
		},
		"introspect": {"active": 1, "inactive": 1},
		"live":       {"active": 0, "inactive": 1},
		"revoke":     {"ignored": 1, "revoked": 1},
		"token":      {"issued": 1, "scope_unknown": 1},
	}
	counts["token"]["client"] = 1
	for _, endpoint := range slices.Sorted(maps.Keys(counts)) {
		for _, outcome := range []string{"client", "internal", "limited", "unavailable"} {
			counts[endpoint][outcome] += 0
		}
		for _, outcome := range slices.Sorted(maps.Keys(counts[endpoint])) {
			want += fmt.Sprintf("credenza_oauth_requests_total{endpoint=%q,outcome=%q} %d\n", endpoint, outcome, counts[endpoint][outcome])
		}
	}
	if err := testutil.GatherAndCompare(r.metrics, strings.NewReader(want), "credenza_oauth_requests_total"); err != nil {
		t.Error(err)
	}
}
