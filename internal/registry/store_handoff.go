package registry

import (
	"context"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// handOffRow is a row of hand_offs.
type handOffRow struct {
	ID             HandOffID `gorm:"primaryKey"`
	OrganisationID access.OrganisationID
	AppID          AppID
	TokenHash      string
	Recipient      string
	Reason         Reason
	Label          string
	SecretExpires  ExpiryChoice
	OldSecretID    SecretID
	OldEnds        EndChoice
	CreatedAt      time.Time `gorm:"serializer:micros;autoCreateTime:false"`
	CreatedByKind  access.Kind
	CreatedByID    string
	ExpiresAt      time.Time  `gorm:"serializer:micros"`
	WithdrawnAt    *time.Time `gorm:"serializer:micros"`
	SpentAt        *time.Time `gorm:"serializer:micros"`
	SpentFrom      string
	SpentSecretID  SecretID
}

// TableName names the table for the ORM.
func (*handOffRow) TableName() string { return "hand_offs" }

// handOff returns what may be seen of the row at that time.
func (row *handOffRow) handOff(now time.Time) HandOff {
	h := HandOff{
		ID: row.ID, App: row.AppID, Recipient: row.Recipient, Label: row.Label, State: HandOffOpen, SpentFrom: row.SpentFrom,
		MadeBy: Author{Kind: row.CreatedByKind, ID: row.CreatedByID}, MadeAt: row.CreatedAt, ExpiresAt: row.ExpiresAt,
	}
	switch {
	case row.SpentAt != nil:
		h.State, h.EndedAt = HandOffSpent, *row.SpentAt
	case row.WithdrawnAt != nil:
		h.State, h.EndedAt = HandOffWithdrawn, *row.WithdrawnAt
	case !now.Before(row.ExpiresAt):
		h.State = HandOffExpired
	}
	return h
}

// insertHandOff writes a link, unless the app, which is locked, has too many that can be used.
func insertHandOff(tx *database.Tx, row *handOffRow) error {
	rows, err := readHandOffs(tx.DB(), row.OrganisationID, row.AppID, tx.Now().Add(-MaxHandOff))
	if err != nil {
		return err
	}
	if open(rows, tx.Now()) >= maxHandOffs {
		return problem.New(problem.Conflict, "hand_off.too_many", "Max", maxHandOffs)
	}
	return wrap(tx.DB().Create(row).Error, "write a hand-off link")
}

func readHandOffs(g *gorm.DB, org access.OrganisationID, id AppID, since time.Time) ([]handOffRow, error) {
	var rows []handOffRow
	err := g.Where("organisation_id = ? AND app_id = ? AND created_at >= ?", string(org), string(id), database.Micros(since)).
		Order("created_at DESC, id DESC").Find(&rows).Error
	return rows, wrap(err, "read hand-off links")
}

// handOffsOf returns the links of an app that were made since then, newest first.
func (s *store) handOffsOf(ctx context.Context, org access.OrganisationID, id AppID, since time.Time) ([]handOffRow, error) {
	return readHandOffs(s.db.Read(ctx), org, id, since)
}

func (s *store) handOffByToken(ctx context.Context, hash string) (row handOffRow, found bool, err error) {
	return takeHandOff(s.db.Read(ctx).Where("token_hash = ?", hash))
}

func (s *store) handOffWith(ctx context.Context, org access.OrganisationID, app AppID, id HandOffID) (row handOffRow, found bool, err error) {
	return takeHandOff(s.db.Read(ctx).Where("organisation_id = ? AND app_id = ? AND id = ?", string(org), string(app), string(id)))
}

func takeHandOff(g *gorm.DB) (row handOffRow, found bool, err error) {
	err = g.Take(&row).Error
	if database.IsNotFound(err) {
		return row, false, nil
	}
	return row, err == nil, wrap(err, "read a hand-off link")
}

// recipientsOf returns whom links were for; those of deleted apps say nothing any more.
func (s *store) recipientsOf(ctx context.Context, org access.OrganisationID, ids []string) (map[string]string, error) {
	recipients := map[string]string{}
	if len(ids) == 0 {
		return recipients, nil
	}
	var rows []handOffRow
	err := s.db.Read(ctx).Where("organisation_id = ? AND id IN ?", string(org), ids).Find(&rows).Error
	for i := range rows {
		recipients[string(rows[i].ID)] = rows[i].Recipient
	}
	return recipients, wrap(err, "read whom links were for")
}

// spendHandOff uses a link up; ok is false when somebody was quicker, or it ended meanwhile.
func spendHandOff(tx *database.Tx, row *handOffRow, made SecretID, from string) (ok bool, err error) {
	result := tx.DB().Exec(`UPDATE hand_offs SET spent_at = ?, spent_from = ?, spent_secret_id = ?
		WHERE organisation_id = ? AND id = ? AND spent_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?`,
		database.Micros(tx.Now()), from, string(made), string(row.OrganisationID), string(row.ID), database.Micros(tx.Now()))
	return result.RowsAffected == 1, wrap(result.Error, "use a hand-off link")
}

// withdrawHandOff ends a link; ok is false when it cannot be used anyway.
func withdrawHandOff(tx *database.Tx, org access.OrganisationID, app AppID, id HandOffID) (ok bool, err error) {
	result := tx.DB().Exec(`UPDATE hand_offs SET withdrawn_at = ?
		WHERE organisation_id = ? AND app_id = ? AND id = ? AND spent_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?`,
		database.Micros(tx.Now()), string(org), string(app), string(id), database.Micros(tx.Now()))
	return result.RowsAffected == 1, wrap(result.Error, "withdraw a hand-off link")
}
