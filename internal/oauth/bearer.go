package oauth

import (
	"net/http"
	"strings"

	"credenza.example/credenza/internal/problem"
)

// The message keys of requests to our own APIs that are turned away before anything is asked of an app.
const (
	keyTokenMissing = "oauth.token.missing"
	keyTokenInvalid = "oauth.token.invalid"
	keyTokenRequest = "oauth.token.request"
)

// Bearer returns the access token of a request to one of our own APIs (RFC 6750 §2.1). The token stands in one
// Authorization header, after the scheme in any case and one space. None is problem.Unauthenticated; two, one in the
// address, or a header that is not of that form is problem.Invalid (C83). What the token is worth is asked with Live.
func Bearer(r *http.Request) (string, error) {
	if credentialInQuery(r.URL.RawQuery) {
		return "", problem.New(problem.Invalid, keyTokenRequest)
	}
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return "", problem.New(problem.Unauthenticated, keyTokenMissing)
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	ours := strings.EqualFold(scheme, "Bearer")
	if !ours && len(headers) == 1 && !strings.ContainsAny(scheme, "\t,") {
		return "", problem.New(problem.Unauthenticated, keyTokenMissing) // another way of authenticating
	}
	if !ours || len(headers) > 1 || !isToken68(token) {
		return "", problem.New(problem.Invalid, keyTokenRequest)
	}
	return token, nil
}

// isToken68 reports whether s is of the characters that RFC 6750 §2.1 allows in a token.
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		alphanumeric := '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if !alphanumeric && strings.IndexByte("-._~+/", c) < 0 {
			return false
		}
	}
	return true
}

// Challenge returns the WWW-Authenticate header that goes with a refusal of our own APIs (RFC 6750 §3): no error code
// where no token was sent, and "" where the refusal is about something else than the token. For problem.Forbidden the
// argument Scope names the scopes that would do.
func Challenge(err error) string {
	const realm = `Bearer realm="credenza"`
	p := problem.As(err)
	switch {
	case p.Key == keyTokenMissing:
		return realm
	case p.Code == problem.Unauthenticated:
		return realm + `, error="invalid_token"`
	case p.Key == keyTokenRequest:
		return realm + `, error="invalid_request"`
	case p.Code == problem.Forbidden:
		challenge := realm + `, error="insufficient_scope"`
		if scopes, ok := p.Args["Scope"].(string); ok && scopes != "" {
			challenge += `, scope="` + printable(scopes) + `"`
		}
		return challenge
	default:
		return ""
	}
}
