package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// crowd is a number of connections that send requests: each in turn, when the answer before has come or, with Every,
// when the next is due.
type crowd struct {
	Server      string        `json:"server"` // host:port
	Connections int           `json:"connections"`
	From        []string      `json:"from"`     // addresses to come from, in turn; none for any
	Requests    [][]byte      `json:"requests"` // taken in turn, each connection beginning at its own
	Every       time.Duration `json:"every"`    // a request of a connection is due so often; its time counts from then on
	Total       int           `json:"total"`    // requests of all connections; 0: until For has passed
	For         time.Duration `json:"for"`
	Within      time.Duration `json:"within"` // an answer is waited for so long
	Ready       bool          `json:"ready"`  // all connections are opened before the first request is sent
	Late        time.Duration `json:"late"`   // how long after its head the body of a request is sent
	Afresh      bool          `json:"afresh"` // every request comes on a new connection
	Once        bool          `json:"once"`   // each request is sent by one connection, so none twice when Total is their number
}

// seen is what came back. The times of one connection that fell behind count the wait before sending, so that a server
// which stands still is seen to stand still.
type seen struct {
	Began    time.Time      `json:"began"`
	Took     time.Duration  `json:"took"`
	Sent     int            `json:"sent"`
	Answers  map[int]int    `json:"answers"`  // by status
	Failures map[string]int `json:"failures"` // requests without an answer, by what happened
	Unpaced  int            `json:"unpaced"`  // answers 429 and 503 without Retry-After
	At       []int64        `json:"at"`       // µs after Began at which a request was due
	Latency  []int64        `json:"latency"`  // µs from then until its answer
	mu       sync.Mutex
}

// lost is how many requests were not answered.
func (s *seen) lost() int {
	answered := 0
	for _, n := range s.Answers {
		answered += n
	}
	return s.Sent - answered
}

// except is how many answers had another status than these.
func (s *seen) except(allowed ...int) int {
	n := 0
	for status, count := range s.Answers {
		if !slices.Contains(allowed, status) {
			n += count
		}
	}
	return n
}

// String lists the answers and failures.
func (s *seen) String() string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(s.Answers)) {
		parts = append(parts, fmt.Sprintf("%d × %d", s.Answers[status], status))
	}
	for _, what := range slices.Sorted(maps.Keys(s.Failures)) {
		parts = append(parts, fmt.Sprintf("%d × %s", s.Failures[what], what))
	}
	return strings.Join(parts, ", ")
}

// add adds what others saw; times are not put together.
func (s *seen) add(other *seen) {
	s.Sent += other.Sent
	s.Unpaced += other.Unpaced
	for status, n := range other.Answers {
		s.Answers[status] += n
	}
	for what, n := range other.Failures {
		s.Failures[what] += n
	}
}

func newSeen() *seen {
	return &seen{Began: time.Now(), Answers: map[int]int{}, Failures: map[string]int{}}
}

// run sends the requests and returns what came back. When the context ends, no more are sent.
func (c crowd) run(ctx context.Context) *seen {
	result := newSeen()
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	turns := &turns{total: c.Total}
	wires := c.open(ctx)
	result.Began = time.Now()
	var workers sync.WaitGroup
	for i, w := range wires {
		workers.Go(func() { c.work(ctx, i, w, turns, result) })
	}
	workers.Wait()
	result.Took = time.Since(result.Began)
	return result
}

// turns counts the requests.
type turns struct {
	mu    sync.Mutex
	taken int
	total int // 0: endless
}

// take returns the number of the next request; ok is false when there is none left.
func (t *turns) take() (n int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n = t.taken
	t.taken++
	return n, t.total == 0 || n < t.total
}

// open makes the connections; those that cannot be opened beforehand are tried again when they are needed.
func (c crowd) open(ctx context.Context) []*wire {
	wires := make([]*wire, c.Connections)
	for i := range wires {
		wires[i] = &wire{server: c.Server, late: c.Late}
		if len(c.From) > 0 {
			wires[i].from = c.From[i%len(c.From)]
		}
		if c.Ready {
			_ = wires[i].open(ctx, time.Now().Add(c.Within)) // see above
		}
	}
	return wires
}

// work is one connection.
func (c crowd) work(ctx context.Context, worker int, w *wire, turns *turns, result *seen) {
	defer w.close()
	own := newSeen()
	own.Began = result.Began
	due := time.Now().Add(c.Every * time.Duration(worker) / time.Duration(c.Connections))
	for i := worker; ; i++ {
		if !c.wait(ctx, due) {
			break
		}
		n, ok := turns.take()
		if !ok {
			break
		}
		if c.Once {
			i = n
		}
		if c.Every == 0 {
			due = time.Now()
		}
		c.ask(w, c.Requests[i%len(c.Requests)], due, own)
		due = due.Add(c.Every)
	}
	result.mu.Lock()
	defer result.mu.Unlock()
	result.add(own)
	result.At = append(result.At, own.At...)
	result.Latency = append(result.Latency, own.Latency...)
}

// wait waits until the next request is due; false means that none will be.
func (c crowd) wait(ctx context.Context, due time.Time) bool {
	if c.Every == 0 || time.Until(due) <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// ask sends one request. Its own time limit holds, not that of the run: what was sent is waited for.
func (c crowd) ask(w *wire, request []byte, due time.Time, own *seen) {
	answer, err := w.ask(context.Background(), request, c.Within)
	if c.Afresh {
		w.close()
	}
	own.Sent++
	if err != nil {
		own.Failures[failure(err)]++
		return
	}
	own.Answers[answer.status]++
	if (answer.status == http.StatusTooManyRequests || answer.status == http.StatusServiceUnavailable) && answer.retryAfter == "" {
		own.Unpaced++
	}
	own.At = append(own.At, due.Sub(own.Began).Microseconds())
	own.Latency = append(own.Latency, time.Since(due).Microseconds())
}

// hanging is what happened to a request that was not answered while somebody waited.
const hanging = "no answer in time"

// failure names what happened to a request without an answer.
func failure(err error) string {
	var network net.Error
	switch text := err.Error(); {
	case errors.As(err, &network) && network.Timeout():
		return hanging
	case strings.HasPrefix(text, "connect"):
		return "not connected"
	case strings.Contains(text, "reset"), strings.Contains(text, "broken pipe"):
		return "connection reset"
	case strings.Contains(text, "EOF"):
		return "connection closed"
	default:
		return "other failure"
	}
}

// roleCrowd is the argument that makes the program a crowd: it reads one from standard input and prints what it saw.
const roleCrowd = "crowd"

// crowdRole is a run in that role. It ends early when its standard input does.
func crowdRole(ctx context.Context, in io.Reader, out io.Writer) error {
	var c crowd
	decoder := json.NewDecoder(in)
	if err := decoder.Decode(&c); err != nil {
		return fmt.Errorf("read a crowd: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in) // nothing comes; it ends when the parent says so, or is gone
		cancel()
	}()
	return json.NewEncoder(out).Encode(c.run(ctx))
}

// apart runs the crowd in a process of its own, so that its times do not hold the waits of another crowd.
func (c crowd) apart(ctx context.Context) (*seen, error) { return c.until(ctx, nil) }

// until is apart, and ends when stop is closed if that is before the crowd has done.
func (c crowd) until(ctx context.Context, stop <-chan struct{}) (*seen, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, roleCrowd)
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	var output bytes.Buffer
	p, err := start(cmd, &output, os.Stderr)
	if err != nil {
		return nil, err
	}
	err = json.NewEncoder(input).Encode(c)
	select {
	case <-stop:
	case <-p.ended:
	}
	_ = input.Close() // it may have ended before
	<-p.ended
	if err = errors.Join(err, p.err); err != nil {
		return nil, fmt.Errorf("a crowd: %w", err)
	}
	result := newSeen()
	return result, json.Unmarshal(output.Bytes(), result)
}
