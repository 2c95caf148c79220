package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/problem"
)

const (
	acme   = access.OrganisationID("0190a1b2-0000-7000-8000-0000000000a0")
	globex = access.OrganisationID("0190a1b2-0000-7000-8000-0000000000b0")
)

func person(id string, rights ...access.Right) access.Actor {
	return access.Actor{
		Kind: access.KindPerson, ID: id, Name: "Ana Silva", Organisation: acme, Rights: access.NewSet(rights...),
		Origin: access.Origin{Address: "192.0.2.7", UserAgent: "test agent", RequestID: "r-1"},
	}
}

func register(name string) audit.Act {
	return audit.Act{
		Right: access.AppsManage, Action: "app.register", Organisation: acme,
		Target: audit.Target{Kind: "app", ID: "app-1", Label: name},
	}
}

func nothing(*database.Tx) (audit.Change, error) { return audit.Change{}, nil }

func newTrail(db *database.DB) *audit.Trail { return audit.New(db, slog.New(slog.DiscardHandler)) }

func events(t *testing.T, trail *audit.Trail, chain access.OrganisationID) []audit.Event {
	t.Helper()
	page, err := trail.Events(t.Context(), audit.Query{Chain: chain, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

// tamper changes the trail as only somebody with the database owner's power can: triggers off.
func tamper(t *testing.T, db *database.DB, statement string) {
	t.Helper()
	off := []string{"DROP TRIGGER audit_events_no_update", "DROP TRIGGER audit_events_no_delete"}
	if db.Dialect() == database.Postgres {
		off = []string{"ALTER TABLE audit_events DISABLE TRIGGER ALL"}
	}
	err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
		for _, s := range append(off, statement) {
			if err := tx.DB().Exec(s).Error; err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestC73_ChangeIsRecordedWithWhoWhatWhenAndFromWhere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		trail := newTrail(db)
		ana := person("p-ana", access.AppsManage)
		err := trail.Do(t.Context(), ana, register("SAP"), func(*database.Tx) (audit.Change, error) {
			return audit.Change{
				Target: audit.Target{Kind: "app", ID: "app-7", Label: "SAP spend export"},
				Before: map[string]any{"status": "inactive"}, After: map[string]any{"status": "active", "scopes": []string{"a", "b"}},
			}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []audit.Event{{
			Chain: acme, Sequence: 1, At: clock.Now(), ActorKind: access.KindPerson, ActorID: "p-ana", Action: "app.register",
			Target: audit.Target{Kind: "app", ID: "app-7", Label: "SAP spend export"}, Result: audit.Done,
			Before: map[string]any{"status": "inactive"}, After: map[string]any{"status": "active", "scopes": []any{"a", "b"}},
			Origin: ana.Origin,
		}}
		if diff := cmp.Diff(want, events(t, trail, acme), cmpopts.IgnoreFields(audit.Event{}, "ID")); diff != "" {
			t.Error(diff)
		}
		if got := events(t, trail, globex); len(got) != 0 {
			t.Errorf("another organisation sees %v", got)
		}
	})
}

func TestActorWithoutRightChangesNothingAndIsRecordedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		trail := newTrail(db)
		viewer := person("p-viewer", access.AppsView)
		try := func() {
			err := trail.Do(t.Context(), viewer, register("SAP"), func(*database.Tx) (audit.Change, error) {
				t.Error("the change ran")
				return audit.Change{}, nil
			})
			if !problem.Is(err, problem.Forbidden) || problem.As(err).Args["Right"] != "apps.manage" {
				t.Errorf("got %v, want forbidden naming apps.manage", err)
			}
		}
		try()
		try()
		try()
		got := events(t, trail, acme)
		if len(got) != 1 || got[0].Result != audit.Refused || got[0].Repeated != 2 {
			t.Fatalf("got %+v, want one refusal repeated twice", got)
		}
		clock.Advance(time.Minute)
		try()
		if got := events(t, trail, acme); len(got) != 2 {
			t.Errorf("%d events after a minute, want 2", len(got))
		}
	})
}

func TestRefusalsOfOneActorAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		trail := newTrail(db)
		viewer := person("p-viewer")
		for i := range 60 {
			act := register("x")
			act.Target.ID = fmt.Sprint("guess-", i)
			if err := trail.Do(t.Context(), viewer, act, nothing); !problem.Is(err, problem.Forbidden) {
				t.Fatal(err)
			}
		}
		got := events(t, trail, acme)
		if len(got) != 31 {
			t.Fatalf("%d events for 60 refused targets, want 30 and one for the rest", len(got))
		}
		if rest := got[0]; rest.Action != "access.refused" || rest.Target.ID != "" || rest.Repeated != 29 {
			t.Errorf("the rest is %+v", rest)
		}
	})
}

func TestOtherOrganisationIsNotFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		trail := newTrail(db)
		act := register("SAP")
		act.Organisation = globex
		ana := person("p-ana", access.AppsManage)
		if err := trail.Do(t.Context(), ana, act, nothing); !problem.Is(err, problem.NotFound) {
			t.Errorf("got %v, want not found", err)
		}
		if got := events(t, trail, globex); len(got) != 0 {
			t.Errorf("the other organisation learnt of it: %v", got)
		}
		if got := events(t, trail, acme); len(got) != 1 {
			t.Errorf("%d events, want 1", len(got))
		}
		root := person("p-root", access.OrganisationsManage)
		act.Right = access.OrganisationsManage
		if err := trail.Do(t.Context(), root, act, nothing); err != nil {
			t.Errorf("the platform's right reaches every organisation: %v", err)
		}
		if err := trail.Do(t.Context(), access.Operator("root", globex), act, nothing); err != nil {
			t.Errorf("operators reach every organisation: %v", err)
		}
	})
}

func TestC74_DatabaseRefusesToChangeTheTrail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		trail := newTrail(db)
		if err := trail.Do(t.Context(), person("p", access.AppsManage), register("SAP"), nothing); err != nil {
			t.Fatal(err)
		}
		statements := []string{"UPDATE audit_events SET actor_id = 'nobody'", "DELETE FROM audit_events"}
		if db.Dialect() == database.Postgres {
			statements = append(statements, "TRUNCATE audit_events")
		} else {
			statements = append(statements, "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events")
		}
		for _, s := range statements {
			err := db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec(s).Error })
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", s, err)
			}
		}
		if got := events(t, trail, acme); len(got) != 1 || got[0].ActorID != "p" {
			t.Errorf("the trail is now %v", got)
		}
	})
}

func TestC74_VerifierFindsTampering(t *testing.T) {
	tests := map[string]struct {
		statement string
		fault     string
		sequence  int64
	}{
		"untouched": {"SELECT 1", "", 0},
		"edit":      {"UPDATE audit_events SET actor_id = 'nobody' WHERE sequence = 3", "edited", 3},
		"time":      {"UPDATE audit_events SET at = at + 1 WHERE sequence = 2", "edited", 2},
		"gap":       {"DELETE FROM audit_events WHERE sequence = 4", "missing", 4},
		"first":     {"DELETE FROM audit_events WHERE sequence = 1", "missing", 1},
		"tail":      {"DELETE FROM audit_events WHERE sequence = 6", "cut", 6},
		"swap": {
			"UPDATE audit_events SET sequence = CASE sequence WHEN 2 THEN 92 WHEN 3 THEN 93 ELSE sequence END", "missing", 2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
				trail := newTrail(db)
				for i := range 6 {
					if err := trail.Do(t.Context(), person("p", access.AppsManage), register(fmt.Sprint(i)), nothing); err != nil {
						t.Fatal(err)
					}
				}
				tamper(t, db, tt.statement)
				v, err := trail.Verify(t.Context(), acme, audit.Head{})
				if err != nil {
					t.Fatal(err)
				}
				if v.Fault != tt.fault || v.Sequence != tt.sequence {
					t.Errorf("found %q at %d, want %q at %d", v.Fault, v.Sequence, tt.fault, tt.sequence)
				}
			})
		})
	}
}

// A tail cut together with the head is found only with a head noted elsewhere.
func TestC74_KnownHeadFindsCutTail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		trail := newTrail(db)
		for range 3 {
			if err := trail.Do(t.Context(), person("p", access.AppsManage), register("x"), nothing); err != nil {
				t.Fatal(err)
			}
		}
		before, err := trail.Verify(t.Context(), acme, audit.Head{})
		if err != nil {
			t.Fatal(err)
		}
		two := events(t, trail, acme)[1]
		tamper(t, db, "DELETE FROM audit_events WHERE sequence = 3")
		err = db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec("UPDATE audit_heads SET sequence = 2, hash = (SELECT hash FROM audit_events WHERE id = ?)", two.ID).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := trail.Verify(t.Context(), acme, audit.Head{}); err != nil || v.Fault != "" {
			t.Errorf("without a known head the cut cannot be seen: %+v, %v", v, err)
		}
		if v, err := trail.Verify(t.Context(), acme, before.Head); err != nil || v.Fault != "cut" {
			t.Errorf("got %+v, %v, want cut", v, err)
		}
	})
}

func TestC75_NoEventNoChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		trail := newTrail(db)
		err := db.Housekeep(t.Context(), func(tx *database.Tx) error {
			if err := tx.DB().Exec("DROP TABLE audit_events").Error; err != nil {
				return err
			}
			return tx.DB().Exec("CREATE TABLE work_done (id TEXT)").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		err = trail.Do(t.Context(), person("p", access.AppsManage), register("x"), func(tx *database.Tx) (audit.Change, error) {
			return audit.Change{}, tx.DB().Exec("INSERT INTO work_done VALUES ('x')").Error
		})
		if !problem.Is(err, problem.Unavailable) {
			t.Errorf("got %v, want unavailable", err)
		}
		var n int64
		if err := db.Read(t.Context()).Raw("SELECT count(*) FROM work_done").Scan(&n).Error; err != nil || n != 0 {
			t.Errorf("%d changes were kept without an event, %v", n, err)
		}
	})
}

func TestFailedAndEmptyChangesLeaveNoEvent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		trail := newTrail(db)
		ana := person("p", access.AppsManage)
		boom := errors.New("boom")
		err := trail.Do(t.Context(), ana, register("x"), func(*database.Tx) (audit.Change, error) { return audit.Change{}, boom })
		if !errors.Is(err, boom) {
			t.Errorf("got %v", err)
		}
		err = trail.Do(t.Context(), ana, register("x"), func(*database.Tx) (audit.Change, error) { return audit.Change{}, audit.ErrNothing })
		if err != nil {
			t.Errorf("nothing to change is no error: %v", err)
		}
		if got := events(t, trail, acme); len(got) != 0 {
			t.Errorf("recorded %v", got)
		}
		err = trail.Do(t.Context(), ana, register("x"), func(*database.Tx) (audit.Change, error) {
			return audit.Change{}, problem.New(problem.Forbidden, "app.power")
		})
		got := events(t, trail, acme)
		if !problem.Is(err, problem.Forbidden) || len(got) != 1 || got[0].Result != audit.Refused || got[0].Reason != "app.power" {
			t.Errorf("a refusal from inside: %v, recorded %v", err, got)
		}
	})
}

func TestManyWritersMakeOneChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		trail := newTrail(db)
		const writers = 16
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				if err := trail.Do(context.Background(), person("p", access.AppsManage), register("x"), nothing); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		v, err := trail.Verify(t.Context(), acme, audit.Head{})
		if err != nil || v.Fault != "" || v.Events != writers {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestPagesAndForeignText(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, _ *dbtest.Clock) {
		trail := newTrail(db)
		odd := person("p", access.AppsManage)
		odd.Origin.UserAgent = strings.Repeat("ü", 150) + "\x00\xff"
		for i := range 5 {
			act := register("x")
			act.Target.ID = fmt.Sprint("app-", i%2)
			if err := trail.Do(t.Context(), odd, act, nothing); err != nil {
				t.Fatal(err)
			}
		}
		q := audit.Query{Chain: acme, TargetKind: "app", TargetID: "app-0", Limit: 2}
		first, err := trail.Events(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		q.Before = first.Next
		last, err := trail.Events(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, e := range append(first.Events, last.Events...) {
			got = append(got, e.Sequence)
		}
		if diff := cmp.Diff([]int64{5, 3, 1}, got); diff != "" || last.Next != 0 {
			t.Errorf("%s next %d", diff, last.Next)
		}
		if agent := first.Events[0].Origin.UserAgent; len(agent) > 200 || strings.ContainsAny(agent, "\x00\ufffd") {
			t.Errorf("kept %q", agent)
		}
	})
}
