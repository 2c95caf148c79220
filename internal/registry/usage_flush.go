package registry

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// A transaction that writes counts has as many rows as fit into a fraction of the 50 ms for which nobody may be kept
// waiting (performance.md P4): the number grows and shrinks with how long the last ones took.
const (
	firstRows = 100
	minRows   = 50
	maxRows   = 500

	holdShort = 8 * time.Millisecond
	holdLong  = 20 * time.Millisecond
)

// FlushUse writes what NoteUse counted, and with it the last use of secrets and apps. It is meant to be called each
// minute and once more at the end: what a process that crashes had not written is lost.
//
// It writes in short transactions with pauses between, so that nobody waits long for the one writer. Counts are added
// to what is there, so replicas add up. A last use never goes back. Neither the version of an app nor the change
// counter nor the trail take notice (product.md decision 18). What could not be written is kept, and the next call tries
// again; only if a commit went through whose answer was lost is it then counted twice. A part that fails holds up no
// other, but when the database is out of reach or ctx has ended the rest is not tried. All errors come back joined.
func (r *Registry) FlushUse(ctx context.Context) error {
	r.use.flushing.Lock()
	defer r.use.flushing.Unlock()
	list := r.use.takeAll()
	slices.SortFunc(list, func(a, b pending) int {
		return cmp.Or(cmp.Compare(a.use.app, b.use.app), cmp.Compare(a.key.secret, b.key.secret), cmp.Compare(a.key.hour, b.key.hour))
	})
	var kept []pending // put back at the end, when what was written no longer takes up room
	var failed []error
	for len(list) > 0 {
		part := list[:fitting(list, r.use.rows)]
		took, err := r.writeUse(ctx, part)
		if err == nil {
			r.use.release(part)
			r.use.rows = nextRows(r.use.rows, took)
		} else {
			failed = append(failed, err)
			if ctx.Err() != nil || problem.Is(err, problem.Unavailable) {
				part = list
			}
			kept = append(kept, part...)
		}
		if list = list[len(part):]; len(list) > 0 {
			pause(ctx, took)
		}
	}
	outcome := flushWritten
	if len(failed) > 0 {
		r.use.putBack(kept)
		outcome = flushFailed
	}
	r.use.metrics.flushes.WithLabelValues(outcome).Inc()
	return wrap(errors.Join(failed...), "write the use of secrets")
}

// writeUse writes a part in one transaction and returns for how long that kept other writers waiting.
func (r *Registry) writeUse(ctx context.Context, part []pending) (took time.Duration, err error) {
	var timer *prometheus.Timer
	err = r.db.Housekeep(ctx, func(tx *database.Tx) error {
		timer = prometheus.NewTimer(r.use.metrics.held) // from here on: it may have waited for its own turn
		return addUse(tx, part)
	})
	if timer != nil {
		took = timer.ObserveDuration()
	}
	return took, err
}

// fitting returns how many of the list make up a transaction of so many rows, at least one.
func fitting(list []pending, rows int) int {
	for i, p := range list {
		rows -= len(p.use.networks) + 1
		if rows < 0 && i > 0 {
			return i
		}
	}
	return len(list)
}

// nextRows returns how many rows to write in the next transaction after one of so many took so long.
func nextRows(rows int, took time.Duration) int {
	switch {
	case took > holdLong:
		return max(minRows, rows/2)
	case took < holdShort:
		return min(maxRows, rows*2)
	default:
		return rows
	}
}

// pause leaves the database to others for as long as it was kept from them, so that whoever asks for it now and then,
// as other processes do on SQLite, soon meets a gap.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
