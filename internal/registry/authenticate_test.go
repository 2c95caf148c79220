package registry_test

import (
	"errors"
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
			if err != secret.ErrWrong || c != nil || id != "" { //nolint:errorlint // the very value, whatever was wrong
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
					if err != nil && !errors.Is(err, secret.ErrWrong) && !problem.Is(err, problem.Unavailable) {
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
