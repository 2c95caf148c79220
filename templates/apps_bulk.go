package templates

import (
	"context"

	"credenza.example/credenza/internal/i18n"
)

// AppsBulk asks before a change of many apps (ui.md §4.1): what is done, to how many, and to which first. Its fields: act,
// what stands in Hidden, and for reassign contact_first_name, contact_last_name and contact_email.
type AppsBulk struct {
	Frame      Frame
	Act        string // activate, deactivate, reassign
	Action     string
	CancelHref string
	Hidden     []Hidden // which apps
	Total      int
	Names      []string // of the first of them
	First      string   // reassign: as typed
	Last       string
	Email      string
	Errors     FieldErrors
}

// AppsBulkChoice is the row of buttons that begins such a change; the boxes of the grid belong to its form.
type AppsBulkChoice struct {
	Action string
	Hidden []Hidden // the search, for "all that match"
	Total  int      // that match; 0 where all are on the page
	More   bool     // more than were counted
}

// BulkJob is the page of a change that is under way or over.
type BulkJob struct {
	Frame       Frame
	Act         string
	State       string // queued, running, done, dead, cancelled
	Cancelling  bool
	Done        int
	Total       int
	Outcomes    []BulkOutcome
	Items       []BulkItem
	Href        string // this page
	NextHref    string // further results
	CancelHref  string // posts; "" when there is nothing to cancel
	UndoAction  string // posts UndoHidden; "" when there is nothing to undo
	UndoHidden  []Hidden
	AppsHref    string
	CancelError string
}

// BulkOutcome says how many apps came to the same.
type BulkOutcome struct {
	Code string // done, already, gone, forbidden, refused, busy
	N    int
}

// BulkItem is what became of one app.
type BulkItem struct {
	Name   string // "" for an app that is not the organisation's
	Href   string
	Code   string
	Reason string // refused: the sentence
}

func (v AppsBulk) title(ctx context.Context) string {
	return i18n.T(ctx, "apps.bulk."+v.Act+"_title", "N", v.Total)
}

func (v AppsBulk) page(ctx context.Context) Page {
	p := v.Frame.appPage(ctx, v.title(ctx), "", "")
	p.Error = len(v.Errors) > 0
	return p
}

func (v AppsBulk) button() Action {
	if v.Act == "deactivate" {
		return Action{Kind: "danger"}
	}
	return Action{Kind: "primary"}
}

func (v BulkJob) title(ctx context.Context) string {
	return i18n.T(ctx, "apps.bulk."+v.Act+"_title", "N", v.Total)
}

// over reports whether nothing will happen any more.
func (v BulkJob) over() bool { return v.State != "queued" && v.State != "running" }

// line says in a sentence how far the change is.
func (v BulkJob) line(ctx context.Context) string {
	key := v.State
	if v.Cancelling && !v.over() {
		key = "cancelling"
	}
	return i18n.T(ctx, "apps.bulk.state."+key, "Done", v.Done, "Total", v.Total)
}

func (v BulkJob) kind() string {
	switch v.State {
	case "done":
		return KindOK
	case "dead":
		return KindBad
	case "cancelled":
		return KindWarn
	default:
		return KindInfo
	}
}
