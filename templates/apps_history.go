package templates

import (
	"context"
	"slices"
	"time"

	"github.com/a-h/templ"
)

// AppHistory is the page /apps/{id}/history: the app's own part of the audit trail.
type AppHistory struct {
	Frame  Frame
	Head   AppHead
	Events []AppEvent // newest first
	Now    time.Time
	Pager  Pager
}

// AppEvent is one act or refused attempt.
type AppEvent struct {
	Action  string // app.register, …; the sentence is the text audit.action.<action>, or audit.refused.<action>
	Result  string // done, refused, failed
	Who     string // person's name, client ID, operator:name or the product's part
	What    string // the app's name at that time
	Hint    string // ending of the secret concerned, when there is one
	At      time.Time
	Address string // IP address, may be empty
	Reason  string // text about a refusal, ready to show; may be empty
	Count   int    // how often the refused attempt was repeated within the minute; 0 and 1: once
	Request string // request ID
	Changes []AppChange
}

// AppChange is one value before and after. Field is the name the trail uses: name, description, scopes.
type AppChange struct{ Field, Before, After string }

// actions are the acts on apps that have a sentence of their own.
func actions() []string {
	return []string{
		"app.register", "app.edit", "app.rotate", "app.retire", "app.leak", "app.activate", "app.deactivate", "app.delete",
		"app.secret_expired", "app.restore", "app.extend", "app.hand_off", "app.hand_off_spend",
		"app.hand_off_withdraw", "app.idle", "support.lookup",
	}
}

// sentence says who did what. Names are elements of their own, so that machines leave them alone.
func (e AppEvent) sentence() templ.Component {
	key, known := "audit.action.", slices.Contains(actions(), e.Action)
	if e.Result != "done" {
		key = "audit.refused."
	}
	if !known {
		return Rich(key+"other", "Who", Name(e.Who), "App", Name(e.What), "Action", Code(e.Action))
	}
	return Rich(key+e.Action, "Who", Name(e.Who), "App", Name(e.What), "Hint", Code(ending(e.Hint)))
}

func (e AppEvent) kind() string {
	if e.Result == "failed" {
		return KindBad
	}
	return KindWarn
}

func (e AppEvent) rows(ctx context.Context) []DiffRow {
	rows := make([]DiffRow, 0, len(e.Changes))
	for _, c := range e.Changes {
		rows = append(rows, DiffRow{Field: fieldText(ctx, c.Field), Before: c.Before, After: c.After})
	}
	return rows
}

// isNew reports whether nothing was before: a table of two columns would have an empty one.
func (e AppEvent) isNew() bool {
	return !slices.ContainsFunc(e.Changes, func(c AppChange) bool { return c.Before != "" })
}

// items are the values of something new.
func (e AppEvent) items(ctx context.Context) []Item {
	items := make([]Item, 0, len(e.Changes))
	for _, c := range e.Changes {
		items = append(items, Item{Label: fieldText(ctx, c.Field), Content: plainName(c.After)})
	}
	return items
}

// overviewHref is the app's own page: the first of its tabs.
func (h AppHead) overviewHref() string {
	for _, t := range h.Tabs {
		if t.Code == "overview" {
			return t.Href
		}
	}
	return appsPath
}
