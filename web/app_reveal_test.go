package web_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestC13_UI3_SecretInOneAnswer goes everywhere after a secret was made, and finds it in the one answer that made it.
func TestC13_UI3_SecretInOneAnswer(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	form := admin.newApp(nil)
	made := admin.post("/apps", form).is(http.StatusOK).revealed()
	rotation := with(admin.get(made.path+"/secrets/new").form("main form"), map[string][]string{"do": {"create"}})
	rotated := admin.post(made.path+"/secrets/new", rotation).is(http.StatusOK).revealed()

	token := p.accessToken(made.clientID, made.secret)
	p.self(token)
	admin.post("/apps", form)
	admin.post(made.path+"/secrets/new", rotation)
	for _, who := range []string{"admin@acme.example", "viewer@acme.example", "admin@globex.example"} {
		wander(p.as(who), made)
	}
	for _, b := range []*browser{admin, p.stranger()} {
		wander(b, made)
	}
	if diff := cmp.Diff([]string{"POST /apps"}, p.holding(made.secret)); diff != "" {
		t.Errorf("the first secret: %s", diff)
	}
	if diff := cmp.Diff([]string{"POST " + made.path + "/secrets/new"}, p.holding(rotated.secret)); diff != "" {
		t.Errorf("the second secret: %s", diff)
	}
	for _, a := range []registered{made, rotated} {
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control of the answer with the secret: %q", got)
		}
		if n := strings.Count(a.body, a.secret); n != 2 {
			t.Errorf("the secret stands %d times in its page: as a field and as a block for a file", n)
		}
		a.Find("[data-secret]").Each(func(_ int, s *selection) {
			if !strings.Contains(s.AttrOr("value", s.Text()), a.secret) {
				t.Error("a field that is wiped does not hold the secret")
			}
		})
	}
}

// wander visits every page of an app, three times, and asks for headers alone.
func wander(b *browser, made registered) {
	paths := []string{"/", "/apps", "/apps?q=" + made.clientID, "/apps?hint=secret", "/apps/new", "/help"}
	for _, sub := range []string{"", "/history", "/edit", "/secrets/new", "/deactivate", "/activate", "/delete"} {
		paths = append(paths, made.path+sub)
	}
	for _, path := range paths {
		for range 3 {
			b.get(path)
		}
		b.do(http.MethodHead, path, nil, nil)
		b.fragment(path, "results")
		b.fragment(path, "dialog")
	}
}

// TestC14_UI3_SecretNowhereAtRest looks for secrets in every file of the database, in the write-ahead log and in the log.
func TestC14_UI3_SecretNowhereAtRest(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	token := p.accessToken(made.clientID, made.secret)
	admin.get("/apps?q=" + made.secret)
	admin.post("/apps", admin.newApp(map[string][]string{"name": {""}}))
	body := made.secret[7:50] // the 43 random characters
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range []string{made.secret, body, token, password} {
			if strings.Contains(string(content), text) {
				t.Errorf("%s holds a secret", d.Name())
			}
		}
		return err
	})
	p.must(err)
	for _, text := range []string{body, token, password, "Bearer ", "Basic "} {
		if strings.Contains(p.log.String(), text) {
			t.Errorf("the log holds %q", text)
		}
	}
}

// TestUI5_PastedSecret: a secret in the search box is dropped, and neither shown again nor logged (ui.md §4.1).
func TestUI5_PastedSecret(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	for _, q := range []string{made.secret, "x " + made.secret, "%20" + made.secret + "%20y", strings.ToUpper(made.secret), "ccws_", "ccwr_x", "a ccwt_x"} {
		answer := admin.get("/apps?status=active&q=" + strings.ReplaceAll(q, " ", "+")).is(http.StatusSeeOther)
		if to := answer.header.Get("Location"); to != "/apps?hint=secret" {
			t.Errorf("%.9s… leads to %q", q, to)
		}
		if strings.Contains(strings.ToLower(answer.body), "ccws_") {
			t.Errorf("%.9s… is in the answer", q)
		}
	}
	admin.get("/apps?hint=secret").is(http.StatusOK).says("[role=alert]", "client secret")
	if got := admin.fragment("/apps?q="+made.secret, "results"); got.status != http.StatusSeeOther || got.body != "" {
		t.Errorf("the script is answered %d %q", got.status, got.body)
	}
	// Nor does any other address pass it on: not to the sign-in page, not to the public name of this host.
	for _, path := range []string{
		"/apps?q=" + made.secret, "/?x=" + made.secret, "/apps/new?name=" + made.secret, "/help?" + made.secret + "%zz",
		"/signin?next=%2Fapps%3Fq%3D" + made.secret,
	} {
		if to := p.stranger().get(path).is(http.StatusSeeOther).header.Get("Location"); to != "/apps?hint=secret" {
			t.Errorf("%.12s… leads to %.20q…", path, to)
		}
	}
	if strings.Contains(p.log.String(), made.secret[:20]) {
		t.Error("the secret is in the log")
	}
}

// TestRevealPage holds what one needs next, and nothing that could make the browser ask again.
func TestRevealPage(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{"name": {"Überweisungen / SAP <2>"}, "expiry": {"date"}, "expires_on": {"2027-03-01"}})
	made.says("h1", "Überweisungen / SAP <2>").says("h1", "Copy the secret")
	if got := made.Find("[data-download]").First().AttrOr("data-name", ""); got != "uberweisungen-sap-2" {
		t.Errorf("the file is called %q", got)
	}
	if got := made.Find("[data-reveal]").AttrOr("data-reveal", ""); got != made.path {
		t.Errorf("a reload leads to %q", got)
	}
	made.says(".reveal", "1 Mar 2027, 23:59 UTC")
	if method := made.Find("form.reveal-close").AttrOr("method", ""); method != "get" {
		t.Errorf("Close is a %s form", method)
	}
	for _, code := range []string{"#try-token", "#try-self"} {
		text := made.Find(code).Text()
		if !strings.Contains(text, publicURL) || strings.Contains(text, made.secret) {
			t.Errorf("%s: %s", code, text)
		}
	}
	made.says("#try-token", made.clientID)
	env := strings.Split(made.Find("#client-env").Text(), "\n")
	want := []string{
		"CCW_CLIENT_ID=" + made.clientID, "CCW_SECRET=" + made.secret, "CCW_TOKEN_URL=" + publicURL + "/oauth2/token",
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Error(diff)
	}
	nameless := admin.register(map[string][]string{"name": {"采购申请"}})
	if got := nameless.Find("[data-download]").First().AttrOr("data-name", ""); got != strings.ToLower(nameless.clientID) {
		t.Errorf("without a Latin letter the file is called %q", got)
	}
}

// TestOwnDates: days end at 23:59 where the reader is, and moments are the reader's.
func TestOwnDates(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	zone := http.Header{"Cookie": {"tz=Asia%2FTokyo"}}
	in := func(path string) *page { return admin.do(http.MethodGet, path, nil, zone) }
	if got := in("/apps/new").is(http.StatusOK).text("#f-expires_on-hint"); !strings.Contains(got, "23:59 Asia/Tokyo") {
		t.Errorf("the hint says %q", got)
	}
	form := admin.newApp(map[string][]string{"expiry": {"date"}, "expires_on": {"2026-12-24"}})
	made := admin.do(http.MethodPost, "/apps", strings.NewReader(form.Encode()), zone).is(http.StatusOK).revealed()
	app := p.app(made.id)
	if want := time.Date(2026, 12, 24, 14, 59, 0, 0, time.UTC); !app.Secrets[0].EndsAt.Equal(want) {
		t.Errorf("the secret expires %v, want %v", app.Secrets[0].EndsAt, want)
	}
	rotate := made.path + "/secrets/new"
	form = with(in(rotate).form("main form"), map[string][]string{
		"do": {"create"}, "end": {"date"}, "end_at": {"2026-11-24T08:30"},
	})
	admin.do(http.MethodPost, rotate, strings.NewReader(form.Encode()), zone).is(http.StatusOK)
	app = p.app(made.id)
	old := app.Usable()[0]
	if want := time.Date(2026, 11, 23, 23, 30, 0, 0, time.UTC); !old.EndsAt.Equal(want) {
		t.Errorf("the old secret ends %v, want %v", old.EndsAt, want)
	}
	in(made.path).says(".strip", "24 Nov 2026, 08:30 JST")
}

// TestDetailNotices: what needs attention stands on the page, with the page that helps.
func TestDetailNotices(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(map[string][]string{"expiry": {"90d"}})
	if got := admin.get(made.path).Find(".notice").Length(); got != 0 {
		t.Errorf("a sound app has %d notices", got)
	}
	notices := func() []string {
		admin = p.as("admin@acme.example")
		var texts []string
		detail := admin.get(made.path).is(http.StatusOK)
		detail.Find(".notice p").Each(func(_ int, s *selection) { texts = append(texts, strings.Join(strings.Fields(s.Text()), " ")) })
		return texts
	}
	contains := func(texts []string, part string) bool {
		return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, part) })
	}
	p.clock.Advance(61 * 24 * time.Hour)
	if got := notices(); !contains(got, "expires in 29 days") {
		t.Errorf("29 days before the end: %q", got)
	}
	p.clock.Advance(29 * 24 * time.Hour)
	if got := notices(); !contains(got, "expired on") {
		t.Errorf("after the end: %q", got)
	}
	form := admin.get(made.path + "/deactivate").form("main form")
	admin.post(made.path+"/deactivate", form)
	if got := notices(); !contains(got, "inactive") {
		t.Errorf("inactive: %q", got)
	}
}
