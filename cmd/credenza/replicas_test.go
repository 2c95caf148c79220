package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/signin"
)

const (
	bothScopes = "ccw.candidates ccw.contingent_workers"
	oneScope   = "ccw.candidates"
	// obeyed is how soon what one process changes must be obeyed by the others: the second of protocol.md §2, and what a
	// busy machine may take besides. That it does not take more than a look at the counter is asserted without a clock.
	obeyed = time.Second + 4*time.Second
)

// subject is an app with a token that its secret bought, and another app of the organisation that may ask about tokens.
type subject struct {
	org      identity.Organisation
	apiUser  identity.RobotAccount
	app      registry.App
	secret   *registry.NewSecret
	observer registry.App
	observes *registry.NewSecret
	token    string
}

// answers are what a server says about a subject: at the token endpoint to its secret, at introspection to the observer,
// and at the app's own record to the token.
type answers struct{ Token, Introspection, Self string }

var before = answers{"200", "active " + bothScopes, "200 " + bothScopes}

// newSubject registers an app in an organisation of its own.
func (f *fleet) newSubject(t *testing.T) *subject {
	t.Helper()
	s := &subject{}
	var err error
	s.org, err = f.identity.CreateOrganisation(t.Context(), operator(""), identity.NewOrganisation{Name: "Globex", ClientPrefix: "GLBX"})
	noError(t, err)
	s.apiUser, err = f.identity.CreateRobot(t.Context(), operator(s.org.ID), identity.NewRobot{
		Organisation: s.org.ID, Name: "automation", Kind: identity.KindClient,
	})
	noError(t, err)
	flags := newAppFlags{
		org: "globex", name: "Spend export", description: "Sends what was spent", category: string(registry.Customer),
		apiUser: s.apiUser.Name, scopes: strings.Fields(bothScopes), first: "Ana", last: "Silva", email: "ana.silva@globex.example",
	}
	s.app, s.secret, err = f.createApp(t.Context(), flags)
	noError(t, err)
	flags.name, flags.apiUser, flags.scopes = "Observer", "", []string{"oauth.introspect"}
	s.observer, s.observes, err = f.createApp(t.Context(), flags)
	noError(t, err)
	return s
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// form is a request of the app.
func (s *subject) form(more ...string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.app.ClientID}, "client_secret": {s.secret.Secret.Reveal()}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// asked is a request of the observer about the token.
func (s *subject) asked() url.Values {
	token := s.token
	if token == "" {
		token = "none yet"
	}
	return url.Values{"client_id": {s.observer.ClientID}, "client_secret": {s.observes.Secret.Reveal()}, "token": {token}}
}

func (r *replica) answersAbout(t *testing.T, s *subject) answers {
	t.Helper()
	token := r.post(t, "/oauth2/token", s.form("scope", bothScopes))
	introspected := r.post(t, "/oauth2/introspect", s.asked())
	self := r.get(t, r.url+"/api/v1/apps/self", s.token)
	got := answers{strconv.Itoa(token.status), strconv.Itoa(introspected.status), strconv.Itoa(self.status)}
	if introspected.status == http.StatusOK {
		got.Introspection = "inactive"
		if active, _ := introspected.body["active"].(bool); active {
			got.Introspection = "active " + introspected.field("scope")
		}
	}
	if state, ok := self.body["token"].(map[string]any); ok {
		got.Self += fmt.Sprintf(" %v", state["scope"])
	}
	return got
}

// buy buys a token from the first server; every server must take it.
func (f *fleet) buy(t *testing.T, s *subject) {
	t.Helper()
	s.token = f.replicas[0].post(t, "/oauth2/token", s.form("scope", bothScopes)).field("access_token")
	for _, r := range f.replicas {
		if diff := cmp.Diff(before, r.answersAbout(t, s)); diff != "" {
			t.Fatalf("a new token at %s (-want +got):\n%s", r.name, diff)
		}
	}
}

// readyFor says what is wrong as long as the server does not take both apps' secrets.
func (r *replica) readyFor(t *testing.T, s *subject) string {
	t.Helper()
	return cmp.Diff(answers{"200", "inactive", "401"}, r.answersAbout(t, s))
}

// act is a change, made here or by a server, what every server must say then, and how it is taken back. What has ended
// stays ended: afterwards a new token is bought.
type act struct {
	name string
	run  func(t *testing.T, f *fleet, s *subject) error
	want answers
	undo func(t *testing.T, f *fleet, s *subject) error // nil: there is nothing to take back
}

func acts() []act {
	ended, tokens := answers{"401", "inactive", "401"}, answers{"200", "inactive", "401"}
	return []act{
		{"token revoked at the first server", revoke, tokens, nil},
		{"scope removed", withScopes(oneScope), answers{"400", "active " + oneScope, "200 " + oneScope}, withScopes(bothScopes)},
		{"API user switched off", userStatus(identity.Inactive), ended, userStatus(identity.Active)},
		{"another API user", anotherUser, tokens, nil},
		{"app deactivated on the command line", command("deactivate"), ended, command("activate")},
		{"organisation suspended", suspend, answers{"401", "401", "401"}, resume}, // the observer's, too
		{"secret leaked", leaked, ended, replaced},
		{"secret retired", retired, answers{"401", before.Introspection, before.Self}, nil},
	}
}

func revoke(t *testing.T, f *fleet, s *subject) error {
	if a := f.replicas[0].post(t, "/oauth2/revoke", s.form("token", s.token)); a.status != http.StatusOK {
		t.Errorf("revoke: %d %s", a.status, a.text)
	}
	return nil
}

func withScopes(scopes string) func(t *testing.T, f *fleet, s *subject) error {
	return func(t *testing.T, f *fleet, s *subject) error {
		return f.edit(t.Context(), s, func(fields *registry.AppFields) { fields.Scopes = strings.Fields(scopes) })
	}
}

func userStatus(status identity.Status) func(t *testing.T, f *fleet, s *subject) error {
	return func(t *testing.T, f *fleet, s *subject) error {
		user, err := f.identity.APIUser(t.Context(), s.org.ID, s.apiUser.ID)
		noError(t, err)
		return f.identity.SetRobotStatus(t.Context(), operator(s.org.ID), user, status)
	}
}

// anotherUser lets the app act as the API user that its organisation had from the start.
func anotherUser(t *testing.T, f *fleet, s *subject) error {
	users, err := f.identity.APIUsers(t.Context(), s.org.ID)
	noError(t, err)
	other := slices.IndexFunc(users, func(u identity.RobotAccount) bool {
		return u.Kind == identity.KindClient && u.ID != s.apiUser.ID
	})
	return f.edit(t.Context(), s, func(fields *registry.AppFields) { fields.APIUser = users[other].ID })
}

func command(name string) func(t *testing.T, f *fleet, s *subject) error {
	return func(t *testing.T, f *fleet, s *subject) error {
		must[appDocument](t, f.installation, "app", name, s.app.ClientID)
		return nil
	}
}

func suspend(t *testing.T, f *fleet, s *subject) error {
	return f.identity.SuspendOrganisation(t.Context(), operator(""), s.org.ID)
}

func resume(t *testing.T, f *fleet, s *subject) error {
	return f.identity.ResumeOrganisation(t.Context(), operator(""), s.org.ID)
}

func leaked(t *testing.T, f *fleet, s *subject) error {
	return f.registry.MarkLeaked(t.Context(), operator(s.org.ID), s.app.ID, s.secret.ID)
}

// replaced makes another secret in the place of the one that leaked.
func replaced(t *testing.T, f *fleet, s *subject) (err error) {
	s.secret, err = f.registry.Rotate(t.Context(), operator(s.org.ID), s.app.ID, registry.Rotation{Reason: registry.Planned})
	return err
}

// retired makes another secret and ends the one before it.
func retired(t *testing.T, f *fleet, s *subject) error {
	_, err := f.registry.Rotate(t.Context(), operator(s.org.ID), s.app.ID, registry.Rotation{Reason: registry.Planned})
	noError(t, err)
	return f.registry.Retire(t.Context(), operator(s.org.ID), s.app.ID, s.secret.ID)
}

func (f *fleet) edit(ctx context.Context, s *subject, change func(*registry.AppFields)) error {
	a, err := f.registry.App(ctx, operator(s.org.ID), s.app.ID)
	if err != nil {
		return err
	}
	fields := registry.AppFields{
		Name: a.Name, Description: a.Description, Category: a.Category, Type: a.Type, CredentialType: a.CredentialType,
		Contact: a.Contact, APIUser: a.APIUser.ID, Scopes: a.Scopes, DefaultAPI: a.DefaultAPI, Active: true,
	}
	change(&fields)
	_, err = f.registry.Edit(ctx, operator(s.org.ID), a.ID, a.Version, fields)
	return err
}

// C25, F11: what one process changes the others obey within a second (protocol.md §2): two servers on PostgreSQL, and
// the command line beside a server on SQLite.
func TestC25_OtherProcessesObey(t *testing.T) {
	eachFleet(t, func(t *testing.T, f *fleet) {
		s := f.newSubject(t)
		f.expect(t, "registered", func(r *replica) string { return r.readyFor(t, s) })
		for _, act := range acts() {
			f.buy(t, s)
			noError(t, act.run(t, f, s))
			f.expect(t, act.name, func(r *replica) string { return cmp.Diff(act.want, r.answersAbout(t, s)) })
			if act.undo != nil {
				noError(t, act.undo(t, f, s))
				f.expect(t, "taken back", func(r *replica) string { return cmp.Diff(before.Token, r.answersAbout(t, s).Token) })
			}
		}
	})
}

// expect waits until every server obeys a change that was made just now, and prints how long each took. fault says what
// is wrong still. A server that has looked at the counter since the change and does not obey it fails, however long that
// took.
func (f *fleet) expect(t *testing.T, what string, fault func(r *replica) string) {
	t.Helper()
	made := time.Now()
	took := make([]time.Duration, len(f.replicas))
	var all sync.WaitGroup
	for n, r := range f.replicas {
		all.Go(func() {
			// One poll may have begun before the change; the one after it has not.
			enough := r.polls(t, "good") + 2
			for {
				polled := r.polls(t, "good") >= enough
				wrong := fault(r)
				putOff := strings.Contains(wrong, "503") // on a busy machine bcrypt may have no turn; that is no answer
				took[n] = time.Since(made)
				switch {
				case wrong == "":
					return
				case polled && !putOff:
					t.Errorf("%s: %s knows of it and does not obey (-want +got):\n%s", what, r.name, wrong)
					return
				case took[n] > obeyed && !putOff, took[n] > patience:
					t.Errorf("%s: %s does not obey after %s (-want +got):\n%s", what, r.name, took[n], wrong)
					return
				}
			}
		})
	}
	all.Wait()
	for n, r := range f.replicas {
		t.Logf("%-40s obeyed by %s after %5.1f ms", what, r.name, float64(took[n].Microseconds())/1000)
	}
}

const listeners = "pg_stat_activity WHERE datname = current_database() AND application_name = 'credenza listener'"

// listenersOf returns the connections by which servers hear of changes, the oldest first.
func (f *fleet) listenersOf(t *testing.T) (pids []int) {
	t.Helper()
	noError(t, f.db.Read(t.Context()).Raw("SELECT pid FROM "+listeners+" ORDER BY backend_start").Scan(&pids).Error)
	return pids
}

// F12: servers that hear of nothing obey all the same, and listen again soon.
func TestF12_ServersObeyWithoutListening(t *testing.T) {
	f := newFleet(t, dbtest.PostgresURL(t))
	f.replicas = []*replica{f.begin(t, "a"), f.begin(t, "b")}
	s := f.newSubject(t)
	await(t, "listeners", func() bool { return len(f.listenersOf(t)) == 2 })
	f.expect(t, "registered", func(r *replica) string { return r.readyFor(t, s) })
	f.buy(t, s)

	old := f.listenersOf(t)
	noError(t, f.db.Read(t.Context()).Exec("SELECT pg_terminate_backend(pid) FROM "+listeners).Error)
	await(t, "the old listeners' end", func() bool {
		return !slices.ContainsFunc(f.listenersOf(t), func(pid int) bool { return slices.Contains(old, pid) })
	})
	noError(t, leaked(t, f, s))
	f.expect(t, "secret leaked, nobody listening", func(r *replica) string {
		return cmp.Diff(answers{"401", "inactive", "401"}, r.answersAbout(t, s))
	})
	await(t, "new listeners", func() bool { return len(f.listenersOf(t)) == 2 })
}

// The rights of people, too: a session is good at every server, and ends or loses its rights at all of them.
func TestC25_OtherProcessesObeyAboutPeople(t *testing.T) {
	eachFleet(t, func(t *testing.T, f *fleet) {
		org, err := f.identity.FindOrganisation(t.Context(), "acme")
		noError(t, err)
		cookie, person := f.signIn(t, org)
		status := func(want int) func(r *replica) string {
			return func(r *replica) string { return cmp.Diff(want, r.get(t, r.url+"/apps", "", cookie).status) }
		}
		f.expect(t, "signed in at the first server", status(http.StatusOK))

		roles, err := f.identity.Roles(t.Context(), org.ID)
		noError(t, err)
		viewer := roles[slices.IndexFunc(roles, func(r identity.Role) bool { return r.Name == identity.RoleViewer })]
		noError(t, f.identity.SetRoleRights(t.Context(), operator(org.ID), viewer, nil))
		f.expect(t, "a role's rights taken away", status(http.StatusForbidden))

		noError(t, f.identity.SetPersonRoles(t.Context(), operator(org.ID), person, []string{identity.RoleAdministrator}))
		f.expect(t, "another role given", status(http.StatusOK))

		person, err = f.identity.Person(t.Context(), person.ID)
		noError(t, err)
		noError(t, f.identity.SetPersonStatus(t.Context(), operator(org.ID), person, identity.Inactive))
		f.expect(t, "a person switched off", status(http.StatusSeeOther))
	})
}

// signIn makes a viewer and lets them set a password at the first server.
func (f *fleet) signIn(t *testing.T, org identity.Organisation) (*http.Cookie, identity.Person) {
	t.Helper()
	person, err := f.identity.CreatePerson(t.Context(), operator(org.ID), identity.NewPerson{
		Organisation: org.ID, Email: "bo.berg@acme.example", FirstName: "Bo", LastName: "Berg", Roles: []string{identity.RoleViewer},
	})
	noError(t, err)
	link, err := f.signin.MakeSetupLink(t.Context(), operator(org.ID), person.ID)
	noError(t, err)
	const password = "visibly-fake-password"
	a := f.replicas[0].post(t, "/people/accept", url.Values{
		"token": {link.Token.Reveal()}, "password": {password}, "password_again": {password},
	})
	cookies := (&http.Response{Header: a.header}).Cookies()
	at := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == signin.CookieName(false) })
	if a.status != http.StatusSeeOther || at < 0 {
		t.Fatalf("accept: %d %v", a.status, cookies)
	}
	person, err = f.identity.Person(t.Context(), person.ID)
	noError(t, err)
	return cookies[at], person
}
