package registry

import (
	"context"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// foundRow is an app of any organisation as support is told of it, with what the trail needs.
type foundRow struct {
	ID             AppID
	OrganisationID access.OrganisationID
	Name           string
	Status         Status
	Organisation   string
	First, Last    string
	Email          string
	SecondFirst    string
	SecondLast     string
	SecondEmail    string
}

func (f *foundRow) found() Found {
	return Found{
		Name: f.Name, Organisation: f.Organisation, Status: f.Status,
		Contact:       Contact{FirstName: f.First, LastName: f.Last, Email: f.Email},
		SecondContact: Contact{FirstName: f.SecondFirst, LastName: f.SecondLast, Email: f.SecondEmail},
	}
}

// mostHits bounds how many hits of an index are looked at for one answer: an app may be hit by two words of its name, or
// by both of its contacts.
const mostHits = 4 * (MaxFound + 1)

// fillChunk is how many names that are due are written in one transaction.
const fillChunk = 100

// lookup returns the apps that fit, one more than are shown at most: of addresses those registered first, of names those
// that come first from the word that fits on.
func (s *store) lookup(ctx context.Context, by LookupBy, text string) ([]foundRow, error) {
	var ids []AppID
	var err error
	g := s.db.Read(ctx)
	switch by {
	case ByClientID:
		err = g.Raw("SELECT id FROM apps WHERE client_id = ? AND deleted_at IS NULL", text).Scan(&ids).Error
	case ByEmail:
		err = g.Raw("SELECT app_id FROM app_contacts WHERE email_key = ? AND ended_at IS NULL ORDER BY app_id LIMIT ?",
			emailKey(text), mostHits).Scan(&ids).Error
	case ByName:
		err = g.Raw("SELECT app_id FROM app_name_parts WHERE part >= ? AND part < ? ORDER BY part, app_id LIMIT ?",
			text, text+beyond, mostHits).Scan(&ids).Error
	}
	if err != nil || len(ids) == 0 {
		return nil, wrap(err, "look apps up")
	}
	rows, err := s.foundRows(ctx, ids)
	if by == ByName { // what was renamed by a version that knows nothing of the table, or is being renamed now
		rows = slices.DeleteFunc(rows, func(f foundRow) bool { return !namedBy(f.Name, text) })
	}
	return rows[:min(len(rows), MaxFound+1)], err
}

// foundRows reads apps in the order of the IDs, each once.
func (s *store) foundRows(ctx context.Context, ids []AppID) ([]foundRow, error) {
	var rows []foundRow
	err := s.db.Read(ctx).Raw(`SELECT a.id, a.organisation_id, a.name, a.status, o.name AS organisation,
		c.first_name AS first, c.last_name AS last, c.email,
		COALESCE(d.first_name, '') AS second_first, COALESCE(d.last_name, '') AS second_last, COALESCE(d.email, '') AS second_email
		FROM apps a
		JOIN organisations o ON o.id = a.organisation_id
		JOIN app_contacts c ON c.organisation_id = a.organisation_id AND c.app_id = a.id AND c.rank = 1 AND c.ended_at IS NULL
		LEFT JOIN app_contacts d ON d.organisation_id = a.organisation_id AND d.app_id = a.id AND d.rank = 2 AND d.ended_at IS NULL
		WHERE a.deleted_at IS NULL AND a.id IN ?`, ids).Scan(&rows).Error
	slices.SortFunc(rows, func(a, b foundRow) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return rows, wrap(err, "read apps that were looked up")
}

// countLook counts a look and returns how many that makes in the hour. One statement, so that replicas keep to the
// number together; problem.Limited says when the hour is over.
func countLook(tx *database.Tx, actor access.Actor) (int, error) {
	now, over := database.Micros(tx.Now()), database.Micros(tx.Now().Add(-lookWindow))
	var looks []int
	err := tx.DB().Raw(`INSERT INTO support_looks (person_id, began_at, looks) VALUES (?, ?, 1)
		ON CONFLICT (person_id) DO UPDATE SET
			looks = CASE WHEN support_looks.began_at <= ? THEN 1 ELSE support_looks.looks + 1 END,
			began_at = CASE WHEN support_looks.began_at <= ? THEN excluded.began_at ELSE support_looks.began_at END
		WHERE support_looks.began_at <= ? OR support_looks.looks < ?
		RETURNING looks`, actor.ID, now, over, over, over, LooksPerHour).Scan(&looks).Error
	if err != nil || len(looks) == 1 {
		return slices.Max(append(looks, 0)), wrap(err, "count a look")
	}
	var began int64
	if err := tx.DB().Raw("SELECT began_at FROM support_looks WHERE person_id = ?", actor.ID).Scan(&began).Error; err != nil {
		return 0, wrap(err, "count a look")
	}
	return 0, tooManyLooks(began, tx.Now())
}

// mayLook reports problem.Limited to whoever has had all looks of the hour. It reserves none.
func (s *store) mayLook(ctx context.Context, actor access.Actor, now time.Time) error {
	var began []int64
	err := s.db.Read(ctx).Raw("SELECT began_at FROM support_looks WHERE person_id = ? AND looks >= ? AND began_at > ?",
		actor.ID, LooksPerHour, database.Micros(now.Add(-lookWindow))).Scan(&began).Error
	if err != nil || len(began) == 0 {
		return wrap(err, "read how many looks there were")
	}
	return tooManyLooks(began[0], now)
}

// tooManyLooks is the answer to whoever has no look left in the hour that began then.
func tooManyLooks(began int64, now time.Time) error {
	wait := max(time.UnixMicro(began).Add(lookWindow).Sub(now), time.Second)
	limited := problem.New(problem.Limited, lookupTooMany, "Max", LooksPerHour, "Minutes", int((wait+time.Minute-1)/time.Minute))
	limited.RetryAfter = wait
	return limited
}

// replaceNameParts writes the texts by which support finds an app by its name.
func replaceNameParts(tx *database.Tx, org access.OrganisationID, id AppID, name string) error {
	err := tx.DB().Exec("DELETE FROM app_name_parts WHERE organisation_id = ? AND app_id = ?", string(org), string(id)).Error
	for _, part := range nameParts(name) {
		if err != nil {
			break
		}
		err = tx.DB().Exec("INSERT INTO app_name_parts (organisation_id, app_id, part) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			string(org), string(id), part).Error
	}
	return wrap(err, "write the parts of an app's name")
}

// fillNames writes the parts of names that are due, some at a time, and returns how many apps it took.
func fillNames(tx *database.Tx, most int) (int, error) {
	var due []struct {
		OrganisationID access.OrganisationID
		AppID          AppID
	}
	err := tx.DB().Raw(`DELETE FROM app_names_due WHERE app_id IN (SELECT app_id FROM app_names_due LIMIT ?)
		RETURNING organisation_id, app_id`, most).Scan(&due).Error
	if err != nil {
		return 0, wrap(err, "take names that are due")
	}
	for _, d := range due {
		var names []string
		err := tx.DB().Raw("SELECT name FROM apps WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL",
			string(d.OrganisationID), string(d.AppID)).Scan(&names).Error
		if err != nil {
			return 0, wrap(err, "read a name that is due")
		}
		for _, name := range names {
			if err := replaceNameParts(tx, d.OrganisationID, d.AppID, name); err != nil {
				return 0, err
			}
		}
	}
	return len(due), nil
}
