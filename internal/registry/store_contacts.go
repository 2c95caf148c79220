package registry

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// addressRow is a row of contact_addresses.
type addressRow struct {
	ID             string `gorm:"primaryKey"`
	OrganisationID access.OrganisationID
	EmailKey       string
	AskedAt        int64      // 0: never
	ConfirmedAt    *time.Time `gorm:"serializer:micros"`
	DeniedAt       *time.Time `gorm:"serializer:micros"`
	RefusedAt      *time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*addressRow) TableName() string { return "contact_addresses" }

// knowAddress begins to know of an address.
func knowAddress(tx *database.Tx, org access.OrganisationID, email string) error {
	return wrap(tx.DB().Exec(`INSERT INTO contact_addresses (id, organisation_id, email_key, asked_at) VALUES (?, ?, ?, 0)
		ON CONFLICT (organisation_id, email_key) DO NOTHING`, database.NewID(), string(org), emailKey(email)).Error, "write an address")
}

func (s *store) address(ctx context.Context, org access.OrganisationID, key string) (addressRow, bool, error) {
	return takeAddress(s.db.Read(ctx).Where("organisation_id = ? AND email_key = ?", string(org), key))
}

func (s *store) addressByID(ctx context.Context, id string) (addressRow, bool, error) {
	return takeAddress(s.db.Read(ctx).Where("id = ?", id))
}

func takeAddress(where *gorm.DB) (row addressRow, found bool, err error) {
	err = where.Take(&row).Error
	if database.IsNotFound(err) {
		return addressRow{}, false, nil
	}
	return row, err == nil, wrap(err, "read an address")
}

// addressesDue returns addresses of active organisations whose reader was last asked before a time, those who never were
// first.
func (s *store) addressesDue(ctx context.Context, before time.Time, limit int) ([]addressRow, error) {
	var rows []addressRow
	err := s.db.Read(ctx).Where(`asked_at < ? AND EXISTS (SELECT 1 FROM organisations o
		WHERE o.id = contact_addresses.organisation_id AND o.status = 'active')`, database.Micros(before)).
		Order("asked_at, id").Limit(limit).Find(&rows).Error
	return rows, wrap(err, "look for addresses to ask")
}

// appsOfAddress returns a contact with this address, and the names of the apps it stands at: the first of them, and how
// many there are.
func (s *store) appsOfAddress(ctx context.Context, org access.OrganisationID, key string, limit int) (c Contact, names []string, total int, err error) {
	rows, err := s.appsAt(ctx, org, key)
	if err != nil || len(rows) == 0 {
		return Contact{}, nil, 0, err
	}
	for _, row := range rows[:min(len(rows), limit)] {
		names = append(names, row.Name)
	}
	first := rows[0]
	return Contact{FirstName: first.FirstName, LastName: first.LastName, Email: first.Email}, names, len(rows), nil
}

// appsAt returns the apps that an address stands at, by name; each once, also where it stands at both places.
func (s *store) appsAt(ctx context.Context, org access.OrganisationID, key string) ([]readerRow, error) {
	var rows []readerRow
	err := s.db.Read(ctx).Raw(`SELECT c.app_id, a.name, c.first_name, c.last_name, c.email FROM app_contacts c
		JOIN apps a ON a.organisation_id = c.organisation_id AND a.id = c.app_id AND a.deleted_at IS NULL
		WHERE c.email_key = ? AND c.ended_at IS NULL AND c.organisation_id = ? ORDER BY a.name_key, c.app_id, c.rank`, key, string(org)).
		Scan(&rows).Error
	rows = slices.CompactFunc(rows, func(a, b readerRow) bool { return a.AppID == b.AppID })
	return rows, wrap(err, "read the apps of an address")
}

// noteAsked notes that the reader of an address is asked now, and reports whether nobody else did so meanwhile.
func noteAsked(tx *database.Tx, row *addressRow) (bool, error) {
	result := tx.DB().Exec("UPDATE contact_addresses SET asked_at = ? WHERE id = ? AND asked_at = ?",
		database.Micros(tx.Now()), row.ID, row.AskedAt)
	return result.RowsAffected == 1, wrap(result.Error, "note that an address is asked")
}

// standsNowhere is the condition of an address that no app has any more.
const standsNowhere = `NOT EXISTS (SELECT 1 FROM app_contacts c WHERE c.email_key = contact_addresses.email_key
	AND c.ended_at IS NULL AND c.organisation_id = contact_addresses.organisation_id)`

// forgetAddresses forgets those of these addresses that stand at no app any more.
func forgetAddresses(tx *database.Tx, org access.OrganisationID, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	return wrap(tx.DB().Exec("DELETE FROM contact_addresses WHERE organisation_id = ? AND email_key IN ? AND "+standsNowhere,
		string(org), keys).Error, "forget addresses")
}

// strayAddresses returns addresses that stand at no app, in the order of their IDs. They are those of contacts that an
// older version of the product ended.
func (s *store) strayAddresses(ctx context.Context, after string, limit int) ([]addressRow, error) {
	var rows []addressRow
	err := s.db.Read(ctx).Where("id > ? AND "+standsNowhere, after).Order("id").Limit(limit).Find(&rows).Error
	return rows, wrap(err, "look for addresses of nobody")
}

// unknownContacts returns contacts of whose address nothing is known, in the order of their IDs.
func (s *store) unknownContacts(ctx context.Context, after ContactID, limit int) ([]contactRow, error) {
	var rows []contactRow
	err := s.db.Read(ctx).Where(`id > ? AND ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM contact_addresses x
		WHERE x.organisation_id = app_contacts.organisation_id AND x.email_key = app_contacts.email_key)`, string(after)).
		Order("id").Limit(limit).Find(&rows).Error
	return rows, wrap(err, "look for contacts that are not known")
}

// noteAnswer keeps an answer, and reports whether it was one of so many since a time that are kept.
func noteAnswer(tx *database.Tx, row *addressRow, state AddressState, since time.Time, most int) (bool, error) {
	said := "denied_at = ?, confirmed_at = NULL"
	if state == AddressConfirmed {
		said = "confirmed_at = ?, denied_at = NULL, refused_at = NULL"
	}
	now, from := database.Micros(tx.Now()), database.Micros(since)
	result := tx.DB().Exec("UPDATE contact_addresses SET "+said+`,
		answers = CASE WHEN answers_from <= ? THEN 1 ELSE answers + 1 END,
		answers_from = CASE WHEN answers_from <= ? THEN CAST(? AS BIGINT) ELSE answers_from END
		WHERE id = ? AND (answers_from <= ? OR answers < ?)`, now, from, from, now, row.ID, from, most)
	return result.RowsAffected == 1, wrap(result.Error, "note an answer")
}

func noteTaken(tx *database.Tx, org access.OrganisationID, key string) error {
	return wrap(tx.DB().Exec("UPDATE contact_addresses SET refused_at = NULL WHERE organisation_id = ? AND email_key = ? AND refused_at IS NOT NULL",
		string(org), key).Error, "note that an address takes mail")
}

// noteRefused notes that a server refused an address. What is no contact's is not kept.
func noteRefused(tx *database.Tx, org access.OrganisationID, key string) error {
	return wrap(tx.DB().Exec(`INSERT INTO contact_addresses (id, organisation_id, email_key, asked_at, refused_at)
		SELECT ?, o.id, ?, CAST(? AS BIGINT), CAST(? AS BIGINT) FROM organisations o WHERE o.id = ? AND EXISTS (SELECT 1 FROM app_contacts c
			WHERE c.email_key = ? AND c.ended_at IS NULL AND c.organisation_id = o.id)
		ON CONFLICT (organisation_id, email_key) DO UPDATE SET refused_at = excluded.refused_at`,
		database.NewID(), key, database.Micros(tx.Now()), database.Micros(tx.Now()), string(org), key).Error,
		"note that an address was refused")
}
