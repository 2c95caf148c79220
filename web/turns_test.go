package web_test

import (
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
