package limit

import (
	"errors"
	"time"
)

// DelayConfig says how failures grow dearer.
type DelayConfig struct {
	Free    int              // failures of a key that cost nothing
	First   time.Duration    // wait after the first failure beyond Free; each further one doubles it
	Ceiling time.Duration    // the longest wait
	Forget  time.Duration    // a key without a failure for so long is as good as new; at least Ceiling
	Max     int              // keys held; beyond it the one unused for longest is forgotten
	Clock   func() time.Time // the product's clock
}

// Delay counts failures per key and makes the key wait longer after each. It is safe for use by many goroutines.
//
// A check that takes time, such as a password hash, is framed by Try and what takes it back, so that a hundred
// attempts at once count as a hundred and not as the first of many:
//
//	if wait := accounts.Try(account); wait > 0 {
//		return limited(wait)
//	}
//	if wait := networks.Try(network); wait > 0 {
//		accounts.Forgive(account)
//		return limited(wait)
//	}
//	if right(password) {
//		accounts.Reset(account)    // who proved to be the owner starts anew
//		networks.Forgive(network)  // one good account does not excuse guesses at others from there
//	}
//
// Anybody can fail in another's name. Where that must not lock the owner out (security.md C48), a device known from
// an earlier sign-in is given a key of its own instead of the account's.
type Delay struct {
	table *table[failures]
	c     DelayConfig
}

// failures is what is known of one key.
type failures struct {
	count int
	last  time.Time
}

// NewDelay returns a Delay. Every field must be positive, but Free may be 0; Ceiling is at least First, Forget at
// least Ceiling.
func NewDelay(c DelayConfig) (*Delay, error) {
	if c.Free < 0 || c.First <= 0 || c.Ceiling < c.First || c.Forget < c.Ceiling {
		return nil, errors.New("limit: a delay needs Free ≥ 0 and 0 < First ≤ Ceiling ≤ Forget")
	}
	t, err := newTable[failures](c.Max, c.Clock)
	if err != nil {
		return nil, err
	}
	return &Delay{table: t, c: c}, nil
}

// Try returns how long the key must wait, or 0, and then counts the attempt as a failure until Reset or Forgive takes it
// back. An attempt that must wait is not counted, so hammering makes nothing longer.
func (d *Delay) Try(key string) time.Duration {
	d.table.mu.Lock()
	defer d.table.mu.Unlock()
	now := d.table.clock()
	f := d.read(key, now)
	if wait := d.wait(f, now); wait > 0 {
		return wait
	}
	d.table.entries.Add(sum(key), failures{count: f.count + 1, last: now})
	return 0
}

// Forgive takes back one failure of the key: the attempt that Try counted went well or was never made. The key may try
// again at once, as it could before, but goes on where it was with its next failure.
func (d *Delay) Forgive(key string) {
	d.table.mu.Lock()
	defer d.table.mu.Unlock()
	now := d.table.clock()
	f := d.read(key, now)
	if f.count <= 1 {
		d.table.entries.Remove(sum(key))
		return
	}
	f.count--
	f.last = now.Add(-d.step(f.count))
	d.table.entries.Add(sum(key), f)
}

// Reset forgets the failures of the key.
func (d *Delay) Reset(key string) {
	d.table.mu.Lock()
	defer d.table.mu.Unlock()
	d.table.entries.Remove(sum(key))
}

// read returns what is known of the key at this time. The caller holds the lock.
func (d *Delay) read(key string, now time.Time) failures {
	f, ok := d.table.entries.Get(sum(key))
	switch {
	case !ok:
		return failures{}
	case now.Before(f.last): // the clock was set back: the wait starts again instead of lasting until the old hour
		f.last = now
		d.table.entries.Add(sum(key), f)
	case now.Sub(f.last) >= d.c.Forget:
		return failures{}
	}
	return f
}

func (d *Delay) wait(f failures, now time.Time) time.Duration {
	return max(0, d.step(f.count)-now.Sub(f.last))
}

// step is the whole wait after so many failures.
func (d *Delay) step(count int) time.Duration {
	if count <= d.c.Free {
		return 0
	}
	step := d.c.First
	for i := d.c.Free + 1; i < count && step < d.c.Ceiling; i++ {
		step *= 2
	}
	return min(step, d.c.Ceiling)
}
