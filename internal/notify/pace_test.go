package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/notify"
)

// letterTo is a mail that a person writes.
func letterTo(org, email string) notify.Message {
	return notify.Message{
		Organisation: org, To: notify.Address{Name: "Jo", Email: email}, Key: "letter", Fleeting: true,
		Args: map[string]any{
			"Subject": "Your apps", "Actor": "Ana Silva", "Organisation": "Acme", "N": 22, "List": []string{"Import", "<b>Export</b>"}, "More": 20,
		},
		Words:   "First & line\nsecond line\n\n\n.\nRCPT TO:<thief@evil.example>\r\nlast <script>alert(1)</script>",
		ReplyTo: notify.Address{Name: "Ana Silva", Email: "ana@acme.example"},
	}
}

// What one address, or one organisation, gets beyond its share is sent later and not lost; others do not wait for it.
func TestFloodIsSpread(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		s, org, other := newServer(t), organisation(t, db), organisation(t, db)
		p := newPost(t, db, s.url())
		for i := range 40 {
			m := message(org)
			m.About.ID = fmt.Sprint(i)
			p.queue(t, m)
		}
		p.queue(t, message(other))
		p.run(t)
		if n := len(s.got()); n != 31 {
			t.Fatalf("%d mails at once, want 30 and the other organisation's", n)
		}
		clock.Advance(2 * time.Minute)
		p.run(t)
		if n := len(s.got()); n != 32 {
			t.Errorf("%d mails after two minutes, want one more", n)
		}
		if sent, err := read(t, s.got()[31]).Header.Date(); err != nil || !sent.Equal(clock.Now().Truncate(time.Second)) {
			t.Errorf("the mail that waited says that it was sent %s, %v", sent, err)
		}
		clock.Advance(20 * time.Minute)
		p.run(t)
		if n := len(s.got()); n != 41 {
			t.Errorf("%d mails in the end, want all", n)
		}

		// An organisation: letters have places of their own.
		for i := range 510 {
			p.queue(t, letterTo(org, fmt.Sprintf("jo%d@acme.example", i)))
		}
		p.queue(t, message(org))
		var due struct{ Letters, Notices int }
		err := db.Read(t.Context()).Raw(`SELECT sum(CASE WHEN kind = 'letter' THEN 1 ELSE 0 END) AS letters,
			sum(CASE WHEN kind = 'mail' THEN 1 ELSE 0 END) AS notices FROM jobs WHERE state = 'queued' AND due_at <= ?`,
			database.Micros(clock.Now())).Scan(&due).Error
		if err != nil || due.Letters != 500 || due.Notices != 1 {
			t.Errorf("%+v are due, want 500 letters and the notice, which does not wait for them: %v", due, err)
		}
		if wait, err := p.LettersWait(t.Context(), org); err != nil || wait != 30*time.Second {
			t.Errorf("the next letter waits %s, %v", wait, err)
		}
		if wait, err := p.LettersWait(t.Context(), other); err != nil || wait != 0 {
			t.Errorf("another organisation's waits %s, %v", wait, err)
		}
		var scopes string
		if err := db.Read(t.Context()).Raw("SELECT max(scope) FROM mail_pace WHERE scope LIKE 'letters-to%'").Scan(&scopes).Error; err != nil ||
			scopes == "" || strings.Contains(scopes, "acme") {
			t.Errorf("the plan of an address is kept as %q, %v", scopes, err)
		}
		clock.Advance(2 * time.Hour)
		sweep(t, p)
		var left int
		if err := db.Read(t.Context()).Raw("SELECT count(*) FROM mail_pace").Scan(&left).Error; err != nil || left != 0 {
			t.Errorf("%d plans are left, %v", left, err)
		}
	})
}

// TestC67_Letter: what a person writes is text in both parts, goes to one address, and its answer to whoever wrote it.
func TestC67_Letter(t *testing.T) {
	db := dbtest.SQLite(t, dbtest.NewClock())
	s, org := newServer(t), organisation(t, db)
	p := newPost(t, db, s.url())
	m := letterTo(org, "jo.weber@acme.example")
	m.Args["Subject"] = "Your apps\r\nBcc: thief@evil.example"
	m.ReplyTo.Name = "Ana\r\nBcc: thief@evil.example"
	p.queue(t, m)
	m.ReplyTo.Email = "ana@acme.example\r\nBcc: thief@evil.example"
	p.queue(t, m)
	p.run(t)
	if len(s.got()) != 2 {
		t.Fatalf("%d letters", len(s.got()))
	}
	for i, reply := range []string{"ana@acme.example", ""} {
		got := read(t, s.got()[i])
		list, err := got.Header.AddressList("Reply-To")
		if reply == "" && got.Header.Get("Reply-To") != "" || reply != "" && (err != nil || len(list) != 1 || list[0].Address != reply) {
			t.Errorf("the answer goes to %q, %v", got.Header.Get("Reply-To"), err)
		}
		if got.Header.Get("Bcc") != "" || got.Header.Get("Auto-Submitted") != "" || s.got()[i].to != "jo.weber@acme.example" {
			t.Errorf("headers %v, to %s", got.Header, s.got()[i].to)
		}
		if want := "[Credenza] Your apps Bcc: thief@evil.example"; subject(t, got) != want {
			t.Errorf("the subject is %q", subject(t, got))
		}
		text, html := parts(t, got)
		html = strings.ReplaceAll(html, "\r\n", "\n")
		for _, want := range []string{
			"Hello Jo,\n\nFirst & line\nsecond line\n\n", "\nlast <script>alert(1)</script>\n\nThis is about 22 apps of Acme",
			"- Import\n- <b>Export</b>\nand 20 more.\n", "\n-- \nAna Silva of Acme wrote this to contacts of apps at https://portal.example.",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the text lacks %q:\n%s", want, text)
			}
		}
		for _, want := range []string{"First &amp; line<br>\nsecond line", "&lt;script&gt;", "<li>&lt;b&gt;Export&lt;/b&gt;</li>"} {
			if !strings.Contains(html, want) {
				t.Errorf("the HTML lacks %q:\n%s", want, html)
			}
		}
		if strings.Contains(html, "<script") || strings.Contains(html, "<a ") {
			t.Errorf("the HTML holds markup or a link:\n%s", html)
		}
	}
}

// What is urgent is due at once however many wait before it, and the usual does not wait for what is slow.
func TestUrgentDoesNotWait(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		org := organisation(t, db)
		p := newPost(t, db, "")
		paced := func(n int, pace notify.Pace) {
			for range n {
				m := message(org)
				m.Pace = pace
				p.queue(t, m)
			}
		}
		paced(40, notify.Slow)
		paced(40, notify.Usual)
		paced(40, notify.Urgent)
		var due []struct {
			Kind string
			N    int
		}
		err := db.Read(t.Context()).Raw(`SELECT kind, count(*) AS n FROM jobs WHERE state = 'queued' AND due_at <= ? GROUP BY kind ORDER BY kind`,
			database.Micros(clock.Now())).Scan(&due).Error
		if err != nil || fmt.Sprint(due) != "[{mail 60} {mail.urgent 40}]" {
			t.Errorf("due at once: %v, %v", due, err)
		}
		p.run(t)
		var left int
		if err := db.Read(t.Context()).Raw("SELECT count(*) FROM mails WHERE state = 'queued'").Scan(&left).Error; err != nil || left != 20 {
			t.Errorf("%d mails wait, want those beyond 30 of each pace: %v", left, err)
		}
	})
}
