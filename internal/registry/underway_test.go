package registry_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/secret"
)

// interrupted is a registry on the world's database whose next hash, of a new secret or of one presented, waits until
// something else has happened. The hasher asks its clock when a hash is asked for, which is where that comes in.
type interrupted struct {
	*registry.Registry

	verifier *secret.Verifier
	during   atomic.Pointer[func()]
}

func (w *world) interrupted(t *testing.T) *interrupted {
	t.Helper()
	i := &interrupted{}
	clock := func() time.Time {
		if during := i.during.Swap(nil); during != nil {
			(*during)()
		}
		return w.db.Now()
	}
	d := w.deps
	d.Hasher = must(secret.NewHasher(secret.Params{Cost: 4, MinCost: 4, MaxCost: 4}, clock, nil))(t)
	i.verifier = must(secret.NewVerifier(d.Keys, d.Hasher))(t)
	d.Verifier = i.verifier
	i.Registry = must(registry.New(d))(t)
	return i
}

// next has something happen during the next hash.
func (i *interrupted) next(happens func()) { i.during.Store(&happens) }

// A secret that is replaced while it is being verified goes on working until its end, for that request too, and without
// a second hash for those after it.
func TestC16_RotatedWhileVerified(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.interrupted(t)
		app, first := w.register(t, "Spend export")
		i.next(func() { w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsIn7Days}}) })
		for n := range 3 {
			_, id, err := i.Authenticate(t.Context(), app.ClientID, first.Secret.Reveal(), "")
			if err != nil || id != first.ID {
				t.Errorf("request %d: %v, %v", n+1, id, err)
			}
		}
		if now := w.app(t, app.ID); len(now.Usable()) != 2 {
			t.Error("nothing was rotated")
		}
		if n := i.verifier.Bcrypts(); n != 1 {
			t.Errorf("%d hashes, want 1", n)
		}
	})
}

// What is taken out of use while it is being verified is not accepted.
func TestC22_EndedWhileVerified(t *testing.T) {
	ends := map[string]func(t *testing.T, w *world, app registry.App, s *registry.NewSecret){
		"replaced now": func(t *testing.T, w *world, app registry.App, _ *registry.NewSecret) {
			t.Helper()
			w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		},
		"replaced, the overlap over": func(t *testing.T, w *world, app registry.App, _ *registry.NewSecret) {
			t.Helper()
			w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsIn7Days}})
			w.clock.Advance(7 * 24 * time.Hour)
		},
		"leaked": func(t *testing.T, w *world, app registry.App, s *registry.NewSecret) {
			t.Helper()
			if err := w.MarkLeaked(t.Context(), w.admin, app.ID, s.ID); err != nil {
				t.Error(err)
			}
		},
		"deactivated": func(t *testing.T, w *world, app registry.App, _ *registry.NewSecret) {
			t.Helper()
			w.deactivate(t, app.ID)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				i := w.interrupted(t)
				app, first := w.register(t, "Spend export")
				i.next(func() { end(t, w, app, first) })
				for range 2 {
					_, _, err := i.Authenticate(t.Context(), app.ClientID, first.Secret.Reveal(), "")
					wantCode(t, err, problem.Unauthenticated)
				}
			})
		})
	}
}

// A right that is taken away while a new secret waits for its hash counts: nothing is made (C52).
func TestC52_RightTakenWhileHashing(t *testing.T) {
	acts := map[string]func(t *testing.T, i *interrupted, actor access.Actor, app registry.App) error{
		"register": func(t *testing.T, i *interrupted, actor access.Actor, app registry.App) error {
			t.Helper()
			f := registry.AppFields{
				Name: "Another", Description: app.Description, Category: app.Category, Type: app.Type,
				CredentialType: app.CredentialType, Contact: app.Contact, APIUser: app.APIUser.ID, Scopes: app.Scopes, Active: true,
			}
			_, shown, err := i.Register(t.Context(), actor, registry.NewApp{AppFields: f, Nonce: "n"})
			if shown != nil {
				t.Error("a secret is shown")
			}
			return err
		},
		"rotate": func(t *testing.T, i *interrupted, actor access.Actor, app registry.App) error {
			t.Helper()
			shown, err := i.Rotate(t.Context(), actor, app.ID, registry.Rotation{Reason: registry.Planned, Nonce: "n"})
			if shown != nil {
				t.Error("a secret is shown")
			}
			return err
		},
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				i := w.interrupted(t)
				app, _ := w.register(t, "Spend export")
				actor := w.actor(t, w.acme, "leaver@acme.example", "Lee", "Verne", identity.RoleAdministrator)
				actor.Origin.Address = "192.0.2.9"
				i.next(func() { w.setRoles(t, actor) })
				w.unchanged(t, func() { wantCode(t, act(t, i, actor, app), problem.Forbidden) })
				refused := w.lastEvent(t)
				if refused.Result != audit.Refused || refused.ActorID != actor.ID || refused.Origin.Address != "192.0.2.9" {
					t.Errorf("recorded %+v", refused)
				}
			})
		})
	}
}

// The power that an app gets is asked for with the rights of now too: of everything, only that of its API user is gone.
func TestPowerTakenWhileHashing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.interrupted(t)
		n := identity.NewRole{Organisation: w.acme.ID, Name: "Apps alone", Rights: []access.Right{access.AppsView, access.AppsManage}}
		must(w.identity.CreateRole(t.Context(), w.operator(w.acme), n))(t)
		strong := w.robot(t, "strong", identity.KindClient, access.ConnectionsManage)
		actor := w.actor(t, w.acme, "leaver@acme.example", "Lee", "Verne", identity.RoleAdministrator)
		f := w.fields("Strong")
		f.APIUser = strong.ID
		i.next(func() { w.setRoles(t, actor, "Apps alone") })
		w.unchanged(t, func() {
			_, _, err := i.Register(t.Context(), actor, registry.NewApp{AppFields: f})
			wantCode(t, err, problem.Forbidden)
		})
	})
}

// An app is switched on with the rights of now, not with those that the request began with.
func TestC52_RightTakenBeforeActivation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		app = w.deactivate(t, app.ID)
		actor := w.actor(t, w.acme, "leaver@acme.example", "Lee", "Verne", identity.RoleAdministrator)
		w.setRoles(t, actor)
		w.unchanged(t, func() {
			_, err := w.Activate(t.Context(), actor, app.ID, app.Version)
			wantCode(t, err, problem.Forbidden)
		})
	})
}

// setRoles gives a person of Acme these roles instead of others.
func (w *world) setRoles(t *testing.T, actor access.Actor, roles ...string) {
	t.Helper()
	p, err := w.identity.Person(t.Context(), identity.PersonID(actor.ID))
	if err == nil {
		err = w.identity.SetPersonRoles(t.Context(), w.operator(w.acme), p, roles)
	}
	if err != nil {
		t.Error(err)
	}
}

// What a form offers is read once, however many categories there are, in their order.
func TestAPIUsersAreReadOnce(t *testing.T) {
	w := sqliteWorld(t)
	w.robot(t, "a second client", identity.KindClient)
	reads := watch(t, w.db)
	options := must(w.APIUsers(t.Context(), w.admin))(t)
	if n := reads.n.Load(); n != 1 {
		t.Errorf("%d reads, want 1", n)
	}
	var got [][]registry.Category
	for _, o := range options {
		got = append(got, o.Categories)
	}
	client := []registry.Category{registry.Customer, registry.Partner}
	want := [][]registry.Category{client, client, {registry.Partner, registry.MSP}, {registry.Partner, registry.Supplier}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
