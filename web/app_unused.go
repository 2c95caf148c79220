package web

import (
	"net/http"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// unusedPath is the report of unused apps.
const unusedPath = appsPath + "/unused"

// withIdle puts the notice that a policy will switch the app off behind what is worse, and before what is not.
func (c *call) withIdle(app registry.App, list []templates.AppNotice) ([]templates.AppNotice, error) {
	at, err := c.s.Registry.IdleEnd(c.ctx(), &app)
	if err != nil || at.IsZero() {
		return list, err
	}
	place := slices.IndexFunc(list, func(n templates.AppNotice) bool {
		return n.Code == "two" || n.Code == "never_used" || n.Code == "inactive"
	})
	if place < 0 {
		place = len(list)
	}
	idle := templates.AppNotice{Code: "idle", At: at, Href: c.ifManager(deactivatePath(app.ID))}
	return slices.Insert(list, place, idle), nil
}

// unusedApps reports the active apps that nobody has used for 90 days.
func (s *Server) unusedApps(c *call) error {
	apps, more, err := s.Registry.Unused(c.ctx(), c.actor)
	if err != nil {
		return err
	}
	view := templates.AppsUnused{Frame: c.frame("apps"), More: more, MayManage: c.actor.Has(access.AppsManage), Now: s.DB.Now()}
	for _, a := range apps {
		view.Rows = append(view.Rows, templates.UnusedRow{
			Name: a.Name, ClientID: a.ClientID, Href: appPath(a.ID), LastUsedAt: a.LastUsedAt, CreatedAt: a.CreatedAt,
			OffAt: a.SwitchedOff, DeactivateHref: c.ifManager(deactivatePath(a.ID)),
		})
	}
	return c.render(http.StatusOK, templates.AppsUnusedPage(view))
}
