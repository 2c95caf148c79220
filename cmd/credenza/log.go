package main

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// gatherTime is how long lines of the log wait for others before they are written together.
	gatherTime = 20 * time.Millisecond
	// maxWaiting bounds the lines that wait, in bytes: some thousands of lines, for as long as who reads the log stands still.
	maxWaiting = 1 << 20
	// logStop is how long the last lines are given at the end.
	logStop = 2 * time.Second
)

// logLines hands the log of a running server on, many lines at a time and never at the cost of a request: writing a line
// takes no system call, and when whoever reads the log stands still, requests go on, lines are lost, and how many is
// counted and said (F22). A process that is killed takes the lines of the last moment with it; what must not be lost
// is in the audit trail. It is safe for use by many goroutines.
type logLines struct {
	out   io.Writer
	lost  prometheus.Counter
	wake  chan struct{} // holds one: lines are waiting
	stop  chan struct{}
	ended chan struct{}

	mu      sync.Mutex
	waiting []byte
	missing int  // lines lost since the last writing
	closed  bool // written at once from here on
}

// gatherLines begins to hand lines on to a writer, which only it writes to until it is closed.
func gatherLines(out io.Writer) *logLines {
	l := &logLines{
		out: out, wake: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "credenza", Subsystem: "log", Name: "lost_lines_total",
			Help: "Lines of the log that were lost because nobody took them. Worth an alarm: what reads the log stands still.",
		}),
	}
	go l.run()
	return l
}

// Write takes a line. It never fails.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return l.out.Write(line)
	case len(l.waiting)+len(line) > maxWaiting:
		l.missing++
		l.lost.Inc()
		return len(line), nil
	}
	l.waiting = append(l.waiting, line...)
	if len(l.waiting) == len(line) { // the first: later ones find the writer awake
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return len(line), nil
}

func (l *logLines) run() {
	defer close(l.ended)
	pace := time.NewTimer(0)
	defer pace.Stop()
	var spare []byte
	for stopping := false; !stopping; {
		select {
		case <-l.wake:
		case <-l.stop:
		}
		pace.Reset(gatherTime)
		select {
		case <-pace.C:
		case <-l.stop:
			stopping = true
		}
		spare = l.flush(spare)
	}
}

// flush writes the lines that wait and returns their space, to be used again. Others take the spare space meanwhile.
func (l *logLines) flush(spare []byte) []byte {
	l.mu.Lock()
	lines, missing := l.waiting, l.missing
	l.waiting, l.missing = spare[:0], 0
	l.mu.Unlock()
	if len(lines) > 0 {
		_, _ = l.out.Write(lines) // there is nobody to tell
	}
	if missing > 0 {
		slog.New(slog.NewJSONHandler(l.out, nil)).Warn("lines of the log were lost", "lines", missing)
	}
	return lines
}

// close writes what waits, unless the reader stands still. Lines that come later are written at once.
func (l *logLines) close() {
	close(l.stop)
	select {
	case <-l.ended:
	case <-time.After(logStop):
		return // somebody still writes to out; what comes is gathered and goes with the process
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if len(l.waiting) > 0 { // came while the last were written
		_, _ = l.out.Write(l.waiting)
		l.waiting = nil
	}
}
