package oauth_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http/httptest"
	"strings"
	"testing"

	"credenza.example/credenza/internal/oauth"
)

// BenchmarkToken is one warm token through the handler, without HTTP. Signing alone is BenchmarkSign's.
func BenchmarkToken(b *testing.B) {
	r := newRig(b)
	a := r.app(invoiceRead, invoiceWrite)
	r.token(a)
	auth := basic(a.ClientID, a.secret)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		r.server.Token(w, request(oauth.PathToken, tokenForm, "Authorization", auth))
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

// BenchmarkSign is the ES256 signature that every token costs at least.
func BenchmarkSign(b *testing.B) {
	r := newRig(b)
	token := r.token(r.app(invoiceRead))
	key := r.ring.Signer().Key
	input := token[:strings.LastIndexByte(token, '.')]
	b.ReportAllocs()
	for b.Loop() {
		signES256(b, key, input)
	}
}

// BenchmarkLive is one look at a token that was issued here.
func BenchmarkLive(b *testing.B) {
	r := newRig(b)
	token := r.token(r.app(invoiceRead, invoiceWrite))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.server.Live(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify is the bare verification of a token that was not seen before, which BenchmarkLive is to be compared
// with (performance.md P5).
func BenchmarkVerify(b *testing.B) {
	r := newRig(b)
	token := r.token(r.app(invoiceRead, invoiceWrite))
	public := &r.ring.Signer().Key.PublicKey
	b.ReportAllocs()
	for b.Loop() {
		verifyES256(b, public, token)
	}
}

// BenchmarkIntrospect is one warm introspection through the handler, without HTTP.
func BenchmarkIntrospect(b *testing.B) {
	r := newRig(b)
	a, server := r.app(invoiceRead, invoiceWrite), r.resourceServer("coupa-core")
	body, auth := form("token", r.token(a)), basic(server.ClientID, server.secret)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		r.server.Introspect(w, request(oauth.PathIntrospect, body, "Authorization", auth))
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

func verifyES256(t testing.TB, key *ecdsa.PublicKey, token string) {
	t.Helper()
	end := strings.LastIndexByte(token, '.')
	payload := token[strings.IndexByte(token, '.')+1 : end]
	signature, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	must(t, err)
	digest := sha256.Sum256([]byte(token[:end]))
	half := len(signature) / 2
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])) {
		t.Fatal("the signature is wrong")
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	must(t, err)
	var claims map[string]any
	must(t, json.Unmarshal(text, &claims))
}
