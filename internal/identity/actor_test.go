package identity_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func TestActorFor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Auditor", access.AuditView)
		h.role(t, h.acme, "Integrator", access.AppsManage)
		ana := h.active(t, h.acme, "ana@acme.example", "Auditor", "Integrator")
		want := access.Actor{
			Kind: access.KindPerson, ID: string(ana.ID), Name: "Ana Silva", Email: "ana@acme.example",
			Organisation: h.acme.ID, Rights: access.NewSet(access.AuditView, access.AppsManage),
		}
		for range 2 { // read, then remembered
			if diff := cmp.Diff(want, h.actor(t, ana)); diff != "" {
				t.Error(diff)
			}
		}
		s, err := h.Standing(t.Context(), ana.ID)
		if err != nil || !s.PasswordSetAt.Equal(h.clock.Now()) {
			t.Errorf("password set at %v, %v", s.PasswordSetAt, err)
		}
		if guest := h.actor(t, h.active(t, h.acme, "guest@acme.example")); len(guest.Rights) != 0 {
			t.Errorf("a guest holds %v", guest.Rights)
		}
		_, err = h.ActorFor(t.Context(), identity.PersonID(database.NewID()))
		wantCode(t, err, problem.Unauthenticated)
	})
}

func TestCallersCannotChangeWhatIsRemembered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.active(t, h.acme, "ana@acme.example")
		h.actor(t, ana)
		h.actor(t, ana).Rights[access.KeysManage] = struct{}{}
		if got := h.actor(t, ana); got.Has(access.KeysManage) {
			t.Error("a caller gave a person a right")
		}
	})
}

func TestC55_TakingAwayARoleCountsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.active(t, h.acme, "ana@acme.example", identity.RoleAdministrator)
		if !h.actor(t, ana).Has(access.AppsManage) {
			t.Fatal("no right to begin with")
		}
		if err := h.SetPersonRoles(t.Context(), operator(), ana, []string{identity.RoleViewer}); err != nil {
			t.Fatal(err)
		}
		if got := h.actor(t, ana); got.Has(access.AppsManage) || !got.Has(access.AppsView) {
			t.Errorf("rights %v", got.Rights.Rights())
		}
		if err := h.SetPersonRoles(t.Context(), operator(), ana, []string{"viewer"}); err != nil {
			t.Errorf("no change is no act: %v", err)
		}
		events := h.events(t, h.acme)
		if len(events) != 3 || events[0].Action != "person.roles" {
			t.Errorf("%d events, the last %s", len(events), events[0].Action)
		}
		if err := h.SetPersonRoles(t.Context(), operator(), ana, nil); err != nil {
			t.Fatal(err)
		}
		if got := h.actor(t, ana); len(got.Rights) != 0 {
			t.Errorf("rights %v", got.Rights.Rights())
		}
	})
}

func TestC55_SuspendedOrganisationHasNoActors(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.active(t, h.acme, "ana@acme.example")
		bo := h.active(t, h.globex, "bo@globex.example")
		h.actor(t, ana)
		if err := h.SuspendOrganisation(t.Context(), operator(), h.acme.ID); err != nil {
			t.Fatal(err)
		}
		_, err := h.ActorFor(t.Context(), ana.ID)
		wantCode(t, err, problem.Unauthenticated)
		h.actor(t, bo)
		if err := h.ResumeOrganisation(t.Context(), operator(), h.acme.ID); err != nil {
			t.Fatal(err)
		}
		h.actor(t, ana)
	})
}

// A right that a role of this kind of organisation may not hold counts for nothing, even when it stands in the table.
func TestRightsOfTheWrongKindCountForNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		role := h.role(t, h.acme, "Odd", access.AppsView)
		err := h.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			return tx.DB().Exec("INSERT INTO role_rights (organisation_id, role_id, right_name) VALUES (?, ?, 'support.lookup')",
				string(h.acme.ID), string(role.ID)).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		ana := h.active(t, h.acme, "ana@acme.example", "Odd")
		if diff := cmp.Diff(access.NewSet(access.AppsView), h.actor(t, ana).Rights); diff != "" {
			t.Error(diff)
		}
	})
}

// Another process changes what this one remembers.
func TestOtherProcessesAreHeard(t *testing.T) {
	clock := dbtest.NewClock()
	urls := map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/credenza.db" },
		"postgres": dbtest.PostgresURL,
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			url := url(t)
			here := newHouse(t, dbtest.Open(t, url, clock), clock)
			there := dbtest.Open(t, url, clock)
			other, err := identity.New(there, audit.New(there, nil))
			if err != nil {
				t.Fatal(err)
			}
			ana := here.active(t, here.acme, "ana@acme.example", identity.RoleAdministrator)
			here.actor(t, ana)
			if err := other.SetPersonStatus(t.Context(), operator(), ana, identity.Inactive); err != nil {
				t.Fatal(err)
			}
			// No clock to move here: the feed measures real time. Polling is what its Run does every 250 ms.
			heard := make(chan []database.Change, 10)
			here.db.Feed().Subscribe(func(c []database.Change) { heard <- c })
			go here.db.Feed().Run(t.Context())
			<-heard
			_, err = here.ActorFor(t.Context(), ana.ID)
			wantCode(t, err, problem.Unauthenticated)
		})
	}
}

func TestNobodyActsOnOldKnowledge(t *testing.T) {
	clock := dbtest.NewClock()
	h := newHouse(t, dbtest.SQLite(t, clock), clock)
	ana := h.active(t, h.acme, "ana@acme.example")
	h.actor(t, ana)
	cold, err := identity.New(h.db, h.trail)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := cold.ActorFor(t.Context(), ana.ID); err == nil {
		t.Error("an actor without a database")
	}
}

// Rights are read while they change; whoever asks after a change has returned sees it.
func TestRememberedRightsNeverOutliveAChange(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.active(t, h.acme, "ana@acme.example")
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						if _, err := h.ActorFor(t.Context(), ana.ID); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		for i := range 20 {
			var roles []string
			if i%2 == 0 {
				roles = []string{identity.RoleViewer}
			}
			if err := h.SetPersonRoles(t.Context(), operator(), ana, roles); err != nil {
				t.Fatal(err)
			}
			if got := h.actor(t, ana).Has(access.AppsView); got != (i%2 == 0) {
				t.Fatalf("round %d: view right %v", i, got)
			}
		}
		close(stop)
		wg.Wait()
	})
}
