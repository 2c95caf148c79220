package keyring_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
	"credenza.example/credenza/internal/problem"
)

// history is what a verifier outside may hold against the ring, whatever was done to it and in whatever order.
type history struct {
	db     *database.DB
	clock  *dbtest.Clock
	master *keyring.Master
	ring   *keyring.Ring
	keeper *keyring.Keeper
	rsa    keyring.Option

	published map[string]time.Time // key ID → when it was seen first
	signed    map[string]time.Time // key ID → when it signed last
	emergency map[string]bool      // made to sign at once
	dropped   map[string]bool
	ended     map[string]bool // dropped, or retired by a sweep
	turnedAt  time.Time       // the last time the clock was set back
}

func (h *history) open(t *rapid.T) {
	r, err := keyring.Open(t.Context(), h.db, h.master, quiet, h.rsa)
	if err != nil {
		t.Fatal(err)
	}
	h.ring, h.keeper = r, keyring.NewKeeper(r, audit.New(h.db, quiet))
}

func (h *history) rotate(t *rapid.T, compromised bool) {
	done, err := h.keeper.Rotate(t.Context(), operator, keyring.Rotation{Kind: keyring.Signing, Compromised: compromised})
	if problem.Is(err, problem.Conflict) && !compromised {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range done.Dropped {
		h.ended[k.ID], h.dropped[k.ID] = true, true
	}
	h.emergency[done.Made[0].ID] = compromised
}

func (h *history) sweep(t *rapid.T) {
	if err := h.ring.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := h.keeper.Keys(t.Context(), operator)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.State == keyring.StateRetired || k.State == keyring.StateUntrusted {
			h.ended[k.ID] = true
		}
	}
}

// look checks what everybody may rely on.
func (h *history) look(t *rapid.T) {
	now := h.clock.Now()
	kinds := map[string]int{}
	for _, jwk := range h.ring.JWKS().Keys {
		kinds[jwk.Algorithm]++
		if h.ended[jwk.KeyID] {
			t.Fatalf("%s is published after its end", jwk.KeyID)
		}
		if _, ok := h.published[jwk.KeyID]; !ok {
			h.published[jwk.KeyID] = now
		}
	}
	if kinds["ES256"] == 0 || kinds["RS256"] == 0 {
		t.Fatalf("published: %v", kinds)
	}
	signer := h.ring.Signer()
	seen, published := h.published[signer.KeyID]
	key, verifies := h.ring.Verification(signer.KeyID)
	if signer.Key == nil || !published || !verifies || !signer.Key.PublicKey.Equal(key.Key) || h.ended[signer.KeyID] {
		t.Fatalf("%s signs: published %v, verifies %v, ended %v", signer.KeyID, published, verifies, h.ended[signer.KeyID])
	}
	// How long a key was published is told by a clock that was not set back in between.
	if _, before := h.signed[signer.KeyID]; !before && len(h.signed) > 0 && !h.emergency[signer.KeyID] && h.turnedAt.IsZero() &&
		now.Sub(seen) < keyring.CacheFor {
		t.Fatalf("%s signs %v after it was published", signer.KeyID, now.Sub(seen))
	}
	h.signed[signer.KeyID] = now
	for kid := range h.ended {
		if _, ok := h.ring.Verification(kid); ok {
			t.Fatalf("%s verifies after its end", kid)
		}
	}
	for kid, at := range h.signed {
		_, ok := h.ring.Verification(kid)
		if !ok && !h.dropped[kid] && now.Sub(at) < keyring.LongestToken {
			t.Fatalf("%s signed %v ago and verifies no more", kid, now.Sub(at))
		}
	}
}

func TestC43c_NoOrderOfEventsLosesAKey(t *testing.T) {
	clock := dbtest.NewClock()
	db, master := dbtest.SQLite(t, clock), newMaster(t)
	steps := []time.Duration{
		instant, time.Second, keyring.CacheFor, keyring.SignWait - instant, keyring.SignWait, keyring.EraseAfter, time.Hour,
		keyring.LongestToken - time.Second, keyring.AcceptFor,
	}
	rapid.Check(t, func(t *rapid.T) {
		if err := db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec("DELETE FROM keys").Error }); err != nil {
			t.Fatal(err)
		}
		h := &history{
			db: db, clock: clock, master: master, rsa: keyringtest.RSA(), published: map[string]time.Time{}, signed: map[string]time.Time{},
			emergency: map[string]bool{}, dropped: map[string]bool{}, ended: map[string]bool{},
		}
		h.open(t)
		acts := map[string]func(){
			"rotate":  func() { h.rotate(t, false) },
			"drop":    func() { h.rotate(t, true) },
			"sweep":   func() { h.sweep(t) },
			"restart": func() { h.open(t) },
			"go on":   func() { clock.Advance(rapid.SampledFrom(steps).Draw(t, "by")) },
			"wait": func() { // to both sides of a turn
				clock.Advance(keyring.SignWait - instant)
				h.look(t)
				clock.Advance(instant)
			},
			"set back":  func() { h.setBack(rapid.SampledFrom(steps).Draw(t, "by")) },
			"wait more": func() { clock.Advance(keyring.EraseAfter) },
		}
		names := slices.Sorted(maps.Keys(acts))
		h.look(t)
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 1, 30).Draw(t, "acts") {
			acts[name]()
			h.look(t)
		}
	})
}

// setBack sets the clock back. Tokens that were signed then come from the future and are refused by their own times, so
// nothing is held against the ring of what happened before.
func (h *history) setBack(by time.Duration) {
	h.clock.Advance(-by)
	h.turnedAt = h.clock.Now()
	clear(h.signed)
}
