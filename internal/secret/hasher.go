package secret

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"

	"credenza.example/credenza/internal/problem"
)

const (
	hashLength = 60
	hashPrefix = "$2a$"
	// costTime10 is the CPU time of one bcrypt at cost 10 as measured (security.md §6.1); each cost more doubles it.
	costTime10 = 97 * time.Millisecond
	// retryAfter is when a client that found the line full is asked to come again.
	retryAfter = time.Second
)

// Params are the costs of bcrypt. MinCost and MaxCost are the guard itself: no hash outside of them is made or
// compared. Only Cost may come from a setting; tests set all three to be quick.
type Params struct {
	Cost    int // of new hashes
	MinCost int
	MaxCost int
}

// DefaultParams returns cost 10, guarded to [10, 14] (product.md decision 5).
func DefaultParams() Params { return Params{Cost: 10, MinCost: 10, MaxCost: 14} }

func (p Params) validate() error {
	if p.MinCost < bcrypt.MinCost || p.MaxCost > 14 || p.Cost < p.MinCost || p.Cost > p.MaxCost {
		return fmt.Errorf("secret: bcrypt cost %d is not within %d and %d", p.Cost, p.MinCost, p.MaxCost)
	}
	return nil
}

// admits reports whether the stored hash is one that this product makes. A tampered cost is why this is asked first:
// bcrypt would run for days at $2a$31$.
func (p Params) admits(hash string) bool {
	if len(hash) != hashLength || !strings.HasPrefix(hash, hashPrefix) {
		return false
	}
	cost, err := bcrypt.Cost([]byte(hash))
	return err == nil && p.MinCost <= cost && cost <= p.MaxCost
}

// weak reports whether the hash was made at a lower cost than new ones are.
func (p Params) weak(hash string) bool {
	cost, err := bcrypt.Cost([]byte(hash))
	return err == nil && cost < p.Cost
}

// Hasher is the one place where bcrypt runs, for new secrets and, through a Verifier, for presented ones. It decides
// how many run at once and who waits. A process has one. It is safe for use by many goroutines.
type Hasher struct {
	params   Params
	clock    func() time.Time
	turns    *turns
	metrics  *metrics
	compared atomic.Uint64
	compare  func(hash, secret []byte) error // bcrypt's; tests hold it to fill the line
}

// NewHasher returns a hasher. The clock is the product's; the metrics of the whole package are registered with
// registry, or nowhere if it is nil. The error names a cost outside the guard or a second registration.
func NewHasher(params Params, clock func() time.Time, registry prometheus.Registerer) (*Hasher, error) {
	if err := params.validate(); err != nil {
		return nil, err
	}
	if clock == nil {
		return nil, errors.New("secret: a clock is needed")
	}
	// costTime10 × 2^(Cost-10), also for the lower costs of tests.
	assumed := (costTime10 << params.Cost) >> 10
	h := &Hasher{
		params:  params,
		clock:   clock,
		turns:   newTurns(max(1, runtime.GOMAXPROCS(0)-1), assumed),
		compare: bcrypt.CompareHashAndPassword,
	}
	h.metrics = newMetrics(h.turns.waiting)
	if err := h.metrics.register(registry); err != nil {
		return nil, err
	}
	return h, nil
}

// Hash returns the bcrypt hash of a secret that Keys.Make returned. It has a turn reserved beside the verifications,
// so a flood of those cannot stop it; it is to be called before the transaction that stores the hash. The error is
// problem.Unavailable when too many wait already or the context ends first.
func (h *Hasher) Hash(ctx context.Context, s Secret) (string, error) {
	return h.hash(ctx, s, lanePortal, useMake)
}

func (h *Hasher) hash(ctx context.Context, s Secret, in lane, use string) (string, error) {
	if _, err := Parse(s.Reveal()); err != nil {
		return "", fmt.Errorf("secret: only the secret of an app is hashed with bcrypt: %w", err)
	}
	asked := h.clock()
	turn, err := h.turns.take(ctx, in, "")
	if err != nil {
		return "", busy(err)
	}
	var hash []byte
	h.run(turn, use, asked, func() {
		hash, err = bcrypt.GenerateFromPassword([]byte(s.Reveal()), h.params.Cost)
	})
	if err != nil {
		return "", fmt.Errorf("secret: bcrypt: %w", err)
	}
	return string(hash), nil
}

// verify compares a presented secret of the client with the hash of its candidate, once it is the client's turn. It
// returns the gate that decided and nil, ErrWrong or problem.Unavailable.
func (h *Hasher) verify(ctx context.Context, a *attempt) (Gate, error) {
	if !h.params.admits(a.candidate.Hash) {
		return GateGuard, ErrWrong
	}
	in := laneNew
	if a.good {
		in = laneSeen
	}
	asked := h.clock()
	turn, err := h.turns.take(ctx, in, a.ClientID)
	if err != nil {
		return GateQueue, busy(err)
	}
	h.compared.Add(1)
	h.run(turn, useVerify, asked, func() {
		err = h.compare([]byte(a.candidate.Hash), []byte(a.Text))
	})
	switch {
	case err == nil:
		return GateHash, nil
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		return GateHash, ErrWrong
	default: // bcrypt cannot read the hash: it was not made here
		return GateGuard, ErrWrong
	}
}

// run runs bcrypt on a turn that was asked for at that time, measures it and ends the turn.
func (h *Hasher) run(turn *turn, use string, asked time.Time, hash func()) {
	started := h.clock()
	defer func() {
		took := h.clock().Sub(started)
		h.turns.done(turn, took)
		h.metrics.ran(use, turn.lane, started.Sub(asked), took)
	}()
	hash()
}

// busy is what a client or a person is told when bcrypt has no turn for them.
func busy(cause error) error {
	p := problem.Wrap(cause, problem.Unavailable, "secret.busy")
	p.RetryAfter = retryAfter
	return p
}
