package web_test

import (
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/database"
)

// away lets a test take the database away from those who write, as a full disk or a lost connection does.
type away struct{ atomic.Bool }

// canFail returns the switch by which nothing can be written to the portal's database.
func (p *portal) canFail() *away {
	p.t.Helper()
	a := &away{}
	fail := func(g *gorm.DB) {
		if a.Load() {
			_ = g.AddError(driver.ErrBadConn)
		}
	}
	p.must(p.db.Housekeep(p.t.Context(), func(tx *database.Tx) error {
		writes := tx.DB().Callback()
		return errors.Join(
			writes.Raw().Before("gorm:raw").Register("test:away", fail),
			writes.Create().Before("gorm:create").Register("test:away", fail),
		)
	}))
	return a
}

// readsFail makes every reading of apps fail from now on, and nothing else.
func (p *portal) readsFail() {
	p.t.Helper()
	fail := func(g *gorm.DB) {
		if g.Statement.Table == "apps" || strings.Contains(g.Statement.SQL.String(), "apps") {
			_ = g.AddError(driver.ErrBadConn)
		}
	}
	reads := p.db.Read(p.t.Context()).Callback()
	p.must(errors.Join(
		reads.Query().Before("gorm:query").Register("test:reads", fail), reads.Row().Before("gorm:row").Register("test:reads", fail),
	))
}
