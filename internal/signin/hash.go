package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"credenza.example/credenza/internal/problem"
)

// Params are the costs of argon2id: memory in KiB, passes over it, lanes.
type Params struct {
	Memory  uint32
	Time    uint32
	Threads uint8
}

// DefaultParams are 19 MiB, two passes, one lane: about 43 ms of CPU time (security.md §5).
func DefaultParams() Params { return Params{Memory: 19 * 1024, Time: 2, Threads: 1} }

const (
	saltLength = 16
	keyLength  = 32
	// queue is how many may wait per slot, and patience how long: beyond either, signing in is refused as busy rather
	// than left hanging.
	queue    = 64
	patience = 5 * time.Second
)

// The largest costs that a stored hash may ask for. A row that asks for more was tampered with, and would stop the
// process instead of one person.
const (
	maxMemory  = 256 * 1024
	maxTime    = 16
	maxThreads = 8
)

var errHash = errors.New("a stored password hash is not one this product makes")

// hasher makes and checks password hashes, a few at a time: each takes its memory.
type hasher struct {
	params  Params
	slots   chan struct{}
	waiting atomic.Int64
	hashes  atomic.Int64
	nobody  string
}

func newHasher(params Params) (*hasher, error) {
	if !params.bearable() {
		return nil, fmt.Errorf("password hashing cannot cost %+v", params)
	}
	h := &hasher{params: params, slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))}
	// What a password is compared with when there is none: no password can match a key drawn by lot.
	h.nobody = encode(params, random(saltLength), random(keyLength))
	return h, nil
}

// bearable reports whether a hash of this cost can be computed while somebody waits.
func (p Params) bearable() bool {
	return p.Threads >= 1 && p.Threads <= maxThreads && p.Time >= 1 && p.Time <= maxTime &&
		p.Memory >= 8*uint32(p.Threads) && p.Memory <= maxMemory
}

// hash returns the hash of a password in PHC form.
func (h *hasher) hash(ctx context.Context, password Secret) (string, error) {
	salt := random(saltLength)
	key, err := h.key(ctx, password, salt, h.params)
	if err != nil {
		return "", err
	}
	return encode(h.params, salt, key), nil
}

// verify reports whether the password made the hash. An empty hash takes as long as any other and matches nothing.
func (h *hasher) verify(ctx context.Context, phc string, password Secret) (bool, error) {
	if phc == "" {
		phc = h.nobody
	}
	params, salt, want, err := decode(phc)
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, password, salt, params)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got[:len(want)], want) == 1, nil
}

// key waits for a slot and computes. The whole password counts, every byte as it was sent (C45).
func (h *hasher) key(ctx context.Context, password Secret, salt []byte, p Params) ([]byte, error) {
	if err := h.acquire(ctx); err != nil {
		return nil, err
	}
	defer func() { <-h.slots }()
	h.hashes.Add(1)
	return argon2.IDKey([]byte(password.Reveal()), salt, p.Time, p.Memory, p.Threads, keyLength), nil
}

func (h *hasher) acquire(ctx context.Context) error {
	busy := &problem.Error{Code: problem.Unavailable, Key: "signin.busy", RetryAfter: time.Second}
	if h.waiting.Add(1) > int64(queue*cap(h.slots)) {
		h.waiting.Add(-1)
		return busy
	}
	defer h.waiting.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		busy.Err = ctx.Err()
		return busy
	}
}

func encode(p Params, salt, key []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.Memory, p.Time, p.Threads, b.EncodeToString(salt), b.EncodeToString(key))
}

// decode reads a hash in PHC form. Only what encode writes is taken.
func decode(phc string) (p Params, salt, key []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return Params{}, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil {
		return Params{}, nil, nil, errHash
	}
	b := base64.RawStdEncoding.Strict()
	salt, err1 := b.DecodeString(parts[4])
	key, err2 := b.DecodeString(parts[5])
	if errors.Join(err1, err2) != nil || !p.bearable() || len(salt) != saltLength || len(key) != keyLength || encode(p, salt, key) != phc {
		return Params{}, nil, nil, errHash
	}
	return p, salt, key, nil
}

// random returns n bytes of randomness. crypto/rand ends the process rather than return fewer.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // documented never to fail
	return b
}
