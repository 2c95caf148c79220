package registry

import (
	"context"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/secret"
)

// longestToken bounds the life of an access token. A secret that leaked longer ago bought none that still lives.
const longestToken = keyring.LongestToken + time.Hour

// clientRow is an app with what is known of its organisation and API user.
type clientRow struct {
	ID                 AppID
	OrganisationID     access.OrganisationID
	ClientID           string
	Kind               Kind
	ResourceAPI        string
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

const selectClient = `SELECT a.id, a.organisation_id, a.client_id, a.kind, a.resource_api, a.name, a.generation, a.status,
	a.default_api, a.api_user_id,
	o.status AS organisation_status, u.status AS robot_status, u.kind AS robot_kind, u.expires_at AS robot_expires_at
	FROM apps a
	JOIN organisations o ON o.id = a.organisation_id
	LEFT JOIN robot_accounts u ON u.organisation_id = a.organisation_id AND u.id = a.api_user_id
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
		ID: row.ID, Organisation: row.OrganisationID, ClientID: row.ClientID, Kind: row.Kind, ResourceAPI: row.ResourceAPI,
		Name: row.Name, Generation: row.Generation, Status: row.Status, DefaultAPI: row.DefaultAPI, APIUser: row.APIUserID,
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
