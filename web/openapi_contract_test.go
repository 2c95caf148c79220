package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/web"
	"credenza.example/credenza/web/api"
)

// promised are all answers of the description but those to faults of ours, as "METHOD path status".
func promised(p *portal) map[string]bool {
	p.t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]any `json:"responses"`
		} `json:"paths"`
	}
	p.must(json.Unmarshal([]byte(p.machine(http.MethodGet, openAPIPath, nil).body), &doc))
	all := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			for status := range op.Responses {
				if !strings.HasPrefix(status, "5") {
					route := strings.NewReplacer("{", ":", "}", "").Replace(path)
					all[strings.ToUpper(method)+" "+route+" "+status] = true
				}
			}
		}
	}
	return all
}

// thing is an app that requests are about, with two secrets of which one is retired.
type thing struct {
	id, clientID     string
	usable, retired  string
	wasMade, wasKept string // idempotency keys: of the app, of its secret
}

func (m *program) thing() thing {
	m.p.t.Helper()
	x := thing{wasMade: database.NewID(), wasKept: database.NewID()}
	body := m.wanted("Thing " + x.wasMade)
	made := m.create(body, "Idempotency-Key", x.wasMade)
	x.id, x.clientID = made.App.ID, made.App.ClientID
	var first, second api.ShownSecret
	path := appsAPI + "/" + x.id + "/secrets"
	m.call(http.MethodPost, path, api.Rotation{}).is(http.StatusCreated).into(&first)
	m.call(http.MethodPost, path, api.Rotation{ReplacedEnds: "now"}, "Idempotency-Key", x.wasKept).is(http.StatusCreated).into(&second)
	x.usable, x.retired = second.ID, first.ID
	return x
}

// in puts the thing into a route's path.
func (x thing) in(path, secret string) string {
	return strings.NewReplacer(":id", x.id, ":sid", secret, ":client_id", x.clientID, ":name", invoiceRead).Replace(path)
}

// TestOpenAPIContract provokes every answer that the description promises, at every route, and finds that nothing else is
// answered than it promises: each call is judged on its way.
func TestOpenAPIContract(t *testing.T) {
	p := newPortalWith(t, map[string]int{"management.read": 10_000, "management.write": 10_000})
	m := p.manager()
	for _, r := range web.APIRoutes() {
		if !strings.HasPrefix(r.Path, "/api/v1/") {
			continue
		}
		x := m.thing()
		succeed(m, r, x)
		refuse(m, r, x)
	}
	for _, r := range []string{"read", "write"} {
		limited := newPortalWith(t, map[string]int{"management." + r: 1})
		limited.contract = p.contract
		limit(limited, r)
	}
	want := promised(p)
	got := maps.Clone(p.contract.seen)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("answers (-promised +seen):\n%s", diff)
	}
	t.Logf("%d answers", len(got))
}

// succeed calls a route so that it does what it is there for.
func succeed(m *program, r web.APIRoute, x thing) {
	m.p.t.Helper()
	path, secret := x.in(r.Path, x.usable), x.usable
	switch r.Name {
	case "api.app.create":
		m.call(r.Method, path, m.wanted("Made "+x.wasMade)).is(http.StatusCreated)
	case "api.app.edit":
		m.call(r.Method, path, `{"name":"Edited `+x.wasMade+`"}`, "If-Match", "*").is(http.StatusOK)
	case "api.app.activate", "api.app.deactivate":
		m.call(r.Method, path, nil, "If-Match", "*").is(http.StatusOK)
	case "api.app.delete":
		y := m.thing()
		m.call(http.MethodPost, y.in("/api/v1/apps/:id/deactivate", ""), nil, "If-Match", "*").is(http.StatusOK)
		m.call(r.Method, y.in(r.Path, ""), nil, "If-Match", "*").is(http.StatusNoContent)
	case "api.secret.create":
		m.call(r.Method, path, api.Rotation{Replaces: secret, ReplacedEnds: "1h"}).is(http.StatusCreated)
	case "api.secret.retire":
		m.call(r.Method, x.in(r.Path, x.retired), nil).is(http.StatusOK)
	case "api.secret.restore":
		m.call(r.Method, x.in(r.Path, x.retired), nil).is(http.StatusOK)
	default:
		m.call(r.Method, path, nil).is(http.StatusOK)
	}
}

// refuse calls a route in every way that it refuses.
func refuse(m *program, r web.APIRoute, x thing) {
	p := m.p
	p.t.Helper()
	path := x.in(r.Path, x.usable)
	documented := func(status int) bool {
		return promised(p)[r.Method+" "+r.Path+" "+strconv.Itoa(status)]
	}
	stranger := &program{p: p, token: "a.b.c"}
	stranger.call(r.Method, path, nil).is(http.StatusUnauthorized)
	scopeless(p, r).call(r.Method, path, nil).is(http.StatusForbidden)
	var good any
	switch r.Method {
	case http.MethodPost:
		good = api.Rotation{}
	case http.MethodPatch:
		good = `{}`
	}
	if documented(http.StatusNotFound) {
		unknown := thing{id: database.NewID(), clientID: "CCWACME_aaaaaaaaaaaaaaaaaaaa"}
		bad := strings.Replace(unknown.in(r.Path, database.NewID()), invoiceRead, "core.none.read", 1)
		m.call(r.Method, bad, good, "If-Match", "*").is(http.StatusNotFound)
	}
	if documented(http.StatusUnsupportedMediaType) {
		m.call(r.Method, path, `{"no such member":1}`, "If-Match", "*").is(http.StatusBadRequest)
		m.call(r.Method, path, `{}`, "Content-Type", "text/plain").is(http.StatusUnsupportedMediaType)
		m.call(r.Method, path, `{"name":"`+strings.Repeat("x", 1<<20)+`"}`).is(http.StatusRequestEntityTooLarge)
	} else if documented(http.StatusBadRequest) {
		m.call(r.Method, path+"?nothing=1", nil).is(http.StatusBadRequest)
	}
	if documented(http.StatusPreconditionFailed) {
		m.call(r.Method, path, good).is(http.StatusPreconditionRequired)
		m.call(r.Method, path, good, "If-Match", `"999"`).is(http.StatusPreconditionFailed)
	}
	if documented(http.StatusConflict) {
		conflict(m, r, x)
	}
}

// conflict asks for what the state of things does not allow.
func conflict(m *program, r web.APIRoute, x thing) {
	m.p.t.Helper()
	switch r.Name {
	case "api.app.create":
		m.call(r.Method, r.Path, m.wanted("Another"), "Idempotency-Key", x.wasMade).is(http.StatusConflict)
	case "api.app.delete":
		m.call(r.Method, x.in(r.Path, ""), nil, "If-Match", "*").is(http.StatusConflict)
	case "api.secret.create":
		m.call(r.Method, x.in(r.Path, ""), api.Rotation{ReplacedEnds: "now"}, "Idempotency-Key", x.wasKept).is(http.StatusConflict)
	case "api.secret.retire":
		m.call(r.Method, x.in(r.Path, x.usable), nil).is(http.StatusConflict)
	case "api.secret.restore":
		m.call(http.MethodPost, x.in("/api/v1/apps/:id/secrets/:sid/leak", x.retired), nil).is(http.StatusOK)
		m.call(r.Method, x.in(r.Path, x.retired), nil).is(http.StatusConflict)
	default:
		m.p.t.Errorf("%s: nothing here provokes a conflict", r.Name)
	}
}

// limit spends the one call of a class and asks its routes once more.
func limit(p *portal, class string) {
	p.t.Helper()
	m := p.program(p.acme, "Limited "+class, managementScopes, access.AppsManage, access.AuditView)
	spent := false
	for _, r := range web.APIRoutes() {
		if !strings.HasPrefix(r.Path, "/api/v1/") || (r.Method == http.MethodGet) != (class == "read") {
			continue
		}
		path := fillAPI(p.t.(*testing.T), r.Path)
		if !spent {
			m.call(r.Method, path, nil, "If-Match", "*")
			spent = true
		}
		got := m.call(r.Method, path, nil, "If-Match", "*")
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
			p.t.Error(fmt.Sprint(r.Method, " ", r.Path, ": ", got.status, " ", got.body))
		}
	}
}
