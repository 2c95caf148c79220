package registry

import (
	"context"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/secret"
)

// longestToken bounds the life of an access token. A secret that leaked longer ago bought none that still lives.
const longestToken = 25 * time.Hour

// clientRow is an app with what is known of its organisation and API user.
type clientRow struct {
	ID                 AppID
	OrganisationID     access.OrganisationID
	ClientID           string
	Name               string
	Generation         int64
	Status             Status
	DefaultAPI         string
	APIUserID          identity.RobotID
	OrganisationStatus identity.Status
	RobotStatus        identity.Status
	RobotKind          identity.RobotKind
	RobotExpiresAt     *time.Time `gorm:"serializer:micros"`
}

const selectClient = `SELECT a.id, a.organisation_id, a.client_id, a.name, a.generation, a.status, a.default_api, a.api_user_id,
	o.status AS organisation_status, u.status AS robot_status, u.kind AS robot_kind, u.expires_at AS robot_expires_at
	FROM apps a
	JOIN organisations o ON o.id = a.organisation_id
	JOIN robot_accounts u ON u.organisation_id = a.organisation_id AND u.id = a.api_user_id
	WHERE a.client_id = ? AND a.deleted_at IS NULL`

// readClient reads a client with four queries. It is the one place that finds an app without knowing its organisation:
// client IDs are unique in the installation.
func (s *store) readClient(ctx context.Context, clientID string) (*Client, error) {
	g := s.db.Read(ctx)
	var rows []clientRow
	if err := g.Raw(selectClient, clientID).Scan(&rows).Error; err != nil {
		return nil, wrap(err, "read a client")
	}
	if len(rows) == 0 {
		return nil, notFound()
	}
	c := rows[0].client()
	var err error
	if c.Scopes, err = readScopes(g, c.Organisation, c.ID); err != nil {
		return nil, err
	}
	if err := readClientSecrets(g, c, s.db.Now()); err != nil {
		return nil, err
	}
	return c, readRevoked(g, c, s.db.Now())
}

func (row *clientRow) client() *Client {
	c := &Client{
		ID: row.ID, Organisation: row.OrganisationID, ClientID: row.ClientID, Name: row.Name,
		Generation: row.Generation, Status: row.Status, DefaultAPI: row.DefaultAPI, APIUser: row.APIUserID,
		organisationLive: row.OrganisationStatus == identity.Active,
		apiUser:          identity.RobotAccount{ID: row.APIUserID, Status: row.RobotStatus},
	}
	if row.RobotKind == identity.KindRobot { // not an API user any more
		c.apiUser.Status = identity.Inactive
	}
	if row.RobotExpiresAt != nil {
		c.apiUser.ExpiresAt = *row.RobotExpiresAt
	}
	return c
}

// readClientSecrets reads the secrets that are usable, and the IDs of those that leaked.
func readClientSecrets(g *gorm.DB, c *Client, now time.Time) error {
	var rows []secretRow
	err := g.Where("organisation_id = ? AND app_id = ? AND (retired_at IS NULL AND leaked_at IS NULL OR leaked_at > ?)",
		string(c.Organisation), string(c.ID), database.Micros(now.Add(-longestToken))).Find(&rows).Error
	if err != nil {
		return wrap(err, "read a client's secrets")
	}
	c.leaked = map[SecretID]struct{}{}
	for i := range rows {
		row := &rows[i]
		switch {
		case row.Life.LeakedAt != nil:
			c.leaked[row.ID] = struct{}{}
		case row.Life.usable(now):
			c.secrets = append(c.secrets, clientSecret{
				id: row.ID, slot: secret.SlotOf(row.Generation), version: row.Version, hash: row.Hash, ends: row.Life.ends(),
			})
		}
	}
	return nil
}

func readRevoked(g *gorm.DB, c *Client, now time.Time) error {
	var ids []string
	err := g.Raw("SELECT jti FROM revoked_tokens WHERE organisation_id = ? AND app_id = ? AND expires_at > ?",
		string(c.Organisation), string(c.ID), database.Micros(now)).Scan(&ids).Error
	c.revoked = make(map[string]struct{}, len(ids))
	for _, id := range ids {
		c.revoked[id] = struct{}{}
	}
	return wrap(err, "read a client's revoked tokens")
}

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
	err := tx.DB().Raw("SELECT count(*) FROM revoked_tokens WHERE jti = ?", t.JTI).Scan(&known).Error
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
)

// endTokens ends the tokens of all apps of an organisation for good.
func endTokens(tx *database.Tx, org access.OrganisationID) error {
	return wrap(tx.DB().Exec("UPDATE apps SET generation = generation + 1 WHERE organisation_id = ? AND deleted_at IS NULL",
		string(org)).Error, "end the tokens of an organisation")
}
