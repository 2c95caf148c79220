package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
)

// scopeUse counts off the index on scopes alone: a deleted app has none.
func (s *store) scopeUse(ctx context.Context, org access.OrganisationID) (map[string]int, error) {
	var rows []struct {
		Scope string
		Apps  int
	}
	err := s.db.Read(ctx).Raw("SELECT scope, count(*) AS apps FROM app_scopes WHERE organisation_id = ? GROUP BY scope", string(org)).
		Scan(&rows).Error
	use := make(map[string]int, len(rows))
	for _, row := range rows {
		use[row.Scope] = row.Apps
	}
	return use, wrap(err, "count the apps of scopes")
}

// fewHolders is up to how many apps with a scope are looked up one by one.
const fewHolders = 1000

// holding reads the first apps with a scope by name, and how many there are. A join of both tables would do in one
// statement, but how long it takes depends on what the database believes of their sizes: on PostgreSQL, before it has
// counted, 15 s for 10,000 apps. So few apps are looked up by their IDs; where many have the scope, a walk in the order
// of names comes upon them soon, with one look at an index for each app passed (OFFSET keeps the planner from making it
// a join again).
func (s *store) holding(ctx context.Context, org access.OrganisationID, scope string) (apps []NamedApp, total int, err error) {
	g := s.db.Read(ctx)
	var ids []string
	err = g.Raw("SELECT app_id FROM app_scopes WHERE organisation_id = ? AND scope = ? LIMIT ?", string(org), scope, fewHolders+1).
		Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return nil, 0, wrap(err, "find the apps with a scope")
	}
	if total = len(ids); total <= fewHolders {
		err = g.Raw("SELECT id, name, status FROM apps WHERE organisation_id = ? AND deleted_at IS NULL AND id IN ? ORDER BY name_key LIMIT ?",
			string(org), ids, maxHolding).Scan(&apps).Error
		return apps, total, wrap(err, "read the apps with a scope")
	}
	err = g.Raw("SELECT count(*) FROM app_scopes WHERE organisation_id = ? AND scope = ?", string(org), scope).Scan(&total).Error
	if err == nil {
		err = g.Raw(`SELECT a.id, a.name, a.status FROM apps a WHERE a.organisation_id = ? AND a.deleted_at IS NULL AND EXISTS (
			SELECT 1 FROM app_scopes s WHERE s.organisation_id = a.organisation_id AND s.app_id = a.id AND s.scope = ? LIMIT 1 OFFSET 0
		) ORDER BY a.name_key LIMIT ?`, string(org), scope, maxHolding).Scan(&apps).Error
	}
	return apps, total, wrap(err, "read the apps with a scope")
}
