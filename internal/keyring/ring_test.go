package keyring_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
	"credenza.example/credenza/internal/problem"
)

var quiet = slog.New(slog.DiscardHandler)

func newMaster(t *testing.T) *keyring.Master {
	t.Helper()
	m, err := keyring.CreateMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t *testing.T, db *database.DB, m *keyring.Master) *keyring.Ring {
	t.Helper()
	r, err := keyring.Open(t.Context(), db, m, quiet, keyringtest.RSA())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// exec changes the database behind the ring's back.
func exec(t *testing.T, db *database.DB, topic database.Topic, sql string, args ...any) {
	t.Helper()
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		if topic != "" {
			tx.Changed(topic, "test")
		}
		return tx.DB().Exec(sql, args...).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

func counts(t *testing.T, db *database.DB) map[string]int {
	t.Helper()
	var rows []struct {
		Purpose string
		N       int
	}
	if err := db.Read(t.Context()).Raw("SELECT purpose, count(*) AS n FROM keys GROUP BY purpose").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, r := range rows {
		got[r.Purpose] = r.N
	}
	return got
}

var oneOfEach = map[string]int{"check": 1, "data": 1, "mac": 1, "sign": 1, "sign-rs256": 1, "tag": 1}

func TestOpenMakesOneSetAndFindsItAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		m := newMaster(t)
		first := open(t, db, m)
		second := open(t, db, m)
		if diff := cmp.Diff(oneOfEach, counts(t, db)); diff != "" {
			t.Error(diff)
		}
		if !sameKeys(first, second) {
			t.Error("the second opening found other keys")
		}
		if s := first.Signer(); s.Algorithm != "ES256" || len(s.KeyID) != 43 || s.Key.Curve.Params().BitSize != 256 {
			t.Errorf("signing key %q %q", s.KeyID, s.Algorithm)
		}
		tags := first.TagKeys()
		if len(tags) != 1 || tags[0].ID != '1' || tags[0].State != keyring.StateSigning || len(tags[0].Key) != 32 {
			t.Errorf("%d tag keys", len(tags))
		}
	})
}

func sameKeys(a, b *keyring.Ring) bool {
	return a.Signer().Key.Equal(b.Signer().Key) && a.Signer().KeyID == b.Signer().KeyID &&
		bytes.Equal(a.TagKeys()[0].Key, b.TagKeys()[0].Key) &&
		bytes.Equal(a.MAC("x", nil), b.MAC("x", nil)) && cmp.Equal(keyIDs(a), keyIDs(b))
}

// keyIDs are those of the published keys with their algorithms.
func keyIDs(r *keyring.Ring) []string {
	var ids []string
	for _, k := range r.JWKS().Keys {
		ids = append(ids, k.Algorithm+" "+k.KeyID)
	}
	return ids
}

// eachProcesses runs a subtest on both databases, each opened as often as there are processes.
func eachProcesses(t *testing.T, processes int, test func(t *testing.T, dbs []*database.DB, clock *dbtest.Clock)) {
	t.Helper()
	urls := map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "c.db") },
		"postgres": func(t *testing.T) string { return dbtest.PostgresURL(t) },
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			at, clock := url(t), dbtest.NewClock()
			dbs := make([]*database.DB, processes)
			for i := range dbs {
				dbs[i] = dbtest.Open(t, at, clock)
			}
			test(t, dbs, clock)
		})
	}
}

// openAll opens a ring in each process at once.
func openAll(t *testing.T, dbs []*database.DB, m *keyring.Master, options ...keyring.Option) []*keyring.Ring {
	t.Helper()
	rings := make([]*keyring.Ring, len(dbs))
	errs := make([]error, len(dbs))
	var wg sync.WaitGroup
	for i, db := range dbs {
		wg.Go(func() { rings[i], errs[i] = keyring.Open(t.Context(), db, m, quiet, options...) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, r := range rings[1:] {
		if !sameKeys(rings[0], r) {
			t.Error("two processes hold different keys")
		}
	}
	return rings
}

// Two processes that open an empty database at once must not end with two sets of keys.
func TestManyOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	eachProcesses(t, 4, func(t *testing.T, dbs []*database.DB, _ *dbtest.Clock) {
		openAll(t, dbs, newMaster(t), keyringtest.RSA())
		if diff := cmp.Diff(oneOfEach, counts(t, dbs[0])); diff != "" {
			t.Error(diff)
		}
	})
}

// A database from before there were RS256 keys gets one, and only one; one that has it makes none.
func TestOlderDatabaseGetsItsRS256Key(t *testing.T) {
	never := keyring.WithRSA(func() (*rsa.PrivateKey, error) { return nil, errors.New("an RSA key was made") })
	eachProcesses(t, 4, func(t *testing.T, dbs []*database.DB, _ *dbtest.Clock) {
		m, generator := newMaster(t), keyringtest.RSA()
		before := openAll(t, dbs[:1], m, generator)[0]
		exec(t, dbs[0], "", "DELETE FROM keys WHERE purpose = 'sign-rs256'")
		if _, err := keyring.Open(t.Context(), dbs[0], m, quiet, never); err == nil {
			t.Error("opened without an RS256 key")
		}
		rings := openAll(t, dbs, m, generator)
		if diff := cmp.Diff(oneOfEach, counts(t, dbs[0])); diff != "" {
			t.Error(diff)
		}
		if got := keyIDs(rings[0]); len(got) != 2 || got[0] != "ES256 "+before.Signer().KeyID || !strings.HasPrefix(got[1], "RS256 ") {
			t.Errorf("published: %v", got)
		}
		runFeed(t, dbs[0])
		eventually(t, "a ring that was open publishes the new key", func() bool { return cmp.Equal(keyIDs(rings[0]), keyIDs(before)) })
		openAll(t, dbs, m, never)
		if _, err := keyring.Open(t.Context(), dbs[0], newMaster(t), quiet, generator); !errors.Is(err, keyring.ErrWrongMaster) {
			t.Errorf("with another master key: %v", err)
		}
	})
}

func TestC70_WrongMasterKeyWritesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		open(t, db, newMaster(t))
		before := dump(t, db)
		_, err := keyring.Open(t.Context(), db, newMaster(t), quiet)
		if !errors.Is(err, keyring.ErrWrongMaster) {
			t.Errorf("got %v, want %v", err, keyring.ErrWrongMaster)
		}
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Error(diff)
		}
	})
}

func dump(t *testing.T, db *database.DB) []map[string]any {
	t.Helper()
	var rows []map[string]any
	if err := db.Read(t.Context()).Table("keys").Order("id").Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestDamagedTableIsRefused(t *testing.T) {
	tests := map[string]struct {
		sql  string
		want error
	}{
		"no check":           {"DELETE FROM keys WHERE purpose = 'check'", keyring.ErrIncomplete},
		"no signing key":     {"DELETE FROM keys WHERE purpose = 'sign'", keyring.ErrIncomplete},
		"no tag key":         {"DELETE FROM keys WHERE purpose = 'tag'", keyring.ErrIncomplete},
		"no MAC key":         {"DELETE FROM keys WHERE purpose = 'mac'", keyring.ErrIncomplete},
		"no data key":        {"DELETE FROM keys WHERE purpose = 'data'", keyring.ErrIncomplete},
		"only one left":      {"DELETE FROM keys WHERE purpose <> 'sign'", keyring.ErrIncomplete},
		"check changed":      {"UPDATE keys SET sealed = 'AAAA' WHERE purpose = 'check'", keyring.ErrWrongMaster},
		"key ID changed":     {"UPDATE keys SET key_id = '2' WHERE purpose = 'tag'", keyring.ErrSealed},
		"state changed":      {"UPDATE keys SET state = 'untrusted' WHERE purpose = 'sign'", keyring.ErrSealed},
		"algorithm changed":  {"UPDATE keys SET algorithm = 'none' WHERE purpose = 'sign'", keyring.ErrSealed},
		"public key changed": {"UPDATE keys SET public_key = '{}' WHERE purpose = 'sign'", keyring.ErrSealed},
		"purpose changed":    {"UPDATE keys SET purpose = 'tag', key_id = '2' WHERE purpose = 'mac'", keyring.ErrSealed},
		"RS256 key changed":  {"UPDATE keys SET public_key = '{}' WHERE purpose = 'sign-rs256'", keyring.ErrSealed},
		"begin set":          {"UPDATE keys SET signs_from = 1 WHERE purpose = 'sign'", keyring.ErrSealed},
		"end set":            {"UPDATE keys SET signs_until = 1 WHERE purpose = 'tag'", keyring.ErrSealed},
		"keys swapped": {
			"UPDATE keys SET sealed = (SELECT k.sealed FROM keys k WHERE k.purpose = 'mac') WHERE purpose = 'tag'",
			keyring.ErrSealed,
		},
	}
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				exec(t, db, "", "DELETE FROM keys")
				m := newMaster(t)
				open(t, db, m)
				exec(t, db, "", tt.sql)
				before := dump(t, db)
				if _, err := keyring.Open(t.Context(), db, m, quiet); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if diff := cmp.Diff(before, dump(t, db)); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

func TestNoKeyStandsInTheDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		r := open(t, db, newMaster(t))
		all := fmt.Sprint(dump(t, db))
		scalar, err := r.Signer().Key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for name, key := range map[string][]byte{"tag": r.TagKeys()[0].Key, "signing": scalar} {
			for _, form := range forms(key) {
				if strings.Contains(all, form) {
					t.Errorf("the %s key stands in the database", name)
				}
			}
		}
	})
}

func TestRingFollowsChanges(t *testing.T) {
	clock := dbtest.NewClock()
	a := dbtest.SQLite(t, clock)
	m := newMaster(t)
	r := open(t, a, m)
	old := r.Signer()

	// Another set of keys, as after a restored backup: one that no ring of this process has read.
	exec(t, a, "", "DELETE FROM keys")
	other := open(t, a, m)
	if other.Signer().KeyID == old.KeyID {
		t.Fatal("the same key again")
	}
	if got := r.Signer().KeyID; got != other.Signer().KeyID {
		t.Errorf("the ring still signs with %s", got)
	}
	if _, ok := r.Verification(old.KeyID); ok {
		t.Error("a key that is gone still verifies")
	}

	exec(t, a, database.TopicApp, "DELETE FROM keys WHERE purpose = 'tag'")
	if len(r.TagKeys()) != 1 {
		t.Error("news of an app made the ring read its keys")
	}
}

func TestRingServesOnWhenKeysCannotBeRead(t *testing.T) {
	clock := dbtest.NewClock()
	db := dbtest.SQLite(t, clock)
	var log bytes.Buffer
	r, err := keyring.Open(t.Context(), db, newMaster(t), slog.New(slog.NewTextHandler(&log, nil)), keyringtest.RSA())
	if err != nil {
		t.Fatal(err)
	}
	before := r.Signer().KeyID
	exec(t, db, database.TopicKey, "UPDATE keys SET purpose = 'away-' || purpose")
	for range 3 {
		if r.Signer().KeyID != before {
			t.Error("the key changed")
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors logged within a second, want 1: %s", n, &log)
	}
	exec(t, db, "", "UPDATE keys SET purpose = substr(purpose, 6)")
	exec(t, db, "", "DELETE FROM keys WHERE purpose = 'tag'")
	clock.Advance(time.Second)
	r.Signer()
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
		t.Errorf("not read again after the pause: %s", &log)
	}
}

// Who signs or believes a signature is told when keys changed and cannot be read, and when nobody knows whether they did.
func TestF5_RingThatCannotKnowIsNotFresh(t *testing.T) {
	clock := dbtest.NewClock()
	db := dbtest.SQLite(t, clock)
	m := newMaster(t)
	open(t, db, m)
	other, err := database.Open(t.Context(), database.Config{
		URL: "sqlite:" + db.Path(), Clock: clock.Now, StaleBound: 1, PollTimeout: dbtest.PollTimeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, other, m)
	fresh := func(what string, want bool) {
		t.Helper()
		if err := r.Fresh(t.Context()); (err == nil) != want || (err != nil && !problem.Is(err, problem.Unavailable)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	fresh("at first", true)
	exec(t, db, database.TopicApp, "UPDATE keys SET state = state")
	fresh("news of an app", true)
	exec(t, db, database.TopicKey, "UPDATE keys SET purpose = 'away-' || purpose")
	fresh("keys that cannot be read", false)
	fresh("in the pause", false)
	exec(t, db, "", "UPDATE keys SET purpose = substr(purpose, 6)")
	clock.Advance(time.Second)
	fresh("after the pause", true)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	fresh("without the database", false)
}

// Between the news of a key and its reading nobody is handed the old one.
func TestNobodyOvertakesTheReading(t *testing.T) {
	clock := dbtest.NewClock()
	db := dbtest.SQLite(t, clock)
	m := newMaster(t)
	r := open(t, db, m)
	for range 5 {
		exec(t, db, "", "DELETE FROM keys")
		want := open(t, db, m).Signer().KeyID
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := r.Fresh(t.Context()); err != nil || r.Signer().KeyID != want {
					t.Errorf("signs with %s: %v", r.Signer().KeyID, err)
				}
			})
		}
		all.Wait()
	}
}

func TestSignerAndVerificationFit(t *testing.T) {
	r := open(t, dbtest.SQLite(t, dbtest.NewClock()), newMaster(t))
	digest := sha256.Sum256([]byte("message"))
	signer := r.Signer()
	sig, err := ecdsa.SignASN1(rand.Reader, signer.Key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	key, ok := r.Verification(signer.KeyID)
	if !ok || key.Algorithm != "ES256" || key.KeyID != signer.KeyID || !ecdsa.VerifyASN1(key.Key, digest[:], sig) {
		t.Errorf("found %v, %q", ok, key.Algorithm)
	}
	for _, id := range []string{"", "1", signer.KeyID[:42], signer.KeyID + "A", "../../dev/null", "' OR 1=1 --"} {
		if _, ok := r.Verification(id); ok {
			t.Errorf("key ID %q was found", id)
		}
	}
}

func TestC42_JWKSHasPublicMembersOnly(t *testing.T) {
	r := open(t, dbtest.SQLite(t, dbtest.NewClock()), newMaster(t))
	text, err := json.Marshal(r.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%v %s", err, text)
	}
	members := [][]string{{"alg", "crv", "kid", "kty", "use", "x", "y"}, {"alg", "e", "kid", "kty", "n", "use"}}
	values := []map[string]any{
		{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": r.Signer().KeyID},
		{"kty": "RSA", "e": "AQAB", "alg": "RS256", "use": "sig"},
	}
	for i, key := range set.Keys {
		if diff := cmp.Diff(members[i], slices.Sorted(maps.Keys(key))); diff != "" {
			t.Error(diff)
		}
		for name, value := range values[i] {
			if key[name] != value {
				t.Errorf("%s is %v, want %v", name, key[name], value)
			}
		}
		if jwk := r.JWKS().Keys[i]; !jwk.Valid() || !jwk.IsPublic() {
			t.Errorf("%s is not a valid public key", jwk.KeyID)
		}
	}
}

func TestC43b_SizesAndNamesOfSigningKeys(t *testing.T) {
	r := open(t, dbtest.SQLite(t, dbtest.NewClock()), newMaster(t))
	for _, jwk := range r.JWKS().Keys {
		thumbprint, err := jwk.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if jwk.KeyID != base64.RawURLEncoding.EncodeToString(thumbprint) {
			t.Errorf("key ID %s is not the thumbprint of RFC 7638", jwk.KeyID)
		}
		switch key := jwk.Key.(type) {
		case *ecdsa.PublicKey:
			if jwk.Algorithm != "ES256" || key.Curve != elliptic.P256() {
				t.Errorf("%s: an EC key on %s", jwk.Algorithm, key.Curve.Params().Name)
			}
		case *rsa.PublicKey:
			if jwk.Algorithm != "RS256" || key.N.BitLen() != 3072 || key.E != 65537 {
				t.Errorf("%s: an RSA key of %d bits", jwk.Algorithm, key.N.BitLen())
			}
		default:
			t.Errorf("a key of type %T", jwk.Key)
		}
	}
}

// The product itself searches for primes; every other test is spared that.
func TestC43b_RSAKeyAsTheProductMakesIt(t *testing.T) {
	r, err := keyring.Open(t.Context(), dbtest.SQLite(t, dbtest.NewClock()), newMaster(t), quiet, keyring.WithRSA(nil))
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := r.JWKS().Keys[1].Key.(*rsa.PublicKey); !ok || key.N.BitLen() != 3072 {
		t.Errorf("%T", r.JWKS().Keys[1].Key)
	}
}

func TestMACDependsOnPurposeAndData(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	r := open(t, db, newMaster(t))
	seen := map[string]string{}
	for _, in := range [][2]string{{"cursor", "a"}, {"cursor", "b"}, {"nonce", "a"}, {"cursora", ""}, {"", "cursora"}, {"6:cursor", "a"}} {
		mac := r.MAC(in[0], []byte(in[1]))
		if len(mac) != 32 {
			t.Errorf("%d bytes", len(mac))
		}
		if other, ok := seen[string(mac)]; ok {
			t.Errorf("%v and %s have the same MAC", in, other)
		}
		seen[string(mac)] = fmt.Sprint(in)
	}
	if !bytes.Equal(r.MAC("cursor", []byte("a")), r.MAC("cursor", []byte("a"))) {
		t.Error("a MAC differs from itself")
	}
	if bytes.Equal(r.MAC("x", nil), open(t, dbtest.SQLite(t, dbtest.NewClock()), newMaster(t)).MAC("x", nil)) {
		t.Error("two installations make the same MAC")
	}
}

func TestRingIsSafeForManyGoroutines(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	r := open(t, db, newMaster(t))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				sealed, err := r.Seal([]byte("v"), "a")
				if err != nil {
					t.Error(err)
				}
				if _, err := r.Unseal(sealed, "a"); err != nil {
					t.Error(err)
				}
				r.TagKeys()[0].Key[0] ^= 1 // a copy
				_, _ = r.Verification(r.Signer().KeyID)
				_ = r.MAC("p", nil)
			}
		})
	}
	for range 5 {
		exec(t, db, database.TopicKey, "UPDATE keys SET created_at = created_at + 1")
	}
	wg.Wait()
}
