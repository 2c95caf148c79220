package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/web/api"
)

// robotProgram is a program that holds the scopes, for its organisation's robot accounts and groups.
func (p *portal) robotProgram(scopes ...string) *program {
	return p.program(p.acme, "Robots "+strings.Join(scopes, " "), scopes, access.RobotsManage)
}

func (m *program) group(t *testing.T, name string, members ...string) api.Group {
	t.Helper()
	var made api.Group
	m.call(http.MethodPost, "/identity_/api/Group", map[string]any{
		"partitionGlobalId": m.org.ID, "name": name, "directoryUserMemberIDs": members,
	}).is(http.StatusCreated).into(&made)
	return made
}

func (m *program) robotNamed(t *testing.T, name string, groups ...string) api.RobotAccount {
	t.Helper()
	var made api.RobotAccount
	m.call(http.MethodPost, "/identity_/api/RobotAccount", map[string]any{
		"partitionGlobalId": m.org.ID, "name": name, "groupIDsToAdd": groups,
	}).is(http.StatusCreated).into(&made)
	return made
}

var sevenDigits = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$`)

// TestIdentityAPIWalk goes through every call of product.md §4.2, in both forms of the address.
func TestIdentityAPIWalk(t *testing.T) {
	p := newPortal(t)
	m := p.robotProgram("PM.RobotAccount", "PM.Group")
	org := string(p.acme.ID)
	for _, root := range []string{"/identity_/api", "/acme/DefaultTenant/identity_/api", "/ACME/x/identity_/api", "/" + org + "/y/identity_/api"} {
		t.Run(root, func(t *testing.T) {
			name := "Invoices " + database.NewID()
			var group, other api.Group
			m.call(http.MethodPost, root+"/Group", map[string]any{"partitionGlobalId": org, "id": "x", "name": name}).
				is(http.StatusCreated).into(&group)
			if group.Type != "custom" || group.DisplayName != name || group.LastModificationTime != nil || group.ID == "x" {
				t.Errorf("%+v", group)
			}
			other = m.group(t, "Other "+name)
			created := m.call(http.MethodPost, root+"/RobotAccount", map[string]any{
				"partitionGlobalId": org, "id": "0", "name": name, "displayName": "Display",
				"groupIDsToAdd": []string{group.ID}, "groupIDsToRemove": []string{},
			}).is(http.StatusCreated)
			var robot, again api.RobotAccount
			created.into(&robot)
			want := api.RobotAccount{
				ID: robot.ID, Name: name, DisplayName: "Display", CreationTime: robot.CreationTime, GroupIDs: []string{group.ID},
			}
			if diff := cmp.Diff(want, robot); diff != "" || !sevenDigits.MatchString(robot.CreationTime) || robot.ID == "0" {
				t.Errorf("%s %s", robot.CreationTime, diff)
			}
			order := regexp.MustCompile(`^\{"id":.*"name":.*"displayName":.*"creationTime":.*"lastLoginTime":null,"groupIds":\[.*\]\}\n$`)
			if !order.MatchString(created.body) {
				t.Error(created.body)
			}
			place := created.header.Get("Location")
			m.call(http.MethodGet, strings.TrimPrefix(place, publicURL), nil).is(http.StatusOK).into(&again)
			if diff := cmp.Diff(robot, again); diff != "" {
				t.Error(diff)
			}
			m.call(http.MethodPut, root+"/RobotAccount/"+robot.ID, map[string]any{
				"partitionGlobalId": org, "displayName": "New", "groupIDsToAdd": []string{other.ID}, "groupIDsToRemove": []string{group.ID},
			}).is(http.StatusOK).into(&again)
			want.DisplayName, want.GroupIDs = "New", []string{other.ID}
			if diff := cmp.Diff(want, again); diff != "" {
				t.Error(diff)
			}
			var page api.RobotAccountPage
			m.call(http.MethodGet, root+"/RobotAccount/"+org+"?searchTerm="+strings.ToUpper(name[9:]), nil).is(http.StatusOK).into(&page)
			if diff := cmp.Diff(api.RobotAccountPage{TotalCount: 1, Results: []api.RobotAccount{again}}, page); diff != "" {
				t.Error(diff)
			}
			m.call(http.MethodPut, root+"/Group/"+group.ID, map[string]any{
				"partitionGlobalId": org, "name": name + " 2", "directoryUserIDsToAdd": []string{robot.ID},
			}).is(http.StatusOK).into(&group)
			members := []api.GroupMember{{ObjectType: "DirectoryRobotUser", Source: "local", Identifier: robot.ID, Name: name, DisplayName: "New"}}
			if diff := cmp.Diff(members, group.Members); diff != "" || group.Name != name+" 2" {
				t.Errorf("%+v %s", group, diff)
			}
			var seen api.Group
			m.call(http.MethodGet, root+"/Group/"+org+"/"+group.ID, nil).is(http.StatusOK).into(&seen)
			if diff := cmp.Diff(group, seen); diff != "" {
				t.Error(diff)
			}
			var list []api.Group
			m.call(http.MethodGet, root+"/Group/"+org, nil).is(http.StatusOK).into(&list)
			if len(list) < 4 {
				t.Errorf("%d groups", len(list))
			}
			m.call(http.MethodPut, root+"/Group/"+group.ID, map[string]any{
				"partitionGlobalId": org, "directoryUserIDsToRemove": []string{robot.ID},
			}).is(http.StatusOK).into(&group)
			if len(group.Members) != 0 {
				t.Errorf("%+v", group)
			}
			two := m.robotNamed(t, "Second "+name)
			m.call(http.MethodDelete, root+"/RobotAccount/"+org+"/"+robot.ID, nil).is(http.StatusNoContent)
			m.call(http.MethodGet, root+"/RobotAccount/"+org+"/"+robot.ID, nil).is(http.StatusNotFound)
			m.call(http.MethodDelete, root+"/RobotAccount/"+org, map[string]any{"robotAccountIDs": []string{two.ID}}).is(http.StatusNoContent)
			m.call(http.MethodDelete, root+"/Group/"+org+"/"+group.ID, nil).is(http.StatusNoContent)
			m.call(http.MethodDelete, root+"/Group/"+org, map[string]any{"groupIDs": []string{other.ID}}).is(http.StatusNoContent)
			m.call(http.MethodGet, root+"/Group/"+org+"/"+other.ID, nil).is(http.StatusNotFound)
		})
	}
}

// TestC53_IdentityAPIForeignPartition: another organisation's, an unknown and no organisation are not found, in the
// address, in the body and before it; IDs of others in a body are faults in the words of unknown ones.
func TestC53_IdentityAPIForeignPartition(t *testing.T) {
	p := newPortal(t)
	m := p.robotProgram("PM.RobotAccount", "PM.Group")
	org := string(p.acme.ID)
	theirs := p.program(p.globex, "Theirs", []string{"PM.RobotAccount", "PM.Group"}, access.RobotsManage)
	robot, group := theirs.robotNamed(t, "Theirs too"), theirs.group(t, "Theirs")
	body := func(org string, more ...any) map[string]any {
		b := map[string]any{"partitionGlobalId": org}
		for i := 0; i+1 < len(more); i += 2 {
			b[fmt.Sprint(more[i])] = more[i+1]
		}
		return b
	}
	for _, foreign := range []string{string(p.globex.ID), database.NewID(), "x", "%00", "' OR 1=1"} {
		escaped := strings.NewReplacer(" ", "%20", "%", "%25").Replace(foreign)
		m.call(http.MethodGet, "/identity_/api/RobotAccount/"+escaped, nil).is(http.StatusNotFound)
		m.call(http.MethodGet, "/identity_/api/Group/"+escaped, nil).is(http.StatusNotFound)
		m.call(http.MethodGet, "/"+escaped+"/t/identity_/api/Group/"+org, nil).is(http.StatusNotFound)
		m.call(http.MethodPost, "/identity_/api/RobotAccount", body(foreign, "name", "Spy")).is(http.StatusNotFound)
		m.call(http.MethodPost, "/identity_/api/Group", body(foreign, "name", "Spy")).is(http.StatusNotFound)
		m.call(http.MethodDelete, "/identity_/api/RobotAccount/"+escaped, map[string]any{"robotAccountIDs": []string{robot.ID}}).is(http.StatusNotFound)
	}
	m.call(http.MethodGet, "/globex/t/identity_/api/Group/"+org, nil).is(http.StatusNotFound)
	for _, path := range []string{"RobotAccount/" + org + "/" + robot.ID, "Group/" + org + "/" + group.ID} {
		m.call(http.MethodGet, "/identity_/api/"+path, nil).is(http.StatusNotFound)
		m.call(http.MethodDelete, "/identity_/api/"+path, nil).is(http.StatusNotFound)
	}
	m.call(http.MethodPut, "/identity_/api/RobotAccount/"+robot.ID, body(org, "displayName", "Mine")).is(http.StatusNotFound)
	m.call(http.MethodPut, "/identity_/api/Group/"+group.ID, body(org, "name", "Mine")).is(http.StatusNotFound)
	for _, id := range []string{group.ID, database.NewID(), "x"} {
		got := m.call(http.MethodPost, "/identity_/api/RobotAccount", body(org, "name", "Spy", "groupIDsToAdd", []string{id})).is(http.StatusBadRequest)
		wantErrors(t, got, "groupIDsToAdd", "no group with one of these IDs")
	}
	got := m.call(http.MethodDelete, "/identity_/api/RobotAccount/"+org, map[string]any{"robotAccountIDs": []string{robot.ID}}).is(http.StatusBadRequest)
	wantErrors(t, got, "robotAccountIDs", "no robot account")
	got = m.call(http.MethodDelete, "/identity_/api/Group/"+org, map[string]any{"groupIDs": []string{group.ID}}).is(http.StatusBadRequest)
	wantErrors(t, got, "groupIDs", "no group")
	theirs.call(http.MethodGet, "/identity_/api/RobotAccount/"+string(p.globex.ID)+"/"+robot.ID, nil).is(http.StatusOK)
}

// wantErrors checks that a problem document is about one member.
func wantErrors(t *testing.T, got *page, member, words string) {
	t.Helper()
	errors := got.problem().Errors
	if len(errors) != 1 || len(errors[member]) != 1 || !strings.Contains(errors[member][0], words) {
		t.Errorf("%s: errors %v, want %s: %s", got.path, errors, member, words)
	}
}

func TestIdentityAPIBadInput(t *testing.T) {
	p := newPortal(t)
	m := p.robotProgram("PM.RobotAccount", "PM.Group")
	org := string(p.acme.ID)
	many := make([]string, 10_000)
	for i := range many {
		many[i] = database.NewID()
	}
	const robots, groups = "/identity_/api/RobotAccount", "/identity_/api/Group"
	tests := []struct {
		name, method, path string
		body               any
		member, words      string
	}{
		{"no partition", http.MethodPost, robots, map[string]any{"name": "New"}, "partitionGlobalId", "by its ID"},
		{"no name", http.MethodPost, robots, map[string]any{"partitionGlobalId": org}, "name", "Enter the name"},
		{"control", http.MethodPost, robots, map[string]any{"partitionGlobalId": org, "name": "x\x07y"}, "name", "cannot be used"},
		{"10,000 groups", http.MethodPost, robots, map[string]any{"partitionGlobalId": org, "name": "New", "groupIDsToAdd": many}, "groupIDsToAdd", "500"},
		{"10,000 members", http.MethodPost, groups, map[string]any{"partitionGlobalId": org, "name": "New", "directoryUserMemberIDs": many}, "directoryUserMemberIDs", "500"},
		{"10,000 robots", http.MethodDelete, robots + "/" + org, map[string]any{"robotAccountIDs": many}, "robotAccountIDs", "500"},
		{"10,000 groups to delete", http.MethodDelete, groups + "/" + org, map[string]any{"groupIDs": many}, "groupIDs", "500"},
		{"none to delete", http.MethodDelete, robots + "/" + org, map[string]any{"robotAccountIDs": []string{}}, "robotAccountIDs", "Name the"},
		{"other member", http.MethodPost, robots, map[string]any{"partitionGlobalId": org, "name": "New", "kind": "client"}, "kind", "no member"},
		{"other case", http.MethodPost, robots, map[string]any{"partitionGlobalId": org, "Name": "New"}, "Name", "no member"},
		{"twice", http.MethodPost, robots, `{"partitionGlobalId":"` + org + `","name":"a1","name":"b2"}`, "name", "more than once"},
		{"number", http.MethodPost, robots, map[string]any{"partitionGlobalId": org, "name": 7}, "name", "type"},
		{"top", http.MethodGet, robots + "/" + org + "?top=1001", nil, "top", "1,000"},
		{"negative", http.MethodGet, robots + "/" + org + "?skip=-1", nil, "skip", "from 0"},
		{"sort", http.MethodGet, robots + "/" + org + "?sortBy=id;drop", nil, "", ""},
		{"sort by nothing", http.MethodGet, robots + "/" + org + "?sortBy=kind", nil, "sortBy", "creationTime"},
		{"order", http.MethodGet, robots + "/" + org + "?sortOrder=DESC", nil, "sortOrder", "asc or desc"},
		{"NUL", http.MethodGet, robots + "/" + org + "?searchTerm=%00", nil, "searchTerm", "UTF-8"},
		{"no UTF-8", http.MethodGet, robots + "/" + org + "?searchTerm=%ff", nil, "searchTerm", "UTF-8"},
		{"parameter", http.MethodGet, groups + "/" + org + "?top=1", nil, "top", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := m.call(test.method, test.path, test.body).is(http.StatusBadRequest)
			if test.member != "" {
				wantErrors(t, got, test.member, test.words)
			}
			if doc := got.problem(); doc.TraceID == "" || doc.Title != "Bad Request" || doc.Status != http.StatusBadRequest {
				t.Errorf("%+v", doc)
			}
		})
	}
	m.call(http.MethodPost, robots, nil).is(http.StatusUnsupportedMediaType)
	m.call(http.MethodPost, robots, "{").is(http.StatusBadRequest)
	m.call(http.MethodPatch, robots, map[string]any{}).is(http.StatusNotFound)
	m.call(http.MethodGet, robots+"/"+org+"/"+string(m.robot.ID)+"/", nil).is(http.StatusNotFound)
}

func TestIdentityAPIPaging(t *testing.T) {
	p := newPortal(t)
	m := p.robotProgram("PM.RobotAccount")
	for i := range 12 {
		m.robotNamed(t, fmt.Sprintf("Page %02d", i))
	}
	var page api.RobotAccountPage
	path := "/identity_/api/RobotAccount/" + string(p.acme.ID) + "?searchTerm=page"
	m.call(http.MethodGet, path, nil).is(http.StatusOK).into(&page)
	if page.TotalCount != 12 || len(page.Results) != 10 {
		t.Errorf("%d of %d", len(page.Results), page.TotalCount)
	}
	m.call(http.MethodGet, path+"&skip=11&sortBy=creationTime&sortOrder=desc", nil).is(http.StatusOK).into(&page)
	if len(page.Results) != 1 || page.Results[0].Name != "Page 00" {
		t.Errorf("%+v", page)
	}
	got := m.call(http.MethodGet, path+"&top=0", nil).is(http.StatusOK)
	if strings.TrimSpace(got.body) != `{"totalCount":12,"results":[]}` {
		t.Error(got.body)
	}
}

// TestIdentityAPIConflicts: names that differ by case, built-in groups, and robot accounts that apps act as.
func TestIdentityAPIConflicts(t *testing.T) {
	p := newPortal(t)
	m := p.robotProgram("PM.RobotAccount", "PM.Group")
	org := string(p.acme.ID)
	robot := m.robotNamed(t, "Straße")
	m.group(t, "Straße")
	for _, path := range []string{"RobotAccount", "Group"} {
		got := m.call(http.MethodPost, "/identity_/api/"+path, map[string]any{"partitionGlobalId": org, "name": "STRASSE"}).is(http.StatusConflict)
		wantErrors(t, got, "name", "already has")
		if got.problem().Code != "conflict" {
			t.Error(got.body)
		}
	}
	var groups []api.Group
	m.call(http.MethodGet, "/identity_/api/Group/"+org, nil).is(http.StatusOK).into(&groups)
	for _, g := range groups {
		if g.Type != "builtIn" {
			continue
		}
		m.call(http.MethodDelete, "/identity_/api/Group/"+org+"/"+g.ID, nil).is(http.StatusConflict)
		m.call(http.MethodDelete, "/identity_/api/Group/"+org, map[string]any{"groupIDs": []string{groups[2].ID, g.ID}}).is(http.StatusConflict)
		m.call(http.MethodPut, "/identity_/api/Group/"+g.ID, map[string]any{"partitionGlobalId": org, "name": "Mine now"}).is(http.StatusConflict)
	}
	got := m.call(http.MethodDelete, "/identity_/api/RobotAccount/"+org+"/"+string(m.robot.ID), nil).is(http.StatusConflict)
	if detail := got.problem().Detail; !strings.Contains(detail, m.app.Name) || !strings.Contains(detail, m.robot.Name) {
		t.Error(detail)
	}
	m.call(http.MethodDelete, "/identity_/api/RobotAccount/"+org, map[string]any{"robotAccountIDs": []string{robot.ID, string(m.robot.ID)}}).is(http.StatusConflict)
	m.call(http.MethodGet, "/identity_/api/RobotAccount/"+org+"/"+robot.ID, nil).is(http.StatusOK)
}

// TestIdentityAPIScopes: either scope opens a call (product.md decision 10), and the answer to a missing one names them.
func TestIdentityAPIScopes(t *testing.T) {
	p := newPortal(t)
	org := string(p.acme.ID)
	list := "/identity_/api/RobotAccount/" + org
	create := func(m *program, want int) *page {
		return m.call(http.MethodPost, "/identity_/api/RobotAccount", map[string]any{"partitionGlobalId": org, "name": "R " + database.NewID()}).is(want)
	}
	read, write := p.robotProgram("PM.RobotAccount.Read"), p.robotProgram("PM.RobotAccount.Write")
	read.call(http.MethodGet, list, nil).is(http.StatusOK)
	create(write, http.StatusCreated)
	doc := create(read, http.StatusForbidden).problem()
	if diff := cmp.Diff([]string{"PM.RobotAccount", "PM.RobotAccount.Write"}, doc.ScopesNeeded); diff != "" || doc.ErrorCode != "E4030002" {
		t.Errorf("%+v %s", doc, diff)
	}
	if diff := cmp.Diff([]string{"PM.RobotAccount.Read"}, doc.ScopesPresented); diff != "" {
		t.Error(diff)
	}
	write.call(http.MethodGet, list, nil).is(http.StatusForbidden)
	write.call(http.MethodGet, "/identity_/api/Group/"+org, nil).is(http.StatusForbidden)
	viewer := p.program(p.acme, "Looks on", []string{"PM.RobotAccount", "PM.Group"}, access.RobotsView)
	viewer.call(http.MethodGet, list, nil).is(http.StatusOK)
	if doc := create(viewer, http.StatusForbidden).problem(); doc.ErrorCode != "E4030001" || !strings.Contains(doc.Detail, "robots.manage") {
		t.Errorf("%+v", doc)
	}
}

// TestIdentityAPIPower: an app gives no robot account and nobody else rights that its own API user lacks.
func TestIdentityAPIPower(t *testing.T) {
	p := newPortal(t)
	m := p.robotProgram("PM.RobotAccount", "PM.Group")
	org := string(p.acme.ID)
	var groups []api.Group
	m.call(http.MethodGet, "/identity_/api/Group/"+org, nil).is(http.StatusOK).into(&groups)
	if groups[0].Name != identity.GroupAdministrators {
		t.Fatalf("%+v", groups)
	}
	admins, robot := groups[0].ID, m.robotNamed(t, "Harmless")
	for _, got := range []*page{
		m.call(http.MethodPost, "/identity_/api/RobotAccount", map[string]any{"partitionGlobalId": org, "name": "Mighty", "groupIDsToAdd": []string{admins}}),
		m.call(http.MethodPut, "/identity_/api/RobotAccount/"+robot.ID, map[string]any{"partitionGlobalId": org, "groupIDsToAdd": []string{admins}}),
		m.call(http.MethodPut, "/identity_/api/Group/"+admins, map[string]any{"partitionGlobalId": org, "directoryUserIDsToAdd": []string{robot.ID}}),
		m.call(http.MethodPut, "/identity_/api/Group/"+admins, map[string]any{"partitionGlobalId": org, "directoryUserIDsToAdd": []string{string(m.robot.ID)}}),
	} {
		if doc := got.is(http.StatusForbidden).problem(); doc.ErrorCode != "E4030001" || doc.Detail == "" {
			t.Errorf("%+v", doc)
		}
	}
}

// TestIdentityAPILastLogin: the last sign-in of an account is the last use of an app that acts as it.
func TestIdentityAPILastLogin(t *testing.T) {
	p := newPortal(t)
	m := p.robotProgram("PM.RobotAccount")
	path := "/identity_/api/RobotAccount/" + string(p.acme.ID) + "/" + string(m.robot.ID)
	p.must(p.registry.FlushUse(t.Context()))
	var robot api.RobotAccount
	m.call(http.MethodGet, path, nil).is(http.StatusOK).into(&robot)
	if robot.LastLoginTime == nil || *robot.LastLoginTime != api.Ticks(p.clock.Now()) {
		t.Errorf("%+v", robot)
	}
	app, err := p.registry.App(t.Context(), access.System("test", p.acme.ID), m.app.ID)
	if err != nil || app.Status != registry.Active {
		t.Fatalf("%+v, %v", app, err)
	}
}

// TestIdentityAPIRates: as documented, per organisation and five minutes.
func TestIdentityAPIRates(t *testing.T) {
	p := newPortal(t)
	m := p.robotProgram("PM.RobotAccount")
	got := m.call(http.MethodGet, "/identity_/api/RobotAccount/"+string(p.acme.ID), nil).is(http.StatusOK)
	if got.header.Get("RateLimit-Policy") != `"identity.read";q=300;w=300` {
		t.Error(got.header.Get("RateLimit-Policy"))
	}
	got = m.call(http.MethodPost, "/identity_/api/RobotAccount", map[string]any{}).is(http.StatusBadRequest)
	if got.header.Get("RateLimit-Policy") != `"identity.create";q=24000;w=300` {
		t.Error(got.header.Get("RateLimit-Policy"))
	}
	for i := range 160 {
		if got = m.call(http.MethodPut, "/identity_/api/RobotAccount/x", map[string]any{}); got.status != http.StatusBadRequest {
			t.Fatalf("call %d: %d", i, got.status)
		}
	}
	got = m.call(http.MethodDelete, "/identity_/api/RobotAccount/"+string(p.acme.ID)+"/x", nil).is(http.StatusTooManyRequests)
	if got.header.Get("Retry-After") == "" || got.problem().Code != "limited" || got.header.Get("RateLimit-Policy") != `"identity.change";q=160;w=300` {
		t.Errorf("%v %s", got.header, got.body)
	}
}
