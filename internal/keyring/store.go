package keyring

import (
	"context"
	"fmt"
	"time"

	"credenza.example/credenza/internal/database"
)

// keyRow is one key of the table keys.
type keyRow struct {
	ID        string `gorm:"primaryKey"`
	Purpose   string
	KeyID     string
	Algorithm string
	State     string
	Sealed    string
	PublicKey string
	CreatedAt time.Time `gorm:"serializer:micros;autoCreateTime:false"`
}

// TableName names the table for the ORM.
func (*keyRow) TableName() string { return "keys" }

// associated binds the sealed key to everything else the row says: a row whose state or key ID was changed in the
// database does not open.
func (r *keyRow) associated() string {
	return Associated("keys", r.Purpose, r.KeyID, r.Algorithm, r.State, r.PublicKey)
}

func loadRows(ctx context.Context, db *database.DB) ([]keyRow, error) {
	var rows []keyRow
	if err := db.Read(ctx).Order("created_at, id").Find(&rows).Error; err != nil {
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
			rows[i].CreatedAt = tx.Now()
			tx.Changed(database.TopicKey, rows[i].Purpose)
		}
		return tx.DB().Create(&rows).Error
	})
	if err != nil && !database.IsUnique(err) {
		return fmt.Errorf("write the first keys: %w", err)
	}
	return nil
}
