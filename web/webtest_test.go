package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/internal/secret"
	"credenza.example/credenza/internal/signin"
	"credenza.example/credenza/static"
	"credenza.example/credenza/web"
)

const (
	publicURL = "https://portal.example"
	password  = "plum-orchard-19-weathervane"
)

// portal is the product in one process, as browsers and machines meet it: every room is the real one, on SQLite and a
// clock that tests move. Its people are those of the demonstration; their password is one for all.
type portal struct {
	t         testing.TB
	handler   http.Handler
	db        *database.DB
	clock     *dbtest.Clock
	trail     *audit.Trail
	identity  *identity.Directory
	signin    *signin.Service
	registry  *registry.Registry
	catalogue *scope.Catalogue // as it is built in
	shelf     *scope.Shelf
	verifier  *secret.Verifier
	outbox    *notify.Outbox
	log       *lines
	dir       string         // of the database
	rates     map[string]int // how often our own APIs may be called, where not as usual
	contract  *contract      // what our own APIs promise; made when the first of them is called

	mu      sync.Mutex
	answers []answer // what left the portal so far

	acme, globex identity.Organisation
}

// answer is what left the portal once: status line, headers and body.
type answer struct{ request, text string }

// newPortal makes a portal with Acme and Globex: admin@, viewer@ and guest@ at acme.example and globex.example.
func newPortal(t testing.TB) *portal {
	t.Helper()
	return newPortalWith(t, nil)
}

// newPortalWith makes one whose own APIs may be called so often.
func newPortalWith(t testing.TB, rates map[string]int) *portal {
	t.Helper()
	p := &portal{t: t, clock: dbtest.NewClock(), log: &lines{}, dir: t.TempDir(), rates: rates}
	db, err := database.Open(t.Context(), database.Config{
		URL: "sqlite:" + filepath.Join(p.dir, "credenza.db"), Clock: p.clock.Now, Logger: p.logger(), PollTimeout: dbtest.PollTimeout,
	})
	p.must(err)
	t.Cleanup(func() { _ = db.Close() })
	p.must(db.Migrate(t.Context()))
	p.db = db
	p.wire()
	p.acme = p.organisation("Acme", "ACME", "acme.example")
	p.globex = p.organisation("Globex", "GLBX", "globex.example")
	return p
}

// wire makes the rooms on the portal's database.
func (p *portal) wire() {
	p.t.Helper()
	log := p.logger()
	master, err := keyring.CreateMaster(filepath.Join(p.t.TempDir(), "master.key"))
	p.must(err)
	ring, err := keyring.Open(p.t.Context(), p.db, master, log, keyringtest.RSA())
	p.must(err)
	p.trail = audit.New(p.db, log)
	p.catalogue, err = scope.Load()
	p.must(err)
	p.shelf, err = scope.OpenShelf(p.t.Context(), p.db, p.trail, log)
	p.must(err)
	p.identity, err = identity.New(p.db, p.trail)
	p.must(err)
	p.signin, err = signin.New(signin.Deps{
		DB: p.db, Trail: p.trail, People: p.identity, MAC: ring.MAC, Logger: log, Secure: true,
		Params: signin.Params{Memory: 8, Time: 1, Threads: 1},
	})
	p.must(err)
	p.registry = p.newRegistry(ring)
	issuer, err := oauth.New(oauth.Deps{
		Issuer: publicURL, DB: p.db, Registry: p.registry, Catalogue: p.shelf, Ring: ring, Log: log, TokenLog: true,
		Metrics: prometheus.NewRegistry(),
	})
	p.must(err)
	messages, err := i18n.Load()
	p.must(err)
	files, err := static.Load()
	p.must(err)
	p.handler, err = web.New(web.Deps{
		PublicURL: publicURL, DB: p.db, Trail: p.trail, Identity: p.identity, Signin: p.signin, Registry: p.registry,
		Catalogue: p.shelf, OAuth: issuer, Messages: messages, Static: files, Log: log, ClientIDPrefix: "CCW",
		APIRates: p.rates,
	})
	p.must(err)
}

func (p *portal) newRegistry(ring *keyring.Ring) *registry.Registry {
	p.t.Helper()
	var tags []secret.TagKey
	for _, k := range ring.TagKeys() {
		tags = append(tags, secret.TagKey{ID: k.ID, State: secret.State(k.State), Key: k.Key})
	}
	keys, err := secret.NewKeys(tags)
	p.must(err)
	hasher, err := secret.NewHasher(secret.Params{Cost: 4, MinCost: 4, MaxCost: 4}, p.db.Now, nil)
	p.must(err)
	p.verifier, err = secret.NewVerifier(keys, hasher)
	p.must(err)
	p.outbox, err = notify.New(p.db, nil)
	p.must(err)
	made, err := registry.New(registry.Deps{
		DB: p.db, Trail: p.trail, Identity: p.identity, Catalogue: p.shelf, Ring: ring, Keys: keys, Hasher: hasher,
		Verifier: p.verifier, ClientIDPrefix: "CCW", Outbox: p.outbox,
	})
	p.must(err)
	return made
}

func (p *portal) organisation(name, prefix, domain string) identity.Organisation {
	p.t.Helper()
	org, err := p.identity.CreateOrganisation(p.t.Context(), access.System("test", ""),
		identity.NewOrganisation{Name: name, ClientPrefix: prefix})
	p.must(err)
	p.person(org, "admin@"+domain, "Ana", "Silva", identity.RoleAdministrator)
	p.person(org, "viewer@"+domain, "Jo", "Weber", identity.RoleViewer)
	p.person(org, "guest@"+domain, "Kim", "Lee")
	return org
}

// person makes somebody who can sign in.
func (p *portal) person(org identity.Organisation, email, first, last string, roles ...string) identity.Person {
	p.t.Helper()
	system := access.System("test", org.ID)
	person, err := p.identity.CreatePerson(p.t.Context(), system, identity.NewPerson{
		Organisation: org.ID, Email: email, FirstName: first, LastName: last, Roles: roles,
	})
	p.must(err)
	p.must(p.signin.SetPassword(p.t.Context(), system, person.ID, signin.NewSecret(password)))
	return person
}

// withRights makes a person of Acme who holds these rights and no others.
func (p *portal) withRights(name string, rights ...access.Right) string {
	p.t.Helper()
	_, err := p.identity.CreateRole(p.t.Context(), access.System("test", p.acme.ID),
		identity.NewRole{Organisation: p.acme.ID, Name: name, Rights: rights})
	p.must(err)
	email := name + "@acme.example"
	p.person(p.acme, email, name, "Person", name)
	return email
}

// actor is a person as the rooms see them, for what tests do behind the pages.
func (p *portal) actor(email string) access.Actor {
	p.t.Helper()
	person, err := p.identity.PersonByEmail(p.t.Context(), email)
	p.must(err)
	actor, err := p.identity.ActorFor(p.t.Context(), person.ID)
	p.must(err)
	return actor
}

// apiUser is the API user of this kind that an organisation has from the start.
func (p *portal) apiUser(org identity.Organisation, kind identity.RobotKind) identity.RobotAccount {
	p.t.Helper()
	users, err := p.identity.APIUsers(p.t.Context(), org.ID)
	p.must(err)
	i := slices.IndexFunc(users, func(u identity.RobotAccount) bool { return u.Kind == kind })
	if i < 0 {
		p.t.Fatalf("%s has no API user of kind %s", org.Name, kind)
	}
	return users[i]
}

func (p *portal) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *portal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines is a log that many may write to.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
