package database

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"credenza.example/credenza/internal/problem"
)

//go:embed migrations
var migrations embed.FS

// ErrSchemaNewer says that a newer version of the product has migrated this database.
var ErrSchemaNewer = errors.New("this database was migrated by a newer version of Credenza; run that version")

// ErrSchemaOlder says that migrations are missing.
var ErrSchemaOlder = errors.New("this database needs migrating; run: credenza migrate")

// Migrate brings the schema up to date. On PostgreSQL one process at a time does so, the others wait. A newer schema is
// refused with ErrSchemaNewer.
func (db *DB) Migrate(ctx context.Context) error {
	if err := db.CheckSchema(ctx); !errors.Is(err, ErrSchemaOlder) {
		return err
	}
	provider, err := db.provider()
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", translate(err))
	}
	return nil
}

// CheckSchema returns nil when the schema is the one this program was built for, ErrSchemaOlder or ErrSchemaNewer when
// not.
func (db *DB) CheckSchema(ctx context.Context) error {
	provider, err := db.provider()
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the schema's version: %w", translate(err))
	case current > target:
		return ErrSchemaNewer
	case current < target:
		return ErrSchemaOlder
	default:
		return nil
	}
}

// Empty reports whether the database holds no schema of the product yet.
func (db *DB) Empty(ctx context.Context) (bool, error) {
	has := db.Read(ctx).Migrator().HasTable("organisations")
	if err := db.ping(ctx); err != nil {
		return false, err
	}
	return !has, nil
}

func (db *DB) provider() (*goose.Provider, error) {
	pool, err := db.writer.DB()
	if err != nil {
		return nil, err
	}
	files, err := newUnion(db.dialect)
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithSlog(db.log)}
	dialect := goose.DialectSQLite3
	if db.dialect == Postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, pool, files, options...)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}

// union is one flat directory out of migrations/common and the dialect's own.
type union []fs.FS

func newUnion(dialect Dialect) (union, error) {
	var u union
	for _, dir := range []string{"common", string(dialect)} {
		sub, err := fs.Sub(migrations, "migrations/"+dir)
		if err != nil {
			return nil, err
		}
		u = append(u, sub)
	}
	return u, nil
}

// Open implements fs.FS.
func (u union) Open(name string) (fs.File, error) {
	for _, f := range u {
		file, err := f.Open(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir implements fs.ReadDirFS. The files are in the order of their versions, in which goose applies them: it does not
// sort them itself.
func (u union) ReadDir(name string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, f := range u {
		entries, err := fs.ReadDir(f, name)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return all, nil
}

// CheckIntegrity asks SQLite whether the file is sound, as a corrupt one must not be served. PostgreSQL checks itself.
func (db *DB) CheckIntegrity(ctx context.Context) error {
	if db.dialect != SQLite {
		return nil
	}
	pool, err := db.reader.DB()
	if err != nil {
		return err
	}
	var verdict string
	switch err := pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return problem.Wrap(err, problem.Unavailable, "problem.unavailable")
	case verdict != "ok":
		return fmt.Errorf("%s is damaged: %s", db.path, verdict)
	default:
		return nil
	}
}
