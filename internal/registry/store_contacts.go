package registry

import (
	"context"
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
	var rows []struct {
		Name      string
		FirstName string
		LastName  string
		Email     string
	}
	err = s.db.Read(ctx).Raw(`SELECT a.name, c.first_name, c.last_name, c.email FROM app_contacts c
		JOIN apps a ON a.organisation_id = c.organisation_id AND a.id = c.app_id AND a.deleted_at IS NULL
		WHERE lower(c.email) = lower(?) AND c.ended_at IS NULL AND c.organisation_id = ? ORDER BY a.name_key`, key, string(org)).
		Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return Contact{}, nil, 0, wrap(err, "read the apps of an address")
	}
	for _, row := range rows[:min(len(rows), limit)] {
		names = append(names, row.Name)
	}
	first := rows[0]
	return Contact{FirstName: first.FirstName, LastName: first.LastName, Email: first.Email}, names, len(rows), nil
}

// noteAsked notes that the reader of an address is asked now, and reports whether nobody else did so meanwhile.
func noteAsked(tx *database.Tx, row *addressRow) (bool, error) {
	result := tx.DB().Exec("UPDATE contact_addresses SET asked_at = ? WHERE id = ? AND asked_at = ?",
		database.Micros(tx.Now()), row.ID, row.AskedAt)
	return result.RowsAffected == 1, wrap(result.Error, "note that an address is asked")
}

// forgetAddress forgets an address that stands at no app.
func forgetAddress(tx *database.Tx, row *addressRow) error {
	return wrap(tx.DB().Exec(`DELETE FROM contact_addresses WHERE id = ? AND asked_at = ? AND NOT EXISTS (SELECT 1 FROM app_contacts c
		WHERE lower(c.email) = lower(?) AND c.ended_at IS NULL AND c.organisation_id = ?)`,
		row.ID, row.AskedAt, row.EmailKey, string(row.OrganisationID)).Error, "forget an address")
}

func noteAnswer(tx *database.Tx, row *addressRow, state AddressState) error {
	statement := "UPDATE contact_addresses SET denied_at = ?, confirmed_at = NULL WHERE id = ?"
	if state == AddressConfirmed {
		statement = "UPDATE contact_addresses SET confirmed_at = ?, denied_at = NULL, refused_at = NULL WHERE id = ?"
	}
	return wrap(tx.DB().Exec(statement, database.Micros(tx.Now()), row.ID).Error, "note an answer")
}

func noteTaken(tx *database.Tx, org access.OrganisationID, key string) error {
	return wrap(tx.DB().Exec("UPDATE contact_addresses SET refused_at = NULL WHERE organisation_id = ? AND email_key = ? AND refused_at IS NOT NULL",
		string(org), key).Error, "note that an address takes mail")
}

func noteRefused(tx *database.Tx, org access.OrganisationID, key string) error {
	return wrap(tx.DB().Exec(`INSERT INTO contact_addresses (id, organisation_id, email_key, asked_at, refused_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (organisation_id, email_key) DO UPDATE SET refused_at = excluded.refused_at`,
		database.NewID(), string(org), key, database.Micros(tx.Now()), database.Micros(tx.Now())).Error, "note that an address was refused")
}
