package scope_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/scope"
)

const (
	acme   access.OrganisationID = "0199aaaa-0000-7000-8000-00000000000a"
	globex access.OrganisationID = "0199aaaa-0000-7000-8000-00000000000b"
)

// office is a shelf with the people who change what stands on it.
type office struct {
	*scope.Shelf

	db     *database.DB
	trail  *audit.Trail
	log    *strings.Builder
	root   access.Actor // of the platform
	ana    access.Actor // manages the apps of Acme
	viewer access.Actor
}

func eachOffice(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		o := &office{db: db, log: &strings.Builder{}}
		o.trail = audit.New(db, slog.New(slog.NewTextHandler(o.log, nil)))
		for id, prefix := range map[access.OrganisationID]string{acme: "ACME", globex: "GLBX"} {
			o.exec(t, `INSERT INTO organisations (id, name, name_key, short_name, client_prefix, kind, status, created_at, version)
				VALUES (?, ?, ?, ?, ?, 'customer', 'active', 1, 1)`, string(id), prefix, prefix, strings.ToLower(prefix), prefix)
		}
		person := func(org access.OrganisationID, rights ...access.Right) access.Actor {
			return access.Actor{Kind: access.KindPerson, ID: database.NewID(), Name: "Somebody", Organisation: org, Rights: access.NewSet(rights...)}
		}
		o.root = person(globex, access.CatalogueManage)
		o.ana, o.viewer = person(acme, access.AppsManage), person(acme, access.AppsView)
		o.Shelf = o.open(t)
		test(t, o)
	})
}

// open is a shelf as another process has it.
func (o *office) open(t *testing.T) *scope.Shelf {
	t.Helper()
	s, err := scope.OpenShelf(t.Context(), o.db, o.trail, slog.New(slog.NewTextHandler(o.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (o *office) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	err := o.db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec(sql, args...).Error })
	if err != nil {
		t.Fatal(err)
	}
}

// events are the acts that a trail tells of an organisation, the last first.
func (o *office) events(t *testing.T, org access.OrganisationID) []audit.Event {
	t.Helper()
	page, err := o.trail.Events(t.Context(), audit.Query{Chain: org, Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

// opens says which scopes open a call, or "nobody".
func opens(c *scope.Catalogue, api, method, path string) string {
	found, ok := c.Match(api, method, path)
	switch {
	case !ok:
		return "no such call"
	case len(found.Call.AnyOf) == 0:
		return "nobody"
	default:
		return strings.Join(found.Call.AnyOf, " ")
	}
}

func wantProblem(t *testing.T, err error, code problem.Code, fields ...string) {
	t.Helper()
	var got []string
	for _, f := range problem.As(err).Fields {
		got = append(got, f.Name)
	}
	if err == nil || problem.CodeOf(err) != code || cmp.Diff(fields, got) != "" {
		t.Errorf("got %v (%s %v), want %s %v", err, problem.CodeOf(err), got, code, fields)
	}
}

func items() scope.Mapping {
	return scope.Mapping{
		API: "coupa-core", Object: "items", Method: "GET", Path: "/items", Access: scope.AccessRead, AnyOf: []string{"core.item.read"},
	}
}

// TestMapping: a call for which nothing is published is denied until it is mapped, and again when that is taken back
// (product.md decision 8).
func TestMapping(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		is := func(what, want string) {
			t.Helper()
			for name, c := range map[string]*scope.Catalogue{"the whole": o.Now(), "Acme's": o.For(acme), "another process's": o.open(t).Now()} {
				if got := opens(c, "coupa-core", "GET", "/api/items"); got != want {
					t.Errorf("%s, %s: %s, want %s", what, name, got, want)
				}
			}
		}
		is("built in", "nobody")
		wantProblem(t, o.Map(t.Context(), o.ana, items()), problem.Forbidden)
		is("refused", "nobody")
		if err := o.Map(t.Context(), o.root, items()); err != nil {
			t.Fatal(err)
		}
		is("mapped", "core.item.read")
		if s, _ := o.Now().Scope("core.item.read"); len(s.Opens) == 0 || !s.Opens[len(s.Opens)-1].Call.Mapped {
			t.Errorf("the scope does not tell of it: %+v", s.Opens)
		}
		wantProblem(t, o.Map(t.Context(), o.root, items()), problem.Stale)
		again := items()
		again.Version, again.AnyOf = 1, []string{"core.item.read", "core.item.write"}
		if err := o.Map(t.Context(), o.root, again); err != nil {
			t.Fatal(err)
		}
		is("changed", "core.item.read core.item.write")
		wantProblem(t, o.Unmap(t.Context(), o.root, again), problem.Stale)
		again.Version = 2
		if err := o.Unmap(t.Context(), o.root, again); err != nil {
			t.Fatal(err)
		}
		is("taken back", "nobody")
		wantProblem(t, o.Unmap(t.Context(), o.root, again), problem.NotFound)
		var acts []string
		for _, e := range o.events(t, globex) {
			acts = append(acts, e.Action+" "+fmt.Sprint(e.Before["any_of"], " → ", e.After["any_of"]))
		}
		want := []string{
			"catalogue.unmap core.item.read core.item.write → <nil>",
			"catalogue.map core.item.read → core.item.read core.item.write",
			"catalogue.map <nil> → core.item.read",
		}
		if diff := cmp.Diff(want, acts); diff != "" {
			t.Errorf("the trail (-want +got):\n%s", diff)
		}
	})
}

// TestMappingOfANewCall: what nobody described becomes a call.
func TestMappingOfANewCall(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		m := scope.Mapping{
			API: "coupa-core", Object: "payments", Method: "POST", Path: "/payments/{id}/void", Access: scope.AccessWrite,
			AnyOf: []string{"core.pay.payments.write"}, Note: "Asked for by Acme.",
		}
		if !o.Now().Known(m.AnyOf[0]) {
			m.AnyOf = []string{"core.invoice.write"}
		}
		if err := o.Map(t.Context(), o.root, m); err != nil {
			t.Fatal(err)
		}
		if got := opens(o.Now(), m.API, "POST", "/api/payments/17/void"); got != m.AnyOf[0] {
			t.Error(got)
		}
		list, err := o.Mappings(t.Context(), m.API)
		if err != nil || len(list) != 1 || list[0].Note != m.Note || list[0].Version != 1 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// TestMappingFaults: nothing is stored of what is wrong, and every fault names its field.
func TestMappingFaults(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		for name, test := range map[string]struct {
			change func(*scope.Mapping)
			code   problem.Code
			fields []string
		}{
			"no API":            {func(m *scope.Mapping) { m.API = "nothing" }, problem.NotFound, nil},
			"our own API":       {func(m *scope.Mapping) { m.API = "identity-pm" }, problem.NotFound, nil},
			"no object":         {func(m *scope.Mapping) { m.Object = " " }, problem.Invalid, []string{"object"}},
			"method and access": {func(m *scope.Mapping) { m.Method, m.Access = "get", "look" }, problem.Invalid, []string{"method", "access"}},
			"crooked path":      {func(m *scope.Mapping) { m.Path = "/items/../x" }, problem.Invalid, []string{"path"}},
			"long path":         {func(m *scope.Mapping) { m.Path = "/" + strings.Repeat("a", 300) }, problem.Invalid, []string{"path"}},
			"another API's":     {func(m *scope.Mapping) { m.AnyOf = []string{"ccw.candidates"} }, problem.Invalid, []string{"any_of"}},
			"a rival":           {func(m *scope.Mapping) { m.Path = "/items/{other}" }, problem.Invalid, []string{"any_of"}},
			"the same twice":    {func(m *scope.Mapping) { m.AnyOf = []string{"core.item.read", "core.item.read"} }, problem.Invalid, []string{"any_of"}},
			"long note":         {func(m *scope.Mapping) { m.Note = strings.Repeat("n", 501) }, problem.Invalid, []string{"note"}},
		} {
			m := items()
			test.change(&m)
			t.Run(name, func(t *testing.T) { wantProblem(t, o.Map(t.Context(), o.root, m), test.code, test.fields...) })
		}
		if list, err := o.Mappings(t.Context(), "coupa-core"); err != nil || len(list) != 0 {
			t.Errorf("stored: %+v, %v", list, err)
		}
	})
}

const orders = `key: x-acme-orders
title: Acme orders
base_path: /orders/v1
objects:
  - name: orders
    scopes: [x.acme.orders.read, x.acme.orders.write]
    calls:
      - {method: GET, path: /orders, access: read, any_of: [x.acme.orders.read]}
      - {method: POST, path: /orders, access: write, any_of: [x.acme.orders.write]}
families:
  - name: x.acme.orders
    scopes:
      - {name: x.acme.orders.read, kind: read}
      - {name: x.acme.orders.write, kind: write}
`

var ofAcme = scope.Owner{Organisation: acme, Prefix: "ACME"}

// TestPrivateAPI: an organisation's own API is nobody else's, and what judges tokens knows it (protocol.md §6).
func TestPrivateAPI(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		key, err := o.Add(t.Context(), o.ana, ofAcme, orders, 0)
		if err != nil || key != "x-acme-orders" {
			t.Fatal(key, err)
		}
		for name, c := range map[string]*scope.Catalogue{"the whole": o.Now(), "Acme's": o.For(acme)} {
			if got := opens(c, key, "GET", "/orders/v1/orders"); got != "x.acme.orders.read" || !c.Known("x.acme.orders.write") {
				t.Errorf("%s: %s", name, got)
			}
		}
		for name, c := range map[string]*scope.Catalogue{"Globex's": o.For(globex), "everybody's": o.For("")} {
			_, has := c.API(key)
			if found := c.Search("orders.read"); has || c.Known("x.acme.orders.read") || len(found.Hits) != 0 || opens(c, key, "GET", "/orders/v1/orders") != "no such call" {
				t.Errorf("%s has it", name)
			}
			for _, g := range c.Grouped(func(scope.Scope) bool { return true }) {
				if g.API.Key == key {
					t.Errorf("%s shows it", name)
				}
			}
		}
		changed := strings.Replace(orders, "Acme orders", "Orders of Acme", 1)
		if _, err := o.Add(t.Context(), o.ana, ofAcme, changed, 0); problem.CodeOf(err) != problem.Stale {
			t.Errorf("without its version: %v", err)
		}
		if _, err := o.Add(t.Context(), o.ana, ofAcme, changed, 1); err != nil {
			t.Fatal(err)
		}
		if api, _ := o.For(acme).API(key); api.Title != "Orders of Acme" || !api.Added {
			t.Errorf("%+v", api)
		}
		wantProblem(t, o.Remove(t.Context(), o.root, scope.Owner{}, key, 2), problem.NotFound)
		if err := o.Remove(t.Context(), o.ana, ofAcme, key, 2); err != nil {
			t.Fatal(err)
		}
		if _, ok := o.Now().API(key); ok {
			t.Error("it is still there")
		}
	})
}

// TestAddedAPIFaults: a document says no more than its owner may, and changes nothing when it is wrong.
func TestAddedAPIFaults(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		replaced := func(old, with string) string {
			if !strings.Contains(orders, old) {
				t.Fatalf("%q is not in the document", old)
			}
			return strings.ReplaceAll(orders, old, with)
		}
		ofGlobex := scope.Owner{Organisation: globex, Prefix: "GLBX"}
		for name, test := range map[string]struct {
			actor    access.Actor
			own      scope.Owner
			document string
			code     problem.Code
			says     string
		}{
			"without the right":       {o.viewer, ofAcme, orders, problem.Forbidden, ""},
			"for everybody":           {o.ana, scope.Owner{}, orders, problem.Forbidden, ""},
			"for another one":         {o.ana, ofGlobex, strings.ReplaceAll(orders, "acme", "glbx"), problem.NotFound, ""},
			"of another organisation": {o.ana, ofAcme, replaced("x-acme-orders", "x-glbx-orders"), problem.Invalid, "must begin with x-acme-"},
			"for everybody, reserved": {o.root, scope.Owner{}, orders, problem.Invalid, "must not begin with x-"},
			"a shared scope":          {o.ana, ofAcme, replaced("x.acme.orders.read", "core.invoice.read"), problem.Invalid, "must begin with x.acme."},
			"not YAML":                {o.ana, ofAcme, "{", problem.Invalid, ""},
			"an unknown field":        {o.ana, ofAcme, orders + "colour: red\n", problem.Invalid, "colour"},
			"an anchor":               {o.ana, ofAcme, replaced("title: Acme orders", "title: &a Acme orders"), problem.Invalid, "anchors"},
			"a bomb":                  {o.ana, ofAcme, "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", problem.Invalid, "anchors"},
			"two documents":           {o.ana, ofAcme, orders + "---\n" + orders, problem.Invalid, "more than one document"},
			"a megabyte":              {o.ana, ofAcme, orders + strings.Repeat("#", 1<<20), problem.Invalid, "larger"},
			"claims to be ours":       {o.ana, ofAcme, orders + "own: true\n", problem.Invalid, "own is for"},
			"a scope of no family":    {o.ana, ofAcme, replaced("any_of: [x.acme.orders.read]", "any_of: [x.acme.orders.other]"), problem.Invalid, "not in the catalogue"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := o.Add(t.Context(), test.actor, test.own, test.document, 0)
				if problem.CodeOf(err) != test.code {
					t.Fatalf("got %v, want %s", err, test.code)
				}
				if test.says == "" {
					return
				}
				if f := problem.As(err).Fields; len(f) != 1 || f[0].Name != "document" || !strings.Contains(fmt.Sprint(f[0].Args), test.says) {
					t.Errorf("got %+v, want it to say %q", f, test.says)
				}
			})
		}
		if list, err := o.Additions(t.Context(), acme); err != nil || len(list) != 0 {
			t.Errorf("stored: %+v, %v", list, err)
		}
	})
}

// TestChangesAtOnce: of many who change at the same time each either succeeds or is told; none undoes another.
func TestChangesAtOnce(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		paths := []string{"/a", "/b", "/c"}
		errs := make([]error, len(paths))
		var all sync.WaitGroup
		for i, path := range paths {
			all.Go(func() {
				m := items()
				m.Object, m.Path = "more", path
				errs[i] = o.Map(t.Context(), o.root, m)
			})
		}
		all.Wait()
		for i, path := range paths {
			got := opens(o.Now(), "coupa-core", "GET", "/api"+path)
			if errs[i] == nil && got != "core.item.read" || errs[i] != nil && problem.CodeOf(errs[i]) != problem.Stale {
				t.Errorf("%s: %v, and it opens to %s", path, errs[i], got)
			}
		}
	})
}

// TestStoredChangeThatNoLongerFits is left out, and the rest serves: a new version of the program may bring what clashes.
func TestStoredChangeThatNoLongerFits(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		if err := o.Map(t.Context(), o.root, items()); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Add(t.Context(), o.ana, ofAcme, orders, 0); err != nil {
			t.Fatal(err)
		}
		o.exec(t, "UPDATE catalogue_apis SET document = ?", strings.Replace(orders, "kind: read", "kind: odd", 1))
		later := o.open(t)
		if got := opens(later.Now(), "coupa-core", "GET", "/api/items"); got != "core.item.read" {
			t.Errorf("the mapping is gone with it: %s", got)
		}
		if _, ok := later.Now().API("x-acme-orders"); ok || !strings.Contains(o.log.String(), "left out") {
			t.Errorf("it is there, or nobody was told: %s", o.log)
		}
	})
}

// TestFollow: what one process changes, the others have.
func TestFollow(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		other := o.open(t)
		ctx, stop := context.WithCancel(t.Context())
		var follower sync.WaitGroup
		follower.Go(func() { other.Follow(ctx) })
		defer func() { stop(); follower.Wait() }()
		if err := o.Map(ctx, o.root, items()); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); opens(other.Now(), "coupa-core", "GET", "/api/items") != "core.item.read"; {
			if time.Now().After(deadline) {
				t.Fatal("the other process does not have it")
			}
			runtime.Gosched()
		}
	})
}
