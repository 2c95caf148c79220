package registry

import (
	"context"
	"fmt"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
)

// viewRow is a row of app_views.
type viewRow struct {
	ID             ViewID `gorm:"primaryKey"`
	OrganisationID access.OrganisationID
	PersonID       identity.PersonID
	Name           string
	NameKey        string
	Query          string
	Sort           Sort
	Descending     bool
	PerPage        int
	ShownColumns   string
	Compact        bool
	Shared         bool
	CreatedAt      int64 // micros
	Version        int64
}

// TableName names the table for the ORM.
func (*viewRow) TableName() string { return "app_views" }

func (row *viewRow) view() View {
	return View{
		ID: row.ID, Name: row.Name, Text: row.Query, Sort: row.Sort, Descending: row.Descending, PerPage: row.PerPage,
		Columns: ParseColumns(row.ShownColumns), Compact: row.Compact, Shared: row.Shared, Owner: row.PersonID, Version: row.Version,
	}
}

// views reads what the actor may see, by name.
func (s *store) views(ctx context.Context, actor access.Actor) ([]View, error) {
	var rows []viewRow
	err := s.db.Read(ctx).Where("organisation_id = ? AND (shared OR person_id = ?)", string(actor.Organisation), actor.ID).
		Order("name_key, shared, id").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read views: %w", err)
	}
	views := make([]View, len(rows))
	for i := range rows {
		views[i] = rows[i].view()
	}
	return views, nil
}

// countViews counts the actor's own views, or those that the organisation shares.
func countViews(tx *database.Tx, actor access.Actor, shared bool) (int64, error) {
	q := tx.DB().Model(&viewRow{}).Where("organisation_id = ? AND shared = ?", string(actor.Organisation), shared)
	if !shared {
		q = q.Where("person_id = ?", actor.ID)
	}
	var n int64
	if err := q.Count(&n).Error; err != nil {
		return 0, fmt.Errorf("count views: %w", err)
	}
	return n, nil
}

func insertView(tx *database.Tx, actor access.Actor, v *View) error {
	row := viewRow{
		ID: v.ID, OrganisationID: actor.Organisation, PersonID: v.Owner, Name: v.Name, NameKey: identity.Fold(v.Name),
		Query: v.Text, Sort: v.Sort, Descending: v.Descending, PerPage: v.PerPage, Shared: v.Shared,
		ShownColumns: FormatColumns(v.Columns), Compact: v.Compact, CreatedAt: database.Micros(tx.Now()), Version: v.Version,
	}
	if err := tx.DB().Create(&row).Error; err != nil {
		return fmt.Errorf("save a view: %w", err)
	}
	return nil
}

// updateView writes name and sharing if the row still has the version; false if it has not, or is gone.
func updateView(tx *database.Tx, actor access.Actor, v *View, version int64) (bool, error) {
	done := tx.DB().Model(&viewRow{}).
		Where("id = ? AND organisation_id = ? AND version = ? AND (shared OR person_id = ?)",
			string(v.ID), string(actor.Organisation), version, actor.ID).
		Updates(map[string]any{"name": v.Name, "name_key": identity.Fold(v.Name), "shared": v.Shared, "version": v.Version})
	if done.Error != nil {
		return false, fmt.Errorf("edit a view: %w", done.Error)
	}
	return done.RowsAffected == 1, nil
}

func deleteView(tx *database.Tx, actor access.Actor, id ViewID) (bool, error) {
	done := tx.DB().Where("id = ? AND organisation_id = ? AND (shared OR person_id = ?)", string(id), string(actor.Organisation), actor.ID).
		Delete(&viewRow{})
	if done.Error != nil {
		return false, fmt.Errorf("delete a view: %w", done.Error)
	}
	return done.RowsAffected == 1, nil
}
