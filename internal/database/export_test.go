package database

import "context"

// Prune forgets old changes now.
func (f *Feed) Prune(ctx context.Context) error { f.prune(ctx); return ctx.Err() }
