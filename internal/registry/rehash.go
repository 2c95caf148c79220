package registry

import (
	"context"
	"log/slog"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/secret"
)

// Rehash hashes secrets again that were accepted and whose hash is of a lower cost than new ones are made with, until
// the context ends (security.md §6.3 step 10). It works when nobody else waits for bcrypt. What cannot be stored is
// logged, and tried again when the client's secret is verified by bcrypt the next time. A process runs it once.
func (r *Registry) Rehash(ctx context.Context, log *slog.Logger) {
	r.verifier.Rehash(ctx, func(ctx context.Context, h secret.Rehash) (bool, error) {
		kept, err := r.keepHash(ctx, h)
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "a secret's hash of a higher cost was not stored", "secret", h.CredentialID, "error", err)
		}
		return kept, err
	})
}

// keepHash puts a hash in the place of the one that it was made to replace, and reports whether that was still there.
//
// It is no change in anybody's sense: the same secret is accepted for as long as before, and nobody asked for it. So the
// trail hears nothing of it, and version and author of secret and app stay; the change feed does, so that other
// processes do not make the same hash once more.
func (r *Registry) keepHash(ctx context.Context, h secret.Rehash) (kept bool, err error) {
	c, err := r.Client(ctx, h.ClientID)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = r.db.Housekeep(ctx, func(tx *database.Tx) (err error) {
		kept, err = replaceHash(tx, c, h)
		return err
	})
	return kept && err == nil, err
}
