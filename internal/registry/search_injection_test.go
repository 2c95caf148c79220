package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// C65: whatever is put into a parameter is a fault of that parameter or finds nothing; the rows stay.
func TestC65_Injection(t *testing.T) {
	corpus := []string{
		"'", `"`, "' OR '1'='1", "'; DROP TABLE apps; --", `" OR ""="`, "1; SELECT pg_sleep(5)", "') OR sleep(5) --", "%", "_%",
		"\\", "\x00", "name_key", "name; --", "(SELECT 1)", "${jndi}", "{{.}}", "../..", "𝕏", "\u202e", strings.Repeat("a ", 90),
		"0190a1b2-0000-7000-8000-00000000000f", "NULL", "true", "[]", "{}", "\r\nX: y", "eyJvIjoiIn0",
	}
	each(t, func(t *testing.T, w *world) {
		w.register(t, "Spend export")
		w.unchanged(t, func() {
			for _, evil := range corpus {
				for field, q := range map[string]registry.Query{
					"q": {Text: evil}, "category": {Category: registry.Category(evil)}, "status": {Status: registry.Status(evil)},
					"sort": {Sort: registry.Sort(evil)}, "after": {After: evil}, "before": {Before: evil},
				} {
					page, err := w.Search(t.Context(), w.viewer, q)
					if field == "q" && err == nil {
						if page.Total != 0 {
							t.Errorf("%q finds %d", evil, page.Total)
						}
						continue
					}
					if p := wantCode(t, err, problem.Invalid); len(p.Fields) != 1 || p.Fields[0].Name != field {
						t.Errorf("%s=%q: %v", field, evil, err)
					}
				}
				if _, err := w.ByClientID(t.Context(), w.viewer, evil); !problem.Is(err, problem.NotFound) {
					t.Errorf("client ID %q: %v", evil, err)
				}
				if _, err := w.App(t.Context(), w.viewer, registry.AppID(evil)); !problem.Is(err, problem.NotFound) {
					t.Errorf("app %q: %v", evil, err)
				}
				if _, err := w.History(t.Context(), w.viewer, registry.AppID(evil), 0); !problem.Is(err, problem.NotFound) {
					t.Errorf("history of %q: %v", evil, err)
				}
				if _, err := w.Client(t.Context(), evil); !problem.Is(err, problem.NotFound) {
					t.Errorf("client %q: %v", evil, err)
				}
			}
		})
	})
}

// C65: a cursor that was made up, changed, or made for something else is a fault of its parameter.
func TestC65_ForgedCursor(t *testing.T) {
	w := sqliteWorld(t)
	for i := range 3 {
		w.quick(t, w.admin, w.fields(fmt.Sprintf("App %d", i)))
		f := w.fields(fmt.Sprintf("App %d", i))
		f.APIUser = w.globexClient.ID
		w.quick(t, w.globexAdmin, f)
	}
	good := w.search(t, registry.Query{PerPage: 1}).Next
	refused := func(what string, q registry.Query, field string) {
		t.Helper()
		q.PerPage = 1
		page, err := w.Search(t.Context(), w.viewer, q)
		if p := wantFields(t, err, fault(field, "app.search.cursor")); p == nil || page.Rows != nil {
			t.Errorf("%s: %v", what, page)
		}
	}
	for i := range len(good) {
		changed := []byte(good)
		if changed[i]++; changed[i] == good[i] {
			continue
		}
		refused(fmt.Sprintf("character %d", i), registry.Query{After: string(changed)}, "after")
	}
	refused("cut", registry.Query{After: good[:len(good)-4]}, "after")
	refused("padded", registry.Query{After: good + "="}, "after")
	refused("longer", registry.Query{After: good + "AAAA"}, "after")
	refused("another order", registry.Query{After: good, Sort: registry.SortCreated}, "after")
	refused("the other way", registry.Query{After: good, Descending: true}, "after")
	refused("both", registry.Query{After: good, Before: good}, "before")
	theirs, err := w.Search(t.Context(), w.globexAdmin, registry.Query{PerPage: 1})
	if err != nil {
		t.Fatal(err)
	}
	refused("Globex's", registry.Query{After: theirs.Next}, "after")
	if page := w.search(t, registry.Query{PerPage: 1, After: good}); page.From != 2 {
		t.Errorf("the good one leads to %d", page.From)
	}
}
