package registry

import (
	"context"
	"maps"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
)

// History is a page of an app's part of the audit trail, newest first. Next is the `before` of the page after it, 0 at
// the end.
type History struct {
	AppName string
	Events  []HistoryEvent
	Next    int64
}

// HistoryEvent is one act upon an app, or a refused attempt.
type HistoryEvent struct {
	ID       string
	At       time.Time
	Action   string // app.register, …
	Result   audit.Result
	Reason   string // message key of a refusal
	By       Author
	AppName  string // as it was then
	Hint     string // ending of the secret that the act is about, if there is one
	Address  string
	Request  string
	Repeated int64 // how often a refused attempt was repeated in the same minute
	Changes  []FieldChange
}

// FieldChange is one field before and after. Field is the name that the trail uses: that of the form field, or one of
// client_id, status, secret_state, reason, secret, old_secret (the endings of secrets), old_ends, ends_at, link_ends (RFC
// 3339) and hand_off (whom a link was for).
type FieldChange struct {
	Field  string
	Before Value
	After  Value
}

// Value is what a field held: a text or code, a list, or a contact person. Erased says that there was a person whose
// data are gone. The zero value is nothing.
type Value struct {
	Text    string
	List    []string
	Contact Contact
	Erased  bool
}

// The fields of events that hold IDs of other rows.
const (
	fieldContact       = "contact"
	fieldSecondContact = "second_contact"
	fieldAPIUser       = "api_user"
	fieldSecret        = "secret"
	fieldOldSecret     = "old_secret"
	fieldHandOff       = "hand_off"
)

// historyOrder is the order in which an event's fields are shown; others follow by name.
var historyOrder = []string{
	"kind", "resource_api", "name", "description", "category", "type", "credential_type", fieldContact, fieldSecondContact, fieldAPIUser, "scopes",
	"default_api", "status", "client_id", fieldSecret, "secret_state", "reason", fieldOldSecret, "old_ends", "ends_at", fieldHandOff, "link_ends",
}

// History returns a page of what was done to an app, deleted ones included. It takes apps.view. before continues a page;
// 0 begins with the newest.
func (r *Registry) History(ctx context.Context, actor access.Actor, id AppID, before int64) (History, error) {
	if err := r.mayView(ctx, actor, "app.history"); err != nil {
		return History{}, err
	}
	name, found, err := r.store.inHistory(ctx, actor.Organisation, id)
	if err != nil {
		return History{}, err
	}
	if !found {
		return History{}, notFound()
	}
	page, err := r.trail.Events(ctx, audit.Query{
		Chain: actor.Organisation, TargetKind: targetKind, TargetID: string(id), Before: max(before, 0),
	})
	if err != nil {
		return History{}, err
	}
	known, err := r.resolve(ctx, actor.Organisation, id, page.Events)
	if err != nil {
		return History{}, err
	}
	h := History{AppName: name, Next: page.Next}
	for _, e := range page.Events {
		h.Events = append(h.Events, known.event(e))
	}
	authors := make([]*Author, len(h.Events))
	for i := range h.Events {
		authors[i] = &h.Events[i].By
	}
	return h, r.store.nameAuthors(ctx, actor.Organisation, authors)
}

// RecentEvent is an act upon one of the organisation's apps, which may be deleted by now.
type RecentEvent struct {
	HistoryEvent

	App AppID
}

// Recent returns the last acts upon the organisation's apps, newest first, without what they changed and without refused
// attempts. It takes apps.view.
func (r *Registry) Recent(ctx context.Context, actor access.Actor, most int) ([]RecentEvent, error) {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return nil, err
	}
	page, err := r.trail.Events(ctx, audit.Query{Chain: actor.Organisation, TargetKind: targetKind, Result: audit.Done, Limit: most})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range page.Events {
		for _, field := range []string{fieldSecret, fieldOldSecret} {
			if id, ok := e.After[field].(string); ok {
				ids = append(ids, id)
			}
		}
	}
	hints, err := r.store.secretHints(ctx, actor.Organisation, ids)
	if err != nil {
		return nil, err
	}
	known, events := resolved{hints: hints}, make([]RecentEvent, len(page.Events))
	authors := make([]*Author, len(events))
	for i, e := range page.Events {
		events[i] = RecentEvent{HistoryEvent: known.event(e), App: AppID(e.Target.ID)}
		events[i].Changes = nil
		authors[i] = &events[i].By
	}
	return events, r.store.nameAuthors(ctx, actor.Organisation, authors)
}

// resolved is what the IDs in events stand for now.
type resolved struct {
	contacts map[ContactID]Contact
	robots   map[string]string
	hints    map[string]string
	handOffs map[string]string
}

// resolve looks up all IDs of a page at once.
func (r *Registry) resolve(ctx context.Context, org access.OrganisationID, id AppID, events []audit.Event) (resolved, error) {
	ids := map[string][]string{}
	for _, e := range events {
		for _, fields := range []map[string]any{e.Before, e.After} {
			for field, value := range fields {
				if text, ok := value.(string); ok && text != "" {
					ids[field] = append(ids[field], text)
				}
			}
		}
	}
	var known resolved
	var err error
	known.contacts, err = r.store.contactsWith(ctx, org, id, append(ids[fieldContact], ids[fieldSecondContact]...))
	if err == nil {
		known.robots, err = r.store.robotNames(ctx, org, ids[fieldAPIUser])
	}
	if err == nil {
		known.hints, err = r.store.secretHints(ctx, org, append(ids[fieldSecret], ids[fieldOldSecret]...))
	}
	if err == nil {
		known.handOffs, err = r.store.recipientsOf(ctx, org, ids[fieldHandOff])
	}
	return known, err
}

func (known resolved) event(e audit.Event) HistoryEvent {
	shown := HistoryEvent{
		ID: e.ID, At: e.At, Action: e.Action, Result: e.Result, Reason: e.Reason,
		By: Author{Kind: e.ActorKind, ID: e.ActorID}, AppName: e.Target.Label,
		Address: e.Origin.Address, Request: e.Origin.RequestID, Repeated: e.Repeated,
	}
	about := fieldSecret
	if _, replaced := e.After[fieldOldSecret]; replaced && e.Action == actionLeak {
		about = fieldOldSecret // the act is about the secret that leaked, not about the one made in its place
	}
	if id, ok := e.After[about].(string); ok {
		shown.Hint = known.hints[id]
	}
	fields := map[string]struct{}{}
	for _, side := range []map[string]any{e.Before, e.After} {
		for field := range side {
			fields[field] = struct{}{}
		}
	}
	delete(fields, about) // the hint says it
	names := slices.Sorted(maps.Keys(fields))
	slices.SortStableFunc(names, func(a, b string) int { return place(a) - place(b) })
	for _, field := range names {
		change := FieldChange{Field: field, Before: known.value(field, e.Before[field]), After: known.value(field, e.After[field])}
		shown.Changes = append(shown.Changes, change)
	}
	return shown
}

func place(field string) int {
	if i := slices.Index(historyOrder, field); i >= 0 {
		return i
	}
	return len(historyOrder)
}

// value turns what stands in an event into what is shown. IDs whose row is gone stay IDs, but for persons.
func (known resolved) value(field string, v any) Value {
	if list, ok := v.([]any); ok {
		var value Value
		for _, item := range list {
			if text, ok := item.(string); ok {
				value.List = append(value.List, text)
			}
		}
		return value
	}
	text, _ := v.(string)
	if text == "" {
		return Value{}
	}
	switch field {
	case fieldContact, fieldSecondContact:
		c, ok := known.contacts[ContactID(text)]
		return Value{Contact: c, Erased: !ok}
	case fieldAPIUser:
		return Value{Text: or(known.robots[text], text)}
	case fieldHandOff:
		return Value{Text: known.handOffs[text], Erased: known.handOffs[text] == ""}
	case fieldSecret, fieldOldSecret:
		return Value{Text: or(known.hints[text], text)}
	default:
		return Value{Text: text}
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
