package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
)

// staleAddresses are the addresses k of an organisation of whose reader or mail server the last word is that another
// contact is needed, as addressRow.address tells it. The first condition is that of the index.
const staleAddresses = ` FROM contact_addresses k
	WHERE k.organisation_id = ? AND (k.denied_at IS NOT NULL OR k.refused_at IS NOT NULL)
		AND (COALESCE(k.denied_at, -1) > COALESCE(k.confirmed_at, -1) OR COALESCE(k.refused_at, -1) > COALESCE(k.confirmed_at, -1))`

// atActiveApps joins the contacts c with an address k and their active apps a.
const atActiveApps = ` app_contacts c JOIN apps a ON a.organisation_id = c.organisation_id AND a.id = c.app_id
	AND a.deleted_at IS NULL AND a.status = 'active'
	WHERE c.organisation_id = k.organisation_id AND c.email_key = k.email_key AND c.ended_at IS NULL`

func (s *store) countStale(ctx context.Context, org access.OrganisationID, most int) (n int, err error) {
	err = s.db.Read(ctx).Raw(`SELECT count(*) FROM (SELECT 1`+staleAddresses+` AND EXISTS (SELECT 1 FROM`+atActiveApps+`) LIMIT ?) capped`,
		string(org), most).Scan(&n).Error
	return n, wrap(err, "count stale contacts")
}

// staleRow is a stale address with what stands at it.
type staleRow struct {
	Row     addressRow `gorm:"embedded"`
	Email   string
	Name    string
	Apps    int
	AppID   AppID
	AppName string
}

func (s *store) staleContacts(ctx context.Context, org access.OrganisationID, most int) ([]staleRow, error) {
	var rows, found []staleRow
	err := s.db.Read(ctx).Raw(`SELECT k.*`+staleAddresses+` AND EXISTS (SELECT 1 FROM`+atActiveApps+`)
		ORDER BY k.email_key LIMIT ?`, string(org), most).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, wrap(err, "read stale contacts")
	}
	at := make(map[string]int, len(rows))
	keys := make([]string, len(rows))
	for i := range rows {
		keys[i], at[rows[i].Row.EmailKey] = rows[i].Row.EmailKey, i
	}
	err = s.db.Read(ctx).Raw(`SELECT c.email_key, min(c.email) AS email, min(c.first_name || ' ' || c.last_name) AS name,
			count(DISTINCT a.id) AS apps, min(a.id) AS app_id, min(a.name) AS app_name
		FROM app_contacts c JOIN apps a ON a.organisation_id = c.organisation_id AND a.id = c.app_id
			AND a.deleted_at IS NULL AND a.status = 'active'
		WHERE c.organisation_id = ? AND c.email_key IN ? AND c.ended_at IS NULL GROUP BY c.email_key`, string(org), keys).
		Scan(&found).Error
	for _, f := range found {
		row := &rows[at[f.Row.EmailKey]]
		row.Email, row.Name, row.Apps, row.AppID, row.AppName = f.Email, f.Name, f.Apps, f.AppID, f.AppName
	}
	return rows, wrap(err, "read the apps of stale contacts")
}

// rejectedToday joins what was refused on a day r with the apps a that are there still.
const rejectedToday = ` FROM app_rejections r JOIN apps a ON a.organisation_id = r.organisation_id AND a.id = r.app_id AND a.deleted_at IS NULL
	WHERE r.organisation_id = ? AND r.day = ?`

// countRejected counts apps and requests in so many rows at most.
func (s *store) countRejected(ctx context.Context, org access.OrganisationID, day int64, most int) (apps int, times int64, err error) {
	var row struct {
		Apps  int
		Times int64
	}
	err = s.db.Read(ctx).Raw(`SELECT count(DISTINCT app_id) AS apps, CAST(COALESCE(sum(times), 0) AS BIGINT) AS times
		FROM (SELECT r.app_id, r.times`+rejectedToday+` LIMIT ?) capped`, string(org), day, most).Scan(&row).Error
	return row.Apps, row.Times, wrap(err, "count what was refused today")
}

// rejectedAppRow is an app with what was refused of it on a day.
type rejectedAppRow struct {
	ID       AppID
	ClientID string
	Name     string
	Status   Status
	Times    int64
	LastAt   int64
}

func (s *store) rejectedOn(ctx context.Context, org access.OrganisationID, day int64, most int) (rows []rejectedAppRow, err error) {
	err = s.db.Read(ctx).Raw(`SELECT a.id, a.client_id, a.name, a.status, CAST(sum(r.times) AS BIGINT) AS times, max(r.last_at) AS last_at`+
		rejectedToday+` GROUP BY a.id, a.client_id, a.name, a.status ORDER BY times DESC, a.id LIMIT ?`, string(org), day, most).Scan(&rows).Error
	return rows, wrap(err, "read what was refused today")
}
