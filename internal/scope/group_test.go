package scope_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/scope"
)

// outline writes a group as "objects | families", for comparing.
func outline(g scope.Group) string {
	var objects, families []string
	for _, o := range g.Objects {
		objects = append(objects, o.Name)
	}
	for _, f := range g.Families {
		families = append(families, f.Name)
	}
	return strings.Join(objects, " ") + " | " + strings.Join(families, " ")
}

func TestGroupedByObject(t *testing.T) {
	var got []string
	for _, api := range load(t).Grouped(nil) {
		for _, g := range api.Groups {
			if len(g.Objects) > 0 {
				got = append(got, api.API.Key+": "+outline(g))
			}
		}
	}
	want := []string{
		"coupa-core: accounts | core.accounting",
		"coupa-core: approvals | core.approval",
		"coupa-core: budget_lines | core.budget",
		"coupa-core: cancel_purchaseorders close_purchaseorders issue_purchaseorders purchase_order_changes " +
			"purchase_order_lines purchase_orders | core.purchase_order",
		"coupa-core: contracts contracts/{contractId}/retrieve_legal_agreement | core.contract",
		"coupa-core: expense_lines expense_reports | core.expense",
		"coupa-core: inventory_transactions | core.inventory.adjustment core.inventory.asn core.inventory.balance " +
			"core.inventory.common core.inventory.consumption core.inventory.receiving core.inventory.transfer",
		"coupa-core: invoices | core.invoice core.invoice.approval",
		"coupa-core: items | ",
		"coupa-core: quote_requests | ",
		"coupa-core: requisitions | core.requisition",
		"coupa-core: suppliers | core.supplier",
		"coupa-core: user_groups | core.user_group",
		"coupa-core: users | core.user",
		"ccw: candidates | ccw.candidates",
		"ccw: contingent_workers | ccw.contingent_workers",
		"identity-pm: RobotAccount | PM.RobotAccount",
		"identity-pm: Group | PM.Group",
		"identity-pm: ExternalClient | PM.OAuthApp PM.OAuthAppSecret",
		"integration-service: Connections connection_token | IS.Connections",
		"integration-service: Connectors | IS.Connectors",
		"credenza: apps | registry.apps",
		"credenza: secrets | registry.secrets",
		"credenza: scopes | registry.scopes",
		"credenza: audit_events | audit.events",
		"credenza: introspection | oauth.introspect",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups with objects (-want +got):\n%s", diff)
	}
}

// A form may have one checkbox for each scope: none is missing, none stands twice.
func TestGroupedHasEachScopeOnce(t *testing.T) {
	c := load(t)
	seen := map[string]int{}
	for _, api := range c.Grouped(nil) {
		for _, g := range api.Groups {
			for _, f := range g.Families {
				for _, s := range f.Scopes {
					seen[s.Name]++
					if s.API != api.API.Key || s.Family != f.Name {
						t.Errorf("%s of %s, %s stands under %s, %s", s.Name, s.API, s.Family, api.API.Key, f.Name)
					}
				}
			}
		}
	}
	for _, s := range c.Scopes() {
		if seen[s.Name] != 1 {
			t.Errorf("%s stands %d times", s.Name, seen[s.Name])
		}
	}
}

func TestGroupedOrdersReadBeforeWriteBeforeDelete(t *testing.T) {
	order := map[scope.Kind]int{scope.KindRead: 0, scope.KindWrite: 1, scope.KindDelete: 2, scope.KindSpecial: 3}
	for _, api := range load(t).APIs() {
		for _, f := range api.Families {
			for i := 1; i < len(f.Scopes); i++ {
				if order[f.Scopes[i-1].Kind] > order[f.Scopes[i].Kind] {
					t.Errorf("%s stands before %s", f.Scopes[i-1].Name, f.Scopes[i].Name)
				}
			}
		}
	}
}

func TestGroupedKeepsWhatIsWanted(t *testing.T) {
	c := load(t)
	robots := access.Actor{Kind: access.KindPerson, Rights: access.NewSet(access.RobotsManage)}
	tests := []struct {
		name string
		keep func(scope.Scope) bool
		want []string
	}{
		{"nothing", func(scope.Scope) bool { return false }, nil},
		{
			"one scope, and the objects that have none",
			func(s scope.Scope) bool { return s.Name == "core.invoice.read" },
			[]string{"invoices | core.invoice", "items | ", "quote_requests | "},
		},
		{
			"a scope without a call",
			func(s scope.Scope) bool { return s.Name == "ccw.candidates" || s.Name == "PM.User" },
			[]string{"candidates | ccw.candidates", " | PM.User"},
		},
		{
			"what a manager of robot accounts may give",
			func(s scope.Scope) bool { return s.Grantable() && robots.MayGrant(s.Name) },
			[]string{"RobotAccount | PM.RobotAccount", "Group | PM.Group"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, api := range c.Grouped(tt.keep) {
				for _, g := range api.Groups {
					got = append(got, outline(g))
					for _, f := range g.Families {
						for _, s := range f.Scopes {
							if !tt.keep(s) {
								t.Errorf("%s is there unasked", s.Name)
							}
						}
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Filtering one form must not thin out the next one's.
func TestGroupedDoesNotChangeTheCatalogue(t *testing.T) {
	c := load(t)
	before := c.Grouped(nil)
	c.Grouped(func(s scope.Scope) bool { return s.Kind == scope.KindWrite })
	if diff := cmp.Diff(before, c.Grouped(nil)); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
}

// Sharing is transitive: two objects that share nothing belong together when a third shares with both.
func TestGroupedJoinsThroughOthers(t *testing.T) {
	c, err := scope.Parse([]byte(`version: 1
sources: [{key: doc, kind: public, text: a page}]
apis:
  - key: shop
    title: Shop
    base_path: /api
    token_lifetime: 1h
    objects:
      - {name: one, scopes: [a.read]}
      - {name: alone, scopes: [d.read]}
      - {name: two, scopes: [b.read]}
      - {name: three, scopes: [c.read]}
      - {name: bridge, scopes: [c.read, b.read]}
      - {name: last, scopes: [a.write, c.read]}
    families:
      - {name: a, scopes: [{name: a.read, kind: read, source: doc}, {name: a.write, kind: write, source: doc}]}
      - {name: b, scopes: [{name: b.read, kind: read, source: doc}]}
      - {name: c, scopes: [{name: c.read, kind: read, source: doc}]}
      - {name: d, scopes: [{name: d.read, kind: read, source: doc}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range c.Grouped(nil)[0].Groups {
		got = append(got, outline(g))
	}
	if diff := cmp.Diff([]string{"one two three bridge last | a b c", "alone | d"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
