package keyring

import (
	"context"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

const (
	// reloadTimeout bounds how long a caller waits for the database when keys changed.
	reloadTimeout = 2 * time.Second
	// reloadPause is the time after a failed reading in which nobody reads again.
	reloadPause = time.Second
	// followEvery is how late Follow may notice a key's turn.
	followEvery = time.Second
)

// ErrWrongMaster says that the database was sealed by another master key.
var ErrWrongMaster = errors.New("the master key does not belong to this database: put back the key file that does, " +
	"or check CREDENZA_DATABASE_URL and CREDENZA_MASTER_KEY_FILE")

// ErrIncomplete says that the table keys holds some keys and lacks others, which no version of the product leaves
// behind.
var ErrIncomplete = errors.New("keys are missing from the database: restore it from a backup")

// Ring holds the keys of one database. It is safe for use by many goroutines and follows what other processes change:
// after news of a changed key the next call reads the keys again. Should that fail, the failure is logged and the known
// keys serve on for sealing and for what is shown; who signs or believes a signature asks Fresh first. Which key signs
// and which verify changes with time; each call asks the clock.
type Ring struct {
	hidden

	db      *database.DB
	master  *Master
	log     *slog.Logger
	makeRSA func() (*rsa.PrivateKey, error)

	now   atomic.Pointer[view]
	news  atomic.Uint64 // how often keys may have changed
	heard chan struct{} // wakes Follow

	reloading sync.Mutex
	pause     time.Time // no reload before, after one failed
}

// Option changes how a ring is made.
type Option func(*Ring)

// WithRSA makes RSA keys in another way than by searching for primes for some tenths of a second, which a test would do
// for every database. nil is the usual way.
func WithRSA(generate func() (*rsa.PrivateKey, error)) Option {
	return func(r *Ring) {
		if generate != nil {
			r.makeRSA = generate
		}
	}
}

// Open opens the keys of a migrated database. In an empty table it makes the first set, and in one from before there
// were RS256 keys the first of them; two processes that do so at once end with the same keys. A wrong master key is
// refused with ErrWrongMaster and an incomplete table with ErrIncomplete, before anything is written.
func Open(ctx context.Context, db *database.DB, master *Master, log *slog.Logger, options ...Option) (*Ring, error) {
	r := &Ring{db: db, master: master, log: log, makeRSA: generateRSA, heard: make(chan struct{}, 1)}
	for _, change := range options {
		change(r)
	}
	empty, err := noKeys(ctx, db)
	if err == nil && empty {
		err = r.makeFirst(ctx)
	}
	if err != nil {
		return nil, err
	}
	db.Feed().Subscribe(r.hear) // before reading, so that no change falls between the two
	keys, err := r.read(ctx)
	if err == nil && keys.lines[purposeRSA].signer(db.Now()) == nil {
		keys, err = r.makeMissing(ctx)
	}
	if err != nil {
		return nil, err
	}
	r.now.Store(keys.at(db.Now()))
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

func (r *Ring) makeFirst(ctx context.Context) error {
	rows, err := r.newRows()
	if err != nil {
		return err
	}
	return insertFirst(ctx, r.db, rows)
}

// makeMissing makes the RS256 key that a database from before has not got, and reads the keys again.
func (r *Ring) makeMissing(ctx context.Context) (*keySet, error) {
	made, err := r.newRSAKey()
	if err != nil {
		return nil, err
	}
	row, err := made.sealed(r.master)
	if err != nil {
		return nil, err
	}
	if err := insertMissing(ctx, r.db, row); err != nil {
		return nil, err
	}
	return r.read(ctx)
}

// hear is told by the change feed what changed; nil means that anything may have.
func (r *Ring) hear(changes []database.Change) {
	about := func(c database.Change) bool { return c.Topic == database.TopicKey }
	if changes != nil && !slices.ContainsFunc(changes, about) {
		return
	}
	r.news.Add(1)
	select {
	case r.heard <- struct{}{}:
	default: // one is waiting already
	}
}

// Fresh returns nil when the ring knows every change of keys that is older than the stale bound, and problem.Unavailable
// when it cannot know (protocol.md §2). Who signs, or believes a signature, asks first: of a key that was given up
// because others know it, an outage of the database must make no good one.
func (r *Ring) Fresh(ctx context.Context) error {
	if err := r.db.Feed().Fresh(ctx); err != nil {
		return err
	}
	if news := r.news.Load(); r.known().keys.news < news {
		return &problem.Error{
			Code: problem.Unavailable, Key: "problem.unavailable", RetryAfter: reloadPause,
			Err: errors.New("keys changed and cannot be read"),
		}
	}
	return nil
}

// known returns the view made last, of keys that were read again if they may have changed. Its time may be over.
func (r *Ring) known() *view {
	v := r.now.Load()
	if v.keys.news == r.news.Load() {
		return v
	}
	return r.reload()
}

// current returns what the keys are good for now. Most calls take two loads and a look at the clock; the first one
// after a key's turn works out the next view.
func (r *Ring) current() *view {
	v, now := r.known(), r.db.Now()
	for !v.holds(now) {
		next := v.keys.at(now)
		if r.now.CompareAndSwap(v, next) {
			return next
		}
		v = r.now.Load()
	}
	return v
}

// reload reads the keys again, unless somebody just did or just failed to. Callers wait for each other: while one reads,
// nobody uses keys of which it is known that they may be old.
func (r *Ring) reload() *view {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	known, now := r.now.Load(), r.db.Now()
	wait := r.pause.Sub(now)
	if known.keys.news == r.news.Load() || (wait > 0 && wait <= reloadPause) { // a longer wait: the clock was set back
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
	v := keys.at(now)
	r.now.Store(v)
	return v
}

// Follow calls act at once and then whenever the keys are good for something else, because a process changed them or
// because of the time, until the context ends. One caller at a time.
func (r *Ring) Follow(ctx context.Context, act func()) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	var last *view
	for {
		if v := r.current(); v != last {
			last = v
			act()
		}
		select {
		case <-ctx.Done():
			return
		case <-r.heard:
		case <-tick.C:
		}
	}
}

// Seal encrypts plaintext for storage and binds it to associated, which Unseal must be given again; build it with
// Associated. The result is text and differs each time.
func (r *Ring) Seal(plaintext []byte, associated string) (string, error) {
	return seal(r.known().keys.data, plaintext, associated)
}

// Unseal opens what Seal sealed with the same associated value. Any other value is ErrSealed, which never comes with a
// part of the plaintext (C68).
func (r *Ring) Unseal(sealed, associated string) ([]byte, error) {
	return unseal(r.known().keys.data, sealed, associated)
}

// TagKeys returns the keys for tags inside client secrets, oldest first; one is StateSigning.
func (r *Ring) TagKeys() []TagKey { return r.current().tagKeys() }

// Signer returns the key that signs access tokens now.
func (r *Ring) Signer() SigningKey { return r.current().signer }

// Verification returns the public key with this ID, if access tokens signed by it are to be accepted. That is never an
// RS256 key: no API asks for such tokens, so none are issued (protocol.md §1.7).
func (r *Ring) Verification(keyID string) (VerificationKey, bool) {
	k, ok := r.current().verify[keyID]
	return k, ok
}

// JWKS returns the public keys that verify what this installation signs or is about to sign: ES256 ones, then RS256 ones,
// oldest first (RFC 7517; members kty, crv, x, y or n, e, kid, use and alg only, C42). It may be kept for CacheFor. The
// set is shared: do not change it.
func (r *Ring) JWKS() jose.JSONWebKeySet { return r.current().public }

// MAC returns 32 bytes that only this installation can make for the data and the purpose: HMAC-SHA256 over both, the
// purpose preceded by its length. Compare with hmac.Equal.
func (r *Ring) MAC(purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, r.known().keys.mac)
	_, _ = io.WriteString(h, Associated(purpose)) // a hash never fails to write
	_, _ = h.Write(data)
	return h.Sum(nil)
}
