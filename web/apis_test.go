package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/web"
)

// everyRight are the rights that a role of an organisation may hold.
func everyRight() []access.Right { return access.OrganisationRights() }

// TestC52_APIMatrix asks every route of our own APIs with the right token and with everything that lacks one thing: the
// API, a scope, the API user's right; and for what is another organisation's.
func TestC52_APIMatrix(t *testing.T) {
	p := newPortal(t)
	scopesOf := func(key string) []string {
		a, _ := p.catalogue.API(key)
		return a.Scopes()
	}
	all := func(org identity.Organisation, name string, rights ...access.Right) map[string]*program {
		byAPI := map[string]*program{}
		for _, key := range []string{"credenza", "identity-pm"} {
			var scopes []string
			for _, s := range scopesOf(key) {
				if known, _ := p.catalogue.Scope(s); known.Grantable() {
					scopes = append(scopes, s)
				}
			}
			if len(scopes) == 0 {
				continue
			}
			byAPI[key] = p.program(org, name+" "+key, scopes, rights...)
		}
		return byAPI
	}
	full, powerless := all(p.acme, "Full", everyRight()...), all(p.acme, "Powerless")
	theirs := all(p.globex, "Theirs", everyRight()...)
	other := p.program(p.acme, "Other API", []string{invoiceRead}, everyRight()...)
	for _, r := range web.APIRoutes() {
		path := fillAPI(t, r.Path)
		methods := []string{r.Method}
		if r.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		for _, method := range methods {
			t.Run(method+" "+r.Path, func(t *testing.T) {
				judgeAPI(t, full[r.API].call(method, path, nil), 0, "")
				judgeAPI(t, theirs[r.API].call(method, path, nil), 0, "")
				judgeAPI(t, (&program{p: p, token: "a.b.c"}).call(method, path, nil), http.StatusUnauthorized, "E4010002")
				judgeAPI(t, other.call(method, path, nil), http.StatusUnauthorized, "E4010002")
				if r.Right != "" {
					judgeAPI(t, powerless[r.API].call(method, path, nil), http.StatusForbidden, "E4030001")
				}
				judgeAPI(t, scopeless(p, r).call(method, path, nil), http.StatusForbidden, "E4030002")
			})
		}
	}
}

// scopeless is a program with every right and one scope of the API that does not open the route.
func scopeless(p *portal, r web.APIRoute) *program {
	p.t.Helper()
	a, _ := p.catalogue.API(r.API)
	for _, name := range a.Scopes() {
		known, _ := p.catalogue.Scope(name)
		if known.Grantable() && !contains(r.AnyOf, name) {
			return p.program(p.acme, "Without "+database.NewID(), []string{name}, everyRight()...)
		}
	}
	p.t.Fatalf("every scope opens %s", r.Path)
	return nil
}

func contains(list []string, one string) bool {
	return strings.Contains(" "+strings.Join(list, " ")+" ", " "+one+" ")
}

// fillAPI puts IDs of nothing into a path.
func fillAPI(t *testing.T, path string) string {
	t.Helper()
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			parts[i] = database.NewID()
		}
	}
	return strings.Join(parts, "/")
}

// judgeAPI checks a refusal, or with status 0 that there was none.
func judgeAPI(t *testing.T, got *page, status int, code string) {
	t.Helper()
	if status == 0 {
		refused := got.status == http.StatusUnauthorized || got.status == http.StatusForbidden
		if refused || got.status >= http.StatusInternalServerError || got.status == http.StatusMethodNotAllowed {
			t.Errorf("%s answers %d: %s", got.path, got.status, got.body)
		}
		return
	}
	if got.status != status {
		t.Errorf("%s answers %d, want %d: %s", got.path, got.status, status, got.body)
		return
	}
	if got.body != "" && got.problem().ErrorCode != code {
		t.Errorf("%s: code %q, want %q", got.path, got.problem().ErrorCode, code)
	}
}

// TestAPIRefusals: what a program is told that lacks a scope or a right, and that it is in the trail.
func TestAPIRefusals(t *testing.T) {
	p := newPortal(t)
	path := "/api/v1/apps/" + database.NewID()
	m := p.program(p.acme, "Secrets only", []string{"registry.secrets.write"}, access.AppsView)
	got := m.call(http.MethodGet, path, nil).is(http.StatusForbidden)
	doc := got.problem()
	if diff := cmp.Diff([]string{"registry.secrets.write"}, doc.ScopesPresented); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"registry.apps.read"}, doc.ScopesNeeded); diff != "" {
		t.Error(diff)
	}
	challenge := `Bearer realm="credenza", error="insufficient_scope", scope="registry.apps.read"`
	if got.header.Get("WWW-Authenticate") != challenge || doc.TraceID != got.header.Get("X-Request-Id") || doc.TraceID == "" {
		t.Errorf("%v %+v", got.header, doc)
	}
	doc = p.program(p.acme, "No right", []string{"registry.apps.read"}).call(http.MethodGet, path, nil).is(http.StatusForbidden).problem()
	if doc.ErrorCode != "E4030001" || !strings.Contains(doc.Detail, "apps.view") {
		t.Errorf("%+v", doc)
	}
	if got := m.call(http.MethodGet, "/api/v1/nothing", nil).is(http.StatusNotFound); got.problem().Code != "not_found" {
		t.Error(got.body)
	}
	m.call(http.MethodGet, "/identity_/api/nothing", nil).is(http.StatusNotFound).problem()
	m.call(http.MethodGet, "/acme/main/identity_/api/nothing", nil).is(http.StatusNotFound).problem()
}

// TestAPIRatesOfNothing: a class that no call is of is a slip of the pen, and the server says so.
func TestAPIRatesOfNothing(t *testing.T) {
	if err := web.Rates(map[string]int{"management.raed": 3}); err == nil || !strings.Contains(err.Error(), "management.raed") {
		t.Errorf("%v", err)
	}
	if err := web.Rates(map[string]int{"management.read": 3}); err != nil {
		t.Error(err)
	}
}

// TestAPIRates: an organisation that calls too often waits as long as it is told, and others do not wait.
func TestAPIRates(t *testing.T) {
	p := newPortalWith(t, map[string]int{"management.read": 3})
	m := p.program(p.acme, "Eager", []string{"registry.apps.read"}, access.AppsView)
	path := "/api/v1/apps/" + string(m.app.ID)
	for i := range 3 {
		got := m.call(http.MethodGet, path, nil).is(http.StatusOK)
		want := `"management.read";r=` + string(rune('2'-i)) + `;t=`
		if !strings.HasPrefix(got.header.Get("RateLimit"), want) || got.header.Get("RateLimit-Policy") != `"management.read";q=3;w=60` {
			t.Errorf("%q %q", got.header.Get("RateLimit"), got.header.Get("RateLimit-Policy"))
		}
	}
	got := m.call(http.MethodGet, path, nil).is(http.StatusTooManyRequests)
	if got.header.Get("Retry-After") != "20" || got.problem().Code != "limited" {
		t.Errorf("%v %s", got.header, got.body)
	}
	theirs := p.program(p.globex, "Patient", []string{"registry.apps.read"}, access.AppsView)
	theirs.call(http.MethodGet, "/api/v1/apps/"+string(theirs.app.ID), nil).is(http.StatusOK)
	p.clock.Advance(20 * time.Second)
	m.call(http.MethodGet, path, nil).is(http.StatusOK)
}
