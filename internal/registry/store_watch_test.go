package registry_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/database"
)

// statements counts what is read from the database, but for the polling of the change counter. hook, when set, runs
// before each of these statements.
type statements struct {
	n    atomic.Int64
	hook atomic.Pointer[func(sql string)]
}

func watch(t *testing.T, db *database.DB) *statements {
	t.Helper()
	s := &statements{}
	s.watch(t, db.Read(t.Context()))
	return s
}

// watchAll is watch for what is written too.
func watchAll(t *testing.T, db *database.DB) *statements {
	t.Helper()
	s := watch(t, db)
	if err := db.Housekeep(t.Context(), func(tx *database.Tx) error { s.watch(t, tx.DB()); return nil }); err != nil {
		t.Fatal(err)
	}
	return s
}

// watch counts the statements of the pool that g belongs to.
func (s *statements) watch(t *testing.T, g *gorm.DB) {
	t.Helper()
	count := func(g *gorm.DB) {
		sql := g.Statement.SQL.String()
		if strings.Contains(sql, "change") {
			return
		}
		s.n.Add(1)
		if hook := s.hook.Load(); hook != nil {
			(*hook)(sql)
		}
	}
	callbacks := g.Callback()
	err := errors.Join(
		callbacks.Query().After("gorm:query").Register("test:count", count),
		callbacks.Row().After("gorm:row").Register("test:count", count),
		callbacks.Raw().After("gorm:raw").Register("test:count", count),
		callbacks.Create().After("gorm:create").Register("test:count", count),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// watchCreated tells of each statement that writes new rows how many it writes.
func watchCreated(t *testing.T, db *database.DB, created func(rows int64)) {
	t.Helper()
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Callback().Create().After("gorm:create").Register("test:rows", func(g *gorm.DB) {
			created(int64(g.Statement.ReflectValue.Len()))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// failCreated fails each statement that writes new rows, and counts them.
func failCreated(t *testing.T, db *database.DB, with error) (tried *int) {
	t.Helper()
	tried = new(int)
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Callback().Create().Before("gorm:create").Register("test:fail", func(g *gorm.DB) {
			*tried++
			_ = g.AddError(with)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return tried
}

// watchRows tells of the rows that are written from now on: their table and all values, row by row.
func watchRows(t *testing.T, db *database.DB, wrote func(table string, values []any)) {
	t.Helper()
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Callback().Create().After("gorm:create").Register("test:rows", func(g *gorm.DB) {
			wrote(g.Statement.Table, g.Statement.Vars)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
