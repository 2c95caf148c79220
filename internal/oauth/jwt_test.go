package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/problem"
)

// live reports whether the server takes a token. Any refusal must be that the token is not valid.
func (r *rig) live(token string) bool {
	r.t.Helper()
	got, err := r.server.Live(r.t.Context(), token)
	if err != nil {
		if !problem.Is(err, problem.Unauthenticated) || got != nil {
			r.t.Errorf("refused with %v, %v", got, err)
		}
		return false
	}
	return true
}

// forge signs what it is given with the installation's own key, as a bug or another use of the key might.
func forge(t testing.TB, key keyring.SigningKey, header, payload any) string {
	t.Helper()
	return signES256(t, key.Key, encode(t, header)+"."+encode(t, payload))
}

func signES256(t testing.TB, key *ecdsa.PrivateKey, input string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	must(t, err)
	return input + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// encode returns a value as the part of a JWT; text is taken as JSON that is written already.
func encode(t testing.TB, v any) string {
	t.Helper()
	if text, ok := v.(string); ok {
		return base64.RawURLEncoding.EncodeToString([]byte(text))
	}
	raw, err := json.Marshal(v)
	must(t, err)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// with returns the map with members changed; nil removes one.
func with(m map[string]any, pairs ...any) map[string]any {
	changed := maps.Clone(m)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		if pairs[i+1] == nil {
			delete(changed, name)
			continue
		}
		changed[name] = pairs[i+1]
	}
	return changed
}

// whole returns the claims of a token as numbers of whole seconds, which maps of Go would write as floats.
func whole(t testing.TB, token string) map[string]any {
	t.Helper()
	c := part(t, token, 1)
	for _, name := range []string{"exp", "iat", "gen"} {
		n, _ := c[name].(float64)
		c[name] = int64(n)
	}
	return c
}

// originalHeader is the first part of a token, as it stands.
func originalHeader(t testing.TB, token string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	must(t, err)
	return string(raw)
}

func TestC36_IssuedToken(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead, invoiceWrite)
	token := r.token(a)
	header := part(t, token, 0)
	if diff := cmp.Diff(map[string]any{"alg": "ES256", "typ": "at+jwt", "kid": r.ring.Signer().KeyID}, header); diff != "" {
		t.Error(diff)
	}
	now := r.clock.Now().Unix()
	got := part(t, token, 1)
	jti, _ := got["jti"].(string)
	want := map[string]any{
		"iss": issuer, "sub": a.ClientID, "aud": issuer + "/apis/coupa-core", "client_id": a.ClientID,
		"iat": float64(now), "exp": float64(now + 3600), "jti": jti, "scope": invoiceRead + " " + invoiceWrite,
		"org": string(r.acme.ID), "api_user": string(a.APIUser.ID), "gen": float64(1), "cred": string(a.secretID),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(jti) < 22 {
		t.Errorf("jti %q has fewer than 128 bits", jti)
	}
	if again := part(t, r.token(a), 1)["jti"]; again == jti {
		t.Error("two tokens have one jti")
	}

	// Another library, which knows the published keys only, must come to the same result.
	p := r.send(httptest.NewRequest(http.MethodGet, oauth.PathJWKS, nil))
	var set jose.JSONWebKeySet
	must(t, json.Unmarshal([]byte(p.raw), &set))
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	must(t, err)
	keys := set.Key(parsed.Signatures[0].Header.KeyID)
	if len(keys) != 1 {
		t.Fatalf("%d keys", len(keys))
	}
	payload, err := parsed.Verify(keys[0].Key)
	must(t, err)
	if !strings.Contains(string(payload), jti) {
		t.Errorf("payload %s", payload)
	}
}

// Tokens live on from one version of the product to the next, and their header is compared as text.
func TestHeaderIsTheSameInAllVersions(t *testing.T) {
	r := newRig(t)
	want := `{"alg":"ES256","kid":"` + r.ring.Signer().KeyID + `","typ":"at+jwt"}`
	if got := originalHeader(t, r.token(r.app(invoiceRead))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A key is forgotten once the last token it can have signed has ended, so none may live longer.
func TestNoTokenOutlivesItsKey(t *testing.T) {
	r := newRig(t)
	for lifetime, ok := range map[time.Duration]bool{
		time.Hour: true, keyring.LongestToken: true, keyring.LongestToken + time.Second: false, 1 << 62: false,
	} {
		if err := oauth.SignFor(r.ring.Signer(), r.clock.Now(), lifetime); (err == nil) != ok {
			t.Errorf("%v: %v", lifetime, err)
		}
	}
}

func TestLiveTellsWhatATokenIsGoodFor(t *testing.T) {
	r := newRig(t)
	a := r.app(candidates, workers)
	got, err := r.server.Live(t.Context(), r.token(a, "scope", workers))
	must(t, err)
	now := r.clock.Now()
	if got.Client.ID != a.ID || got.API != "ccw" || got.Audience != issuer+"/apis/ccw" || got.Organisation != r.acme.ID ||
		got.Credential != a.secretID || got.Scopes.String() != workers || !got.IssuedAt.Equal(now.Truncate(time.Second)) ||
		!got.ExpiresAt.Equal(now.Truncate(time.Second).Add(time.Hour)) || got.ID == "" {
		t.Errorf("got %+v", got)
	}
}

func TestC37_OtherAlgorithms(t *testing.T) {
	r := newRig(t)
	token := r.token(r.app(invoiceRead))
	signer := r.ring.Signer()
	claims := strings.Split(token, ".")[1]
	public := r.ring.JWKS().Keys[0]
	if r.rs256 == nil || !r.rs256.PublicKey.Equal(r.ring.JWKS().Keys[1].Key) {
		t.Fatal("the test does not hold the published RS256 key")
	}
	der, err := x509.MarshalPKIXPublicKey(public.Key)
	must(t, err)
	jwk, err := public.MarshalJSON()
	must(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	otherEC, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	header := func(alg string) string { return encode(t, with(part(t, token, 0), "alg", alg)) }
	hs := func(key []byte) string {
		input := header("HS256") + "." + claims
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(input))
		return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	published := r.ring.JWKS().Keys[1]
	rsaDER, err := x509.MarshalPKIXPublicKey(published.Key)
	must(t, err)
	rs := func(alg jose.SignatureAlgorithm, key *rsa.PrivateKey, keyID string) string {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: keyID}},
			(&jose.SignerOptions{}).WithType("at+jwt"))
		must(t, err)
		raw, err := base64.RawURLEncoding.DecodeString(claims)
		must(t, err)
		signed, err := s.Sign(raw)
		must(t, err)
		text, err := signed.CompactSerialize()
		must(t, err)
		return text
	}
	signature := strings.Split(token, ".")[2]
	tests := map[string]string{
		"none":                  header("none") + "." + claims + ".",
		"None":                  header("None") + "." + claims + ".",
		"nOnE with a signature": header("nOnE") + "." + claims + "." + signature,
		"no signature":          strings.Join(strings.Split(token, ".")[:2], ".") + ".",
		"HS256 of the PEM":      hs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HS256 of the DER":      hs(der),
		"HS256 of the JWK":      hs(jwk),
		"HS256 of the key ID":   hs([]byte(signer.KeyID)),
		"RS256 with our kid":    rs(jose.RS256, rsaKey, signer.KeyID),
		"ES384":                 signES256(t, signer.Key, header("ES384")+"."+claims),
		"ES256 in small":        signES256(t, signer.Key, header("es256")+"."+claims),
		"another EC key":        signES256(t, otherEC, strings.Join(strings.Split(token, ".")[:2], ".")),
		// The key is ours and published, but no API asks for RS256 (protocol.md §1.7), so none of ours is signed by it.
		"RS256 by the published key":      rs(jose.RS256, r.rs256, published.KeyID),
		"RS256 by it, with the EC kid":    rs(jose.RS256, r.rs256, signer.KeyID),
		"PS256 by the published key":      rs(jose.PS256, r.rs256, published.KeyID),
		"RS256 by another, with its kid":  rs(jose.RS256, rsaKey, published.KeyID),
		"ES256 with the kid of the RS256": signES256(t, signer.Key, encode(t, with(part(t, token, 0), "kid", published.KeyID))+"."+claims),
		"HS256 of the RS256 key's PEM":    hs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: rsaDER})),
		"HS256 of the RS256 key's DER":    hs(rsaDER),
		"a signature of zeros":            strings.Join(strings.Split(token, ".")[:2], ".") + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)),
		"an ASN.1 signature":              strings.Join(strings.Split(token, ".")[:2], ".") + "." + base64.RawURLEncoding.EncodeToString(append([]byte{0x30}, make([]byte, 70)...)),
	}
	for name, bad := range tests {
		if r.live(bad) {
			t.Errorf("%s is live", name)
		}
	}
	if !r.live(token) {
		t.Error("the token itself is not")
	}
}

func TestC38_HeadersAreNotBelieved(t *testing.T) {
	r := newRig(t)
	var visits int
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits++ }))
	defer outside.Close()
	token := r.token(r.app(invoiceRead))
	signer := r.ring.Signer()
	good, claims := part(t, token, 0), whole(t, token)
	attacker, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	jwk, err := (&jose.JSONWebKey{Key: &attacker.PublicKey, KeyID: "x", Algorithm: "ES256"}).MarshalJSON()
	must(t, err)
	headers := map[string]any{
		"jku":             with(good, "jku", outside.URL),
		"x5u":             with(good, "x5u", outside.URL),
		"x5c":             with(good, "x5c", []string{"MIIB"}),
		"jwk":             with(good, "jwk", json.RawMessage(jwk)),
		"crit":            with(good, "crit", []string{"exp"}, "exp", 1),
		"unknown crit":    with(good, "crit", []string{"unheard"}, "unheard", true),
		"b64":             with(good, "crit", []string{"b64"}, "b64", false),
		"zip":             with(good, "zip", "DEF"),
		"cty":             with(good, "cty", "JWT"),
		"no typ":          with(good, "typ", nil),
		"typ JWT":         with(good, "typ", "JWT"),
		"typ in large":    with(good, "typ", "AT+JWT"),
		"typ application": with(good, "typ", "application/at+jwt"),
		"no kid":          with(good, "kid", nil),
		"empty kid":       with(good, "kid", ""),
		"kid path":        with(good, "kid", "../../dev/null"),
		"kid SQL":         with(good, "kid", "' UNION SELECT 'x' --"),
		"kid number":      with(good, "kid", 1),
		"kid twice":       `{"alg":"ES256","kid":"x","kid":"` + signer.KeyID + `","typ":"at+jwt"}`,
		"kid of 1 MB":     with(good, "kid", strings.Repeat("k", 1<<20)),
		"other order":     `{"typ":"at+jwt","alg":"ES256","kid":"` + signer.KeyID + `"}`,
		"spaces":          `{"alg": "ES256", "kid": "` + signer.KeyID + `", "typ": "at+jwt"}`,
		"trailing text":   originalHeader(t, token) + "x",
		"an array":        `[]`,
		"nothing":         ``,
		"null":            `null`,
	}
	for name, header := range headers {
		if r.live(forge(t, signer, header, claims)) {
			t.Errorf("%s: live with our key", name)
		}
		if r.live(signES256(t, attacker, encode(t, header)+"."+encode(t, claims))) {
			t.Errorf("%s: live with another key", name)
		}
	}
	if visits != 0 {
		t.Errorf("%d requests went out", visits)
	}
}

func TestC39_Times(t *testing.T) {
	r := newRig(t)
	token := r.token(r.app(invoiceRead))
	signer, header, claims := r.ring.Signer(), originalHeader(t, token), whole(t, token)
	now := r.clock.Now().Unix()
	tests := map[string]struct {
		claims any
		live   bool
	}{
		"as it was":         {claims, true},
		"exp in 1 s":        {with(claims, "exp", now+1, "iat", now-10), true},
		"exp now":           {with(claims, "exp", now, "iat", now-10), false},
		"exp 1 s ago":       {with(claims, "exp", now-1, "iat", now-10), false},
		"no exp":            {with(claims, "exp", nil), false},
		"exp 0":             {with(claims, "exp", 0), false},
		"exp negative":      {with(claims, "exp", -1), false},
		"exp text":          {with(claims, "exp", "9999999999"), false},
		"exp float":         {with(claims, "exp", json.RawMessage("9999999999.5")), false},
		"exp 1e308":         {with(claims, "exp", json.RawMessage("1e308")), false},
		"exp 1e10":          {with(claims, "exp", json.RawMessage("1e10")), false},
		"exp null":          {with(claims, "exp", json.RawMessage("null")), false},
		"exp array":         {with(claims, "exp", []int64{now + 60}), false},
		"exp before iat":    {with(claims, "exp", now+1, "iat", now+2), false},
		"iat in 10 s":       {with(claims, "iat", now+10), true},
		"iat in 11 s":       {with(claims, "iat", now+11), false},
		"iat far ahead":     {with(claims, "iat", now+1000), false},
		"no iat":            {with(claims, "iat", nil), false},
		"nbf now":           {with(claims, "nbf", now), true},
		"nbf in 11 s":       {with(claims, "nbf", now+11), false},
		"nbf text":          {with(claims, "nbf", "1"), false},
		"exp beyond 64 bit": {with(claims, "exp", json.RawMessage("18446744073709551617")), false},
	}
	for name, tt := range tests {
		if got := r.live(forge(t, signer, header, tt.claims)); got != tt.live {
			t.Errorf("%s: live %v", name, got)
		}
	}
	r.clock.Advance(time.Hour - time.Second)
	if !r.live(token) {
		t.Error("dead in its last second")
	}
	r.clock.Advance(time.Second)
	if r.live(token) {
		t.Error("live after its end")
	}
	r.clock.Advance(-2 * time.Hour) // F10: the clock was set back
	if r.live(token) {
		t.Error("live before it was issued")
	}
}

func TestC40_OtherTokensAndOtherIssuers(t *testing.T) {
	r := newRig(t)
	a, foreign := r.app(invoiceRead), r.appOf(r.globex, nil)
	token := r.token(a)
	signer, header, claims := r.ring.Signer(), originalHeader(t, token), whole(t, token)
	stranger := newRig(t)
	tests := map[string]any{
		"another issuer":            with(claims, "iss", "https://other.example"),
		"issuer with a slash":       with(claims, "iss", issuer+"/"),
		"no issuer":                 with(claims, "iss", nil),
		"an API that is not there":  with(claims, "aud", issuer+"/apis/none"),
		"the token endpoint":        with(claims, "aud", issuer+oauth.PathToken),
		"the client, an ID token":   with(claims, "aud", a.ClientID),
		"no audience":               with(claims, "aud", nil),
		"two audiences":             with(claims, "aud", []string{issuer + "/apis/coupa-core"}),
		"another organisation":      with(claims, "org", string(r.globex.ID)),
		"another client":            with(claims, "client_id", foreign.ClientID, "sub", foreign.ClientID),
		"another subject":           with(claims, "sub", foreign.ClientID),
		"a client that is not":      with(claims, "client_id", "CCWACME_nobody", "sub", "CCWACME_nobody"),
		"another API user":          with(claims, "api_user", string(foreign.APIUser.ID)),
		"an older generation":       with(claims, "gen", 0),
		"a newer generation":        with(claims, "gen", 2),
		"no generation":             with(claims, "gen", nil),
		"no jti":                    with(claims, "jti", nil),
		"an array":                  []any{claims},
		"claims that are no object": `"text"`,
		"nothing":                   ``,
	}
	for name, changed := range tests {
		if r.live(forge(t, signer, header, changed)) {
			t.Errorf("%s: live", name)
		}
	}
	for name, text := range map[string]string{
		"ID token":         forge(t, signer, with(part(t, token, 0), "typ", "JWT"), with(claims, "aud", a.ClientID)),
		"logout token":     forge(t, signer, with(part(t, token, 0), "typ", "logout+jwt"), claims),
		"client assertion": forge(t, signer, with(part(t, token, 0), "typ", "client-authentication+jwt"), claims),
		"other key":        stranger.token(stranger.app(invoiceRead)),
	} {
		if r.live(text) {
			t.Errorf("%s: live", name)
		}
	}
	if scopes := forge(t, signer, header, with(claims, "scope", invoiceRead+" "+candidates)); !r.live(scopes) {
		t.Error("a token with a scope that the app lacks is live, without it")
	} else if got, err := r.server.Live(t.Context(), scopes); err != nil || got.Scopes.String() != invoiceRead {
		t.Errorf("scopes %v, %v", got, err)
	}
}

func TestC41_EveryMutationIsRefused(t *testing.T) {
	r := newRig(t)
	token := r.token(r.app(invoiceRead))
	for i := range token {
		if r.live(token[:i]) {
			t.Errorf("cut at %d: live", i)
		}
		changed := []byte(token)
		changed[i] = 'A'
		if token[i] == 'A' {
			changed[i] = 'B'
		}
		if r.live(string(changed)) {
			t.Errorf("changed at %d: live", i)
		}
	}
	// The last character of a part has spare bits: all 64 must be tried.
	last := len(token) - 1
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/" {
		if changed := token[:last] + string(c); changed != token && r.live(changed) {
			t.Errorf("ending in %c: live", c)
		}
	}
	for _, more := range []string{"A", ".", "=", " ", "\n", "\x00", ".A", "AAAA"} {
		for name, changed := range map[string]string{"after": token + more, "before": more + token, "within": token[:60] + more + token[60:]} {
			if r.live(changed) {
				t.Errorf("%q %s: live", more, name)
			}
		}
	}
	parts := strings.Split(token, ".")
	slices.Reverse(parts)
	if r.live(strings.Join(parts, ".")) || r.live("") {
		t.Error("nonsense is live")
	}
}

func TestC43_LargeAndOddTokensAreCheap(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	token := r.token(a)
	tests := map[string]string{
		"a million dots":   strings.Repeat(".", 1<<20),
		"a header of 10MB": strings.Repeat("A", 10<<20) + "." + strings.Join(strings.Split(token, ".")[1:], "."),
		"five parts":       token + ".a.b",
		"nested":           encode(t, `{"alg":"ES256","cty":"JWT"}`) + "." + encode(t, `"`+token+`"`) + ".AA",
		"8 KiB and one":    token + strings.Repeat("A", 8<<10+1-len(token)),
		"JSON form":        `{"payload":"` + strings.Split(token, ".")[1] + `"}`,
	}
	for name, text := range tests {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if r.live(text) {
			t.Errorf("%s: live", name)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<10 {
			t.Errorf("%s: %d bytes", name, used)
		}
		// Through the door as well; more than the form may hold is refused as such.
		p := r.introspect(a, text)
		if len(text) < 60<<10 && p.raw != `{"active":false}` || len(text) > 64<<10 && p.status != 413 {
			t.Errorf("%s: introspected %d %s", name, p.status, p.raw)
		}
	}
}
