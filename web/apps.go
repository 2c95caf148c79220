package web

import (
	"net/http"
	"net/url"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// appsGrid answers /apps: the list, its search and its filters, all of whose state stands in the address (ui.md §4.1).
func (s *Server) appsGrid(c *call) error {
	g := readGrid(c)
	if href := g.plain(c); href != "" {
		return c.redirect(href)
	}
	if format := oneQuery(c, "format"); format == "csv" || format == "json" {
		if err := s.exportApps(c, g, format); !problem.Is(err, problem.Invalid) {
			return err
		}
	}
	results, status := s.listApps(c, g)
	if c.fragment() == "results" {
		return s.gridFragment(c, status, results)
	}
	view := templates.AppsGrid{
		Frame: c.frame("apps"), CreateHref: c.ifManager(newAppPath), SecretHint: oneQuery(c, "hint") == "secret", RevokeHref: c.ifManager(pastedPath),
		Tabs: g.tabs(), Views: c.viewTabs(g), Search: g.search(), Results: results,
	}
	for _, tab := range view.Tabs {
		if tab.Code == "unused" && tab.Current {
			view.UnusedHref = unusedPath
		}
	}
	if g.density != "" {
		view.Frame.Density = g.density
	}
	return c.render(status, templates.AppsPage(view))
}

// plain is the address of the same list for one that a form made: its filters in q, its columns in one value. It is ""
// for an address that has them so.
func (g grid) plain(c *call) string {
	if text, some := folded(c, g.text); some {
		g = g.first()
		g.text = text
		if format := oneQuery(c, "format"); format != "" {
			return g.exportHref(url.QueryEscape(format))
		}
		return g.href()
	}
	if len(c.QueryParams()["cols"]) > 1 {
		return g.first().href()
	}
	return ""
}

// listApps reads the list and what its further columns say.
func (s *Server) listApps(c *call, g grid) (templates.AppsResults, int) {
	page, err := s.Registry.Search(c.ctx(), c.actor, g.query(c))
	var extras map[registry.AppID]registry.Extra
	if err == nil && g.columns != "" {
		extras, err = s.Registry.Extras(c.ctx(), c.actor, idsOf(page.Rows), registry.ParseColumns(g.columns))
	}
	results, status := c.gridResults(g, page, extras, err)
	if status >= http.StatusInternalServerError {
		s.logFailure(c, err)
	}
	return results, status
}

func idsOf(rows []registry.Row) []registry.AppID {
	ids := make([]registry.AppID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}

// gridFragment answers live search. The script swaps in what is OK and reports the rest as no answer; what is wrong with
// a query is an answer.
func (s *Server) gridFragment(c *call, status int, results templates.AppsResults) error {
	if results.State == templates.AppsInvalid {
		status = http.StatusOK
	}
	if results.State == templates.AppsRows && oneQuery(c, "q") != "" {
		// Said aloud: 37 of 1,284 apps. To count them all takes a millisecond, which a page that is only looked at saves.
		var err error
		if results.Of, err = s.Registry.Total(c.ctx(), c.actor); err != nil {
			s.logFailure(c, err)
		}
	}
	return c.render(status, templates.AppsResultsSection(results))
}

// gridResults fills the part of the grid that live search swaps, for an answer or for what went wrong instead.
func (c *call) gridResults(g grid, page registry.Page, extras map[registry.AppID]registry.Extra, err error) (templates.AppsResults, int) {
	r := templates.AppsResults{
		Query: g.text, Filters: g.filters(), ClearHref: g.clearHref(), UnknownKeys: registry.ParseFilter(g.text).UnknownKeys(),
	}
	switch p := problem.As(err); {
	case err == nil:
	case p.Code == problem.Invalid:
		r.State, r.Problem = templates.AppsInvalid, c.fieldErrors(err, nil)[0].Text
		r.Fault, r.RepairHref = g.faultOf(p.Fields)
		return r, http.StatusBadRequest
	default:
		r.State, r.Reference, r.RetryHref = templates.AppsFailed, requestID(c), g.href()
		return r, statusOf(p.Code)
	}
	switch {
	case page.Total > 0:
		r.State, r.Form = templates.AppsRows, g.filterForm()
		r.ExportCSV, r.ExportJSON = g.exportHref("csv"), g.exportHref("json")
		r.SaveHref, r.ViewsHref, r.Bulk = g.saveHref(), viewsPath, c.bulkChoice(g, page)
		r.Columns, r.Rows, r.Pager = g.heads(), c.gridRows(page.Rows), g.pager(page)
		r.Chooser, r.Densities = g.chooser(), g.densities()
		addExtras(r.Rows, page.Rows, extras)
	case g.narrowed():
		r.State, r.Form = templates.AppsNoMatch, g.filterForm()
		r.LooksLikeClientID = c.looksLikeClientID(g.text)
	default:
		r.State, r.CreateHref = templates.AppsEmpty, c.ifManager(newAppPath)
		r.Holders = names(c.holders(access.AppsManage))
	}
	return r, http.StatusOK
}

func (c *call) gridRows(rows []registry.Row) []templates.AppsRow {
	list, now := make([]templates.AppsRow, 0, len(rows)), c.s.DB.Now()
	for _, r := range rows {
		row := templates.AppsRow{
			Href: appPath(r.ID), Name: r.Name, ClientID: r.ClientID, Category: string(r.Category), Status: string(r.Status),
			Introspects: c.introspects(r.Kind, r.ResourceAPI),
			Secret:      secretSummary(r.Secrets, now), CreatedBy: c.author(r.CreatedBy), CreatedAt: r.CreatedAt,
			ModifiedAt: r.ModifiedAt, LastUsedAt: r.LastUsedAt, HistoryHref: historyPath(r.ID),
			MailHref: mailPath(r.ID), ID: c.ifManager(string(r.ID)), EditHref: c.ifGiver(r.Kind, editPath(r.ID)), RotateHref: c.ifManager(rotatePath(r.ID)),
		}
		if r.Status == registry.Active {
			row.DeactivateHref = c.ifManager(deactivatePath(r.ID))
		} else {
			row.ActivateHref, row.DeleteHref = c.ifGiver(r.Kind, activatePath(r.ID)), c.ifManager(deletePath(r.ID))
		}
		list = append(list, row)
	}
	return list
}

// addExtras puts what optional columns say to the rows.
func addExtras(list []templates.AppsRow, rows []registry.Row, extras map[registry.AppID]registry.Extra) {
	for i, r := range rows {
		e := extras[r.ID]
		list[i].Contact, list[i].Stale = e.Contact.FirstName+" "+e.Contact.LastName, e.Address.Stale()
		list[i].APIUser, list[i].Scopes = e.APIUser, e.Scopes
	}
}

// ifManager returns the address for whoever may change apps, and none for others: what one may not do is not drawn.
func (c *call) ifManager(path string) string {
	if c.actor.Has(access.AppsManage) {
		return path
	}
	return ""
}

// looksLikeClientID reports whether a search that found nothing was for a client ID.
func (c *call) looksLikeClientID(text string) bool {
	prefix, random, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), registry.KeyID+":"), "_")
	return ok && strings.HasPrefix(strings.ToUpper(prefix), c.s.ClientIDPrefix) && len(random) == 20 &&
		!strings.ContainsAny(random, " _:")
}

// zoneName is the zone in which the reader's dates are read and written.
func (c *call) zoneName() string { return i18n.Zone(c.ctx()).String() }

// logFailure logs what the list says in its own place instead of an error page.
func (s *Server) logFailure(c *call, err error) {
	s.Log.Error("request failed", "route", routeName(c), "request_id", requestID(c), "error", err)
}

func names(people []identity.Person) []string {
	list := make([]string, len(people))
	for i, p := range people {
		list[i] = p.Name()
	}
	return list
}
