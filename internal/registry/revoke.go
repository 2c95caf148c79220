package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
)

const (
	// maxRevoked bounds the single tokens of an app that are remembered as revoked while they would live.
	maxRevoked = 1000
	// keepNonces is how long a form that was sent is recognised.
	keepNonces = 30 * 24 * time.Hour
	// keepUse is how long hours of use are kept: longer than any page looks back, and short enough that a secret used
	// from one place all the time has some 2,000 rows. The last use itself stays as long as the secret.
	keepUse = 90 * 24 * time.Hour
	// keepRejections is how long it is shown what was refused.
	keepRejections = 30 * 24 * time.Hour
	sweepChunk     = 500
)

// RevokeToken ends one token of the client (RFC 7009): whoever may revoke it, and that it is this client's, was asked by
// the caller. Doing it again, or for a token that is dead already, changes nothing.
//
// A revoked token is noted without an event in the trail, like a spent code: programs revoke as often as they please,
// and what a program does with its own tokens is use, which is counted and not audited (product.md decision 18). At
// most 1,000 live tokens of an app are noted; the next ends all tokens of the app instead, which is a change of the app
// and is audited, with the app as actor (protocol.md §1.4).
func (r *Registry) RevokeToken(ctx context.Context, c *Client, jti string, expires time.Time) error {
	outcome := pointless
	err := r.db.Housekeep(ctx, func(tx *database.Tx) error {
		if !expires.After(tx.Now()) {
			return nil
		}
		var err error
		t := revokedRow{JTI: jti, OrganisationID: c.Organisation, AppID: c.ID, ExpiresAt: expires}
		outcome, err = noteRevoked(tx, c, t, maxRevoked)
		return err
	})
	if err != nil || outcome != full {
		return err
	}
	actor := access.Actor{Kind: access.KindApp, ID: string(c.ID), Name: c.ClientID, Organisation: c.Organisation}
	act := audit.Act{
		Action: "app.revoke_all", Organisation: c.Organisation,
		Target: audit.Target{Kind: targetKind, ID: string(c.ID), Label: c.Name},
	}
	return r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		ok, err := raiseGeneration(tx, c)
		if err == nil && !ok {
			err = audit.ErrNothing
		}
		return audit.Change{
			Before: map[string]any{"generation": c.Generation}, After: map[string]any{"generation": c.Generation + 1},
		}, err
	})
}

// Sweep deletes what is remembered for a while only: revoked tokens that have expired, nonces of forms sent more than
// 30 days ago, hours of use that began more than 90 days ago, and what was refused more than 30 days ago. It also takes
// the queue of names that an older version left for support to be found by. It is meant to be called every few minutes.
// Each transaction is short, so that nobody waits for it.
func (r *Registry) Sweep(ctx context.Context) error {
	if err := r.fillNames(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		what   sweepable
		before time.Time
	}{
		{sweepRevoked, r.db.Now()},
		{sweepNonces, r.db.Now().Add(-keepNonces)},
		{sweepNotices, r.db.Now().Add(-keepNotices)},
		{sweepUse, r.db.Now().Add(-keepUse)},
		{sweepRejections, r.db.Now().Add(-keepRejections - 24*time.Hour)}, // a day's row is of its beginning
		{sweepUnknown, r.db.Now().Add(-keepRejections)},
		{sweepNews, r.db.Now().Add(-keepNews)},
	} {
		for more := true; more; {
			var n int64
			err := r.db.Housekeep(ctx, func(tx *database.Tx) (err error) {
				n, err = sweep(tx, part.what, part.before, sweepChunk)
				return err
			})
			if err != nil {
				return err
			}
			more = n == sweepChunk
		}
	}
	return nil
}
