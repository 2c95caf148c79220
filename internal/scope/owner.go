package scope

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
)

// Owner is for whom an API is added: an organisation with its client prefix, or everybody when zero.
type Owner struct {
	Organisation access.OrganisationID
	Prefix       string // client prefix
}

// right is what adding takes: the shared catalogue is the platform's, an organisation's own APIs are its app managers'.
func (o Owner) right() access.Right {
	if o.Organisation == "" {
		return access.CatalogueManage
	}
	return access.AppsManage
}

// may reports whether an actor acts for the owner: nobody changes what is another organisation's own.
func (o Owner) may(actor access.Actor) bool {
	return o.Organisation == "" || o.Organisation == actor.Organisation
}

// The beginnings of what belongs to one organisation: of an API's key and of a scope. The client prefix follows in lower
// case (protocol.md §6).
const (
	ownKeys   = "x-"
	ownScopes = "x."
)

// KeyPrefix is how the keys of the owner's APIs begin; ScopePrefix is how their scopes do. Both are "" for everybody's.
func (o Owner) KeyPrefix() string { return o.begin(ownKeys, "-") }

// ScopePrefix is how the scopes of the owner's APIs begin.
func (o Owner) ScopePrefix() string { return o.begin(ownScopes, ".") }

func (o Owner) begin(with, end string) string {
	if o.Organisation == "" {
		return ""
	}
	return with + strings.ToLower(o.Prefix) + end
}

// keeps reports where an API leaves the room of its owner, or claims to be more than an added one.
func (o Owner) keeps(api API) error {
	var found faults
	where := "api " + api.Key
	stays := func(text, prefix, reserved string) bool {
		if prefix == "" {
			return !strings.HasPrefix(text, reserved)
		}
		return strings.HasPrefix(text, prefix) && len(text) > len(prefix)
	}
	if !stays(api.Key, o.KeyPrefix(), ownKeys) {
		found.add(where, "the key %s", begins(o.KeyPrefix(), ownKeys))
	}
	if slices.Contains(reservedKeys(), api.Key) {
		found.add(where, "the key is an address of the portal's own")
	}
	for _, family := range api.Families {
		for _, s := range family.Scopes {
			if !stays(s.Name, o.ScopePrefix(), ownScopes) {
				found.add("scope "+s.Name, "the name %s", begins(o.ScopePrefix(), ownScopes))
			}
		}
	}
	if api.Own {
		found.add(where, "own is for the APIs that Credenza serves itself")
	}
	if len(api.Mandatory.Connections) > 0 || api.Mandatory.Source != "" {
		found.add(where, "mandatory is for built-in APIs")
	}
	return found.err()
}

// reservedKeys are the last parts of addresses where the page of an API would stand.
func reservedKeys() []string { return []string{"new", "import", "undescribed"} }

func begins(prefix, reserved string) string {
	if prefix == "" {
		return fmt.Sprintf("must not begin with %s, which marks an organisation's own", reserved)
	}
	return "must begin with " + prefix + " and go on"
}

// invalidDocument is a document that cannot be read, or says what it must not.
func invalidDocument(err error) error {
	if _, known := errors.AsType[*problem.Error](err); known {
		return err
	}
	return problem.Fields(problem.NewField("document", "catalogue.unsound", "Faults", err.Error()))
}
