package dbtest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"credenza.example/credenza/internal/database"
)

// migrated is the content of a SQLite file that was migrated once, of which every test's database is a copy.
var migrated = sync.OnceValues(migrateOnce)

// SQLiteURL returns the URL of a fresh migrated database in a directory of the test.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatalf("migrate the SQLite file that tests copy: %v", err)
	}
	path := filepath.Join(t.TempDir(), "credenza.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

func migrateOnce() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "credenza-sqlite-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "template.db")
	ctx := context.Background()
	db, err := database.Open(ctx, database.Config{URL: "sqlite:" + path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	// The log is folded into the file when the last connection closes, so that the file alone is the whole database.
	if err := errors.Join(db.Migrate(ctx), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
