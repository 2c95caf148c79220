package keyring

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"credenza.example/credenza/internal/database"
)

// keyRow is one key of the table keys.
type keyRow struct {
	ID         string `gorm:"primaryKey"`
	Purpose    string
	KeyID      string
	Algorithm  string
	State      string
	Sealed     string
	PublicKey  string
	CreatedAt  time.Time  `gorm:"serializer:micros;autoCreateTime:false"`
	SignsFrom  *time.Time `gorm:"serializer:micros"` // nil: since it was made
	SignsUntil *time.Time `gorm:"serializer:micros"` // nil: nothing has taken over
	EndedAt    *time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*keyRow) TableName() string { return "keys" }

// associated binds the sealed key to everything else the row says: a row whose state, key ID or times were changed in
// the database does not open. Keys that never took part in a rotation have the form from before there were times.
func (r *keyRow) associated() string {
	if r.SignsFrom == nil && r.SignsUntil == nil {
		return Associated("keys", r.Purpose, r.KeyID, r.Algorithm, r.State, r.PublicKey)
	}
	return Associated("keys 2", r.Purpose, r.KeyID, r.Algorithm, r.State, r.PublicKey, moment(r.SignsFrom), moment(r.SignsUntil))
}

// moment writes a time as it is stored, and nothing for none.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return strconv.FormatInt(database.Micros(*t), 10)
}

// loadRows returns all keys in the order in which they were made.
func loadRows(ctx context.Context, db *database.DB) ([]keyRow, error) {
	var rows []keyRow
	if err := db.Read(ctx).Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	return rows, nil
}

// lockRows does the same inside a transaction and makes every other one that changes keys wait until it has ended: the
// row of the key check stands for all.
func lockRows(tx *database.Tx) ([]keyRow, error) {
	err := tx.DB().Exec("UPDATE keys SET ended_at = ended_at WHERE purpose = ?", purposeCheck).Error
	if err != nil {
		return nil, fmt.Errorf("lock the keys: %w", err)
	}
	var rows []keyRow
	if err := tx.DB().Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	return rows, nil
}

// noKeys reports whether the table keys, which exists, is empty.
func noKeys(ctx context.Context, db *database.DB) (bool, error) {
	var n int64
	if err := db.Read(ctx).Model(&keyRow{}).Limit(1).Count(&n).Error; err != nil {
		return false, fmt.Errorf("count the keys: %w", err)
	}
	return n == 0, nil
}

// insertFirst writes the first keys of a database. Where another process was quicker it writes nothing: SQLite's
// writers take turns, so the second one finds rows; on PostgreSQL the unique index on purpose and key ID stops it at
// the first row.
func insertFirst(ctx context.Context, db *database.DB, rows []keyRow) error {
	err := db.Housekeep(ctx, func(tx *database.Tx) error {
		var n int64
		if err := tx.DB().Model(&keyRow{}).Count(&n).Error; err != nil || n > 0 {
			return err
		}
		for i := range rows {
			if err := insertRow(tx, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !database.IsUnique(err) {
		return fmt.Errorf("write the first keys: %w", err)
	}
	return nil
}

// insertMissing writes the first key of a purpose that came with a later version of the product. Where another process
// was quicker it writes nothing.
func insertMissing(ctx context.Context, db *database.DB, row keyRow) error {
	err := db.Housekeep(ctx, func(tx *database.Tx) error {
		rows, err := lockRows(tx)
		if err != nil || lines(rows)[row.Purpose].signer(tx.Now()) != nil {
			return err
		}
		return insertRow(tx, &row)
	})
	if err != nil {
		return fmt.Errorf("write the missing key: %w", err)
	}
	return nil
}

func insertRow(tx *database.Tx, row *keyRow) error {
	row.CreatedAt = tx.Now()
	tx.Changed(database.TopicKey, row.Purpose)
	if err := tx.DB().Create(row).Error; err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	return nil
}

// updateRow writes what may change of a key. The rows are locked, so nobody else has changed it since it was read.
func updateRow(tx *database.Tx, row *keyRow) error {
	tx.Changed(database.TopicKey, row.Purpose)
	err := tx.DB().Exec("UPDATE keys SET state = ?, sealed = ?, signs_from = ?, signs_until = ?, ended_at = ? WHERE id = ?",
		row.State, row.Sealed, orNull(row.SignsFrom), orNull(row.SignsUntil), orNull(row.EndedAt), row.ID).Error
	if err != nil {
		return fmt.Errorf("change a key: %w", err)
	}
	return nil
}

func orNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return database.Micros(*t)
}

// sweep runs change, which updates rows that time has overtaken, on the locked keys.
func sweep(ctx context.Context, db *database.DB, change func(tx *database.Tx, rows []keyRow) error) error {
	return db.Housekeep(ctx, func(tx *database.Tx) error {
		rows, err := lockRows(tx)
		if err != nil {
			return err
		}
		return change(tx, rows)
	})
}
