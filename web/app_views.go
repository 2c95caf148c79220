package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// viewsPage lists the saved views of the grid.
func (s *Server) viewsPage(c *call) error {
	views, err := s.Registry.Views(c.ctx(), c.actor)
	if err != nil {
		return err
	}
	page := templates.AppViews{Frame: c.frame("apps"), AppsHref: appsPath}
	for _, v := range views {
		line := templates.AppView{
			Name: v.Name, Href: viewGrid(v).href(), Query: v.Text, Order: string(v.Sort), Descending: v.Descending, Shared: v.Shared,
		}
		if !v.Shared || c.actor.Has(access.AppsManage) {
			line.EditHref, line.DeleteHref = viewPath(v.ID), viewPath(v.ID)+"/delete"
		}
		page.Views = append(page.Views, line)
	}
	return c.render(http.StatusOK, templates.AppViewsPage(page))
}

// viewGrid is the state of the grid that a view names. What is usual is left out, as links leave it out.
func viewGrid(v registry.View) grid {
	g := grid{text: v.Text}
	if v.Sort != registry.SortName || v.Descending {
		g.sort = string(v.Sort)
	}
	if v.Descending {
		g.dir = "desc"
	}
	if v.PerPage != usualPage {
		g.per = strconv.Itoa(v.PerPage)
	}
	g.columns = registry.FormatColumns(v.Columns)
	if v.Compact {
		g.density = compact
	}
	return g
}

// usualPage is how many apps a page shows that was not asked for another number.
const usualPage = 50

// viewTabs are the saved views as tabs above the grid. The list does not fail for them.
func (c *call) viewTabs(g grid) []templates.Tab {
	views, err := c.s.Registry.Views(c.ctx(), c.actor)
	if err != nil {
		c.s.logFailure(c, err)
		return nil
	}
	var tabs []templates.Tab
	for _, v := range views {
		href := viewGrid(v).href()
		tabs = append(tabs, templates.Tab{Label: v.Name, Href: href, Current: href == g.first().href()})
	}
	return tabs
}

// saveHref is the page that saves this state as a view.
func (g grid) saveHref() string {
	return strings.Replace(g.first().href(), appsPath, viewsPath+"/new", 1)
}

// saveViewForm asks under which name the grid in the address is to be saved.
func (s *Server) saveViewForm(c *call) error {
	if draft := c.draft(); draft != nil {
		f := &form{values: draft}
		v := c.newViewForm(formGrid(f))
		v.Name, v.Shared = f.one("name"), f.one("shared") != ""
		return c.render(http.StatusOK, templates.AppViewFormPage(v))
	}
	return c.render(http.StatusOK, templates.AppViewFormPage(c.newViewForm(readGrid(c))))
}

func (c *call) newViewForm(g grid) templates.AppViewForm {
	v := templates.AppViewForm{
		Frame: c.frame("apps"), New: true, Action: viewsPath, CancelHref: g.first().href(), Query: g.text,
		MayShare: c.actor.Has(access.AppsManage),
	}
	v.Hidden = g.first().hidden()
	return v
}

// saveView saves the grid that the form was opened for.
func (s *Server) saveView(c *call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	g := formGrid(f)
	name, shared := f.one("name"), f.one("shared") != ""
	if err = f.err(); err == nil {
		_, err = s.Registry.SaveView(c.ctx(), c.actor, registry.NewView{
			Name: name, Shared: shared, Query: g.query(c), Columns: registry.ParseColumns(g.columns), Compact: g.density == compact,
		})
	}
	if err == nil {
		return c.done(g.href(), "apps.flash.view_saved", "View", name)
	}
	if !toldInForm(err) {
		return err
	}
	v := c.newViewForm(g)
	v.Name, v.Shared, v.Errors = name, shared, c.fieldErrors(err, map[string]string{"q": "", "sort": "", "per": "", "category": "", "status": ""})
	return c.render(c.sentBack(err), templates.AppViewFormPage(v))
}

// view reads the view that the path names.
func (c *call) view() (registry.View, error) {
	id, ok := registry.ParseViewID(c.Param("view"))
	if !ok {
		return registry.View{}, problem.New(problem.NotFound, "problem.not_found")
	}
	return c.s.Registry.View(c.ctx(), c.actor, id)
}

// editViewForm asks for another name, or other readers.
func (s *Server) editViewForm(c *call) error {
	v, err := c.view()
	if err != nil {
		return err
	}
	page := c.editedViewForm(v)
	if draft := c.draft(); draft != nil {
		f := &form{values: draft}
		page.Name, page.Shared = f.one("name"), f.one("shared") != ""
		page.Hidden = []templates.Hidden{templates.VersionField(f.version())} // the version that was seen
	}
	return c.render(http.StatusOK, templates.AppViewFormPage(page))
}

func (c *call) editedViewForm(v registry.View) templates.AppViewForm {
	return templates.AppViewForm{
		Frame: c.frame("apps"), Action: viewPath(v.ID), CancelHref: viewsPath, Query: v.Text, Name: v.Name, Shared: v.Shared,
		MayShare: c.actor.Has(access.AppsManage), Hidden: []templates.Hidden{templates.VersionField(v.Version)},
	}
}

func (s *Server) editView(c *call) error {
	v, err := c.view()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	version, name, shared := f.version(), f.one("name"), f.one("shared") != ""
	if err = f.err(); err == nil {
		_, err = s.Registry.EditView(c.ctx(), c.actor, v.ID, version, name, shared)
	}
	if err == nil {
		return c.done(viewsPath, "apps.flash.view_saved", "View", name)
	}
	if !toldInForm(err) && !problem.Is(err, problem.Stale) {
		return err
	}
	form := c.editedViewForm(v)
	form.Name, form.Shared, form.Errors = name, shared, c.fieldErrors(err, nil)
	return c.render(c.sentBack(err), templates.AppViewFormPage(form))
}

// deleteViewForm asks before a view is deleted.
func (s *Server) deleteViewForm(c *call) error {
	v, err := c.view()
	if err != nil {
		return err
	}
	ask := templates.AppViewDelete{
		Frame: c.frame("apps"), Name: v.Name, Shared: v.Shared, Action: viewPath(v.ID) + "/delete", CancelHref: viewsPath,
	}
	if c.fragment() == "dialog" {
		return c.render(http.StatusOK, templates.AppViewDeleteFragment(ask))
	}
	return c.render(http.StatusOK, templates.AppViewDeletePage(ask))
}

func (s *Server) deleteView(c *call) error {
	v, err := c.view()
	if err == nil {
		err = s.Registry.DeleteView(c.ctx(), c.actor, v.ID)
	}
	if err != nil {
		return err
	}
	return c.done(viewsPath, "apps.flash.view_deleted", "View", v.Name)
}

// The addresses of saved views.
const viewsPath = appsPath + "/views"

func viewPath(id registry.ViewID) string { return viewsPath + "/" + url.PathEscape(string(id)) }
