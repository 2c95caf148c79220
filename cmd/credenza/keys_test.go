package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/audit"
)

// statesOf lists "purpose algorithm state" of each key.
func statesOf(t *testing.T, i *installation) []string {
	t.Helper()
	var states []string
	for _, k := range must[[]keyDocument](t, i, "keys", "list") {
		states = append(states, k.Purpose+" "+k.Algorithm+" "+k.State)
	}
	return states
}

func TestKeysOnTheCommandLine(t *testing.T) {
	i := newInstallation(t)
	sealing := []string{"sealing AES256-GCM current", "sealing HMAC-SHA256 current"}
	expect := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(append(want, sealing...), statesOf(t, i)); diff != "" {
			t.Error(diff)
		}
	}
	expect("signing ES256 signing", "signing RS256 signing", "tag HMAC-SHA256 signing")

	planned := must[rotationDocument](t, i, "keys", "rotate")
	if planned.Purpose != "signing" || planned.Compromised || len(planned.Made) != 2 || len(planned.Old) != 2 || len(planned.Dropped) != 0 {
		t.Errorf("keys rotate printed %+v", planned)
	}
	if wait := planned.Made[0].SignsFrom.Sub(planned.Made[0].CreatedAt); wait < 5*time.Minute {
		t.Errorf("the new key signs after %v", wait)
	}
	expect("signing ES256 signing", "signing ES256 next", "signing RS256 signing", "signing RS256 next", "tag HMAC-SHA256 signing")
	code, stdout, stderr := i.run(t, "keys", "rotate")
	if code != 1 || stdout != "" || !strings.Contains(stderr, planned.Made[0].ID) || !strings.Contains(stderr, "--compromised") {
		t.Errorf("a second rotation: exit %d, %q, %q", code, stdout, stderr)
	}

	dropped := must[rotationDocument](t, i, "keys", "rotate", "--compromised")
	if !dropped.Compromised || len(dropped.Made) != 2 || len(dropped.Dropped) != 4 {
		t.Errorf("keys rotate --compromised printed %+v", dropped)
	}
	must[rotationDocument](t, i, "keys", "rotate", "--tag")
	expect("signing ES256 untrusted", "signing ES256 untrusted", "signing ES256 signing",
		"signing RS256 untrusted", "signing RS256 untrusted", "signing RS256 signing",
		"tag HMAC-SHA256 signing", "tag HMAC-SHA256 next")
	must[rotationDocument](t, i, "keys", "rotate", "--tag", "--compromised")
}

// What is printed for people says what happened and what it means, and shows no key.
func TestKeysForPeople(t *testing.T) {
	i := newInstallation(t)
	tests := []struct {
		args []string
		says []string
	}{
		{[]string{"keys"}, []string{"list", "rotate"}},
		{[]string{"keys", "list", "--help"}, []string{"next", "untrusted"}},
		{[]string{"keys", "rotate", "--help"}, []string{"15 minutes", "REFUSED", "300 s", "--tag"}},
		{[]string{"keys", "list"}, []string{"PURPOSE", "ES256", "RS256", "signing", "UTC"}},
		{[]string{"keys", "rotate"}, []string{"New:", "sign from", "No token is refused"}},
		{[]string{"keys", "rotate", "--compromised"}, []string{"Dropped:", "New:", "CREDENZA_STALE_BOUND", "300 s", "new token"}},
		{[]string{"keys", "rotate", "--tag"}, []string{"New:", "from", "go on working"}},
		{[]string{"keys", "rotate", "--tag", "--compromised"}, []string{"Dropped:", "go on working", "bcrypt"}},
	}
	for _, tt := range tests {
		code, stdout, stderr := i.run(t, tt.args...)
		for _, text := range tt.says {
			if code != 0 || !strings.Contains(stdout, text) {
				t.Errorf("%v: exit %d, %q is not in:\n%s%s", tt.args, code, text, stdout, stderr)
			}
		}
		for line := range strings.Lines(stdout) {
			if strings.Contains(tt.args[len(tt.args)-1], "help") && len(line) > 81 {
				t.Errorf("%v: a line of %d characters: %s", tt.args, len(line), line)
			}
		}
	}
}

func TestRotationOnTheCommandLineIsRecorded(t *testing.T) {
	i := newInstallation(t)
	must[rotationDocument](t, i, "keys", "rotate")
	r, err := (&program{environ: i.environ, stdout: &lockedBuffer{}, stderr: &lockedBuffer{}}).open(t.Context(), migrateEmpty)
	noError(t, err)
	defer r.close()
	page, err := r.trail.Events(t.Context(), audit.Query{})
	noError(t, err)
	if len(page.Events) != 1 || page.Events[0].Action != "keys.rotate" || page.Events[0].ActorID != operator("").ID {
		t.Errorf("%+v", page.Events)
	}
}

// Servers follow what the command line does to the keys, without a restart.
func TestServersFollowTheKeys(t *testing.T) {
	eachFleet(t, func(t *testing.T, f *fleet) {
		app := newApp(t, f.installation, "Export")
		ask := func(r *replica, app credentialDocument) reply {
			return r.post(t, "/oauth2/token", url.Values{
				"grant_type": {"client_credentials"}, "client_id": {app.ClientID}, "client_secret": {app.ClientSecret},
			})
		}
		published := func(r *replica) string { return r.get(t, r.url+"/oauth2/jwks", "").text }
		self := func(r *replica, token string) int { return r.get(t, r.url+"/api/v1/apps/self", token).status }
		first := f.replicas[0]
		old := ask(first, app).field("access_token")
		for _, r := range f.replicas {
			if got := self(r, old); got != http.StatusOK {
				t.Fatalf("server %s: the token is answered %d", r.name, got)
			}
		}

		made := must[rotationDocument](t, f.installation, "keys", "rotate").Made
		for _, r := range f.replicas {
			await(t, "the new keys to be published", func() bool { return strings.Contains(published(r), made[0].ID) })
			if !strings.Contains(published(r), made[1].ID) || self(r, old) != http.StatusOK {
				t.Errorf("server %s: publishes %s", r.name, published(r))
			}
		}

		dropped := must[rotationDocument](t, f.installation, "keys", "rotate", "--compromised")
		for _, r := range f.replicas {
			await(t, "the token to be refused", func() bool { return self(r, old) == http.StatusUnauthorized })
			token := ask(r, app).field("access_token")
			for _, other := range f.replicas {
				await(t, "the new token to be taken", func() bool { return self(other, token) == http.StatusOK })
			}
			if slices.ContainsFunc(dropped.Dropped, func(k keyDocument) bool { return strings.Contains(published(r), k.ID) }) {
				t.Errorf("server %s publishes a dropped key", r.name)
			}
		}

		must[rotationDocument](t, f.installation, "keys", "rotate", "--tag", "--compromised")
		later := newApp(t, f.installation, "Later")
		if later.ClientSecret[len("ccws_")] == app.ClientSecret[len("ccws_")] {
			t.Error("the new secret has a tag of the dropped key")
		}
		for _, r := range f.replicas {
			await(t, "a secret with the new key's tag to work", func() bool { return ask(r, later).status == http.StatusOK })
			if got := ask(r, app); got.status != http.StatusOK {
				t.Errorf("server %s: a secret with the dropped key's tag: %d %s", r.name, got.status, got.text)
			}
		}
	})
}
