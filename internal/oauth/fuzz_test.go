package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"credenza.example/credenza/internal/oauth"
)

// FuzzBasicAuth: whatever stands in the header, the answer is one of three, and what a client encodes properly is taken.
func FuzzBasicAuth(f *testing.F) {
	r := newRig(f)
	a := r.app(invoiceRead)
	good := basic(a.ClientID, a.secret)
	for _, seed := range []string{"", "Basic", "Basic ", good, "basic " + good[6:], "Bearer x", "Basic :", "Basic Og==", "Basic JTp6", good + "=", good + " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		req := request(oauth.PathToken, tokenForm)
		req.Header["Authorization"] = []string{header}
		w := httptest.NewRecorder()
		r.server.Token(w, req)
		if w.Code != 200 && w.Code != 401 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q: %d %s", header, w.Code, w.Body)
		}
		if w.Code != 200 {
			return
		}
		_, encoded, _ := strings.Cut(header, " ")
		raw, err := base64.StdEncoding.DecodeString(strings.TrimLeft(encoded, " "))
		if err != nil || !strings.Contains(string(raw), ":") {
			t.Errorf("accepted %q", header)
		}
	})
}

// FuzzTokenForm: whatever the body is, the answer is one that RFC 6749 knows.
func FuzzTokenForm(f *testing.F) {
	r := newRig(f)
	a := r.app(invoiceRead, candidates)
	auth := basic(a.ClientID, a.secret)
	for _, seed := range []string{
		"", tokenForm, tokenForm + "&scope=core.invoice.read", tokenForm + "&scope=%22", "grant_type=x&grant_type=y", "&&&=&=",
		tokenForm + "&resource=https%3A%2F%2Fid.example%2Fapis%2Fccw", tokenForm + "&resource=%23", tokenForm + "&expires_in=-1",
		"client_id=a&client_secret=b", "%", "a=%zz", ";", "\x00", tokenForm + "&scope=ccw.candidate",
	} {
		f.Add(seed)
	}
	codes := []string{
		"invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope", "invalid_target",
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		r.server.Token(w, request(oauth.PathToken, body, "Authorization", auth))
		if !slices.Contains([]int{200, 400, 401, 413}, w.Code) {
			t.Fatalf("%q: %d", body, w.Code)
		}
		var answer struct {
			Token       string `json:"access_token"`
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if (w.Code == http.StatusOK) != (answer.Token != "") || w.Code != 200 && !slices.Contains(codes, answer.Error) {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
		if answer.Error != "" && !safe.MatchString(answer.Description) {
			t.Errorf("%q: description %q", body, answer.Description)
		}
	})
}

// FuzzJWT: the server never accepts a token that another library with the same policy refuses.
func FuzzJWT(f *testing.F) {
	r := newRig(f)
	a := r.app(invoiceRead)
	token := r.token(a)
	parts := strings.Split(token, ".")
	for _, seed := range []string{
		token, "", "..", parts[0] + "." + parts[1] + ".", token + ".", token[:len(token)-1], token + "=", "." + token,
		encode(f, `{"alg":"none"}`) + "." + parts[1] + ".", parts[0] + "." + encode(f, `{}`) + "." + parts[2],
	} {
		f.Add(seed)
	}
	key := r.ring.JWKS().Keys[0]
	judge := func(token string) bool {
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			return false
		}
		header := parsed.Signatures[0].Header
		payload, err := parsed.Verify(key.Key)
		if err != nil || header.KeyID != key.KeyID || header.ExtraHeaders["typ"] != "at+jwt" {
			return false
		}
		var c struct {
			Issuer  string `json:"iss"`
			Expires int64  `json:"exp"`
		}
		return json.Unmarshal(payload, &c) == nil && c.Issuer == issuer && time.Unix(c.Expires, 0).After(r.clock.Now())
	}
	if !judge(token) {
		f.Fatal("the judge refuses a good token")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := r.server.Live(t.Context(), text); err == nil && !judge(text) {
			t.Errorf("accepted %q", text)
		}
	})
}
