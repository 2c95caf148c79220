package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/signin"
)

const sessionCookie = "__Host-credenza"

// cookie is the value of a cookie that the browser holds.
func (b *browser) cookie(name string) string {
	at, err := url.Parse(publicURL)
	b.p.must(err)
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setCookie(name, value string) {
	at, err := url.Parse(publicURL)
	b.p.must(err)
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
}

func TestSignInLeadsToThePageFirstAskedFor(t *testing.T) {
	p := newPortal(t)
	b := p.stranger()
	asked := b.get("/apps?q=spend&sort=name").is(http.StatusSeeOther)
	form := b.get(asked.to()).is(http.StatusOK).form("main form")
	if form.Get("next") != "/apps?q=spend&sort=name" {
		t.Fatalf("the form leads to %q", form.Get("next"))
	}
	form.Set("email", "admin@acme.example")
	form.Set("password", password)
	if to := b.post("/signin", form).is(http.StatusSeeOther).to(); to != "/apps?q=spend&sort=name" {
		t.Errorf("signing in leads to %s", to)
	}
	if to := b.get("/signin").is(http.StatusSeeOther).to(); to != "/" {
		t.Errorf("the sign-in page of somebody signed in leads to %s", to)
	}
}

func TestSignInNeverLeadsElsewhere(t *testing.T) {
	p := newPortal(t)
	for _, next := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "javascript:alert(1)",
		"evil", "/signin", "/signout", " //evil.example", "/" + strings.Repeat("a", 3000),
	} {
		b := p.stranger()
		form := b.get("/signin?" + url.Values{"next": {next}}.Encode()).is(http.StatusOK).form("main form")
		if got := form.Get("next"); got != "/" && got != "" {
			t.Errorf("%q is offered as %q", next, got)
		}
		answer := b.post("/signin", url.Values{"email": {"admin@acme.example"}, "password": {password}, "next": {next}})
		if to := answer.is(http.StatusSeeOther).to(); to != "/" {
			t.Errorf("%q leads to %q", next, to)
		}
	}
}

// C47: nothing tells an address that nobody has from a wrong password or an account that is switched off.
func TestC47_RefusalsOfSignInAreTheSame(t *testing.T) {
	p := newPortal(t)
	viewer, err := p.identity.PersonByEmail(t.Context(), "viewer@acme.example")
	p.must(err)
	p.must(p.identity.SetPersonStatus(t.Context(), access.System("test", p.acme.ID), viewer, identity.Inactive))
	refused := func(email, password string) *page {
		return p.stranger().post("/signin", url.Values{"email": {email}, "password": {password}}).is(http.StatusUnauthorized)
	}
	want := refused("admin@acme.example", "wrong-but-long-enough")
	for email, pass := range map[string]string{
		"nobody@acme.example": "wrong-but-long-enough", "viewer@acme.example": password, "": "", "admin@acme.example": "",
	} {
		got := refused(email, pass)
		if diff := cmp.Diff(want.text("[role=alert]"), got.text("[role=alert]")); diff != "" {
			t.Errorf("%q: %s", email, diff)
		}
		if got.form("main form").Get("email") != email || strings.Contains(got.body, "wrong-but-long-enough") {
			t.Errorf("%q: the form holds %v", email, got.form("main form"))
		}
	}
}

func TestManyWrongPasswordsHaveToWait(t *testing.T) {
	p := newPortal(t)
	wrong := url.Values{"email": {"admin@acme.example"}, "password": {"wrong-but-long-enough"}}
	for range 100 {
		answer := p.stranger().post("/signin", wrong)
		if answer.status == http.StatusTooManyRequests {
			if answer.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			return
		}
		answer.is(http.StatusUnauthorized)
	}
	t.Error("100 wrong passwords in a row were all judged")
}

// C50: a session ID from outside is never adopted, signing in makes a new one, and only its hash is stored.
func TestC50_SessionFixation(t *testing.T) {
	p := newPortal(t)
	b := p.stranger()
	const planted = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	b.setCookie(sessionCookie, planted)
	b.post("/signin", url.Values{"email": {"admin@acme.example"}, "password": {password}}).is(http.StatusSeeOther)
	first := b.cookie(sessionCookie)
	if first == planted || len(first) < 22 {
		t.Fatalf("the session is %q", first)
	}
	b.post("/signout", nil).is(http.StatusSeeOther)
	b.post("/signin", url.Values{"email": {"admin@acme.example"}, "password": {password}}).is(http.StatusSeeOther)
	if again := b.cookie(sessionCookie); again == first {
		t.Error("two sign-ins share a session")
	}
	var stored int64
	p.must(p.db.Read(t.Context()).Raw("SELECT count(*) FROM sessions WHERE token_hash = ? OR data LIKE ?",
		b.cookie(sessionCookie), "%"+b.cookie(sessionCookie)+"%").Scan(&stored).Error)
	if stored != 0 {
		t.Error("the session's ID is stored")
	}
	old := p.stranger()
	old.setCookie(sessionCookie, first)
	old.get("/apps").is(http.StatusSeeOther)
}

// C51: sessions end by idleness, by age, by signing out, and with the person's access; machines get 401.
func TestC51_SessionsEnd(t *testing.T) {
	const step = 20 * time.Minute
	tests := map[string]struct {
		end    func(p *portal, b *browser)
		notice string
	}{
		"idle": {func(p *portal, _ *browser) { p.clock.Advance(signin.IdleLimit) }, "30 minutes without activity"},
		"absolute": {func(p *portal, b *browser) {
			for range int(signin.AbsoluteLimit / step) {
				b.get("/apps").is(http.StatusOK)
				p.clock.Advance(step)
			}
		}, "12 hours after you signed in"},
		"signed out": {func(_ *portal, b *browser) { b.post("/signout", nil).is(http.StatusSeeOther) }, ""},
		"deactivated": {func(p *portal, _ *browser) {
			admin, err := p.identity.PersonByEmail(p.t.Context(), "admin@acme.example")
			p.must(err)
			p.must(p.identity.SetPersonStatus(p.t.Context(), access.System("test", p.acme.ID), admin, identity.Inactive))
		}, ""},
		"organisation suspended": {func(p *portal, _ *browser) {
			p.must(p.identity.SuspendOrganisation(p.t.Context(), access.System("test", p.acme.ID), p.acme.ID))
		}, ""},
		"new password": {func(p *portal, _ *browser) {
			admin, err := p.identity.PersonByEmail(p.t.Context(), "admin@acme.example")
			p.must(err)
			p.clock.Advance(time.Second)
			p.must(p.signin.SetPassword(p.t.Context(), access.System("test", p.acme.ID), admin.ID, signin.NewSecret("another-plum-orchard")))
		}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			b := p.as("admin@acme.example")
			b.get("/apps").is(http.StatusOK)
			cookie := b.cookie(sessionCookie)
			tt.end(p, b)
			b.setCookie(sessionCookie, cookie) // as a thief would, who kept it
			b.fragment("/apps", "results").is(http.StatusUnauthorized)
			page := b.follow(b.get("/apps")).is(http.StatusOK)
			if tt.notice != "" {
				page.says("main", tt.notice)
			}
			b.post("/apps", url.Values{"name": {"x"}}).is(http.StatusSeeOther)
		})
	}
}

func TestUseKeepsASessionAlive(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	for range 10 {
		p.clock.Advance(signin.IdleLimit - time.Minute)
		b.get("/apps").is(http.StatusOK)
	}
}

// ui.md §3.5: what was typed when the session ended is there again after signing in, for its author only.
func TestTextIsKeptWhenTheSessionEnds(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	form := b.newApp(map[string][]string{"name": {"Typed for half an hour"}, "scope": {invoiceRead, invoiceWrite}})
	p.clock.Advance(signin.IdleLimit)
	page := b.follow(b.post("/apps", form)).is(http.StatusOK).says("main", "Your text is kept")

	other := p.as("viewer@acme.example")
	if body := other.get("/apps/new?restore=1").body; strings.Contains(body, "Typed for half an hour") {
		t.Error("somebody else sees the text")
	}
	signIn := page.form("main form")
	signIn.Set("email", "admin@acme.example")
	signIn.Set("password", password)
	restored := b.follow(b.post("/signin", signIn)).is(http.StatusOK).form("main form")
	for _, name := range []string{"name", "description", "category", "scope", "api_user", "first_name", "email"} {
		if diff := cmp.Diff(form[name], restored[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	restored.Set("do", "save")
	b.post("/apps", restored).is(http.StatusOK).revealed()
}

func TestStrangersLeaveNoText(t *testing.T) {
	p := newPortal(t)
	b := p.stranger()
	b.setCookie(sessionCookie, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	to := b.post("/apps", url.Values{"name": {"From a stranger"}}).is(http.StatusSeeOther).to()
	if strings.Contains(to, "kept") {
		t.Errorf("leads to %s", to)
	}
	var drafts int64
	p.must(p.db.Read(t.Context()).Raw("SELECT count(*) FROM drafts").Scan(&drafts).Error)
	if drafts != 0 {
		t.Errorf("%d drafts", drafts)
	}
}

func TestInvitationSetsThePasswordOnce(t *testing.T) {
	p := newPortal(t)
	system := access.System("test", p.acme.ID)
	person, err := p.identity.CreatePerson(t.Context(), system, identity.NewPerson{
		Organisation: p.acme.ID, Email: "new@acme.example", FirstName: "Nia", LastName: "New", Roles: []string{identity.RoleViewer},
	})
	p.must(err)
	link, err := p.signin.MakeSetupLink(t.Context(), system, person.ID)
	p.must(err)
	path := "/people/accept?" + url.Values{"token": {link.Token.Reveal()}}.Encode()

	b := p.stranger()
	b.get(path).is(http.StatusOK)
	shown := b.get(path).is(http.StatusOK).says("main", "Acme")
	if got := shown.header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q", got)
	}
	form := shown.form("main form")
	form.Set("password", "long enough to remember")
	form.Set("password_again", "long enough to remembr")
	if differs := b.post("/people/accept", form).is(http.StatusUnprocessableEntity); differs.problems()["password_again"] == "" {
		t.Errorf("two passwords: %v", differs.problems())
	}
	form.Set("password", "short")
	form.Set("password_again", "short")
	again := b.post("/people/accept", form).is(http.StatusUnprocessableEntity)
	if again.problems()["password"] == "" {
		t.Errorf("a short password: %v", again.problems())
	}
	form.Set("password", "long enough to remember")
	form.Set("password_again", "long enough to remember")
	if to := b.post("/people/accept", form).is(http.StatusSeeOther).to(); to != "/" {
		t.Errorf("leads to %s", to)
	}
	b.get("/apps").is(http.StatusOK)
	if problems := p.stranger().post("/people/accept", form); problems.status != http.StatusNotFound {
		t.Errorf("the link works twice: %d", problems.status)
	}
	p.stranger().get(path).is(http.StatusNotFound)
	if strings.Contains(p.log.String(), link.Token.Reveal()) {
		t.Error("the link stands in the log")
	}
}

// C73: sign-ins and refused ones stand in the trail, each once, with who, from where and when.
func TestC73_SignInsAreRecorded(t *testing.T) {
	p := newPortal(t)
	p.stranger().post("/signin", url.Values{"email": {"admin@acme.example"}, "password": {"wrong-but-long-enough"}}).is(http.StatusUnauthorized)
	b := p.as("admin@acme.example")
	b.post("/signout", nil).is(http.StatusSeeOther)
	admin, err := p.identity.PersonByEmail(t.Context(), "admin@acme.example")
	p.must(err)
	page, err := p.trail.Events(t.Context(), audit.Query{Chain: p.acme.ID, TargetKind: "person", TargetID: string(admin.ID), Limit: 4})
	p.must(err)
	var got []string
	for _, e := range page.Events {
		if e.Action == "signin" || e.Action == "signout" {
			got = append(got, e.Action+" "+string(e.Result))
			if e.ActorID != string(admin.ID) || e.Origin.Address != "192.0.2.7" || e.Origin.RequestID == "" || e.At != p.clock.Now() {
				t.Errorf("%+v", e)
			}
		}
	}
	if diff := cmp.Diff([]string{"signout done", "signin done", "signin refused"}, got); diff != "" {
		t.Error(diff)
	}
}
