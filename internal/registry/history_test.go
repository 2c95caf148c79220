package registry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

func (w *world) history(t *testing.T, id registry.AppID) registry.History {
	t.Helper()
	return must(w.History(t.Context(), w.viewer, id, 0))(t)
}

func TestHistory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		w.register(t, "Another app")
		w.clock.Advance(time.Hour)
		f := formOf(app)
		f.Contact = registry.Contact{FirstName: "Integration", LastName: "Team", Email: "team@acme.example"}
		f.APIUser = w.robot(t, "automation", identity.KindClient).ID
		f.Scopes = []string{"core.invoice.write"}
		if _, err := w.Edit(t.Context(), w.operator(w.acme), app.ID, app.Version, f); err != nil {
			t.Fatal(err)
		}
		made := w.rotate(t, app.ID, registry.Rotation{Reason: registry.Lost})
		if err := w.Retire(t.Context(), w.admin, app.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		_, err := w.Activate(t.Context(), w.viewer, app.ID, 1)
		wantCode(t, err, problem.Forbidden)

		type seen struct {
			action, who, name, hint string
			result                  audit.Result
			changes                 []registry.FieldChange
		}
		var got []seen
		h := w.history(t, app.ID)
		for _, e := range h.Events {
			got = append(got, seen{e.Action, e.By.Name, e.AppName, e.Hint, e.Result, e.Changes})
		}
		text := func(s string) registry.Value { return registry.Value{Text: s} }
		person := func(first, last, email string) registry.Value {
			return registry.Value{Contact: registry.Contact{FirstName: first, LastName: last, Email: email}}
		}
		want := []seen{
			{"app.activate", "Jo Weber", "Spend export", "", audit.Refused, nil},
			{"app.retire", "Ana Silva", "Spend export", first.Hint, audit.Done, []registry.FieldChange{
				{Field: "secret_state", Before: text("ending"), After: text("retired")},
			}},
			{"app.rotate", "Ana Silva", "Spend export", made.Hint, audit.Done, []registry.FieldChange{
				{Field: "reason", After: text("lost")},
				{Field: "old_secret", After: text(first.Hint)},
				{Field: "old_ends", After: text(w.clock.Now().AddDate(0, 0, 7).Format(time.RFC3339))},
			}},
			{"app.edit", "operator:root", "Spend export", "", audit.Done, []registry.FieldChange{
				{
					Field: "contact", Before: person("Jo", "Weber", "jo.weber@acme.example"),
					After: person("Integration", "Team", "team@acme.example"),
				},
				{Field: "api_user", Before: text("Client user"), After: text("automation")},
				{Field: "scopes", Before: registry.Value{List: []string{"core.invoice.read"}}, After: registry.Value{List: []string{"core.invoice.write"}}},
			}},
			{"app.register", "Ana Silva", "Spend export", first.Hint, audit.Done, []registry.FieldChange{
				{Field: "name", After: text("Spend export")},
				{Field: "description", After: text("Reads invoices for the spend report.")},
				{Field: "category", After: text("customer")},
				{Field: "type", After: text("machine")},
				{Field: "credential_type", After: text("secret")},
				{Field: "contact", After: person("Jo", "Weber", "jo.weber@acme.example")},
				{Field: "api_user", After: text("Client user")},
				{Field: "scopes", After: registry.Value{List: []string{"core.invoice.read"}}},
				{Field: "default_api", After: text("coupa-core")},
				{Field: "status", After: text("active")},
				{Field: "client_id", After: text(app.ClientID)},
			}},
		}
		ignoreRow := cmp.FilterPath(func(p cmp.Path) bool {
			return p.String() == "changes.Before.Contact.ID" || p.String() == "changes.After.Contact.ID"
		}, cmp.Ignore())
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(seen{}), ignoreRow); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
		if h.Next != 0 || h.AppName != "Spend export" {
			t.Errorf("next %d of %q", h.Next, h.AppName)
		}
	})
}

// A leak is told of the secret that leaked, also where another was made in its place.
func TestHistoryOfALeak(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Leaky")
		made := w.rotate(t, app.ID, registry.Rotation{Reason: registry.Leaked})
		if err := w.MarkLeaked(t.Context(), w.admin, app.ID, made.ID); err != nil {
			t.Fatal(err)
		}
		w.rotate(t, app.ID, registry.Rotation{Reason: registry.Leaked}) // which leaked is not said: none is usable
		events := w.history(t, app.ID).Events
		var got []string
		for _, e := range events[:3] {
			got = append(got, e.Action+" "+e.Hint)
		}
		if diff := cmp.Diff([]string{"app.rotate " + w.app(t, app.ID).Secrets[0].Hint, "app.leak " + made.Hint, "app.leak " + first.Hint}, got); diff != "" {
			t.Error(diff)
		}
		if c := events[2].Changes[0]; c.Field != "secret" || c.After.Text != made.Hint {
			t.Errorf("the secret made in its place: %+v", events[2].Changes)
		}
	})
}

// A deleted app keeps its history; the people in it are erased, and no event ever held them (protocol.md §10).
func TestHistoryOfADeletedApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fields("Spend export")
		f.Contact = registry.Contact{FirstName: "Philippa", LastName: "Quackenbush", Email: "pq@partner.example"}
		f.SecondContact = registry.Contact{FirstName: "Ignatius", LastName: "Featherstone", Email: "if@partner.example"}
		app, _ := w.registerFields(t, w.admin, f)
		g := formOf(app)
		g.Contact.LastName = "Featherstone-Quackenbush"
		must(w.Edit(t.Context(), w.admin, app.ID, app.Version, g))(t)
		off := w.deactivate(t, app.ID)
		if err := w.Delete(t.Context(), w.admin, app.ID, off.Version, app.Name); err != nil {
			t.Fatal(err)
		}
		h := w.history(t, app.ID)
		erased := 0
		for _, e := range h.Events {
			for _, c := range e.Changes {
				if c.Before.Erased {
					erased++
				}
				if c.After.Erased {
					erased++
				}
			}
		}
		if len(h.Events) != 4 || h.Events[0].Action != "app.delete" || erased != 2+2+2 {
			t.Errorf("%d events, %d erased values", len(h.Events), erased)
		}
		trail := must(json.Marshal(w.events(t, w.acme)))(t)
		for table, rows := range w.dump(t) {
			trail = fmt.Appendf(trail, "%s %v", table, rows)
		}
		for _, name := range []string{"Philippa", "Quackenbush", "pq@partner", "Ignatius", "Featherstone", "if@partner"} {
			if strings.Contains(strings.ToLower(string(trail)), strings.ToLower(name)) {
				t.Errorf("%s is still there", name)
			}
		}
	})
}

func TestHistoryPages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Busy")
		version := app.Version
		for i := range 30 {
			f := formOf(app)
			f.Description = fmt.Sprintf("Description number %d.", i)
			version = must(w.Edit(t.Context(), w.admin, app.ID, version, f))(t).Version
		}
		var seen []string
		before := int64(0)
		for {
			h := must(w.History(t.Context(), w.viewer, app.ID, before))(t)
			for _, e := range h.Events {
				seen = append(seen, e.ID)
			}
			if before = h.Next; before == 0 {
				break
			}
		}
		distinct := map[string]bool{}
		for _, id := range seen {
			distinct[id] = true
		}
		if len(seen) != 31 || len(distinct) != 31 {
			t.Errorf("%d events, %d of them different", len(seen), len(distinct))
		}
		if h := must(w.History(t.Context(), w.viewer, app.ID, -5))(t); len(h.Events) != 25 {
			t.Errorf("a negative place gave %d events", len(h.Events))
		}
	})
}
