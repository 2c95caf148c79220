package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
)

// robotChunk bounds the values of one statement.
const robotChunk = 500

func (s *store) robotUse(ctx context.Context, org access.OrganisationID, ids []identity.RobotID) (map[identity.RobotID]time.Time, error) {
	last := map[identity.RobotID]time.Time{}
	for len(ids) > 0 {
		chunk := robotTexts(ids[:min(len(ids), robotChunk)])
		ids = ids[len(chunk):]
		var rows []struct {
			ID string
			At int64
		}
		err := s.db.Read(ctx).Raw(`SELECT api_user_id AS id, MAX(last_used_at) AS at FROM apps
			WHERE organisation_id = ? AND api_user_id IN ? AND last_used_at > 0 GROUP BY api_user_id`, string(org), chunk).Scan(&rows).Error
		if err != nil {
			return nil, wrap(err, "read the last use of robot accounts")
		}
		for _, row := range rows {
			last[identity.RobotID(row.ID)] = database.FromMicros(row.At)
		}
	}
	return last, nil
}

func robotTexts(ids []identity.RobotID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return texts
}

// keepActing refuses to delete a robot account that apps act as, naming them. An app that is given the account at this
// very moment is stopped like one whose account is switched off, since the account's row says so.
func keepActing(tx *database.Tx, org access.OrganisationID, ids []identity.RobotID) error {
	var rows []struct{ APIUserID, Robot, App string }
	err := tx.DB().Raw(`SELECT a.api_user_id, u.name AS robot, a.name AS app FROM apps a
		JOIN robot_accounts u ON u.organisation_id = a.organisation_id AND u.id = a.api_user_id
		WHERE a.organisation_id = ? AND a.api_user_id IN ? AND a.deleted_at IS NULL ORDER BY a.api_user_id, a.name_key`,
		string(org), robotTexts(ids)).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return wrap(err, "look for apps that act as robot accounts")
	}
	var apps []string
	for _, row := range rows {
		if row.APIUserID == rows[0].APIUserID {
			apps = append(apps, row.App)
		}
	}
	return inUse(rows[0].Robot, apps)
}
