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

// holding reads the first apps with a scope, each row carrying how many there are.
func (s *store) holding(ctx context.Context, org access.OrganisationID, scope string) ([]NamedApp, int, error) {
	var rows []struct {
		NamedApp

		Total int
	}
	err := s.db.Read(ctx).Raw(`SELECT a.id, a.name, a.status, count(*) OVER () AS total
		FROM app_scopes s JOIN apps a ON a.organisation_id = s.organisation_id AND a.id = s.app_id
		WHERE s.organisation_id = ? AND s.scope = ? AND a.deleted_at IS NULL ORDER BY a.name_key LIMIT ?`,
		string(org), scope, maxHolding).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, 0, wrap(err, "read the apps with a scope")
	}
	apps := make([]NamedApp, len(rows))
	for i := range rows {
		apps[i] = rows[i].NamedApp
	}
	return apps, rows[0].Total, nil
}
