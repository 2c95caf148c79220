package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

// managementScopes are all scopes of the management API.
var managementScopes = []string{
	"registry.apps.read", "registry.apps.write", "registry.secrets.write", "registry.scopes.read", "audit.events.read",
}

// program is an app that calls our own APIs.
type program struct {
	p        *portal
	app      registry.App
	org      identity.Organisation
	robot    identity.RobotAccount
	clientID string
	secret   string
	token    string
}

// program makes an app with these scopes, whose API user holds these rights, and buys a token for the API of the first.
func (p *portal) program(org identity.Organisation, name string, scopes []string, rights ...access.Right) *program {
	p.t.Helper()
	system := access.System("test", org.ID)
	if len(rights) > 0 {
		_, err := p.identity.CreateRole(p.t.Context(), system, identity.NewRole{Organisation: org.ID, Name: name, Rights: rights})
		p.must(err)
	}
	wanted := identity.NewRobot{Organisation: org.ID, Name: name, Kind: identity.KindClient}
	if len(rights) > 0 {
		wanted.Roles = []string{name}
	}
	robot, err := p.identity.CreateRobot(p.t.Context(), system, wanted)
	p.must(err)
	app, shown, err := p.registry.Register(p.t.Context(), system, registry.NewApp{AppFields: registry.AppFields{
		Name: name, Description: "Calls our own APIs in a test.", Category: registry.Customer, Type: registry.Machine,
		CredentialType: registry.SharedSecret, APIUser: robot.ID, Scopes: scopes, Active: true,
		Contact: registry.Contact{FirstName: "Ana", LastName: "Silva", Email: "admin@acme.example"},
	}, Expires: registry.Expiry{Choice: registry.ExpiresNever}})
	p.must(err)
	key, _ := p.catalogue.APIOf(scopes[0])
	made := &program{p: p, app: app, org: org, robot: robot, clientID: shown.ClientID, secret: shown.Secret.Reveal()}
	made.token = p.tokenFor(made, key)
	return made
}

// tokenFor buys a token for one API by its key.
func (p *portal) tokenFor(made *program, key string) string {
	p.t.Helper()
	form := "grant_type=client_credentials&resource=" + publicURL + "/apis/" + key
	r := &http.Request{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	r.SetBasicAuth(made.clientID, made.secret)
	got := p.stranger().do(http.MethodPost, "/oauth2/token", strings.NewReader(form), r.Header)
	if got.status != http.StatusOK {
		p.t.Fatalf("no token for %s: %d %s", key, got.status, got.body)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	p.must(json.Unmarshal([]byte(got.body), &answer))
	return answer.AccessToken
}

// call calls an API with a JSON body, none where it is nil. Headers come in pairs. Whatever is asked and answered at the
// management API is held against its description.
func (m *program) call(method, path string, body any, headers ...string) *page {
	m.p.t.Helper()
	h := http.Header{"Sec-Fetch-Site": nil, "Origin": nil, "Authorization": {"Bearer " + m.token}}
	var r io.Reader
	if body != nil {
		text, raw := body.(string)
		if !raw {
			b, err := json.Marshal(body)
			m.p.must(err)
			text = string(b)
		}
		r = strings.NewReader(text)
		h.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	got := m.p.stranger().do(method, path, r, h)
	if strings.HasPrefix(path, "/api/v1/") && method != http.MethodHead {
		m.p.judged(got, method, path, h, body)
	}
	return got
}

// problem reads a problem document.
func (a *page) problem() api.Problem {
	a.t.Helper()
	var doc api.Problem
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Fatalf("%s answers %d with no problem document: %s", a.path, a.status, a.body)
	}
	return doc
}

// into reads a JSON answer, which must hold nothing that v does not.
func (a *page) into(v any) *page {
	a.t.Helper()
	dec := json.NewDecoder(strings.NewReader(a.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		a.t.Fatalf("%s: %v\n%s", a.path, err, a.body)
	}
	return a
}
