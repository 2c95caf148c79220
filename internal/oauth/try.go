package oauth

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"credenza.example/credenza/internal/registry"
)

// Attempt is how a request ended that a person made to test an app. It prints without the token.
type Attempt struct {
	Status      int    // of the HTTP answer that a client would have got
	Code        string // of the refusal, "" where the request was answered
	Description string // so too, as the client would read it
	Rejected    registry.Rejected
	Secret      registry.SecretID // that was accepted, "" where none was
	Claims      []Claim           // of the token, in the order they stand in it

	token string
}

// Claim is one claim of a token, its value as text. Seconds are those of a time since 1970, else 0.
type Claim struct {
	Name, Value string
	Seconds     int64
}

// Format writes the status and the code for every verb.
func (a *Attempt) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%d %s", a.Status, a.Code) }

// OK reports whether the request was answered with what it asked for.
func (a *Attempt) OK() bool { return a.Status == http.StatusOK }

// TryToken asks for a token with client credentials, as a client would, and by the same code: what answers here answers
// there. scope may be empty. It is no use of the secret, for nobody depends on it, and no rejection, for the person
// hears of it; nor does it count for or against a network. The token goes no further than Probe.
func (s *Server) TryToken(ctx context.Context, clientID, secret, scope string) *Attempt {
	f := form{values: url.Values{"grant_type": {grantClientCredentials}}}
	if scope != "" {
		f.values.Set("scope", scope)
	}
	return s.try(ctx, s.tokens, presented{clientID: clientID, secret: secret}, f)
}

// TryIntrospection asks about a token that there is not, as an API would that checks tokens: what it is told is that the
// token is not active. All else is as with TryToken.
func (s *Server) TryIntrospection(ctx context.Context, clientID, secret string) *Attempt {
	f := form{values: url.Values{"token": {"test"}}}
	return s.try(ctx, s.introspections, presented{clientID: clientID, secret: secret}, f)
}

func (s *Server) try(ctx context.Context, e endpoint, who presented, f form) *Attempt {
	c := &call{form: f}
	res, err := s.judge(ctx, e, who, "", c)
	if err != nil {
		refused := refusalOf(err)
		s.logRefusal(ctx, e.name, refused)
		body := refused.body()
		rejected, _ := refused.rejected()
		if rejected.Refusal != nil {
			rejected.Reason, rejected.Detail = rejected.Refusal.Reason, ""
		}
		return &Attempt{Status: answers[refused.reason].status, Code: body.Error, Description: body.Description, Rejected: rejected, Secret: c.secret}
	}
	a := &Attempt{Status: http.StatusOK, Secret: c.secret}
	if t, is := res.body.(tokenAnswer); is {
		a.token, a.Claims = t.AccessToken, claimsOf(t.AccessToken)
	}
	return a
}

// Probe asks what the token of an attempt is good for, as our own APIs ask about every token they are shown.
func (s *Server) Probe(ctx context.Context, a *Attempt) (*Token, error) { return s.Live(ctx, a.token) }

// claimsOf returns the claims of a token of ours for people to read, in their order.
func claimsOf(token string) []Claim {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if _, err := d.Token(); err != nil { // {
		return nil
	}
	var claims []Claim
	for d.More() {
		name, err1 := d.Token()
		value, err2 := d.Token() // texts and numbers, no lists
		if err1 != nil || err2 != nil {
			return claims
		}
		claims = append(claims, claimOf(name, value))
	}
	return claims
}

func claimOf(name, value any) Claim {
	var c Claim
	c.Name, _ = name.(string)
	switch v := value.(type) {
	case string:
		c.Value = v
	case json.Number:
		c.Value = v.String()
		if c.Name == "exp" || c.Name == "iat" {
			c.Seconds, _ = v.Int64()
		}
	}
	return c
}
