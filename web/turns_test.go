package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/web"
)

// visits are requests behind turns that stay inside until they are let out. It runs in a bubble of synctest.
type visits struct {
	handler http.Handler
	waiting func() int
	inside  chan string              // who came in, in order
	leave   map[string]chan struct{} // closed: may go
}

func newVisits(room int, age, patience time.Duration, names ...string) *visits {
	v := &visits{inside: make(chan string, len(names)), leave: map[string]chan struct{}{}}
	for _, name := range names {
		v.leave[name] = make(chan struct{})
	}
	v.handler, v.waiting = web.Turns(room, age, patience, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		v.inside <- name
		<-v.leave[name]
	}))
	return v
}

// come sends requests one after the other and waits until each is inside or waits.
func (v *visits) come(names ...string) {
	for _, name := range names {
		go v.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/"+name, nil))
		synctest.Wait()
	}
}

func (v *visits) end(names ...string) {
	for _, name := range names {
		close(v.leave[name])
		synctest.Wait()
	}
}

// came returns who came in since the last look.
func (v *visits) came() []string {
	synctest.Wait()
	var list []string
	for {
		select {
		case name := <-v.inside:
			list = append(list, name)
		default:
			return list
		}
	}
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestF9_TheNewestGoesFirst: what does not wait behind a crowd is what comes after it.
func TestF9_TheNewestGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(2, time.Hour, time.Hour, "a", "b", "c", "d", "e")
		v.come("a", "b", "c", "d")
		expect(t, "two places", v.came(), "a", "b")
		v.end("a")
		expect(t, "one left", v.came(), "d")
		v.come("e")
		v.end("b")
		expect(t, "another left", v.came(), "e")
		v.end("d", "e")
		expect(t, "all left", v.came(), "c")
		if n := v.waiting(); n != 0 {
			t.Errorf("%d still wait", n)
		}
		v.end("c")
	})
}

// TestF7_WhoTakesLongHoldsNoPlace: slow requests keep nobody waiting for longer than a moment, and coming to their end
// they take no place from others.
func TestF7_WhoTakesLongHoldsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(2, 20*time.Millisecond, time.Hour, "slow", "slower", "a", "b", "c", "d")
		v.come("slow", "slower", "a", "b", "c")
		expect(t, "two places", v.came(), "slow", "slower")
		time.Sleep(20 * time.Millisecond)
		expect(t, "a moment later, at once", slices.Sorted(slices.Values(v.came())), "b", "c")
		v.end("slow", "slower")
		expect(t, "the slow ones ended, whose places others have", v.came())
		v.end("b")
		expect(t, "one of those ended", v.came(), "a")
		v.come("d")
		expect(t, "again both places are taken", v.came())
		v.end("a", "c", "d")
		expect(t, "all ended", v.came(), "d")
	})
}

// TestF9_NobodyWaitsForEver: whoever was passed over for long is served without a place, and is counted nowhere then.
func TestF9_NobodyWaitsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(1, time.Hour, 5*time.Second, "a", "b", "c", "d")
		v.come("a", "b")
		expect(t, "one place", v.came(), "a")
		time.Sleep(5 * time.Second)
		expect(t, "patience is over", v.came(), "b")
		v.come("c", "d")
		v.end("b")
		expect(t, "the end of one without a place makes none free", v.came())
		v.end("a")
		expect(t, "the end of one with a place does", v.came(), "d")
		v.end("d")
		expect(t, "and so on", v.came(), "c")
		v.end("c")
		if n := v.waiting(); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

// TestF7_WhoWaitsForABodyHoldsNoPlace: others are served while a body is awaited, and its request goes on in its turn.
func TestF7_WhoWaitsForABodyHoldsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps, leave := make(chan string, 6), make(chan struct{})
		handler, waiting := web.Turns(1, time.Hour, time.Hour, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			name := r.URL.Path[1:]
			steps <- name + " came"
			if _, err := io.ReadFull(r.Body, make([]byte, 1)); err == nil {
				steps <- name + " read"
			}
			<-leave
		}))
		v := &visits{handler: handler, waiting: waiting, inside: steps}
		read, write := io.Pipe()
		go handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/slow", read))
		expect(t, "the only place", v.came(), "slow came")
		v.come("quick")
		expect(t, "its body is awaited", v.came(), "quick came")
		if _, err := io.WriteString(write, "1"); err != nil {
			t.Fatal(err)
		}
		expect(t, "the body is there, but no place", v.came())
		leave <- struct{}{}
		expect(t, "now a place too", v.came(), "slow read")
		v.come("late")
		expect(t, "which is taken again", v.came())
		leave <- struct{}{}
		expect(t, "and given back", v.came(), "late came")
		close(leave)
	})
}

// TestF9_WhoHasGoneIsNotServed: whose client goes away while it waits waits no longer, and takes no turn.
func TestF9_WhoHasGoneIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVisits(1, time.Hour, time.Hour, "a", "b", "c")
		v.come("a", "b")
		ctx, cancel := context.WithCancel(t.Context())
		go v.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/c", http.NoBody))
		synctest.Wait()
		expect(t, "one place", v.came(), "a")
		cancel()
		synctest.Wait()
		if n := v.waiting(); n != 1 {
			t.Errorf("%d wait, of whom one is there", n)
		}
		v.end("a")
		expect(t, "the newest who is there", v.came(), "b")
		v.end("b")
		expect(t, "the one who went", v.came())
		if n := v.waiting(); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}
