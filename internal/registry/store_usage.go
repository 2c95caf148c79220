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
	live, err := lockUsed(tx, secretsOf(part))
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
	known, err := knownNetworks(tx, part)
	if err != nil {
		return err
	}
	var rows []usageRow
	ofApps, ofSecrets := map[string]int64{}, map[string]int64{}
	for _, p := range part {
		rows = append(rows, p.rows(known[p.key])...)
		last := p.use.last()
		ofApps[string(p.use.app)] = max(ofApps[string(p.use.app)], last)
		ofSecrets[string(p.key.secret)] = max(ofSecrets[string(p.key.secret)], last)
	}
	if err := upsertUse(tx, rows); err != nil {
		return err
	}
	if err := raiseLastUse(tx, raiseApps, ofApps); err != nil {
		return err
	}
	return raiseLastUse(tx, raiseSecrets, ofSecrets)
}

// secretsOf returns the secrets of a sorted list, each once.
func secretsOf(list []pending) []SecretID {
	secrets := make([]SecretID, len(list))
	for i, p := range list {
		secrets[i] = p.key.secret
	}
	return slices.Compact(secrets)
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

// knownNetworks returns the networks that are told apart already in hours of secrets. Each hour of a secret is looked up
// by itself: asked for as a set of secrets and one of hours, PostgreSQL reads the whole hour while it has no statistics.
func knownNetworks(tx *database.Tx, part []pending) (map[useKey]map[string]struct{}, error) {
	var q sql
	q.add("WITH asked(secret_id, hour) AS (VALUES ")
	for i, p := range part {
		if i > 0 {
			q.add(", ")
		}
		q.add("(CAST(? AS TEXT), CAST(? AS BIGINT))", string(p.key.secret), p.key.hour)
	}
	q.add(`) SELECT u.secret_id, u.hour, u.network FROM asked
		JOIN secret_usage u ON u.secret_id = asked.secret_id AND u.hour = asked.hour WHERE u.network <> ?`, OtherNetworks.String())
	var rows []usageRow
	err := tx.DB().Raw(q.text.String(), q.args...).Scan(&rows).Error
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

// raiseLastUse raises the last use of what was used, apps or secrets by the statement, where it is later than what they
// have.
func raiseLastUse(tx *database.Tx, statement raising, latest map[string]int64) error {
	var q sql
	q.add("WITH seen(id, latest) AS (VALUES ")
	for i, id := range slices.Sorted(maps.Keys(latest)) {
		if i > 0 {
			q.add(", ")
		}
		q.add("(CAST(? AS TEXT), CAST(? AS BIGINT))", id, latest[id])
	}
	q.add(string(statement))
	return wrap(tx.DB().Exec(q.text.String(), q.args...).Error, "write the last use")
}

// raising is the end of a statement that raises the last use of what is seen.
type raising string

const (
	raiseSecrets raising = `) UPDATE app_secrets SET last_used_at = seen.latest FROM seen
		WHERE app_secrets.id = seen.id AND app_secrets.last_used_at < seen.latest`
	raiseApps raising = `) UPDATE apps SET last_used_at = seen.latest FROM seen
		WHERE apps.id = seen.id AND apps.last_used_at < seen.latest`
)

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
	SecretID        SecretID
	Network         string
	Hour, Day, Week int64
	LastUsedAt      int64
}

// useSince is from when use is summed up.
type useSince struct{ hour, day, week time.Time }

// useOf sums up the use of an app's secrets by network, the most used first: all since week, and of that what was since
// day and hour.
func (s *store) useOf(ctx context.Context, org access.OrganisationID, id AppID, since useSince) ([]useRow, error) {
	var rows []useRow
	err := s.db.Read(ctx).Raw(`SELECT u.secret_id, u.network, SUM(CASE WHEN u.hour >= ? THEN u.uses ELSE 0 END) AS hour,
			SUM(CASE WHEN u.hour >= ? THEN u.uses ELSE 0 END) AS day,
			SUM(u.uses) AS week, MAX(u.last_used_at) AS last_used_at
		FROM app_secrets s JOIN secret_usage u ON u.secret_id = s.id AND u.hour >= ?
		WHERE s.organisation_id = ? AND s.app_id = ? AND u.organisation_id = ?
		GROUP BY u.secret_id, u.network ORDER BY week DESC, u.network`,
		database.Micros(since.hour), database.Micros(since.day), database.Micros(since.week), string(org), string(id), string(org)).Scan(&rows).Error
	return rows, wrap(err, "read the use of an app's secrets")
}
