package limit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"credenza.example/credenza/internal/limit"
)

// delays is a config with round numbers: three free, then 1 s, 2 s, 4 s … 60 s; forgotten after an hour.
func delays(c *clock) limit.DelayConfig {
	return limit.DelayConfig{
		Free: 3, First: time.Second, Ceiling: time.Minute, Forget: time.Hour, Max: 100, Clock: c.Now,
	}
}

func newDelay(t testing.TB, c limit.DelayConfig) *limit.Delay {
	t.Helper()
	d, err := limit.NewDelay(c)
	if err != nil {
		t.Fatalf("NewDelay: %v", err)
	}
	return d
}

func TestNewDelayRefusesConfigsWithoutSense(t *testing.T) {
	tests := map[string]func(*limit.DelayConfig){
		"negative free":         func(c *limit.DelayConfig) { c.Free = -1 },
		"no first wait":         func(c *limit.DelayConfig) { c.First = 0 },
		"ceiling below first":   func(c *limit.DelayConfig) { c.Ceiling = c.First - 1 },
		"forgets while waiting": func(c *limit.DelayConfig) { c.Forget = c.Ceiling - 1 },
		"no room":               func(c *limit.DelayConfig) { c.Max = 0 },
		"no clock":              func(c *limit.DelayConfig) { c.Clock = nil },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			c := delays(newClock())
			spoil(&c)
			if _, err := limit.NewDelay(c); err == nil {
				t.Error("NewDelay accepted it")
			}
		})
	}
}

// fail counts a failure of the key as soon as it may try, and returns how long it had to wait for that.
func fail(c *clock, d *limit.Delay, key string) time.Duration {
	wait := d.Try(key)
	if wait > 0 {
		c.Advance(wait)
		d.Try(key)
	}
	return wait
}

func TestEachFailureIsDearer(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	var got []time.Duration
	for range 12 {
		got = append(got, fail(c, d, "a")/time.Second)
	}
	want := []time.Duration{0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits in seconds (-want +got):\n%s", diff)
	}
	if wait := d.Try("b"); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
}

func TestWaitRunsDown(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for range 6 {
		fail(c, d, "a") // the sixth costs 4 s
	}
	for _, want := range []time.Duration{4, 3, 2, 1, 0, 8} {
		if got := d.Try("a"); got != want*time.Second {
			t.Errorf("wait %v, want %ds", got, want)
		}
		if want > 0 {
			c.Advance(time.Second)
		}
	}
}

func TestTryCountsAtOnceAndNotWhileWaiting(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for i := range 4 {
		if wait := d.Try("a"); wait != 0 {
			t.Fatalf("try %d: wait %v", i+1, wait)
		}
	}
	for range 50 { // hammering makes nothing longer
		if wait := d.Try("a"); wait != time.Second {
			t.Fatalf("try while waiting: wait %v, want 1s", wait)
		}
	}
	c.Advance(time.Second)
	if wait := d.Try("a"); wait != 0 {
		t.Errorf("try after the wait: wait %v", wait)
	}
	if wait := d.Try("a"); wait != 2*time.Second {
		t.Errorf("after the fifth failure: wait %v, want 2s", wait)
	}
}

func TestTryHoldsForManyAtOnce(t *testing.T) {
	d := newDelay(t, delays(newClock()))
	var through atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if d.Try("a") == 0 {
				through.Add(1)
			}
		})
	}
	all.Wait()
	if n := through.Load(); n != 4 {
		t.Errorf("%d of 64 tries at once went through, want 4: three free ones and the one that starts the wait", n)
	}
}

func TestResetForgets(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for range 8 {
		fail(c, d, "a")
	}
	d.Reset("a")
	d.Reset("never seen")
	if n := d.Len(); n != 0 {
		t.Errorf("%d keys held after Reset, want 0", n)
	}
	if wait := d.Try("a"); wait != 0 {
		t.Errorf("wait %v after Reset", wait)
	}
}

func TestForgiveTakesBackOneTry(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for range 6 {
		fail(c, d, "office")
	}
	c.Advance(4 * time.Second)
	for range 3 { // colleagues who mistype nothing go on signing in, one after the other
		if wait := d.Try("office"); wait != 0 {
			t.Fatalf("Try: wait %v", wait)
		}
		d.Forgive("office")
	}
	d.Try("office")
	if wait := d.Try("office"); wait != 8*time.Second {
		t.Errorf("next failure costs %v, want 8s: success excuses no other failure", wait)
	}
	d.Try("new")
	d.Forgive("new")
	d.Forgive("never seen")
	if n := d.Len(); n != 1 {
		t.Errorf("%d keys held, want only the one with failures", n)
	}
}

func TestDelayForgetsAfterAQuietTime(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for range 8 {
		fail(c, d, "a")
	}
	c.Advance(time.Hour - time.Second)
	d.Try("a")
	if wait := d.Try("a"); wait != 32*time.Second {
		t.Errorf("a failure just before the hour is over costs %v, want 32s", wait)
	}
	c.Advance(time.Hour)
	for n := range 4 {
		if wait := d.Try("a"); wait != 0 {
			t.Errorf("failure %d an hour later costs %v, want nothing", n, wait)
		}
	}
}

func TestDelaySurvivesAClockSetBack(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for range 5 {
		fail(c, d, "a") // 2 s
	}
	c.Advance(-24 * time.Hour)
	if wait := d.Try("a"); wait != 2*time.Second {
		t.Errorf("wait %v after the clock was set back, want 2s", wait)
	}
	c.Advance(2 * time.Second)
	if wait := d.Try("a"); wait != 0 {
		t.Errorf("wait %v, want none", wait)
	}
}

func TestDelayIsBounded(t *testing.T) {
	d := newDelay(t, delays(newClock()))
	for i := range 10_000 {
		d.Try(fmt.Sprint(i))
	}
	if n := d.Len(); n != 100 {
		t.Errorf("%d keys held, want 100", n)
	}
}

// TestDelayAgreesWithAModel compares a key with the rule written down naively: a list of the times of its failures.
func TestDelayAgreesWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		config := delays(c)
		d, err := limit.NewDelay(config)
		if err != nil {
			t.Fatal(err)
		}
		var failed []time.Time
		wait := func() time.Duration {
			if len(failed) > 0 && c.Now().Sub(failed[len(failed)-1]) >= config.Forget {
				failed = nil
			}
			if len(failed) <= config.Free {
				return 0
			}
			seconds := min(60, 1<<min(20, len(failed)-config.Free-1))
			return max(0, time.Duration(seconds)*time.Second-c.Now().Sub(failed[len(failed)-1]))
		}
		t.Repeat(map[string]func(*rapid.T){
			"time": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.SampledFrom([]int{1, 2, 30, 3599, 3600}).Draw(t, "s")) * time.Second)
			},
			"try": func(t *rapid.T) {
				want := wait()
				if want == 0 {
					failed = append(failed, c.Now())
				}
				if got := d.Try("a"); got != want {
					t.Fatalf("Try: wait %v, want %v", got, want)
				}
			},
			"reset": func(*rapid.T) {
				failed = nil
				d.Reset("a")
			},
		})
	})
}
