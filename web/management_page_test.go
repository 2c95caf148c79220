package web_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"credenza.example/credenza/web"
)

// TestAPIPage: who may read the documentation finds every call of the table, and others nothing.
func TestAPIPage(t *testing.T) {
	p := newPortal(t)
	page := p.as("viewer@acme.example").get("/api").is(http.StatusOK)
	for _, r := range web.APIRoutes() {
		if !strings.HasPrefix(r.Path, "/api/v1/") {
			continue
		}
		id := strings.ReplaceAll(strings.TrimPrefix(r.Name, "api."), ".", "-")
		section := page.Find("#" + id).Closest("section")
		if section.Find(".method").Text() != r.Method || !strings.Contains(section.Text(), r.AnyOf[0]) {
			t.Errorf("%s %s: %q", r.Method, r.Path, section.Text())
		}
	}
	if page.Find("a[href='/api/v1/openapi.json']").Length() != 1 || strings.Contains(page.body, "apidoc.") {
		t.Error("no link to the description, or a text is missing")
	}
	if page.Find("nav.side a[href='/api']").AttrOr("aria-current", "") != "page" {
		t.Error("the navigation does not lead here")
	}
	p.as("guest@acme.example").get("/api").is(http.StatusForbidden)
	p.stranger().get("/api").is(http.StatusSeeOther)
}

// TestUI13_APICommands runs every command of the page in bash, as it stands there but for the address of the server.
func TestUI13_APICommands(t *testing.T) {
	p := newPortal(t)
	server := httptest.NewServer(p.handler)
	t.Cleanup(server.Close)
	m := p.manager()
	x := m.thing()
	page := p.as("admin@acme.example").get("/api").is(http.StatusOK)
	env := append(os.Environ(), "APP_ID="+x.id, "SECRET_ID="+x.retired, "API_USER_ID="+string(m.robot.ID))
	command := func(id string) string {
		text := page.Find("pre#command-" + id).Text()
		if text == "" {
			t.Fatalf("no command %s", id)
		}
		return strings.ReplaceAll(text, publicURL+"/apis/", "https://as-it-is/apis/")
	}
	lines := []string{
		"set -eu", command("secret"), "CCW_CLIENT_ID=" + m.clientID, command("token"), "CCW_CLIENT_ID=" + x.clientID,
	}
	done := []string{
		"app-list", "app-create", "app-lookup", "app-show", "app-edit", "secret-list", "secret-retire", "secret-restore", "secret-leak",
		"secret-create", "api-list", "scope-list", "scope-show", "api_user-list", "audit-list", "app-deactivate", "app-activate",
		"app-deactivate", "app-delete",
	}
	for _, id := range done {
		lines = append(lines, "echo '--- "+id+"'", command(id))
	}
	script := strings.NewReplacer(publicURL, server.URL, "https://as-it-is", publicURL).Replace(strings.Join(lines, "\n"))
	bash := exec.CommandContext(t.Context(), "bash", "--norc", "-c", script)
	bash.Env, bash.Stdin = env, strings.NewReader(m.secret+"\n")
	out, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(string(out), "--- "), "--- ") {
		id, answer, _ := strings.Cut(part, "\n")
		answer = strings.TrimSpace(answer)
		if id != "app-delete" && !strings.HasPrefix(answer, "{") || strings.Contains(answer, `"traceId"`) {
			t.Errorf("%s answers %s", id, answer)
		}
	}
	if n := page.Find("pre[id^=command-]").Length(); n != 2+len(done)-1 { // one was run twice
		t.Errorf("%d commands on the page, %d were run", n, len(done)+1)
	}
	m.call(http.MethodGet, appsAPI+"/"+x.id, nil).is(http.StatusNotFound)
}
