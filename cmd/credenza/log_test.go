package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// reader is who reads a log: it can stand still.
type reader struct {
	standing chan struct{} // closed: goes on
	reached  chan struct{} // closed at the first write
	once     sync.Once

	mu   sync.Mutex
	text bytes.Buffer
}

func newReader() *reader {
	return &reader{standing: make(chan struct{}), reached: make(chan struct{})}
}

func (r *reader) Write(p []byte) (int, error) {
	r.once.Do(func() { close(r.reached) })
	<-r.standing
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

// TestLinesArriveWholeAndInOrder: those of one goroutine in its order, none torn, none missing at the end.
func TestLinesArriveWholeAndInOrder(t *testing.T) {
	out := newReader()
	close(out.standing)
	lines := gatherLines(out)
	const writers, each = 8, 500
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for n := range each {
				_, _ = fmt.Fprintf(lines, "%d %d\n", w, n)
			}
		})
	}
	wait.Wait()
	lines.close()
	_, _ = fmt.Fprintln(lines, "after the end")
	next := map[int]int{}
	all := strings.Split(strings.TrimSpace(out.text.String()), "\n")
	for _, line := range all[:len(all)-1] {
		var w, n int
		if _, err := fmt.Sscanf(line, "%d %d", &w, &n); err != nil || next[w] != n {
			t.Fatalf("after line %d of writer %d came %q (%v)", next[w]-1, w, line, err)
		}
		next[w]++
	}
	if len(all) != writers*each+1 || all[len(all)-1] != "after the end" {
		t.Errorf("%d lines, the last %q", len(all), all[len(all)-1])
	}
}

// TestF22_NobodyWaitsForTheLog: while the reader stands still, writing goes on, in bounded memory, and what was lost is
// counted and said.
func TestF22_NobodyWaitsForTheLog(t *testing.T) {
	out := newReader()
	lines := gatherLines(out)
	_, _ = lines.Write([]byte("first\n"))
	<-out.reached
	line := []byte(strings.Repeat("x", 1023) + "\n")
	const written = 3 * maxWaiting / 1024
	for range written { // would never end if it waited
		if n, err := lines.Write(line); n != len(line) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	lost := int(testutil.ToFloat64(lines.lost))
	if lost != 2*maxWaiting/1024 {
		t.Errorf("%d of %d lines were lost, %d bytes were kept", lost, written, len(lines.waiting))
	}
	close(out.standing)
	lines.close()
	text := out.text.String()
	if got := strings.Count(text, string(line)); got != written-lost {
		t.Errorf("%d lines arrived, want %d", got, written-lost)
	}
	if !strings.Contains(text, fmt.Sprintf(`"msg":"lines of the log were lost","lines":%d`, lost)) {
		t.Errorf("nothing says how many were lost: %s", text[max(0, len(text)-200):])
	}
}
