package keyring_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
)

func TestC68_SealedValuesDifferAndOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		m := newMaster(t)
		r := open(t, db, m)
		for _, plain := range []string{"", "x", "a secret", strings.Repeat("long ", 5000)} {
			one, err := r.Seal([]byte(plain), "place")
			if err != nil {
				t.Fatal(err)
			}
			two, err := r.Seal([]byte(plain), "place")
			if err != nil {
				t.Fatal(err)
			}
			if one == two {
				t.Errorf("%.10q sealed twice is the same", plain)
			}
			if len(plain) > 1 && strings.Contains(one, base64.StdEncoding.EncodeToString([]byte(plain))[:4]) {
				t.Errorf("%.10q shows through", plain)
			}
			got, err := open(t, db, m).Unseal(one, "place") // as after a restart
			if err != nil || string(got) != plain {
				t.Errorf("%.10q came back as %.10q, %v", plain, got, err)
			}
		}
	})
}

func TestC68_MovedValueDoesNotOpen(t *testing.T) {
	r := open(t, dbtest.SQLite(t, dbtest.NewClock()), newMaster(t))
	here := keyring.Associated("org-1", "connection-1", "token", "1")
	sealed, err := r.Seal([]byte("refresh token"), here)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := map[string]string{
		"organisation": keyring.Associated("org-2", "connection-1", "token", "1"),
		"row":          keyring.Associated("org-1", "connection-2", "token", "1"),
		"column":       keyring.Associated("org-1", "connection-1", "secret", "1"),
		"version":      keyring.Associated("org-1", "connection-1", "token", "2"),
		"fewer parts":  keyring.Associated("org-1", "connection-1", "token"),
		"shifted":      keyring.Associated("org-1", "connection-1token", "", "1"),
		"nothing":      "",
	}
	for name, place := range elsewhere {
		if got, err := r.Unseal(sealed, place); !errors.Is(err, keyring.ErrSealed) || got != nil {
			t.Errorf("other %s: %q, %v", name, got, err)
		}
	}
	stranger := open(t, dbtest.SQLite(t, dbtest.NewClock()), newMaster(t))
	if got, err := stranger.Unseal(sealed, here); !errors.Is(err, keyring.ErrSealed) || got != nil {
		t.Errorf("other installation: %q, %v", got, err)
	}
}

func TestC68_EveryChangedByteIsFound(t *testing.T) {
	r := open(t, dbtest.SQLite(t, dbtest.NewClock()), newMaster(t))
	sealed, err := r.Seal([]byte("refresh token"), "place")
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what, value string) {
		t.Helper()
		if got, err := r.Unseal(value, "place"); !errors.Is(err, keyring.ErrSealed) || got != nil {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for bit := range 8 {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << bit
			refuse(fmt.Sprintf("byte %d, bit %d", i, bit), base64.StdEncoding.EncodeToString(changed))
		}
	}
	for i := range sealed {
		for bit := range 8 {
			changed := []byte(sealed)
			changed[i] ^= 1 << bit
			refuse(fmt.Sprintf("character %d, bit %d", i, bit), string(changed))
		}
		refuse(fmt.Sprintf("cut at %d", i), sealed[:i])
		refuse(fmt.Sprintf("line break at %d", i), sealed[:i]+"\n"+sealed[i:])
	}
	refuse("longer", sealed+"AAAA")
	refuse("twice", sealed+sealed)
}

func TestAssociatedKeepsPartsApart(t *testing.T) {
	lists := [][]string{
		{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"a", "", "b"}, {"1:a"}, {"1:a", "b"}, {"a1:b"}, {"é"}, {"\x00"},
	}
	seen := map[string][]string{}
	for _, parts := range lists {
		text := keyring.Associated(parts...)
		if other, ok := seen[text]; ok {
			t.Errorf("%q and %q give %q", parts, other, text)
		}
		seen[text] = parts
	}
}

func FuzzUnseal(f *testing.F) {
	f.Add("")
	f.Add("AAAA")
	f.Add("not base64 !")
	path := filepath.Join(f.TempDir(), "master.key")
	m, err := keyring.CreateMaster(path)
	if err != nil {
		f.Fatal(err)
	}
	db, err := database.Open(f.Context(), database.Config{URL: "sqlite:" + filepath.Join(f.TempDir(), "c.db")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(f.Context()); err != nil {
		f.Fatal(err)
	}
	r, err := keyring.Open(f.Context(), db, m, quiet, keyringtest.RSA())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sealed string) {
		if got, err := r.Unseal(sealed, "place"); err == nil {
			t.Errorf("opened a value nobody sealed: %q", got)
		}
	})
}

// forms are the ways in which a key could stand in a text.
func forms(key []byte) []string {
	return []string{
		string(key), base64.StdEncoding.EncodeToString(key)[:40], base64.RawURLEncoding.EncodeToString(key)[:40],
		hex.EncodeToString(key), fmt.Sprint(key),
	}
}

func TestKeysArePrintedRedacted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	m, err := keyring.CreateMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, dbtest.SQLite(t, dbtest.NewClock()), m)
	scalar, err := r.Signer().Key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	keys := append(forms(scalar), forms(r.TagKeys()[0].Key)...)
	keys = append(keys, string(file[:60]))
	for name, value := range map[string]any{
		"master": m, "master value": *m, "ring": r, "signer": r.Signer(), "signer pointer": new(r.Signer()),
		"tag keys": r.TagKeys(), "tag key": r.TagKeys()[0],
		"within": struct{ Key keyring.TagKey }{r.TagKeys()[0]},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "value", value)
		text, err := json.Marshal(value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		out.Write(text)
		for _, key := range keys {
			if strings.Contains(out.String(), key) {
				t.Errorf("%s is printed: %s", name, &out)
			}
		}
		if !strings.Contains(out.String(), "[redacted]") {
			t.Errorf("%s: nothing redacted in %s", name, &out)
		}
	}
}
