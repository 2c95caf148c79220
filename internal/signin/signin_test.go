package signin_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/signin"
)

const (
	good    = "violet kettle on the roof"
	another = "seven herons in a bathtub"
)

// house is the room on a fresh database with two organisations.
type house struct {
	*signin.Service
	db           *database.DB
	clock        *dbtest.Clock
	trail        *audit.Trail
	people       *identity.Directory
	acme, globex identity.Organisation
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		h := newHouse(t, db, clock)
		h.acme = h.organisation(t, "Acme Corp", "ACME")
		h.globex = h.organisation(t, "Globex", "GLBX")
		test(t, h)
	})
}

// sqliteHouse is for tests of what a database does not decide.
func sqliteHouse(t *testing.T) (*dbtest.Clock, *house) {
	t.Helper()
	clock := dbtest.NewClock()
	h := newHouse(t, dbtest.SQLite(t, clock), clock)
	h.acme = h.organisation(t, "Acme Corp", "ACME")
	h.globex = h.organisation(t, "Globex", "GLBX")
	return clock, h
}

// newHouse wires the room as a process does.
func newHouse(t *testing.T, db *database.DB, clock *dbtest.Clock) *house {
	t.Helper()
	trail := audit.New(db, slog.New(slog.DiscardHandler))
	people, err := identity.New(db, trail)
	if err != nil {
		t.Fatal(err)
	}
	s, err := signin.New(signin.Deps{DB: db, Trail: trail, People: people, MAC: mac, Params: cheap, Secure: true})
	if err != nil {
		t.Fatal(err)
	}
	return &house{Service: s, db: db, clock: clock, trail: trail, people: people}
}

var cheap = signin.Params{Memory: 8, Time: 1, Threads: 1}

func mac(purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, []byte("test key "+purpose))
	h.Write(data)
	return h.Sum(nil)
}

func operator() access.Actor { return access.Operator("root", "") }

func (h *house) organisation(t *testing.T, name, prefix string) identity.Organisation {
	t.Helper()
	org, err := h.people.CreateOrganisation(t.Context(), operator(), identity.NewOrganisation{Name: name, ClientPrefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return org
}

func (h *house) invited(t *testing.T, org identity.Organisation, email string, roles ...string) identity.Person {
	t.Helper()
	p, err := h.people.CreatePerson(t.Context(), operator(), identity.NewPerson{
		Organisation: org.ID, Email: email, FirstName: "Ana", LastName: "Silva", Roles: roles,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// member makes a person with the good password.
func (h *house) member(t *testing.T, org identity.Organisation, email string, roles ...string) identity.Person {
	t.Helper()
	p := h.invited(t, org, email, roles...)
	h.setPassword(t, p, good)
	p, err := h.people.Person(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) setPassword(t *testing.T, p identity.Person, password string) {
	t.Helper()
	if err := h.SetPassword(t.Context(), operator(), p.ID, signin.NewSecret(password)); err != nil {
		t.Fatal(err)
	}
}

func (h *house) actor(t *testing.T, p identity.Person) access.Actor {
	t.Helper()
	a, err := h.people.ActorFor(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (h *house) events(t *testing.T, chain identity.OrganisationID) []audit.Event {
	t.Helper()
	page, err := h.trail.Events(t.Context(), audit.Query{Chain: chain, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

func (h *house) count(t *testing.T, query string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := h.db.Read(t.Context()).Raw(query, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// browser keeps the session cookie between visits, as browsers do.
type browser struct {
	h      *house
	cookie string
	device string
	from   string
}

func (h *house) browser() *browser { return &browser{h: h, from: "192.0.2.7"} }

// visit makes one request, in which fn is the handler, and returns the cookies it set.
func (b *browser) visit(fn func(ctx context.Context, cookie string)) []*http.Cookie {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	name := b.h.Sessions().Cookie.Name
	if b.cookie != "" {
		r.AddCookie(&http.Cookie{Name: name, Value: b.cookie})
	}
	w := httptest.NewRecorder()
	b.h.Sessions().LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fn(r.Context(), b.cookie)
	})).ServeHTTP(w, r)
	cookies := w.Result().Cookies()
	for _, c := range cookies {
		if c.Name == name {
			b.cookie = c.Value
		}
	}
	return cookies
}

func (b *browser) attempt(email, password string) signin.Attempt {
	return signin.Attempt{
		Email: email, Password: signin.NewSecret(password), Device: b.device,
		Origin: access.Origin{Address: b.from, UserAgent: "test browser", RequestID: "r-1"},
	}
}

// try signs in and returns what that gave.
func (b *browser) try(email, password string) (identity.Person, error) {
	var p identity.Person
	var err error
	b.visit(func(ctx context.Context, _ string) { p, err = b.h.SignIn(ctx, b.attempt(email, password)) })
	return p, err
}

func (b *browser) signIn(t *testing.T, email string) {
	t.Helper()
	if _, err := b.try(email, good); err != nil {
		t.Fatal(err)
	}
}

func (b *browser) signOut(t *testing.T, actor access.Actor) {
	t.Helper()
	var err error
	b.visit(func(ctx context.Context, _ string) { err = b.h.SignOut(ctx, actor) })
	if err != nil {
		t.Fatal(err)
	}
}

// who asks for a page and returns who the server thinks is there.
func (b *browser) who(t *testing.T) signin.Visit {
	t.Helper()
	var v signin.Visit
	var err error
	b.visit(func(ctx context.Context, cookie string) { v, err = b.h.Resolve(ctx, cookie) })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (b *browser) wantState(t *testing.T, want signin.State) {
	t.Helper()
	if got := b.who(t).State; got != want {
		t.Errorf("state %q, want %q", got, want)
	}
}

// wantCode fails unless err is a problem of this code with an English sentence for each of its keys.
func wantCode(t *testing.T, err error, code problem.Code) *problem.Error {
	t.Helper()
	if problem.CodeOf(err) != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	p := problem.As(err)
	wantEnglish(t, p.Key)
	for _, f := range p.Fields {
		wantEnglish(t, f.Key)
	}
	return p
}

func wantEnglish(t *testing.T, key string) {
	t.Helper()
	bundle, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(key, "problem.") && !bundle.For("en").Has(key) {
		t.Errorf("no English text for %s", key)
	}
}

// wantFault fails unless err is about the password and exactly this.
func wantFault(t *testing.T, err error, what string) {
	t.Helper()
	p := wantCode(t, err, problem.Invalid)
	if len(p.Fields) != 1 || p.Fields[0].Name != "password" || p.Fields[0].Key != "signin.password."+what {
		t.Errorf("got %v, want %s", err, what)
	}
}

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example", identity.RoleViewer)
		b := h.browser()
		b.wantState(t, signin.Nobody)
		p, err := b.try(" ANA@acme.example ", good)
		if err != nil || p.ID != ana.ID {
			t.Fatalf("got %v, %v", p, err)
		}
		v := b.who(t)
		if v.State != signin.SignedIn || v.Actor.ID != string(ana.ID) || v.Actor.Organisation != h.acme.ID || !v.Actor.Has(access.AppsView) {
			t.Errorf("got %+v", v)
		}
		if !v.SignedInAt.Equal(h.clock.Now()) {
			t.Errorf("signed in %v", v.SignedInAt)
		}
	})
}

func TestOnlyOperatorsSetPasswordsOfOthers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.actor(t, h.member(t, h.acme, "admin@acme.example", identity.RoleAdministrator))
		ana := h.member(t, h.acme, "ana@acme.example")
		wantCode(t, h.SetPassword(t.Context(), admin, ana.ID, signin.NewSecret(another)), problem.Forbidden)
		wantCode(t, h.SetPassword(t.Context(), operator(), identity.PersonID(database.NewID()), signin.NewSecret(another)), problem.NotFound)
		if err := h.SetPassword(t.Context(), access.System("demonstration", h.acme.ID), ana.ID, signin.NewSecret(another)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.browser().try("ana@acme.example", good); err == nil {
			t.Error("the old password still opens")
		}
		if _, err := h.browser().try("ana@acme.example", another); err != nil {
			t.Error(err)
		}
	})
}

func TestNewNeedsWhatItNeeds(t *testing.T) {
	clock := dbtest.NewClock()
	db := dbtest.SQLite(t, clock)
	trail := audit.New(db, nil)
	people, err := identity.New(db, trail)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signin.New(signin.Deps{DB: db, Trail: trail, People: people}); err == nil {
		t.Error("made without a MAC")
	}
	bad := signin.Params{Memory: 1 << 30, Time: 1, Threads: 1}
	if _, err := signin.New(signin.Deps{DB: db, Trail: trail, People: people, MAC: mac, Params: bad}); err == nil {
		t.Error("made with a hash that takes a terabyte")
	}
	if _, err := signin.New(signin.Deps{DB: db, Trail: trail, People: people, MAC: mac}); err != nil {
		t.Error(err)
	}
}
