package oauth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxBody       = 64 << 10 // bytes (T27, F8)
	maxParameters = 100
	maxClientID   = 255 // bytes; longer ones are no client of ours

	formType = "application/x-www-form-urlencoded"
)

// form is the body of a POST request: parameters that are there, not empty and not repeated, but for resource.
type form struct {
	values url.Values
}

func (f form) get(name string) string { return f.values.Get(name) }

// readForm reads the parameters of a POST request, strictly (RFC 6749 §3.2, §5.2; protocol.md §4).
func readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	if r.Method != http.MethodPost {
		return form{}, refuseFor(reasonMethod, http.MethodPost)
	}
	if err := checkHeaders(r); err != nil {
		return form{}, err
	}
	if credentialInQuery(r.URL.RawQuery) {
		return form{}, refuse(reasonInAddress)
	}
	if r.ContentLength > maxBody {
		return form{}, tooLarge(w)
	}
	body, err := readBody(w, r)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return form{}, tooLarge(w)
	case err != nil:
		return form{}, &refusal{reason: reasonMalformed, cause: err}
	}
	return parseForm(string(body))
}

// readBody reads a body of at most maxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 { // not announced
		return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// tooLarge refuses a body. Nothing more of it is read: net/http would go on for 256 KiB in the hope of its end, which is
// more work than all that we do for a token (F8).
func tooLarge(w http.ResponseWriter) error {
	_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // a test's recorder has no connection
	return refuse(reasonTooLarge)
}

func checkHeaders(r *http.Request) error {
	for _, encoding := range r.Header.Values("Content-Encoding") {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return refuse(reasonEncoded)
		}
	}
	types := r.Header.Values("Content-Type")
	if len(types) != 1 {
		return refuse(reasonContentType)
	}
	if types[0] == formType { // nearly always
		return nil
	}
	media, params, err := mime.ParseMediaType(types[0])
	if err != nil || media != formType {
		return refuse(reasonContentType)
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return refuse(reasonContentType)
	}
	return nil
}

// credentials that must never stand in the address, whatever the endpoint (C4).
var credentials = map[string]bool{
	"client_secret": true, "client_assertion": true, "assertion": true, "password": true, "token": true,
	"access_token": true, "refresh_token": true, "id_token": true, "subject_token": true, "actor_token": true,
	"code": true, "code_verifier": true, "device_code": true, "user_code": true,
}

// credentialInQuery reports whether the query names a credential. Other parameters in the query are ignored (RFC 6749
// §3.2).
func credentialInQuery(query string) bool {
	return names(query, func(name string) bool { return credentials[name] })
}

// parseForm drops empty parameters first and then looks for repeated ones, in this order (RFC 6749 §3.1, §3.2).
func parseForm(body string) (form, error) {
	if strings.Count(body, "&") >= maxParameters {
		return form{}, refuse(reasonTooMany)
	}
	all, err := url.ParseQuery(body)
	if err != nil {
		return form{}, refuse(reasonMalformed)
	}
	repeated, found := "", false
	for name, values := range all {
		kept := slices.DeleteFunc(values, func(value string) bool { return value == "" })
		if len(kept) == 0 {
			delete(all, name)
			continue
		}
		all[name] = kept
		if !utf8.ValidString(name) || !allValid(kept) {
			return form{}, refuse(reasonMalformed)
		}
		if len(kept) > 1 && name != "resource" && (!found || name < repeated) {
			repeated, found = name, true // the first by name: the same body gets the same answer
		}
	}
	if found {
		return form{}, refuseFor(reasonRepeated, parameterName(repeated))
	}
	return form{values: all}, nil
}

func allValid(values []string) bool {
	for _, value := range values {
		if !utf8.ValidString(value) {
			return false
		}
	}
	return true
}

// parameterName returns the name of a parameter as it may be repeated in an answer.
func parameterName(name string) string {
	if len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "with an unusual name"
	}
	return name
}

// presented is what a client says to prove who it is. It prints without the secret.
type presented struct {
	clientID string
	secret   string
}

// Format prints the client ID only.
func (p presented) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%.40q [redacted]", p.clientID) // the state of a fmt call has no one to report to
}

// readClient returns what the client presents: client_secret_basic or client_secret_post, one of them (RFC 6749 §2.3).
// The same client_id in the body beside Basic is no second method. Everything that is no way of authenticating known
// here is wrongClient, like a wrong secret.
func readClient(r *http.Request, f form) (presented, error) {
	inBody := presented{clientID: f.get("client_id"), secret: f.get("client_secret")}
	headers := r.Header.Values("Authorization")
	methods := 0
	for _, used := range []bool{len(headers) > 0, inBody.secret != "", f.get("client_assertion") != ""} {
		if used {
			methods++
		}
	}
	switch {
	case methods > 1 || len(headers) > 1:
		return presented{}, refuse(reasonTwoMethods)
	case len(headers) == 1:
		p, ok := parseBasic(headers[0])
		if !ok {
			return presented{}, refuse(reasonClient)
		}
		if inBody.clientID != "" && inBody.clientID != p.clientID {
			return presented{}, refuse(reasonTwoClients)
		}
		return p, nil
	case inBody.secret == "" || !validClientID(inBody.clientID):
		return presented{}, refuse(reasonClient)
	default:
		return inBody, nil
	}
}

// parseBasic reads the credentials of an Authorization header: split at the first colon, then both halves decoded as
// form values (RFC 6749 §2.3.1). What the secret looks like is judged after that, elsewhere.
func parseBasic(header string) (presented, bool) {
	scheme, rest, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") {
		return presented{}, false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimLeft(rest, " "))
	if err != nil {
		return presented{}, false
	}
	id, secret, ok := strings.Cut(string(raw), ":")
	if !ok {
		return presented{}, false
	}
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	if err1 != nil || err2 != nil || !validClientID(id) {
		return presented{}, false
	}
	return presented{clientID: id, secret: secret}, true
}

func validClientID(id string) bool { return id != "" && len(id) <= maxClientID && utf8.ValidString(id) }

// usesBasic reports whether the client tried to authenticate with Basic, well-formed or not.
func usesBasic(r *http.Request) bool {
	for _, h := range r.Header.Values("Authorization") {
		scheme, _, _ := strings.Cut(h, " ")
		if strings.EqualFold(scheme, "Basic") {
			return true
		}
	}
	return false
}
