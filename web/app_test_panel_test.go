package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/identity"
)

// try sends the panel's form and returns the page that says what came of it.
func (b *browser) try(path, secret, scope string) *page {
	b.p.t.Helper()
	form := b.get(path + "/test").is(http.StatusOK).form("main form")
	form.Set("client_secret", secret)
	if form.Has("scope") {
		form.Set("scope", scope)
	}
	return b.post(path+"/test", form)
}

// steps are the states of the steps of a test, by their headings.
func (a *page) steps() string {
	var list []string
	a.Find(".test-result .steps h3").Each(func(_ int, s *selection) {
		list = append(list, strings.Join(strings.Fields(s.Text()), " "))
	})
	return strings.Join(list, " | ")
}

// TestPanel tries a secret that works: three ticks, what it is, and the claims of the token, never the token.
func TestPanel(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	viewer := p.as("viewer@acme.example")
	field := viewer.get(made.path + "/test").is(http.StatusOK).Find("input[name=client_secret]")
	for attr, want := range map[string]string{"type": "password", "autocomplete": "off", "value": "none"} {
		if got := field.AttrOr(attr, "none"); got != want {
			t.Errorf("the field's %s is %q", attr, got)
		}
	}
	done := viewer.try(made.path, made.secret, invoiceRead).is(http.StatusOK)
	if got := done.steps(); got != "The format Passed | A token Passed | A call Passed" {
		t.Errorf("steps: %s", got)
	}
	done.says(".test-answer", "in under 1 ms")
	done.says(".test-result", "The secret works").says(".test-result", "…"+made.secret[63:]).
		says(".test-result .dl", made.clientID).says(".test-result .dl", "https://portal.example/apis/coupa-core").
		says(".test-result .dl", invoiceRead)
	if strings.Contains(done.body, "eyJ") || strings.Contains(done.body, made.secret) {
		t.Error("the page shows the token or the secret")
	}
	if got := done.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	p.flush()
	p.must(p.registry.FlushRejections(t.Context()))
	viewer.get(made.path).says("[aria-labelledby=use]", "Never used").says("[aria-labelledby=rejections]", "No request was rejected")
}

// TestPanelTellsTheCause: for everything that people paste, one sentence says what is wrong (ui.md §4.3).
func TestPanelTellsTheCause(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made, other := admin.register(nil), admin.register(appNamed("Other app"))
	theirs := p.as("admin@globex.example").register(map[string][]string{
		"api_user": {string(p.apiUser(p.globex, identity.KindClient).ID)},
	})
	rotate := admin.get(made.path + "/secrets/new").form("main form")
	fresh := admin.post(made.path+"/secrets/new", with(rotate, map[string][]string{"end": {"now"}, "do": {"create"}})).revealed()
	off := admin.register(appNamed("Switched off"))
	admin.follow(admin.post(off.path+"/deactivate", admin.get(off.path+"/deactivate").form("main form")))
	const noFormat = "The format Failed | A token Left out | A call Left out"
	const noToken = "The format Passed | A token Failed | A call Left out"
	tests := map[string]struct{ path, secret, scope, steps, says string }{
		"space":            {made.path, fresh.secret + " ", "", noFormat, "a space or line break before or after"},
		"client ID":        {made.path, made.clientID, "", noFormat, "looks like a client ID"},
		"ID":               {made.path, string(made.id), "", noFormat, "looks like the ID of something"},
		"token":            {made.path, p.accessToken(made.clientID, fresh.secret), "", noFormat, "looks like an access token"},
		"password":         {made.path, "hunter2", "", noFormat, "Those begin with ccws_"},
		"cut off":          {made.path, fresh.secret[:60], "", noFormat, "The secret is cut off"},
		"twice":            {made.path, fresh.secret + "abc", "", noFormat, "There is more here than a secret"},
		"quotation mark":   {made.path, fresh.secret[:60] + `"` + fresh.secret[61:], "", noFormat, "a character in it that no secret has"},
		"quoted":           {made.path, `"` + fresh.secret + `"`, "", noFormat, "quotation marks around the secret"},
		"header":           {made.path, "Bearer " + fresh.secret, "", noFormat, "what a header holds"},
		"setting":          {made.path, "CCW_SECRET=" + fresh.secret, "", noFormat, "a whole line of settings"},
		"variable":         {made.path, "$CCW_SECRET", "", noFormat, "the name of a variable"},
		"mistyped":         {made.path, mistyped(fresh.secret), "", noFormat, "its checksum does not fit"},
		"retired":          {made.path, made.secret, "", noToken, "The secret …" + made.secret[63:] + " was used, which was retired."},
		"another app's":    {made.path, other.secret, "", noToken, "This is a secret of another app, Other app."},
		"another's":        {made.path, theirs.secret, "", noToken, "What was sent is no secret of this app."},
		"inactive":         {off.path, off.secret, "", noToken, "The secret is right, but this app is inactive."},
		"scope not held":   {made.path, fresh.secret, invoiceWrite, noToken, "This app does not hold the scope core.invoice.write."},
		"unknown scope":    {made.path, fresh.secret, "core.invoice.raed", noToken, "There is no scope core.invoice.raed."},
		"scopes malformed": {made.path, fresh.secret, "a  b", noToken, "one space between two"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p.clock.Advance(10 * time.Second) // nobody tests twenty secrets at once
			got := p.as("viewer@acme.example").try(tt.path, tt.secret, tt.scope).is(http.StatusOK).says(".test-cause", tt.says)
			if got.steps() != tt.steps {
				t.Errorf("steps: %s", got.steps())
			}
			if name == "unknown scope" && strings.Contains(got.Find(".test-result").Text(), "add the scope") {
				t.Error("what there is not shall be added")
			}
			if len(tt.secret) > 20 && tt.secret != made.clientID && tt.secret != string(made.id) && strings.Contains(got.body, strings.TrimSpace(tt.secret)) {
				t.Error("the page repeats what was pasted")
			}
			if link := got.Find(".test-cause a"); (name == "another app's") != (link.AttrOr("href", "") == other.path) {
				t.Errorf("the page links to %q", link.AttrOr("href", ""))
			}
		})
	}
}

// mistyped is a secret with its last character exchanged.
func mistyped(secret string) string {
	if strings.HasSuffix(secret, "a") {
		return secret[:66] + "b"
	}
	return secret[:66] + "a"
}

// TestPanelOfAServer asks an API that checks tokens for an introspection, since it gets no token.
func TestPanelOfAServer(t *testing.T) {
	p := newPortal(t)
	p.platform()
	root := p.as("root@platform.example")
	made := root.post("/apps", root.newServer(map[string][]string{"kind": {"resource_server"}})).is(http.StatusOK).revealed()
	done := root.try(made.path, made.secret, "").is(http.StatusOK)
	if got := done.steps(); got != "The format Passed | An introspection Passed" {
		t.Errorf("steps: %s", got)
	}
	if done.Find("input[name=scope]").Length() != 0 || done.Find(".dl").Length() != 0 {
		t.Error("the panel of an API speaks of scopes or tokens")
	}
}

// TestPanelRefuses what need not be tried, and whoever tries too often; the form comes back without the secret.
func TestPanelRefuses(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	viewer := p.as("viewer@acme.example")
	viewer.try(made.path, "", "").is(http.StatusUnprocessableEntity).says(".error-summary", "Paste the client secret.")
	swapped := viewer.try(made.path, "x", made.secret).is(http.StatusUnprocessableEntity).says(".error-summary", "That is a client secret and not a scope.")
	if strings.Contains(swapped.body, made.secret) {
		t.Error("a secret in the field of scopes comes back")
	}
	viewer.post(made.path+"/test", url.Values{"client_secret": {"a", "b"}}).is(http.StatusUnprocessableEntity)
	viewer.try(made.path, made.secret, strings.Repeat("a", 501)).is(http.StatusUnprocessableEntity)
	for range 20 {
		viewer.try(made.path, "hunter2", "").is(http.StatusOK)
	}
	late := viewer.try(made.path, made.secret, "").is(http.StatusTooManyRequests).says(".error-summary", "That were many tests.")
	if late.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	p.as("admin@acme.example").try(made.path, made.secret, "").is(http.StatusOK).says(".test-result", "The secret works")
	p.clock.Advance(time.Minute)
	viewer.try(made.path, made.secret, "").is(http.StatusOK)
}

// TestUI3_PanelKeepsNoSecret: what is pasted stands in no answer, log line, row or file, also when the session ended
// meanwhile and the rest of the form is kept (ui.md §3.5, §7 item 3).
func TestUI3_PanelKeepsNoSecret(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	viewer := p.as("viewer@acme.example")
	form := viewer.get(made.path + "/test").form("main form")
	pasted := strings.Replace(made.secret, made.secret[20:30], "0123456789", 1)
	for _, secret := range []string{pasted, made.secret + " ", "hush-hush-hush"} {
		viewer.post(made.path+"/test", with(form, map[string][]string{"client_secret": {secret}})).is(http.StatusOK)
	}
	p.clock.Advance(time.Hour)
	kept := viewer.post(made.path+"/test", with(form, map[string][]string{"client_secret": {pasted}, "scope": {candidates}})).is(http.StatusSeeOther)
	if to := kept.to(); !strings.HasPrefix(to, "/signin?kept=1") {
		t.Fatalf("sent to %s", to)
	}
	again := p.as("viewer@acme.example").get(made.path + "/test?restore=1").is(http.StatusOK).form("main form")
	if again.Get("scope") != candidates || again.Get("client_secret") != "" {
		t.Errorf("the form comes back with %v", maps.Clone(again))
	}
	p.must(p.registry.FlushRejections(t.Context()))
	for _, secret := range []string{pasted, "hush-hush-hush"} {
		if n := len(p.holding(secret)); n != 0 || strings.Contains(p.log.String(), secret) {
			t.Errorf("%d answers hold what was pasted, or the log does", n)
		}
	}
}
