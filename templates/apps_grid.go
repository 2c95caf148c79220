package templates

import (
	"context"
	"strconv"
	"strings"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// AppsGrid is the page /apps (ui.md §4.1): everything outside the results is drawn once, Results may be asked for
// alone (header X-Fragment: results), then the handler renders AppsResultsSection(v.Results).
type AppsGrid struct {
	Frame      Frame
	CreateHref string // register page; "" leaves the button out (who may only view)
	SecretHint bool   // the person pasted a client secret into the search box: it was dropped, say so (ui.md §4.1)
	RevokeHref string // where a secret that somebody came across is ended; "" for who may not
	Tabs       []AppsTab
	Views      []Tab  // saved views, after the tabs
	UnusedHref string // the report of unused apps; "" where the list is about others
	Search     AppsSearch
	Results    AppsResults
}

// AppsTab is one of the tabs above the grid, a link.
type AppsTab struct {
	Code    string // all, active, attention, unused
	Href    string
	Current bool
}

// AppsSearch is the search row: a GET form to Action with q.
type AppsSearch struct {
	Action string   // /apps
	Query  string   // as typed; never a secret
	Max    int      // how many characters it may have
	Keep   []Hidden // query parameters a new search keeps: sort, dir, per, cols, density; not the cursor
}

// AppsFilterForm writes filters with labels instead of keys: a GET form to Action, whose fields are folded into q.
type AppsFilterForm struct {
	Action  string
	Rest    string              // what of the search the fields cannot say: q
	Values  map[string]string   // of the fields: category, contact, created_from, …
	Choices map[string][]string // of the fields that are lists
	Keep    []Hidden
}

// AppsState says which of the five faces the results show.
type AppsState string

// The faces of the results. Rows is the usual one; Empty means that the organisation has no app at all.
const (
	AppsRows    AppsState = "rows"
	AppsEmpty   AppsState = "empty"
	AppsNoMatch AppsState = "no_match"
	AppsFailed  AppsState = "failed"
	AppsInvalid AppsState = "invalid" // the query cannot be understood: Problem says why
)

// AppsResults is the part that live search swaps: <section id="results">.
type AppsResults struct {
	State AppsState

	Query       string         // as typed
	Form        AppsFilterForm // states rows and no match
	Filters     []AppsFilter
	ClearHref   string   // the grid without any filter; "" when there is none
	UnknownKeys []string // "foo" of foo:bar, searched as text

	Columns    []AppsColumn // sort links by code: name, category, status, secret, used, creator, created, modified
	Chooser    AppsChooser
	Densities  []AppsTab // links by code: normal, compact
	Rows       []AppsRow
	SaveHref   string // saves this state as a view
	ViewsHref  string
	Bulk       *AppsBulkChoice // nil for who may not change apps
	ExportCSV  string          // the whole list as a file; "" leaves the links out
	ExportJSON string
	Pager      Pager // its Total and More also make the count above the rows
	Of         int   // how many apps there are without the search, counted up to 10,000 and one more; 0 where nothing is searched

	CreateHref        string   // state empty: "" shows Holders instead
	Holders           []string // names of people who may register apps
	LooksLikeClientID bool     // state no match: the query has the form of a client ID
	Reference         string   // state failed: what to quote
	RetryHref         string   // state failed: the same GET again
	Problem           string   // state invalid: the sentence
	Fault             string   // state invalid: sort, per or page for what is no search
	RepairHref        string   // with a fault: the list without it
}

// AppsFilter is one active filter: a chip with a link that removes it.
type AppsFilter struct {
	Token      string // as in the query grammar: status:active, or the word searched for
	RemoveHref string
}

// AppsChooser is the form that chooses optional columns: a GET form to Action, with a box cols for each.
type AppsChooser struct {
	Action  string
	Columns []AppsOptional
	Keep    []Hidden
}

// AppsOptional is an optional column: contact, user or scopes.
type AppsOptional struct {
	Code  string
	Shown bool
}

// shown are the codes of the columns that are chosen.
func (c AppsChooser) shown() []string {
	var codes []string
	for _, o := range c.Columns {
		if o.Shown {
			codes = append(codes, o.Code)
		}
	}
	return codes
}

// AppsColumn is the sort link of one column. Columns without Href are not sortable.
type AppsColumn struct {
	Code string // name, category, status, secret, used, creator, created, modified
	Href string // sorts by this column; when it is the current one, the other way round
	Sort string // "ascending", "descending" or "" when not sorted by it
}

// AppsRow is one app of the grid. An empty address leaves its entry out of the row menu.
type AppsRow struct {
	ID          string // what a bulk change names it by; "" leaves the box out
	Href        string
	Name        string
	ClientID    string
	Category    string // customer, partner, supplier, msp
	Introspects string // title of the API whose tokens it introspects; "" for an app that calls APIs
	Status      string // active, inactive
	Secret      SecretSummary
	LastUsedAt  time.Time // zero: never
	CreatedBy   string
	CreatedAt   time.Time
	ModifiedAt  time.Time

	// Optional columns.
	Contact string
	Stale   bool // another contact is needed
	APIUser string
	Scopes  int

	MailHref       string // the prepared mail to the contact
	EditHref       string
	RotateHref     string
	HistoryHref    string
	DeactivateHref string
	ActivateHref   string
	DeleteHref     string // only inactive apps
}

// SecretSummary is what the grid says about an app's secrets in one chip.
type SecretSummary struct {
	Code string // ok, new (never used), two, expiring, expired, none
	Days int    // expiring: whole days left; 0 reads "Expires today"
}

// tabs puts words to the tabs.
func (v AppsGrid) tabs(ctx context.Context) []Tab {
	tabs := make([]Tab, 0, len(v.Tabs))
	for _, t := range v.Tabs {
		tabs = append(tabs, Tab{Label: i18n.T(ctx, "apps.tab."+t.Code), Href: t.Href, Current: t.Current})
	}
	return append(tabs, v.Views...)
}

// filterOptions are the choices of a list of the filter form, "Any" first.
func (f AppsFilterForm) filterOptions(ctx context.Context, key string) []Option {
	chosen := f.Values[key]
	options := []Option{{Label: i18n.T(ctx, "apps.search.any"), Selected: chosen == ""}}
	for _, code := range f.Choices[key] {
		options = append(options, Option{Value: code, Label: filterWord(ctx, key, code), Selected: code == chosen})
	}
	return options
}

func filterWord(ctx context.Context, key, code string) string {
	switch key {
	case "category":
		return i18n.T(ctx, "apps.category."+code)
	case "status":
		return i18n.T(ctx, "apps.status."+code)
	case "secret":
		return i18n.T(ctx, "apps.filter.secret_"+code)
	}
	days, err := strconv.Atoi(strings.Trim(code, "<>d"))
	switch {
	case err != nil:
		return i18n.T(ctx, "apps.filter.used_never")
	case code[0] == '<':
		return i18n.T(ctx, "apps.filter.used_within", "N", days)
	default:
		return i18n.T(ctx, "apps.filter.used_before", "N", days)
	}
}

// countedApps is up to where apps are counted (ui.md §3.6).
const countedApps = 10_000

// countText is how many apps there are, as live search says it aloud after each answer.
func (r AppsResults) countText(ctx context.Context) string {
	switch {
	case r.State == AppsFailed:
		return i18n.T(ctx, "apps.failed.title")
	case r.State == AppsInvalid:
		return r.Problem
	case r.Of > 0 && !r.Pager.More:
		of := i18n.Number(ctx, int64(min(r.Of, countedApps)))
		if r.Of > countedApps {
			of = i18n.T(ctx, "pager.more_than", "Total", of)
		}
		return i18n.T(ctx, "apps.count_of", "N", r.Pager.Total, "Total", of)
	case r.Pager.More:
		return i18n.T(ctx, "apps.count_more", "N", r.Pager.Total)
	default:
		return i18n.T(ctx, "apps.count", "N", r.Pager.Total)
	}
}

// faultTitle is the heading over what cannot be shown.
func (r AppsResults) faultTitle(ctx context.Context) string {
	if r.Fault != "" {
		return i18n.T(ctx, "apps.invalid."+r.Fault)
	}
	return i18n.T(ctx, "apps.invalid.title")
}

// repair leads on from a fault: to the first page of what is searched for, or to all apps.
func (r AppsResults) repair(ctx context.Context) Action {
	if r.Fault == "page" || strings.TrimSpace(r.Query) != "" {
		return Action{Label: i18n.T(ctx, "apps.invalid.first_page"), Href: r.RepairHref}
	}
	return Action{Label: i18n.T(ctx, "apps.invalid.all_apps"), Href: r.RepairHref}
}

// columns returns all columns in the order of the table, with the sort links there are.
func (r AppsResults) columns() []AppsColumn {
	codes := append([]string{"name", "category", "status", "secret", "used", "creator", "created", "modified"}, r.Chooser.shown()...)
	columns := make([]AppsColumn, 0, len(codes))
	for _, code := range codes {
		column := AppsColumn{Code: code}
		for _, c := range r.Columns {
			if c.Code == code {
				column = c
			}
		}
		columns = append(columns, column)
	}
	return columns
}

// menu returns the entries of the row menu: those that have an address.
func (a AppsRow) menu(ctx context.Context) []MenuItem {
	open := a.Href
	if a.EditHref != "" {
		open = "" // the name is the same link
	}
	all := []MenuItem{
		{Label: i18n.T(ctx, "apps.action.open"), Href: open},
		{Label: i18n.T(ctx, "apps.action.edit"), Href: a.EditHref},
		{Label: i18n.T(ctx, "apps.action.rotate"), Href: a.RotateHref},
		{Label: i18n.T(ctx, "apps.action.history"), Href: a.HistoryHref},
		{Label: i18n.T(ctx, "apps.action.mail"), Href: a.MailHref},
		{Label: i18n.T(ctx, "apps.action.activate"), Href: a.ActivateHref, Dialog: true},
		{Label: i18n.T(ctx, "apps.action.deactivate"), Href: a.DeactivateHref, Dialog: true},
		{Label: i18n.T(ctx, "apps.action.delete"), Href: a.DeleteHref, Dialog: true, Danger: true},
	}
	items := make([]MenuItem, 0, len(all))
	for _, item := range all {
		if item.Href != "" {
			items = append(items, item)
		}
	}
	return items
}

// densityTabs puts words to the links of density.
func (r AppsResults) densityTabs(ctx context.Context) []Tab {
	tabs := make([]Tab, 0, len(r.Densities))
	for _, d := range r.Densities {
		tabs = append(tabs, Tab{Label: i18n.T(ctx, "apps.density."+d.Code), Href: d.Href, Current: d.Current})
	}
	return tabs
}

func rowMenuID(i int) string { return "m" + strconv.Itoa(i) }
