package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// standing is the SQL of how many secrets of each active app are usable at a moment, and when the last of them ends;
// never is a moment beyond all others.
const (
	never    = int64(1) << 62
	standing = `FROM apps a LEFT JOIN (
		SELECT app_id, count(*) AS usable, max(ends) AS last FROM (
			SELECT app_id, CASE
				WHEN expires_at IS NULL AND ends_at IS NULL THEN ?
				WHEN expires_at IS NULL OR ends_at < expires_at THEN ends_at
				ELSE expires_at END AS ends
			FROM app_secrets WHERE organisation_id = ? AND retired_at IS NULL AND leaked_at IS NULL
		) alive WHERE ends > ? GROUP BY app_id
	) s ON s.app_id = a.id
	WHERE a.organisation_id = ? AND a.status = 'active' AND a.deleted_at IS NULL`
)

// counts counts an organisation's apps for the home page. The apps by status come off an index and are capped; the
// others take one pass over the organisation's usable secrets.
func (s *store) counts(ctx context.Context, org access.OrganisationID, now time.Time) (Counts, error) {
	var c Counts
	for status, n := range map[Status]*int{Active: &c.Active, Inactive: &c.Inactive} {
		count, err := s.countTerm(ctx, org, term{isOne("status", string(status))})
		if err != nil {
			return Counts{}, err
		}
		*n = min(count, TotalCap)
	}
	var row struct{ Two, Expiring, None int }
	err := s.db.Read(ctx).Raw(`SELECT
		COALESCE(SUM(CASE WHEN s.usable = 2 THEN 1 ELSE 0 END), 0) AS two,
		COALESCE(SUM(CASE WHEN s.last <= ? THEN 1 ELSE 0 END), 0) AS expiring,
		COALESCE(SUM(CASE WHEN s.usable IS NULL THEN 1 ELSE 0 END), 0) AS none `+standing,
		database.Micros(now.Add(expiringWithin)), never, string(org), database.Micros(now), string(org)).Scan(&row).Error
	c.TwoSecrets, c.Expiring, c.NoSecret = row.Two, row.Expiring, row.None
	return c, wrap(err, "count apps")
}
