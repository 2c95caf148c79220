package registry

import (
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// usageRow is a row of secret_usage.
type usageRow struct {
	SecretID       SecretID `gorm:"primaryKey"`
	Hour           int64    `gorm:"primaryKey;autoIncrement:false"`
	Network        string   `gorm:"primaryKey"`
	OrganisationID access.OrganisationID
	Uses           int64
	LastUsedAt     int64
}

// TableName names the table for the ORM.
func (*usageRow) TableName() string { return "secret_usage" }

// addUse adds counts to what is there and raises the last use of their secrets and apps. Uses of apps that were deleted
// meanwhile are dropped.
func addUse(tx *database.Tx, part []pending) error {
	secrets, hours := keysOf(part)
	live, err := lockUsed(tx, secrets)
	if err != nil {
		return err
	}
	part = slices.DeleteFunc(slices.Clone(part), func(p pending) bool {
		_, found := slices.BinarySearch(live, p.key.secret)
		return !found
	})
	if len(part) == 0 {
		return nil
	}
	known, err := knownNetworks(tx, live, hours)
	if err != nil {
		return err
	}
	var rows []usageRow
	var apps []AppID
	for _, p := range part {
		rows = append(rows, p.rows(known[p.key])...)
		apps = append(apps, p.use.app)
	}
	if err := upsertUse(tx, rows); err != nil {
		return err
	}
	return raiseLastUse(tx, live, slices.Compact(apps), slices.Min(hours))
}

// keysOf returns the secrets and the hours of a list, each once.
func keysOf(list []pending) (secrets []SecretID, hours []int64) {
	in := map[int64]struct{}{}
	for _, p := range list {
		secrets = append(secrets, p.key.secret)
		in[p.key.hour] = struct{}{}
	}
	return slices.Compact(secrets), slices.Collect(maps.Keys(in))
}

// lockUsed locks the apps of secrets against whoever else writes to them, and returns those of the secrets whose apps
// are not deleted, in order. Whoever writes the use of the same secret in another process waits here, so that both
// together keep to maxNetworks. Apps come in the order of their IDs and before their secrets, so that nobody waits in a
// circle. SQLite has one writer and needs no locks.
func lockUsed(tx *database.Tx, secrets []SecretID) ([]SecretID, error) {
	var live []SecretID
	err := tx.DB().Table("app_secrets s").Select("s.id").Joins("JOIN apps a ON a.id = s.app_id").
		Where("s.id IN ? AND a.deleted_at IS NULL", secrets).Order("a.id").
		Clauses(clause.Locking{Strength: "NO KEY UPDATE", Table: clause.Table{Name: "a"}}).Scan(&live).Error
	slices.Sort(live)
	return live, wrap(err, "lock apps")
}

// knownNetworks returns the networks that are told apart already in hours of secrets.
func knownNetworks(tx *database.Tx, secrets []SecretID, hours []int64) (map[useKey]map[string]struct{}, error) {
	var rows []usageRow
	err := tx.DB().Raw("SELECT secret_id, hour, network FROM secret_usage WHERE secret_id IN ? AND hour IN ? AND network <> ?",
		secrets, hours, OtherNetworks.String()).Scan(&rows).Error
	known := map[useKey]map[string]struct{}{}
	for _, row := range rows {
		key := useKey{row.SecretID, row.Hour}
		if known[key] == nil {
			known[key] = map[string]struct{}{}
		}
		known[key][row.Network] = struct{}{}
	}
	return known, wrap(err, "read networks")
}

// rows returns what is to be added for an hour of a secret. Networks beyond maxNetworks, together with those that are
// known, go to the others.
func (p pending) rows(known map[string]struct{}) []usageRow {
	row := func(network string, t tally) usageRow {
		return usageRow{
			SecretID: p.key.secret, Hour: p.key.hour, Network: network, OrganisationID: p.use.organisation,
			Uses: t.uses, LastUsedAt: t.last,
		}
	}
	free, others := maxNetworks-len(known), p.use.others
	rows := make([]usageRow, 0, len(p.use.networks)+1)
	for _, n := range p.use.networks {
		text := n.network.String()
		switch _, is := known[text]; {
		case is:
			rows = append(rows, row(text, n.tally))
		case free > 0:
			free--
			rows = append(rows, row(text, n.tally))
		default:
			others.add(n.tally)
		}
	}
	if others.uses > 0 {
		rows = append(rows, row(OtherNetworks.String(), others))
	}
	return rows
}

// upsertUse adds rows to the table. No two of them have the same key.
func upsertUse(tx *database.Tx, rows []usageRow) error {
	add := clause.OnConflict{
		Columns: []clause.Column{{Name: "secret_id"}, {Name: "hour"}, {Name: "network"}},
		DoUpdates: clause.Assignments(map[string]any{
			"uses": gorm.Expr("secret_usage.uses + excluded.uses"),
			"last_used_at": gorm.Expr("CASE WHEN excluded.last_used_at > secret_usage.last_used_at " +
				"THEN excluded.last_used_at ELSE secret_usage.last_used_at END"),
		}),
	}
	return wrap(tx.DB().Clauses(add).Create(&rows).Error, "write use")
}

// raiseLastUse sets the last use of secrets to the greatest of theirs in the table since an hour, and that of their apps
// to the greatest of these secrets', where that is later than what they have.
func raiseLastUse(tx *database.Tx, secrets []SecretID, apps []AppID, since int64) error {
	err := tx.DB().Exec(`UPDATE app_secrets SET last_used_at = seen.latest FROM (
			SELECT secret_id, MAX(last_used_at) AS latest FROM secret_usage WHERE secret_id IN ? AND hour >= ? GROUP BY secret_id
		) seen WHERE app_secrets.id = seen.secret_id AND app_secrets.id IN ? AND app_secrets.last_used_at < seen.latest`,
		secrets, since, secrets).Error
	if err != nil {
		return wrap(err, "write the last use of secrets")
	}
	return wrap(tx.DB().Exec(`UPDATE apps SET last_used_at = seen.latest FROM (
			SELECT app_id, MAX(last_used_at) AS latest FROM app_secrets WHERE id IN ? GROUP BY app_id
		) seen WHERE apps.id = seen.app_id AND apps.id IN ? AND apps.last_used_at < seen.latest`,
		secrets, apps).Error, "write the last use of apps")
}

// moment returns a stored time, zero for 0, which is never.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return database.FromMicros(micros)
}

// hasApp reports whether the organisation has this app, and has not deleted it.
func (s *store) hasApp(ctx context.Context, org access.OrganisationID, id AppID) (bool, error) {
	var n int
	err := s.db.Read(ctx).Raw("SELECT count(*) FROM apps WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL",
		string(org), string(id)).Scan(&n).Error
	return n == 1, wrap(err, "look for an app")
}

// useRow is the use of a secret from a network.
type useRow struct {
	SecretID   SecretID
	Network    string
	Day, Week  int64
	LastUsedAt int64
}

// useOf sums up the use of an app's secrets by network, the most used first: all since week, and of that what was since
// day.
func (s *store) useOf(ctx context.Context, org access.OrganisationID, id AppID, day, week time.Time) ([]useRow, error) {
	var rows []useRow
	err := s.db.Read(ctx).Raw(`SELECT u.secret_id, u.network, SUM(CASE WHEN u.hour >= ? THEN u.uses ELSE 0 END) AS day,
			SUM(u.uses) AS week, MAX(u.last_used_at) AS last_used_at
		FROM app_secrets s JOIN secret_usage u ON u.secret_id = s.id AND u.hour >= ?
		WHERE s.organisation_id = ? AND s.app_id = ? AND u.organisation_id = ?
		GROUP BY u.secret_id, u.network ORDER BY week DESC, u.network`,
		database.Micros(day), database.Micros(week), string(org), string(id), string(org)).Scan(&rows).Error
	return rows, wrap(err, "read the use of an app's secrets")
}
