package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"credenza.example/credenza/internal/keyring/keyringtest"
)

// installation is a directory with a database and a master key of its own.
type installation struct {
	dir     string
	environ []string
	makeRSA func() (*rsa.PrivateKey, error)
}

func newInstallation(t *testing.T, more ...string) *installation {
	t.Helper()
	dir := t.TempDir()
	return &installation{dir: dir, makeRSA: keyringtest.Generator(), environ: append([]string{
		"CREDENZA_DATABASE_URL=sqlite:" + filepath.Join(dir, "data", "credenza.db"),
		"CREDENZA_MASTER_KEY_FILE=" + filepath.Join(dir, "keys", "master.key"),
		"CREDENZA_ADDR=127.0.0.1:0", "CREDENZA_ADMIN_ADDR=127.0.0.1:0", "CREDENZA_GATEWAY_ADDR=127.0.0.1:0",
	}, more...)}
}

// run runs the command line and returns what it printed.
func (i *installation) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	p := &program{environ: i.environ, stdout: &out, stderr: &errOut, makeRSA: i.makeRSA}
	code = p.run(t.Context(), args)
	return code, out.String(), errOut.String()
}

// must runs a command that has to succeed with --json and decodes its one document.
func must[T any](t *testing.T, i *installation, args ...string) T {
	t.Helper()
	code, stdout, stderr := i.run(t, append(args, "--json")...)
	if code != 0 {
		t.Fatalf("%v: exit %d\n%s", args, code, stderr)
	}
	var document T
	decoder := json.NewDecoder(strings.NewReader(stdout))
	if err := decoder.Decode(&document); err != nil {
		t.Fatalf("%v printed no JSON: %v\n%s", args, err, stdout)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Fatalf("%v printed more than one document:\n%s", args, stdout)
	}
	return document
}

var secretForm = regexp.MustCompile(`^ccws_[0-9A-Za-z]{62}$`)

// acme makes an organisation with an administrator, as the first run without --demo does.
func acme(t *testing.T, i *installation) {
	t.Helper()
	org := must[orgDocument](t, i, "org", "create", "--name", "Acme", "--prefix", "ACME")
	if org.ShortName != "acme" || org.ClientPrefix != "ACME" || org.Status != "active" {
		t.Fatalf("org create printed %+v", org)
	}
	person := must[personDocument](t, i, "person", "create", "--org", "acme", "--email", "ana.silva@acme.example", "--admin")
	if !strings.Contains(person.SigninLink, "/people/accept?token=") || person.FirstName != "ana" {
		t.Fatalf("person create printed %+v", person)
	}
}

func newApp(t *testing.T, i *installation, name string) credentialDocument {
	t.Helper()
	made := must[credentialDocument](t, i, "app", "create", "--org", "acme", "--name", name, "--scope", "ccw.candidates")
	if !strings.HasPrefix(made.ClientID, "CCWACME_") || !secretForm.MatchString(made.ClientSecret) {
		t.Fatalf("app create printed the client ID %q and a secret of %d characters", made.ClientID, len(made.ClientSecret))
	}
	return made
}

func TestLifeOfAnAppOnTheCommandLine(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	made := newApp(t, i, "SAP spend export")

	shown := must[appDocument](t, i, "app", "show", made.ClientID)
	if shown.Name != "SAP spend export" || shown.Status != "active" || shown.Category != "customer" ||
		shown.Contact.Email != "ana.silva@acme.example" || shown.Description != "Created on the command line" || len(shown.Secrets) != 1 {
		t.Errorf("app show printed %+v", shown)
	}
	rotated := must[credentialDocument](t, i, "app", "rotate", made.ClientID, "--old-ends", "24h")
	if rotated.ClientID != made.ClientID || rotated.ClientSecret == made.ClientSecret || rotated.OldEndsAt == nil {
		t.Errorf("app rotate printed %+v", rotated)
	}
	if down := must[appDocument](t, i, "app", "deactivate", made.ClientID); down.Status != "inactive" || len(down.Secrets) != 2 {
		t.Errorf("app deactivate printed %+v", down)
	}
	if up := must[appDocument](t, i, "app", "activate", made.ClientID); up.Status != "active" {
		t.Errorf("app activate printed %+v", up)
	}
	if rows := must[[]appRow](t, i, "app", "list", "--org", "ACME"); len(rows) != 1 || rows[0].ClientID != made.ClientID {
		t.Errorf("app list printed %+v", rows)
	}
	if code, _, stderr := i.run(t, "app", "delete", made.ClientID); code != 1 || !strings.Contains(stderr, "active") {
		t.Errorf("deleting an active app: exit %d, %s", code, stderr)
	}
	must[appDocument](t, i, "app", "deactivate", made.ClientID)
	must[map[string]any](t, i, "app", "delete", made.ClientID)
	if code, _, _ := i.run(t, "app", "show", made.ClientID); code != 1 {
		t.Errorf("showing a deleted app: exit %d", code)
	}
}

func TestWithoutSecretNoneIsPrinted(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	made := must[credentialDocument](t, i, "app", "create", "--org", "acme", "--name", "Quiet", "--scope", "ccw.candidates", "--without-secret")
	if made.ClientSecret != "" || made.ExpiresAt != nil {
		t.Errorf("printed %+v", made)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no such command", []string{"apps"}, 2, "apps"},
		{"missing flag", []string{"org", "create", "--name", "Globex"}, 2, "prefix"},
		{"extra argument", []string{"org", "list", "please"}, 2, "arg"},
		{"unknown organisation", []string{"app", "list", "--org", "nobody"}, 1, "org"},
		{"bad prefix", []string{"org", "create", "--name", "Globex", "--prefix", "toolongprefix"}, 1, "prefix"},
		{"prefix taken", []string{"org", "create", "--name", "Other", "--prefix", "ACME"}, 1, "prefix"},
		{"bad address", []string{"person", "create", "--org", "acme", "--email", "nobody"}, 1, "email"},
		{"unknown scope", []string{"app", "create", "--org", "acme", "--name", "Wrong", "--scope", "ccw.nothing"}, 1, "scopes"},
		{"unknown API user", []string{"app", "create", "--org", "acme", "--name", "Wrong", "--scope", "ccw.candidates", "--api-user", "x"}, 1, "api-user"},
		{"unknown client ID", []string{"app", "show", "CCWACME_nothing"}, 1, ""},
		{"unknown end", []string{"app", "rotate", "CCWACME_nothing"}, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := i.run(t, tt.args...)
			if code != tt.code || !strings.Contains(stderr, tt.says) || stdout != "" {
				t.Errorf("exit %d, want %d\nstdout %q\nstderr %q", code, tt.code, stdout, stderr)
			}
		})
	}
}

func TestSettingsAreCheckedBeforeAnythingIsMade(t *testing.T) {
	i := newInstallation(t, "CREDENZA_STALE_BOUND=3h", "CREDENZA_BCRYPT_COST=4")
	code, _, stderr := i.run(t, "org", "list")
	if code != 1 || !strings.Contains(stderr, "CREDENZA_STALE_BOUND") || !strings.Contains(stderr, "CREDENZA_BCRYPT_COST") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if entries, err := os.ReadDir(i.dir); err != nil || len(entries) != 0 {
		t.Errorf("made %v, %v", entries, err)
	}
}

// C70, F20: database and master key belong together.
func TestC70_OneWithoutTheOtherIsRefused(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	key := filepath.Join(i.dir, "keys", "master.key")
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := i.run(t, "org", "list"); code != 1 || !strings.Contains(stderr, key) {
		t.Errorf("without its key: exit %d: %s", code, stderr)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new key was made for an old database")
	}
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := i.run(t, "org", "list"); code != 1 || !strings.Contains(stderr, "master key") {
		t.Errorf("with a key others can read: exit %d: %s", code, stderr)
	}
	if err := os.Chmod(key, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(i.dir, "data")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := i.run(t, "org", "list"); code != 1 || !strings.Contains(stderr, "database") {
		t.Errorf("a key without a database: exit %d: %s", code, stderr)
	}
}

// server is a running `credenza serve`.
type server struct {
	url      string
	password string
	logs     *lockedBuffer
}

// lockedBuffer is a buffer that the server writes to while the test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var (
	servedAt     = regexp.MustCompile(`Credenza is at (http\S+)`)
	passwordLine = regexp.MustCompile(`Password of all: (\S+)`)
)

// serve starts a server and stops it when the test ends.
func (i *installation) serve(t *testing.T, args ...string) *server {
	t.Helper()
	reader, writer := io.Pipe()
	logs := &lockedBuffer{}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan int, 1)
	go func() {
		p := &program{environ: i.environ, stdout: writer, stderr: logs, makeRSA: i.makeRSA}
		code := p.run(ctx, append([]string{"serve"}, args...))
		_ = writer.Close()
		ended <- code
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("serve: exit %d\n%s", code, logs)
		}
	})
	s := &server{logs: logs}
	var printed strings.Builder
	chunk := make([]byte, 4096)
	for s.url == "" {
		n, err := reader.Read(chunk)
		printed.Write(chunk[:n])
		if m := servedAt.FindStringSubmatch(printed.String()); m != nil {
			s.url = m[1]
		}
		if err != nil && s.url == "" {
			t.Fatalf("serve stopped: %v\n%s\n%s", err, &printed, logs)
		}
	}
	if m := passwordLine.FindStringSubmatch(printed.String()); m != nil {
		s.password = m[1]
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	return s
}

// token asks for a token and returns the status and the answer.
func (s *server) token(t *testing.T, clientID, secret string) (status int, body map[string]any) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}}
	answer, err := http.PostForm(s.url+"/oauth2/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body
}

// The command line works beside a running server, which obeys it within the stale bound (protocol.md §2).
func TestCommandLineBesideAServer(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	made := newApp(t, i, "Beside")
	s := i.serve(t)
	if status, body := s.token(t, made.ClientID, made.ClientSecret); status != http.StatusOK || body["access_token"] == "" {
		t.Fatalf("%d %v", status, body["error"])
	}
	must[appDocument](t, i, "app", "deactivate", made.ClientID)
	deadline := time.Now().Add(5 * time.Second) // generous: what is asserted is that it comes, not how soon
	for {
		status, _ := s.token(t, made.ClientID, made.ClientSecret)
		if status == http.StatusUnauthorized {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server still answers %d", status)
		}
	}
	later := newApp(t, i, "Later")
	if status, body := s.token(t, later.ClientID, later.ClientSecret); status != http.StatusOK {
		t.Errorf("an app made beside the server: %d %v", status, body["error"])
	}
	if logs := s.logs.String(); strings.Contains(logs, made.ClientSecret) || strings.Contains(logs, later.ClientSecret) {
		t.Error("a secret stands in the log")
	}
}

func TestASecondServerOnTheSameFileIsRefused(t *testing.T) {
	i := newInstallation(t)
	i.serve(t, "--demo")
	if code, _, stderr := i.run(t, "serve"); code != 1 || !strings.Contains(stderr, "already running") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestDemonstrationKeepsItsPassword(t *testing.T) {
	i := newInstallation(t)
	var first string
	t.Run("first start", func(t *testing.T) { first = i.serve(t, "--demo").password })
	t.Run("second start", func(t *testing.T) {
		if again := i.serve(t, "--demo").password; again != first || len(first) < 15 {
			t.Errorf("the password changed, or has %d characters", len(first))
		}
	})
	file := filepath.Join(i.dir, "data", "demo-password")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", file, info, err)
	}
	orgs := must[[]orgDocument](t, i, "org", "list")
	if len(orgs) != 3 {
		t.Errorf("%d organisations, want Acme, Globex and the platform", len(orgs))
	}
	rows := must[[]appRow](t, i, "app", "list", "--org", "acme")
	if len(rows) == 0 {
		t.Error("the demonstration has no apps")
	}
	for _, row := range rows {
		if shown := must[appDocument](t, i, "app", "show", row.ClientID); len(shown.Secrets) != 0 {
			t.Errorf("%s has secrets", row.Name)
		}
	}
}

// What is printed works, however the demonstration was started before.
func TestPrintedPasswordWorks(t *testing.T) {
	i := newInstallation(t)
	signIn := func(s *server) int {
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := client.PostForm(s.url+"/signin", url.Values{"email": {"admin@acme.example"}, "password": {s.password}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	for _, set := range []string{"", "visibly-fake-password", "short", ""} {
		t.Run("set to "+set, func(t *testing.T) {
			started := *i
			started.environ = append(slices.Clone(i.environ), "CREDENZA_DEMO_PASSWORD="+set)
			if status := signIn(started.serve(t, "--demo")); status != http.StatusSeeOther {
				t.Errorf("signing in with the printed password: %d", status)
			}
		})
	}
}

// A start that was cut off is taken up by the next one.
func TestDemonstrationIsTakenUp(t *testing.T) {
	i := newInstallation(t)
	must[orgDocument](t, i, "org", "create", "--name", "Acme", "--prefix", "ACME")
	t.Run("start", func(t *testing.T) { i.serve(t, "--demo") })
	if orgs := must[[]orgDocument](t, i, "org", "list"); len(orgs) != 3 {
		t.Errorf("%d organisations", len(orgs))
	}
	rows := must[[]appRow](t, i, "app", "list", "--org", "acme")
	down := must[appDocument](t, i, "app", "deactivate", rows[0].ClientID)
	must[map[string]any](t, i, "app", "delete", down.ClientID)
	t.Run("start again", func(t *testing.T) { i.serve(t, "--demo") })
	if again := must[[]appRow](t, i, "app", "list", "--org", "acme"); len(again) != len(rows)-1 {
		t.Errorf("%d apps after one of %d was deleted", len(again), len(rows))
	}
}

func TestInvitedPersonGetsAnotherLink(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	first := must[personDocument](t, i, "person", "create", "--org", "acme", "--email", "bo@acme.example")
	again := must[personDocument](t, i, "person", "create", "--org", "acme", "--email", "bo@acme.example")
	if first.ID != again.ID || first.SigninLink == again.SigninLink || again.SigninLink == "" {
		t.Errorf("%+v\n%+v", first, again)
	}
}

func TestRotateNamesTheOldSecretOfTwo(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	made := newApp(t, i, "Two")
	second := must[credentialDocument](t, i, "app", "rotate", made.ClientID)
	if code, _, stderr := i.run(t, "app", "rotate", made.ClientID); code != 1 || stderr == "" {
		t.Errorf("a third secret: exit %d: %s", code, stderr)
	}
	hint := made.ClientSecret[len(made.ClientSecret)-4:]
	third := must[credentialDocument](t, i, "app", "rotate", made.ClientID, "--old", hint, "--old-ends", "now")
	usable := map[string]string{}
	for _, s := range must[appDocument](t, i, "app", "show", made.ClientID).Secrets {
		usable[s.ID] = s.State
	}
	if len(usable) != 3 || usable[third.SecretID] != "active" || usable[second.SecretID] == "retired" {
		t.Errorf("states %v", usable)
	}
}

func TestDemonstrationNeedsAnEmptyDatabase(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	must[orgDocument](t, i, "org", "create", "--name", "Initech", "--prefix", "INI")
	if code, _, stderr := i.run(t, "serve", "--demo"); code != 1 || !strings.Contains(stderr, "without --demo") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestResourceServerOnTheCommandLine(t *testing.T) {
	i := newInstallation(t)
	acme(t, i)
	must[orgDocument](t, i, "org", "create", "--name", "Platform", "--prefix", "PLAT", "--platform")
	create := []string{"app", "create", "--org", "platform", "--name", "Spend API", "--resource-server", "coupa-core"}
	if code, _, stderr := i.run(t, create...); code != 1 || !strings.Contains(stderr, "contact-email") {
		t.Errorf("without anybody to call: %d\n%s", code, stderr)
	}
	must[personDocument](t, i, "person", "create", "--org", "platform", "--email", "root@platform.example", "--admin")
	made := must[credentialDocument](t, i, create...)
	if !strings.HasPrefix(made.ClientID, "CCWPLAT_") || !secretForm.MatchString(made.ClientSecret) {
		t.Errorf("printed the client ID %q and a secret of %d characters", made.ClientID, len(made.ClientSecret))
	}
	shown := must[appDocument](t, i, "app", "show", made.ClientID)
	if shown.Kind != "resource_server" || shown.ResourceAPI != "coupa-core" || shown.Category != "" || shown.APIUser != "" ||
		shown.Scopes == nil || len(shown.Scopes) != 0 || shown.Contact.Email != "root@platform.example" {
		t.Errorf("app show printed %+v", shown)
	}
	rows := must[[]appRow](t, i, "app", "list", "--org", "platform")
	if len(rows) != 1 || rows[0].Kind != "resource_server" || rows[0].ResourceAPI != "coupa-core" || rows[0].Category != "" {
		t.Errorf("app list printed %+v", rows)
	}
	for _, command := range [][]string{{"app", "list", "--org", "platform"}, {"app", "show", made.ClientID}} {
		if code, stdout, _ := i.run(t, command...); code != 0 || !strings.Contains(stdout, "coupa-core") {
			t.Errorf("%v printed for people:\n%s", command, stdout)
		}
	}
	if rotated := must[credentialDocument](t, i, "app", "rotate", made.ClientID); rotated.ClientSecret == made.ClientSecret {
		t.Error("app rotate printed the old secret")
	}
	for _, tt := range []struct {
		more []string
		code int
		says string
	}{
		{[]string{"--org", "acme", "--resource-server", "coupa-core"}, 1, "kind: "},
		{[]string{"--org", "platform", "--resource-server", "nothing"}, 1, "resource-server: No API with the key nothing"},
		{[]string{"--org", "platform", "--resource-server", "credenza"}, 1, "Give one of: coupa-core"},
		{
			[]string{"--org", "platform", "--resource-server", "coupa-core", "--scope", "core.invoice.read"},
			2,
			"Give --scope or --resource-server, not both.",
		},
		{[]string{"--org", "platform", "--resource-server", "coupa-core", "--api-user", "Client user"}, 2, "api-user"},
		{[]string{"--org", "platform"}, 2, "scope"},
	} {
		code, stdout, stderr := i.run(t, append([]string{"app", "create", "--name", "Other API"}, tt.more...)...)
		if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.says) {
			t.Errorf("%v: exit %d, printed %q\n%s", tt.more, code, stdout, stderr)
		}
	}
}
