package main

import (
	"context"
	"slices"
	"time"

	"credenza.example/credenza/internal/database"
)

// followPause is the time between two attempts to read changed keys while the database is away.
const followPause = time.Second

// followKeys returns what hands changed tag keys on to those who make and judge secrets, until the context ends. All other
// keys are asked of the ring each time; these are copied, because package secret knows no ring.
func (r *rooms) followKeys() func(ctx context.Context) {
	changed := make(chan struct{}, 1)
	r.db.Feed().Subscribe(func(changes []database.Change) {
		about := func(c database.Change) bool { return c.Topic == database.TopicKey }
		if changes != nil && !slices.ContainsFunc(changes, about) {
			return
		}
		select {
		case changed <- struct{}{}:
		default: // they will be read already
		}
	})
	return func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
				r.replaceKeys(ctx)
			}
		}
	}
}

// replaceKeys reads the tag keys and hands them on, trying again while they cannot be read.
func (r *rooms) replaceKeys(ctx context.Context) {
	for r.ring.Fresh(ctx) != nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(followPause):
		}
	}
	if err := r.keys.Replace(tagKeysOf(r.ring)); err != nil {
		r.log.ErrorContext(ctx, "taking changed tag keys; the known ones serve on", "error", err)
	}
}
