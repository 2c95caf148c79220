package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

func (s *Server) activateForm(c *call) error   { return s.askStatus(c, activation(s)) }
func (s *Server) activate(c *call) error       { return s.setStatus(c, activation(s)) }
func (s *Server) deactivateForm(c *call) error { return s.askStatus(c, deactivation(s)) }
func (s *Server) deactivate(c *call) error     { return s.setStatus(c, deactivation(s)) }

// statusAct is one of the two acts that switch an app.
type statusAct struct {
	name string
	path func(registry.AppID) string
	to   registry.Status
	run  func(ctx context.Context, actor access.Actor, id registry.AppID, version int64) (registry.App, error)
}

func activation(s *Server) statusAct {
	return statusAct{"activate", activatePath, registry.Active, s.Registry.Activate}
}

func deactivation(s *Server) statusAct {
	return statusAct{"deactivate", deactivatePath, registry.Inactive, s.Registry.Deactivate}
}

// flash is the key of the message that the act is done.
func (a statusAct) flash(app registry.App) string {
	key := "apps.flash." + a.name
	if a.to == registry.Inactive {
		key = flashOf(key, app)
	}
	return key
}

// askStatus asks before an app is switched; one that is so already needs no question.
func (s *Server) askStatus(c *call, act statusAct) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	if app.Status == act.to {
		return c.redirect(appPath(app.ID))
	}
	view := c.confirmView(app, act.name, act.path(app.ID))
	view.Back = c.cameFrom()
	return c.confirm(http.StatusOK, view)
}

// cameFrom is the filtered list that the reader comes from, "" for any other page. The browser tells it, of pages of this
// site alone (Referrer-Policy same-origin).
func (c *call) cameFrom() string {
	at, ok := strings.CutPrefix(c.Request().Referer(), c.s.PublicURL)
	if !ok {
		return ""
	}
	return listHref(at)
}

// listHref is the address of the filtered list that a text from outside names, "" for anything else. It is written anew
// of what a list knows, so that it leads nowhere else, whatever the text is.
func listHref(text string) string {
	const longest = 8 << 10
	query, ok := strings.CutPrefix(text, appsPath+"?")
	if !ok || len(text) > longest {
		return ""
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	g := formGrid(&form{values: values})
	g.after, g.before = values.Get("after"), values.Get("before")
	if href := g.href(); href != appsPath {
		return href
	}
	return ""
}

// setStatus switches the app. What stands in the way is said on the page that asked, with the app as it is now.
func (s *Server) setStatus(c *call, act statusAct) error {
	id, err := c.appID()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	version, back := f.version(), listHref(f.one("back"))
	var app registry.App
	if err = f.err(); err == nil {
		app, err = act.run(c.ctx(), c.actor, id, version)
	}
	if err == nil || (problem.Is(err, problem.Stale) && app.Status == act.to) {
		return c.done(cmp.Or(back, appPath(id)), act.flash(app), "App", app.Name)
	}
	return s.askAgain(c, templates.AppConfirm{Act: act.name, Action: act.path(id), Back: back}, err)
}

// askAgain draws the question once more with what stood in the way.
func (s *Server) askAgain(c *call, asked templates.AppConfirm, wrong error) error {
	if !toldInForm(wrong) && !problem.Is(wrong, problem.Stale) {
		return wrong
	}
	app, err := c.app()
	if err != nil {
		return err
	}
	view := c.confirmView(app, asked.Act, asked.Action)
	view.Back, view.Errors = asked.Back, c.fieldErrors(wrong, confirmNames())
	return c.confirm(c.sentBack(wrong), view)
}

// deleteForm asks for the name of the app; an active one has to be deactivated first (product.md decision 6).
func (s *Server) deleteForm(c *call) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	return c.confirm(http.StatusOK, c.deleteView(app))
}

// deleteApp deletes the app whose name was typed.
func (s *Server) deleteApp(c *call) error {
	app, f, err := c.appForm()
	if err != nil {
		return err
	}
	version, typed := f.version(), f.one("confirm_name")
	if err = f.err(); err == nil {
		err = s.Registry.Delete(c.ctx(), c.actor, app.ID, version, typed)
	}
	switch {
	case err == nil:
		return c.done(appsPath, "apps.flash.deleted", "App", app.Name)
	case !toldInForm(err) && !problem.Is(err, problem.Stale):
		return err
	}
	view := c.deleteView(app)
	view.TypedName, view.Errors = typed, c.fieldErrors(err, confirmNames())
	return c.confirm(c.sentBack(err), view)
}

func (c *call) deleteView(app registry.App) templates.AppConfirm {
	view := c.confirmView(app, "delete", deletePath(app.ID))
	if app.Status == registry.Active {
		view.Refusal, view.InsteadHref = "active", deactivatePath(app.ID)
	}
	return view
}

func (c *call) confirmView(app registry.App, act, path string) templates.AppConfirm {
	return templates.AppConfirm{
		Frame: c.frame("apps"), Act: act, Action: path, CancelHref: appPath(app.ID), Version: app.Version, AppName: app.Name,
		Introspects: c.introspectsOf(app),
	}
}

// confirm draws a question as a page, or as the part of one that the script shows as a dialog.
func (c *call) confirm(status int, view templates.AppConfirm) error {
	if c.fragment() == "dialog" {
		return c.render(status, templates.AppConfirmFragment(view))
	}
	return c.render(status, templates.AppConfirmPage(view))
}

// confirmNames are the fields that a question does not show: what is wrong with them belongs to the whole.
func confirmNames() map[string]string {
	return map[string]string{"version": "", "nonce": "", "scopes": "", "api_user": ""}
}

// done answers a change that succeeded: the page to see next, with a message.
func (c *call) done(path, key string, args ...any) error {
	if err := c.flash(templates.KindOK, key, args...); err != nil {
		return err
	}
	return c.redirect(path)
}
