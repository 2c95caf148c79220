// Package dbtest gives tests real databases: a SQLite file and a PostgreSQL of their own, migrated and empty. A missing
// PostgreSQL fails the test; it never skips it. Nothing outside tests imports it.
package dbtest

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"credenza.example/credenza/internal/database"
)

// PollTimeout is patient enough for a busy machine: a timing never decides a test.
const PollTimeout = 10 * time.Second

// Clock is a clock that tests move. Its zero value is not ready; use NewClock.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at 22 November 2026, 13:05 UTC.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, time.November, 22, 13, 5, 0, 0, time.UTC)}
}

// Now returns the time the clock stands at.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Each runs a subtest on a fresh SQLite database and one on a fresh PostgreSQL database, both on a test clock.
func Each(t *testing.T, test func(t *testing.T, db *database.DB, clock *Clock)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		clock := NewClock()
		test(t, SQLite(t, clock), clock)
	})
	t.Run("postgres", func(t *testing.T) {
		clock := NewClock()
		test(t, Postgres(t, clock), clock)
	})
}

// SQLite returns a migrated, empty SQLite database in a directory of the test.
func SQLite(t testing.TB, clock *Clock) *database.DB {
	t.Helper()
	return Open(t, SQLiteURL(t), clock)
}

// Postgres returns a migrated, empty PostgreSQL database that lives as long as the test.
func Postgres(t *testing.T, clock *Clock) *database.DB {
	t.Helper()
	return Open(t, PostgresURL(t), clock)
}

// Open opens and migrates the database at a URL, for tests that need two processes' views of one database.
func Open(t testing.TB, url string, clock *Clock) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), database.Config{
		URL: url, Clock: clock.Now, Logger: slog.New(slog.DiscardHandler), PollTimeout: PollTimeout,
	})
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return db
}
