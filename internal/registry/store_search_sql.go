package registry

import (
	"slices"
	"strings"

	"credenza.example/credenza/internal/access"
)

// sql is a piece of SQL with its arguments.
type sql struct {
	text strings.Builder
	args []any
}

func (s *sql) add(text string, args ...any) {
	s.text.WriteString(text)
	s.args = append(s.args, args...)
}

// once reports whether a source names each app once only.
func (t term) once() bool {
	return len(t) == 1 && len(t[0].scopes) < 2 && (t[0].words == nil || t[0].words.to == "")
}

// sorted reports whether what each match comes upon stands in the order of the apps, so that SQLite can merge it: that
// takes a quarter of the time of making the apps distinct.
func (t term) sorted() bool {
	return !slices.ContainsFunc(t, func(m match) bool {
		return m.asksColumns() || len(m.scopes) > 1 || m.words != nil && m.words.to != ""
	})
}

// source adds a SELECT of the IDs of all apps that a term matches, each match driven by its own index. The same app may
// come more than once; deleted ones never do, having no words and no scopes.
func (s *sql) source(org access.OrganisationID, t term) { s.sources(org, t, " UNION ALL ") }

func (s *sql) sources(org access.OrganisationID, t term, join string) {
	for i, m := range t {
		if i > 0 {
			s.add(join)
		}
		switch {
		case m.words != nil:
			s.add("SELECT w.app_id FROM app_words w WHERE w.organisation_id = ? AND ", string(org))
			s.inSpan(*m.words)
		case m.scopes != nil:
			s.add("SELECT h.app_id FROM app_scopes h WHERE h.organisation_id = ? AND h.scope IN ?", string(org), m.scopes)
		default:
			s.add("SELECT c.id AS app_id FROM apps c WHERE c.organisation_id = ? AND c.deleted_at IS NULL AND ", string(org))
			s.inColumns("c.", m)
		}
	}
}

// tested is whose apps are tested: where their IDs stand, what their columns are called ("" where none are at hand), and
// how many there may be.
type tested struct {
	organisation access.OrganisationID
	id           string
	columns      string
	n            int
}

// tests adds the conditions that an app is matched by terms, and by none of what it must not be.
func (s *sql) tests(at tested, must []counted, mustNot [][]counted) {
	for _, t := range must {
		s.add(" AND ")
		s.test(at, t)
	}
	for _, not := range mustNot {
		s.add(" AND NOT (1 = 1")
		s.tests(at, not, nil)
		s.add(")")
	}
}

// gather is how many matches are gathered in the time of one test of an app.
const gather = 4

// test adds the condition that an app is matched by a term. Where many apps are tested, all matches are gathered first and
// the apps are looked up among them.
func (s *sql) test(at tested, t counted) {
	asksColumns := slices.ContainsFunc(t.term, match.asksColumns)
	if asksColumns && at.columns == "" || !asksColumns && t.n <= TotalCap && at.n*gather > t.n {
		s.add("(" + at.id + " IN (")
		s.source(at.organisation, t.term)
		s.add("))")
		return
	}
	s.add("(")
	for i, m := range t.term {
		if i > 0 {
			s.add(" OR ")
		}
		switch {
		case m.words != nil:
			s.add("EXISTS (SELECT 1 FROM app_words w WHERE w.organisation_id = ? AND w.app_id = "+at.id+" AND ", string(at.organisation))
			s.inSpan(*m.words)
			s.add(")")
		case m.scopes != nil:
			s.add("EXISTS (SELECT 1 FROM app_scopes h WHERE h.organisation_id = ? AND h.app_id = "+at.id+" AND h.scope IN ?)",
				string(at.organisation), m.scopes)
		default:
			s.inColumns(at.columns, m)
		}
	}
	s.add(")")
}

// inSpan adds the condition that a word lies in a range.
func (s *sql) inSpan(words span) {
	if words.to == "" {
		s.add("w.word = ?", words.from)
	} else {
		s.add("w.word >= ? AND w.word < ?", words.from, words.to)
	}
}

// inColumns adds the condition that columns of apps match. It is never null.
func (s *sql) inColumns(apps string, m match) {
	switch {
	case m.ranges != nil:
		s.add("(1 = 1")
		for _, r := range m.ranges {
			name := apps + string(r.column)
			s.add(" AND "+name+" >= ? AND "+name+" < ?", r.from, r.to)
		}
		s.add(")")
	case len(m.among) == 0:
		s.add("1 = 0")
	default: // a resource server has no API user
		name := apps + string(m.column)
		s.add("("+name+" IS NOT NULL AND "+name+" IN ?)", m.among)
	}
}

// asksColumns reports whether a match looks at columns of apps.
func (m match) asksColumns() bool { return m.words == nil && m.scopes == nil }

// asked are the columns that a match looks at.
func (m match) asked() []column {
	if !m.asksColumns() {
		return nil
	}
	if m.ranges == nil {
		return []column{m.column}
	}
	var list []column
	for _, r := range m.ranges {
		list = append(list, r.column)
	}
	return list
}

// found adds a SELECT of the apps of a selection whose rarest term drives: they are found by its own indexes and then
// tested for the other terms. Without a term all apps drive but those that must not be. It selects their id and, unless key
// is empty, that column as place.
//
// What drives others is materialised: SQLite would otherwise take what is gathered for a test as another way to find it, and
// look each gathered app up among the words. It has no condition of its own on apps, so that PostgreSQL, before it has
// statistics, does not take these for fewer than the hits; CROSS JOIN keeps the order on SQLite.
func (s *sql) found(sel selection, key column) {
	at := tested{organisation: sel.organisation, id: "hit.app_id", n: TotalCap}
	var first counted
	others := sel.terms
	if len(others) > 0 {
		first, others = others[0], others[1:]
		at.n = first.n
	}
	asked := columnsOf(others, sel.mustNot)
	if key != "" && !slices.Contains(asked, key) {
		asked = append(asked, key)
	} else if key == "" && gathered(at.n, others, sel.mustNot) {
		asked = nil // columns are looked at where they stand, unless that is all that they would be fetched for
	}
	direct := len(first.term) > 0 && !slices.ContainsFunc(first.term, func(m match) bool { return !m.asksColumns() })
	switch {
	case len(asked) == 0:
	case direct:
		at.columns = "hit."
	default:
		at.columns = "a."
	}
	s.add("SELECT hit.app_id AS id")
	if key != "" {
		s.add(", " + at.columns + string(key) + " AS place")
	}
	before, after := " FROM (WITH hits AS MATERIALIZED (", ") SELECT * FROM hits) hit"
	if len(others)+len(sel.mustNot) == 0 {
		before, after = " FROM (", ") hit"
	}
	s.add(before)
	switch {
	case len(sel.terms) == 0:
		sel.mustNot = s.allBut(sel)
	case direct:
		s.driveColumns(sel.organisation, first.term, asked)
	default:
		s.drive(sel.organisation, first.term)
	}
	s.add(after)
	if at.columns == "a." {
		s.add(" CROSS JOIN apps a WHERE a.organisation_id = ? AND a.id = hit.app_id", string(sel.organisation))
	} else {
		s.add(" WHERE 1 = 1")
	}
	s.tests(at, others, sel.mustNot)
}

// columnsOf are the columns that terms look at, each once.
func columnsOf(must []counted, mustNot [][]counted) []column {
	var list []column
	for _, t := range slices.Concat(must, slices.Concat(mustNot...)) {
		for _, m := range t.term {
			for _, c := range m.asked() {
				if !slices.Contains(list, c) {
					list = append(list, c)
				}
			}
		}
	}
	return list
}

// drive adds the source of a term, each app once.
func (s *sql) drive(org access.OrganisationID, t term) {
	if t.once() || t.sorted() {
		s.sources(org, t, " UNION ")
		return
	}
	s.add("SELECT DISTINCT app_id FROM (")
	s.source(org, t)
	s.add(") every")
}

// driveColumns is drive for a term that looks at columns only, and brings others along, so that nobody looks for the same
// app twice.
func (s *sql) driveColumns(org access.OrganisationID, t term, along []column) {
	for i, m := range t {
		if i > 0 {
			s.add(" UNION ") // without those that are there
		}
		s.add("SELECT c.id AS app_id")
		for _, name := range along {
			s.add(", c." + string(name))
		}
		s.add(" FROM apps c WHERE c.organisation_id = ? AND c.deleted_at IS NULL AND ", string(org))
		s.inColumns("c.", m)
	}
}

// allBut adds the source of all apps without those that must not be, as far as single terms say which; it returns the
// rest.
func (s *sql) allBut(sel selection) (rest [][]counted) {
	s.add("SELECT c.id AS app_id FROM apps c WHERE c.organisation_id = ? AND c.deleted_at IS NULL", string(sel.organisation))
	for _, not := range sel.mustNot {
		if len(not) != 1 {
			rest = append(rest, not)
			continue
		}
		s.add(" EXCEPT SELECT app_id FROM (")
		s.source(sel.organisation, not[0].term)
		s.add(") every")
	}
	return rest
}

// gathered reports whether all terms that look at columns match few enough apps to gather them, for n that are tested.
func gathered(n int, must []counted, mustNot [][]counted) bool {
	for _, t := range slices.Concat(must, slices.Concat(mustNot...)) {
		if slices.ContainsFunc(t.term, match.asksColumns) && (t.n > TotalCap || n*gather <= t.n) {
			return false
		}
	}
	return true
}

// walked adds FROM and WHERE of a selection whose apps are walked in the order asked for. Few are tested before a page
// is full. columns is what the columns of apps are called there (store.unindexed).
func (s *sql) walked(sel selection, columns string) {
	s.add(" FROM apps a WHERE a.organisation_id = ? AND a.deleted_at IS NULL", string(sel.organisation))
	s.tests(tested{organisation: sel.organisation, id: "a.id", columns: columns}, sel.terms, sel.mustNot)
}
