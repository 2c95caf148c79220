package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// component is a part of what a token costs, told by the functions that were on the stack.
type component struct {
	name  string
	marks []string // a function whose name holds one of them
}

// components are the parts in the order in which they are looked for: the first that has a function anywhere on a stack
// gets its time. What has none is the rest.
var components = []component{
	{"garbage collector", []string{"runtime.gcBgMarkWorker", "runtime.gcAssist", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart"}},
	{"ES256 signature", []string{"crypto/ecdsa"}},
	{"log lines", []string{"log/slog", "os.(*File).Write"}},
	{"secret: tag and cache", []string{"internal/secret", "crypto/hmac"}},
	{"app, limits, use, metrics", []string{"internal/registry", "internal/database", "internal/limit", "prometheus"}},
	{"reading the request", []string{"net/http.(*conn).readRequest", "net/http.(*connReader)", "net.(*conn).Read", "io.ReadAll", "net/http.(*body)"}},
	{"writing the answer", []string{"net.(*conn).Write", "net/http.(*response).finishRequest", "net/http.(*response).Write", "net/http.checkConnErrorWriter"}},
	{"form, client, claims, JSON", []string{"internal/oauth", "web/bare", "encoding/json", "net/url"}},
	{"Echo, middleware, net/http", []string{"labstack/echo", "credenza/web", "net/http"}},
}

const restOfIt = "scheduler and rest"

// shares is how the CPU time of a profile falls to components, in hundredths, in the order of partNames.
type shares []float64

// partNames are the components and the rest.
func partNames() []string {
	var names []string
	for _, c := range components {
		names = append(names, c.name)
	}
	return append(names, restOfIt)
}

// readTraces reads what go tool pprof -traces prints: stacks, the innermost function first, its line beginning with the
// time.
func readTraces(text string) shares {
	times := make([]time.Duration, len(components)+1)
	var took, all time.Duration
	var stack []string
	end := func() {
		if took > 0 {
			times[componentOf(stack)] += took
			all += took
		}
		took, stack = 0, nil
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "-----------+"):
			end()
		case len(fields) == 0:
		case took == 0:
			if d, err := time.ParseDuration(fields[0]); err == nil && len(fields) > 1 {
				took, stack = d, fields[1:]
			}
		default:
			stack = append(stack, fields[0])
		}
	}
	end()
	list := make(shares, len(times))
	for i, t := range times {
		if all > 0 {
			list[i] = 100 * float64(t) / float64(all)
		}
	}
	return list
}

// componentOf returns the place of the component that a stack belongs to.
func componentOf(stack []string) int {
	for i, c := range components {
		for _, function := range stack {
			if slices.ContainsFunc(c.marks, func(mark string) bool { return strings.Contains(function, mark) }) {
				return i
			}
		}
	}
	return len(components)
}

// profile has a server issue tokens while its CPU profile is taken, and tells where the time went. The profile is kept
// in the directory under the name.
func (w *world) profile(ctx context.Context, s *server, dir, name string) (shares, error) {
	const seconds = 6
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	loaded := make(chan *seen, 1)
	go func() {
		loaded <- crowd{Server: s.host, Connections: 8, Requests: w.requests(s.host), For: (seconds + 2) * time.Second, Within: patience}.run(ctx)
	}()
	text, err := fetch(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.admin, seconds))
	cancel()
	<-loaded
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name+".cpu.prof")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "go", "tool", "pprof", "-traces", path)
	output, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	return readTraces(string(output)), err
}
