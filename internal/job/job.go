package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"credenza.example/credenza/internal/database"
)

// ID names a job.
type ID string

// ParseID returns s as an ID when it has the form of one.
func ParseID(s string) (ID, bool) {
	id, ok := database.ParseID(s)
	return ID(id), ok
}

// State says how far a job is.
type State string

// The states of a job. The last three are final.
const (
	Queued    State = "queued" // waits for its time, or for a repetition
	Running   State = "running"
	Done      State = "done"
	Dead      State = "dead" // failed too often, or in a way that no repetition mends
	Cancelled State = "cancelled"
)

// Errors that end a run.
var (
	// ErrCancelled says that somebody cancelled the job. A handler returns it, or its context's error.
	ErrCancelled = errors.New("job: cancelled")
	// ErrLost says that the lease ran out and another may have taken the job: what this one does counts no more.
	ErrLost = errors.New("job: taken over by another process")
	// ErrItemDone says that an earlier run dealt with the item.
	ErrItemDone = errors.New("job: the item is done already")
)

// Permanent marks an error that no repetition mends: the job is dead at once.
func Permanent(err error) error { return &permanent{err} }

type permanent struct{ err error }

func (p *permanent) Error() string { return p.err.Error() }

func (p *permanent) Unwrap() error { return p.err }

// New is a job to be queued. Organisation is empty for work of the installation. While a job of the same organisation
// and kind with the same Key is queued or running, there is no second one; an empty Key allows any number. Label is a code
// that pages show the job by. Payload is kept as JSON; it holds IDs and choices, never a secret. A zero RunAt is now.
type New struct {
	Organisation string
	Kind         string
	Key          string
	Label        string
	Payload      any
	Total        int // of things the job goes through; 0: not known
	RunAt        time.Time
}

// Queue notes a job in the transaction. queued is false when one of the same key waits already.
func Queue(tx *database.Tx, n New) (id ID, queued bool, err error) {
	payload, err := json.Marshal(n.Payload)
	if err != nil {
		return "", false, fmt.Errorf("queue a job of kind %s: %w", n.Kind, err)
	}
	due := n.RunAt
	if due.IsZero() {
		due = tx.Now()
	}
	row := &jobRow{
		ID: ID(database.NewID()), OrganisationID: optional(n.Organisation), Kind: n.Kind, JobKey: n.Key, Label: n.Label,
		Payload: string(payload), State: Queued, DueAt: due, Total: int64(n.Total), CreatedAt: tx.Now(),
	}
	queued, err = insertJob(tx, row)
	return row.ID, queued, err
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Cancel stops a job of the organisation: one that waits is over at once, and the state it is in now is Cancelled; one
// that runs is told and ends after the thing it is at. The state is empty when the organisation has no such job that is
// not over. Limits.Ended is not called here, since no runner takes part.
func Cancel(tx *database.Tx, organisation string, id ID) (State, error) {
	return cancelJob(tx, organisation, id)
}

// Amend replaces the outcome of one thing that a job came to, where that turned out otherwise later. A job or thing that is
// not there any more is left alone.
func Amend(tx *database.Tx, id ID, key, outcome string) error { return amendItem(tx, id, key, outcome) }

// Shorten replaces the payload of a job that is over or just ends, so that nothing is kept that its work alone needed.
func Shorten(tx *database.Tx, id ID, payload any) error {
	text, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("shorten a job: %w", err)
	}
	return replacePayload(tx, id, string(text))
}

// Job is what may be seen of a job.
type Job struct {
	ID           ID
	Organisation string // empty: the installation's
	Kind         string
	Label        string
	State        State
	Due          time.Time // Queued: when it runs at the earliest
	Failures     int       // runs that came to nothing
	Total, Done  int       // of the things it goes through; Total is 0 when not known
	CancelAsked  bool
	LastError    string // for the operator; never shown to people
	CreatedAt    time.Time
	StartedAt    time.Time // of its first run; zero before
	FinishedAt   time.Time // zero while it is not over

	payload string
}

// Decode reads the payload that the job was queued with. A job that Find returned has none.
func (j Job) Decode(into any) error {
	if err := json.Unmarshal([]byte(j.payload), into); err != nil {
		return Permanent(fmt.Errorf("read the payload of a job of kind %s: %w", j.Kind, err))
	}
	return nil
}

// Item is what became of one thing that a job went through. Outcome and Detail are codes, not texts for people.
type Item struct {
	Key     string
	Outcome string
	Detail  string
	At      time.Time
}

// Find returns a job of the organisation without its payload, which may be large while whoever follows a job asks again
// and again; found is false when there is none.
func Find(ctx context.Context, db *database.DB, organisation string, id ID) (j Job, found bool, err error) {
	row, found, err := readJob(db.Read(ctx), organisation, id)
	return row.job(), found, err
}

// Within returns a job of the organisation with its payload, as the transaction sees it.
func Within(tx *database.Tx, organisation string, id ID) (Job, error) {
	row, err := readWhole(tx, organisation, id)
	return row.job(), err
}

// Items returns up to limit results of a job in the order of their keys, after a key.
func Items(ctx context.Context, db *database.DB, id ID, after string, limit int) ([]Item, error) {
	rows, err := readItems(db.Read(ctx), id, after, limit)
	items := make([]Item, len(rows))
	for i, row := range rows {
		items[i] = Item{Key: row.Item, Outcome: row.Outcome, Detail: row.Detail, At: row.At}
	}
	return items, err
}

// KeysOf returns the keys of up to limit things that came to an outcome, in their order.
func KeysOf(ctx context.Context, db *database.DB, id ID, outcome string, limit int) ([]string, error) {
	return readKeys(db.Read(ctx), id, outcome, limit)
}

// Outcomes returns how many things a job came to which outcome with.
func Outcomes(ctx context.Context, db *database.DB, id ID) (map[string]int, error) {
	return countItems(db.Read(ctx), id)
}
