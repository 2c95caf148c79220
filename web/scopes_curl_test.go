package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A pasted command line of curl is read as its call; headers and bodies are never sent back.
func TestScopesReadCommands(t *testing.T) {
	p := newPortal(t)
	guest, admin := p.as("guest@acme.example"), p.as("admin@acme.example")
	const hush = "eyJhbGciOi.HUSH.1234"
	command := `curl -X POST https://u:` + hush + `@acme.coupahost.com/api/invoices?t=` + hush + ` -H 'Authorization: Bearer ` + hush + `' -d '{"a":"` + hush + `"}'`
	to := guest.get(query("q", command, "scope", candidates)).is(http.StatusSeeOther).to()
	if to != "/scopes?q=POST+%2Fapi%2Finvoices&scope=ccw.candidates" {
		t.Fatalf("it leads to %s", to)
	}
	found := guest.get(to).is(http.StatusOK).says("#results", "POST /api/invoices is open to a token with any one of its scopes.")
	if diff := cmp.Diff([]string{"POST /api/invoices"}, chips(found)); diff != "" {
		t.Error(diff)
	}
	fragment := guest.fragment(query("q", command), "results").is(http.StatusOK)
	if diff := cmp.Diff(listed(found), listed(fragment)); diff != "" {
		t.Error(diff)
	}
	if to := p.stranger().get(query("q", command)).to(); to != "/scopes?q=POST+%2Fapi%2Finvoices" {
		t.Errorf("a stranger is sent to %s", to)
	}
	form := with(admin.newApp(nil), map[string][]string{"redraw": {"scopes"}, "scope_q": {command}, "do": nil})
	if got := admin.post("/apps/new", form).is(http.StatusOK).form("main form").Get("scope_q"); got != "POST /api/invoices" {
		t.Errorf("the form searches for %q", got)
	}
	if n := len(p.holding(hush)); n != 0 || strings.Contains(p.log.String(), hush) {
		t.Errorf("%d answers hold the token", n)
	}
}
