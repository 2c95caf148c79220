package access

import "slices"

// Kind says what sort of thing acts.
type Kind string

// The kinds of actors.
const (
	KindPerson   Kind = "person"   // signed in with a browser session
	KindApp      Kind = "app"      // a bearer token of a registered app
	KindOperator Kind = "operator" // the command line: operator:<os user>, holds every right (protocol.md §6)
	KindSystem   Kind = "system"   // the product itself: policies, expiry, the demonstration
)

// Origin is where a request came from, for the audit trail. All fields may be empty.
type Origin struct {
	Address   string // IP address without port
	UserAgent string // cut to 200 bytes
	RequestID string
}

// Actor is who acts. It is the first argument of every use case after the context and never read from the context.
type Actor struct {
	Kind         Kind
	ID           string // person ID, app ID, "operator:<os user>" or the system part's name
	Name         string // as shown beside an act at the time it happened; for people their name, for apps the client ID
	Email        string // people only
	Organisation OrganisationID
	Rights       Set
	Scopes       []string // apps only: scopes that are the app's now, which it can pass on
	Origin       Origin
}

// Has reports whether the actor holds the right. Operators and the system hold every right.
func (a Actor) Has(r Right) bool {
	if a.Kind == KindOperator || a.Kind == KindSystem {
		return true
	}
	return a.Rights.Has(r)
}

// HasAll reports whether the actor holds every right of the set.
func (a Actor) HasAll(s Set) bool {
	if a.Kind == KindOperator || a.Kind == KindSystem {
		return true
	}
	return a.Rights.HasAll(s)
}

// MayGrant reports whether the actor may give the scope to an app of its organisation (protocol.md §6): a person needs
// the scope's grant right, an app can pass on only scopes of its own, an operator may give any.
func (a Actor) MayGrant(scope string) bool {
	switch a.Kind {
	case KindOperator, KindSystem:
		return true
	case KindApp:
		return slices.Contains(a.Scopes, scope)
	case KindPerson:
		right, ok := GrantRight(scope)
		return ok && a.Rights.Has(right)
	default:
		return false
	}
}

// Operator returns the actor of the command line for an operating system user, acting for one organisation.
func Operator(osUser string, org OrganisationID) Actor {
	return Actor{Kind: KindOperator, ID: "operator:" + osUser, Name: "operator:" + osUser, Organisation: org}
}

// System returns the actor for acts of the product itself.
func System(part string, org OrganisationID) Actor {
	return Actor{Kind: KindSystem, ID: part, Name: part, Organisation: org}
}
