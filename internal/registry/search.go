package registry

import (
	"context"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
)

// Sort is an order of the grid.
type Sort string

// The orders. Equal categories, statuses and times follow the order in which the apps were registered.
const (
	SortName     Sort = "name"
	SortCategory Sort = "category"
	SortStatus   Sort = "status"
	SortCreated  Sort = "created"
	SortModified Sort = "modified"
	SortUsed     Sort = "used" // last use; never comes before all others
)

const (
	// TotalCap is the greatest total that is counted; a page beyond says "10,000+".
	TotalCap = 10_000

	defaultPerPage = 50
	maxPerPage     = 100
)

// Query asks for a page of the organisation's apps. The zero value asks for the first page of all, by name.
type Query struct {
	Text       string // words and filters, as typed (ParseFilter)
	Category   Category
	Status     Status
	Sort       Sort
	Descending bool
	After      string         // Next of another page of the same query
	Before     string         // Previous of another page of the same query; not both
	PerPage    int            // 1 to 100; 0 means 50
	Zone       *time.Location // in which dates are read; nil is UTC
}

// Page is a page of apps. From is the number of the first row, counted on the way from page to page; 0 without rows.
// Total counts all matches up to TotalCap; Capped says that there are more. Next and Previous are empty at the ends.
type Page struct {
	Rows     []Row
	From     int
	Total    int
	Capped   bool
	Next     string
	Previous string
}

// Row is one app of the grid.
type Row struct {
	ID          AppID
	ClientID    string
	Kind        Kind
	ResourceAPI string // of a resource server: the key of its API
	Name        string
	Category    Category
	Status      Status
	Secrets     SecretSummary
	CreatedAt   time.Time
	CreatedBy   Author
	ModifiedAt  time.Time
	LastUsedAt  time.Time // zero: never
}

// Search returns a page of the organisation's apps. It takes apps.view. Faults of the query name the fields q,
// category, status, sort, per, after and before.
func (r *Registry) Search(ctx context.Context, actor access.Actor, q Query) (Page, error) {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return Page{}, err
	}
	if err := q.complete(); err != nil {
		return Page{}, err
	}
	s, err := r.newSelection(ctx, actor.Organisation, q)
	if err != nil {
		return Page{}, err
	}
	w, err := r.newWalk(actor.Organisation, q)
	if err != nil || s.nothing {
		return Page{}, err
	}
	if err := r.count(ctx, &s); err != nil || s.nothing {
		return Page{}, err
	}
	page := Page{Total: min(s.total, TotalCap), Capped: s.total > TotalCap || s.more}
	rows, err := r.walk(ctx, s, w, &page)
	if err != nil {
		return Page{}, err
	}
	page.Rows, err = r.gridRows(ctx, actor.Organisation, rows)
	return page, err
}

// complete fills in what was left out and reports what is no value of its field.
func (q *Query) complete() error {
	if q.Sort == "" {
		q.Sort = SortName
	}
	if q.PerPage == 0 {
		q.PerPage = defaultPerPage
	}
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	var faults []problem.Field
	add := func(wrong bool, field, key string) {
		if wrong {
			faults = append(faults, problem.NewField(field, key))
		}
	}
	_, known := orders[q.Sort]
	add(!known, "sort", "app.search.sort")
	add(q.PerPage < 1 || q.PerPage > maxPerPage, "per", "app.search.per")
	add(q.Category != "" && !slices.Contains(Categories(), q.Category), "category", "app.search.category")
	add(q.Status != "" && !slices.Contains(Statuses(), q.Status), "status", "app.search.status")
	add(q.After != "" && q.Before != "", "before", "app.search.cursor")
	return problem.Fields(faults...)
}

// selection is what a query selects, in whatever order.
type selection struct {
	organisation access.OrganisationID
	terms        []counted   // the rarest first, once counted
	mustNot      [][]counted // of each, not every term may be true
	apps         int         // of the organisation, at most countedApps, once counted
	total        int         // at most TotalCap+1, once counted
	more         bool        // there are more than total, which nobody counted
	few          bool        // so few match that reading a page counts them on the way
	nothing      bool        // nothing can match
}

// counted is a term and how many matches it has, up to the cap and one more.
type counted struct {
	term term
	n    int
}

func byNumber(terms []counted) {
	slices.SortStableFunc(terms, func(a, b counted) int { return a.n - b.n })
}

func (r *Registry) newSelection(ctx context.Context, org access.OrganisationID, q Query) (selection, error) {
	rd := reader{r: r, org: org, zone: q.Zone, now: r.db.Now()}
	t, err := rd.terms(ctx, q.Text)
	if q.Category != "" {
		t.must = append(t.must, term{isOne("category", string(q.Category))})
	}
	if q.Status != "" {
		t.must = append(t.must, term{isOne("status", string(q.Status))})
	}
	s := selection{organisation: org, terms: uncounted(t.must), nothing: t.hopeless}
	for _, not := range t.mustNot {
		s.mustNot = append(s.mustNot, uncounted(not))
	}
	return s, err
}

func uncounted(terms []term) []counted {
	list := make([]counted, len(terms))
	for i, t := range terms {
		list[i] = counted{t, TotalCap + 1} // as many as can be
	}
	return list
}

// count orders the terms by how much they match, rarest first, and counts what all of them match, up to the cap, unless
// the rarest matches so few that this would be the work of reading a page once more.
func (r *Registry) count(ctx context.Context, s *selection) error {
	few := r.store.ways.few
	if len(s.terms) > 1 { // to know that one is rare takes less than to know how common the others are
		if err := r.countTerms(ctx, s, few+1); err != nil || s.few {
			return err
		}
	}
	if err := r.countTerms(ctx, s, TotalCap+1); err != nil || s.few {
		return err
	}
	common, err := r.store.common(ctx, s)
	if err != nil {
		return err
	}
	if common {
		s.total, s.more = r.store.ways.common, true
		return nil
	}
	s.total, err = r.store.countSelection(ctx, *s)
	s.nothing = err == nil && s.total == 0
	return err
}

// countTerms counts what each term matches, up to a number, and says whether the rarest matches few.
func (r *Registry) countTerms(ctx context.Context, s *selection, most int) error {
	err := r.store.countTerms(ctx, s.organisation, append([][]counted{s.terms}, s.mustNot...), most)
	s.few = err == nil && len(s.terms) > 0 && s.terms[0].n <= r.store.ways.few
	return err
}

// walk is a walk of one page through a selection, from a place on, forwards or backwards.
type walk struct {
	order      Sort
	descending bool
	backward   bool
	from       *cursor // nil: from the beginning
	perPage    int
}

// down reports whether the walk goes from what comes last in the order to what comes first.
func (w walk) down() bool { return w.descending != w.backward }

func (r *Registry) newWalk(org access.OrganisationID, q Query) (walk, error) {
	w := walk{order: q.Sort, descending: q.Descending, perPage: q.PerPage, backward: q.Before != ""}
	field, text := "after", q.After
	if w.backward {
		field, text = "before", q.Before
	}
	if text == "" {
		return w, nil
	}
	c, err := r.openCursor(field, text, cursor{Organisation: org, Sort: q.Sort, Descending: q.Descending})
	w.from = &c
	return w, err
}

// walk reads a page's rows and says on the page where they stand. A page that turned out empty or, going back, not
// full, because rows went away meanwhile, gives way to the first one.
func (r *Registry) walk(ctx context.Context, s selection, w walk, page *Page) ([]gridRow, error) {
	rows, err := r.store.selectRows(ctx, s, w)
	if err != nil {
		return nil, err
	}
	if s.few && len(rows) > 0 {
		page.Total = rows[0].Total
	}
	more := len(rows) > w.perPage
	rows = rows[:min(len(rows), w.perPage)]
	if w.from != nil && (len(rows) == 0 || w.backward && len(rows) < w.perPage) {
		return r.walk(ctx, s, walk{order: w.order, descending: w.descending, perPage: w.perPage}, page)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	before, after := w.from != nil, more
	page.From = 1
	if w.backward {
		slices.Reverse(rows)
		before, after = more, true
	}
	switch {
	case w.backward && more:
		page.From = max(1, w.from.Position-len(rows))
	case w.from != nil && !w.backward:
		page.From = w.from.Position + 1
		if !more && !page.Capped { // the last page knows better than the way that led to it
			page.From = max(1, page.Total-len(rows)+1)
		}
	}
	if before {
		page.Previous, err = r.sealCursor(rows[0].cursor(s.organisation, w, page.From))
	}
	if after && err == nil {
		page.Next, err = r.sealCursor(rows[len(rows)-1].cursor(s.organisation, w, page.From+len(rows)-1))
	}
	return rows, err
}
