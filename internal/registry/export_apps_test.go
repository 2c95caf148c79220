package registry_test

import (
	"errors"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// An export is what all pages of the same search hold together, each app once, however many are read at a time.
func TestExport(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		apps := w.crowd(t, 40)
		w.usedNowAndThen(t, apps)
		w.globexApp(t, "Beta export of Globex")
		f := formOf(apps[3])
		f.SecondContact = registry.Contact{FirstName: "Zoe", LastName: "Second", Email: "zoe@acme.example"}
		f.Scopes = []string{"core.invoice.write", "core.invoice.read"}
		apps[3] = must(w.Edit(t.Context(), w.admin, apps[3].ID, apps[3].Version, f))(t)
		for _, ways := range [][3]int{{2000, 1, 7}, {-1, 1, 7}, {-1, 1, 1000}} {
			w.SearchBy(ways[0], ways[1])
			w.ExportBy(ways[2])
			for _, q := range []registry.Query{
				{}, {Text: "beta"}, {Text: "-beta status:active", Sort: registry.SortUsed, Descending: true}, {Sort: registry.SortCategory}, {Text: "zeppelin"},
			} {
				q.PerPage = 100
				page := w.search(t, q)
				var got []registry.Row
				err := w.Export(t.Context(), w.viewer, q, func(some []registry.Exported) error {
					if len(some) > ways[2] {
						t.Errorf("%d at a time", len(some))
					}
					for _, e := range some {
						got = append(got, e.Row)
						if e.ID == apps[3].ID && (e.SecondContact.Email != "zoe@acme.example" || len(e.Scopes) != 2 || e.APIUser == "" || e.Contact.IsZero()) {
							t.Errorf("exported %+v", e)
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(page.Rows, got); diff != "" {
					t.Errorf("%+v, %v (-pages +export):\n%s", q, ways, diff)
				}
			}
		}
	})
}

func TestExportIsRefused(t *testing.T) {
	w := sqliteWorld(t)
	w.register(t, "Spend export")
	none := func([]registry.Exported) error {
		t.Error("something is handed over")
		return nil
	}
	wantCode(t, w.Export(t.Context(), w.nobody, registry.Query{}, none), problem.Forbidden)
	wantFields(t, w.Export(t.Context(), w.viewer, registry.Query{Text: "status:gone"}, none), fault("q", "app.search.value_status"))
	stop := errors.New("stop")
	if err := w.Export(t.Context(), w.viewer, registry.Query{}, func([]registry.Exported) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the function's own failure comes back as %v", err)
	}
}
