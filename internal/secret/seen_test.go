package secret_test

import (
	"fmt"
	"testing"
	"time"

	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/secret"
)

// known reports whether the client, whose usable secret is its first, is known in the network: only then a secret of the
// filled bucket is looked at.
func (w *world) known(t testing.TB, network, clientID string) bool {
	t.Helper()
	holder := func(int) (string, string) { return clientID, makeFor(t, w.keys, clientID, 63).Secret.Reveal() }
	w.try(t, network, 10, holder)
	return w.try(t, network, 1, holder).wrong == 1
}

func TestAClientIsKnownWhereItWasSeenGood(t *testing.T) {
	clock := newDial()
	w := newWorld(t, secret.Params{}, clock.Now, nil)
	good := w.issue(t, clientA, 1)
	other := w.issue(t, clientB, 1)
	for _, present := range [][3]string{{netA, clientA, good}, {netB, clientB, other}, {netB, clientA, "wrong"}} {
		_, _ = w.from(t, present[0], present[1], present[2])
	}
	for network, clients := range map[string]map[string]bool{netA: {clientA: true, clientB: false}, netB: {clientA: false, clientB: true}} {
		for client, want := range clients {
			if got := w.known(t, network, client); got != want {
				t.Errorf("%s in %s: known %v, want %v", client, network, got, want)
			}
		}
	}
	clock.now = clock.now.Add(7*24*time.Hour - time.Second)
	if !w.known(t, netA, clientA) {
		t.Error("forgotten within a week")
	}
	clock.now = clock.now.Add(2 * time.Second)
	if w.known(t, netA, clientA) {
		t.Error("remembered for more than a week")
	}
}

// TestAClientThatStaysIsNotForgotten: a warm client is noted anew, at the latest when its secret is hashed again.
func TestAClientThatStaysIsNotForgotten(t *testing.T) {
	clock := newDial()
	w := newWorld(t, secret.Params{}, clock.Now, nil)
	good := w.issue(t, clientA, 1)
	for range 24 * 8 {
		if !w.accepts(t, netA, clientA, good) || !w.accepts(t, netB, clientA, good) {
			t.Fatal("refused")
		}
		clock.now = clock.now.Add(time.Hour)
	}
	if !w.known(t, netA, clientA) || !w.known(t, netB, clientA) {
		t.Error("forgotten")
	}
}

// TestAClientIsKnownInItsLatestNetworks: eight of them, and one that roams pushes out nobody else's.
func TestAClientIsKnownInItsLatestNetworks(t *testing.T) {
	clock := newDial()
	w := newWorld(t, secret.Params{}, clock.Now, nil)
	good, other := w.issue(t, clientA, 1), w.issue(t, clientB, 1)
	if !w.accepts(t, netB, clientB, other) {
		t.Fatal("refused")
	}
	network := func(i int) string { return limit.Network(fmt.Sprintf("2001:db8:%x:%x::", i>>8, i&0xff)) }
	const last = 20_000
	for i := range last {
		if !w.accepts(t, network(i), clientA, good) {
			t.Fatal("refused")
		}
		clock.now = clock.now.Add(time.Millisecond * 10)
	}
	if held := w.verifier.Held()["clients"]; held != 2 {
		t.Errorf("%d clients are held", held)
	}
	for i, want := range map[int]bool{last - 1: true, last - 2: true, last / 2: false, 0: false} {
		if got := w.known(t, network(i), clientA); got != want {
			t.Errorf("network %d: known %v, want %v", i, got, want)
		}
	}
	if !w.known(t, netB, clientB) {
		t.Error("the other client was forgotten")
	}
}
