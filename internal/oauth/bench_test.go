package oauth_test

import (
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
