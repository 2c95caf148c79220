package limit

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// Config says how often an act is allowed per key.
type Config struct {
	Every time.Duration    // a key earns one act each Every
	Burst int              // and saves up to Burst of them; a new key starts with all
	Max   int              // keys held; beyond it the one unused for longest is forgotten
	Clock func() time.Time // the product's clock
}

// Limiter allows acts per key. It is safe for use by many goroutines.
type Limiter struct {
	table *table[*rate.Limiter]
	every time.Duration
	burst int
}

// New returns a limiter. Every, Burst and Max must be positive and Clock set.
func New(c Config) (*Limiter, error) {
	if c.Every <= 0 || c.Burst < 1 {
		return nil, fmt.Errorf("limit: %d acts and one more every %s limits nothing or everything", c.Burst, c.Every)
	}
	t, err := newTable[*rate.Limiter](c.Max, c.Clock)
	if err != nil {
		return nil, err
	}
	return &Limiter{table: t, every: c.Every, burst: c.Burst}, nil
}

// Allow reports whether the key may act now, and counts the act if so. Otherwise retryAfter is the time until the next
// act would be allowed, always positive; a refused act costs the key nothing.
func (l *Limiter) Allow(key string) (ok bool, retryAfter time.Duration) {
	k := sum(key)
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	bucket, found := l.table.entries.Get(k)
	if !found {
		bucket = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.table.entries.Add(k, bucket)
	}
	now := l.table.clock()
	// Reserve and cancel instead of Allow: it tells the wait, and it makes the bucket notice a clock that was set back,
	// which would otherwise refuse until the old hour is reached again.
	r := bucket.ReserveN(now, 1)
	// The clock counts microseconds; what is less is the rounding of the bucket's floating point.
	if wait := r.DelayFrom(now); wait >= time.Microsecond {
		r.CancelAt(now)
		return false, (wait + time.Microsecond - 1).Truncate(time.Microsecond)
	}
	return true, 0
}

// Wait returns how long the key would have to wait for its next act, 0 if it need not. It counts nothing: it is asked
// before an act of which only the failures count, and Allow counts those afterwards.
func (l *Limiter) Wait(key string) time.Duration {
	tokens, _ := l.tokens(key)
	wait := time.Duration((1 - tokens) * float64(l.every))
	if wait < time.Microsecond { // as in Allow
		return 0
	}
	return wait.Truncate(time.Microsecond) + time.Microsecond
}

// Spent reports whether acts of the key were counted that it has not earned back yet.
func (l *Limiter) Spent(key string) bool {
	tokens, found := l.tokens(key)
	return found && tokens < float64(l.burst)
}

// Burst returns how many acts a key may save up.
func (l *Limiter) Burst() int { return l.burst }

// Left returns how many acts the key has left now, and the time until it has all again. It counts nothing.
func (l *Limiter) Left(key string) (left int, full time.Duration) {
	tokens, _ := l.tokens(key)
	missing := max(0, float64(l.burst)-tokens)
	return max(0, int(tokens)), time.Duration(missing * float64(l.every))
}

// tokens returns how many acts the key has left. A key that was never counted has all and is not remembered for being
// asked about.
func (l *Limiter) tokens(key string) (tokens float64, found bool) {
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	bucket, found := l.table.entries.Get(sum(key))
	if !found {
		return float64(l.burst), false
	}
	return bucket.TokensAt(l.table.clock()), true
}
