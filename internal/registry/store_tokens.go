package registry

import (
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// The ways in which noting a revoked token can end.
type revocation int

const (
	revoked   revocation = iota // noted, or noted before
	pointless                   // the token is dead already
	full                        // the app has as many as may be kept
)

// noteRevoked notes a revoked token while fewer than max of the app's are noted that still live. It locks the app, so
// that those who count at once count right.
func noteRevoked(tx *database.Tx, c *Client, t revokedRow, most int64) (revocation, error) {
	org, id := string(c.Organisation), string(c.ID)
	result := tx.DB().Exec("UPDATE apps SET generation = generation WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL AND generation = ?",
		org, id, c.Generation)
	if result.Error != nil || result.RowsAffected != 1 {
		return pointless, wrap(result.Error, "lock an app")
	}
	var n, known int64
	err := tx.DB().Raw("SELECT count(*) FROM revoked_tokens WHERE organisation_id = ? AND jti = ?", org, t.JTI).Scan(&known).Error
	if err != nil || known > 0 {
		return revoked, wrap(err, "look for a revoked token")
	}
	err = tx.DB().Raw("SELECT count(*) FROM revoked_tokens WHERE organisation_id = ? AND app_id = ? AND expires_at > ?",
		org, id, database.Micros(tx.Now())).Scan(&n).Error
	if err != nil || n >= most {
		return full, wrap(err, "count revoked tokens")
	}
	tx.Changed(database.TopicApp, id)
	return revoked, wrap(tx.DB().Create(&t).Error, "write a revoked token")
}

// revokedRow is a row of revoked_tokens.
type revokedRow struct {
	JTI            string `gorm:"column:jti;primaryKey"`
	OrganisationID access.OrganisationID
	AppID          AppID
	ExpiresAt      time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*revokedRow) TableName() string { return "revoked_tokens" }

// raiseGeneration ends all tokens of an app that were issued up to now, if none of that has happened meanwhile.
func raiseGeneration(tx *database.Tx, c *Client) (bool, error) {
	org, id := string(c.Organisation), string(c.ID)
	result := tx.DB().Exec("UPDATE apps SET generation = generation + 1 WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL AND generation = ?",
		org, id, c.Generation)
	if result.Error != nil || result.RowsAffected != 1 {
		return false, wrap(result.Error, "end an app's tokens")
	}
	err := tx.DB().Exec("DELETE FROM revoked_tokens WHERE organisation_id = ? AND app_id = ?", org, id).Error
	tx.Changed(database.TopicApp, id)
	return true, wrap(err, "forget revoked tokens")
}

// sweep deletes up to most rows of a table that are older than a moment, and returns how many.
func sweep(tx *database.Tx, what sweepable, before time.Time, most int) (int64, error) {
	result := tx.DB().Exec(string(what), database.Micros(before), most)
	return result.RowsAffected, wrap(result.Error, "sweep")
}

// sweepable is a statement that deletes rows by age, some at a time.
type sweepable string

const (
	sweepRevoked sweepable = "DELETE FROM revoked_tokens WHERE jti IN (SELECT jti FROM revoked_tokens WHERE expires_at <= ? LIMIT ?)"
	sweepNonces  sweepable = `DELETE FROM spent_nonces WHERE (organisation_id, nonce_hash) IN
		(SELECT organisation_id, nonce_hash FROM spent_nonces WHERE spent_at <= ? LIMIT ?)`
	sweepNotices sweepable = `DELETE FROM secret_notices WHERE (secret_id, ends_at, stage) IN
		(SELECT secret_id, ends_at, stage FROM secret_notices WHERE told_at <= ? LIMIT ?)`
	sweepUse sweepable = `DELETE FROM secret_usage WHERE (secret_id, hour, network) IN
		(SELECT secret_id, hour, network FROM secret_usage WHERE hour <= ? LIMIT ?)`
	sweepRejections sweepable = `DELETE FROM app_rejections WHERE (app_id, day, reason, detail, network) IN
		(SELECT app_id, day, reason, detail, network FROM app_rejections WHERE day <= ? LIMIT ?)`
	sweepUnknown sweepable = `DELETE FROM unknown_clients WHERE (organisation_id, client_id) IN
		(SELECT organisation_id, client_id FROM unknown_clients WHERE last_at <= ? LIMIT ?)`
	sweepNews sweepable = `DELETE FROM bulk_news WHERE (job_id, email_key, app_id) IN
		(SELECT job_id, email_key, app_id FROM bulk_news WHERE at <= ? LIMIT ?)`
)

// endTokens ends the tokens of all apps of an organisation for good.
func endTokens(tx *database.Tx, org access.OrganisationID) error {
	return wrap(tx.DB().Exec("UPDATE apps SET generation = generation + 1 WHERE organisation_id = ? AND deleted_at IS NULL",
		string(org)).Error, "end the tokens of an organisation")
}
