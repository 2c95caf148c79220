package database

import (
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

const (
	postgresWriters = 8
	postgresReaders = 16
)

// openPostgres opens two pools, so that a queue of writers never keeps readers waiting.
func (db *DB) openPostgres(url string) error {
	db.dialect = Postgres
	var err error
	if db.writer, err = openPostgresPool(db, url, "off", postgresWriters); err != nil {
		return err
	}
	db.reader, err = openPostgresPool(db, url, "on", postgresReaders)
	return err
}

func openPostgresPool(db *DB, url, readOnly string, size int) (*gorm.DB, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The driver's error may quote the URL, which may hold a password.
		return nil, fmt.Errorf("the PostgreSQL URL cannot be read")
	}
	cfg.RuntimeParams["application_name"] = "credenza"
	cfg.RuntimeParams["default_transaction_read_only"] = readOnly
	cfg.RuntimeParams["lock_timeout"] = "5000"
	cfg.RuntimeParams["statement_timeout"] = "15000"
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = "15000"
	cfg.RuntimeParams["timezone"] = "UTC"
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), gormConfig(db.log))
	if err != nil {
		closeQuietly(pool, db.log)
		return nil, fmt.Errorf("open PostgreSQL: %w", translate(err))
	}
	return g, registerTranslation(g)
}
