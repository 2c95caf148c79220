package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"credenza.example/credenza/internal/database/dbtest"
)

// asProgram makes the test binary be the program, so that tests have servers in processes of their own.
const asProgram = "BE_CREDENZA"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when the test does, however it ends
		os.Exit(3)
	}()
	main()
}

// sharedURL is the public URL of servers that stand for one installation. Nobody is there: tests reach each by its own
// address.
const sharedURL = "http://127.0.0.1:9"

// patience is how long tests wait for what must come.
const patience = 30 * time.Second

// replica is a server in a process of its own.
type replica struct {
	name       string
	url, admin string
	logs       *lockedBuffer
}

// begin starts a server in a process of its own, with settings on top of the installation's, and stops it when the test
// ends.
func (i *installation) begin(t *testing.T, name string, more ...string) *replica {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], "serve")
	cmd.Env = append(append([]string{asProgram + "=1"}, i.environ...), more...)
	tie, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &replica{name: name, logs: &lockedBuffer{}}
	serving, ended := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(ended)
		r.follow(stderr, serving)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		_ = tie.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("server %s: %v\n%s", name, err, r.logs)
		}
	})
	select {
	case ok := <-serving:
		if !ok {
			t.Fatalf("server %s did not start:\n%s", name, r.logs)
		}
	case <-time.After(patience):
		t.Fatalf("server %s did not start in %s:\n%s", name, patience, r.logs)
	}
	return r
}

// follow keeps what the server logs and tells when it serves, or that it ended without.
func (r *replica) follow(stderr io.Reader, serving chan<- bool) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		_, _ = r.logs.Write(append(lines.Bytes(), '\n'))
		var line struct {
			Msg   string `json:"msg"`
			Addr  string `json:"addr"`
			Admin string `json:"admin_addr"`
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			r.url, r.admin = "http://"+line.Addr, "http://"+line.Admin
			serving <- true
		}
	}
	close(serving)
}

// reply is what a server answered.
type reply struct {
	status int
	header http.Header
	body   map[string]any // of JSON
	text   string
}

func (a reply) field(name string) string {
	text, _ := a.body[name].(string)
	return text
}

// send sends a request as a client of the installation does, following no redirect. It returns the zero reply when no
// answer came.
func (r *replica) send(t *testing.T, request *http.Request) reply {
	t.Helper()
	request.Host = strings.TrimPrefix(sharedURL, "http://")
	client := &http.Client{
		Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Errorf("server %s: %v", r.name, err)
		return reply{}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Errorf("server %s: %v", r.name, err)
	}
	a := reply{status: answer.StatusCode, header: answer.Header, text: string(text)}
	_ = json.Unmarshal(text, &a.body) // pages are no JSON
	return a
}

func (r *replica) post(t *testing.T, path string, form url.Values, cookies ...*http.Cookie) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", sharedURL)
	for _, c := range cookies {
		request.AddCookie(c)
	}
	return r.send(t, request)
}

func (r *replica) get(t *testing.T, address, bearer string, cookies ...*http.Cookie) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	for _, c := range cookies {
		request.AddCookie(c)
	}
	return r.send(t, request)
}

// polls returns how many looks at the change counter have ended with this outcome.
func (r *replica) polls(t *testing.T, outcome string) int {
	t.Helper()
	series := `credenza_feed_polls_total{outcome="` + outcome + `"} `
	for line := range strings.Lines(r.get(t, r.admin+"/metrics", "").text) {
		if rest, ok := strings.CutPrefix(line, series); ok {
			n, err := strconv.Atoi(strings.TrimSpace(rest))
			if err != nil {
				t.Error(err)
			}
			return n
		}
	}
	t.Error("the server shows no polls")
	return 0
}

// awaitPolls waits until the server has looked at the change counter a few times more.
func (r *replica) awaitPolls(t *testing.T, more int) {
	t.Helper()
	enough := r.polls(t, "good") + more
	await(t, "polls", func() bool { return r.polls(t, "good") >= enough })
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// fleet is an installation with servers on it, and this test as a command line that stays open beside them.
type fleet struct {
	*installation
	*rooms
	replicas []*replica
}

// newFleet makes an installation with the organisation Acme on a database.
func newFleet(t *testing.T, databaseURL string) *fleet {
	t.Helper()
	f := &fleet{installation: newInstallation(t, "CREDENZA_PUBLIC_URL="+sharedURL)}
	if databaseURL != "" {
		f.environ = append(f.environ, "CREDENZA_DATABASE_URL="+databaseURL)
	}
	acme(t, f.installation)
	r, err := (&program{environ: f.environ, stdout: io.Discard, stderr: io.Discard, makeRSA: f.makeRSA}).open(t.Context(), migrateEmpty)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	f.rooms = r
	return f
}

// eachFleet runs a test with two servers on PostgreSQL and with one on SQLite.
func eachFleet(t *testing.T, test func(t *testing.T, f *fleet)) {
	t.Helper()
	t.Run("two on postgres", func(t *testing.T) {
		f := newFleet(t, dbtest.PostgresURL(t))
		f.replicas = []*replica{f.begin(t, "a"), f.begin(t, "b")}
		test(t, f)
	})
	t.Run("one on sqlite", func(t *testing.T) {
		f := newFleet(t, "")
		f.replicas = []*replica{f.begin(t, "a")}
		test(t, f)
	})
}
