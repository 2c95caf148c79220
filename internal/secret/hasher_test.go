package secret_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

func TestDefaultParamsAreDecision5(t *testing.T) {
	if got, want := secret.DefaultParams(), (secret.Params{Cost: 10, MinCost: 10, MaxCost: 14}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestNewHasherRefusesCostsOutsideTheGuard(t *testing.T) {
	tests := []struct {
		params secret.Params
		ok     bool
	}{
		{secret.DefaultParams(), true},
		{quick(), true},
		{secret.Params{Cost: 14, MinCost: 10, MaxCost: 14}, true},
		{secret.Params{Cost: 9, MinCost: 10, MaxCost: 14}, false},
		{secret.Params{Cost: 15, MinCost: 10, MaxCost: 14}, false},
		{secret.Params{Cost: 15, MinCost: 10, MaxCost: 15}, false},
		{secret.Params{Cost: 3, MinCost: 3, MaxCost: 14}, false},
		{secret.Params{}, false},
	}
	for _, test := range tests {
		if _, err := secret.NewHasher(test.params, stopped, nil); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test.params, err)
		}
	}
	if _, err := secret.NewHasher(quick(), nil, nil); err == nil {
		t.Error("accepted without a clock")
	}
	if _, err := secret.NewVerifier(nil, nil); err == nil {
		t.Error("a verifier of nothing was made")
	}
}

// TestOneProcessorStaysFree: hashes leave one processor to everything else, but there is always a slot.
func TestOneProcessorStaysFree(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for processors, want := range map[int]int{1: 1, 2: 1, 3: 2, 8: 7} {
		runtime.GOMAXPROCS(processors)
		if got := newWorld(t, secret.Params{}, nil, nil).hasher.Slots(); got != want {
			t.Errorf("%d processors: %d slots, want %d", processors, got, want)
		}
	}
}

func TestHashIsBcryptOfAllBytes(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	made := makeFor(t, w.keys, clientA, 1)
	hash, err := w.hasher.Hash(t.Context(), made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$2a$04$") || len(hash) != 60 {
		t.Errorf("hash %q is not of the form", hash)
	}
	if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(made.Secret.Reveal())); err != nil {
		t.Errorf("bcrypt itself: %v", err)
	}
	if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(made.Secret.Reveal()[:66])); err == nil {
		t.Error("the last byte does not count")
	}
	if n := w.verifier.Bcrypts(); n != 0 {
		t.Errorf("making a hash counted %d verifications", n)
	}
}

func TestHashTakesSecretsOnly(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	other := secret.Wrap("kept by bcrypt as any password would be")
	for name, s := range map[string]secret.Secret{"another text": other, "nothing": {}} {
		if hash, err := w.hasher.Hash(t.Context(), s); !errors.Is(err, secret.ErrFormat) || hash != "" {
			t.Errorf("%s: hash %q, error %v", name, hash, err)
		}
	}
}

// TestAFloodCannotStopTheReservedTurn fills slot and line with verifications that do not end. A new secret's hash is
// made as soon as one of them ends, before all that waited longer.
func TestAFloodCannotStopTheReservedTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, secret.Params{Cost: 8, MinCost: 4, MaxCost: 14}, time.Now, nil)
		held := w.hold()
		bound := w.hasher.Bound()
		w.flood(t, bound+1)
		synctest.Wait()

		hashed := make(chan error)
		go func() {
			_, err := w.hasher.Hash(t.Context(), makeFor(t, w.keys, clientA, 1).Secret)
			hashed <- err
		}()
		synctest.Wait()
		if got := w.hasher.Waiting(); got != bound+1 {
			t.Fatalf("%d wait, want the %d of the flood and the portal's", got, bound)
		}
		held.one()
		if err := <-hashed; err != nil {
			t.Errorf("Hash: %v", err)
		}
		synctest.Wait()
		if got := w.hasher.Waiting(); got != bound-1 {
			t.Errorf("%d wait after one verification and the portal's hash, want %d", got, bound-1)
		}
		held.all()
	})
}

// flood starts so many verifications of as many clients.
func (w *world) flood(t *testing.T, n int) {
	t.Helper()
	hash := anyHash(t, "08")
	for i := range n {
		client := clientB + string(rune('A'+i))
		presented := makeFor(t, w.keys, client, 1).Secret.Reveal()
		w.put(client, 1, hash)
		go func() { _, _ = w.verify(t, client, presented) }()
	}
}

func TestHashGivesUpWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, secret.Params{}, time.Now, nil)
		held := w.hold()
		w.flood(t, 1)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := w.hasher.Hash(ctx, makeFor(t, w.keys, clientA, 1).Secret)
		if !problem.Is(err, problem.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want unavailable because of the deadline", err)
		}
		held.all()
	})
}

func TestAThirdPartyRegistersMetricsOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	if _, err := secret.NewHasher(quick(), stopped, registry); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.NewHasher(quick(), stopped, registry); err == nil {
		t.Error("a second hasher with the same registry was accepted")
	}
}
