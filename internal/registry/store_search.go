package registry

import (
	"context"
	"errors"
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

// unindexed is what columns are called that no index is to be chosen for: a walk goes in the order asked for. To SQLite,
// which knows nothing of how often a value occurs, any condition on a column looks better than that; a + hides it.
// PostgreSQL has statistics, and chooses well.
func (s *store) unindexed() string {
	if s.db.Dialect() == database.SQLite {
		return "+a."
	}
	return "a."
}

// countChunk is how many matches are counted by one statement: SQLite joins 500 at most.
const countChunk = 100

// countTerms counts what each term of several lists matches, up to a number, and puts the rarest of each list first; an app
// that a term matches twice counts twice. What a term matches nothing by is taken from it, and a beginning that only one
// word has becomes that word, so that what finds each app once only is known to do so.
func (s *store) countTerms(ctx context.Context, org access.OrganisationID, lists [][]counted, most int) error {
	var all []match
	for _, t := range slices.Concat(lists...) {
		all = append(all, t.term...)
	}
	var found []foundMatch
	for chunk := range slices.Chunk(all, countChunk) {
		list, err := s.countMatches(ctx, org, chunk, most)
		if err != nil {
			return err
		}
		found = append(found, list...)
	}
	for _, terms := range lists {
		for i := range terms {
			n := len(terms[i].term)
			terms[i] = summed(terms[i].term, found[:n], most)
			found = found[n:]
		}
		byNumber(terms)
	}
	return nil
}

// foundMatch is how many words, scopes or apps a match comes upon, up to a number, and the first and last word.
type foundMatch struct {
	N         int
	Low, High string
}

// summed is a term without what matches nothing. Where not all was counted, there may be any number.
func summed(t term, found []foundMatch, most int) counted {
	var c counted
	for i, m := range t {
		f := found[i]
		if c.n += f.N; f.N == 0 {
			continue
		}
		if m.words != nil && m.words.to != "" && f.Low == f.High {
			m = match{words: &span{from: f.Low}}
		}
		c.term = append(c.term, m)
	}
	if c.term == nil {
		c.term = t
	}
	if c.n >= most {
		c.n = TotalCap + 1
	}
	return c
}

// countMatches counts what each match comes upon, up to a number.
func (s *store) countMatches(ctx context.Context, org access.OrganisationID, matches []match, most int) ([]foundMatch, error) {
	var q sql
	for i, m := range matches {
		if i > 0 {
			q.add(" UNION ALL ")
		}
		q.add("SELECT CAST(? AS INTEGER) AS i, (SELECT count(*) FROM (SELECT 1 FROM (", i)
		q.source(org, term{m})
		q.add(") every LIMIT ?) capped) AS n", most)
		for _, which := range []string{"min", "max"} {
			if m.words == nil || m.words.to == "" {
				q.add(", ''")
			} else {
				q.add(", COALESCE((SELECT "+which+"(w.word) FROM app_words w WHERE w.organisation_id = ? AND ", string(org))
				q.inSpan(*m.words)
				q.add("), '')")
			}
			q.add(map[string]string{"min": " AS low", "max": " AS high"}[which])
		}
	}
	q.add(" ORDER BY 1")
	var rows []foundMatch
	err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&rows).Error
	if err == nil && len(rows) != len(matches) {
		err = errors.New("a match was not counted")
	}
	return rows, wrap(err, "count what terms match")
}

// common reports whether so many apps match all of several terms that a short walk meets more of them than are counted then.
// It only walks where it will not be long, were the terms to have nothing to do with each other.
func (s *store) common(ctx context.Context, sel *selection) (bool, error) {
	if len(sel.terms) < 2 || len(sel.mustNot) > 0 {
		return false, nil
	}
	if err := s.countAll(ctx, sel); err != nil || sel.apps == 0 {
		return false, err
	}
	expected := float64(sel.apps)
	for _, t := range sel.terms {
		expected *= min(1, float64(t.n)/float64(sel.apps))
	}
	if expected < float64(2*s.ways.common) {
		return false, nil
	}
	n, err := s.countWalk(ctx, *sel, s.ways.common+1)
	return n > s.ways.common, err
}

// countAll counts the organisation's apps, once for a selection.
func (s *store) countAll(ctx context.Context, sel *selection) (err error) {
	if sel.apps == 0 {
		sel.apps, err = s.countWalk(ctx, selection{organisation: sel.organisation}, countedApps)
	}
	return err
}

// heldScopes returns the scopes that the organisation's apps hold, one look at the index for each.
func (s *store) heldScopes(ctx context.Context, org access.OrganisationID) ([]string, error) {
	var list []string
	err := s.db.Read(ctx).Raw(`WITH RECURSIVE held (scope) AS (
			SELECT min(scope) FROM app_scopes WHERE organisation_id = ?
			UNION ALL
			SELECT (SELECT min(h.scope) FROM app_scopes h WHERE h.organisation_id = ? AND h.scope > held.scope)
			FROM held WHERE held.scope IS NOT NULL)
		SELECT scope FROM held WHERE scope IS NOT NULL`, string(org), string(org)).Scan(&list).Error
	return list, wrap(err, "read which scopes are held")
}

// countWalk counts what a walk through the apps meets, up to a number.
func (s *store) countWalk(ctx context.Context, sel selection, most int) (int, error) {
	var q sql
	q.add("SELECT count(*) FROM (SELECT 1")
	q.walked(sel, s.unindexed())
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
	return max(0, all-off), err // an app may have changed in between
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
		n, known, err := s.countApps(ctx, sel.organisation, sel.terms[0].term)
		if err != nil || known {
			return n, err
		}
		return s.countMany(ctx, sel)
	}
	var q sql
	q.add("SELECT count(*) FROM (")
	if len(sel.terms) > 0 {
		q.found(sel, "")
	} else {
		q.add("SELECT 1")
		q.walked(sel, s.unindexed())
	}
	q.add(" LIMIT ?) capped", TotalCap+1)
	return s.countSQL(ctx, &q)
}

// countMany counts the apps of a selection that has more matches than are looked at: each app of the organisation is
// tested. Where that would be too many, more than the cap are said to match, or so nearly that "10,000+" is no lie to care
// about.
func (s *store) countMany(ctx context.Context, sel selection) (int, error) {
	if err := s.countAll(ctx, &sel); err != nil || sel.apps > TotalCap {
		return TotalCap + 1, err
	}
	return s.countWalk(ctx, sel, TotalCap+1)
}

// countApps counts the apps that a term matches, each once. Should it see no end of the matches that it looks at, their
// number is not known.
func (s *store) countApps(ctx context.Context, org access.OrganisationID, t term) (n int, known bool, err error) {
	var q sql
	if t.sorted() {
		q.add("SELECT count(*) FROM (")
		q.drive(org, t)
		q.add(" LIMIT ?) capped", TotalCap+1)
		n, err = s.countSQL(ctx, &q)
		return n, true, err
	}
	q.add("SELECT count(*) AS apps, COALESCE(SUM(n), 0) AS matches FROM (SELECT app_id, count(*) AS n FROM (SELECT app_id FROM (")
	q.source(org, t)
	q.add(") every LIMIT ?) seen GROUP BY app_id) once", s.ways.look)
	var row struct{ Apps, Matches int }
	if err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&row).Error; err != nil {
		return 0, false, fmt.Errorf("count apps: %w", err)
	}
	return min(row.Apps, TotalCap+1), row.Matches < s.ways.look || row.Apps > TotalCap, nil
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
	o := orders[w.order]
	if dense && !sel.few {
		q.add("SELECT " + gridColumns)
		q.walked(sel, s.unindexed())
		q.page(w, "a."+string(o.column), "a.id")
	} else { // only places and IDs are sorted, and only a page's rows are fetched
		q.add("WITH found AS MATERIALIZED (")
		q.found(sel, o.column)
		q.add(") SELECT " + gridColumns)
		if sel.few {
			q.add(", (SELECT count(*) FROM found) AS total")
		}
		q.add(" FROM (SELECT f.id, f.place FROM found f WHERE 1 = 1")
		q.page(w, "f.place", "f.id")
		q.add(") p CROSS JOIN apps a WHERE a.organisation_id = ? AND a.id = p.id", string(sel.organisation))
		q.order(w, "p.place", "p.id")
	}
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
	// look is how many matches of a term are looked at to count its apps: so many that nearly every app may have four.
	look int
	// users is how many API users the values of a search may name together: each is an argument of its statements, of
	// which SQLite takes 32,766.
	users int
	// export is how many apps an export reads at once.
	export int
}

var usualWays = searchWays{
	few: 2000, cost: 5 * defaultPerPage, common: 1000, look: 4 * (TotalCap + 1), users: 5000, export: 1000,
}

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
	most := sel.total * sel.total / s.ways.cost
	if most >= countedApps {
		return true, nil
	}
	err := s.countAll(ctx, &sel)
	return sel.apps <= most, err
}

// page adds the end of a statement that reads the rows of a page and one more: beyond the cursor, in the order of the walk.
func (s *sql) page(w walk, place, id string) {
	o := orders[w.order]
	if w.from != nil {
		var key any = w.from.Text
		if o.isTime {
			key = w.from.Time
		}
		sign := " > "
		if w.down() {
			sign = " < "
		}
		if o.unique {
			s.add(" AND "+place+sign+"?", key)
		} else {
			s.add(" AND ("+place+", "+id+")"+sign+"(?, ?)", key, string(w.from.ID))
		}
	}
	s.order(w, place, id)
	s.add(" LIMIT ?", w.perPage+1)
}

// order adds the order of a walk.
func (s *sql) order(w walk, place, id string) {
	direction := " ASC"
	if w.down() {
		direction = " DESC"
	}
	s.add(" ORDER BY " + place + direction)
	if !orders[w.order].unique {
		s.add(", " + id + direction)
	}
}

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
