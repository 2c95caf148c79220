package database_test

import (
	"context"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/problem"
)

// patience is how long tests wait for what must come.
const patience = 30 * time.Second

// process is another process's view of a database, with what its feed says.
type process struct {
	*database.DB
	metrics *prometheus.Registry
	heard   chan []database.Change
}

// begin opens the database at a URL as another process would. What the configuration leaves out is as in dbtest.Open.
func begin(t *testing.T, url string, cfg database.Config) *process {
	t.Helper()
	cfg.URL = url
	if cfg.PollTimeout == 0 {
		cfg.PollTimeout = dbtest.PollTimeout
	}
	db, err := database.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p := &process{DB: db, metrics: prometheus.NewRegistry(), heard: make(chan []database.Change, 1000)}
	db.Feed().Subscribe(func(c []database.Change) { p.heard <- c })
	if err := db.Feed().Register(p.metrics); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs the feed until the test ends.
func (p *process) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); p.Feed().Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

// metric returns the value of a metric of the feed: the sum of its series, or of those with this outcome.
func (p *process) metric(t *testing.T, name, outcome string) float64 {
	t.Helper()
	families, err := p.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "credenza_feed_"+name {
			continue
		}
		sum := 0.0
		for _, m := range family.GetMetric() {
			if outcome == "" || m.GetLabel()[0].GetValue() == outcome {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
		return sum
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// next returns the next news, waiting for it.
func (p *process) next(t *testing.T) []database.Change {
	t.Helper()
	select {
	case changes := <-p.heard:
		return changes
	case <-time.After(patience):
		t.Fatal("heard nothing")
		return nil
	}
}

func change(t *testing.T, db *database.DB, id string) []database.Change {
	t.Helper()
	c := database.Change{Topic: database.TopicApp, ID: id}
	err := db.Transact(t.Context(), func(tx *database.Tx) error { tx.Changed(c.Topic, c.ID); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return []database.Change{c}
}

func execute(t *testing.T, db *database.DB, statements ...string) {
	t.Helper()
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		for _, s := range statements {
			if err := tx.DB().Exec(s).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eachTwice runs a test on both databases with the URL by which another process opens the same one.
func eachTwice(t *testing.T, test func(t *testing.T, db *database.DB, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		db := dbtest.SQLite(t, dbtest.NewClock())
		test(t, db, "sqlite:"+db.Path())
	})
	t.Run("postgres", func(t *testing.T) {
		url := dbtest.PostgresURL(t)
		test(t, dbtest.Open(t, url, dbtest.NewClock()), url)
	})
}

// A PostgreSQL server that takes over may lack the last changes and give their numbers again; a backup that was put back
// lacks more. Whoever knew the lost ones must not take the new ones for them.
func TestNumbersGivenAgainFlushEverything(t *testing.T) {
	const insert = "INSERT INTO changes (n, topic, entity_id, at) VALUES "
	tests := map[string][]string{
		"as many":  {"UPDATE changes SET entity_id = 'other' WHERE n = 2"},
		"more":     {"UPDATE changes SET entity_id = 'other' WHERE n = 2", "UPDATE change_counter SET n = 3", insert + "(3, 'app', 'c', 1)"},
		"fewer":    {"DELETE FROM changes WHERE n = 2", "UPDATE change_counter SET n = 1"},
		"a gap":    {"UPDATE change_counter SET n = 4", insert + "(4, 'app', 'd', 1)"},
		"no trace": {"DELETE FROM changes"},
	}
	eachTwice(t, func(t *testing.T, db *database.DB, url string) {
		for name, statements := range tests {
			t.Run(name, func(t *testing.T) {
				execute(t, db, "DELETE FROM changes", "UPDATE change_counter SET n = 0")
				change(t, db, "a")
				b := begin(t, url, database.Config{StaleBound: 1})
				if err := b.Feed().Fresh(t.Context()); err != nil || b.next(t) != nil {
					t.Fatalf("the first poll: %v", err)
				}
				want := change(t, db, "b")
				if err := b.Feed().Fresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, b.next(t)); diff != "" {
					t.Fatal(diff)
				}
				execute(t, db, statements...)
				if err := b.Feed().Fresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := b.next(t); got != nil {
					t.Errorf("heard %v, want that anything may have changed", got)
				}
			})
		}
	})
}

// Old changes are forgotten but the last, which is where everybody is: forgetting flushes nothing.
func TestPruningIsNoNews(t *testing.T) {
	eachTwice(t, func(t *testing.T, db *database.DB, url string) {
		change(t, db, "a")
		change(t, db, "b")
		b := begin(t, url, database.Config{StaleBound: 1, Clock: func() time.Time { return database.SystemClock().AddDate(50, 0, 0) }})
		if err := b.Feed().Fresh(t.Context()); err != nil || b.next(t) != nil {
			t.Fatalf("the first poll: %v", err)
		}
		if err := b.Feed().Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int64
		if err := db.Read(t.Context()).Raw("SELECT count(*) FROM changes").Scan(&left).Error; err != nil || left != 1 {
			t.Fatalf("%d left, %v", left, err)
		}
		want := change(t, db, "c")
		if err := b.Feed().Fresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.next(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// While the news of a poll is told, this process does not count as fresh yet: what the news makes old is still there.
func TestNewsIsToldBeforeAnybodyDecides(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	b := begin(t, "sqlite:"+db.Path(), database.Config{StaleBound: time.Hour})
	var during float64
	b.Feed().Subscribe(func([]database.Change) { during = b.metric(t, "age_seconds", "") })
	if err := b.Feed().Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := b.metric(t, "age_seconds", ""); !math.IsNaN(during) || math.IsNaN(after) {
		t.Errorf("age %v while the first news was told, %v afterwards", during, after)
	}
}

// Who asks while a poll is under way does not make do with it: it may have looked before what they must know.
func TestFreshTakesNoPollFromBefore(t *testing.T) {
	eachTwice(t, func(t *testing.T, db *database.DB, url string) {
		b := begin(t, url, database.Config{StaleBound: 1})
		var second sync.WaitGroup
		b.Feed().Subscribe(func(changes []database.Change) {
			if changes != nil {
				return
			}
			// The first poll has looked and has not ended.
			b.next(t)
			want := change(t, db, "since")
			asking := make(chan struct{})
			second.Go(func() {
				close(asking)
				if err := b.Feed().Fresh(t.Context()); err != nil {
					t.Error(err)
				}
				select {
				case got := <-b.heard:
					if diff := cmp.Diff(want, got); diff != "" {
						t.Error(diff)
					}
				default:
					t.Error("fresh without the change before it")
				}
			})
			<-asking
			runtime.Gosched()
		})
		if err := b.Feed().Fresh(t.Context()); err != nil {
			t.Error(err)
		}
		second.Wait()
	})
}

// A writer that takes its time, here or in another process, keeps nobody from deciding and makes nobody unready.
func TestALongTransactionStopsNobody(t *testing.T) {
	eachTwice(t, func(t *testing.T, db *database.DB, url string) {
		b := begin(t, url, database.Config{StaleBound: 1})
		err := db.Transact(t.Context(), func(tx *database.Tx) error {
			if err := tx.DB().Exec("UPDATE change_counter SET n = n").Error; err != nil {
				return err
			}
			for name, other := range map[string]*database.DB{"the same": db, "another": b.DB} {
				if err := other.Feed().Fresh(t.Context()); err != nil {
					t.Errorf("%s process: %v", name, err)
				}
				if err := other.Ping(t.Context()); err != nil {
					t.Errorf("%s process is not ready: %v", name, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// F5: no transaction waits for ever, whoever asked for it.
func TestF5_TransactionsEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			if _, ok := tx.DB().Statement.Context.Deadline(); !ok {
				t.Error("nothing bounds it")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// F5: the server stops, and comes back.
func TestF5_FeedHealsAfterACut(t *testing.T) {
	url := dbtest.PostgresURL(t)
	direct := dbtest.Open(t, url, dbtest.NewClock())
	proxy := dbtest.NewProxy(t, url)
	b := begin(t, proxy.URL, database.Config{StaleBound: 1})
	b.run(t)
	if b.next(t) != nil {
		t.Fatal("the first poll flushes")
	}
	proxy.Cut()
	await(t, "a failing poll", func() bool { return b.metric(t, "polls_total", "failed") > 0 })
	if err := b.Feed().Fresh(t.Context()); !problem.Is(err, problem.Unavailable) {
		t.Errorf("fresh: %v", err)
	}
	if err := b.Ping(t.Context()); err == nil {
		t.Error("ready")
	}
	want := change(t, direct, "meanwhile")
	proxy.Pass()
	if diff := cmp.Diff(want, b.next(t)); diff != "" {
		t.Error(diff)
	}
	if err := b.Feed().Fresh(t.Context()); err != nil {
		t.Error(err)
	}
}

// F5: the network goes, and nobody is told. No decision waits longer for it than it must, though connecting again over
// a slow network takes longer than that; and a pool full of dead connections does not outlive the trouble.
func TestF5_FeedHealsAfterSilence(t *testing.T) {
	url := dbtest.PostgresURL(t)
	direct := dbtest.Open(t, url, dbtest.NewClock())
	proxy := dbtest.NewProxy(t, url)
	b := begin(t, proxy.URL, database.Config{StaleBound: time.Second, PollTimeout: time.Millisecond})
	b.run(t)
	b.next(t)
	use := func(ctx context.Context) error { return b.Read(ctx).Exec("SELECT 1").Error }
	if err := use(t.Context()); err != nil {
		t.Fatal(err)
	}
	proxy.Hold()
	await(t, "old knowledge", func() bool { return problem.Is(b.Feed().Fresh(t.Context()), problem.Unavailable) })
	await(t, "a failing poll", func() bool { return b.metric(t, "polls_total", "failed") > 0 })
	proxy.Slow(20 * time.Millisecond)
	want := change(t, direct, "meanwhile")
	proxy.Pass()
	if diff := cmp.Diff(want, b.next(t)); diff != "" {
		t.Error(diff)
	}
	await(t, "fresh knowledge", func() bool { return b.Feed().Fresh(t.Context()) == nil })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := use(ctx); err != nil {
		t.Errorf("reading by a connection that was idle: %v", err)
	}
}

// A standby may know less than what was committed, and nobody can tell how much less.
func TestStandbyIsRefused(t *testing.T) {
	url := dbtest.PostgresURL(t)
	db := dbtest.Open(t, url, dbtest.NewClock())
	// As good as a standby, for whoever looks into this schema first.
	execute(t, db, "CREATE FUNCTION public.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'")
	b, err := database.Open(t.Context(), database.Config{URL: url + "&search_path=public,pg_catalog"})
	if err == nil {
		_ = b.Close()
		t.Error("opened a standby")
	}
	b, err = database.Open(t.Context(), database.Config{URL: url + "&target_session_attrs=read-write"})
	if err != nil {
		t.Fatalf("a URL that asks for the primary: %v", err)
	}
	_ = b.Close()
}
