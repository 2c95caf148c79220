package keyring_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
)

// runFeed lets a process hear what others change, until the test ends.
func runFeed(t *testing.T, db *database.DB) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); db.Feed().Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
}

// eventually waits for what another goroutine or process brings about.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(dbtest.PollTimeout); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// fleet is several processes on one database.
type fleet struct {
	t       *testing.T
	clock   *dbtest.Clock
	master  *keyring.Master
	dbs     []*database.DB
	rings   []*keyring.Ring
	keepers []*keyring.Keeper
	trail   *audit.Trail
}

func newFleet(t *testing.T, dbs []*database.DB, clock *dbtest.Clock) *fleet {
	t.Helper()
	f := &fleet{t: t, clock: clock, master: newMaster(t), dbs: dbs, trail: audit.New(dbs[0], quiet)}
	f.rings = openAll(t, dbs, f.master, keyringtest.RSA())
	for i, db := range dbs {
		f.keepers = append(f.keepers, keyring.NewKeeper(f.rings[i], audit.New(db, quiet)))
		if i > 0 {
			runFeed(t, db)
		}
	}
	return f
}

// alone is a fleet of one process on SQLite.
func alone(t *testing.T) *fleet {
	t.Helper()
	clock := dbtest.NewClock()
	return newFleet(t, []*database.DB{dbtest.SQLite(t, clock)}, clock)
}

// eachFleet runs a subtest with two processes on both databases.
func eachFleet(t *testing.T, test func(t *testing.T, f *fleet)) {
	t.Helper()
	eachProcesses(t, 2, func(t *testing.T, dbs []*database.DB, clock *dbtest.Clock) { test(t, newFleet(t, dbs, clock)) })
}

// rotate rotates in the first process and waits until all have heard.
func (f *fleet) rotate(kind keyring.Kind, compromised bool) keyring.Rotated {
	f.t.Helper()
	done, err := f.keepers[0].Rotate(f.t.Context(), operator, keyring.Rotation{Kind: kind, Compromised: compromised})
	if err != nil {
		f.t.Fatal(err)
	}
	f.settle()
	return done
}

// settle waits until all processes know what the first one knows.
func (f *fleet) settle() {
	f.t.Helper()
	for _, r := range f.rings[1:] {
		eventually(f.t, "two rings are of one mind", func() bool { return cmp.Equal(mindOf(f.rings[0]), mindOf(r)) })
	}
}

func (f *fleet) sweep() {
	f.t.Helper()
	for _, r := range f.rings {
		if err := r.Sweep(f.t.Context()); err != nil {
			f.t.Error(err)
		}
	}
	f.settle()
}

// mind is what a ring says.
type mind struct {
	Signer    string
	Published []string
	Tags      []string
}

func mindOf(r *keyring.Ring) mind {
	m := mind{Signer: r.Signer().KeyID, Published: keyIDs(r)}
	for _, k := range r.TagKeys() {
		m.Tags = append(m.Tags, fmt.Sprintf("%c %s %d", k.ID, k.State, len(k.Key)))
	}
	return m
}

// agrees checks what all rings say: who signs access tokens, which ES256 keys verify them and how many are published.
func (f *fleet) agrees(when, signer string, verify ...string) {
	f.t.Helper()
	f.settle()
	slices.Sort(verify)
	for i, r := range f.rings {
		m := mindOf(r)
		if m.Signer != signer || r.Signer().Key == nil {
			f.t.Errorf("%s, process %d: %s signs, want %s", when, i, m.Signer, signer)
		}
		var got []string
		for _, id := range m.Published {
			if kid, ok := strings.CutPrefix(id, "ES256 "); ok {
				got = append(got, kid)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(verify, got); diff != "" {
			f.t.Errorf("%s, process %d: published ES256 keys (-want +got):\n%s", when, i, diff)
		}
		if len(m.Published) != 2*len(verify) {
			f.t.Errorf("%s, process %d: %d keys are published, want one RS256 key beside each ES256 key", when, i, len(m.Published))
		}
		for _, kid := range verify {
			if _, ok := r.Verification(kid); !ok {
				f.t.Errorf("%s, process %d: %s does not verify", when, i, kid)
			}
		}
	}
}

// refused checks that tokens of a key are refused everywhere.
func (f *fleet) refused(when, kid string) {
	f.t.Helper()
	f.settle()
	for i, r := range f.rings {
		if _, ok := r.Verification(kid); ok {
			f.t.Errorf("%s, process %d: %s still verifies", when, i, kid)
		}
	}
}

// states lists the keys of a kind and algorithm as the command line shows them.
func (f *fleet) states(algorithm string) []string {
	f.t.Helper()
	keys, err := f.keepers[0].Keys(f.t.Context(), operator)
	if err != nil {
		f.t.Fatal(err)
	}
	var states []string
	for _, k := range keys {
		if k.Algorithm == algorithm && k.Kind != keyring.Sealing {
			states = append(states, k.State)
		}
	}
	return states
}

func (f *fleet) expectStates(when string, want ...string) {
	f.t.Helper()
	for _, algorithm := range []string{"ES256", "RS256"} {
		if diff := cmp.Diff(want, f.states(algorithm)); diff != "" {
			f.t.Errorf("%s: states of %s keys (-want +got):\n%s", when, algorithm, diff)
		}
	}
}

// whole returns how many rows of a purpose hold their key still.
func (f *fleet) whole(purpose string) (n int) {
	f.t.Helper()
	// A sealed nothing has 33 bytes: Tink's prefix, the nonce and the tag.
	err := f.dbs[0].Read(f.t.Context()).Raw("SELECT count(*) FROM keys WHERE purpose = ? AND length(sealed) > 44", purpose).Scan(&n).Error
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}
