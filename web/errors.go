package web

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/web/api"
)

// statusError is a fault of the HTTP request itself, for which no room has a code.
type statusError struct {
	status int
	key    string
	code   string // of the problem document where problem.Invalid is not the word
}

// Error implements error.
func (e *statusError) Error() string { return strconv.Itoa(e.status) + " " + e.key }

// statusOf is the one place that maps codes to HTTP statuses, for pages and JSON alike.
func statusOf(code problem.Code) int {
	switch code {
	case problem.Invalid:
		return http.StatusUnprocessableEntity
	case problem.Unauthenticated:
		return http.StatusUnauthorized
	case problem.Forbidden:
		return http.StatusForbidden
	case problem.NotFound:
		return http.StatusNotFound
	case problem.Conflict, problem.Stale:
		return http.StatusConflict
	case problem.Gone:
		return http.StatusGone
	case problem.Limited:
		return http.StatusTooManyRequests
	case problem.Unavailable:
		return http.StatusServiceUnavailable
	case problem.Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusInternalServerError
	}
}

// fault is an error as the answer tells it.
type fault struct {
	status  int
	err     *problem.Error
	code    string        // in a problem document; "": the problem's
	refusal *refusedError // what the answer of one of our own APIs says besides; may be nil
}

// faultOf reads an error: a room's problem, a fault of the request, or one of the router's.
func faultOf(err error) fault {
	var st *statusError
	var router *echo.HTTPError
	switch {
	case errors.As(err, &st):
		return fault{status: st.status, err: problem.Wrap(err, problem.Invalid, st.key), code: st.code}
	case errors.As(err, &router):
		switch router.Code {
		case http.StatusNotFound:
			return fault{status: router.Code, err: problem.New(problem.NotFound, "problem.not_found")}
		case http.StatusMethodNotAllowed:
			return fault{status: router.Code, err: problem.New(problem.Invalid, "problem.method")}
		default:
			return fault{status: http.StatusInternalServerError, err: problem.Wrap(err, problem.Internal, "problem.internal")}
		}
	default:
		p := problem.As(err)
		f := fault{status: statusOf(p.Code), err: p}
		if refusal, ok := errors.AsType[*refusedError](err); ok {
			f.refusal = refusal
		}
		return f
	}
}

// answerError is Echo's error handler: the only place where an error becomes an answer outside package oauth.
func (s *Server) answerError(err error, c echo.Context) {
	if c.Request().Context().Err() != nil { // whoever asked has gone, as live search does by design
		s.Log.Debug("request given up", "route", routeName(c), "request_id", requestID(c), "error", err)
		return
	}
	f := faultOf(err)
	if f.status >= http.StatusInternalServerError {
		s.Log.Error("request failed", "route", routeName(c), "request_id", requestID(c), "error", err)
	}
	if c.Response().Committed {
		return
	}
	(&call{Context: c}).retryAfter(f.err)
	if failed := s.answer(c, f); failed != nil {
		s.Log.Error("answering an error", "route", routeName(c), "request_id", requestID(c), "error", failed)
		_ = c.NoContent(http.StatusInternalServerError) // nothing is left to say when the connection is gone
	}
}

// answer writes an error as the caller of this address expects it. A panic while it does is a failure like another.
func (s *Server) answer(c echo.Context, f fault) (failed error) {
	defer func() {
		if r := recover(); r != nil {
			failed = fmt.Errorf("panic: %T\n%s", r, debug.Stack())
		}
	}()
	if forMachines(c.Request().URL.Path) {
		return s.answerProblem(c, f)
	}
	return s.answerPage(c, f)
}

// forMachines reports whether programs, not people, call an address: also one under which nothing is.
func forMachines(path string) bool {
	for _, prefix := range []string{"/api/", "/oauth2/", "/.well-known/", identityPrefix} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	parts := strings.SplitN(path, "/", 4) // "", organisation, tenant, rest
	return len(parts) == 4 && strings.HasPrefix("/"+parts[3], identityPrefix)
}

// identityPrefix begins the addresses of the identity API, also behind an organisation and a tenant (product.md decision
// 11).
const identityPrefix = "/identity_/"

// answerProblem writes an RFC 9457 problem document, in English whatever the reader's language (ui.md §6).
func (s *Server) answerProblem(c echo.Context, f fault) error {
	ctx := i18n.With(c.Request().Context(), s.Messages.For("en"), nil)
	if f.status == http.StatusUnprocessableEntity {
		f.status = http.StatusBadRequest // what programs send and cannot be taken is 400; forms say 422
	}
	doc := api.Problem{
		Status: f.status, Title: http.StatusText(f.status), Code: string(f.err.Code),
		Detail: i18n.T(ctx, f.err.Key, pairs(f.err.Args)...), TraceID: requestID(c),
	}
	if f.code != "" {
		doc.Code = f.code
	}
	if f.status == http.StatusUnauthorized {
		doc.ErrorCode = codeToken
	}
	if f.refusal != nil {
		doc.ErrorCode, doc.ScopesPresented, doc.ScopesNeeded = f.refusal.code, f.refusal.presented, f.refusal.needed
	}
	for _, field := range f.err.Fields {
		if doc.Errors == nil {
			doc.Errors = map[string][]string{}
		}
		doc.Errors[field.Name] = append(doc.Errors[field.Name], i18n.T(ctx, field.Key, pairs(field.Args)...))
	}
	return doc.Write(c.Response())
}

// pairs turns the arguments of a problem into those of a message.
func pairs(args map[string]any) []any {
	list := make([]any, 0, 2*len(args))
	for name, value := range args {
		list = append(list, name, value)
	}
	return list
}
