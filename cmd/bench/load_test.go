package main

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/secret"
)

// serving is a server for a test; every answers a request by its number.
func serving(t *testing.T, every func(w http.ResponseWriter, n int64)) string {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		every(w, n.Add(1))
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// TestCrowdCounts: what was sent is what came back, whatever the server does.
func TestCrowdCounts(t *testing.T) {
	for _, c := range []struct {
		name    string
		server  func(w http.ResponseWriter, n int64)
		want    map[int]int
		unpaced int
	}{
		{"one answer", func(w http.ResponseWriter, _ int64) { w.WriteHeader(http.StatusOK) }, map[int]int{200: 60}, 0},
		{"two answers", func(w http.ResponseWriter, n int64) { w.WriteHeader(200 + 201*int(n%2)) }, map[int]int{200: 30, 401: 30}, 0},
		{"closing each connection", func(w http.ResponseWriter, _ int64) { w.Header().Set("Connection", "close") }, map[int]int{200: 60}, 0},
		{"a long body", func(w http.ResponseWriter, _ int64) { _, _ = io.WriteString(w, strings.Repeat("long ", 10_000)) }, map[int]int{200: 60}, 0},
		{"put off, without saying until when", func(w http.ResponseWriter, _ int64) { w.WriteHeader(http.StatusServiceUnavailable) }, map[int]int{503: 60}, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			host := serving(t, c.server)
			got := crowd{
				Server: host, Connections: 7, Requests: [][]byte{postRequest(host), postRequest(host)}, Total: 60, Within: patience, Ready: true,
			}.run(t.Context())
			if diff := cmp.Diff(c.want, got.Answers); diff != "" || got.Sent != 60 || got.lost() != 0 || len(got.Latency) != 60 || got.Unpaced != c.unpaced {
				t.Errorf("sent %d, %v, %d unpaced (-want +got):\n%s", got.Sent, got, got.Unpaced, diff)
			}
		})
	}
}

// TestCrowdSeesStandstill: requests that were due while the server stood still count their wait, though a connection
// sends one at a time.
func TestCrowdSeesStandstill(t *testing.T) {
	release := make(chan struct{})
	host := serving(t, func(_ http.ResponseWriter, n int64) {
		if n == 1 {
			<-release
		}
	})
	timer := time.AfterFunc(100*time.Millisecond, func() { close(release) })
	defer timer.Stop()
	got := crowd{
		Server: host, Connections: 1, Requests: [][]byte{postRequest(host)}, Every: 10 * time.Millisecond, Total: 6, Within: patience,
	}.run(t.Context())
	if !slices.IsSortedFunc(got.Latency, func(a, b int64) int { return int(b - a) }) || got.Latency[5] < 20_000 {
		t.Errorf("waits in µs of requests due at each 10 ms while nothing happened for 100: %v", got.Latency)
	}
}

// TestCrowdCountsFailures: what is not answered is counted with what happened.
func TestCrowdCountsFailures(t *testing.T) {
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for { // a server that says nothing
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	})
	host := l.Addr().String()
	got := crowd{Server: host, Connections: 2, Requests: [][]byte{postRequest(host)}, Total: 10, Within: patience}.run(t.Context())
	if got.Sent != 10 || got.lost() != 10 {
		t.Errorf("sent %d, %v", got.Sent, got)
	}
	_ = l.Close()
	open.Wait()
	got = crowd{Server: host, Connections: 1, Requests: [][]byte{postRequest(host)}, Total: 3, Within: patience}.run(t.Context())
	if diff := cmp.Diff(map[string]int{"not connected": 3}, got.Failures); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWrongKinds: each kind is wrong in its own way and in no other.
func TestWrongKinds(t *testing.T) {
	keys, err := secret.NewKeys([]secret.TagKey{{ID: 'k', State: secret.Signing, Key: []byte(strings.Repeat("k", 32))}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := keys.Make("CCWACME_x", 3)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := secret.Parse(inSlot(made.Secret.Reveal(), digits[4]))
	if err != nil {
		t.Fatalf("a secret in another slot has no right shape: %v", err)
	}
	if moved.Slot != 4 || keys.Check("CCWACME_x", moved) != secret.TagWrong {
		t.Errorf("slot %d, verdict %v", moved.Slot, keys.Check("CCWACME_x", moved))
	}
	w := &world{}
	for range goodClients {
		w.good = append(w.good, account{ID: "CCWACME_x", Secret: made.Secret.Reveal()})
	}
	w.retired = w.good[:4]
	kinds, err := w.wrongKinds("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, k := range kinds {
		seen[k.name] = len(k.requests)
	}
	if diff := cmp.Diff(6, len(seen)); diff != "" || slices.Contains(slices.Collect(maps.Values(seen)), 0) {
		t.Errorf("kinds: %v", seen)
	}
}

func TestReadMetrics(t *testing.T) {
	m := readMetrics("# HELP x y\n# TYPE x counter\ncredenza_secret_bcrypts_total{use=\"make\"} 5\n" +
		"credenza_secret_bcrypts_total{use=\"verify\"} 3\ngo_memstats_mallocs_total 1.5e+06\nbroken\n")
	if m.bcrypts() != 3 || m.mallocs() != 1.5e6 || len(m) != 3 {
		t.Errorf("read %v", m)
	}
}

// TestSeedIsTheSameEachTime, has what the registry would write, and repeats no name or ID.
func TestSeedIsTheSameEachTime(t *testing.T) {
	one, two := newSeeder("o"), newSeeder("o")
	names, ids, clients := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for n := range 3000 {
		a := one.app(n + 1)
		if diff := cmp.Diff(a, two.app(n+1), cmp.AllowUnexported(seededApp{})); diff != "" {
			t.Fatalf("app %d differs (-one +two):\n%s", n, diff)
		}
		names[strings.ToLower(a.name)], ids[a.id], clients[a.clientID] = true, true, true
		if len(a.id) != 36 || !slices.IsSorted(a.words()) || !slices.Contains(a.words(), "acme") {
			t.Fatalf("app %d: %+v, %v", n, a, a.words())
		}
	}
	if len(names) != 3000 || len(ids) != 3000 || len(clients) != 3000 {
		t.Errorf("of 3000 apps: %d names, %d IDs, %d client IDs", len(names), len(ids), len(clients))
	}
}

func TestPartsOfAPage(t *testing.T) {
	got, err := partsOf([]byte(`<link rel=stylesheet href="/static/app.1.css"><script src="/static/app.2.js" defer></script>
		<script src="http://127.0.0.1:1/static/late.js"></script><img src="https://elsewhere.example/a.png"><use href="#here"/>`), "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	want := parts{
		own: []string{"/static/app.1.css", "/static/app.2.js", "/static/late.js"}, foreign: []string{"https://elsewhere.example/a.png"}, blocking: 1,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(parts{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
