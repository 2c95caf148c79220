package identity_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// house is a directory on a fresh database with the organisations Acme and Globex and the platform.
type house struct {
	*identity.Directory
	db                     *database.DB
	clock                  *dbtest.Clock
	trail                  *audit.Trail
	acme, globex, platform identity.Organisation
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) { test(t, newHouse(t, db, clock)) })
}

func newHouse(t *testing.T, db *database.DB, clock *dbtest.Clock) *house {
	t.Helper()
	trail := audit.New(db, slog.New(slog.DiscardHandler))
	d, err := identity.New(db, trail)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Directory: d, db: db, clock: clock, trail: trail}
	h.acme = h.organisation(t, identity.NewOrganisation{Name: "Acme", ClientPrefix: "ACME"})
	h.globex = h.organisation(t, identity.NewOrganisation{Name: "Globex", ClientPrefix: "GLBX"})
	h.platform = h.organisation(t, identity.NewOrganisation{Name: "Credenza platform", ClientPrefix: "PLAT", Kind: identity.Platform})
	return h
}

func operator() access.Actor { return access.Operator("root", "") }

func (h *house) organisation(t *testing.T, n identity.NewOrganisation) identity.Organisation {
	t.Helper()
	org, err := h.CreateOrganisation(t.Context(), operator(), n)
	if err != nil {
		t.Fatal(err)
	}
	return org
}

func (h *house) person(t *testing.T, org identity.Organisation, email string, roles ...string) identity.Person {
	t.Helper()
	p, err := h.CreatePerson(t.Context(), operator(), identity.NewPerson{
		Organisation: org.ID, Email: email, FirstName: "Ana", LastName: "Silva", Roles: roles,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// active makes a person who has set a password.
func (h *house) active(t *testing.T, org identity.Organisation, email string, roles ...string) identity.Person {
	t.Helper()
	p := h.person(t, org, email, roles...)
	h.setPassword(t, p, "$argon2id$of "+email)
	p, err := h.Person(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) setPassword(t *testing.T, p identity.Person, phc string) {
	t.Helper()
	err := h.db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return identity.SetPasswordHash(tx, p.ID, identity.NewPasswordHash(phc))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) actor(t *testing.T, p identity.Person) access.Actor {
	t.Helper()
	a, err := h.ActorFor(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (h *house) role(t *testing.T, org identity.Organisation, name string, rights ...access.Right) identity.Role {
	t.Helper()
	r, err := h.CreateRole(t.Context(), operator(), identity.NewRole{Organisation: org.ID, Name: name, Rights: rights})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (h *house) events(t *testing.T, org identity.Organisation) []audit.Event {
	t.Helper()
	page, err := h.trail.Events(t.Context(), audit.Query{Chain: org.ID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

// wantCode fails unless err is a problem of this code, and makes sure that English has a sentence for each of its keys.
func wantCode(t *testing.T, err error, code problem.Code) *problem.Error {
	t.Helper()
	if problem.CodeOf(err) != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	if err == nil {
		return nil
	}
	p := problem.As(err)
	english := english(t)
	for _, f := range p.Fields {
		if !english.Has(f.Key) {
			t.Errorf("no English text for %s", f.Key)
		}
	}
	if !strings.HasPrefix(p.Key, "problem.") && !english.Has(p.Key) {
		t.Errorf("no English text for %s", p.Key)
	}
	return p
}

// wantField fails unless err is about exactly this field and key.
func wantField(t *testing.T, err error, name, key string) {
	t.Helper()
	p := wantCode(t, err, problem.Invalid)
	if len(p.Fields) != 1 || p.Fields[0].Name != name || p.Fields[0].Key != key {
		t.Errorf("got %v, want %s: %s", err, name, key)
	}
}

func english(t *testing.T) *i18n.Localizer {
	t.Helper()
	bundle, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return bundle.For("en")
}

func TestEveryTextFaultHasAnEnglishSentence(t *testing.T) {
	texts := map[string][]string{
		"organisation.name":          {"missing", "too_short", "too_long", "characters"},
		"role.name":                  {"missing", "too_short", "too_long", "characters"},
		"robot.name":                 {"missing", "too_short", "too_long", "characters"},
		"robot.display_name":         {"missing", "too_short", "too_long", "characters"},
		"person.first_name":          {"missing", "too_long", "characters"},
		"person.last_name":           {"missing", "too_long", "characters"},
		"person.email":               {"missing", "too_long", "invalid", "taken"},
		"organisation.kind":          {"invalid"},
		"person.status":              {"invalid"},
		"robot.status":               {"invalid"},
		"robot.expires_at":           {"past"},
		"identity":                   {"platform_exists", "platform_suspended", "kind_by_person", "power", "organisation_not_found"},
		"organisation":               {"name.taken", "short_name.taken", "client_prefix.taken"},
		"robot.kind":                 {"invalid"},
		"organisation.client_prefix": {"missing", "invalid"},
	}
	l := english(t)
	for area, faults := range texts {
		for _, f := range faults {
			if !l.Has(area + "." + f) {
				t.Errorf("no English text for %s.%s", area, f)
			}
		}
	}
}

func TestParseIDs(t *testing.T) {
	id := database.NewID()
	for _, s := range []string{"", "x", id + " ", strings.ToUpper(id), "../" + id, id[:35]} {
		_, org := identity.ParseOrganisationID(s)
		_, robot := identity.ParseRobotID(s)
		if org || robot {
			t.Errorf("%q was taken for an ID", s)
		}
	}
	org, ok1 := identity.ParseOrganisationID(id)
	robot, ok2 := identity.ParseRobotID(id)
	if !ok1 || !ok2 || string(org) != id || string(robot) != id {
		t.Error("an ID was not taken")
	}
}

func TestPasswordHashIsNeverPrinted(t *testing.T) {
	h := identity.NewPasswordHash("$argon2id$canary")
	c := identity.Credential{Hash: h}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "hash", h, "credential", c)
	out := fmt.Sprint(h, c) + fmt.Sprintf("%s %v %+v %#v %q %x %d", h, h, c, h, h, h, h) + log.String()
	if strings.Contains(out, "canary") || strings.Contains(out, fmt.Sprintf("%x", "canary")) {
		t.Errorf("printed: %s", out)
	}
	if h.Reveal() != "$argon2id$canary" {
		t.Error("Reveal lost it")
	}
}
