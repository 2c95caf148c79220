package main

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// mailServer takes every mail and keeps it.
type mailServer struct {
	address string

	mu    sync.Mutex
	mails []string
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	m := &mailServer{}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{m, ""}, nil }))
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.address = listener.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-ended); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return m
}

type mailSession struct {
	*mailServer

	to string
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, s.to+"\n"+string(data))
	return err
}

func (m *mailServer) got() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mails...)
}

// What the command line does is told by the server beside it, which sends by the server of CREDENZA_SMTP_URL and names
// nobody in its log.
func TestServerSendsMail(t *testing.T) {
	mails := newMailServer(t)
	i := newInstallation(t, "CREDENZA_SMTP_URL=smtp://"+mails.address)
	acme(t, i)
	made := newApp(t, i, "Told by mail")
	var logs *lockedBuffer
	t.Run("serve", func(t *testing.T) {
		s := i.serve(t)
		logs = s.logs
		await(t, "the mail to the contact and the question", func() bool { return len(mails.got()) > 1 })
		must[appDocument](t, i, "app", "show", made.ClientID)
	})
	got := slices.DeleteFunc(mails.got(), func(mail string) bool { return strings.Contains(mail, "are you the right contact") })
	if len(got) != 1 {
		t.Fatalf("%d mails besides the question, want one:\n%s", len(got), strings.Join(got, "\n"))
	}
	to, text, _ := strings.Cut(got[0], "\n")
	for _, part := range []string{"Subject: ", "Told by mail", made.ClientID, "http://127.0.0.1:"} {
		if !strings.Contains(text, part) {
			t.Errorf("the mail lacks %q:\n%s", part, text)
		}
	}
	if strings.Contains(text, made.ClientSecret) {
		t.Error("the mail holds the secret")
	}
	if strings.Contains(logs.String(), to) {
		t.Errorf("the log names %s", to)
	}
}
