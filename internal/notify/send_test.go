package notify_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/notify"
)

// parts returns the decoded text and HTML of a mail.
func parts(t *testing.T, m *mail.Message) (text, html string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the mail is %q: %v", kind, err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return text, html
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
			t.Fatalf("a part is encoded as %q", got)
		}
		content, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			html = string(content)
		} else {
			text = strings.ReplaceAll(string(content), "\r\n", "\n")
		}
	}
}

func subject(t *testing.T, m *mail.Message) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDelivered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		s, org := newServer(t), organisation(t, db)
		p := newPost(t, db, s.url())
		p.queue(t, message(org))
		if m := p.only(t, org); m.State != notify.Queued {
			t.Errorf("before it is sent the mail is %s", m.State)
		}
		if len(s.got()) != 0 {
			t.Error("the mail was sent in the transaction")
		}
		p.run(t)
		p.run(t)
		wantMail(t, p.only(t, org), notify.Sent, "")
		if len(s.got()) != 1 {
			t.Fatalf("the server got %d mails, want 1", len(s.got()))
		}
		l := s.got()[0]
		if l.from != "credenza@portal.example" || l.to != "jo.weber@acme.example" {
			t.Errorf("from %q to %q", l.from, l.to)
		}
		m := read(t, l)
		for name, want := range map[string]string{
			"From": `"Credenza" <credenza@portal.example>`, "To": `"Jo Weber" <jo.weber@acme.example>`,
			"Auto-Submitted": "auto-generated", "Date": clock.Now().Format(time.RFC1123Z), "Content-Language": "en", "User-Agent": "", "X-Mailer": "",
		} {
			if got := m.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if id := m.Header.Get("Message-Id"); !strings.HasSuffix(id, "@portal.example>") {
			t.Errorf("Message-ID is %s", id)
		}
		if got, want := subject(t, m), "[Credenza] SAP spend export: secret …7Hq1 ends 29 Nov 2026, 13:05 UTC"; got != want {
			t.Errorf("the subject is %q, want %q", got, want)
		}
		text, html := parts(t, m)
		for _, want := range []string{
			"Hello Jo Weber,\n\n", "ends 29 Nov 2026, 13:05 UTC.", "\nhttps://portal.example/apps/0199\n", "\n-- \n",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the text lacks %q:\n%s", want, text)
			}
		}
		if want := `<a href="https://portal.example/apps/0199">`; !strings.Contains(html, want) {
			t.Errorf("the HTML lacks %q:\n%s", want, html)
		}
	})
}

// A mail of a transaction that is rolled back is never sent, and one that names a type of another room is refused.
func TestMailBelongsToItsTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		s, org := newServer(t), organisation(t, db)
		p := newPost(t, db, s.url())
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			if err := p.Mail(tx, message(org)); err != nil {
				return err
			}
			return errOwn
		})
		if !errors.Is(err, errOwn) {
			t.Fatal(err)
		}
		p.run(t)
		if len(s.got()) != 0 {
			t.Error("a mail was sent for what never happened")
		}
		secret := message(org)
		secret.Args["Secret"] = struct{ text string }{"hidden"}
		err = db.Housekeep(t.Context(), func(tx *database.Tx) error { return p.Mail(tx, secret) })
		if err == nil {
			t.Error("an argument of any type was taken")
		}
	})
}

func TestStartTLS(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	org := organisation(t, db)
	s := newServer(t, withTLS(t), withAccounts(map[string]string{"mailer@portal.example": "p@ss"}))
	believe := func(n *notify.Sending) {
		n.Dial, n.TLS = s.dial, &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	}

	p := newPost(t, db, "smtp://mailer%40portal.example:p%40ss@mail.example", believe)
	p.queue(t, message(org))
	p.run(t)
	wantMail(t, p.only(t, org), notify.Sent, "")
	if l := s.got()[0]; !l.tls || l.user != "mailer@portal.example" || l.from != "mailer@portal.example" {
		t.Errorf("got %+v", l)
	}

	for name, test := range map[string]struct {
		url    string
		server *server
		change func(*notify.Sending)
		code   string
	}{
		"certificate nobody vouches for": {"smtp://mail.example", s, func(n *notify.Sending) { n.Dial = s.dial }, "tls"},
		"certificate of another":         {"smtp://other.example", s, believe, "tls"},
		"wrong password":                 {"smtp://mailer%40portal.example:wrong@mail.example", s, believe, "authentication"},
		"no password":                    {"smtp://mail.example", s, believe, "502 5.7.0"},
	} {
		t.Run(name, func(t *testing.T) {
			db := dbtest.SQLite(t, dbtest.NewClock())
			org := organisation(t, db)
			p := newPost(t, db, test.url, test.change)
			p.queue(t, message(org))
			p.run(t)
			wantMail(t, p.only(t, org), notify.Queued, test.code)
		})
	}
	if len(s.got()) != 1 {
		t.Errorf("the server got %d mails, want the first alone", len(s.got()))
	}
}

// Off this machine nothing is sent to a server without TLS, nor is the password.
func TestNothingInTheClear(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	org := organisation(t, db)
	s := newServer(t, withAccounts(map[string]string{"mailer": "p"}))
	p := newPost(t, db, "smtp://mailer:p@mail.example", func(n *notify.Sending) { n.Dial = s.dial })
	p.queue(t, message(org))
	p.run(t)
	wantMail(t, p.only(t, org), notify.Queued, "protocol")
	if len(s.got()) != 0 {
		t.Error("the mail went out unencrypted")
	}
	local := newPost(t, db, "smtp://mailer:p@"+s.address+"?from=portal@acme.example")
	local.queue(t, message(org))
	local.run(t)
	if got := s.got(); len(got) != 1 || got[0].user != "mailer" || got[0].from != "portal@acme.example" {
		t.Errorf("on this machine: %+v", got)
	}
}

func TestImplicitTLS(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	org := organisation(t, db)
	config, roots := certificate(t)
	s := newServer(t, withAccounts(map[string]string{"mailer": "p"}))
	inner, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { defer close(over); _ = s.smtp.Serve(inner) }()
	t.Cleanup(func() { _ = s.smtp.Close(); <-over })
	p := newPost(t, db, "smtps://mailer:p@mail.example", func(n *notify.Sending) {
		n.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		n.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != "mail.example:465" {
				t.Errorf("dials %s", address)
			}
			return (&net.Dialer{}).DialContext(ctx, network, inner.Addr().String())
		}
	})
	p.queue(t, message(org))
	p.run(t)
	wantMail(t, p.only(t, org), notify.Sent, "")
}

func TestTemporaryRefusalIsRetried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		s, org := newServer(t), organisation(t, db)
		p := newPost(t, db, s.url())
		busy := func(string) error {
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted, come back"}
		}
		s.answers(busy)
		p.queue(t, message(org))
		p.run(t)
		wantMail(t, p.only(t, org), notify.Queued, "451 4.7.1")
		p.run(t) // not yet
		if m := p.only(t, org); m.Attempts != 1 {
			t.Errorf("tried %d times at once", m.Attempts)
		}
		clock.Advance(10 * time.Minute)
		s.answers(nil)
		p.run(t)
		m := p.only(t, org)
		wantMail(t, m, notify.Sent, "")
		if len(s.got()) != 1 || m.Attempts != 2 {
			t.Errorf("%d mails after %d attempts", len(s.got()), m.Attempts)
		}

		// After three days it is given up.
		s.answers(busy)
		late := message(org)
		late.About.ID = "0200"
		p.queue(t, late)
		for range 80 {
			p.run(t)
			clock.Advance(time.Hour)
		}
		list, err := p.About(t.Context(), org, late.About)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		wantMail(t, list[0], notify.Failed, "451 4.7.1")
		if list[0].Attempts < 20 || list[0].Attempts > 80 {
			t.Errorf("tried %d times in three days", list[0].Attempts)
		}
	})
}

func TestPermanentRefusalIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		s, org := newServer(t), organisation(t, db)
		p := newPost(t, db, s.url())
		var told []notify.Mail
		p.WhenEnded(func(_ *database.Tx, m notify.Mail) error { told = append(told, m); return nil })
		s.answers(func(to string) error {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: to + " moved to private@else.example"}
		})
		p.queue(t, message(org))
		p.run(t)
		clock.Advance(24 * time.Hour)
		p.run(t)
		m := p.only(t, org)
		wantMail(t, m, notify.Refused, "550 5.1.1")
		if m.FinishedAt.IsZero() || m.Attempts != 1 {
			t.Errorf("refused at %s after %d attempts", m.FinishedAt, m.Attempts)
		}
		if len(told) != 1 || told[0].To.Email != "jo.weber@acme.example" || told[0].About.ID != "0199" || told[0].Error != "550 5.1.1" {
			t.Errorf("told %+v", told)
		}
		var stored string
		if err := db.Read(t.Context()).Raw("SELECT last_error FROM mails").Scan(&stored).Error; err != nil || strings.Contains(stored, "private") {
			t.Errorf("the server's text is kept: %q, %v", stored, err)
		}
	})
}

// What a server says of us or of our mails, and not of the recipient, is no bounce.
func TestRefusalOfTheSenderIsNoBounce(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	s, org := newServer(t), organisation(t, db)
	s.sender = func() error {
		return &smtp.SMTPError{Code: 553, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not yours"}
	}
	p := newPost(t, db, s.url())
	p.queue(t, message(org))
	p.run(t)
	wantMail(t, p.only(t, org), notify.Queued, "553 5.7.1")

	content := newServer(t)
	content.data = func() error {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "spam"}
	}
	q := newPost(t, db, content.url())
	m := message(org)
	m.About.ID = "0201"
	q.queue(t, m)
	q.run(t)
	list, err := q.About(t.Context(), org, m.About)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	wantMail(t, list[0], notify.Queued, "554 5.6.0")
}

// TestBounces: only an answer about the address is a bounce, with an enhanced code (RFC 3463) or by the reply alone.
func TestBounces(t *testing.T) {
	const none = -1 // no enhanced code
	for _, test := range []struct {
		code     int
		enhanced smtp.EnhancedCode
		state    notify.State
	}{
		{550, smtp.EnhancedCode{5, 1, 1}, notify.Refused},
		{550, smtp.EnhancedCode{5, 2, 1}, notify.Refused},
		{550, smtp.EnhancedCode{none, none, none}, notify.Refused},
		{553, smtp.EnhancedCode{none, none, none}, notify.Refused},
		{550, smtp.EnhancedCode{5, 7, 1}, notify.Queued}, // not allowed to relay, or a policy
		{554, smtp.EnhancedCode{5, 7, 1}, notify.Queued},
		{554, smtp.EnhancedCode{none, none, none}, notify.Queued},
		{552, smtp.EnhancedCode{5, 3, 4}, notify.Queued}, // too big for the server
		{450, smtp.EnhancedCode{4, 2, 1}, notify.Queued},
	} {
		t.Run(fmt.Sprint(test.code, test.enhanced), func(t *testing.T) {
			db := dbtest.SQLite(t, dbtest.NewClock())
			s, org := newServer(t), organisation(t, db)
			s.answers(func(string) error {
				return &smtp.SMTPError{Code: test.code, EnhancedCode: test.enhanced, Message: "no"}
			})
			p := newPost(t, db, s.url())
			p.queue(t, message(org))
			p.run(t)
			if got := p.only(t, org); got.State != test.state {
				t.Errorf("the mail is %s (%s), want %s", got.State, got.Error, test.state)
			}
		})
	}
}

// A server that takes the connection and says nothing, and one that is away, cost their time and nothing else. A process
// that stops does not wait for either.
func TestServerThatStandsStill(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	org := organisation(t, db)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	p := newPost(t, db, "smtp://"+listener.Addr().String(), func(n *notify.Sending) { n.Timeout = 100 * time.Millisecond })
	p.queue(t, message(org))
	p.run(t)
	wantMail(t, p.only(t, org), notify.Queued, "timeout")
	_ = (<-accepted).Close()

	patient := newPost(t, db, "smtp://"+listener.Addr().String(), func(n *notify.Sending) { n.Timeout = time.Hour })
	patient.queue(t, message(org))
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); patient.runner.Run(ctx) }()
	conn := <-accepted
	stop()
	select {
	case <-over:
	case <-time.After(patience):
		t.Error("the runner waits for the mail server")
	}
	_ = conn.Close()
	_ = listener.Close()

	gone := newPost(t, db, "smtp://"+listener.Addr().String())
	m := message(org)
	m.About.ID = "0202"
	gone.queue(t, m)
	gone.run(t)
	list, err := gone.About(t.Context(), org, m.About)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	wantMail(t, list[0], notify.Queued, "connect")
}

// TestC67_NothingIsInjected: whatever names and addresses hold, a mail has the headers it should have and one recipient.
func TestC67_NothingIsInjected(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	s, org := newServer(t), organisation(t, db)
	p := newPost(t, db, s.url())
	breaks := []string{"\r\n", "\n", "\r", "\u2028", "\u2029", "\u0085", "\v", "\x00", "\r\n\r\n", "=0D=0A", "%0d%0a", "\u202e"}
	for i, b := range breaks {
		m := message(org)
		m.About.ID = fmt.Sprintf("name-%d", i)
		m.To.Name = "Jo" + b + "Bcc: thief@evil.example" + b + `", <thief@evil.example>, "`
		m.Args["App"] = "App" + b + "Bcc: thief@evil.example" + b + b + "<script>alert(1)</script> & " + b + ".\r\nRCPT TO:<thief@evil.example>"
		p.queue(t, m)
	}
	p.run(t)
	got := s.got()
	if len(got) != len(breaks) {
		t.Fatalf("%d mails, want %d", len(got), len(breaks))
	}
	for i, l := range got {
		m := read(t, l)
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != "jo.weber@acme.example" || l.to != "jo.weber@acme.example" {
			t.Errorf("%q: recipients %v, %v", breaks[i], to, err)
		}
		for _, name := range []string{"Bcc", "Cc", "Reply-To"} {
			if m.Header.Get(name) != "" {
				t.Errorf("%q: a header %s", breaks[i], name)
			}
		}
		if got := subject(t, m); strings.ContainsAny(got, "\r\n\u2028\u2029\u0085\v\x00\u202e") || !strings.HasPrefix(got, "[Credenza] App") {
			t.Errorf("%q: the subject is %q", breaks[i], got)
		}
		text, html := parts(t, m)
		if strings.Contains(html, "<script") || !strings.Contains(html, "&lt;script&gt;") {
			t.Errorf("%q: the HTML is not escaped:\n%s", breaks[i], html)
		}
		if strings.Contains(text, "\nBcc:") || strings.Contains(text, "\nRCPT") {
			t.Errorf("%q: a name made lines of its own:\n%s", breaks[i], text)
		}
	}

	for _, address := range []string{
		"", "jo", "jo@", "jo@acme.example\r\nBcc: thief@evil.example", "jo@acme.example, thief@evil.example", "Jo <jo@acme.example>",
		"jo@acme.example>\r\nRCPT TO:<thief@evil.example", "<jo@acme.example>", "jo @acme.example", "(x)jo@acme.example",
		strings.Repeat("a", 300) + "@acme.example", "jo@acme.example\x00",
	} {
		m := message(org)
		m.To.Email, m.About.ID = address, "address"
		p.queue(t, m)
	}
	p.run(t)
	list, err := p.About(t.Context(), org, notify.Subject{Kind: "app", ID: "address"})
	if err != nil || len(list) != 12 {
		t.Fatalf("%d mails, %v", len(list), err)
	}
	for _, m := range list {
		wantMail(t, m, notify.Failed, "address")
	}
	if len(s.got()) != len(breaks) {
		t.Error("a mail went to what is no address")
	}
}

// Two servers on one database send each mail once.
func TestReplicasSendOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		s, org := newServer(t), organisation(t, db)
		one, two := newPost(t, db, s.url()), newPost(t, db, s.url())
		const n = 15
		for i := range n {
			m := message(org)
			m.To.Email = fmt.Sprintf("person%d@acme.example", i)
			one.queue(t, m)
		}
		var both sync.WaitGroup
		for _, p := range []*post{one, two} {
			both.Go(func() {
				if err := p.runner.RunDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		seen := map[string]int{}
		for _, l := range s.got() {
			seen[l.to]++
		}
		for to, times := range seen {
			if times != 1 {
				t.Errorf("%s got %d mails", to, times)
			}
		}
		if len(seen) != n {
			t.Errorf("%d people got a mail, want %d", len(seen), n)
		}
	})
}
