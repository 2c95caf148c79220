package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web"
)

// role is somebody of the matrix of C52. signIn is empty for a stranger.
type role struct {
	name         string
	signIn       string
	organisation access.OrganisationID
	rights       access.Set
}

// roles are a stranger, and people of three organisations with each of the built-in roles, and some with one right only.
func roles(p *portal) []role {
	p.t.Helper()
	p.platform()
	list := []role{{name: "stranger"}}
	for _, email := range []string{
		"guest@acme.example", "viewer@acme.example", p.withRights("manager", access.AppsManage),
		p.withRights("others", access.RobotsManage, access.ConnectionsManage, access.RolesManage, access.AuditView, access.PeopleManage),
		"admin@acme.example", "viewer@globex.example", "admin@globex.example", "root@platform.example", "support@platform.example",
	} {
		actor := p.actor(email)
		list = append(list, role{name: email, signIn: email, organisation: actor.Organisation, rights: actor.Rights})
	}
	return list
}

// target is what a path is about: an app of an organisation, or nobody's.
type target struct {
	name         string
	organisation access.OrganisationID
	parameters   map[string]string
}

// unknown has a value for every parameter that a route has, of nothing that is there but for what belongs to nobody.
func unknown() map[string]string {
	return map[string]string{
		":id": database.NewID(), ":sid": database.NewID(), ":hid": database.NewID(), ":view": database.NewID(), ":job": database.NewID(),
		":name": invoiceRead, ":task": "rotate", ":api": "coupa-core", ":robot": database.NewID(), ":group": database.NewID(),
	}
}

// targets are an app of Acme, one of Globex, and one that is not there.
func targets(p *portal) []target {
	p.t.Helper()
	of := func(name string, org access.OrganisationID, id, secret string) target {
		values := unknown()
		values[":id"], values[":sid"] = id, secret
		return target{name, org, values}
	}
	made := p.as("admin@acme.example").register(nil)
	theirs, _ := globexThings(p)
	withRobot := func(x target, org identity.Organisation) target {
		x.parameters[":robot"], x.parameters[":group"] = p.robotAndGroup(org)
		return x
	}
	return []target{
		withRobot(of("Acme's", p.acme.ID, string(made.id), usable(p, made.id)[0]), p.acme),
		withRobot(of("Globex's", p.globex.ID, string(theirs.app.ID), theirs.secret), p.globex),
		of("nobody's", "", database.NewID(), database.NewID()),
	}
}

// robotAndGroup makes a robot account and a group.
func (p *portal) robotAndGroup(org identity.Organisation) (robot, group string) {
	p.t.Helper()
	system := access.System("test", org.ID)
	r, err := p.identity.CreateRobot(p.t.Context(), system, identity.NewRobot{Organisation: org.ID, Name: "Robot of " + org.Name})
	p.must(err)
	g, err := p.identity.CreateGroup(p.t.Context(), system, identity.NewGroup{
		Organisation: org.ID, Name: "Group of " + org.Name, Roles: []string{identity.RoleViewer}, Members: []string{string(r.ID)},
	})
	p.must(err)
	return string(r.ID), string(g.ID)
}

// owned reports whether a path is about something of one organisation.
func owned(path string) bool {
	return strings.Contains(path, ":id") || strings.Contains(path, ":robot") || strings.Contains(path, ":group")
}

// fill puts the target's values into a path. A parameter that targets does not know fails the test, so that no route is
// left out of the matrix.
func (x target) fill(t *testing.T, path string) string {
	t.Helper()
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if !strings.HasPrefix(part, ":") {
			continue
		}
		value, ok := x.parameters[part]
		if !ok {
			t.Fatalf("%s: the matrix has no value for %s", path, part)
		}
		parts[i] = value
	}
	return strings.Join(parts, "/")
}

// TestC52_UI9_UI17_RightsMatrix asks every route of the table, in each of its methods, as every role, for the own organisation's
// app, another organisation's and nobody's (C52, C53). What each must answer follows from the table alone.
func TestC52_UI9_UI17_RightsMatrix(t *testing.T) {
	p := newPortal(t)
	about := targets(p)
	for _, who := range roles(p) {
		for _, route := range web.Routes() {
			for _, x := range about {
				if x.name != about[0].name && !owned(route.Path) {
					continue // about nobody's: once is enough
				}
				t.Run(fmt.Sprintf("%s %s %s %s", who.name, route.Method, route.Path, x.name), func(t *testing.T) {
					path := x.fill(t, route.Path)
					methods := []string{route.Method}
					if route.Method == http.MethodGet {
						methods = append(methods, http.MethodHead)
					}
					for _, method := range methods {
						b := p.stranger()
						if who.signIn != "" {
							b = p.as(who.signIn)
						}
						judge(t, ask(b, method, path), expected(route, who, x))
					}
				})
			}
		}
	}
	for i, email := range []string{"admin@acme.example", "admin@globex.example"} {
		id, _ := registry.ParseAppID(about[i].parameters[":id"])
		app, err := p.registry.App(t.Context(), p.actor(email), id)
		p.must(err)
		if app.Version != 1 || len(app.Usable()) != 1 {
			t.Errorf("requests without a form changed %s app: version %d, %d secrets", about[i].name, app.Version, len(app.Usable()))
		}
	}
}

// verdict is what a route must do with a request.
type verdict string

const (
	asksToSignIn verdict = "asks to sign in"
	forbids      verdict = "forbids"
	findsNothing verdict = "finds nothing"
	answers      verdict = "answers"
)

func expected(route web.Route, who role, x target) verdict {
	switch {
	case route.Who != "public" && who.signIn == "":
		return asksToSignIn
	case route.Who == "holder" && !who.rights.Has(route.Right) && (route.Or == "" || !who.rights.Has(route.Or)):
		return forbids
	case strings.HasSuffix(route.Path, "/edit") && strings.Contains(route.Path, ":api"),
		strings.HasSuffix(route.Path, "/remove") && strings.Contains(route.Path, ":api"): // what is built in stays as it is
		return findsNothing
	case strings.Contains(route.Path, "map") && !who.rights.Has(access.CatalogueManage): // of an API that is everybody's
		return forbids
	case strings.Contains(route.Path, "unmap"): // nothing is mapped
		return findsNothing
	case owned(route.Path) && x.organisation != who.organisation:
		return findsNothing
	case strings.HasPrefix(route.Name, "people.accept"), strings.HasPrefix(route.Name, "contact.verify"),
		route.Name == "hand_off.show", route.Name == "hand_off.use", strings.Contains(route.Path, ":hid"),
		strings.Contains(route.Path, ":view"), strings.Contains(route.Path, ":job"): // there is no such thing
		return findsNothing
	default:
		return answers
	}
}

func judge(t *testing.T, got *page, want verdict) {
	t.Helper()
	is := answers
	switch {
	case got.status == http.StatusForbidden:
		is = forbids
	case got.status == http.StatusNotFound:
		is = findsNothing
	case got.status == http.StatusSeeOther && strings.HasPrefix(got.header.Get("Location"), "/signin?next="):
		is = asksToSignIn
	case got.status >= http.StatusInternalServerError || got.status == http.StatusMethodNotAllowed:
		is = verdict("fails")
	}
	if is != want {
		t.Errorf("%s: %d %s, it must be one that %s\n%s", is, got.status, got.header.Get("Location"), want, got.text("main"))
	}
}

func ask(b *browser, method, path string) *page {
	b.p.t.Helper()
	if method == http.MethodPost {
		return b.post(path, nil)
	}
	return b.do(method, path, nil, nil)
}

// credentials are what a program may come with.
type credentials struct {
	name         string
	clientID     string
	secret       string
	token        string
	cookie       *browser
	authenticate bool // the client's credentials hold
	live         bool // the token does
}

// programs are those that the machine routes must tell apart.
func programs(p *portal) []credentials {
	p.t.Helper()
	admin, globex := p.as("admin@acme.example"), p.as("admin@globex.example")
	acme := admin.register(map[string][]string{"name": {"Machine"}})
	theirs := globex.register(map[string][]string{
		"name": {"Machine"}, "api_user": {string(p.apiUser(p.globex, identity.KindClient).ID)},
	})
	off := admin.register(map[string][]string{"name": {"Switched off"}})
	offToken := p.accessToken(off.clientID, off.secret)
	admin.follow(admin.post(off.path+"/deactivate", admin.get(off.path+"/deactivate").form("main form")))
	old := p.accessToken(acme.clientID, acme.secret)
	p.clock.Advance(time.Hour)
	live := p.accessToken(acme.clientID, acme.secret)
	return []credentials{
		{name: "nothing"},
		{name: "an administrator's session", cookie: p.as("admin@acme.example")},
		{name: "Acme's app", clientID: acme.clientID, secret: acme.secret, token: live, authenticate: true, live: true},
		{
			name: "Globex's app", clientID: theirs.clientID, secret: theirs.secret, authenticate: true, live: true,
			token: p.accessToken(theirs.clientID, theirs.secret),
		},
		{name: "another client's secret", clientID: acme.clientID, secret: theirs.secret, token: live + "x"},
		{name: "an unknown client", clientID: "CCWACME_aaaaaaaaaaaaaaaaaaaa", secret: acme.secret, token: "a.b.c"},
		{name: "an inactive app", clientID: off.clientID, secret: off.secret, token: offToken},
		{name: "no secret, an expired token", clientID: acme.clientID, token: old},
		{name: "a token for a secret", clientID: acme.clientID, secret: live, token: acme.secret},
	}
}

// TestC52_MachineMatrix asks everything that programs call with every sort of credential.
func TestC52_MachineMatrix(t *testing.T) {
	p := newPortal(t)
	ofAPI := map[string]bool{} // these tokens are for another one; with the right ones: TestC52_APIMatrix
	for _, r := range web.APIRoutes() {
		ofAPI[r.Path] = true
	}
	for _, c := range programs(p) {
		for _, m := range web.Machines(p.handler.(*web.Server)) {
			methods := m.Methods
			if methods == nil {
				methods = []string{http.MethodPost}
				if m.Who == "public" {
					methods = []string{http.MethodGet, http.MethodHead}
				}
			}
			for _, method := range methods {
				t.Run(c.name+" "+method+" "+m.Path, func(t *testing.T) {
					status := c.send(p, method, strings.TrimSuffix(m.Path, "*"), m.Who).status
					refused := status == http.StatusUnauthorized || status == http.StatusForbidden
					want := (m.Who == "client" && !c.authenticate) || (m.Who == "token" && !c.live) || ofAPI[m.Path]
					if m.Who == "" || refused != want || status >= http.StatusInternalServerError {
						t.Errorf("%s answers %d", m.Name, status)
					}
				})
			}
		}
	}
}

// send makes a request that is right but for the credentials.
func (c credentials) send(p *portal, method, path, who string) *page {
	p.t.Helper()
	b := p.stranger()
	if c.cookie != nil {
		b = c.cookie
	}
	h := http.Header{"Sec-Fetch-Site": nil, "Origin": nil}
	form := url.Values{"grant_type": {"client_credentials"}, "token": {"a.b.c"}}
	if who == "client" && c.clientID != "" {
		r := &http.Request{Header: h}
		r.SetBasicAuth(url.QueryEscape(c.clientID), url.QueryEscape(c.secret))
	}
	if who == "token" && c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	if method != http.MethodPost {
		return b.do(method, path, nil, h)
	}
	return b.do(method, path, strings.NewReader(form.Encode()), h)
}

// TestEveryRouteIsInATable: the server answers nothing that stands in neither table, so no route escapes the matrices,
// and a line that declares nobody is refused.
func TestEveryRouteIsInATable(t *testing.T) {
	p := newPortal(t)
	server, ok := p.handler.(*web.Server)
	if !ok {
		t.Fatalf("the handler is %T", p.handler)
	}
	declared := []string{"echo_route_not_found /", "echo_route_not_found /*"}
	for _, r := range web.Routes() {
		declared = append(declared, r.Method+" "+r.Path)
		if r.Method == http.MethodGet {
			declared = append(declared, http.MethodHead+" "+r.Path)
		}
	}
	for _, m := range web.Machines(server) {
		methods := m.Methods
		if methods == nil {
			methods = []string{
				http.MethodConnect, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPatch,
				http.MethodPost, http.MethodPut, http.MethodTrace, "PROPFIND", "REPORT",
			}
		}
		for _, method := range methods {
			declared = append(declared, method+" "+m.Path)
		}
	}
	mounted := web.Mounted(server)
	slices.Sort(declared)
	slices.Sort(mounted)
	if diff := cmp.Diff(slices.Compact(declared), slices.Compact(mounted)); diff != "" {
		t.Errorf("routes (-in the tables +answered):\n%s", diff)
	}
	if web.MountPage(server, "/open") == nil || web.MountMachine(server, "/open") == nil {
		t.Error("a route that declares nobody was mounted")
	}
}
