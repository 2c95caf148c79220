package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// home is where one lands after signing in. Whoever holds no right at all is told which rights there are and whom to
// ask (ui.md §4.10).
func (s *Server) home(c *call) error {
	if len(c.actor.Rights) == 0 {
		return c.render(http.StatusOK, templates.ForbiddenPage(templates.Forbidden{
			Frame: c.frame("home"), Nothing: true, Holders: c.granters(),
			Rights: []string{string(access.AppsView), string(access.AppsManage)},
		}))
	}
	page := templates.Home{Frame: c.frame("home"), Name: c.actor.Name, Scopes: scopesPath}
	if c.actor.Has(access.AppsManage) {
		page.Create = newAppPath
	}
	if c.actor.Has(access.AppsView) {
		counts, err := s.Registry.Counts(c.ctx(), c.actor)
		if err != nil {
			return err
		}
		fillCounts(&page, counts)
	}
	return c.render(http.StatusOK, templates.HomePage(page))
}

// fillCounts shows how many apps there are, or the first steps while there are none.
func fillCounts(page *templates.Home, counts registry.Counts) {
	if counts.Active+counts.Inactive == 0 {
		if page.Create != "" {
			page.Steps = &templates.HomeSteps{Register: page.Create}
		}
		return
	}
	page.Counts = []templates.HomeCount{
		{Code: "active", N: counts.Active, Href: appsPath + "?status=" + string(registry.Active)},
		{Code: "inactive", N: counts.Inactive, Href: appsPath + "?status=" + string(registry.Inactive)},
	}
}

func (s *Server) help(c *call) error {
	return c.render(http.StatusOK, templates.HelpPage(templates.Help{Frame: c.frame(""), TokenURL: s.PublicURL + tokenPath}))
}

func (s *Server) notFound(*call) error { return problem.New(problem.NotFound, "problem.not_found") }

// granters are the people who can grant rights in the organisation of whoever asks.
func (c *call) granters() []templates.Holder {
	people := c.holders(access.RolesManage)
	list := make([]templates.Holder, len(people))
	for i, p := range people {
		list[i] = templates.Holder{Name: p.Name(), Email: p.Email}
	}
	return list
}

// answerPage shows an error as a page, or as the part of a page that the script asked for.
func (s *Server) answerPage(ec echo.Context, f fault) error {
	c, ok := ec.Get(callKey).(*call)
	if !ok {
		c = s.strangersCall(ec)
	}
	c.Context, c.failing = ec, true
	if f.err.Code == problem.Forbidden {
		if right, ok := f.err.Args["Right"].(string); ok && c.signedIn() {
			return c.render(f.status, templates.ForbiddenPage(templates.Forbidden{
				Frame: c.frame(""), Rights: []string{right}, Holders: c.granters(),
			}))
		}
	}
	page := templates.Failure{Frame: c.frame(""), Status: f.status}
	if text := c.t(f.err.Key, pairs(f.err.Args)...); specific(f.err) {
		page.Text = text
	}
	if f.status >= http.StatusInternalServerError {
		page.Reference = requestID(ec)
		if safeMethod(ec.Request().Method) {
			page.Retry = ec.Request().URL.RequestURI()
		}
	}
	return c.render(f.status, templates.FailurePage(page))
}

// specific reports whether a problem says more than its status.
func specific(p *problem.Error) bool {
	switch p.Key {
	case "problem.internal", "problem.unavailable", "problem.not_found", "problem.invalid", "":
		return false
	default:
		return true
	}
}
