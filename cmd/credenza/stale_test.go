package main

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
)

// warm is an app that a server has verified already.
type warm struct {
	credentialDocument
	token string
}

func (f *fleet) newWarm(t *testing.T, r *replica, name string) *warm {
	t.Helper()
	w := &warm{credentialDocument: newApp(t, f.installation, name)}
	r.awaitPolls(t, 2)                // until then, what is read of the app is dropped again when the news of it comes
	await(t, "a token", func() bool { // on a busy machine bcrypt may have no turn
		w.token = w.ask(t, r).field("access_token")
		return w.token != ""
	})
	return w
}

func (w *warm) form() url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {w.ClientID}, "client_secret": {w.ClientSecret}, "token": {w.token}}
}

// ask asks for a token.
func (w *warm) ask(t *testing.T, r *replica) reply {
	t.Helper()
	form := w.form()
	form.Del("token")
	return r.post(t, "/oauth2/token", form)
}

// knownSince returns a moment up to which the server knows, at least, what others changed.
func (r *replica) knownSince(t *testing.T) time.Time {
	t.Helper()
	asked := time.Now()
	for line := range strings.Lines(r.get(t, r.admin+"/metrics", "").text) {
		if rest, ok := strings.CutPrefix(line, "credenza_feed_age_seconds "); ok {
			age, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil || math.IsNaN(age) {
				t.Fatalf("age %s: %v", rest, err)
			}
			return asked.Add(-time.Duration(age * float64(time.Second)))
		}
	}
	t.Fatal("the server shows no age")
	return time.Time{}
}

// outage is an outage of the database, as one server goes through it.
type outage struct {
	*replica
	bound time.Duration
	known time.Time // what the server knew before is at least as young as this
	began time.Time
}

// goOn asks for tokens until the first is refused, which must be neither before the server's knowledge is nine tenths of
// the stale bound old nor after the whole.
func (o *outage) goOn(t *testing.T, w *warm) {
	t.Helper()
	for n := 0; ; n++ {
		asked := time.Now()
		a := w.ask(t, o.replica)
		switch {
		case a.status == http.StatusOK && asked.Sub(o.began) > o.bound:
			t.Fatalf("a token %s after the database went", asked.Sub(o.began))
		case a.status == http.StatusOK:
		case a.status != http.StatusServiceUnavailable:
			t.Fatalf("%d %s", a.status, a.text)
		case time.Since(o.known) < o.bound*9/10:
			t.Fatalf("503 %s after the database went", asked.Sub(o.began))
		default:
			t.Logf("%d tokens, then 503 after %s", n, asked.Sub(o.began).Round(time.Millisecond))
			return
		}
	}
}

// putOff checks that everything that is decided is put off, and by whom it shall be tried again when.
func (o *outage) putOff(t *testing.T, w *warm) {
	t.Helper()
	for what, a := range map[string]reply{
		"token": w.ask(t, o.replica), "introspection": o.post(t, "/oauth2/introspect", w.form()),
		"revocation": o.post(t, "/oauth2/revoke", w.form()),
	} {
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "1" || a.field("error") != "temporarily_unavailable" {
			t.Errorf("%s: %d %v %s", what, a.status, a.header, a.text)
		}
	}
	if a := o.get(t, o.url+"/api/v1/apps/self", w.token); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("own record: %d %v %s", a.status, a.header, a.text)
	}
	for path, want := range map[string]int{"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		if a := o.get(t, o.admin+path, ""); a.status != want {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if a := o.get(t, o.url+"/oauth2/jwks", ""); a.status != http.StatusOK {
		t.Errorf("key set: %d", a.status)
	}
}

// heal waits until the server answers again. What was ended meanwhile must not live for a moment.
func (o *outage) heal(t *testing.T, w, ended *warm) {
	t.Helper()
	back := time.Now()
	await(t, "tokens after the outage", func() bool {
		if a := ended.ask(t, o.replica); a.status != http.StatusUnauthorized && a.status != http.StatusServiceUnavailable {
			t.Fatalf("an app that was ended during the outage: %d", a.status)
		}
		return w.ask(t, o.replica).status == http.StatusOK
	})
	t.Logf("tokens again after %s", time.Since(back).Round(time.Millisecond))
	self := func() reply { return o.get(t, o.url+"/api/v1/apps/self", ended.token) }
	if a := decided(t, "the token of an app that was ended", self); a.status != http.StatusUnauthorized {
		t.Errorf("the token of an app that was ended: %d", a.status)
	}
	ready := func() reply { return o.get(t, o.admin+"/readyz", "") }
	if a := decided(t, "readiness", ready); a.status != http.StatusOK {
		t.Errorf("ready: %d %s", a.status, a.text)
	}
}

// decided asks until the answer is another than 503: on a busy machine a poll takes longer than the stale bound, and a
// server whose database is there again may put somebody off once more.
func decided(t *testing.T, what string, ask func() reply) reply {
	t.Helper()
	var a reply
	await(t, what, func() bool {
		a = ask()
		return a.status != http.StatusServiceUnavailable
	})
	return a
}

// F5: the database goes, and comes back: apps that the server knows go on for as long as the stale bound, then
// everybody is put off; nothing that was ended meanwhile revives, and nothing needs a restart.
func TestF5_ServerWithoutDatabase(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bound time.Duration
		spoil func(*dbtest.Proxy)
	}{
		{"stopped", time.Second, (*dbtest.Proxy).Cut},
		{"cut off in silence", time.Second, (*dbtest.Proxy).Hold},
		{"stopped, with a longer bound", 5 * time.Second, (*dbtest.Proxy).Cut},
	} {
		t.Run(tt.name, func(t *testing.T) {
			databaseURL := dbtest.PostgresURL(t)
			proxy := dbtest.NewProxy(t, databaseURL)
			f := newFleet(t, databaseURL)
			r := f.begin(t, "a", "CREDENZA_DATABASE_URL="+proxy.URL, "CREDENZA_STALE_BOUND="+tt.bound.String())
			kept, ended, cold := f.newWarm(t, r, "Kept"), f.newWarm(t, r, "Ended"), &warm{credentialDocument: newApp(t, f.installation, "Cold")}

			o := &outage{replica: r, bound: tt.bound, known: r.knownSince(t)}
			tt.spoil(proxy)
			o.began = time.Now()
			must[appDocument](t, f.installation, "app", "deactivate", ended.ClientID)
			o.goOn(t, kept)
			o.putOff(t, kept)
			if a := cold.ask(t, r); a.status != http.StatusServiceUnavailable {
				t.Errorf("an app that the server has not seen: %d", a.status)
			}
			proxy.Pass()
			o.heal(t, kept, ended)
			await(t, "reading, after the outage", func() bool { return cold.ask(t, r).status == http.StatusOK })
			revoke := func() reply { return r.post(t, "/oauth2/revoke", kept.form()) }
			if a := decided(t, "writing, after the outage", revoke); a.status != http.StatusOK {
				t.Errorf("writing, after the outage: %d %s", a.status, a.text)
			}
		})
	}
}

// A database that is far away makes nobody stale.
func TestF5_SlowDatabase(t *testing.T) {
	databaseURL := dbtest.PostgresURL(t)
	proxy := dbtest.NewProxy(t, databaseURL)
	f := newFleet(t, databaseURL)
	r := f.begin(t, "a", "CREDENZA_DATABASE_URL="+proxy.URL, "CREDENZA_STALE_BOUND=30s")
	kept := f.newWarm(t, r, "Kept")
	proxy.Slow(30 * time.Millisecond)
	for enough := r.polls(t, "good") + 4; r.polls(t, "good") < enough; {
		if a := kept.ask(t, r); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	if n := r.polls(t, "failed"); n > 0 {
		t.Errorf("%d polls failed", n)
	}
}

// A writer that holds the SQLite file for long stops no token and makes no server unready.
func TestLongWriterStopsNoToken(t *testing.T) {
	f := newFleet(t, "")
	r := f.begin(t, "a")
	kept := f.newWarm(t, r, "Kept")
	err := f.db.Housekeep(t.Context(), func(*database.Tx) error { // holds the write lock from its beginning
		for enough := r.polls(t, "good") + 6; r.polls(t, "good") < enough; { // more than the stale bound
			if a := kept.ask(t, r); a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.text)
			}
		}
		if a := r.get(t, r.admin+"/readyz", ""); a.status != http.StatusOK {
			t.Errorf("ready: %d %s", a.status, a.text)
		}
		return nil
	})
	noError(t, err)
	if n := r.polls(t, "failed"); n > 0 {
		t.Errorf("%d polls failed", n)
	}
}
