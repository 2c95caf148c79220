package web

import (
	"context"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/internal/signin"
	"credenza.example/credenza/templates"
)

// call is one request for a page: Echo's context, who asks, and in which language. It is made by the session
// middleware.
type call struct {
	echo.Context
	s      *Server
	text   context.Context //nolint:containedctx // The request's, with language and time zone; a call ends with it.
	zone   *time.Location
	cookie string       // value of the session cookie, "" without one
	visit  signin.Visit // what that cookie stands for
	actor  access.Actor // the zero Actor when nobody is signed in
	// failing: the answer is an error page, which leaves the session as it is stored.
	failing bool
}

const callKey = "call"

// ctx is the context to hand to rooms and templates.
func (c *call) ctx() context.Context { return c.text }

// catalogue is what the reader's organisation may see of the catalogue.
func (c *call) catalogue() *scope.Catalogue { return c.s.Catalogue.For(c.actor.Organisation) }

// t says a message in the reader's language.
func (c *call) t(key string, args ...any) string { return i18n.T(c.text, key, args...) }

// signedIn reports whether somebody is.
func (c *call) signedIn() bool { return c.visit.State == signin.SignedIn }

// appID reads the path's app ID; what cannot be one is not found.
func (c *call) appID() (registry.AppID, error) {
	id, ok := registry.ParseAppID(c.Param("id"))
	if !ok {
		return "", problem.New(problem.NotFound, "problem.not_found")
	}
	return id, nil
}

// secretID reads the path's secret ID; what cannot be one is not found.
func (c *call) secretID() (registry.SecretID, error) {
	id, ok := registry.ParseSecretID(c.Param("sid"))
	if !ok {
		return "", problem.New(problem.NotFound, "problem.not_found")
	}
	return id, nil
}

// page turns a route into Echo's handler: it asks for the right before the handler runs, and records who was refused.
func (s *Server) page(r route) echo.HandlerFunc {
	return func(ec echo.Context) error {
		ec.Set(routeKey, r.name)
		c, ok := ec.Get(callKey).(*call)
		if !ok {
			return problem.New(problem.Internal, "problem.internal")
		}
		c.Context = ec
		if r.who.kind != anybody && !c.signedIn() {
			return s.askToSignIn(c, r)
		}
		if r.who.kind == holder && !r.who.lets(c.actor) {
			s.Trail.Refused(c.ctx(), c.actor, audit.Act{
				Right: r.who.right, Action: r.name, Organisation: c.actor.Organisation,
				Target: refusedTarget(c),
			}, "problem.forbidden")
			return audit.Forbidden(r.who.right)
		}
		return r.handler(s, c)
	}
}

// refusedTarget names what a refused request was about, when its path holds an ID.
func refusedTarget(c *call) audit.Target {
	if id, ok := identity.ParseRobotID(c.Param("robot")); ok {
		return audit.Target{Kind: "robot", ID: string(id)}
	}
	if id, ok := identity.ParseGroupID(c.Param("group")); ok {
		return audit.Target{Kind: "group", ID: string(id)}
	}
	if id, ok := registry.ParseAppID(c.Param("id")); ok {
		return audit.Target{Kind: "app", ID: string(id)}
	}
	return audit.Target{}
}

// frame is what every page shows around itself. current is the code of the navigation link the page belongs to.
func (c *call) frame(current string) templates.Frame {
	f := templates.Frame{Current: current, Flash: c.takeFlash(), Help: templates.HelpPath(helpOf(routeName(c)))}
	if !c.signedIn() {
		return f
	}
	f.User = &templates.User{Name: c.actor.Name, Email: c.actor.Email}
	if org, err := c.s.Identity.Organisation(c.ctx(), c.actor.Organisation); err == nil {
		f.User.Organisation = org.Name
	} else {
		c.s.Log.LogAttrs(c.ctx(), slog.LevelWarn, "the frame has no organisation", slog.Any("error", err))
	}
	f.Nav = []templates.NavLink{{Code: "home", Href: "/"}}
	if c.actor.Has(access.SupportLookup) {
		f.Nav = append(f.Nav, templates.NavLink{Code: "lookup", Href: lookupPath})
	}
	if c.actor.Has(access.AppsView) {
		f.Nav = append(f.Nav, templates.NavLink{Code: "apps", Href: "/apps"})
	}
	f.Nav = append(f.Nav, templates.NavLink{Code: "scopes", Href: scopesPath})
	if c.actor.Has(access.CatalogueManage) || c.actor.Has(access.AppsManage) {
		f.Nav = append(f.Nav, templates.NavLink{Code: "catalogue", Href: cataloguePath})
	}
	if c.actor.Has(access.DocsView) {
		f.Nav = append(f.Nav, templates.NavLink{Code: "api", Href: apiPagePath})
	}
	if c.actor.Has(access.RobotsView) {
		f.Nav = append(f.Nav, templates.NavLink{Code: "robots", Href: robotsPath}, templates.NavLink{Code: "groups", Href: groupsPath})
	}
	return f
}

// fieldErrors turns a problem's fields into what the form shows, in the order given. form maps names of rooms' fields
// to those of the form where they differ. A problem without fields becomes one line that belongs to no field.
func (c *call) fieldErrors(err error, form map[string]string) templates.FieldErrors {
	p := problem.As(err)
	if len(p.Fields) == 0 {
		return templates.FieldErrors{{Text: c.t(p.Key, c.pairs(p.Args)...)}}
	}
	list := make(templates.FieldErrors, 0, len(p.Fields))
	for _, f := range p.Fields {
		name := f.Name
		if renamed, ok := form[name]; ok {
			name = renamed
		}
		list = append(list, templates.FieldError{Field: name, Text: c.t(f.Key, c.pairs(f.Args)...)})
	}
	return list
}

// pairs are the arguments of a problem for a person: rights by the names that pages give them.
func (c *call) pairs(args map[string]any) []any {
	list := pairs(args)
	for i := 0; i+1 < len(list); i += 2 {
		if right, ok := list[i+1].(string); ok && list[i] == "Right" && right != "" {
			list[i+1] = templates.RightPath(c.ctx(), right)
		}
	}
	return list
}

// holders are the people who can grant a right, for pages that say whom to ask.
func (c *call) holders(right access.Right) []identity.Person {
	if c.actor.Organisation == "" {
		return nil
	}
	people, err := c.s.Identity.Holders(c.ctx(), c.actor.Organisation, right)
	if err != nil {
		c.s.Log.LogAttrs(c.ctx(), slog.LevelWarn, "holders of a right cannot be listed", slog.Any("error", err))
	}
	return people
}
