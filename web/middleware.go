package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

const requestIDKey = "request_id"

// AddressOf returns how a client's address is found: the peer, or what trusted proxies say about it. Headers of anybody
// else are not believed (C61).
func AddressOf(trusted []netip.Prefix) func(*http.Request) string {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range trusted {
		bits := p.Addr().BitLen()
		options = append(options, echo.TrustIPRange(&net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), bits)}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// requestID gives each request an ID of our own making; one sent by the client could be anything.
func (s *Server) requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := database.NewID()
		c.Set(requestIDKey, id)
		c.Response().Header().Set("X-Request-Id", id)
		return next(c)
	}
}

func requestID(c echo.Context) string {
	id, _ := c.Get(requestIDKey).(string)
	return id
}

// accessLog writes one line per request: never a header, body, query or path value.
func (s *Server) accessLog(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		r := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
		r.AddAttrs(slog.String("route", routeName(c)), slog.String("method", methodName(c.Request().Method)),
			slog.Int("status", c.Response().Status), slog.Duration("duration", time.Since(began)),
			slog.String("request_id", requestID(c)))
		s.logRecord(c.Request().Context(), r)
		return nil
	}
}

// logRecord writes a line that says nothing of where in the code it comes from: finding that out costs more than the
// rest of a line, and each request has one.
func (s *Server) logRecord(ctx context.Context, r slog.Record) {
	if h := s.Log.Handler(); h.Enabled(ctx, r.Level) {
		_ = h.Handle(ctx, r) // as slog does: there is nobody to tell
	}
}

const routeKey = "route"

func routeName(c echo.Context) string {
	if name, ok := c.Get(routeKey).(string); ok {
		return name
	}
	return "unknown"
}

// methodName keeps methods that nobody defined out of the log.
func methodName(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
	"require-trusted-types-for 'script'; trusted-types portal; report-uri /csp-report"

// header is a line of an answer's head, by its canonical name. Answers share the values, which nobody changes in place.
type header struct {
	name   string
	values []string
}

// alwaysHeaders are what every answer carries (C58, ui.md §3.4).
func alwaysHeaders(secure bool) []header {
	list := []header{
		{"Content-Security-Policy", []string{contentSecurityPolicy}},
		{"Cache-Control", []string{"no-store"}},
		{"Referrer-Policy", []string{"same-origin"}},
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"X-Frame-Options", []string{"DENY"}},
		{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
		{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
		{"Permissions-Policy", []string{"camera=(), microphone=(), geolocation=()"}},
	}
	if secure {
		list = append(list, header{"Strict-Transport-Security", []string{"max-age=63072000; includeSubDomains"}})
	}
	return list
}

// headers sets them. Handlers may replace Cache-Control where caching is safe.
func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	always := alwaysHeaders(s.secure)
	return func(c echo.Context) error {
		head := c.Response().Header()
		for _, h := range always {
			head[h.name] = h.values
		}
		return next(c)
	}
}

// recoverPanics turns a panic into the internal error that every other fault becomes; the stack goes to the log only
// (C76).
func (s *Server) recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				s.Log.Error("panic", "route", routeName(c), "request_id", requestID(c), "panic", fmt.Sprintf("%T", r),
					"stack", string(debug.Stack()))
				err = problem.New(problem.Internal, "problem.internal")
			}
		}()
		return next(c)
	}
}

// dropSecrets answers a page view with a secret in its query, as of somebody who pasted it into the search box, before
// the address is passed on by any redirect or stands on any page (ui.md §4.1).
func (s *Server) dropSecrets(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		query, err := url.QueryUnescape(c.Request().URL.RawQuery)
		if err != nil {
			query = c.Request().URL.RawQuery
		}
		if !safeMethod(c.Request().Method) || !secret.Contains(query) {
			return next(c)
		}
		c.Set(routeKey, "secret.dropped")
		if c.Request().URL.Path == scopesPath { // who searches here may not see apps
			return c.Redirect(http.StatusSeeOther, scopesPath+secretHint)
		}
		return c.Redirect(http.StatusSeeOther, appsPath+secretHint)
	}
}

// canonicalHost sends page views under another name of this host to the public URL: cookies belong to one host.
func (s *Server) canonicalHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if strings.EqualFold(r.Host, s.host) || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
			return next(c)
		}
		target := s.PublicURL + r.URL.EscapedPath()
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		return c.Redirect(http.StatusFound, target)
	}
}

// sameOrigin refuses unsafe requests that another site started (C56). The standard library lets a request through that
// carries neither Sec-Fetch-Site nor Origin, for clients that are no browsers; with a session cookie it is refused.
func (s *Server) sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if safeMethod(r.Method) {
			return next(c)
		}
		err := s.cross.Check(r)
		if err == nil && r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" && s.hasSessionCookie(r) {
			err = http.ErrNoCookie
		}
		if err != nil {
			return problem.Wrap(err, problem.Forbidden, "problem.cross_origin")
		}
		return next(c)
	}
}

func safeMethod(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
