package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sendTwice sends a form while nothing can be written, and what came back of it a second time when it can. What was
// typed, the nonce included, stands in what came back.
func (b *browser) sendTwice(gone *away, path string, form url.Values) *page {
	b.p.t.Helper()
	gone.Store(true)
	back := b.post(path, form)
	gone.Store(false)
	back.is(http.StatusServiceUnavailable).says(".error-summary", "Nothing was changed, and it is safe to try again")
	if back.header.Get("Retry-After") == "" {
		b.p.t.Errorf("%s: no Retry-After", path)
	}
	again := back.form("main form")
	again.Set("do", form.Get("do"))
	for name, sent := range form {
		if diff := cmp.Diff(sent, again[name]); diff != "" && strings.Join(sent, "") != "" {
			b.p.t.Errorf("%s: %s was sent and came back as (-sent +back):\n%s", path, name, diff)
		}
	}
	return b.post(path, again)
}

// TestFormsWhileNothingCanBeWritten: no form is lost to a database that is away, and pressing again does it once.
func TestFormsWhileNothingCanBeWritten(t *testing.T) {
	p := newPortal(t)
	gone := p.canFail()
	admin := p.as("admin@acme.example")
	made := admin.sendTwice(gone, "/apps", admin.newApp(map[string][]string{"name": {"Typed <b>"}, "scope": {invoiceRead, candidates}})).
		is(http.StatusOK).revealed()

	sent := with(admin.get(made.path+"/edit").form("main form"), map[string][]string{"name": {"Changed"}, "do": {"save"}})
	admin.follow(admin.sendTwice(gone, made.path+"/edit", sent)).says("h1", "Changed")

	sent = with(admin.get(made.path+"/secrets/new").form("main form"), map[string][]string{
		"label": {"typed label"}, "why": {"lost"}, "end": {"24h"}, "expiry": {"90d"}, "do": {"create"},
	})
	admin.sendTwice(gone, made.path+"/secrets/new", sent).is(http.StatusOK).revealed()
	admin.follow(admin.post(made.path+"/secrets/new", sent)) // the same form once more makes no third
	app, err := p.registry.App(t.Context(), p.actor("admin@acme.example"), made.id)
	p.must(err)
	if n := len(app.Usable()); n != 2 {
		t.Fatalf("%d secrets work, want 2", n)
	}

	retire := made.path + "/secrets/" + string(app.Usable()[0].ID) + "/retire"
	for _, path := range []string{retire, made.path + "/deactivate", made.path + "/activate", made.path + "/deactivate"} {
		admin.sendTwice(gone, path, admin.get(path).form("main form")).is(http.StatusSeeOther)
	}
	sent = with(admin.get(made.path+"/delete").form("main form"), map[string][]string{"confirm_name": {"Changed"}})
	admin.sendTwice(gone, made.path+"/delete", sent).is(http.StatusSeeOther)
	admin.get(made.path).is(http.StatusNotFound)
}
