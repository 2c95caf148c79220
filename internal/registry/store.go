package registry

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
)

// store reads outside transactions. What writes, or reads inside a transaction, is a function of the transaction.
type store struct {
	db   *database.DB
	ways searchWays
}

// appRow is a row of apps.
type appRow struct {
	ID               AppID `gorm:"primaryKey"`
	OrganisationID   access.OrganisationID
	ClientID         string
	Kind             Kind
	ResourceAPI      string
	Name             string
	NameKey          string
	Description      string
	Category         Category
	Type             Type
	CredentialType   CredentialType
	APIUserID        *identity.RobotID // nil: a resource server
	DefaultAPI       string
	Status           Status
	Generation       int64
	SecretGeneration int64
	CreatedAt        time.Time `gorm:"serializer:micros;autoCreateTime:false"`
	CreatedByKind    access.Kind
	CreatedByID      string
	ModifiedAt       time.Time `gorm:"serializer:micros"`
	ModifiedByKind   access.Kind
	ModifiedByID     string
	DeletedAt        *time.Time `gorm:"serializer:micros"`
	LastUsedAt       int64      // 0: never
	Version          int64
}

// TableName names the table for the ORM.
func (*appRow) TableName() string { return "apps" }

func (row *appRow) app() App {
	return App{
		ID: row.ID, Organisation: row.OrganisationID, ClientID: row.ClientID, Kind: row.Kind, ResourceAPI: row.ResourceAPI,
		Name: row.Name, Description: row.Description, Category: row.Category, Type: row.Type,
		CredentialType: row.CredentialType, APIUser: row.apiUser(),
		DefaultAPI: row.DefaultAPI, Status: row.Status, Generation: row.Generation,
		CreatedAt: row.CreatedAt, CreatedBy: Author{Kind: row.CreatedByKind, ID: row.CreatedByID},
		ModifiedAt: row.ModifiedAt, ModifiedBy: Author{Kind: row.ModifiedByKind, ID: row.ModifiedByID},
		LastUsedAt: moment(row.LastUsedAt), Version: row.Version, nameKey: row.NameKey, secretGeneration: row.SecretGeneration,
	}
}

// apiUser returns the API user by its ID alone; nothing for a resource server.
func (row *appRow) apiUser() identity.RobotAccount {
	if row.APIUserID == nil {
		return identity.RobotAccount{}
	}
	return identity.RobotAccount{ID: *row.APIUserID, Organisation: row.OrganisationID}
}

// apiUserID is the column api_user_id.
func (a *App) apiUserID() *identity.RobotID {
	if a.APIUser.ID == "" {
		return nil
	}
	return &a.APIUser.ID
}

func newAppRow(a *App) *appRow {
	return &appRow{
		ID: a.ID, OrganisationID: a.Organisation, ClientID: a.ClientID, Kind: a.Kind, ResourceAPI: a.ResourceAPI,
		Name: a.Name, NameKey: a.nameKey, Description: a.Description, Category: a.Category, Type: a.Type,
		CredentialType: a.CredentialType, APIUserID: a.apiUserID(), DefaultAPI: a.DefaultAPI, Status: a.Status, Generation: a.Generation,
		SecretGeneration: a.secretGeneration, CreatedAt: a.CreatedAt, CreatedByKind: a.CreatedBy.Kind,
		CreatedByID: a.CreatedBy.ID, ModifiedAt: a.ModifiedAt, ModifiedByKind: a.ModifiedBy.Kind,
		ModifiedByID: a.ModifiedBy.ID, Version: a.Version,
	}
}

// contactRow is a row of app_contacts: a person who was or is to be called.
type contactRow struct {
	ID             ContactID `gorm:"primaryKey"`
	OrganisationID access.OrganisationID
	AppID          AppID
	Rank           int
	FirstName      string
	LastName       string
	Email          string
	CreatedAt      time.Time  `gorm:"serializer:micros;autoCreateTime:false"`
	EndedAt        *time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*contactRow) TableName() string { return "app_contacts" }

func (row *contactRow) contact() Contact {
	return Contact{ID: row.ID, FirstName: row.FirstName, LastName: row.LastName, Email: row.Email}
}

// scopeRow is a row of app_scopes.
type scopeRow struct {
	OrganisationID access.OrganisationID `gorm:"primaryKey"`
	AppID          AppID                 `gorm:"primaryKey"`
	Scope          string                `gorm:"primaryKey"`
}

// TableName names the table for the ORM.
func (*scopeRow) TableName() string { return "app_scopes" }

// loadApp reads an app that is not deleted; found tells whether there is one. Names of authors and the API user are
// filled in by the caller.
func (s *store) loadApp(ctx context.Context, org access.OrganisationID, id AppID) (app App, found bool, err error) {
	if _, ok := ParseAppID(string(id)); !ok {
		return App{}, false, nil
	}
	return s.load(ctx, s.db.Read(ctx).Where("organisation_id = ? AND id = ? AND deleted_at IS NULL", string(org), string(id)))
}

// loadByClientID is loadApp by client ID.
func (s *store) loadByClientID(ctx context.Context, org access.OrganisationID, clientID string) (App, bool, error) {
	return s.load(ctx, s.db.Read(ctx).Where("organisation_id = ? AND client_id = ? AND deleted_at IS NULL", string(org), clientID))
}

func (s *store) load(ctx context.Context, where *gorm.DB) (app App, found bool, err error) {
	var row appRow
	if err := where.Take(&row).Error; database.IsNotFound(err) {
		return App{}, false, nil
	} else if err != nil {
		return App{}, false, fmt.Errorf("read an app: %w", err)
	}
	app = row.app()
	err = readParts(s.db.Read(ctx), &app, s.db.Now())
	return app, true, err
}

// readParts reads what an app has in other tables: scopes, contacts, secrets.
func readParts(g *gorm.DB, app *App, now time.Time) error {
	org, id := string(app.Organisation), string(app.ID)
	var err error
	if app.Scopes, err = readScopes(g, app.Organisation, app.ID); err != nil {
		return err
	}
	var contacts []contactRow
	err = g.Where("organisation_id = ? AND app_id = ? AND ended_at IS NULL", org, id).Order("rank").Find(&contacts).Error
	if err != nil {
		return fmt.Errorf("read an app's contacts: %w", err)
	}
	for i := range contacts {
		if contacts[i].Rank == 1 {
			app.Contact = contacts[i].contact()
		} else {
			app.SecondContact = contacts[i].contact()
		}
	}
	rows, err := readSecrets(g, app.Organisation, app.ID)
	for i := range rows {
		app.Secrets = append(app.Secrets, rows[i].secret(now))
	}
	return err
}

func readScopes(g *gorm.DB, org access.OrganisationID, id AppID) ([]string, error) {
	var scopes []string
	err := g.Raw("SELECT scope FROM app_scopes WHERE organisation_id = ? AND app_id = ?", string(org), string(id)).
		Scan(&scopes).Error
	return sorted(scopes), wrap(err, "read an app's scopes")
}

// nameTaken returns the app of the organisation that bears a name already; found is false for none, and for the app
// that asks.
func (s *store) nameTaken(ctx context.Context, app *App) (other AppID, found bool, err error) {
	err = s.db.Read(ctx).Raw("SELECT id FROM apps WHERE organisation_id = ? AND name_key = ? AND deleted_at IS NULL AND id <> ?",
		string(app.Organisation), app.nameKey, string(app.ID)).Scan(&other).Error
	return other, other != "", wrap(err, "look for an app's name")
}

// insertApp writes a new app with its scopes, contacts and words.
func insertApp(tx *database.Tx, app *App) error {
	if err := tx.DB().Create(newAppRow(app)).Error; err != nil {
		return fmt.Errorf("write an app: %w", err)
	}
	if err := replaceScopes(tx, app); err != nil {
		return err
	}
	if err := insertContact(tx, app, 1, app.Contact); err != nil {
		return err
	}
	if !app.SecondContact.IsZero() {
		if err := insertContact(tx, app, 2, app.SecondContact); err != nil {
			return err
		}
	}
	if err := replaceNameParts(tx, app.Organisation, app.ID, app.Name); err != nil {
		return err
	}
	return replaceWords(tx, app.Organisation, app.ID, wordsOf(app))
}

func replaceScopes(tx *database.Tx, app *App) error {
	err := tx.DB().Exec("DELETE FROM app_scopes WHERE organisation_id = ? AND app_id = ?",
		string(app.Organisation), string(app.ID)).Error
	if err != nil || len(app.Scopes) == 0 {
		return wrap(err, "write an app's scopes")
	}
	rows := make([]scopeRow, len(app.Scopes))
	for i, name := range app.Scopes {
		rows[i] = scopeRow{OrganisationID: app.Organisation, AppID: app.ID, Scope: name}
	}
	return wrap(tx.DB().CreateInBatches(rows, 500).Error, "write an app's scopes")
}

func insertContact(tx *database.Tx, app *App, rank int, c Contact) error {
	if err := knowAddress(tx, app.Organisation, c.Email); err != nil {
		return err
	}
	return wrap(tx.DB().Create(&contactRow{
		ID: c.ID, OrganisationID: app.Organisation, AppID: app.ID, Rank: rank,
		FirstName: c.FirstName, LastName: c.LastName, Email: c.Email, CreatedAt: tx.Now(),
	}).Error, "write a contact")
}

// endContact ends the row of a contact, which stays for the history until the app is deleted.
func endContact(tx *database.Tx, app *App, id ContactID) error {
	return wrap(tx.DB().Exec("UPDATE app_contacts SET ended_at = ? WHERE organisation_id = ? AND app_id = ? AND id = ? AND ended_at IS NULL",
		database.Micros(tx.Now()), string(app.Organisation), string(app.ID), string(id)).Error, "end a contact")
}

// updateApp writes an app's own fields if it still has the version, and reports whether it had. end ends its
// tokens: the generation rises from whatever it is now, since others raise it without a new version, and never falls.
func updateApp(tx *database.Tx, app *App, version int64, end bool) (bool, error) {
	raise := 0
	if end {
		raise = 1
	}
	result := tx.DB().Exec(`UPDATE apps SET name = ?, name_key = ?, description = ?, category = ?, type = ?, credential_type = ?,
		api_user_id = ?, default_api = ?, status = ?, generation = generation + ?, version = version + 1,
		modified_at = ?, modified_by_kind = ?, modified_by_id = ?
		WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL AND version = ?`,
		app.Name, app.nameKey, app.Description, string(app.Category), string(app.Type), string(app.CredentialType),
		app.apiUserID(), app.DefaultAPI, string(app.Status), raise,
		database.Micros(tx.Now()), string(app.ModifiedBy.Kind), app.ModifiedBy.ID,
		string(app.Organisation), string(app.ID), version)
	return result.RowsAffected == 1, wrap(result.Error, "write an app")
}

// touchApp locks an app that is not deleted against everybody else who writes to it and notes who changed it. It
// reports whether there is one.
func touchApp(tx *database.Tx, org access.OrganisationID, id AppID, by access.Actor) (bool, error) {
	result := tx.DB().Exec(`UPDATE apps SET modified_at = ?, modified_by_kind = ?, modified_by_id = ?
		WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL`,
		database.Micros(tx.Now()), string(by.Kind), by.ID, string(org), string(id))
	return result.RowsAffected == 1, wrap(result.Error, "lock an app")
}

// appWithin reads an app as the transaction sees it, which must have locked it.
func appWithin(tx *database.Tx, org access.OrganisationID, id AppID) (App, error) {
	var row appRow
	err := tx.DB().Where("organisation_id = ? AND id = ? AND deleted_at IS NULL", string(org), string(id)).Take(&row).Error
	if err != nil {
		return App{}, fmt.Errorf("read an app: %w", err)
	}
	app := row.app()
	return app, readParts(tx.DB(), &app, tx.Now())
}

// eraseApp deletes an app that is inactive and has the version: the row stays, so that its client ID is never given again
// and the history can name it; hashes, contacts, words and scopes go (product.md decision 17).
func eraseApp(tx *database.Tx, app *App, by access.Actor) (bool, error) {
	org, id := string(app.Organisation), string(app.ID)
	result := tx.DB().Exec(`UPDATE apps SET deleted_at = ?, generation = generation + 1, version = version + 1,
		modified_at = ?, modified_by_kind = ?, modified_by_id = ?
		WHERE organisation_id = ? AND id = ? AND deleted_at IS NULL AND status = ? AND version = ?`,
		database.Micros(tx.Now()), database.Micros(tx.Now()), string(by.Kind), by.ID, org, id, string(Inactive), app.Version)
	if result.Error != nil || result.RowsAffected != 1 {
		return false, wrap(result.Error, "delete an app")
	}
	for _, statement := range []string{
		"UPDATE app_secrets SET hash = '', version = version + 1 WHERE organisation_id = ? AND app_id = ?",
		"DELETE FROM app_contacts WHERE organisation_id = ? AND app_id = ?",
		"DELETE FROM app_words WHERE organisation_id = ? AND app_id = ?",
		"DELETE FROM app_name_parts WHERE organisation_id = ? AND app_id = ?",
		"DELETE FROM app_scopes WHERE organisation_id = ? AND app_id = ?",
		"DELETE FROM revoked_tokens WHERE organisation_id = ? AND app_id = ?",
		"UPDATE hand_offs SET recipient = '', spent_from = '' WHERE organisation_id = ? AND app_id = ?",
		"DELETE FROM idle_notices WHERE organisation_id = ? AND app_id = ?",
		"DELETE FROM app_rejections WHERE organisation_id = ? AND app_id = ?",
		"DELETE FROM bulk_news WHERE organisation_id = ? AND app_id = ?",
	} {
		if err := tx.DB().Exec(statement, org, id).Error; err != nil {
			return false, fmt.Errorf("erase an app: %w", err)
		}
	}
	return true, forgetAddresses(tx, app.Organisation, keysOf(app.contacts())...)
}
