package web

import (
	"net/http"
	"net/url"
	"strconv"

	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

const (
	fewRejections     = 10 // on the app's page
	rejectionsPerPage = 50
	unknownPath       = appsPath + "/unknown"
)

func rejectionsPath(id registry.AppID) string { return appPath(id) + "/rejections" }

// recentRejections is the section of the app's page, and the line of its attention strip where there were some today.
func (c *call) recentRejections(app registry.App) (templates.AppRejections, []templates.AppNotice, error) {
	list, err := c.s.Registry.Rejections(c.ctx(), c.actor, app.ID, registry.Span{Most: fewRejections})
	if err != nil {
		return templates.AppRejections{}, nil, err
	}
	view := templates.AppRejections{Rows: c.rejectionRows(app, list.Rows), UnknownHref: unknownPath, TestHref: testPath(app.ID)}
	if list.Total > len(list.Rows) {
		view.AllHref = rejectionsPath(app.ID)
	}
	var notices []templates.AppNotice
	if list.Today > 0 {
		notices = []templates.AppNotice{{
			Code: "rejected", Count: int(list.Today), Href: appPath(app.ID) + "#rejections", Introspects: c.introspectsOf(app),
		}}
	}
	return view, notices, nil
}

// appRejections is everything that is kept of what was refused of an app.
func (s *Server) appRejections(c *call) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	from := c.fromRow()
	list, err := s.Registry.Rejections(c.ctx(), c.actor, app.ID, registry.Span{Skip: from, Most: rejectionsPerPage})
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, templates.AppRejectionsPage(templates.AppRejectionsView{
		Frame: c.frame("apps"), Head: c.head(app, ""), TestHref: testPath(app.ID),
		List:  templates.AppRejections{Rows: c.rejectionRows(app, list.Rows), UnknownHref: unknownPath},
		Pager: rowPager(rejectionsPath(app.ID), from, len(list.Rows), list.Total),
	}))
}

// unknownClients lists client IDs with the organisation's prefix that nobody registered.
func (s *Server) unknownClients(c *call) error {
	from := c.fromRow()
	list, err := s.Registry.UnknownClients(c.ctx(), c.actor, registry.Span{Skip: from, Most: rejectionsPerPage})
	if err != nil {
		return err
	}
	org, err := s.Identity.Organisation(c.ctx(), c.actor.Organisation)
	if err != nil {
		return err
	}
	view := templates.UnknownClients{
		Frame: c.frame("apps"), Prefix: s.ClientIDPrefix + org.ClientPrefix + "_", Now: s.DB.Now(),
		Pager: rowPager(unknownPath, from, len(list.Rows), list.Total),
	}
	for _, u := range list.Rows {
		row := templates.UnknownClient{ClientID: u.ClientID, Was: u.Was, Network: u.Network, Times: u.Times, FirstAt: u.FirstAt, LastAt: u.LastAt}
		if u.Near != nil {
			row.NearName, row.NearID, row.NearHref = u.Near.Name, u.Near.ClientID, appPath(u.Near.ID)
		}
		view.Rows = append(view.Rows, row)
	}
	return c.render(http.StatusOK, templates.UnknownClientsPage(view))
}

func (c *call) rejectionRows(app registry.App, list []registry.Rejection) []templates.AppRejection {
	rows := make([]templates.AppRejection, 0, len(list))
	for _, r := range list {
		row := templates.AppRejection{
			Why: c.why(app, r.Reason, r.Detail, r.Secret), Network: r.Network, Times: r.Times, FirstAt: r.FirstAt, LastAt: r.LastAt,
		}
		rows = append(rows, row)
	}
	return rows
}

// why is a reason as pages say it.
func (c *call) why(app registry.App, reason registry.RejectionReason, detail string, id registry.SecretID) templates.Why {
	w := templates.Why{Code: string(reason), Introspects: c.introspectsOf(app)}
	switch reason {
	case registry.RejectedMalformed, registry.RejectedTarget:
		w.Detail = detail
	case registry.RejectedScope, registry.RejectedUnknownScope:
		w.Scope = detail
		if near, ok := c.catalogue().Spelled(detail); ok && reason == registry.RejectedUnknownScope {
			w.Near = near
		}
	case registry.RejectedRetired, registry.RejectedExpired, registry.RejectedLeaked:
		if secret, ok := app.Secret(id); ok {
			w.Hint = secret.Hint
		}
	default:
	}
	return w
}

// fromRow is how many rows come before those that the address asks for.
func (c *call) fromRow() int { return int(min(positive(oneQuery(c, "from")), 10_000)) }

// rowPager leads through a list of which each part has rejectionsPerPage rows.
func rowPager(path string, from, rows, total int) templates.Pager {
	p := templates.Pager{First: from + 1, Last: from + rows, Total: total}
	at := func(row int) string {
		if row <= 0 {
			return path
		}
		return path + "?" + url.Values{"from": {strconv.Itoa(row)}}.Encode()
	}
	if from > 0 {
		p.PrevHref = at(from - rejectionsPerPage)
	}
	if from+rows < total && rows > 0 {
		p.NextHref = at(from + rows)
	}
	return p
}
