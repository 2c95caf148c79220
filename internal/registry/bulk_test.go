package registry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// bulkWorld is a world with a runner of bulk changes and some apps.
type bulkWorld struct {
	*world

	runner *job.Runner
	apps   []registry.App
}

func newBulkWorld(t *testing.T, w *world, n int) *bulkWorld {
	t.Helper()
	runner, err := job.NewRunner(job.Deps{DB: w.db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.WorkBulk(runner)
	b := &bulkWorld{world: w, runner: runner}
	for i := range n {
		app, _ := w.register(t, fmt.Sprintf("Bulk %02d", i))
		b.apps = append(b.apps, app)
	}
	return b
}

func (b *bulkWorld) ids() []registry.AppID {
	var ids []registry.AppID
	for _, a := range b.apps {
		ids = append(ids, a.ID)
	}
	return ids
}

// run runs what is due, and returns what became of a change.
func (b *bulkWorld) run(t *testing.T, id job.ID) registry.BulkReport {
	t.Helper()
	if err := b.runner.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	return must(b.BulkJob(t.Context(), b.admin, id))(t)
}

// TestBulkDeactivates each app with an event of its own, and says what became of each.
func TestBulkDeactivates(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 3)
		must(w.Deactivate(t.Context(), w.admin, b.apps[1].ID, b.apps[1].Version))(t)
		foreign, _ := w.registerFields(t, w.globexAdmin, registry.AppFields{
			Name: "Theirs", Description: "An app of another organisation.", Category: registry.Customer, Type: registry.Machine,
			CredentialType: registry.SharedSecret, Contact: registry.Contact{FirstName: "Bo", LastName: "Berg", Email: "bo@globex.example"},
			APIUser: w.globexClient.ID, Scopes: []string{"core.invoice.read"}, Active: true,
		})
		ids := append(b.ids(), foreign.ID, registry.AppID(database.NewID()), b.apps[0].ID)
		plan := must(b.PlanBulk(t.Context(), b.admin, registry.Bulk{Act: registry.BulkDeactivate, IDs: ids}))(t)
		if diff := cmp.Diff(registry.BulkPlan{Total: 5, Names: []string{"Bulk 00", "Bulk 01", "Bulk 02"}}, plan); diff != "" {
			t.Error(diff)
		}
		id := must(b.StartBulk(t.Context(), b.admin, registry.Bulk{Act: registry.BulkDeactivate, IDs: ids}))(t)
		report := b.run(t, id)
		if diff := cmp.Diff(map[string]int{registry.BulkDone: 2, registry.BulkAlready: 1, registry.BulkGone: 2}, report.Outcomes); diff != "" {
			t.Error(diff)
		}
		if report.Job.State != job.Done || report.Job.Total != 5 || report.Job.Done != 5 || report.Act != registry.BulkDeactivate {
			t.Errorf("the job: %+v", report)
		}
		for _, a := range b.apps {
			if now := must(w.App(t.Context(), w.admin, a.ID))(t); now.Status != registry.Inactive || now.Generation != 2 {
				t.Errorf("%s is %s, generation %d", a.Name, now.Status, now.Generation)
			}
		}
		if theirs := must(w.App(t.Context(), w.globexAdmin, foreign.ID))(t); theirs.Status != registry.Active {
			t.Error("another organisation's app was deactivated")
		}
		if e := w.lastEvent(t); e.Action != "app.deactivate" || e.ActorID != w.admin.ID {
			t.Errorf("the last event: %+v", e)
		}
		items := must(b.BulkItems(t.Context(), b.admin, id, "", 10))(t)
		if len(items) != 5 || items[0].Name != "Bulk 00" || items[0].Outcome != registry.BulkDone || items[4].Name != "" {
			t.Errorf("items: %+v", items)
		}
	})
}

// TestBulkOfAFilter: what was confirmed is what is changed, or nothing.
func TestBulkOfAFilter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 3)
		w.register(t, "Another")
		change := registry.Bulk{Act: registry.BulkDeactivate, All: true, Filter: registry.Query{Text: "bulk"}, Confirmed: 2}
		_, err := b.StartBulk(t.Context(), b.admin, change)
		if p := problem.As(err); p.Code != problem.Conflict || p.Key != "app.bulk.changed" || p.Args["N"] != 3 {
			t.Errorf("another number: %v", err)
		}
		change.Confirmed = 3
		report := b.run(t, must(b.StartBulk(t.Context(), b.admin, change))(t))
		if diff := cmp.Diff(map[string]int{registry.BulkDone: 3}, report.Outcomes); diff != "" {
			t.Error(diff)
		}
		all := registry.Bulk{Act: registry.BulkActivate, All: true, Confirmed: 4}
		report = b.run(t, must(b.StartBulk(t.Context(), b.admin, all))(t))
		if diff := cmp.Diff(map[string]int{registry.BulkDone: 3, registry.BulkAlready: 1}, report.Outcomes); diff != "" {
			t.Error(diff)
		}
	})
}

// TestBulkReassigns the contact and nothing else.
func TestBulkReassigns(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 2)
		contact := registry.Contact{FirstName: "Jo", LastName: "Weber", Email: "jo@acme.example"}
		change := registry.Bulk{Act: registry.BulkReassign, IDs: b.ids(), Contact: contact}
		for range 2 {
			b.run(t, must(b.StartBulk(t.Context(), b.admin, change))(t))
		}
		for _, a := range b.apps {
			now := must(w.App(t.Context(), w.admin, a.ID))(t)
			if now.Contact.Email != contact.Email || now.Name != a.Name || now.Version != 2 || now.Generation != 1 || len(now.Scopes) != len(a.Scopes) {
				t.Errorf("%+v", now)
			}
		}
		change.Contact.Email = "no address"
		if _, err := b.StartBulk(t.Context(), b.admin, change); faultsOf(err) != "contact_email app.contact_email.invalid" {
			t.Errorf("a wrong address: %v", err)
		}
	})
}

// TestBulkGoesByTheRightsOfNow: who loses the right, or gives power they do not hold, changes nothing.
func TestBulkGoesByTheRightsOfNow(t *testing.T) {
	w := sqliteWorld(t)
	b := newBulkWorld(t, w, 2)
	id := must(b.StartBulk(t.Context(), b.admin, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()}))(t)
	w.setRoles(t, w.admin, "Viewer")
	if err := b.runner.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	outcomes := must(job.Outcomes(t.Context(), w.db, id))(t)
	if diff := cmp.Diff(map[string]int{registry.BulkForbidden: 2}, outcomes); diff != "" {
		t.Error(diff)
	}
}

// TestBulkTakesItsRight, and another organisation's job is not there.
func TestBulkTakesItsRight(t *testing.T) {
	w := sqliteWorld(t)
	b := newBulkWorld(t, w, 1)
	change := registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()}
	id := must(b.StartBulk(t.Context(), b.admin, change))(t)
	for name, act := range map[string]func(access.Actor) error{
		"plan":   func(a access.Actor) error { _, err := b.PlanBulk(t.Context(), a, change); return err },
		"start":  func(a access.Actor) error { _, err := b.StartBulk(t.Context(), a, change); return err },
		"show":   func(a access.Actor) error { _, err := b.BulkJob(t.Context(), a, id); return err },
		"items":  func(a access.Actor) error { _, err := b.BulkItems(t.Context(), a, id, "", 10); return err },
		"cancel": func(a access.Actor) error { return b.CancelBulk(t.Context(), a, id) },
	} {
		if err := act(w.viewer); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s by a viewer: %v", name, err)
		}
		if err := act(w.globexAdmin); !problem.Is(err, problem.NotFound) && name != "plan" && name != "start" {
			t.Errorf("%s by another organisation: %v", name, err)
		}
	}
	if _, err := b.StartBulk(t.Context(), access.Operator("tester", w.acme.ID), change); !problem.Is(err, problem.Forbidden) {
		t.Errorf("by the operator: %v", err)
	}
}

// TestBulkIsCancelled, and goes on where it was after a stop.
func TestBulkIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := newBulkWorld(t, w, 4)
		id := must(b.StartBulk(t.Context(), b.admin, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()}))(t)
		if err := b.CancelBulk(t.Context(), b.admin, id); err != nil {
			t.Fatal(err)
		}
		if report := b.run(t, id); report.Job.State != job.Cancelled || len(report.Outcomes) != 0 {
			t.Errorf("cancelled: %+v", report)
		}
		if err := b.CancelBulk(t.Context(), b.admin, id); !problem.Is(err, problem.Conflict) {
			t.Errorf("cancelled twice: %v", err)
		}

		stopped := 0
		runner, err := job.NewRunner(job.Deps{DB: w.db, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		runner.Handle(registry.KindBulk, job.Limits{Backoff: func(int) time.Duration { return 0 }}, func(ctx context.Context, c *job.Claimed) error {
			stopped++
			if stopped == 1 {
				ctx, stop := context.WithCancel(ctx)
				stop()
				return errors.Join(w.RunBulk(ctx, c), errors.New("the process stops"))
			}
			return w.RunBulk(ctx, c)
		})
		id = must(b.StartBulk(t.Context(), b.admin, registry.Bulk{Act: registry.BulkDeactivate, IDs: b.ids()}))(t)
		for range 2 {
			if err := runner.RunDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if report := must(b.BulkJob(t.Context(), b.admin, id))(t); report.Outcomes[registry.BulkDone] != 4 || report.Job.State != job.Done {
			t.Errorf("after a stop: %+v", report)
		}
	})
}

// TestBulkFaults: nothing chosen, unknown acts and too many words are told.
func TestBulkFaults(t *testing.T) {
	w := sqliteWorld(t)
	b := newBulkWorld(t, w, 1)
	for name, test := range map[string]struct {
		bulk registry.Bulk
		want string
	}{
		"nothing":     {registry.Bulk{Act: registry.BulkActivate}, "ids app.bulk.none"},
		"no act":      {registry.Bulk{IDs: b.ids()}, "act app.bulk.choose"},
		"unknown act": {registry.Bulk{Act: "delete", IDs: b.ids()}, "act app.bulk.choose"},
		"no match":    {registry.Bulk{Act: registry.BulkActivate, All: true, Filter: registry.Query{Text: "nothing"}}, "ids app.bulk.none"},
		"bad filter":  {registry.Bulk{Act: registry.BulkActivate, All: true, Filter: registry.Query{Sort: "colour"}}, "sort app.search.sort"},
	} {
		if _, err := b.PlanBulk(t.Context(), b.admin, test.bulk); faultsOf(err) != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
