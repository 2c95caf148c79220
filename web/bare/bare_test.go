package bare_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"credenza.example/credenza/web/bare"
)

// TestToken: the handler gives a token with the product's claims to who knows a secret, and to nobody else.
func TestToken(t *testing.T) {
	client := bare.Client{ID: "CCWACME_a", Secret: "s3cret", SecretID: "sid", Organisation: "org", APIUser: "user"}
	handler, err := bare.New(bare.Config{Issuer: "https://id.example", Audience: "https://id.example/apis/core", Clients: []bare.Client{client}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, id, secret, form string
		status                 int
	}{
		{"right", client.ID, client.Secret, "grant_type=client_credentials&scope=a+b", http.StatusOK},
		{"wrong secret", client.ID, "s3cret2", "grant_type=client_credentials", http.StatusUnauthorized},
		{"unknown client", "CCWACME_b", client.Secret, "grant_type=client_credentials", http.StatusUnauthorized},
		{"another grant", client.ID, client.Secret, "grant_type=password", http.StatusBadRequest},
		{"a long body", client.ID, client.Secret, strings.Repeat("a", 70_000), http.StatusRequestEntityTooLarge},
	} {
		r := httptest.NewRequest(http.MethodPost, bare.Path, strings.NewReader(c.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(c.id, c.secret)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if c.status == http.StatusOK {
			checkToken(t, w)
		}
	}
}

func checkToken(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var answer struct {
		Token string `json:"access_token"`
		Scope string `json:"scope"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(answer.Token, ".")
	if len(parts) != 3 || len(parts[2]) != 86 || answer.Scope != "a b" {
		t.Fatalf("answered %s", w.Body)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "org", "api_user", "gen", "cred"} {
		if _, ok := claims[name]; !ok {
			t.Errorf("the token has no %s", name)
		}
	}
}

// TestVerify: tokens of the keys it was given hold, and no others.
func TestVerify(t *testing.T) {
	client := bare.Client{ID: "CCWACME_a", Secret: "s3cret", SecretID: "sid", Organisation: "org", APIUser: "user"}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: signer.Public(), KeyID: "ours", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	const audience = "https://id.example/apis/core"
	handler, err := bare.New(bare.Config{Issuer: "https://id.example", Audience: audience, Clients: []bare.Client{client}, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(keyID string, claims map[string]any) string {
		t.Helper()
		key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: signer, KeyID: keyID}}
		s, err := jose.NewSigner(key, nil)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := s.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		text, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	later := time.Now().Add(time.Hour).Unix()
	good := sign("ours", map[string]any{"iss": "https://id.example", "aud": audience, "exp": later})
	for _, c := range []struct {
		name, token string
		status      int
	}{
		{"good", good, http.StatusOK},
		{"changed", good[:len(good)-8] + "AAAAAAAA", http.StatusUnauthorized},
		{"of another key", sign("other", map[string]any{"iss": "https://id.example", "aud": audience, "exp": later}), http.StatusUnauthorized},
		{"expired", sign("ours", map[string]any{"iss": "https://id.example", "aud": audience, "exp": 1}), http.StatusUnauthorized},
		{"of another audience", sign("ours", map[string]any{"iss": "https://id.example", "aud": "x", "exp": later}), http.StatusUnauthorized},
		{"none", "x", http.StatusUnauthorized},
	} {
		r := httptest.NewRequest(http.MethodGet, bare.PathVerify, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.status)
		}
	}
}
