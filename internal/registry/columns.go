package registry

import (
	"context"
	"slices"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
)

// Column is an optional column of the grid (ui.md §4.1). What it holds is read when somebody wants to see it, and then
// for all rows of a page at once.
type Column string

// The optional columns, named as the keys that search them.
const (
	ColumnContact Column = "contact" // the first contact, and whether its address is stale
	ColumnUser    Column = "user"    // the API user; a resource server has none
	ColumnScopes  Column = "scopes"  // how many scopes the app holds
)

// Columns returns the optional columns in the order in which they stand.
func Columns() []Column { return []Column{ColumnContact, ColumnUser, ColumnScopes} }

// ParseColumns reads a choice of columns as an address has it: "contact,scopes". Each is returned once, in the order of
// Columns; what is no column is left out.
func ParseColumns(text string) []Column {
	var chosen []Column
	asked := strings.Split(text, ",")
	for _, c := range Columns() {
		if slices.Contains(asked, string(c)) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// FormatColumns is the reverse of ParseColumns.
func FormatColumns(columns []Column) string {
	words := make([]string, len(columns))
	for i, c := range columns {
		words[i] = string(c)
	}
	return strings.Join(words, ",")
}

// Extra is what the optional columns say of an app; those that nobody asked for are zero.
type Extra struct {
	Contact Contact // zero when its person was erased
	Address Address
	APIUser string // display name
	Scopes  int
}

// Extras returns what optional columns say of the apps of a page, by app: one query, none without columns or apps. It
// takes apps.view. Apps of other organisations and deleted ones are left out. More apps than a page holds are
// problem.Invalid.
func (r *Registry) Extras(ctx context.Context, actor access.Actor, apps []AppID, columns []Column) (map[AppID]Extra, error) {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return nil, err
	}
	if len(apps) == 0 || len(columns) == 0 {
		return nil, nil
	}
	if len(apps) > maxPerPage {
		return nil, problem.Fields(problem.NewField("per", "app.search.per"))
	}
	rows, err := r.store.extras(ctx, actor.Organisation, apps, columns)
	if err != nil {
		return nil, err
	}
	extras := make(map[AppID]Extra, len(rows))
	for i := range rows {
		extras[rows[i].ID] = rows[i].extra()
	}
	return extras, nil
}
