package registry_test

import (
	"fmt"
	"testing"
	"time"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

func TestRetire(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Retire")
		w.unchanged(t, func() {
			p := wantCode(t, w.Retire(t.Context(), w.admin, app.ID, first.ID), problem.Conflict)
			if p.Key != "app.secrets.last" || p.Args["Hint"] != first.Hint {
				t.Errorf("%v %v", p, p.Args)
			}
		})
		second := w.rotate(t, app.ID, registry.Rotation{})
		if err := w.Retire(t.Context(), w.admin, app.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		if w.authenticates(t, app.ClientID, first.Secret.Reveal()) || !w.authenticates(t, app.ClientID, second.Secret.Reveal()) {
			t.Error("the wrong secret was retired")
		}
		e := w.lastEvent(t)
		if e.Action != "app.retire" || e.Before["secret_state"] != "ending" || e.After["secret_state"] != "retired" || e.After["secret"] != string(first.ID) {
			t.Errorf("event %+v", e)
		}
		client := must(w.Client(t.Context(), app.ClientID))(t)
		if !client.TokenLives(registry.TokenRef{Generation: 1, Credential: first.ID, APIUser: w.client.ID}) {
			t.Error("retiring ended tokens")
		}
		w.unchanged(t, func() {
			if err := w.Retire(t.Context(), w.admin, app.ID, first.ID); err != nil {
				t.Errorf("again: %v", err)
			}
			wantCode(t, w.Retire(t.Context(), w.admin, app.ID, "nonsense"), problem.NotFound)
		})
		w.deactivate(t, app.ID)
		if err := w.Retire(t.Context(), w.admin, app.ID, second.ID); err != nil {
			t.Errorf("the last one of an inactive app: %v", err)
		}
	})
}

// Two who retire the two secrets of an active app at once: one of them is told that it is the last.
func TestRetireBothAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			app, first := w.register(t, fmt.Sprintf("Contested %d", round))
			second := w.rotate(t, app.ID, registry.Rotation{})
			errs := make([]error, 2)
			atOnce(2, func(i int) {
				errs[i] = w.Retire(t.Context(), w.admin, app.ID, []registry.SecretID{first.ID, second.ID}[i])
			})
			now := w.app(t, app.ID)
			if n := len(now.Usable()); n != 1 || (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("%d usable, %v, %v", n, errs[0], errs[1])
			}
		}
	})
}

// Leaked always succeeds: the last secret, and one that ended; it ends tokens and makes nothing.
func TestMarkLeaked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Leaky")
		if err := w.MarkLeaked(t.Context(), w.admin, app.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		got := w.app(t, app.ID)
		if len(got.Usable()) != 0 || len(got.Secrets) != 1 || got.Secrets[0].State != registry.SecretLeaked || w.lastEvent(t).Action != "app.leak" {
			t.Errorf("%+v", got.Secrets)
		}
		client := must(w.Client(t.Context(), app.ClientID))(t)
		if client.TokenLives(registry.TokenRef{Generation: 1, Credential: first.ID, APIUser: w.client.ID}) {
			t.Error("the token bought with the leaked secret lives")
		}
		w.unchanged(t, func() {
			if err := w.MarkLeaked(t.Context(), w.admin, app.ID, first.ID); err != nil {
				t.Error(err)
			}
		})
		second := w.rotate(t, app.ID, registry.Rotation{})
		w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		if err := w.MarkLeaked(t.Context(), w.admin, app.ID, second.ID); err != nil {
			t.Errorf("one that ended: %v", err)
		}
		// The leak is remembered as long as a token that it bought could live.
		w.clock.Advance(24 * time.Hour)
		client = must(w.Client(t.Context(), app.ClientID))(t)
		if client.TokenLives(registry.TokenRef{Generation: 1, Credential: second.ID, APIUser: w.client.ID}) {
			t.Error("the leak was forgotten within a day")
		}
	})
}
