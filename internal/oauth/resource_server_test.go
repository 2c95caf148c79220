package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// ErrInvalid says that a token is not good for this API: answer 401 invalid_token. Other errors mean that the keys could
// not be fetched: answer 503.
var ErrInvalid = errors.New("invalid token")

// Verifier checks the access tokens that callers send to one API. It is safe for use by many goroutines.
type Verifier struct {
	Issuer   string // https://id.example, without a trailing slash
	Audience string // of this API: https://id.example/apis/coupa-core
	Client   *http.Client
	Now      func() time.Time // time.Now

	mu      sync.Mutex
	keys    jose.JSONWebKeySet
	fetched time.Time
	tried   time.Time
	busy    chan struct{} // closed when the fetch under way has ended; nil: none is
}

// Claims are what an API needs of a token.
type Claims struct {
	Issuer       string `json:"iss"`
	Audience     string `json:"aud"`
	Expires      int64  `json:"exp"`
	ClientID     string `json:"client_id"`
	Organisation string `json:"org"`
	APIUser      string `json:"api_user"`
	Scope        string `json:"scope"`
}

// Verify returns the claims of a token that was issued for this API and has not expired.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	if len(token) > 8<<10 {
		return nil, ErrInvalid
	}
	// The algorithm is this one, whatever the token says; RS256, HS256 and none are refused here.
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, ErrInvalid
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != "at+jwt" { // an ID token is no access token
		return nil, ErrInvalid
	}
	key, err := v.key(ctx, header.KeyID)
	if err != nil {
		return nil, err
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return nil, ErrInvalid
	}
	var c Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, ErrInvalid
	}
	if c.Issuer != v.Issuer || c.Audience != v.Audience || v.Now().Unix() >= c.Expires {
		return nil, ErrInvalid
	}
	return &c, nil
}

// key returns the key with this ID. The set is fetched every five minutes, and when a key is unknown, but not more than
// once in ten seconds: strangers can write any key ID into a token.
func (v *Verifier) key(ctx context.Context, keyID string) (*jose.JSONWebKey, error) {
	v.mu.Lock()
	now := v.Now()
	stale := now.Sub(v.fetched) >= 5*time.Minute || len(v.keys.Key(keyID)) == 0
	if stale && v.busy == nil && now.Sub(v.tried) >= 10*time.Second {
		v.tried, v.busy = now, make(chan struct{})
		go v.refresh(context.WithoutCancel(ctx), now) // a caller who hangs up ends no fetch that others need
	}
	busy := v.busy
	v.mu.Unlock()
	if stale && busy != nil {
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if now.Sub(v.fetched) >= time.Hour { // a key may have been given up meanwhile
		return nil, errors.New("the key set cannot be fetched")
	}
	known := v.keys.Key(keyID)
	if len(known) != 1 || known[0].Algorithm != string(jose.ES256) {
		return nil, ErrInvalid
	}
	return &known[0], nil
}

// refresh fetches the key set, for five seconds at most and without holding up those who need no new one.
func (v *Verifier) refresh(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	keys, err := v.fetch(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err == nil {
		v.keys, v.fetched = keys, now
	}
	close(v.busy)
	v.busy = nil
}

func (v *Verifier) fetch(ctx context.Context) (keys jose.JSONWebKeySet, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.Issuer+"/oauth2/jwks", nil)
	if err != nil {
		return keys, err
	}
	answer, err := v.Client.Do(request)
	if err != nil {
		return keys, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return keys, fmt.Errorf("the key set is answered with %s", answer.Status)
	}
	return keys, json.NewDecoder(http.MaxBytesReader(nil, answer.Body, 64<<10)).Decode(&keys)
}

// Require lets requests through whose token holds one of the scopes.
func (v *Verifier) Require(anyOf []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := r.Header.Values("Authorization")
		if len(headers) > 1 {
			challenge(w, http.StatusBadRequest, `, error="invalid_request"`)
			return
		}
		scheme, token, _ := strings.Cut(strings.Join(headers, ""), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			challenge(w, http.StatusUnauthorized, "")
			return
		}
		claims, err := v.Verify(r.Context(), token)
		switch {
		case errors.Is(err, ErrInvalid):
			challenge(w, http.StatusUnauthorized, `, error="invalid_token"`)
		case err != nil:
			w.Header().Set("Retry-After", "10")
			w.WriteHeader(http.StatusServiceUnavailable)
		case !slices.ContainsFunc(strings.Fields(claims.Scope), func(s string) bool { return slices.Contains(anyOf, s) }):
			challenge(w, http.StatusForbidden, `, error="insufficient_scope", scope="`+strings.Join(anyOf, " ")+`"`)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func challenge(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="spend"`+reason)
	w.WriteHeader(status)
}
