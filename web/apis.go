package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// apiRoute is one line of the table of our own JSON APIs. Who may call it stands here and nowhere else: a live token of
// this API that holds one of the scopes, of an app whose API user holds the right (product.md decision 14); the rooms
// ask again. A GET answers HEAD too.
type apiRoute struct {
	method  string
	path    string
	name    string       // in logs and metrics and, for refused attempts, the act in the trail
	api     string       // key of the API in the catalogue, for which the token must have been made
	anyOf   []string     // scopes of that API; one will do
	right   access.Right // "" where the scope is enough
	rate    rate
	handler func(s *Server, c *apiCall) error
}

// rate is how often an organisation may call the routes of a class, in every window. It is counted in each process.
type rate struct {
	class  string // name of the setting and of the policy in answers
	most   int
	window time.Duration
}

// apis is the whole table.
func apis() []apiRoute {
	return append(managementAPI(), identityAPI()...)
}

// apiCall is one call of an API by an app. The rooms are asked as actor, who holds the rights of the app's API user and,
// to pass on, the scopes that are the app's now (protocol.md §6); the token's say what it may call.
type apiCall struct {
	echo.Context
	actor access.Actor
	token *oauth.Token
}

// ctx is the context to hand to rooms.
func (c *apiCall) ctx() context.Context { return c.Request().Context() }

// The codes of refusals, as the CCW API has them and the call check too (product.md decision 14).
const (
	codeToken = "E4010002" // no live token for this API
	codeRight = "E4030001" // the API user lacks a right
	codeScope = "E4030002" // the token lacks a scope
)

// refusedError is a refused call with what its answer says besides the problem.
type refusedError struct {
	code              string
	presented, needed []string // scopes
	cause             *problem.Error
}

// Error implements error.
func (e *refusedError) Error() string { return e.code + " " + e.cause.Error() }

// Unwrap returns the problem.
func (e *refusedError) Unwrap() error { return e.cause }

// apiMachines are the routes as lines of the table of what programs call.
func (s *Server) apiMachines(routes []apiRoute) []machine {
	list := make([]machine, len(routes))
	for i, r := range routes {
		methods := []string{r.method}
		if r.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		list[i] = machine{methods, r.path, r.name, who{kind: token}, func(c echo.Context, t *oauth.Token) error {
			return s.serveAPI(r, c, t)
		}}
	}
	return list
}

// newRates makes the limiters of all classes. most overrides the numbers of the table by class.
func newRates(routes []apiRoute, most map[string]int, clock func() time.Time) (map[string]*limit.Limiter, error) {
	limiters := map[string]*limit.Limiter{}
	for _, r := range routes {
		if limiters[r.rate.class] != nil {
			continue
		}
		n := r.rate.most
		if set, ok := most[r.rate.class]; ok {
			n = set
		}
		if n < 1 {
			return nil, fmt.Errorf("%s may be called %d times", r.rate.class, n)
		}
		l, err := limit.New(limit.Config{Every: r.rate.window / time.Duration(n), Burst: n, Max: 10_000, Clock: clock})
		if err != nil {
			return nil, err
		}
		limiters[r.rate.class] = l
	}
	for class := range most {
		if limiters[class] == nil {
			return nil, fmt.Errorf("CREDENZA_API_RATES names %s; there are %s", class,
				strings.Join(slices.Sorted(maps.Keys(limiters)), ", "))
		}
	}
	return limiters, nil
}

// checkAPIs reports a line of the table that would open a route to nobody or to others than it says.
func (s *Server) checkAPIs(routes []apiRoute) error {
	catalogue := s.Catalogue.Now()
	for _, r := range routes {
		if api, ok := catalogue.API(r.api); !ok || !api.Own || len(r.anyOf) == 0 || r.name == "" || r.rate.class == "" {
			return fmt.Errorf("%s %s declares nobody who may call it", r.method, r.path)
		}
		for _, name := range r.anyOf {
			if key, _ := catalogue.APIOf(name); key != r.api {
				return fmt.Errorf("%s %s: %s is no scope of %s", r.method, r.path, name, r.api)
			}
		}
	}
	return nil
}

// serveAPI lets a call in, in the order that costs strangers most and tells them least: the token's API, how often the
// organisation calls, the scope, the right.
func (s *Server) serveAPI(r apiRoute, ec echo.Context, t *oauth.Token) error {
	if t.API != r.api {
		return s.refuseAPI(ec, codeToken, nil, problem.New(problem.Unauthenticated, "oauth.token.invalid"))
	}
	if err := s.withinRate(ec, r.rate, t.Organisation); err != nil {
		return err
	}
	c := &apiCall{Context: ec, token: t, actor: access.Actor{
		Kind: access.KindApp, ID: string(t.Client.ID), Name: t.Client.ClientID, Organisation: t.Organisation,
		Scopes: t.Client.Scopes, Origin: origin(ec),
	}}
	if !slices.ContainsFunc(r.anyOf, t.Scopes.Has) {
		s.noteRefused(c, r, "api.scope")
		needed := strings.Join(r.anyOf, " ")
		return s.refuseAPI(ec, codeScope, t.Scopes.Names(),
			problem.New(problem.Forbidden, "api.scope", "Scope", needed), r.anyOf...)
	}
	rights, err := s.Identity.RobotRights(c.ctx(), t.Organisation, t.Client.APIUser)
	if err != nil {
		return err
	}
	c.actor.Rights = rights
	if r.right != "" && !c.actor.Has(r.right) {
		s.noteRefused(c, r, "problem.forbidden")
		return &refusedError{code: codeRight, cause: problem.New(problem.Forbidden, "api.right", "Right", string(r.right))}
	}
	return r.handler(s, c)
}

// refuseAPI is the answer to a token that does not do, with the challenge that goes with it (RFC 6750 §3).
func (s *Server) refuseAPI(c echo.Context, code string, presented []string, cause *problem.Error, needed ...string) error {
	c.Response().Header().Set("WWW-Authenticate", oauth.Challenge(cause))
	return &refusedError{code: code, presented: presented, needed: needed, cause: cause}
}

func (s *Server) noteRefused(c *apiCall, r apiRoute, reason string) {
	act := audit.Act{Right: r.right, Action: r.name, Organisation: c.actor.Organisation}
	if id, ok := registry.ParseAppID(c.Param("id")); ok {
		act.Target = audit.Target{Kind: "app", ID: string(id)}
	}
	s.Trail.Refused(c.ctx(), c.actor, act, reason)
}

// withinRate counts a call and says in the answer how many more there may be (draft-ietf-httpapi-ratelimit-headers).
func (s *Server) withinRate(c echo.Context, r rate, org access.OrganisationID) error {
	limiter := s.rates[r.class]
	ok, wait := limiter.Allow(string(org))
	left, full := limiter.Left(string(org))
	h := c.Response().Header()
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", r.class, limiter.Burst(), seconds(r.window)))
	h.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", r.class, left, seconds(full)))
	if ok {
		return nil
	}
	limited := problem.New(problem.Limited, "api.limited")
	limited.RetryAfter = wait
	return limited
}

// seconds rounds up: who waits that long has waited long enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
