package web_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web"
)

// TestC52_RefusalIsRecorded: who was turned away stands in the history of the app.
func TestC52_RefusalIsRecorded(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	viewer := p.as("viewer@acme.example")
	viewer.post(made.path+"/secrets/new", nil).is(http.StatusForbidden)
	viewer.post(made.path+"/secrets/new", nil).is(http.StatusForbidden)
	viewer.get(made.path + "/edit").is(http.StatusForbidden)
	history := admin.get(made.path + "/history").is(http.StatusOK)
	history.says(".events", "Jo Weber tried to make a new secret for SAP spend export").says(".events", "2 times").
		says(".events", "Jo Weber tried to change SAP spend export").says(".events", "The right for this was missing.").
		says(".events", "192.0.2.7")
}

// TestRoutesAreExact: an extra segment, another method or an ID that cannot be one leads nowhere.
func TestRoutesAreExact(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	for _, route := range web.Routes() {
		if route.Path == "/" {
			continue
		}
		path := strings.NewReplacer(":id", string(made.id), ":sid", usable(p, made.id)[0]).Replace(route.Path)
		for _, more := range []string{"/x", "/", "//", "%2Fx", "/%2e%2e", "."} {
			if got := ask(p.as("admin@acme.example"), route.Method, path+more); got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", route.Method, path+more, got.status)
			}
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, "PROPFIND"} {
			if got := admin.do(method, path, strings.NewReader(""), nil); got.status != http.StatusMethodNotAllowed && got.status != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, got.status)
			}
		}
	}
}

// foreign is what Globex has and Acme must not find.
type foreign struct {
	app        registry.App
	secret     string
	cursor     string // of Globex's grid
	apiUser    string
	clientID   string
	historyLen int
}

func globexThings(p *portal) (foreign, *browser) {
	p.t.Helper()
	globex := p.as("admin@globex.example")
	user := string(p.apiUser(p.globex, identity.KindClient).ID)
	made := globex.register(map[string][]string{"api_user": {user}, "name": {"Globex ledger"}})
	globex.register(map[string][]string{"api_user": {user}, "name": {"Globex second"}})
	f := foreign{apiUser: user, clientID: made.clientID}
	app, err := p.registry.App(p.t.Context(), p.actor("admin@globex.example"), made.id)
	p.must(err)
	f.app, f.secret = app, string(app.Secrets[0].ID)
	page, err := p.registry.Search(p.t.Context(), p.actor("admin@globex.example"), registry.Query{PerPage: 1})
	p.must(err)
	f.cursor, f.historyLen = page.Next, globex.get(made.path+"/history").Find(".event").Length()
	return f, globex
}

// TestC53_UI17_ForeignIDs puts each ID of Globex into each place where Acme can send one: the answer is that to an ID that
// nobody has, and Globex's rows stay as they are.
func TestC53_UI17_ForeignIDs(t *testing.T) {
	p := newPortal(t)
	theirs, globex := globexThings(p)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	unknown := database.NewID()

	// In paths.
	for _, route := range web.Routes() {
		if !strings.Contains(route.Path, ":id") {
			continue
		}
		same(t, p, route, theirs, [2]string{string(theirs.app.ID), theirs.secret}, [2]string{unknown, unknown})
		if strings.Contains(route.Path, ":sid") {
			same(t, p, route, theirs, [2]string{string(made.id), theirs.secret}, [2]string{string(made.id), unknown})
			same(t, p, route, theirs, [2]string{string(theirs.app.ID), usable(p, made.id)[0]}, [2]string{unknown, usable(p, made.id)[0]})
		}
	}

	// In forms.
	for _, id := range []string{theirs.apiUser, unknown} {
		got := admin.post("/apps", admin.newApp(map[string][]string{"name": {"Other"}, "api_user": {id}})).is(http.StatusUnprocessableEntity)
		if diff := cmp.Diff(map[string]string{"api_user": "There is no such API user. Choose one from the list."}, got.problems()); diff != "" {
			t.Errorf("register with the API user %s: %s", id, diff)
		}
		form := with(admin.get(made.path+"/edit").form("main form"), map[string][]string{"api_user": {id}, "do": {"save"}})
		admin.post(made.path+"/edit", form).is(http.StatusUnprocessableEntity)
	}
	for field, why := range map[string]string{"old": "leaked", "retire": "planned", "leaked": "leaked"} {
		var answers []map[string]string
		for _, id := range []string{theirs.secret, unknown} {
			form := with(admin.get(made.path+"/secrets/new").form("main form"), map[string][]string{field: {id}, "do": {"create"}, "why": {why}})
			answers = append(answers, admin.post(made.path+"/secrets/new", form).is(http.StatusUnprocessableEntity).problems())
			form.Set("do", "end")
			form.Set("why", "leaked")
			form.Set("leaked", id)
			admin.post(made.path+"/secrets/new", form).is(http.StatusUnprocessableEntity)
		}
		if diff := cmp.Diff(answers[1], answers[0]); diff != "" {
			t.Errorf("another organisation's secret as %s: %s", field, diff)
		}
	}

	// In the list, its totals and its places.
	for _, query := range []string{"q=" + theirs.clientID, "q=ledger", "q=" + string(theirs.app.ID), "q=globex"} {
		admin.get("/apps?"+query).is(http.StatusOK).says("#results", "No app matches")
	}
	admin.get("/apps").is(http.StatusOK).says(".pager-range", "1-1 of 1")
	for _, place := range []string{"after", "before"} {
		admin.get("/apps?" + place + "=" + url.QueryEscape(theirs.cursor)).is(http.StatusBadRequest)
	}

	app, err := p.registry.App(t.Context(), p.actor("admin@globex.example"), theirs.app.ID)
	p.must(err)
	if diff := cmp.Diff(theirs.app, app, cmp.AllowUnexported(registry.App{})); diff != "" {
		t.Errorf("Globex's app changed: %s", diff)
	}
	if n := globex.get("/apps/" + string(app.ID) + "/history").Find(".event").Length(); n != theirs.historyLen {
		t.Errorf("Globex's app has %d events more", n-theirs.historyLen)
	}
}

// same compares the answers to a foreign and to an unknown ID.
func same(t *testing.T, p *portal, route web.Route, theirs foreign, ids, unknown [2]string) {
	t.Helper()
	var bodies [2]string
	for i, pair := range [][2]string{ids, unknown} {
		admin := p.as("admin@acme.example")
		path := strings.NewReplacer(":id", pair[0], ":sid", pair[1]).Replace(route.Path)
		form := url.Values{"version": {"1"}, "confirm_name": {theirs.app.Name}, "do": {"save"}}
		got := admin.do(route.Method, path, bodyOf(route.Method, form), nil).is(http.StatusNotFound)
		bodies[i] = strings.NewReplacer(pair[0], "ID", pair[1], "ID").Replace(got.text("main"))
	}
	if diff := cmp.Diff(bodies[1], bodies[0]); diff != "" {
		t.Errorf("%s %s tells a foreign ID from an unknown one: %s", route.Method, route.Path, diff)
	}
}

func bodyOf(method string, form url.Values) io.Reader {
	if method == http.MethodPost {
		return strings.NewReader(form.Encode())
	}
	return nil
}

// TestC54_ExtraFields: what the form does not have is not read, by whatever name.
func TestC54_ExtraFields(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	theirs, _ := globexThings(p)
	extra := url.Values{}
	for _, name := range []string{
		"id", "ID", "tenant_id", "organisation_id", "organisation", "OrganisationID", "client_id", "ClientID", "secret", "client_secret",
		"secret_hash", "hash", "tag", "hint", "created_by", "CreatedBy", "created_at", "modified_by", "role", "rights", "status", "Status",
		"generation", "secret_generation", "version[]", "name_key", "deleted_at", "label", "scopes", "Scope", "scope[]", "apiUser", "Name",
	} {
		extra[name] = []string{"0193f6c2-1111-7aaa-8bbb-0000000000a1"}
	}
	extra["organisation_id"] = []string{string(p.globex.ID)}
	extra["client_id"] = []string{theirs.clientID}
	extra["status"] = []string{"inactive"}

	form := admin.newApp(extra)
	form.Set("version", "99")
	made := admin.post("/apps", form).is(http.StatusOK).revealed()
	app := p.app(made.id)
	person := p.actor("admin@acme.example")
	if app.Organisation != p.acme.ID || app.ClientID == theirs.clientID || !strings.HasPrefix(app.ClientID, "CCWACME_") ||
		app.Version != 1 || app.Generation != 1 || app.Status != registry.Active || app.CreatedBy.ID != person.ID ||
		app.Name != "SAP spend export" || len(app.Scopes) != 1 || app.Secrets[0].Label != "2026-11" {
		t.Errorf("registered %+v", app)
	}
	form = with(admin.get(made.path+"/edit").form("main form"), extra)
	form["do"] = []string{"save"}
	admin.follow(admin.post(made.path+"/edit", form))
	if diff := cmp.Diff(app, p.app(made.id), cmp.AllowUnexported(registry.App{})); diff != "" {
		t.Errorf("an edit that changes nothing: %s", diff)
	}
	for _, act := range []string{"deactivate", "activate"} {
		form = with(admin.get(made.path+"/"+act).form("main form"), extra)
		admin.follow(admin.post(made.path+"/"+act, form))
	}
	if got := p.app(made.id); got.ClientID != app.ClientID || got.Organisation != app.Organisation || got.Status != registry.Active {
		t.Errorf("switched off and on: %+v", got)
	}
}

// TestC55c_TwoEditors: the second of two who opened the form sees both versions, and decides.
func TestC55c_TwoEditors(t *testing.T) {
	p := newPortal(t)
	p.person(p.acme, "second@acme.example", "Bo", "Berg", identity.RoleAdministrator)
	first, second := p.as("admin@acme.example"), p.as("second@acme.example")
	made := first.register(nil)
	edit := made.path + "/edit"
	mine := with(first.get(edit).form("main form"), map[string][]string{
		"name": {"Mine"}, "do": {"save"}, "scope": {invoiceRead, candidates}, "second_email": {"team@acme.example"},
		"second_first_name": {"The"}, "second_last_name": {"Team"},
	})
	theirs := with(second.get(edit).form("main form"), map[string][]string{"name": {"Theirs"}, "category": {"partner"}, "do": {"save"}})
	second.follow(second.post(edit, theirs))

	clash := first.post(edit, mine).is(http.StatusConflict)
	clash.says("[role=alert]", "Bo Berg").says(".diff", "Mine").says(".diff", "Theirs").says(".diff", "Partner").says(".diff", "team@acme.example")
	if app := p.app(made.id); app.Name != "Theirs" {
		t.Fatalf("the app is called %s", app.Name)
	}
	form := clash.form("main form")
	if diff := cmp.Diff(mine["scope"], form["scope"]); diff != "" || form.Get("name") != "Mine" {
		t.Errorf("what was typed is lost: %v", form)
	}
	form.Set("do", "save")
	first.follow(first.post(edit, form)).says("h1", "Mine")

	for _, act := range []string{"deactivate", "delete"} {
		old := with(first.get(made.path+"/"+act).form("main form, main"), nil)
		old.Set("version", "1")
		old.Set("confirm_name", "Mine")
		first.post(made.path+"/"+act, old).is(http.StatusConflict)
	}
	if app := p.app(made.id); app.Status != registry.Active {
		t.Error("a stale question was taken for an answer")
	}
}

// TestC55c_TwoRotateAtOnce: each call makes one secret or none, and none is lost.
func TestC55c_TwoRotateAtOnce(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	rotate := made.path + "/secrets/new"
	const callers = 4
	forms := make([]url.Values, callers)
	for i := range forms {
		forms[i] = with(admin.get(rotate).form("main form"), map[string][]string{"do": {"create"}, "label": {fmt.Sprint("caller ", i)}})
	}
	answers := make([]*page, callers)
	var done sync.WaitGroup
	for i := range answers {
		done.Go(func() { answers[i] = p.as("admin@acme.example").post(rotate, forms[i]) })
	}
	done.Wait()
	shown := 0
	for _, a := range answers {
		switch a.status {
		case http.StatusOK:
			shown++
			p.accessToken(made.clientID, a.revealed().secret)
		case http.StatusConflict:
		default:
			t.Errorf("status %d", a.status)
		}
	}
	if app := p.app(made.id); shown != 1 || len(app.Secrets) != 2 || len(app.Usable()) != 2 {
		t.Errorf("%d secrets shown, %d stored", shown, len(app.Secrets))
	}
	p.accessToken(made.clientID, made.secret)
}

// TestPower: nobody gives an app more than they hold; the form comes back and says what is missing (protocol.md §6).
func TestPower(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(map[string][]string{"scope": {invoiceRead, "PM.RobotAccount.Read"}})
	manager := p.as(p.withRights("manager", access.AppsManage))

	picker := manager.get("/apps/new").is(http.StatusOK)
	if picker.Find("input[value='PM.RobotAccount.Read']").Length() != 0 {
		t.Error("a scope that the reader cannot give is offered")
	}
	picker.says(".scope-locked", "PM.RobotAccount.Read").says(".scope-locked", "Manage robot accounts")
	got := manager.post("/apps", manager.newApp(map[string][]string{"name": {"Robots"}, "scope": {"PM.RobotAccount.Read"}})).is(http.StatusForbidden)
	if got.problems()["scope"] == "" || got.Find("#f-name").AttrOr("value", "") != "Robots" {
		t.Errorf("power beyond one's own: %v", got.problems())
	}

	// What the app holds already stays on the form, and keeping it is no gift.
	edit := manager.get(made.path + "/edit").is(http.StatusOK)
	if _, ticked := edit.Find("input[value='PM.RobotAccount.Read']").Attr("checked"); !ticked {
		t.Error("a scope of the app is not on its form")
	}
	form := with(edit.form("main form"), map[string][]string{"description": {"Another text of ten characters"}, "do": {"save"}})
	manager.follow(manager.post(made.path+"/edit", form))
	manager.post(made.path+"/secrets/new", with(manager.get(made.path+"/secrets/new").form("main form"), map[string][]string{"do": {"create"}})).
		is(http.StatusForbidden).says(".error-summary", "PM.RobotAccount.Read")
	form = manager.get(made.path + "/deactivate").form("main form")
	manager.follow(manager.post(made.path+"/deactivate", form))
	form = manager.get(made.path + "/activate").form("main form")
	manager.post(made.path+"/activate", form).is(http.StatusForbidden).says(".error-summary", "PM.RobotAccount.Read")
	if app := p.app(made.id); len(app.Secrets) != 1 || app.Status != registry.Inactive {
		t.Errorf("%d secrets, %s", len(app.Secrets), app.Status)
	}
}
