package registry

import (
	"context"
	"slices"

	"credenza.example/credenza/internal/access"
)

// scopesAtOnce is how many scopes one statement names.
const scopesAtOnce = 500

// apiUse counts apps with one of the scopes, once for each piece of the list that names it, and those that introspect
// for the API; org is "" for every organisation, api for no API.
func (s *store) apiUse(ctx context.Context, org access.OrganisationID, api string, scopes []string) (int, error) {
	var total int
	g := s.db.Read(ctx)
	if api != "" {
		err := g.Raw("SELECT count(*) FROM apps WHERE deleted_at IS NULL AND resource_api = ? AND (? = '' OR organisation_id = ?)",
			api, string(org), string(org)).Scan(&total).Error
		if err != nil {
			return 0, wrap(err, "count the apps that introspect for an API")
		}
	}
	for names := range slices.Chunk(scopes, scopesAtOnce) {
		var n int
		err := g.Raw("SELECT count(DISTINCT app_id) FROM app_scopes WHERE scope IN ? AND (? = '' OR organisation_id = ?)",
			names, string(org), string(org)).Scan(&n).Error
		if err != nil {
			return 0, wrap(err, "count the apps with scopes of an API")
		}
		total += n
	}
	return total, nil
}
