package web

import (
	"net/http"
	"strconv"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

// managementKey is the management API's key in the catalogue.
const managementKey = "credenza"

// managementAPI is the table of the management API.
func managementAPI() []apiRoute {
	reads := rate{"management.read", 600, time.Minute}
	readApps := []string{"registry.apps.read", "registry.apps.write"}
	return []apiRoute{
		{
			http.MethodGet, "/api/v1/apps/:id", "api.app.show", managementKey, readApps, access.AppsView, reads,
			(*Server).apiApp,
		},
	}
}

// apiApp answers with one app.
func (s *Server) apiApp(c *apiCall) error {
	id, ok := registry.ParseAppID(c.Param("id"))
	if !ok {
		return problem.New(problem.NotFound, "problem.not_found")
	}
	app, err := s.Registry.App(c.ctx(), c.actor, id)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", etag(app.Version))
	return c.json(http.StatusOK, wireApp(app))
}

// etag is a version as a strong entity tag (RFC 9110 §8.8.3).
func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

func wireApp(app registry.App) api.App {
	w := api.App{
		ID: string(app.ID), ClientID: app.ClientID, Kind: string(app.Kind), Name: app.Name, Description: app.Description,
		Category: string(app.Category), Type: string(app.Type), CredentialType: string(app.CredentialType),
		Status: string(app.Status), Contact: wireContact(app.Contact),
		APIUser: api.APIUserRef{ID: string(app.APIUser.ID), Name: app.APIUser.Name}, Scopes: app.Scopes,
		DefaultAPI: app.DefaultAPI, ResourceAPI: app.ResourceAPI, CreatedAt: app.CreatedAt, CreatedBy: wireAuthor(app.CreatedBy),
		ModifiedAt: app.ModifiedAt, ModifiedBy: wireAuthor(app.ModifiedBy), LastUsedAt: orNull(app.LastUsedAt),
		Version: app.Version, Secrets: wireSecrets(app.Secrets),
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
