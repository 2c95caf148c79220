package registry_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// quick registers an app without a secret, as somebody.
func (w *world) quick(t *testing.T, actor access.Actor, f registry.AppFields) registry.App {
	t.Helper()
	app, _, err := w.Register(t.Context(), actor, registry.NewApp{AppFields: f, WithoutSecret: true})
	if err != nil {
		t.Fatalf("register %q: %v", f.Name, err)
	}
	return app
}

func (w *world) search(t *testing.T, q registry.Query) registry.Page {
	t.Helper()
	page, err := w.Search(t.Context(), w.viewer, q)
	if err != nil {
		t.Fatalf("search %+v: %v", q, err)
	}
	return page
}

func names(page registry.Page) []string {
	list := []string{}
	for _, row := range page.Rows {
		list = append(list, row.Name)
	}
	return list
}

// What the words of ui.md §4.1 find.
func TestSearchWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fields("SAP spend export")
		f.Description = "Sends invoices to the ledger every night."
		first := w.quick(t, w.admin, f)

		w.clock.Advance(24 * time.Hour) // 23 November, 13:05 UTC
		f = w.fields("Müller-Straße 采购系统")
		f.Category, f.APIUser = registry.Supplier, w.supplier.ID
		f.Description = "Candidates of the staffing supplier; 承包商数据 every day."
		f.Contact = registry.Contact{FirstName: "Zoë", LastName: "O’Brien", Email: "z.obrien+apps@staffing.example"}
		f.Active = false
		second := w.quick(t, w.operator(w.acme), f)

		w.clock.Advance(11 * time.Hour) // 24 November, 00:05 UTC
		f = w.fields("Report 2026-11-22 archive")
		f.Category = registry.Partner
		third := w.quick(t, w.admin, f)
		all := []string{second.Name, third.Name, first.Name}

		tests := map[string][]string{
			"":           all,
			"   ":        all,
			"sap":        {first.Name},
			"SAP SPEND":  {first.Name},
			"exp":        {first.Name},
			"export":     {first.Name},
			"xport":      {}, // not the beginning of a word
			"sap muller": {},
			// folding
			"muller":     {second.Name},
			"MÜLLER":     {second.Name},
			"mu\u0308ll": {second.Name},
			"strasse":    {second.Name},
			"ＳＡＰ":        {first.Name},
			"zoe":        {second.Name},
			"o’brien":    {second.Name},
			// client ID, whole and its beginning
			first.ClientID:                   {first.Name},
			strings.ToLower(second.ClientID): {second.Name},
			first.ClientID[:12]:              {first.Name},
			"ccwacme":                        all,
			// contact, mail, creator
			"weber":                          {third.Name, first.Name},
			"jo.weber@acme.example":          {third.Name, first.Name},
			"z.obrien+apps@staffing.example": {second.Name},
			"staffing.example":               {second.Name},
			"silva":                          {third.Name, first.Name},
			"operator":                       {second.Name},
			// description: whole words only
			"ledger":       {first.Name},
			"ledge":        {},
			"invoices sap": {first.Name},
			"staffing":     {second.Name},
			// Chinese, by pairs of characters
			"采购":     {second.Name},
			"购系":     {second.Name},
			"采购系统":   {second.Name},
			"采":      {second.Name},
			"统":      {second.Name},
			"系购":     {},
			"承包商":    {second.Name},
			"数据":     {second.Name},
			"据":      {second.Name},
			"采购 sap": {},
			// category and status by name
			"supplier":        {second.Name},
			"SUPPLIER":        {second.Name},
			"partner":         {third.Name},
			"customer":        {first.Name},
			"active":          {third.Name, first.Name},
			"inactive":        {second.Name},
			"customer active": {first.Name},
			"msp":             {},
			// dates: created or modified then, or written in the name
			"2026-11-22":          {third.Name, first.Name},
			"22.11.2026":          {third.Name, first.Name},
			"22/11/2026":          {third.Name, first.Name},
			"23.11.2026":          {second.Name},
			"24.11.2026":          {third.Name},
			"2026-11-22 customer": {first.Name},
			"2026":                {third.Name},
			"31.02.2026":          {},
			// quotes: the word itself
			`"export"`:      {first.Name},
			`"exp"`:         {},
			`"spend export`: {first.Name},
			`"ledger"`:      {first.Name},
			`"active"`:      {}, // no app has it as a word
			`"2026-11-22"`:  {third.Name},
			// nothing to search for
			"!!!":  {},
			`""`:   {},
			"\x00": {},
			"\xff": {},
			"-":    {},
			// the grammar's keys are words until they come
			"status:active": {},
		}
		for text, want := range tests {
			page := w.search(t, registry.Query{Text: text})
			if diff := gocmp.Diff(want, names(page)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", text, diff)
			}
			if page.Total != len(want) || page.Capped || (page.From == 1) != (len(want) > 0) {
				t.Errorf("%q: total %d, from %d", text, page.Total, page.From)
			}
		}
	})
}

// A day is one of the person who asks.
func TestSearchDatesInZone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.Advance(11 * time.Hour) // 23 November, 00:05 UTC
		w.quick(t, w.admin, w.fields("Midnight"))
		newYork := must(time.LoadLocation("America/New_York"))(t)
		for zone, day := range map[*time.Location]string{nil: "2026-11-23", time.UTC: "23.11.2026", newYork: "22/11/2026"} {
			if page := w.search(t, registry.Query{Text: day, Zone: zone}); page.Total != 1 {
				t.Errorf("%s in %v finds %d", day, zone, page.Total)
			}
		}
		if page := w.search(t, registry.Query{Text: "23.11.2026", Zone: newYork}); page.Total != 0 {
			t.Error("the day of another zone counts")
		}
	})
}

func TestSearchRow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		w.clock.Advance(time.Hour)
		w.rotate(t, app.ID, registry.Rotation{})
		page := w.search(t, registry.Query{})
		want := registry.Page{Total: 1, From: 1, Rows: []registry.Row{{
			ID: app.ID, ClientID: app.ClientID, Name: "Spend export", Category: registry.Customer, Status: registry.Active,
			Secrets:   registry.SecretSummary{Code: registry.SecretsTwo, EndsAt: w.clock.Now().AddDate(1, 0, 0)},
			CreatedAt: app.CreatedAt, CreatedBy: author(w.admin), ModifiedAt: w.clock.Now(),
		}}}
		if diff := gocmp.Diff(want, page); diff != "" {
			t.Error(diff)
		}
	})
}

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

// Every order, both ways, walked forwards to the end and back again, is what a naive sort gives.
func TestSearchPaging(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		apps := w.crowd(t, 300)
		w.globexApp(t, "Beta export of Globex")
		filters := []registry.Query{
			{PerPage: 50}, {Text: "beta", PerPage: 7}, {Category: registry.MSP, PerPage: 10},
			{Status: registry.Inactive, Text: "sync", PerPage: 9}, {Category: registry.Partner, Status: registry.Active, PerPage: 100},
		}
		for _, sort := range []registry.Sort{
			registry.SortName, registry.SortCategory, registry.SortStatus, registry.SortCreated, registry.SortModified,
		} {
			for _, descending := range []bool{false, true} {
				for _, q := range filters {
					q.Sort, q.Descending = sort, descending
					w.walkBothWays(t, q, inOrder(apps, q))
				}
			}
		}
	})
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
	each(t, func(t *testing.T, w *world) {
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
	})
}

func TestSearchBounds(t *testing.T) {
	w := sqliteWorld(t)
	for name, tt := range map[string]struct {
		q    registry.Query
		want map[string]string
	}{
		"too long":  {registry.Query{Text: strings.Repeat("x", 201)}, fault("q", "app.search.too_long")},
		"too many":  {registry.Query{Text: strings.Repeat("x ", 13)}, fault("q", "app.search.too_many")},
		"too few":   {registry.Query{PerPage: -1}, fault("per", "app.search.per")},
		"too large": {registry.Query{PerPage: 101}, fault("per", "app.search.per")},
		"all wrong": {registry.Query{PerPage: 101, Sort: "x", Category: "x", Status: "x"}, map[string]string{
			"per": "app.search.per", "sort": "app.search.sort", "category": "app.search.category", "status": "app.search.status",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Search(t.Context(), w.viewer, tt.q)
			wantFields(t, err, tt.want)
		})
	}
}

// Above the cap a total is not counted on, and the pages are as right as below.
func TestSearchBeyondTheCap(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app := w.quick(t, w.admin, w.fields("Seed app"))
		const many = registry.TotalCap + 500
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec(`INSERT INTO apps SELECT 'id' || n, organisation_id, 'CCWACME_' || n, 'Copy ' || n, 'copy ' || n,
				description, category, type, credential_type, api_user_id, default_api, CASE WHEN n % 1000 = 0 THEN 'inactive' ELSE status END,
				generation, secret_generation, created_at + n, created_by_kind, created_by_id, modified_at + n, modified_by_kind,
				modified_by_id, deleted_at, version
				FROM apps, (WITH RECURSIVE numbers(n) AS (SELECT 100000 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) SELECT n FROM numbers) series
				WHERE id = ?`, 100000+many-2, string(app.ID)).Error
		})
		if err == nil {
			err = w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
				return tx.DB().Exec(`INSERT INTO app_words SELECT organisation_id, word, id FROM apps,
					(SELECT 'copy' AS word UNION ALL SELECT 'copycat' UNION ALL SELECT 'even') words
					WHERE id LIKE 'id%' AND (word <> 'even' OR id LIKE '%0')`).Error
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []registry.Query{{}, {Text: "cop"}, {Text: "copy", Status: registry.Active}} {
			q.PerPage = 100
			for _, sort := range []registry.Sort{registry.SortName, registry.SortModified} {
				q.Sort, q.After, q.Before = sort, "", ""
				first := w.search(t, q)
				if first.Total != registry.TotalCap || !first.Capped || len(first.Rows) != 100 {
					t.Fatalf("%+v: total %d, capped %t, %d rows", q, first.Total, first.Capped, len(first.Rows))
				}
				q.After = first.Next
				second := w.search(t, q)
				q.After, q.Before = "", second.Previous
				if diff := gocmp.Diff(first, w.search(t, q)); diff != "" {
					t.Errorf("%+v: back on the first page:\n%s", q, diff)
				}
			}
		}
		if page := w.search(t, registry.Query{Text: "cop even", Status: registry.Inactive}); page.Total != 11 || page.Capped {
			t.Errorf("rare among common: %d", page.Total)
		}
		counts := must(w.Counts(t.Context(), w.viewer))(t)
		if want := (registry.Counts{Active: registry.TotalCap, Inactive: 11, NoSecret: many - 11}); counts != want {
			t.Errorf("counts %+v, want %+v", counts, want)
		}
	})
}

func TestSearchStopsWithItsContext(t *testing.T) {
	w := sqliteWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Search(ctx, w.viewer, registry.Query{}); err == nil {
		t.Error("a search went on after its caller had left")
	}
}
