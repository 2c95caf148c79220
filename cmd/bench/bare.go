package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"credenza.example/credenza/web"
	"credenza.example/credenza/web/bare"
)

// roleBare is the argument that makes the program serve the bare handler: it reads the handler's configuration from
// standard input, prints its two addresses on a line, and serves until it is told to stop.
const roleBare = "bare"

// bareRole is a run in that role. The public listener has the product's server with all its limits on time and size.
func bareRole(ctx context.Context, in io.Reader, out io.Writer) error {
	var config bare.Config
	if err := json.NewDecoder(in).Decode(&config); err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	handler, err := bare.New(config)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	admin := http.NewServeMux()
	admin.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	admin.HandleFunc("GET /debug/pprof/profile", pprof.Profile)

	var listen net.ListenConfig
	failed := make(chan error, 2)
	var servers []*http.Server
	for _, h := range []http.Handler{handler, admin} {
		l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		s := web.HTTPServer(h, slog.New(slog.DiscardHandler))
		s.Handler = h // what the product puts round every handler is its own cost
		servers = append(servers, s)
		go func() { failed <- s.Serve(l) }()
		_, _ = fmt.Fprint(out, l.Addr(), " ") // the parent reads until the end of the line
	}
	_, _ = fmt.Fprintln(out)
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, s := range servers {
		err = errors.Join(err, s.Close())
	}
	return err
}

// serveBare starts the bare handler as a process that knows the clients of the world.
func (w *world) serveBare(issuer string) (*server, error) {
	keys, err := fetch(context.Background(), issuer+"/oauth2/jwks")
	if err != nil {
		return nil, err
	}
	config := bare.Config{Issuer: issuer, Audience: issuer + audience, Keys: keys}
	for _, a := range w.good {
		config.Clients = append(config.Clients, bare.Client{
			ID: a.ID, Secret: a.Secret, SecretID: a.SecretID, Organisation: w.org.ID, APIUser: w.org.ID,
		})
	}
	input, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	read, write := io.Pipe()
	cmd := exec.Command(self, roleBare) //nolint:noctx // it is stopped by stop
	cmd.Stdin = strings.NewReader(string(input))
	p, err := start(cmd, write, os.Stderr)
	if err != nil {
		return nil, err
	}
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(read).ReadString('\n') // what is no line has no two fields
		lines <- line
	}()
	line := ""
	select {
	case line = <-lines:
	case <-time.After(patience):
	}
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return nil, errors.Join(errors.New("the bare handler said no addresses"), p.stop())
	}
	return &server{process: p, host: fields[0], admin: fields[1]}, nil
}
