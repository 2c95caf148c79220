package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// column is a column of apps that a query may name. All values are constants: nothing from outside becomes SQL.
type column string

// order is how the grid is sorted: by a column and, where that is not unique, by the ID.
type order struct {
	column column
	unique bool
	isTime bool
}

// orders are backed by an index each, so that a page anywhere costs the same.
var orders = map[Sort]order{
	SortName:     {column: "name_key", unique: true},
	SortCategory: {column: "category"},
	SortStatus:   {column: "status"},
	SortCreated:  {column: "created_at", isTime: true},
	SortModified: {column: "modified_at", isTime: true},
}

// gridRow is what the grid and its cursors need of an app.
type gridRow struct {
	ID            AppID
	ClientID      string
	Name          string
	NameKey       string
	Category      Category
	Status        Status
	CreatedAt     time.Time `gorm:"serializer:micros"`
	CreatedByKind access.Kind
	CreatedByID   string
	ModifiedAt    time.Time `gorm:"serializer:micros"`
}

const gridColumns = "a.id, a.client_id, a.name, a.name_key, a.category, a.status, a.created_at, a.created_by_kind, " +
	"a.created_by_id, a.modified_at"

// cursor returns the place of this row in a walk.
func (g *gridRow) cursor(org access.OrganisationID, w walk, position int) cursor {
	c := cursor{Organisation: org, Sort: w.order, Descending: w.descending, ID: g.ID, Position: position}
	switch w.order {
	case SortName:
		c.Text = g.NameKey
	case SortCategory:
		c.Text = string(g.Category)
	case SortStatus:
		c.Text = string(g.Status)
	case SortCreated:
		c.Time = database.Micros(g.CreatedAt)
	case SortModified:
		c.Time = database.Micros(g.ModifiedAt)
	}
	return c
}

// sql is a piece of SQL with its arguments.
type sql struct {
	text strings.Builder
	args []any
}

func (s *sql) add(text string, args ...any) *sql {
	s.text.WriteString(text)
	s.args = append(s.args, args...)
	return s
}

// source adds a SELECT of the IDs of all apps that a term matches, each match driven by its own index. The same app may
// come more than once.
func (s *sql) source(org access.OrganisationID, t term) {
	for i, m := range t {
		if i > 0 {
			s.add(" UNION ALL ")
		}
		switch {
		case m.words != nil:
			s.add("SELECT w.app_id FROM app_words w WHERE w.organisation_id = ?", string(org))
			s.inSpan(*m.words)
		case m.equals != "":
			s.add("SELECT c.id AS app_id FROM apps c WHERE c.organisation_id = ? AND c.deleted_at IS NULL AND c."+
				string(m.column)+" = ?", string(org), m.equals)
		default:
			s.add("SELECT c.id AS app_id FROM apps c WHERE c.organisation_id = ? AND c.deleted_at IS NULL AND c."+
				string(m.column)+" >= ? AND c."+string(m.column)+" < ?", string(org), m.during[0], m.during[1])
		}
	}
}

func (s *sql) inSpan(words span) {
	if words.to == "" {
		s.add(" AND w.word = ?", words.from)
	} else {
		s.add(" AND w.word >= ? AND w.word < ?", words.from, words.to)
	}
}

// test adds the condition that the app `a` is matched by a term.
func (s *sql) test(t term) {
	s.add(" AND (")
	for i, m := range t {
		if i > 0 {
			s.add(" OR ")
		}
		switch {
		case m.words != nil:
			s.add("EXISTS (SELECT 1 FROM app_words w WHERE w.organisation_id = a.organisation_id AND w.app_id = a.id")
			s.inSpan(*m.words)
			s.add(")")
		case m.equals != "":
			s.add("a."+string(m.column)+" = ?", m.equals)
		default:
			s.add("a."+string(m.column)+" >= ? AND a."+string(m.column)+" < ?", m.during[0], m.during[1])
		}
	}
	s.add(")")
}

// from adds FROM and WHERE of a selection. driven says that the rarest term drives: its apps are found by their words
// and then tested for the others. Otherwise the apps are walked in the order asked for.
func (s *sql) from(sel selection, driven bool) {
	tests := sel.terms
	if driven && len(sel.terms) > 0 {
		s.add(" FROM (SELECT DISTINCT app_id FROM (")
		s.source(sel.organisation, sel.terms[0])
		s.add(") every) hit CROSS JOIN apps a WHERE a.id = hit.app_id AND")
		tests = sel.terms[1:]
	} else {
		s.add(" FROM apps a WHERE")
	}
	s.add(" a.organisation_id = ? AND a.deleted_at IS NULL", string(sel.organisation))
	for _, t := range tests {
		s.test(t)
	}
}

// countTerm counts what a term matches, up to the cap and one more. An app that it matches twice may count twice.
func (s *store) countTerm(ctx context.Context, org access.OrganisationID, t term) (int, error) {
	var q sql
	q.add("SELECT count(*) FROM (SELECT 1 FROM (")
	q.source(org, t)
	q.add(") hit LIMIT ?) capped", TotalCap+1)
	return s.countSQL(ctx, &q)
}

// countSelection counts what all terms match, up to the cap and one more.
func (s *store) countSelection(ctx context.Context, sel selection) (int, error) {
	var q sql
	q.add("SELECT count(*) FROM (SELECT 1")
	q.from(sel, true)
	q.add(" LIMIT ?) capped", TotalCap+1)
	return s.countSQL(ctx, &q)
}

func (s *store) countSQL(ctx context.Context, q *sql) (int, error) {
	var n int
	if err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("count apps: %w", err)
	}
	return n, nil
}

// selectRows reads a page of a selection and one row more, in the direction of the walk. What matches few enough to be
// counted is found by its words and sorted; what matches more is dense enough to be met soon in the order's own index.
func (s *store) selectRows(ctx context.Context, sel selection, w walk) ([]gridRow, error) {
	o := orders[w.order]
	var q sql
	q.add("SELECT " + gridColumns)
	q.from(sel, sel.total <= TotalCap)
	down := w.descending != w.backward
	if w.from != nil {
		q.beyond(o, *w.from, down)
	}
	direction := " ASC"
	if down {
		direction = " DESC"
	}
	q.add(" ORDER BY a." + string(o.column) + direction)
	if !o.unique {
		q.add(", a.id" + direction)
	}
	q.add(" LIMIT ?", w.perPage+1)
	var rows []gridRow
	if err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("search apps: %w", err)
	}
	return rows, nil
}

// beyond adds the condition that a row lies beyond the cursor.
func (s *sql) beyond(o order, c cursor, down bool) {
	var key any = c.Text
	if o.isTime {
		key = c.Time
	}
	sign := " > "
	if down {
		sign = " < "
	}
	if o.unique {
		s.add(" AND a."+string(o.column)+sign+"?", key)
		return
	}
	s.add(" AND (a."+string(o.column)+", a.id)"+sign+"(?, ?)", key, string(c.ID))
}

// replaceWords writes the words by which an app is found.
func replaceWords(tx *database.Tx, org access.OrganisationID, id AppID, words []string) error {
	err := tx.DB().Exec("DELETE FROM app_words WHERE organisation_id = ? AND app_id = ?", string(org), string(id)).Error
	if err != nil || len(words) == 0 {
		return wrap(err, "write an app's words")
	}
	rows := make([]wordRow, len(words))
	for i, w := range words {
		rows[i] = wordRow{OrganisationID: org, Word: w, AppID: id}
	}
	return wrap(tx.DB().CreateInBatches(rows, 500).Error, "write an app's words")
}

type wordRow struct {
	OrganisationID access.OrganisationID `gorm:"primaryKey"`
	Word           string                `gorm:"primaryKey"`
	AppID          AppID                 `gorm:"primaryKey"`
}

// TableName names the table for the ORM.
func (*wordRow) TableName() string { return "app_words" }

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
