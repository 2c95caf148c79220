package registry_test

import (
	"fmt"
	"testing"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
)

func (w *world) current(t *testing.T, app registry.App) *registry.Client {
	t.Helper()
	return must(w.Client(t.Context(), app.ClientID))(t)
}

func (w *world) revoke(t *testing.T, app registry.App, jti string, expires time.Time) {
	t.Helper()
	if err := w.RevokeToken(t.Context(), w.current(t, app), jti, expires); err != nil {
		t.Fatalf("revoke %s: %v", jti, err)
	}
}

func TestRevokeToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		other, otherShown := w.register(t, "Other app")
		expires := w.clock.Now().Add(time.Hour)
		events := len(w.events(t, w.acme))
		w.revoke(t, app, "one", expires)
		w.revoke(t, app, "one", expires) // again
		w.revoke(t, app, "dead", w.clock.Now())
		token := func(client *registry.Client, jti string, cred registry.SecretID) bool {
			return client.TokenLives(registry.TokenRef{Generation: 1, JTI: jti, Credential: cred, APIUser: w.client.ID})
		}
		if token(w.current(t, app), "one", shown.ID) || !token(w.current(t, app), "two", shown.ID) {
			t.Error("the wrong token was revoked")
		}
		if !token(w.current(t, other), "one", otherShown.ID) {
			t.Error("another app's token was revoked")
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM revoked_tokens"); n != 1 {
			t.Errorf("%d rows", n)
		}
		if n := len(w.events(t, w.acme)); n != events {
			t.Errorf("%d events for single tokens", n-events)
		}
	})
}

// At most 1,000 live revoked tokens are remembered; the next ends all tokens of the app, and that is audited
// (protocol.md §1.4).
func TestRevokeTooManyTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Revoker")
		other, _ := w.register(t, "Other app")
		expires := w.clock.Now().Add(time.Hour)
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for i := range 999 {
				err := tx.DB().Exec("INSERT INTO revoked_tokens (jti, organisation_id, app_id, expires_at) VALUES (?, ?, ?, ?)",
					fmt.Sprint("old ", i), string(w.acme.ID), string(app.ID), database.Micros(expires)).Error
				if err != nil {
					return err
				}
			}
			tx.Changed(database.TopicApp, string(app.ID))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.revoke(t, other, "other", expires)
		w.revoke(t, app, "number 1000", expires)
		w.revoke(t, app, "number 1000", expires)
		if got := w.current(t, app); got.Generation != 1 {
			t.Fatalf("generation %d at 1,000", got.Generation)
		}
		stale := w.current(t, app)
		w.revoke(t, app, "number 1001", expires)
		if got := w.current(t, app); got.Generation != 2 {
			t.Errorf("generation %d at 1,001", got.Generation)
		}
		e := w.lastEvent(t)
		if e.Action != "app.revoke_all" || e.ActorKind != access.KindApp || e.ActorID != string(app.ID) || e.After["generation"] != 2.0 {
			t.Errorf("event %+v", e)
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM revoked_tokens"); n != 1 { // the other app's
			t.Errorf("%d rows", n)
		}
		// What was read before knows nothing better: its tokens are dead already.
		if err := w.RevokeToken(t.Context(), stale, "late", expires); err != nil {
			t.Error(err)
		}
		if got := w.current(t, app); got.Generation != 2 || got.Status != registry.Active {
			t.Errorf("after the late one: %+v", got)
		}
	})
}

func TestRevokeAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Revoker")
		client := w.current(t, app)
		expires := w.clock.Now().Add(time.Hour)
		atOnce(8, func(i int) {
			if err := w.RevokeToken(t.Context(), client, fmt.Sprint("token ", i/2), expires); err != nil {
				t.Error(err)
			}
		})
		got := w.current(t, app)
		for i := range 4 {
			if got.TokenLives(registry.TokenRef{Generation: 1, JTI: fmt.Sprint("token ", i), Credential: shown.ID, APIUser: w.client.ID}) {
				t.Errorf("token %d lives", i)
			}
		}
	})
}

// The sweep takes what has expired and nothing else.
func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := registry.NewApp{AppFields: w.fields("Nonce"), Nonce: "old form"}
		app, _, err := w.Register(t.Context(), w.admin, n)
		if err != nil {
			t.Fatal(err)
		}
		w.revoke(t, app, "short", w.clock.Now().Add(time.Hour))
		w.revoke(t, app, "long", w.clock.Now().Add(40*24*time.Hour))
		rows := func(what string, tokens, nonces int) {
			t.Helper()
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			gotTokens := value[int](t, w.db, "SELECT count(*) FROM revoked_tokens")
			gotNonces := value[int](t, w.db, "SELECT count(*) FROM spent_nonces")
			if gotTokens != tokens || gotNonces != nonces {
				t.Errorf("%s: %d tokens and %d nonces, want %d and %d", what, gotTokens, gotNonces, tokens, nonces)
			}
		}
		rows("fresh", 2, 1)
		w.clock.Advance(time.Hour)
		rows("an hour later", 1, 1)
		w.clock.Advance(30*24*time.Hour - time.Hour)
		rows("30 days later", 1, 0)
		err = w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for i := range 1200 { // more than one chunk
				err := tx.DB().Exec("INSERT INTO spent_nonces (organisation_id, nonce_hash, target_id, spent_at) VALUES (?, ?, ?, ?)",
					string(w.acme.ID), fmt.Sprint(i), string(app.ID), i).Error
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rows("many", 1, 0)
	})
}
