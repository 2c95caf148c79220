package secret_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/secret"
)

// moving is a clock that many read while a test moves it.
type moving struct{ offset atomic.Int64 }

func (m *moving) Now() time.Time { return stopped().Add(time.Duration(m.offset.Load())) }

func (m *moving) Advance(d time.Duration) { m.offset.Add(int64(d)) }

// flooded is an installation with eight good clients, all warm and known in their network.
type flooded struct {
	*world

	clock   *moving
	near    string // first three numbers of their addresses
	clients []string
	secrets []string
}

const goodClients = 8

func newFlooded(t *testing.T, near string) *flooded {
	t.Helper()
	clock := new(moving)
	f := &flooded{world: newWorld(t, secret.Params{}, clock.Now, nil), clock: clock, near: near}
	issue := f.pretend()
	for i := range goodClients {
		client := fmt.Sprint(clientA, i)
		f.clients, f.secrets = append(f.clients, client), append(f.secrets, issue(t, client, 63))
		f.serve(t, i)
	}
	return f
}

// network is where a good client comes from.
func (f *flooded) network(i int) string { return limit.Network(fmt.Sprintf("%s.%d", f.near, i)) }

func (f *flooded) serve(t testing.TB, i int) secret.Result {
	result, err := f.from(t, f.network(i), f.clients[i], f.secrets[i])
	if err != nil {
		t.Errorf("good client %d: %v at %s", i, err, result.Gate)
	}
	return result
}

// flood has 64 goroutines present so many wrong secrets each, from sixteen networks, and runs good meanwhile, once at
// least.
func (f *flooded) flood(t *testing.T, each int, guess guesses, good func()) tally {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var sum tally
	for g := range 64 {
		all.Go(func() {
			network := limit.Network(fmt.Sprintf("192.0.2.%d", g%16))
			var c tally
			for i := range each {
				clientID, text := guess(g*each + i)
				_, err := f.from(t, network, clientID, text)
				if err != nil && refusedBusy(err) {
					continue
				}
				c.add(t, err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum.wrong, sum.limited = sum.wrong+c.wrong, sum.limited+c.limited
		})
	}
	stop := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() {
		for more := true; more; {
			good()
			select {
			case <-stop:
				more = false
			default:
			}
		}
	})
	all.Wait()
	close(stop)
	beside.Wait()
	return sum
}

// TestT6_AFloodOfWrongSecretsCostsNoBcrypt: 64 at once present what strangers and holders of retired secrets can, beside
// eight good clients. No bcrypt runs, the bad are wrong or have to wait, and every good one is served.
func TestT6_AFloodOfWrongSecretsCostsNoBcrypt(t *testing.T) {
	const each = 150
	forger := keysOf(t, 'a', []byte(strings.Repeat("x", 32)))
	kinds := map[string]func(f *flooded) guesses{
		"random": func(f *flooded) guesses {
			return func(i int) (string, string) { return f.clients[i%goodClients], fmt.Sprint("hunter", i) }
		},
		"right shape": func(f *flooded) guesses {
			made := manyOf(t, forger, f.clients, 5)
			return func(i int) (string, string) { return f.clients[i%goodClients], made[i%len(made)] }
		},
		"right tag, a slot without a secret": func(f *flooded) guesses {
			made := manyOf(t, f.keys, f.clients, 5)
			return func(i int) (string, string) { return f.clients[i%goodClients], made[i%len(made)] }
		},
		"unknown clients": func(*flooded) guesses {
			return func(i int) (string, string) {
				return fmt.Sprint("CCWNONE_", i), sealed("ccws_a5" + strings.Repeat("4", 60))
			}
		},
		"one retired secret in a loop": func(f *flooded) guesses {
			old := makeFor(t, f.keys, f.clients[1], 62).Secret.Reveal()
			return func(int) (string, string) { return f.clients[1], old }
		},
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			f := newFlooded(t, "192.0.2") // the same networks as the flood's
			before, served := f.verifier.Bcrypts(), 0
			sum := f.flood(t, each, kind(f), func() {
				for i := range goodClients {
					if f.serve(t, i).Gate == secret.GateCache {
						served++
					}
				}
			})
			if ran := f.verifier.Bcrypts() - before; ran != 0 {
				t.Errorf("%d bcrypts ran", ran)
			}
			if sum.wrong+sum.limited != 64*each || sum.limited < 64*each/2 || served < goodClients {
				t.Errorf("%d were wrong, %d had to wait, %d good ones were served from the cache", sum.wrong, sum.limited, served)
			}
		})
	}
}

// manyOf makes a few hundred secrets, the i-th for client i mod their number.
func manyOf(t *testing.T, keys *secret.Keys, clients []string, generation int64) []string {
	t.Helper()
	var made []string
	for i := range 400 {
		made = append(made, makeFor(t, keys, clients[i%len(clients)], generation).Secret.Reveal())
	}
	return made
}

// TestT6_AFloodThatReachesBcryptStopsNobodyKnown: the signing key has leaked, or is not trusted any more, so that wrong
// secrets for the good clients' own slots reach bcrypt. The warm go on without one, and who is cold is served where it
// was seen good before.
func TestT6_AFloodThatReachesBcryptStopsNobodyKnown(t *testing.T) {
	for _, name := range []string{"leaked", "untrusted"} {
		t.Run(name, func(t *testing.T) {
			f := newFlooded(t, "203.0.113")
			made := manyOf(t, f.keys, f.clients, 63)
			guess := func(i int) (string, string) { return f.clients[i%goodClients], made[i%len(made)] }
			if name == "untrusted" {
				next := secret.TagKey{ID: 'z', State: secret.Signing, Key: []byte(strings.Repeat("n", 32))}
				if err := f.keys.Replace([]secret.TagKey{{ID: 'a', State: secret.Untrusted}, next}); err != nil {
					t.Fatal(err)
				}
			}
			warm := func() {
				for i := range goodClients {
					if gate := f.serve(t, i).Gate; gate != secret.GateCache {
						t.Errorf("warm client %d: gate %s", i, gate)
					}
				}
			}
			sum := f.flood(t, 60, guess, warm)
			if sum.limited == 0 {
				t.Error("nobody had to wait")
			}
			cold := func() {
				f.clock.Advance(16 * time.Minute)
				for i := range goodClients {
					if gate := f.serve(t, i).Gate; gate != secret.GateHash {
						t.Errorf("cold client %d: gate %s", i, gate)
					}
				}
			}
			f.flood(t, 20, guess, cold)
		})
	}
}

// TestMemoryIsBoundedWhateverIsPresented: a hundred thousand distinct wrong secrets, of clients and from networks as
// many, leave no more behind than ten thousand.
func TestMemoryIsBoundedWhateverIsPresented(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	w.hasher.SetCompare(func(_, _ []byte) error { return bcrypt.ErrMismatchedHashAndPassword })
	forger := keysOf(t, 'c', []byte(strings.Repeat("x", 32)))
	text := makeFor(t, forger, clientA, 1).Secret.Reveal()
	hash := anyHash(t, "04")
	lookup := func(clientID string) secret.Lookup { return w.always(clientID, hash) }
	present := func(from, to int) {
		for i := range to - from {
			i += from
			wrong := sealed(fmt.Sprintf("%s%07d%s", text[:20], i, text[27:61]))
			client := fmt.Sprint("CCWACME_", i)
			network := limit.Network(fmt.Sprintf("2001:db8:%x:%x::1", i>>8, i&0xff))
			for _, p := range []secret.Presented{
				{ClientID: client, Text: wrong, Network: network},                  // a tag that is skipped: bcrypt refuses
				{ClientID: client, Text: fmt.Sprint("junk ", i), Network: network}, // no shape
			} {
				_, _ = w.verifier.Verify(t.Context(), p, lookup(client))
			}
		}
	}
	present(0, 12_000)
	held, heap := w.verifier.Held(), inUse()
	present(12_000, 100_000)
	for what, n := range w.verifier.Held() {
		if n != held[what] || n > 10_000 {
			t.Errorf("%d %s after a hundred thousand, %d after twelve thousand", n, what, held[what])
		}
	}
	if grown := inUse() - heap; grown > 12<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	if held["refused"] != 10_000 || held["accepted"] != 0 {
		t.Errorf("held: %v", held)
	}
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
