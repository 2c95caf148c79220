package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"
)

// Dialect names the kind of database.
type Dialect string

// The two databases the product runs on.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DefaultStaleBound is how old knowledge of other processes' changes may be before a decision is refused with 503
// (protocol.md §2).
const DefaultStaleBound = time.Second

// DefaultPollTimeout bounds one look at the change counter (protocol.md §2).
const DefaultPollTimeout = 200 * time.Millisecond

// DefaultPollEvery is how often the change counter is looked at (protocol.md §2).
const DefaultPollEvery = 250 * time.Millisecond

// Config says which database to open. URL is `sqlite:path/to/file.db` or `postgres://…`. The others may be left empty;
// tests, whose machine may be busy, give a longer PollTimeout, and a longer PollEvery to see what comes without the poll.
type Config struct {
	URL         string
	Clock       Clock
	Logger      *slog.Logger
	StaleBound  time.Duration
	PollTimeout time.Duration // how long a decision waits for a look at the change counter
	PollEvery   time.Duration
}

// DB is an open database: a writer pool (one connection on SQLite), a reader pool and the change feed.
type DB struct {
	dialect  Dialect
	path     string // SQLite only
	writer   *gorm.DB
	reader   *gorm.DB
	probe    *sql.DB         // the feed's one connection: no queue of readers may keep it from knowing what changed
	listener *pgx.ConnConfig // PostgreSQL only: how the feed connects to listen
	clock    Clock
	log      *slog.Logger
	feed     *Feed
}

// Open connects; it neither creates tables nor migrates. A SQLite file that does not exist is created by the first
// write.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Clock == nil {
		cfg.Clock = SystemClock
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.StaleBound == 0 {
		cfg.StaleBound = DefaultStaleBound
	}
	if cfg.PollTimeout == 0 {
		cfg.PollTimeout = DefaultPollTimeout
	}
	if cfg.PollEvery == 0 {
		cfg.PollEvery = DefaultPollEvery
	}
	schema.RegisterSerializer("micros", micros{})
	db := &DB{clock: cfg.Clock, log: cfg.Logger}
	var err error
	switch dialect, rest := ParseURL(cfg.URL); dialect {
	case SQLite:
		err = db.openSQLite(rest)
	case Postgres:
		err = db.openPostgres(rest)
	default:
		return nil, errors.New("database URL must begin with sqlite: or postgres://")
	}
	if err == nil {
		err = db.ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	db.feed = newFeed(db, cfg)
	return db, nil
}

// ParseURL splits a database URL into its dialect and what the driver wants to know: the file's path for SQLite, the
// whole URL for PostgreSQL. The dialect is empty for any other URL.
func ParseURL(url string) (dialect Dialect, rest string) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok && path != "" {
		return SQLite, strings.TrimPrefix(path, "//")
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return Postgres, url
	}
	return "", ""
}

// Dialect returns the kind of database that is open.
func (db *DB) Dialect() Dialect { return db.dialect }

// Path returns the file of a SQLite database, and "" for PostgreSQL.
func (db *DB) Path() string { return db.path }

// Now returns the current time of the injected clock: UTC, whole microseconds.
func (db *DB) Now() time.Time { return db.clock().UTC().Truncate(time.Microsecond) }

// Feed returns the change feed.
func (db *DB) Feed() *Feed { return db.feed }

// Read returns the reader pool for queries outside a transaction. Writes through it fail.
func (db *DB) Read(ctx context.Context) *gorm.DB { return db.reader.WithContext(ctx) }

// Close closes all connections, the writer last: on SQLite the last one to close folds the log into the file. It is safe
// to call on a database that failed to open.
func (db *DB) Close() error {
	var errs []error
	if db.probe != nil {
		errs = append(errs, db.probe.Close())
	}
	for _, g := range []*gorm.DB{db.reader, db.writer} {
		if g == nil {
			continue
		}
		pool, err := g.DB()
		if err == nil {
			err = pool.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Ping reports whether the database answers now, for readiness. It looks at the change counter by the feed's own
// connection: a queue of writers makes no process unready, and of old knowledge it is content with none.
func (db *DB) Ping(ctx context.Context) error { return db.feed.pollNow(ctx) }

func (db *DB) ping(ctx context.Context) error {
	pool, err := db.writer.DB()
	if err != nil {
		return err
	}
	if err := pool.PingContext(ctx); err != nil {
		return fmt.Errorf("open the database: %w", translate(err))
	}
	return nil
}

// gormConfig is shared by both drivers: no implicit transactions, no parameter values in logs, errors translated in one
// place.
func gormConfig(log *slog.Logger) *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction:   true,
		DisableNestedTransaction: true,
		Logger: quiet{logger.NewSlogLogger(log, logger.Config{
			SlowThreshold:             500 * time.Millisecond,
			LogLevel:                  logger.Warn,
			IgnoreRecordNotFoundError: true,
		})},
	}
}

// quiet is the ORM's logger without statements that ended because whoever asked has gone, and without values.
type quiet struct{ logger.Interface }

// LogMode implements logger.Interface.
func (q quiet) LogMode(level logger.LogLevel) logger.Interface {
	return quiet{q.Interface.LogMode(level)}
}

// Trace implements logger.Interface.
func (q quiet) Trace(ctx context.Context, begin time.Time, statement func() (text string, rows int64), err error) {
	if ctx.Err() == nil {
		q.Interface.Trace(ctx, begin, statement, err)
	}
}

// ParamsFilter implements gorm.ParamsFilter: statements are logged with placeholders only.
func (quiet) ParamsFilter(_ context.Context, statement string, _ ...any) (string, []any) {
	return statement, nil
}

func closeQuietly(c io.Closer, log *slog.Logger) {
	if err := c.Close(); err != nil {
		log.Warn("closing a database connection", "error", err)
	}
}
