package database

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
)

const sqliteReaders = 4

// openSQLite opens a pool of one writer whose transactions take the write lock when they begin (a deferred transaction
// that reads first fails with "database is locked" whatever the busy timeout), a pool of readers, and the connection
// that watches for other processes' commits.
func (db *DB) openSQLite(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	db.dialect, db.path = SQLite, abs
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return fmt.Errorf("make the database's directory: %w", err)
	}
	// Made here, so that it and the files beside it, which take its mode, are never readable by others.
	file, err := os.OpenFile(abs, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = errors.Join(file.Chmod(0o600), file.Close())
	}
	if err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	const common = "_busy_timeout=5000&_foreign_keys=on&_journal_mode=WAL&_synchronous=FULL"
	name := (&url.URL{Scheme: "file", Opaque: url.PathEscape(abs)}).String()
	db.writer, err = openSQLitePool(db, name+"?_txlock=immediate&"+common, 1)
	if err != nil {
		return err
	}
	// mode=ro needs the file and its WAL index to exist.
	if err := db.writer.Exec("PRAGMA user_version").Error; err != nil {
		return fmt.Errorf("open %s: %w", abs, err)
	}
	// A search reads pages from all over the index of words; with SQLite's own 2 MB most come from the system again.
	const readers = "?mode=ro&_txlock=deferred&_busy_timeout=5000&_foreign_keys=on&_cache_size=-8000" // KiB each
	db.reader, err = openSQLitePool(db, name+readers, sqliteReaders)
	if err != nil {
		return err
	}
	db.probe, err = sql.Open("sqlite3", name+"?mode=ro&_busy_timeout=5000")
	if err == nil {
		single(db.probe)
	}
	return err
}

func openSQLitePool(db *DB, dsn string, size int) (*gorm.DB, error) {
	g, err := gorm.Open(sqlite.Open(dsn), gormConfig(db.log))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", db.path, translate(err))
	}
	pool, err := g.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return g, registerTranslation(g)
}

// single keeps a pool at the one connection it is for.
func single(pool *sql.DB) {
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
}

// LockServer makes this process the only one that serves this SQLite database; a second one gets an error. The command
// line needs no lock (protocol.md §2). On PostgreSQL it does nothing. The lock ends with the process.
func (db *DB) LockServer() (release func(), err error) {
	if db.dialect != SQLite {
		return func() {}, nil
	}
	f, err := os.OpenFile(db.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock file: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		closeQuietly(f, db.log)
		return nil, fmt.Errorf("another server is already running on %s; stop it first, or use PostgreSQL to run more than one", db.path)
	}
	return func() { closeQuietly(f, db.log) }, nil
}
