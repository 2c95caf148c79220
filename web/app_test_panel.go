package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/secret"
	"credenza.example/credenza/templates"
)

// How often a person may test: whoever sets up a client does not meet it, a loop does.
const (
	testBurst, testEvery = 20, 3 * time.Second
	testers              = 10_000 // told apart

	maxTestScope = 500 // bytes
	secretField  = "client_secret"
)

func testPath(id registry.AppID) string { return appPath(id) + "/test" }

func newTestLimit(clock func() time.Time) (*limit.Limiter, error) {
	return limit.New(limit.Config{Every: testEvery, Burst: testBurst, Max: testers, Clock: clock})
}

// testForm asks for the secret to test (ui.md §4.3). Whoever may see the app may test it: the secret comes from them, and
// what they learn stands on the app's page.
func (s *Server) testForm(c *call) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	view := c.testView(app)
	if draft := c.draft(); draft != nil {
		view.Scope = testScope(draft.Get("scope"))
	}
	return c.render(http.StatusOK, templates.AppTestPage(view))
}

// testApp tries the secret as the token endpoint would, by the same code, and answers with what came of it. The secret
// goes from the form into that and nowhere else; the answer to this POST is the only place that knows the result.
func (s *Server) testApp(c *call) error {
	app, f, err := c.appForm()
	if err != nil {
		return err
	}
	text, asked := f.one(secretField), f.one("scope")
	view := c.testView(app)
	view.Scope = testScope(asked)
	if err = f.err(); err == nil {
		err = s.testInput(c, text, asked)
	}
	if err == nil {
		err = c.test(app, text, &view)
	}
	if err != nil {
		if !toldInForm(err) {
			return err
		}
		view.Result, view.Errors = nil, c.fieldErrors(err, nil)
		return c.render(c.sentBack(err), templates.AppTestPage(view))
	}
	return c.render(http.StatusOK, templates.AppTestPage(view))
}

// testScope is what may stand in the field again: no secret that was pasted into the wrong one.
func testScope(text string) string {
	if secret.Contains(text) || len(text) > maxTestScope {
		return ""
	}
	return strings.TrimSpace(text)
}

// testInput refuses what need not be tried, and whoever tries too often.
func (s *Server) testInput(c *call, text, asked string) error {
	switch {
	case text == "":
		return problem.Fields(problem.NewField(secretField, "apps.test.secret_missing"))
	case secret.Contains(asked):
		return problem.Fields(problem.NewField("scope", "apps.test.scope_secret"))
	case len(asked) > maxTestScope:
		return problem.Fields(problem.NewField("scope", "apps.test.scope_long"))
	}
	return s.mayTry(c)
}

// testView is the panel before anything was tried.
func (c *call) testView(app registry.App) templates.AppTest {
	view := templates.AppTest{
		Frame: c.frame("apps"), Head: c.head(app, ""), Action: testPath(app.ID), ClientID: app.ClientID, Try: c.s.tryIt(app),
		RejectionsHref: rejectionsPath(app.ID),
	}
	view.Scope = view.Try.Scope
	return view
}

// test goes through the steps up to the one that fails.
func (c *call) test(app registry.App, text string, view *templates.AppTest) error {
	seen, err := c.s.Registry.Inspect(c.ctx(), c.actor, app.ID, text)
	if err != nil {
		return err
	}
	ask, next := "token", "call"
	if app.Kind == registry.ResourceServer {
		ask, next = "introspect", ""
	}
	result := &templates.TestResult{Steps: []templates.TestStep{{Code: "format", State: templates.StepDone}}}
	view.Result = result
	if seen.Flaw != "" {
		result.Steps[0].State = templates.StepFailed
		result.Cause = templates.TestCause{Code: "flaw_" + string(seen.Flaw)}
		result.LeaveOut(ask, next)
		return nil
	}
	began := c.s.DB.Now()
	attempt := c.try(app, text, view.Scope)
	step := templates.TestStep{Code: ask, State: templates.StepDone, Status: attempt.Status, Took: c.s.DB.Now().Sub(began)}
	if !attempt.OK() {
		step.State, step.Error, step.Description = templates.StepFailed, attempt.Code, attempt.Description
		result.Steps = append(result.Steps, step)
		result.Cause = c.testCause(app, seen, attempt)
		result.LeaveOut(next)
		return nil
	}
	result.Steps = append(result.Steps, step)
	if used, ok := app.Secret(attempt.Secret); ok {
		result.Label, result.Hint, result.EndsAt = used.Label, used.Hint, used.EndsAt
	}
	result.Claims = c.claims(attempt.Claims)
	if next == "" {
		return nil
	}
	return c.probe(attempt, result)
}

// try sends the request of the app's kind.
func (c *call) try(app registry.App, text, asked string) *oauth.Attempt {
	if app.Kind == registry.ResourceServer {
		return c.s.OAuth.TryIntrospection(c.ctx(), app.ClientID, text)
	}
	return c.s.OAuth.TryToken(c.ctx(), app.ClientID, text, asked)
}

// probe calls the portal's own API with the token: the app's own record, which any token of it opens, whatever its scopes
// (protocol.md §1.5).
func (c *call) probe(attempt *oauth.Attempt, result *templates.TestResult) error {
	began := c.s.DB.Now()
	step := templates.TestStep{Code: "call", State: templates.StepDone, Status: http.StatusOK}
	token, err := c.s.OAuth.Probe(c.ctx(), attempt)
	if err == nil {
		_, err = c.s.selfRecord(c.ctx(), token)
	}
	step.Took = c.s.DB.Now().Sub(began)
	if err != nil {
		code := problem.As(err).Code
		step.State, step.Status, step.Error = templates.StepFailed, statusOf(code), string(code)
		result.Cause = templates.TestCause{Code: "call"}
	}
	result.Steps = append(result.Steps, step)
	return nil
}

// testCause is the one sentence that says what to do about a refusal.
func (c *call) testCause(app registry.App, seen registry.Inspection, attempt *oauth.Attempt) templates.TestCause {
	reason := attempt.Rejected.Reason
	if attempt.Status >= http.StatusInternalServerError {
		return templates.TestCause{Code: "unavailable"}
	}
	if seen.Other != nil {
		return templates.TestCause{Code: "other_app", Name: seen.Other.Name, Href: appPath(seen.Other.ID)}
	}
	if ended, ok := app.Secret(seen.Secret); ok && !ended.Usable() {
		reason = endedReason(ended.State)
	}
	return templates.TestCause{Code: "refused", Why: c.why(app, reason, attempt.Rejected.Detail, seen.Secret)}
}

func endedReason(state registry.SecretState) registry.RejectionReason {
	switch state {
	case registry.SecretExpired:
		return registry.RejectedExpired
	case registry.SecretLeaked:
		return registry.RejectedLeaked
	case registry.SecretRetired, registry.SecretActive, registry.SecretEnding:
		return registry.RejectedRetired
	default:
		return registry.RejectedRetired
	}
}

// claims are the claims of the token for people: times as times too, and the list of scopes as far as it is readable.
func (c *call) claims(list []oauth.Claim) []templates.TestClaim {
	claims := make([]templates.TestClaim, 0, len(list))
	for _, claim := range list {
		shown := templates.TestClaim{Name: claim.Name, Value: claim.Value}
		if claim.Seconds > 0 {
			shown.Value = strconv.FormatInt(claim.Seconds, 10)
			shown.Time = i18n.Time(c.ctx(), time.Unix(claim.Seconds, 0))
		}
		claims = append(claims, shown)
	}
	return slices.Clip(claims)
}
