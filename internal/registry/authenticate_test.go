package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/secret"
)

// C22: whatever is wrong, the answer is the same value, and what it costs tells nothing that the secret would not.
func TestC22_AuthenticateAnswersAlike(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, good := w.register(t, "Good")
		off, offSecret := w.register(t, "Off")
		w.deactivate(t, off.ID)
		gone, goneSecret := w.register(t, "Gone")
		gone = w.deactivate(t, gone.ID)
		if err := w.Delete(t.Context(), w.admin, gone.ID, gone.Version, gone.Name); err != nil {
			t.Fatal(err)
		}
		retired, retiredSecret := w.register(t, "Retired")
		w.rotate(t, retired.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		_, other := w.globexApp(t, "Other")
		text := good.Secret.Reveal()
		for name, tt := range map[string]struct {
			clientID, presented string
			bcrypts             uint64
		}{
			"empty":                  {app.ClientID, "", 0},
			"guess":                  {app.ClientID, "hunter2", 0},
			"one byte more (C12)":    {app.ClientID, text + "x", 0},
			"case changed (C12)":     {app.ClientID, strings.ToUpper(text), 0},
			"NUL and again (C12)":    {app.ClientID, text + "\x00" + text, 0},
			"leading space (C12)":    {app.ClientID, " " + text, 0},
			"another client's":       {app.ClientID, other.Secret.Reveal(), 0},
			"at another client":      {off.ClientID, text, 0},
			"unknown client":         {"CCWACME_22222222222222222222", text, 0},
			"no client":              {"", text, 0},
			"deleted":                {gone.ClientID, goneSecret.Secret.Reveal(), 0},
			"retired":                {retired.ClientID, retiredSecret.Secret.Reveal(), 0},
			"inactive, right secret": {off.ClientID, offSecret.Secret.Reveal(), 1}, // decided after the hash
		} {
			before := w.verifier.Bcrypts()
			c, id, err := w.Authenticate(t.Context(), tt.clientID, tt.presented, "192.0.2.0/24")
			var told error = problem.As(err)                     // what the client hears of: the very value, whatever was wrong
			if told != secret.ErrWrong || c != nil || id != "" { //nolint:errorlint // that value and no other
				t.Errorf("%s: %v %v %v", name, c, id, err)
			}
			if got := w.verifier.Bcrypts() - before; got != tt.bcrypts {
				t.Errorf("%s: %d hashes, want %d", name, got, tt.bcrypts)
			}
		}
		c, id, err := w.Authenticate(t.Context(), app.ClientID, text, "")
		if err != nil || id != good.ID || c.ID != app.ID {
			t.Errorf("good: %v %v %v", c, id, err)
		}
	})
}

// C22: what is counted is what was presented, so a hundred tries are answered alike whether or not there is such a client.
// None of them costs a bcrypt, and strangers are told to wait after as many tries everywhere.
func TestC22_LimitsTellNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, good := w.register(t, "Good")
		off, _ := w.register(t, "Off")
		w.deactivate(t, off.ID)
		gone, goneSecret := w.register(t, "Gone")
		gone = w.deactivate(t, gone.ID)
		if err := w.Delete(t.Context(), w.admin, gone.ID, gone.Version, gone.Name); err != nil {
			t.Fatal(err)
		}
		retired, retiredSecret := w.register(t, "Retired")
		w.rotate(t, retired.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		const unknown = "CCWACME_22222222222222222222"
		n := 0
		try := func(clientID string, text func(i int) string) string {
			n++
			network, ends := fmt.Sprintf("192.0.2.%d/32", n), ""
			for i := range 100 {
				_, _, err := w.Authenticate(t.Context(), clientID, text(i), network)
				switch {
				case errors.Is(err, secret.ErrWrong):
					ends += "w"
				case problem.Is(err, problem.Limited):
					ends += "l"
				default:
					t.Fatalf("%s: %v", clientID, err)
				}
			}
			return ends
		}
		before := w.verifier.Bcrypts()
		strangers := map[string]func(i int) string{
			"no shape":    func(i int) string { return fmt.Sprint("hunter", i) },
			"right shape": func(i int) string { return w.invented(t, i) },
		}
		for kind, text := range strangers {
			want := strings.Repeat("w", 30) + strings.Repeat("l", 70)
			for name, clientID := range map[string]string{"active": app.ClientID, "inactive": off.ClientID, "deleted": gone.ClientID, "unknown": unknown} {
				if got := try(clientID, text); got != want {
					t.Errorf("%s, %s: %s", kind, name, got)
				}
			}
		}
		own := func(s *registry.NewSecret) func(int) string { return func(int) string { return s.Secret.Reveal() } }
		if a, b := try(retired.ClientID, own(retiredSecret)), try(gone.ClientID, own(goneSecret)); a != b || !strings.HasSuffix(a, "l") {
			t.Errorf("own secret, retired: %s, deleted: %s", a, b)
		}
		if ran := w.verifier.Bcrypts() - before; ran != 0 {
			t.Errorf("%d bcrypts", ran)
		}
		for i := range n {
			_, _, err := w.Authenticate(t.Context(), app.ClientID, good.Secret.Reveal(), fmt.Sprintf("192.0.2.%d/32", i+1))
			if err != nil {
				t.Errorf("the client itself, from network %d: %v", i+1, err)
			}
		}
	})
}

// invented returns one of many texts of the right shape that nobody was given.
func (w *world) invented(t *testing.T, i int) string {
	t.Helper()
	keys := must(secret.NewKeys([]secret.TagKey{{ID: 'a', State: secret.Signing, Key: make([]byte, 32)}}))(t)
	return must(keys.Make("another client", int64(i)))(t).Secret.Reveal()
}

// While requests are under way a secret ends: none that begins after the rotation has answered is accepted.
func TestAuthenticateWhileRotating(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, old := w.register(t, "Busy")
		var ended, stop atomic.Bool
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for !stop.Load() {
					after := ended.Load()
					_, _, err := w.Authenticate(t.Context(), app.ClientID, old.Secret.Reveal(), "")
					if after && err == nil {
						t.Error("the old secret was accepted after its end")
						return
					}
					if err != nil && !refused(err) && !problem.Is(err, problem.Unavailable) {
						t.Error(err)
						return
					}
				}
			})
		}
		w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		ended.Store(true)
		for range 20 {
			if w.authenticates(t, app.ClientID, old.Secret.Reveal()) {
				t.Error("the old secret was accepted after its end")
			}
		}
		stop.Store(true)
		wg.Wait()
	})
}
