package web

import (
	"net/http"
	"net/url"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// The lists behind lines of the home page that no search of the grid stands for.
const (
	contactsPath = appsPath + "/contacts"
	rejectedPath = appsPath + "/rejected"
)

// staleContacts lists the contacts that need to be others.
func (s *Server) staleContacts(c *call) error {
	list, more, err := s.Registry.StaleContacts(c.ctx(), c.actor)
	if err != nil {
		return err
	}
	view := templates.StaleContacts{Frame: c.frame("apps"), More: more, MayManage: c.actor.Has(access.AppsManage), Now: s.DB.Now()}
	for _, k := range list {
		row := templates.StaleContact{
			Name: k.Name, Email: k.Email, Apps: k.Apps, Address: templates.AppAddress{State: string(k.Known.State), At: k.Known.At},
		}
		if k.Apps == 1 {
			row.AppName, row.Href, row.EditHref = k.AppName, appPath(k.App), c.ifManager(editPath(k.App))
		} else {
			row.Href = appsPath + "?" + url.Values{"q": {`status:active contact:"` + k.Email + `"`}}.Encode()
		}
		view.Rows = append(view.Rows, row)
	}
	return c.render(http.StatusOK, templates.StaleContactsPage(view))
}

// rejectedToday lists the apps of which requests were refused today.
func (s *Server) rejectedToday(c *call) error {
	list, more, err := s.Registry.RejectedToday(c.ctx(), c.actor)
	if err != nil {
		return err
	}
	view := templates.RejectedToday{Frame: c.frame("apps"), More: more, UnknownHref: unknownPath, Now: s.DB.Now()}
	for _, a := range list {
		view.Rows = append(view.Rows, templates.RejectedApp{
			Name: a.Name, Status: string(a.Status), Times: a.Times, LastAt: a.LastAt,
			Href: appPath(a.ID), RejectionsHref: rejectionsPath(a.ID),
		})
	}
	return c.render(http.StatusOK, templates.RejectedTodayPage(view))
}

// maxLines is how many lines of the home page need attention at most (ui.md §4.12).
const maxLines = 7

// homeAttention are the lines that somebody should act on, most serious first, in the order of an app's own page (ui.md
// §4.3): what has stopped or will stop by itself stands above what only may be wrong.
func homeAttention(counts registry.Counts, more registry.Attention) []templates.HomeLine {
	var list []templates.HomeLine
	for _, line := range []struct {
		code string
		n    int
		href string
	}{
		{"expired", counts.NoSecret, homeList("expired")},
		{"expiring", counts.Expiring, homeList("expiring")},
		{"two", counts.TwoSecrets, homeList("two")},
		{"unused", counts.Unused, homeList("unused")},
		{"stale", more.StaleContacts, contactsPath},
		{"rejected", more.RejectedApps, rejectedPath},
	} {
		if n, over := capped(line.n); n > 0 {
			list = append(list, templates.HomeLine{Code: line.code, N: n, More: over, Href: line.href, Times: more.Rejections})
		}
	}
	return list[:min(len(list), maxLines)]
}
