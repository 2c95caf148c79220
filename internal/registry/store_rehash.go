package registry

import (
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/secret"
)

// replaceHash writes a secret's new hash, if the old one stands there and the secret was not taken out of use meanwhile.
// It reports whether it did.
func replaceHash(tx *database.Tx, c *Client, h secret.Rehash) (bool, error) {
	result := tx.DB().Exec(`UPDATE app_secrets SET hash = ?
		WHERE organisation_id = ? AND app_id = ? AND id = ? AND hash = ? AND retired_at IS NULL AND leaked_at IS NULL`,
		h.NewHash, string(c.Organisation), string(c.ID), h.CredentialID, h.OldHash)
	if result.Error != nil || result.RowsAffected != 1 {
		return false, wrap(result.Error, "write a secret's hash")
	}
	tx.Changed(database.TopicApp, string(c.ID))
	return true, nil
}
