package job

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"

	"credenza.example/credenza/internal/database"
)

// Claimed is a job in the hands of its handler, as it was when it was taken.
type Claimed struct {
	Job

	runner *Runner
	kind   *kind
	claim  int64
	until  time.Time
}

// Item notes what became of one thing, in the transaction of the act on it: both are written or neither. Whatever it
// returns must end the transaction: ErrLost and ErrCancelled, after which the handler returns, and ErrItemDone, after
// which it goes on with the next thing.
func (c *Claimed) Item(tx *database.Tx, item Item) error {
	if err := holdLease(tx, c.ID, c.claim, tx.Now().Add(c.runner.lease), 1); err != nil {
		return err
	}
	return insertItem(tx, &itemRow{JobID: c.ID, Item: item.Key, Outcome: item.Outcome, Detail: item.Detail, At: tx.Now()})
}

// Note is Item for a thing to which nothing was done, such as one that was refused.
func (c *Claimed) Note(ctx context.Context, item Item) error {
	return c.runner.db.Housekeep(ctx, func(tx *database.Tx) error { return c.Item(tx, item) })
}

// hold prolongs the lease until the context ends, and ends it when the lease is lost or the job cancelled.
func (c *Claimed) hold(ctx context.Context, cancel context.CancelCauseFunc) {
	beat := time.NewTicker(c.runner.lease / 4)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		var until time.Time
		err := c.runner.db.Housekeep(ctx, func(tx *database.Tx) error {
			until = tx.Now().Add(c.runner.lease)
			return holdLease(tx, c.ID, c.claim, until, 0)
		})
		switch {
		case err == nil:
			c.until = until
		case errors.Is(err, ErrLost), errors.Is(err, ErrCancelled):
			cancel(err)
			return
		case c.runner.db.Now().After(c.until): // the database is away, and another process may have reached it
			cancel(ErrLost)
			return
		}
	}
}

// outcome is how a run ended, a label of metrics.
type outcome string

const (
	done      outcome = "done"
	retried   outcome = "retried"
	died      outcome = "dead"
	cancelled outcome = "cancelled"
	released  outcome = "released" // the process stops
	lost      outcome = "lost"
)

// judge says what a run's result means for the job.
func (c *Claimed) judge(ctx context.Context, err error, now time.Time) (ending, outcome) {
	var never *permanent
	switch {
	case err == nil:
		return ending{state: Done}, done
	case errors.Is(err, ErrLost):
		return ending{}, lost
	case errors.Is(err, ErrCancelled):
		return ending{state: Cancelled}, cancelled
	case ctx.Err() != nil:
		return ending{state: Queued, due: now}, released
	case errors.As(err, &never), c.Failures+1 >= c.kind.Attempts:
		return ending{state: Dead, failure: true, text: short(err)}, died
	default:
		pause := c.kind.Backoff(c.Failures + 1)
		return ending{state: Queued, due: now.Add(pause), failure: true, text: short(err)}, retried
	}
}

// end writes how a run ended, and what belongs to the end of the job.
func (c *Claimed) end(tx *database.Tx, e ending) error {
	if err := endRun(tx, c.ID, c.claim, e); err != nil || e.state == Queued || c.kind.Ended == nil {
		return err
	}
	j := c.Job
	j.State, j.FinishedAt = e.state, tx.Now()
	return c.kind.Ended(tx, j)
}

// short returns an error's text on one line and within bounds.
func short(err error) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, err.Error())
	if len(text) > maxError {
		text = text[:maxError]
	}
	return strings.ToValidUTF8(text, "")
}
