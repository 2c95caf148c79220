package secret

import (
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/problem"
)

// The ceilings of failures. An act of each kind is earned back every so often, up to the burst. Whoever sets up a client
// by hand does not meet them; a loop does within seconds (security.md C23).
const (
	networkBurst, networkEvery = 30, 2 * time.Second         // of shape and tag, in one network
	siteBurst, siteEvery       = 300, 200 * time.Millisecond // of these, in all networks of an IPv6 site
	callerBurst, callerEvery   = 10, 6 * time.Second         // of one client's slot, in one network
	slotBurst, slotEvery       = 100, time.Second            // of one client's slot, everywhere

	limitKeys  = 10_000 // of each kind; those unused for longest are forgotten
	repeatKeys = 10_000
	// repeatWithin is how soon a client's second try follows its first: Go's x/oauth2 repeats a refused request at
	// once in the other style of authentication (protocol.md §4).
	repeatWithin = 2 * time.Second
	// repeatLength bounds what is read of a presented text to know it again.
	repeatLength = 2 * length
)

// limits are the buckets of failures (security.md §6.3 step 5, protocol.md §3.4). Their keys are what was presented,
// never what exists, so they behave alike for clients that exist and that do not (C22).
//
// Bucket A is of the network. Strangers fill it by what a stranger can do: texts without the shape or with a wrong tag.
// It refuses only those. What a tag key that is not trusted was skipped for goes into a bucket A of its own, which
// may refuse before bcrypt: anybody can make such secrets who has that key, and nobody else sends them.
//
// Bucket B is of the slot of a client: right tag, wrong secret. Only who holds a secret of the client, or the tag key,
// can fill it, and such strangers must not lock the client out. So each network has its own, and the one for all
// networks together stops only those that have failed there themselves.
type limits struct {
	marks   marks
	clock   func() time.Time
	network *limit.Limiter
	site    *limit.Limiter
	caller  *limit.Limiter
	slot    *limit.Limiter

	mu      sync.Mutex
	repeats *simplelru.LRU[uint64, time.Time] // failures that were counted, when
}

func newLimits(m marks, clock func() time.Time) (*limits, error) {
	l := &limits{marks: m, clock: clock}
	var errs []error
	bucket := func(burst int, every time.Duration) *limit.Limiter {
		made, err := limit.New(limit.Config{Burst: burst, Every: every, Max: limitKeys, Clock: clock})
		errs = append(errs, err)
		return made
	}
	l.network, l.site = bucket(networkBurst, networkEvery), bucket(siteBurst, siteEvery)
	l.caller, l.slot = bucket(callerBurst, callerEvery), bucket(slotBurst, slotEvery)
	repeats, err := simplelru.NewLRU[uint64, time.Time](repeatKeys, nil)
	l.repeats = repeats
	return l, errors.Join(append(errs, err)...)
}

// untrusted marks the bucket A of secrets whose tag was skipped.
const untrusted = "untrusted "

// strange counts a failure of shape or tag. The answer is how long the network has to wait when it had too many, else 0.
func (l *limits) strange(p Presented) time.Duration {
	if p.Network == "" || l.repeated(p) {
		return 0
	}
	wait := l.count("", p.Network)
	if wait == 0 {
		l.counted(p)
	}
	return wait
}

// count counts a failure in a bucket A, or tells how long to wait if that is exhausted.
func (l *limits) count(which, network string) time.Duration {
	_, wait := l.network.Allow(which + network)
	if site := limit.Site(network); site != "" && wait == 0 {
		_, wait = l.site.Allow(which + site)
	}
	return wait
}

// wait tells whether an attempt may cost a read or a bcrypt: 0, or how long its sender has to wait, and which gate says
// so.
func (l *limits) wait(a *attempt) (time.Duration, Gate) {
	slot, caller := a.slotKey(), a.callerKey()
	wait := time.Duration(0)
	if a.Network == "" || l.caller.Spent(caller) {
		wait = l.slot.Wait(slot)
	}
	if a.Network != "" {
		wait = max(wait, l.caller.Wait(caller))
	}
	if wait > 0 || !a.skipped || a.Network == "" {
		return wait, GateLimitCredential
	}
	wait = l.network.Wait(untrusted + a.Network)
	if site := limit.Site(a.Network); site != "" {
		wait = max(wait, l.site.Wait(untrusted+site))
	}
	return wait, GateLimitNetwork
}

// failed counts an attempt that the lookup, bcrypt or the memory of what bcrypt refused found wrong.
func (l *limits) failed(a *attempt) {
	if l.repeated(a.Presented) {
		return
	}
	l.slot.Allow(a.slotKey())
	if a.Network != "" {
		l.caller.Allow(a.callerKey())
		if a.skipped {
			l.count(untrusted, a.Network)
		}
	}
	l.counted(a.Presented)
}

// repeated reports whether this is the second of a pair: the same was refused, and counted, a moment ago. A third is
// the first of another pair.
func (l *limits) repeated(p Presented) bool {
	key := l.repeatKey(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.repeats.Peek(key)
	if !ok {
		return false
	}
	l.repeats.Remove(key)
	ago := l.clock().Sub(at)
	return 0 <= ago && ago <= repeatWithin
}

// counted remembers a failure that was counted.
func (l *limits) counted(p Presented) {
	key, now := l.repeatKey(p), l.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.repeats.Add(key, now)
}

func (l *limits) repeatKey(p Presented) uint64 {
	return l.marks.of(p.Network, p.ClientID, p.Text[:min(len(p.Text), repeatLength)])
}

// limited is what a client is told that failed too often: how many whole seconds to wait.
func limited(wait time.Duration) error {
	p := problem.New(problem.Limited, "secret.limited")
	p.RetryAfter = (wait + time.Second - 1).Truncate(time.Second)
	return p
}
