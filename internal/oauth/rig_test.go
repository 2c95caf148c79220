package oauth_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/internal/secret"
)

const issuer = "https://id.example"

// Scopes that tests use, of three APIs.
const (
	invoiceRead  = "core.invoice.read"
	invoiceWrite = "core.invoice.write"
	candidates   = "ccw.candidates"
	workers      = "ccw.contingent_workers"
	connections  = "IS.Connections.Read" // of an API that the portal serves itself
)

// rig is the product without its pages: every room below oauth, and oauth.
type rig struct {
	t         testing.TB
	db        *database.DB
	clock     *dbtest.Clock
	master    *keyring.Master
	ring      *keyring.Ring
	generator func() (*rsa.PrivateKey, error)
	rs256     *rsa.PrivateKey // the one that was made last
	identity  *identity.Directory
	registry  *registry.Registry
	catalogue *scope.Catalogue
	shelf     *scope.Shelf
	verifier  *secret.Verifier
	server    *oauth.Server
	mux       *http.ServeMux
	metrics   *prometheus.Registry
	log       *lines
	acme      identity.Organisation
	globex    identity.Organisation
	platform  identity.Organisation
}

// lines is a log that many may write to.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// catalogue is read once for all tests of the process, as a server does: nobody may change it.
var catalogue = sync.OnceValues(scope.Load)

func newRig(t testing.TB) *rig {
	t.Helper()
	clock := dbtest.NewClock()
	// Stale for an hour: tests that take the database away go on with what is known.
	db, err := database.Open(t.Context(), database.Config{
		URL: dbtest.SQLiteURL(t), Clock: clock.Now, StaleBound: time.Hour,
	})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	must(t, db.Migrate(t.Context()))
	return rigOn(t, db, clock)
}

// each runs a test in a fresh rig on SQLite and one on PostgreSQL.
func each(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) { test(t, rigOn(t, db, clock)) })
}

func rigOn(t testing.TB, db *database.DB, clock *dbtest.Clock) *rig {
	t.Helper()
	r := &rig{t: t, db: db, clock: clock, metrics: prometheus.NewRegistry(), log: &lines{}}
	log := r.logger()
	r.generator = keyringtest.Generator()
	var err error
	r.master, err = keyring.CreateMaster(filepath.Join(t.TempDir(), "master.key"))
	must(t, err)
	r.ring, err = keyring.Open(t.Context(), db, r.master, log, keyring.WithRSA(r.makeRSA))
	must(t, err)
	r.catalogue, err = catalogue()
	r.shelf = scope.NewShelf(r.catalogue)
	must(t, err)
	trail := audit.New(db, log)
	r.identity, err = identity.New(db, trail)
	must(t, err)
	r.registry = r.newRegistry(trail)
	r.server, err = oauth.New(oauth.Deps{
		Issuer: issuer, DB: db, Registry: r.registry, Catalogue: r.shelf, Ring: r.ring, Log: log, TokenLog: true,
		Metrics: r.metrics,
	})
	must(t, err)
	r.mux = http.NewServeMux()
	for _, e := range r.server.Endpoints() {
		r.mux.Handle(e.Path, e.Handler)
	}
	r.acme = r.organisation("Acme", "ACME", identity.Customer)
	r.globex = r.organisation("Globex", "GLBX", identity.Customer)
	r.platform = r.organisation("Platform", "PLAT", identity.Platform)
	return r
}

// makeRSA makes RSA keys quickly, and lets the test have the private half.
func (r *rig) makeRSA() (key *rsa.PrivateKey, err error) {
	r.rs256, err = r.generator()
	return r.rs256, err
}

func (r *rig) newRegistry(trail *audit.Trail) *registry.Registry {
	r.t.Helper()
	var tags []secret.TagKey
	for _, k := range r.ring.TagKeys() {
		tags = append(tags, secret.TagKey{ID: k.ID, State: secret.State(k.State), Key: k.Key})
	}
	keys, err := secret.NewKeys(tags)
	must(r.t, err)
	hasher, err := secret.NewHasher(secret.Params{Cost: 4, MinCost: 4, MaxCost: 4}, r.clock.Now, nil)
	must(r.t, err)
	r.verifier, err = secret.NewVerifier(keys, hasher)
	must(r.t, err)
	reg, err := registry.New(registry.Deps{
		DB: r.db, Trail: trail, Identity: r.identity, Catalogue: r.shelf, Ring: r.ring, Keys: keys, Hasher: hasher,
		Verifier: r.verifier, ClientIDPrefix: "CCW",
	})
	must(r.t, err)
	return reg
}

// logger writes to r.log.
func (r *rig) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r.log, nil)) }

// bcrypts is how often bcrypt has run to verify a secret.
func (r *rig) bcrypts() uint64 { return r.verifier.Bcrypts() }

func (r *rig) organisation(name, prefix string, kind identity.OrganisationKind) identity.Organisation {
	r.t.Helper()
	org, err := r.identity.CreateOrganisation(r.t.Context(), access.System("test", ""),
		identity.NewOrganisation{Name: name, ClientPrefix: prefix, Kind: kind})
	must(r.t, err)
	return org
}

// app is a registered app with its secret.
type app struct {
	registry.App

	secret   string
	secretID registry.SecretID
}

// app registers an active app of Acme.
func (r *rig) app(scopes ...string) app {
	return r.appOf(r.acme, func(n *registry.NewApp) { n.Scopes = scopes })
}

func (r *rig) appOf(org identity.Organisation, change func(*registry.NewApp)) app {
	r.t.Helper()
	n := newApp()
	n.APIUser = r.apiUser(org)
	if change != nil {
		change(&n)
	}
	return r.register(org, n)
}

// resourceServer is the credential of an API, made by the platform.
func (r *rig) resourceServer(api string) app {
	r.t.Helper()
	n := newApp()
	n.Kind, n.ResourceAPI = registry.ResourceServer, api
	return r.register(r.platform, n)
}

// observer is an app that may introspect its organisation's tokens, with an API user that no other app of a test has.
func (r *rig) observer(org identity.Organisation) app {
	r.t.Helper()
	return r.appOf(org, func(n *registry.NewApp) {
		n.Category, n.APIUser, n.Scopes = registry.Supplier, r.userOf(org, identity.KindSupplier), []string{"oauth.introspect"}
	})
}

func newApp() registry.NewApp {
	return registry.NewApp{
		AppFields: registry.AppFields{
			Name: "App " + database.NewID(), Description: "An app of a test.", Category: registry.Customer,
			Type: registry.Machine, CredentialType: registry.SharedSecret,
			Contact: registry.Contact{FirstName: "Ana", LastName: "Silva", Email: "ana@acme.example"},
			Scopes:  []string{invoiceRead}, Active: true,
		},
		Expires: registry.Expiry{Choice: registry.ExpiresNever},
	}
}

func (r *rig) register(org identity.Organisation, n registry.NewApp) app {
	r.t.Helper()
	made, shown, err := r.registry.Register(r.t.Context(), r.actor(org), n)
	must(r.t, err)
	a := app{App: made}
	if shown != nil {
		a.secret, a.secretID = shown.Secret.Reveal(), shown.ID
	}
	return a
}

func (r *rig) actor(org identity.Organisation) access.Actor { return access.System("test", org.ID) }

// apiUser returns the API user of kind client.
func (r *rig) apiUser(org identity.Organisation) identity.RobotID {
	return r.userOf(org, identity.KindClient)
}

func (r *rig) userOf(org identity.Organisation, kind identity.RobotKind) identity.RobotID {
	r.t.Helper()
	users, err := r.identity.APIUsers(r.t.Context(), org.ID)
	must(r.t, err)
	for _, u := range users {
		if u.Kind == kind {
			return u.ID
		}
	}
	r.t.Fatal("no API user")
	return ""
}

// reload returns the app as it is stored now.
func (r *rig) reload(a app) registry.App {
	r.t.Helper()
	now, err := r.registry.App(r.t.Context(), access.System("test", a.Organisation), a.ID)
	must(r.t, err)
	return now
}

func (r *rig) deactivate(a app) {
	r.t.Helper()
	_, err := r.registry.Deactivate(r.t.Context(), access.System("test", a.Organisation), a.ID, r.reload(a).Version)
	must(r.t, err)
}

// reply is an answer of the server.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (p reply) code() string {
	s, _ := p.body["error"].(string)
	return s
}

// active is what introspection answered.
func (p reply) active() bool {
	b, _ := p.body["active"].(bool)
	return b
}

func (p reply) text(name string) string {
	s, _ := p.body[name].(string)
	return s
}

// send sends a request and reads the answer, which must be JSON that no cache keeps.
func (r *rig) send(req *http.Request) reply {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.mux.ServeHTTP(w, req)
	p := reply{status: w.Code, header: w.Result().Header, raw: w.Body.String()}
	if p.raw == "" {
		return p
	}
	if err := json.Unmarshal([]byte(p.raw), &p.body); err != nil {
		r.t.Errorf("%d: %q is no JSON: %v", p.status, p.raw, err)
	}
	if got := p.header.Get("Content-Type"); got != "application/json" {
		r.t.Errorf("Content-Type %q", got)
	}
	return p
}

const formType = "application/x-www-form-urlencoded"

// request makes a POST request with a body as it stands.
func request(path, body string, headers ...string) *http.Request {
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Content-Type", formType)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	return req
}

// basic is the Authorization header with both halves encoded as RFC 6749 §2.3.1 has it.
func basic(id, proof string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(proof)))
}

// post sends a form as the app, with Basic. Parameters are pairs.
func (r *rig) post(path string, a app, parameters ...string) reply {
	r.t.Helper()
	p := r.send(request(path, form(parameters...), "Authorization", basic(a.ClientID, a.secret)))
	if p.header.Get("Cache-Control") != "no-store" {
		r.t.Errorf("%s: Cache-Control %q", path, p.header.Get("Cache-Control"))
	}
	return p
}

func form(parameters ...string) string {
	var pairs []string
	for i := 0; i+1 < len(parameters); i += 2 {
		pairs = append(pairs, url.QueryEscape(parameters[i])+"="+url.QueryEscape(parameters[i+1]))
	}
	return strings.Join(pairs, "&")
}

// ask asks for a token with the grant type and more parameters.
func (r *rig) ask(a app, parameters ...string) reply {
	r.t.Helper()
	return r.post(oauth.PathToken, a, append([]string{"grant_type", "client_credentials"}, parameters...)...)
}

// token returns a token of the app.
func (r *rig) token(a app, parameters ...string) string {
	r.t.Helper()
	p := r.ask(a, parameters...)
	if p.status != http.StatusOK {
		r.t.Fatalf("no token: %d %s", p.status, p.raw)
	}
	return p.text("access_token")
}

func (r *rig) introspect(a app, token string) reply {
	r.t.Helper()
	return r.post(oauth.PathIntrospect, a, "token", token)
}

// isActive reports what introspection says, and checks that of an inactive token it says nothing else.
func (r *rig) isActive(a app, token string) bool {
	r.t.Helper()
	p := r.introspect(a, token)
	if p.status != http.StatusOK {
		r.t.Fatalf("introspect: %d %s", p.status, p.raw)
	}
	if p.active() {
		return true
	}
	if p.raw != `{"active":false}` {
		r.t.Errorf("an inactive token is answered %s", p.raw)
	}
	return false
}

// refused checks status and error code of an answer.
func refused(t testing.TB, p reply, status int, code string) {
	t.Helper()
	if p.status != status || p.code() != code {
		t.Errorf("got %d %s, want %d %s", p.status, p.raw, status, code)
	}
	if p.text("access_token") != "" {
		t.Error("a token came with it")
	}
}

// part decodes a part of a JWT without looking at the signature.
func part(t testing.TB, token string, i int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	must(t, err)
	var m map[string]any
	must(t, json.Unmarshal(raw, &m))
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
