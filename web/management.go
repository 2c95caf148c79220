package web

import (
	"net/http"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

// managementKey is the management API's key in the catalogue.
const managementKey = "credenza"

// The addresses of the management API that are used more than once.
const (
	apiAppsPath   = "/api/v1/apps"
	apiAppPath    = apiAppsPath + "/:id"
	apiSecretPath = apiAppPath + "/secrets/:sid"
)

// managementAPI is the table of the management API (product.md decisions 13 and 14).
func managementAPI() []apiRoute {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	const view, manage = access.AppsView, access.AppsManage
	reads, writes := rate{"management.read", 600, time.Minute}, rate{"management.write", 120, time.Minute}
	readApps, writeApps := []string{"registry.apps.read"}, []string{"registry.apps.write"}
	secrets, readScopes := []string{secretScope}, []string{"registry.scopes.read"}
	line := func(method, path, name string, anyOf []string, right access.Right, handler func(*Server, *apiCall) error) apiRoute {
		r := writes
		if method == get {
			r = reads
		}
		return apiRoute{method, path, name, managementKey, anyOf, right, r, handler}
	}
	return []apiRoute{
		line(get, apiAppsPath, "api.app.list", readApps, view, (*Server).apiApps),
		line(post, apiAppsPath, "api.app.create", writeApps, manage, (*Server).apiCreateApp),
		line(get, apiAppsPath+"/by-client-id/:client_id", "api.app.lookup", readApps, view, (*Server).apiAppByClientID),
		line(get, apiAppPath, "api.app.show", readApps, view, (*Server).apiApp),
		line(patch, apiAppPath, "api.app.edit", writeApps, manage, (*Server).apiEditApp),
		line(del, apiAppPath, "api.app.delete", writeApps, manage, (*Server).apiDeleteApp),
		line(post, apiAppPath+"/activate", "api.app.activate", writeApps, manage, (*Server).apiActivate),
		line(post, apiAppPath+"/deactivate", "api.app.deactivate", writeApps, manage, (*Server).apiDeactivate),
		line(get, apiAppPath+"/secrets", "api.secret.list", readApps, view, (*Server).apiSecrets),
		line(post, apiAppPath+"/secrets", "api.secret.create", secrets, manage, (*Server).apiRotate),
		line(post, apiSecretPath+"/retire", "api.secret.retire", secrets, manage, (*Server).apiRetire),
		line(post, apiSecretPath+"/restore", "api.secret.restore", secrets, manage, (*Server).apiRestore),
		line(post, apiSecretPath+"/leak", "api.secret.leak", secrets, manage, (*Server).apiLeak),
		line(get, "/api/v1/apis", "api.api.list", readScopes, "", (*Server).apiAPIs),
		line(get, "/api/v1/scopes", "api.scope.list", readScopes, "", (*Server).apiScopes),
		line(get, "/api/v1/scopes/:name", "api.scope.show", readScopes, "", (*Server).apiScope),
		line(get, "/api/v1/api-users", "api.api_user.list", readApps, view, (*Server).apiAPIUsers),
		line(get, "/api/v1/audit/events", "api.audit.list", []string{"audit.events.read"}, access.AuditView, (*Server).apiEvents),
	}
}

// apiApps answers with a page of apps.
func (s *Server) apiApps(c *apiCall) error {
	q, err := c.query("q", "category", "status", "sort", "order", "limit", "after", "before")
	if err != nil {
		return err
	}
	limit, err := number(q, "limit", maxListed)
	if err != nil {
		return err
	}
	descending, err := descendingOrder(q)
	if err != nil {
		return err
	}
	page, err := s.Registry.Search(c.ctx(), c.actor, registry.Query{
		Text: q.Get("q"), Category: registry.Category(q.Get("category")), Status: registry.Status(q.Get("status")),
		Sort: registry.Sort(q.Get("sort")), Descending: descending, After: q.Get("after"), Before: q.Get("before"), PerPage: limit,
	})
	if err != nil {
		return renamed(err, map[string]string{"per": "limit"})
	}
	answer := api.AppPage{Items: []api.AppRow{}, Total: page.Total, TotalCapped: page.Capped}
	for _, row := range page.Rows {
		answer.Items = append(answer.Items, wireRow(row))
	}
	if page.Next != "" {
		c.link(s, "next", []string{"after", "before"}, "after", page.Next)
	}
	if page.Previous != "" {
		c.link(s, "prev", []string{"after", "before"}, "before", page.Previous)
	}
	return c.json(http.StatusOK, answer)
}

// apiApp answers with one app.
func (s *Server) apiApp(c *apiCall) error {
	id, err := c.appID()
	if err != nil {
		return err
	}
	app, err := s.Registry.App(c.ctx(), c.actor, id)
	return c.app(http.StatusOK, app, err)
}

// apiAppByClientID answers with the app that has a client ID.
func (s *Server) apiAppByClientID(c *apiCall) error {
	app, err := s.Registry.ByClientID(c.ctx(), c.actor, c.Param("client_id"))
	return c.app(http.StatusOK, app, err)
}

// app answers with an app and the tag of its version.
func (c *apiCall) app(status int, app registry.App, err error) error {
	if err != nil {
		return err
	}
	c.Response().Header().Set(headerETag, etag(app.Version))
	return c.json(status, wireApp(app))
}

func wireRow(row registry.Row) api.AppRow {
	return api.AppRow{
		ID: string(row.ID), ClientID: row.ClientID, Kind: string(row.Kind), Name: row.Name, Category: string(row.Category),
		Status: string(row.Status), CreatedAt: row.CreatedAt, CreatedBy: wireAuthor(row.CreatedBy), ModifiedAt: row.ModifiedAt,
		LastUsedAt: orNull(row.LastUsedAt),
	}
}

func wireApp(app registry.App) api.App {
	w := api.App{
		ID: string(app.ID), ClientID: app.ClientID, Kind: string(app.Kind), Name: app.Name, Description: app.Description,
		Category: string(app.Category), Type: string(app.Type), CredentialType: string(app.CredentialType),
		Status: string(app.Status), Contact: wireContact(app.Contact), Scopes: app.Scopes, DefaultAPI: orAbsent(app.DefaultAPI),
		ResourceAPI: orAbsent(app.ResourceAPI), CreatedAt: app.CreatedAt, CreatedBy: wireAuthor(app.CreatedBy),
		ModifiedAt: app.ModifiedAt, ModifiedBy: wireAuthor(app.ModifiedBy), LastUsedAt: orNull(app.LastUsedAt),
		Version: app.Version, Secrets: wireSecrets(app.Secrets),
	}
	if app.APIUser.ID != "" {
		w.APIUser = &api.IdentityRef{ID: string(app.APIUser.ID), Name: app.APIUser.Name}
	}
	if w.Scopes == nil {
		w.Scopes = []string{}
	}
	if !app.SecondContact.IsZero() {
		second := wireContact(app.SecondContact)
		w.SecondContact = &second
	}
	return w
}

// orAbsent is a text for JSON, null for none.
func orAbsent(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func wireContact(c registry.Contact) api.Contact {
	return api.Contact{FirstName: c.FirstName, LastName: c.LastName, Email: c.Email}
}

func wireAuthor(a registry.Author) api.Author {
	return api.Author{Kind: string(a.Kind), ID: a.ID, Name: a.Name}
}

func wireSecrets(list []registry.Secret) []api.Secret {
	wire := make([]api.Secret, len(list))
	for i, secret := range list {
		wire[i] = api.Secret{
			ID: string(secret.ID), Label: secret.Label, Hint: secret.Hint, State: string(secret.State),
			CreatedAt: secret.CreatedAt, EndsAt: orNull(secret.EndsAt),
		}
	}
	return wire
}
