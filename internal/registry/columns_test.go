package registry_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// TestParseColumns: an address may ask for anything; what is no column is left out.
func TestParseColumns(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "contact": "contact", "scopes,contact": "contact,scopes", "user,user,user": "user", "scopes,user,contact,": "contact,user,scopes",
		"name": "", "Contact": "", " contact": "", "contact;user": "", "contact,<script>": "contact", strings.Repeat(",", 5000) + "user": "user",
	} {
		if got := registry.FormatColumns(registry.ParseColumns(text)); got != want {
			t.Errorf("%.40q is %q, want %q", text, got, want)
		}
	}
}

// TestExtras: each column says what it is asked for and nothing else, of one's own apps.
func TestExtras(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fields("Import")
		f.Contact = registry.Contact{FirstName: "Jo", LastName: "Weber", Email: "Jo@Acme.example"}
		f.Scopes = []string{"core.invoice.read", "core.invoice.write"}
		app, _ := w.registerFields(t, w.admin, f)
		second := w.fields("Export")
		second.Contact = registry.Contact{FirstName: "Ana", LastName: "Silva", Email: "ana@acme.example"}
		second.SecondContact = registry.Contact{FirstName: "Not", LastName: "Me", Email: "other@acme.example"}
		other, _ := w.registerFields(t, w.admin, second)
		gone, _ := w.register(t, "Gone")
		if err := w.Delete(t.Context(), w.admin, gone.ID, w.deactivate(t, gone.ID).Version, "Gone"); err != nil {
			t.Fatal(err)
		}
		theirs, _ := w.globexApp(t, "Theirs")
		w.askContacts(t)
		link := w.asks(t, "Jo@Acme.example")[0]
		if err := w.AnswerAsk(t.Context(), access.Origin{}, link, false); err != nil {
			t.Fatal(err)
		}
		denied := registry.Address{State: registry.AddressDenied, At: w.clock.Now()}
		jo, ana := registry.Contact{FirstName: "Jo", LastName: "Weber", Email: "Jo@Acme.example"}, second.Contact
		user := w.client.DisplayName
		ids := []registry.AppID{app.ID, other.ID, gone.ID, theirs.ID, registry.AppID(database.NewID())}
		for text, want := range map[string][2]registry.Extra{
			"contact":             {{Contact: jo, Address: denied}, {Contact: ana}},
			"user":                {{APIUser: user}, {APIUser: user}},
			"scopes":              {{Scopes: 2}, {Scopes: 1}},
			"contact,user,scopes": {{Contact: jo, Address: denied, APIUser: user, Scopes: 2}, {Contact: ana, APIUser: user, Scopes: 1}},
		} {
			got := must(w.Extras(t.Context(), w.viewer, ids, registry.ParseColumns(text)))(t)
			if diff := cmp.Diff(map[registry.AppID]registry.Extra{app.ID: want[0], other.ID: want[1]}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", text, diff)
			}
		}
		if got := must(w.Total(t.Context(), w.viewer))(t); got != 2 {
			t.Errorf("%d apps, want two: one was deleted, another is another organisation's", got)
		}
		if got := must(w.Extras(t.Context(), w.viewer, ids, nil))(t); len(got) != 0 {
			t.Errorf("nobody asked for %v", got)
		}
		_, err := w.Extras(t.Context(), w.viewer, make([]registry.AppID, 101), registry.Columns())
		wantCode(t, err, problem.Invalid)
	})
}

// TestExtrasOfAResourceServer: it acts as nobody and holds nothing.
func TestExtrasOfAResourceServer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, root := w.platform(t)
		app, _, err := w.Register(t.Context(), root, w.resourceServer("Spend API"))
		if err != nil {
			t.Fatal(err)
		}
		got := must(w.Extras(t.Context(), root, []registry.AppID{app.ID}, registry.Columns()))(t)
		want := registry.Contact{FirstName: "Robin", LastName: "Root", Email: "root@platform.example"}
		if diff := cmp.Diff(map[registry.AppID]registry.Extra{app.ID: {Contact: want}}, got); diff != "" {
			t.Error(diff)
		}
	})
}
