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
	// clientTurns bounds what one client holds of a lane: the hash that runs and one that waits. An app has two
	// usable secrets at most (product.md decision 5), so a third is nobody's honest need.
	clientTurns = 2
	// averaged is over how many hashes the measured time of one is averaged, roughly.
	averaged = 8
)

// errLineFull is why a turn was refused.
var errLineFull = errors.New("secret: too many hashes are waiting")

// lane is where a turn waits.
type lane int

// The lanes.
const (
	lanePortal lane = iota // a new secret's hash, asked for by a person
	laneSeen               // a verification from a network in which the client was seen good
	laneNew                // any other verification
	laneRehash             // hashing again at a raised cost; nobody waits for it
	lanes                  // how many there are
)

// verifies reports whether the turns of the lane are verifications, which are of a client.
func (l lane) verifies() bool { return l == laneSeen || l == laneNew }

// turn is one bcrypt that waits or runs.
type turn struct {
	lane   lane
	client string        // whose secret is verified
	ready  chan struct{} // closed when it may run
}

// holder is a client in a lane. Strangers who present its ID hold nothing of the lane of those seen good.
type holder struct {
	client string
	lane   lane
}

// turns decides which bcrypt runs next (security.md §6.3 step 8). Slots run at once, in number one less than the
// processors, so that work that needs no bcrypt always finds one. In each lane as many wait as can be served within
// longestWait; of one client at most one verification runs.
//
// The portal's turn is every other one when somebody waits there, so that a flood of verifications cannot stop a
// rotation, nor the other way round. Of the verifications those from networks seen good go first: while one of them can
// run, at most every other turn is another's. Rehashes run when nobody else can.
type turns struct {
	slots   int
	assumed time.Duration // time of one hash, until measured

	mu         sync.Mutex
	running    int
	lines      [lanes][]*turn
	lastPortal bool                // the last turn was the portal's
	lastSeen   bool                // the last verification was from a network seen good
	held       map[holder]int      // turns of a client, waiting or running
	hashing    map[string]struct{} // clients with a running verification
	measured   time.Duration       // moving average
}

func newTurns(slots int, assumed time.Duration) *turns {
	return &turns{slots: slots, assumed: assumed, held: map[holder]int{}, hashing: map[string]struct{}{}}
}

// take waits for a turn in a lane; verifications say of which client. The caller ends it with done. The error is
// errLineFull or the context's.
func (t *turns) take(ctx context.Context, in lane, client string) (*turn, error) {
	w := &turn{lane: in, client: client, ready: make(chan struct{})}
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
	if w.lane.verifies() {
		delete(t.hashing, w.client)
		t.drop(w)
	}
	// A clock that was set forward or back during the hash must not decide about the next ones.
	took = min(max(took, 0), longestWait)
	t.measured += (took - t.measured) / averaged
	t.start()
}

// waiting returns how many wait in a lane.
func (t *turns) waiting(in lane) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lines[in])
}

// join puts the turn in its line, unless that is full, and lets it run if it can.
func (t *turns) join(w *turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	by := holder{w.client, w.lane}
	if len(t.lines[w.lane]) >= t.bound() || w.lane.verifies() && t.held[by] >= clientTurns {
		return false
	}
	t.lines[w.lane] = append(t.lines[w.lane], w)
	if w.lane.verifies() {
		t.held[by]++
	}
	t.start()
	return true
}

// quit takes a waiting turn out of its line. It reports false if the turn runs already.
func (t *turns) quit(w *turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := &t.lines[w.lane]
	i := slices.Index(*line, w)
	if i < 0 {
		return false
	}
	*line = slices.Delete(*line, i, i+1)
	if w.lane.verifies() {
		t.drop(w)
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
		t.lastPortal = w.lane == lanePortal
		if w.lane.verifies() {
			t.lastSeen = w.lane == laneSeen
			t.hashing[w.client] = struct{}{}
		}
		close(w.ready)
	}
}

// next takes the next turn out of its line, nil if none can run.
func (t *turns) next() *turn {
	in, i := laneSeen, t.runnable(laneSeen)
	if other := t.runnable(laneNew); other >= 0 && (i < 0 || t.lastSeen) {
		in, i = laneNew, other
	}
	switch {
	case len(t.lines[lanePortal]) > 0 && (i < 0 || !t.lastPortal):
		in, i = lanePortal, 0
	case i < 0 && len(t.lines[laneRehash]) > 0:
		in, i = laneRehash, 0
	case i < 0:
		return nil
	}
	w := t.lines[in][i]
	t.lines[in] = slices.Delete(t.lines[in], i, i+1)
	return w
}

// runnable returns the place of the first verification in a line whose client has none running, or -1.
func (t *turns) runnable(in lane) int {
	return slices.IndexFunc(t.lines[in], func(w *turn) bool {
		_, busy := t.hashing[w.client]
		return !busy
	})
}

func (t *turns) drop(w *turn) {
	by := holder{w.client, w.lane}
	t.held[by]--
	if t.held[by] == 0 {
		delete(t.held, by)
	}
}
