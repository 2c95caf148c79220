package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

const (
	minPostgres     = 15
	postgresWriters = 8
	postgresReaders = 16
	connectTime     = 5 * time.Second // unless the URL has connect_timeout
	pingTime        = time.Second
)

// openPostgres opens two pools, so that a queue of writers never keeps readers waiting, and the connection of the feed.
func (db *DB) openPostgres(url string) error {
	db.dialect = Postgres
	var err error
	if db.writer, err = openPostgresPool(db, url, "off", postgresWriters); err != nil {
		return err
	}
	if db.reader, err = openPostgresPool(db, url, "on", postgresReaders); err != nil {
		return err
	}
	cfg, err := postgresConfig(url, "on")
	if err != nil {
		return err
	}
	db.probe = stdlib.OpenDB(*cfg)
	single(db.probe)
	db.listener = cfg.Copy()
	db.listener.RuntimeParams["application_name"] = listenerName
	return db.checkPostgresVersion()
}

// checkPostgresVersion refuses servers older than minPostgres, which would fail somewhere inside a migration.
func (db *DB) checkPostgresVersion() error {
	var version int
	if err := db.probe.QueryRowContext(context.Background(), "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return fmt.Errorf("open PostgreSQL: %w", translate(err))
	}
	if version < minPostgres*10000 {
		return fmt.Errorf("PostgreSQL %d or newer is needed; this server is %d", minPostgres, version/10000)
	}
	return nil
}

func postgresConfig(url, readOnly string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The driver's error may quote the URL, which may hold a password.
		return nil, errors.New("the PostgreSQL URL cannot be read")
	}
	cfg.RuntimeParams["application_name"] = "credenza"
	cfg.RuntimeParams["default_transaction_read_only"] = readOnly
	cfg.RuntimeParams["lock_timeout"] = "5000"
	cfg.RuntimeParams["statement_timeout"] = "15000"
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = "15000"
	cfg.RuntimeParams["timezone"] = "UTC"
	// A standby may lag by any time, and what it does not know yet nobody can tell. Whatever the URL says, a server that
	// was made one is left for the next host.
	cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTime
	}
	return cfg, nil
}

// lost tries a connection that was idle before it is used again, instead of the driver, which waits for an answer as
// long as the request has time: behind a network that was cut, none ever comes.
func lost(ctx context.Context, p stdlib.ShouldPingParams) bool {
	if p.IdleDuration < time.Second {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	return p.Conn.Ping(ctx) != nil // then the driver's own try, on the closed connection, says so at once
}

func openPostgresPool(db *DB, url, readOnly string, size int) (*gorm.DB, error) {
	cfg, err := postgresConfig(url, readOnly)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*cfg, stdlib.OptionShouldPing(lost))
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), gormConfig(db.log))
	if err != nil {
		closeQuietly(pool, db.log)
		return nil, fmt.Errorf("open PostgreSQL: %w", translate(err))
	}
	return g, registerTranslation(g)
}
