package notify_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/notify"
)

// Without a mail server a mail is kept, and a page can show what it says (product.md decision 19).
func TestWithoutServerMailsAreKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		org := organisation(t, db)
		p := newPost(t, db, "")
		p.queue(t, message(org))
		gone := message(org)
		gone.Fleeting = true
		p.queue(t, gone)
		p.run(t)
		m := p.only(t, org)
		wantMail(t, m, notify.Kept, "")
		messages, err := i18n.Load()
		if err != nil {
			t.Fatal(err)
		}
		ctx := i18n.With(t.Context(), messages.For("en"), messages.Zone("Europe/Berlin"))
		if got, want := m.Title(ctx), "SAP spend export: secret …7Hq1 ends 29 Nov 2026, 14:05 CET"; got != want {
			t.Errorf("the title is %q, want %q", got, want)
		}
		if diff := cmp.Diff([]string{
			"The secret …7Hq1 of the app “SAP spend export” ends 29 Nov 2026, 14:05 CET. After that the app gets no tokens with it.",
			"Have somebody who manages the app rotate the secret before then: both work side by side while you change over.",
		}, m.Text(ctx)); diff != "" {
			t.Errorf("texts (-want +got):\n%s", diff)
		}

		other, err := p.About(t.Context(), organisation(t, db), m.About)
		if err != nil || len(other) != 0 {
			t.Errorf("another organisation sees %v, %v", other, err)
		}

		clock.Advance(89 * 24 * time.Hour)
		sweep(t, p)
		p.only(t, org)
		clock.Advance(2 * 24 * time.Hour)
		sweep(t, p)
		if list, _ := p.About(t.Context(), org, m.About); len(list) != 0 {
			t.Error("the mail is still there after 91 days")
		}
	})
}

func sweep(t *testing.T, p *post) {
	t.Helper()
	if err := p.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What is erased is not sent either; what is fleeting leaves nothing behind.
func TestErase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		s, org := newServer(t), organisation(t, db)
		p := newPost(t, db, s.url())
		p.queue(t, message(org))
		last := message(org)
		last.Key, last.Fleeting = "app_deleted", true
		last.To.Email = "last@acme.example"
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			if err := p.Erase(tx, last.About); err != nil {
				return err
			}
			return p.Mail(tx, last)
		})
		if err != nil {
			t.Fatal(err)
		}
		p.run(t)
		if got := s.got(); len(got) != 1 || got[0].to != "last@acme.example" {
			t.Errorf("sent %+v", got)
		}
		if list, err := p.About(t.Context(), org, last.About); err != nil || len(list) != 0 {
			t.Errorf("left behind: %+v, %v", list, err)
		}
	})
}

func TestParseServer(t *testing.T) {
	for url, want := range map[string]string{
		"":                                     "<nil>",
		"smtp://mail.example":                  "smtp://mail.example:587",
		"smtp://u:hunter2@mail.example:2525":   "smtp://mail.example:2525",
		"smtps://u:hunter2@mail.example":       "smtps://mail.example:465",
		"smtp://[::1]:25":                      "smtp://[::1]:25",
		"smtp://mail.example?from=a@b.example": "smtp://mail.example:587",
		"smtp://mail.example?from=a@b.example%0d%0aBcc:": "error",
		"smtp://mail.example?from=nobody":                "error",
		"https://u:hunter2@mail.example":                 "error",
		"smtp://u:hunter2@mail.example:99999":            "error",
		"smtp://u:hunter2@":                              "error",
		"smtp://u:hunter2@mail.example:%zz":              "error",
	} {
		s, err := notify.ParseServer(url)
		got := "error"
		switch {
		case err == nil && s == nil:
			got = "<nil>"
		case err == nil:
			got = fmt.Sprintf("%+v", s)
		}
		if got != want {
			t.Errorf("%q is %s, want %s (%v)", url, got, want, err)
		}
	}
}
