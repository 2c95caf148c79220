package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// unworded returns the next apps, by ID, whose words were not written in today's way.
func (s *store) unworded(ctx context.Context, after AppID, n int) ([]appRow, error) {
	var rows []appRow
	err := s.db.Read(ctx).Raw(`SELECT a.id, a.organisation_id, a.created_by_kind, a.created_by_id FROM apps a
		WHERE a.id > ? AND a.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM app_words w
			WHERE w.organisation_id = a.organisation_id AND w.app_id = a.id AND w.word = ?)
		ORDER BY a.id LIMIT ?`, string(after), wordsMark, n).Scan(&rows).Error
	return rows, wrap(err, "look for apps without words")
}

// lockApp locks an app that is not deleted against everybody else who writes to it, and changes nothing. It reports
// whether there is one.
func lockApp(tx *database.Tx, org access.OrganisationID, id AppID) (bool, error) {
	result := tx.DB().Exec("UPDATE apps SET version = version WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL", string(org), string(id))
	return result.RowsAffected == 1, wrap(result.Error, "lock an app")
}

// replaceWords writes the words by which an app is found.
func replaceWords(tx *database.Tx, org access.OrganisationID, id AppID, words []string) error {
	err := tx.DB().Exec("DELETE FROM app_words WHERE organisation_id = ? AND app_id = ?", string(org), string(id)).Error
	if err != nil || len(words) == 0 {
		return wrap(err, "write an app's words")
	}
	rows := make([]wordRow, len(words))
	for i, w := range words {
		rows[i] = wordRow{OrganisationID: org, Word: w, AppID: id}
	}
	return wrap(tx.DB().CreateInBatches(rows, 500).Error, "write an app's words")
}

type wordRow struct {
	OrganisationID access.OrganisationID `gorm:"primaryKey"`
	Word           string                `gorm:"primaryKey"`
	AppID          AppID                 `gorm:"primaryKey"`
}

// TableName names the table for the ORM.
func (*wordRow) TableName() string { return "app_words" }
