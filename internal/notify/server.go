package notify

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Server is the mail server to hand mails to. Its printed forms hold no password.
type Server struct {
	host     string
	port     int
	tls      bool // from the first byte; else STARTTLS
	user     string
	password string
	from     string
}

// ParseServer reads what CREDENZA_SMTP_URL holds: smtp://user:password@host:587 (STARTTLS) or smtps://…:465, with
// ?from=ADDRESS for the sender's address where that is not the user. An empty text is no server: nil.
func ParseServer(text string) (*Server, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("notify: not a mail server") // without the cause, which holds the password
	}
	s := &Server{host: u.Hostname(), tls: u.Scheme == "smtps", user: u.User.Username(), from: u.Query().Get("from")}
	s.password, _ = u.User.Password()
	usual := 587
	if s.tls {
		usual = 465
	}
	s.port = usual
	if port := u.Port(); port != "" {
		if s.port, err = strconv.Atoi(port); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errors.New("notify: the mail server's port is none")
		}
	}
	if s.from == "" && strings.Contains(s.user, "@") {
		s.from = s.user
	}
	if s.from != "" && !deliverable(s.from) {
		return nil, errors.New("notify: the sender of mails is no address")
	}
	return s, nil
}

// loopback reports whether the server is on this machine, where what is sent need not be encrypted.
func (s *Server) loopback() bool {
	return s.host == "localhost" || net.ParseIP(s.host).IsLoopback()
}

// String returns where the server is.
func (s *Server) String() string {
	scheme := "smtp"
	if s.tls {
		scheme = "smtps"
	}
	return scheme + "://" + net.JoinHostPort(s.host, strconv.Itoa(s.port))
}

// Format prints String for every verb, also for those that print fields.
func (s *Server) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // the state of a fmt call has no one to report to
}

// LogValue returns String for slog.
func (s *Server) LogValue() slog.Value { return slog.StringValue(s.String()) }
