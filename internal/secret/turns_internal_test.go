package secret

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// ask joins a line without waiting, as take does first.
func ask(t *turns, in lane, client string) (*turn, bool) {
	w := &turn{lane: in, client: client, ready: make(chan struct{})}
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

// signs are how order writes lanes: clients seen good in capitals, others not.
var signs = map[lane]string{lanePortal: "+", laneRehash: "."}

// order lets the given turn end, then runs everything that was asked for, one by one, and returns the order by sign or
// client.
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
		if running != nil && signs[running.lane] != "" {
			names += signs[running.lane]
		} else if running != nil {
			names += running.client
		}
	}
	return names
}

// TestTurnsGoByLane: one slot, a line of turns that wait behind somebody's hash, and the order in which they run.
// Capitals wait in the lane of clients seen good, + is the portal, . a rehash.
func TestTurnsGoByLane(t *testing.T) {
	tests := []struct{ name, asked, want string }{
		{"the portal every other time", "bcde+++", "+b+c+de"},
		{"seen good first, others every other time", "abcdeABC", "AaBbCcde"},
		{"nobody else waits", "ABC", "ABC"},
		{"who was seen good comes late", "abcdA", "Aabcd"},
		{"all three", "abcABC++", "+A+aBbCc"},
		{"rehashes when nobody else does", "..aA+", "+Aa.."},
		{"rehashes alone", "..", ".."},
		{"a stranger's hash does not go before its client's own", "aA", "Aa"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			turns := newTurns(1, 100*time.Millisecond)
			running, _ := ask(turns, laneNew, "first")
			var waiting []*turn
			for _, sign := range test.asked {
				in := laneNew
				switch {
				case sign == '+':
					in = lanePortal
				case sign == '.':
					in = laneRehash
				case sign < 'a':
					in = laneSeen
				}
				w, ok := ask(turns, in, string(sign))
				if !ok {
					t.Fatalf("%q found the line full", sign)
				}
				waiting = append(waiting, w)
			}
			if got := order(turns, running, waiting...); got != test.want {
				t.Errorf("order %s, want %s", got, test.want)
			}
		})
	}
}

func TestTurnsOfOneClientRunOneByOne(t *testing.T) {
	turns := newTurns(2, 100*time.Millisecond)
	first, _ := ask(turns, laneNew, "a")
	second, ok := ask(turns, laneNew, "a")
	if !ok || !first.runs() || second.runs() {
		t.Fatalf("first runs %v, second taken %v, runs %v; want the second to wait", first.runs(), ok, second.runs())
	}
	if _, ok := ask(turns, laneNew, "a"); ok {
		t.Error("a third turn of the client was taken")
	}
	good, ok := ask(turns, laneSeen, "a")
	if !ok || good.runs() {
		t.Errorf("where the client was seen good: taken %v, runs %v; want it to wait for the hash that runs", ok, good.runs())
	}
	other, _ := ask(turns, laneNew, "b")
	if !other.runs() {
		t.Error("another client waits although a slot is free")
	}
	turns.done(first, 0)
	if !good.runs() || second.runs() {
		t.Errorf("after the first: from the known network runs %v, the second %v; want the former", good.runs(), second.runs())
	}
	turns.done(good, 0)
	if !second.runs() {
		t.Error("the second does not run at last")
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
			ask(turns, laneNew, fmt.Sprint("running", i))
		}
		for in := range lanes { // each line has its own bound
			taken := 0
			for {
				if _, ok := ask(turns, in, fmt.Sprint("waiting", taken)); !ok {
					break
				}
				taken++
			}
			if taken != test.want || turns.waiting(in) != test.want {
				t.Errorf("%d slots, cost %d, lane %s: %d wait, want %d", test.slots, test.cost, laneNames[in], taken, test.want)
			}
		}
	}
}

func TestTurnsShortenTheirLinesOnASlowMachine(t *testing.T) {
	turns := newTurns(1, 100*time.Millisecond)
	spend := func(took time.Duration) {
		w, _ := ask(turns, laneNew, "a")
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
	running, err := turns.take(t.Context(), laneNew, "a")
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	ctx, leave := context.WithCancelCause(t.Context())
	leave(gone)
	for in := range lanes {
		if _, err := turns.take(ctx, in, "b"); !errors.Is(err, gone) {
			t.Errorf("lane %s: %v, want the context's cause", laneNames[in], err)
		}
		if n := turns.waiting(in); n != 0 {
			t.Errorf("lane %s: %d wait", laneNames[in], n)
		}
	}
	if n := len(turns.held); n != 1 {
		t.Errorf("%d clients hold turns, want the one that runs", n)
	}
	turns.done(running, 0)
	if turns.running != 0 {
		t.Errorf("%d run", turns.running)
	}
}

// TestTurnsKeepTheirPromises does at random what callers do and asks after each step what must always hold.
func TestTurnsKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &turnsModel{turns: newTurns(rapid.IntRange(1, 4).Draw(t, "slots"), 200*time.Millisecond)}
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) {
				client := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "client")
				in := rapid.SampledFrom([]lane{lanePortal, laneSeen, laneSeen, laneNew, laneNew, laneRehash}).Draw(t, "lane")
				if w, ok := ask(m.turns, in, client); ok {
					m.open = append(m.open, w)
				}
				m.note(t)
			},
			"done": func(t *rapid.T) {
				if w, ok := m.pick(t, true); ok {
					m.turns.done(w, 0)
				}
				m.note(t)
			},
			"quit": func(t *rapid.T) {
				if w, ok := m.pick(t, false); ok && !m.turns.quit(w) {
					t.Fatal("a waiting turn could not leave")
				}
			},
			"": m.promises,
		})
		for {
			w, ok := m.pick(t, true)
			if !ok {
				break
			}
			m.turns.done(w, 0)
		}
		if m.turns.running+len(m.turns.held)+len(m.turns.hashing)+len(m.open) != 0 {
			t.Fatalf("at the end %d run, %d wait", m.turns.running, len(m.open))
		}
	})
}

// turnsModel is what is known from outside: who asked and has not ended.
type turnsModel struct {
	turns *turns
	open  []*turn
	ran   map[*turn]bool
	last  lane // of the last verification that began while one seen good could have
}

// pick takes one of the open turns that run or do not.
func (m *turnsModel) pick(t *rapid.T, running bool) (*turn, bool) {
	fitting := slices.DeleteFunc(slices.Clone(m.open), func(w *turn) bool { return w.runs() != running })
	if len(fitting) == 0 {
		return nil, false
	}
	w := rapid.SampledFrom(fitting).Draw(t, "turn")
	m.open = slices.DeleteFunc(m.open, func(o *turn) bool { return o == w })
	return w, true
}

// note looks at who began: of two verifications in a row, while one seen good could run, one at least is of those.
func (m *turnsModel) note(t *rapid.T) {
	began := map[lane]int{}
	ran := map[*turn]bool{}
	for _, w := range m.open {
		if ran[w] = w.runs(); ran[w] && !m.ran[w] {
			began[w.lane]++
		}
	}
	m.ran = ran
	if began[laneNew]+began[laneSeen] != 1 { // several at once: their order is not seen from outside
		m.last = laneSeen
		return
	}
	in := laneSeen
	if began[laneNew] == 1 {
		in = laneNew
	}
	couldRun := slices.ContainsFunc(m.open, func(w *turn) bool { return w.lane == laneSeen && !w.runs() && !m.busy(w.client) })
	if couldRun && in == laneNew && m.last == laneNew {
		t.Fatal("two strangers in a row while somebody who was seen good waited")
	}
	m.last = in
}

func (m *turnsModel) busy(client string) bool {
	return slices.ContainsFunc(m.open, func(w *turn) bool { return w.lane.verifies() && w.runs() && w.client == client })
}

// promises checks: no more run than slots, one at most of a client, two held at most in a lane; lines within their
// bound; and no slot is free while somebody could use it.
func (m *turnsModel) promises(t *rapid.T) {
	running, clients, held := 0, map[string]int{}, map[holder]int{}
	for _, w := range m.open {
		if w.lane.verifies() {
			held[holder{w.client, w.lane}]++
		}
		if w.runs() {
			running++
			if w.lane.verifies() {
				clients[w.client]++
			}
		}
	}
	if running != m.turns.running || running > m.turns.slots {
		t.Fatalf("%d run, counted %d, slots %d", running, m.turns.running, m.turns.slots)
	}
	for by, n := range held {
		if n > clientTurns || clients[by.client] > 1 {
			t.Fatalf("client %s holds %d turns, %d run", by.client, n, clients[by.client])
		}
	}
	if !maps.Equal(held, m.turns.held) {
		t.Fatalf("%v are held, counted %v", held, m.turns.held)
	}
	for in := range lanes {
		if n := m.turns.waiting(in); n > m.turns.bound() {
			t.Fatalf("%d wait in lane %s, bound %d", n, laneNames[in], m.turns.bound())
		}
	}
	for _, w := range m.open {
		if running < m.turns.slots && !w.runs() && (!w.lane.verifies() || clients[w.client] == 0) {
			t.Fatalf("a turn of %q waits beside a free slot", w.client)
		}
	}
}
