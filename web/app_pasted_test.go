package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"credenza.example/credenza/internal/identity"
)

// TestPastedSecretIsRevoked: a secret that was pasted into the search is kept back; who manages apps is led to where it
// ends, through a form that is posted (ui.md §4.1).
func TestPastedSecretIsRevoked(t *testing.T) {
	p := newPortal(t)
	admin, viewer := p.as("admin@acme.example"), p.as("viewer@acme.example")
	made := admin.register(nil)
	hint := admin.get("/apps?q=" + made.secret)
	if hint.to() != "/apps?hint=secret" {
		t.Fatalf("it leads to %s", hint.to())
	}
	href := admin.get(hint.to()).says("[role=alert]", "That was a client secret").Find("[role=alert] a").AttrOr("href", "")
	if viewer.get(hint.to()).says("[role=alert]", "That was a client secret").Find("[role=alert] a").Length() != 0 {
		t.Error("a viewer is offered to revoke it")
	}
	viewer.get(href).is(http.StatusForbidden)
	viewer.post(href, url.Values{"client_secret": {made.secret}}).is(http.StatusForbidden)

	form := admin.get(href).is(http.StatusOK).form("main form")
	for text, want := range map[string]string{
		"": "this is no client secret", made.clientID: "this is no client secret",
		made.secret[:len(made.secret)-1] + "_": "this is no client secret",
	} {
		back := admin.post(href, with(form, map[string][]string{"client_secret": {text}})).is(http.StatusUnprocessableEntity)
		if got := back.problems()["client_secret"]; !strings.Contains(got, want) || back.Find("#f-client_secret").AttrOr("value", "") != "" {
			t.Errorf("%.4q: %q", text, got)
		}
	}
	user := []string{string(p.apiUser(p.globex, identity.KindClient).ID)}
	theirs := p.as("admin@globex.example").register(map[string][]string{"api_user": user})
	other := admin.post(href, url.Values{"client_secret": {theirs.secret}}).is(http.StatusUnprocessableEntity)
	if got := other.problems()["client_secret"]; !strings.Contains(got, "no secret of an app of your organisation") || strings.Contains(other.body, theirs.clientID) {
		t.Errorf("another organisation's: %q", got)
	}

	found := admin.post(href, url.Values{"client_secret": {" " + made.secret + "\n"}}).is(http.StatusSeeOther)
	if !strings.HasPrefix(found.to(), made.path+"/secrets/new?leaked=") || strings.Contains(found.to(), made.secret) {
		t.Fatalf("it leads to %s", found.to())
	}
	rotate := admin.get(found.to()).is(http.StatusOK).form("main form")
	if rotate.Get("why") != "leaked" {
		t.Errorf("the form says %v", rotate)
	}
	if status, _ := p.token(made.clientID, made.secret); status != http.StatusOK {
		t.Error("the secret ended before anybody was asked")
	}
	admin.follow(admin.post(made.path+"/secrets/new", with(rotate, map[string][]string{"do": {"end"}}))).is(http.StatusOK)
	if status, _ := p.token(made.clientID, made.secret); status == http.StatusOK {
		t.Error("the secret goes on working")
	}
	over := admin.follow(admin.post(href, url.Values{"client_secret": {made.secret}})).is(http.StatusOK)
	over.says("[role=status]", "does not work any more")
}

// TestPastedSecretOfTwo: of two secrets the one that was pasted is chosen.
func TestPastedSecretOfTwo(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	rotate := made.path + "/secrets/new"
	admin.post(rotate, with(admin.get(rotate).form("main form"), map[string][]string{"do": {"create"}})).is(http.StatusOK)
	to := admin.post("/apps/pasted", url.Values{"client_secret": {made.secret}}).to()
	chosen := admin.get(to).Find("input[name=leaked][checked]")
	if chosen.Length() != 1 || !strings.Contains(chosen.Closest("label").Text(), made.secret[len(made.secret)-4:]) {
		t.Errorf("%d are chosen: %q", chosen.Length(), chosen.Closest("label").Text())
	}
}

// TestPastedTooOften: nobody tries one text after the other.
func TestPastedTooOften(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	for range 20 {
		admin.post("/apps/pasted", url.Values{"client_secret": {"x"}}).is(http.StatusUnprocessableEntity)
	}
	if got := admin.post("/apps/pasted", url.Values{"client_secret": {"x"}}); got.status != http.StatusTooManyRequests {
		t.Errorf("answered %d", got.status)
	}
}
