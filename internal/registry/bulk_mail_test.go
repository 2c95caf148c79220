package registry_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

func letter() registry.Letter {
	return registry.Letter{Subject: "Are these still needed?", Words: "Please have a look.\r\n\r\nThank you"}
}

// letterWorld has three apps of Jo, the first of which names somebody else besides, and one that nobody writes about.
func letterWorld(t *testing.T, w *world) (*bulkWorld, registry.Bulk) {
	t.Helper()
	b := newBulkWorld(t, w, 3)
	f := formOf(b.apps[0])
	f.SecondContact = registry.Contact{FirstName: "Sec", LastName: "Ond", Email: second}
	b.apps[0] = must(w.Edit(t.Context(), w.admin, b.apps[0].ID, b.apps[0].Version, f))(t)
	w.register(t, "Not chosen")
	w.globexApp(t, "Theirs")
	w.forgetMails(t)
	return b, registry.Bulk{Act: registry.BulkMail, IDs: append(b.ids(), registry.AppID(database.NewID())), Letter: letter()}
}

// TestLetters go to each address once and name its apps; the trail says who wrote to whom about what.
func TestLetters(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, change := letterWorld(t, w)
		plan := must(b.PlanBulk(t.Context(), b.admin, change))(t)
		if plan.Total != 4 || plan.Addresses != 2 {
			t.Errorf("planned %+v", plan)
		}
		id := b.start(t, change)
		e := w.lastEvent(t)
		want := map[string]any{"act": "mail", "apps": 4.0, "addresses": 2.0, "subject": "Are these still needed?"}
		if diff := cmp.Diff(want, e.After); e.Action != "app.bulk.mail" || diff != "" {
			t.Errorf("%s: %s", e.Action, diff)
		}
		report := b.run(t, id)
		if diff := cmp.Diff(map[string]int{registry.BulkDone: 2}, report.Outcomes); diff != "" || report.Job.State != job.Done || report.Job.Total != 2 {
			t.Errorf("%+v: %s", report, diff)
		}
		said := told{
			Key: "letter", Actor: "Ana Silva", Subject: "Are these still needed?", Words: "Please have a look.\n\nThank you",
			ReplyTo: "ana.silva@acme.example", LettersName: "Ana Silva",
		}
		jo, sec := said, said
		jo.To, jo.Name, jo.N, jo.List = "jo.weber@acme.example", "Jo Weber", 3, []string{"Bulk 00", "Bulk 01", "Bulk 02"}
		sec.To, sec.Name, sec.N, sec.List = second, "Sec Ond", 1, []string{"Bulk 00"}
		if diff := cmp.Diff([]told{jo, sec}, w.news(t)); diff != "" {
			t.Error(diff)
		}
		var about []float64
		for _, e := range w.events(t, w.acme) {
			if e.Action == "contact.mail" {
				about = append(about, e.After["apps"].(float64))
				if e.ActorID != w.admin.ID || e.Target.Kind != "contact_address" || strings.Contains(e.Target.ID+e.Target.Label, "@") || e.After["subject"] != "Are these still needed?" {
					t.Errorf("%+v", e)
				}
			}
		}
		if diff := cmp.Diff([]float64{1, 3}, about, cmpopts.SortSlices(func(a, b float64) bool { return a < b })); diff != "" {
			t.Errorf("events of letters: %s", diff)
		}
		items := must(b.BulkItems(t.Context(), b.admin, id, "", 10))(t)
		got := map[string]int{}
		for _, item := range items {
			got[item.Name] = item.Apps
		}
		if diff := cmp.Diff(map[string]int{"jo.weber@acme.example": 3, second: 1}, got); diff != "" || items[0].App != "" {
			t.Errorf("items %+v", items)
		}
		if kept := w.payloadOf(t, id); strings.Contains(kept, "have a look") || strings.Contains(kept, string(b.apps[0].ID)) {
			t.Errorf("the job keeps %s", kept)
		}
	})
}

// TestLettersAreStopped, sent once by two runs, and not sent for whom or to whom it is not right any more.
func TestLettersAreStopped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, change := letterWorld(t, w)
		stopped := b.start(t, change)
		if err := b.CancelBulk(t.Context(), b.admin, stopped); err != nil {
			t.Fatal(err)
		}
		if b.run(t, stopped); len(w.news(t)) != 0 {
			t.Error("what was stopped was sent")
		}

		id := b.start(t, change)
		runner := b.stopping(t, nil)
		for range 2 {
			if err := runner.RunDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if report := b.run(t, id); len(w.news(t)) != 2 || report.Job.State != job.Done {
			t.Errorf("by two runs: %+v", report)
		}

		gone := b.start(t, change)
		f := formOf(w.app(t, b.apps[0].ID))
		f.SecondContact = registry.Contact{}
		must(w.Edit(t.Context(), w.admin, b.apps[0].ID, w.app(t, b.apps[0].ID).Version, f))(t)
		w.forgetMails(t)
		report := b.run(t, gone)
		if diff := cmp.Diff(map[string]int{registry.BulkDone: 1, registry.BulkGone: 1}, report.Outcomes); diff != "" || len(w.news(t)) != 1 {
			t.Error(diff)
		}

		late := b.start(t, change)
		w.setRoles(t, w.admin, "Viewer")
		if err := b.runner.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		outcomes := must(job.Outcomes(t.Context(), w.db, late))(t)
		if diff := cmp.Diff(map[string]int{registry.BulkForbidden: 1}, outcomes); diff != "" || len(w.news(t)) != 0 {
			t.Error(diff)
		}
	})
}

// TestC67_LetterFaults: a subject of several lines, and whatever else a header or a page could trip over, is refused.
func TestC67_LetterFaults(t *testing.T) {
	w := sqliteWorld(t)
	b, change := letterWorld(t, w)
	_, shown := w.register(t, "Secret")
	for name, test := range map[string]struct {
		change func(*registry.Letter)
		want   string
	}{
		"line feed":    {func(l *registry.Letter) { l.Subject = "Your apps\nBcc: all@acme.example" }, "mail_subject app.mail_subject.characters"},
		"line break":   {func(l *registry.Letter) { l.Subject = "Your apps\r\nBcc: all@acme.example" }, "mail_subject app.mail_subject.characters"},
		"return":       {func(l *registry.Letter) { l.Subject = "Your apps\rBcc: all@acme.example" }, "mail_subject app.mail_subject.characters"},
		"separator":    {func(l *registry.Letter) { l.Subject = "Your apps\u2028Bcc" }, "mail_subject app.mail_subject.characters"},
		"no subject":   {func(l *registry.Letter) { l.Subject = " " }, "mail_subject app.mail_subject.missing"},
		"long subject": {func(l *registry.Letter) { l.Subject = strings.Repeat("a", 121) }, "mail_subject app.mail_subject.too_long"},
		"no text":      {func(l *registry.Letter) { l.Words = "\n\n" }, "mail_text app.mail_text.missing"},
		"long text":    {func(l *registry.Letter) { l.Words = strings.Repeat("ü", 2001) }, "mail_text app.mail_text.too_long"},
		"control":      {func(l *registry.Letter) { l.Words = "Please have\x00 a look." }, "mail_text app.mail_text.characters"},
		"a secret":     {func(l *registry.Letter) { l.Words = "It is " + shown.Secret.Reveal() }, "mail_text app.text.secret"},
	} {
		bad := change
		test.change(&bad.Letter)
		if _, err := b.StartBulk(t.Context(), b.admin, bad); faultsOf(err) != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
	change.IDs = []registry.AppID{registry.AppID(database.NewID())}
	if _, err := b.StartBulk(t.Context(), b.admin, change); faultsOf(err) != "ids app.bulk.none" {
		t.Errorf("to nobody: %v", err)
	}
}

// TestLettersHaveABound: who has planned letters for more than half a day plans no more.
func TestLettersHaveABound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, change := letterWorld(t, w)
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			m := notify.Message{Organisation: string(w.acme.ID), To: notify.Address{Email: second}, Key: "letter", Words: "x", Fleeting: true}
			if err := w.deps.Outbox.Mail(tx, m); err != nil {
				return err
			}
			return tx.DB().Exec("UPDATE mail_pace SET next_at = ?", database.Micros(w.clock.Now().Add(13*time.Hour))).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.StartBulk(t.Context(), b.admin, change)
		if p := problem.As(err); p.Code != problem.Conflict || p.Key != "app.bulk.letters_wait" {
			t.Errorf("one more: %v", err)
		}
		w.clock.Advance(2 * time.Hour)
		b.run(t, b.start(t, change))
	})
}

// TestSuspendedOrganisationsWriteNoLetters: what waits is not sent, also after the organisation is back.
func TestSuspendedOrganisationsWriteNoLetters(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, change := letterWorld(t, w)
		b.run(t, b.start(t, change))
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec(`INSERT INTO bulk_news (job_id, email_key, app_id, organisation_id, text_key, to_name, to_email, at)
				VALUES ('j', 'jo@acme.example', ?, ?, 'bulk_deactivated', 'Jo', 'jo@acme.example', 1)`, string(b.apps[0].ID), string(w.acme.ID)).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		root := access.Operator("root", "")
		if err := w.identity.SuspendOrganisation(t.Context(), root, w.acme.ID); err != nil {
			t.Fatal(err)
		}
		letters := value[int](t, w.db, "SELECT count(*) FROM mails WHERE words <> '' AND state = 'queued'")
		if news := value[int](t, w.db, "SELECT count(*) FROM bulk_news"); letters != 0 || news != 0 {
			t.Errorf("%d letters and %d news wait", letters, news)
		}
	})
}

// TestLettersToOneAddressHaveABound: an address that has letters for more than half a day to come gets no more, and the
// results say so; others get theirs.
func TestLettersToOneAddressHaveABound(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, change := letterWorld(t, w)
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for range 60 {
				m := notify.Message{Organisation: string(w.acme.ID), To: notify.Address{Email: second}, Key: "letter", Words: "x", Fleeting: true}
				if err := w.deps.Outbox.Mail(tx, m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.forgetMails(t)
		report := b.run(t, b.start(t, change))
		if diff := cmp.Diff(map[string]int{registry.BulkDone: 1, registry.BulkFull: 1}, report.Outcomes); diff != "" || len(w.news(t)) != 1 {
			t.Error(diff)
		}
		w.clock.Advance(3 * time.Hour)
		report = b.run(t, b.start(t, change))
		if diff := cmp.Diff(map[string]int{registry.BulkDone: 2}, report.Outcomes); diff != "" {
			t.Errorf("later: %s", diff)
		}
	})
}

// TestLettersThatFail are among the results, and leave no mail behind.
func TestLettersThatFail(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, change := letterWorld(t, w)
		id := b.start(t, change)
		b.run(t, id)
		runner := must(job.NewRunner(job.Deps{DB: w.db, Log: slog.New(slog.DiscardHandler)}))(t)
		messages := must(i18n.Load())(t)
		if err := w.deps.Outbox.Send(runner, notify.Sending{
			Messages: messages, PublicURL: "https://portal.example", Server: must(notify.ParseServer("smtp://127.0.0.1:1"))(t),
			Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("away") },
		}); err != nil {
			t.Fatal(err)
		}
		for range 80 {
			if err := runner.RunDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(time.Hour)
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM mails WHERE words <> ''"); n != 0 {
			t.Errorf("%d letters are kept", n)
		}
		report := must(b.BulkJob(t.Context(), b.admin, id))(t)
		if diff := cmp.Diff(map[string]int{registry.BulkUnreached: 2}, report.Outcomes); diff != "" {
			t.Error(diff)
		}
	})
}

// TestBulkFormOnce: the same form sent twice begins one change, also while it is under way and when it is over.
func TestBulkFormOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, change := letterWorld(t, w)
		change.Nonce = "n1"
		id := b.start(t, change)
		if again := b.start(t, change); again != id {
			t.Errorf("twice at once: %s and %s", id, again)
		}
		b.run(t, id)
		if again := b.start(t, change); again != id {
			t.Errorf("when it is over: %s and %s", id, again)
		}
		if b.run(t, id); len(w.news(t)) != 2 {
			t.Error("letters were sent twice")
		}
		change.Nonce = "n2"
		if other := b.start(t, change); other == id {
			t.Error("another form begins nothing")
		}
	})
}
