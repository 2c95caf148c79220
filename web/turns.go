package web

import (
	"net/http"
	"sync"
	"time"
)

// turns gives requests their turn. Only so many are served at once; of those that wait, the one that came last goes first.
// When more comes than can be served, whoever comes then is served at once and the wait falls to a few, who wait long,
// instead of to all; and a crowd that comes in one moment does not stand before those who come after it (F9).
//
// A request that takes long does not hold its place: it waits for something (a slow body, bcrypt, the database), and
// while it waits another can be served. And nobody waits for ever.
type turns struct {
	age      time.Duration // after which a place is given to another
	patience time.Duration // after which one is served without a place

	mu      sync.Mutex
	places  []place
	free    []int // places that nobody holds
	last    uint64
	waiting []*waiter // the newest at the end
	looking bool      // somebody will look for places that were held too long
}

// place is held by a turn.
type place struct {
	turn  uint64
	since time.Time
}

// waiter is a request that waits; granted is closed when it has got its place.
type waiter struct {
	granted chan struct{}
	place   int
	turn    uint64
	gone    bool
}

func newTurns(room int, age, patience time.Duration) *turns {
	t := &turns{age: age, patience: patience, places: make([]place, room)}
	for i := range t.places {
		t.free = append(t.free, i)
	}
	return t
}

// wrap is the handler behind the turns.
func (t *turns) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, turn := t.take()
		defer t.leave(at, turn)
		next.ServeHTTP(w, r)
	})
}

// crowded reports whether requests wait.
func (t *turns) crowded() bool { return t.waitingNow() > 0 }

func (t *turns) waitingNow() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting)
}

// take waits for a place and returns it with the number of the turn, which is 0 without a place.
func (t *turns) take() (at int, turn uint64) {
	t.mu.Lock()
	now := time.Now()
	if at, ok := t.find(now); ok {
		turn = t.hold(at, now)
		t.mu.Unlock()
		return at, turn
	}
	w := &waiter{granted: make(chan struct{})}
	t.waiting = append(t.waiting, w)
	t.look()
	t.mu.Unlock()

	limit := time.NewTimer(t.patience)
	defer limit.Stop()
	select {
	case <-w.granted:
	case <-limit.C:
		t.mu.Lock()
		w.gone = true // unless it was granted just now, its turn is 0
		t.mu.Unlock()
	}
	return w.place, w.turn
}

// find returns a place that is free or was held too long. The lock is held.
func (t *turns) find(now time.Time) (int, bool) {
	if n := len(t.free); n > 0 {
		at := t.free[n-1]
		t.free = t.free[:n-1]
		return at, true
	}
	for at := range t.places {
		if now.Sub(t.places[at].since) >= t.age {
			return at, true
		}
	}
	return 0, false
}

// hold gives a place to a new turn. The lock is held.
func (t *turns) hold(at int, now time.Time) uint64 {
	t.last++
	t.places[at] = place{turn: t.last, since: now}
	return t.last
}

// leave gives a place back, if it was not given to another meanwhile.
func (t *turns) leave(at int, turn uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn == 0 || t.places[at].turn != turn {
		return
	}
	if w := t.newest(); w != nil {
		t.grant(w, at, time.Now())
		return
	}
	t.places[at].turn = 0
	t.free = append(t.free, at)
}

// newest takes the newest of those who still wait, nil if nobody does. The lock is held.
func (t *turns) newest() *waiter {
	for n := len(t.waiting); n > 0; n = len(t.waiting) {
		w := t.waiting[n-1]
		t.waiting[n-1] = nil
		t.waiting = t.waiting[:n-1]
		if !w.gone {
			return w
		}
	}
	return nil
}

func (t *turns) grant(w *waiter, at int, now time.Time) {
	w.place, w.turn = at, t.hold(at, now)
	close(w.granted)
}

// look sees to it that places which are held too long are found while somebody waits. The lock is held.
func (t *turns) look() {
	if t.looking {
		return
	}
	t.looking = true
	time.AfterFunc(t.age, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.looking = false
		for now := time.Now(); len(t.waiting) > 0; {
			at, ok := t.find(now)
			if !ok {
				t.look()
				return
			}
			w := t.newest()
			if w == nil { // all had gone
				t.places[at].turn = 0
				t.free = append(t.free, at)
				return
			}
			t.grant(w, at, now)
		}
	})
}
