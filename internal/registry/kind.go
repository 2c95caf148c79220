package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/scope"
)

// Kind says what an app is there for. It is chosen when the app is registered and stays.
type Kind string

// The kinds. A resource server is the credential of one API of the catalogue, with which that API asks what the tokens
// are good for that it is shown, whichever organisation's they are (protocol.md §1.6). It belongs to the platform, acts
// as nobody, holds no scope and gets no token.
const (
	Caller         Kind = "caller"
	ResourceServer Kind = "resource_server"
)

// What the columns hold that say nothing of a resource server. Nothing shows them.
const (
	noCategory = Partner
	noType     = Machine
)

// ResourceAPIs returns the APIs that may have resource servers: those of the catalogue that the portal does not serve
// itself and that are nobody's own, in the catalogue's order.
func (r *Registry) ResourceAPIs() []scope.API {
	var list []scope.API
	for _, api := range r.catalogue.For("").APIs() {
		if !api.Own {
			list = append(list, api)
		}
	}
	return list
}

// overCatalogue asks for the right to change the catalogue: a resource server hears of every organisation's tokens, so
// whoever gives such power, or gives it again, decides for the API. A refusal is recorded.
func (r *Registry) overCatalogue(ctx context.Context, actor access.Actor, act audit.Act) error {
	act.Right = access.CatalogueManage
	return r.trail.Check(ctx, actor, act)
}

// fillKind puts the kind into a new app. Faults name the fields kind and resource_api.
func (r *Registry) fillKind(app *App, n NewApp, org identity.Organisation, found *faults) {
	app.Kind = n.Kind
	switch n.Kind {
	case "":
		app.Kind = Caller
	case Caller:
	case ResourceServer:
		app.ResourceAPI = n.ResourceAPI
		if org.Kind != identity.Platform {
			found.addNew("kind", "app.kind.platform")
		}
		found.add(r.resourceAPIFault(n.ResourceAPI))
	default:
		found.addNew("kind", "app.kind.choose")
	}
}

func (r *Registry) resourceAPIFault(key string) *problem.Field {
	if api, ok := r.catalogue.For("").API(key); ok && !api.Own {
		return nil
	}
	fault := problem.NewField("resource_api", "app.resource_api.choose")
	return &fault
}

// fillResourceServer puts into a resource server what a caller is asked for.
func fillResourceServer(app *App) {
	app.Category, app.Type, app.CredentialType = noCategory, noType, SharedSecret
}
