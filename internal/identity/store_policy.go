package identity

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/database"
)

type policyRow struct {
	OrganisationID    string `gorm:"primaryKey"`
	SecretExpiry      string
	SecretCeilingDays int
	IdleDays          int
	ModifiedAt        time.Time `gorm:"serializer:micros;autoUpdateTime:false"`
	Version           int64
}

// TableName names the table for the ORM.
func (*policyRow) TableName() string { return "organisation_policies" }

func (r *policyRow) policy() Policy {
	return Policy{
		Organisation: OrganisationID(r.OrganisationID), SecretExpiry: SecretExpiry(r.SecretExpiry), ChangedAt: r.ModifiedAt,
		CeilingDays: r.SecretCeilingDays, IdleDays: r.IdleDays, Version: r.Version,
	}
}

func readPolicy(g *gorm.DB, org OrganisationID) (Policy, error) {
	var row policyRow
	err := g.Where("organisation_id = ?", string(org)).Take(&row).Error
	if database.IsNotFound(err) {
		return defaultPolicy(org), nil
	}
	if err != nil {
		return Policy{}, fmt.Errorf("read a policy: %w", err)
	}
	return row.policy(), nil
}

func readIdlePolicies(g *gorm.DB) ([]Policy, error) {
	var rows []policyRow
	err := g.Raw(`SELECT p.* FROM organisation_policies p JOIN organisations o ON o.id = p.organisation_id
		WHERE p.idle_days > 0 AND o.status = ? ORDER BY p.organisation_id`, string(Active)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read the policies for unused apps: %w", err)
	}
	list := make([]Policy, len(rows))
	for i := range rows {
		list[i] = rows[i].policy()
	}
	return list, nil
}

// writePolicy writes the policy over the version it names, 0 for the first. One of two who write at once is stale.
func writePolicy(tx *database.Tx, p Policy) error {
	if p.Version == 0 {
		return one(tx.DB().Exec(`INSERT INTO organisation_policies
			(organisation_id, secret_expiry, secret_ceiling_days, idle_days, modified_at, version) VALUES (?, ?, ?, ?, ?, 1)
			ON CONFLICT (organisation_id) DO NOTHING`,
			string(p.Organisation), string(p.SecretExpiry), p.CeilingDays, p.IdleDays, database.Micros(tx.Now())))
	}
	return one(tx.DB().Exec(`UPDATE organisation_policies SET secret_expiry = ?, secret_ceiling_days = ?, idle_days = ?,
		modified_at = ?, version = version + 1 WHERE organisation_id = ? AND version = ?`,
		string(p.SecretExpiry), p.CeilingDays, p.IdleDays, database.Micros(tx.Now()), string(p.Organisation), p.Version))
}
