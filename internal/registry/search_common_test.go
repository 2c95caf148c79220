package registry_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/registry"
)

// TestSearchCommonWords: what nearly every app matches is counted up to a number, and listed like everything else.
func TestSearchCommonWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 20 {
			w.register(t, fmt.Sprintf("Acme export %02d", i))
		}
		for _, test := range []struct {
			text    string
			counted int
			total   int
			capped  bool
		}{
			{"acme export", 1000, 20, false},
			{"acme export", 5, 5, true},
			{"acme export 07", 5, 1, false},
			{"acme -export", 5, 0, false},
		} {
			w.SearchCommon(test.counted)
			page := must(w.Search(t.Context(), w.admin, registry.Query{Text: test.text, PerPage: 8}))(t)
			if page.Total != test.total || page.Capped != test.capped {
				t.Errorf("%q, counted up to %d: %d, capped %v", test.text, test.counted, page.Total, page.Capped)
			}
		}
		w.SearchCommon(5)
		var names []string
		for after := ""; ; {
			page := must(w.Search(t.Context(), w.admin, registry.Query{Text: "acme export", PerPage: 8, After: after}))(t)
			for _, r := range page.Rows {
				names = append(names, r.Name)
			}
			if after = page.Next; after == "" {
				break
			}
		}
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprintf("Acme export %02d", i))
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Error(diff)
		}
	})
}

// TestSearchManyMatches: apps with more matches than are looked at are counted all the same, and what must not match
// them is not less than nothing.
func TestSearchManyMatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 8 {
			w.register(t, fmt.Sprintf("Zqa%d zqb%d zqc%d zqd%d", i, i, i, i))
		}
		w.register(t, "Acme export")
		w.register(t, "Acme import")
		w.SearchLook(10)
		for text, want := range map[string]int{"zq": 8, "-zq": 2, "-zq -zqa": 2, "acme -zq": 2, "-export": 9} {
			page := must(w.Search(t.Context(), w.admin, registry.Query{Text: text}))(t)
			if page.Total != want || len(page.Rows) != want || page.Capped {
				t.Errorf("%q: total %d, %d rows, capped %v; want %d", text, page.Total, len(page.Rows), page.Capped, want)
			}
		}
	})
}
