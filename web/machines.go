package web

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/static"
)

// machine is one line of the table of what has no browser session: OAuth, JSON APIs, static files, reports. No cookie is
// read there. Of who, tokens are asked for here; clients authenticate themselves to package oauth.
type machine struct {
	methods []string // nil: all, and the handler refuses those that it does not take
	path    string
	name    string // in logs and metrics
	who     who
	handler func(c echo.Context, token *oauth.Token) error // token is nil unless who asks for one
}

// machines is the whole table.
func (s *Server) machines() []machine {
	read := []string{http.MethodGet, http.MethodHead}
	var list []machine
	for _, e := range s.OAuth.Endpoints() {
		caller := public
		if e.Client {
			caller = who{kind: client}
		}
		list = append(list, machine{nil, e.Path, e.Name, caller, wrapped(e.Handler)})
	}
	list = append(list, s.apiMachines(apis())...)
	return append(list,
		machine{read, openAPIPath, "api.description", public, s.openAPI},
		machine{read, "/api/v1/apps/self", "api.apps.self", who{kind: token}, s.selfAPI},
		machine{read, static.Prefix + "*", "static", public, wrapped(s.Static.Handler())},
		machine{[]string{http.MethodPost}, "/csp-report", "csp.report", public, s.cspReport},
	)
}

func wrapped(handler http.Handler) func(echo.Context, *oauth.Token) error {
	return func(c echo.Context, _ *oauth.Token) error {
		handler.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}

// mountMachines mounts the table.
func (s *Server) mountMachines(list []machine) error {
	for _, m := range list {
		switch m.who.kind {
		case anybody, client, token:
		case undeclared, signedIn, holder:
			return fmt.Errorf("%s declares nobody who may call it", m.path)
		}
		handler := s.recoverPanics(s.machine(m))
		if m.methods == nil {
			s.echo.Any(m.path, handler)
			continue
		}
		s.echo.Match(m.methods, m.path, handler)
	}
	return nil
}

// machine turns a line of the table into Echo's handler.
func (s *Server) machine(m machine) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(routeKey, m.name)
		var live *oauth.Token
		if m.who.kind == token {
			var err error
			if live, err = s.bearer(c.Request()); err != nil {
				return challenged(c, err)
			}
		}
		return m.handler(c, live)
	}
}

// bearer returns the live token of a request.
func (s *Server) bearer(r *http.Request) (*oauth.Token, error) {
	presented, err := oauth.Bearer(r)
	if err != nil {
		return nil, err
	}
	return s.OAuth.Live(r.Context(), presented)
}

// challenged tells a refused machine how to do better (RFC 6750 §3). A request that cannot be understood is 400 there,
// where the portal's forms say 422.
func challenged(c echo.Context, err error) error {
	if challenge := oauth.Challenge(err); challenge != "" {
		c.Response().Header().Set("WWW-Authenticate", challenge)
	}
	if p := problem.As(err); p.Code == problem.Invalid {
		return &statusError{status: http.StatusBadRequest, key: p.Key}
	}
	return err
}
