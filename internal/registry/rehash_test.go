package registry_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/secret"
)

// raised is a process whose new hashes are of cost 5, on a world whose secrets have 4.
type raised struct {
	*registry.Registry

	verifier *secret.Verifier
	log      *logged
}

// logged is a log that a test waits for.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

func (w *world) raised(t *testing.T) *raised {
	t.Helper()
	d := w.deps
	d.Hasher = must(secret.NewHasher(secret.Params{Cost: 5, MinCost: 4, MaxCost: 14}, w.db.Now, nil))(t)
	d.Verifier = must(secret.NewVerifier(d.Keys, d.Hasher))(t)
	r := &raised{Registry: must(registry.New(d))(t), verifier: d.Verifier, log: &logged{}}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Rehash(ctx, slog.New(slog.NewTextHandler(r.log, nil)))
	}()
	t.Cleanup(func() { stop(); <-ended })
	return r
}

// until has bcrypt accept the secret until something has happened in the background: what was asked before the work had
// begun is not done.
func (r *raised) until(t *testing.T, w *world, app registry.App, shown *registry.NewSecret, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if _, id, err := r.Authenticate(t.Context(), app.ClientID, shown.Secret.Reveal(), ""); err != nil || id != shown.ID {
			t.Fatalf("authenticate: %v %v", id, err)
		}
		for range 200 {
			if happened() {
				return
			}
		}
		w.clock.Advance(16 * time.Minute)
	}
	t.Fatal("it did not happen")
}

func (w *world) hashOf(t *testing.T, id registry.SecretID) string {
	t.Helper()
	return value[string](t, w.db, "SELECT hash FROM app_secrets WHERE id = ?", string(id))
}

// A secret of a lower cost is hashed again after it was accepted: one row changes, in one column, and nobody is told
// but the other processes.
func TestAcceptedSecretsAreHashedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Old hash")
		other, _ := w.register(t, "Other")
		before, events := w.dump(t), len(w.events(t, w.acme))
		old := w.hashOf(t, shown.ID)
		r := w.raised(t)
		r.until(t, w, app, shown, func() bool { return w.hashOf(t, shown.ID) != old })
		hash := w.hashOf(t, shown.ID)
		if cost, err := bcrypt.Cost([]byte(hash)); cost != 5 || err != nil {
			t.Errorf("cost %d, %v", cost, err)
		}
		after := w.dump(t)
		for _, row := range after["app_secrets"] {
			if row["hash"] == hash {
				row["hash"] = old
			}
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("more than the hash changed:\n%s", diff)
		}
		if n := len(w.events(t, w.acme)); n != events {
			t.Errorf("%d events, %d before", n, events)
		}
		for name, process := range map[string]*raised{"this": r, "another": w.raised(t)} {
			ran := process.verifier.Bcrypts()
			c, id, err := process.Authenticate(t.Context(), app.ClientID, shown.Secret.Reveal(), "")
			if err != nil || id != shown.ID || c.ID == other.ID {
				t.Errorf("afterwards, %s process: %v %v", name, id, err)
			}
			if ran = process.verifier.Bcrypts() - ran; name == "another" && ran != 1 {
				t.Errorf("afterwards, %s process: %d bcrypts", name, ran)
			}
		}
		if w.authenticates(t, app.ClientID, shown.Secret.Reveal()+"x") {
			t.Error("something else is accepted")
		}
	})
}

// A hash is only put where the one stands that it was made from: not over a rotation, and not over another process's.
func TestAHashThatWasOvertakenIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Old hash")
		old := w.hashOf(t, shown.ID)
		h := secret.Rehash{ClientID: app.ClientID, CredentialID: string(shown.ID), OldHash: old, NewHash: "$2a$05$new"}
		for name, change := range map[string]func(h *secret.Rehash){
			"another hash":   func(h *secret.Rehash) { h.OldHash = "$2a$04$other" },
			"another secret": func(h *secret.Rehash) { h.CredentialID = "none" },
			"another client": func(h *secret.Rehash) { h.ClientID = "CCWACME_22222222222222222222" },
		} {
			wrong := h
			change(&wrong)
			w.unchanged(t, func() {
				if kept, err := w.KeepHash(t.Context(), wrong); kept || err != nil {
					t.Errorf("%s: kept %v, %v", name, kept, err)
				}
			})
		}
		w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsIn7Days}})
		if kept, err := w.KeepHash(t.Context(), h); !kept || err != nil {
			t.Errorf("a secret that ends in a week: kept %v, %v", kept, err)
		}
		h.OldHash, h.NewHash = h.NewHash, old
		w.rotate(t, app.ID, registry.Rotation{Reason: registry.Leaked, Old: shown.ID})
		w.unchanged(t, func() {
			if kept, err := w.KeepHash(t.Context(), h); kept || err != nil {
				t.Errorf("a secret that leaked: kept %v, %v", kept, err)
			}
		})
	})
}

// A hash that cannot be stored is logged, and the client notices nothing.
func TestAHashThatCannotBeStoredIsLogged(t *testing.T) {
	w := sqliteWorld(t)
	app, shown := w.register(t, "Old hash")
	old := w.hashOf(t, shown.ID)
	err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec("CREATE TRIGGER full BEFORE UPDATE OF hash ON app_secrets " +
			"BEGIN SELECT RAISE(ABORT, 'the disk is full'); END").Error
	})
	if err != nil {
		t.Fatal(err)
	}
	r := w.raised(t)
	r.until(t, w, app, shown, func() bool { return r.log.has("the disk is full") })
	if r.log.has(shown.Secret.Reveal()) || r.log.has("$2a$") {
		t.Error("the log holds the secret or a hash")
	}
	if w.hashOf(t, shown.ID) != old {
		t.Error("the hash changed")
	}
}
