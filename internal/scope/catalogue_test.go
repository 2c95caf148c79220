package scope_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/scope"
)

func load(t *testing.T) *scope.Catalogue {
	t.Helper()
	c, err := scope.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustObject(t *testing.T, c *scope.Catalogue, api, name string) scope.Object {
	t.Helper()
	a, ok := c.API(api)
	if !ok {
		t.Fatalf("no API %s", api)
	}
	for _, o := range a.Objects {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("no object %s in %s", name, api)
	return scope.Object{}
}

func mustScope(t *testing.T, c *scope.Catalogue, name string) scope.Scope {
	t.Helper()
	s, ok := c.Scope(name)
	if !ok {
		t.Fatalf("no scope %s", name)
	}
	return s
}

// The counts were compared with the source row by row when the file was made; a change here is a change of facts.
func TestCatalogueIsComplete(t *testing.T) {
	type counts struct {
		Objects, Calls, Matched, Families, Scopes int
		Own                                       bool
	}
	want := map[string]counts{
		"coupa-core":          {Objects: 21, Calls: 59, Matched: 58, Families: 82, Scopes: 128 + 22 + 9},
		"ccw":                 {Objects: 2, Calls: 3, Matched: 3, Families: 2, Scopes: 2},
		"identity-pm":         {Objects: 3, Calls: 18, Matched: 18, Families: 11, Scopes: 27, Own: true},
		"integration-service": {Objects: 3, Calls: 4, Matched: 4, Families: 2, Scopes: 3, Own: true},
		"credenza":            {Objects: 5, Families: 5, Scopes: 7, Own: true},
	}
	c := load(t)
	got := map[string]counts{}
	for _, api := range c.APIs() {
		n := counts{Objects: len(api.Objects), Families: len(api.Families), Scopes: len(api.Scopes()), Own: api.Own}
		for _, o := range api.Objects {
			n.Calls += len(o.Calls)
			for _, call := range o.Calls {
				if call.Matches() {
					n.Matched++
				}
			}
		}
		got[api.Key] = n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got := len(c.Scopes()); got != 198 {
		t.Errorf("%d scopes, want 198", got)
	}
}

func TestCoupaScopesBySource(t *testing.T) {
	scopes, permissions, actions := map[string]int{}, 0, 0
	var empty, hidden []string
	c := load(t)
	for _, s := range c.Scopes() {
		if s.API != "coupa-core" {
			continue
		}
		scopes[s.Source]++
		permissions += len(s.Permissions)
		for _, p := range s.Permissions {
			actions += len(p.Actions)
		}
		if s.EmptyAsOf != "" {
			empty = append(empty, s.Name)
			if s.EmptyAsOf != "R34.3.0" || len(s.Permissions) > 0 {
				t.Errorf("%s: empty as of %s with %d permissions", s.Name, s.EmptyAsOf, len(s.Permissions))
			}
		}
		if !s.Grantable() {
			hidden = append(hidden, s.Name)
		}
	}
	want := map[string]int{
		"coupa-registry": 128, "coupa-export": 22, "coupa-worker": 2, "coupa-quality": 2, "coupa-risk": 4,
		"coupa-supplier-portal": 1,
	}
	if diff := cmp.Diff(want, scopes); diff != "" {
		t.Errorf("scopes by source (-want +got):\n%s", diff)
	}
	if permissions != 285 || actions != 717 {
		t.Errorf("%d permissions with %d actions, want 285 with 717", permissions, actions)
	}
	if len(empty) != 10 {
		t.Errorf("%d scopes without permissions as of a release, want 10: %v", len(empty), empty)
	}
	if diff := cmp.Diff([]string{"email", "login", "offline_access", "openid", "profile"}, hidden); diff != "" {
		t.Errorf("withheld (-want +got):\n%s", diff)
	}
}

// What Coupa prints, slips included, stands beside what is true (product.md decision 23).
func TestSlipsArePrintedAndCorrected(t *testing.T) {
	tests := []struct {
		object, printed string
		printedScopes   []string
		calls           []string // what is matched
	}{
		{
			object:        "accounts",
			printed:       "GET /accounts POST/accounts GET/accounts PUT/accounts",
			printedScopes: []string{"core.accounting.read", "core.accounting.write"},
			calls:         []string{"GET /accounts", "POST /accounts", "GET /accounts/{id}", "PUT /accounts/{id}"},
		},
		{
			object:        "cancel_purchaseorders",
			printed:       "PUT/close_purchaseorders/{id}",
			printedScopes: []string{"core.purchase_order.write"},
			calls:         []string{"PUT /purchase_orders/{id}/cancel"},
		},
		{
			object:        "close_purchaseorders",
			printed:       "PUT/close_purchaseorders/{id}",
			printedScopes: []string{"core.purchase_order.write"},
			calls:         []string{"PUT /close_purchaseorders/{id}", "PUT /purchase_orders/{id}/close"},
		},
		{
			object:        "issue_purchaseorders",
			printed:       "PUT/issue_purchaseorders/{id}",
			printedScopes: []string{"core.purchase_order.write"},
			calls:         []string{"PUT /issue_purchaseorders/{id}", "PUT /purchase_orders/{id}/issue"},
		},
		{
			object:  "items",
			printed: "GET/items, POST/items GET/items/{id} PATCH/items/{id}",
			calls:   []string{"GET /items", "POST /items", "GET /items/{id}", "PATCH /items/{id}"},
		},
		{
			object:  "quote_requests",
			printed: "GET/quote_requests POST/quote_requests GET/quote_requests/{id} PUT/quote_requests/{id}",
			calls: []string{
				"GET /quote_requests", "POST /quote_requests", "GET /quote_requests/{id}", "PUT /quote_requests/{id}",
			},
		},
		{
			object:        "user_groups",
			printed:       "GET /user_groups POST /user_groups GET /user_groups/{id} PATCH / user_groups/{id}",
			printedScopes: []string{"core.user_group.read", "core.user_group.write"},
			calls: []string{
				"GET /user_groups", "POST /user_groups", "GET /user_groups/{id}", "PATCH /user_groups/{id}",
			},
		},
	}
	c := load(t)
	for _, tt := range tests {
		t.Run(tt.object, func(t *testing.T) {
			o := mustObject(t, c, "coupa-core", tt.object)
			want := scope.Printed{Source: "S0", Calls: tt.printed, Scopes: tt.printedScopes}
			if diff := cmp.Diff(want, o.Printed, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
			var calls []string
			for _, call := range o.Calls {
				if call.Matches() {
					calls = append(calls, call.String())
				}
			}
			if diff := cmp.Diff(tt.calls, calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryCoupaRowKeepsItsPrintedRow(t *testing.T) {
	api, _ := load(t).API("coupa-core")
	for _, o := range api.Objects {
		if o.Source != "S0" || o.Printed.Source != "S0" || o.Printed.Calls == "" {
			t.Errorf("%s: source %q, printed %+v", o.Name, o.Source, o.Printed)
		}
		if diff := cmp.Diff(o.Printed.Scopes, o.Scopes, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: scopes differ from the printed ones (-printed +ours):\n%s", o.Name, diff)
		}
	}
}

func TestCancelKeepsTheClosePathOnlyToBeSeen(t *testing.T) {
	c := load(t)
	cancel := mustObject(t, c, "coupa-core", "cancel_purchaseorders")
	if len(cancel.Calls) != 2 {
		t.Fatalf("%d calls, want 2", len(cancel.Calls))
	}
	printed, corrected := cancel.Calls[0], cancel.Calls[1]
	if printed.Path != "/close_purchaseorders/{id}" || printed.Matches() || printed.Note == "" {
		t.Errorf("printed call: %+v", printed)
	}
	if !corrected.Matches() || corrected.Source != "coupa-purchase-orders" {
		t.Errorf("corrected call: %+v", corrected)
	}
	for _, opened := range mustScope(t, c, "core.purchase_order.write").Opens {
		if opened.Object == "cancel_purchaseorders" && opened.Call.Path != "/purchase_orders/{id}/cancel" {
			t.Errorf("the scope opens %s for cancel", opened.Call)
		}
	}
}

// No published scope: shown, never open, the public hint kept apart (product.md decision 8).
func TestObjectsWithoutPublishedScope(t *testing.T) {
	hints := map[string][2]string{
		"items":          {"core.item.read", "core.item.write"},
		"quote_requests": {"core.sourcing.read", "core.sourcing.write"},
	}
	c := load(t)
	for _, api := range c.APIs() {
		for _, o := range api.Objects {
			hint, listed := hints[o.Name]
			if o.Unpublished() != listed {
				t.Errorf("%s: Unpublished() = %v", o.Name, o.Unpublished())
			}
			for _, call := range o.Calls {
				if !listed {
					if len(call.AnyOf) == 0 || len(call.Suggested) > 0 {
						t.Errorf("%s: any of %v, suggested %v", call, call.AnyOf, call.Suggested)
					}
					continue
				}
				want := hint[0]
				if call.Access == scope.AccessWrite {
					want = hint[1]
				}
				if len(call.AnyOf) != 0 || !slices.Equal(call.Suggested, []string{want}) {
					t.Errorf("%s: any of %v, suggested %v, want %s", call, call.AnyOf, call.Suggested, want)
				}
			}
		}
	}
	for _, hint := range hints {
		for _, name := range hint {
			if s := mustScope(t, c, name); len(s.Opens) > 0 || len(s.Objects) > 0 {
				t.Errorf("%s opens %v of %v, want nothing", name, s.Opens, s.Objects)
			}
		}
	}
}

func TestInvoices(t *testing.T) {
	o := mustObject(t, load(t), "coupa-core", "invoices")
	want := map[string][]string{
		"GET /invoices":        {"core.invoice.read"},
		"POST /invoices":       {"core.invoice.create", "core.invoice.write"},
		"GET /invoices/{id}":   {"core.invoice.read"},
		"PATCH /invoices/{id}": {"core.invoice.write"}, // as the source has it; public pages say PUT
	}
	got := map[string][]string{}
	for _, call := range o.Calls {
		got[call.String()] = call.AnyOf
		if call.ScopesFrom != "inference" {
			t.Errorf("%s: the split per call is marked %q, want inference", call, call.ScopesFrom)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if !strings.Contains(o.Differs, "PUT") {
		t.Errorf("differs = %q", o.Differs)
	}
	for _, end := range []string{"approval.bypass", "approval.write", "delete"} {
		unused := "core.invoice." + end
		if !slices.Contains(o.Scopes, unused) || !strings.Contains(o.Note, unused) {
			t.Errorf("%s should be in the cell and in the note", unused)
		}
	}
}

func TestAPIs(t *testing.T) {
	c := load(t)
	tests := []struct {
		key, base  string
		own        bool
		documented time.Duration
	}{
		{"coupa-core", "/api", false, 86399 * time.Second},
		{"ccw", "/api", false, 0},
		{"identity-pm", "/identity_/api", true, 0},
		{"integration-service", "/connections_/api", true, 0},
		{"credenza", "/api/v1", true, 0},
	}
	var keys []string
	for _, tt := range tests {
		keys = append(keys, tt.key)
		api, ok := c.API(tt.key)
		if !ok {
			t.Errorf("no API %s", tt.key)
			continue
		}
		if api.BasePath != tt.base || api.Own != tt.own || api.DocumentedLifetime != tt.documented {
			t.Errorf("%s: base %s, own %v, documented %v", tt.key, api.BasePath, api.Own, api.DocumentedLifetime)
		}
		if api.TokenLifetime != 3600*time.Second {
			t.Errorf("%s: lifetime %v, want 3600s (decision 7)", tt.key, api.TokenLifetime)
		}
	}
	var got []string
	for _, api := range c.APIs() {
		got = append(got, api.Key)
	}
	if diff := cmp.Diff(keys, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	core, _ := c.API("coupa-core")
	mandatory := scope.Mandatory{Source: "S0", Connections: []string{
		"email", "login", "offline_access", "openid", "profile", "core.common.read",
	}}
	if diff := cmp.Diff(mandatory, core.Mandatory); diff != "" {
		t.Errorf("mandatory (-want +got):\n%s", diff)
	}
	if _, ok := c.API("Coupa-Core"); ok {
		t.Error("keys are case-exact")
	}
}

// Every portal scope of product.md decision 13 and of §4.2, with its kind, its twin and the right that gives it.
func TestScopes(t *testing.T) {
	const platform = access.Right("")
	tests := []struct {
		name, api string
		kind      scope.Kind
		twin      string
		withheld  scope.Withheld
		right     access.Right
	}{
		{"core.accounting.write", "coupa-core", scope.KindWrite, "core.accounting.read", "", access.AppsManage},
		{"core.common.read", "coupa-core", scope.KindRead, "", "", access.AppsManage},
		{"core.invoice.create", "coupa-core", scope.KindWrite, "core.invoice.read", "", access.AppsManage},
		{"core.invoice.delete", "coupa-core", scope.KindDelete, "core.invoice.read", "", access.AppsManage},
		{"core.invoice.approval.write", "coupa-core", scope.KindWrite, "", "", access.AppsManage},
		{"core.invoice.approval.bypass", "coupa-core", scope.KindSpecial, "", "", access.AppsManage},
		{"core.sourcing.response.award.write", "coupa-core", scope.KindWrite, "", "", access.AppsManage},
		{
			"treasury.cash_management.delete", "coupa-core", scope.KindDelete, "treasury.cash_management.read",
			"", platform,
		},
		{"csp.invoices.read", "coupa-core", scope.KindRead, "", "", platform},
		{"openid", "coupa-core", scope.KindSpecial, "", scope.WithheldSignIn, platform},
		{"ccw.candidates", "ccw", scope.KindWrite, "", "", access.AppsManage},
		{"ccw.contingent_workers", "ccw", scope.KindRead, "", "", access.AppsManage},
		{"PM.RobotAccount", "identity-pm", scope.KindWrite, "", "", access.RobotsManage},
		{"PM.RobotAccount.Read", "identity-pm", scope.KindRead, "", "", access.RobotsManage},
		{"PM.RobotAccount.Write", "identity-pm", scope.KindWrite, "PM.RobotAccount.Read", "", access.RobotsManage},
		{"PM.OAuthApp", "identity-pm", scope.KindWrite, "", scope.WithheldNotServed, access.RobotsManage},
		{"PM.User.Write", "identity-pm", scope.KindWrite, "PM.User.Read", scope.WithheldNotServed, access.RobotsManage},
		{"IS.Connections.Read", "integration-service", scope.KindRead, "", "", access.ConnectionsManage},
		{"IS.Connections.Token", "integration-service", scope.KindSpecial, "", "", access.ConnectionsManage},
		{"registry.apps.read", "credenza", scope.KindRead, "", "", access.AppsManage},
		{"registry.apps.write", "credenza", scope.KindWrite, "registry.apps.read", "", access.AppsManage},
		{"registry.secrets.write", "credenza", scope.KindWrite, "", "", access.AppsManage},
		{"registry.scopes.read", "credenza", scope.KindRead, "", "", access.AppsManage},
		{"registry.scopes.write", "credenza", scope.KindWrite, "registry.scopes.read", "", access.AppsManage},
		{"audit.events.read", "credenza", scope.KindRead, "", "", access.AuditView},
		{"oauth.introspect", "credenza", scope.KindSpecial, "", "", access.RolesManage},
	}
	c := load(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := mustScope(t, c, tt.name)
			if s.API != tt.api || s.Kind != tt.kind || s.Twin != tt.twin || s.Withheld != tt.withheld {
				t.Errorf("API %s, kind %s, twin %q, withheld %q", s.API, s.Kind, s.Twin, s.Withheld)
			}
			if s.Grantable() != (tt.withheld == "") {
				t.Errorf("Grantable() = %v", s.Grantable())
			}
			if right, _ := access.GrantRight(tt.name); right != tt.right {
				t.Errorf("given with %q, want %q", right, tt.right)
			}
		})
	}
}

// Kinds are written in the file; this holds them against the names, the calls and each other, so that a slip shows.
func TestKindsAgreeWithNamesAndCalls(t *testing.T) {
	c := load(t)
	ends := map[string]scope.Kind{
		".read": scope.KindRead, ".write": scope.KindWrite, ".create": scope.KindWrite, ".delete": scope.KindDelete,
	}
	for _, s := range c.Scopes() {
		lower := strings.ToLower(s.Name)
		for end, kind := range ends {
			if strings.HasSuffix(lower, end) && s.Kind != kind {
				t.Errorf("%s is of kind %s", s.Name, s.Kind)
			}
		}
		if s.CoversRead && strings.HasSuffix(lower, ".write") {
			t.Errorf("%s covers reading, which no source says", s.Name)
		}
		for _, o := range s.Opens {
			reads := s.Kind == scope.KindRead || s.CoversRead || s.Kind == scope.KindSpecial
			writes := s.Kind == scope.KindWrite
			if o.Call.Access == scope.AccessRead && !reads || o.Call.Access == scope.AccessWrite && !writes {
				t.Errorf("%s is of kind %s and opens %s, a %s", s.Name, s.Kind, o.Call, o.Call.Access)
			}
		}
	}
	search := mustObject(t, c, "ccw", "candidates").Calls[0]
	if search.String() != "POST /candidates/search" || search.Access != scope.AccessRead {
		t.Errorf("first call of candidates: %s, %s; want the read by POST", search, search.Access)
	}
}

func TestScopeOpensItsCalls(t *testing.T) {
	c := load(t)
	tests := map[string][]string{
		"PM.RobotAccount.Write": {
			"POST /RobotAccount", "PUT /RobotAccount/{robotAccountId}",
			"DELETE /RobotAccount/{partitionGlobalId}/{robotAccountId}", "DELETE /RobotAccount/{partitionGlobalId}",
		},
		"PM.RobotAccount.Read": {
			"GET /RobotAccount/{partitionGlobalId}", "GET /RobotAccount/{partitionGlobalId}/{robotAccountId}",
		},
		"ccw.candidates":                {"POST /candidates/search", "PUT /candidates/{id}/confirm"},
		"core.inventory.transfer.write": {"POST /inventory_transactions"},
		"core.invoice.approval.bypass":  nil,
		"PM.OAuthApp":                   nil, // documented calls that are not served here
		"registry.apps.read":            nil,
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, o := range mustScope(t, c, name).Opens {
				got = append(got, o.Call.String())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("opens (-want +got):\n%s", diff)
			}
		})
	}
	want := []string{"expense_lines", "expense_reports"}
	if got := mustScope(t, c, "core.expense.read").Objects; !slices.Equal(got, want) {
		t.Errorf("objects %v, want %v", got, want)
	}
}

func TestFamiliesHoldFinishedScopes(t *testing.T) {
	c := load(t)
	for _, api := range c.APIs() {
		for _, f := range api.Families {
			for _, s := range f.Scopes {
				if diff := cmp.Diff(mustScope(t, c, s.Name), s); diff != "" {
					t.Errorf("%s differs between the catalogue and its family:\n%s", s.Name, diff)
				}
			}
		}
	}
}

// The rows of docs/catalogue.md, "The slips", that are about objects of the table.
func TestRowsPrintedOtherwise(t *testing.T) {
	var got []string
	for _, api := range load(t).APIs() {
		for _, o := range api.Objects {
			if o.PrintedOtherwise() {
				got = append(got, o.Name)
			}
		}
	}
	want := []string{
		"accounts", "cancel_purchaseorders", "close_purchaseorders", "invoices", "issue_purchaseorders", "items", "quote_requests",
		"user_groups", "users",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMisprintsAreKnownAsSuch(t *testing.T) {
	c := load(t)
	tests := map[string]string{
		"ccw.candidate":                         "ccw.candidates",
		"core.inventory.receiveing.read":        "core.inventory.receiving.read",
		"core.payables.expenses.write":          "core.payables.expense.write",
		"core.sourcing_information_sites.read":  "core.supplier_information_sites.read",
		"core.sourcing_information_sites.write": "core.supplier_information_sites.write",
	}
	for printed, want := range tests {
		if c.Known(printed) {
			t.Errorf("%s is accepted", printed)
		}
		if got, ok := c.Spelled(printed); !ok || got != want {
			t.Errorf("Spelled(%s) = %q, %v; want %s", printed, got, ok, want)
		}
	}
	if _, ok := c.Spelled("ccw.candidates"); ok {
		t.Error("a right spelling is not a misprint")
	}
}

func TestLookups(t *testing.T) {
	c := load(t)
	unknown := c.Unknown([]string{"x", "ccw.candidates", "CCW.candidates", "x"})
	if diff := cmp.Diff([]string{"x", "CCW.candidates", "x"}, unknown); diff != "" {
		t.Errorf("Unknown (-want +got):\n%s", diff)
	}
	if api, ok := c.APIOf("oauth.introspect"); !ok || api != "credenza" {
		t.Errorf("APIOf = %q, %v", api, ok)
	}
	if api, ok := c.APIOf("nothing"); ok || api != "" {
		t.Errorf("APIOf of an unknown scope = %q, %v", api, ok)
	}
	tests := []struct {
		scopes, want []string
	}{
		{nil, nil},
		{[]string{"nothing"}, nil},
		{[]string{"core.user.read", "core.user.write"}, []string{"coupa-core"}},
		{
			[]string{"registry.apps.read", "core.user.read", "ccw.candidates", "core.uom.read"},
			[]string{"ccw", "coupa-core", "credenza"},
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, c.APIsOf(tt.scopes)); diff != "" {
			t.Errorf("APIsOf(%v) (-want +got):\n%s", tt.scopes, diff)
		}
	}
	if s, ok := c.Source("S0"); !ok || s.Kind != scope.SourceHelpPage {
		t.Errorf("Source(S0) = %+v, %v", s, ok)
	}
	used := map[string]bool{}
	for _, s := range c.Sources() {
		used[s.Key] = true
	}
	if !used["coupa-registry"] || !used["ours"] {
		t.Error("sources are missing from the list")
	}
}

func TestMissingTwins(t *testing.T) {
	c := load(t)
	tests := []struct {
		name   string
		chosen []string
		want   []string
	}{
		{"nothing chosen", nil, nil},
		{"read alone", []string{"core.invoice.read"}, nil},
		{"write alone", []string{"core.invoice.write"}, []string{"core.invoice.write"}},
		{"pair", []string{"core.invoice.write", "core.invoice.read"}, nil},
		{
			"create and delete",
			[]string{"core.invoice.delete", "core.invoice.create"},
			[]string{"core.invoice.delete", "core.invoice.create"},
		},
		{"read of another family", []string{"core.invoice.write", "core.user.read"}, []string{"core.invoice.write"}},
		{"no twin exists", []string{"core.invoice.approval.write", "registry.secrets.write"}, nil},
		{"bare name covers reading", []string{"PM.Group.Write", "PM.Group"}, nil},
		{"bare name alone", []string{"PM.Group"}, nil},
		{"unknown scope", []string{"nothing.write"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range c.MissingTwins(tt.chosen) {
				got = append(got, s.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Lists handed out are the caller's: appending to or overwriting an element of one changes no other's.
func TestListsAreCopies(t *testing.T) {
	c := load(t)
	c.APIs()[0] = scope.API{}
	c.Scopes()[0] = scope.Scope{}
	c.Sources()[0] = scope.Source{}
	if c.APIs()[0].Key != "coupa-core" || c.Scopes()[0].Name == "" || c.Sources()[0].Key != "S0" {
		t.Error("a caller changed the catalogue")
	}
}
