package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// installation is a directory with a database and a master key of its own, in which the binary is run as an operator
// would run it, with every setting at its default but the addresses.
type installation struct {
	dir    string
	binary string
	env    []string
}

func newInstallation(parent, binary string) (*installation, error) {
	dir, err := os.MkdirTemp(parent, "installation-")
	if err != nil {
		return nil, err
	}
	i := &installation{dir: dir, binary: binary}
	i.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir,
		"CREDENZA_DATABASE_URL=sqlite:" + i.database(), "CREDENZA_MASTER_KEY_FILE=" + filepath.Join(dir, "keys", "master.key"),
		"CREDENZA_ADDR=127.0.0.1:0", "CREDENZA_ADMIN_ADDR=127.0.0.1:0", "CREDENZA_GATEWAY_ADDR=127.0.0.1:0",
	}
	return i, nil
}

// database is the path of the SQLite file.
func (i *installation) database() string { return filepath.Join(i.dir, "data", "credenza.db") }

// command runs a command of the binary with --json and decodes the document that it prints.
func (i *installation) command(ctx context.Context, document any, args ...string) error {
	cmd := exec.CommandContext(ctx, i.binary, append(args, "--json")...)
	cmd.Env, cmd.Dir = i.env, i.dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("credenza %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return json.Unmarshal(output, document)
}

// server is a running credenza serve.
type server struct {
	*process

	host    string // host:port of the public listener
	admin   string // host:port of the admin listener
	gateway string // host:port at which calls are checked
	log     string // file with its access log and token log
	ready   time.Duration
}

// url is the issuer.
func (s *server) url() string { return "http://" + s.host }

// serve starts the server and waits until it is ready. Its log goes to a file, as to a collector's.
func (i *installation) serve(ctx context.Context) (s *server, err error) {
	log, err := os.CreateTemp(i.dir, "serve-*.log")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }() // the child has its own handle
	cmd := exec.Command(i.binary, "serve")                 //nolint:noctx // it is stopped by stop
	cmd.Env, cmd.Dir = i.env, i.dir
	began := time.Now()
	p, err := start(cmd, nil, log)
	if err != nil {
		return nil, err
	}
	s = &server{process: p, log: log.Name()}
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	s.ready = time.Since(began)
	return s, nil
}

// await waits until the server has said its addresses and /readyz is 200.
func (s *server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for {
		if s.admin == "" {
			if err := s.readAddresses(); err != nil {
				return err
			}
		}
		if s.admin != "" {
			if _, err := fetch(ctx, "http://"+s.admin+"/readyz"); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("the server did not become ready; its log is " + s.log)
		case <-s.ended:
			text, _ := os.ReadFile(s.log) // said beside the reason
			return fmt.Errorf("the server ended: %w\n%s", s.err, text)
		case <-pace.C:
		}
	}
}

// readAddresses looks for the line of the log in which the server says them.
func (s *server) readAddresses() error {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		var entry struct {
			Message string `json:"msg"`
			Address string `json:"addr"`
			Admin   string `json:"admin_addr"`
			Gateway string `json:"gateway_addr"`
		}
		if json.Unmarshal(line, &entry) == nil && entry.Message == "serving" {
			s.host, s.admin, s.gateway = entry.Address, entry.Admin, entry.Gateway
		}
	}
	return nil
}

// fetch gets a document; another status than 200 is an error.
func fetch(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := plain.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", address, answer.StatusCode)
	}
	return body.Bytes(), nil
}

// plain is for what is not measured: addresses of the machine itself, no proxy, no waiting connections.
var plain = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// metrics are the samples that a server shows, by name with labels as they are printed.
type metrics map[string]float64

func (s *server) metrics(ctx context.Context) (metrics, error) {
	text, err := fetch(ctx, "http://"+s.admin+"/metrics")
	if err != nil {
		return nil, err
	}
	return readMetrics(string(text)), nil
}

// readMetrics reads the text format of Prometheus. Lines that are no samples are passed over.
func readMetrics(text string) metrics {
	m := metrics{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		var value float64
		if _, err := fmt.Sscan(line[at+1:], &value); err == nil {
			m[line[:at]] = value
		}
	}
	return m
}

// bcrypts is how many bcrypt computations verified a secret.
func (m metrics) bcrypts() int { return int(m[`credenza_secret_bcrypts_total{use="verify"}`]) }

// mallocs is how many pieces of memory were asked for.
func (m metrics) mallocs() float64 { return m["go_memstats_mallocs_total"] }

// collections is how often garbage was collected.
func (m metrics) collections() float64 { return m["go_gc_duration_seconds_count"] }
