package oauth_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"credenza.example/credenza/internal/registry"
)

// judged fails unless signatures were judged so often as known, new and refused.
func (r *rig) judged(known, fresh, refused string) {
	r.t.Helper()
	want := `# HELP credenza_oauth_signatures_total Access tokens shown, by how their signature was judged: known (verified before), new, refused.
# TYPE credenza_oauth_signatures_total counter
credenza_oauth_signatures_total{outcome="known"} ` + known + `
credenza_oauth_signatures_total{outcome="new"} ` + fresh + `
credenza_oauth_signatures_total{outcome="refused"} ` + refused + "\n"
	if err := testutil.GatherAndCompare(r.metrics, strings.NewReader(want), "credenza_oauth_signatures_total"); err != nil {
		r.t.Error(err)
	}
}

// remembers fails unless so many tokens are remembered.
func (r *rig) remembers(want int) {
	r.t.Helper()
	if got, _ := r.server.Remembered(); got != want {
		r.t.Errorf("%d tokens are remembered, want %d", got, want)
	}
}

func TestATokenIsVerifiedOnce(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	token, other := r.token(a), r.token(a)
	for range 3 {
		if !r.live(token) || !r.isActive(a, token) {
			t.Fatal("not live")
		}
	}
	r.live(other)
	r.judged("5", "2", "0")
	r.remembers(2)
}

// What differs from a remembered token in one character is another token (C41).
func TestC41_MutationsOfARememberedToken(t *testing.T) {
	r := newRig(t)
	token := r.token(r.app(invoiceRead))
	if !r.live(token) {
		t.Fatal("not live")
	}
	for i := range token {
		changed := []byte(token)
		changed[i] ^= 1
		if r.live(string(changed)) || r.live(token[:i]) {
			t.Errorf("changed or cut at %d: live", i)
		}
	}
	if !r.live(token) {
		t.Error("the token itself is not live any more")
	}
}

func TestRefusedTokensAreNotRemembered(t *testing.T) {
	r, stranger := newRig(t), newRig(t)
	a := r.app(invoiceRead)
	token, foreign := r.token(a), stranger.token(stranger.app(invoiceRead))
	header, _, _ := strings.Cut(token, ".")
	_, rest, _ := strings.Cut(foreign, ".")
	for _, text := range []string{foreign, header + "." + rest, header + "..", token + "A", "", strings.Repeat("x", 9000)} {
		if r.live(text) {
			t.Errorf("%.20s is live", text)
		}
	}
	r.remembers(0)
	r.judged("0", "0", "6")
}

// A remembered token dies with the key that signed it, at once.
func TestRememberedTokensDieWithTheirKey(t *testing.T) {
	r, other := newRig(t), newRig(t)
	a := r.app(invoiceRead)
	token := r.token(a)
	if !r.live(token) {
		t.Fatal("not live")
	}
	kept := r.ring
	r.server.ReplaceKeys(other.ring)
	if r.live(token) {
		t.Error("live without its key")
	}
	if fresh := r.token(a); !r.live(fresh) {
		t.Error("the new key's tokens are not live")
	}
	r.server.ReplaceKeys(kept)
	if !r.live(token) {
		t.Error("not live with its key again")
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	token := r.token(a)
	r.live(token)
	r.server.Remember(20_000, 700)
	if n, bytes := r.server.Remembered(); n != 16<<10 || bytes != n*700 {
		t.Errorf("small tokens: %d of %d bytes", n, bytes)
	}
	r.server.Remember(20_000, 8000)
	if n, bytes := r.server.Remembered(); bytes > 16<<20 || bytes != n*8000 || n < 2000 {
		t.Errorf("large tokens: %d of %d bytes", n, bytes)
	}
	if !r.live(token) {
		t.Error("a forgotten token is not verified again")
	}
}

// Many ask at once while the state of the app changes; what is remembered is the same for all and never the state.
func TestManyShowATokenAtOnce(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead, invoiceWrite)
	token := r.token(a)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				got, err := r.server.Live(t.Context(), token)
				if err != nil {
					t.Error(err)
				} else if s := got.Scopes.String(); s != invoiceRead && s != invoiceRead+" "+invoiceWrite {
					t.Errorf("scopes %q", s)
				}
			}
		})
	}
	for _, scopes := range [][]string{{invoiceRead}, {invoiceRead, invoiceWrite}, {invoiceRead}} {
		r.edit(a, func(f *registry.AppFields) { f.Scopes = scopes })
	}
	wg.Wait()
	r.deactivate(a)
	if r.live(token) {
		t.Error("live after the app was switched off")
	}
	r.remembers(1)
}
