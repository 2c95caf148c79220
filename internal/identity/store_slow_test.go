package identity_test

import (
	"sync"
	"testing"

	"gorm.io/gorm"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/identity"
)

// Rights that took so long to read that they may be too old are not acted upon when anything changed meanwhile: here with
// a bound that makes every reading too long.
func TestRightsThatWereReadSlowly(t *testing.T) {
	clock := dbtest.NewClock()
	url := dbtest.PostgresURL(t)
	here := newHouse(t, dbtest.Open(t, url, clock), clock)
	ana := here.active(t, here.acme, "ana@acme.example", identity.RoleAdministrator)
	db, err := database.Open(t.Context(), database.Config{URL: url, Clock: clock.Now, StaleBound: 1, PollTimeout: dbtest.PollTimeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	there, err := identity.New(db, audit.New(db, nil))
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	err = db.Read(t.Context()).Callback().Row().After("gorm:row").Register("test:overtake", func(*gorm.DB) {
		once.Do(func() { // they were read, and nobody has looked at them yet
			if err := here.SetPersonRoles(t.Context(), operator(), ana, nil); err != nil {
				t.Error(err)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	actor, err := there.ActorFor(t.Context(), ana.ID)
	if err != nil || len(actor.Rights) > 0 {
		t.Errorf("acts with %v, %v", actor.Rights, err)
	}
}
