package registry_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// formOf is the edit form as it is filled from an app.
func formOf(a registry.App) registry.AppFields {
	return registry.AppFields{
		Name: a.Name, Description: a.Description, Category: a.Category, Type: a.Type, CredentialType: a.CredentialType,
		Contact: a.Contact, SecondContact: a.SecondContact, APIUser: a.APIUser.ID, Scopes: a.Scopes,
		DefaultAPI: a.DefaultAPI, Active: a.Status == registry.Active,
	}
}

func TestEdit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		w.clock.Advance(time.Hour)
		f := formOf(app)
		f.Name, f.Scopes = "Spend import", []string{"core.invoice.write", "core.invoice.read"}
		edited, err := w.Edit(t.Context(), w.admin, app.ID, app.Version, f)
		if err != nil {
			t.Fatal(err)
		}
		if edited.Name != "Spend import" || edited.Version != 2 || edited.Generation != 1 || edited.ClientID != app.ClientID {
			t.Errorf("edited %+v", edited)
		}
		if !edited.ModifiedAt.Equal(w.clock.Now()) || !edited.CreatedAt.Equal(app.CreatedAt) {
			t.Errorf("modified %v, created %v", edited.ModifiedAt, edited.CreatedAt)
		}
		if diff := cmp.Diff([]string{"core.invoice.read", "core.invoice.write"}, edited.Scopes); diff != "" {
			t.Error(diff)
		}
		want := audit.Event{
			ActorKind: access.KindPerson, ActorID: w.admin.ID, Action: "app.edit", Result: audit.Done,
			Target: audit.Target{Kind: "app", ID: string(app.ID), Label: "Spend import"},
			Before: map[string]any{"name": "Spend export", "scopes": []any{"core.invoice.read"}},
			After:  map[string]any{"name": "Spend import", "scopes": []any{"core.invoice.read", "core.invoice.write"}},
		}
		if diff := cmp.Diff(want, bare(w.lastEvent(t))); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
		for text, found := range map[string]bool{"import": true, "export": false} {
			page := must(w.Search(t.Context(), w.admin, registry.Query{Text: text}))(t)
			if (page.Total == 1) != found {
				t.Errorf("%q finds %d", text, page.Total)
			}
		}
	})
}

// What is not changed is not written and not judged again.
func TestEditOfNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Same")
		if err := w.identity.SetRobotStatus(t.Context(), w.admin, w.client, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		events := len(w.events(t, w.acme))
		w.unchanged(t, func() {
			if _, err := w.Edit(t.Context(), w.admin, app.ID, app.Version, formOf(app)); err != nil {
				t.Error(err)
			}
		})
		if n := len(w.events(t, w.acme)); n != events {
			t.Errorf("%d events for nothing", n-events)
		}
	})
}

func TestEditFaults(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other, _ := w.register(t, "Other app")
		app, _ := w.register(t, "This app")
		for name, tt := range map[string]struct {
			spoil func(f *registry.AppFields)
			want  map[string]string
		}{
			"name":                {func(f *registry.AppFields) { f.Name = "x" }, fault("name", "app.name.too_short")},
			"name of another":     {func(f *registry.AppFields) { f.Name = "OTHER app" }, fault("name", "app.name.taken")},
			"Globex's API user":   {func(f *registry.AppFields) { f.APIUser = w.globexClient.ID }, fault("api_user", "app.api_user.unknown")},
			"other category":      {func(f *registry.AppFields) { f.Category = registry.MSP }, fault("api_user", "app.api_user.category")},
			"withheld scope":      {func(f *registry.AppFields) { f.Scopes = append(f.Scopes, "openid") }, fault("scopes", "app.scopes.withheld")},
			"no contact any more": {func(f *registry.AppFields) { f.Contact.Email = "" }, fault("contact_email", "app.contact_email.missing")},
			"key set":             {func(f *registry.AppFields) { f.CredentialType = registry.KeySet }, fault("credential_type", "app.credential_type.planned")},
		} {
			t.Run(name, func(t *testing.T) {
				f := formOf(app)
				tt.spoil(&f)
				w.unchanged(t, func() {
					_, err := w.Edit(t.Context(), w.admin, app.ID, app.Version, f)
					p := wantFields(t, err, tt.want)
					if name == "name of another" && p.Fields[0].Args["App"] != string(other.ID) {
						t.Errorf("leads to %v", p.Fields[0].Args)
					}
				})
			})
		}
	})
}

// Two who edit the same app: the second hears that it is stale, with the app as the first left it (C55c).
func TestC55c_StaleEdit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Contested")
		f := formOf(app)
		f.Description = "The first one to save wins."
		if _, err := w.Edit(t.Context(), w.admin, app.ID, app.Version, f); err != nil {
			t.Fatal(err)
		}
		f.Description = "The second one sees the clash page."
		w.unchanged(t, func() {
			current, err := w.Edit(t.Context(), w.admin, app.ID, app.Version, f)
			wantCode(t, err, problem.Stale)
			if current.Description != "The first one to save wins." || current.Version != 2 || current.ModifiedBy.Name != "Ana Silva" {
				t.Errorf("current %+v", current)
			}
		})
	})
}

func TestEditAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Contested")
		const many = 5
		errs := make([]error, many)
		atOnce(many, func(i int) {
			f := formOf(app)
			f.Description = "Written by number " + string(rune('0'+i))
			_, errs[i] = w.Edit(t.Context(), w.admin, app.ID, app.Version, f)
		})
		saved := 0
		for _, err := range errs {
			if err == nil {
				saved++
			} else if !problem.Is(err, problem.Stale) {
				t.Error(err)
			}
		}
		if got := w.app(t, app.ID); saved != 1 || got.Version != 2 {
			t.Errorf("%d saved, version %d", saved, got.Version)
		}
	})
}

// A change of contact ends the row and makes another; the trail names rows, never people (protocol.md §10).
func TestEditContact(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fields("Contacts")
		f.SecondContact = registry.Contact{FirstName: "Ana", LastName: "Silva", Email: "ana.silva@acme.example"}
		app, _ := w.registerFields(t, w.admin, f)
		f = formOf(app)
		f.Contact = registry.Contact{FirstName: "Integration", LastName: "Team", Email: "team@acme.example"}
		f.SecondContact = registry.Contact{}
		edited := must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
		if edited.Contact.Email != "team@acme.example" || edited.Contact.ID == app.Contact.ID || !edited.SecondContact.IsZero() {
			t.Errorf("contacts %+v %+v", edited.Contact, edited.SecondContact)
		}
		want := audit.Change{
			Before: map[string]any{"contact": string(app.Contact.ID), "second_contact": string(app.SecondContact.ID)},
			After:  map[string]any{"contact": string(edited.Contact.ID)},
		}
		e := w.lastEvent(t)
		if diff := cmp.Diff(want, audit.Change{Before: e.Before, After: e.After}); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM app_contacts WHERE ended_at IS NOT NULL"); n != 2 {
			t.Errorf("%d ended rows", n)
		}
		for text, found := range map[string]int{"team": 1, "weber": 0, "silva": 1} { // the creator is Ana Silva
			if page := must(w.Search(t.Context(), w.admin, registry.Query{Text: text}))(t); page.Total != found {
				t.Errorf("%q finds %d, want %d", text, page.Total, found)
			}
		}
	})
}

// What ends tokens: another API user, and switching off; not a change of name or scopes (protocol.md §1.3).
func TestEditRaisesGeneration(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other := w.robot(t, "other", identity.KindClient)
		for name, tt := range map[string]struct {
			change func(f *registry.AppFields)
			raised int64
		}{
			"name":        {func(f *registry.AppFields) { f.Name += " changed" }, 0},
			"scopes":      {func(f *registry.AppFields) { f.Scopes = []string{"core.invoice.write"} }, 0},
			"API user":    {func(f *registry.AppFields) { f.APIUser = other.ID }, 1},
			"deactivated": {func(f *registry.AppFields) { f.Active = false }, 1},
			"both":        {func(f *registry.AppFields) { f.APIUser, f.Active = other.ID, false }, 1},
		} {
			app, _ := w.register(t, name)
			f := formOf(app)
			tt.change(&f)
			edited := must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
			if edited.Generation != app.Generation+tt.raised {
				t.Errorf("%s: generation %d, was %d", name, edited.Generation, app.Generation)
			}
			f.Active = true
			again := must(w.Edit(t.Context(), w.admin, app.ID, edited.Version, f))(t)
			if again.Generation != edited.Generation {
				t.Errorf("%s: switching on changed the generation", name)
			}
		}
	})
}

// The generation never falls: what ended the tokens while an edit was under way stays done.
func TestEditWhileTokensEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Raced")
		var done atomic.Bool
		hook := func(sql string) {
			if !strings.Contains(sql, "FROM people") || done.Swap(true) {
				return
			}
			// The edit has read the app; its organisation is suspended and resumed before it writes.
			for _, act := range []func(context.Context, access.Actor, identity.OrganisationID) error{
				w.identity.SuspendOrganisation, w.identity.ResumeOrganisation,
			} {
				if err := act(t.Context(), access.Operator("root", ""), w.acme.ID); err != nil {
					t.Error(err)
				}
			}
		}
		watch(t, w.db).hook.Store(&hook)
		f := formOf(app)
		f.Description = "Written after the tokens ended."
		edited := must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
		if !done.Load() || edited.Generation != 2 || edited.Version != 2 {
			t.Errorf("generation %d, version %d", edited.Generation, edited.Version)
		}
	})
}

func TestActivateAndDeactivate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Switch")
		off := must(w.Deactivate(t.Context(), w.admin, app.ID, app.Version))(t)
		if off.Status != registry.Inactive || off.Generation != 2 || off.Version != 2 {
			t.Errorf("off: %+v", off)
		}
		if w.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
			t.Error("the secret of an inactive app works")
		}
		e := w.lastEvent(t)
		if e.Action != "app.deactivate" || e.Before["status"] != "active" || e.After["status"] != "inactive" {
			t.Errorf("event %+v", e)
		}
		w.unchanged(t, func() { // it is off already
			if _, err := w.Deactivate(t.Context(), w.admin, app.ID, off.Version); err != nil {
				t.Error(err)
			}
			current, err := w.Activate(t.Context(), w.admin, app.ID, app.Version)
			wantCode(t, err, problem.Stale)
			if current.Version != off.Version {
				t.Errorf("stale answer has version %d", current.Version)
			}
		})
		on := must(w.Activate(t.Context(), w.admin, app.ID, off.Version))(t)
		if on.Status != registry.Active || on.Generation != 2 || w.lastEvent(t).Action != "app.activate" {
			t.Errorf("on: %+v", on)
		}
		if !w.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
			t.Error("the secret does not work again")
		}
	})
}
