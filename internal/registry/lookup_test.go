package registry_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// support is somebody of the platform who may look apps up.
func (w *world) support(t testing.TB) access.Actor {
	t.Helper()
	platform := must(w.identity.CreateOrganisation(t.Context(), access.Operator("root", ""),
		identity.NewOrganisation{Name: "Platform", ClientPrefix: "PLAT", Kind: identity.Platform}))(t)
	return w.actor(t, platform, "support@platform.example", "Sam", "Support", identity.RoleSupport)
}

// named registers an app of Acme whose contact has this address.
func (w *world) named(t testing.TB, name, email string) registry.App {
	t.Helper()
	f := w.fields(name)
	f.Contact.Email = email
	app, _ := w.registerFields(t, w.admin, f)
	return app
}

func foundNames(l registry.Lookup) []string {
	names := []string{}
	for _, f := range l.Found {
		names = append(names, f.Name+" of "+f.Organisation)
	}
	return names
}

func TestLookup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		support := w.support(t)
		sap := w.named(t, "SAP spend-export", "Ana.Silva@acme.example")
		w.named(t, "Müller Überweisung", "mueller@acme.example")
		w.named(t, "SAP采购订单导出", "orders@acme.example")
		theirs, _ := w.globexApp(t, "SAP payments")
		gone := w.named(t, "SAP retired", "gone@acme.example")
		gone = must(w.Deactivate(t.Context(), w.admin, gone.ID, gone.Version))(t)
		if err := w.Delete(t.Context(), w.admin, gone.ID, gone.Version, gone.Name); err != nil {
			t.Fatal(err)
		}
		renamed := w.named(t, "Old title", "old@acme.example")
		f := formOf(renamed)
		f.Name, f.Contact.Email = "New title", "new@acme.example"
		must(w.Edit(t.Context(), w.admin, renamed.ID, renamed.Version, f))(t)

		for _, c := range []struct {
			typed string
			by    registry.LookupBy
			want  []string
		}{
			{sap.ClientID, registry.ByClientID, []string{"SAP spend-export of Acme"}},
			{"  " + theirs.ClientID + "\t", registry.ByClientID, []string{"SAP payments of Globex"}},
			{gone.ClientID, registry.ByClientID, nil},
			{sap.ClientID[:len(sap.ClientID)-1] + map[bool]string{true: "4", false: "3"}[strings.HasSuffix(sap.ClientID, "3")], registry.ByClientID, nil},
			{strings.ToLower(sap.ClientID), registry.ByClientID, nil},
			{"ana.silva@ACME.example", registry.ByEmail, []string{"SAP spend-export of Acme"}},
			{"ana.silva@acme.exampl", registry.ByEmail, nil},
			{"%@acme.example", registry.ByEmail, nil},
			{"gone@acme.example", registry.ByEmail, nil},
			{"old@acme.example", registry.ByEmail, nil},
			{"new@acme.example", registry.ByEmail, []string{"New title of Acme"}},
			{"sap", registry.ByName, []string{"SAP payments of Globex", "SAP spend-export of Acme", "SAP采购订单导出 of Acme"}},
			{"SPEND EXP", registry.ByName, []string{"SAP spend-export of Acme"}},
			{"export", registry.ByName, []string{"SAP spend-export of Acme"}},
			{"xport", registry.ByName, nil},
			{"muller", registry.ByName, []string{"Müller Überweisung of Acme"}},
			{"ＭÜＬＬＥＲ", registry.ByName, []string{"Müller Überweisung of Acme"}},
			{"订单导", registry.ByName, []string{"SAP采购订单导出 of Acme"}},
			{"old title", registry.ByName, nil},
			{"title", registry.ByName, []string{"New title of Acme"}},
			{"sa%p", registry.ByName, nil},
			{strings.Repeat("a", 200), registry.ByName, nil},
		} {
			got, err := w.Lookup(t.Context(), support, c.typed)
			if err != nil {
				t.Fatalf("%q: %v", c.typed, err)
			}
			if c.want == nil {
				c.want = []string{}
			}
			if diff := cmp.Diff(c.want, foundNames(got)); diff != "" || got.By != c.by || got.More {
				t.Errorf("%q by %s (-want +got):\n%s", c.typed, got.By, diff)
			}
		}
		want := registry.Found{
			Name: "SAP spend-export", Organisation: "Acme", Status: registry.Active,
			Contact: registry.Contact{FirstName: "Jo", LastName: "Weber", Email: "Ana.Silva@acme.example"},
		}
		if diff := cmp.Diff([]registry.Found{want}, must(w.Lookup(t.Context(), support, sap.ClientID))(t).Found); diff != "" {
			t.Errorf("all that is told of an app (-want +got):\n%s", diff)
		}
	})
}

func TestLookupOfMany(t *testing.T) {
	w := sqliteWorld(t)
	support := w.support(t)
	for n := range registry.MaxFound + 5 {
		w.named(t, fmt.Sprintf("Ledger ledger ledger %02d", n), "all@acme.example")
	}
	for _, typed := range []string{"ledger", "all@acme.example"} {
		got := must(w.Lookup(t.Context(), support, typed))(t)
		if len(got.Found) != registry.MaxFound || !got.More {
			t.Errorf("%s: %d found, more: %v", typed, len(got.Found), got.More)
		}
	}
}

func TestLookupRefusesInput(t *testing.T) {
	w := sqliteWorld(t)
	support := w.support(t)
	for typed, key := range map[string]string{
		"": "lookup.missing", " \t": "lookup.missing", "sa": "lookup.too_short", "s-a": "lookup.too_short", "***": "lookup.too_short",
		"@@@": "lookup.email", "a@b@c.example": "lookup.email", "ana@acme.example\r\nBcc: x@y.example": "lookup.email",
		strings.Repeat("a", 255): "lookup.too_long",
	} {
		_, err := w.Lookup(t.Context(), support, typed)
		p := problem.As(err)
		if p.Code != problem.Invalid || len(p.Fields) != 1 || p.Fields[0].Name != "q" || p.Fields[0].Key != key {
			t.Errorf("%q: %v, want %s", typed, err, key)
		}
	}
	if got := must(w.Lookup(t.Context(), support, "nothing"))(t); got.Left != registry.LooksPerHour-1 {
		t.Errorf("%d looks are left: what cannot be looked up must not count", got.Left)
	}
}

func TestLookupTakesItsRight(t *testing.T) {
	w := sqliteWorld(t)
	app, _ := w.register(t, "Spend export")
	for _, who := range []access.Actor{w.admin, w.viewer, w.globexAdmin, w.nobody} {
		_, err := w.Lookup(t.Context(), who, app.ClientID)
		wantCode(t, err, problem.Forbidden)
	}
}

// TestLookupLeavesTraces: the organisation sees who of its apps was looked up and how, nobody sees what was typed.
func TestLookupLeavesTraces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		support := w.support(t)
		support.Origin = access.Origin{Address: "198.51.100.7", UserAgent: "Support browser", RequestID: "request-1"}
		app := w.named(t, "Spend export", "owner@acme.example")
		w.globexApp(t, "Spend import")
		must(w.Lookup(t.Context(), support, "spend"))(t)
		must(w.Lookup(t.Context(), support, "owner@acme.example"))(t)
		must(w.Lookup(t.Context(), support, "stranger@initech.example"))(t)

		h := w.history(t, app.ID)
		var seen []string
		for _, e := range h.Events[:2] {
			seen = append(seen, fmt.Sprint(e.Action, e.By, e.AppName, e.Changes[0].After.Text, e.Address, e.Request))
		}
		by := registry.Author{Kind: access.KindPerson, ID: support.ID, Name: support.ID}
		want := []string{
			fmt.Sprint("support.lookup", by, "Spend export", "email", "", "request-1"),
			fmt.Sprint("support.lookup", by, "Spend export", "name", "", "request-1"),
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("Acme's history (-want +got):\n%s", diff)
		}
		platform := must(w.trail.Events(t.Context(), audit.Query{Chain: support.Organisation, TargetKind: "lookup"}))(t)
		var found []int
		for _, e := range platform.Events {
			apps, _ := e.After["apps"].([]any)
			found = append(found, len(apps))
			if e.Origin.Address != "198.51.100.7" {
				t.Errorf("the platform's own trail lacks the address: %+v", e)
			}
		}
		if diff := cmp.Diff([]int{0, 1, 2}, found); diff != "" {
			t.Errorf("apps found by each look in the platform's trail (-want +got):\n%s", diff)
		}
		for _, chain := range []access.OrganisationID{support.Organisation, w.acme.ID, w.globex.ID} {
			page := must(w.trail.Events(t.Context(), audit.Query{Chain: chain, Limit: 100}))(t)
			for _, e := range page.Events {
				if text := fmt.Sprint(e); e.Action == "support.lookup" && (strings.Contains(text, "@") || strings.Contains(text, "stranger")) {
					t.Errorf("an address stands in the trail: %s", text)
				}
			}
			if v := must(w.trail.Verify(t.Context(), chain, audit.Head{}))(t); v.Fault != "" {
				t.Errorf("the chain of %s: %+v", chain, v)
			}
		}
	})
}

// TestLookupsAreLimited: sixty in the hour that begins with the first, found or not, whoever else looks; and replicas, or
// twenty at once, keep to them together.
func TestLookupsAreLimited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		support := w.support(t)
		app, _ := w.register(t, "Spend export")
		second := must(registry.New(w.deps))(t)
		var mu sync.Mutex
		allowed, refused := 0, 0
		var group sync.WaitGroup
		for n := range 4 {
			group.Go(func() {
				room := []*registry.Registry{w.Registry, second}[n%2]
				for k := range 20 {
					_, err := room.Lookup(t.Context(), support, []string{app.ClientID, "nothing at all"}[k%2])
					mu.Lock()
					switch {
					case err == nil:
						allowed++
					case problem.Is(err, problem.Limited):
						refused++
					default:
						t.Error(err)
					}
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if allowed != registry.LooksPerHour || refused != 20 {
			t.Fatalf("%d looks allowed, %d refused", allowed, refused)
		}
		w.clock.Advance(20 * time.Minute)
		_, err := w.Lookup(t.Context(), support, app.ClientID)
		if p := problem.As(err); p.Code != problem.Limited || p.RetryAfter != 40*time.Minute || p.Args["Minutes"] != 40 {
			t.Errorf("after 20 minutes: %v, again after %v", err, p.RetryAfter)
		}
		other := w.support2(t, support)
		must(w.Lookup(t.Context(), other, app.ClientID))(t)
		w.clock.Advance(40 * time.Minute)
		if got := must(w.Lookup(t.Context(), support, app.ClientID))(t); got.Left != registry.LooksPerHour-1 {
			t.Errorf("after the hour %d looks are left", got.Left)
		}
		events := must(w.trail.Events(t.Context(), audit.Query{Chain: support.Organisation, TargetKind: "lookup", Result: audit.Refused}))(t)
		if len(events.Events) == 0 || events.Events[0].Reason != "lookup.limit" {
			t.Errorf("the platform's trail says nothing of refused looks: %+v", events.Events)
		}
	})
}

// TestARefusedLookSearchesNothing: the limit is asked first.
func TestARefusedLookSearchesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		support := w.support(t)
		for range registry.LooksPerHour {
			must(w.Lookup(t.Context(), support, "nothing"))(t)
		}
		reads := watch(t, w.db)
		hook := func(sql string) {
			for _, table := range []string{" apps", "app_contacts", "app_name_parts"} {
				if strings.Contains(sql, table) {
					t.Errorf("searched: %s", sql)
				}
			}
		}
		reads.hook.Store(&hook)
		for _, text := range []string{"CCWACME_" + strings.Repeat("a", 20), "ana@acme.example", "nothing"} {
			_, err := w.Lookup(t.Context(), support, text)
			wantCode(t, err, problem.Limited)
		}
		if reads.n.Load() == 0 {
			t.Error("no statement was seen")
		}
	})
}

// support2 is a colleague of somebody of the platform.
func (w *world) support2(t testing.TB, first access.Actor) access.Actor {
	t.Helper()
	org := must(w.identity.Organisation(t.Context(), first.Organisation))(t)
	return w.actor(t, org, "second@platform.example", "Kay", "Second", identity.RoleSupport)
}

// TestNamesOfOlderVersionsAreFilledIn: apps from before the table are found once the server has swept.
func TestNamesOfOlderVersionsAreFilledIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		support := w.support(t)
		for n := range 3 {
			w.named(t, fmt.Sprintf("Spend export %d", n), "a@acme.example")
		}
		err := w.db.Housekeep(t.Context(), func(tx *database.Tx) error {
			for _, statement := range []string{
				"INSERT INTO app_names_due (organisation_id, app_id) SELECT organisation_id, id FROM apps",
				"DELETE FROM app_name_parts",
			} {
				if err := tx.DB().Exec(statement).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := must(w.Lookup(t.Context(), support, "spend"))(t); len(got.Found) != 0 {
			t.Fatalf("found without the table: %v", got.Found)
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := must(w.Lookup(t.Context(), support, "spend"))(t); len(got.Found) != 3 {
			t.Errorf("found after the sweep: %v", got.Found)
		}
	})
}
