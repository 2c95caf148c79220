package database

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"credenza.example/credenza/internal/problem"
)

const (
	pollEvery   = 250 * time.Millisecond
	keepChanges = time.Hour
	pruneEvery  = 10 * time.Minute
)

// Feed tells this process what any process changed (protocol.md §2). Own commits are published at once; those of
// others are found by polling a counter.
type Feed struct {
	db     *DB
	bound  time.Duration
	limit  time.Duration // of one poll
	flight singleflight.Group

	mu          sync.Mutex
	subscribers []func([]Change)
	seen        int64
	started     bool
	dataVersion int64
	lastGood    time.Time // monotonic: when the last successful poll began
}

func newFeed(db *DB, bound, limit time.Duration) *Feed {
	return &Feed{db: db, bound: bound, limit: limit}
}

// Subscribe calls fn after every commit that changed something, with the changes, or with nil when anything may have
// changed. fn must be quick, must not query, and may be called twice for one change.
func (f *Feed) Subscribe(fn func([]Change)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subscribers = append(f.subscribers, fn)
}

// Run polls until the context ends. Without it Fresh polls when it must.
func (f *Feed) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	pruned := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := f.pollOnce(ctx); err != nil && ctx.Err() == nil {
			f.db.log.WarnContext(ctx, "polling for changes", "error", err)
		}
		if time.Since(pruned) > pruneEvery {
			pruned = time.Now()
			f.prune(ctx)
		}
	}
}

// Fresh returns nil when this process knows every change that is older than the stale bound, polling if it must, and
// problem.Unavailable when it cannot know.
func (f *Feed) Fresh(ctx context.Context) error {
	if f.fresh() {
		return nil
	}
	if err := f.pollOnce(ctx); err != nil && !f.fresh() {
		return &problem.Error{Code: problem.Unavailable, Key: "problem.unavailable", RetryAfter: retryAfter, Err: err}
	}
	return nil
}

func (f *Feed) fresh() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started && time.Since(f.lastGood) < f.bound*9/10
}

// pollOnce polls, at most one poll at a time however many ask.
func (f *Feed) pollOnce(ctx context.Context) error {
	done := f.flight.DoChan("poll", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.limit)
		defer cancel()
		return nil, f.poll(ctx)
	})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case r := <-done:
		return r.Err
	}
}

func (f *Feed) poll(ctx context.Context) error {
	began := time.Now()
	version, moved, err := f.moved(ctx)
	if err != nil {
		return err
	}
	var changes []Change
	var seen int64
	flush := false
	if moved {
		if changes, seen, flush, err = f.read(ctx); err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.lastGood = began
	if moved {
		f.started, f.seen, f.dataVersion = true, max(f.seen, seen), version
	}
	f.mu.Unlock()
	switch {
	case flush:
		f.publish(nil)
	case len(changes) > 0:
		f.publish(changes)
	}
	return nil
}

// moved asks SQLite cheaply whether anybody committed since the last poll. PostgreSQL's counter row is as cheap.
func (f *Feed) moved(ctx context.Context) (version int64, moved bool, err error) {
	if f.db.dialect != SQLite {
		return 0, true, nil
	}
	if err := f.db.probe.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return 0, false, translate(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return version, !f.started || version != f.dataVersion, nil
}

// read returns the changes after the last seen one. flush is set when some were already pruned, or at the first poll,
// when nothing is known about what happened before.
func (f *Feed) read(ctx context.Context) (changes []Change, seen int64, flush bool, err error) {
	f.mu.Lock()
	from, started := f.seen, f.started
	f.mu.Unlock()
	if err := f.db.probe.QueryRowContext(ctx, "SELECT n FROM change_counter WHERE id = 1").Scan(&seen); err != nil {
		return nil, 0, false, fmt.Errorf("read the change counter: %w", translate(err))
	}
	if !started || seen == from {
		return nil, seen, !started, nil
	}
	changes, err = f.between(ctx, from, seen)
	if err != nil {
		return nil, 0, false, fmt.Errorf("read the changes: %w", translate(err))
	}
	if int64(len(changes)) != seen-from {
		return nil, seen, true, nil
	}
	return changes, seen, false, nil
}

// between returns the changes numbered above from, up to and with to.
func (f *Feed) between(ctx context.Context, from, to int64) (changes []Change, err error) {
	rows, err := f.db.probe.QueryContext(ctx, fmt.Sprintf(
		"SELECT topic, entity_id FROM changes WHERE n > %d AND n <= %d ORDER BY n", from, to))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c Change
		if err := rows.Scan(&c.Topic, &c.ID); err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, rows.Err()
}

func (f *Feed) publish(changes []Change) {
	f.mu.Lock()
	subscribers := f.subscribers
	f.mu.Unlock()
	for _, fn := range subscribers {
		fn(changes)
	}
}

func (f *Feed) prune(ctx context.Context) {
	err := f.db.Housekeep(ctx, func(tx *Tx) error {
		return tx.DB().Exec("DELETE FROM changes WHERE at < ?", Micros(tx.Now().Add(-keepChanges))).Error
	})
	if err != nil && ctx.Err() == nil {
		f.db.log.WarnContext(ctx, "pruning old changes", "error", err)
	}
}
