package web_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// shown is what our own API answers to a token: status and challenge.
type shown struct {
	status    int
	challenge string
}

const (
	notValid     = `Bearer realm="credenza", error="invalid_token"`
	notWellMade  = `Bearer realm="credenza", error="invalid_request"`
	allocAllowed = 64 << 10 // bytes (C43)
)

// show presents a token to our own API, and reports what the answer cost in bytes.
func (p *portal) show(token string) (answer shown, cost uint64) {
	p.t.Helper()
	r := httptest.NewRequest(http.MethodGet, publicURL+selfPath, http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.handler.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	if w.Code != http.StatusOK && strings.Contains(w.Body.String(), "client_id") {
		p.t.Errorf("%d tells of an app: %s", w.Code, w.Body)
	}
	return shown{w.Code, w.Header().Get("WWW-Authenticate")}, after.TotalAlloc - before.TotalAlloc
}

// C41: a token cut anywhere, with any byte changed, or with something before, behind or in it, opens nothing.
func TestC41_MutatedTokensAtOurOwnAPI(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	token := p.accessToken(made.clientID, made.secret)
	refused := map[shown]bool{{401, notValid}: true, {400, notWellMade}: true}
	try := func(what, mutated string) {
		t.Helper()
		if answer, _ := p.show(mutated); !refused[answer] {
			t.Errorf("%s: %d %s", what, answer.status, answer.challenge)
		}
	}
	const others = "A9-_.+/=~ \x00\xff"
	for i := range len(token) {
		try("cut", token[:i])
		try("without its beginning", token[i+1:])
		for _, c := range []byte{others[i%len(others)], token[i] ^ 1, token[i] ^ 0x20} {
			if c != token[i] {
				try("changed", token[:i]+string(c)+token[i+1:])
			}
		}
	}
	for _, more := range []string{"=", "==", ".", "A", " ", "\t", ",", ", Bearer " + token, "\x00"} {
		try("with more behind", token+more)
		try("with more before", more+token)
		try("with more in it", token[:len(token)/2]+more+token[len(token)/2:])
	}
	if answer, _ := p.show(token); answer.status != http.StatusOK {
		t.Errorf("the token itself: %d", answer.status)
	}
}

// C43: what is far too long, or has the form of something else, is refused before it is read.
func TestC43_LargeTokensAtOurOwnAPI(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	token := p.accessToken(made.clientID, made.secret)
	p.show(token) // whatever is made once
	parts := strings.Split(token, ".")
	tests := map[string]string{
		"dots":            strings.Repeat(".", 1<<20),
		"a long header":   strings.Repeat("A", 10<<20) + "." + parts[1] + "." + parts[2],
		"a long payload":  parts[0] + "." + strings.Repeat("A", 1<<20) + "." + parts[2],
		"five parts":      token + ".AA.AA",
		"as many dots":    strings.Repeat("A.", 2000) + "A",
		"just too long":   parts[0] + "." + strings.Repeat("A", 8<<10) + "." + parts[2],
		"a token in it":   parts[0] + "." + strings.ReplaceAll(token, ".", "") + "." + parts[2],
		"only separators": "..",
	}
	for name, text := range tests {
		answer, cost := p.show(text)
		if answer != (shown{401, notValid}) {
			t.Errorf("%s: %d %s", name, answer.status, answer.challenge)
		}
		if cost > allocAllowed {
			t.Errorf("%s: %d bytes", name, cost)
		}
	}
}
