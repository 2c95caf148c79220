package web

import (
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The limits of the public listener. Those per CPU are multiplied by the number of CPUs.
const (
	// newcomersPerCPU is how many connections a CPU may have on its hands of which it has read no request yet, and
	// newcomerTime how long one counts among them: what has not sent its request by then only waits, and costs no CPU.
	// Nor does a newcomer wait longer than that at the door because requests inside wait for their turn.
	newcomersPerCPU = 16
	newcomerTime    = 20 * time.Millisecond
	// connectionsPerCPU bounds memory: a connection holds some 20 KiB, a request whose body is awaited 40. Beyond it
	// newcomers push those out that have sent nothing for silentTime, or have taken slowTime for one request (F7).
	connectionsPerCPU = 512
	silentTime        = time.Second
	slowTime          = 5 * time.Second
	// turnsPerCPU is how many requests a CPU serves by turns, turnTime how long one of them counts, and turnPatience how
	// long one waits at most.
	turnsPerCPU  = 16
	turnTime     = 20 * time.Millisecond
	turnPatience = 5 * time.Second
)

// Serve answers on the listener until the server is shut down, as http.Server.Serve does, and stays good to most when
// very many come at once (F7, F9): requests are served by turns, newcomers are let in no faster than that, and those
// who only hold connections open give way. Who is not let in waits in the kernel's queue and takes no memory here. Go by
// itself gives every connection that is ready its turn in order, so that after ten thousand in one moment everybody
// waits until the last of them is answered.
func Serve(s *http.Server, l net.Listener, metrics prometheus.Registerer) error {
	cpus := runtime.GOMAXPROCS(0)
	t := newTurns(turnsPerCPU*cpus, turnTime, turnPatience)
	g := newGate(l, gateLimits{
		newcomers: newcomersPerCPU * cpus, newcomerTime: newcomerTime,
		connections: connectionsPerCPU * cpus, silentTime: silentTime, slowTime: slowTime,
	}, t.crowded)
	if err := g.show(metrics, t); err != nil {
		return err
	}
	s.ConnState = g.heard
	s.Handler = t.wrap(s.Handler)
	return s.Serve(g)
}

// gateLimits are the constants above, for a number of CPUs.
type gateLimits struct {
	newcomers    int
	newcomerTime time.Duration
	connections  int
	silentTime   time.Duration
	slowTime     time.Duration
}

// gate is a listener that knows its connections.
type gate struct {
	net.Listener

	limits  gateLimits
	crowded func() bool // then newcomers are let in one by one, each after newcomerTime

	mu        sync.Mutex
	guests    map[net.Conn]*guest
	silent    *guest                 // those of whom no request is being served, longest silent first
	busy      *guest                 // the others, longest served first
	newcomers map[net.Conn]time.Time // when they came
	changed   chan struct{}          // holds one: there may be room
	closed    chan struct{}
	once      sync.Once
}

// guest is an open connection. Guests stand in rings, each of which has a member without a connection where it begins
// and ends.
type guest struct {
	conn           net.Conn
	since          time.Time // when it became silent or busy
	before, behind *guest
}

func newRing() *guest {
	g := &guest{}
	g.before, g.behind = g, g
	return g
}

// leave takes a guest out of its ring.
func (g *guest) leave() { g.before.behind, g.behind.before = g.behind, g.before }

// join puts a guest at the end of a ring.
func (g *guest) join(ring *guest) {
	g.before, g.behind = ring.before, ring
	g.before.behind, ring.before = g, g
}

func newGate(l net.Listener, limits gateLimits, crowded func() bool) *gate {
	return &gate{
		Listener: l, limits: limits, crowded: crowded, guests: map[net.Conn]*guest{}, silent: newRing(), busy: newRing(),
		newcomers: map[net.Conn]time.Time{}, changed: make(chan struct{}, 1), closed: make(chan struct{}),
	}
}

// show makes visible how many are connected and how many wait.
func (g *gate) show(metrics prometheus.Registerer, t *turns) error {
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "credenza", Subsystem: "http", Name: name, Help: help},
			func() float64 { return float64(value()) })
	}
	return errors.Join(
		metrics.Register(gauge("connections", "Open connections to the public listener.", g.connections)),
		metrics.Register(gauge("waiting_requests",
			"Requests to the public listener that wait for their turn. Worth an alarm: more than a few for long (overload).", t.waitingNow)))
}

func (g *gate) connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.guests)
}

// Accept waits for room and then for a connection. Newcomers would be served first, before those who wait inside; so it
// gives these newcomerTime to become fewer, but no more: a crowd that never ends must not keep the door closed.
func (g *gate) Accept() (net.Conn, error) {
	for until := time.Now().Add(g.limits.newcomerTime); g.crowded() && time.Now().Before(until) || !g.makeRoom(); {
		select {
		case <-g.changed:
		case <-time.After(g.limits.newcomerTime):
		case <-g.closed:
			return nil, net.ErrClosed
		}
	}
	return g.Listener.Accept()
}

// Close closes the listener.
func (g *gate) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Listener.Close()
}

// makeRoom reports whether somebody may be let in, and closes a connection for that if it must. It does not know
// whether somebody is at the door, so that one place stays free.
func (g *gate) makeRoom() bool {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.newcomers) >= g.limits.newcomers {
		for conn, came := range g.newcomers {
			if now.Sub(came) >= g.limits.newcomerTime {
				delete(g.newcomers, conn)
			}
		}
	}
	if len(g.newcomers) >= g.limits.newcomers {
		return false
	}
	if len(g.guests) < g.limits.connections {
		return true
	}
	return g.pushOut(g.silent, now.Add(-g.limits.silentTime)) || g.pushOut(g.busy, now.Add(-g.limits.slowTime))
}

// pushOut closes the first connection of a ring if it has been there since a time. The lock is held.
func (g *gate) pushOut(ring *guest, since time.Time) bool {
	longest := ring.behind
	if longest == ring || longest.since.After(since) {
		return false
	}
	g.forget(longest.conn)
	_ = longest.conn.Close() // its goroutine finds out, and tells heard, which no longer knows it
	return true
}

// forget drops what is known of a connection. The lock is held.
func (g *gate) forget(conn net.Conn) {
	if one, ok := g.guests[conn]; ok {
		one.leave()
		delete(g.guests, conn)
		delete(g.newcomers, conn)
	}
}

// heard is told by the server what its connections do.
func (g *gate) heard(conn net.Conn, state http.ConnState) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	switch state {
	case http.StateNew:
		one := &guest{conn: conn, since: now}
		one.join(g.silent)
		g.guests[conn], g.newcomers[conn] = one, now
		return
	case http.StateActive, http.StateIdle:
		ring := g.silent
		if state == http.StateActive {
			ring = g.busy
		}
		if one, ok := g.guests[conn]; ok {
			one.leave()
			one.since = now
			one.join(ring)
		}
		if _, newcomer := g.newcomers[conn]; !newcomer {
			return
		}
		delete(g.newcomers, conn) // its first request was read
	case http.StateClosed, http.StateHijacked:
		g.forget(conn)
	}
	select {
	case g.changed <- struct{}{}:
	default:
	}
}
