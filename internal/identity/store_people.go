package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

type personRow struct {
	ID             string `gorm:"primaryKey"`
	OrganisationID string
	Email          string
	EmailKey       string
	FirstName      string
	LastName       string
	Status         string
	PasswordHash   string
	PasswordSetAt  *time.Time `gorm:"serializer:micros"`
	CreatedAt      time.Time  `gorm:"serializer:micros"`
	Version        int64
}

// TableName names the table for the ORM.
func (*personRow) TableName() string { return "people" }

func (r *personRow) person() Person {
	return Person{
		ID: PersonID(r.ID), Organisation: OrganisationID(r.OrganisationID), Email: r.Email,
		FirstName: r.FirstName, LastName: r.LastName, Status: Status(r.Status), CreatedAt: r.CreatedAt, Version: r.Version,
	}
}

// knownPerson is a person as a transaction sees it.
type knownPerson struct {
	Person
	hasPassword bool
}

func insertPerson(tx *database.Tx, p Person) error {
	err := tx.DB().Create(&personRow{
		ID: string(p.ID), OrganisationID: string(p.Organisation), Email: p.Email, EmailKey: Fold(p.Email),
		FirstName: p.FirstName, LastName: p.LastName, Status: string(p.Status), CreatedAt: p.CreatedAt, Version: p.Version,
	}).Error
	if database.IsUniqueOn(err, "email_key") {
		return problem.Fields(*fault("person.email", "taken"))
	}
	if err != nil {
		return fmt.Errorf("insert a person: %w", err)
	}
	return nil
}

func insertPersonRoles(tx *database.Tx, p Person, roles []Role) error {
	for _, role := range roles {
		err := tx.DB().Exec("INSERT INTO person_roles (organisation_id, person_id, role_id) VALUES (?, ?, ?)",
			string(p.Organisation), string(p.ID), string(role.ID)).Error
		if err != nil {
			return fmt.Errorf("insert a person's role: %w", err)
		}
	}
	return nil
}

func replacePersonRoles(tx *database.Tx, p knownPerson, roles []Role) error {
	err := one(tx.DB().Exec("UPDATE people SET version = version + 1 WHERE organisation_id = ? AND id = ? AND version = ?",
		string(p.Organisation), string(p.ID), p.Version))
	if err != nil {
		return err
	}
	err = tx.DB().Exec("DELETE FROM person_roles WHERE organisation_id = ? AND person_id = ?",
		string(p.Organisation), string(p.ID)).Error
	if err != nil {
		return fmt.Errorf("delete a person's roles: %w", err)
	}
	return insertPersonRoles(tx, p.Person, roles)
}

func updatePersonStatus(tx *database.Tx, p Person, status Status) error {
	return one(tx.DB().Exec("UPDATE people SET status = ?, version = version + 1 WHERE organisation_id = ? AND id = ? AND version = ?",
		string(status), string(p.Organisation), string(p.ID), p.Version))
}

func updatePassword(tx *database.Tx, id PersonID, hash PasswordHash) error {
	g := tx.DB().Exec(`UPDATE people SET password_hash = ?, password_set_at = ?, version = version + 1,
		status = CASE WHEN status = ? THEN ? ELSE status END WHERE id = ?`,
		hash.Reveal(), database.Micros(tx.Now()), string(Invited), string(Active), string(id))
	if g.Error != nil {
		return fmt.Errorf("set a password: %w", g.Error)
	}
	if g.RowsAffected != 1 {
		return notFound()
	}
	return nil
}

func personWithin(tx *database.Tx, org OrganisationID, id PersonID) (knownPerson, error) {
	var row personRow
	err := tx.DB().Where("organisation_id = ? AND id = ?", string(org), string(id)).Take(&row).Error
	if database.IsNotFound(err) {
		return knownPerson{}, notFound()
	}
	if err != nil {
		return knownPerson{}, fmt.Errorf("read a person: %w", err)
	}
	return knownPerson{Person: row.person(), hasPassword: row.PasswordHash != ""}, nil
}

func (d *Directory) readPerson(ctx context.Context, id PersonID) (Person, error) {
	var row personRow
	err := d.db.Read(ctx).Where("id = ?", string(id)).Take(&row).Error
	if database.IsNotFound(err) {
		return Person{}, notFound()
	}
	if err != nil {
		return Person{}, fmt.Errorf("read a person: %w", err)
	}
	return row.person(), nil
}

func (d *Directory) readPeople(ctx context.Context, org OrganisationID) ([]Person, error) {
	return findPeople(d.db.Read(ctx).Where("organisation_id = ?", string(org)))
}

// maxAsked bounds the holders that are read, of whom the first by name are shown.
const maxAsked = 500

// holdsOneOf is the condition that a person holds one of some rights, by own roles or through a group. It takes the rights
// twice.
const holdsOneOf = `(EXISTS (SELECT 1 FROM person_roles pr
		JOIN role_rights rr ON rr.organisation_id = pr.organisation_id AND rr.role_id = pr.role_id
		WHERE pr.organisation_id = people.organisation_id AND pr.person_id = people.id AND rr.right_name IN ?)
	OR EXISTS (SELECT 1 FROM group_people gp
		JOIN group_roles gr ON gr.organisation_id = gp.organisation_id AND gr.group_id = gp.group_id
		JOIN role_rights rr ON rr.organisation_id = gr.organisation_id AND rr.role_id = gr.role_id
		WHERE gp.organisation_id = people.organisation_id AND gp.person_id = people.id AND rr.right_name IN ?))`

func (d *Directory) readHolders(ctx context.Context, org OrganisationID, right access.Right) ([]Person, error) {
	rights := []string{string(right)}
	return findPeople(d.db.Read(ctx).Where(`organisation_id = ? AND status = ?
		AND EXISTS (SELECT 1 FROM organisations o WHERE o.id = people.organisation_id AND o.status = ?) AND `+holdsOneOf,
		string(org), string(Active), string(Active), rights, rights).Limit(maxAsked))
}

// readAdministrators returns those who are not switched off and hold roles.manage, or at the platform what is more, first
// made first: IDs sort by time.
func readAdministrators(g *gorm.DB, org OrganisationID) ([]Person, error) {
	rights := []string{string(access.RolesManage), string(access.OrganisationsManage)}
	return findPeople(g.Where("organisation_id = ? AND status <> ? AND "+holdsOneOf,
		string(org), string(Inactive), rights, rights).Limit(1))
}

func findPeople(g *gorm.DB) ([]Person, error) {
	var rows []personRow
	if err := g.Order("id").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	list := make([]Person, len(rows))
	for i := range rows {
		list[i] = rows[i].person()
	}
	return list, nil
}

func peopleIDsWithin(tx *database.Tx, org OrganisationID) ([]PersonID, error) {
	var ids []PersonID
	err := tx.DB().Raw("SELECT id FROM people WHERE organisation_id = ? ORDER BY id", string(org)).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	return ids, nil
}

// rolesOf returns the roles a person holds without groups, whatever the person's state.
func rolesOf(tx *database.Tx, p Person) ([]Role, error) {
	list, err := readRoles(tx.DB(), p.Organisation)
	if err != nil {
		return nil, err
	}
	var ids []RoleID
	err = tx.DB().Raw("SELECT role_id FROM person_roles WHERE organisation_id = ? AND person_id = ?",
		string(p.Organisation), string(p.ID)).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("read a person's roles: %w", err)
	}
	return slices.DeleteFunc(list, func(r Role) bool { return !slices.Contains(ids, r.ID) }), nil
}

type credentialRow struct {
	Person       personRow `gorm:"embedded"`
	OrgName      string
	ShortName    string
	ClientPrefix string
	OrgKind      string
	OrgStatus    string
}

// readCredential reads a person together with the organisation. condition is one of this package's constants.
func readCredential(g *gorm.DB, condition, value string) (Credential, bool, error) {
	var rows []credentialRow
	err := g.Table("people").Joins("JOIN organisations o ON o.id = people.organisation_id").
		Select("people.*, o.name AS org_name, o.short_name, o.client_prefix, o.kind AS org_kind, o.status AS org_status").
		Where(condition, value).Limit(1).Find(&rows).Error
	if err != nil {
		return Credential{}, false, fmt.Errorf("read a credential: %w", err)
	}
	if len(rows) == 0 {
		return Credential{}, false, nil
	}
	row := &rows[0]
	c := Credential{
		Person: row.Person.person(),
		Organisation: Organisation{
			ID: OrganisationID(row.Person.OrganisationID), Name: row.OrgName, ShortName: row.ShortName, ClientPrefix: row.ClientPrefix,
			Kind: OrganisationKind(row.OrgKind), Status: Status(row.OrgStatus),
		},
		Hash: NewPasswordHash(row.Person.PasswordHash),
		Live: row.Person.Status == string(Active) && row.OrgStatus == string(Active),
	}
	if row.Person.PasswordSetAt != nil {
		c.PasswordSetAt = *row.Person.PasswordSetAt
	}
	return c, true, nil
}

// readStanding reads an active person of an active organisation with all rights in one query, so that they belong to
// one moment.
func (d *Directory) readStanding(ctx context.Context, id PersonID) (Standing, error) {
	var rows []struct {
		Email, FirstName, LastName, OrganisationID, Kind string
		PasswordSetAt                                    *int64
		RightName                                        *string
	}
	err := d.db.Read(ctx).Raw(`SELECT p.email, p.first_name, p.last_name, p.organisation_id, o.kind, p.password_set_at, rr.right_name
		FROM people p JOIN organisations o ON o.id = p.organisation_id
		LEFT JOIN person_roles pr ON pr.organisation_id = p.organisation_id AND pr.person_id = p.id
		LEFT JOIN role_rights rr ON rr.organisation_id = pr.organisation_id AND rr.role_id = pr.role_id
		WHERE p.id = ? AND p.status = ? AND o.status = ?
		UNION ALL
		SELECT p.email, p.first_name, p.last_name, p.organisation_id, o.kind, p.password_set_at, rr.right_name
		FROM people p JOIN organisations o ON o.id = p.organisation_id
		JOIN group_people gp ON gp.organisation_id = p.organisation_id AND gp.person_id = p.id
		JOIN group_roles gr ON gr.organisation_id = gp.organisation_id AND gr.group_id = gp.group_id
		JOIN role_rights rr ON rr.organisation_id = gr.organisation_id AND rr.role_id = gr.role_id
		WHERE p.id = ? AND p.status = ? AND o.status = ?`,
		string(id), string(Active), string(Active), string(id), string(Active), string(Active)).Scan(&rows).Error
	if err != nil {
		return Standing{}, fmt.Errorf("read a person's rights: %w", err)
	}
	if len(rows) == 0 {
		return Standing{}, unauthenticated()
	}
	first := rows[0]
	// A right that the organisation's kind does not allow counts for nothing, however it came into the table.
	may := allowed(OrganisationKind(first.Kind))
	var rights []access.Right
	for _, r := range rows {
		if r.RightName != nil && may.Has(access.Right(*r.RightName)) {
			rights = append(rights, access.Right(*r.RightName))
		}
	}
	p := Person{FirstName: first.FirstName, LastName: first.LastName}
	s := Standing{Actor: access.Actor{
		Kind: access.KindPerson, ID: string(id), Name: p.Name(), Email: first.Email,
		Organisation: OrganisationID(first.OrganisationID), Rights: access.NewSet(rights...),
	}}
	if first.PasswordSetAt != nil {
		s.PasswordSetAt = database.FromMicros(*first.PasswordSetAt)
	}
	return s, nil
}
