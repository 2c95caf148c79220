package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// address returns the first address of the nth network.
func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 1}) }

// useFrom notes uses of a secret from networks first to last, each as often as its number says.
func (w *world) useFrom(t *testing.T, app registry.App, id registry.SecretID, first, last int) {
	t.Helper()
	for n := first; n <= last; n++ {
		w.use(t, app, id, address(n).String(), n)
	}
}

// bounded gives the world a registry of its own with room for so many networks, and returns its metrics.
func (w *world) bounded(t *testing.T, most int) *prometheus.Registry {
	t.Helper()
	deps := w.deps
	deps.UseSize, deps.Metrics = most, prometheus.NewRegistry()
	w.Registry = must(registry.New(deps))(t)
	return deps.Metrics.(*prometheus.Registry)
}

func wantMetrics(t *testing.T, metrics *prometheus.Registry, waiting, dropped, written, failed int) {
	t.Helper()
	want := fmt.Sprintf(`# TYPE credenza_use_dropped_total counter
credenza_use_dropped_total %d
# TYPE credenza_use_flushes_total counter
credenza_use_flushes_total{outcome="failed"} %d
credenza_use_flushes_total{outcome="written"} %d
# TYPE credenza_use_waiting gauge
credenza_use_waiting %d
`, dropped, failed, written, waiting)
	var got strings.Builder
	for _, family := range must(metrics.Gather())(t) {
		name := family.GetName()
		if name == "credenza_use_write_seconds" || !strings.HasPrefix(name, "credenza_use_") {
			continue
		}
		fmt.Fprintf(&got, "# TYPE %s %s\n", name, strings.ToLower(family.GetType().String()))
		for _, m := range family.GetMetric() {
			var labels string
			for _, l := range m.GetLabel() {
				labels = fmt.Sprintf("{%s=%q}", l.GetName(), l.GetValue())
			}
			fmt.Fprintf(&got, "%s%s %v\n", name, labels, m.GetCounter().GetValue()+m.GetGauge().GetValue())
		}
	}
	if got.String() != want {
		t.Errorf("metrics:\n%s\nwant:\n%s", &got, want)
	}
}

// away takes the table of use away, so that writing fails, while do runs.
func (w *world) away(t *testing.T, do func()) {
	t.Helper()
	rename := func(from, to string) {
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec("ALTER TABLE " + from + " RENAME TO " + to).Error
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rename("secret_usage", "secret_usage_away")
	do()
	rename("secret_usage_away", "secret_usage")
}

// Two processes on one database add up, and the later use wins.
func TestUseOfTwoProcessesAddsUp(t *testing.T) {
	twoProcesses(t, time.Hour, func(t *testing.T, a, b *world) {
		app, shown := a.register(t, "Shared")
		a.use(t, app, shown.ID, "203.0.113.7", 3)
		b.use(t, app, shown.ID, "203.0.113.9", 4)
		b.use(t, app, shown.ID, "198.51.100.1", 1)
		early := a.clock.Now()
		a.clock.Advance(time.Minute)
		a.use(t, app, shown.ID, "203.0.113.7", 1)
		a.flush(t)
		b.flush(t)
		b.wantUse(t, app, shown.ID, "9/9 203.0.113.0/24 8/8 198.51.100.0/24 1/1")
		use := must(b.Use(t.Context(), b.viewer, app.ID))(t)[shown.ID]
		if !use.Networks[0].LastUsedAt.Equal(early.Add(time.Minute)) || !use.Networks[1].LastUsedAt.Equal(early) ||
			!b.app(t, app.ID).LastUsedAt.Equal(early.Add(time.Minute)) {
			t.Errorf("last use %+v", use)
		}
	})
}

// Two processes that write at once lose nothing and wait for each other in no circle.
func TestUseWrittenAtOnce(t *testing.T) {
	twoProcesses(t, time.Hour, func(t *testing.T, a, b *world) {
		type secret struct {
			app registry.App
			id  registry.SecretID
		}
		var secrets []secret
		for i := range 6 {
			app, shown := a.register(t, fmt.Sprint("App ", i))
			secrets = append(secrets, secret{app, shown.ID})
		}
		atOnce(4, func(i int) {
			w := []*world{a, b}[i%2]
			for range 5 {
				for _, s := range secrets {
					w.use(t, s.app, s.id, address(i).String(), 1)
				}
				if err := w.FlushUse(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		for _, s := range secrets {
			a.wantUse(t, s.app, s.id, "20/20 10.0.0.0/24 5/5 10.0.1.0/24 5/5 10.0.2.0/24 5/5 10.0.3.0/24 5/5")
		}
	})
}

// Twenty networks of an hour are told apart, whoever counts them; those are then counted by name for the whole hour.
func TestUseTellsTwentyNetworksApart(t *testing.T) {
	twoProcesses(t, time.Hour, func(t *testing.T, a, b *world) {
		app, shown := a.register(t, "Wanderer")
		networks := func(want ...int) {
			t.Helper()
			use := must(a.Use(t.Context(), a.viewer, app.ID))(t)[shown.ID]
			total, others := 0, 0
			for _, n := range use.Networks {
				if n.Network == registry.OtherNetworks.String() {
					others = int(n.Week)
				}
				total += int(n.Week)
			}
			if got := []int{len(use.Networks), others, total}; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("networks, uses from others, uses: %v, want %v", got, want)
			}
		}
		a.useFrom(t, app, shown.ID, 1, 25)
		a.flush(t)
		networks(21, 21+22+23+24+25, 325)
		b.useFrom(t, app, shown.ID, 15, 30) // 15 to 20 are known, the others are others
		b.flush(t)
		networks(21, 115+21+22+23+24+25+26+27+28+29+30, 325+360)
		a.clock.Advance(time.Hour) // the next hour tells its own twenty apart
		a.useFrom(t, app, shown.ID, 40, 54)
		b.useFrom(t, app, shown.ID, 50, 64)
		a.flush(t)
		b.flush(t)
		networks(41, 370+60+61+62+63+64, 325+360+705+855)
		if n := value[int](t, a.db, "SELECT max(n) FROM (SELECT count(*) AS n FROM secret_usage GROUP BY secret_id, hour) hours"); n != 21 {
			t.Errorf("an hour has %d rows", n)
		}
	})
}

// TestUI7_UseIsKeptWhenWritingFails: what could not be written is kept, added to what comes meanwhile, and written once it can be.
func TestUI7_UseIsKeptWhenWritingFails(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		metrics := w.bounded(t, 1000)
		app, shown := w.register(t, "Spend export")
		w.use(t, app, shown.ID, "203.0.113.7", 3)
		w.away(t, func() {
			if err := w.FlushUse(t.Context()); err == nil {
				t.Error("a flush without its table succeeded")
			}
			wantMetrics(t, metrics, 1, 0, 0, 1)
			w.use(t, app, shown.ID, "203.0.113.7", 1)
			w.use(t, app, shown.ID, "198.51.100.1", 1)
			if err := w.FlushUse(t.Context()); err == nil {
				t.Error("a flush without its table succeeded")
			}
			if !w.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
				t.Error("a flush that failed stops tokens")
			}
		})
		wantMetrics(t, metrics, 2, 0, 0, 2)
		w.wantUse(t, app, shown.ID, "0/0")
		w.flush(t)
		w.wantUse(t, app, shown.ID, "5/5 203.0.113.0/24 4/4 198.51.100.0/24 1/1")
		w.flush(t)
		wantMetrics(t, metrics, 0, 0, 2, 2)
	})
}

// A flush that is stopped half way keeps what it has not written, and no more.
func TestUseWhenAFlushIsStopped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		metrics := w.bounded(t, 1000)
		type secret struct {
			app registry.App
			id  registry.SecretID
		}
		var secrets []secret
		for i := range 12 {
			app, shown := w.register(t, fmt.Sprint("App ", i))
			w.useFrom(t, app, shown.ID, 1, 20)
			secrets = append(secrets, secret{app, shown.ID})
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := watchAll(t, w.db)
		var written atomic.Int64
		hook := func(sql string) {
			if strings.Contains(sql, "INSERT INTO") && written.Add(1) == 2 {
				cancel()
			}
		}
		s.hook.Store(&hook)
		if err := w.FlushUse(ctx); err == nil {
			t.Error("a flush that was stopped succeeded")
		}
		s.hook.Store(nil)
		if n := value[int](t, w.db, "SELECT count(*) FROM secret_usage"); n == 0 || n == 240 {
			t.Errorf("%d rows: the flush was not stopped half way", n)
		}
		w.flush(t)
		wantMetrics(t, metrics, 0, 0, 1, 1)
		for _, s := range secrets {
			if use := must(w.Use(t.Context(), w.viewer, s.app.ID))(t)[s.id]; use.Week != 210 || len(use.Networks) != 20 {
				t.Errorf("%d uses from %d networks", use.Week, len(use.Networks))
			}
		}
	})
}

// A part that always fails holds up nobody but those in it, and is written once it can be.
func TestUseThatCannotBeWrittenHoldsUpNoOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		metrics := w.bounded(t, 1000)
		secrets := map[registry.AppID]registry.SecretID{}
		var first registry.AppID // in the order of writing
		for i := range 12 {
			app, shown := w.register(t, fmt.Sprint("App ", i))
			w.useFrom(t, app, shown.ID, 1, 20)
			secrets[app.ID] = shown.ID
			if first == "" || app.ID < first {
				first = app.ID
			}
		}
		run := func(sql string) {
			t.Helper()
			if err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec(sql).Error }); err != nil {
				t.Fatal(err)
			}
		}
		run(fmt.Sprintf("CREATE UNIQUE INDEX in_the_way ON secret_usage (secret_id) WHERE secret_id = '%s'", secrets[first]))
		for range 2 { // the second time, only that part is left
			if err := w.FlushUse(t.Context()); err == nil {
				t.Error("a flush that could not write a part succeeded")
			}
		}
		written := 0
		for app, id := range secrets {
			if use := must(w.Use(t.Context(), w.viewer, app))(t)[id]; use.Week == 210 {
				written++
			} else if use.Week != 0 {
				t.Errorf("%d uses", use.Week)
			}
		}
		if written < 8 || written > 11 {
			t.Errorf("the use of %d secrets of 12 was written", written)
		}
		wantMetrics(t, metrics, 20*(12-written), 0, 0, 2)
		run("DROP INDEX in_the_way")
		w.flush(t)
		for app, id := range secrets {
			if use := must(w.Use(t.Context(), w.viewer, app))(t)[id]; use.Week != 210 || len(use.Networks) != 20 {
				t.Errorf("%d uses from %d networks", use.Week, len(use.Networks))
			}
		}
		wantMetrics(t, metrics, 0, 0, 1, 2)
	})
}

// When the database is away, nobody tries one part after the other.
func TestUseIsNotTriedPartByPartWhenTheDatabaseIsAway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		metrics := w.bounded(t, 1000)
		for i := range 12 {
			app, shown := w.register(t, fmt.Sprint("App ", i))
			w.useFrom(t, app, shown.ID, 1, 20)
		}
		tried := failCreated(t, w.db, problem.New(problem.Unavailable, "problem.unavailable"))
		if err := w.FlushUse(t.Context()); !problem.Is(err, problem.Unavailable) || *tried != 1 {
			t.Errorf("after %d tries: %v", *tried, err)
		}
		wantMetrics(t, metrics, 240, 0, 0, 1)
	})
}

// A process that crashes takes with it what it had not written.
func TestUseAfterACrash(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		w.use(t, app, shown.ID, "203.0.113.7", 3)
		w.flush(t)
		w.use(t, app, shown.ID, "203.0.113.7", 100)
		w.Registry = must(registry.New(w.deps))(t)
		w.use(t, app, shown.ID, "203.0.113.7", 1)
		w.flush(t)
		w.wantUse(t, app, shown.ID, "4/4 203.0.113.0/24 4/4")
	})
}

// P4: no transaction has more than 500 rows, however much there is to write, and without anything there is none.
func TestP4_UseIsWrittenInParts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const secrets = 90
		for i := range secrets {
			app, shown := w.register(t, fmt.Sprint("App ", i))
			w.useFrom(t, app, shown.ID, 1, 22)
		}
		var rows, parts, most atomic.Int64
		watchCreated(t, w.db, func(n int64) {
			rows.Add(n)
			parts.Add(1)
			most.Store(max(most.Load(), n))
		})
		w.flush(t)
		if rows.Load() != secrets*21 || most.Load() > 500 || parts.Load() < 4 {
			t.Errorf("%d rows in %d transactions of at most %d", rows.Load(), parts.Load(), most.Load())
		}
		s := watchAll(t, w.db)
		w.flush(t)
		if n := s.n.Load(); n != 0 {
			t.Errorf("an empty flush cost %d statements", n)
		}
	})
}

// The number of rows follows how long the last ones kept others waiting.
func TestUseIsWrittenAtAPace(t *testing.T) {
	for _, tt := range []struct {
		rows int
		took time.Duration
		want int
	}{
		{100, time.Millisecond, 200},
		{400, time.Millisecond, 500},
		{500, time.Millisecond, 500},
		{100, 8 * time.Millisecond, 100},
		{100, 20 * time.Millisecond, 100},
		{100, 21 * time.Millisecond, 50},
		{80, time.Second, 50},
		{50, time.Minute, 50},
	} {
		if got := registry.NextRows(tt.rows, tt.took); got != tt.want {
			t.Errorf("after %d rows in %s: %d, want %d", tt.rows, tt.took, got, tt.want)
		}
	}
}

// client is a client as NoteUse needs it, of an app that need not exist.
func client(n int) *registry.Client {
	return &registry.Client{ID: registry.AppID(fmt.Sprint("app ", n)), Organisation: access.OrganisationID("organisation")}
}

func secretID(n int) registry.SecretID {
	return registry.SecretID(fmt.Sprintf("01939d3a-0000-7000-8000-%012d", n))
}

// When there is no more room, networks give way first and no use is lost; then secrets that come new are not counted.
func TestUseWithoutRoom(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		metrics := w.bounded(t, 8)
		app, shown := w.register(t, "Wanderer")
		w.useFrom(t, app, shown.ID, 1, 12)
		wantMetrics(t, metrics, 8, 0, 0, 0)
		w.NoteUse(client(1), secretID(1), address(1))
		w.NoteUse(client(1), secretID(1), address(1))
		wantMetrics(t, metrics, 8, 2, 0, 0)
		w.flush(t)
		use := must(w.Use(t.Context(), w.viewer, app.ID))(t)[shown.ID]
		if use.Week != 78 || len(use.Networks) != 9 {
			t.Errorf("%d uses from %d networks", use.Week, len(use.Networks))
		}
		w.NoteUse(client(1), secretID(1), address(1))
		wantMetrics(t, metrics, 1, 2, 1, 0)
	})
}

// While writing fails for long the oldest hours give way, and the newest stays.
func TestUseGivesUpTheOldestHours(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		metrics := w.bounded(t, 16)
		app, shown := w.register(t, "Wanderer")
		fail := func() {
			if err := w.FlushUse(t.Context()); err == nil {
				t.Error("a flush without its table succeeded")
			}
		}
		w.away(t, func() {
			for range 4 {
				w.useFrom(t, app, shown.ID, 1, 3)
				fail()
				w.clock.Advance(time.Hour)
			}
			wantMetrics(t, metrics, 12, 0, 0, 4) // three quarters
			w.useFrom(t, app, shown.ID, 4, 5)
			fail()
			wantMetrics(t, metrics, 8, 12, 0, 5)
		})
		w.flush(t)
		w.wantUse(t, app, shown.ID, "21/21 10.0.3.0/24 6/6 10.0.5.0/24 5/5 10.0.2.0/24 4/4 10.0.4.0/24 4/4 10.0.1.0/24 2/2")
		if last := w.app(t, app.ID).LastUsedAt; !last.Equal(w.clock.Now()) {
			t.Errorf("last use %v", last)
		}
	})
}

// A hundred thousand secrets used from one network each fit into some 30 MB, and what is beyond the bound is dropped.
func TestUseNeedsBoundedMemory(t *testing.T) {
	w := sqliteWorld(t)
	metrics := w.bounded(t, 100_000)
	ids := make([]registry.SecretID, 120_000)
	clients := make([]*registry.Client, len(ids))
	for i := range ids {
		ids[i], clients[i] = secretID(i), client(i)
	}
	before := heap()
	for range 3 {
		for i, id := range ids {
			w.NoteUse(clients[i], id, address(i))
		}
	}
	if grown := heap() - before; grown > 40<<20 {
		t.Errorf("%d MB", grown>>20)
	}
	wantMetrics(t, metrics, 100_000, 60_000, 0, 0)
	runtime.KeepAlive(clients)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Counting goes on while it is written: nothing is lost between the two, and nothing counts twice.
func TestUseIsCountedWhileItIsWritten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Busy")
		c := w.current(t, app)
		const workers, each = 6, 400
		atOnce(workers+2, func(i int) {
			if i >= workers {
				for range 10 {
					if err := w.FlushUse(t.Context()); err != nil {
						t.Error(err)
					}
				}
				return
			}
			for n := range each {
				w.NoteUse(c, shown.ID, address(n%30))
			}
		})
		w.flush(t)
		if use := must(w.Use(t.Context(), w.viewer, app.ID))(t)[shown.ID]; use.Week != workers*each || len(use.Networks) > 21 {
			t.Errorf("%d uses from %d networks, want %d", use.Week, len(use.Networks), workers*each)
		}
	})
}

// Metrics that cannot be registered are found at the start.
func TestUseMetricsAreRegisteredOnce(t *testing.T) {
	w := sqliteWorld(t)
	deps := w.deps
	deps.Metrics = w.bounded(t, 10)
	var already prometheus.AlreadyRegisteredError
	if _, err := registry.New(deps); !errors.As(err, &already) {
		t.Errorf("got %v", err)
	}
	if problems, err := testutil.GatherAndLint(deps.Metrics.(*prometheus.Registry)); err != nil || len(problems) != 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
