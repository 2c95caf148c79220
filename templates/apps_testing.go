package templates

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// AppTest is the page /apps/{id}/test: a secret is tried in three steps (ui.md §4.3). The secret itself is never here.
type AppTest struct {
	Frame          Frame
	Head           AppHead
	Action         string
	ClientID       string
	Scope          string // what was asked for, or what is proposed
	Errors         FieldErrors
	Result         *TestResult
	Try            TryIt
	RejectionsHref string
}

// TestResult is what came of a test.
type TestResult struct {
	Steps  []TestStep
	Cause  TestCause // zero when nothing failed
	Label  string    // of the secret that was accepted
	Hint   string
	EndsAt time.Time // zero: never
	Claims []TestClaim
}

// The states of a step.
const (
	StepDone    = "done"
	StepFailed  = "failed"
	StepSkipped = "skipped"
)

// TestStep is one of the three.
type TestStep struct {
	Code        string // format, token, introspect, call
	State       string
	Status      int           // of the HTTP answer; 0: there was none
	Took        time.Duration // with it
	Error       string        // the code that a client gets, and the sentence that goes with it
	Description string
}

// answer is the key of the sentence that tells the answer.
func (s TestStep) answer() string {
	if s.Took < time.Millisecond {
		return "apps.test.answer_at_once"
	}
	return "apps.test.answer"
}

// TestCause is why a test failed. Code is flaw_… for a text that is no secret, other_app (Name, Href), refused (Why),
// call or unavailable.
type TestCause struct {
	Code string
	Name string
	Href string
	Why  Why
}

// TestClaim is a claim of the token; Time is its value as a time.
type TestClaim struct{ Name, Value, Time string }

// LeaveOut adds the steps that were left out.
func (r *TestResult) LeaveOut(codes ...string) {
	for _, code := range codes {
		if code != "" {
			r.Steps = append(r.Steps, TestStep{Code: code, State: StepSkipped})
		}
	}
}

// OK reports whether every step that was due went well.
func (r *TestResult) OK() bool { return r.Cause == TestCause{} }

func (v AppTest) page(ctx context.Context) Page {
	p := v.Frame.appPage(ctx, i18n.T(ctx, "apps.test.title"), v.Head.Name, v.Head.overviewHref())
	p.Error = len(v.Errors) > 0
	return p
}

// steps are those of the last test, or those that are to come.
func (v AppTest) steps() []TestStep {
	switch {
	case v.Result != nil:
		return v.Result.Steps
	case v.Head.Introspects != "":
		return []TestStep{{Code: "format"}, {Code: "introspect"}}
	default:
		return []TestStep{{Code: "format"}, {Code: "token"}, {Code: "call"}}
	}
}

func (s TestStep) class() string {
	switch s.State {
	case StepDone:
		return "is-done"
	case StepFailed:
		return "is-failed"
	default:
		return ""
	}
}

func (s TestStep) chip() string {
	switch s.State {
	case StepDone:
		return KindOK
	case StepFailed:
		return KindBad
	default:
		return KindNeu
	}
}

// sentence says in one sentence what is wrong.
func (c TestCause) sentence() templ.Component {
	switch c.Code {
	case "refused":
		return c.Why.sentence()
	case "other_app":
		return Rich("apps.test.cause.other_app", "App", Link(c.Href, c.Name))
	default:
		return Rich("apps.test.cause." + c.Code)
	}
}

func (c TestCause) advice(ctx context.Context) string {
	if c.Code == "refused" && c.Why.Code != "no_secret" {
		return c.Why.advice(ctx)
	}
	return ""
}

func (r *TestResult) claims() []Item {
	items := make([]Item, 0, len(r.Claims))
	for _, c := range r.Claims {
		items = append(items, Item{Label: c.Name, Content: claimValue(c)})
	}
	return items
}
