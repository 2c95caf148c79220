package secret

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// longestWait is how long a verification waits for its turn at bcrypt before the client is asked to come again.
	longestWait = 2 * time.Second
	// clientTurns bounds what one client holds of the line: the hash that runs and one that waits. An app has two
	// usable secrets at most (product.md decision 5), so a third is nobody's honest need.
	clientTurns = 2
	// averaged is over how many hashes the measured time of one is averaged, roughly.
	averaged = 8
)

// errLineFull is why a turn was refused.
var errLineFull = errors.New("secret: too many hashes are waiting")

// turn is one bcrypt that waits or runs.
type turn struct {
	portal bool          // a new secret's hash, asked for by a person; else a verification
	client string        // whose secret is verified
	ready  chan struct{} // closed when it may run
}

// turns decides which bcrypt runs next (security.md §6.3 step 8). Slots run at once, in number one less than the
// processors, so that work that needs no bcrypt always finds one. There are two lines: verifications, of which as
// many wait as can be served within longestWait, at most one per client running; and the portal's new secrets, whose
// turn is every other one when somebody waits there, so that a flood of verifications cannot stop a rotation, nor the
// other way round.
type turns struct {
	slots   int
	assumed time.Duration // time of one hash, until measured

	mu         sync.Mutex
	running    int
	line       []*turn
	portal     []*turn
	lastPortal bool
	held       map[string]int      // turns of a client, waiting or running
	hashing    map[string]struct{} // clients with a running hash
	measured   time.Duration       // moving average
}

func newTurns(slots int, assumed time.Duration) *turns {
	return &turns{slots: slots, assumed: assumed, held: map[string]int{}, hashing: map[string]struct{}{}}
}

// verification waits for a turn to verify a secret of the client. The caller ends it with done. The error is
// errLineFull or the context's.
func (t *turns) verification(ctx context.Context, client string) (*turn, error) {
	return t.wait(ctx, &turn{client: client, ready: make(chan struct{})})
}

// reserved waits for a turn of the portal. The caller ends it with done. The error is errLineFull or the context's.
func (t *turns) reserved(ctx context.Context) (*turn, error) {
	return t.wait(ctx, &turn{portal: true, ready: make(chan struct{})})
}

func (t *turns) wait(ctx context.Context, w *turn) (*turn, error) {
	if !t.join(w) {
		return nil, errLineFull
	}
	select {
	case <-w.ready:
		return w, nil
	case <-ctx.Done():
	}
	if t.quit(w) {
		return nil, context.Cause(ctx)
	}
	return w, nil // its turn came at the same moment
}

// done ends a turn that took so long and lets the next one run.
func (t *turns) done(w *turn, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	if !w.portal {
		delete(t.hashing, w.client)
		t.drop(w.client)
	}
	// A clock that was set forward or back during the hash must not decide about the next ones.
	took = min(max(took, 0), longestWait)
	t.measured += (took - t.measured) / averaged
	t.start()
}

// waiting returns how many wait in both lines.
func (t *turns) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.line) + len(t.portal)
}

// join puts the turn in its line, unless that is full, and lets it run if it can.
func (t *turns) join(w *turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.lineOf(w)
	if len(*line) >= t.bound() || !w.portal && t.held[w.client] >= clientTurns {
		return false
	}
	*line = append(*line, w)
	if !w.portal {
		t.held[w.client]++
	}
	t.start()
	return true
}

// quit takes a waiting turn out of its line. It reports false if the turn runs already.
func (t *turns) quit(w *turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.lineOf(w)
	i := slices.Index(*line, w)
	if i < 0 {
		return false
	}
	*line = slices.Delete(*line, i, i+1)
	if !w.portal {
		t.drop(w.client)
	}
	return true
}

// bound is how many may wait in a line: as many as are served within longestWait, by the assumed time of a hash or,
// where that is longer, the measured one.
func (t *turns) bound() int {
	return max(1, int(time.Duration(t.slots)*longestWait/max(t.assumed, t.measured)))
}

// start lets turns run as long as slots are free.
func (t *turns) start() {
	for t.running < t.slots {
		w := t.next()
		if w == nil {
			return
		}
		t.running++
		t.lastPortal = w.portal
		if !w.portal {
			t.hashing[w.client] = struct{}{}
		}
		close(w.ready)
	}
}

// next takes the next turn out of its line: the portal's unless it had the last one and a verification can run; of
// the verifications the first whose client has none running.
func (t *turns) next() *turn {
	line, i := &t.line, slices.IndexFunc(t.line, func(w *turn) bool {
		_, busy := t.hashing[w.client]
		return !busy
	})
	if len(t.portal) > 0 && (i < 0 || !t.lastPortal) {
		line, i = &t.portal, 0
	}
	if i < 0 {
		return nil
	}
	w := (*line)[i]
	*line = slices.Delete(*line, i, i+1)
	return w
}

func (t *turns) lineOf(w *turn) *[]*turn {
	if w.portal {
		return &t.portal
	}
	return &t.line
}

func (t *turns) drop(client string) {
	t.held[client]--
	if t.held[client] == 0 {
		delete(t.held, client)
	}
}
