package registry_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/internal/secret"
)

// world is a registry with all its neighbours on one database: the organisations Acme and Globex, each with an
// administrator and a viewer.
type world struct {
	*registry.Registry

	db       *database.DB
	clock    *dbtest.Clock
	trail    *audit.Trail
	identity *identity.Directory
	verifier *secret.Verifier
	master   *keyring.Master
	deps     registry.Deps

	acme, globex  identity.Organisation
	admin, viewer access.Actor // of Acme
	globexAdmin   access.Actor
	client        identity.RobotAccount // Acme's API user "Client user"
	supplier, msp identity.RobotAccount
	globexClient  identity.RobotAccount
	nobody        access.Actor // of Acme, without any right
}

// each runs a test in a fresh world on SQLite and one on PostgreSQL.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) { test(t, newWorld(t, db, clock)) })
}

// sqliteWorld is a world for what cannot differ between databases.
func sqliteWorld(t testing.TB) *world {
	t.Helper()
	clock := dbtest.NewClock()
	return newWorld(t, dbtest.SQLite(t, clock), clock)
}

func newWorld(t testing.TB, db *database.DB, clock *dbtest.Clock) *world {
	t.Helper()
	master := must(keyring.CreateMaster(filepath.Join(t.TempDir(), "master.key")))(t)
	w := &world{db: db, clock: clock, master: master}
	w.open(t)
	w.acme = w.organisation(t, "Acme", "ACME")
	w.globex = w.organisation(t, "Globex", "GLBX")
	w.admin = w.actor(t, w.acme, "ana.silva@acme.example", "Ana", "Silva", identity.RoleAdministrator)
	w.viewer = w.actor(t, w.acme, "jo.weber@acme.example", "Jo", "Weber", identity.RoleViewer)
	w.nobody = w.actor(t, w.acme, "guest@acme.example", "Gast", "Nobody")
	w.globexAdmin = w.actor(t, w.globex, "admin@globex.example", "Hank", "Scorpio", identity.RoleAdministrator)
	w.client = w.apiUser(t, w.acme, identity.KindClient)
	w.supplier = w.apiUser(t, w.acme, identity.KindSupplier)
	w.msp = w.apiUser(t, w.acme, identity.KindMSP)
	w.globexClient = w.apiUser(t, w.globex, identity.KindClient)
	return w
}

// catalogue is read once for all tests of the process, as a server does: nobody may change it.
var catalogue = sync.OnceValues(scope.Load)

// open makes the rooms on the world's database.
func (w *world) open(t testing.TB) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	w.trail = audit.New(w.db, log)
	w.identity = must(identity.New(w.db, w.trail))(t)
	ring := must(keyring.Open(t.Context(), w.db, w.master, log, keyringtest.RSA()))(t)
	var tagKeys []secret.TagKey
	for _, k := range ring.TagKeys() {
		tagKeys = append(tagKeys, secret.TagKey{ID: k.ID, State: secret.State(k.State), Key: k.Key})
	}
	keys := must(secret.NewKeys(tagKeys))(t)
	hasher := must(secret.NewHasher(secret.Params{Cost: 4, MinCost: 4, MaxCost: 4}, w.db.Now, nil))(t)
	w.verifier = must(secret.NewVerifier(keys, hasher))(t)
	w.deps = registry.Deps{
		DB: w.db, Trail: w.trail, Identity: w.identity, Catalogue: scope.NewShelf(must(catalogue())(t)), Ring: ring, Keys: keys,
		Hasher: hasher, Verifier: w.verifier, ClientIDPrefix: "CCW", Random: nineFirst{},
		Outbox: must(notify.New(w.db, nil))(t),
	}
	w.Registry = must(registry.New(w.deps))(t)
}

// must returns what was made, or ends the test.
func must[T any](made T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
}

func (w *world) operator(org identity.Organisation) access.Actor {
	return access.Operator("root", org.ID)
}

func (w *world) organisation(t testing.TB, name, prefix string) identity.Organisation {
	t.Helper()
	n := identity.NewOrganisation{Name: name, ClientPrefix: prefix}
	return must(w.identity.CreateOrganisation(t.Context(), access.Operator("root", ""), n))(t)
}

// actor makes a person with these roles and returns them signed in.
func (w *world) actor(t testing.TB, org identity.Organisation, email, first, last string, roles ...string) access.Actor {
	t.Helper()
	n := identity.NewPerson{Organisation: org.ID, Email: email, FirstName: first, LastName: last, Roles: roles}
	p := must(w.identity.CreatePerson(t.Context(), w.operator(org), n))(t)
	err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return identity.SetPasswordHash(tx, p.ID, identity.NewPasswordHash("$argon2id$x"))
	})
	if err != nil {
		t.Fatal(err)
	}
	return must(w.identity.ActorFor(t.Context(), p.ID))(t)
}

// withRights makes a person of Acme who holds these rights and no others.
func (w *world) withRights(t testing.TB, name string, rights ...access.Right) access.Actor {
	t.Helper()
	n := identity.NewRole{Organisation: w.acme.ID, Name: name, Rights: rights}
	must(w.identity.CreateRole(t.Context(), w.operator(w.acme), n))(t)
	return w.actor(t, w.acme, name+"@acme.example", name, "Person", name)
}

func (w *world) apiUser(t testing.TB, org identity.Organisation, kind identity.RobotKind) identity.RobotAccount {
	t.Helper()
	for _, u := range must(w.identity.APIUsers(t.Context(), org.ID))(t) {
		if u.Kind == kind {
			return u
		}
	}
	t.Fatalf("%s has no API user of kind %s", org.Name, kind)
	return identity.RobotAccount{}
}

// robot makes an API user of Acme, with a role of its own that holds these rights.
func (w *world) robot(t testing.TB, name string, kind identity.RobotKind, rights ...access.Right) identity.RobotAccount {
	t.Helper()
	n := identity.NewRobot{Organisation: w.acme.ID, Name: name, Kind: kind}
	if len(rights) > 0 {
		role := identity.NewRole{Organisation: w.acme.ID, Name: name, Rights: rights}
		must(w.identity.CreateRole(t.Context(), w.operator(w.acme), role))(t)
		n.Roles = []string{name}
	}
	return must(w.identity.CreateRobot(t.Context(), w.operator(w.acme), n))(t)
}

// fields returns a form of Acme without a fault.
func (w *world) fields(name string) registry.AppFields {
	return registry.AppFields{
		Name: name, Description: "Reads invoices for the spend report.", Category: registry.Customer,
		Type: registry.Machine, CredentialType: registry.SharedSecret,
		Contact: registry.Contact{FirstName: "Jo", LastName: "Weber", Email: "jo.weber@acme.example"},
		APIUser: w.client.ID, Scopes: []string{"core.invoice.read"}, Active: true,
	}
}

// register registers an app of Acme as its administrator.
func (w *world) register(t testing.TB, name string) (registry.App, *registry.NewSecret) {
	t.Helper()
	return w.registerFields(t, w.admin, w.fields(name))
}

func (w *world) registerFields(t testing.TB, actor access.Actor, f registry.AppFields) (registry.App, *registry.NewSecret) {
	t.Helper()
	app, shown, err := w.Register(t.Context(), actor, registry.NewApp{AppFields: f})
	if err != nil {
		t.Fatalf("register %q: %v", f.Name, err)
	}
	return app, shown
}

// globexApp registers an app of Globex.
func (w *world) globexApp(t testing.TB, name string) (registry.App, *registry.NewSecret) {
	t.Helper()
	f := w.fields(name)
	f.APIUser = w.globexClient.ID
	return w.registerFields(t, w.globexAdmin, f)
}

// app reads an app of Acme.
func (w *world) app(t testing.TB, id registry.AppID) registry.App {
	t.Helper()
	return must(w.App(t.Context(), w.admin, id))(t)
}

func (w *world) rotate(t testing.TB, id registry.AppID, n registry.Rotation) *registry.NewSecret {
	t.Helper()
	if n.Reason == "" {
		n.Reason = registry.Planned
	}
	return must(w.Rotate(t.Context(), w.admin, id, n))(t)
}

func (w *world) deactivate(t testing.TB, id registry.AppID) registry.App {
	t.Helper()
	return must(w.Deactivate(t.Context(), w.admin, id, w.app(t, id).Version))(t)
}

// events returns the events of an organisation, newest first.
func (w *world) events(t testing.TB, org identity.Organisation) []audit.Event {
	t.Helper()
	page, err := w.trail.Events(t.Context(), audit.Query{Chain: org.ID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

func (w *world) lastEvent(t testing.TB) audit.Event {
	t.Helper()
	return w.events(t, w.acme)[0]
}

// authenticates reports whether a secret is accepted now.
func (w *world) authenticates(t testing.TB, clientID, text string) bool {
	t.Helper()
	_, _, err := w.Authenticate(t.Context(), clientID, text, "")
	if err != nil && !refused(err) {
		t.Fatalf("authenticate: %v", err)
	}
	return err == nil
}

// refused reports whether a secret was refused as wrong, or its sender told to wait after many that were.
func refused(err error) bool {
	return errors.Is(err, secret.ErrWrong) || problem.Is(err, problem.Limited)
}

// value reads one value from the database.
func value[T any](t testing.TB, db *database.DB, query string, args ...any) T {
	t.Helper()
	var v T
	if err := db.Read(t.Context()).Raw(query, args...).Scan(&v).Error; err != nil {
		t.Fatal(err)
	}
	return v
}

// dump returns every row of the tables of apps, as text, to prove that nothing changed.
func (w *world) dump(t testing.TB) map[string][]map[string]any {
	t.Helper()
	tables := map[string][]map[string]any{}
	for table, order := range map[string]string{
		"apps": "id", "app_contacts": "id", "app_scopes": "app_id, scope", "app_secrets": "id", "app_words": "app_id, word",
		"revoked_tokens": "jti", "spent_nonces": "nonce_hash",
	} {
		var rows []map[string]any
		if err := w.db.Read(t.Context()).Table(table).Order(order).Find(&rows).Error; err != nil {
			t.Fatal(err)
		}
		tables[table] = rows
	}
	return tables
}

// unchanged fails unless an act changed no row of the room.
func (w *world) unchanged(t testing.TB, act func()) {
	t.Helper()
	before := w.dump(t)
	act()
	if diff := cmp.Diff(before, w.dump(t)); diff != "" {
		t.Errorf("rows changed:\n%s", diff)
	}
}

// wantCode fails unless err is a problem of this code, and makes sure that English has a sentence for each of its keys.
func wantCode(t testing.TB, err error, code problem.Code) *problem.Error {
	t.Helper()
	if !problem.Is(err, code) {
		t.Fatalf("got %v, want %s", err, code)
	}
	p := problem.As(err)
	wantSentence(t, p.Key, p.Args)
	for _, f := range p.Fields {
		wantSentence(t, f.Key, f.Args)
	}
	return p
}

// wantFields fails unless err is an Invalid problem with exactly these faults: field names and keys.
func wantFields(t testing.TB, err error, want map[string]string) *problem.Error {
	t.Helper()
	p := wantCode(t, err, problem.Invalid)
	got := map[string]string{}
	for _, f := range p.Fields {
		got[f.Name] = f.Key
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("faults (-want +got):\n%s", diff)
	}
	return p
}

var bundle = sync.OnceValues(i18n.Load)

func wantSentence(t testing.TB, key string, args map[string]any) {
	t.Helper()
	ctx := i18n.With(context.Background(), must(bundle())(t).For("en"), time.UTC)
	text := i18n.Text(ctx, key, args)
	if text == key || strings.Contains(text, "<no value>") {
		t.Errorf("English for %s: %s", key, text)
	}
}

// broken is a source of random bytes that has none.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// atOnce runs a function in several goroutines that start together.
func atOnce(n int, run func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			run(i)
		})
	}
	close(start)
	wg.Wait()
}

// nineFirst is random but for its first byte, which makes the random part of every client ID begin with a 9: that part is
// a word of the index, and no word that tests look for may begin it by chance.
type nineFirst struct{}

func (nineFirst) Read(b []byte) (int, error) {
	n, err := rand.Read(b)
	if n > 0 {
		b[0] = 7
	}
	return n, err
}
