package oauth

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/secret"
)

// rejections says how a refusal is told to the people of the app, by its reason. Those that are not there are faults of
// ours, and no refusals of what the client sent; those that are RejectedMalformed or RejectedTarget are told apart by the
// name of the reason.
var rejections = map[reason]registry.RejectionReason{
	reasonMethod:          registry.RejectedMalformed,
	reasonEncoded:         registry.RejectedMalformed,
	reasonContentType:     registry.RejectedMalformed,
	reasonTooLarge:        registry.RejectedMalformed,
	reasonTooMany:         registry.RejectedMalformed,
	reasonMalformed:       registry.RejectedMalformed,
	reasonInAddress:       registry.RejectedMalformed,
	reasonRepeated:        registry.RejectedMalformed,
	reasonTwoMethods:      registry.RejectedMalformed,
	reasonTwoClients:      registry.RejectedMalformed,
	reasonClient:          registry.RejectedNoCredentials, // unless the registry says why
	reasonGrantMissing:    registry.RejectedGrant,
	reasonGrantUnknown:    registry.RejectedGrant,
	reasonNotCaller:       registry.RejectedNotCaller,
	reasonScopeMalformed:  registry.RejectedTarget,
	reasonScopeUnknown:    registry.RejectedUnknownScope,
	reasonScopeNotHeld:    registry.RejectedScope,
	reasonScopeOfTwoAPIs:  registry.RejectedTarget,
	reasonScopeOfOtherAPI: registry.RejectedTarget,
	reasonScopeNone:       registry.RejectedTarget,
	reasonScopeAmbiguous:  registry.RejectedTarget,
	reasonTargetMalformed: registry.RejectedTarget,
	reasonTargetUnknown:   registry.RejectedTarget,
	reasonTargetTwo:       registry.RejectedTarget,
	reasonLifetime:        registry.RejectedTarget,
	reasonTokenMissing:    registry.RejectedMalformed,
	reasonTokenForeign:    registry.RejectedForeignToken,
	reasonLimited:         registry.RejectedLimited,
}

// rejected is a refusal as the registry counts it and pages tell of it; ok is false for faults of ours. Nothing that came
// with the request is in it but the name of a scope, and that only when it looks like one.
func (e *refusal) rejected() (n registry.Rejected, ok bool) {
	n.Reason, ok = rejections[e.reason]
	name, _, _ := strings.Cut(e.detail, "; ")
	switch {
	case n.Reason == registry.RejectedMalformed || n.Reason == registry.RejectedTarget:
		n.Detail = string(e.reason)
	case n.Reason == registry.RejectedScope:
		n.Detail = e.detail
	case n.Reason == registry.RejectedUnknownScope && scopeLike.MatchString(name) && len(name) <= maxScopeName && !secret.Contains(name):
		n.Detail = name
	}
	if refused, is := errors.AsType[*registry.Refused](e.cause); is {
		n.Refusal = refused
	}
	return n, ok
}

// scopeLike is what the names of scopes look like: words with points between. Nothing that is random does, as no part of
// a secret or of a token that somebody sent in the wrong place.
var scopeLike = regexp.MustCompile(`^[A-Za-z][A-Za-z_-]{0,30}(\.[A-Za-z][A-Za-z_-]{0,30}){1,5}$`)

const maxScopeName = 80 // bytes

// noteRejection counts a refused request for the people of the app that it names. It comes after the answer, which no
// byte of it changes (C22).
func (s *Server) noteRejection(r *http.Request, clientID string, e *refusal) {
	n, ok := e.rejected()
	if !ok || clientID == "" {
		return
	}
	n.ClientID = clientID
	s.registry.NoteRejection(n, addr(s.address(r)))
}

// named is the client ID that a request names whose credentials or form could not be taken, "" where none can be read.
func named(r *http.Request, f form) string {
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		p, _ := parseBasic(headers[0])
		return p.clientID
	}
	if id := f.get("client_id"); validClientID(id) {
		return id
	}
	return ""
}
