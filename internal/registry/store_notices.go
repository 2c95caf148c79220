package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// endingRow is a secret that ends soon or has just ended, with what a mail says of it.
type endingRow struct {
	ID             SecretID
	OrganisationID access.OrganisationID
	AppID          AppID
	Name           string // of the app
	Hint           string
	CreatedAt      time.Time  `gorm:"serializer:micros"`
	ExpiresAt      *time.Time `gorm:"serializer:micros"`
	EndsAt         *time.Time `gorm:"serializer:micros"`
	LastUsedAt     int64
	Newer          bool // the app has a newer secret that works
}

func (row *endingRow) ends() time.Time {
	return life{ExpiresAt: row.ExpiresAt, EndsAt: row.EndsAt}.ends()
}

// endingSecrets returns secrets of active apps that end within 30 days or ended within a week, in the order of their IDs.
// The two ends are looked for one after the other: with an OR both databases would walk all secrets there are.
func (s *store) endingSecrets(ctx context.Context, now time.Time, after SecretID, limit int) ([]endingRow, error) {
	earliest, latest := database.Micros(now.Add(-lateNotice)), database.Micros(now.AddDate(0, 0, firstStage))
	at := database.Micros(now)
	var rows []endingRow
	err := s.db.Read(ctx).Raw(`SELECT s.id, s.organisation_id, s.app_id, a.name, s.hint, s.created_at, s.expires_at, s.ends_at, s.last_used_at,
		EXISTS (SELECT 1 FROM app_secrets n WHERE n.organisation_id = s.organisation_id AND n.app_id = s.app_id
			AND n.generation > s.generation AND n.retired_at IS NULL AND n.leaked_at IS NULL
			AND (n.expires_at IS NULL OR n.expires_at > ?) AND (n.ends_at IS NULL OR n.ends_at > ?)) AS newer
		FROM app_secrets s
		JOIN apps a ON a.organisation_id = s.organisation_id AND a.id = s.app_id
		JOIN organisations o ON o.id = s.organisation_id
		WHERE s.id IN (
				SELECT id FROM app_secrets WHERE expires_at >= ? AND expires_at <= ? AND retired_at IS NULL AND leaked_at IS NULL
				UNION
				SELECT id FROM app_secrets WHERE ends_at >= ? AND ends_at <= ? AND retired_at IS NULL AND leaked_at IS NULL)
			AND s.id > ? AND a.deleted_at IS NULL AND a.status = 'active' AND o.status = 'active'
		ORDER BY s.id LIMIT ?`, at, at, earliest, latest, earliest, latest, string(after), limit).Scan(&rows).Error
	return rows, wrap(err, "look for secrets that end")
}

// noticeKey is one stage before one end of a secret.
type noticeKey struct {
	secret SecretID
	ends   int64
	stage  int
}

// toldNotices returns which notices were given of these secrets.
func (s *store) toldNotices(ctx context.Context, rows []endingRow) (map[noticeKey]bool, error) {
	ids := make([]SecretID, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	var found []struct {
		SecretID SecretID
		EndsAt   int64
		Stage    int
	}
	err := s.db.Read(ctx).Raw("SELECT secret_id, ends_at, stage FROM secret_notices WHERE secret_id IN ?", ids).Scan(&found).Error
	told := map[noticeKey]bool{}
	for _, f := range found {
		told[noticeKey{f.SecretID, f.EndsAt, f.Stage}] = true
	}
	return told, wrap(err, "read notices")
}

// contactsOf returns the contacts of apps, the first one first.
func (s *store) contactsOf(ctx context.Context, ids []AppID) (map[AppID][]Contact, error) {
	var rows []contactRow
	err := s.db.Read(ctx).Where("app_id IN ? AND ended_at IS NULL", ids).Order("app_id, rank").Find(&rows).Error
	contacts := map[AppID][]Contact{}
	for i := range rows {
		contacts[rows[i].AppID] = append(contacts[rows[i].AppID], rows[i].contact())
	}
	return contacts, wrap(err, "read contacts")
}

// takeNotice notes that a notice is given, and reports whether it is this transaction that gives it: not when another
// was quicker, nor when the secret was taken out of use or its app deleted meanwhile.
func takeNotice(tx *database.Tx, row *endingRow, stage int) (bool, error) {
	result := tx.DB().Exec(`INSERT INTO secret_notices (organisation_id, secret_id, ends_at, stage, told_at)
		SELECT s.organisation_id, s.id, CAST(? AS BIGINT), CAST(? AS INTEGER), CAST(? AS BIGINT) FROM app_secrets s
		JOIN apps a ON a.organisation_id = s.organisation_id AND a.id = s.app_id
		WHERE s.id = ? AND s.retired_at IS NULL AND s.leaked_at IS NULL AND a.deleted_at IS NULL AND a.status = 'active'
		ON CONFLICT (secret_id, ends_at, stage) DO NOTHING`,
		database.Micros(row.ends()), stage, database.Micros(tx.Now()), string(row.ID))
	return result.RowsAffected == 1, wrap(result.Error, "note a notice")
}

// organisationName reads an organisation's name within a transaction.
func organisationName(tx *database.Tx, id access.OrganisationID) (name string, err error) {
	err = tx.DB().Raw("SELECT name FROM organisations WHERE id = ?", string(id)).Scan(&name).Error
	return name, wrap(err, "read an organisation's name")
}
