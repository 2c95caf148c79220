package registry

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// secretRow is a row of app_secrets.
type secretRow struct {
	ID             SecretID `gorm:"primaryKey"`
	OrganisationID access.OrganisationID
	AppID          AppID
	Generation     int64
	Tag            string
	Hash           string
	Hint           string
	Label          string
	CreatedAt      time.Time `gorm:"serializer:micros;autoCreateTime:false"`
	CreatedByKind  access.Kind
	CreatedByID    string
	LastUsedAt     int64 // 0: never
	Version        int64
	Life           life `gorm:"embedded"`
}

// TableName names the table for the ORM.
func (*secretRow) TableName() string { return "app_secrets" }

// secret returns what may be seen of the row at that time.
func (row *secretRow) secret(now time.Time) Secret {
	state, stopped := row.Life.state(now)
	s := Secret{
		ID: row.ID, Label: row.Label, Hint: row.Hint, Generation: row.Generation, State: state,
		EndsAt: row.Life.ends(), StoppedAt: stopped, LastUsedAt: moment(row.LastUsedAt),
		CreatedAt: row.CreatedAt, CreatedBy: Author{Kind: row.CreatedByKind, ID: row.CreatedByID},
	}
	if row.Life.ExpiresAt != nil {
		s.ExpiresAt = *row.Life.ExpiresAt
	}
	return s
}

// readSecrets returns all secrets of an app, newest first.
func readSecrets(g *gorm.DB, org access.OrganisationID, id AppID) ([]secretRow, error) {
	var rows []secretRow
	err := g.Where("organisation_id = ? AND app_id = ?", string(org), string(id)).Order("generation DESC").Find(&rows).Error
	return rows, wrap(err, "read an app's secrets")
}

// secretsOf returns the secrets of several apps that nobody took out of use, without their hashes.
func (s *store) secretsOf(ctx context.Context, org access.OrganisationID, ids []AppID) ([]secretRow, error) {
	var rows []secretRow
	err := s.db.Read(ctx).Omit("hash", "tag").
		Where("organisation_id = ? AND app_id IN ? AND retired_at IS NULL AND leaked_at IS NULL", string(org), ids).Find(&rows).Error
	return rows, wrap(err, "read the secrets of apps")
}

func insertSecret(tx *database.Tx, row *secretRow) error {
	return wrap(tx.DB().Create(row).Error, "write a secret")
}

// takeGeneration makes the numbers up to next the app's own and locks the app, if it still has the version and the last
// number that the secret was made for. It reports whether it had: one of two who make a secret at once must begin
// again (C55c).
func takeGeneration(tx *database.Tx, app *App, next int64, by access.Actor) (bool, error) {
	result := tx.DB().Exec(`UPDATE apps SET secret_generation = ?, modified_at = ?, modified_by_kind = ?, modified_by_id = ?
		WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL AND version = ? AND secret_generation = ?`,
		next, database.Micros(tx.Now()), string(by.Kind), by.ID,
		string(app.Organisation), string(app.ID), app.Version, app.secretGeneration)
	return result.RowsAffected == 1, wrap(result.Error, "number a secret")
}

// skipGeneration leaves out a number: whoever is making a secret begins again, and finds one more that is usable (C55c).
func skipGeneration(tx *database.Tx, app *App) error {
	return wrap(tx.DB().Exec(`UPDATE apps SET secret_generation = secret_generation + 1 WHERE organisation_id = ? AND id = ?`,
		string(app.Organisation), string(app.ID)).Error, "leave out the number of a secret")
}

// ending is one way in which a secret stops: the column that says when.
type ending string

const (
	endsAt    ending = "ends_at"
	retiredAt ending = "retired_at"
	leakedAt  ending = "leaked_at"
)

// stopSecret sets when a secret stops, in one way. The app must be locked.
//
// The version says that what was verified is not the secret any more, so it grows where the secret is taken out of use
// and not where its end is set: until then it goes on working, for those who are being verified meanwhile too and
// without another hash (C16).
func stopSecret(tx *database.Tx, app *App, id SecretID, how ending, at time.Time) error {
	grows := 1
	if how == endsAt {
		grows = 0
	}
	result := tx.DB().Exec("UPDATE app_secrets SET "+string(how)+" = ?, version = version + ? WHERE organisation_id = ? AND app_id = ? AND id = ?",
		database.Micros(at), grows, string(app.Organisation), string(app.ID), string(id))
	if result.Error == nil && result.RowsAffected != 1 {
		return fmt.Errorf("stop a secret: %d rows", result.RowsAffected)
	}
	return wrap(result.Error, "stop a secret")
}

// spentNonce is what a nonce was spent on; zero when it was not.
type spentNonce struct {
	TargetID    AppID
	RequestHash string
}

// spentOn returns what a nonce was spent on.
func (s *store) spentOn(ctx context.Context, org access.OrganisationID, hash string) (spentNonce, error) {
	return readNonce(s.db.Read(ctx), org, hash)
}

func readNonce(g *gorm.DB, org access.OrganisationID, hash string) (on spentNonce, err error) {
	err = g.Raw("SELECT target_id, request_hash FROM spent_nonces WHERE organisation_id = ? AND nonce_hash = ?", string(org), hash).
		Scan(&on).Error
	return on, wrap(err, "look for a nonce")
}

// spendNonce spends a nonce on an app. When somebody was quicker, which includes waiting for one who has not committed
// yet, it returns what the nonce was spent on.
func spendNonce(tx *database.Tx, org access.OrganisationID, n nonce, id AppID) (already spentNonce, err error) {
	result := tx.DB().Exec(`INSERT INTO spent_nonces (organisation_id, nonce_hash, target_id, spent_at, request_hash)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT (organisation_id, nonce_hash) DO NOTHING`,
		string(org), n.hash, string(id), database.Micros(tx.Now()), n.request)
	if result.Error != nil || result.RowsAffected == 1 {
		return spentNonce{}, wrap(result.Error, "spend a nonce")
	}
	return readNonce(tx.DB(), org, n.hash)
}

// resumeSecret makes a secret usable, or lets it stay so, until another end; zero leaves it to its expiry. The app must
// be locked. The hash is the same as before, and so is the version: what was verified with it is the secret again.
func resumeSecret(tx *database.Tx, app *App, id SecretID, ends time.Time) error {
	var at any
	if !ends.IsZero() {
		at = database.Micros(ends)
	}
	result := tx.DB().Exec(`UPDATE app_secrets SET retired_at = NULL, ends_at = ?
		WHERE organisation_id = ? AND app_id = ? AND id = ? AND leaked_at IS NULL`,
		at, string(app.Organisation), string(app.ID), string(id))
	if result.Error == nil && result.RowsAffected != 1 {
		return fmt.Errorf("resume a secret: %d rows", result.RowsAffected)
	}
	return wrap(result.Error, "resume a secret")
}

// taggedSecret is a secret with the app that it is of.
type taggedSecret struct {
	ID       SecretID
	AppID    AppID
	Name     string
	ClientID string
}

// secretByTag finds the secret of an organisation with a tag, whatever has become of it. Those of deleted apps are not
// found.
func (s *store) secretByTag(ctx context.Context, org access.OrganisationID, tag string) (found taggedSecret, ok bool, err error) {
	err = s.db.Read(ctx).Raw(`SELECT s.id, s.app_id, a.name, a.client_id FROM app_secrets s
		JOIN apps a ON a.organisation_id = s.organisation_id AND a.id = s.app_id
		WHERE s.organisation_id = ? AND s.tag = ? AND a.deleted_at IS NULL`, string(org), tag).Scan(&found).Error
	return found, found.ID != "", wrap(err, "look for a secret by its tag")
}
