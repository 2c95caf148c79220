package web_test

import (
	"database/sql/driver"
	"errors"
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
