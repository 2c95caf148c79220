package oauth_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
)

// from sends a token request with these credentials from an address, in the header or the body.
func (r *rig) from(address, path, style, clientID, proof string) reply {
	r.t.Helper()
	body := tokenForm + "&token=x"
	req := request(path, body, "Authorization", basic(clientID, proof))
	if style == "body" {
		req = request(path, body+"&"+form("client_id", clientID, "client_secret", proof))
	}
	req.RemoteAddr = address + ":4321"
	return r.send(req)
}

var wholeSeconds = regexp.MustCompile(`^[1-9][0-9]*$`)

// TestC23_WhoGuessesIsPutOffAndNobodyElse: a hundred wrong secrets in a minute from one address.
func TestC23_WhoGuessesIsPutOffAndNobodyElse(t *testing.T) {
	for _, path := range []string{oauth.PathToken, oauth.PathIntrospect, oauth.PathRevoke} {
		t.Run(path, func(t *testing.T) {
			r := newRig(t)
			a := r.app(invoiceRead)
			const guesser, other = "192.0.2.1", "198.51.100.1"
			limited := 0
			for i := range 100 {
				p := r.from(guesser, path, "Basic", a.ClientID, fmt.Sprint("guess ", i))
				switch {
				case p.status == http.StatusTooManyRequests && i > 0:
					limited++
					refused(t, p, 429, "temporarily_unavailable")
					if wait := p.header.Get("Retry-After"); !wholeSeconds.MatchString(wait) {
						t.Errorf("Retry-After %q", wait)
					}
					if p.header.Get("WWW-Authenticate") != "" || p.header.Get("Cache-Control") != "no-store" {
						t.Errorf("headers %v", p.header)
					}
				default:
					refused(t, p, 401, "invalid_client")
				}
				r.clock.Advance(600 * time.Millisecond)
			}
			if limited < 30 {
				t.Errorf("%d of 100 were put off", limited)
			}
			if n := r.bcrypts(); n != 0 {
				t.Errorf("%d bcrypts", n)
			}
			for _, address := range []string{other, guesser} {
				if p := r.from(address, oauth.PathToken, "Basic", a.ClientID, a.secret); p.status != http.StatusOK {
					t.Errorf("the client itself, from %s: %d %s", address, p.status, p.raw)
				}
			}
			if p := r.from(other, path, "Basic", a.ClientID, "guess"); p.status != http.StatusUnauthorized {
				t.Errorf("a first guess from another address: %d", p.status)
			}
		})
	}
}

// TestC22_WhoIsPutOffLearnsNothing: the answers to a hundred guesses are the same, one by one, whatever is guessed at.
func TestC22_WhoIsPutOffLearnsNothing(t *testing.T) {
	r := newRig(t)
	known, inactive := r.app(invoiceRead), r.app(invoiceRead)
	r.deactivate(inactive)
	unknown := registry.App{ClientID: "CCWACME_22222222222222222222"}
	var first []string
	for n, a := range []registry.App{known.App, inactive.App, unknown} {
		var all []string
		for i := range 100 {
			guess := fmt.Sprint("guess ", i)
			if i%2 == 0 {
				guess = known.secret[:60] + fmt.Sprintf("%07d", i)
			}
			p := r.from(fmt.Sprintf("192.0.2.%d", n), oauth.PathToken, "body", a.ClientID, guess)
			all = append(all, same(p))
		}
		if n == 0 {
			first = all
		}
		if strings.Join(all, "\n") != strings.Join(first, "\n") {
			t.Errorf("guesses at client %d are answered otherwise than at the first", n)
		}
	}
}

// TestC23_TheOtherStyleCountsOnce: Go's x/oauth2 sends a refused request again at once in the other style. The pair
// counts as one try, and both get the same answer.
func TestC23_TheOtherStyleCountsOnce(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	pairs := 0
	for i := range 100 {
		guess := fmt.Sprint("guess ", i)
		first := r.from("192.0.2.1", oauth.PathToken, "Basic", a.ClientID, guess)
		second := r.from("192.0.2.1", oauth.PathToken, "body", a.ClientID, guess)
		if first.status != second.status {
			t.Errorf("pair %d: %d and %d", i, first.status, second.status)
		}
		if first.status == http.StatusUnauthorized {
			pairs++
		}
	}
	if pairs != 30 {
		t.Errorf("%d pairs were heard, want as many as single tries, 30", pairs)
	}
}

// TestC23_WithAnOldSecret: who holds a secret that was replaced is put off for that one; the new one works from the same
// address.
func TestC23_WithAnOldSecret(t *testing.T) {
	r := newRig(t)
	a := r.app(invoiceRead)
	old := a.secret
	shown, err := r.registry.Rotate(t.Context(), r.actor(r.acme), a.ID,
		registry.Rotation{Reason: registry.Planned, OldEnds: registry.End{Choice: registry.EndsNow}})
	must(t, err)
	counts := map[int]int{}
	for range 100 {
		counts[r.from("192.0.2.1", oauth.PathToken, "Basic", a.ClientID, old).status]++
		r.clock.Advance(600 * time.Millisecond)
	}
	if counts[401] < 10 || counts[429] < 30 || counts[401]+counts[429] != 100 {
		t.Errorf("statuses %v", counts)
	}
	if n := r.bcrypts(); n != 0 {
		t.Errorf("%d bcrypts for a slot without a secret", n)
	}
	if p := r.from("192.0.2.1", oauth.PathToken, "Basic", a.ClientID, shown.Secret.Reveal()); p.status != http.StatusOK {
		t.Errorf("the new secret: %d %s", p.status, p.raw)
	}
}
