package web

import (
	"net/http"

	"github.com/google/jsonschema-go/jsonschema"

	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

// The parts of the management API's description.
const (
	docApps      = "apps"
	docSecrets   = "secrets"
	docCatalogue = "catalogue"
	docAudit     = "audit"
)

// managementDocs describes the routes of the management API by their names.
func managementDocs() map[string]apiDoc {
	const ok, created = http.StatusOK, http.StatusCreated
	one := func(tag string, answer any) apiDoc { return apiDoc{tag: tag, status: ok, answer: answer} }
	app := apiDoc{tag: docApps, status: ok, answer: api.App{}, tagged: true}
	change := app
	change.ifMatch = true
	edit := change
	edit.body, edit.example = api.AppPatch{}, map[string]any{"description": "Copies approved invoices to SAP every hour."}
	edit.more = "apidoc.more.edit"
	end := one(docSecrets, api.Secret{})
	restore := end
	restore.conflict, end.conflict = true, true
	return map[string]apiDoc{
		"api.app.list": {
			tag: docApps, status: ok, answer: api.AppPage{}, listed: true, query: []apiParameter{
				textParameter("q", registry.MaxQuery), wordParameter("category"), wordParameter("status"), wordParameter("sort"),
				wordParameter("order"), limitParameter(), textParameter("after", 0), textParameter("before", 0),
			},
		},
		"api.app.create": {
			tag: docApps, more: "apidoc.more.create", status: created, answer: api.AppCreated{}, body: api.NewApp{}, example: exampleApp(), tagged: true,
			location: true, idempotent: true,
		},
		"api.app.lookup": app, "api.app.show": app, "api.app.edit": edit, "api.app.activate": change, "api.app.deactivate": change,
		"api.app.delete":  {tag: docApps, status: http.StatusNoContent, ifMatch: true, conflict: true},
		"api.secret.list": one(docSecrets, api.SecretList{}),
		"api.secret.create": {
			tag: docSecrets, more: "apidoc.more.rotate", status: created, answer: api.ShownSecret{}, body: api.Rotation{}, idempotent: true,
			example: map[string]any{"reason": "planned", "replaced_ends": "24h"},
		},
		"api.secret.retire": end, "api.secret.restore": restore, "api.secret.leak": one(docSecrets, api.Secret{}),
		"api.api.list": one(docCatalogue, api.CatalogueAPIs{}),
		"api.scope.list": {
			tag: docCatalogue, status: ok, answer: api.ScopePage{}, listed: true, query: []apiParameter{
				textParameter("q", 0), textParameter("api", 0), {"kind", wordSchema("scope")}, limitParameter(), textParameter("after", 0),
			},
		},
		"api.scope.show":    one(docCatalogue, api.ScopeDetail{}),
		"api.api_user.list": one(docCatalogue, api.Identities{}),
		"api.audit.list": {
			tag: docAudit, status: ok, answer: api.EventPage{}, listed: true, query: []apiParameter{
				{"app", &jsonschema.Schema{Type: "string", Format: "uuid"}},
				wordParameter("result"), limitParameter(),
				{"before", &jsonschema.Schema{Type: "integer", Minimum: new(1.0)}},
			},
		},
	}
}

func textParameter(name string, most int) apiParameter {
	s := &jsonschema.Schema{Type: "string"}
	if most > 0 {
		s.MaxLength = &most
	}
	return apiParameter{name, s}
}

// wordParameter is one whose values are listed under its own name.
func wordParameter(name string) apiParameter { return apiParameter{name, wordSchema(name)} }

func limitParameter() apiParameter {
	return apiParameter{"limit", &jsonschema.Schema{
		Type: "integer", Minimum: new(1.0), Maximum: new(float64(maxListed)),
	}}
}

// exampleUser is the ID of nobody.
const exampleUser = "01970000-0000-7000-8000-000000000001"

// exampleApp is a body that makes an app with a secret.
func exampleApp() any {
	return map[string]any{
		"name": "SAP spend export", "description": "Copies approved invoices to SAP every night.", "category": "customer",
		"contact":  map[string]any{"first_name": "Ana", "last_name": "Silva", "email": "ana.silva@example.com"},
		"api_user": exampleUser, "scopes": []string{"core.invoice.read"},
		"secret": map[string]any{"label": "first"},
	}
}
