package secret_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/secret"
)

// TestTheStatesOfATagKey presents right and wrong secrets while their key is signing, accepted, untrusted and gone: who
// is right gets in, by the cache as long as it is warm; who is wrong ends at the tag, or where the tag says nothing at
// bcrypt, and is stopped by the bucket of that gate.
func TestTheStatesOfATagKey(t *testing.T) {
	for _, test := range []struct {
		state        secret.State // "" gone
		right, wrong secret.Gate
		heard        int // wrong ones before the network has to wait
		stopped      secret.Gate
	}{
		{secret.Signing, secret.GateHash, secret.GateTag, 30, secret.GateLimitNetwork},
		{secret.Accepted, secret.GateHash, secret.GateTag, 30, secret.GateLimitNetwork},
		{secret.Untrusted, secret.GateHash, secret.GateHash, 10, secret.GateLimitCredential},
		{"", secret.GateTag, secret.GateTag, 30, secret.GateLimitNetwork},
	} {
		t.Run(string(test.state), func(t *testing.T) {
			clock := newDial()
			w := newWorld(t, secret.Params{}, clock.Now, nil)
			good := w.issue(t, clientA, 1)
			w.accepts(t, netB, clientA, good) // warm and known
			keys := []secret.TagKey{{ID: 'z', State: secret.Signing, Key: []byte(strings.Repeat("z", 32))}}
			if test.state != "" {
				keys = append([]secret.TagKey{{ID: 'a', State: test.state, Key: sequence(32)}}, keys...)
			}
			if err := w.keys.Replace(keys); err != nil {
				t.Fatal(err)
			}
			if ok := w.accepts(t, netA, clientA, good); ok != (test.state != "") {
				t.Errorf("the warm client: accepted %v", ok)
			}
			forger := keysOf(t, 'a', []byte(strings.Repeat("x", 32)))
			forged := func(int) (string, string) { return clientA, makeFor(t, forger, clientA, 1).Secret.Reveal() }
			attacker := limit.Network("203.0.113.66")
			for i := range 40 {
				clientID, text := forged(i)
				result, err := w.from(t, attacker, clientID, text)
				want := test.wrong
				if i >= test.heard {
					want = test.stopped
				}
				if err == nil || result.Gate != want {
					t.Fatalf("forgery %d: %+v, %v; want gate %s", i, result, err, want)
				}
			}
			clock.now = clock.now.Add(16 * time.Minute)
			w.try(t, attacker, 40, forged)
			for _, network := range []string{netB, limit.Network("203.0.113.99")} { // known there; never seen there
				result, err := w.from(t, network, clientA, good)
				if result.Gate != test.right || (err == nil) != (test.state != "") {
					t.Errorf("the cold client from %s: %+v, %v", network, result, err)
				}
				clock.now = clock.now.Add(16 * time.Minute)
			}
		})
	}
}

// TestForgeriesUnderAnUntrustedKeyAreLimitedByNetwork: they can name any client and any slot, so that no bucket of a slot
// fills. What else comes from there has its own bucket, and who is warm or known there is not stopped.
func TestForgeriesUnderAnUntrustedKeyAreLimitedByNetwork(t *testing.T) {
	clock := newDial()
	w := newWorld(t, secret.Params{}, clock.Now, nil)
	signing, untrusted := w.keys, keysOf(t, 'c', []byte(strings.Repeat("c", 32)))
	w.keys = untrusted
	warm := w.issue(t, clientA, 1)
	w.keys = signing
	trusted := w.issue(t, clientB, 1)
	if !w.accepts(t, netB, clientA, warm) {
		t.Fatal("the right secret is refused")
	}
	for _, network := range []string{netA, "2001:db8:1:2::/64"} {
		w.reads = 0
		c := w.try(t, network, 100, func(i int) (string, string) {
			client := fmt.Sprint("CCWACME_", i)
			return client, makeFor(t, untrusted, client, int64(i)).Secret.Reveal()
		})
		if c.wrong != 30 || w.reads != 30 {
			t.Errorf("%s: %d refused as wrong, %d reads; want 30 and 30", network, c.wrong, w.reads)
		}
		if c := w.try(t, network, 30, strangers(t)["no shape"]); c.wrong != 30 {
			t.Errorf("%s: %d others refused as wrong, want 30", network, c.wrong)
		}
		if !w.accepts(t, network, clientB, trusted) || !w.accepts(t, network, clientA, warm) {
			t.Errorf("%s: who is right under a trusted key, or warm, is stopped", network)
		}
		clock.now = clock.now.Add(20 * time.Minute) // cold, but known there
		w.try(t, network, 40, func(i int) (string, string) {
			client := fmt.Sprint("CCWACME_", i)
			return client, makeFor(t, untrusted, client, int64(i)).Secret.Reveal()
		})
		if !w.accepts(t, network, clientA, warm) {
			t.Errorf("%s: a known client is stopped", network)
		}
	}
}
