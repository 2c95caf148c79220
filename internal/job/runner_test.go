package job_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/job"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

var errBroken = errors.New("broken")

func newRunner(t *testing.T, db *database.DB, d job.Deps) *job.Runner {
	t.Helper()
	d.DB, d.Log, d.Metrics = db, slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	r, err := job.NewRunner(d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func queue(t *testing.T, db *database.DB, n job.New) job.ID {
	t.Helper()
	var id job.ID
	err := db.Housekeep(t.Context(), func(tx *database.Tx) (err error) {
		id, _, err = job.Queue(tx, n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func runDue(t *testing.T, r *job.Runner) {
	t.Helper()
	if err := r.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, db *database.DB, id job.ID) job.Job {
	t.Helper()
	j, found, err := job.Find(t.Context(), db, "", id)
	if err != nil || !found {
		t.Fatalf("find %s: %v, %v", id, found, err)
	}
	return j
}

func wantState(t *testing.T, db *database.DB, id job.ID, want job.State) {
	t.Helper()
	if got := find(t, db, id); got.State != want {
		t.Errorf("the job is %s after %q, want %s", got.State, got.LastError, want)
	}
}

func items(t *testing.T, db *database.DB, id job.ID) []job.Item {
	t.Helper()
	list, err := job.Items(t.Context(), db, id, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
	}
}

// Each of many jobs is done once, however many runners there are.
func TestOneRunnerTakesAJob(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		const n = 20
		for i := range n {
			queue(t, db, job.New{Kind: "count", Payload: i})
		}
		var mu sync.Mutex
		runs := map[int]int{}
		var together sync.WaitGroup
		for range 3 {
			r := newRunner(t, db, job.Deps{})
			r.Handle("count", job.Limits{}, func(_ context.Context, c *job.Claimed) error {
				var i int
				if err := c.Decode(&i); err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				runs[i]++
				return nil
			})
			together.Go(func() {
				if err := r.RunDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		together.Wait()
		want := map[int]int{}
		for i := range n {
			want[i] = 1
		}
		if diff := cmp.Diff(want, runs); diff != "" {
			t.Errorf("runs of each job (-want +got):\n%s", diff)
		}
	})
}

// through is a handler that goes through the items a to e and stops in the middle of its way at c.
func through(db *database.DB, atC func(ctx context.Context) error) job.Handler {
	return func(ctx context.Context, c *job.Claimed) error {
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			if key == "c" {
				if err := atC(ctx); err != nil {
					return err
				}
			}
			err := db.Housekeep(ctx, func(tx *database.Tx) error {
				return c.Item(tx, job.Item{Key: key, Outcome: fmt.Sprintf("by claim after %d failures", c.Failures)})
			})
			if err != nil && !errors.Is(err, job.ErrItemDone) {
				return err
			}
		}
		return nil
	}
}

// A lease that ran out is taken over; what the first one does then counts no more, and each item is done once.
func TestLeaseThatRanOutIsTakenOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		id := queue(t, db, job.New{Total: 5, Kind: "walk"})
		reached, goOn, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
		first, second := newRunner(t, db, job.Deps{}), newRunner(t, db, job.Deps{})
		var result error
		walk := through(db, func(context.Context) error { close(reached); <-goOn; return nil })
		first.Handle("walk", job.Limits{}, func(ctx context.Context, c *job.Claimed) error {
			result = walk(ctx, c)
			return result
		})
		second.Handle("walk", job.Limits{}, through(db, func(context.Context) error { return nil }))
		go func() {
			defer close(over)
			if err := first.RunDue(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		wait(t, "the first is at c", reached)
		runDue(t, second) // nothing: the lease holds
		wantState(t, db, id, job.Running)
		clock.Advance(2 * time.Minute)
		runDue(t, second)
		wantState(t, db, id, job.Done)
		close(goOn)
		wait(t, "the first ends", over)
		if !errors.Is(result, job.ErrLost) {
			t.Errorf("the first went on: %v", result)
		}
		want := []job.Item{
			{Key: "a", Outcome: "by claim after 0 failures"},
			{Key: "b", Outcome: "by claim after 0 failures"},
			{Key: "c", Outcome: "by claim after 1 failures"},
			{Key: "d", Outcome: "by claim after 1 failures"},
			{Key: "e", Outcome: "by claim after 1 failures"},
		}
		if diff := cmp.Diff(want, items(t, db, id), cmpopts.IgnoreFields(job.Item{}, "At")); diff != "" {
			t.Errorf("items (-want +got):\n%s", diff)
		}
		if j := find(t, db, id); j.State != job.Done || j.Done != 5 || j.Total != 5 {
			t.Errorf("the job ended as %+v", j)
		}
	})
}

// A process that stops gives the job back at once, without a failure; the next one goes on where it was.
func TestRestartInTheMiddle(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		id := queue(t, db, job.New{Kind: "walk"})
		reached, over := make(chan struct{}), make(chan struct{})
		first, second := newRunner(t, db, job.Deps{}), newRunner(t, db, job.Deps{})
		first.Handle("walk", job.Limits{}, through(db, func(ctx context.Context) error {
			close(reached)
			<-ctx.Done()
			return ctx.Err()
		}))
		second.Handle("walk", job.Limits{}, through(db, func(context.Context) error { return nil }))
		ctx, stop := context.WithCancel(t.Context())
		go func() { defer close(over); first.Run(ctx) }()
		wait(t, "the first is at c", reached)
		stop()
		wait(t, "the first has stopped", over)
		if j := find(t, db, id); j.State != job.Queued || j.Failures != 0 || j.Done != 2 {
			t.Errorf("after the stop: %+v", j)
		}
		runDue(t, second)
		if j := find(t, db, id); j.State != job.Done || j.Done != 5 {
			t.Errorf("after the restart: %+v", j)
		}
		if got := len(items(t, db, id)); got != 5 {
			t.Errorf("%d items, want 5", got)
		}
	})
}

func TestRetriesThenDies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		id := queue(t, db, job.New{Kind: "fail"})
		runs := 0
		r := newRunner(t, db, job.Deps{})
		r.Handle("fail", job.Limits{Attempts: 3, Backoff: func(n int) time.Duration { return time.Duration(n) * time.Minute }},
			func(context.Context, *job.Claimed) error {
				runs++
				return fmt.Errorf("line one\nline two: %w", errBroken)
			})
		for _, step := range []struct {
			after time.Duration
			runs  int
			state job.State
		}{
			{0, 1, job.Queued},
			{59 * time.Second, 1, job.Queued},
			{time.Second, 2, job.Queued},
			{time.Minute, 2, job.Queued},
			{time.Minute, 3, job.Dead},
			{time.Hour, 3, job.Dead},
		} {
			clock.Advance(step.after)
			runDue(t, r)
			if got := find(t, db, id); runs != step.runs || got.State != step.state {
				t.Fatalf("%d runs and %s, want %d and %s", runs, got.State, step.runs, step.state)
			}
		}
		if dead := find(t, db, id); dead.LastError != "line one line two: broken" {
			t.Errorf("the dead job says %q", dead.LastError)
		}
	})
}

// What no repetition mends, a panic, and a job whose processes all die.
func TestOtherEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		r := newRunner(t, db, job.Deps{})
		r.Handle("never", job.Limits{}, func(context.Context, *job.Claimed) error { return job.Permanent(errBroken) })
		r.Handle("panics", job.Limits{}, func(context.Context, *job.Claimed) error { panic("oh") })
		r.Handle("unread", job.Limits{}, func(_ context.Context, c *job.Claimed) error { return c.Decode(new(int)) })
		never, panics, unread := queue(t, db, job.New{Kind: "never"}), queue(t, db, job.New{Kind: "panics"}), queue(t, db, job.New{Kind: "unread", Payload: "x"})
		unknown := queue(t, db, job.New{Kind: "unknown"})
		later := queue(t, db, job.New{Kind: "never", RunAt: clock.Now().Add(time.Hour)})
		runDue(t, r)
		wantState(t, db, never, job.Dead)
		wantState(t, db, panics, job.Queued)
		wantState(t, db, unread, job.Dead)
		wantState(t, db, unknown, job.Queued)
		wantState(t, db, later, job.Queued)

		crash := queue(t, db, job.New{Kind: "crash"})
		kills := newRunner(t, db, job.Deps{})
		for range 2 {
			dies, reached := newRunner(t, db, job.Deps{}), make(chan struct{})
			held := make(chan struct{})
			dies.Handle("crash", job.Limits{Attempts: 2}, func(context.Context, *job.Claimed) error { close(reached); <-held; return job.ErrLost })
			over := make(chan struct{})
			go func() { defer close(over); _ = dies.RunDue(t.Context()) }()
			wait(t, "the job runs", reached)
			clock.Advance(2 * time.Minute)
			t.Cleanup(func() { close(held); <-over })
		}
		kills.Handle("crash", job.Limits{Attempts: 2}, func(context.Context, *job.Claimed) error { t.Error("ran again"); return nil })
		runDue(t, kills)
		wantState(t, db, crash, job.Dead)
	})
}

func TestCancel(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		cancel := func(id job.ID) (ok bool) {
			err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
				state, err := job.Cancel(tx, "", id)
				ok = state != ""
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		r := newRunner(t, db, job.Deps{Lease: 200 * time.Millisecond})
		reached := make(chan struct{}, 1)
		r.Handle("long", job.Limits{}, func(ctx context.Context, _ *job.Claimed) error {
			reached <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		waiting := queue(t, db, job.New{Kind: "long"})
		if !cancel(waiting) || cancel(waiting) {
			t.Error("a waiting job is cancelled once")
		}
		runDue(t, r)
		wantState(t, db, waiting, job.Cancelled)

		running, over := queue(t, db, job.New{Kind: "long"}), make(chan struct{})
		go func() { defer close(over); _ = r.RunDue(t.Context()) }()
		wait(t, "the job runs", reached)
		if !cancel(running) {
			t.Error("a running job cannot be cancelled")
		}
		wait(t, "the job hears of it", over)
		wantState(t, db, running, job.Cancelled)

		// One that goes through things is told at the next.
		walking := queue(t, db, job.New{Kind: "walk"})
		w := newRunner(t, db, job.Deps{})
		w.Handle("walk", job.Limits{}, through(db, func(context.Context) error { cancel(walking); return nil }))
		runDue(t, w)
		wantState(t, db, walking, job.Cancelled)
		if got := len(items(t, db, walking)); got != 2 {
			t.Errorf("%d items were done, want the 2 before the cancel", got)
		}
	})
}

// A kind that hangs holds up no other.
func TestKindsDoNotWaitForEachOther(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	for range 40 {
		queue(t, db, job.New{Kind: "hangs"})
	}
	quick := queue(t, db, job.New{Kind: "quick"})
	r := newRunner(t, db, job.Deps{PollEvery: 5 * time.Millisecond})
	r.Handle("hangs", job.Limits{Parallel: 1}, func(ctx context.Context, _ *job.Claimed) error { <-ctx.Done(); return ctx.Err() })
	ran := make(chan struct{})
	r.Handle("quick", job.Limits{}, func(context.Context, *job.Claimed) error { close(ran); return nil })
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); r.Run(ctx) }()
	wait(t, "the quick one runs", ran)
	stop()
	wait(t, "the runner stops", over)
	wantState(t, db, quick, job.Done)
}

func TestQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		org := database.NewID()
		var second, third, other bool
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			err := tx.DB().Exec(`INSERT INTO organisations (id, name, name_key, short_name, client_prefix, kind, status, created_at, version)
				VALUES (?, 'Acme', 'acme', 'acme', 'ACME', 'customer', 'active', 0, 1)`, org).Error
			if err != nil {
				return err
			}
			_, first, err := job.Queue(tx, job.New{Kind: "k", Key: "one"})
			if err != nil || !first {
				return fmt.Errorf("queue: %v, %w", first, err)
			}
			if _, second, err = job.Queue(tx, job.New{Kind: "k", Key: "one"}); err != nil {
				return err
			}
			if _, third, err = job.Queue(tx, job.New{Kind: "k", Key: "one", Organisation: org}); err != nil {
				return err
			}
			_, other, err = job.Queue(tx, job.New{Kind: "k2", Key: "one"})
			return err
		})
		if err != nil || second || !third || !other {
			t.Errorf("second %v, of an organisation %v, of another kind %v: %v", second, third, other, err)
		}

		rolledBack := errors.New("no")
		var lostID job.ID
		err = db.Housekeep(t.Context(), func(tx *database.Tx) error {
			lostID, _, _ = job.Queue(tx, job.New{Kind: "k"})
			return rolledBack
		})
		if _, found, _ := job.Find(t.Context(), db, "", lostID); !errors.Is(err, rolledBack) || found {
			t.Errorf("the job of a transaction that was rolled back is there: %v", err)
		}

		own := queue(t, db, job.New{Kind: "k", Organisation: org})
		if _, found, err := job.Find(t.Context(), db, database.NewID(), own); found || err != nil {
			t.Errorf("another organisation finds the job: %v", err)
		}
		if _, found, err := job.Find(t.Context(), db, org, own); !found || err != nil {
			t.Errorf("its organisation does not find the job: %v", err)
		}

		// Sweep leaves what is not over, and the dead longer than the others.
		r := newRunner(t, db, job.Deps{})
		r.Handle("k", job.Limits{}, through(db, func(context.Context) error { return nil }))
		r.Handle("bad", job.Limits{Attempts: 1}, func(context.Context, *job.Claimed) error { return errBroken })
		bad, untouched := queue(t, db, job.New{Kind: "bad"}), queue(t, db, job.New{Kind: "nobody's"})
		runDue(t, r)
		clock.Advance(31 * 24 * time.Hour)
		sweep(t, r)
		if _, found, _ := job.Find(t.Context(), db, org, own); found || len(items(t, db, own)) > 0 {
			t.Error("a job that was over 31 days ago is still there")
		}
		wantState(t, db, bad, job.Dead)
		clock.Advance(60 * 24 * time.Hour)
		sweep(t, r)
		if _, found, _ := job.Find(t.Context(), db, "", bad); found {
			t.Error("a job that died 91 days ago is still there")
		}
		wantState(t, db, untouched, job.Queued)
	})
}

func sweep(t *testing.T, r *job.Runner) {
	t.Helper()
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestBackoffGrowsAndEnds(t *testing.T) {
	for failures, usual := range map[int]time.Duration{
		0: 30 * time.Second, 1: 30 * time.Second, 2: time.Minute, 5: 8 * time.Minute, 11: 6 * time.Hour, 1000: 6 * time.Hour,
	} {
		for range 50 {
			if got := job.Backoff(failures); got < usual*4/5 || got > usual*6/5 {
				t.Errorf("after %d failures the pause is %s, want about %s", failures, got, usual)
			}
		}
	}
}
