package main

import (
	"context"
	"io"
	"testing"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/secret"
)

// A server judges and makes secrets with the tag keys that another process has put in place.
func TestServerFollowsTagKeys(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	open := func() *rooms {
		r, err := (&program{environ: i.environ, stdout: io.Discard, stderr: io.Discard, makeRSA: i.makeRSA}).open(t.Context(), migrateEmpty)
		noError(t, err)
		t.Cleanup(r.close)
		return r
	}
	server := open()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	go func() { server.db.Feed().Run(ctx); ended <- struct{}{} }()
	go func() { server.followKeys(ctx); ended <- struct{}{} }()
	defer func() { stop(); <-ended; <-ended }()

	// Other keys, as after a restored backup.
	noError(t, server.db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec("DELETE FROM keys").Error }))
	other := open()
	taken := func(by, maker *rooms) bool {
		made, err := maker.keys.Make("CCWACME_x", 1)
		noError(t, err)
		parsed, err := secret.Parse(made.Secret.Reveal())
		noError(t, err)
		return by.keys.Check("CCWACME_x", parsed) == secret.TagValid
	}
	await(t, "the new tag key", func() bool { return taken(server, other) && taken(other, server) })
}
