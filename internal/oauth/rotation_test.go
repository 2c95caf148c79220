package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/oauth"
)

// eachPair runs a subtest with two processes of one installation, on both databases.
func eachPair(t *testing.T, test func(t *testing.T, r, other *rig)) {
	t.Helper()
	for name, url := range map[string]func() string{
		"sqlite":   func() string { return dbtest.SQLiteURL(t) },
		"postgres": func() string { return dbtest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at, clock := url(), dbtest.NewClock()
			r := rigOn(t, dbtest.Open(t, at, clock), clock)
			test(t, r, r.replica(dbtest.Open(t, at, clock)))
		})
	}
}

// replica is another process of the installation: everything is its own but the database and the master key.
func (r *rig) replica(db *database.DB) *rig {
	r.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(r.t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); db.Feed().Run(ctx) }()
	r.t.Cleanup(func() { stop(); <-done })
	other := &rig{
		t: r.t, db: db, clock: r.clock, master: r.master, generator: r.generator, catalogue: r.catalogue, shelf: r.shelf, log: r.log,
		acme: r.acme, globex: r.globex,
	}
	log := r.logger()
	var err error
	other.ring, err = keyring.Open(r.t.Context(), db, r.master, log)
	must(r.t, err)
	trail := audit.New(db, log)
	other.identity, err = identity.New(db, trail)
	must(r.t, err)
	other.registry = other.newRegistry(trail)
	other.server, err = oauth.New(oauth.Deps{
		Issuer: issuer, DB: db, Registry: other.registry, Catalogue: r.shelf, Ring: other.ring, Log: log,
	})
	must(r.t, err)
	other.mux = http.NewServeMux()
	for _, e := range other.server.Endpoints() {
		other.mux.Handle(e.Path, e.Handler)
	}
	return other
}

// rotate rotates the signing keys and waits until the replicas publish the same keys: a second at most, which the test's
// clock, standing still, does not show.
func (r *rig) rotate(compromised bool, replicas ...*rig) keyring.Rotated {
	r.t.Helper()
	keeper := keyring.NewKeeper(r.ring, audit.New(r.db, r.logger()))
	done, err := keeper.Rotate(r.t.Context(), access.Operator("root", ""), keyring.Rotation{Kind: keyring.Signing, Compromised: compromised})
	must(r.t, err)
	want := r.get(oauth.PathJWKS).raw
	for _, other := range replicas {
		deadline := time.Now().Add(dbtest.PollTimeout)
		for other.get(oauth.PathJWKS).raw != want {
			if time.Now().After(deadline) {
				r.t.Fatal("a replica has not heard of the rotation")
			}
		}
	}
	return done
}

// verifier is an API that verifies tokens offline, as its libraries do: it keeps the key set for a while.
type verifier struct {
	name    string
	check   func(token string, jwk json.RawMessage) error
	keepFor time.Duration // 0: as long as Cache-Control says
	unknown bool          // whether it fetches the set again when it meets an unknown key

	mu      sync.Mutex
	clock   *dbtest.Clock
	fetch   func() reply
	keys    map[string]json.RawMessage
	until   time.Time
	fetches int
}

var maxAge = regexp.MustCompile(`max-age=(\d+)`)

func (v *verifier) load() {
	p := v.fetch()
	keep := v.keepFor
	if m := maxAge.FindStringSubmatch(p.header.Get("Cache-Control")); keep == 0 && m != nil {
		seconds, _ := strconv.Atoi(m[1])
		keep = time.Duration(seconds) * time.Second
	}
	var set struct{ Keys []json.RawMessage }
	_ = json.Unmarshal([]byte(p.raw), &set)
	v.keys = map[string]json.RawMessage{}
	for _, raw := range set.Keys {
		var key struct{ Kid string }
		_ = json.Unmarshal(raw, &key)
		v.keys[key.Kid] = raw
	}
	v.until, v.fetches = v.clock.Now().Add(keep), v.fetches+1
}

func (v *verifier) verify(token string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.clock.Now().Before(v.until) {
		v.load()
	}
	var header struct{ Kid string }
	raw, err := base64.RawURLEncoding.DecodeString(token[:strings.IndexByte(token, '.')])
	if err == nil {
		err = json.Unmarshal(raw, &header)
	}
	if err != nil {
		return err
	}
	jwk, ok := v.keys[header.Kid]
	if !ok && v.unknown {
		v.load()
		jwk, ok = v.keys[header.Kid]
	}
	if !ok {
		return errors.New("unknown key")
	}
	return v.check(token, jwk)
}

// withJose verifies with go-jose.
func withJose(token string, raw json.RawMessage) error {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return err
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		return err
	}
	_, err = parsed.Verify(jwk)
	return err
}

// byHand verifies after RFC 7518 §3.4 with nothing but the standard library.
func byHand(token string, raw json.RawMessage) error {
	var jwk struct{ Kty, Crv, Alg, Use, X, Y string }
	if err := json.Unmarshal(raw, &jwk); err != nil {
		return err
	}
	if jwk.Kty != "EC" || jwk.Crv != "P-256" || jwk.Alg != "ES256" || jwk.Use != "sig" {
		return fmt.Errorf("not a key for this: %+v", jwk)
	}
	point := []byte{4} // uncompressed: SEC 1 §2.3.3
	for _, half := range []string{jwk.X, jwk.Y} {
		b, err := base64.RawURLEncoding.DecodeString(half)
		if err != nil {
			return err
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return err
	}
	end := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	if err != nil || len(signature) != 64 {
		return errors.New("no signature")
	}
	digest := sha256.Sum256([]byte(token[:end]))
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return errors.New("wrong signature")
	}
	return nil
}

// verifiers fetch the key set from one replica or the other, as behind a balancer. The last one keeps it for ten minutes
// whatever is said, and does not fetch it again for an unknown key.
func verifiers(replicas ...*rig) []*verifier {
	vs := []*verifier{
		{name: "go-jose", check: withJose, unknown: true},
		{name: "by hand", check: byHand, unknown: true},
		{name: "stubborn", check: withJose, keepFor: 10 * time.Minute},
	}
	for i, v := range vs {
		turn := i
		v.clock = replicas[0].clock
		v.fetch = func() reply { turn++; return replicas[turn%len(replicas)].get(oauth.PathJWKS) }
	}
	return vs
}

// TestC43c_NoTokenIsRefusedDuringRotations (F6) rotates 20 times while two replicas issue and three verifiers verify: no token
// is refused before its end, and each rotation is seen.
func TestC43c_NoTokenIsRefusedDuringRotations(t *testing.T) {
	eachPair(t, func(t *testing.T, r, other *rig) {
		l := &load{t: t, replicas: []*rig{r, other}, app: r.app(invoiceRead), signers: map[any]bool{}}
		l.verifiers = verifiers(l.replicas...)
		for range rotations {
			signs := r.rotate(false, other).Made[0].SignsFrom
			for !r.clock.Now().After(signs) {
				l.look()
				r.clock.Advance(step)
			}
			must(t, r.ring.Sweep(t.Context()))
			if t.Failed() {
				t.FailNow()
			}
		}
		l.look()
		if len(l.signers) != rotations+1 {
			t.Errorf("%d keys signed in %d rotations", len(l.signers), rotations)
		}
		for _, v := range l.verifiers {
			t.Logf("%s: fetched the key set %d times", v.name, v.fetches)
		}
		t.Logf("%d tokens, %d verifications", l.issued, l.verified)
	})
}

const (
	rotations = 20
	step      = 225 * time.Second
)

// load is what goes on while keys change hands.
type load struct {
	t         *testing.T
	replicas  []*rig
	verifiers []*verifier
	app       app

	living           []string // a token of each step of the last hour
	signers          map[any]bool
	issued, verified int
}

// look has all replicas issue at once, and everybody verify those tokens and the living ones.
func (l *load) look() {
	tokens := make([]string, 4)
	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() { tokens[i] = l.replicas[i%len(l.replicas)].ask(l.app).text("access_token") })
	}
	wg.Wait()
	for _, token := range tokens {
		if token == "" {
			l.t.Fatal("no token was issued")
		}
		l.signers[part(l.t, token, 0)["kid"]] = true
	}
	l.issued += len(tokens)
	fresh := tokens[0]
	tokens = append(tokens, l.living...)
	for _, v := range l.verifiers {
		wg.Go(func() {
			for _, token := range tokens {
				if err := v.verify(token); err != nil {
					l.t.Errorf("%s refuses: %v", v.name, err)
				}
			}
		})
	}
	for _, replica := range l.replicas {
		wg.Go(func() {
			for _, token := range tokens {
				if _, err := replica.server.Live(l.t.Context(), token); err != nil {
					l.t.Errorf("a replica refuses: %v", err)
				}
			}
		})
	}
	wg.Wait()
	l.verified += len(tokens) * (len(l.verifiers) + len(l.replicas))
	if l.living = append(l.living, fresh); len(l.living) >= int(time.Hour/step) {
		l.living = l.living[1:]
	}
}

// A dropped key ends its tokens here at once, and at each verifier when it fetches the key set again. New tokens are
// taken at once where an unknown key makes the verifier fetch.
func TestCompromisedKeyIsDroppedAtOnce(t *testing.T) {
	eachPair(t, dropAtOnce)
}

func dropAtOnce(t *testing.T, r, other *rig) {
	a := r.app(invoiceRead)
	replicas := []*rig{r, other}
	vs := verifiers(replicas...)
	before := r.token(a)
	for _, v := range vs {
		must(t, v.verify(before))
	}
	for _, replica := range replicas { // which remembers that it was verified
		if _, err := replica.server.Live(t.Context(), before); err != nil {
			t.Fatal(err)
		}
	}
	dropped := r.rotate(true, other).Dropped
	after := []string{r.token(a), other.token(a)}
	for i, replica := range replicas {
		if _, err := replica.server.Live(t.Context(), before); err == nil || replica.isActive(a, before) {
			t.Errorf("replica %d: a token of the dropped key is live", i)
		}
		for _, token := range after {
			if _, err := replica.server.Live(t.Context(), token); err != nil || !replica.isActive(a, token) {
				t.Errorf("replica %d: a token of the new key is not: %v", i, err)
			}
		}
		for _, k := range dropped {
			if strings.Contains(replica.get(oauth.PathJWKS).raw, k.ID) {
				t.Errorf("replica %d: %s is published", i, k.ID)
			}
		}
	}
	for _, v := range vs[:2] {
		for _, token := range after {
			if err := v.verify(token); err != nil {
				t.Errorf("%s refuses a new token: %v", v.name, err)
			}
		}
		if err := v.verify(before); err == nil {
			t.Errorf("%s has fetched the key set and takes an old token", v.name)
		}
	}
	stubborn := vs[2]
	if stubborn.verify(before) != nil || stubborn.verify(after[0]) == nil {
		t.Error("a verifier that fetched nothing knows of the rotation")
	}
	r.clock.Advance(stubborn.keepFor)
	if stubborn.verify(before) == nil || stubborn.verify(after[0]) != nil {
		t.Error("a verifier that has fetched the key set again does not know of the rotation")
	}
}
