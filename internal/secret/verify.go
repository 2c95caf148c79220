package secret

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

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
	GateShape           Gate = "shape"            // refused: not the format
	GateTag             Gate = "tag"              // refused: not made for this client, or by a key that we do not have
	GateLookup          Gate = "lookup"           // refused: no usable secret in the slot, or no such client; or the lookup failed
	GateCache           Gate = "cache"            // accepted without bcrypt
	GateLimitNetwork    Gate = "limit_network"    // limited: too many failures from the network. This is another one, or of a skipped tag
	GateLimitCredential Gate = "limit_credential" // limited: too many with a right tag and a wrong secret
	GateNegative        Gate = "negative"         // refused: bcrypt refused the same a moment ago
	GateQueue           Gate = "queue"            // not decided: no turn at bcrypt, or the caller left
	GateGuard           Gate = "guard"            // refused: the stored hash is not one that we make. Somebody changed the row
	GateHash            Gate = "hash"             // accepted or refused by bcrypt. Refused here: an old or stolen secret, or a leaked tag key
	GateRecheck         Gate = "recheck"          // refused: no longer usable when bcrypt had ended; or the lookup failed
)

// Presented is what a client presented. However it is printed or logged, the text is not shown.
type Presented struct {
	ClientID string
	Text     string // what is said to be the secret
	Network  string // where from (limit.Network); "" where that is not known: then nothing goes by network
}

// Format writes the client ID and the network for every verb.
func (p Presented) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%.40q from %s %s", p.ClientID, p.Network, redacted) // as package fmt does with its own errors
}

// MarshalText returns what Format writes, for JSON and every other format.
func (p Presented) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(p)), nil }

// LogValue returns what Format writes.
func (p Presented) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// Candidate is the stored secret that a presented one is compared with.
type Candidate struct {
	CredentialID string // the secret's row
	Version      int64  // changes whenever the hash is another secret's
	Hash         string // bcrypt
}

// Lookup returns the usable secret of the client in the slot (SlotOf its generation). ok is false if there is none or
// no such client. Usable means not ended, retired or leaked; whether the app is active is asked after Verify. Without
// again it answers from the state at hand, which is as fresh as decisions must be. With again it was found to know no
// secret in the slot, and reads it anew before it says so another time (protocol.md §2). It is called once more after
// bcrypt, so it must return the state of that moment. An error is handed on as it is.
type Lookup func(ctx context.Context, slot int, again bool) (candidate Candidate, ok bool, err error)

// Result is how a verification ended.
type Result struct {
	CredentialID string // the secret that was presented; only when accepted
	Gate         Gate   // which gate decided
}

// Verifier judges presented secrets. It is safe for use by many goroutines.
type Verifier struct {
	keys     *Keys
	hasher   *Hasher
	keyer    *keyer
	accepted *cache
	refused  *cache
	marks    marks
	seen     *seen
	limits   *limits
	flights  singleflight.Group
	rehashes *rehashes
	blind    bool
}

// Option is a choice about a verifier.
type Option func(*Verifier)

// WithoutNetworks has a verifier take all clients for those of one unknown network: where a proxy stands in front whose
// word about addresses is not believed, they all come from its address. No network is limited or goes first then.
func WithoutNetworks() Option { return func(v *Verifier) { v.blind = true } }

// NewVerifier returns a verifier that has seen nothing yet and takes its turns at bcrypt from the hasher.
func NewVerifier(keys *Keys, hasher *Hasher, options ...Option) (*Verifier, error) {
	if keys == nil || hasher == nil {
		return nil, errors.New("secret: a verifier needs keys and a hasher")
	}
	v := &Verifier{keys: keys, hasher: hasher, keyer: newKeyer(), marks: newMarks(), rehashes: newRehashes()}
	var errs [4]error
	v.accepted, errs[0] = newCache(acceptedSize, acceptedLife, acceptedJitter, hasher.clock)
	v.refused, errs[1] = newCache(refusedSize, refusedLife, 0, hasher.clock)
	v.seen, errs[2] = newSeen(v.marks, hasher.clock)
	v.limits, errs[3] = newLimits(v.marks, hasher.clock)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("secret: verifier: %w", err)
	}
	for _, option := range options {
		option(v)
	}
	return v, nil
}

// Bcrypts returns how often bcrypt has run to verify a secret since the hasher was made; those of new secrets are not
// counted. Tests assert with it that a refusal was cheap.
func (v *Verifier) Bcrypts() uint64 { return v.hasher.compared.Load() }

// Verify judges the secret that a client presented. A nil error means that it is the client's, matches and is usable;
// whether the app may act is still to be asked, from the state of now. Otherwise the error is ErrWrong,
// problem.Limited with RetryAfter in whole seconds when there were too many failures before, problem.Unavailable with
// RetryAfter when bcrypt had no turn or ctx ended first, or the error of the lookup.
func (v *Verifier) Verify(ctx context.Context, p Presented, lookup Lookup) (Result, error) {
	if v.blind {
		p.Network = ""
	}
	result, err := v.judge(ctx, p, lookup)
	if err != nil {
		result.CredentialID = ""
	}
	v.hasher.metrics.verified(result.Gate, outcomeOf(err))
	return result, err
}

// attempt is a secret with a tag that is right, or that says nothing.
type attempt struct {
	Presented

	slot      int
	skipped   bool // the tag is of a key that is not trusted
	good      bool // the client was seen good in this network
	candidate Candidate
	key       cacheKey
}

// slotKey and callerKey are the keys of bucket B. Neither a slot's digit nor a network holds a NUL, so they stay apart
// whatever the client ID holds.
func (a *attempt) slotKey() string   { return a.ClientID + "\x00" + string(alphabet[a.slot]) }
func (a *attempt) callerKey() string { return a.slotKey() + "\x00" + a.Network }

// judge passes what was presented through the gates up to the cache, which is as far as most go.
func (v *Verifier) judge(ctx context.Context, p Presented, lookup Lookup) (Result, error) {
	parsed, err := Parse(p.Text)
	if err != nil {
		return v.strange(p, GateShape)
	}
	verdict := v.keys.Check(p.ClientID, parsed)
	if verdict != TagValid && verdict != TagSkipped {
		return v.strange(p, GateTag)
	}
	candidate, ok, err := lookup(ctx, parsed.Slot, false)
	if err != nil {
		return Result{Gate: GateLookup}, err
	}
	a := attempt{Presented: p, slot: parsed.Slot, skipped: verdict == TagSkipped}
	if ok {
		a.candidate, a.key = candidate, v.keyer.keyOf(candidate, p.Text)
		known := v.accepted.get(a.key)
		v.hasher.metrics.looked(known != nil)
		if known != nil {
			v.welcome(p, known)
			return Result{CredentialID: candidate.CredentialID, Gate: GateCache}, nil
		}
	}
	return v.weigh(ctx, a, ok, lookup)
}

// strange answers what has not the shape or the tag of the client's secret, whoever sent it.
func (v *Verifier) strange(p Presented, gate Gate) (Result, error) {
	if wait := v.limits.strange(p); wait > 0 {
		return Result{Gate: GateLimitNetwork}, limited(wait)
	}
	return Result{Gate: gate}, ErrWrong
}

// welcome remembers that a client was seen good in a network. known is what is remembered of its secret, nil for
// nothing yet; as long as the client stays in one network, it saves asking the memory of them all.
func (v *Verifier) welcome(p Presented, known *entry) {
	if p.Network == "" {
		return
	}
	network := v.marks.of(p.Network)
	if known != nil && known.noted.Load() == network {
		return
	}
	v.seen.note(p.ClientID, network)
	if known != nil {
		known.noted.Store(network)
	}
}

// weigh goes on where an answer may cost a read or a bcrypt.
func (v *Verifier) weigh(ctx context.Context, a attempt, found bool, lookup Lookup) (Result, error) {
	a.good = v.seen.has(a.ClientID, a.Network)
	// Nobody was ever seen good with a secret of an empty slot. The old secret in a loop that somebody forgot about comes
	// from the client's own network.
	if !a.good || !found {
		if wait, gate := v.limits.wait(&a); wait > 0 {
			return Result{Gate: gate}, limited(wait)
		}
	}
	if !found {
		candidate, ok, err := lookup(ctx, a.slot, true)
		if err != nil {
			return Result{Gate: GateLookup}, err
		}
		if !ok {
			v.limits.failed(&a)
			return Result{Gate: GateLookup}, ErrWrong
		}
		a.candidate, a.key = candidate, v.keyer.keyOf(candidate, a.Text)
	}
	if v.refused.get(a.key) != nil {
		v.limits.failed(&a)
		return Result{Gate: GateNegative}, ErrWrong
	}
	gate, err := v.hash(ctx, &a)
	if err != nil {
		if gate == GateHash {
			v.limits.failed(&a)
		}
		return Result{Gate: gate}, err
	}
	result, err := recheck(ctx, a, lookup)
	if err == nil {
		v.welcome(a.Presented, nil)
	}
	return result, err
}

// hash asks bcrypt, once for all identical attempts that meet. The work goes on when the caller leaves: others may be
// waiting for it. A failure is forgotten at once, so that nobody who comes later inherits it; that bcrypt refused is
// remembered.
func (v *Verifier) hash(ctx context.Context, a *attempt) (Gate, error) {
	flight := string(a.key[:])
	done := v.flights.DoChan(flight, func() (any, error) {
		if v.accepted.get(a.key) != nil { // another flight landed between the caller's look into the cache and this one's start
			return GateHash, nil
		}
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestWait)
		defer cancel()
		gate, err := v.hasher.verify(own, a)
		if err != nil {
			if gate == GateHash {
				v.refused.add(a.key)
			}
			v.flights.Forget(flight)
			return gate, err
		}
		v.accepted.add(a.key)
		v.renew(a)
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

// renew has an accepted secret hashed again where the hash is of a lower cost than new ones, later and elsewhere.
func (v *Verifier) renew(a *attempt) {
	if !v.hasher.params.weak(a.candidate.Hash) {
		return
	}
	full := v.rehashes.offer(rehash{
		clientID: a.ClientID, secret: newSecret(a.Text), candidate: a.candidate,
		until: v.hasher.clock().Add(rehashLife),
	})
	if full {
		v.hasher.metrics.rehashed(rehashDropped)
	}
}

// recheck reads the state again after the time that bcrypt took (protocol.md §2): a secret that was retired or
// replaced meanwhile is not accepted.
func recheck(ctx context.Context, a attempt, lookup Lookup) (Result, error) {
	now, ok, err := lookup(ctx, a.slot, false)
	if err == nil && !ok {
		now, ok, err = lookup(ctx, a.slot, true)
	}
	if err != nil {
		return Result{Gate: GateRecheck}, err
	}
	if !ok || now.CredentialID != a.candidate.CredentialID || now.Version != a.candidate.Version {
		return Result{Gate: GateRecheck}, ErrWrong
	}
	return Result{CredentialID: a.candidate.CredentialID, Gate: GateHash}, nil
}
