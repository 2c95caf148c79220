package templates

import (
	"context"

	"credenza.example/credenza/internal/i18n"
)

// AppsBulk asks before a change of many apps (ui.md §4.1): what is done, to how many, and to which first. Its fields: act,
// what stands in Hidden, for reassign contact_first_name, contact_last_name and contact_email, for mail mail_subject and
// mail_text.
type AppsBulk struct {
	Frame      Frame
	Act        string // activate, deactivate, reassign, mail
	Action     string
	CancelHref string
	Hidden     []Hidden // which apps
	Total      int
	Names      []string // of the first of them
	First      string   // reassign: as typed
	Last       string
	Email      string
	Addresses  int    // mail: to how many
	Sender     string // mail: where answers go
	Subject    string // mail: as typed
	Text       string
	MaxSubject int
	MaxText    int
	Errors     FieldErrors
}

// AppsBulkChoice is the row of buttons that begins such a change; the boxes of the grid belong to its form.
type AppsBulkChoice struct {
	Action string
	Hidden []Hidden // the search, for "all that match"
	Total  int      // that match; 0 where that is one
	More   bool     // more than were counted
	Silent bool     // no mail is sent here
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

// BulkItem is what became of one app or, for mail, of one address.
type BulkItem struct {
	Name   string // "" for what is not the organisation's any more
	Href   string // of an app
	Code   string
	Reason string // refused: the sentence
	Apps   int    // that a mail names
}

func (v AppsBulk) title(ctx context.Context) string {
	return i18n.T(ctx, "apps.bulk."+v.Act+"_title", "N", v.Total)
}

func (v AppsBulk) page(ctx context.Context) Page {
	p := v.Frame.appPage(ctx, v.title(ctx), "", "")
	p.Error = len(v.Errors) > 0
	return p
}

// button does what is asked about.
func (v AppsBulk) button(ctx context.Context) Action {
	switch v.Act {
	case "deactivate":
		return Action{Label: v.title(ctx), Kind: "danger"}
	case "mail":
		return Action{Label: i18n.T(ctx, "apps.bulk.mail_send", "N", v.Addresses), Kind: "primary"}
	default:
		return Action{Label: v.title(ctx), Kind: "primary"}
	}
}

// text says what will be done, to so many apps or addresses.
func (v AppsBulk) text(ctx context.Context) string {
	n := v.Total
	if v.Act == "mail" {
		n = v.Addresses
	}
	return i18n.T(ctx, "apps.bulk."+v.Act+"_text", "N", n, "Sender", v.Sender)
}

// allChosen is what the count says once all that match are chosen.
func (v AppsBulkChoice) allChosen(ctx context.Context) string {
	if v.More {
		return i18n.T(ctx, "apps.bulk.all_chosen")
	}
	return i18n.T(ctx, "apps.bulk.chosen", "N", v.Total)
}

// mails reports whether it is letters that are sent, and each result that of an address.
func (v BulkJob) mails() bool { return v.Act == "mail" }

// key returns the key of a sentence about an app, or about a letter.
func (v BulkJob) key(name string) string {
	if v.mails() {
		return "apps.bulk.mail_" + name
	}
	return "apps.bulk." + name
}

func (v BulkJob) title(ctx context.Context) string {
	if v.mails() {
		return i18n.T(ctx, "apps.bulk.mail_job", "N", v.Total)
	}
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
	return i18n.T(ctx, v.key("state."+key), "Done", v.Done, "Total", v.Total)
}

// count says how many things came to an outcome.
func (v BulkJob) count(ctx context.Context, o BulkOutcome) string {
	if v.mails() {
		return i18n.T(ctx, "apps.bulk.mail_count."+o.Code, "N", o.N)
	}
	return i18n.T(ctx, "apps.bulk.outcome_count."+o.Code, "N", o.N)
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
