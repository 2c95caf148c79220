package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
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
	SortUsed:     {column: "last_used_at", isTime: true},
}

// gridRow is what the grid and its cursors need of an app.
type gridRow struct {
	ID            AppID
	ClientID      string
	Kind          Kind
	ResourceAPI   string
	Name          string
	NameKey       string
	Category      Category
	Status        Status
	CreatedAt     time.Time `gorm:"serializer:micros"`
	CreatedByKind access.Kind
	CreatedByID   string
	ModifiedAt    time.Time `gorm:"serializer:micros"`
	LastUsedAt    int64     // 0: never
	APIUserID     *identity.RobotID
	Total         int // of a selection of few: how many there are on all pages
}

const gridColumns = "a.id, a.client_id, a.kind, a.resource_api, a.name, a.name_key, a.category, a.status, a.created_at, " +
	"a.created_by_kind, a.created_by_id, a.modified_at, a.last_used_at, a.api_user_id"

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
	case SortUsed:
		c.Time = g.LastUsedAt
	}
	return c
}

// countTerms counts what each term matches and puts the rarest first.
func (s *store) countTerms(ctx context.Context, org access.OrganisationID, terms []counted) (err error) {
	for i := range terms {
		if terms[i].n, err = s.countTerm(ctx, org, terms[i].term); err != nil {
			return err
		}
	}
	byNumber(terms)
	return nil
}

// countTerm counts what a term matches, up to the cap and one more. An app that it matches twice counts twice.
func (s *store) countTerm(ctx context.Context, org access.OrganisationID, t term) (int, error) {
	var q sql
	q.add("SELECT count(*) FROM (SELECT 1 FROM (")
	q.source(org, t)
	q.add(") every LIMIT ?) capped", TotalCap+1)
	return s.countSQL(ctx, &q)
}

// common reports whether so many apps match all of several terms that a short walk meets more of them than are counted then.
// It only walks where it will not be long, were the terms to have nothing to do with each other.
func (s *store) common(ctx context.Context, sel selection) (bool, error) {
	if len(sel.terms) < 2 || len(sel.mustNot) > 0 {
		return false, nil
	}
	apps, err := s.countWalk(ctx, selection{organisation: sel.organisation}, countedApps)
	if err != nil || apps == 0 {
		return false, err
	}
	expected := float64(apps)
	for _, t := range sel.terms {
		expected *= min(1, float64(t.n)/float64(apps))
	}
	if expected < float64(2*s.ways.common) {
		return false, nil
	}
	n, err := s.countWalk(ctx, sel, s.ways.common+1)
	return n > s.ways.common, err
}

// countWalk counts what a walk through the apps meets, up to a number.
func (s *store) countWalk(ctx context.Context, sel selection, most int) (int, error) {
	var q sql
	q.add("SELECT count(*) FROM (SELECT 1")
	q.walked(sel)
	q.add(" LIMIT ?) capped", most)
	return s.countSQL(ctx, &q)
}

// countSelection counts what is selected, up to the cap and one more. What must not be is taken off the number of the
// rest where both are known: to test thousands of apps for what they are not takes longer.
func (s *store) countSelection(ctx context.Context, sel selection) (int, error) {
	without, ok := sel.excluded()
	if !ok {
		return s.countTests(ctx, sel)
	}
	rest := sel
	rest.mustNot = nil
	all, err := s.countTests(ctx, rest)
	if err != nil || all > TotalCap {
		return s.countTests(ctx, sel)
	}
	off, err := s.countTests(ctx, without)
	return all - off, err
}

// excluded returns what a selection leaves out of its own terms because of what must not be. ok is false where there is
// no such thing, or terms that hold together cannot say it.
func (sel selection) excluded() (out selection, ok bool) {
	out = sel
	out.mustNot = nil
	switch {
	case len(sel.mustNot) == 0:
		return out, false
	case len(sel.mustNot) == 1:
		out.terms = slices.Concat(sel.mustNot[0], sel.terms)
	default:
		var either counted
		for _, not := range sel.mustNot {
			if len(not) != 1 {
				return out, false
			}
			either.term = append(either.term, not[0].term...)
			either.n += not[0].n
		}
		out.terms = append([]counted{either}, sel.terms...)
	}
	byNumber(out.terms)
	return out, true
}

func (s *store) countTests(ctx context.Context, sel selection) (int, error) {
	if len(sel.terms) == 1 && len(sel.mustNot) == 0 {
		if t := sel.terms[0]; t.term.once() {
			return t.n, nil
		}
		return s.countApps(ctx, sel.organisation, sel.terms[0].term)
	}
	var q sql
	q.add("SELECT count(*) FROM (SELECT 1")
	if len(sel.terms) > 0 {
		q.driven(sel, false)
	} else {
		q.walked(sel)
	}
	q.add(" LIMIT ?) capped", TotalCap+1)
	return s.countSQL(ctx, &q)
}

// countApps counts the apps that a term matches, each once. It looks at so many matches at most that nearly every app
// may have four of them; should it see no end, there are more than the cap, or so nearly that "10,000+" is no lie to
// care about.
func (s *store) countApps(ctx context.Context, org access.OrganisationID, t term) (int, error) {
	const most = 4 * (TotalCap + 1)
	var q sql
	q.add("SELECT count(*) AS apps, COALESCE(SUM(n), 0) AS matches FROM (SELECT app_id, count(*) AS n FROM (SELECT app_id FROM (")
	q.source(org, t)
	q.add(") every LIMIT ?) seen GROUP BY app_id) once", most)
	var row struct{ Apps, Matches int }
	if err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&row).Error; err != nil {
		return 0, fmt.Errorf("count apps: %w", err)
	}
	if row.Matches == most {
		return TotalCap + 1, nil
	}
	return min(row.Apps, TotalCap+1), nil
}

func (s *store) countSQL(ctx context.Context, q *sql) (int, error) {
	var n int
	if err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("count apps: %w", err)
	}
	return n, nil
}

// selectRows reads a page of a selection and one row more, in the direction of the walk.
func (s *store) selectRows(ctx context.Context, sel selection, w walk) ([]gridRow, error) {
	dense, err := s.dense(ctx, sel)
	if err != nil {
		return nil, err
	}
	return s.pageRows(ctx, sel, w, dense)
}

// pageRows reads a page by walking through the order's own index, or by finding all that is selected and sorting it.
func (s *store) pageRows(ctx context.Context, sel selection, w walk, dense bool) ([]gridRow, error) {
	var q sql
	switch {
	case sel.few: // counted before those that do not lie beyond the cursor are left out
		q.add("SELECT * FROM (SELECT " + gridColumns + ", count(*) OVER () AS total")
		q.driven(sel, true)
		q.add(") a WHERE 1 = 1")
	case dense:
		q.add("SELECT " + gridColumns)
		q.walked(sel)
	default:
		q.add("SELECT " + gridColumns)
		q.driven(sel, true)
	}
	o := orders[w.order]
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

// searchWays say by which of three ways a page is found. All lead to the same rows.
type searchWays struct {
	// few is how many matches of the rarest term are always found by their words, counted and sorted in one go: a
	// millisecond or two.
	few int
	// cost weighs finding and sorting all matches against walking through the order's own index, for more. To walk tests
	// about perPage × apps ÷ matches apps; one test costs about as much as one match. Where the matches lie together,
	// though, a walk may come to them last, so it has to be the better way by far.
	cost int
	// common is how far several terms are counted that nearly every app matches: to find out that they match 9,000 apps and
	// not 8,000 would take most of the time of the page, and helps nobody to find one of them.
	common int
	// export is how many apps an export reads at once.
	export int
}

var usualWays = searchWays{few: 2000, cost: 5 * defaultPerPage, common: 2000, export: 1000}

// countedApps is how many apps are counted at most to find out whether a walk is the better way.
const countedApps = 20_000

// dense reports whether what is selected is met soon by walking through the order's own index, so that this is quicker
// than to find all by their words and sort them.
func (s *store) dense(ctx context.Context, sel selection) (bool, error) {
	if sel.few {
		return false, nil
	}
	if len(sel.terms)+len(sel.mustNot) == 0 || sel.total > TotalCap || sel.more {
		return true, nil
	}
	most := min(sel.total*sel.total/s.ways.cost, countedApps)
	apps, err := s.countWalk(ctx, selection{organisation: sel.organisation}, most+1)
	return apps <= most, err
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

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
