package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

type organisationRow struct {
	ID           string `gorm:"primaryKey"`
	Name         string
	NameKey      string
	ShortName    string
	ClientPrefix string
	Kind         string
	Status       string
	CreatedAt    time.Time `gorm:"serializer:micros"`
	Version      int64
}

// TableName names the table for the ORM.
func (*organisationRow) TableName() string { return "organisations" }

func (r *organisationRow) organisation() Organisation {
	return Organisation{
		ID: OrganisationID(r.ID), Name: r.Name, ShortName: r.ShortName, ClientPrefix: r.ClientPrefix,
		Kind: OrganisationKind(r.Kind), Status: Status(r.Status), CreatedAt: r.CreatedAt, Version: r.Version,
	}
}

// organisationFree refuses a second platform, and a short name or prefix that FindOrganisation would take for another
// organisation's prefix or short name. The unique keys do the rest.
func organisationFree(tx *database.Tx, org Organisation) error {
	var rows []organisationRow
	err := tx.DB().Where("kind = ? OR client_prefix = ? OR short_name = ?",
		string(Platform), strings.ToUpper(org.ShortName), strings.ToLower(org.ClientPrefix)).Find(&rows).Error
	if err != nil {
		return fmt.Errorf("look for names in use: %w", err)
	}
	for i := range rows {
		switch {
		case rows[i].ClientPrefix == strings.ToUpper(org.ShortName):
			return problem.Fields(*fault("organisation.short_name", "taken"))
		case rows[i].ShortName == strings.ToLower(org.ClientPrefix):
			return problem.Fields(*fault("organisation.client_prefix", "taken"))
		case org.Kind == Platform && rows[i].Kind == string(Platform):
			return problem.New(problem.Conflict, "identity.platform_exists")
		}
	}
	return nil
}

func insertOrganisation(tx *database.Tx, org Organisation) error {
	err := tx.DB().Create(&organisationRow{
		ID: string(org.ID), Name: org.Name, NameKey: Fold(org.Name), ShortName: org.ShortName,
		ClientPrefix: org.ClientPrefix, Kind: string(org.Kind), Status: string(org.Status),
		CreatedAt: org.CreatedAt, Version: org.Version,
	}).Error
	switch {
	case database.IsUniqueOn(err, "name_key"):
		return problem.Fields(*fault("organisation.name", "taken"))
	case database.IsUniqueOn(err, "short_name"):
		return problem.Fields(*fault("organisation.short_name", "taken"))
	case database.IsUniqueOn(err, "client_prefix"):
		return problem.Fields(*fault("organisation.client_prefix", "taken"))
	case err != nil:
		return fmt.Errorf("insert an organisation: %w", err)
	default:
		return nil
	}
}

func (d *Directory) readOrganisations(ctx context.Context) ([]Organisation, error) {
	var rows []organisationRow
	if err := d.db.Read(ctx).Order("id").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read organisations: %w", err)
	}
	list := make([]Organisation, len(rows))
	for i := range rows {
		list[i] = rows[i].organisation()
	}
	return list, nil
}

func (d *Directory) readOrganisation(ctx context.Context, condition, value string) (Organisation, error) {
	return takeOrganisation(d.db.Read(ctx).Where(condition, value))
}

func organisationWithin(tx *database.Tx, id OrganisationID) (Organisation, error) {
	return takeOrganisation(tx.DB().Where("id = ?", string(id)))
}

func takeOrganisation(g *gorm.DB) (Organisation, error) {
	var row organisationRow
	err := g.Take(&row).Error
	if database.IsNotFound(err) {
		return Organisation{}, problem.New(problem.NotFound, "identity.organisation_not_found")
	}
	if err != nil {
		return Organisation{}, fmt.Errorf("read an organisation: %w", err)
	}
	return row.organisation(), nil
}

func updateOrganisationStatus(tx *database.Tx, org Organisation, status Status) error {
	return one(tx.DB().Exec("UPDATE organisations SET status = ?, version = version + 1 WHERE id = ? AND version = ?",
		string(status), string(org.ID), org.Version))
}

// one turns the result of an update by version into an error: no row means that somebody else was first.
func one(g *gorm.DB) error {
	if g.Error != nil {
		return fmt.Errorf("update: %w", g.Error)
	}
	if g.RowsAffected != 1 {
		return stale()
	}
	return nil
}

type roleRow struct {
	ID             string `gorm:"primaryKey"`
	OrganisationID string
	Name           string
	NameKey        string
	BuiltIn        bool
	CreatedAt      time.Time `gorm:"serializer:micros"`
	Version        int64
}

// TableName names the table for the ORM.
func (*roleRow) TableName() string { return "roles" }

func (r *roleRow) role(rights access.Set) Role {
	return Role{
		ID: RoleID(r.ID), Organisation: OrganisationID(r.OrganisationID), Name: r.Name, Rights: rights,
		BuiltIn: r.BuiltIn, CreatedAt: r.CreatedAt, Version: r.Version,
	}
}

func insertRole(tx *database.Tx, role Role) error {
	err := tx.DB().Create(&roleRow{
		ID: string(role.ID), OrganisationID: string(role.Organisation), Name: role.Name, NameKey: Fold(role.Name),
		BuiltIn: role.BuiltIn, CreatedAt: role.CreatedAt, Version: role.Version,
	}).Error
	if database.IsUniqueOn(err, "name_key") {
		return problem.Fields(*fault("role.name", "taken"))
	}
	if err != nil {
		return fmt.Errorf("insert a role: %w", err)
	}
	return insertRights(tx, role, role.Rights)
}

// insertRights writes the rights as the closed set they are, so that a query by right needs to know no implication.
func insertRights(tx *database.Tx, role Role, rights access.Set) error {
	for _, right := range rights.Rights() {
		err := tx.DB().Exec("INSERT INTO role_rights (organisation_id, role_id, right_name) VALUES (?, ?, ?)",
			string(role.Organisation), string(role.ID), string(right)).Error
		if err != nil {
			return fmt.Errorf("insert a right: %w", err)
		}
	}
	return nil
}

func replaceRights(tx *database.Tx, role Role, rights access.Set) error {
	err := one(tx.DB().Exec("UPDATE roles SET version = version + 1 WHERE organisation_id = ? AND id = ? AND version = ?",
		string(role.Organisation), string(role.ID), role.Version))
	if err != nil {
		return err
	}
	err = tx.DB().Exec("DELETE FROM role_rights WHERE organisation_id = ? AND role_id = ?",
		string(role.Organisation), string(role.ID)).Error
	if err != nil {
		return fmt.Errorf("delete rights: %w", err)
	}
	return insertRights(tx, role, rights)
}

func roleWithin(tx *database.Tx, org OrganisationID, id RoleID) (Role, error) {
	list, err := readRoles(tx.DB(), org)
	if err != nil {
		return Role{}, err
	}
	for _, r := range list {
		if r.ID == id {
			return r, nil
		}
	}
	return Role{}, notFound()
}

// readRoles returns the organisation's roles with their rights.
func readRoles(g *gorm.DB, org OrganisationID) ([]Role, error) {
	var rows []roleRow
	if err := g.Where("organisation_id = ?", string(org)).Order("id").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	var held []struct{ RoleID, RightName string }
	err := g.Raw("SELECT role_id, right_name FROM role_rights WHERE organisation_id = ?", string(org)).Scan(&held).Error
	if err != nil {
		return nil, fmt.Errorf("read rights: %w", err)
	}
	rights := map[string][]access.Right{}
	for _, h := range held {
		rights[h.RoleID] = append(rights[h.RoleID], access.Right(h.RightName))
	}
	list := make([]Role, len(rows))
	for i := range rows {
		list[i] = rows[i].role(access.NewSet(rights[rows[i].ID]...))
	}
	return list, nil
}
