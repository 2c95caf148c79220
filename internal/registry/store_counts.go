package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// homeCount is the SQL of one number of the home page: apps of an organisation, up to the cap and one more, off an index.
type homeCount string

const (
	countStatus homeCount = `SELECT count(*) FROM (SELECT 1 FROM apps
		WHERE organisation_id = ? AND status = ? AND deleted_at IS NULL LIMIT ?) capped`
	// The times are those of the search's secret:two, secret:expiring and secret:none,expired, to which the numbers lead.
	countTwo homeCount = `SELECT count(*) FROM (SELECT 1 FROM apps
		WHERE organisation_id = ? AND two_secrets_until > ? AND status = 'active' AND deleted_at IS NULL LIMIT ?) capped`
	countSecretsUntil homeCount = `SELECT count(*) FROM (SELECT 1 FROM apps
		WHERE organisation_id = ? AND secrets_until > ? AND secrets_until <= ? AND status = 'active' AND deleted_at IS NULL LIMIT ?) capped`
	countUnused homeCount = `SELECT count(*) FROM (SELECT 1 FROM apps
		WHERE organisation_id = ? AND status = 'active' AND last_used_at < ? AND created_at < ? AND deleted_at IS NULL LIMIT ?) capped`
	countUsed homeCount = `SELECT count(*) FROM (SELECT 1 FROM apps
		WHERE organisation_id = ? AND last_used_at > 0 AND deleted_at IS NULL LIMIT ?) capped`
)

// counts counts an organisation's apps for the home page: one query for each number, none of which reads more than the
// cap of what it counts.
func (s *store) counts(ctx context.Context, org access.OrganisationID, at time.Time) (Counts, error) {
	var c Counts
	var used int
	const most = TotalCap + 1
	now, soon, long := database.Micros(at), database.Micros(at.Add(expiringWithin)), database.Micros(at.Add(-unusedFor))
	for _, number := range []struct {
		n     *int
		count homeCount
		args  []any
	}{
		{&c.Active, countStatus, []any{string(Active), most}},
		{&c.Inactive, countStatus, []any{string(Inactive), most}},
		{&c.TwoSecrets, countTwo, []any{now, most}},
		{&c.Expiring, countSecretsUntil, []any{now, soon, most}},
		{&c.NoSecret, countSecretsUntil, []any{-1, now, most}},
		{&c.Unused, countUnused, []any{long, long, most}},
		{&used, countUsed, []any{1}},
	} {
		args := append([]any{string(org)}, number.args...)
		if err := s.db.Read(ctx).Raw(string(number.count), args...).Scan(number.n).Error; err != nil {
			return Counts{}, wrap(err, "count apps")
		}
	}
	c.Called = used > 0
	return c, nil
}
