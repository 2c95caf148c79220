package scope

import (
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// apiRow is a row of catalogue_apis.
type apiRow struct {
	ID             string `gorm:"primaryKey"`
	OrganisationID *access.OrganisationID
	APIKey         string `gorm:"column:api_key"`
	Document       string
	Version        int64
	CreatedAt      time.Time `gorm:"serializer:micros"`
	ModifiedAt     time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*apiRow) TableName() string { return "catalogue_apis" }

func (r *apiRow) addition() Addition {
	a := Addition{API: API{Key: r.APIKey}, Document: r.Document, Version: r.Version, CreatedAt: r.CreatedAt, ModifiedAt: r.ModifiedAt}
	if r.OrganisationID != nil {
		a.Organisation = *r.OrganisationID
	}
	return a
}

// mappingRow is a row of catalogue_mappings.
type mappingRow struct {
	ID         string `gorm:"primaryKey"`
	APIKey     string `gorm:"column:api_key"`
	Object     string
	Method     string
	Path       string
	Access     Access
	AnyOf      string
	Note       string
	Version    int64
	CreatedAt  time.Time `gorm:"serializer:micros"`
	ModifiedAt time.Time `gorm:"serializer:micros"`
}

// TableName names the table for the ORM.
func (*mappingRow) TableName() string { return "catalogue_mappings" }

func (r *mappingRow) mapping() Mapping {
	return Mapping{
		API: r.APIKey, Object: r.Object, Method: r.Method, Path: r.Path, Access: r.Access, AnyOf: strings.Fields(r.AnyOf), Note: r.Note,
		Version: r.Version, ModifiedAt: r.ModifiedAt,
	}
}

// readChanges reads everything that was changed, with a version that is no newer than what was read: whoever stores by
// it finds out when it is older.
func readChanges(g *gorm.DB) (c changes, err error) {
	if err := g.Raw("SELECT version FROM catalogue_state WHERE id = 1").Scan(&c.version).Error; err != nil {
		return c, wrap(err, "read the catalogue's version")
	}
	var apis []apiRow
	if err := g.Order("api_key").Find(&apis).Error; err != nil {
		return c, wrap(err, "read added APIs")
	}
	for i := range apis {
		c.additions = append(c.additions, apis[i].addition())
	}
	var mappings []mappingRow
	if err := g.Order("api_key, created_at, id").Find(&mappings).Error; err != nil {
		return c, wrap(err, "read mapped calls")
	}
	for i := range mappings {
		c.mappings = append(c.mappings, mappings[i].mapping())
	}
	return c, nil
}

// platform returns the organisation in whose trail changes of the shared catalogue stand; "" when there is none yet.
func platform(g *gorm.DB) (org access.OrganisationID, err error) {
	return org, wrap(g.Raw("SELECT id FROM organisations WHERE kind = 'platform'").Scan(&org).Error, "find the platform's organisation")
}

// takeVersion raises the version if it is still the one that a change was checked with. False means that somebody else
// changed something meanwhile.
func takeVersion(tx *database.Tx, version int64) (bool, error) {
	result := tx.DB().Exec("UPDATE catalogue_state SET version = version + 1 WHERE id = 1 AND version = ?", version)
	return result.RowsAffected == 1, wrap(result.Error, "raise the catalogue's version")
}

func writeMapping(tx *database.Tx, m Mapping) error {
	if m.Version > 1 {
		return wrap(tx.DB().Exec(`UPDATE catalogue_mappings SET object = ?, access = ?, any_of = ?, note = ?, version = ?, modified_at = ?
			WHERE api_key = ? AND method = ? AND path = ?`, m.Object, string(m.Access), strings.Join(m.AnyOf, " "), m.Note, m.Version,
			database.Micros(tx.Now()), m.API, m.Method, m.Path).Error, "change a mapped call")
	}
	return wrap(tx.DB().Create(&mappingRow{
		ID: database.NewID(), APIKey: m.API, Object: m.Object, Method: m.Method, Path: m.Path, Access: m.Access,
		AnyOf: strings.Join(m.AnyOf, " "), Note: m.Note, Version: m.Version, CreatedAt: tx.Now(), ModifiedAt: tx.Now(),
	}).Error, "write a mapped call")
}

func deleteMapping(tx *database.Tx, m Mapping) error {
	return wrap(tx.DB().Exec("DELETE FROM catalogue_mappings WHERE api_key = ? AND method = ? AND path = ?", m.API, m.Method, m.Path).Error,
		"delete a mapped call")
}

func writeAddition(tx *database.Tx, a Addition) error {
	if a.Version > 1 {
		return wrap(tx.DB().Exec("UPDATE catalogue_apis SET document = ?, version = ?, modified_at = ? WHERE api_key = ?",
			a.Document, a.Version, database.Micros(tx.Now()), a.API.Key).Error, "change an added API")
	}
	row := &apiRow{
		ID: database.NewID(), APIKey: a.API.Key, Document: a.Document, Version: a.Version, CreatedAt: tx.Now(), ModifiedAt: tx.Now(),
	}
	if a.Organisation != "" {
		row.OrganisationID = &a.Organisation
	}
	return wrap(tx.DB().Create(row).Error, "write an added API")
}

// deleteAddition also forgets what was mapped of its calls.
func deleteAddition(tx *database.Tx, key string) error {
	if err := tx.DB().Exec("DELETE FROM catalogue_mappings WHERE api_key = ?", key).Error; err != nil {
		return wrap(err, "delete mapped calls of an API")
	}
	return wrap(tx.DB().Exec("DELETE FROM catalogue_apis WHERE api_key = ?", key).Error, "delete an added API")
}

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
