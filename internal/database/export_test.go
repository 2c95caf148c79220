package database

import "context"

// Prune forgets old changes now.
func (f *Feed) Prune(ctx context.Context) error { f.prune(ctx); return ctx.Err() }

// MigrateDown takes the schema back to a version, for tests of the way up from there.
func (db *DB) MigrateDown(ctx context.Context, version int64) error {
	provider, err := db.provider()
	if err == nil {
		_, err = provider.DownTo(ctx, version)
	}
	return err
}
