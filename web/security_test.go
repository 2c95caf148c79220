package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/web"
)

// C56: unsafe requests that another site started are refused, those without any sign of a browser only with a session.
func TestC56_CrossSiteRequestsAreRefused(t *testing.T) {
	p := newPortal(t)
	signedIn := p.as("admin@acme.example")
	tests := []struct {
		name    string
		browser *browser
		headers http.Header
		status  int
	}{
		{"same origin", signedIn, http.Header{"Sec-Fetch-Site": {"same-origin"}}, http.StatusUnprocessableEntity},
		{"cross site", signedIn, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, http.StatusForbidden},
		{"same site", signedIn, http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://other.portal.example"}}, http.StatusForbidden},
		{"foreign origin only", signedIn, http.Header{"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}}, http.StatusForbidden},
		{"null origin", signedIn, http.Header{"Sec-Fetch-Site": nil, "Origin": {"null"}}, http.StatusForbidden},
		{"neither, with session", signedIn, http.Header{"Sec-Fetch-Site": nil, "Origin": nil}, http.StatusForbidden},
		{"neither, without session", p.stranger(), http.Header{"Sec-Fetch-Site": nil, "Origin": nil}, http.StatusSeeOther},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := strings.NewReader(url.Values{"do": {"save"}}.Encode())
			answer := tt.browser.do(http.MethodPost, "/apps", body, tt.headers)
			if answer.status != tt.status {
				t.Errorf("status %d, want %d: %s", answer.status, tt.status, answer.text("main"))
			}
		})
	}
}

// C56: no GET changes anything, whoever sends it and whatever it carries. That one was refused is recorded.
func TestC56_NoPageViewChangesAnything(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	made := b.register(nil)
	count := func() (events, apps int64) {
		p.must(p.db.Read(t.Context()).Raw("SELECT count(*) FROM audit_events WHERE result <> 'refused'").Scan(&events).Error)
		p.must(p.db.Read(t.Context()).Raw("SELECT sum(version) + sum(generation) FROM apps").Scan(&apps).Error)
		return events, apps
	}
	events, apps := count()
	for _, r := range web.Routes() {
		if r.Method != http.MethodGet {
			continue
		}
		path := strings.NewReplacer(":id", string(made.id), ":sid", string(made.id)).Replace(r.Path)
		b.get(path + "?name=x&confirm_name=" + url.QueryEscape("SAP spend export") + "&do=save&version=1&active=1")
	}
	if e, a := count(); e != events || a != apps {
		t.Errorf("events %d -> %d, apps %d -> %d", events, e, apps, a)
	}
}

// C58: every answer carries the headers, pages and errors, machines' endpoints and files.
func TestC58_HeadersOnEveryAnswer(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	want := map[string]string{
		"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
	}
	for _, path := range []string{
		"/", "/apps", "/apps/new", "/signin", "/help", "/nowhere", "/apps/nothing", "/static/nothing", "/oauth2/token",
		"/oauth2/jwks", "/.well-known/oauth-authorization-server", "/api/v1/apps/self", "/api/v1/nothing",
	} {
		answer := b.get(path)
		for name, value := range want {
			if got := answer.header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got, value)
			}
		}
		policy := answer.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy lacks %s: %s", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: %s", path, policy)
		}
	}
}

func TestPagesAreNotStoredAndFilesAre(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	page := b.get("/apps").is(http.StatusOK)
	if got := page.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page: Cache-Control %q", got)
	}
	sheet, _ := page.Find("link[rel=stylesheet]").Attr("href")
	if got := b.get(sheet).is(http.StatusOK).header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("the stylesheet: Cache-Control %q", got)
	}
}

// C59: the cookies cannot be read by scripts, leave the site or be set by a neighbour.
func TestC59_Cookies(t *testing.T) {
	p := newPortal(t)
	answer := p.stranger().post("/signin", url.Values{"email": {"admin@acme.example"}, "password": {password}}).is(http.StatusSeeOther)
	cookies := (&http.Response{Header: answer.header}).Cookies()
	if len(cookies) != 2 {
		t.Fatalf("%d cookies, want the session and the device", len(cookies))
	}
	for _, c := range cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" ||
			c.SameSite != http.SameSiteLaxMode {
			t.Errorf("%s", c)
		}
	}
	for _, path := range []string{"/signin", "/help", "/nowhere"} {
		if set := p.stranger().get(path).header.Values("Set-Cookie"); len(set) != 0 {
			t.Errorf("%s sets %v for a stranger", path, set)
		}
	}
}

// C61: what a client says about hosts and addresses changes no link, no issuer and no counter.
func TestC61_ForgedHostsAreNotBelieved(t *testing.T) {
	p := newPortal(t)
	forged := http.Header{
		"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"http"}, "Forwarded": {"host=evil.example"},
		"X-Forwarded-For": {"198.51.100.9"}, "X-Real-Ip": {"198.51.100.9"}, "True-Client-Ip": {"198.51.100.9"},
	}
	b := p.as("viewer@acme.example")
	for _, path := range []string{"/apps", "/help", "/.well-known/oauth-authorization-server", "/signin"} {
		answer := b.do(http.MethodGet, path, nil, forged)
		if strings.Contains(answer.body, "evil.example") || strings.Contains(answer.header.Get("Location"), "evil") {
			t.Errorf("%s repeats the forged host", path)
		}
	}
	b.do(http.MethodPost, "/apps", strings.NewReader("name=x"), forged).is(http.StatusForbidden)
	var addresses []string
	p.must(p.db.Read(t.Context()).Raw("SELECT DISTINCT address FROM audit_events WHERE address <> ''").Scan(&addresses).Error)
	if diff := cmp.Diff([]string{"192.0.2.7"}, addresses); diff != "" {
		t.Error(diff)
	}
}

func TestOtherHostNamesLeadToThePublicURL(t *testing.T) {
	p := newPortal(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/apps?q=a+b", nil)
	p.must(err)
	answer, err := p.RoundTrip(r)
	p.must(err)
	defer answer.Body.Close()
	if got, want := answer.Header.Get("Location"), publicURL+"/apps?q=a+b"; answer.StatusCode != http.StatusFound || got != want {
		t.Errorf("%d %q, want %q", answer.StatusCode, got, want)
	}
}

// C76: a fault of ours is a page with a reference, logged with its cause; the product goes on.
func TestC76_FaultsAreAnsweredWithoutDetail(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	p.must(p.db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec("ALTER TABLE apps RENAME TO apps_elsewhere").Error
	}))
	for _, path := range []string{"/apps", "/", "/apps/" + database.NewID()} {
		answer := b.get(path).is(http.StatusInternalServerError)
		reference := answer.header.Get("X-Request-Id")
		answer.says("main", reference)
		for _, leak := range []string{"sql", "goroutine", ".go:", "no such table"} {
			if strings.Contains(strings.ToLower(answer.body), leak) {
				t.Errorf("%s tells %q", path, leak)
			}
		}
		if !strings.Contains(p.log.String(), reference) {
			t.Errorf("%s: the log does not know %s", path, reference)
		}
	}
}

// C77: nothing but the portal answers on the public listener.
func TestC77_NothingElseIsServed(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	for _, path := range []string{
		"/metrics", "/debug/pprof/", "/livez", "/readyz", "/.git/config", "/static/", "/static/../go.mod", "/.env", "/server-status",
		"/apps/", "/apps/new/", "/gateway/ccw/nginx",
	} {
		if answer := b.get(path); answer.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.status)
		}
	}
	for _, method := range []string{http.MethodTrace, http.MethodPut, http.MethodDelete, http.MethodPatch, "BREW"} {
		if answer := b.do(method, "/apps", nil, nil); answer.status != http.StatusMethodNotAllowed && answer.status != http.StatusNotFound {
			t.Errorf("%s: %d", method, answer.status)
		}
	}
	for _, name := range []string{"Server", "X-Powered-By"} {
		if got := b.get("/apps").header.Get(name); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// C5: the token endpoint answers other methods, and what is below it, in JSON; never with a page.
func TestC5_NoPagesAtMachinesAddresses(t *testing.T) {
	p := newPortal(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead} {
		answer := p.stranger().do(method, "/oauth2/token", nil, nil).is(http.StatusMethodNotAllowed)
		if answer.header.Get("Allow") != http.MethodPost || answer.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: Allow %q, Content-Type %q", method, answer.header.Get("Allow"), answer.header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/oauth2/nothing", "/.well-known/nothing", "/api/v1/nothing"} {
		answer := p.stranger().do("BREW", path, nil, nil).is(http.StatusNotFound)
		if got := answer.header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s: Content-Type %q", path, got)
		}
	}
}

// A session that cannot be written fails no page view, and an error page needs none.
func TestF3_PagesWithoutAWritableDatabase(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	made := b.register(nil)
	b.follow(b.post(made.path+"/deactivate", b.get(made.path+"/deactivate").form("main form"))) // a message is shown
	b.post(made.path+"/activate", b.get(made.path+"/activate").form("main form")).is(http.StatusSeeOther)
	p.must(p.db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec("CREATE TRIGGER full BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'disk full'); END").Error
	}))
	b.get(made.path).is(http.StatusOK).says("[role=status]", "SAP spend export")
	b.get("/nowhere").is(http.StatusNotFound).says("h1", "Nothing")
}

// Whoever left before the answer is no fault of ours: nothing is logged as one.
func TestGivenUpRequestsAreNoErrors(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, publicURL+"/apps?q=sap", http.NoBody)
	p.must(err)
	r.RequestURI = "/apps?q=sap"
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: b.cookie(sessionCookie)})
	p.handler.ServeHTTP(httptest.NewRecorder(), r)
	if log := p.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
		t.Errorf("the log holds\n%s", log)
	}
}

func TestHeadAnswersLikeGetWithoutBody(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	for _, path := range []string{"/", "/apps", "/apps/new", "/help"} {
		if got, want := b.do(http.MethodHead, path, nil, nil).status, b.get(path).status; got != want {
			t.Errorf("HEAD %s: %d, GET %d", path, got, want)
		}
	}
}

func TestAdminListener(t *testing.T) {
	p := newPortal(t)
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "credenza_example_total", Help: "An example."}))
	admin := web.NewAdmin(p.db, registry)
	get := func(path string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8081"+path, http.NoBody)
		p.must(err)
		r.RequestURI = path
		answer, err := (&portal{t: t, handler: admin}).RoundTrip(r)
		p.must(err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		p.must(err)
		return answer.StatusCode, string(body)
	}
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/debug/pprof/"} {
		if status, body := get(path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, body := get("/metrics"); !strings.Contains(body, "credenza_example_total 0") {
		t.Errorf("/metrics: %s", body)
	}
	admin.Drain()
	if status, _ := get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz while stopping: %d", status)
	}
	if status, _ := get("/livez"); status != http.StatusOK {
		t.Errorf("/livez while stopping: %d", status)
	}
	p.must(p.db.Close())
	admin = web.NewAdmin(p.db, registry)
	if status, _ := get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz without a database: %d", status)
	}
}

// Reports of a violated policy are taken from anybody, bounded, and leave only the directive's name in the log.
func TestPolicyReports(t *testing.T) {
	p := newPortal(t)
	b := p.stranger()
	report := func(body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, publicURL+"/csp-report", strings.NewReader(body))
		p.must(err)
		r.Header.Set("Content-Type", "application/csp-report")
		answer, err := b.client.Do(r)
		p.must(err)
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusNoContent {
			t.Errorf("status %d", answer.StatusCode)
		}
	}
	report(`{"csp-report":{"effective-directive":"script-src","document-uri":"https://portal.example/?q=canary-in-report"}}`)
	report(`{"csp-report":{"violated-directive":"img-src\nforged line"}}`)
	report(`{"csp-report":{"effective-directive":"canary-in-report"}}`)
	report("no json, canary-in-report")
	report(strings.Repeat("x", 1<<20))
	for range 100 {
		report(`{}`)
	}
	log := p.log.String()
	if !strings.Contains(log, "directive=script-src") || strings.Contains(log, "canary-in-report") || strings.Contains(log, "forged") {
		t.Errorf("the log holds\n%s", log)
	}
	if n := strings.Count(log, "security policy violated"); n > 40 {
		t.Errorf("%d reports of one network were logged", n)
	}
}

// C83 and T27 for forms: what is no form, too large or odd is refused with a page, and nothing is changed.
func TestOddBodies(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	tests := []struct {
		name    string
		body    string
		headers http.Header
		status  int
	}{
		{"json", `{"name":"x"}`, http.Header{"Content-Type": {"application/json"}}, http.StatusUnsupportedMediaType},
		{"multipart", "x", http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, http.StatusUnsupportedMediaType},
		{"no type", "name=x", http.Header{"Content-Type": nil}, http.StatusUnsupportedMediaType},
		{"utf-16", "name=x", http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-16"}}, http.StatusUnsupportedMediaType},
		{"compressed", "name=x", http.Header{"Content-Encoding": {"gzip"}}, http.StatusUnsupportedMediaType},
		{"10 MB", "name=" + strings.Repeat("x", 10<<20), nil, http.StatusRequestEntityTooLarge},
		{"too many fields", strings.Repeat("a=1&", 2000), nil, http.StatusRequestEntityTooLarge},
		{"bad escape", "name=%zz", nil, http.StatusUnprocessableEntity},
		{"no UTF-8", "name=%ff%fe", nil, http.StatusUnprocessableEntity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := b.do(http.MethodPost, "/apps", strings.NewReader(tt.body), tt.headers)
			if answer.status != tt.status || answer.text("h1") == "" {
				t.Errorf("status %d, want %d: %s", answer.status, tt.status, answer.text("main"))
			}
		})
	}
}

// C61: with trusted proxies the nearest address that is no proxy counts; what comes before it may be invented.
func TestC61_AddressesBehindProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	tests := []struct {
		name      string
		trusted   []netip.Prefix
		peer      string
		forwarded string
		want      string
	}{
		{"no proxies", nil, "192.0.2.7:1", "198.51.100.9", "192.0.2.7"},
		{"loopback is no proxy by itself", nil, "127.0.0.1:1", "198.51.100.9", "127.0.0.1"},
		{"stranger", trusted, "192.0.2.7:1", "198.51.100.9", "192.0.2.7"},
		{"proxy", trusted, "10.1.2.3:1", "198.51.100.9", "198.51.100.9"},
		{"two proxies", trusted, "10.1.2.3:1", "203.0.113.5, 198.51.100.9, 10.9.9.9", "198.51.100.9"},
		{"over IPv6", trusted, "[2001:db8::1]:1", "198.51.100.9", "198.51.100.9"},
		{"proxy says nothing", trusted, "10.1.2.3:1", "", "10.1.2.3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, publicURL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.RemoteAddr = tt.peer
			if tt.forwarded != "" {
				r.Header.Set("X-Forwarded-For", tt.forwarded)
			}
			if got := web.AddressOf(tt.trusted)(r); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
