package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/database"
)

const (
	// leaseTime is how long a job stays with a process of which nothing is heard.
	leaseTime = time.Minute
	// pollTime is how often the table is looked at. While nothing is due that is one query of an empty index.
	pollTime = time.Second
	// endTime bounds how long the end of a run may take to be written, also when the process stops.
	endTime = 10 * time.Second

	usualAttempts = 10
	usualParallel = 2
	maxError      = 300
	readAhead     = 32

	// keepOver and keepDead are how long jobs stay to be seen.
	keepOver = 30 * 24 * time.Hour
	keepDead = 90 * 24 * time.Hour
	// sweepChunk and sweepItems are how many jobs, and how many results, one transaction deletes.
	sweepChunk = 200
	sweepItems = 2000
)

// Deps is what a runner works with. Lease and PollEvery are a minute and a second when zero; with nil for Metrics nothing
// is shown.
type Deps struct {
	DB        *database.DB
	Log       *slog.Logger
	Metrics   prometheus.Registerer
	Lease     time.Duration
	PollEvery time.Duration
}

// Handler does the work of a job. It returns nil when the job is done, and else an error: the job is repeated later, or
// never if the error is Permanent. Errors are logged and kept, so they hold no secret and no personal data.
type Handler func(ctx context.Context, c *Claimed) error

// Limits bound the jobs of a kind. Zero values are 10 attempts, 2 at once in this process, and Backoff. Ended is called,
// where there is one, in the transaction that writes that a run was the last: the job is Done, Dead or Cancelled then, and
// is so once. It may run twice and does no other I/O; while it fails the job is not over and is run again.
type Limits struct {
	Attempts int
	Parallel int
	Backoff  func(failures int) time.Duration // how long until the next attempt, after so many failures
	Ended    func(tx *database.Tx, j Job) error
}

// Backoff is the usual pause after so many failures: 30 s, doubled each time up to six hours, give or take a fifth so
// that what failed together does not come back together.
func Backoff(failures int) time.Duration {
	const least, most = 30 * time.Second, 6 * time.Hour
	pause := least << min(max(failures-1, 0), 20)
	pause = min(pause, most)
	return pause - pause/5 + rand.N(2*pause/5) //nolint:gosec // Spreads repetitions; nobody gains by guessing it.
}

type kind struct {
	Limits

	run  Handler
	free int    // how many more may run; guarded by Runner.mu
	last string // the organisation that had its turn last; guarded by Runner.mu
}

// Runner takes due jobs of the kinds it handles. Several may run on one database.
type Runner struct {
	db      *database.DB
	log     *slog.Logger
	metrics *metrics
	lease   time.Duration
	poll    time.Duration

	mu      sync.Mutex
	kinds   map[string]*kind
	working sync.WaitGroup
	freed   chan struct{}
}

// NewRunner returns a runner that handles nothing yet.
func NewRunner(d Deps) (*Runner, error) {
	if d.DB == nil || d.Log == nil {
		return nil, errors.New("job: a dependency is missing")
	}
	r := &Runner{
		db: d.DB, log: d.Log, metrics: newMetrics(), lease: d.Lease, poll: d.PollEvery,
		kinds: map[string]*kind{}, freed: make(chan struct{}, 1),
	}
	if r.lease == 0 {
		r.lease = leaseTime
	}
	if r.poll == 0 {
		r.poll = pollTime
	}
	return r, r.metrics.register(d.Metrics)
}

// Handle says who does the jobs of a kind. It is called before Run.
func (r *Runner) Handle(name string, limits Limits, run Handler) {
	if limits.Attempts == 0 {
		limits.Attempts = usualAttempts
	}
	if limits.Parallel == 0 {
		limits.Parallel = usualParallel
	}
	if limits.Backoff == nil {
		limits.Backoff = Backoff
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kinds[name] = &kind{Limits: limits, run: run, free: limits.Parallel}
}

// Run takes and does jobs until the context ends. It returns when all that were under way have stopped; they are queued
// again, for this process or another.
func (r *Runner) Run(ctx context.Context) {
	defer r.working.Wait()
	tick := time.NewTicker(r.poll)
	defer tick.Stop()
	for {
		if err := r.start(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "jobs cannot be taken", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.freed:
		case <-tick.C:
		}
	}
}

// RunDue does what is due, one after another, until nothing is. Tests and single commands use it instead of Run.
func (r *Runner) RunDue(ctx context.Context) error {
	for {
		c, err := r.next(ctx)
		if err != nil || c == nil {
			return err
		}
		r.do(ctx, c)
	}
}

// start takes jobs as long as there are some for which there is a place.
func (r *Runner) start(ctx context.Context) error {
	for {
		c, err := r.next(ctx)
		if err != nil || c == nil {
			return err
		}
		r.working.Go(func() { r.do(ctx, c) })
	}
}

// next takes a job of the kind that waits longest among those that have a place free, nil when there is none. Within a
// kind the organisations take turns, so that nobody waits for all that another wants done. The place is taken.
func (r *Runner) next(ctx context.Context) (*Claimed, error) {
	for {
		free := r.freeKinds()
		if len(free) == 0 || ctx.Err() != nil {
			return nil, ctx.Err()
		}
		kind, err := dueKind(r.db.Read(ctx), free, r.db.Now())
		if err != nil || kind == "" {
			return nil, err
		}
		rows, err := r.turns(ctx, kind)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			c, err := r.claim(ctx, &rows[i])
			if err != nil || c != nil {
				return c, err
			}
		}
		// All were taken by others meanwhile.
	}
}

// turns returns the jobs of a kind that may be taken now, one of each organisation, whose turn it is first.
func (r *Runner) turns(ctx context.Context, kind string) ([]jobRow, error) {
	r.mu.Lock()
	last := r.kinds[kind].last
	r.mu.Unlock()
	rows, err := readTurns(r.db.Read(ctx), kind, last, r.db.Now())
	if err != nil || len(rows) > 0 || last == "" {
		return rows, err
	}
	return readTurns(r.db.Read(ctx), kind, "", r.db.Now())
}

func (r *Runner) freeKinds() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var free []string
	for name, k := range r.kinds {
		if k.free > 0 {
			free = append(free, name)
		}
	}
	slices.Sort(free)
	return free
}

// claim takes a job that was found due; nil when another was quicker.
func (r *Runner) claim(ctx context.Context, row *jobRow) (*Claimed, error) {
	found, taken := *row, false
	var until time.Time
	err := r.db.Housekeep(ctx, func(tx *database.Tx) (err error) {
		*row, until = found, tx.Now().Add(r.lease)
		taken, err = claimJob(tx, row, until)
		return err
	})
	if err != nil || !taken {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kinds[row.Kind]
	k.free--
	k.last = row.turn()
	r.metrics.running.WithLabelValues(row.Kind).Inc()
	return &Claimed{Job: row.job(), runner: r, kind: k, claim: row.Claims, until: until}, nil
}

// release gives the place of a job back.
func (r *Runner) release(c *Claimed) {
	r.mu.Lock()
	c.kind.free++
	r.mu.Unlock()
	r.metrics.running.WithLabelValues(c.Kind).Dec()
	select {
	case r.freed <- struct{}{}:
	default:
	}
}

// do runs a job that was taken and writes how it ended.
func (r *Runner) do(ctx context.Context, c *Claimed) {
	defer r.release(c)
	var err error
	switch {
	case c.CancelAsked:
		err = ErrCancelled
	case c.Failures >= c.kind.Attempts:
		err = Permanent(errors.New("every process that ran it has ended"))
	default:
		err = r.attempt(ctx, c)
	}
	e, outcome := c.judge(ctx, err, r.db.Now())
	if outcome != lost {
		write, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		failed := r.db.Housekeep(write, func(tx *database.Tx) error { return c.end(tx, e) })
		if failed != nil {
			outcome = lost
			r.log.WarnContext(ctx, "the end of a job could not be written: it is done again", "job", c.ID, "kind", c.Kind, "error", failed)
		}
	}
	r.metrics.runs.WithLabelValues(c.Kind, string(outcome)).Inc()
	switch outcome {
	case died:
		r.log.ErrorContext(ctx, "a job is dead", "job", c.ID, "kind", c.Kind, "failures", c.Failures, "error", err)
	case retried:
		r.log.WarnContext(ctx, "a job failed and is repeated", "job", c.ID, "kind", c.Kind, "at", e.due, "error", err)
	case done, cancelled, released, lost:
	}
}

// attempt runs the handler with a context that ends with the lease.
func (r *Runner) attempt(ctx context.Context, c *Claimed) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	var beating sync.WaitGroup
	beating.Go(func() { c.hold(ctx, cancel) })
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			r.log.ErrorContext(ctx, "a job panicked", "job", c.ID, "kind", c.Kind, "stack", string(debug.Stack()))
		}
		if cause := context.Cause(ctx); err != nil && (errors.Is(cause, ErrLost) || errors.Is(cause, ErrCancelled)) {
			err = cause
		}
		cancel(nil)
		beating.Wait()
	}()
	return c.kind.run(ctx, c)
}

// Sweep deletes what was over 30 days ago, or dead 90 days ago, and counts what waits and what is dead. It is meant to be
// called every few minutes.
func (r *Runner) Sweep(ctx context.Context) error {
	for _, dead := range []bool{false, true} {
		before := r.db.Now().Add(-keepOver)
		if dead {
			before = r.db.Now().Add(-keepDead)
		}
		for more := true; more; {
			err := r.db.Housekeep(ctx, func(tx *database.Tx) (err error) {
				more, err = sweepJobs(tx, dead, before)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	c, err := readCounts(r.db.Read(ctx), r.db.Now())
	if err == nil {
		r.metrics.waiting.Set(float64(c.Waiting))
		r.metrics.dead.Set(float64(c.Dead))
	}
	return err
}
