package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// idleRow is an active app as far as its use is concerned. Times are microseconds, 0 for never.
type idleRow struct {
	ID         AppID
	ClientID   string
	Name       string
	LastUsedAt int64
	CreatedAt  int64
	ModifiedAt int64
	NoticedAt  int64
}

const idleColumns = `SELECT a.id, a.client_id, a.name, a.last_used_at, a.created_at, a.modified_at, COALESCE(n.noticed_at, 0) AS noticed_at
	FROM apps a LEFT JOIN idle_notices n ON n.organisation_id = a.organisation_id AND n.app_id = a.id
	WHERE a.organisation_id = ? AND a.deleted_at IS NULL AND a.status = 'active'`

// unused returns active apps that nobody has used since then, nor registered, those unused for longest first.
func (s *store) unused(ctx context.Context, org access.OrganisationID, since time.Time, most int) ([]idleRow, error) {
	var rows []idleRow
	at := database.Micros(since)
	err := s.db.Read(ctx).Raw(idleColumns+` AND a.last_used_at < ? AND a.created_at < ?
		ORDER BY a.last_used_at, a.created_at, a.id LIMIT ?`, string(org), at, at, most).Scan(&rows).Error
	return rows, wrap(err, "read unused apps")
}

// idle is unused for whoever goes through all of them, in the order of their IDs.
func (s *store) idle(ctx context.Context, org access.OrganisationID, since time.Time, after AppID) ([]idleRow, error) {
	var rows []idleRow
	at := database.Micros(since)
	err := s.db.Read(ctx).Raw(idleColumns+` AND a.last_used_at <= ? AND a.created_at <= ? AND a.id > ? ORDER BY a.id LIMIT ?`,
		string(org), at, at, string(after), idleChunk).Scan(&rows).Error
	return rows, wrap(err, "read idle apps")
}

func (s *store) idleOf(ctx context.Context, org access.OrganisationID, id AppID) (row idleRow, found bool, err error) {
	err = s.db.Read(ctx).Raw(idleColumns+" AND a.id = ?", string(org), string(id)).Scan(&row).Error
	return row, row.ID != "", wrap(err, "read an idle app")
}

// takeIdleNotice notes that the people of an app are told; first is false when another process did, or nobody needs to
// be any more, such as those of an organisation that was suspended meanwhile.
func takeIdleNotice(tx *database.Tx, org access.OrganisationID, row *idleRow) (first bool, err error) {
	result := tx.DB().Exec(`INSERT INTO idle_notices (organisation_id, app_id, noticed_at)
		SELECT o.id, ?, CAST(? AS BIGINT) FROM organisations o WHERE o.id = ? AND o.status = 'active'
		ON CONFLICT (organisation_id, app_id) DO UPDATE SET noticed_at = excluded.noticed_at WHERE idle_notices.noticed_at = ?`,
		string(row.ID), database.Micros(tx.Now()), string(org), row.NoticedAt)
	return result.RowsAffected == 1, wrap(result.Error, "note that people are told")
}

// stillIdle reports whether nobody has used the app since it was read, and the notice still stands.
func stillIdle(tx *database.Tx, org access.OrganisationID, row *idleRow) (bool, error) {
	var n int64
	err := tx.DB().Raw(`SELECT count(*) FROM apps a JOIN idle_notices n ON n.organisation_id = a.organisation_id AND n.app_id = a.id
		WHERE a.organisation_id = ? AND a.id = ? AND a.last_used_at = ? AND n.noticed_at = ?`,
		string(org), string(row.ID), row.LastUsedAt, row.NoticedAt).Scan(&n).Error
	return n == 1, wrap(err, "ask whether an app was used")
}

// forgetIdleNotices takes back what the people of a suspended organisation were told: nobody there can use or change an
// app meanwhile, so that when it comes back they are told anew.
func forgetIdleNotices(tx *database.Tx, org access.OrganisationID) error {
	return wrap(tx.DB().Exec("DELETE FROM idle_notices WHERE organisation_id = ?", string(org)).Error, "take notices back")
}
