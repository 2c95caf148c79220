package registry_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// FuzzCursor: a list goes on only from a place that it gave out itself, to this organisation, for this order; every other
// text is a fault of its parameter (C65).
func FuzzCursor(f *testing.F) {
	w := sqliteWorld(f)
	for i := range 3 {
		w.quick(f, w.admin, w.fields(fmt.Sprintf("App %d", i)))
		theirs := w.fields(fmt.Sprintf("App %d", i))
		theirs.APIUser = w.globexClient.ID
		w.quick(f, w.globexAdmin, theirs)
	}
	page := must(w.Search(f.Context(), w.admin, registry.Query{PerPage: 1}))(f)
	second := must(w.Search(f.Context(), w.admin, registry.Query{PerPage: 1, After: page.Next}))(f)
	given := []string{page.Next, second.Next, second.Previous}
	theirs := must(w.Search(f.Context(), w.globexAdmin, registry.Query{PerPage: 1}))(f)
	for _, seed := range append(given, theirs.Next, "", "=", page.Next+"=", page.Next[:40], "eyJvIjoiIn0", page.Next+second.Next) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, place string) {
		for field, q := range map[string]registry.Query{
			"after": {PerPage: 1, After: place}, "before": {PerPage: 1, Before: place},
			"other order": {PerPage: 1, After: place, Sort: registry.SortCreated},
		} {
			got, err := w.Search(t.Context(), w.admin, q)
			ours := place == "" || slices.Contains(given, place) && field != "other order"
			switch {
			case ours && err != nil:
				t.Errorf("%s=%q, which was given out: %v", field, place, err)
			case !ours && (!problem.Is(err, problem.Invalid) || got.Rows != nil):
				t.Errorf("%s=%q: %d rows, %v", field, place, len(got.Rows), err)
			}
		}
	})
}

// FuzzQuery: whatever is typed into the search box is answered or is a fault of the box, never another error and never
// another organisation's app; spaces around it change nothing.
func FuzzQuery(f *testing.F) {
	w := sqliteWorld(f)
	mine, _ := w.register(f, "Spend export 采购")
	w.globexApp(f, "Spend export 采购")
	for _, seed := range []string{
		"", " ", "spend", "SPEND exp", `"spend export"`, `"spend`, `spend"export`, "采购", "采", "22.11.2026", "2026-11-22", "31.02.2026",
		"status:active", "-spend", "active customer", "%", "_", "\\", "\x00", "\xff", "a\u0300", "𝕏", "\u202espend", "CCWACME_",
		"ﬁ", "İ", "ß", "'; --", "spend  \t export", "１２", `""`, `" "`, "core.invoice.read",
		"-status:active", "name:spend,采购", `name:"spend export",x`, "secret:ok,expiring,expired,two,none", "used:never", "used:>90d", "used:<2w",
		"created:2026-11-22..", "created:..22.11.2026", "created:>0001-01-01", "modified:<9999-12-31", "created:>9999m", "user:client", "scope:core",
		"-scope:core.invoice.read", "by:silva", "contact:jo.weber@acme.example", "id:CCWACME_", "foo:bar", "status:", "status:,", "--", "-", `-"`,
		`name:"`, "secret:\x00", "used:>\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		page, err := w.Search(t.Context(), w.viewer, registry.Query{Text: text})
		if err != nil {
			if p := problem.As(err); p.Code != problem.Invalid || len(p.Fields) != 1 || p.Fields[0].Name != "q" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if page.Total > 1 || len(page.Rows) != page.Total || page.Total == 1 && page.Rows[0].ID != mine.ID {
			t.Fatalf("%q finds %+v", text, page)
		}
		filter := registry.ParseFilter(text)
		if again := registry.ParseFilter(filter.String()); !reflect.DeepEqual(filter, again) {
			t.Errorf("%q is printed %q, which is read as another", text, filter)
		}
		spaced, err := w.Search(t.Context(), w.viewer, registry.Query{Text: " " + text + " "})
		if err == nil && spaced.Total != page.Total {
			t.Errorf("%q finds %d, with spaces around %d", text, page.Total, spaced.Total)
		}
	})
}
