package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func (b *browser) lookUp(typed string) *page {
	b.p.t.Helper()
	return b.post("/lookup", url.Values{"q": {typed}})
}

func TestLookupPage(t *testing.T) {
	p := newPortal(t)
	p.platform()
	made := p.as("admin@acme.example").register(map[string][]string{"second_first_name": {"Kim"}, "second_last_name": {"Lee"}, "second_email": {"kim.lee@acme.example"}})
	theirs, _ := globexThings(p)
	support := p.as("support@platform.example")

	empty := support.get("/lookup").is(http.StatusOK)
	if empty.Find("#results").Length() != 0 {
		t.Error("a page that nobody asked has an answer")
	}
	for typed, want := range map[string]string{
		made.clientID: "SAP spend export", theirs.clientID: "Globex ledger", "SPEND": "SAP spend export",
		"kim.lee@ACME.example": "SAP spend export",
	} {
		got := support.lookUp(typed).is(http.StatusOK).says("#results .found h3", want).says("#results .found", "Active").
			says("#results .found", "of "+map[bool]string{true: "Globex", false: "Acme"}[typed == theirs.clientID])
		if got.Find("#f-q").AttrOr("value", "") != typed || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: the field holds %q", typed, got.Find("#f-q").AttrOr("value", ""))
		}
	}
	got := support.lookUp(made.clientID).is(http.StatusOK).says(".found", "Ana Silva").says(".found", "kim.lee@acme.example")
	answer, _ := got.Find("#results").Html()
	for _, hidden := range []string{made.clientID, string(made.id), "/apps", invoiceRead, "Customer", "Copies approved", made.secret[len(made.secret)-4:]} {
		if strings.Contains(answer, hidden) {
			t.Errorf("the answer shows %q, which is neither app, organisation, status nor contact", hidden)
		}
	}
	got.Find("#results a").Each(func(_ int, s *selection) {
		if !strings.HasPrefix(s.AttrOr("href", ""), "mailto:") {
			t.Errorf("the answer links to %q", s.AttrOr("href", ""))
		}
	})
	for typed, words := range map[string]string{
		"CCWACME_aaaaaaaaaaaaaaaaaaaa": "No app has this client ID", "zeppelin": "No app has a name", "no@body.example": "No app has a contact",
	} {
		support.lookUp(typed).is(http.StatusOK).says("#results", words)
	}
	for typed, words := range map[string]string{"": "Enter a client ID", "sa": "at least 3", "a@b": "whole e-mail address"} {
		support.lookUp(typed).is(http.StatusUnprocessableEntity).says(".error-summary", words)
	}
	support.post("/lookup", url.Values{"q": {"sap", "spend"}}).is(http.StatusUnprocessableEntity)
	if log := p.log.String(); strings.Contains(log, "kim.lee") || strings.Contains(log, "zeppelin") || strings.Contains(log, made.clientID) {
		t.Error("what was looked up stands in the log")
	}
}

// TestLookupNeedsAPost: an address fills in a client ID and looks nothing up.
func TestLookupNeedsAPost(t *testing.T) {
	p := newPortal(t)
	p.platform()
	made := p.as("admin@acme.example").register(nil)
	support := p.as("support@platform.example")
	filled := support.get("/lookup?client=" + made.clientID).is(http.StatusOK)
	if filled.Find("#f-q").AttrOr("value", "") != made.clientID || filled.Find("#results").Length() != 0 {
		t.Error("the address does not fill in the client ID, or looks it up")
	}
	for _, address := range []string{"/lookup?q=" + made.clientID, "/lookup?client=ana%40acme.example", "/lookup?client=%3Cscript%3E"} {
		if got := support.get(address).is(http.StatusOK); got.Find("#f-q").AttrOr("value", "") != "" {
			t.Errorf("%s fills in %q", address, got.Find("#f-q").AttrOr("value", ""))
		}
	}
	support.do(http.MethodPost, "/lookup", strings.NewReader("q=sap"), http.Header{
		"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}, "Content-Type": {"application/x-www-form-urlencoded"},
	}).is(http.StatusForbidden)
	admin := p.as("admin@acme.example")
	if got := admin.get(made.path + "/history").text(".events"); strings.Contains(got, "Support") {
		t.Errorf("pages that were only opened stand in the history: %s", got)
	}
}

// TestLookupIsSeen: the organisation reads in its own history that support looked, without who and from where.
func TestLookupIsSeen(t *testing.T) {
	p := newPortal(t)
	p.platform()
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	p.as("support@platform.example").lookUp("spend").is(http.StatusOK)
	event := admin.get(made.path+"/history").is(http.StatusOK).
		says(".event:first-child", "Support looked up SAP spend export").says(".event:first-child", "name")
	for _, hidden := range []string{"Sam", "192.0.2.7", p.actor("support@platform.example").ID} {
		if strings.Contains(event.text(".event:first-child"), hidden) {
			t.Errorf("the event shows %q", hidden)
		}
	}
}

func TestLookupLimit(t *testing.T) {
	p := newPortal(t)
	p.platform()
	support := p.as("support@platform.example")
	for range 60 {
		support.lookUp("zeppelin").is(http.StatusOK)
	}
	limited := support.lookUp("zeppelin").is(http.StatusTooManyRequests).says(".error-summary", "60 times within an hour")
	if limited.header.Get("Retry-After") != "3600" {
		t.Errorf("Retry-After is %q", limited.header.Get("Retry-After"))
	}
}

// TestUI5_LookupDropsSecrets: a client secret that somebody pasted is neither looked up nor shown again (T33).
func TestUI5_LookupDropsSecrets(t *testing.T) {
	p := newPortal(t)
	p.platform()
	made := p.as("admin@acme.example").register(nil)
	before := len(p.holding(made.secret))
	p.as("support@platform.example").lookUp("x "+made.secret).is(http.StatusUnprocessableEntity).says("main", "That is a client secret")
	if after := p.holding(made.secret); len(after) != before {
		t.Errorf("the secret was shown again by %v", after)
	}
}

// TestLookupEscapes: names that are made to deceive stay names, on the page and in the mail.
func TestLookupEscapes(t *testing.T) {
	p := newPortal(t)
	p.platform()
	admin := p.as("admin@acme.example")
	for _, name := range []string{
		`Evil <script>alert(1)</script>`, `Evil &bcc=x@evil.example`, `Evil ?to=x@evil.example,y@evil.example`, `Evil "onmouseover=x`, `Evil %0D%0ABcc: x@evil.example`,
	} {
		admin.register(map[string][]string{"name": {name}, "first_name": {`<b>&cc=x`}})
		got := p.as("support@platform.example").lookUp("evil").is(http.StatusOK).says("#results", name)
		if got.Find("#results script, #results b, #results [onmouseover]").Length() > 0 {
			t.Errorf("%q became markup", name)
		}
		got.Find("#results a").Each(func(_ int, s *selection) {
			link, err := url.Parse(s.AttrOr("href", ""))
			if err != nil || link.Scheme != "mailto" || link.Opaque != "admin%40acme.example" && link.Opaque != "admin@acme.example" {
				t.Fatalf("%q: a mail to %q", name, s.AttrOr("href", ""))
			}
			for header := range link.Query() {
				if header != "subject" && header != "body" {
					t.Errorf("%q: a mail with the header %q", name, header)
				}
			}
		})
	}
}

func TestFind(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	theirs, _ := globexThings(p)
	for typed, want := range map[string]string{
		made.clientID: made.path, " " + made.clientID + " ": made.path, theirs.clientID: "/apps?q=" + theirs.clientID,
		"spend & export": "/apps?q=spend+%26+export", "": "/apps", "ana@acme.example": "/apps?q=ana%40acme.example",
		"//evil.example": "/apps?q=%2F%2Fevil.example",
	} {
		if to := admin.get("/find?" + url.Values{"q": {typed}}.Encode()).is(http.StatusSeeOther).to(); to != want {
			t.Errorf("%q leads to %s, want %s", typed, to, want)
		}
	}
	p.as("guest@acme.example").get("/find?q=x").is(http.StatusForbidden)
}
