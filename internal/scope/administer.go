package scope

import (
	"context"
	"slices"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// tries is how often a change is checked again because somebody else changed something meanwhile.
const tries = 5

// The targets of audit events.
const (
	targetCall = "catalogue_call"
	targetAPI  = "catalogue_api"
)

// Mappings returns what was mapped of an API, in the order in which it was.
func (s *Shelf) Mappings(ctx context.Context, api string) ([]Mapping, error) {
	all, err := readChanges(s.db.Read(ctx))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all.mappings, func(m Mapping) bool { return m.API != api }), nil
}

// Additions returns the APIs that were added for every organisation, or those of one organisation.
func (s *Shelf) Additions(ctx context.Context, org access.OrganisationID) ([]Addition, error) {
	all, err := readChanges(s.db.Read(ctx))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all.additions, func(a Addition) bool { return a.Organisation != org }), nil
}

// Map says which scopes open a call. m.Version is the one that the actor saw, 0 for a call that was not mapped. It takes
// catalogue.manage, for an organisation's own API apps.manage of that organisation. The answers are problem.Invalid with
// faults of the fields object, method, path, access and any_of, problem.NotFound for an API that there is not,
// problem.Stale and problem.Forbidden.
func (s *Shelf) Map(ctx context.Context, actor access.Actor, m Mapping) error {
	act := s.act(actor, s.rightFor(actor, m.API), "catalogue.map", audit.Target{Kind: targetCall, ID: m.id(), Label: m.Method + " " + m.Path})
	return s.change(ctx, actor, act, func(now changes) (step, error) {
		if err := s.mayBeMapped(actor, m); err != nil {
			return step{}, err
		}
		before, found := now.mapping(m)
		if before.Version != m.Version {
			return step{}, stale()
		}
		after := m
		after.Version++
		change := audit.Change{After: after.record()}
		if found {
			change.Before = before.record()
		}
		return step{
			next: now.withMapping(after), change: change, key: m.API, invalid: "any_of",
			write: func(tx *database.Tx) error { return writeMapping(tx, after) },
		}, nil
	})
}

// Unmap takes a mapping back: what the built-in catalogue says of the call holds again. It takes the right
// that Map takes, and answers as it does.
func (s *Shelf) Unmap(ctx context.Context, actor access.Actor, m Mapping) error {
	act := s.act(actor, s.rightFor(actor, m.API), "catalogue.unmap", audit.Target{Kind: targetCall, ID: m.id(), Label: m.Method + " " + m.Path})
	return s.change(ctx, actor, act, func(now changes) (step, error) {
		before, found := now.mapping(m)
		switch _, seen := s.For(actor.Organisation).API(m.API); {
		case !found, !seen:
			return step{}, notFound()
		case before.Version != m.Version:
			return step{}, stale()
		}
		return step{
			next: now.withoutMapping(m), change: audit.Change{Before: before.record()}, key: m.API, invalid: "any_of",
			write: func(tx *database.Tx) error { return deleteMapping(tx, m) },
		}, nil
	})
}

// rightFor is what changing the calls of an API takes of somebody: of an API that nobody of the organisation may see
// what the shared ones take, so that being refused tells nothing.
func (s *Shelf) rightFor(actor access.Actor, key string) access.Right {
	api, _ := s.For(actor.Organisation).API(key)
	return Owner{Organisation: api.Organisation}.right()
}

// id is what events call the call.
func (m Mapping) id() string { return m.API + " " + m.Method + " " + m.Path }

func (m Mapping) record() map[string]any {
	return map[string]any{
		"api": m.API, "object": m.Object, "method": m.Method, "path": m.Path, "access": string(m.Access),
		"any_of": strings.Join(m.AnyOf, " "), "note": m.Note,
	}
}

func (c changes) mapping(m Mapping) (Mapping, bool) {
	at := slices.IndexFunc(c.mappings, m.sameCall)
	if at < 0 {
		return Mapping{}, false
	}
	return c.mappings[at], true
}

// mayBeMapped checks by itself what can be told of a field; the rest is found when the catalogue is built.
func (s *Shelf) mayBeMapped(actor access.Actor, m Mapping) error {
	api, ok := s.For(actor.Organisation).API(m.API)
	if !ok || api.Own { // calls of our own APIs are what the program serves
		return notFound()
	}
	var faults []problem.Field
	add := func(field, key string, args ...any) { faults = append(faults, problem.NewField(field, key, args...)) }
	if name := strings.TrimSpace(m.Object); name == "" || len(name) > maxObjectName || strings.ContainsFunc(name, isOdd) {
		add("object", "catalogue.object.invalid", "Max", maxObjectName)
	}
	if !slices.Contains(Methods(), m.Method) {
		add("method", "catalogue.method.invalid")
	}
	if _, err := parseTemplate(m.Path); err != nil || len(m.Path) > maxPath {
		add("path", "catalogue.path.invalid", "Max", maxPath)
	}
	if m.Access != AccessRead && m.Access != AccessWrite {
		add("access", "catalogue.access.invalid")
	}
	for _, name := range m.AnyOf {
		if of, ok := s.Now().APIOf(name); !ok || of != m.API {
			add("any_of", "catalogue.any_of.foreign", "Scope", name)
			break
		}
	}
	if len(m.Note) > maxNote {
		add("note", "catalogue.note.long", "Max", maxNote)
	}
	return problem.Fields(faults...)
}

const (
	maxObjectName = 80  // bytes
	maxPath       = 200 // bytes
	maxNote       = 500 // bytes
)

func isOdd(r rune) bool { return r < 0x21 || r > 0x7e }

// Add adds an API: for every organisation with catalogue.manage, or an organisation's own with apps.manage of it. The
// document is one API in the form of catalogue.yaml. An organisation's own API has a key that begins with x-, then its
// client prefix in lower case; its scopes begin with x. and the prefix; no other API may begin so (protocol.md §6).
// With a version it replaces the one of that version. The answers are problem.Invalid with faults of the field document,
// problem.Stale, problem.Conflict when the key is taken, problem.Forbidden and problem.NotFound.
func (s *Shelf) Add(ctx context.Context, actor access.Actor, own Owner, document string, version int64) (key string, err error) {
	a := Addition{Document: document, Organisation: own.Organisation, Version: version}
	act := s.act(actor, own.right(), "catalogue.api", audit.Target{Kind: targetAPI})
	if err := s.trail.Check(ctx, actor, act); err != nil {
		return "", err
	}
	if !own.may(actor) {
		return "", notFound()
	}
	if a.API, err = a.read(); err == nil {
		err = own.keeps(a.API)
	}
	if err != nil {
		return "", invalidDocument(err)
	}
	act.Target = audit.Target{Kind: targetAPI, ID: a.API.Key, Label: a.API.Title}
	return a.API.Key, s.change(ctx, actor, act, func(now changes) (step, error) {
		before, found := now.addition(a.API.Key, own)
		switch {
		case !found && version != 0:
			return step{}, notFound()
		case before.Version != version:
			return step{}, stale()
		}
		if _, taken := s.Now().API(a.API.Key); taken && !found {
			return step{}, problem.New(problem.Conflict, "catalogue.key.taken", "Key", a.API.Key)
		}
		after := a
		after.Version++
		change := audit.Change{After: after.record()}
		if found {
			change.Before = before.record()
		}
		return step{
			next: now.withAddition(after), change: change, key: a.API.Key, invalid: "document",
			write: func(tx *database.Tx) error { return writeAddition(tx, after) },
		}, nil
	})
}

// Remove removes an API that was added, of the version that the actor saw. Whether apps still hold scopes of it is for
// the caller to ask first: those scopes open nothing any more.
func (s *Shelf) Remove(ctx context.Context, actor access.Actor, own Owner, key string, version int64) error {
	act := s.act(actor, own.right(), "catalogue.api_remove", audit.Target{Kind: targetAPI, ID: key})
	return s.change(ctx, actor, act, func(now changes) (step, error) {
		before, found := now.addition(key, own)
		switch {
		case !found, !own.may(actor):
			return step{}, notFound()
		case before.Version != version:
			return step{}, stale()
		}
		return step{
			next: now.withoutAddition(key), change: audit.Change{Before: before.record()}, key: key, invalid: "document",
			write: func(tx *database.Tx) error { return deleteAddition(tx, key) },
		}, nil
	})
}

// record of an API in the trail is its document, which is what comes back when it is taken from there.
func (a Addition) record() map[string]any { return map[string]any{"document": a.Document} }

func (c changes) addition(key string, own Owner) (Addition, bool) {
	at := slices.IndexFunc(c.additions, func(a Addition) bool { return a.API.Key == key && a.Organisation == own.Organisation })
	if at < 0 {
		return Addition{}, false
	}
	return c.additions[at], true
}

// step is a change that is checked and waits to be written.
type step struct {
	next    changes
	change  audit.Change
	key     string // of the API
	invalid string // the field that is at fault when the catalogue would not be sound
	write   func(tx *database.Tx) error
}

// change checks the whole catalogue with a change before the transaction, for that takes time, and writes it if nobody
// changed anything meanwhile; else it begins again.
func (s *Shelf) change(ctx context.Context, actor access.Actor, act audit.Act, prepare func(now changes) (step, error)) error {
	if err := s.trail.Check(ctx, actor, act); err != nil {
		return err
	}
	for range tries {
		now, err := readChanges(s.db.Read(ctx))
		if err != nil {
			return err
		}
		todo, err := prepare(now)
		if err != nil {
			return err
		}
		if _, err := todo.next.build(); err != nil {
			return problem.Fields(problem.NewField(todo.invalid, "catalogue.unsound", "Faults", err.Error()))
		}
		taken := false
		err = s.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
			if taken, err = takeVersion(tx, now.version); err != nil || !taken {
				return audit.Change{}, orNothing(err)
			}
			tx.Changed(database.TopicCatalogue, todo.key)
			return todo.change, todo.write(tx)
		})
		if err != nil {
			return err
		}
		if taken {
			return s.load(ctx)
		}
	}
	return stale()
}

func orNothing(err error) error {
	if err != nil {
		return err
	}
	return audit.ErrNothing
}

func (s *Shelf) act(actor access.Actor, right access.Right, action string, target audit.Target) audit.Act {
	return audit.Act{Right: right, Action: action, Organisation: actor.Organisation, Target: target}
}

func notFound() error { return problem.New(problem.NotFound, "problem.not_found") }

func stale() error { return problem.New(problem.Stale, "problem.stale") }
