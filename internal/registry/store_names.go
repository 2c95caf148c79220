package registry

import (
	"context"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// nameAuthors fills in the names of authors of one organisation: people and apps are looked up, two queries at most;
// the others are called by their IDs, and so is who cannot be found.
func (s *store) nameAuthors(ctx context.Context, org access.OrganisationID, authors []*Author) error {
	ids := map[access.Kind][]string{}
	for _, a := range authors {
		ids[a.Kind] = append(ids[a.Kind], a.ID)
	}
	people, err := s.peopleNames(ctx, org, ids[access.KindPerson])
	if err != nil {
		return err
	}
	apps, err := s.clientIDs(ctx, org, ids[access.KindApp])
	if err != nil {
		return err
	}
	for _, a := range authors {
		name, ok := people[a.ID]
		if a.Kind == access.KindApp {
			name, ok = apps[a.ID]
		}
		if !ok {
			name = a.ID
		}
		a.Name = name
	}
	return nil
}

// namedRow is an ID with what people call it.
type namedRow struct {
	ID    string
	First string
	Last  string
}

func (s *store) peopleNames(ctx context.Context, org access.OrganisationID, ids []string) (map[string]string, error) {
	return s.names(ctx, "SELECT id, first_name AS first, last_name AS last FROM people WHERE organisation_id = ? AND id IN ?", org, ids)
}

func (s *store) clientIDs(ctx context.Context, org access.OrganisationID, ids []string) (map[string]string, error) {
	return s.names(ctx, "SELECT id, client_id AS first, '' AS last FROM apps WHERE organisation_id = ? AND id IN ?", org, ids)
}

// appNames returns the names of apps of the organisation, of deleted ones the last.
func (s *store) appNames(ctx context.Context, org access.OrganisationID, ids []AppID) (map[string]string, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return s.names(ctx, "SELECT id, name AS first, '' AS last FROM apps WHERE organisation_id = ? AND id IN ?", org, texts)
}

func (s *store) robotNames(ctx context.Context, org access.OrganisationID, ids []string) (map[string]string, error) {
	return s.names(ctx, "SELECT id, name AS first, '' AS last FROM robot_accounts WHERE organisation_id = ? AND id IN ?", org, ids)
}

func (s *store) secretHints(ctx context.Context, org access.OrganisationID, ids []string) (map[string]string, error) {
	return s.names(ctx, "SELECT id, hint AS first, '' AS last FROM app_secrets WHERE organisation_id = ? AND id IN ?", org, ids)
}

func (s *store) names(ctx context.Context, query string, org access.OrganisationID, ids []string) (map[string]string, error) {
	ids = sorted(ids)
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []namedRow
	if err := s.db.Read(ctx).Raw(query, string(org), ids).Scan(&rows).Error; err != nil {
		return nil, wrap(err, "read names")
	}
	names := make(map[string]string, len(rows))
	for _, row := range rows {
		names[row.ID] = strings.TrimSpace(row.First + " " + row.Last)
	}
	return names, nil
}

// contactsWith returns the contacts with these IDs that have not been erased, ended ones included.
func (s *store) contactsWith(ctx context.Context, org access.OrganisationID, app AppID, ids []string) (map[ContactID]Contact, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []contactRow
	err := s.db.Read(ctx).Where("organisation_id = ? AND app_id = ? AND id IN ?", string(org), string(app), sorted(ids)).Find(&rows).Error
	contacts := make(map[ContactID]Contact, len(rows))
	for i := range rows {
		contacts[rows[i].ID] = rows[i].contact()
	}
	return contacts, wrap(err, "read contacts")
}

// inHistory reports whether the organisation has or had the app, and what it is or was called.
func (s *store) inHistory(ctx context.Context, org access.OrganisationID, id AppID) (name string, found bool, err error) {
	if _, ok := ParseAppID(string(id)); !ok {
		return "", false, nil
	}
	var row appRow
	err = s.db.Read(ctx).Select("id", "name").Where("organisation_id = ? AND id = ?", string(org), string(id)).Take(&row).Error
	if database.IsNotFound(err) {
		return "", false, nil
	}
	return row.Name, err == nil, wrap(err, "read an app")
}
