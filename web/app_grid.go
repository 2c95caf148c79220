package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// grid is the state of the list of apps: the query parameters of /apps and nothing else, so that every state has an
// address that can be kept, shared and gone back to.
type grid struct {
	text           string
	sort, dir, per string
	columns        string // optional ones, as registry.FormatColumns writes them
	density        string // "compact" or ""
	after, before  string
}

const compact = "compact"

func readGrid(c *call) grid {
	return grid{
		text: bounded(oneQuery(c, "q")),
		sort: bounded(oneQuery(c, "sort")), dir: bounded(oneQuery(c, "dir")), per: bounded(oneQuery(c, "per")),
		columns: knownColumns(c.QueryParams()["cols"]), density: knownDensity(oneQuery(c, "density")),
		after: oneQuery(c, "after"), before: oneQuery(c, "before"),
	}
}

// bounded cuts off what is refused in any case, since every link of the page repeats the state.
func bounded(text string) string {
	const most = registry.MaxQuery + 100
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// knownColumns are the optional columns among what was asked for: as a list in one value, or as the boxes of a form.
func knownColumns(asked []string) string {
	return registry.FormatColumns(registry.ParseColumns(strings.Join(asked, ",")))
}

func knownDensity(asked string) string {
	if asked == compact {
		return compact
	}
	return ""
}

// query is the state as the registry asks for it. What is no number or direction is passed on as a value that it
// refuses.
func (g grid) query(c *call) registry.Query {
	q := registry.Query{
		Text: g.text, Sort: registry.Sort(g.sort), Descending: g.dir == "desc", After: g.after, Before: g.before, Zone: i18n.Zone(c.ctx()),
	}
	if g.per != "" {
		per, err := strconv.Atoi(g.per)
		if err != nil || per == 0 {
			per = -1
		}
		q.PerPage = per
	}
	if g.dir != "" && g.dir != "asc" && g.dir != "desc" {
		q.Sort = registry.Sort(g.sort + " " + g.dir)
	}
	return q
}

// href is the address of this state.
func (g grid) href() string {
	values := url.Values{}
	for name, value := range map[string]string{
		"q": g.text, "sort": g.sort, "dir": g.dir, "per": g.per, "cols": g.columns, "density": g.density,
		"after": g.after, "before": g.before,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return appsPath
	}
	return appsPath + "?" + values.Encode()
}

// exportHref is the address of all that is listed, as a file.
func (g grid) exportHref(format string) string {
	all := grid{text: g.text, sort: g.sort, dir: g.dir}.href()
	if all == appsPath {
		return all + "?format=" + format
	}
	return all + "&format=" + format
}

// first is the state with its first page.
func (g grid) first() grid {
	g.after, g.before = "", ""
	return g
}

// faultOf names what is wrong with the first field at fault, where that is no search, with the address of the list without
// any such fault.
func (g grid) faultOf(fields []problem.Field) (fault, repaired string) {
	if len(fields) == 0 || fields[0].Name == "q" {
		return "", ""
	}
	to := g.first()
	for _, f := range fields {
		switch f.Name {
		case "sort":
			to.sort, to.dir = "", ""
		case "per":
			to.per = ""
		}
	}
	switch fault = fields[0].Name; fault {
	case "sort", "per":
		return fault, to.href()
	default:
		return "page", to.href()
	}
}

// narrowed reports whether anything is filtered.
func (g grid) narrowed() bool {
	return strings.TrimSpace(g.text) != ""
}

// clearHref is the same order and size without any filter; "" when there is none.
func (g grid) clearHref() string {
	if !g.narrowed() {
		return ""
	}
	g.text = ""
	return g.first().href()
}

func (g grid) search() templates.AppsSearch {
	return templates.AppsSearch{Action: appsPath, Query: g.text, Max: registry.MaxQuery, Keep: g.keep()}
}

// keep is what a new search keeps: order, page size, columns and density.
func (g grid) keep() []templates.Hidden {
	g.text = ""
	return g.hidden()
}

// hidden are the fields of a form that carry a state of the grid; formGrid reads them.
func (g grid) hidden() []templates.Hidden {
	var list []templates.Hidden
	for _, h := range []templates.Hidden{
		{Name: "q", Value: g.text},
		{Name: "sort", Value: g.sort},
		{Name: "dir", Value: g.dir},
		{Name: "per", Value: g.per},
		{Name: "cols", Value: g.columns},
		{Name: "density", Value: g.density},
	} {
		if h.Value != "" {
			list = append(list, h)
		}
	}
	return list
}

func formGrid(f *form) grid {
	return grid{
		text: bounded(f.one("q")), sort: bounded(f.one("sort")), dir: bounded(f.one("dir")), per: bounded(f.one("per")),
		columns: knownColumns(f.all("cols")), density: knownDensity(f.one("density")),
	}
}

// chooser is the form that chooses optional columns. Boxes that nobody ticks are not sent, so the rest of the state goes
// along hidden.
func (g grid) chooser() templates.AppsChooser {
	rest, chosen := g.first(), registry.ParseColumns(g.columns)
	rest.columns = ""
	chooser := templates.AppsChooser{Action: appsPath, Keep: rest.hidden()}
	for _, c := range registry.Columns() {
		chooser.Columns = append(chooser.Columns, templates.AppsOptional{Code: string(c), Shown: slices.Contains(chosen, c)})
	}
	return chooser
}

// densities are the links that make rows dense or not, as those of page sizes.
func (g grid) densities() []templates.AppsTab {
	var list []templates.AppsTab
	for _, code := range []string{"normal", compact} {
		to := g
		to.density = knownDensity(code)
		list = append(list, templates.AppsTab{Code: code, Href: to.href(), Current: to.density == g.density})
	}
	return list
}

// heads are the links that sort. A column that is sorted by leads to the other direction.
func (g grid) heads() []templates.AppsColumn {
	current := g.sort
	if current == "" {
		current = string(registry.SortName)
	}
	var columns []templates.AppsColumn
	for _, sort := range []registry.Sort{
		registry.SortName, registry.SortCategory, registry.SortStatus, registry.SortUsed, registry.SortCreated, registry.SortModified,
	} {
		to := g.first()
		to.sort, to.dir = string(sort), ""
		column := templates.AppsColumn{Code: string(sort)}
		if string(sort) == current {
			column.Sort = "descending"
			if g.dir != "desc" {
				column.Sort, to.dir = "ascending", "desc"
			}
		}
		column.Href = to.href()
		columns = append(columns, column)
	}
	return columns
}

func (g grid) pager(page registry.Page) templates.Pager {
	p := templates.Pager{First: page.From, Last: page.From + len(page.Rows) - 1, Total: page.Total, More: page.Capped}
	if page.Next != "" {
		next := g.first()
		next.after = page.Next
		p.NextHref = next.href()
	}
	if page.Previous != "" {
		previous := g.first()
		previous.before = page.Previous
		p.PrevHref = previous.href()
	}
	for _, size := range []string{"25", "50", "100"} {
		to := g.first()
		to.per = size
		current := size == g.per || (g.per == "" && size == "50")
		p.Sizes = append(p.Sizes, templates.Tab{Label: size, Href: to.href(), Current: current})
	}
	return p
}

func categoryCodes() []string {
	var codes []string
	for _, category := range registry.Categories() {
		codes = append(codes, string(category))
	}
	return codes
}

func statusCodes() []string {
	var codes []string
	for _, status := range registry.Statuses() {
		codes = append(codes, string(status))
	}
	return codes
}
