package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/internal/signin"
	"credenza.example/credenza/static"
	"credenza.example/credenza/templates"
)

// Deps are the rooms that the pages call. All are needed but TrustedProxies.
type Deps struct {
	PublicURL      string // scheme and host of every link, without a trailing slash; also the issuer
	DB             *database.DB
	Trail          *audit.Trail
	Identity       *identity.Directory
	Signin         *signin.Service
	Registry       *registry.Registry
	Catalogue      *scope.Shelf
	OAuth          *oauth.Server
	Messages       *i18n.Bundle
	Static         *static.Files
	Log            *slog.Logger
	TrustedProxies []netip.Prefix
	ClientIDPrefix string         // leading letters of every client ID (decision 4)
	APIRates       map[string]int // how often an organisation may call, by class, where not as apis() has it
}

// Server answers every request of the public listener.
type Server struct {
	Deps
	echo    *echo.Echo
	cross   *http.CrossOriginProtection
	secure  bool // the public URL is https
	host    string
	assets  templates.Assets
	reports *limit.Limiter            // of violated content security policies, per network
	links   *limit.Limiter            // of looks at hand-off links and uses of them, per network
	tests   *limit.Limiter            // of secrets, per person
	rates   map[string]*limit.Limiter // of calls of our own APIs: by class, per organisation

	description []byte // of the management API, in OpenAPI
}

// New wires the routes. It fails when the route table is incomplete.
func New(deps Deps) (*Server, error) {
	scheme, host, ok := strings.Cut(deps.PublicURL, "://")
	if !ok {
		return nil, fmt.Errorf("the public URL %q has no scheme", deps.PublicURL)
	}
	reports, err := limit.New(limit.Config{Every: time.Second, Burst: 30, Max: 10_000, Clock: deps.DB.Now})
	if err != nil {
		return nil, err
	}
	links, err := limit.New(limit.Config{Every: time.Second, Burst: 60, Max: 10_000, Clock: deps.DB.Now})
	if err != nil {
		return nil, err
	}
	tests, err := newTestLimit(deps.DB.Now)
	if err != nil {
		return nil, err
	}
	rates, err := newRates(apis(), deps.APIRates, deps.DB.Now)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Deps: deps, echo: echo.New(), cross: http.NewCrossOriginProtection(),
		secure: scheme == "https", host: host, assets: templates.Assets(deps.Static.Assets()), reports: reports, links: links,
		tests: tests, rates: rates,
	}
	if err := s.cross.AddTrustedOrigin(deps.PublicURL); err != nil {
		return nil, fmt.Errorf("the public URL: %w", err)
	}
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.IPExtractor = AddressOf(deps.TrustedProxies)
	s.echo.HTTPErrorHandler = s.answerError
	s.echo.Use(s.requestID, s.accessLog, s.headers)
	if err := errors.Join(s.checkAPIs(apis()), s.newDescription()); err != nil {
		return nil, err
	}
	if err := s.mountMachines(s.machines()); err != nil {
		return nil, err
	}
	return s, s.mountPages(pages())
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// mountPages mounts the route table behind the session and the rights.
func (s *Server) mountPages(routes []route) error {
	group := s.echo.Group("", s.recoverPanics, s.dropSecrets, s.dropCommands, s.canonicalHost, s.sameOrigin, s.session)
	for _, r := range routes {
		if r.who.kind == undeclared || r.name == "" {
			return fmt.Errorf("%s %s declares nobody who may call it", r.method, r.path)
		}
		handler := s.page(r)
		group.Add(r.method, r.path, handler).Name = r.name
		if r.method == http.MethodGet {
			group.Add(http.MethodHead, r.path, handler).Name = r.name
		}
	}
	// Addresses nobody mounted get the same frame as pages that are not there.
	group.RouteNotFound("/*", s.page(route{name: "not_found", who: public, handler: (*Server).notFound}))
	return nil
}

const (
	// requestTime bounds what a request waits for: of a database behind a network that was cut no answer comes, ever.
	// It leaves time to say so before writeTime is over.
	requestTime = 25 * time.Second
	writeTime   = 30 * time.Second
)

// HTTPServer returns a server with the limits on slow and large requests that F7 asks for.
func HTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), requestTime)
			defer cancel()
			handler.ServeHTTP(w, r.WithContext(ctx))
		}),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      writeTime,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
