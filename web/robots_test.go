package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/web/api"
)

// makeRobot makes a robot account through the form and returns the address of its page.
func (b *browser) makeRobot(name string, changes map[string][]string) string {
	b.p.t.Helper()
	form := with(b.get("/robots/new").is(http.StatusOK).form("main form"), map[string][]string{"name": {name}})
	return b.post("/robots", with(form, changes)).is(http.StatusSeeOther).to()
}

// makeGroup makes a group through the form.
func (b *browser) makeGroup(name string, changes map[string][]string) string {
	b.p.t.Helper()
	form := with(b.get("/groups/new").is(http.StatusOK).form("main form"), map[string][]string{"name": {name}})
	return b.post("/groups", with(form, changes)).is(http.StatusSeeOther).to()
}

func idIn(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// TestRobotPages walks an account through its life: made with a group, listed, changed, switched off and on, deleted.
func TestRobotPages(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	group := b.makeGroup("Night shift", map[string][]string{"role": {identity.RoleViewer}})
	other := b.makeGroup("Day shift", nil)
	path := b.makeRobot("Invoice robot", map[string][]string{"display_name": {"Invoices"}, "group": {idIn(group)}, "kind": {"client"}})

	page := b.get(path).is(http.StatusOK).says("h1", "Invoice robot").says(".page-title", "Active").says(".flash", "was created")
	if id := page.Find("#robot-id").AttrOr("value", ""); id != idIn(path) {
		t.Errorf("the page shows ID %q", id)
	}
	page.says("main", "Apps that act as this account").says("main table", "role Viewer of the group Night shift").says(".events", "create the account")
	b.get("/robots?q=invoices").is(http.StatusOK).says("main table", "Invoice robot").says("main table", "Night shift").
		says("main table", "+ 2 more").says("main table", "Never signed in").says(".results-count", "1 robot account")
	b.get("/robots?q=nothing+like+it").is(http.StatusOK).says("main", "No robot account matches nothing like it.")
	b.fragment("/robots?q=invoices", "results").is(http.StatusOK).says("#results", "Invoice robot")

	form := b.get(path + "/edit").is(http.StatusOK).form("main form")
	if diff := cmp.Diff([]string{idIn(group)}, form["group"]); diff != "" {
		t.Errorf("ticked groups: %s", diff)
	}
	b.follow(b.post(path+"/edit", with(form, map[string][]string{"display_name": {"Bills"}, "group": {idIn(other)}}))).
		says("main", "Bills").says("#groups ~ ul", "Day shift").says("main", "No role gives a right.")
	got := b.post(path+"/edit", with(form, map[string][]string{"display_name": {"Again"}, "group": {}})).is(http.StatusConflict)
	if len(got.problems()) == 0 {
		t.Error("a form that is out of date says nothing")
	}

	b.follow(b.post(path+"/deactivate", b.get(path+"/deactivate").is(http.StatusOK).form("main form"))).says(".page-title", "Inactive")
	b.follow(b.post(path+"/activate", b.get(path+"/activate").is(http.StatusOK).form("main form"))).says(".page-title", "Active")
	ask := b.get(path + "/delete").is(http.StatusOK).form("main form")
	wrong := b.post(path+"/delete", with(ask, map[string][]string{"confirm_name": {"invoice"}})).is(http.StatusUnprocessableEntity)
	if wrong.problems()["confirm_name"] == "" {
		t.Errorf("problems %v", wrong.problems())
	}
	b.follow(b.post(path+"/delete", with(ask, map[string][]string{"confirm_name": {"Invoice robot"}}))).says(".flash", "Invoice robot was deleted")
	b.get(path).is(http.StatusNotFound)
}

// TestRobotExpiry: an account that expired says so on its page and on the form, before anybody types, and is extended.
func TestRobotExpiry(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	day := func(days int) string { return p.clock.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	path := b.makeRobot("Short-lived", map[string][]string{"expires_on": {day(2)}})
	p.clock.Advance(4 * 24 * time.Hour)
	b = p.as("admin@acme.example")
	b.get(path).is(http.StatusOK).says(".page-title", "Expired").says(".banner", "This robot account has expired").says(".banner", "Extend")
	b.get("/robots").says("main table", "Expired")
	b.get(path+"/edit").says(".banner", "until the account is extended")
	form := b.get(path + "/extend").is(http.StatusOK).form("main form")
	for day, field := range map[string]string{"2020-01-01": "expires_on", "soon": "expires_on"} {
		got := b.post(path+"/extend", with(form, map[string][]string{"expires_on": {day}})).is(http.StatusUnprocessableEntity)
		if got.problems()[field] == "" {
			t.Errorf("%s: %v", day, got.problems())
		}
	}
	b.follow(b.post(path+"/extend", with(form, map[string][]string{"expires_on": {day(30)}}))).says(".page-title", "Active")

	_, err := p.identity.SetPolicy(t.Context(), access.Operator("root", p.acme.ID), identity.Policy{
		Organisation: p.acme.ID, SecretExpiry: identity.ExpiryRequired, CeilingDays: 90,
	})
	p.must(err)
	form = b.get(path+"/extend").is(http.StatusOK).says(".hint", "90 days at most").form("main form")
	for _, day := range []string{"", day(400)} {
		got := b.post(path+"/extend", with(form, map[string][]string{"expires_on": {day}})).is(http.StatusUnprocessableEntity)
		if !strings.Contains(got.problems()["expires_on"], "90 days at most") {
			t.Errorf("%s: %v", day, got.problems())
		}
	}
}

// TestRobotRequest: the request that the form shows makes the account that the form would: its body and its command are
// sent as they stand there, with a name that would end the quotes of a shell.
func TestRobotRequest(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	group := b.makeGroup("Night shift", nil)
	name := "Ana's robot'; exit 7; echo ' \"$(exit 8)\" `exit 9` \\ <&>"
	form := with(b.get("/robots/new").form("main form"), map[string][]string{
		"name": {name}, "group": {idIn(group)}, "redraw": {"request"},
	})
	page := b.post("/robots", form).is(http.StatusOK)
	if page.Find("#f-name").AttrOr("value", "") != name {
		t.Error("what was typed is lost")
	}
	program := p.program(p.acme, "Identity", []string{"PM.RobotAccount"}, access.RobotsManage)
	var made api.RobotAccount
	program.call(http.MethodPost, "/identity_/api/RobotAccount", page.Find("#request-json").Text()).is(http.StatusCreated).into(&made)
	if made.Name != name || !cmp.Equal(made.GroupIDs, []string{idIn(group)}) {
		t.Errorf("%+v", made)
	}
	b.follow(b.post("/robots/"+made.ID+"/delete", url.Values{"confirm_name": {name}}))

	server := httptest.NewServer(p.handler)
	t.Cleanup(server.Close)
	bash := exec.CommandContext(t.Context(), "bash", "--norc", "-c",
		strings.ReplaceAll(page.Find("#request-curl").Text(), publicURL+"/identity_", server.URL+"/identity_"))
	bash.Env = append(bash.Environ(), "CCW_TOKEN="+program.token)
	out, err := bash.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"creationTime"`) {
		t.Fatalf("%v\n%s", err, out)
	}
	b.get("/robots?q="+url.QueryEscape("Ana's")).says("main table", name)
}

// TestGroupPages: members by address and name, tabs, roles, and who loses what when the group is deleted.
func TestGroupPages(t *testing.T) {
	p := newPortal(t)
	b := p.as("admin@acme.example")
	b.makeRobot("Invoice robot", nil)
	got := b.post("/groups", url.Values{"name": {"Helpers"}, "add": {"guest@acme.example\nadmin@globex.example"}}).is(http.StatusUnprocessableEntity)
	if !strings.Contains(got.problems()["add"], "admin@globex.example") {
		t.Errorf("another organisation's person: %v", got.problems())
	}
	path := b.makeGroup("Helpers", map[string][]string{"role": {identity.RoleViewer}, "add": {"Guest@acme.example\r\n\r\n invoice ROBOT "}})
	page := b.get(path).is(http.StatusOK).says(".tabs", "People (1)").says(".tabs", "Robot accounts (1)").says("main form", "Kim Lee").
		says(".dl", "Local")
	b.get(path+"?tab=robots").says("main form", "Invoice robot")
	b.get(path+"?tab=rights").says("main table", "role Viewer")
	p.as("guest@acme.example").get("/apps").is(http.StatusOK)

	b.get(path+"/delete").is(http.StatusOK).says("main", "2 members lose rights").says(".bullets", "Kim Lee").says(".bullets", "Invoice robot")
	b.fragment(path+"/delete", "dialog").is(http.StatusOK).says("li", "Kim Lee")
	remove := with(page.form("main form"), map[string][]string{"remove": {page.Find("input[name=remove]").AttrOr("value", "")}})
	b.follow(b.post(path+"/members", remove)).says(".tabs", "People (0)").says("main", "No person belongs to this group.")
	p.as("guest@acme.example").get("/apps").is(http.StatusForbidden)

	form := b.get(path + "/edit").is(http.StatusOK).form("main form")
	b.follow(b.post(path+"/edit", with(form, map[string][]string{"name": {"Watchers"}, "role": {}}))).says("h1", "Watchers").says(".tabs", "Rights (0)")
	b.follow(b.post(path+"/delete", url.Values{"confirm_name": {"Watchers"}})).says(".flash", "Watchers was deleted")

	built := b.get("/groups").is(http.StatusOK).Find("main table a").First().AttrOr("href", "")
	if page := b.get(built).says(".banner", "came with the organisation"); strings.Contains(page.body, built+"/delete") {
		t.Error("a built-in group offers to be deleted")
	}
	b.post(built+"/delete", url.Values{"confirm_name": {"Administrators"}}).is(http.StatusConflict)
}

// TestC53_RobotPower: who may manage robot accounts gives no more than they hold, and the forms say so before.
func TestC53_RobotPower(t *testing.T) {
	p := newPortal(t)
	weak := p.as(p.withRights("weak", access.RobotsManage))
	page := weak.get("/robots/new").is(http.StatusOK)
	administrators := ""
	page.Find("#group-list label").Each(func(_ int, s *selection) {
		if strings.Contains(s.Text(), "Administrators") {
			administrators = s.Find("input").AttrOr("value", "")
			if _, off := s.Find("input").Attr("disabled"); !off || !strings.Contains(s.Text(), "rights that you do not hold") {
				t.Errorf("offered: %s", s.Text())
			}
		}
	})
	form := with(page.form("main form"), map[string][]string{"name": {"Strong"}, "group": {administrators}})
	got := weak.post("/robots", form).is(http.StatusForbidden)
	if len(got.problems()) == 0 {
		t.Errorf("no reason: %s", got.text("main"))
	}
	weak.get("/groups/"+administrators).says("main form", "the group gives rights that you do not hold")
	weak.post("/groups/"+administrators+"/members", url.Values{"add": {"weak@acme.example"}}).is(http.StatusForbidden)
	weak.post("/groups", url.Values{"name": {"Mine"}, "role": {identity.RoleAdministrator}}).is(http.StatusForbidden)

	viewer := p.as("viewer@acme.example")
	for _, path := range []string{"/robots", "/groups", "/groups/" + administrators} {
		if page := viewer.get(path).is(http.StatusOK); page.Find("main form[method=post], main .btn-primary").Length() != 0 {
			t.Errorf("%s offers a viewer what they may not do", path)
		}
	}
	if nav := p.as("guest@acme.example").get("/").text("nav"); strings.Contains(nav, "Robot accounts") {
		t.Errorf("a guest is led to %s", nav)
	}
}
