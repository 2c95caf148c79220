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

func TestFailMakesEachFailureDearer(t *testing.T) {
	d := newDelay(t, delays(newClock()))
	var got []time.Duration
	for range 11 {
		got = append(got, d.Fail("a")/time.Second)
	}
	want := []time.Duration{0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("waits in seconds (-want +got):\n%s", diff)
	}
	if wait := d.Peek("b"); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
}

func TestPeekRunsDownAndCountsNothing(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for range 6 {
		d.Fail("a") // the sixth costs 4 s
	}
	for _, want := range []time.Duration{4, 3, 2, 1, 0, 0} {
		if got := d.Peek("a"); got != want*time.Second {
			t.Errorf("wait %v, want %ds", got, want)
		}
		c.Advance(time.Second)
	}
	if got := d.Fail("a"); got != 8*time.Second {
		t.Errorf("next failure costs %v, want 8s", got)
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
	if wait := d.Peek("a"); wait != 2*time.Second {
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
	d := newDelay(t, delays(newClock()))
	for range 8 {
		d.Fail("a")
	}
	d.Reset("a")
	d.Reset("never seen")
	if wait := d.Peek("a"); wait != 0 {
		t.Errorf("wait %v after Reset", wait)
	}
	if n := d.Len(); n != 0 {
		t.Errorf("%d keys held after Reset, want 0", n)
	}
}

func TestForgiveTakesBackOneTry(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for range 6 {
		d.Fail("office")
	}
	c.Advance(4 * time.Second)
	for range 3 { // colleagues who mistype nothing go on signing in, one after the other
		if wait := d.Try("office"); wait != 0 {
			t.Fatalf("Try: wait %v", wait)
		}
		d.Forgive("office")
	}
	if wait := d.Fail("office"); wait != 8*time.Second {
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
		d.Fail("a")
	}
	c.Advance(time.Hour - time.Second)
	if wait := d.Fail("a"); wait != 32*time.Second {
		t.Errorf("a failure just before the hour is over costs %v, want 32s", wait)
	}
	c.Advance(time.Hour)
	if wait := d.Fail("a"); wait != 0 {
		t.Errorf("a failure an hour later costs %v, want nothing", wait)
	}
}

func TestDelaySurvivesAClockSetBack(t *testing.T) {
	c := newClock()
	d := newDelay(t, delays(c))
	for range 5 {
		d.Fail("a") // 2 s
	}
	c.Advance(-24 * time.Hour)
	if wait := d.Peek("a"); wait != 2*time.Second {
		t.Errorf("wait %v after the clock was set back, want 2s", wait)
	}
	c.Advance(2 * time.Second)
	if wait := d.Peek("a"); wait != 0 {
		t.Errorf("wait %v, want none", wait)
	}
}

func TestDelayIsBounded(t *testing.T) {
	d := newDelay(t, delays(newClock()))
	for i := range 5000 {
		d.Try(fmt.Sprint(i))
		d.Fail(fmt.Sprint("x", i))
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
			"": func(t *rapid.T) {
				if got, want := d.Peek("a"), wait(); got != want {
					t.Fatalf("after %d failures: wait %v, want %v", len(failed), got, want)
				}
			},
			"time": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.SampledFrom([]int{1, 2, 30, 3599, 3600}).Draw(t, "s")) * time.Second)
			},
			"fail": func(*rapid.T) {
				wait()
				failed = append(failed, c.Now())
				d.Fail("a")
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
