package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
)

// exportContacts returns the present contacts of several apps, by rank.
func (s *store) exportContacts(ctx context.Context, org access.OrganisationID, ids []AppID) (map[AppID][2]Contact, error) {
	var rows []contactRow
	err := s.db.Read(ctx).Where("organisation_id = ? AND app_id IN ? AND ended_at IS NULL", string(org), ids).Find(&rows).Error
	of := make(map[AppID][2]Contact, len(ids))
	for i := range rows {
		pair := of[rows[i].AppID]
		pair[rows[i].Rank-1] = rows[i].contact()
		of[rows[i].AppID] = pair
	}
	return of, wrap(err, "read the contacts of apps")
}

// exportScopes returns the scopes of several apps, sorted.
func (s *store) exportScopes(ctx context.Context, org access.OrganisationID, ids []AppID) (map[AppID][]string, error) {
	var rows []scopeRow
	err := s.db.Read(ctx).Where("organisation_id = ? AND app_id IN ?", string(org), ids).Find(&rows).Error
	of := make(map[AppID][]string, len(ids))
	for _, row := range rows {
		of[row.AppID] = append(of[row.AppID], row.Scope)
	}
	for id, list := range of {
		of[id] = sorted(list)
	}
	return of, wrap(err, "read the scopes of apps")
}
