package database

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"credenza.example/credenza/internal/problem"
)

const (
	// wakePause is the least time between two polls when many changes are announced at once.
	wakePause = 20 * time.Millisecond
	// pollWork bounds a poll, though no decision waits that long for it: in a poll's time a lost connection must be made
	// again, over a network where that alone may take half a second.
	pollWork = 2 * time.Second
	// failPause is the least time that a failing poll takes. Whoever asks meanwhile shares it, so that a crowd of
	// requests does not become a crowd of connections to a database that is down.
	failPause   = 25 * time.Millisecond
	keepChanges = time.Hour
	pruneEvery  = 10 * time.Minute
)

// Feed tells this process what any process changed (protocol.md §2). Own commits are published at once; those of
// others are found by polling a counter. On PostgreSQL a notification makes the next poll come at once; a lost one is
// made up for by the poll that comes anyway.
type Feed struct {
	db      *DB
	bound   time.Duration
	every   time.Duration // between two polls that nothing was announced to
	limit   time.Duration // how long a decision waits for a poll
	flight  singleflight.Group
	woken   chan struct{} // a change was announced
	metrics *feedMetrics

	mu          sync.Mutex
	subscribers []func([]Change)
	started     bool
	last        mark
	dataVersion int64
	lastGood    time.Time // monotonic: when the last successful poll began
}

func newFeed(db *DB, cfg Config) *Feed {
	f := &Feed{db: db, bound: cfg.StaleBound, every: cfg.PollEvery, limit: cfg.PollTimeout, woken: make(chan struct{}, 1)}
	f.metrics = newFeedMetrics(f.age)
	return f
}

// Subscribe calls fn after every commit that changed something, with the changes, or with nil when anything may have
// changed. fn must be quick, must not query, and may be called twice for one change.
func (f *Feed) Subscribe(fn func([]Change)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subscribers = append(f.subscribers, fn)
}

// Run polls, and on PostgreSQL listens, until the context ends. Without it Fresh polls when it must.
func (f *Feed) Run(ctx context.Context) {
	var beside sync.WaitGroup // a writer that waits must not keep the poll waiting
	beside.Go(func() { f.listen(ctx) })
	beside.Go(func() { f.pruneNowAndThen(ctx) })
	defer beside.Wait()

	next := time.NewTimer(0)
	defer next.Stop()
	away := outage{log: f.db.log, what: "polling for changes"}
	var polled time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.woken:
			if early := wakePause - time.Since(polled); early > 0 {
				next.Reset(early)
				continue
			}
		case <-next.C:
		}
		wait := f.every
		err := f.pollNow(ctx)
		if err != nil {
			wait = min(wait, DefaultPollEvery)
		}
		away.note(ctx, err)
		polled = time.Now()
		next.Reset(wait)
	}
}

// wake makes Run poll at once.
func (f *Feed) wake() {
	select {
	case f.woken <- struct{}{}:
	default: // it will already
	}
}

// Fresh returns nil when this process knows every change that is older than the stale bound, polling if it must, and
// problem.Unavailable when it cannot know.
func (f *Feed) Fresh(ctx context.Context) error {
	if f.fresh() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.limit)
	defer cancel()
	if err := f.pollNow(ctx); err != nil && !f.fresh() {
		return &problem.Error{Code: problem.Unavailable, Key: "problem.unavailable", RetryAfter: retryAfter, Err: err}
	}
	return nil
}

func (f *Feed) fresh() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started && f.young(f.lastGood)
}

// Reading is called when somebody begins to read state. What it returns reports whether the state, when it has been read
// at last, may be decided upon without asking what changed meanwhile.
func (f *Feed) Reading() (young func() bool) {
	began := time.Now()
	return func() bool { return f.young(began) }
}

// young reports whether knowledge of a moment may be decided upon. A tenth of the stale bound is for the decision itself.
func (f *Feed) young(moment time.Time) bool { return time.Since(moment) < f.bound*9/10 }

// age returns how old the knowledge of other processes' changes is; ok is false before the first poll.
func (f *Feed) age() (age time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.lastGood), f.started
}

// pollNow polls, whatever is known.
func (f *Feed) pollNow(ctx context.Context) error { return f.pollSince(ctx, time.Now()) }

// pollSince returns when a poll that began at the moment or later has ended, with its error. An earlier one that is
// still under way may miss what was committed since. At most one poll runs at a time, however many ask.
func (f *Feed) pollSince(ctx context.Context, moment time.Time) error {
	for {
		done := f.flight.DoChan("poll", func() (any, error) {
			began := time.Now()
			return began, f.poll(context.WithoutCancel(ctx), began)
		})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-done:
			if began, ok := r.Val.(time.Time); !ok || !began.Before(moment) {
				return r.Err
			}
		}
	}
}

// poll looks once at what was changed. The news is published before this process counts as fresh again: after a long
// outage nobody may decide by what it makes old.
func (f *Feed) poll(ctx context.Context, began time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, max(f.limit, pollWork))
	defer cancel()
	found, err := f.look(ctx)
	if err != nil {
		f.metrics.polls.WithLabelValues(pollFailed).Inc()
		<-time.After(failPause - time.Since(began))
		return err
	}
	if found.flush {
		f.publish(nil)
	} else if len(found.changes) > 0 {
		f.publish(found.changes)
	}
	f.mu.Lock()
	f.started, f.last, f.dataVersion, f.lastGood = true, found.last, found.version, began
	f.mu.Unlock()
	f.metrics.polls.WithLabelValues(pollGood).Inc()
	return nil
}

func (f *Feed) publish(changes []Change) {
	f.mu.Lock()
	subscribers := f.subscribers
	f.mu.Unlock()
	for _, fn := range subscribers {
		fn(changes)
	}
}

func (f *Feed) pruneNowAndThen(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.prune(ctx)
		}
	}
}

// prune forgets old changes but the last, by which a poll recognises where it was.
func (f *Feed) prune(ctx context.Context) {
	err := f.db.Housekeep(ctx, func(tx *Tx) error {
		return tx.DB().Exec("DELETE FROM changes WHERE at < ? AND n < (SELECT n FROM change_counter WHERE id = 1)",
			Micros(tx.Now().Add(-keepChanges))).Error
	})
	if err != nil && ctx.Err() == nil {
		f.db.log.WarnContext(ctx, "pruning old changes", "error", err)
	}
}

// outage logs the first of a row of failures and when it was over, not each of them.
type outage struct {
	log   *slog.Logger
	what  string
	since time.Time
}

func (o *outage) note(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil: // stopping
	case err != nil && o.since.IsZero():
		o.since = time.Now()
		o.log.WarnContext(ctx, "no contact with the database", "doing", o.what, "error", err)
	case err == nil && !o.since.IsZero():
		o.log.InfoContext(ctx, "contact with the database again", "doing", o.what, "after", time.Since(o.since))
		o.since = time.Time{}
	}
}
