package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
)

// idChunk is how many IDs one query names.
const idChunk = 1000

// selectIDs returns the IDs of what a selection holds, sorted, up to a limit.
func (s *store) selectIDs(ctx context.Context, sel selection, limit int) ([]AppID, error) {
	var q sql
	if len(sel.terms) > 0 {
		q.found(sel, "")
		q.add(" ORDER BY hit.app_id LIMIT ?", limit)
	} else {
		q.add("SELECT a.id")
		q.walked(sel, s.unindexed())
		q.add(" ORDER BY a.id LIMIT ?", limit)
	}
	var ids []AppID
	if err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&ids).Error; err != nil {
		return nil, fmt.Errorf("select apps: %w", err)
	}
	return ids, nil
}

// addressesOf returns what the addresses of the contacts of these apps are known by, each once, sorted.
func (s *store) addressesOf(ctx context.Context, org access.OrganisationID, ids []AppID) ([]string, error) {
	keys := map[string]bool{}
	for chunk := range slices.Chunk(ids, idChunk) {
		var found []string
		err := s.db.Read(ctx).Raw(`SELECT DISTINCT c.email_key FROM app_contacts c
			JOIN apps a ON a.organisation_id = c.organisation_id AND a.id = c.app_id AND a.deleted_at IS NULL
			WHERE c.organisation_id = ? AND c.app_id IN ? AND c.ended_at IS NULL`, string(org), chunk).Scan(&found).Error
		if err != nil {
			return nil, fmt.Errorf("read the addresses of contacts: %w", err)
		}
		for _, key := range found {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys)), nil
}

// addressIDs returns the IDs of addresses, which are known from now on if they were not.
func addressIDs(tx *database.Tx, org access.OrganisationID, keys []string) ([]string, error) {
	var ids []string
	for chunk := range slices.Chunk(keys, idChunk) {
		known, err := knownAddresses(tx, org, chunk)
		if err == nil && len(known) < len(chunk) { // a contact that an older version wrote
			for _, key := range chunk {
				err = errors.Join(err, knowAddress(tx, org, key))
			}
			if err == nil {
				known, err = knownAddresses(tx, org, chunk)
			}
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, known...)
	}
	return ids, nil
}

func knownAddresses(tx *database.Tx, org access.OrganisationID, keys []string) (ids []string, err error) {
	err = tx.DB().Raw("SELECT id FROM contact_addresses WHERE organisation_id = ? AND email_key IN ? ORDER BY id", string(org), keys).
		Scan(&ids).Error
	return ids, wrap(err, "read addresses")
}

// emailsOf returns addresses by the IDs of their rows.
func (s *store) emailsOf(ctx context.Context, org access.OrganisationID, ids []string) (map[string]string, error) {
	var rows []addressRow
	err := s.db.Read(ctx).Where("organisation_id = ? AND id IN ?", string(org), ids).Find(&rows).Error
	emails := map[string]string{}
	for _, row := range rows {
		emails[row.ID] = row.EmailKey
	}
	return emails, wrap(err, "read addresses")
}

// readerRow is an app at which an address stands, with the name that it has there.
type readerRow struct {
	AppID     AppID
	Name      string
	FirstName string
	LastName  string
	Email     string
}

// readerOf returns a contact with this address, and those of the chosen apps that it stands at, by name.
func (s *store) readerOf(ctx context.Context, org access.OrganisationID, key string, chosen map[AppID]bool) (Contact, []readerRow, error) {
	rows, err := s.appsAt(ctx, org, key)
	rows = slices.DeleteFunc(rows, func(row readerRow) bool { return !chosen[row.AppID] })
	if err != nil || len(rows) == 0 {
		return Contact{}, nil, err
	}
	return Contact{FirstName: rows[0].FirstName, LastName: rows[0].LastName, Email: rows[0].Email}, rows, nil
}

// newsRow is one thing that a bulk change tells an address.
type newsRow struct {
	Name    string // of the app
	TextKey string
	ToName  string
	ToEmail string
}

func insertNews(tx *database.Tx, id job.ID, app *App, key string, to notify.Address) error {
	return wrap(tx.DB().Exec(`INSERT INTO bulk_news (job_id, email_key, app_id, organisation_id, text_key, to_name, to_email, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id, email_key, app_id) DO NOTHING`,
		string(id), emailKey(to.Email), string(app.ID), string(app.Organisation), key, to.Name, to.Email, database.Micros(tx.Now())).Error,
		"note whom a bulk change concerns")
}

func hasNews(tx *database.Tx, id job.ID) (bool, error) {
	var n int
	err := tx.DB().Raw("SELECT count(*) FROM (SELECT 1 FROM bulk_news WHERE job_id = ? LIMIT 1) AS one", string(id)).Scan(&n).Error
	return n > 0, wrap(err, "ask whom a bulk change concerns")
}

// forgetNews deletes what bulk changes of an organisation have to tell.
func forgetNews(tx *database.Tx, org access.OrganisationID) error {
	return wrap(tx.DB().Exec("DELETE FROM bulk_news WHERE organisation_id = ?", string(org)).Error, "forget what bulk changes tell")
}

// newsAddresses returns addresses that are to be told of a bulk change.
func (s *store) newsAddresses(ctx context.Context, id job.ID, limit int) (keys []string, err error) {
	err = s.db.Read(ctx).Raw("SELECT DISTINCT email_key FROM bulk_news WHERE job_id = ? ORDER BY email_key LIMIT ?", string(id), limit).
		Scan(&keys).Error
	return keys, wrap(err, "read whom a bulk change concerns")
}

// takeNews deletes what an address is to be told of a bulk change, and returns the first of it by the apps' names and how
// much it was: 0 when another was quicker.
func takeNews(tx *database.Tx, id job.ID, key string, limit int) (rows []newsRow, total int, err error) {
	err = tx.DB().Raw(`SELECT a.name, n.text_key, n.to_name, n.to_email FROM bulk_news n
		JOIN apps a ON a.organisation_id = n.organisation_id AND a.id = n.app_id
		WHERE n.job_id = ? AND n.email_key = ? ORDER BY a.name_key LIMIT ?`, string(id), key, limit).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, 0, wrap(err, "read what a bulk change tells")
	}
	result := tx.DB().Exec("DELETE FROM bulk_news WHERE job_id = ? AND email_key = ?", string(id), key)
	return rows, int(result.RowsAffected), wrap(result.Error, "forget what a bulk change tells")
}
