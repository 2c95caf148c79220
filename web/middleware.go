package web

import (
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
		name := routeName(c)
		s.Log.LogAttrs(c.Request().Context(), slog.LevelInfo, "request",
			slog.String("route", name), slog.String("method", methodName(c.Request().Method)),
			slog.Int("status", c.Response().Status), slog.Duration("duration", time.Since(began)),
			slog.String("request_id", requestID(c)))
		return nil
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

// headers sets what every answer carries (C58, ui.md §3.4). Handlers may replace Cache-Control where caching is safe.
func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
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
		return c.Redirect(http.StatusSeeOther, secretHintPath)
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
