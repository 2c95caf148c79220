package web_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cells reads an export as a spreadsheet does.
func cells(t *testing.T, body string) [][]string {
	t.Helper()
	rest, ok := strings.CutPrefix(body, "\ufeff")
	if !ok {
		t.Error("the file begins with no byte order mark")
	}
	rows, err := csv.NewReader(strings.NewReader(rest)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestC67_UI16_ExportHoldsNoFormula: no cell of the CSV file begins with what a spreadsheet calculates (ui.md §7 item 16, T25).
func TestC67_UI16_ExportHoldsNoFormula(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	names := []string{`=1+1`, `+1`, `-1`, `@SUM(A1)`, `=HYPERLINK("http://evil.example","x")`, `a,"b"`, `plain`, `＝1+1`, `＋1`, `－1`, `＠SUM(A1)`}
	for i, name := range names {
		admin.register(map[string][]string{"name": {name + fmt.Sprintf(" %d", i)}, "contact_first_name": {"=cmd"}, "contact_last_name": {"@x"}})
	}
	answer := admin.get("/apps?format=csv&sort=created").is(http.StatusOK)
	if got := answer.header.Get("Content-Type"); !strings.HasPrefix(got, "text/csv; charset=utf-8") {
		t.Errorf("content type %q", got)
	}
	if got := answer.header.Get("Content-Disposition"); got != `attachment; filename="apps-2026-11-22.csv"` {
		t.Errorf("disposition %q", got)
	}
	rows := cells(t, answer.body)
	if len(rows) != len(names)+1 {
		t.Fatalf("%d lines", len(rows))
	}
	for i, row := range rows {
		for _, cell := range row {
			if strings.IndexAny(cell, "=+-@\t\r\n＝＋－＠") == 0 {
				t.Errorf("a spreadsheet would calculate %q", cell)
			}
		}
		if i > 0 && strings.TrimPrefix(row[1], "'") != fmt.Sprintf("%s %d", names[i-1], i-1) {
			t.Errorf("line %d is of %q", i, row[1])
		}
	}
}

// TestExport: what a file holds of an app, in both forms; the search and the order of the list count, pages do not.
func TestExport(t *testing.T) {
	p := newPortal(t)
	p.fill(30)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	page := admin.get("/apps?q=status%3Aactive&sort=name&dir=desc&per=25").is(http.StatusOK)
	csvHref := page.Find(".pager a").FilterFunction(func(_ int, s *selection) bool { return s.Text() == "CSV" }).AttrOr("href", "")
	rows := cells(t, admin.get(csvHref).is(http.StatusOK).body)
	if len(rows) != 17 || rows[1][1] != "SAP spend export" || rows[2][1] != "App 029" || rows[16][1] != "App 001" {
		t.Fatalf("%d lines, the first of %q", len(rows), rows[1][1])
	}
	var list []map[string]any
	answer := admin.get("/apps?format=json&q=name:sap").is(http.StatusOK)
	p.must(json.Unmarshal([]byte(answer.body), &list))
	want := []map[string]any{{
		"client_id": made.clientID, "name": "SAP spend export", "category": "customer", "status": "active", "secret": "new",
		"secret_ends_at": list[0]["secret_ends_at"], "last_used_at": nil, "created_by": "Ana Silva", "created_at": "2026-11-22T13:05:00Z",
		"modified_at": "2026-11-22T13:05:00Z", "api_user": list[0]["api_user"], "scopes": []any{invoiceRead},
		"contact": map[string]any{"first_name": "Ana", "last_name": "Silva", "email": "admin@acme.example"},
	}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	for format, empty := range map[string]string{"json": "[\n]\n", "csv": "\ufeffclient_id,"} {
		if got := admin.get("/apps?q=zeppelin&format=" + format).is(http.StatusOK).body; !strings.HasPrefix(got, empty) {
			t.Errorf("nothing as %s: %q", format, got)
		}
	}
	admin.get("/apps?format=csv&q=status%3Agone").is(http.StatusBadRequest).says("#results", "active or inactive")
	if got := admin.do(http.MethodHead, "/apps?format=csv&q=status%3Agone", nil, nil).status; got != http.StatusBadRequest {
		t.Errorf("HEAD answers %d where GET is refused", got)
	}
	if got := admin.do(http.MethodHead, "/apps?format=csv&q=name:sap&per=7000", nil, nil).status; got != http.StatusOK {
		t.Errorf("HEAD answers %d where GET is answered", got)
	}
	admin.get("/apps?format=xml").is(http.StatusOK).says("h1", "API consumer apps")
	if to := admin.get("/apps?format=csv&status=active").is(http.StatusSeeOther).header.Get("Location"); to != "/apps?q="+url.QueryEscape("status:active")+"&format=csv" {
		t.Errorf("a filter beside a format leads to %q", to)
	}
	if strings.Contains(answer.body, made.secret) {
		t.Error("the file holds a secret")
	}
	p.as("viewer@acme.example").get("/apps?format=csv").is(http.StatusOK)
	if got := p.stranger().get("/apps?format=csv"); got.status == http.StatusOK {
		t.Error("a stranger gets the file")
	}
}
