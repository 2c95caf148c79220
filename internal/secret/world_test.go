package secret_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"

	"credenza.example/credenza/internal/secret"
)

// Two networks, as limit.Network writes them.
const (
	netA = "192.0.2.1/32"
	netB = "198.51.100.7/32"
)

// quick are the costs of tests: cost 4, the least there is.
func quick() secret.Params { return secret.Params{Cost: 4, MinCost: 4, MaxCost: 14} }

// world is an installation in memory: keys, a hasher, a verifier and the rows that a lookup reads.
type world struct {
	keys     *secret.Keys
	hasher   *secret.Hasher
	verifier *secret.Verifier

	mu      sync.Mutex
	rows    map[row]secret.Candidate
	lookups int
	reads   int // lookups that read anew
}

type row struct {
	clientID string
	slot     int
}

// newWorld takes params, a clock and a registry; the zero params mean quick, a nil clock one that stands still.
func newWorld(t testing.TB, params secret.Params, clock func() time.Time, registry prometheus.Registerer) *world {
	t.Helper()
	if params == (secret.Params{}) {
		params = quick()
	}
	if clock == nil {
		clock = stopped
	}
	hasher, err := secret.NewHasher(params, clock, registry)
	if err != nil {
		t.Fatalf("NewHasher: %v", err)
	}
	w := &world{keys: newKeys(t), hasher: hasher, rows: map[row]secret.Candidate{}}
	w.verifier = w.another(t)
	return w
}

// another returns a verifier with a cold cache, as another process has it.
func (w *world) another(t testing.TB) *secret.Verifier {
	t.Helper()
	return newVerifier(t, w.keys, w.hasher)
}

// always finds a secret with this hash, whatever the slot.
func (w *world) always(clientID, hash string) secret.Lookup {
	return func(context.Context, int, bool) (secret.Candidate, bool, error) {
		return secret.Candidate{CredentialID: clientID, Version: 1, Hash: hash}, true, nil
	}
}

func newVerifier(t testing.TB, keys *secret.Keys, hasher *secret.Hasher, options ...secret.Option) *secret.Verifier {
	t.Helper()
	v, err := secret.NewVerifier(keys, hasher, options...)
	if err != nil {
		t.Fatalf("NewVerifier: %v", err)
	}
	return v
}

// issue makes a secret of this generation, stores its hash and returns its text.
func (w *world) issue(t testing.TB, clientID string, generation int64) string {
	t.Helper()
	made := makeFor(t, w.keys, clientID, generation)
	hash, err := w.hasher.Hash(t.Context(), made.Secret)
	if err != nil {
		t.Fatalf("Hash: %v", err)
	}
	w.put(clientID, generation, hash)
	return made.Secret.Reveal()
}

// put stores a hash as the usable secret of this generation.
func (w *world) put(clientID string, generation int64, hash string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows[row{clientID, secret.SlotOf(generation)}] = secret.Candidate{
		CredentialID: clientID + "/" + string(digits[secret.SlotOf(generation)]), Version: generation, Hash: hash,
	}
}

// retire takes the usable secret of this generation away.
func (w *world) retire(clientID string, generation int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.rows, row{clientID, secret.SlotOf(generation)})
}

func (w *world) lookup(clientID string) secret.Lookup {
	return func(_ context.Context, slot int, again bool) (secret.Candidate, bool, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lookups++
		if again {
			w.reads++
		}
		c, ok := w.rows[row{clientID, slot}]
		return c, ok, nil
	}
}

// verify verifies where networks are not known, and so not limited.
func (w *world) verify(t testing.TB, clientID, presented string) (secret.Result, error) {
	t.Helper()
	return w.from(t, "", clientID, presented)
}

// from verifies what comes from a network.
func (w *world) from(t testing.TB, network, clientID, presented string) (secret.Result, error) {
	t.Helper()
	p := secret.Presented{ClientID: clientID, Text: presented, Network: network}
	return w.verifier.Verify(t.Context(), p, w.lookup(clientID))
}

// held is a bcrypt that waits until it is let go, and then says that the secret is right.
type held struct{ free chan struct{} }

// hold puts a held bcrypt in place, with one slot.
func (w *world) hold() *held {
	h := &held{free: make(chan struct{})}
	w.hasher.SetSlots(1)
	w.hasher.SetCompare(func(_, _ []byte) error { <-h.free; return nil })
	return h
}

// one lets one hash end, all lets all go on.
func (h *held) one() { h.free <- struct{}{} }
func (h *held) all() { close(h.free) }

// anyHash is a hash of the form of this cost; with a held bcrypt it matches everything.
func anyHash(t testing.TB, cost string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("x"), 4)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(hash), "$04$", "$"+cost+"$", 1)
}

// pretend puts something quick in bcrypt's place, so that a test of many steps does not spend its time there. It returns
// a function that stores a secret's pretended hash.
func (w *world) pretend() (issue func(t testing.TB, clientID string, generation int64) string) {
	hashOf := func(text []byte) string {
		return "$2a$04$" + fmt.Sprintf("%x", sha256.Sum256(text))[:53]
	}
	w.hasher.SetCompare(func(hash, text []byte) error {
		runtime.Gosched() // others come meanwhile, as they do during bcrypt
		if hashOf(text) != string(hash) {
			return bcrypt.ErrMismatchedHashAndPassword
		}
		return nil
	})
	return func(t testing.TB, clientID string, generation int64) string {
		t.Helper()
		text := makeFor(t, w.keys, clientID, generation).Secret.Reveal()
		w.put(clientID, generation, hashOf([]byte(text)))
		return text
	}
}
