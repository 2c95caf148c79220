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
