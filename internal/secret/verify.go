package secret

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/singleflight"

	"credenza.example/credenza/internal/problem"
)

// ErrWrong is the one answer to every secret that is not accepted: no format, another client's, none usable in its
// slot, wrong. Its code is problem.Unauthenticated. Compare with errors.Is.
var ErrWrong error = problem.New(problem.Unauthenticated, "secret.wrong")

// Gate names where a verification was decided. It is for logs and metrics, never for the client.
type Gate string

// The gates, in order; package comment.
const (
	GateShape   Gate = "shape"   // refused: not the format
	GateTag     Gate = "tag"     // refused: not made for this client, or by a key that we do not have
	GateLookup  Gate = "lookup"  // refused: no usable secret in the slot, or no such client; or the lookup failed
	GateCache   Gate = "cache"   // accepted without bcrypt
	GateQueue   Gate = "queue"   // not decided: no turn at bcrypt, or the caller left
	GateGuard   Gate = "guard"   // refused: the stored hash is not one that we make. Somebody changed the row
	GateHash    Gate = "hash"    // accepted or refused by bcrypt. Refused here: an old or stolen secret, or a leaked tag key
	GateRecheck Gate = "recheck" // refused: no longer usable when bcrypt had ended; or the lookup failed
)

// Candidate is the stored secret that a presented one is compared with.
type Candidate struct {
	CredentialID string // the secret's row
	Version      int64  // changes whenever the hash is another secret's
	Hash         string // bcrypt
}

// Lookup returns the usable secret of the client in the slot (SlotOf its generation). ok is false if there is none or
// no such client. Usable means not ended, retired or leaked; whether the app is active is asked after Verify. It is
// called again after bcrypt, so it must return the state of that moment. An error is handed on as it is.
type Lookup func(ctx context.Context, slot int) (candidate Candidate, ok bool, err error)

// Result is how a verification ended.
type Result struct {
	CredentialID string // the secret that was presented; only when accepted
	Gate         Gate   // which gate decided
}

// Verifier judges presented secrets. It is safe for use by many goroutines.
type Verifier struct {
	keys    *Keys
	hasher  *Hasher
	cache   *cache
	flights singleflight.Group
}

// NewVerifier returns a verifier with an empty cache that takes its turns at bcrypt from the hasher.
func NewVerifier(keys *Keys, hasher *Hasher) (*Verifier, error) {
	if keys == nil || hasher == nil {
		return nil, errors.New("secret: a verifier needs keys and a hasher")
	}
	c, err := newCache(hasher.clock)
	if err != nil {
		return nil, fmt.Errorf("secret: cache: %w", err)
	}
	return &Verifier{keys: keys, hasher: hasher, cache: c}, nil
}

// Bcrypts returns how often bcrypt has run to verify a secret since the hasher was made; those of new secrets are not
// counted. Tests assert with it that a refusal was cheap.
func (v *Verifier) Bcrypts() uint64 { return v.hasher.compared.Load() }

// Verify judges the secret that a client presented. A nil error means that it is the client's, matches and is usable;
// whether the app may act is still to be asked, from the state of now. Otherwise the error is ErrWrong,
// problem.Unavailable with RetryAfter when bcrypt had no turn or ctx ended first, or the error of the lookup.
func (v *Verifier) Verify(ctx context.Context, clientID, presented string, lookup Lookup) (Result, error) {
	result, err := v.judge(ctx, clientID, presented, lookup)
	outcome := outcomeAccepted
	if err != nil {
		result.CredentialID = ""
		outcome = outcomeUnavailable
		if errors.Is(err, ErrWrong) {
			outcome = outcomeRefused
		}
	}
	v.hasher.metrics.verified(result.Gate, outcome)
	return result, err
}

func (v *Verifier) judge(ctx context.Context, clientID, presented string, lookup Lookup) (Result, error) {
	parsed, err := Parse(presented)
	if err != nil {
		return Result{Gate: GateShape}, ErrWrong
	}
	switch v.keys.Check(clientID, parsed) {
	case TagValid, TagSkipped:
	case TagWrong, TagUnknownKey:
		return Result{Gate: GateTag}, ErrWrong
	}
	candidate, ok, err := lookup(ctx, parsed.Slot)
	if err != nil {
		return Result{Gate: GateLookup}, err
	}
	if !ok {
		return Result{Gate: GateLookup}, ErrWrong
	}
	key := v.cache.keyOf(candidate, presented)
	hit := v.cache.holds(key)
	v.hasher.metrics.looked(hit)
	if hit {
		return Result{CredentialID: candidate.CredentialID, Gate: GateCache}, nil
	}
	if gate, err := v.hash(ctx, key, attempt{clientID, presented, candidate}); err != nil {
		return Result{Gate: gate}, err
	}
	return recheck(ctx, parsed.Slot, candidate, lookup)
}

// attempt is what bcrypt is asked about.
type attempt struct {
	clientID  string
	presented string
	candidate Candidate
}

// hash asks bcrypt, once for all identical attempts that meet. The work goes on when the caller leaves: others may be
// waiting for it. A failure is forgotten at once, so that nobody who comes later inherits it.
func (v *Verifier) hash(ctx context.Context, key cacheKey, a attempt) (Gate, error) {
	flight := string(key[:])
	done := v.flights.DoChan(flight, func() (any, error) {
		if v.cache.holds(key) { // another flight landed between the caller's look into the cache and this one's start
			return GateHash, nil
		}
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestWait)
		defer cancel()
		gate, err := v.hasher.verify(own, a.clientID, a.candidate.Hash, a.presented)
		if err != nil {
			v.flights.Forget(flight)
			return gate, err
		}
		v.cache.add(key)
		return gate, nil
	})
	select {
	case r := <-done:
		gate, _ := r.Val.(Gate)
		return gate, r.Err
	case <-ctx.Done():
		return GateQueue, busy(context.Cause(ctx))
	}
}

// recheck reads the state again after the time that bcrypt took (protocol.md §2): a secret that was retired or
// replaced meanwhile is not accepted.
func recheck(ctx context.Context, slot int, matched Candidate, lookup Lookup) (Result, error) {
	now, ok, err := lookup(ctx, slot)
	if err != nil {
		return Result{Gate: GateRecheck}, err
	}
	if !ok || now.CredentialID != matched.CredentialID || now.Version != matched.Version {
		return Result{Gate: GateRecheck}, ErrWrong
	}
	return Result{CredentialID: matched.CredentialID, Gate: GateHash}, nil
}
