package registry_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

func TestClient(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fields("Spend export")
		f.Scopes = []string{"core.invoice.write", "ccw.candidates", "core.invoice.read"}
		f.DefaultAPI = "ccw"
		app, shown := w.registerFields(t, w.admin, f)
		c := must(w.Client(t.Context(), app.ClientID))(t)
		want := registry.Client{
			ID: app.ID, Organisation: w.acme.ID, ClientID: app.ClientID, Kind: registry.Caller, Name: "Spend export", Generation: 1,
			Status: registry.Active, Scopes: []string{"ccw.candidates", "core.invoice.read", "core.invoice.write"},
			DefaultAPI: "ccw", APIUser: w.client.ID,
		}
		if diff := cmp.Diff(&want, c, cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
			t.Errorf("client (-want +got):\n%s", diff)
		}
		now := w.clock.Now()
		if ends, ok := c.SecretEnds(shown.ID, now); !ok || !ends.Equal(now.AddDate(1, 0, 0)) {
			t.Errorf("secret ends %v %t", ends, ok)
		}
		if _, ok := c.SecretEnds(shown.ID, now.AddDate(1, 0, 0)); ok {
			t.Error("the secret is usable at its end")
		}
		if !c.Live(now) {
			t.Error("not live")
		}
		live := registry.TokenRef{Generation: 1, JTI: "x", Credential: shown.ID, APIUser: w.client.ID}
		if !c.TokenLives(live) {
			t.Error("a fresh token is dead")
		}
		for what, dead := range map[string]registry.TokenRef{
			"generation": {Generation: 2, JTI: "x", Credential: shown.ID, APIUser: w.client.ID},
			"API user":   {Generation: 1, JTI: "x", Credential: shown.ID, APIUser: w.supplier.ID},
		} {
			if c.TokenLives(dead) {
				t.Errorf("a token of another %s lives", what)
			}
		}
	})
}

// Everything that ends an app's life counts for the next request (C25).
func TestC25_ClientFollowsChanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		limited := must(w.identity.CreateRobot(t.Context(), w.admin, identity.NewRobot{
			Organisation: w.acme.ID, Name: "limited", Kind: identity.KindClient, ExpiresAt: w.clock.Now().Add(time.Hour),
		}))(t)
		f := w.fields("Spend export")
		f.APIUser = limited.ID
		app, shown := w.registerFields(t, w.admin, f)
		live := func(what string, want bool) {
			t.Helper()
			c := must(w.Client(t.Context(), app.ClientID))(t)
			if got := c.Live(w.clock.Now()); got != want {
				t.Errorf("%s: live %t", what, got)
			}
			if got := w.authenticates(t, app.ClientID, shown.Secret.Reveal()); got != want {
				t.Errorf("%s: authenticates %t", what, got)
			}
		}
		live("fresh", true)
		off := w.deactivate(t, app.ID)
		live("deactivated", false)
		must(w.Activate(t.Context(), w.admin, app.ID, off.Version))(t)
		live("activated", true)
		for status, want := range map[identity.Status]bool{identity.Inactive: false} {
			if err := w.identity.SetRobotStatus(t.Context(), w.admin, limited, status); err != nil {
				t.Fatal(err)
			}
			live("API user "+string(status), want)
		}
		if err := w.identity.SetRobotStatus(t.Context(), w.admin, limited, identity.Active); err != nil {
			t.Fatal(err)
		}
		live("API user active again", true)
		platform := w.operator(identity.Organisation{})
		if err := w.identity.SuspendOrganisation(t.Context(), platform, w.acme.ID); err != nil {
			t.Fatal(err)
		}
		live("organisation suspended", false)
		if err := w.identity.ResumeOrganisation(t.Context(), platform, w.acme.ID); err != nil {
			t.Fatal(err)
		}
		live("organisation resumed", true)
		w.clock.Advance(time.Hour)
		live("API user expired", false)
	})
}

// eachUnhurried is each with knowledge that does not grow old: on a busy machine a second passes between two lines, and
// the look at the change counter that is due then drops what the test counts on.
func eachUnhurried(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	run := func(t *testing.T, url string) {
		t.Helper()
		clock := dbtest.NewClock()
		db := must(database.Open(t.Context(), database.Config{
			URL: url, Clock: clock.Now, StaleBound: time.Hour, PollTimeout: dbtest.PollTimeout,
		}))(t)
		t.Cleanup(func() { _ = db.Close() })
		test(t, newWorld(t, db, clock))
	}
	t.Run("sqlite", func(t *testing.T) { run(t, dbtest.SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, dbtest.PostgresURL(t)) })
}

// Once warm the token path reads no database; what is not known costs one read and is not remembered.
func TestClientReads(t *testing.T) {
	eachUnhurried(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Warm")
		other, others := w.register(t, "Deleted")
		off := w.deactivate(t, other.ID)
		if err := w.Delete(t.Context(), w.admin, other.ID, off.Version, other.Name); err != nil {
			t.Fatal(err)
		}
		_, stranger := w.globexApp(t, "Stranger")
		s := watch(t, w.db)
		reads := func(what string, want int64, act func()) {
			t.Helper()
			before := s.n.Load()
			act()
			if got := s.n.Load() - before; got != want {
				t.Errorf("%s: %d statements, want %d", what, got, want)
			}
		}
		authenticate := func(clientID, text string) func() {
			return func() { w.authenticates(t, clientID, text) }
		}
		reads("cold", 4, authenticate(app.ClientID, shown.Secret.Reveal()))
		reads("warm", 0, authenticate(app.ClientID, shown.Secret.Reveal()))
		reads("warm client", 0, func() { must(w.Client(t.Context(), app.ClientID))(t) })
		reads("no secret", 0, authenticate(app.ClientID, "guess"))
		reads("another client's secret", 0, authenticate(app.ClientID, stranger.Secret.Reveal()))
		for range 2 {
			reads("deleted app, its own secret", 1, authenticate(other.ClientID, others.Secret.Reveal()))
			reads("unknown client", 1, func() { _, _ = w.Client(t.Context(), "CCWACME_22222222222222222222") })
			reads("no client ID", 0, func() { _, _ = w.Client(t.Context(), "nonsense") })
		}
		w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		reads("changed", 4, authenticate(app.ClientID, shown.Secret.Reveal())) // read anew, which tells of the empty slot too
		for range 2 {
			reads("slot that is empty", 4, authenticate(app.ClientID, shown.Secret.Reveal()))
		}
	})
}

// The snapshot is bounded, and right whatever it forgot.
func TestClientCacheIsBounded(t *testing.T) {
	w := sqliteWorld(t)
	deps := w.deps
	deps.CacheSize = 2
	w.Registry = must(registry.New(deps))(t)
	var apps []registry.App
	for i := range 4 {
		app, _ := w.register(t, fmt.Sprintf("App %d", i))
		apps = append(apps, app)
	}
	s := watch(t, w.db)
	for range 3 {
		for _, app := range apps {
			if c := must(w.Client(t.Context(), app.ClientID))(t); c.ID != app.ID {
				t.Errorf("%s is %s", app.ID, c.ID)
			}
		}
	}
	if got := s.n.Load(); got != 3*4*4 {
		t.Errorf("%d statements: four clients in turn must not fit into two places", got)
	}
	w.deactivate(t, apps[3].ID)
	if c := must(w.Client(t.Context(), apps[3].ClientID))(t); c.Status != registry.Inactive {
		t.Error("a kept entry was not dropped")
	}
	w.deactivate(t, apps[0].ID)
	if c := must(w.Client(t.Context(), apps[0].ClientID))(t); c.Status != registry.Inactive {
		t.Error("an entry that had left is stale")
	}
}

// A read that a change overtook is not kept, and nobody who comes after the change shares it.
func TestClientReadThatRacedAChange(t *testing.T) {
	eachUnhurried(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Raced")
		s := watch(t, w.db)
		var done atomic.Bool
		hook := func(sql string) {
			if !strings.Contains(sql, "FROM apps a") || done.Swap(true) {
				return
			}
			// The app was read as active; now it is switched off before the read goes on.
			if _, err := w.Deactivate(t.Context(), w.admin, app.ID, app.Version); err != nil {
				t.Error(err)
			}
			if c, err := w.Client(t.Context(), app.ClientID); err != nil || c.Status != registry.Inactive {
				t.Errorf("a request begun after the change saw the app before it: %v", err)
			}
		}
		s.hook.Store(&hook)
		must(w.Client(t.Context(), app.ClientID))(t)
		if c := must(w.Client(t.Context(), app.ClientID))(t); c.Status != registry.Inactive {
			t.Error("the read that was overtaken was kept")
		}
	})
}

// twoProcesses runs a test with two views of one database, which learn of each other's changes after a bound.
func twoProcesses(t *testing.T, bound time.Duration, test func(t *testing.T, a, b *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		url := "sqlite:" + db.Path()
		if db.Dialect() == database.Postgres {
			url = dbtest.PostgresURL(t)
		}
		open := func() *database.DB {
			db := must(database.Open(t.Context(), database.Config{
				URL: url, Clock: clock.Now, Logger: slog.New(slog.DiscardHandler), StaleBound: bound,
				PollTimeout: dbtest.PollTimeout,
			}))(t)
			t.Cleanup(func() { _ = db.Close() })
			return db
		}
		a := newWorld(t, open(), clock)
		b := *a
		b.db = open()
		b.open(t)
		test(t, a, &b)
	})
}

// Two processes on one database: what one changes the other knows as soon as it must (protocol.md §2). A bound of a
// nanosecond makes each decision ask whether something changed.
func TestClientFollowsAnotherProcess(t *testing.T) {
	twoProcesses(t, 1, func(t *testing.T, a, b *world) {
		app, first := a.register(t, "Shared")
		both := func(what string, text string, want bool) {
			t.Helper()
			for name, w := range map[string]*world{"a": a, "b": b} {
				if got := w.authenticates(t, app.ClientID, text); got != want {
					t.Errorf("%s at %s: %t", what, name, got)
				}
			}
		}
		both("registered", first.Secret.Reveal(), true)
		second := a.rotate(t, app.ID, registry.Rotation{})
		both("new secret", second.Secret.Reveal(), true)
		both("old secret", first.Secret.Reveal(), true)
		if err := b.Retire(t.Context(), b.admin, app.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		both("retired", first.Secret.Reveal(), false)
		if err := a.MarkLeaked(t.Context(), a.admin, app.ID, second.ID); err != nil {
			t.Fatal(err)
		}
		both("leaked", second.Secret.Reveal(), false)
		third := b.rotate(t, app.ID, registry.Rotation{})
		both("third", third.Secret.Reveal(), true)
		token := registry.TokenRef{Generation: 1, JTI: "one", Credential: third.ID, APIUser: a.client.ID}
		if c := must(b.Client(t.Context(), app.ClientID))(t); !c.TokenLives(token) {
			t.Error("token is dead")
		}
		err := a.RevokeToken(t.Context(), must(a.Client(t.Context(), app.ClientID))(t), "one", a.clock.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if c := must(b.Client(t.Context(), app.ClientID))(t); c.TokenLives(token) {
			t.Error("the revoked token lives at b")
		}
		if err := a.identity.SetRobotStatus(t.Context(), a.admin, a.client, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		both("API user inactive", third.Secret.Reveal(), false)
		if err := b.identity.SetRobotStatus(t.Context(), a.admin, a.client, identity.Active); err != nil {
			t.Fatal(err)
		}
		both("API user active", third.Secret.Reveal(), true)
		off := a.deactivate(t, app.ID)
		both("inactive", third.Secret.Reveal(), false)
		if err := b.Delete(t.Context(), b.admin, app.ID, off.Version, app.Name); err != nil {
			t.Fatal(err)
		}
		for _, w := range []*world{a, b} {
			if _, err := w.Client(t.Context(), app.ClientID); !problem.Is(err, problem.NotFound) {
				t.Errorf("deleted: %v", err)
			}
		}
	})
}

// A reading that took so long that it may be too old is not decided upon when anything changed meanwhile: here with a
// bound that makes every reading too long.
func TestClientThatWasReadSlowly(t *testing.T) {
	twoProcesses(t, 1, func(t *testing.T, a, b *world) {
		app, _ := a.register(t, "Slow")
		s := watch(t, b.db)
		var done atomic.Bool
		hook := func(sql string) {
			if strings.Contains(sql, "FROM apps a") && !done.Swap(true) {
				a.deactivate(t, app.ID) // read as active, and the reading goes on
			}
		}
		s.hook.Store(&hook)
		if c := must(b.Client(t.Context(), app.ClientID))(t); c.Status != registry.Inactive || !done.Load() {
			t.Errorf("decided upon the app as it was: %s", c.Status)
		}
	})
}

// A secret that another process has just made works before this one has heard of it: the empty slot costs one read.
func TestNewSecretOfAnotherProcessWorksAtOnce(t *testing.T) {
	twoProcesses(t, time.Hour, func(t *testing.T, a, b *world) {
		app, first := a.register(t, "Shared")
		if !b.authenticates(t, app.ClientID, first.Secret.Reveal()) {
			t.Fatal("not warm")
		}
		second := a.rotate(t, app.ID, registry.Rotation{})
		if !b.authenticates(t, app.ClientID, second.Secret.Reveal()) {
			t.Error("the new secret does not work at the process that has not heard of it")
		}
	})
}

// Without the database nothing is decided (F5).
func TestF5_NoDatabaseNoDecision(t *testing.T) {
	w := sqliteWorld(t)
	b := *w
	b.db = must(database.Open(t.Context(), database.Config{URL: "sqlite:" + w.db.Path(), Clock: w.clock.Now, StaleBound: 1, PollTimeout: dbtest.PollTimeout}))(t)
	b.open(t)
	app, shown := b.register(t, "Warm")
	if !b.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
		t.Fatal("not warm")
	}
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Authenticate(t.Context(), app.ClientID, shown.Secret.Reveal(), ""); !problem.Is(err, problem.Unavailable) {
		t.Errorf("authenticate: %v", err)
	}
	if _, err := b.Client(t.Context(), app.ClientID); !problem.Is(err, problem.Unavailable) {
		t.Errorf("client: %v", err)
	}
}
