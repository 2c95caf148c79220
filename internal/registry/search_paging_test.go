package registry_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
)

// crowd registers many apps with the same words over and over, some at the same moment.
func (w *world) crowd(t *testing.T, n int) []registry.App {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	users := map[registry.Category]identity.RobotAccount{
		registry.Customer: w.client, registry.Partner: w.msp, registry.Supplier: w.supplier, registry.MSP: w.msp,
	}
	var apps []registry.App
	for i := range n {
		f := w.fields(fmt.Sprintf("%s %s %d", pick("Alpha", "beta", "Gamma", "über", "报告"), pick("export", "import", "sync"), random.IntN(1000)*1000+i))
		f.Category = registry.Categories()[random.IntN(4)]
		f.APIUser = users[f.Category].ID
		f.Active = random.IntN(3) > 0
		app := w.quick(t, w.operator(w.acme), f)
		if random.IntN(4) > 0 {
			w.clock.Advance(time.Duration(random.IntN(50)) * time.Hour)
		}
		if random.IntN(5) == 0 { // makes the order of changes another than that of making
			g := formOf(app)
			g.Description += " Changed."
			app = must(w.Edit(t.Context(), w.admin, app.ID, app.Version, g))(t)
		}
		apps = append(apps, app)
	}
	return apps
}

// usedNowAndThen gives two of three apps a last use, many of them the same.
func (w *world) usedNowAndThen(t *testing.T, apps []registry.App) {
	t.Helper()
	err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
		for i := range apps {
			if i%3 == 0 {
				continue
			}
			apps[i].LastUsedAt = w.clock.Now().Add(-time.Duration(i*7%50) * time.Hour)
			err := tx.DB().Exec("UPDATE apps SET last_used_at = ? WHERE id = ?", database.Micros(apps[i].LastUsedAt), string(apps[i].ID)).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inOrder is the naive reference: the apps that a query matches, sorted.
func inOrder(apps []registry.App, q registry.Query) []string {
	matching := slices.DeleteFunc(slices.Clone(apps), func(a registry.App) bool {
		lower := strings.ToLower(a.Name)
		return q.Category != "" && a.Category != q.Category || q.Status != "" && a.Status != q.Status ||
			q.Text != "" && !strings.Contains(" "+lower, " "+q.Text)
	})
	slices.SortFunc(matching, func(a, b registry.App) int {
		var order int
		switch q.Sort {
		case registry.SortCategory:
			order = cmp.Compare(a.Category, b.Category)
		case registry.SortStatus:
			order = cmp.Compare(a.Status, b.Status)
		case registry.SortCreated:
			order = a.CreatedAt.Compare(b.CreatedAt)
		case registry.SortModified:
			order = a.ModifiedAt.Compare(b.ModifiedAt)
		case registry.SortUsed:
			order = a.LastUsedAt.Compare(b.LastUsedAt)
		default:
			order = cmp.Compare(identity.Fold(a.Name), identity.Fold(b.Name))
		}
		order = cmp.Or(order, cmp.Compare(a.ID, b.ID))
		if q.Descending {
			order = -order
		}
		return order
	})
	list := make([]string, len(matching))
	for i, a := range matching {
		list[i] = a.Name
	}
	return list
}

// Every order, both ways, walked forwards to the end and back again, is what a naive sort gives, by whichever way pages
// are found.
func TestSearchPaging(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		apps := w.crowd(t, 120)
		w.usedNowAndThen(t, apps)
		w.globexApp(t, "Beta export of Globex")
		filters := []registry.Query{
			{PerPage: 25},
			{Text: "beta", PerPage: 7},
			{Category: registry.MSP, PerPage: 10},
			{Status: registry.Inactive, Text: "sync", PerPage: 9},
			{Category: registry.Partner, Status: registry.Active, PerPage: 100},
		}
		ways := []func(){
			func() {},
			func() { w.SearchBy(-1, 1<<60) }, // all found and sorted
			func() { w.SearchBy(-1, 1) },     // walked to where at all possible
		}
		for _, choose := range ways {
			choose()
			w.pageAll(t, apps, filters)
		}
	})
}

// pageAll walks through every filter in every order.
func (w *world) pageAll(t *testing.T, apps []registry.App, filters []registry.Query) {
	t.Helper()
	for _, sort := range []registry.Sort{
		registry.SortName, registry.SortCategory, registry.SortStatus, registry.SortCreated, registry.SortModified,
		registry.SortUsed,
	} {
		for _, descending := range []bool{false, true} {
			for _, q := range filters {
				q.Sort, q.Descending = sort, descending
				w.walkBothWays(t, q, inOrder(apps, q))
			}
		}
	}
}

func (w *world) walkBothWays(t *testing.T, q registry.Query, want []string) {
	t.Helper()
	var pages []registry.Page
	var got []string
	for {
		page := w.search(t, q)
		if page.Total != len(want) || page.From != len(got)+1 {
			t.Fatalf("%+v: total %d of %d, from %d after %d", q, page.Total, len(want), page.From, len(got))
		}
		pages = append(pages, page)
		got = append(got, names(page)...)
		if page.Next == "" {
			break
		}
		q.After, q.Before = page.Next, ""
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("%+v forwards (-want +got):\n%s", q, diff)
	}
	for i := len(pages) - 1; i > 0; i-- {
		q.After, q.Before = "", pages[i].Previous
		page := w.search(t, q)
		if diff := gocmp.Diff(pages[i-1], page); diff != "" {
			t.Fatalf("%+v back to page %d (-there +back):\n%s", q, i-1, diff)
		}
	}
	if pages[0].Previous != "" {
		t.Errorf("%+v: there is something before the first page", q)
	}
}

// Rows that come and go between two pages shift nothing that was not touched, and a place that is gone leads somewhere.
func TestSearchPagingWhileAppsChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var apps []registry.App
		for _, name := range []string{"aaa", "bbb", "ccc", "ddd", "eee"} {
			apps = append(apps, w.quick(t, w.admin, inactive(w.fields(""), name)))
		}
		remove := func(i int) {
			if err := w.Delete(t.Context(), w.admin, apps[i].ID, apps[i].Version, apps[i].Name); err != nil {
				t.Fatal(err)
			}
		}
		first := w.search(t, registry.Query{PerPage: 2})
		remove(1) // the row that the cursor names
		w.quick(t, w.admin, w.fields("aab"))
		second := w.search(t, registry.Query{PerPage: 2, After: first.Next})
		if diff := gocmp.Diff([]string{"ccc", "ddd"}, names(second)); diff != "" {
			t.Error(diff)
		}
		third := w.search(t, registry.Query{PerPage: 2, After: second.Next})
		remove(0)
		back := w.search(t, registry.Query{PerPage: 2, Before: second.Previous})
		if diff := gocmp.Diff([]string{"aab", "ccc"}, names(back)); diff != "" || back.From != 1 || back.Previous != "" {
			t.Errorf("a short page back did not give way to the first (from %d):\n%s", back.From, diff)
		}
		remove(4)
		gone := w.search(t, registry.Query{PerPage: 2, After: second.Next})
		if len(third.Rows) != 1 || gone.From != 1 || len(gone.Rows) != 2 {
			t.Errorf("a page that is gone gave %v from %d", names(gone), gone.From)
		}
	})
}
