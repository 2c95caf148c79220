package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/job"
)

// organisation makes one whose ID begins with a letter, so that tests know who is first.
func organisation(t *testing.T, db *database.DB, letter string) string {
	t.Helper()
	id := letter + database.NewID()[1:]
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec(`INSERT INTO organisations (id, name, name_key, short_name, client_prefix, kind, status, created_at, version)
			VALUES (?, ?, ?, ?, ?, 'customer', 'active', 0, 1)`, id, id, id, id, id).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// What one organisation queued a thousand of holds up nobody: each has its turn, with what is due longest.
func TestOrganisationsTakeTurns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		a, b, c := organisation(t, db, "a"), organisation(t, db, "b"), organisation(t, db, "c")
		put := func(org, name string, in time.Duration) {
			queue(t, db, job.New{Organisation: org, Kind: "mail", Payload: name, RunAt: clock.Now().Add(in)})
		}
		for i := range 40 {
			put(a, fmt.Sprintf("a%02d", i), -time.Hour+time.Duration(i)*time.Second)
		}
		put(b, "b1", 0)
		put(b, "b0", -time.Second)
		put(c, "later", time.Hour)
		put("", "ours", 0)
		var order []string
		r := newRunner(t, db, job.Deps{})
		r.Handle("mail", job.Limits{}, func(_ context.Context, c *job.Claimed) error {
			var name string
			err := c.Decode(&name)
			order = append(order, name)
			return err
		})
		runDue(t, r)
		want := []string{"ours", "a00", "b0", "a01", "b1", "a02", "a03"}
		if len(order) != 43 || cmp.Diff(want, order[:7]) != "" {
			t.Errorf("%d jobs in the order %v", len(order), order)
		}
		clock.Advance(2 * time.Hour)
		runDue(t, r)
		if order[len(order)-1] != "later" {
			t.Error("what was due later was not done")
		}
	})
}

// What belongs to the end of a job is done in the transaction that ends it: once, and never for a run that is repeated.
func TestEndIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		var ends []job.State
		told := map[job.ID]int{}
		fails := 1
		ended := func(tx *database.Tx, j job.Job) error {
			if fails--; fails == 0 {
				return errBroken
			}
			told[j.ID]++
			ends = append(ends, j.State)
			return job.Shorten(tx, j.ID, "short")
		}
		r := newRunner(t, db, job.Deps{})
		handle := func(kind string, do job.Handler) job.ID {
			r.Handle(kind, job.Limits{Attempts: 2, Ended: ended}, do)
			return queue(t, db, job.New{Kind: kind, Label: "act-of-" + kind, Payload: "long"})
		}
		fine := handle("fine", func(context.Context, *job.Claimed) error { return nil })
		runDue(t, r) // its end cannot be written
		wantState(t, db, fine, job.Running)
		broken := handle("broken", func(context.Context, *job.Claimed) error { return errBroken })
		stopped := handle("stopped", func(context.Context, *job.Claimed) error { return job.ErrCancelled })
		for range 3 {
			clock.Advance(time.Hour)
			runDue(t, r)
		}
		if diff := cmp.Diff(map[job.ID]int{fine: 1, broken: 1, stopped: 1}, told); diff != "" || len(ends) != 3 {
			t.Errorf("ends %v: %s", ends, diff)
		}
		for id, want := range map[job.ID]job.State{fine: job.Done, broken: job.Dead, stopped: job.Cancelled} {
			if j := find(t, db, id); j.State != want || j.StartedAt.IsZero() || j.Label == "" || j.Decode(new(string)) == nil {
				t.Errorf("found %+v", j)
			}
			var kept string
			err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
				j, err := job.Within(tx, "", id)
				return errors.Join(err, j.Decode(&kept))
			})
			if err != nil || kept != "short" {
				t.Errorf("the payload is %q, %v", kept, err)
			}
		}
	})
}

func TestKeysOfAnOutcome(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	id := queue(t, db, job.New{Kind: "walk"})
	r := newRunner(t, db, job.Deps{})
	r.Handle("walk", job.Limits{}, func(ctx context.Context, c *job.Claimed) error {
		for i, outcome := range []string{"done", "not", "done", "done"} {
			if err := c.Note(ctx, job.Item{Key: fmt.Sprint(i), Outcome: outcome}); err != nil {
				return err
			}
		}
		return nil
	})
	runDue(t, r)
	keys, err := job.KeysOf(t.Context(), db, id, "done", 2)
	if diff := cmp.Diff([]string{"0", "2"}, keys); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// Organisations have their turns in their order, however many they are and whatever way the database takes through a
// table that holds much else.
func TestTurnsAreInOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		var want []string
		for i := range 50 {
			org := organisation(t, db, fmt.Sprintf("%02d", i))
			for range 3 {
				queue(t, db, job.New{Organisation: org, Kind: "mail", Payload: i})
			}
			queue(t, db, job.New{Organisation: org, Kind: "other", Payload: i, RunAt: clock.Now().Add(time.Hour)})
			want = append(want, fmt.Sprint(i))
		}
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec("ANALYZE").Error })
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		r := newRunner(t, db, job.Deps{})
		r.Handle("mail", job.Limits{}, func(_ context.Context, c *job.Claimed) error {
			var i int
			err := c.Decode(&i)
			order = append(order, fmt.Sprint(i))
			return err
		})
		runDue(t, r)
		want = slices.Concat(want, want, want)
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("turns (-want +got):\n%s", diff)
		}
	})
}

// TestSweepOfManyResults takes more than one transaction, and leaves neither results nor the job.
func TestSweepOfManyResults(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		id := queue(t, db, job.New{Kind: "walk"})
		r := newRunner(t, db, job.Deps{})
		r.Handle("walk", job.Limits{}, func(context.Context, *job.Claimed) error { return nil })
		runDue(t, r)
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
				INSERT INTO job_items (job_id, item, outcome, detail, at) SELECT ?, CAST(i AS TEXT), 'done', '', 1 FROM n`, string(id)).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		clock.Advance(31 * 24 * time.Hour)
		sweep(t, r)
		var left int
		err = db.Read(t.Context()).Raw("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM job_items)").Scan(&left).Error
		if err != nil || left != 0 {
			t.Errorf("%d rows are left, %v", left, err)
		}
	})
}
