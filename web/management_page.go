package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"credenza.example/credenza/templates"
)

// apiPagePath is where people read about the management API.
const apiPagePath = "/api"

// apiPage describes the management API, out of the same table as its OpenAPI document.
func (s *Server) apiPage(c *call) error {
	view := templates.APIPage{
		Frame: c.frame("api"), TokenURL: s.PublicURL + tokenPath, Audience: s.OAuth.Audience(managementKey),
		DocumentHref: openAPIPath, DocumentURL: s.PublicURL + openAPIPath,
	}
	docs := managementDocs()
	for _, r := range managementAPI() {
		doc := docs[r.name]
		i := slices.IndexFunc(view.Groups, func(g templates.APIGroup) bool { return g.Code == doc.tag })
		if i < 0 {
			i = len(view.Groups)
			view.Groups = append(view.Groups, templates.APIGroup{Code: doc.tag})
		}
		one, err := s.shownCall(c, r, doc)
		if err != nil {
			return err
		}
		view.Groups[i].Calls = append(view.Groups[i].Calls, one)
	}
	return c.render(http.StatusOK, templates.APIPageView(view))
}

// pathVariables are what commands have for the parameters of a path.
var pathVariables = strings.NewReplacer(":id", "$APP_ID", ":sid", "$SECRET_ID", ":client_id", "$CCW_CLIENT_ID",
	":name", "core.invoice.read")

func (s *Server) shownCall(c *call, r apiRoute, doc apiDoc) (templates.APICall, error) {
	path, _ := openAPITemplate(r.path)
	shown := templates.APICall{
		ID: strings.ReplaceAll(strings.TrimPrefix(r.name, "api."), ".", "-"), Summary: c.t("apidoc.call." + r.name[len("api."):]),
		Method: r.method, Path: path, URL: s.PublicURL + pathVariables.Replace(r.path), Scopes: r.anyOf, Right: string(r.right),
		Success: doc.status,
	}
	if doc.more != "" {
		shown.More = c.t(doc.more)
	}
	for _, q := range doc.query {
		p := templates.APIParameter{Name: q.name, Text: c.t("apidoc.query." + q.name)}
		for _, v := range q.schema.Enum {
			if word, ok := v.(string); ok {
				p.Values = append(p.Values, word)
			}
		}
		shown.Parameters = append(shown.Parameters, p)
	}
	if doc.ifMatch {
		shown.Headers = append(shown.Headers, headerIfMatch+": *")
		shown.Parameters = append(shown.Parameters, templates.APIParameter{Name: headerIfMatch, Text: c.t("apidoc.if_match"), Required: true})
	}
	if doc.idempotent {
		shown.Parameters = append(shown.Parameters, templates.APIParameter{Name: headerIdempotency, Text: c.t("apidoc.idempotency")})
	}
	for _, status := range refusals(r, doc) {
		shown.Refusals = append(shown.Refusals, strconv.Itoa(status))
	}
	if doc.example != nil {
		body, err := json.Marshal(doc.example)
		if err != nil {
			return shown, err
		}
		var lines bytes.Buffer
		if err := json.Indent(&lines, body, "    ", "  "); err != nil {
			return shown, err
		}
		// The one value that is never the same in two organisations comes from a variable: out of the quotes, and back.
		shown.Example = strings.ReplaceAll(lines.String(), exampleUser, `'"$API_USER_ID"'`)
	}
	return shown, nil
}
