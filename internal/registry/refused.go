package registry

import (
	"errors"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

// RejectionReason says why a request of a client was refused, to the people of its organisation. The client hears less
// (C22).
type RejectionReason string

// The reasons. Anybody who knows a client ID can bring about those of the first group; the others took a secret of the
// app (protocol.md §10).
const (
	RejectedNoCredentials RejectionReason = "no_credentials" // no secret came with the client ID
	RejectedNoSecret      RejectionReason = "no_secret"      // what came is no secret of this app: no shape, or no tag of its
	RejectedLimited       RejectionReason = "limited"        // too many failures before
	RejectedMalformed     RejectionReason = "malformed"      // Detail: what is wrong with the request
	RejectedGrant         RejectionReason = "grant"          // a grant type that there is not

	RejectedWrongSecret  RejectionReason = "wrong_secret"          // the tag is right, and yet no secret of the app
	RejectedRetired      RejectionReason = "retired"               // Detail: ID of the secret, where it is known
	RejectedExpired      RejectionReason = "expired"               // so too
	RejectedLeaked       RejectionReason = "leaked"                // so too
	RejectedInactive     RejectionReason = "app_inactive"          // the secret is right
	RejectedOrganisation RejectionReason = "organisation_inactive" // so too
	RejectedAPIUser      RejectionReason = "api_user_inactive"     // so too
	RejectedScope        RejectionReason = "scope_not_held"        // Detail: the scope
	RejectedUnknownScope RejectionReason = "scope_unknown"         // Detail: the scope, where it looks like one
	RejectedTarget       RejectionReason = "target"                // Detail: what is wrong with scopes and resource
	RejectedNotCaller    RejectionReason = "not_a_caller"          // an API that checks tokens asked for more
	RejectedForeignToken RejectionReason = "token_foreign"         // another client's token was to be revoked
)

// proven reports whether a refusal for this reason took a secret of the app.
func (r RejectionReason) proven() bool {
	switch r {
	case RejectedNoCredentials, RejectedNoSecret, RejectedLimited, RejectedMalformed, RejectedGrant:
		return false
	case RejectedWrongSecret, RejectedRetired, RejectedExpired, RejectedLeaked, RejectedInactive, RejectedOrganisation,
		RejectedAPIUser, RejectedScope, RejectedUnknownScope, RejectedTarget, RejectedNotCaller, RejectedForeignToken:
		return true
	default:
		return false
	}
}

// Refused is the error of Authenticate and Standing for a client that is not let in: secret.ErrWrong, or
// problem.Limited, with the reason for the people of its organisation. What the client is told follows from the error
// that it wraps, so it is the same whatever the reason.
type Refused struct { //nolint:errname // It says what became of a request.
	Reason RejectionReason

	slot int8 // of a secret with a right tag, else noSlot
	err  error
}

// noSlot stands where no secret of the app was presented.
const noSlot = -1

// Error is for logs.
func (e *Refused) Error() string { return e.err.Error() + " (" + string(e.Reason) + ")" }

// Unwrap returns what the client is told.
func (e *Refused) Unwrap() error { return e.err }

func wrong(reason RejectionReason) error {
	return &Refused{Reason: reason, slot: noSlot, err: secret.ErrWrong}
}

// whyRefused adds the reason to what the verifier answered. A right tag is looked at once more only where the gate does
// not tell, which is after a read or a bcrypt, and never for a secret that is accepted.
func (r *Registry) whyRefused(p secret.Presented, gate secret.Gate, err error) error {
	switch {
	case problem.Is(err, problem.Limited):
		return &Refused{Reason: RejectedLimited, slot: noSlot, err: err}
	case !errors.Is(err, secret.ErrWrong):
		return err
	case gate == secret.GateShape || gate == secret.GateTag:
		return &Refused{Reason: RejectedNoSecret, slot: noSlot, err: err}
	}
	parsed, faulty := secret.Parse(p.Text)
	if faulty != nil || r.keys.Check(p.ClientID, parsed) != secret.TagValid { // the tag says nothing
		return &Refused{Reason: RejectedNoSecret, slot: noSlot, err: err}
	}
	refused := &Refused{Reason: RejectedWrongSecret, slot: noSlot, err: err}
	if gate == secret.GateLookup || gate == secret.GateRecheck { // nothing usable stands there: it may have once
		refused.slot = int8(parsed.Slot)
	}
	return refused
}

// notStanding says why a client whose secret was accepted may not have a token all the same.
func notStanding(c *Client, usable bool) error {
	switch {
	case !usable: // it ended this moment
		return wrong(RejectedRetired)
	case c.Status != Active:
		return wrong(RejectedInactive)
	case !c.organisationLive:
		return wrong(RejectedOrganisation)
	default:
		return wrong(RejectedAPIUser)
	}
}
