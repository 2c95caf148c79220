package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
	"gorm.io/gorm"

	"credenza.example/credenza/internal/problem"
)

// retryAfter is what callers are told to wait when the database is away.
const retryAfter = time.Second

// IsNotFound reports whether a query for one row found none.
func IsNotFound(err error) bool { return errors.Is(err, gorm.ErrRecordNotFound) }

// IsUnique reports whether err is a violated unique key.
func IsUnique(err error) bool { _, ok := uniqueDetail(err); return ok }

// IsUniqueOn reports whether err is a violated unique key over the named column. Indexes carry the column in their
// name, so that PostgreSQL, which tells the index, and SQLite, which tells the columns, answer alike.
func IsUniqueOn(err error, column string) bool {
	detail, ok := uniqueDetail(err)
	return ok && strings.Contains(detail, column)
}

// IsForeignKey reports whether err is a violated foreign key.
func IsForeignKey(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23503"
	}
	var lite sqlite3.Error
	return errors.As(err, &lite) && lite.ExtendedCode == sqlite3.ErrConstraintForeignKey
}

func uniqueDetail(err error) (string, bool) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return pg.ConstraintName, true
	}
	var lite sqlite3.Error
	if errors.As(err, &lite) && (lite.ExtendedCode == sqlite3.ErrConstraintUnique || lite.ExtendedCode == sqlite3.ErrConstraintPrimaryKey) {
		return lite.Error(), true
	}
	return "", false
}

// retryable reports whether the same transaction may succeed when it is run again: serialization failure and deadlock
// on PostgreSQL. A busy SQLite file is not: the driver has waited for its whole busy timeout already (F4).
func retryable(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40001" || pg.Code == "40P01")
}

// translate turns "the database is away, full or locked" into problem.Unavailable and leaves every other error as it is.
func translate(err error) error {
	var p *problem.Error
	if err == nil || errors.As(err, &p) || !away(err) {
		return err
	}
	return &problem.Error{Code: problem.Unavailable, Key: "problem.unavailable", RetryAfter: retryAfter, Err: err}
}

func away(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case len(pg.Code) < 2:
			return false
		case pg.Code == "57014": // statement timeout or cancel
			return true
		case pg.Code == "55P03", pg.Code == "25006": // lock timeout; the server became read-only
			return true
		default:
			// connection lost, serialization given up, out of resources, shutting down, system error
			class := pg.Code[:2]
			return class == "08" || class == "40" || class == "53" || class == "57" || class == "58"
		}
	}
	if lite, ok := errors.AsType[sqlite3.Error](err); ok {
		switch lite.Code {
		case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrProtocol, sqlite3.ErrInterrupt, sqlite3.ErrFull, sqlite3.ErrIoErr,
			sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrNomem:
			return true
		default:
			return false
		}
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, context.DeadlineExceeded)
}

// registerTranslation makes every statement's error pass through translate.
func registerTranslation(g *gorm.DB) error {
	hook := func(d *gorm.DB) { d.Error = translate(d.Error) }
	cb := g.Callback()
	err := errors.Join(
		cb.Query().After("*").Register("credenza:translate", hook),
		cb.Create().After("*").Register("credenza:translate", hook),
		cb.Update().After("*").Register("credenza:translate", hook),
		cb.Delete().After("*").Register("credenza:translate", hook),
		cb.Row().After("*").Register("credenza:translate", hook),
		cb.Raw().After("*").Register("credenza:translate", hook),
	)
	if err != nil {
		return fmt.Errorf("register error translation: %w", err)
	}
	return nil
}
