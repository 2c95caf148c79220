package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/web/api"
)

// openAPIPath is where the description of the management API is to be had. It takes no token: it tells what everybody may
// know who can read the catalogue's scopes and a manual.
const openAPIPath = "/api/v1/openapi.json"

// apiDoc is what a description says of a route besides its line in the table: what it takes, and what it answers. Which
// refusals there are follows from that.
type apiDoc struct {
	tag        string         // what it is about
	more       string         // key of what there is to know besides, "" for nothing
	query      []apiParameter // of the address
	body       any            // a wire struct, nil for no body
	example    any            // of the body
	status     int            // of success
	answer     any            // a wire struct, nil for no body
	tagged     bool           // the answer carries an ETag
	ifMatch    bool           // takes If-Match
	idempotent bool           // takes Idempotency-Key
	listed     bool           // the answer has links to other pages
	location   bool           // the answer says where the new thing is
	conflict   bool           // the state of the thing may not allow it
}

// apiParameter is a parameter of an address.
type apiParameter struct {
	name   string
	schema *jsonschema.Schema
}

// The parts of an OpenAPI 3.1 document that are used here. Maps are written in the order of their keys, so that the same
// code always gives the same document.
type (
	openAPI struct {
		OpenAPI    string                           `json:"openapi"`
		Info       map[string]string                `json:"info"`
		Servers    []map[string]string              `json:"servers"`
		Tags       []map[string]string              `json:"tags"`
		Paths      map[string]map[string]*operation `json:"paths"`
		Components components                       `json:"components"`
	}
	components struct {
		Schemas         map[string]*jsonschema.Schema `json:"schemas"`
		Responses       map[string]*response          `json:"responses"`
		SecuritySchemes map[string]any                `json:"securitySchemes"`
	}
	operation struct {
		ID          string                `json:"operationId"`
		Summary     string                `json:"summary"`
		Description string                `json:"description,omitempty"`
		Tags        []string              `json:"tags"`
		Right       access.Right          `json:"x-credenza-right,omitempty"`
		Security    []map[string][]string `json:"security"`
		Parameters  []parameter           `json:"parameters,omitempty"`
		RequestBody *requestBody          `json:"requestBody,omitempty"`
		Responses   map[string]*response  `json:"responses"`
	}
	parameter struct {
		Name        string             `json:"name"`
		In          string             `json:"in"`
		Description string             `json:"description,omitempty"`
		Required    bool               `json:"required,omitempty"`
		Schema      *jsonschema.Schema `json:"schema"`
	}
	requestBody struct {
		Required bool                 `json:"required"`
		Content  map[string]mediaType `json:"content"`
	}
	mediaType struct {
		Schema  *jsonschema.Schema `json:"schema"`
		Example any                `json:"example,omitempty"`
	}
	response struct {
		Ref         string                    `json:"$ref,omitempty"`
		Description string                    `json:"description,omitempty"`
		Headers     map[string]responseHeader `json:"headers,omitempty"`
		Content     map[string]mediaType      `json:"content,omitempty"`
	}
	responseHeader struct {
		Description string             `json:"description"`
		Schema      *jsonschema.Schema `json:"schema"`
	}
)

// describe writes the description of routes, all of one API.
func (s *Server) describe(routes []apiRoute, docs map[string]apiDoc) (*openAPI, error) {
	w := &describer{s: s, text: func(key string, args ...any) string {
		return i18n.T(i18n.With(context.Background(), s.Messages.For("en"), nil), key, args...)
	}, doc: &openAPI{
		OpenAPI: "3.1.1", Servers: []map[string]string{{"url": s.PublicURL}}, Paths: map[string]map[string]*operation{},
		Components: components{Schemas: map[string]*jsonschema.Schema{}, Responses: map[string]*response{}},
	}}
	w.doc.Info = map[string]string{"title": w.text("apidoc.title"), "version": "1", "description": w.text("apidoc.about")}
	if _, err := w.schema(api.Problem{}); err != nil {
		return nil, err
	}
	scopes, tags := map[string]string{}, map[string]bool{}
	for _, r := range routes {
		doc, ok := docs[r.name]
		if !ok {
			return nil, fmt.Errorf("%s is described nowhere", r.name)
		}
		if err := w.operation(r, doc); err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		for _, name := range r.anyOf {
			scopes[name] = w.text("apidoc.scope." + strings.ReplaceAll(name, ".", "_"))
		}
		if !tags[doc.tag] {
			tags[doc.tag] = true
			w.doc.Tags = append(w.doc.Tags, map[string]string{"name": doc.tag})
		}
	}
	w.doc.Components.SecuritySchemes = map[string]any{"oauth2": map[string]any{
		"type": "oauth2", "description": w.text("apidoc.token"),
		"flows": map[string]any{"clientCredentials": map[string]any{"tokenUrl": s.PublicURL + oauth.PathToken, "scopes": scopes}},
	}}
	return w.doc, nil
}

// describer writes a description.
type describer struct {
	s    *Server
	text func(key string, args ...any) string
	doc  *openAPI
}

func (w *describer) operation(r apiRoute, doc apiDoc) error {
	path, names := openAPITemplate(r.path)
	op := &operation{
		ID: strings.ReplaceAll(strings.TrimPrefix(r.name, "api."), ".", "_"), Summary: w.text("apidoc.call." + r.name[len("api."):]),
		Tags: []string{doc.tag}, Right: r.right, Responses: map[string]*response{},
	}
	if doc.more != "" {
		op.Description = w.text(doc.more)
	}
	for _, name := range r.anyOf {
		op.Security = append(op.Security, map[string][]string{"oauth2": {name}})
	}
	for _, name := range names {
		op.Parameters = append(op.Parameters, parameter{Name: name, In: "path", Required: true, Schema: pathSchema(name)})
	}
	for _, q := range doc.query {
		op.Parameters = append(op.Parameters, parameter{
			Name: q.name, In: "query", Schema: q.schema, Description: w.text("apidoc.query." + q.name),
		})
	}
	w.headers(op, doc)
	if err := w.body(op, r, doc); err != nil {
		return err
	}
	if err := w.answers(op, r, doc); err != nil {
		return err
	}
	if w.doc.Paths[path] == nil {
		w.doc.Paths[path] = map[string]*operation{}
	}
	w.doc.Paths[path][strings.ToLower(r.method)] = op
	return nil
}

// openAPITemplate turns a path of the router into a template and the names of its parameters.
func openAPITemplate(path string) (template string, names []string) {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parts[i] = "{" + name + "}"
			names = append(names, name)
		}
	}
	return strings.Join(parts, "/"), names
}

func pathSchema(name string) *jsonschema.Schema {
	if name == "id" || name == "sid" {
		return &jsonschema.Schema{Type: "string", Format: "uuid"}
	}
	return &jsonschema.Schema{Type: "string"}
}

func (w *describer) headers(op *operation, doc apiDoc) {
	text := &jsonschema.Schema{Type: "string"}
	if doc.ifMatch {
		op.Parameters = append(op.Parameters, parameter{
			Name: headerIfMatch, In: "header", Required: true, Schema: text, Description: w.text("apidoc.if_match"),
		})
	}
	if doc.idempotent {
		op.Parameters = append(op.Parameters, parameter{
			Name: headerIdempotency, In: "header", Description: w.text("apidoc.idempotency"),
			Schema: &jsonschema.Schema{Type: "string", MinLength: new(1), MaxLength: new(maxKey)},
		})
	}
}

func (w *describer) body(op *operation, r apiRoute, doc apiDoc) error {
	if doc.body == nil {
		return nil
	}
	ref, err := w.schema(doc.body)
	if err != nil {
		return err
	}
	op.RequestBody = &requestBody{Required: true, Content: map[string]mediaType{
		"application/json": {Schema: ref, Example: doc.example},
	}}
	if r.method == http.MethodPatch {
		op.RequestBody.Content["application/merge-patch+json"] = mediaType{Schema: ref, Example: doc.example}
	}
	return nil
}

// answers are that of success and every refusal that the route can come to.
func (w *describer) answers(op *operation, r apiRoute, doc apiDoc) error {
	success := &response{Description: http.StatusText(doc.status), Headers: w.rateHeaders()}
	if doc.answer != nil {
		ref, err := w.schema(doc.answer)
		if err != nil {
			return err
		}
		success.Content = map[string]mediaType{"application/json": {Schema: ref}}
	}
	for name, carried := range map[string]bool{headerETag: doc.tagged, "Link": doc.listed, "Location": doc.location} {
		if carried {
			success.Headers[name] = w.header(name)
		}
	}
	op.Responses[strconv.Itoa(doc.status)] = success
	for _, status := range refusals(r, doc) {
		name := "Problem" + strconv.Itoa(status)
		if w.doc.Components.Responses[name] == nil {
			w.doc.Components.Responses[name] = w.problem(status)
		}
		op.Responses[strconv.Itoa(status)] = &response{Ref: "#/components/responses/" + name}
	}
	return nil
}

// refusals are the statuses of problems that a route can answer with.
func refusals(r apiRoute, doc apiDoc) []int {
	list := []int{
		http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusServiceUnavailable,
	}
	add := func(when bool, statuses ...int) {
		if when {
			list = append(list, statuses...)
		}
	}
	add(doc.query != nil || doc.body != nil, http.StatusBadRequest)
	add(doc.body != nil, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	add(strings.Contains(r.path, ":"), http.StatusNotFound)
	add(doc.ifMatch, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	add(doc.conflict || doc.idempotent, http.StatusConflict)
	slices.Sort(list)
	return list
}

func (w *describer) problem(status int) *response {
	p := &response{
		Description: http.StatusText(status), Headers: map[string]responseHeader{},
		Content: map[string]mediaType{"application/problem+json": {Schema: refTo("Problem")}},
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		p.Headers["WWW-Authenticate"] = w.header("WWW-Authenticate")
	case http.StatusTooManyRequests:
		p.Headers = w.rateHeaders()
		p.Headers["Retry-After"] = w.header("Retry-After")
	}
	return p
}

func (w *describer) rateHeaders() map[string]responseHeader {
	return map[string]responseHeader{"RateLimit": w.header("RateLimit"), "RateLimit-Policy": w.header("RateLimit-Policy")}
}

func (w *describer) header(name string) responseHeader {
	key := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	return responseHeader{Description: w.text("apidoc.header." + key), Schema: &jsonschema.Schema{Type: "string"}}
}

func refTo(name string) *jsonschema.Schema {
	return &jsonschema.Schema{Ref: "#/components/schemas/" + name}
}

// schema enters the schema of a wire struct and returns a reference to it.
func (w *describer) schema(v any) (*jsonschema.Schema, error) {
	t := reflect.TypeOf(v)
	if w.doc.Components.Schemas[t.Name()] == nil {
		schema, err := wireSchema(t)
		if err != nil {
			return nil, err
		}
		w.doc.Components.Schemas[t.Name()] = schema
	}
	return refTo(t.Name()), nil
}

// openAPI answers with the description, which is made when the server is.
func (s *Server) openAPI(c echo.Context, _ *oauth.Token) error {
	return c.Blob(http.StatusOK, "application/json", s.description)
}

// newDescription makes it.
func (s *Server) newDescription() error {
	doc, err := s.describe(managementAPI(), managementDocs())
	if err != nil {
		return err
	}
	s.description, err = json.MarshalIndent(doc, "", "  ")
	return err
}
