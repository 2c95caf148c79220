package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
)

// wrong is one way to fill a form badly. fields are those that must be named, in the words of the form.
type wrong struct {
	name   string
	change map[string][]string
	fields []string
}

// one is a single field with a bad value.
func one(field, what, value string, named ...string) wrong {
	if named == nil {
		named = []string{field}
	}
	return wrong{name: field + " " + what, change: map[string][]string{field: {value}}, fields: named}
}

// wrongs are each field of the register form, wrong in each way.
func wrongs(p *portal) []wrong {
	long, control, reversed := strings.Repeat("x", 600), "SAP\x01\nexport", "SAP \u202Etropxe"
	list := []wrong{
		one("name", "empty", ""), one("name", "blank", "   "), one("name", "short", "ab"), one("name", "long", long[:81]),
		one("name", "control", control), one("name", "reversed", reversed), one("name", "taken", "first APP"),
		one("name", "taken by another width", "\uff26irst  App"),
		one("description", "empty", ""), one("description", "short", "nine char"), one("description", "long", long[:501]),
		one("description", "control", "SAP spend export\x07"), one("description", "reversed", "SAP spend "+reversed),
		one("category", "empty", ""), one("category", "unknown", "friend"),
		{"category of other API users", map[string][]string{
			"category": {"supplier"}, "api_user": {string(p.apiUser(p.acme, identity.KindClient).ID)},
		}, []string{"api_user"}},
		one("first_name", "empty", ""), one("first_name", "long", long[:101]), one("first_name", "control", control),
		one("last_name", "empty", ""), one("last_name", "long", long[:101]), one("last_name", "control", control),
		one("email", "empty", ""), one("email", "long", long[:300]+"@acme.example"), one("email", "no address", "nobody"),
		one("email", "control", "ana@acme.example\r\nBcc: all@acme.example"), one("email", "two", "a@acme.example,b@acme.example"),
		one("second_first_name", "alone", "Jo", "second_last_name", "second_email"),
		one("second_email", "no address", "nobody", "second_email", "second_first_name", "second_last_name"),
		one("type", "empty", ""), one("type", "unknown", "robot"), one("type", "planned", "web"),
		one("credential_type", "empty", ""), one("credential_type", "unknown", "password"), one("credential_type", "planned", "jwks"),
		one("expiry", "unknown", "2w"),
		one("api_user", "empty", ""), one("api_user", "no ID", "1 OR 1=1"), one("api_user", "unknown", database.NewID()),
		one("api_user", "of Globex", string(p.apiUser(p.globex, identity.KindClient).ID)),
		one("api_user", "of another kind", string(p.apiUser(p.acme, identity.KindMSP).ID)),
		one("scope", "unknown", "core.invoice.reed"), one("scope", "empty text", ""), one("scope", "withheld", "openid"),
		one("scope", "control", "core.invoice.read\n"), one("scope", "another case", "Core.Invoice.Read"),
		one("scope", "two in one", invoiceRead+" "+invoiceWrite),
		one("default_api", "unknown", "nothing"), one("default_api", "of no scope", "ccw"), one("default_api", "own", "identity-pm"),
		{"scope missing", map[string][]string{"scope": nil}, []string{"scope"}},
	}
	for what, day := range map[string]string{"missing": "", "garbage": "tomorrow", "no day": "2027-02-30", "past": "2026-11-21", "far": "2046-01-01"} {
		list = append(list, wrong{"own date " + what, map[string][]string{"expiry": {"date"}, "expires_on": {day}}, []string{"expires_on"}})
	}
	for _, field := range []string{
		"name", "description", "category", "first_name", "last_name", "email", "second_first_name", "second_last_name", "second_email",
		"type", "credential_type", "expiry", "expires_on", "api_user", "default_api", "active",
	} {
		list = append(list, wrong{field + " twice", map[string][]string{field: {"one value", "another"}}, []string{field}})
	}
	return append(list,
		wrong{"nonce twice", map[string][]string{"nonce": {"a", "b"}}, []string{""}},
		wrong{
			"everything",
			map[string][]string{"name": {""}, "description": {""}, "email": {"x"}, "scope": nil, "api_user": {""}},
			[]string{"name", "description", "email", "api_user", "scope"},
		},
	)
}

// TestEachFieldWrong: 422, the field is named, everything else that was typed is still there, and nothing is registered.
func TestEachFieldWrong(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.register(appNamed("First App"))
	for _, w := range wrongs(p) {
		t.Run(w.name, func(t *testing.T) {
			sent := admin.newApp(map[string][]string{
				"second_first_name": {""}, "name": {"Another app <b>"}, "description": {"Line one\nline two & more"},
				"scope": {invoiceRead, "core.purchase_order.read"}, "active": nil,
			})
			sent = with(sent, w.change)
			got := admin.post("/apps", sent).is(http.StatusUnprocessableEntity)
			comesBack(t, got, sent, w)
		})
	}
	admin.get("/apps").says(".pager-range", "1-1 of 1")
}

// comesBack judges a form that was refused.
func comesBack(t *testing.T, got *page, sent url.Values, w wrong) {
	t.Helper()
	named := slices.Sorted(maps.Keys(got.problems()))
	want := slices.Sorted(slices.Values(w.fields))
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("fields at fault: %s", diff)
	}
	for _, field := range w.fields {
		if field != "" && got.Find("#f-"+field).Length() != 1 {
			t.Errorf("the summary leads to #f-%s, which is not there", field)
		}
	}
	fields := got.Find("main [id^=f-]").Map(func(_ int, s *selection) string { return s.AttrOr("id", "") })
	at := -1
	got.Find(".error-summary a").Each(func(_ int, s *selection) {
		i := slices.Index(fields, strings.TrimPrefix(s.AttrOr("href", ""), "#"))
		if i < at {
			t.Errorf("the summary is not in the order of the fields: %v", got.problems())
		}
		at = i
	})
	if title := got.text("title"); !strings.HasPrefix(title, "Error:") {
		t.Errorf("the title is %q", title)
	}
	back := got.form("main form")
	for field, values := range sent {
		if _, touched := w.change[field]; touched || field == "do" {
			continue
		}
		for i, v := range values {
			values[i] = strings.ReplaceAll(v, "\r\n", "\n")
		}
		slices.Sort(values)
		got := slices.Sorted(slices.Values(back[field]))
		if diff := cmp.Diff(slices.Sorted(slices.Values(values)), got); diff != "" {
			t.Errorf("%s is lost: %s", field, diff)
		}
	}
	if sent.Get("active") == "" && back.Get("active") != "" {
		t.Error("active was ticked by itself")
	}
}

// TestEachFieldWrongOnEdit is the same for the edit form; what is stored stays.
func TestEachFieldWrongOnEdit(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.register(appNamed("First App"))
	made := admin.register(appNamed("Second App"))
	before := p.app(made.id)
	form := with(admin.get(made.path+"/edit").form("main form"), map[string][]string{"do": {"save"}, "description": {"A text that was typed"}})
	for _, w := range wrongs(p) {
		if strings.HasPrefix(w.name, "own date") || strings.HasPrefix(w.name, "expir") || w.fields[0] == "" {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			sent := with(form, w.change)
			comesBack(t, admin.post(made.path+"/edit", sent).is(http.StatusUnprocessableEntity), sent, w)
		})
	}
	if app := p.app(made.id); app.Version != before.Version || app.Name != before.Name {
		t.Errorf("the app changed: %+v", app)
	}
	for _, version := range []string{"", "0", "99", "-1", "x", "1e3"} {
		sent := with(form, map[string][]string{"version": {version}})
		admin.post(made.path+"/edit", sent).is(http.StatusConflict).says("main", "Ana Silva")
	}
}

// TestRotateFieldsWrong is the same for the rotate form.
func TestRotateFieldsWrong(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	rotate := made.path + "/secrets/new"
	long := strings.Repeat("x", 61)
	list := []wrong{
		one("why", "empty", ""), one("why", "unknown", "boredom"), one("label", "long", long), one("label", "control", "a\x01b"),
		one("expiry", "unknown", "2w"), one("end", "unknown", "2w"),
		{"old secret unknown", map[string][]string{"old": {database.NewID()}}, []string{""}},
	}
	for what, at := range map[string]string{
		"missing": "", "garbage": "soon", "day only": "2026-11-25", "past": "2026-11-22T13:04", "far": "2029-01-01T00:00", "no minute": "2026-11-25T24:61",
	} {
		list = append(list, wrong{"own end " + what, map[string][]string{"end": {"date"}, "end_at": {at}}, []string{"end_at"}})
	}
	for what, day := range map[string]string{"missing": "", "garbage": "soon", "past": "2026-11-21"} {
		list = append(list, wrong{"own date " + what, map[string][]string{"expiry": {"date"}, "expires_on": {day}}, []string{"expires_on"}})
	}
	for _, field := range []string{"why", "label", "expiry", "expires_on", "end", "end_at"} {
		list = append(list, wrong{field + " twice", map[string][]string{field: {"planned", "lost"}}, []string{field}})
	}
	for _, w := range list {
		t.Run(w.name, func(t *testing.T) {
			sent := with(admin.get(rotate).form("main form"), map[string][]string{
				"label": {"kept <i>"}, "why": {"lost"}, "expiry": {"90d"}, "end": {"24h"}, "do": {"create"},
			})
			sent = with(sent, w.change)
			delete(sent, "old")
			if w.change["old"] != nil {
				sent["old"] = w.change["old"]
			}
			comesBack(t, admin.post(rotate, sent).is(http.StatusUnprocessableEntity), with(sent, map[string][]string{"active": {"-"}, "old": nil}), withActive(w))
		})
	}
	if app := p.app(made.id); len(app.Secrets) != 1 {
		t.Errorf("%d secrets", len(app.Secrets))
	}
}

// withActive leaves the box of the other form out of the comparison.
func withActive(w wrong) wrong {
	w.change = maps.Clone(w.change)
	w.change["active"] = nil
	return w
}

// TestNameIsTaken leads to the app that has the name.
func TestNameIsTaken(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(appNamed("First App"))
	got := admin.post("/apps", admin.newApp(appNamed("first app"))).is(http.StatusUnprocessableEntity)
	if got.Find("main form a[href='"+made.path+"']").Length() != 1 {
		t.Error("the form does not lead to the app with that name")
	}
}

// TestBodies: what is no form of a sensible size is refused before anything is read of it.
func TestBodies(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	before := p.app(made.id)
	many := url.Values{}
	for range 2000 {
		many.Add("scope", "x")
	}
	kind := func(value string) http.Header { return http.Header{"Content-Type": {value}} }
	for _, path := range []string{"/apps", "/apps/new", made.path + "/edit", made.path + "/secrets/new", made.path + "/deactivate", made.path + "/delete"} {
		for _, tt := range []struct {
			what   string
			body   string
			header http.Header
			status int
		}{
			{"10 MB", "name=" + strings.Repeat("x", 10<<20), nil, http.StatusRequestEntityTooLarge},
			{"many fields", many.Encode(), nil, http.StatusRequestEntityTooLarge},
			{"JSON", `{"name":"x"}`, kind("application/json"), http.StatusUnsupportedMediaType},
			{"multipart", "--x\r\n\r\n--x--", kind("multipart/form-data; boundary=x"), http.StatusUnsupportedMediaType},
			{"text", "name=x", kind("text/plain"), http.StatusUnsupportedMediaType},
			{"no type", "name=x", http.Header{"Content-Type": nil}, http.StatusUnsupportedMediaType},
			{"UTF-16", "name=x", kind("application/x-www-form-urlencoded; charset=utf-16"), http.StatusUnsupportedMediaType},
			{"gzip", "name=x", http.Header{"Content-Encoding": {"gzip"}}, http.StatusUnsupportedMediaType},
			{"bad escape", "name=%zz", nil, http.StatusUnprocessableEntity},
			{"no UTF-8", "name=%ff%fe", nil, http.StatusUnprocessableEntity},
			{"semicolon", "name=a;b=c", nil, http.StatusUnprocessableEntity},
		} {
			got := admin.do(http.MethodPost, path, strings.NewReader(tt.body), tt.header)
			if got.status != tt.status {
				t.Errorf("%s: %s: %d, want %d", path, tt.what, got.status, tt.status)
			}
		}
	}
	if app := p.app(made.id); app.Version != before.Version || len(app.Secrets) != 1 {
		t.Error("the app changed")
	}
	admin.get("/apps").says(".pager-range", "1-1 of 1")
}
