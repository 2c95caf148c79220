package keyring

import (
	"context"
	"fmt"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// Kind is a group of keys that are rotated together, since they lie in the same place.
type Kind string

// The kinds of keys.
const (
	Signing Kind = "signing" // ES256 and RS256 keys, which sign tokens
	Tag     Kind = "tag"     // keys of the tags inside client secrets
	Sealing Kind = "sealing" // what seals values in the database, and makes MACs; not rotated yet
)

var kinds = map[string]Kind{
	purposeSigning: Signing, purposeRSA: Signing, purposeTag: Tag, purposeData: Sealing, purposeMAC: Sealing,
}

// Key is a key as people see it: everything but the key. Times that are not known or not decided are zero.
type Key struct {
	ID            string // of signing keys the kid, of tag keys one character
	Kind          Kind
	Algorithm     string
	State         string // one of the State constants, "current" for those that seal
	CreatedAt     time.Time
	SignsFrom     time.Time
	SignsUntil    time.Time
	AcceptedUntil time.Time // signing keys only: tag keys are accepted as long as there are secrets of theirs
	EndedAt       time.Time // when the private half was removed
}

// Keeper shows and rotates the keys of a ring.
type Keeper struct {
	ring  *Ring
	trail *audit.Trail
}

// NewKeeper returns the keeper of a ring, who records what is done to it.
func NewKeeper(ring *Ring, trail *audit.Trail) *Keeper { return &Keeper{ring: ring, trail: trail} }

// Keys lists all keys by kind, oldest first. It takes keys.manage.
func (k *Keeper) Keys(ctx context.Context, actor access.Actor) ([]Key, error) {
	act := audit.Act{Right: access.KeysManage, Action: "keys.list", Organisation: actor.Organisation}
	if err := k.trail.Check(ctx, actor, act); err != nil {
		return nil, err
	}
	set, err := k.ring.read(ctx)
	if err != nil {
		return nil, err
	}
	now := k.ring.db.Now()
	var keys []Key
	for _, purpose := range []string{purposeSigning, purposeRSA, purposeTag, purposeData, purposeMAC} {
		for _, row := range set.lines[purpose] {
			keys = append(keys, newKey(row, set.lines[purpose].state(row, now)))
		}
	}
	return keys, nil
}

func newKey(row *keyRow, state string) Key {
	key := Key{ID: row.KeyID, Kind: kinds[row.Purpose], Algorithm: row.Algorithm, State: state, CreatedAt: row.CreatedAt}
	if key.Kind == Sealing {
		key.State = "current"
		return key
	}
	key.SignsFrom = row.CreatedAt
	if row.SignsFrom != nil {
		key.SignsFrom = *row.SignsFrom
	}
	if row.SignsUntil != nil {
		key.SignsUntil = *row.SignsUntil
	}
	if state == StateAccepted && isSigning(row.Purpose) || state == StateRetired {
		key.AcceptedUntil = row.acceptedUntil()
	}
	if row.EndedAt != nil {
		key.EndedAt = *row.EndedAt
	}
	if state == StateUntrusted {
		key.cutShort()
	}
	return key
}

// cutShort takes away the times that a dropped key did not live to see.
func (k *Key) cutShort() {
	switch {
	case k.SignsFrom.After(k.EndedAt):
		k.SignsFrom, k.SignsUntil = time.Time{}, time.Time{}
	case k.SignsUntil.IsZero() || k.SignsUntil.After(k.EndedAt):
		k.SignsUntil = k.EndedAt
	}
}

// Rotation says what to rotate. Compromised keys are dropped at once.
type Rotation struct {
	Kind        Kind // Signing or Tag
	Compromised bool
}

// Rotated is what a rotation did.
type Rotated struct {
	Made    []Key // the new keys; SignsFrom says when they begin
	Old     []Key // those that signed before, and will until then, unless they were dropped
	Dropped []Key // untrusted from now on
}

// Rotate makes new keys of a kind. Planned, they are published now and sign only when everybody has them; the old ones
// are accepted until the last token they signed has ended, or as long as there are secrets with their tags. A second
// rotation before the first has come to its end is refused with problem.Conflict.
//
// Compromised, every key of the kind whose private half lies in the database is dropped: the one that signs, one that
// waits, and one that signed until just now, since whoever could read one of them could read all; of tag keys these are
// all there are. New keys sign at once (protocol.md §3.3, §10).
//
// It takes keys.manage.
func (k *Keeper) Rotate(ctx context.Context, actor access.Actor, r Rotation) (Rotated, error) {
	if r.Kind != Signing && r.Kind != Tag {
		return Rotated{}, fmt.Errorf("keyring: keys of the kind %q cannot be rotated", r.Kind)
	}
	act := audit.Act{
		Right: access.KeysManage, Action: "keys.rotate", Organisation: actor.Organisation,
		Target: audit.Target{Kind: "keys", ID: string(r.Kind), Label: string(r.Kind) + " keys"},
	}
	if r.Compromised {
		act.Action = "keys.drop"
	}
	if err := k.trail.Check(ctx, actor, act); err != nil {
		return Rotated{}, err
	}
	var made []fresh
	if r.Kind == Signing {
		var err error
		if made, err = k.ring.newSigningKeys(); err != nil { // before the transaction: it takes long
			return Rotated{}, err
		}
	}
	var done Rotated
	err := k.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		rows, err := lockRows(tx)
		if err != nil {
			return audit.Change{}, err
		}
		t := turn{tx: tx, master: k.ring.master, lines: lines(rows)}
		if r.Kind == Tag {
			id, err := freeTagID(t.lines[purposeTag])
			if err != nil {
				return audit.Change{}, err
			}
			made = []fresh{newTagKey(id)}
		}
		for _, f := range made {
			if err := t.replace(f, r.Compromised); err != nil {
				return audit.Change{}, err
			}
		}
		done = t.done
		return done.change(), nil
	})
	return done, err
}

// turn is a rotation under way.
type turn struct {
	tx     *database.Tx
	master *Master
	lines  map[string]line
	done   Rotated
}

// replace lets the new key take over from the one that signs in its line.
func (t *turn) replace(f fresh, compromised bool) error {
	keys, now := t.lines[f.row.Purpose], t.tx.Now()
	old, begins := keys.signer(now), now
	if old != nil {
		t.done.Old = append(t.done.Old, newKey(old, StateSigning))
	}
	var err error
	switch {
	case compromised:
		err = t.drop(keys)
	case old != nil:
		if next := keys.next(now); next != nil {
			from := next.begins().UTC().Format("2006-01-02 15:04:05 UTC") // as the command line prints when it succeeds
			return problem.New(problem.Conflict, "keys.pending", "Key", next.KeyID, "From", from)
		}
		begins = now.Add(waitOf(f.row.Purpose))
		err = t.supersede(old, begins)
	}
	if err != nil {
		return err
	}
	f.row.SignsFrom = &begins
	row, err := f.sealed(t.master)
	if err != nil {
		return err
	}
	if err := insertRow(t.tx, &row); err != nil {
		return err
	}
	t.done.Made = append(t.done.Made, newKey(&row, append(keys, &row).state(&row, now)))
	return nil
}

// supersede ends the time in which the key signs. One that signs before its time, after a clock was set back, has begun
// now.
func (t *turn) supersede(old *keyRow, until time.Time) error {
	key, err := old.open(t.master)
	if err != nil {
		return err
	}
	if now := t.tx.Now(); old.begins().After(now) {
		old.SignsFrom = &now
	}
	old.SignsUntil = &until
	if err := old.seal(t.master, key); err != nil {
		return err
	}
	return updateRow(t.tx, old)
}

// drop makes all keys of a line untrusted whose signatures or tags are still believed, and removes them from their rows.
// Those count that sign no more and were erased here, too: who read a key may have done so before, or from a backup.
func (t *turn) drop(keys line) error {
	for _, row := range keys {
		if row.State != StateSigning && row.State != StateAccepted {
			continue
		}
		if err := row.end(t.tx, t.master, StateUntrusted); err != nil {
			return err
		}
		t.done.Dropped = append(t.done.Dropped, newKey(row, StateUntrusted))
	}
	return nil
}

// end removes the key from the row and writes its new state. What the row says of it stays, sealed.
func (r *keyRow) end(tx *database.Tx, m *Master, state string) error {
	now := tx.Now()
	if r.EndedAt == nil {
		r.EndedAt = &now
	}
	r.State = state
	if err := r.seal(m, nil); err != nil {
		return err
	}
	return updateRow(tx, r)
}

func waitOf(purpose string) time.Duration {
	if purpose == purposeTag {
		return tagWait
	}
	return signWait
}

// tagIDs are the IDs of tag keys in the order in which they are given: the base62 digits (security.md §6.2).
const tagIDs = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0"

// freeTagID returns an ID that no tag key ever had: secrets carry it for as long as they live.
func freeTagID(keys line) (string, error) {
	used := map[string]bool{}
	for _, row := range keys {
		used[row.KeyID] = true
	}
	for _, id := range tagIDs {
		if !used[string(id)] {
			return string(id), nil
		}
	}
	return "", problem.New(problem.Conflict, "keys.tag_ids_spent")
}

// change is what the trail keeps of a rotation: the IDs of the keys by algorithm.
func (r Rotated) change() audit.Change {
	before, after := map[string]any{}, map[string]any{}
	for _, k := range r.Old {
		before[k.Algorithm] = k.ID
	}
	for _, k := range r.Made {
		after[k.Algorithm] = k.ID
		after["signs_from"] = k.SignsFrom.Format(time.RFC3339)
	}
	var dropped []string
	for _, k := range r.Dropped {
		dropped = append(dropped, k.ID)
	}
	if len(dropped) > 0 {
		after["dropped"] = dropped
	}
	return audit.Change{Before: before, After: after}
}

// Sweep removes the private halves of signing keys that will not sign again, and marks the keys whose tokens have all
// ended: from then on no clock brings them back. It writes only when there is something to do.
func (r *Ring) Sweep(ctx context.Context) error {
	set, now := r.known().keys, r.db.Now()
	if !due(set.lines, now) {
		return nil
	}
	return sweep(ctx, r.db, func(tx *database.Tx, rows []keyRow) error {
		of := lines(rows)
		for i := range rows {
			row := &rows[i]
			state, done := of[row.Purpose].overtaken(row, tx.Now())
			if !done {
				continue
			}
			if _, err := row.open(r.master); err != nil {
				return err
			}
			if err := row.end(tx, r.master, state); err != nil {
				return err
			}
		}
		return nil
	})
}

func due(of map[string]line, now time.Time) bool {
	for _, keys := range of {
		for _, row := range keys {
			if _, done := keys.overtaken(row, now); done {
				return true
			}
		}
	}
	return false
}
