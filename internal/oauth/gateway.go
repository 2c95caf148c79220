package oauth

import (
	"encoding/json"
	"net/http"
	"strings"

	"credenza.example/credenza/internal/problem"
)

// The headers of the answer to a proxy. Those of the caller are always there, empty when nothing is known, so that a
// proxy which sets them upstream overwrites what a client sent under the same names (protocol.md §7).
const (
	HeaderClient       = "X-Credenza-Client"       // client ID
	HeaderOrganisation = "X-Credenza-Org"          // ID of the organisation
	HeaderAPIUser      = "X-Credenza-Api-User"     // ID of the API user
	HeaderScope        = "X-Credenza-Scope"        // what the token is good for now, separated by spaces
	HeaderError        = "X-Credenza-Error"        // of a refusal: the code of gatewayRefusals
	HeaderScopeNeeded  = "X-Credenza-Scope-Needed" // of E4030002: scopes of which one would do, separated by spaces
)

// The outcomes of call checks, as metrics count them.
const (
	outcomeAllowed     = "allowed"
	outcomeNoToken     = "token"       // none, or not a live one
	outcomeOtherAPI    = "other_api"   // of another API
	outcomeNoUser      = "api_user"    // inactive or expired
	outcomeNoScope     = "scope"       // the token opens other calls
	outcomeUndescribed = "undescribed" // the catalogue has no such call
	outcomeClosed      = "closed"      // it has, and no scope opens it
	outcomeCrooked     = "crooked"     // more than one reading
	outcomeUnknownAPI  = "unknown_api" // the proxy's configuration names an API that there is not
)

// gatewayRefusal is how a refused call looks, in the words of the CCW API (product.md §1.5): clients of that API read the
// codes, and error_page of a proxy repeats them.
type gatewayRefusal struct {
	status                   int
	code, summary            string
	subCode, subCodeSentence string
}

var (
	refusedToken = gatewayRefusal{
		http.StatusUnauthorized, "E4010000", "The call is not authenticated.", "E4010002",
		"The access token is missing, invalid or expired, or was made for another API.",
	}
	refusedScope = gatewayRefusal{
		http.StatusForbidden, "E4030000", "The call is not allowed.", "E4030002",
		"No scope of the access token is valid for this call.",
	}
	refusedAPIUser = gatewayRefusal{
		http.StatusForbidden, "E4030000", "The call is not allowed.", "E4030003",
		"The API user of the app is inactive or has expired.",
	}
)

// Gateway answers reverse proxies that ask whether a call may pass (forward authentication, protocol.md §7): with 200
// and who calls, 401, or 403. It must be served where only proxies reach it: the answer tells who the holder of a token
// is, and its address says which API is meant. What cannot be told just now is 503.
func (s *Server) Gateway() http.Handler { return s.guard(s.checkCall) }

func (s *Server) checkCall(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	asked, ok := readGatewayCall(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	for _, name := range []string{HeaderClient, HeaderOrganisation, HeaderAPIUser, HeaderScope} {
		h.Set(name, "")
	}
	outcome, err := s.judgeCall(w, r, asked)
	if err != nil {
		e := refusalOf(err)
		outcome = string(e.reason)
		if e.reason == reasonInternal {
			s.log.ErrorContext(r.Context(), "a call could not be checked", "api", asked.api, "error", err)
		}
		writeRefusal(w, r, e)
	}
	s.metrics.count(endpointGateway, outcome)
}

// judgeCall decides about a call and answers it. An error is a fault of ours, unanswered yet.
func (s *Server) judgeCall(w http.ResponseWriter, r *http.Request, asked gatewayCall) (outcome string, err error) {
	if _, ok := s.targets.catalogue.Now().API(asked.api); !ok {
		s.log.WarnContext(r.Context(), "a proxy asks for an API that the catalogue does not have")
		return outcomeUnknownAPI, refuseCall(w, refusedScope, nil)
	}
	token, err := s.bearerOf(r, asked)
	switch {
	case problem.Is(err, problem.Unauthenticated), problem.Is(err, problem.Invalid):
		w.Header().Set("WWW-Authenticate", Challenge(err))
		return outcomeNoToken, refuseCall(w, refusedToken, nil)
	case err != nil:
		return "", err
	case token.API != asked.api:
		w.Header().Set("WWW-Authenticate", Challenge(notLive()))
		return outcomeOtherAPI, refuseCall(w, refusedToken, nil)
	case !token.Client.APIUserLive(s.clock()):
		return outcomeNoUser, refuseCall(w, refusedAPIUser, nil)
	case asked.flaw != flawNone:
		return outcomeCrooked, refuseCall(w, refusedScope, nil)
	}
	return s.judgeScopes(w, token, asked)
}

// bearerOf returns the token of the call, which is not live when it stands in its address (RFC 6750 §2.3).
func (s *Server) bearerOf(r *http.Request, asked gatewayCall) (*Token, error) {
	presented, err := Bearer(r)
	if err == nil && credentialInQuery(asked.query) {
		err = problem.New(problem.Invalid, keyTokenRequest)
	}
	if err != nil {
		return nil, err
	}
	return s.issued(r.Context(), presented)
}

// judgeScopes decides about a call of a live token for this API.
func (s *Server) judgeScopes(w http.ResponseWriter, token *Token, asked gatewayCall) (outcome string, err error) {
	call, found := s.targets.catalogue.Now().Match(asked.api, asked.method, asked.path)
	switch {
	case !found:
		return outcomeUndescribed, refuseCall(w, refusedScope, nil)
	case call.Call.OpenTo(token.Scopes):
		h := w.Header()
		h.Set(HeaderClient, token.Client.ClientID)
		h.Set(HeaderOrganisation, string(token.Organisation))
		h.Set(HeaderAPIUser, string(token.Client.APIUser))
		h.Set(HeaderScope, token.Scopes.String())
		w.WriteHeader(http.StatusOK)
		return outcomeAllowed, nil
	case len(call.Call.AnyOf) == 0:
		return outcomeClosed, refuseCall(w, refusedScope, nil)
	default:
		return outcomeNoScope, refuseCall(w, refusedScope, call.Call.AnyOf)
	}
}

// refuseCall answers that a call may not pass. A proxy passes on the body (Traefik, Envoy) or drops it and says the same
// by what the headers tell (nginx).
func refuseCall(w http.ResponseWriter, e gatewayRefusal, anyOf []string) error {
	h := w.Header()
	h.Set(HeaderError, e.subCode)
	needed := strings.Join(anyOf, " ")
	h.Set(HeaderScopeNeeded, needed)
	if e.status == http.StatusForbidden && e.subCode == refusedScope.subCode {
		h.Set("WWW-Authenticate", Challenge(problem.New(problem.Forbidden, "problem.forbidden", "Scope", needed)))
	}
	type cause struct {
		SubCode string `json:"error_sub_code"`
		Text    string `json:"error_sub_code_desc"`
	}
	body, err := json.Marshal(struct {
		Code    string  `json:"error_code"`
		Summary string  `json:"error_summary"`
		Causes  []cause `json:"error_causes"`
	}{e.code, e.summary, []cause{{e.subCode, e.subCodeSentence}}})
	if err != nil {
		return err
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_, _ = w.Write(body)
	return nil
}
