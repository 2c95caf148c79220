package registry

import (
	"context"
	"fmt"
	"slices"

	"credenza.example/credenza/internal/access"
)

// extraRow is what optional columns hold of an app; what was not asked for is empty.
type extraRow struct {
	ID AppID

	FirstName, LastName, Email string
	Known                      addressRow `gorm:"embedded;embeddedPrefix:known_"`
	APIUser                    string
	Scopes                     int
}

func (row *extraRow) extra() Extra {
	return Extra{
		Contact: Contact{FirstName: row.FirstName, LastName: row.LastName, Email: row.Email},
		Address: row.Known.address(), APIUser: row.APIUser, Scopes: row.Scopes,
	}
}

// columnSQL is what a column adds to the query: to what is selected, and to where from. Each joins one row at most.
var columnSQL = map[Column]struct{ columns, from string }{
	ColumnContact: {
		columns: ", c.first_name, c.last_name, c.email, k.confirmed_at AS known_confirmed_at, k.denied_at AS known_denied_at, " +
			"k.refused_at AS known_refused_at",
		from: ` LEFT JOIN app_contacts c ON c.organisation_id = a.organisation_id AND c.app_id = a.id AND c.rank = 1 AND c.ended_at IS NULL
			LEFT JOIN contact_addresses k ON k.organisation_id = a.organisation_id AND k.email_key = c.email_key`,
	},
	ColumnUser: {
		columns: ", u.display_name AS api_user",
		from:    " LEFT JOIN robot_accounts u ON u.organisation_id = a.organisation_id AND u.id = a.api_user_id",
	},
	ColumnScopes: {
		columns: ", (SELECT count(*) FROM app_scopes s WHERE s.organisation_id = a.organisation_id AND s.app_id = a.id) AS scopes",
	},
}

// extras reads the columns of several apps in one query.
func (s *store) extras(ctx context.Context, org access.OrganisationID, apps []AppID, columns []Column) ([]extraRow, error) {
	var q, from sql
	q.add("SELECT a.id")
	for _, c := range Columns() {
		if slices.Contains(columns, c) {
			q.add(columnSQL[c].columns)
			from.add(columnSQL[c].from)
		}
	}
	q.add(" FROM apps a" + from.text.String())
	q.add(" WHERE a.organisation_id = ? AND a.id IN ? AND a.deleted_at IS NULL", string(org), apps)
	var rows []extraRow
	if err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("read further columns of apps: %w", err)
	}
	return rows, nil
}

// appsTotal counts the apps of an organisation, up to a number.
func (s *store) appsTotal(ctx context.Context, org access.OrganisationID, most int) (n int, err error) {
	err = s.db.Read(ctx).Raw("SELECT count(*) FROM (SELECT 1 FROM apps WHERE organisation_id = ? AND deleted_at IS NULL LIMIT ?) capped",
		string(org), most).Scan(&n).Error
	return n, wrap(err, "count all apps")
}
