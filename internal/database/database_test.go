package database_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/problem"
)

// note is a row to experiment with, in a table of the test's own.
type note struct {
	ID      string     `gorm:"primaryKey"`
	Body    string     `gorm:"not null"`
	At      time.Time  `gorm:"serializer:micros"`
	EndedAt *time.Time `gorm:"serializer:micros"`
}

func makeNotes(t *testing.T, db *database.DB) {
	t.Helper()
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec("CREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, ended_at BIGINT)").Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTimesKeepMicrosecondsOnBothDatabases(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		makeNotes(t, db)
		zone := time.FixedZone("CET", 3600)
		at := clock.Now().Add(123456 * time.Microsecond).In(zone)
		ended := at.Add(time.Hour)
		rows := []note{
			{ID: "a", Body: "one", At: at},
			{ID: "b", Body: "two", At: at, EndedAt: &ended},
		}
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Create(&rows).Error })
		if err != nil {
			t.Fatal(err)
		}
		var got []note
		err = db.Read(t.Context()).Where("at = ?", database.Micros(at)).Order("id").Find(&got).Error
		if err != nil {
			t.Fatal(err)
		}
		endedUTC := ended.UTC()
		want := []note{{ID: "a", Body: "one", At: at.UTC()}, {ID: "b", Body: "two", At: at.UTC(), EndedAt: &endedUTC}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got[0].At.Location() != time.UTC {
			t.Errorf("zone %v, want UTC", got[0].At.Location())
		}
	})
}

func TestFailedTransactionLeavesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		makeNotes(t, db)
		boom := errors.New("boom")
		var heard []database.Change
		db.Feed().Subscribe(func(c []database.Change) { heard = append(heard, c...) })
		err := db.Transact(t.Context(), func(tx *database.Tx) error {
			tx.Changed(database.TopicApp, "x")
			if err := tx.DB().Create(&note{ID: "a", Body: "one", At: tx.Now()}).Error; err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v, want boom", err)
		}
		var n int64
		if err := db.Read(t.Context()).Model(&note{}).Count(&n).Error; err != nil || n != 0 {
			t.Errorf("%d rows, %v", n, err)
		}
		if len(heard) != 0 {
			t.Errorf("published %v", heard)
		}
	})
}

func TestErrorsAreTheSameOnBothDatabases(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		makeNotes(t, db)
		insert := func(n note) error {
			return db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Create(&n).Error })
		}
		if err := insert(note{ID: "a", Body: "one", At: clock.Now()}); err != nil {
			t.Fatal(err)
		}
		err := insert(note{ID: "b", Body: "one", At: clock.Now()})
		if !database.IsUnique(err) || !database.IsUniqueOn(err, "body") || database.IsUniqueOn(err, "ended_at") {
			t.Errorf("duplicate body: %v", err)
		}
		if err := insert(note{ID: "a", Body: "two", At: clock.Now()}); !database.IsUnique(err) {
			t.Errorf("duplicate key: %v", err)
		}
		err = db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec("INSERT INTO role_rights (organisation_id, role_id, right_name) VALUES ('x', 'y', 'z')").Error
		})
		if !database.IsForeignKey(err) || database.IsUnique(err) {
			t.Errorf("foreign key: %v", err)
		}
		var one note
		if err := db.Read(t.Context()).Where("id = ?", "nobody").Take(&one).Error; !database.IsNotFound(err) {
			t.Errorf("no row: %v", err)
		}
	})
}

func TestReaderPoolCannotWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		err := db.Read(t.Context()).Exec("UPDATE change_counter SET n = n + 1").Error
		if err == nil {
			t.Error("the reader pool wrote")
		}
	})
}

func TestWritersTakeTurns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		const writers = 20
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
					var n int64
					if err := tx.DB().Raw("SELECT count(*) FROM changes").Scan(&n).Error; err != nil {
						return err
					}
					tx.Changed(database.TopicApp, database.NewID())
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var n, counter int64
		if err := db.Read(t.Context()).Raw("SELECT count(*) FROM changes").Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Read(t.Context()).Raw("SELECT n FROM change_counter").Scan(&counter).Error; err != nil {
			t.Fatal(err)
		}
		if n != writers || counter != writers {
			t.Errorf("%d changes, counter %d, want %d", n, counter, writers)
		}
	})
}

// second opens the same database again, as another process would.
func second(t *testing.T, db *database.DB, url string, clock *dbtest.Clock) *database.DB {
	t.Helper()
	if db.Dialect() == database.SQLite {
		url = "sqlite:" + db.Path()
	}
	return dbtest.Open(t, url, clock)
}

func TestFeedHearsOtherProcesses(t *testing.T) {
	open := map[string]func(t *testing.T, clock *dbtest.Clock) (a, b *database.DB){
		"sqlite": func(t *testing.T, clock *dbtest.Clock) (a, b *database.DB) {
			a = dbtest.SQLite(t, clock)
			return a, second(t, a, "", clock)
		},
		"postgres": func(t *testing.T, clock *dbtest.Clock) (a, b *database.DB) {
			url := dbtest.PostgresURL(t)
			a = dbtest.Open(t, url, clock)
			return a, second(t, a, url, clock)
		},
	}
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			a, b := open(t, dbtest.NewClock())
			heard := make(chan []database.Change, 100)
			b.Feed().Subscribe(func(c []database.Change) { heard <- c })
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); b.Feed().Run(ctx) }()
			defer func() { cancel(); <-done }()

			if first := <-heard; first != nil {
				t.Fatalf("the first poll must flush, got %v", first)
			}
			want := []database.Change{{Topic: database.TopicApp, ID: "one"}, {Topic: database.TopicRobot, ID: "two"}}
			err := a.Transact(t.Context(), func(tx *database.Tx) error {
				tx.Changed(want[0].Topic, want[0].ID)
				tx.Changed(want[1].Topic, want[1].ID)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, <-heard); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFeedFlushesWhenChangesWerePruned(t *testing.T) {
	clock := dbtest.NewClock()
	a := dbtest.SQLite(t, clock)
	b := second(t, a, "", clock)
	if err := b.Feed().Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var flushed bool
	ctx, cancel := context.WithCancel(t.Context())
	b.Feed().Subscribe(func(c []database.Change) { flushed = c == nil; cancel() })
	err := a.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec("UPDATE change_counter SET n = n + 5").Error
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Feed().Run(ctx)
	if !flushed {
		t.Error("missing changes must flush everything")
	}
}

func TestFreshFailsWithoutDatabase(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Feed().Fresh(t.Context()); !problem.Is(err, problem.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestMigrateRefusesNewerSchema(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatalf("migrating twice: %v", err)
		}
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context()); !errors.Is(err, database.ErrSchemaNewer) {
			t.Errorf("got %v, want %v", err, database.ErrSchemaNewer)
		}
	})
}

func TestEmpty(t *testing.T) {
	db, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "a dir?&", "my #1.db")})
	if err != nil {
		t.Fatal(err)
	}
	if empty, err := db.Empty(t.Context()); err != nil || !empty {
		t.Errorf("new file: %v %v", empty, err)
	}
	if err := db.CheckSchema(t.Context()); !errors.Is(err, database.ErrSchemaOlder) {
		t.Errorf("got %v", err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if empty, err := db.Empty(t.Context()); err != nil || empty {
		t.Errorf("migrated: %v %v", empty, err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(db.Path() + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v; want 0600", db.Path()+suffix, info.Mode(), err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(db.Path() + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log stays after a clean stop: %v", err)
	}
}

func TestOnlyOneServerOnOneFile(t *testing.T) {
	clock := dbtest.NewClock()
	a := dbtest.SQLite(t, clock)
	release, err := a.LockServer()
	if err != nil {
		t.Fatal(err)
	}
	b := second(t, a, "", clock)
	if _, err := b.LockServer(); err == nil {
		t.Error("a second server got the lock")
	}
	release()
	release, err = b.LockServer()
	if err != nil {
		t.Errorf("after release: %v", err)
	}
	release()
}

// F4: another process holds the write lock; the writer waits once, as long as the driver's busy timeout, and then says
// that the database is unavailable. Waiting again and again would outlast this context.
func TestF4_LockedDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	clock := dbtest.NewClock()
	a := dbtest.SQLite(t, clock)
	b := second(t, a, "", clock)
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	err := a.Transact(t.Context(), func(*database.Tx) error {
		return b.Transact(ctx, func(*database.Tx) error { return nil })
	})
	if !problem.Is(err, problem.Unavailable) || ctx.Err() != nil {
		t.Errorf("got %v, context %v; want unavailable", err, ctx.Err())
	}
}

// Slow queries that hold every reader must not keep this process from knowing what others changed: tokens depend on it.
func TestFeedNeedsNoReader(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		const more = 40 // than either database has readers
		ctx, release := context.WithCancel(t.Context())
		var held, done sync.WaitGroup
		pool, err := db.Read(t.Context()).DB()
		if err != nil {
			t.Fatal(err)
		}
		readers := min(more, pool.Stats().MaxOpenConnections)
		held.Add(readers)
		for range readers {
			done.Go(func() {
				_ = db.Read(ctx).Connection(func(*gorm.DB) error { held.Done(); <-ctx.Done(); return nil })
			})
		}
		held.Wait()
		if err := db.Transact(t.Context(), func(tx *database.Tx) error { tx.Changed(database.TopicApp, "x"); return nil }); err != nil {
			t.Error(err)
		}
		if err := db.Feed().Fresh(t.Context()); err != nil {
			t.Errorf("with every reader held: %v", err)
		}
		release()
		done.Wait()
	})
}

func TestF20_DamagedFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, []byte("this is no database, whatever its name may say"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := database.Open(t.Context(), database.Config{URL: "sqlite:" + path})
	if err == nil {
		t.Fatal("opened a text file as a database")
	}
}

func TestParseID(t *testing.T) {
	id := database.NewID()
	tests := map[string]bool{
		id: true, "": false, "x": false, id + "0": false, id[:35] + "g": false,
		"{" + id + "}": false, "0190A1B2-0000-7000-8000-00000000000F": false,
	}
	for in, want := range tests {
		if _, ok := database.ParseID(in); ok != want {
			t.Errorf("ParseID(%q) = %v, want %v", in, ok, want)
		}
	}
}
