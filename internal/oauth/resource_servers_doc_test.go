package oauth_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/oauth"
)

const guide = "../../docs/resource-servers.md"

// block returns the only code block of the guide in a language.
func block(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(guide)
	must(t, err)
	found := regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks of %s", guide, len(found), language)
	}
	return found[0][1]
}

// The program of the guide is the one that is tested here, to the letter but for the name of its package.
func TestGuideShowsTheTestedProgram(t *testing.T) {
	program, err := os.ReadFile("resource_server_test.go")
	must(t, err)
	want := strings.Replace(string(program), "package oauth_test\n", "package spend\n", 1)
	if diff := cmp.Diff(want, block(t, "go")); diff != "" {
		t.Errorf("%s (-tested +shown):\n%s", guide, diff)
	}
}

// jwksOf lets an API fetch the key set of the rig, and counts how often.
type jwksOf struct {
	r       *rig
	fetches int
	down    bool
}

func (j *jwksOf) RoundTrip(req *http.Request) (*http.Response, error) {
	j.fetches++
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	switch {
	case j.down:
		w.WriteHeader(http.StatusBadGateway)
	case req.URL.Host != "id.example" || req.Method != http.MethodGet:
		w.WriteHeader(http.StatusNotFound)
	default:
		j.r.mux.ServeHTTP(w, httptest.NewRequestWithContext(req.Context(), http.MethodGet, req.URL.Path, nil))
	}
	return w.Result(), nil
}

// api is the guide's program, guarding a call that invoices are read by.
func (r *rig) api() (http.Handler, *jwksOf) {
	keys := &jwksOf{r: r}
	v := &Verifier{Issuer: issuer, Audience: issuer + "/apis/coupa-core", Client: &http.Client{Transport: keys}, Now: r.clock.Now}
	return v.Require([]string{invoiceRead, invoiceWrite}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})), keys
}

// calls sends a request with these Authorization headers and returns status and challenge.
func calls(api http.Handler, headers ...string) (status int, challenge string) {
	return callsWithin(context.Background(), api, headers...)
}

func callsWithin(ctx context.Context, api http.Handler, headers ...string) (status int, challenge string) {
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/invoices", nil)
	for _, h := range headers {
		req.Header.Add("Authorization", h)
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, req)
	return w.Code, w.Result().Header.Get("WWW-Authenticate")
}

// TestGuideOffline asks the guide's program about every token that it must refuse, and what it must answer (C37 to C41).
func TestGuideOffline(t *testing.T) {
	r, stranger := newRig(t), newRig(t)
	a, other := r.app(invoiceRead, "core.expense.read"), r.app(candidates)
	api, _ := r.api()
	token := r.token(a)
	signer, header, claims := r.ring.Signer(), originalHeader(t, token), whole(t, token)
	const bare, invalid = `Bearer realm="spend"`, `Bearer realm="spend", error="invalid_token"`
	short := `Bearer realm="spend", error="insufficient_scope", scope="` + invoiceRead + " " + invoiceWrite + `"`
	for name, tt := range map[string]struct {
		headers   []string
		status    int
		challenge string
	}{
		"its own":             {[]string{"Bearer " + token}, 204, ""},
		"scheme in small":     {[]string{"bearer " + token}, 204, ""},
		"none":                {nil, 401, bare},
		"two":                 {[]string{"Bearer " + token, "Bearer " + token}, 400, `Bearer realm="spend", error="invalid_request"`},
		"Basic":               {[]string{"Basic " + token}, 401, bare},
		"empty":               {[]string{"Bearer "}, 401, invalid},
		"of another scope":    {[]string{"Bearer " + r.token(a, "scope", "core.expense.read")}, 403, short},
		"of no scope":         {[]string{"Bearer " + forge(t, signer, header, with(claims, "scope", ""))}, 403, short},
		"of another API":      {[]string{"Bearer " + r.token(other)}, 401, invalid},
		"of another issuer":   {[]string{"Bearer " + forge(t, signer, header, with(claims, "iss", issuer+"/"))}, 401, invalid},
		"of unknown keys":     {[]string{"Bearer " + stranger.token(stranger.app(invoiceRead))}, 401, invalid},
		"cut":                 {[]string{"Bearer " + token[:len(token)-4]}, 401, invalid},
		"an ID token":         {[]string{"Bearer " + forge(t, signer, with(part(t, token, 0), "typ", "JWT"), claims)}, 401, invalid},
		"without a type":      {[]string{"Bearer " + forge(t, signer, with(part(t, token, 0), "typ", nil), claims)}, 401, invalid},
		"alg none":            {[]string{"Bearer " + encode(t, map[string]any{"alg": "none", "typ": "at+jwt"}) + "." + encode(t, claims) + "."}, 401, invalid},
		"alg RS256, kid ours": {[]string{"Bearer " + forge(t, signer, with(part(t, token, 0), "alg", "RS256"), claims)}, 401, invalid},
		"without an end":      {[]string{"Bearer " + forge(t, signer, header, with(claims, "exp", nil))}, 401, invalid},
		"large":               {[]string{"Bearer " + strings.Repeat("x", 9000)}, 401, invalid},
	} {
		if status, challenge := calls(api, tt.headers...); status != tt.status || challenge != tt.challenge {
			t.Errorf("%s: %d %s, want %d %s", name, status, challenge, tt.status, tt.challenge)
		}
	}
	r.clock.Advance(time.Hour)
	if status, _ := calls(api, "Bearer "+token); status != 401 {
		t.Errorf("expired: %d", status)
	}
}

// TestGuideFollowsTheKeys: a rotation is followed by the unknown key, no stranger makes the API fetch all the time, and an
// outage is survived for a while.
func TestGuideFollowsTheKeys(t *testing.T) {
	r, stranger := newRig(t), newRig(t)
	a := r.app(invoiceRead)
	api, keys := r.api()
	before, foreign := r.token(a), stranger.token(stranger.app(invoiceRead))
	for range 100 {
		calls(api, "Bearer "+before)
		calls(api, "Bearer "+foreign)
	}
	if keys.fetches != 1 {
		t.Errorf("fetched %d times", keys.fetches)
	}
	r.clock.Advance(10 * time.Second)
	r.rotate(true)
	if status, _ := calls(api, "Bearer "+r.token(a)); status != 204 {
		t.Errorf("a token of the new key: %d", status)
	}
	if status, _ := calls(api, "Bearer "+before); status != 401 {
		t.Errorf("a token of the dropped key: %d", status)
	}
	keys.down = true
	r.clock.Advance(50 * time.Minute)
	token := r.token(a)
	if status, _ := calls(api, "Bearer "+token); status != 204 || keys.fetches != 3 {
		t.Errorf("with the keys it knows: %d, fetched %d times", status, keys.fetches)
	}
	r.clock.Advance(10 * time.Minute)
	if status, _ := calls(api, "Bearer "+token); status != 503 {
		t.Errorf("an hour after the last key set: %d", status)
	}
	keys.down = false
	r.clock.Advance(10 * time.Second)
	if status, _ := calls(api, "Bearer "+token); status != 204 {
		t.Errorf("with the key set again: %d", status)
	}
	calls(api, "Bearer "+foreign)
	if status, challenge := calls(api, "Bearer "+foreign); status != 401 || challenge == "" {
		t.Errorf("a stranger's token: %d", status)
	}
}

// TestGuideOutlivesWhoHangsUp: a stranger who hangs up takes the key set from nobody else.
func TestGuideOutlivesWhoHangsUp(t *testing.T) {
	r, stranger := newRig(t), newRig(t)
	api, keys := r.api()
	foreign, token := stranger.token(stranger.app(invoiceRead)), r.token(r.app(invoiceRead))
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	for fetches, name := range []string{"no keys yet", "a new key"} {
		if status, _ := callsWithin(gone, api, "Bearer "+foreign); status != 503 && status != 401 {
			t.Errorf("%s: who hung up hears %d", name, status)
		}
		if status, _ := calls(api, "Bearer "+token); status != 204 || keys.fetches != fetches+1 {
			t.Errorf("%s: the next is answered %d, fetched %d times", name, status, keys.fetches)
		}
		r.clock.Advance(10 * time.Second)
		r.rotate(true)
		token = r.token(r.app(invoiceRead))
	}
}

// TestGuideIntrospection runs the guide's commands, and holds the answer it shows against the one that comes.
func TestGuideIntrospection(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(r.mux)
	defer server.Close()
	a, api := r.app(invoiceRead), r.resourceServer("coupa-core")
	ask := func(token string) map[string]any {
		t.Helper()
		command := exec.CommandContext(t.Context(), "sh", "-c", block(t, "sh"))
		command.Env = append(os.Environ(), "CCW_CLIENT_ID="+api.ClientID, "CCW_SECRET="+api.secret, "CCW_TOKEN="+token,
			"CCW_INTROSPECTION_URL="+server.URL+oauth.PathIntrospect, "no_proxy=127.0.0.1")
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("curl is needed: %v\n%s", err, output)
		}
		var answer map[string]any
		if err := json.Unmarshal(output, &answer); err != nil {
			t.Fatalf("%v in %s", err, output)
		}
		return answer
	}
	token := r.token(a)
	answer := ask(token)
	var shown map[string]any
	must(t, json.Unmarshal([]byte(block(t, "json")), &shown))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(shown)), slices.Sorted(maps.Keys(answer))); diff != "" {
		t.Errorf("members of the answer (-shown +answered):\n%s", diff)
	}
	if active, _ := answer["active"].(bool); !active || answer["client_id"] != a.ClientID || answer["scope"] != invoiceRead {
		t.Errorf("%v", answer)
	}
	r.deactivate(a)
	if diff := cmp.Diff(map[string]any{"active": false}, ask(token)); diff != "" {
		t.Error(diff)
	}
	api.secret = a.secret
	if answer := ask(token); answer["error"] != "invalid_client" {
		t.Errorf("with a wrong secret: %v", answer)
	}
}
