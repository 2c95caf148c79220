package scope_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credenza.example/credenza/internal/scope"
)

// found is a Result in words, for comparing.
type found struct {
	Scopes, Calls, Nearest, Unpublished []string
}

func words(r scope.Result) found {
	var f found
	for _, h := range r.Hits {
		f.Scopes = append(f.Scopes, h.Scope)
	}
	for _, o := range r.Calls {
		f.Calls = append(f.Calls, o.API+" "+o.Call.String())
	}
	for _, o := range r.Nearest {
		f.Nearest = append(f.Nearest, o.Call.String())
	}
	for _, o := range r.Unpublished {
		f.Unpublished = append(f.Unpublished, o.Name)
	}
	return f
}

func TestSearchForACall(t *testing.T) {
	post := found{
		Scopes: []string{"core.invoice.create", "core.invoice.write"}, Calls: []string{"coupa-core POST /invoices"},
	}
	one := found{
		Scopes: []string{"core.invoice.read", "core.invoice.write"},
		Calls:  []string{"coupa-core GET /invoices/{id}", "coupa-core PATCH /invoices/{id}"},
	}
	search := found{Scopes: []string{"ccw.candidates"}, Calls: []string{"ccw POST /candidates/search"}}
	token := found{
		Scopes: []string{"IS.Connections.Token"}, Calls: []string{"integration-service GET /v1/Connections/{id}/token"},
	}
	group := found{
		Scopes: []string{"PM.Group", "PM.Group.Read"}, Calls: []string{"identity-pm GET /Group/{partitionGlobalId}"},
	}
	tests := []struct {
		query string
		want  found
	}{
		{"POST /invoices", post},
		{"post /Invoices", post},
		{"  POST   invoices/ ", post},
		{"POST /api/invoices", post},
		{"POST https://acme.coupahost.com/api/invoices?exported=false#top", post},
		{"/invoices/17", one},
		{"https://acme.coupahost.com/api/invoices/17", one},
		{"HTTPS://ACME.COUPAHOST.COM/API/INVOICES/17", one},
		{"acme.coupahost.com/api/invoices/17", one},
		{"/invoices/{id}", one},
		{"https://acme.coupahost.com/api/candidates/search", search},
		{"GET /connections_/api/v1/Connections/9/token", token},
		{"GET https://host/acme/main/identity_/api/Group/0192", group},
		{"HEAD /Group/0192", group},
		{
			"PUT /close_purchaseorders/5", // the close row alone, not the slip under cancel
			found{
				Scopes: []string{"core.purchase_order.write"},
				Calls:  []string{"coupa-core PUT /close_purchaseorders/{id}"},
			},
		},
		{
			"contracts/{contractId}/retrieve_legal_agreement",
			found{
				Scopes: []string{"core.contract.read"},
				Calls:  []string{"coupa-core GET /contracts/{contractId}/retrieve_legal_agreement"},
			},
		},
		{"POST /items", found{Calls: []string{"coupa-core POST /items"}, Unpublished: []string{"items"}}},
		{
			"/quote_requests/4",
			found{
				Calls:       []string{"coupa-core GET /quote_requests/{id}", "coupa-core PUT /quote_requests/{id}"},
				Unpublished: []string{"quote_requests"},
			},
		},
	}
	c := load(t)
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, words(c.Search(tt.query))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSearchSaysWhatIsNearest(t *testing.T) {
	tests := []struct {
		query string
		want  []string
	}{
		{"DELETE /invoices/5", []string{"GET /invoices/{id}", "PATCH /invoices/{id}"}},
		{"PUT /invoices/5/void", []string{"GET /invoices/{id}", "PATCH /invoices/{id}", "GET /invoices"}},
		{
			"https://acme.coupahost.com/api/supplier/5",
			[]string{"GET /suppliers/{id}", "PUT /suppliers/{id}"},
		},
		{"POST /usr", []string{"POST /users", "GET /users"}},
		{"PUT /api/purchase_orders/5/cancle", []string{"PUT /purchase_orders/{id}/cancel"}},
		{"GET /contingent_workrs", []string{"POST /contingent_workers"}},
		{"GET /x", nil},
		{"GET /api/nothing/of/the/sort", nil},
	}
	c := load(t)
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			r := c.Search(tt.query)
			if len(r.Hits) > 0 || len(r.Calls) > 0 {
				t.Errorf("found %+v", words(r))
			}
			if !r.NoCall {
				t.Error("it is not said that there is no such call")
			}
			if diff := cmp.Diff(tt.want, words(r).Nearest); diff != "" {
				t.Errorf("nearest (-want +got):\n%s", diff)
			}
		})
	}
}

// A call that is not published is said to be none though its words are found; what may be two words is not.
func TestSearchTellsCallsFromWords(t *testing.T) {
	c := load(t)
	for query, want := range map[string]bool{
		"POST /invoice": true, "/invoice": true, "https://acme.coupahost.com/api/invoice": true, "POST /invoices": false, "ASN/Headers": false,
		"nothing/of/this": true, "invoice": false, "GET /": false, "post invoices": false, "": false,
	} {
		r := c.Search(query)
		if r.NoCall != want {
			t.Errorf("%q: no such call: %v", query, r.NoCall)
		}
	}
	if r := c.Search("POST /invoice"); !r.Has("core.invoice.create") || len(r.Nearest) == 0 || r.Nearest[0].Call.String() != "POST /invoices" {
		t.Errorf("found %+v", words(r))
	}
}

func TestNear(t *testing.T) {
	c := load(t)
	for name, want := range map[string][]string{
		"ccw.candidate":                  {"ccw.candidates"},
		"core.inventory.receiveing.READ": {"core.inventory.receiving.read"},
		"core.invoices.read":             {"core.invoice.read"},
		"Core.Invoice.Read":              {"core.invoice.read"},
		"core.user":                      {"core.user.read"},
		"invoice.read":                   {"core.invoice.read"},
		"xyzzy":                          nil,
		"":                               nil,
		"   ":                            nil,
		strings.Repeat("x", 129):         nil,
		"\xff\xfe":                       nil,
	} {
		got := c.Near(name)
		if len(got) > 3 || len(want) == 0 && len(got) > 0 || len(want) > 0 && (len(got) == 0 || got[0] != want[0]) {
			t.Errorf("Near(%q) = %v, want first %v", name, got, want)
		}
	}
	for _, s := range c.Scopes() {
		if got := c.Near(s.Name + "x"); len(got) == 0 || got[0] != s.Name {
			t.Errorf("Near(%sx) = %v", s.Name, got)
		}
	}
}

// Objects are found by their own names and calls, whatever scopes they share with others.
func TestSearchFindsObjects(t *testing.T) {
	c := load(t)
	for query, want := range map[string][]string{
		"":                              nil,
		"cancel_purchaseorders":         {"cancel_purchaseorders"},
		"core.purchase_order.write":     nil,
		"PUT /purchase_orders/5/cancel": {"cancel_purchaseorders"},
		"expense":                       {"expense_lines", "expense_reports"},
		"/items":                        {"items"},
		"xyzzy":                         nil,
	} {
		var got []string
		for _, o := range c.Search(query).Objects {
			got = append(got, o.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", query, diff)
		}
	}
}

func TestSearchForWords(t *testing.T) {
	tests := []struct {
		query       string
		first       []string // what comes first
		lacks       []string
		unpublished []string
	}{
		{query: "core.invoice.read", first: []string{"core.invoice.read"}, lacks: []string{"core.invoice.write"}},
		{query: "CORE.Invoice.READ", first: []string{"core.invoice.read"}},
		{query: "pm.group", first: []string{"PM.Group", "PM.Group.Read", "PM.Group.Write"}, lacks: []string{"PM.User"}},
		{
			query: "invoice write", first: []string{"core.invoice.write"},
			lacks: []string{"core.invoice.read", "core.user.write"},
		},
		{query: "write invoice", first: []string{"core.invoice.write"}, lacks: []string{"core.invoice.read"}},
		{query: "purchase order", first: []string{"core.purchase_order.read", "core.purchase_order.write"}},
		{query: "purchase_order", first: []string{"core.purchase_order.read", "core.purchase_order.write"}},
		{
			query: "cancel_purchaseorders", first: []string{"core.purchase_order.write"},
			lacks: []string{"core.purchase_order.read"},
		},
		{query: "exchange rates", first: []string{"core.common.read", "core.common.write"}},
		{query: "ASN/Headers", first: []string{"core.inventory.asn.read", "core.inventory.asn.write"}},
		{query: "bypass current", first: []string{"core.invoice.approval.bypass"}},
		{
			query: "patch", first: []string{"core.invoice.write"}, lacks: []string{"core.supplier.write"},
			unpublished: []string{"items"},
		},
		{
			query: "quote_requests", first: []string{"core.sourcing.read", "core.sourcing.write"},
			unpublished: []string{"quote_requests"},
		},
		{query: "ccw.candidate", first: []string{"ccw.candidates"}},
		{query: "core.inventory.receiveing.read", first: []string{"core.inventory.receiving.read"}},
		{
			query: "GET /", first: []string{"core.accounting.read"}, lacks: []string{"core.accounting.write"},
			unpublished: []string{"items", "quote_requests"},
		},
		{query: "nothing of the sort"},
		{query: "invoice\x00read"},
	}
	c := load(t)
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			got := words(c.Search(tt.query))
			if len(tt.first) == 0 && len(got.Scopes) > 0 {
				t.Errorf("found %v", got.Scopes)
			}
			first := slices.Clone(got.Scopes[:min(len(tt.first), len(got.Scopes))])
			if diff := cmp.Diff(tt.first, first, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("first (-want +got):\n%s", diff)
			}
			for _, name := range tt.lacks {
				if slices.Contains(got.Scopes, name) {
					t.Errorf("found %s", name)
				}
			}
			if diff := cmp.Diff(tt.unpublished, got.Unpublished); diff != "" {
				t.Errorf("unpublished (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSearchSaysWhy(t *testing.T) {
	tests := []struct {
		query, scope string
		want         []scope.Why
	}{
		{"invoice", "core.invoice.read", []scope.Why{{scope.ByName, "core.invoice.read"}}},
		{"POST /invoices", "core.invoice.create", []scope.Why{{scope.ByCall, "POST /invoices"}}},
		{"/Group/1", "PM.Group.Write", []scope.Why{
			{scope.ByCall, "PUT /Group/{groupId}"}, {scope.ByCall, "DELETE /Group/{partitionGlobalId}"},
		}},
		{
			"expenses.write", "core.payables.expense.write",
			[]scope.Why{{scope.BySpelling, "core.payables.expenses.write"}},
		},
		{"exchange rates", "core.common.read", []scope.Why{{scope.ByPermission, "Exchange Rates: Index, Show"}}},
		{
			"issue_purchaseorders put", "core.purchase_order.write",
			[]scope.Why{{scope.ByCall, "PUT /issue_purchaseorders/{id}"}},
		},
		{"expense reports read", "core.expense.read", []scope.Why{
			{scope.ByName, "core.expense.read"}, {scope.ByCall, "GET /expense_reports"},
		}},
	}
	c := load(t)
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			r := c.Search(tt.query)
			i := slices.IndexFunc(r.Hits, func(h scope.Hit) bool { return h.Scope == tt.scope })
			if i < 0 || !r.Has(tt.scope) {
				t.Fatalf("%s was not found", tt.scope)
			}
			if diff := cmp.Diff(tt.want, r.Hits[i].Why); diff != "" {
				t.Errorf("why (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSearchForNothingFindsAll(t *testing.T) {
	c := load(t)
	for _, query := range []string{"", "   ", "\t\n"} {
		r := c.Search(query)
		if len(r.Hits) != len(c.Scopes()) || len(r.Unpublished) > 0 {
			t.Errorf("Search(%q) found %d scopes and %v", query, len(r.Hits), r.Unpublished)
		}
		for i, s := range c.Scopes() {
			if r.Hits[i].Scope != s.Name || len(r.Hits[i].Why) > 0 {
				t.Fatalf("hit %d is %+v, want %s without a reason", i, r.Hits[i], s.Name)
			}
		}
	}
}

func TestSearchIsBounded(t *testing.T) {
	c := load(t)
	for name, query := range map[string]string{
		"too long":  "POST /invoices?" + strings.Repeat("x", 2048),
		"not UTF-8": "invoice\xff",
	} {
		if r := c.Search(query); len(r.Hits)+len(r.Calls)+len(r.Nearest) > 0 || r.NoCall {
			t.Errorf("%s: found %+v", name, words(r))
		}
	}
	if !c.Search("core invoice write core invoice write core invoice and so on").Has("core.invoice.write") {
		t.Error("words beyond the eighth are not ignored")
	}
}

func FuzzSearch(f *testing.F) {
	for _, seed := range []string{
		"", "invoice write", "POST /invoices", "https://acme.coupahost.com/api/invoices/1?x#y", "GET //", "://", "{id}",
		"/api", "\xff/",
	} {
		f.Add(seed)
	}
	c, err := scope.Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := c.Search(query)
		seen := map[string]bool{}
		for _, h := range r.Hits {
			if !c.Known(h.Scope) || seen[h.Scope] {
				t.Errorf("%q found %q, unknown or twice", query, h.Scope)
			}
			seen[h.Scope] = true
		}
		if len(r.Calls) > 0 && r.NoCall || len(r.Nearest) > 0 && !r.NoCall {
			t.Errorf("%q found a call and says that there is none", query)
		}
		for _, o := range append(slices.Clone(r.Calls), r.Nearest...) {
			if !o.Call.Matches() {
				t.Errorf("%q found %s, which is shown only", query, o.Call)
			}
		}
	})
}
