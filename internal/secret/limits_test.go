package secret_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

// dial is a clock that a test moves.
type dial struct{ now time.Time }

func newDial() *dial { return &dial{stopped()} }

func (d *dial) Now() time.Time { return d.now }

// tally counts how verifications ended and fails on ends that no wrong secret may have.
type tally struct {
	wrong, limited int
	last           error
}

func (c *tally) add(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, secret.ErrWrong):
		c.wrong++
	case problem.Is(err, problem.Limited):
		c.limited++
		if wait := problem.As(err).RetryAfter; wait < time.Second || wait%time.Second != 0 || wait > time.Minute {
			t.Errorf("limited for %v", wait)
		}
	default:
		t.Errorf("a wrong secret ended as %v", err)
	}
	c.last = err
}

// guesses makes wrong secrets of one kind, each another.
type guesses func(i int) (clientID, text string)

// try presents n wrong secrets from a network.
func (w *world) try(t testing.TB, network string, n int, guess guesses) tally {
	t.Helper()
	var c tally
	for i := range n {
		clientID, text := guess(i)
		_, err := w.from(t, network, clientID, text)
		c.add(t, err)
	}
	return c
}

// strangers returns what somebody can present who has nothing of ours: in two kinds of shape, for clients that exist
// and that do not.
func strangers(t testing.TB) map[string]guesses {
	forger := keysOf(t, 'a', []byte(strings.Repeat("x", 32)))
	return map[string]guesses{
		"no shape":    func(i int) (string, string) { return clientA, fmt.Sprint("hunter", i) },
		"right shape": func(i int) (string, string) { return clientA, makeFor(t, forger, clientA, int64(i)).Secret.Reveal() },
		"unknown client": func(i int) (string, string) {
			return fmt.Sprint("CCWNONE_", i), makeFor(t, forger, "x", 1).Secret.Reveal()
		},
		"long": func(i int) (string, string) { return clientA, fmt.Sprint(i, strings.Repeat("x", 60_000)) },
	}
}

// TestC23_AHundredWrongSecretsFromOneNetwork: at first they are wrong, then the network has to wait; the client itself
// is not stopped, from another network nor from the same. No bcrypt runs for what a stranger makes up.
func TestC23_AHundredWrongSecretsFromOneNetwork(t *testing.T) {
	for name, guess := range strangers(t) {
		t.Run(name, func(t *testing.T) {
			clock := newDial()
			w := newWorld(t, secret.Params{}, clock.Now, nil)
			good := w.issue(t, clientA, 1)
			var c tally
			for i := range 100 { // over a minute
				clientID, text := guess(i)
				_, err := w.from(t, netA, clientID, text)
				c.add(t, err)
				if i == 0 && !errors.Is(err, secret.ErrWrong) {
					t.Errorf("the first: %v", err)
				}
				clock.now = clock.now.Add(600 * time.Millisecond)
			}
			if c.limited < 30 || c.wrong < 30 {
				t.Errorf("%d were wrong, %d had to wait", c.wrong, c.limited)
			}
			if n := w.verifier.Bcrypts(); n != 0 || w.lookups != 0 {
				t.Errorf("%d bcrypts, %d lookups", n, w.lookups)
			}
			for _, network := range []string{netB, netA} {
				if _, err := w.from(t, network, clientA, good); err != nil {
					t.Errorf("the client itself, from %s: %v", network, err)
				}
			}
		})
	}
}

// TestTheWaitThatIsToldIsEnough: who comes back after it is answered for what it brings.
func TestTheWaitThatIsToldIsEnough(t *testing.T) {
	clock := newDial()
	w := newWorld(t, secret.Params{}, clock.Now, nil)
	guess := strangers(t)["no shape"]
	w.try(t, netA, 30, guess)
	_, err := w.from(t, netA, clientA, "another")
	if !problem.Is(err, problem.Limited) {
		t.Fatalf("after 30: %v", err)
	}
	clock.now = clock.now.Add(problem.As(err).RetryAfter)
	if _, err := w.from(t, netA, clientA, "another"); !errors.Is(err, secret.ErrWrong) {
		t.Errorf("after the wait: %v", err)
	}
	if _, err := w.from(t, netB, clientA, "another"); !errors.Is(err, secret.ErrWrong) {
		t.Errorf("another network: %v", err)
	}
}

// TestARepeatWithinTwoSecondsCountsOnce: Go's x/oauth2 sends what was refused once more in the other style; a loop does
// not get away with it.
func TestARepeatWithinTwoSecondsCountsOnce(t *testing.T) {
	const many = 500
	tests := []struct {
		name  string
		times int           // how often each guess is sent
		apart time.Duration // between a guess and its repeat; one failure is earned back in two seconds
		want  int           // refused as wrong before the network has to wait
	}{
		{"once each", 1, 0, 30},
		{"twice each", 2, 0, 60},
		{"four times each", 4, 0, 60},
		{"twice each within two seconds, earned back as it goes", 2, 2 * time.Second, many},
		{"twice each, a little later", 2, 2*time.Second + time.Millisecond, 60},
		{"a loop of one", many, 0, 60},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clock := newDial()
			w := newWorld(t, secret.Params{}, clock.Now, nil)
			wrong := 0
			for wrong < many {
				_, err := w.from(t, netA, clientA, fmt.Sprint("guess ", wrong/test.times))
				if !errors.Is(err, secret.ErrWrong) {
					break
				}
				if wrong++; wrong%test.times != 0 {
					clock.now = clock.now.Add(test.apart)
				}
			}
			if wrong != test.want {
				t.Errorf("%d were refused as wrong, want %d", wrong, test.want)
			}
		})
	}
	w := newWorld(t, secret.Params{}, nil, nil)
	w.try(t, netA, 29, strangers(t)["no shape"])
	for i, p := range []secret.Presented{
		{ClientID: clientA, Text: "x", Network: netA}, // the 30th
		{ClientID: clientB, Text: "x", Network: netA}, // not the same client
		{ClientID: clientA, Text: "y", Network: netA}, // not the same secret
		{ClientID: clientA, Text: "x", Network: netA}, // the repeat
	} {
		_, err := w.verifier.Verify(t.Context(), p, w.lookup(p.ClientID))
		if limited := problem.Is(err, problem.Limited); limited != (i == 1 || i == 2) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestNetworksOfIPv6AreLimitedWithinTheirSite: each /64 has its ceiling, and the /48 around them one of its own.
func TestNetworksOfIPv6AreLimitedWithinTheirSite(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	guess := strangers(t)["no shape"]
	network := func(site, n int) string { return limit.Network(fmt.Sprintf("2001:db8:%x:%x::1", site, n)) }
	if c := w.try(t, network(1, 0), 40, guess); c.wrong != 30 {
		t.Errorf("one network: %d refused as wrong, want 30", c.wrong)
	}
	wrong := 30
	for n := range 100 {
		wrong += w.try(t, network(1, n+1), 5, guess).wrong
	}
	if wrong != 300 {
		t.Errorf("a hundred networks of a site: %d refused as wrong, want 300", wrong)
	}
	if c := w.try(t, network(2, 0), 40, guess); c.wrong != 30 {
		t.Errorf("the next site: %d refused as wrong, want 30", c.wrong)
	}
}

// TestARightTagWithAWrongSecretIsLimitedByCredential: whoever has an older secret of the client's slot fills a bucket
// that stops the sender before bcrypt, and nobody who was seen good.
func TestARightTagWithAWrongSecretIsLimitedByCredential(t *testing.T) {
	clock := newDial()
	w := newWorld(t, secret.Params{}, clock.Now, nil)
	good := w.issue(t, clientA, 63)
	holder := func(int) (string, string) { return clientA, makeFor(t, w.keys, clientA, 1).Secret.Reveal() }
	if _, err := w.from(t, netB, clientA, good); err != nil {
		t.Fatal(err)
	}
	c := w.try(t, netA, 100, holder)
	if ran := w.verifier.Bcrypts() - 1; c.wrong != 10 || ran != 10 {
		t.Errorf("%d refused as wrong, %d bcrypts; want 10 and 10", c.wrong, ran)
	}
	clock.now = clock.now.Add(16 * time.Minute) // nobody is in the cache any more
	w.try(t, netA, 100, holder)
	for i, gate := range []secret.Gate{secret.GateHash, secret.GateCache} {
		if result, err := w.from(t, []string{netB, "203.0.113.9/32"}[i], clientA, good); err != nil || result.Gate != gate {
			t.Errorf("the client, where it was seen good or is warm: %+v, %v; want gate %s", result, err, gate)
		}
	}
	if result, err := w.from(t, netA, clientA, good); err != nil || result.Gate != secret.GateCache {
		t.Errorf("the warm client, from where the wrong ones come: %+v, %v", result, err)
	}
	clock.now = clock.now.Add(16 * time.Minute)
	w.try(t, netA, 100, holder)
	if result, err := w.from(t, netA, clientA, good); err != nil || result.Gate != secret.GateHash {
		t.Errorf("the cold client, now seen good there: %+v, %v", result, err)
	}
	if other := w.issue(t, clientA, 64); !w.accepts(t, netA, clientA, other) {
		t.Error("its other secret is refused")
	}
}

func (w *world) accepts(t testing.TB, network, clientID, text string) bool {
	t.Helper()
	_, err := w.from(t, network, clientID, text)
	return err == nil
}

// TestManyNetworksTogetherFillOneBucket: those that failed at a slot are stopped together; one that did not is heard.
func TestManyNetworksTogetherFillOneBucket(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	good := w.issue(t, clientA, 63)
	holder := func(int) (string, string) { return clientA, makeFor(t, w.keys, clientA, 1).Secret.Reveal() }
	network := func(n int) string { return limit.Network(fmt.Sprintf("203.0.113.%d", n)) }
	for n := range 50 {
		w.try(t, network(n), 2, holder)
	}
	if ran := w.verifier.Bcrypts(); ran != 100 {
		t.Fatalf("%d bcrypts, want 100", ran)
	}
	for n := range 50 {
		if c := w.try(t, network(n), 1, holder); c.limited != 1 {
			t.Errorf("network %d, which had failed twice: %v", n, c.last)
		}
	}
	if !w.accepts(t, network(50), clientA, good) {
		t.Error("the cold client is refused where nobody failed")
	}
	if c := w.try(t, network(51), 1, holder); c.wrong != 1 {
		t.Errorf("a first failure elsewhere: %v", c.last)
	}
}

// TestALimitedLookupReadsNothing: secrets of a slot that has none any more, or of a client that is gone, cost a read
// each until their sender has to wait; also in the client's own network, where it goes on with its new secret.
func TestALimitedLookupReadsNothing(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	good := w.issue(t, clientA, 1)
	own := limit.Network("203.0.113.1")
	if !w.accepts(t, own, clientA, good) {
		t.Fatal("the right secret is refused")
	}
	for _, from := range [][2]string{{clientA, netA}, {clientB, netA}, {clientA, own}} {
		w.reads = 0
		c := w.try(t, from[1], 100, func(int) (string, string) {
			return from[0], makeFor(t, w.keys, from[0], 2).Secret.Reveal()
		})
		if c.wrong != 10 || w.reads != 10 {
			t.Errorf("%s: %d refused as wrong, %d reads; want 10 and 10", from, c.wrong, w.reads)
		}
	}
	if !w.accepts(t, own, clientA, good) {
		t.Error("the client is refused in its network")
	}
}

// TestWithoutNetworksNoneIsLimited: behind an unknown proxy all come from one address, and only the slot's bucket is
// left.
func TestWithoutNetworksNoneIsLimited(t *testing.T) {
	clock := newDial()
	w := newWorld(t, secret.Params{}, clock.Now, nil)
	w.verifier = newVerifier(t, w.keys, w.hasher, secret.WithoutNetworks())
	good := w.issue(t, clientA, 63)
	for name, guess := range strangers(t) {
		if c := w.try(t, netA, 100, guess); c.limited != 0 {
			t.Errorf("%s: %d were limited", name, c.limited)
		}
	}
	holder := func(int) (string, string) { return clientA, makeFor(t, w.keys, clientA, 1).Secret.Reveal() }
	if !w.accepts(t, netA, clientA, good) {
		t.Fatal("the right secret is refused")
	}
	if c := w.try(t, netA, 150, holder); c.wrong != 100 {
		t.Errorf("%d refused as wrong, want 100", c.wrong)
	}
	if !w.accepts(t, netA, clientA, good) {
		t.Error("the warm client is refused")
	}
	if n := w.verifier.Held()["clients"]; n != 0 {
		t.Errorf("%d clients are said to be known somewhere", n)
	}
}

// TestLimitsStopNobodyWhoIsRight does at random what clients and strangers do, from three networks and with a clock that
// moves. Who is wrong never gets in; bucket A never answers a right tag; who is right gets in, unless a tag key is not
// trusted or the network itself has presented wrong secrets for that slot, the client is cold and was never seen there.
func TestLimitsStopNobodyWhoIsRight(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newLimitsModel(t)
		rt.Repeat(map[string]func(*rapid.T){
			"time": func(rt *rapid.T) {
				m.clock.now = m.clock.now.Add(rapid.SampledFrom([]time.Duration{1, 3, 60, 700, 86400}).Draw(rt, "s") * time.Second)
			},
			"good":     func(rt *rapid.T) { m.present(rt, "good", 1) },
			"stranger": func(rt *rapid.T) { m.present(rt, "stranger", 40) },
			"holder":   func(rt *rapid.T) { m.present(rt, "holder", 12) },
			"untrusted": func(rt *rapid.T) {
				m.present(rt, rapid.SampledFrom([]string{"good, untrusted", "forged, untrusted"}).Draw(rt, "kind"), 12)
			},
		})
	})
}

// limitsModel knows of each client when it was last right, and where.
type limitsModel struct {
	*world

	t       *testing.T
	clock   *dial
	texts   map[presentation]string // kinds: good
	bcrypt  map[presentation]time.Time
	sights  map[string]time.Time // client and network
	failed  map[string]bool      // client, slot and network
	skipped map[string]bool      // networks with failures under an untrusted key
	n       int
}

func newLimitsModel(t *testing.T) *limitsModel {
	clock := newDial()
	m := &limitsModel{
		world: newWorld(t, secret.Params{}, clock.Now, nil), t: t, clock: clock, texts: map[presentation]string{},
		bcrypt: map[presentation]time.Time{}, sights: map[string]time.Time{}, failed: map[string]bool{}, skipped: map[string]bool{},
	}
	issue := m.pretend()
	keys := m.keys
	for _, client := range []string{clientA, clientB} {
		m.texts[presentation{client, "good"}] = issue(t, client, 63)
		m.keys = keysOf(t, 'c', []byte(strings.Repeat("c", 32)))
		m.texts[presentation{client, "good, untrusted"}] = issue(t, client, 64)
		m.keys = keys
	}
	return m
}

func (m *limitsModel) present(rt *rapid.T, kind string, times int) {
	client := rapid.SampledFrom([]string{clientA, clientB}).Draw(rt, "client")
	network := rapid.SampledFrom([]string{netA, netB, "2001:db8:1:2::/64"}).Draw(rt, "network")
	for range times {
		m.n++
		text, right := m.texts[presentation{client, kind}]
		slot := 1
		switch kind {
		case "good, untrusted":
			slot = 2
		case "stranger":
			text = fmt.Sprint("ccws_", m.n)
		case "holder":
			text = makeFor(m.t, m.keys, client, 1).Secret.Reveal()
		case "forged, untrusted":
			slot = 2
			text = makeFor(m.t, keysOf(m.t, 'c', []byte(strings.Repeat("x", 32))), client, 2).Secret.Reveal()
		}
		result, err := m.from(m.t, network, client, text)
		m.judge(rt, presentation{client, kind}, fmt.Sprint(client, slot, network), network, right, result, err)
	}
}

func (m *limitsModel) judge(rt *rapid.T, p presentation, at, network string, right bool, result secret.Result, err error) {
	where := p.clientID + network
	warm := m.clock.now.Sub(m.bcrypt[p]) < 10*time.Minute
	known := m.clock.now.Sub(m.sights[where]) < 7*24*time.Hour
	untrusted := strings.Contains(p.text, "untrusted")
	switch {
	case (err == nil) && !right:
		rt.Fatalf("%s was accepted", p.text)
	case err == nil:
		m.sights[where] = m.clock.now
		if result.Gate == secret.GateHash {
			m.bcrypt[p] = m.clock.now
		}
	case right && (warm || known || !m.failed[at] && !(untrusted && m.skipped[network])):
		rt.Fatalf("%s: %v at %s; warm %v, known %v", p.text, err, result.Gate, warm, known)
	case result.Gate == secret.GateLimitNetwork && p.text != "stranger" && !untrusted:
		rt.Fatalf("bucket A answered %s", p.text)
	case !right && p.text != "stranger":
		m.failed[at] = true
		m.skipped[network] = m.skipped[network] || untrusted
	}
}
