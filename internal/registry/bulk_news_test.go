package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/registry"
)

// told is a mail about no app in particular, as it is queued.
type told struct {
	Key         string
	To          string
	Name        string
	Actor       string
	N           int
	List        []string
	More        int
	Subject     string
	Words       string
	ReplyTo     string
	LettersName string
}

// news returns the mails about many apps, by address and key, and forgets all mails.
func (w *world) news(t testing.TB) []told {
	t.Helper()
	var rows []struct{ TextKey, ToEmail, ToName, Args, Words, ReplyName, ReplyEmail string }
	err := w.db.Read(t.Context()).Raw(`SELECT text_key, to_email, to_name, args, words, reply_name, reply_email FROM mails
		WHERE about_kind <> 'app' ORDER BY to_email, text_key`).Scan(&rows).Error
	if err != nil {
		t.Fatal(err)
	}
	var list []told
	for _, row := range rows {
		var args told
		if err := json.Unmarshal([]byte(row.Args), &args); err != nil {
			t.Fatal(err)
		}
		args.Key, args.To, args.Name, args.Words = row.TextKey, row.ToEmail, row.ToName, row.Words
		args.LettersName, args.ReplyTo = row.ReplyName, row.ReplyEmail
		list = append(list, args)
	}
	w.forgetMails(t)
	return list
}

func (b *bulkWorld) start(t testing.TB, change registry.Bulk) job.ID {
	t.Helper()
	return must(b.StartBulk(t.Context(), b.admin, change))(t)
}

// payloadOf is what a job keeps.
func (w *world) payloadOf(t testing.TB, id job.ID) string {
	t.Helper()
	return value[string](t, w.db, "SELECT payload FROM jobs WHERE id = ?", string(id))
}

const second = "second@acme.example"

// TestBulkTellsEachAddressOnce at its end, and so does what undoes it; what the work alone needed is then forgotten.
func TestBulkTellsEachAddressOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 22)
		for i, app := range b.apps[:3] {
			f := formOf(app)
			f.SecondContact = registry.Contact{FirstName: "Sec", LastName: "Ond", Email: second}
			b.apps[i] = must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
		}
		w.forgetMails(t)
		var names []string
		for _, app := range b.apps {
			names = append(names, app.Name)
		}
		for act, key := range map[registry.BulkAct]string{
			registry.BulkDeactivate: "bulk_deactivated", registry.BulkActivate: "bulk_activated",
		} {
			if act == registry.BulkActivate {
				b.run(t, b.start(t, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()}))
				w.news(t)
			}
			id := b.start(t, registry.Bulk{Act: act, IDs: b.ids()})
			b.run(t, id)
			for _, app := range b.apps {
				if got := w.mailsTo(t, app.ID); len(got) != 0 {
					t.Fatalf("mails about one app: %v", got)
				}
			}
			want := []told{
				{Key: key, To: "jo.weber@acme.example", Name: "Jo Weber", Actor: "Ana Silva", N: 22, List: names[:20], More: 2},
				{Key: key, To: second, Name: "Sec Ond", Actor: "Ana Silva", N: 3, List: names[:3]},
			}
			if diff := cmp.Diff(want, w.news(t)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", act, diff)
			}
			if kept := w.payloadOf(t, id); strings.Contains(kept, string(b.apps[0].ID)) || strings.Contains(kept, "192.0.2") {
				t.Errorf("the job keeps %s", kept)
			}
			b.run(t, b.start(t, registry.Bulk{Act: registry.BulkActivate, IDs: b.ids()}))
			w.news(t)
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM bulk_news"); n != 0 {
			t.Errorf("%d things are still to be told", n)
		}
	})
}

// TestBulkReassignTellsBoth the new contact and the old, and the job forgets who they are.
func TestBulkReassignTellsBoth(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 2)
		w.forgetMails(t)
		id := b.start(t, registry.Bulk{Act: registry.BulkReassign, IDs: b.ids(), Contact: registry.Contact{FirstName: "Bo", LastName: "Berg", Email: "bo@acme.example"}})
		if kept := w.payloadOf(t, id); !strings.Contains(kept, "bo@acme.example") {
			t.Errorf("while it waits it keeps %s", kept)
		}
		b.run(t, id)
		want := []told{
			{Key: "bulk_contact_new", To: "bo@acme.example", Name: "Bo Berg", Actor: "Ana Silva", N: 2, List: []string{"Bulk 00", "Bulk 01"}},
			{Key: "bulk_contact_old", To: "jo.weber@acme.example", Name: "Jo Weber", Actor: "Ana Silva", N: 2, List: []string{"Bulk 00", "Bulk 01"}},
		}
		if diff := cmp.Diff(want, w.news(t)); diff != "" {
			t.Error(diff)
		}
		if kept := w.payloadOf(t, id); strings.Contains(kept, "@") || strings.Contains(kept, "Berg") {
			t.Errorf("when it is over it keeps %s", kept)
		}
	})
}

// stopping does bulk changes with a runner whose first run stops after the first app: there it does something meanwhile and
// goes on, or with nil fails and is done again.
func (b *bulkWorld) stopping(t *testing.T, meanwhile func()) *job.Runner {
	t.Helper()
	runner := must(job.NewRunner(job.Deps{DB: b.db, Log: slog.New(slog.DiscardHandler)}))(t)
	b.WorkBulk(runner)
	again := job.Limits{Ended: b.EndBulk, Backoff: func(int) time.Duration { return 0 }}
	runner.Handle(registry.KindBulk, again, func(ctx context.Context, c *job.Claimed) error {
		if c.Failures > 0 {
			return b.RunBulk(ctx, c)
		}
		first, cancel := context.WithCancel(ctx)
		defer cancel()
		b.db.Feed().Subscribe(func([]database.Change) { cancel() })
		err := b.RunBulk(first, c)
		if meanwhile == nil {
			return errors.Join(err, errors.New("the process stops"))
		}
		meanwhile()
		return b.RunBulk(ctx, c)
	})
	return runner
}

// TestBulkTellsOfWhatWasDone where somebody stopped it, and once where it was done in two runs.
func TestBulkTellsOfWhatWasDone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 4)
		w.forgetMails(t)
		var id job.ID
		runner := b.stopping(t, func() {
			if err := b.CancelBulk(t.Context(), b.admin, id); err != nil {
				t.Error(err)
			}
		})
		id = b.start(t, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()})
		if err := runner.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		report := must(b.BulkJob(t.Context(), b.admin, id))(t)
		if got := w.news(t); report.Job.State != job.Cancelled || len(got) != 1 || got[0].N != report.Outcomes[registry.BulkDone] || got[0].N == 4 {
			t.Errorf("stopped as %+v, told %+v", report, got)
		}

		runner = b.stopping(t, nil)
		id = b.start(t, registry.Bulk{Act: registry.BulkActivate, IDs: b.ids()})
		for range 2 {
			if err := runner.RunDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		report = must(b.BulkJob(t.Context(), b.admin, id))(t)
		if got := w.news(t); report.Job.State != job.Done || len(got) != 1 || got[0].N != report.Outcomes[registry.BulkDone] {
			t.Errorf("done in two runs as %+v, told %+v", report, got)
		}

		// One that waits to go on is ended by whoever stops it.
		broken := must(job.NewRunner(job.Deps{DB: w.db, Log: slog.New(slog.DiscardHandler)}))(t)
		broken.Handle(registry.KindBulk, job.Limits{Ended: w.EndBulk}, func(ctx context.Context, c *job.Claimed) error {
			return errors.Join(w.RunBulk(ctx, c), errors.New("the process stops"))
		})
		id = b.start(t, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()})
		if err := broken.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.CancelBulk(t.Context(), b.admin, id); err != nil {
			t.Fatal(err)
		}
		if report := b.run(t, id); report.Job.State != job.Cancelled {
			t.Errorf("stopped as %+v", report)
		}
		if got := w.news(t); len(got) != 1 || got[0].N != 4 {
			t.Errorf("told %+v", got)
		}
	})
}

// TestBulkNewsIsTakenOnce by whichever of several processes is first.
func TestBulkNewsIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 3)
		w.forgetMails(t)
		only := must(job.NewRunner(job.Deps{DB: w.db, Log: slog.New(slog.DiscardHandler)}))(t)
		only.Handle(registry.KindBulk, job.Limits{Ended: w.EndBulk}, w.RunBulk)
		id := b.start(t, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()})
		if err := only.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		errs := make([]error, 4)
		atOnce(4, func(i int) {
			errs[i] = registry.TellNews(t.Context(), w.Registry, w.acme.ID, id, "jo.weber@acme.example")
		})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if got := w.news(t); len(got) != 1 || got[0].N != 3 {
			t.Errorf("told %+v", got)
		}
		if b.run(t, id); len(w.news(t)) != 0 {
			t.Error("told again")
		}
	})
}

// What is told of an app goes with the app, and what nobody tells goes after a week.
func TestBulkNewsDoesNotStay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 2)
		only := must(job.NewRunner(job.Deps{DB: w.db, Log: slog.New(slog.DiscardHandler)}))(t)
		only.Handle(registry.KindBulk, job.Limits{Ended: w.EndBulk}, w.RunBulk)
		b.start(t, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()})
		if err := only.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		app := w.app(t, b.apps[0].ID)
		if err := w.Delete(t.Context(), w.admin, app.ID, app.Version, app.Name); err != nil {
			t.Fatal(err)
		}
		for days, want := range []int{0: 1, 8: 0} {
			if days != 0 && days != 8 {
				continue
			}
			w.clock.Advance(time.Duration(days) * day)
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := value[int](t, w.db, "SELECT count(*) FROM bulk_news"); n != want {
				t.Errorf("after %d days %d, want %d", days, n, want)
			}
		}
	})
}

// TestBulkWithoutMailServer leaves a notice at each app, and nobody can be written to.
func TestBulkWithoutMailServer(t *testing.T) {
	w := sqliteWorld(t)
	b := newBulkWorld(t, w, 2)
	w.forgetMails(t)
	messages := must(i18n.Load())(t)
	if err := w.deps.Outbox.Send(b.runner, notify.Sending{Messages: messages, PublicURL: "https://portal.example"}); err != nil {
		t.Fatal(err)
	}
	change := registry.Bulk{Act: registry.BulkMail, IDs: b.ids(), Letter: registry.Letter{Subject: "Your apps", Words: "Please have a look."}}
	if _, err := b.PlanBulk(t.Context(), b.admin, change); faultsOf(err) != "act app.bulk.silent" {
		t.Errorf("a letter is planned: %v", err)
	}
	if _, err := b.StartBulk(t.Context(), b.admin, change); faultsOf(err) != "act app.bulk.silent" {
		t.Errorf("a letter is begun: %v", err)
	}
	b.run(t, b.start(t, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()}))
	for i, app := range b.apps {
		mails := must(w.Mails(t.Context(), w.viewer, app.ID))(t)
		if len(mails) != 1 || mails[0].Key != "app_deactivated" || mails[0].State != notify.Kept {
			t.Errorf("%s has %+v", fmt.Sprint(i), mails)
		}
	}
}
