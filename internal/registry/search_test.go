package registry_test

import (
	"context"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
)

// quick registers an app without a secret, as somebody.
func (w *world) quick(t testing.TB, actor access.Actor, f registry.AppFields) registry.App {
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
			// keys
			"status:active":                          {third.Name, first.Name},
			"STATUS:Active":                          {third.Name, first.Name},
			"-status:active":                         {second.Name},
			"status:active,inactive":                 all,
			"category:supplier,partner":              {second.Name, third.Name},
			"name:sap":                               {first.Name},
			"name:SPEND":                             {first.Name},
			"name:weber":                             {},
			"name:ledger":                            {},
			`name:"spend export"`:                    {first.Name},
			`name:"spend exp"`:                       {},
			`name:"spend export",report`:             {third.Name, first.Name},
			`-name:"spend export"`:                   {second.Name, third.Name},
			`-name:"spend export",rep`:               {second.Name},
			"name:2026-11-22":                        {third.Name},
			"name:采购":                                {second.Name},
			"name:购系":                                {second.Name},
			"name:承包":                                {},
			"name:!!!":                               {},
			"-name:!!!":                              all,
			"contact:weber":                          {third.Name, first.Name},
			"contact:sap":                            {},
			"contact:silva":                          {},
			"contact:zoe":                            {second.Name},
			"contact:z.obrien+apps@staffing.example": {second.Name},
			"by:silva":                               {third.Name, first.Name},
			"by:weber":                               {},
			"id:" + first.ClientID:                   {first.Name},
			"id:" + first.ClientID[:12]:              {first.Name},
			"id:ccwacme":                             all,
			"id:sap":                                 {},
			"user:client":                            {third.Name, first.Name},
			"user:supplier":                          {second.Name},
			"user:nobody":                            {},
			"-user:nobody":                           all,
			"-user:client":                           {second.Name},
			"scope:core.invoice.read":                {second.Name, third.Name, first.Name},
			"scope:CORE.Invoice.Read":                {second.Name, third.Name, first.Name},
			`scope:"CORE.invoice.read"`:              {second.Name, third.Name, first.Name},
			"scope:core.invoice":                     all,
			`scope:"core.invoice"`:                   {},
			"-scope:core.invoice.read":               {},
			"scope:ccw":                              {},
			"secret:none":                            all,
			"secret:ok,two,expired,expiring":         {},
			"-secret:none":                           {},
			"used:never":                             all,
			"used:>90d":                              all,
			"used:<90d":                              {},
			"used:<2030-01-01":                       {},
			"-used:never":                            {},
			"created:2026-11-22":                     {first.Name},
			"created:22.11.2026":                     {first.Name},
			"created:>2026-11-22":                    {second.Name, third.Name},
			"created:<2026-11-24":                    {second.Name, first.Name},
			"created:2026-11-22..2026-11-23":         {second.Name, first.Name},
			"created:2026-11-23..":                   {second.Name, third.Name},
			"created:..2026-11-23":                   {second.Name, first.Name},
			"created:2026-11-22,2026-11-24":          {third.Name, first.Name},
			"-created:2026-11-22":                    {second.Name, third.Name},
			"created:>1d":                            {first.Name},
			"created:<1d":                            {second.Name, third.Name},
			"created:<1w":                            all,
			"created:>9999m":                         {},
			"modified:>2026-11-22":                   {second.Name, third.Name},
			"-sap":                                   {second.Name, third.Name},
			"-sap -report":                           {second.Name},
			`-"spend export"`:                        {second.Name, third.Name},
			`-"spend export" -"2026-11-22"`:          {second.Name},
			"export -customer":                       {},
			"-active":                                {second.Name},
			"-2026-11-22":                            {second.Name},
			"foo:bar":                                {},
			"status:active -category:customer":       {third.Name},
			"status:active,active -name:report":      {first.Name},
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
			ID: app.ID, ClientID: app.ClientID, Kind: registry.Caller, Name: "Spend export", Category: registry.Customer,
			Status:    registry.Active,
			Secrets:   registry.SecretSummary{Code: registry.SecretsTwo, EndsAt: w.clock.Now().AddDate(1, 0, 0)},
			CreatedAt: app.CreatedAt, CreatedBy: author(w.admin), ModifiedAt: w.clock.Now(),
		}}}
		if diff := gocmp.Diff(want, page); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSearchBounds(t *testing.T) {
	w := sqliteWorld(t)
	for name, tt := range map[string]struct {
		q    registry.Query
		want map[string]string
	}{
		"too long":              {registry.Query{Text: strings.Repeat("x", 401)}, fault("q", "app.search.too_long")},
		"too many":              {registry.Query{Text: strings.Repeat("x ", 13)}, fault("q", "app.search.too_many")},
		"too many alternatives": {registry.Query{Text: "name:" + strings.Repeat("x,", 13)}, fault("q", "app.search.too_many")},
		"too many together":     {registry.Query{Text: `name:"a b c d","e f g h","i j k l"`}, fault("q", "app.search.too_many")},
		"no value":              {registry.Query{Text: "status:"}, fault("q", "app.search.empty")},
		"quoted nothing":        {registry.Query{Text: `name:"",`}, fault("q", "app.search.empty")},
		"no category":           {registry.Query{Text: "category:friend"}, fault("q", "app.search.value_category")},
		"no status":             {registry.Query{Text: "-status:active,gone"}, fault("q", "app.search.value_status")},
		"no secret":             {registry.Query{Text: "secret:new"}, fault("q", "app.search.value_secret")},
		"no day":                {registry.Query{Text: "created:2026-13-01"}, fault("q", "app.search.value_created")},
		"no range":              {registry.Query{Text: "created:.."}, fault("q", "app.search.value_created")},
		"range backwards":       {registry.Query{Text: "modified:2026-11-22..2026-11-21"}, fault("q", "app.search.value_modified")},
		"sign and range":        {registry.Query{Text: "modified:>..2026-11-21"}, fault("q", "app.search.value_modified")},
		"no age":                {registry.Query{Text: "used:>90"}, fault("q", "app.search.value_used")},
		"long age":              {registry.Query{Text: "used:>90000d"}, fault("q", "app.search.value_used")},
		"too few":               {registry.Query{PerPage: -1}, fault("per", "app.search.per")},
		"too large":             {registry.Query{PerPage: 101}, fault("per", "app.search.per")},
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
			return tx.DB().Exec(`INSERT INTO apps (id, organisation_id, client_id, name, name_key, description, category, type,
				credential_type, api_user_id, default_api, status, generation, secret_generation, created_at, created_by_kind, created_by_id,
				modified_at, modified_by_kind, modified_by_id, deleted_at, version)
				SELECT 'id' || n, organisation_id, 'CCWACME_' || n, 'Copy ' || n, 'copy ' || n,
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
		for _, q := range []registry.Query{{}, {Text: "cop"}, {Text: "status:active"}} {
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
		if want := (registry.Counts{Active: registry.TotalCap + 1, Inactive: 11, NoSecret: registry.TotalCap + 1}); counts != want {
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
