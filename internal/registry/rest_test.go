package registry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// C14: no secret, no part of its body and no plain digest of it stands in the files of the database; hashes are bcrypt.
func TestC14_UI3_NoSecretAtRest(t *testing.T) {
	w := sqliteWorld(t)
	app, first := w.register(t, "Spend export")
	shown := []*registry.NewSecret{first, w.rotate(t, app.ID, registry.Rotation{})}
	shown = append(shown, w.rotate(t, app.ID, registry.Rotation{Reason: registry.Leaked, Old: first.ID, Nonce: "n"}))
	for _, s := range shown {
		w.authenticates(t, app.ClientID, s.Secret.Reveal())
	}
	files, err := filepath.Glob(w.db.Path() + "*")
	if err != nil || len(files) < 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	var raw []byte
	for _, name := range files {
		raw = append(raw, must(os.ReadFile(name))(t)...)
	}
	if !bytes.Contains(raw, []byte(app.ClientID)) || !bytes.Contains(raw, []byte(first.Hint)) {
		t.Fatal("the scan does not see what is stored")
	}
	for _, s := range shown {
		text := s.Secret.Reveal()
		body := text[7:50]
		sum := sha256.Sum256([]byte(text))
		for what, trace := range map[string]string{
			"secret": text, "body": body, "half of the body": body[:22], "other half": body[21:],
			"base64": base64.StdEncoding.EncodeToString([]byte(text))[:80], "base64url": base64.RawURLEncoding.EncodeToString([]byte(body)),
			"hex": hex.EncodeToString([]byte(body)), "SHA-256": string(sum[:]), "SHA-256 in hex": hex.EncodeToString(sum[:]),
			"SHA-256 in base64": base64.StdEncoding.EncodeToString(sum[:]),
		} {
			if bytes.Contains(raw, []byte(trace)) {
				t.Errorf("the %s of …%s is in the files", what, s.Hint)
			}
		}
	}
	bcrypt := regexp.MustCompile(`^\$2a\$(04|1[0-4])\$`) // 04 is the tests' own cost
	var hashes []string
	if err := w.db.Read(t.Context()).Raw("SELECT hash FROM app_secrets").Scan(&hashes).Error; err != nil || len(hashes) != 3 {
		t.Fatalf("%d hashes, %v", len(hashes), err)
	}
	for _, hash := range hashes {
		if !bcrypt.MatchString(hash) {
			t.Errorf("hash %.7s…", hash)
		}
	}
}

// A secret on its way to the page prints as [redacted], whatever it stands in.
func TestNewSecretIsRedacted(t *testing.T) {
	w := sqliteWorld(t)
	app, shown := w.register(t, "Spend export")
	text := shown.Secret.Reveal()
	encoded := must(json.Marshal(shown))(t)
	for _, printed := range []string{fmt.Sprint(shown), fmt.Sprintf("%+v %#v %v", shown, *shown, app), string(encoded)} {
		if bytes.Contains([]byte(printed), []byte(text[7:30])) {
			t.Errorf("printed: %s", printed)
		}
	}
}

// Nothing is left of an act whose event cannot be written (C75).
func TestC75_NoEventNoChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec("ALTER TABLE audit_events RENAME TO audit_events_away").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		x := target{app.ID, app.ClientID, shown.ID}
		idle := []string{ // who looks changes nothing; the others find nothing to do here
			"Retire", "Activate", "Delete", "Restore", "Extend", "PlanBulk", "BulkJob", "BulkItems", "CancelBulk", "HandOffs", "HandOff",
			"WithdrawHandOff", "BulkDoneApps", "Locate", "APIUse",
		}
		w.unchanged(t, func() {
			for name, c := range calls {
				if c.right != access.AppsManage || slices.Contains(idle, name) {
					continue
				}
				if err := c.do(t.Context(), w, w.admin, x); !problem.Is(err, problem.Unavailable) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
		if !w.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
			t.Error("the app was changed")
		}
	})
}

// New says what it lacks instead of failing later.
func TestNewNeedsItsNeighbours(t *testing.T) {
	w := sqliteWorld(t)
	for name, leave := range map[string]func(d *registry.Deps){
		"database": func(d *registry.Deps) { d.DB = nil }, "trail": func(d *registry.Deps) { d.Trail = nil },
		"identity": func(d *registry.Deps) { d.Identity = nil }, "catalogue": func(d *registry.Deps) { d.Catalogue = nil },
		"ring": func(d *registry.Deps) { d.Ring = nil }, "keys": func(d *registry.Deps) { d.Keys = nil },
		"hasher": func(d *registry.Deps) { d.Hasher = nil }, "verifier": func(d *registry.Deps) { d.Verifier = nil },
		"size": func(d *registry.Deps) { d.CacheSize = -1 },
	} {
		deps := w.deps
		leave(&deps)
		if _, err := registry.New(deps); err == nil {
			t.Errorf("made without %s", name)
		}
	}
}
