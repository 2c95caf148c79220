package web_test

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/keyring"
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
	catalogue *scope.Catalogue
	verifier  *secret.Verifier
	log       *lines
	dir       string // of the database

	mu      sync.Mutex
	answers []answer // what left the portal so far

	acme, globex identity.Organisation
}

// answer is what left the portal once: status line, headers and body.
type answer struct{ request, text string }

// newPortal makes a portal with Acme and Globex: admin@, viewer@ and guest@ at acme.example and globex.example.
func newPortal(t testing.TB) *portal {
	t.Helper()
	p := &portal{t: t, clock: dbtest.NewClock(), log: &lines{}, dir: t.TempDir()}
	db, err := database.Open(t.Context(), database.Config{
		URL: "sqlite:" + filepath.Join(p.dir, "credenza.db"), Clock: p.clock.Now, Logger: p.logger(),
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
	ring, err := keyring.Open(p.t.Context(), p.db, master, log)
	p.must(err)
	p.trail = audit.New(p.db, log)
	p.catalogue, err = scope.Load()
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
		Issuer: publicURL, DB: p.db, Registry: p.registry, Catalogue: p.catalogue, Ring: ring, Log: log, TokenLog: true,
		Metrics: prometheus.NewRegistry(),
	})
	p.must(err)
	messages, err := i18n.Load()
	p.must(err)
	files, err := static.Load()
	p.must(err)
	p.handler, err = web.New(web.Deps{
		PublicURL: publicURL, DB: p.db, Trail: p.trail, Identity: p.identity, Signin: p.signin, Registry: p.registry,
		Catalogue: p.catalogue, OAuth: issuer, Messages: messages, Static: files, Log: log, ClientIDPrefix: "CCW",
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
	made, err := registry.New(registry.Deps{
		DB: p.db, Trail: p.trail, Identity: p.identity, Catalogue: p.catalogue, Ring: ring, Keys: keys, Hasher: hasher,
		Verifier: p.verifier, ClientIDPrefix: "CCW",
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

// RoundTrip lets an http.Client talk to the portal without a network.
func (p *portal) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "192.0.2.7:4711"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	got := w.Result()
	got.Request = r
	if r.Method == http.MethodHead { // what http.Server does, and a recorder does not
		got.Body = http.NoBody
		w.Body.Reset()
	}
	var text bytes.Buffer
	p.must(got.Header.Write(&text))
	text.Write(w.Body.Bytes())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = append(p.answers, answer{r.Method + " " + r.URL.Path, text.String()})
	return got, nil
}

// holding lists the requests whose answers held a text.
func (p *portal) holding(text string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var requests []string
	for _, a := range p.answers {
		if strings.Contains(a.text, text) {
			requests = append(requests, a.request)
		}
	}
	return requests
}

// browser is somebody at the portal: cookies are kept, redirects are not followed by themselves.
type browser struct {
	p      *portal
	client *http.Client
}

// stranger is a browser in which nobody is signed in.
func (p *portal) stranger() *browser {
	jar, err := cookiejar.New(nil)
	p.must(err)
	return &browser{p: p, client: &http.Client{
		Transport: p, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as is a browser in which somebody signed in through the form.
func (p *portal) as(email string) *browser {
	p.t.Helper()
	b := p.stranger()
	answer := b.post("/signin", url.Values{"email": {email}, "password": {password}})
	if answer.status != http.StatusSeeOther {
		p.t.Fatalf("%s cannot sign in: %d\n%s", email, answer.status, answer.text("main"))
	}
	return b
}

// page is an answer.
type page struct {
	*goquery.Document

	t      testing.TB
	path   string
	status int
	header http.Header
	body   string
}

func (b *browser) get(path string) *page {
	b.p.t.Helper()
	return b.do(http.MethodGet, path, nil, nil)
}

// fragment asks for a part of a page, as the script does.
func (b *browser) fragment(path, name string) *page {
	b.p.t.Helper()
	return b.do(http.MethodGet, path, nil, http.Header{"X-Fragment": {name}})
}

// post sends a form from a page of the portal.
func (b *browser) post(path string, form url.Values) *page {
	b.p.t.Helper()
	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()), nil)
}

// do sends a request as a browser would from a page of the portal. Headers given replace those.
func (b *browser) do(method, path string, body io.Reader, headers http.Header) *page {
	b.p.t.Helper()
	r, err := http.NewRequestWithContext(b.p.t.Context(), method, publicURL+path, body)
	b.p.must(err)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != nil {
		r.Header.Set("Origin", publicURL)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	maps.Copy(r.Header, headers)
	answer, err := b.client.Do(r)
	b.p.must(err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	b.p.must(err)
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(text))
	b.p.must(err)
	return &page{
		Document: doc, t: b.p.t, path: path, status: answer.StatusCode, header: answer.Header, body: string(text),
	}
}

// follow goes where an answer leads.
func (b *browser) follow(answer *page) *page {
	b.p.t.Helper()
	answer.is(http.StatusSeeOther)
	return b.get(answer.to())
}

// is ends the test unless the answer has this status.
func (a *page) is(status int) *page {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d %s\n%s", a.path, a.status, status, a.header.Get("Location"), a.text("main"))
	}
	return a
}

// to is the path that a redirect leads to.
func (a *page) to() string {
	a.t.Helper()
	to, err := url.Parse(a.header.Get("Location"))
	if err != nil || (to.Host != "" && to.Scheme+"://"+to.Host != publicURL) {
		a.t.Fatalf("%s leads to %q", a.path, a.header.Get("Location"))
	}
	return to.RequestURI()
}

// text is what stands in elements, with runs of spaces made one.
func (a *page) text(selector string) string {
	return strings.Join(strings.Fields(a.Find(selector).Text()), " ")
}

// says ends the test unless the elements hold the text.
func (a *page) says(selector, text string) *page {
	a.t.Helper()
	if got := a.text(selector); !strings.Contains(got, text) {
		a.t.Fatalf("%s: %s says %q, want %q", a.path, selector, got, text)
	}
	return a
}

// form is what a browser would send of the page's first form of this kind if nothing was touched.
func (a *page) form(selector string) url.Values {
	a.t.Helper()
	form := a.Find(selector).First()
	if form.Length() == 0 {
		a.t.Fatalf("%s has no %s", a.path, selector)
	}
	values := url.Values{}
	form.Find("input, select, textarea").Each(func(_ int, s *goquery.Selection) {
		name, named := s.Attr("name")
		_, checked := s.Attr("checked")
		switch kind := s.AttrOr("type", ""); {
		case !named:
		case goquery.NodeName(s) == "textarea":
			values.Add(name, s.Text())
		case goquery.NodeName(s) == "select":
			values.Add(name, chosen(s))
		case kind == "submit":
		case (kind == "checkbox" || kind == "radio") && !checked:
		default:
			values.Add(name, s.AttrOr("value", ""))
		}
	})
	return values
}

// chosen is the value of a select: the option that is marked, else the first that is not disabled.
func chosen(s *goquery.Selection) string {
	option := s.Find("option[selected]")
	if option.Length() == 0 {
		option = s.Find("option:not([disabled])")
	}
	return option.First().AttrOr("value", "")
}

// problems are the lines of the summary of a form that came back, by the id of the field they lead to; "" for none.
func (a *page) problems() map[string]string {
	found := map[string]string{}
	a.Find(".error-summary li").Each(func(_ int, s *goquery.Selection) {
		found[strings.TrimPrefix(s.Find("a").AttrOr("href", ""), "#f-")] = strings.TrimSpace(s.Text())
	})
	return found
}

// with is the form with other values; nil takes a field out.
func with(form url.Values, changes map[string][]string) url.Values {
	changed := maps.Clone(form)
	for name, values := range changes {
		if values == nil {
			delete(changed, name)
		} else {
			changed[name] = values
		}
	}
	return changed
}
