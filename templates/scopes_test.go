package templates_test

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

func sampleScopeSource() *templates.ScopeSource {
	return &templates.ScopeSource{
		Source: "the table of objects", Printed: true, Otherwise: true, Calls: "PUT/close_purchaseorders/{id}",
		Scopes: []string{"core.purchase_order.write"}, Taken: []string{"core.purchase_order.write"},
		TakenCall: []templates.ScopeCall{{Method: "PUT", Path: "/purchase_orders/{id}/cancel"}},
		Notes: []templates.ScopeRemark{
			{Call: "PUT /close_purchaseorders/{id}", Never: true, Text: "A slip."}, {Text: "Of the object."},
		},
	}
}

// sampleScopeList is a page of the catalogue with one of each thing.
func sampleScopeList() templates.Scopes {
	frame := sampleFrame()
	frame.Nav, frame.Current = append(frame.Nav, templates.NavLink{Code: "scopes", Href: "/scopes"}), "scopes"
	calls := []templates.ScopeCall{{Method: "PUT", Path: "/api/purchase_orders/{id}/cancel", AnyOf: []string{"core.purchase_order.write"}}}
	plain := sampleScopeSource()
	plain.Otherwise, plain.Notes = false, nil
	return templates.Scopes{
		Frame: frame, Query: "purchase", In: "coupa-core", OffersUsed: true, Used: true,
		Within: []templates.ScopeWithin{{
			Value: "coupa-core", Title: "Coupa Core API", Objects: []templates.ScopeObjectChoice{{Value: "coupa-core/items", Name: "items"}},
		}},
		Kinds: []templates.ScopeKind{{Code: "read"}, {Code: "write", Checked: true}},
		Results: templates.ScopeResults{
			State: templates.ScopesRows, Count: 3, ShowUse: true, Pages: templates.ScopePages{Page: 2, Pages: 3}, ClearHref: "/scopes",
			Filters: []templates.ScopeFilter{{Code: "kind", Value: "write", RemoveHref: "/scopes?q=purchase"}},
			Calls:   calls,
			Objects: []templates.ScopeObject{
				{
					Name: "cancel_purchaseorders", API: "Coupa Core API", Source: sampleScopeSource(),
					Rows: []templates.ScopeRow{{
						Scope: "core.purchase_order.write", Href: "/scopes/core.purchase_order.write", Kind: "write", Offered: true, Checked: true,
						Calls: calls, Apps: 2,
					}},
				},
				{
					Name: "items", API: "Coupa Core API", Unpublished: true, Calls: []templates.ScopeCall{{Method: "GET", Path: "/api/items"}},
					Suggested: []string{"core.item.read"}, Source: plain,
				},
				{
					Name: "ExternalClient", API: "Identity API", Unserved: true,
					Rows: []templates.ScopeRow{{
						Scope: "PM.OAuthApp", Href: "/scopes/PM.OAuthApp", Kind: "write",
						Notes: []templates.ScopeNote{{Code: "not_served"}, {Code: "covers_read"}},
					}},
				},
				{
					API: "Coupa Core API",
					Rows: []templates.ScopeRow{{
						Scope: "email", Href: "/scopes/email", Kind: "special", Required: true, Notes: []templates.ScopeNote{
							{Code: "sign_in"},
							{Code: "platform"},
							{Code: "needs", Value: "apps.manage"},
							{Code: "spelled", Value: "e-mail"},
							{Code: "empty", Value: "R34"},
							{Code: "text", Value: "A note."},
						},
					}},
				},
			},
			Bar: templates.ScopeBar{
				Chosen: []string{"core.purchase_order.write", "ccw.candidates"}, Kept: []templates.ScopeRow{{Scope: "ccw.candidates"}}, Act: true,
			},
		},
	}
}

// scopeLists are the faces of the list.
func scopeLists() map[string]templates.Scopes {
	guest, none, call, long, words := sampleScopeList(), sampleScopeList(), sampleScopeList(), sampleScopeList(), sampleScopeList()
	guest.OffersUsed, guest.Results.ShowUse, guest.Results.Bar = false, false, templates.ScopeBar{}
	none.Results.State, none.Results.Count, none.SecretHint = templates.ScopesNoMatch, 0, true
	none.Results.Names = []templates.ScopeLink{{Scope: "core.item.read", Href: "/scopes/core.item.read"}, {Scope: "core.item.write", Href: "/scopes/core.item.write"}}
	call.Results.State, call.Results.Asked = templates.ScopesNoCall, "GET /itms"
	call.Results.Nearest = []templates.ScopeNear{{Method: "GET", Path: "/api/items", Href: "/scopes?q=GET+%2Fapi%2Fitems"}}
	long.Results.State = templates.ScopesTooLong
	filters, own, self := none, call, call
	filters.Results.Names, filters.Results.Searched = nil, false
	own.Results.Own, self.Results.Own = templates.OwnOther, templates.OwnSelf
	words.Results.Asked, words.Results.Nearest, words.Results.Calls = call.Results.Asked, call.Results.Nearest, nil
	return map[string]templates.Scopes{
		"rows": sampleScopeList(), "guest": guest, "no match": none, "no call": call, "too long": long, "words of a call": words,
		"filters only": filters, "own call": own, "self": self,
	}
}

func sampleScopePage() templates.ScopePage {
	return templates.ScopePage{
		Frame: sampleFrame(), Name: "core.purchase_order.write", Kind: "write", API: "Coupa Core API", Required: true, Source: "a public page",
		Notes:       []templates.ScopeNote{{Code: "text", Value: "A note."}},
		Permissions: []templates.ScopePermission{{Resource: "Purchase Orders", Actions: []string{"Cancel", "Close"}}},
		Calls: []templates.ScopeOpened{{
			Call: templates.ScopeCall{Method: "PUT", Path: "/api/purchase_orders/{id}/cancel"}, Object: "cancel_purchaseorders",
			Also: []templates.ScopeLink{{Scope: "core.order.write", Href: "/scopes/core.order.write"}},
		}},
		Twin:     &templates.ScopeLink{Scope: "core.purchase_order.read", Href: "/scopes/core.purchase_order.read"},
		Granting: templates.ScopeGranting{Right: "apps.manage", Holders: []string{"Ana Silva", "Jo Weber"}, Mine: true},
		Apps: &templates.ScopeApps{Total: 3, Apps: []templates.ScopeApp{
			{Name: "SAP spend export", Href: sampleApp, Status: "active"}, {Name: "Old one", Href: sampleApp, Status: "inactive"},
		}},
		Sources:   []templates.ScopeObject{{Name: "cancel_purchaseorders", Source: sampleScopeSource()}},
		StartHref: "/apps/new?scope=core.purchase_order.write", AddHref: "/scopes/add?scope=core.purchase_order.write",
	}
}

func sampleScopeMissing() templates.ScopeMissing {
	return templates.ScopeMissing{
		Frame: sampleFrame(), Name: "ccw.candidate", Near: []templates.ScopeLink{{Scope: "ccw.candidates", Href: "/scopes/ccw.candidates"}},
		SearchHref: "/scopes?q=ccw.candidate",
	}
}

func sampleScopeAdd() templates.ScopeAdd {
	return templates.ScopeAdd{
		Frame: sampleFrame(), Scopes: []string{"ccw.candidates"}, Query: "sap", Total: 60, Keep: []templates.Hidden{{Name: "scope", Value: "ccw.candidates"}},
		Refused: []templates.ScopeRefusal{
			{Scope: "x", Code: "unknown"},
			{Scope: "openid", Code: "sign_in"},
			{Scope: "PM.User", Code: "not_served"},
			{Scope: "csp.invoices.read", Code: "platform"},
			{Scope: "PM.Group", Code: "right", Right: "robots.manage"},
		},
		Apps: []templates.ScopeApp{{Name: "SAP spend export", Href: sampleApp + "/edit?scope=ccw.candidates", Status: "inactive"}},
	}
}

func TestScopePagesAreWhole(t *testing.T) {
	for name, v := range scopeLists() {
		t.Run(name, func(t *testing.T) { checkPage(t, templates.ScopesPage(v)) })
	}
	bare := templates.ScopePage{Frame: sampleFrame(), Name: "x", Kind: "special", API: "A", Source: "s", Granting: templates.ScopeGranting{Withheld: "sign_in"}}
	nobody := sampleScopePage()
	nobody.Granting, nobody.Apps, nobody.Own, nobody.Calls = templates.ScopeGranting{Right: "roles.manage"}, &templates.ScopeApps{}, true, nil
	for name, v := range map[string]templates.ScopePage{"scope": sampleScopePage(), "bare": bare, "nobody": nobody} {
		t.Run(name, func(t *testing.T) { checkPage(t, templates.ScopePageView(v)) })
	}
	t.Run("missing", func(t *testing.T) { checkPage(t, templates.ScopeMissingPage(sampleScopeMissing())) })
	t.Run("add", func(t *testing.T) { checkPage(t, templates.ScopeAddPage(sampleScopeAdd())) })
	t.Run("add nothing", func(t *testing.T) { checkPage(t, templates.ScopeAddPage(templates.ScopeAdd{Frame: sampleFrame()})) })
}

// The stylesheet folds rows, which would take their meaning away without explicit roles; groups are headed as such.
func TestScopesAreATableForScreenReaders(t *testing.T) {
	for name, columns := range map[string]int{"rows": 5, "guest": 4} {
		doc := renderDoc(t, templates.ScopesPage(scopeLists()[name]))
		rows := doc.Find(".scopes-table > tbody > tr")
		if rows.Length() != 4+3+1+2 || doc.Find("tbody[role=rowgroup] > tr:first-child > th[scope=rowgroup][role=rowheader]").Length() != 4 {
			t.Errorf("%s: %d rows", name, rows.Length())
		}
		rows.Each(func(_ int, s *goquery.Selection) {
			cells := 0
			s.Children().Each(func(_ int, c *goquery.Selection) {
				switch span := c.AttrOr("colspan", "1"); span {
				case "1":
					cells++
				case "4":
					cells += 4
				case "5":
					cells += 5
				}
				if role := c.AttrOr("role", ""); role != "cell" && role != "rowheader" {
					t.Errorf("%s: a cell of the role %q", name, role)
				}
			})
			if cells != columns || s.AttrOr("role", "") != "row" {
				t.Errorf("%s: a row of %d columns, want %d: %s", name, cells, columns, words(s))
			}
		})
		if doc.Find("thead th[role=columnheader]").Length() != columns || words(doc.Find("table.data caption").First()) == "" {
			t.Errorf("%s: heads or caption are missing", name)
		}
	}
}

// All fields belong to the one form, so that everything works without a script; boxes say what they tick.
func TestScopesAreOneForm(t *testing.T) {
	doc := renderDoc(t, templates.ScopesPage(sampleScopeList()))
	form := doc.Find("form#scope-form[method=get][action='/scopes']")
	if form.Length() != 1 || form.AttrOr("data-results", "") != "results" {
		t.Fatal("no form")
	}
	doc.Find("main [name]").Each(func(_ int, s *goquery.Selection) {
		if s.AttrOr("form", "") != "scope-form" && s.Closest("#scope-form").Length() == 0 {
			t.Errorf("%s belongs to no form", s.AttrOr("name", ""))
		}
	})
	buttons := doc.Find("main button[type=submit]").Map(func(_ int, s *goquery.Selection) string {
		return strings.TrimSpace(words(s) + " " + s.AttrOr("name", "") + "=" + s.AttrOr("value", ""))
	})
	want := []string{
		"Search =", "Apply =", "Previous page=1", "Next page=3", "List what is ticked =", "Start an app with these do=app", "Add to an app do=add",
	}
	if diff := cmp.Diff(want, buttons); diff != "" {
		t.Error(diff) // the first is what the Enter key presses
	}
	box := doc.Find("tr[data-row] input[name=scope]")
	if box.Length() != 1 || box.AttrOr("aria-label", "") != "Tick core.purchase_order.write" {
		t.Errorf("%d boxes, called %q", box.Length(), box.AttrOr("aria-label", ""))
	}
	if got := doc.Find("#ticked").AttrOr("value", ""); got != "core.purchase_order.write ccw.candidates" {
		t.Errorf("the list to copy is %q", got)
	}
	if copies := doc.Find("tr[data-row] button[data-copy]"); copies.Length() != 3 || copies.First().AttrOr("aria-label", "") != "Copy core.purchase_order.write" {
		t.Error("a scope cannot be copied")
	}
	guest := renderDoc(t, templates.ScopesPage(scopeLists()["guest"]))
	if guest.Find("button[name=do], [name=used], td.used").Length() != 0 {
		t.Error("a guest gets what is not theirs")
	}
}

// Each sentence of the pages, as it is read aloud.
func TestScopeSentences(t *testing.T) {
	list := renderDoc(t, templates.ScopesPage(sampleScopeList()))
	for selector, want := range map[string]string{
		"tr[data-row]:nth-child(2) td.used":             "2 apps",
		"#results > p:not(.muted)":                      "PUT /api/purchase_orders/{id}/cancel is open to a token with this scope.",
		"tbody:nth-of-type(2) td":                       "No scope published. These calls are denied to every app until a platform administrator maps them to a scope.",
		"tbody:nth-of-type(2) .hint":                    "Other public pages name core.item.read; that opens nothing here.",
		"tbody:nth-of-type(3) th .tag":                  "not served here",
		"tbody:nth-of-type(3) .hint":                    "Its calls are not served here; not given to apps.",
		"tbody:nth-of-type(4) .hint":                    "For people who sign in; not given to apps.",
		"tbody:nth-of-type(4) .hint:nth-of-type(2)":     "Given by the platform only.",
		"tbody:nth-of-type(4) .hint:nth-of-type(3)":     "You cannot give it: it takes the right Integration toolkit > API consumer apps > Manage API client app.",
		"tbody:nth-of-type(4) .hint:nth-of-type(4)":     "Printed elsewhere as e-mail, which is not accepted.",
		"tbody:nth-of-type(4) .hint:nth-of-type(5)":     "The vendor lists no permission behind it as of R34.",
		".scopes-kept summary":                          "1 ticked elsewhere",
		".filter-token":                                 "Right: write",
		".bullets li":                                   "PUT /close_purchaseorders/{id} (printed here, never matched): A slip.",
		".pager-range":                                  "Page 2 of 3",
		"tbody details summary":                         "The source prints this differently",
		"tbody:nth-of-type(2) details summary":          "As printed by the source",
		".compare dt":                                   "As printed",
		".compare div:last-child dt":                    "As taken here",
		"tbody:nth-of-type(4) > tr.object > th":         "Without a published call Coupa Core API",
		"tbody:nth-of-type(4) td.right .tag:last-child": "required",
	} {
		if got := words(list.Find(selector).First()); !strings.HasPrefix(got, want) {
			t.Errorf("%s says %q, want %q", selector, got, want)
		}
	}
	page := renderDoc(t, templates.ScopePageView(sampleScopePage()))
	for selector, want := range map[string]string{
		".opened .hint":                   "Also opened by core.order.write",
		".warning":                        "Most apps that write read as well: core.purchase_order.read.",
		"[aria-labelledby=grant] p":       "Giving it to an app takes the right Integration toolkit > API consumer apps > Manage API client app.",
		"[aria-labelledby=grant] p + p":   "You hold this right.",
		"[aria-labelledby=grant] p ~ p+p": "In your organisation: Ana Silva and Jo Weber",
		"[aria-labelledby=apps] .hint":    "1 more app holds it.",
		".plate-code":                     "",
		"title":                           "core.purchase_order.write · Scopes · Credenza",
		".dl-wide dd":                     "Cancel and Close",
	} {
		if got := words(page.Find(selector).First()); !strings.HasPrefix(got, want) {
			t.Errorf("%s says %q, want %q", selector, got, want)
		}
	}
	missing := words(renderDoc(t, templates.ScopeMissingPage(sampleScopeMissing())).Find(".plate"))
	for _, want := range []string{"No such scope", "The catalogue has no scope called ccw.candidate.", "Did you mean ccw.candidates?", "Search for it"} {
		if !strings.Contains(missing, want) {
			t.Errorf("%q lacks %q", missing, want)
		}
	}
	add := words(renderDoc(t, templates.ScopeAddPage(sampleScopeAdd())).Find("main"))
	for _, want := range []string{
		"x is not in the catalogue, so it was left out.", "PM.Group was left out: giving it takes the right Automation >", "Nothing changes until you save it.",
		"More apps match.",
	} {
		if !strings.Contains(add, want) {
			t.Errorf("%q lacks %q", add, want)
		}
	}
}
