package scope

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/problem"
)

// The bounds of what History reads: documents of APIs are large, and events of all calls lie in one list.
const (
	maxDocuments = 20
	eventsAtOnce = 100
	maxReads     = 5
)

// History returns what was changed of an API and of its calls, the last first: at most 20 changes of its document, and
// those of its calls among the last 500 changes of calls. Refused attempts are left out. What an organisation may see it
// may see the history of, so the right is the caller's to ask for; whose name stands beside a change is, too.
func (s *Shelf) History(ctx context.Context, org access.OrganisationID, key string) ([]audit.Event, error) {
	api, ok := s.For(org).API(key)
	if !ok {
		return nil, notFound()
	}
	if s.db == nil { // one catalogue stands here for ever
		return nil, nil
	}
	chain := api.Organisation
	if chain == "" {
		var err error
		if chain, err = platform(s.db.Read(ctx)); err != nil || chain == "" {
			return nil, err
		}
	}
	page, err := s.trail.Events(ctx, audit.Query{
		Chain: chain, TargetKind: targetAPI, TargetID: key, Result: audit.Done, Limit: maxDocuments,
	})
	if err != nil {
		return nil, err
	}
	calls, err := s.callHistory(ctx, chain, key)
	if err != nil {
		return nil, err
	}
	events := append(page.Events, calls...)
	slices.SortStableFunc(events, func(a, b audit.Event) int { return cmp.Compare(b.Sequence, a.Sequence) })
	return events, nil
}

func (s *Shelf) callHistory(ctx context.Context, chain access.OrganisationID, key string) ([]audit.Event, error) {
	var events []audit.Event
	next := int64(0)
	for range maxReads {
		page, err := s.trail.Events(ctx, audit.Query{
			Chain: chain, TargetKind: targetCall, Result: audit.Done, Limit: eventsAtOnce, Before: next,
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			if strings.HasPrefix(e.Target.ID, key+" ") {
				events = append(events, e)
			}
		}
		if next = page.Next; next == 0 {
			break
		}
	}
	return events, nil
}

// Tells reports whether a change of the catalogue touched a scope: a call that it opens or opened, or an API's document
// in which its lines are not the same before and after.
func Tells(e audit.Event, name string) bool {
	text := func(fields map[string]any, field string) string { value, _ := fields[field].(string); return value }
	if e.Target.Kind == targetCall {
		return slices.Contains(strings.Fields(text(e.Before, "any_of")+" "+text(e.After, "any_of")), name)
	}
	before, after := text(e.Before, "document"), text(e.After, "document")
	return mentions(before, name) != mentions(after, name)
}

// mentions returns what a document says of a scope and of the calls that it opens, as text to compare.
func mentions(document, name string) string {
	api, err := ParseAPI([]byte(document))
	if document == "" || err != nil {
		return ""
	}
	var lines []string
	for _, f := range api.Families {
		for _, s := range f.Scopes {
			if s.Name == name {
				lines = append(lines, string(s.Kind)+" "+s.Note)
			}
		}
	}
	for _, o := range api.Objects {
		for _, c := range o.Calls {
			if slices.Contains(c.AnyOf, name) {
				lines = append(lines, c.String())
			}
		}
	}
	return strings.Join(lines, "\n")
}

// Mapping returns what was mapped of a call that an organisation's people may see, to be changed: the mapping itself
// when there is one, else what the catalogue says of the call with version 0. A call that the catalogue does not know has
// neither object nor scopes. Path is the template below the API's base path.
func (s *Shelf) Mapping(ctx context.Context, org access.OrganisationID, key, method, path string) (Mapping, error) {
	api, ok := s.For(org).API(key)
	if !ok || api.Own {
		return Mapping{}, notFound()
	}
	mapped, err := s.Mappings(ctx, key)
	if err != nil {
		return Mapping{}, err
	}
	m := Mapping{API: key, Method: method, Path: path}
	if at := slices.IndexFunc(mapped, m.sameCall); at >= 0 {
		return mapped[at], nil
	}
	for _, o := range api.Objects {
		for _, c := range o.Calls {
			if c.Matches() && c.Method == method && c.Path == path {
				m.Object, m.Access, m.AnyOf, m.Note = o.Name, c.Access, c.AnyOf, c.Note
			}
		}
	}
	return m, nil
}

// Addition returns an API that was added, if an organisation's people may change it: its own, or any that is everybody's
// for whom own is zero.
func (s *Shelf) Addition(ctx context.Context, own Owner, key string) (Addition, error) {
	all, err := s.Additions(ctx, own.Organisation)
	if err != nil {
		return Addition{}, err
	}
	at := slices.IndexFunc(all, func(a Addition) bool { return a.API.Key == key })
	if at < 0 {
		return Addition{}, problem.New(problem.NotFound, "problem.not_found")
	}
	return all[at], nil
}
