package keyring

import (
	"context"
	"time"

	"credenza.example/credenza/internal/database"
)

// The times of a rotation, for tests that walk along them.
const (
	SignWait   = signWait
	TagWait    = tagWait
	AcceptFor  = acceptFor
	EraseAfter = eraseAfter
)

// Rewritten is what Rewrite may change of a row.
type Rewritten struct {
	State, Algorithm, PublicKey string
	SignsFrom, SignsUntil       *time.Time
	Key                         []byte
}

// Rewrite changes the rows of a purpose as only somebody with the master key can: they open.
func Rewrite(ctx context.Context, db *database.DB, m *Master, purpose string, change func(*Rewritten)) error {
	return db.Housekeep(ctx, func(tx *database.Tx) error {
		rows, err := lockRows(tx)
		if err != nil {
			return err
		}
		for _, row := range lines(rows)[purpose] {
			key, err := row.open(m)
			if err != nil {
				return err
			}
			r := Rewritten{row.State, row.Algorithm, row.PublicKey, row.SignsFrom, row.SignsUntil, key}
			change(&r)
			row.State, row.Algorithm, row.PublicKey, row.SignsFrom, row.SignsUntil = r.State, r.Algorithm, r.PublicKey, r.SignsFrom, r.SignsUntil
			if err := row.seal(m, r.Key); err != nil {
				return err
			}
			if err := tx.DB().Exec("UPDATE keys SET algorithm = ?, public_key = ? WHERE id = ?", row.Algorithm, row.PublicKey, row.ID).Error; err != nil {
				return err
			}
			if err := updateRow(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}
