package web

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// turns gives requests their turn. Only so many are served at once; of those that wait, the one that came last goes first.
// When more comes than can be served, whoever comes then is served at once and the wait falls to a few, who wait long,
// instead of to all; and a crowd that comes in one moment does not stand before those who come after it (F9).
//
// A request that waits for the bytes of its body holds no place meanwhile, and one that takes long loses it: it waits for
// something (bcrypt, the database), and while it waits another can be served. Nobody waits for ever, and who has gone
// does not wait.
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
		v := &visit{turns: t, request: r}
		if v.take() != nil {
			return // nobody is there to be answered
		}
		defer v.leave()
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &body{ReadCloser: r.Body, visit: v}
		}
		next.ServeHTTP(w, r)
	})
}

// visit is a request with its place, if its turn has one.
type visit struct {
	turns   *turns
	request *http.Request
	at      int
	turn    uint64 // 0 without a place
}

func (v *visit) take() (err error) {
	v.at, v.turn, err = v.turns.take(v.request.Context())
	return err
}

func (v *visit) leave() { v.turns.leave(v.at, v.turn) }

// body is what a request sends. Waiting for it takes no place.
type body struct {
	io.ReadCloser

	visit *visit
}

// Read gives the place back and waits for another when there is something to go on with.
func (b *body) Read(p []byte) (int, error) {
	if b.visit.turn == 0 {
		return b.ReadCloser.Read(p) // it has waited long enough
	}
	b.visit.leave()
	n, err := b.ReadCloser.Read(p)
	if gone := b.visit.take(); gone != nil && err == nil {
		err = gone
	}
	return n, err
}

// crowded reports whether requests wait.
func (t *turns) crowded() bool { return t.waitingNow() > 0 }

func (t *turns) waitingNow() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.waiting)
}

// take waits for a place and returns it with the number of the turn, which is 0 without a place. It fails when the
// context ends before that.
func (t *turns) take(ctx context.Context) (at int, turn uint64, err error) {
	t.mu.Lock()
	now := time.Now()
	if at, ok := t.find(now); ok {
		turn = t.hold(at, now)
		t.mu.Unlock()
		return at, turn, nil
	}
	w := &waiter{granted: make(chan struct{})}
	t.waiting = append(t.waiting, w)
	t.look()
	t.mu.Unlock()

	limit := time.NewTimer(t.patience)
	defer limit.Stop()
	select {
	case <-w.granted:
		return w.place, w.turn, nil
	case <-limit.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.mu.Lock()
	if i := slices.Index(t.waiting, w); i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	t.mu.Unlock()
	if err != nil {
		t.leave(w.place, w.turn) // it may have been granted just now
	}
	return w.place, w.turn, err
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
	if len(t.waiting) > 0 {
		t.grant(at, time.Now())
		return
	}
	t.places[at].turn = 0
	t.free = append(t.free, at)
}

// grant gives a place to the newest of those who wait. The lock is held.
func (t *turns) grant(at int, now time.Time) {
	last := len(t.waiting) - 1
	w := t.waiting[last]
	t.waiting[last] = nil
	t.waiting = t.waiting[:last]
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
			t.grant(at, now)
		}
	})
}
