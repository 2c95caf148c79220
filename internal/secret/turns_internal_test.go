package secret

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// ask joins a line without waiting, as wait does first.
func ask(t *turns, portal bool, client string) (*turn, bool) {
	w := &turn{portal: portal, client: client, ready: make(chan struct{})}
	return w, t.join(w)
}

func (w *turn) runs() bool {
	select {
	case <-w.ready:
		return true
	default:
		return false
	}
}

// order runs everything that waits to its end, the given turn first, and returns the order by client, "+" for the
// portal.
func order(t *turns, first *turn, waiting ...*turn) string {
	names := ""
	for running := first; running != nil; {
		t.done(running, 0)
		running = nil
		for i, w := range waiting {
			if w.runs() {
				running, waiting = w, slices.Delete(waiting, i, i+1)
				break
			}
		}
		if running != nil && running.portal {
			names += "+"
		} else if running != nil {
			names += running.client
		}
	}
	return names
}

func TestTurnsGoToThePortalEveryOtherTime(t *testing.T) {
	turns := newTurns(1, 100*time.Millisecond)
	running, _ := ask(turns, false, "a")
	var waiting []*turn
	for _, client := range []string{"b", "c", "d", "e"} {
		w, _ := ask(turns, false, client)
		waiting = append(waiting, w)
	}
	for range 3 {
		w, _ := ask(turns, true, "")
		waiting = append(waiting, w)
	}
	if got, want := order(turns, running, waiting...), "+b+c+de"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
}

func TestTurnsOfOneClientRunOneByOne(t *testing.T) {
	turns := newTurns(2, 100*time.Millisecond)
	first, _ := ask(turns, false, "a")
	second, ok := ask(turns, false, "a")
	if !ok || !first.runs() || second.runs() {
		t.Fatalf("first runs %v, second taken %v, runs %v; want the second to wait", first.runs(), ok, second.runs())
	}
	if _, ok := ask(turns, false, "a"); ok {
		t.Error("a third turn of the client was taken")
	}
	other, _ := ask(turns, false, "b")
	if !other.runs() {
		t.Error("another client waits although a slot is free")
	}
	turns.done(first, 0)
	if !second.runs() {
		t.Error("the second does not run after the first")
	}
	turns.done(second, 0)
	turns.done(other, 0)
	if len(turns.held) != 0 || len(turns.hashing) != 0 {
		t.Errorf("clients are remembered: %v %v", turns.held, turns.hashing)
	}
}

// TestTurnsBoundTheirLines has the figures of security.md §6.3 step 8.
func TestTurnsBoundTheirLines(t *testing.T) {
	tests := []struct {
		slots, cost, want int
	}{{1, 10, 20}, {1, 11, 10}, {1, 12, 5}, {1, 14, 1}, {7, 10, 144}, {3, 14, 3}}
	for _, test := range tests {
		turns := newTurns(test.slots, (costTime10<<test.cost)>>10)
		for i := range test.slots { // all slots taken
			ask(turns, false, fmt.Sprint("running", i))
		}
		for _, portal := range []bool{false, true} { // each line has its own bound
			taken := 0
			for {
				if _, ok := ask(turns, portal, fmt.Sprint("waiting", taken)); !ok {
					break
				}
				taken++
			}
			if taken != test.want {
				t.Errorf("%d slots, cost %d, portal %v: %d wait, want %d", test.slots, test.cost, portal, taken, test.want)
			}
		}
	}
}

func TestTurnsShortenTheirLinesOnASlowMachine(t *testing.T) {
	turns := newTurns(1, 100*time.Millisecond)
	spend := func(took time.Duration) {
		w, _ := ask(turns, false, "a")
		turns.done(w, took)
	}
	for range 50 {
		spend(400 * time.Millisecond)
	}
	if got := turns.bound(); got != 5 {
		t.Errorf("hashes take 400 ms: %d may wait, want 5", got)
	}
	for range 50 {
		spend(time.Millisecond)
	}
	if got := turns.bound(); got != 20 {
		t.Errorf("hashes are quicker than assumed: %d may wait, want the 20 of the assumed time", got)
	}
	for _, took := range []time.Duration{-time.Hour, 1000 * time.Hour} { // a clock that was moved
		spend(took)
	}
	if got := turns.bound(); got < 5 {
		t.Errorf("after the clock was moved: %d may wait", got)
	}
}

func TestTurnsLetGoOfThoseWhoLeave(t *testing.T) {
	turns := newTurns(1, 100*time.Millisecond)
	running, err := turns.verification(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	ctx, leave := context.WithCancelCause(t.Context())
	leave(gone)
	if _, err := turns.verification(ctx, "b"); !errors.Is(err, gone) {
		t.Errorf("verification: %v, want the context's cause", err)
	}
	if _, err := turns.reserved(ctx); !errors.Is(err, gone) {
		t.Errorf("portal: %v, want the context's cause", err)
	}
	if n := turns.waiting(); n != 0 || turns.held["b"] != 0 {
		t.Errorf("%d wait, client b holds %d", n, turns.held["b"])
	}
	turns.done(running, 0)
	if turns.running != 0 {
		t.Errorf("%d run", turns.running)
	}
}

// TestTurnsKeepTheirPromises does at random what callers do and asks after each step what must always hold.
func TestTurnsKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.IntRange(1, 4).Draw(t, "slots")
		turns := newTurns(slots, 200*time.Millisecond)
		var open []*turn
		pick := func(t *rapid.T, running bool) (*turn, bool) {
			fitting := slices.DeleteFunc(slices.Clone(open), func(w *turn) bool { return w.runs() != running })
			if len(fitting) == 0 {
				return nil, false
			}
			w := rapid.SampledFrom(fitting).Draw(t, "turn")
			open = slices.DeleteFunc(open, func(o *turn) bool { return o == w })
			return w, true
		}
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				client := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "client")
				if w, ok := ask(turns, rapid.IntRange(0, 3).Draw(t, "portal") == 0, client); ok {
					open = append(open, w)
				}
			},
			"done": func(t *rapid.T) {
				if w, ok := pick(t, true); ok {
					turns.done(w, 0)
				}
			},
			"quit": func(t *rapid.T) {
				if w, ok := pick(t, false); ok && !turns.quit(w) {
					t.Fatal("a waiting turn could not leave")
				}
			},
			"": func(t *rapid.T) { promises(t, turns, open) },
		})
		for {
			w, ok := pick(t, true)
			if !ok {
				break
			}
			turns.done(w, 0)
		}
		if turns.running+turns.waiting()+len(turns.held)+len(turns.hashing)+len(open) != 0 {
			t.Fatalf("at the end %d run, %d wait", turns.running, turns.waiting())
		}
	})
}

// promises checks: no more run than slots, one at most of a client, two held at most; lines within their bound; and no
// slot is free while somebody could use it.
func promises(t *rapid.T, turns *turns, open []*turn) {
	running, clients, held := 0, map[string]int{}, map[string]int{}
	for _, w := range open {
		if !w.portal {
			held[w.client]++
		}
		if w.runs() {
			running++
			if !w.portal {
				clients[w.client]++
			}
		}
	}
	if running != turns.running || running > turns.slots {
		t.Fatalf("%d run, counted %d, slots %d", running, turns.running, turns.slots)
	}
	for client, n := range held {
		if n > clientTurns || clients[client] > 1 {
			t.Fatalf("client %s holds %d turns, %d run", client, n, clients[client])
		}
	}
	if len(turns.line) > turns.bound() || len(turns.portal) > turns.bound() {
		t.Fatalf("%d and %d wait, bound %d", len(turns.line), len(turns.portal), turns.bound())
	}
	for _, w := range open {
		if running < turns.slots && !w.runs() && (w.portal || clients[w.client] == 0) {
			t.Fatalf("a turn of %q waits beside a free slot", w.client)
		}
	}
}
