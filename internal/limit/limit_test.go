package limit_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"credenza.example/credenza/internal/limit"
)

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newLimiter(t testing.TB, c limit.Config) *limit.Limiter {
	t.Helper()
	l, err := limit.New(c)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return l
}

func TestNewRefusesConfigsThatLimitNothing(t *testing.T) {
	good := limit.Config{Every: time.Second, Burst: 1, Max: 1, Clock: newClock().Now}
	if _, err := limit.New(good); err != nil {
		t.Fatalf("a sound config was refused: %v", err)
	}
	tests := map[string]func(*limit.Config){
		"no interval":       func(c *limit.Config) { c.Every = 0 },
		"negative interval": func(c *limit.Config) { c.Every = -time.Second },
		"no burst":          func(c *limit.Config) { c.Burst = 0 },
		"no room":           func(c *limit.Config) { c.Max = 0 },
		"no clock":          func(c *limit.Config) { c.Clock = nil },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			c := good
			spoil(&c)
			if _, err := limit.New(c); err == nil {
				t.Error("New accepted it")
			}
		})
	}
}

func TestAllowGivesTheBurstThenTheRate(t *testing.T) {
	c := newClock()
	l := newLimiter(t, limit.Config{Every: 10 * time.Second, Burst: 3, Max: 10, Clock: c.Now})
	for i := range 3 {
		if ok, wait := l.Allow("a"); !ok || wait != 0 {
			t.Fatalf("act %d of the burst: ok %v, wait %v", i+1, ok, wait)
		}
	}
	for range 5 { // refused acts cost nothing: the wait does not grow
		if ok, wait := l.Allow("a"); ok || wait != 10*time.Second {
			t.Fatalf("after the burst: ok %v, wait %v; want refused for 10s", ok, wait)
		}
	}
	c.Advance(4 * time.Second)
	if ok, wait := l.Allow("a"); ok || wait != 6*time.Second {
		t.Errorf("4s later: ok %v, wait %v; want refused for 6s", ok, wait)
	}
	c.Advance(6 * time.Second)
	if ok, _ := l.Allow("a"); !ok {
		t.Error("refused although the wait it was told is over")
	}
	if ok, _ := l.Allow("a"); ok {
		t.Error("a second act was allowed for one interval")
	}
}

func TestAllowKeepsKeysApart(t *testing.T) {
	l := newLimiter(t, limit.Config{Every: time.Hour, Burst: 1, Max: 10, Clock: newClock().Now})
	for _, key := range []string{"a", "b", "", "ab", strings.Repeat("long", 1000)} {
		if ok, _ := l.Allow(key); !ok {
			t.Errorf("first act of %.10q refused", key)
		}
		if ok, _ := l.Allow(key); ok {
			t.Errorf("second act of %.10q allowed", key)
		}
	}
}

func TestAllowSurvivesAClockSetBack(t *testing.T) {
	c := newClock()
	l := newLimiter(t, limit.Config{Every: time.Minute, Burst: 1, Max: 10, Clock: c.Now})
	l.Allow("a")
	c.Advance(-24 * time.Hour)
	if _, wait := l.Allow("a"); wait > time.Minute {
		t.Errorf("wait %v after the clock was set back, want a minute at most", wait)
	}
	c.Advance(time.Minute)
	if ok, wait := l.Allow("a"); !ok {
		t.Errorf("still refused, for %v, a minute after the clock was set back", wait)
	}
}

func TestLimiterForgetsTheKeyUnusedForLongest(t *testing.T) {
	l := newLimiter(t, limit.Config{Every: time.Hour, Burst: 1, Max: 2, Clock: newClock().Now})
	l.Allow("old")
	l.Allow("kept")
	l.Allow("old") // refused, but used
	l.Allow("new") // pushes out "kept"
	if ok, _ := l.Allow("old"); ok {
		t.Error("the key in use was forgotten")
	}
	if ok, _ := l.Allow("kept"); !ok {
		t.Error("the key unused for longest was remembered")
	}
}

func TestLimiterIsBounded(t *testing.T) {
	const room = 100
	l := newLimiter(t, limit.Config{Every: time.Hour, Burst: 1, Max: room, Clock: newClock().Now})
	for i := range 50 * room {
		l.Allow(fmt.Sprint(i))
	}
	if n := l.Len(); n != room {
		t.Errorf("%d keys held, want %d", n, room)
	}
}

func TestAllowCountsEveryActOfManyAtOnce(t *testing.T) {
	l := newLimiter(t, limit.Config{Every: time.Hour, Burst: 10, Max: 10, Clock: newClock().Now})
	var allowed atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if ok, _ := l.Allow("a"); ok {
				allowed.Add(1)
			}
		})
	}
	all.Wait()
	if n := allowed.Load(); n != 10 {
		t.Errorf("%d of 64 acts at once allowed, want 10", n)
	}
}

// TestWaitForetellsAllow: whatever happened before, Wait says what Allow would, and asking costs nothing.
func TestWaitForetellsAllow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		l, err := limit.New(limit.Config{Every: 7 * time.Second, Burst: 3, Max: 10, Clock: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) { c.Advance(time.Duration(rapid.IntRange(-3e9, 20e9).Draw(t, "ns"))) },
			"act": func(t *rapid.T) {
				wait := l.Wait("a")
				if again := l.Wait("a"); again != wait {
					t.Fatalf("asked twice: %v, then %v", wait, again)
				}
				ok, retryAfter := l.Allow("a")
				if ok != (wait == 0) || (retryAfter-wait).Abs() > 2*time.Microsecond {
					t.Fatalf("Wait %v; Allow %v, %v", wait, ok, retryAfter)
				}
				if !l.Spent("a") {
					t.Fatal("an act was allowed and nothing is spent")
				}
			},
		})
	})
}

func TestSpentUntilEarnedBack(t *testing.T) {
	c := newClock()
	l := newLimiter(t, limit.Config{Every: 10 * time.Second, Burst: 3, Max: 10, Clock: c.Now})
	if l.Spent("a") || l.Wait("a") != 0 || l.Len() != 0 {
		t.Error("a key that never acted has spent something, waits or is remembered")
	}
	l.Allow("a")
	l.Allow("a")
	for _, want := range []bool{true, true, false} {
		if got := l.Spent("a"); got != want {
			t.Errorf("at %v: spent %v, want %v", c.Now(), got, want)
		}
		c.Advance(10 * time.Second)
	}
}

func BenchmarkAllow(b *testing.B) {
	l := newLimiter(b, limit.Config{Every: time.Nanosecond, Burst: 100, Max: 1000, Clock: newClock().Now})
	for b.Loop() {
		l.Allow("192.0.2.1/32")
	}
}

func TestLeftTellsHowManyAndWhenAllAreBack(t *testing.T) {
	c := newClock()
	l := newLimiter(t, limit.Config{Every: time.Second, Burst: 3, Max: 2, Clock: c.Now})
	for want := 3; want > 0; want-- {
		if left, full := l.Left("k"); left != want || full != time.Duration(3-want)*time.Second {
			t.Errorf("%d left, all in %s, want %d", left, full, want)
		}
		l.Allow("k")
	}
	l.Allow("k")
	c.Advance(1500 * time.Millisecond)
	if left, full := l.Left("k"); left != 1 || full != 1500*time.Millisecond || l.Burst() != 3 {
		t.Errorf("%d left, all in %s", left, full)
	}
}
