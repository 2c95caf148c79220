package oauth

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"credenza.example/credenza/internal/problem"
)

// reason says why a request is refused. Each has one line in answers, and that is the only place where a reason or a
// problem becomes a status, an error code and a sentence.
type reason string

// answer is how a refusal looks from outside: RFC 6749 §5.2, with the codes of RFC 8707 §2 and RFC 6750 §3.1. The
// sentence is English for the developer of the client, as RFC 6749 allows it only ASCII; %s is a detail of ours or
// one that was checked, never raw input.
type answer struct {
	status      int
	code        string
	description string
}

const (
	invalidRequest = "invalid_request"
	invalidScope   = "invalid_scope"
	invalidTarget  = "invalid_target"
	unavailable    = "temporarily_unavailable"
)

const (
	reasonMethod          reason = "method"
	reasonEncoded         reason = "content_encoding"
	reasonContentType     reason = "content_type"
	reasonTooLarge        reason = "too_large"
	reasonTooMany         reason = "too_many_parameters"
	reasonMalformed       reason = "malformed"
	reasonInAddress       reason = "credential_in_address"
	reasonRepeated        reason = "repeated_parameter"
	reasonTwoMethods      reason = "two_methods"
	reasonTwoClients      reason = "two_clients"
	reasonClient          reason = "client"
	reasonGrantMissing    reason = "grant_missing"
	reasonGrantUnknown    reason = "grant_unsupported"
	reasonNotCaller       reason = "not_a_caller"
	reasonScopeMalformed  reason = "scope_malformed"
	reasonScopeUnknown    reason = "scope_unknown"
	reasonScopeNotHeld    reason = "scope_not_held"
	reasonScopeOfTwoAPIs  reason = "scope_of_two_apis"
	reasonScopeOfOtherAPI reason = "scope_of_other_api"
	reasonScopeNone       reason = "scope_none"
	reasonScopeAmbiguous  reason = "scope_ambiguous"
	reasonTargetMalformed reason = "target_malformed"
	reasonTargetUnknown   reason = "target_unknown"
	reasonTargetTwo       reason = "target_two"
	reasonLifetime        reason = "expires_in"
	reasonTokenMissing    reason = "token_missing"
	reasonTokenForeign    reason = "token_foreign"
	reasonLimited         reason = "limited"
	reasonUnavailable     reason = "unavailable"
	reasonInternal        reason = "internal"
)

var answers = map[reason]answer{
	reasonMethod:      {http.StatusMethodNotAllowed, invalidRequest, "This address takes %s requests only."},
	reasonEncoded:     {http.StatusUnsupportedMediaType, invalidRequest, "The body must not have a Content-Encoding."},
	reasonContentType: {http.StatusBadRequest, invalidRequest, "The Content-Type must be application/x-www-form-urlencoded, in UTF-8."},
	reasonTooLarge:    {http.StatusRequestEntityTooLarge, invalidRequest, "The body must not be larger than 64 KiB."},
	reasonTooMany:     {http.StatusBadRequest, invalidRequest, "The body must not have more than 100 parameters."},
	reasonMalformed:   {http.StatusBadRequest, invalidRequest, "The body cannot be read as a form."},
	reasonInAddress: {http.StatusBadRequest, invalidRequest, "A secret, token or code was sent in the address of the request. " +
		"Send it in the body, and replace this one: addresses are logged on their way."},
	reasonRepeated:   {http.StatusBadRequest, invalidRequest, "The parameter %s stands there more than once."},
	reasonTwoMethods: {http.StatusBadRequest, invalidRequest, "The client authenticates in more than one way. Use one."},
	reasonTwoClients: {http.StatusBadRequest, invalidRequest, "The client_id in the body is not the one in the Authorization header."},
	// One answer for unknown, inactive and deleted apps and for wrong secrets (C22).
	reasonClient:       {http.StatusUnauthorized, "invalid_client", "Client authentication failed."},
	reasonGrantMissing: {http.StatusBadRequest, invalidRequest, "The parameter grant_type is missing."},
	reasonGrantUnknown: {http.StatusBadRequest, "unsupported_grant_type", "The grant_type must be client_credentials."},
	reasonNotCaller: {http.StatusBadRequest, "unauthorized_client", "This client is an API that checks tokens. It may introspect " +
		"tokens, and nothing else."},
	reasonScopeMalformed: {http.StatusBadRequest, invalidScope, "The scope parameter must list scopes with one space between two."},
	reasonScopeUnknown:   {http.StatusBadRequest, invalidScope, "There is no scope %s."},
	reasonScopeNotHeld:   {http.StatusBadRequest, invalidScope, "This app does not hold the scope %s."},
	reasonScopeOfTwoAPIs: {http.StatusBadRequest, invalidScope, "The scopes belong to several APIs (%s). A token is for one: ask " +
		"for one token per API."},
	reasonScopeOfOtherAPI: {http.StatusBadRequest, invalidScope, "The scope %s does not belong to the API named by resource."},
	reasonScopeNone:       {http.StatusBadRequest, invalidScope, "This app holds no scope of the API %s."},
	reasonScopeAmbiguous: {http.StatusBadRequest, invalidScope, "This app holds scopes of several APIs (%s) and has no default API " +
		"among them. Name scopes or a resource."},
	reasonTargetMalformed: {http.StatusBadRequest, invalidTarget, "The resource must be an absolute URI without a fragment."},
	reasonTargetUnknown:   {http.StatusBadRequest, invalidTarget, "No API has this resource URI."},
	reasonTargetTwo:       {http.StatusBadRequest, invalidTarget, "A token is for one API. Name one resource per request."},
	reasonLifetime:        {http.StatusBadRequest, invalidRequest, "expires_in must be a whole number of seconds, at least 1."},
	reasonTokenMissing:    {http.StatusBadRequest, invalidRequest, "The parameter token is missing."},
	reasonTokenForeign:    {http.StatusBadRequest, invalidRequest, "The token was not issued to this client."},
	reasonLimited:         {http.StatusTooManyRequests, unavailable, "Too many requests. Wait as long as Retry-After says."},
	reasonUnavailable: {http.StatusServiceUnavailable, unavailable, "The server cannot answer just now. Nothing was changed. Wait as " +
		"long as Retry-After says."},
	reasonInternal: {http.StatusInternalServerError, "server_error", "Something went wrong on the server."},
}

// refusal is the error of a request that is answered with its reason's line.
type refusal struct {
	reason reason
	detail string        // for the %s of the description
	wait   time.Duration // for Retry-After
	cause  error         // logged, never shown
}

func refuse(r reason) *refusal { return &refusal{reason: r} }

func refuseFor(r reason, detail string) *refusal { return &refusal{reason: r, detail: detail} }

// Error is for logs.
func (e *refusal) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %v", e.reason, e.cause)
	}
	return string(e.reason)
}

// Unwrap returns the hidden cause.
func (e *refusal) Unwrap() error { return e.cause }

// refusalOf turns the problems of other rooms into refusals.
func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &refusal{reason: reasonUnavailable, cause: err} // the client left, or took too long
	}
	p := problem.As(err)
	why := reasonInternal
	switch p.Code {
	case problem.Unauthenticated:
		why = reasonClient
	case problem.Limited:
		why = reasonLimited
	case problem.Unavailable:
		why = reasonUnavailable
	case problem.Invalid, problem.Forbidden, problem.NotFound, problem.Conflict, problem.Stale, problem.Gone, problem.Internal:
	}
	return &refusal{reason: why, wait: p.RetryAfter, cause: err}
}

// body is the JSON of a refusal.
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (e *refusal) body() errorBody {
	a := answers[e.reason]
	text := a.description
	if strings.Contains(text, "%s") {
		text = fmt.Sprintf(text, e.detail)
	}
	return errorBody{Error: a.code, Description: printable(text)}
}

// maxDescription bounds a description that lists scopes, in bytes.
const maxDescription = 400

// printable keeps a description within the characters that RFC 6749 §5.2 allows: %x20-21, %x23-5B, %x5D-7E (C24).
func printable(s string) string {
	if len(s) > maxDescription {
		s = s[:maxDescription-3] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s)
}

// writeRefusal answers a request that is refused.
func writeRefusal(w http.ResponseWriter, req *http.Request, e *refusal) {
	a := answers[e.reason]
	h := w.Header()
	switch a.status {
	case http.StatusUnauthorized:
		// Only then: strict clients that see a challenge they did not ask for hide the error code (protocol.md §4).
		if usesBasic(req) {
			h.Set("WWW-Authenticate", `Basic realm="credenza", charset="UTF-8"`)
		}
	case http.StatusMethodNotAllowed:
		h.Set("Allow", e.detail)
	case http.StatusUnsupportedMediaType:
		h.Set("Accept-Encoding", "identity") // RFC 7694 §3
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(e.wait.Seconds())))))
	}
	writeJSON(w, a.status, e.body())
}
