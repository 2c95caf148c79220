// Package bare is the least that deserves the name of a token endpoint on Echo, and of a check of tokens: the handlers
// that `make bench` compares Credenza's with (budgets P1 and P5). The product does not use them.
//
// It does what every client-credentials token costs whoever makes it: reads the form, takes the client from the
// Authorization header, checks the secret by one HMAC, signs a JWT with the claims that Credenza's carry (ES256) and
// answers in JSON. It has no registry, no bcrypt, no cache, no limits, no metrics and no log, its clients never change,
// and of the rules for requests it knows only those without which it could not answer. cmd/bench gives it the same
// net/http server that the product has.
package bare

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// Path is where tokens are made, PathVerify where those of the product are verified.
const (
	Path       = "/oauth2/token"
	PathVerify = "/verify"
)

const (
	maxBody     = 64 << 10 // bytes
	lifetime    = time.Hour
	integerSize = 32 // bytes of one half of an ES256 signature
)

// Client is somebody who may have tokens. ID and Secret are those of the product's client in the same run, so that the
// same bytes are sent to both; the other texts make the tokens as long as the product's.
type Client struct {
	ID           string `json:"id"`
	Secret       string `json:"secret"`
	SecretID     string `json:"secret_id"`
	Organisation string `json:"organisation"`
	APIUser      string `json:"api_user"`
}

// Config is what the endpoint knows from its start.
type Config struct {
	Issuer   string   `json:"issuer"`
	Audience string   `json:"audience"`
	Clients  []Client `json:"clients"`
	Keys     []byte   `json:"keys"` // the product's key set (RFC 7517), for PathVerify
}

// endpoint never changes after it was made.
type endpoint struct {
	issuer, audience string
	header           string // of every token, encoded
	signer           *ecdsa.PrivateKey
	mac              []byte
	clients          map[string]known
	verifying        map[string]*ecdsa.PublicKey // by key ID
}

// known is a client with what its secret is checked against.
type known struct {
	Client

	tag [sha256.Size]byte
}

// New returns the endpoint with keys of its own.
func New(c Config) (http.Handler, error) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	e := &endpoint{
		issuer: c.Issuer, audience: c.Audience, signer: signer, mac: []byte(rand.Text()), clients: map[string]known{},
		header: base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"` + rand.Text() + `","typ":"at+jwt"}`)),
	}
	if e.verifying, err = readKeys(c.Keys); err != nil {
		return nil, err
	}
	for _, client := range c.Clients {
		e.clients[client.ID] = known{client, e.tag(client.ID, client.Secret)}
	}
	server := echo.New()
	server.HideBanner, server.HidePort = true, true
	server.POST(Path, e.token)
	server.GET(PathVerify, e.verify)
	return server, nil
}

// refusal is an error of RFC 6749 §5.2.
type refusal struct {
	Error string `json:"error"`
}

// answer is RFC 6749 §5.1.
type answer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
	Scope       string `json:"scope"`
}

func (e *endpoint) token(c echo.Context) error {
	r := c.Request()
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxBody))
	if err != nil {
		return c.JSON(http.StatusRequestEntityTooLarge, refusal{"invalid_request"})
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return c.JSON(http.StatusBadRequest, refusal{"invalid_request"})
	}
	if form.Get("grant_type") != "client_credentials" {
		return c.JSON(http.StatusBadRequest, refusal{"unsupported_grant_type"})
	}
	client, ok := e.authenticate(r)
	if !ok {
		return c.JSON(http.StatusUnauthorized, refusal{"invalid_client"})
	}
	made, err := e.sign(client, form.Get("scope"))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, answer{made, "Bearer", int64(lifetime.Seconds()), form.Get("scope")})
}

// authenticate reads Basic credentials as RFC 6749 §2.3.1 has them and checks the secret.
func (e *endpoint) authenticate(r *http.Request) (Client, bool) {
	user, password, ok := r.BasicAuth()
	if !ok {
		return Client{}, false
	}
	id, err1 := url.QueryUnescape(user)
	secret, err2 := url.QueryUnescape(password)
	client, found := e.clients[id]
	if err1 != nil || err2 != nil || !found {
		return Client{}, false
	}
	tag := e.tag(id, secret)
	return client.Client, hmac.Equal(tag[:], client.tag[:])
}

func (e *endpoint) tag(id, secret string) (tag [sha256.Size]byte) {
	mac := hmac.New(sha256.New, e.mac)
	_, _ = mac.Write([]byte(id)) // a hash takes all it is given
	_, _ = mac.Write([]byte{0})
	_, _ = mac.Write([]byte(secret))
	mac.Sum(tag[:0])
	return tag
}

// claims are those of the product's tokens.
type claims struct {
	Issuer       string `json:"iss"`
	Subject      string `json:"sub"`
	Audience     string `json:"aud"`
	Expires      int64  `json:"exp"`
	IssuedAt     int64  `json:"iat"`
	ID           string `json:"jti"`
	ClientID     string `json:"client_id"`
	Scope        string `json:"scope"`
	Organisation string `json:"org"`
	APIUser      string `json:"api_user"`
	Generation   int64  `json:"gen"`
	Credential   string `json:"cred"`
}

func (e *endpoint) sign(client Client, scope string) (string, error) {
	now := time.Now() //nolint:forbidigo // nobody tests with another clock, and this handler has no room to take one from
	payload, err := json.Marshal(claims{
		Issuer: e.issuer, Subject: client.ID, Audience: e.audience, Expires: now.Add(lifetime).Unix(), IssuedAt: now.Unix(),
		ID: rand.Text(), ClientID: client.ID, Scope: scope, Organisation: client.Organisation, APIUser: client.APIUser,
		Generation: 1, Credential: client.SecretID,
	})
	if err != nil {
		return "", fmt.Errorf("encode a token: %w", err)
	}
	token := e.header + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(token))
	r, s, err := ecdsa.Sign(rand.Reader, e.signer, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	var signature [2 * integerSize]byte
	r.FillBytes(signature[:integerSize])
	s.FillBytes(signature[integerSize:])
	return token + "." + base64.RawURLEncoding.EncodeToString(signature[:]), nil
}
