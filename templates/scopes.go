package templates

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// Scopes is the page /scopes (ui.md §4.6): one GET form, whose state is the address. Everything outside Results is drawn
// once; Results may be asked for alone (header X-Fragment: results), then the handler renders
// ScopeResultsSection(v.Results).
//
// The form sends q, in, kind (repeated), used ("on"), scope (repeated: the ticked ones) and page; do is "app" or "add"
// when a button of the bar was pressed. A scope that stands in several rows is sent by each of them: without a script,
// again comes once for each ticked row after its first, so that taking the tick off one of them takes it off all.
type Scopes struct {
	Frame      Frame
	Query      string
	SecretHint bool          // the person pasted a client secret: it was dropped, say so
	Within     []ScopeWithin // choices of "API or object"
	In         string        // the chosen one
	Kinds      []ScopeKind
	OffersUsed bool // the reader may know which apps hold what
	Used       bool
	Results    ScopeResults
}

// ScopeWithin is an API and its objects, to search in one of them.
type ScopeWithin struct {
	Value, Title string
	Objects      []ScopeObjectChoice
}

// ScopeObjectChoice is one object to search in.
type ScopeObjectChoice struct{ Value, Name string }

// ScopeKind is one of the rights to filter by. Code is read, write, delete or special.
type ScopeKind struct {
	Code    string
	Checked bool
}

// ScopesState says which of its faces the list of scopes shows.
type ScopesState string

// The faces of the list.
const (
	ScopesRows    ScopesState = "rows"
	ScopesNoMatch ScopesState = "no_match"
	ScopesNoCall  ScopesState = "no_call"  // the query reads as a call, and nothing is published for it
	ScopesTooLong ScopesState = "too_long" // the query is longer than a search reads
)

// ScopeResults is the part that live search swaps: <section id="results">.
type ScopeResults struct {
	State   ScopesState
	Count   int // different scopes found, on all pages
	Filters []ScopeFilter
	// Searched says that a text was searched for, not only filtered.
	Searched bool
	// ClearHref is the list without any filter; "" when there is none.
	ClearHref string
	Calls     []ScopeCall // the query is a call: these are it
	Asked     string      // the query is a call that is not published: what was asked for
	Own       OwnCall     // … and what the portal itself makes of it
	Nearest   []ScopeNear // … and the published ones most like it
	Names     []ScopeLink // state no match: names that may have been meant
	Objects   []ScopeObject
	ShowUse   bool // the column "Used by"
	Pages     ScopePages
	Bar       ScopeBar
}

// OwnCall says whether a call that the catalogue does not list lies where the portal itself answers.
type OwnCall string

// What it may be. OwnNone is not the portal's.
const (
	OwnNone  OwnCall = ""
	OwnSelf  OwnCall = "self"  // the call about the app whose token asks
	OwnOther OwnCall = "other" // below the base path of one of the portal's APIs
)

// ownSelfCall is the call that any live token may make (protocol.md §1.5).
const ownSelfCall = "GET /api/v1/apps/self"

// ScopeFilter is an active filter. Code is q, in, kind or used; Value is what was searched for, where, or the kind.
type ScopeFilter struct{ Code, Value, RemoveHref string }

// ScopeLink is a scope with the address of its page.
type ScopeLink struct{ Scope, Href string }

// ScopeNear is a published call that may have been meant, with the address that searches for it.
type ScopeNear struct{ Method, Path, Href string }

// ScopeObject is a group of rows: an object of an API, or the scopes of an API without a published call.
type ScopeObject struct {
	Name        string // "" for scopes without a published call
	API         string // title
	Unserved    bool   // documented, and not served here
	Unpublished bool   // no scope is published for the object: Calls are denied
	Calls       []ScopeCall
	Suggested   []string // unpublished: what public pages hint at
	Source      *ScopeSource
	Rows        []ScopeRow
}

// ScopeRow is one scope of an object.
type ScopeRow struct {
	Scope    string
	Href     string
	Kind     string
	Offered  bool // it may be given to apps at all, so that it can be ticked
	Checked  bool
	Again    bool // it stands in a row above as well (again)
	Calls    []ScopeCall
	Required bool // on every connection to its API
	Apps     int  // of the reader's organisation
	Notes    []ScopeNote
}

// ScopeNote is one sentence about a scope. Code is one of sign_in, not_served, platform, needs, covers_read, spelled,
// empty and text; Value is what the sentence names.
type ScopeNote struct{ Code, Value string }

// ScopeSource is a source's row for an object, to the letter, beside what was made of it (product.md decision 23).
type ScopeSource struct {
	Source    string // where the row comes from
	Printed   bool   // the source prints a row; else there are only notes
	Otherwise bool   // the row says something else than what is true
	Calls     string
	Scopes    []string
	TakenCall []ScopeCall
	Taken     []string // scopes
	Notes     []ScopeRemark
}

// ScopeRemark is a note of the catalogue; Call is what it is about, "" for the object. Never says that the call is shown
// and never matched.
type ScopeRemark struct {
	Call  string
	Never bool
	Text  string
}

// ScopePages is where in a long list one is. Pages is 1 when all fits.
type ScopePages struct{ Page, Pages int }

// ScopeBar is what can be done with the ticked scopes.
type ScopeBar struct {
	Chosen []string   // all of them
	Kept   []ScopeRow // those that are not among the rows of this page
	Act    bool       // the reader may start an app with them
}

const (
	scopesPath = "/scopes"
	scopeForm  = "scope-form"

	// The ends of the way between a long list and what is ticked in it.
	scopesTop   = "scopes-top"
	scopesBarID = "scopes-bar"
)

// scopePage is what the layout needs of a page below the list of scopes.
func (f Frame) scopePage(ctx context.Context, title string) Page {
	section := i18n.T(ctx, "nav.scopes")
	return Page{Frame: f, Title: title, Section: section, Crumbs: []Crumb{{Label: section, Href: scopesPath}}}
}

// statusText is what live search says aloud after each answer.
func (r ScopeResults) statusText(ctx context.Context) string {
	switch r.State {
	case ScopesTooLong:
		return i18n.T(ctx, "scopes.too_long.title")
	case ScopesNoCall:
		return r.noCallTitle(ctx)
	case ScopesNoMatch, ScopesRows:
	}
	return i18n.T(ctx, "scopes.count", "N", r.Count)
}

// text is the filter as the page names it.
func (f ScopeFilter) text(ctx context.Context) string {
	switch f.Code {
	case "in":
		return i18n.T(ctx, "scopes.chip.in", "Where", f.Value)
	case "kind":
		return i18n.T(ctx, "scopes.chip.kind", "Kind", i18n.T(ctx, "apps.scope.kind."+f.Value))
	case "used":
		return i18n.T(ctx, "scopes.filter.used")
	default:
		return f.Value
	}
}

func (r ScopeResults) noCallTitle(ctx context.Context) string {
	if r.Own != OwnNone {
		return i18n.T(ctx, "scopes.own_call.title")
	}
	return i18n.T(ctx, "scopes.no_call.title")
}

func (r ScopeResults) noMatchText(ctx context.Context) string {
	if r.Searched {
		return i18n.T(ctx, "scopes.no_match.text")
	}
	return i18n.T(ctx, "scopes.no_match.filters")
}

// callPath is a path that breaks before a slash where a line ends, and not inside a word.
func callPath(path string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		first, rest := "", templ.EscapeString(path)
		if strings.HasPrefix(rest, "/") {
			first, rest = "/", rest[1:]
		}
		_, err := io.WriteString(w, "<span>"+first+strings.ReplaceAll(rest, "/", "<wbr>/")+"</span>")
		return err
	})
}

// columns are the codes of the table's columns.
func (r ScopeResults) columns() []string {
	if r.ShowUse {
		return []string{"tick", "scope", "right", "calls", "used"}
	}
	return []string{"tick", "scope", "right", "calls"}
}

// span is the number of columns, for cells that take them all.
func (r ScopeResults) span() string { return strconv.Itoa(len(r.columns())) }

func (o ScopeObject) title(ctx context.Context) string {
	if o.Name == "" {
		return i18n.T(ctx, "scopes.object.loose")
	}
	return o.Name
}

// text is the sentence of a note.
func (n ScopeNote) text(ctx context.Context) string {
	switch n.Code {
	case "text":
		return n.Value
	case "needs":
		return i18n.T(ctx, "scopes.note.needs", "Right", RightPath(ctx, n.Value))
	default:
		return i18n.T(ctx, "scopes.note."+n.Code, "Value", n.Value)
	}
}

func (s ScopeSource) summary(ctx context.Context) string {
	switch {
	case !s.Printed:
		return i18n.T(ctx, "scopes.source.notes")
	case s.Otherwise:
		return i18n.T(ctx, "scopes.source.otherwise")
	default:
		return i18n.T(ctx, "scopes.source.printed")
	}
}

// joined is how scopes are written where several are asked for (RFC 6749 §3.3).
func joined(scopes []string) string { return strings.Join(scopes, " ") }

func (p ScopePages) previous() string { return strconv.Itoa(p.Page - 1) }
func (p ScopePages) next() string     { return strconv.Itoa(p.Page + 1) }

// rowID is the id of a scope's name in a table, for copying: unique on the page, since an object lists a scope once.
func rowID(object, row int) string { return "s" + strconv.Itoa(object) + "-" + strconv.Itoa(row) }
