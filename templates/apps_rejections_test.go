package templates_test

import (
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/templates"
)

func sampleRejections() templates.AppRejections {
	return templates.AppRejections{
		AllHref: sampleApp + "/rejections", TestHref: sampleApp + "/test", UnknownHref: "/apps/unknown",
		Rows: []templates.AppRejection{
			{Why: templates.Why{Code: "retired", Hint: "7Hq1"}, Network: "10.2.0.0/24", Times: 41, FirstAt: at(21, 8, 0), LastAt: at(22, 13, 4)},
			{Why: templates.Why{Code: "scope_not_held", Scope: "core.invoice.write"}, Network: "10.2.1.0/24", Times: 3, FirstAt: at(20, 8, 0), LastAt: at(20, 8, 0)},
			{Why: templates.Why{Code: "scope_unknown", Scope: "core.invoices.read", Near: "core.invoice.read"}, Network: "10.2.2.0/24", Times: 1, LastAt: at(19, 8, 0)},
			{Why: templates.Why{Code: "malformed", Detail: "content_type"}, Network: "2001:db8::/48", Times: 2, FirstAt: at(18, 8, 0), LastAt: at(19, 8, 0)},
			{Why: templates.Why{Code: "no_secret"}, Network: "10.2.0.0/24", Times: 1, LastAt: at(17, 8, 0)},
		},
	}
}

func sampleRejectionsPage() templates.AppRejectionsView {
	return templates.AppRejectionsView{
		Frame: sampleFrame(), Head: sampleDetail().Head, List: sampleRejections(), TestHref: sampleApp + "/test",
		Pager: templates.Pager{First: 1, Last: 5, Total: 60, NextHref: sampleApp + "/rejections?from=5"},
	}
}

func sampleUnknown() templates.UnknownClients {
	return templates.UnknownClients{
		Frame: sampleFrame(), Prefix: "CCWACME_", Pager: templates.Pager{First: 1, Last: 2, Total: 2},
		Rows: []templates.UnknownClient{
			{
				ClientID: "CCWACME_7q2mx4ktr9hvzpd3bfg0", NearName: "SAP spend export", NearID: sampleID, NearHref: sampleApp, Network: "10.2.0.0/24",
				Times: 210, FirstAt: at(20, 8, 0), LastAt: at(22, 13, 4),
			},
			{ClientID: "CCWACME_aaaaaaaaaaaaaaaaaaaa", Was: "Old export", Network: "10.2.1.0/24", Times: 1, LastAt: at(19, 8, 0)},
		},
	}
}

// sampleTest is the panel after a test: one that went well, or one that failed for a cause.
func sampleTest(cause string) templates.AppTest {
	v := templates.AppTest{
		Frame: sampleFrame(), Head: sampleDetail().Head, Action: sampleApp + "/test", ClientID: sampleID, Scope: "core.invoice.read",
		Try: sampleReveal().Try, RejectionsHref: sampleApp + "/rejections",
	}
	if cause == "" {
		v.Result = &templates.TestResult{
			Label: "2026-11", Hint: "9fK2", EndsAt: at(29, 14, 5),
			Steps: []templates.TestStep{
				{Code: "format", State: templates.StepDone},
				{Code: "token", State: templates.StepDone, Status: 200, Took: 12 * time.Millisecond},
				{Code: "call", State: templates.StepDone, Status: 200, Took: time.Millisecond},
			},
			Claims: []templates.TestClaim{{Name: "iss", Value: "https://portal.example"}, {Name: "exp", Value: "1795446000", Time: "23 Nov 2026"}},
		}
		return v
	}
	v.Result = &templates.TestResult{
		Steps: []templates.TestStep{
			{Code: "format", State: templates.StepDone},
			{Code: "token", State: templates.StepFailed, Status: 401, Error: "invalid_client", Description: "Client authentication failed."},
		},
		Cause: templates.TestCause{Code: cause, Name: "Other app", Href: "/apps/x", Why: templates.Why{Code: "retired", Hint: "7Hq1"}},
	}
	v.Result.LeaveOut("call", "")
	return v
}

func TestRejectionsAreWholePages(t *testing.T) {
	checkPage(t, templates.AppRejectionsPage(sampleRejectionsPage()))
	checkPage(t, templates.UnknownClientsPage(sampleUnknown()))
	for _, cause := range []string{"", "refused", "other_app", "unavailable", "call", "flaw_spaces"} {
		checkPage(t, templates.AppTestPage(sampleTest(cause)))
	}
	empty := sampleTest("")
	empty.Result = nil
	checkPage(t, templates.AppTestPage(empty))
	detail := sampleDetail()
	detail.Rejections = sampleRejections()
	checkPage(t, templates.AppDetailPage(detail))
}

// TestEveryReasonHasWords: codes that the rooms below may give are sentences, and so is what nobody foresaw.
func TestEveryReasonHasWords(t *testing.T) {
	codes := map[string]string{
		"no_credentials": "No secret came", "no_secret": "no secret of this app", "limited": "too many failed", "grant": "grant type",
		"wrong_secret": "not stored here", "retired": "taken out of use", "expired": "has expired", "leaked": "as leaked",
		"app_inactive": "app is inactive", "organisation_inactive": "is suspended", "api_user_inactive": "API user",
		"scope_not_held": "does not hold", "scope_unknown": "there is not", "not_a_caller": "nothing else", "token_foreign": "another client",
		"of tomorrow": "of tomorrow",
	}
	for code, want := range codes {
		v := sampleRejectionsPage()
		v.List.Rows = []templates.AppRejection{{Why: templates.Why{Code: code}, Network: "other", Times: 1, LastAt: at(19, 8, 0)}}
		if got := words(renderDoc(t, templates.AppRejectionsPage(v)).Find("tbody th")); !strings.Contains(got, want) {
			t.Errorf("%s says %q", code, got)
		}
	}
}
