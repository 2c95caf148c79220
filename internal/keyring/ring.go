package keyring

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/tink-crypto/tink-go/v2/tink"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

const (
	// reloadTimeout bounds how long a caller waits for the database when keys changed.
	reloadTimeout = 2 * time.Second
	// reloadPause is the time after a failed reading in which nobody reads again.
	reloadPause = time.Second
)

// ErrWrongMaster says that the database was sealed by another master key.
var ErrWrongMaster = errors.New("the master key does not belong to this database: put back the key file that does, " +
	"or check CREDENZA_DATABASE_URL and CREDENZA_MASTER_KEY_FILE")

// ErrIncomplete says that the table keys holds some keys and lacks others, which no version of the product leaves
// behind.
var ErrIncomplete = errors.New("keys are missing from the database: restore it from a backup")

// Ring holds the keys of one database. It is safe for use by many goroutines and follows what other processes change:
// after news of a changed key the next call reads the keys again. Should that fail, the failure is logged and the known
// keys serve on for sealing and for what is shown; who signs or believes a signature asks Fresh first.
type Ring struct {
	hidden

	db     *database.DB
	master *Master
	log    *slog.Logger

	keys atomic.Pointer[keySet]
	news atomic.Uint64 // how often keys may have changed

	reloading sync.Mutex
	pause     time.Time // no reload before, after one failed
}

// keySet is what the table holds, opened; never changed once made.
type keySet struct {
	news   uint64 // Ring.news when it was read
	data   tink.AEAD
	mac    []byte
	tags   []TagKey
	signer SigningKey
	verify map[string]VerificationKey
	public jose.JSONWebKeySet
}

// Open opens the keys of a migrated database. In an empty table it makes the first set; two processes that do so at
// once end with the same one. A wrong master key is refused with ErrWrongMaster and an incomplete table with
// ErrIncomplete, before anything is written.
func Open(ctx context.Context, db *database.DB, master *Master, log *slog.Logger) (*Ring, error) {
	empty, err := noKeys(ctx, db)
	if err == nil && empty {
		err = makeFirst(ctx, db, master)
	}
	if err != nil {
		return nil, err
	}
	r := &Ring{db: db, master: master, log: log}
	db.Feed().Subscribe(r.heard) // before reading, so that no change falls between the two
	keys, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	r.keys.Store(keys)
	return r, nil
}

func (r *Ring) read(ctx context.Context) (*keySet, error) {
	news := r.news.Load() // before reading: what changes meanwhile makes the set an old one
	rows, err := loadRows(ctx, r.db)
	if err != nil {
		return nil, err
	}
	keys, err := openRows(r.master, rows)
	if err != nil {
		return nil, err
	}
	keys.news = news
	return keys, nil
}

func makeFirst(ctx context.Context, db *database.DB, master *Master) error {
	rows, err := newRows(master)
	if err != nil {
		return err
	}
	return insertFirst(ctx, db, rows)
}

// openRows opens every row. The key check comes first, so that a wrong master key is called by its name.
func openRows(m *Master, rows []keyRow) (*keySet, error) {
	check := false
	for i := range rows {
		if rows[i].Purpose != purposeCheck {
			continue
		}
		text, err := unseal(m.aead, rows[i].Sealed, rows[i].associated())
		if err != nil || string(text) != checkText {
			return nil, ErrWrongMaster
		}
		check = true
	}
	if !check {
		return nil, ErrIncomplete
	}
	keys := &keySet{verify: map[string]VerificationKey{}}
	for i := range rows {
		if err := keys.add(m, &rows[i]); err != nil {
			return nil, err
		}
	}
	if keys.data == nil || keys.mac == nil || keys.signer.Key == nil || !keys.signsTags() {
		return nil, ErrIncomplete
	}
	return keys, nil
}

func (k *keySet) add(m *Master, row *keyRow) error {
	plain, err := unseal(m.aead, row.Sealed, row.associated())
	if err != nil {
		return fmt.Errorf("key %s of purpose %s was changed in the database: %w", row.KeyID, row.Purpose, err)
	}
	switch row.Purpose {
	case purposeData:
		k.data, err = parseDataKey(plain)
	case purposeMAC:
		if row.State == StateSigning {
			k.mac = plain
		}
	case purposeTag:
		if len(row.KeyID) != 1 {
			return fmt.Errorf("the ID of tag key %q is not one character", row.KeyID)
		}
		k.tags = append(k.tags, TagKey{ID: row.KeyID[0], State: row.State, Key: plain})
	case purposeSigning:
		err = k.addSigning(row, plain)
	default: // the key check, and what a newer version may keep here
	}
	return err
}

func (k *keySet) addSigning(row *keyRow, der []byte) error {
	key, err := parseSigningKey(row, der)
	if err != nil || row.State == StateUntrusted {
		return err
	}
	if row.State == StateSigning {
		k.signer = key
	}
	k.verify[key.KeyID] = VerificationKey{KeyID: key.KeyID, Algorithm: key.Algorithm, Key: &key.Key.PublicKey}
	k.public.Keys = append(k.public.Keys, publicJWK(key.KeyID, &key.Key.PublicKey))
	return nil
}

func (k *keySet) signsTags() bool {
	for i := range k.tags {
		if k.tags[i].State == StateSigning {
			return true
		}
	}
	return false
}

// heard is told by the change feed what changed; nil means that anything may have.
func (r *Ring) heard(changes []database.Change) {
	about := func(c database.Change) bool { return c.Topic == database.TopicKey }
	if changes == nil || slices.ContainsFunc(changes, about) {
		r.news.Add(1)
	}
}

// Fresh returns nil when the ring knows every change of keys that is older than the stale bound, and problem.Unavailable
// when it cannot know (protocol.md §2). Who signs, or believes a signature, asks first: of a key that was given up
// because others know it, an outage of the database must make no good one.
func (r *Ring) Fresh(ctx context.Context) error {
	if err := r.db.Feed().Fresh(ctx); err != nil {
		return err
	}
	if news := r.news.Load(); r.current().news < news {
		return &problem.Error{
			Code: problem.Unavailable, Key: "problem.unavailable", RetryAfter: reloadPause,
			Err: errors.New("keys changed and cannot be read"),
		}
	}
	return nil
}

// current returns the keys, read again if they may have changed.
func (r *Ring) current() *keySet {
	keys := r.keys.Load()
	if keys.news == r.news.Load() {
		return keys
	}
	return r.reload()
}

// reload reads the keys again, unless somebody just did or just failed to. Callers wait for each other: while one reads,
// nobody uses keys of which it is known that they may be old.
func (r *Ring) reload() *keySet {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	known, now := r.keys.Load(), r.db.Now()
	wait := r.pause.Sub(now)
	if known.news == r.news.Load() || (wait > 0 && wait <= reloadPause) { // a longer wait: the clock was set back
		return known
	}
	ctx, cancel := context.WithTimeout(context.Background(), reloadTimeout)
	defer cancel()
	keys, err := r.read(ctx)
	if err != nil {
		r.log.Error("reading the keys again; the known ones serve on", "error", err)
		r.pause = now.Add(reloadPause)
		return known
	}
	r.keys.Store(keys)
	return keys
}

// Seal encrypts plaintext for storage and binds it to associated, which Unseal must be given again; build it with
// Associated. The result is text and differs each time.
func (r *Ring) Seal(plaintext []byte, associated string) (string, error) {
	return seal(r.current().data, plaintext, associated)
}

// Unseal opens what Seal sealed with the same associated value. Any other value is ErrSealed, which never comes with a
// part of the plaintext (C68).
func (r *Ring) Unseal(sealed, associated string) ([]byte, error) {
	return unseal(r.current().data, sealed, associated)
}

// TagKeys returns the keys for tags inside client secrets, oldest first; at least one is StateSigning.
func (r *Ring) TagKeys() []TagKey {
	known := r.current().tags
	keys := make([]TagKey, 0, len(known))
	for _, k := range known {
		keys = append(keys, TagKey{ID: k.ID, State: k.State, Key: bytes.Clone(k.Key)})
	}
	return keys
}

// Signer returns the key that signs access tokens now.
func (r *Ring) Signer() SigningKey { return r.current().signer }

// Verification returns the public key with this ID, if tokens signed by it are to be accepted.
func (r *Ring) Verification(keyID string) (VerificationKey, bool) {
	k, ok := r.current().verify[keyID]
	return k, ok
}

// JWKS returns the public keys that verify access tokens, oldest first (RFC 7517; members kty, crv, x, y, kid, use and
// alg only, C42). The set is shared: do not change it.
func (r *Ring) JWKS() jose.JSONWebKeySet { return r.current().public }

// MAC returns 32 bytes that only this installation can make for the data and the purpose: HMAC-SHA256 over both, the
// purpose preceded by its length. Compare with hmac.Equal.
func (r *Ring) MAC(purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, r.current().mac)
	_, _ = io.WriteString(h, Associated(purpose)) // a hash never fails to write
	_, _ = h.Write(data)
	return h.Sum(nil)
}
