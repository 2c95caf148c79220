package secret

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// Wrap makes a secret of any text.
func Wrap(text string) Secret { return newSecret(text) }

// SetCompare puts something in bcrypt's place, for instance to hold a hash while the line fills.
func (h *Hasher) SetCompare(compare func(hash, secret []byte) error) { h.compare = compare }

// SetSlots says how many hashes may run at once, whatever the machine.
func (h *Hasher) SetSlots(n int) { h.turns.slots = n }

// Slots returns how many hashes may run at once.
func (h *Hasher) Slots() int { return h.turns.slots }

// Bound returns how many may wait in a line.
func (h *Hasher) Bound() int {
	h.turns.mu.Lock()
	defer h.turns.mu.Unlock()
	return h.turns.bound()
}

// Waiting returns how many wait.
func (h *Hasher) Waiting() int {
	n := 0
	for in := range lanes {
		n += h.turns.waiting(in)
	}
	return n
}

// HashLate does what Verify does after a look into the cache that found nothing, however long ago.
func (v *Verifier) HashLate(ctx context.Context, clientID, presented string, c Candidate) (Gate, error) {
	a := attempt{Presented: Presented{ClientID: clientID, Text: presented}, candidate: c, key: v.keyer.keyOf(c, presented)}
	return v.hash(ctx, &a)
}

// Cached returns the number of strings that the verifier remembers as right.
func (v *Verifier) Cached() int { return v.accepted.entries.Len() }

// Held returns how many things the verifier remembers, by what they are.
func (v *Verifier) Held() map[string]int {
	v.seen.mu.Lock()
	v.limits.mu.Lock()
	defer v.seen.mu.Unlock()
	defer v.limits.mu.Unlock()
	return map[string]int{
		"accepted": v.accepted.entries.Len(), "refused": v.refused.entries.Len(),
		"clients": v.seen.clients.Len(), "repeats": v.limits.repeats.Len(),
	}
}

// Verifications returns the counters by gate and outcome.
func (v *Verifier) Verifications() *prometheus.CounterVec { return v.hasher.metrics.verifications }

// Rehashes returns the counters by result.
func (h *Hasher) Rehashes() *prometheus.CounterVec { return h.metrics.rehashes }

// Runs returns the counters of bcrypts by use.
func (h *Hasher) Runs() *prometheus.CounterVec { return h.metrics.bcrypts }
