// Package sql is read by TestC65_FindsForeignText, never built into the product. Lines with the word "foreign" at their
// end let text from outside into SQL.
package sql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"
)

type column string

const name column = "name"

type query struct {
	text   strings.Builder
	args   []any
	suffix string
}

type filter struct{ name string }

var directions = map[bool]string{true: "ASC", false: "DESC"}

func constants(g *gorm.DB, up bool, id string, ids []string) {
	g.Where("id = ?", id).Order("id")
	g.Where("id IN ?", ids).Where(&filter{name: id})
	g.Order(string(name) + " " + directions[up])
	g.First(nil, "id = ?", id)
	g.Select("id", "name").Find(nil)
	order := "id"
	if up {
		order = strings.Join([]string{"name", "id"}, ", ")
	}
	g.Order(order)
	byColumn(g, "name", id)
	chosen(g, func() string { return "id" })
	q := &query{suffix: " LIMIT 1"}
	q.text.WriteString("SELECT 1")
	for range ids {
		q.text.WriteString(" UNION SELECT ?")
	}
	g.Raw(q.text.String()+q.suffix, q.args...)
	g.Exec(fmt.Sprintf("DELETE FROM apps LIMIT %d", len(ids)))
	func() { g.Table(order) }()
	for _, c := range []string{"a", "b"} {
		g.Group(c)
	}
}

func byColumn(g *gorm.DB, column, value string) { g.Where(column+" = ?", value) }

// Outside is exported, and nobody in the module calls it: its arguments may be anything.
func Outside(ctx context.Context, g *gorm.DB, db *sql.DB, id string, c column) {
	constants(g, true, id, nil)
	g.Where("id = '" + id + "'")                // foreign
	g.Where(id)                                 // foreign
	g.First(nil, id)                            // foreign
	g.Order(string(c))                          // foreign
	g.Select("id", id)                          // foreign
	g.Raw(fmt.Sprintf("SELECT %s", id))         // foreign
	_, _ = db.ExecContext(ctx, "DROP "+id)      // foreign
	_ = db.QueryRowContext(ctx, clean(id))      // foreign
	func() { g.Table(strings.TrimSpace(id)) }() // foreign
	ordered(g, id)
	q := &other{}
	q.text.WriteString("SELECT ")
	q.text.WriteString(id)
	g.Raw(q.text.String()) // foreign
	r := &third{suffix: id}
	g.Exec("DELETE" + r.suffix) // foreign
	known := map[string]string{}
	known["a"] = id
	g.Pluck(known["a"], nil) // foreign
	apply(escaping, g, id)
	chosenBadly(g, func() string { return id })
	columns := []string{"a", "b"}
	columns[1] = id
	g.Group(columns[0]) // foreign
}

func ordered(g *gorm.DB, by string) { g.Order(by) } // foreign

func escaping(g *gorm.DB, by string) { g.Order(by) } // foreign

func apply(f func(*gorm.DB, string), g *gorm.DB, by string) { f(g, by) }

func chosen(g *gorm.DB, by func() string) { g.Order(by()) }

func chosenBadly(g *gorm.DB, by func() string) { g.Order(by()) } // foreign

func clean(s string) string { return strings.ToLower(s) }

type other struct{ text strings.Builder }

type third struct{ suffix string }
