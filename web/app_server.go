package web

import (
	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// mayGive reports whether the person may give power to an app of this kind, or give it again: of resource servers it
// takes more than to manage apps (protocol.md §6). The registry asks again.
func (c *call) mayGive(kind registry.Kind) bool {
	return c.actor.Has(access.AppsManage) && (kind == registry.Caller || c.actor.Has(access.CatalogueManage))
}

// ifGiver returns the address for whoever may give power to an app of this kind, and none for others.
func (c *call) ifGiver(kind registry.Kind, path string) string {
	if c.mayGive(kind) {
		return path
	}
	return ""
}

// kinds offers the kind of app to choose, to those who may make either.
func (c *call) kinds(in appInput) templates.AppKinds {
	if !c.mayGive(registry.ResourceServer) {
		return templates.AppKinds{}
	}
	k := templates.AppKinds{Offered: true, Kind: in.purpose, API: in.resourceAPI}
	for _, api := range c.s.Registry.ResourceAPIs() {
		k.APIs = append(k.APIs, templates.AppAPI{Key: api.Key, Title: api.Title})
	}
	return k
}

// likelyKind is what the form begins with where both kinds are offered: without API users there is nothing a caller
// could act as.
func (c *call) likelyKind() (string, error) {
	if !c.mayGive(registry.ResourceServer) {
		return "", nil
	}
	users, err := c.s.Registry.APIUsers(c.ctx(), c.actor)
	if err != nil || len(users) > 0 {
		return string(registry.Caller), err
	}
	return string(registry.ResourceServer), nil
}

// introspects is the title of the API whose tokens an app introspects, "" for an app that calls APIs.
func (c *call) introspects(kind registry.Kind, api string) string {
	if kind != registry.ResourceServer {
		return ""
	}
	return c.apiTitle(api)
}

func (c *call) introspectsOf(app registry.App) string {
	return c.introspects(app.Kind, app.ResourceAPI)
}

// flashOf is the key of a message that reads otherwise of a resource server.
func flashOf(key string, app registry.App) string {
	if app.Kind == registry.ResourceServer {
		return key + "_server"
	}
	return key
}

// introspectURL is where a resource server asks, "" for an app that calls APIs.
func (s *Server) introspectURL(app registry.App) string {
	if app.Kind != registry.ResourceServer {
		return ""
	}
	return s.PublicURL + oauth.PathIntrospect
}
