// Package access says who acts and what they may do. It is pure: no storage, no clock, no text for people.
//
// The rights are those of product.md decision 15. Everything else that decides over permission (roles, groups, API
// users) lives in package identity and ends in a Set here; which door asks for which right is written in the route
// table and in audit.Do. What one may pass on to an app, a robot or a group ("power", protocol.md §6) is asked with
// GrantRight.
package access

import (
	"slices"
	"strings"
)

// OrganisationID is the ID of an organisation: a UUIDv7 in text form.
type OrganisationID string

// Right is one right of product.md decision 15, by its stable name.
type Right string

// The rights of an organisation. A manage right implies its view right.
const (
	AppsView          Right = "apps.view"
	AppsManage        Right = "apps.manage"
	AppsApprove       Right = "apps.approve"
	ConnectionsView   Right = "connections.view"
	ConnectionsManage Right = "connections.manage"
	RobotsView        Right = "robots.view"
	RobotsManage      Right = "robots.manage"
	AuditView         Right = "audit.view"
	PeopleManage      Right = "people.manage"
	RolesManage       Right = "roles.manage"
	PoliciesManage    Right = "policies.manage"
	DocsView          Right = "docs.view"
)

// The rights of the platform, held only by people of the platform's organisation.
const (
	OrganisationsManage Right = "organisations.manage"
	SupportLookup       Right = "support.lookup"
	CatalogueManage     Right = "catalogue.manage"
	KeysManage          Right = "keys.manage"
	PlatformAudit       Right = "platform.audit"
)

// OrganisationRights lists the rights a role of an organisation may hold, in the order pages show them.
func OrganisationRights() []Right {
	return []Right{
		AppsView, AppsManage, AppsApprove, DocsView, ConnectionsView, ConnectionsManage, RobotsView, RobotsManage,
		PeopleManage, RolesManage, PoliciesManage, AuditView,
	}
}

// PlatformRights lists the rights a role of the platform may hold.
func PlatformRights() []Right {
	return []Right{OrganisationsManage, SupportLookup, CatalogueManage, KeysManage, PlatformAudit}
}

// PlatformOwnRights lists the rights besides that a role of the platform may hold, upon the platform's own organisation:
// its apps are the credentials with which APIs ask what tokens are good for (protocol.md §1.6).
func PlatformOwnRights() []Right { return []Right{AppsView, AppsManage} }

// ViewRights lists the rights of the built-in role Viewer.
func ViewRights() []Right {
	return []Right{AppsView, ConnectionsView, RobotsView, AuditView, DocsView}
}

// Set is a set of rights, closed under implication.
type Set map[Right]struct{}

// NewSet returns the set of the rights and of what they imply.
func NewSet(rights ...Right) Set {
	s := make(Set, len(rights))
	for _, r := range rights {
		s[r] = struct{}{}
		switch r {
		case AppsManage:
			s[AppsView] = struct{}{}
		case ConnectionsManage:
			s[ConnectionsView] = struct{}{}
		case RobotsManage:
			s[RobotsView] = struct{}{}
		default:
		}
	}
	return s
}

// Has reports whether the set holds the right.
func (s Set) Has(r Right) bool {
	_, ok := s[r]
	return ok
}

// HasAll reports whether the set holds every right of the other.
func (s Set) HasAll(other Set) bool {
	for r := range other {
		if !s.Has(r) {
			return false
		}
	}
	return true
}

// Rights returns the rights in alphabetical order.
func (s Set) Rights() []Right {
	rights := make([]Right, 0, len(s))
	for r := range s {
		rights = append(rights, r)
	}
	slices.Sort(rights)
	return rights
}

// GrantRight returns the right that an actor must hold to give the scope to an app (protocol.md §6). ok is false for
// scopes that only the platform gives.
func GrantRight(scope string) (right Right, ok bool) {
	switch {
	case scope == "oauth.introspect":
		return RolesManage, true
	case strings.HasPrefix(scope, "core."), strings.HasPrefix(scope, "ccw."), strings.HasPrefix(scope, "registry."),
		strings.HasPrefix(scope, "x."): // of an organisation's own API, which only its own apps can hold
		return AppsManage, true
	case strings.HasPrefix(scope, "PM."):
		return RobotsManage, true
	case strings.HasPrefix(scope, "IS."):
		return ConnectionsManage, true
	case strings.HasPrefix(scope, "audit."):
		return AuditView, true
	default:
		return "", false
	}
}
