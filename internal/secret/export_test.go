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
func (h *Hasher) Waiting() int { return h.turns.waiting() }

// HashLate does what Verify does after a look into the cache that found nothing, however long ago.
func (v *Verifier) HashLate(ctx context.Context, clientID, presented string, c Candidate) (Gate, error) {
	return v.hash(ctx, v.cache.keyOf(c, presented), attempt{clientID, presented, c})
}

// Cached returns the number of strings that the verifier remembers.
func (v *Verifier) Cached() int { return v.cache.entries.Len() }

// Verifications returns the counters by gate and outcome.
func (v *Verifier) Verifications() *prometheus.CounterVec { return v.hasher.metrics.verifications }
