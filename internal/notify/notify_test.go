package notify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

// letter is a mail as the server got it.
type letter struct {
	from, to, data string
	tls            bool
	user           string
}

// server is an SMTP server that keeps what it gets and answers as it is told.
type server struct {
	smtp    *smtp.Server
	address string
	roots   *x509.CertPool

	mu       sync.Mutex
	letters  []letter
	answer   func(to string) error // to RCPT TO
	data     func() error          // to the end of DATA
	sender   func() error          // to MAIL FROM
	accounts map[string]string
}

// option changes a server before it listens.
type option func(s *server)

func withTLS(t *testing.T) option {
	return func(s *server) { s.smtp.TLSConfig, s.roots = certificate(t) }
}

func withAccounts(accounts map[string]string) option {
	return func(s *server) { s.accounts, s.smtp.AllowInsecureAuth = accounts, true }
}

func newServer(t *testing.T, options ...option) *server {
	t.Helper()
	s := &server{}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, secured := c.TLSConnectionState()
		return &session{server: s, letter: letter{tls: secured}}, nil
	}))
	s.smtp.Domain, s.smtp.ErrorLog = "mail.example", quiet{}
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = patience, patience
	for _, o := range options {
		o(s)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	over := make(chan struct{})
	go func() { defer close(over); _ = s.smtp.Serve(listener) }()
	t.Cleanup(func() { _ = s.smtp.Close(); <-over })
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// url is the server as CREDENZA_SMTP_URL names it when it is on this machine.
func (s *server) url() string { return "smtp://" + s.address }

// dial reaches the server by whatever name.
func (s *server) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, s.address)
}

func (s *server) got() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.letters...)
}

// answers sets what RCPT TO is answered.
func (s *server) answers(fn func(to string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = fn
}

type session struct {
	*server

	letter letter
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) AuthMechanisms() []string {
	if s.accounts == nil {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.accounts[user] != password {
			return smtp.ErrAuthFailed
		}
		s.letter.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.letter.from = from
	if s.accounts != nil && s.letter.user == "" {
		return smtp.ErrAuthRequired
	}
	if s.sender != nil {
		return s.sender()
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.to = to
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil {
		return s.answer(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err == nil && s.data != nil {
		err = s.data()
	}
	if err != nil {
		return err
	}
	s.letter.data = string(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append(s.letters, s.letter)
	return nil
}

// certificate makes one for mail.example and the pool that believes it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example"}, DNSNames: []string{"mail.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, pool
}

// post is an outbox with a runner that sends it.
type post struct {
	*notify.Outbox

	db     *database.DB
	runner *job.Runner
}

// newPost sends by a server; without a URL there is none.
func newPost(t *testing.T, db *database.DB, url string, change ...func(*notify.Sending)) *post {
	t.Helper()
	server, err := notify.ParseServer(url)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	p := &post{db: db}
	if p.Outbox, err = notify.New(db, nil); err != nil {
		t.Fatal(err)
	}
	if p.runner, err = job.NewRunner(job.Deps{DB: db, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	sending := notify.Sending{Messages: messages, PublicURL: "https://portal.example", Server: server, Timeout: patience}
	for _, c := range change {
		c(&sending)
	}
	if err := p.Send(p.runner, sending); err != nil {
		t.Fatal(err)
	}
	return p
}

// organisation makes one.
func organisation(t *testing.T, db *database.DB) string {
	t.Helper()
	id := database.NewID()
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		return tx.DB().Exec(`INSERT INTO organisations (id, name, name_key, short_name, client_prefix, kind, status, created_at, version)
			VALUES (?, ?, ?, ?, ?, 'customer', 'active', 0, 1)`, id, id, id, id, id).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// message is a mail about an app whose secret ends soon.
func message(org string) notify.Message {
	return notify.Message{
		Organisation: org, To: notify.Address{Name: "Jo Weber", Email: "jo.weber@acme.example"}, Key: "secret_ends",
		Args: map[string]any{
			"App": "SAP spend export", "Secret": "…7Hq1", "N": 7, "Ends": time.Date(2026, time.November, 29, 13, 5, 0, 0, time.UTC),
		},
		Path: "/apps/0199", About: notify.Subject{Kind: "app", ID: "0199"},
	}
}

func (p *post) queue(t *testing.T, m notify.Message) {
	t.Helper()
	if err := p.db.Housekeep(t.Context(), func(tx *database.Tx) error { return p.Mail(tx, m) }); err != nil {
		t.Fatal(err)
	}
}

func (p *post) run(t *testing.T) {
	t.Helper()
	if err := p.runner.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// only returns the one mail about the app of message.
func (p *post) only(t *testing.T, org string) notify.Mail {
	t.Helper()
	list, err := p.About(t.Context(), org, notify.Subject{Kind: "app", ID: "0199"})
	if err != nil || len(list) != 1 {
		t.Fatalf("mails about the app: %+v, %v", list, err)
	}
	return list[0]
}

func wantMail(t *testing.T, m notify.Mail, state notify.State, code string) {
	t.Helper()
	if m.State != state || m.Error != code {
		t.Errorf("the mail is %s with %q, want %s with %q", m.State, m.Error, state, code)
	}
}

// read parses a letter and fails when it is no mail.
func read(t *testing.T, l letter) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(l.data))
	if err != nil {
		t.Fatalf("no mail: %v\n%s", err, l.data)
	}
	return m
}

var errOwn = errors.New("own")
