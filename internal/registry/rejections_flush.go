package registry

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// rejectedPerWrite is how many client IDs are written in one transaction.
const rejectedPerWrite = 50

// FlushRejections writes what NoteRejection counted: for apps under the app, for client IDs of an organisation's prefix
// that nobody registered under the organisation. It is meant to be called each minute and once more at the end, like
// FlushUse, and behaves like it: short transactions with pauses between, counts are added to what is there, what could
// not be written is kept as far as there is room. Nothing audits it and no change counter rises.
func (r *Registry) FlushRejections(ctx context.Context) error {
	r.rejected.flushing.Lock()
	defer r.rejected.flushing.Unlock()
	list := r.rejected.takeAll()
	var kept []rejection
	var failed []error
	for len(list) > 0 {
		part := list[:min(len(list), rejectedPerWrite)]
		took, err := r.writeRejections(ctx, part)
		if err != nil {
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
		r.rejected.putBack(kept)
		outcome = flushFailed
	}
	r.rejected.metrics.flushes.WithLabelValues(outcome).Inc()
	return wrap(errors.Join(failed...), "write what was refused")
}

// writeRejections writes a part in one transaction and returns for about how long that kept other writers waiting.
func (r *Registry) writeRejections(ctx context.Context, part []rejection) (took time.Duration, err error) {
	var unknown int64
	err = r.db.Housekeep(ctx, func(tx *database.Tx) error {
		timer := prometheus.NewTimer(r.use.metrics.held)
		defer func() { took = timer.ObserveDuration() }()
		var err error
		unknown, err = addRejections(tx, part, r.prefix)
		return err
	})
	if err == nil {
		r.rejected.metrics.unknown.Add(float64(unknown))
	}
	return took, err
}
