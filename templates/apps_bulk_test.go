package templates_test

import (
	"testing"

	"credenza.example/credenza/templates"
)

func sampleJob(state string) templates.BulkJob {
	return templates.BulkJob{
		Frame: sampleFrame(), Act: "deactivate", State: state, Done: 3, Total: 7, Href: "/jobs/1", AppsHref: "/apps",
	}
}

func TestBulkPagesAreWholePages(t *testing.T) {
	for _, act := range []string{"activate", "deactivate", "reassign"} {
		checkPage(t, templates.AppsBulkPage(templates.AppsBulk{
			Frame: sampleFrame(), Act: act, Action: "/apps/bulk/start", CancelHref: "/apps", Total: 3, Names: []string{"One", "<b>Two</b>"},
			Hidden: []templates.Hidden{{Name: "all", Value: "on"}}, Errors: templates.FieldErrors{{Text: "The list has changed."}},
		}))
	}
	checkPage(t, templates.AppsBulkPage(templates.AppsBulk{
		Frame: sampleFrame(), Act: "mail", Action: "/apps/bulk/start", CancelHref: "/apps", Total: 3, Names: []string{"One"}, Addresses: 2,
		Sender: "ana@acme.example", Subject: "A \"b\"", Text: "</textarea><b>", MaxSubject: 120, MaxText: 2000,
		Errors: templates.FieldErrors{{Field: "mail_subject", Text: "Enter a subject."}},
	}))
	for _, state := range []string{"queued", "running", "done", "dead", "cancelled"} {
		checkPage(t, templates.BulkJobPage(sampleJob(state)))
		mail := sampleJob(state)
		mail.Act = "mail"
		for _, code := range []string{"done", "gone", "forbidden"} {
			mail.Outcomes = append(mail.Outcomes, templates.BulkOutcome{Code: code, N: 2})
			mail.Items = append(mail.Items, templates.BulkItem{Name: "jo@acme.example", Code: code, Apps: 3})
		}
		mail.Items = append(mail.Items, templates.BulkItem{Code: "gone"})
		checkPage(t, templates.BulkJobPage(mail))
	}
	full := sampleJob("done")
	for _, code := range []string{"done", "already", "gone", "forbidden", "refused", "busy"} {
		full.Outcomes = append(full.Outcomes, templates.BulkOutcome{Code: code, N: 2})
		full.Items = append(full.Items, templates.BulkItem{Name: "Spend <i>", Href: "/apps/1", Code: code, Reason: "Because."})
	}
	full.Items = append(full.Items, templates.BulkItem{Code: "gone"})
	full.NextHref, full.UndoAction, full.CancelError = "/jobs/1?after=2", "/apps/bulk", "This has ended already."
	checkPage(t, templates.BulkJobPage(full))
}

// Only what goes on is asked for again, and can be stopped.
func TestBulkJobFollowsWhatGoesOn(t *testing.T) {
	for state, want := range map[string]int{"queued": 1, "running": 1, "done": 0, "dead": 0, "cancelled": 0} {
		doc := renderDoc(t, templates.BulkJobPage(sampleJob(state)))
		if got := doc.Find("[data-poll='/jobs/1']").Length(); got != want {
			t.Errorf("%s: %d parts are followed, want %d", state, got, want)
		}
	}
}
