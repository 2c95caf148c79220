package registry_test

import (
	"strings"
	"testing"

	"credenza.example/credenza/internal/registry"
)

// TestSearchLooksUpOnce: a search with too many values is refused before anything is looked up, and what several values
// need is read once.
func TestSearchLooksUpOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.register(t, "Spend export")
		statements := watch(t, w.db)
		reads := func(text string) int64 {
			before := statements.n.Load()
			_, err := w.Search(t.Context(), w.admin, registry.Query{Text: text})
			if tooMany := strings.Count(text, ",") >= registry.MaxTerms; tooMany {
				wantFields(t, err, fault("q", "app.search.too_many"))
			} else if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			return statements.n.Load() - before
		}
		for _, key := range []string{"scope:", "user:"} {
			if one, many := reads(key+"zzz"), reads(key+strings.Repeat("c,", 150)+"c"); many >= one {
				t.Errorf("%s: %d statements refuse too many values, %d answer one", key, many, one)
			}
			if one, some := reads(key+"c"), reads(key+"c,cc,ccw,cor,core,co,cu"); some > one {
				t.Errorf("%s: %d statements for seven values, %d for one", key, some, one)
			}
		}
	})
}

// TestSearchNamesFewUsers: API users become arguments of statements, so their number has a bound, and what is said twice
// counts once.
func TestSearchNamesFewUsers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.register(t, "Spend export")
		all := w.search(t, registry.Query{Text: "user:client"}).Total
		w.SearchUsers(1)
		for _, text := range []string{"user:client", "user:client user:client", "user:client,client", `user:client,client user:client`} {
			if page := w.search(t, registry.Query{Text: text}); page.Total != all {
				t.Errorf("%s finds %d, want %d", text, page.Total, all)
			}
		}
		_, err := w.Search(t.Context(), w.admin, registry.Query{Text: "user:client user:clie"})
		wantFields(t, err, fault("q", "app.search.many_users"))
	})
}
