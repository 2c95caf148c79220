package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/job"
)

const (
	// phaseTime bounds connecting with signing in, and sending: a server that stands still costs at most twice that.
	phaseTime = 20 * time.Second
	// tryFor is how long a mail is tried, from the first time on.
	tryFor = 3 * 24 * time.Hour
	// parallel is how many mails a process sends at once, urgentParallel how many that are urgent besides, and
	// lettersParallel how many that people write.
	parallel        = 4
	urgentParallel  = 2
	lettersParallel = 2
	// attempts is more than fit into tryFor: time decides.
	attempts = 10_000
)

// Codes of failures that no server told.
const (
	failedAddress = "address"
	failedConnect = "connect"
	failedTLS     = "tls"
	failedSignIn  = "authentication"
	failedTimeout = "timeout"
	failedOther   = "protocol"
)

// Sending is how mails leave. Server is nil where there is none: mails are then kept. Timeout, TLS and Dial are the usual
// ones when zero; tests give their own.
type Sending struct {
	Messages  *i18n.Bundle
	PublicURL string
	Server    *Server
	Timeout   time.Duration
	TLS       *tls.Config
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
}

// sender does the jobs of the outbox.
type sender struct {
	*Outbox
	Sending

	house house
}

// Send lets the runner send the outbox's mails. It is called before the runner runs.
func (o *Outbox) Send(runner *job.Runner, s Sending) error {
	if s.Messages == nil || runner == nil {
		return errors.New("notify: a dependency is missing")
	}
	h, err := newHouse(s.Messages, s.PublicURL, s.Server)
	if err != nil {
		return err
	}
	if s.Timeout == 0 {
		s.Timeout = phaseTime
	}
	if s.Dial == nil {
		s.Dial = (&net.Dialer{}).DialContext
	}
	if s.TLS == nil {
		s.TLS = &tls.Config{}
	}
	if s.Server != nil {
		s.TLS = s.TLS.Clone()
		s.TLS.MinVersion, s.TLS.ServerName = tls.VersionTLS12, s.Server.host
	}
	worker := &sender{Outbox: o, Sending: s, house: h}
	o.silent = s.Server == nil
	runner.Handle(jobKind, job.Limits{Attempts: attempts, Parallel: parallel, Backoff: backoff}, worker.run)
	runner.Handle(urgentKind, job.Limits{Attempts: attempts, Parallel: urgentParallel, Backoff: backoff}, worker.run)
	runner.Handle(letterKind, job.Limits{Attempts: attempts, Parallel: lettersParallel, Backoff: backoff}, worker.run)
	return nil
}

// backoff is how long until a mail is tried again: a minute, doubled up to two hours.
func backoff(failures int) time.Duration {
	return min(job.Backoff(failures)*2, 2*time.Hour)
}

// run sends the mail of a job, and says what became of it.
func (s *sender) run(ctx context.Context, c *job.Claimed) error {
	var p payload
	if err := c.Decode(&p); err != nil {
		return err
	}
	row, found, err := readQueued(s.db.Read(ctx), p.Mail)
	if err != nil || !found {
		return err
	}
	row.Attempts = int64(c.Failures)
	if c.Failures > 0 && s.db.Now().Sub(c.StartedAt) > tryFor {
		row.State = Failed
		return s.end(ctx, &row)
	}
	if s.Server == nil {
		row.State = Kept
		return s.end(ctx, &row)
	}
	row.Attempts++
	failure := s.deliver(ctx, &row)
	switch {
	case failure == nil:
		row.State, row.LastError = Sent, ""
		return s.end(ctx, &row)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	row.LastError = failure.code
	if failure.bounce {
		row.State = Refused
		return s.end(ctx, &row)
	}
	s.metrics.mails.WithLabelValues(outcomeRetried).Inc()
	if err := s.db.Housekeep(ctx, func(tx *database.Tx) error { return noteAttempt(tx, &row) }); err != nil {
		return err
	}
	return fmt.Errorf("the mail server did not take a mail: %s", failure.code)
}

// end writes the state that the row has now and tells of it.
func (s *sender) end(ctx context.Context, row *mailRow) error {
	ended := false
	err := s.db.Housekeep(ctx, func(tx *database.Tx) (err error) {
		if ended, err = endMail(tx, row); err != nil || !ended || row.State == Kept {
			return err
		}
		return s.tellEnd(tx, row)
	})
	if err == nil && ended {
		s.metrics.mails.WithLabelValues(string(row.State)).Inc()
	}
	return err
}

// failure is why a mail was not taken.
type failure struct {
	code   string
	bounce bool // by the recipient's side, for good
}

// deliver hands a mail to the server.
func (s *sender) deliver(ctx context.Context, row *mailRow) *failure {
	m, err := s.house.compose(ctx, row, s.db.Now())
	if err != nil {
		return &failure{code: failedAddress}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := s.client(ctx)
	if err != nil {
		return &failure{code: failedOther}
	}
	if err = client.DialAndSendWithContext(ctx, m); err == nil || m.IsDelivered() {
		return nil // what fails after the server took it is no failure of the mail
	}
	return judge(err)
}

// client makes the library's client for one connection.
func (s *sender) client(ctx context.Context) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(s.Server.port), gomail.WithTimeout(s.Timeout), gomail.WithHELO(s.house.domain),
		gomail.WithTLSConfig(s.TLS), gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithDialContextFunc(func(dial context.Context, network, address string) (net.Conn, error) {
			conn, err := s.connect(dial, network, address)
			if err == nil {
				// The library waits for the server without looking at the context: a process that stops cuts it off.
				context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		}),
	}
	switch {
	case s.Server.tls:
		options = append(options, gomail.WithSSL())
	case s.Server.loopback():
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.Server.user != "" {
		options = append(options, gomail.WithUsername(s.Server.user), gomail.WithPassword(s.Server.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(s.Server.host, options...)
}

func (s *sender) connect(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.Dial(ctx, network, address)
	if err != nil || !s.Server.tls {
		return conn, err
	}
	secured := tls.Client(conn, s.TLS)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secured, nil
}

// bounced reports whether a server's answer to the recipient or the mail says that the address is wrong: an enhanced code
// of the address or the mailbox (RFC 3463 §3.2, §3.3) or, without one, a reply for a mailbox that is not there. Whatever
// else it refuses for good, relaying, what we send, or where from, is mended here, and the mails go out later.
func bounced(sending *gomail.SendError) bool {
	switch {
	case sending.Reason != gomail.ErrSMTPRcptTo && sending.Reason != gomail.ErrSMTPData && sending.Reason != gomail.ErrSMTPDataClose:
		return false
	case sending.EnhancedStatusCode() != "":
		return strings.HasPrefix(sending.EnhancedStatusCode(), "5.1.") || strings.HasPrefix(sending.EnhancedStatusCode(), "5.2.")
	default:
		return slices.Contains([]int{550, 551, 553}, sending.ErrorCode())
	}
}

// judge finds out what a failure means.
func judge(err error) *failure {
	var sending *gomail.SendError
	if errors.As(err, &sending) && sending.ErrorCode() > 0 {
		code := strconv.Itoa(sending.ErrorCode())
		if enhanced := sending.EnhancedStatusCode(); enhanced != "" && len(enhanced) < 12 {
			code += " " + enhanced
		}
		return &failure{code: code, bounce: bounced(sending)}
	}
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		switch answer.Code {
		case 530, 534, 535, 538:
			return &failure{code: failedSignIn}
		default:
			return &failure{code: strconv.Itoa(answer.Code)}
		}
	}
	var network net.Error
	var unknown *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var operation *net.OpError
	switch {
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return &failure{code: failedTimeout}
	case errors.As(err, &unknown), errors.As(err, &record):
		return &failure{code: failedTLS}
	case errors.As(err, &operation):
		return &failure{code: failedConnect}
	default:
		return &failure{code: failedOther}
	}
}
