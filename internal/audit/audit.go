// Package audit is the append-only trail of what was changed and what was refused, and the one door through which every
// change goes: Trail.Do checks the actor's right, runs the change and writes its event in the same transaction.
//
// Events of an organisation form a chain: each carries a sequence number and the hash of the one before, and triggers
// refuse to update or delete them (T23, C74). Events hold IDs, codes and plain values; personal data stands in erasable
// rows elsewhere, which events point to by ID (protocol.md §10). Ordinary use, such as tokens issued, is counted by
// package registry and not audited one by one (decision 18).
package audit

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// Result says how an act ended.
type Result string

// The results of ui.md §5.4.
const (
	Done    Result = "done"
	Refused Result = "refused"
	Failed  Result = "failed"
)

// Target is the thing that an act is about. Label is its name at the time, for sentences; never a person's data.
type Target struct {
	Kind  string
	ID    string
	Label string
}

// Act is what an actor asks to do. Right is the right it takes; empty for acts that need none, such as signing out.
// Action is the stable name of the act, such as "app.register".
type Act struct {
	Right        access.Right
	Action       string
	Organisation access.OrganisationID
	Target       Target
}

// Change is what an act changed. Target replaces the act's when it is set, for things that are made inside. Before and
// After hold the changed fields only. Together are the events of further things that the same act changed alike, Elsewhere
// those that it leaves in other trails.
type Change struct {
	Target    Target
	Before    map[string]any
	After     map[string]any
	Together  []Together
	Elsewhere []Elsewhere
}

// Together is one of the further things that an act upon many changed, in the same trail: each has an event of its own, so
// that its history tells of the act.
type Together struct {
	Target Target
	Before map[string]any
	After  map[string]any
}

// Elsewhere is what an organisation's own trail says of an act of the platform upon one of its things. It names who acted
// by ID and the request, but not the address: that of the platform's people is not for others to read.
type Elsewhere struct {
	Organisation access.OrganisationID
	Target       Target
	After        map[string]any
}

// ErrNothing is returned by the function given to Do when there was nothing to change: the transaction is rolled back,
// no event is written, and Do returns nil.
var ErrNothing = errors.New("nothing to change")

// Trail writes and reads the audit trail.
type Trail struct {
	db  *database.DB
	log *slog.Logger
}

// New returns the trail kept in a database.
func New(db *database.DB, log *slog.Logger) *Trail {
	return &Trail{db: db, log: log}
}

// Do is the door for changes. It refuses an actor without the right (problem.Forbidden, with the right in
// Args["Right"]) and one of another organisation (problem.NotFound), recording both. Otherwise it runs fn in a
// transaction, which may happen twice, and writes the event before committing; when the event cannot be written the
// change is rolled back (C75).
func (t *Trail) Do(ctx context.Context, actor access.Actor, act Act, fn func(tx *database.Tx) (Change, error)) error {
	if err := t.Check(ctx, actor, act); err != nil {
		return err
	}
	err := t.db.Transact(ctx, func(tx *database.Tx) error {
		change, err := fn(tx)
		if err != nil {
			return err
		}
		e := newEvent(actor, act, Done, "")
		if change.Target != (Target{}) {
			e.Target = change.Target
		}
		e.Before, e.After = change.Before, change.After
		events := append(elsewhere(actor, act, change.Elsewhere), e)
		for _, more := range change.Together {
			e := newEvent(actor, act, Done, "")
			e.Target, e.Before, e.After = more.Target, more.Before, more.After
			events = append(events, e)
		}
		return appendEvents(tx, events)
	})
	if errors.Is(err, ErrNothing) {
		return nil
	}
	if problem.Is(err, problem.Forbidden) {
		t.refuse(ctx, actor, act, problem.As(err).Key)
	}
	return err
}

// elsewhere makes the events of an act for other trails.
func elsewhere(actor access.Actor, act Act, others []Elsewhere) []Event {
	actor.Origin = access.Origin{RequestID: actor.Origin.RequestID}
	events := make([]Event, len(others), len(others)+1)
	for i, o := range others {
		events[i] = newEvent(actor, Act{Action: act.Action, Organisation: o.Organisation, Target: o.Target}, Done, "")
		events[i].After = o.After
	}
	return events
}

// Check answers as Do would before running anything: nil, problem.Forbidden or problem.NotFound, recording a refusal.
// Use cases call it before expensive work such as hashing a new secret.
func (t *Trail) Check(ctx context.Context, actor access.Actor, act Act) error {
	if !reaches(actor, act) {
		t.refuse(ctx, actor, act, "problem.other_organisation")
		return problem.New(problem.NotFound, "problem.not_found")
	}
	if act.Right != "" && !actor.Has(act.Right) {
		t.refuse(ctx, actor, act, "problem.forbidden")
		return Forbidden(act.Right)
	}
	return nil
}

// Forbidden is the problem of an actor who lacks a right.
func Forbidden(right access.Right) error {
	return problem.New(problem.Forbidden, "problem.forbidden", "Right", string(right))
}

// Note writes an event that goes with no change of a room: a sign-in, a sign-out, a limiter that tripped. Details hold
// codes and plain values.
func (t *Trail) Note(ctx context.Context, actor access.Actor, act Act, result Result, reason string, details map[string]any) error {
	e := newEvent(actor, act, result, reason)
	e.After = details
	return t.db.Transact(ctx, func(tx *database.Tx) error { return appendEvent(tx, e) })
}

// Refused records that an actor was turned away, for doors other than Do, such as a page.
func (t *Trail) Refused(ctx context.Context, actor access.Actor, act Act, reason string) {
	t.refuse(ctx, actor, act, reason)
}

// refuse records a refused act in a transaction of its own: one event per actor, act, target and minute, repeats
// counted (protocol.md §10). A refusal that cannot be recorded is logged; the actor is turned away all the same.
func (t *Trail) refuse(ctx context.Context, actor access.Actor, act Act, reason string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := t.db.Transact(ctx, func(tx *database.Tx) error {
		// Stands in the chain of the actor's own organisation: others must not learn who knocked.
		act.Organisation = actor.Organisation
		return appendRefusal(tx, newEvent(actor, act, Refused, reason))
	})
	if err != nil {
		t.log.ErrorContext(ctx, "recording a refused act", "action", act.Action, "error", err)
	}
}

// reaches reports whether the actor may act in the act's organisation at all: its own, or any for operators, the system
// and holders of a platform right that the act takes.
func reaches(actor access.Actor, act Act) bool {
	switch actor.Kind {
	case access.KindOperator, access.KindSystem:
		return true
	case access.KindPerson, access.KindApp:
		return act.Organisation == actor.Organisation || (isPlatformRight(act.Right) && actor.Has(act.Right))
	default:
		return false
	}
}

func isPlatformRight(right access.Right) bool {
	return slices.Contains(access.PlatformRights(), right)
}
