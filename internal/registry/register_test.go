package registry_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
)

func TestRegister(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.fields("  SAP spend export ")
		f.Scopes = []string{"core.invoice.read", "ccw.candidates", "core.invoice.read"}
		f.SecondContact = registry.Contact{FirstName: "Ana", LastName: "Silva", Email: "ana.silva@acme.example"}
		f.Description = "Line one of the text\r\nand line two."
		app, shown := w.registerFields(t, w.admin, f)

		stored := w.app(t, app.ID)
		if diff := cmp.Diff(stored, app, cmp.AllowUnexported(registry.App{})); diff != "" {
			t.Errorf("returned and stored differ:\n%s", diff)
		}
		year := w.clock.Now().AddDate(1, 0, 0)
		want := registry.App{
			ID: app.ID, Organisation: w.acme.ID, ClientID: app.ClientID, Kind: registry.Caller, Name: "SAP spend export",
			Description: "Line one of the text\nand line two.", Category: registry.Customer, Type: registry.Machine,
			CredentialType: registry.SharedSecret, APIUser: w.client,
			Contact:       registry.Contact{ID: stored.Contact.ID, FirstName: "Jo", LastName: "Weber", Email: "jo.weber@acme.example"},
			SecondContact: registry.Contact{ID: stored.SecondContact.ID, FirstName: "Ana", LastName: "Silva", Email: "ana.silva@acme.example"},
			Scopes:        []string{"ccw.candidates", "core.invoice.read"}, Status: registry.Active, Generation: 1,
			CreatedAt: w.clock.Now(), CreatedBy: author(w.admin), ModifiedAt: w.clock.Now(), ModifiedBy: author(w.admin),
			Version: 1,
			Secrets: []registry.Secret{{
				ID: shown.ID, Label: "2026-11", Hint: shown.Hint, Generation: 1, State: registry.SecretActive,
				ExpiresAt: year, EndsAt: year, CreatedAt: w.clock.Now(), CreatedBy: author(w.admin),
			}},
		}
		if diff := cmp.Diff(want, stored, cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
		if !regexp.MustCompile(`^CCWACME_[2-9a-km-np-z]{20}$`).MatchString(app.ClientID) {
			t.Errorf("client ID %q", app.ClientID)
		}
		if text := shown.Secret.Reveal(); !strings.HasSuffix(text, shown.Hint) || !w.authenticates(t, app.ClientID, text) {
			t.Error("the secret shown is not the app's")
		}
		wantEvent := audit.Event{
			ActorKind: access.KindPerson, ActorID: w.admin.ID, Action: "app.register", Result: audit.Done,
			Target: audit.Target{Kind: "app", ID: string(app.ID), Label: "SAP spend export"},
			After: map[string]any{
				"name": "SAP spend export", "description": want.Description, "category": "customer", "type": "machine",
				"credential_type": "secret", "contact": string(stored.Contact.ID), "second_contact": string(stored.SecondContact.ID),
				"api_user": string(w.client.ID), "scopes": []any{"ccw.candidates", "core.invoice.read"}, "status": "active",
				"client_id": app.ClientID, "secret": string(shown.ID),
			},
		}
		if diff := cmp.Diff(wantEvent, bare(w.lastEvent(t))); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
	})
}

func author(a access.Actor) registry.Author {
	return registry.Author{Kind: a.Kind, ID: a.ID, Name: a.Name}
}

// unexported chooses the fields that tests cannot see.
func unexported(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && strings.ToLower(field.Name()[:1]) == field.Name()[:1]
}

// bare is an event without what the trail itself adds.
func bare(e audit.Event) audit.Event {
	e.ID, e.Chain, e.Sequence, e.At = "", "", 0, time.Time{}
	return e
}

// Each field wrong in each way, alone: one fault of that field, and nothing is written.
func TestRegisterFaults(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(w *world, n *registry.NewApp)
		want  map[string]string
	}{
		{"no name", func(_ *world, n *registry.NewApp) { n.Name = " " }, fault("name", "app.name.missing")},
		{"short name", func(_ *world, n *registry.NewApp) { n.Name = "ab" }, fault("name", "app.name.too_short")},
		{"long name", func(_ *world, n *registry.NewApp) { n.Name = strings.Repeat("ä", 81) }, fault("name", "app.name.too_long")},
		{"line in name", func(_ *world, n *registry.NewApp) { n.Name = "two\nlines" }, fault("name", "app.name.characters")},
		{"NUL in name", func(_ *world, n *registry.NewApp) { n.Name = "a\x00bc" }, fault("name", "app.name.characters")},
		{"no UTF-8", func(_ *world, n *registry.NewApp) { n.Name = "abc\xff" }, fault("name", "app.name.characters")},
		{"no description", func(_ *world, n *registry.NewApp) { n.Description = "" }, fault("description", "app.description.missing")},
		{"short description", func(_ *world, n *registry.NewApp) { n.Description = "Too short" }, fault("description", "app.description.too_short")},
		{"long description", func(_ *world, n *registry.NewApp) { n.Description = strings.Repeat("x", 501) }, fault("description", "app.description.too_long")},
		{"bell in description", func(_ *world, n *registry.NewApp) { n.Description += "\a" }, fault("description", "app.description.characters")},
		{"no type", func(_ *world, n *registry.NewApp) { n.Type = "" }, fault("type", "app.type.choose")},
		{"web", func(_ *world, n *registry.NewApp) { n.Type = registry.Web }, fault("type", "app.type.planned")},
		{"device", func(_ *world, n *registry.NewApp) { n.Type = registry.Device }, fault("type", "app.type.planned")},
		{"no credential type", func(_ *world, n *registry.NewApp) { n.CredentialType = "x" }, fault("credential_type", "app.credential_type.choose")},
		{"key set", func(_ *world, n *registry.NewApp) { n.CredentialType = registry.KeySet }, fault("credential_type", "app.credential_type.planned")},
		{"no category", func(_ *world, n *registry.NewApp) { n.Category = "" }, fault("category", "app.category.choose")},
		{"other category", func(_ *world, n *registry.NewApp) { n.Category = "Customer" }, fault("category", "app.category.choose")},
		{"no contact", func(_ *world, n *registry.NewApp) { n.Contact = registry.Contact{} }, map[string]string{
			"contact_first_name": "app.contact_first_name.missing", "contact_last_name": "app.contact_last_name.missing",
			"contact_email": "app.contact_email.missing",
		}},
		{"contact's address", func(_ *world, n *registry.NewApp) { n.Contact.Email = "Jo <jo@acme.example>" }, fault("contact_email", "app.contact_email.invalid")},
		{"contact's long name", func(_ *world, n *registry.NewApp) { n.Contact.LastName = strings.Repeat("x", 81) }, fault("contact_last_name", "app.contact_last_name.too_long")},
		{"half a second contact", func(_ *world, n *registry.NewApp) { n.SecondContact.FirstName = "Ana" }, map[string]string{
			"second_contact_last_name": "app.contact_last_name.missing", "second_contact_email": "app.contact_email.missing",
		}},
		{"second contact's address", func(_ *world, n *registry.NewApp) {
			n.SecondContact = registry.Contact{FirstName: "Ana", LastName: "Silva", Email: "ana"}
		}, fault("second_contact_email", "app.contact_email.invalid")},
		{"no API user", func(_ *world, n *registry.NewApp) { n.APIUser = "" }, fault("api_user", "app.api_user.missing")},
		{"no ID", func(_ *world, n *registry.NewApp) { n.APIUser = "x' OR 1=1 --" }, fault("api_user", "app.api_user.unknown")},
		{"no scope", func(_ *world, n *registry.NewApp) { n.Scopes = nil }, fault("scopes", "app.scopes.missing")},
		{"unknown scope", func(_ *world, n *registry.NewApp) { n.Scopes = []string{"core.invoice.read", "core.nothing"} }, fault("scopes", "app.scopes.unknown")},
		{"misspelt scope", func(_ *world, n *registry.NewApp) { n.Scopes = []string{"ccw.candidate"} }, fault("scopes", "app.scopes.unknown")},
		{"sign-in scope", func(_ *world, n *registry.NewApp) { n.Scopes = []string{"openid"} }, fault("scopes", "app.scopes.withheld")},
		{"unserved scope", func(_ *world, n *registry.NewApp) { n.Scopes = []string{"PM.License"} }, fault("scopes", "app.scopes.withheld")},
		{"default API without scope", func(_ *world, n *registry.NewApp) { n.DefaultAPI = "ccw" }, fault("default_api", "app.default_api.choose")},
		{"own API as default", func(_ *world, n *registry.NewApp) {
			n.Scopes, n.DefaultAPI = []string{"registry.apps.read", "core.invoice.read"}, "credenza"
		}, fault("default_api", "app.default_api.choose")},
		{"expiry", func(_ *world, n *registry.NewApp) { n.Expires.Choice = "2y" }, fault("expires", "app.expires.choose")},
		{"no date", func(_ *world, n *registry.NewApp) { n.Expires.Choice = registry.ExpiresOn }, fault("expires", "app.date.missing")},
		{"past date", func(w *world, n *registry.NewApp) {
			n.Expires = registry.Expiry{Choice: registry.ExpiresOn, At: w.clock.Now()}
		}, fault("expires", "app.date.past")},
		{"far date", func(w *world, n *registry.NewApp) {
			n.Expires = registry.Expiry{Choice: registry.ExpiresOn, At: w.clock.Now().AddDate(10, 0, 1)}
		}, fault("expires", "app.date.too_far")},
		{"label", func(_ *world, n *registry.NewApp) { n.Label = strings.Repeat("x", 61) }, fault("label", "app.label.too_long")},
		{"line in label", func(_ *world, n *registry.NewApp) { n.Label = "a\nb" }, fault("label", "app.label.characters")},
		{"everything", func(_ *world, n *registry.NewApp) { *n = registry.NewApp{Expires: registry.Expiry{Choice: "x"}} }, map[string]string{
			"name": "app.name.missing", "description": "app.description.missing", "category": "app.category.choose",
			"type": "app.type.choose", "credential_type": "app.credential_type.choose",
			"contact_first_name": "app.contact_first_name.missing", "contact_last_name": "app.contact_last_name.missing",
			"contact_email": "app.contact_email.missing", "api_user": "app.api_user.missing", "scopes": "app.scopes.missing",
			"expires": "app.expires.choose",
		}},
	}
	each(t, func(t *testing.T, w *world) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				n := registry.NewApp{AppFields: w.fields("Test app")}
				tt.spoil(w, &n)
				w.unchanged(t, func() {
					_, shown, err := w.Register(t.Context(), w.admin, n)
					wantFields(t, err, tt.want)
					if shown != nil {
						t.Error("a secret came with the faults")
					}
				})
			})
		}
	})
}

// A secret that is pasted into any text is refused and stands nowhere, in an app that is made, changed or given another
// secret.
func TestSecretInATextIsRefused(t *testing.T) {
	fields := map[string]func(f *registry.AppFields, text string){
		"name":                      func(f *registry.AppFields, text string) { f.Name = text },
		"description":               func(f *registry.AppFields, text string) { f.Description = "The secret is\n" + text + "." },
		"contact_first_name":        func(f *registry.AppFields, text string) { f.Contact.FirstName = text },
		"contact_last_name":         func(f *registry.AppFields, text string) { f.Contact.LastName = text },
		"contact_email":             func(f *registry.AppFields, text string) { f.Contact.Email = text + "@acme.example" },
		"second_contact_first_name": func(f *registry.AppFields, text string) { f.SecondContact.FirstName = text },
		"second_contact_last_name":  func(f *registry.AppFields, text string) { f.SecondContact.LastName = text },
		"second_contact_email":      func(f *registry.AppFields, text string) { f.SecondContact.Email = text + "@acme.example" },
	}
	w := sqliteWorld(t)
	second := registry.Contact{FirstName: "Ana", LastName: "Silva", Email: "ana@acme.example"}
	f := w.fields("Spend export")
	f.SecondContact = second
	app, shown := w.registerFields(t, w.admin, f)
	text := shown.Secret.Reveal()
	for name, put := range fields {
		f := w.fields("Another")
		f.SecondContact = second
		put(&f, text)
		w.unchanged(t, func() {
			_, _, err := w.Register(t.Context(), w.admin, registry.NewApp{AppFields: f})
			wantFields(t, err, fault(name, "app.text.secret"))
			_, err = w.Edit(t.Context(), w.admin, app.ID, app.Version, f)
			wantFields(t, err, fault(name, "app.text.secret"))
		})
	}
	w.unchanged(t, func() {
		_, _, err := w.Register(t.Context(), w.admin, registry.NewApp{AppFields: w.fields("Another"), Label: text[:30]})
		wantFields(t, err, fault("label", "app.text.secret"))
		_, err = w.Rotate(t.Context(), w.admin, app.ID, registry.Rotation{Reason: registry.Planned, Label: strings.ToUpper(text)[:40]})
		wantFields(t, err, fault("label", "app.text.secret"))
	})
}

func fault(field, key string) map[string]string { return map[string]string{field: key} }

// Which API users a category offers, and that another organisation's is as unknown as one that is not there (C53).
func TestRegisterAPIUser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		plain := w.robot(t, "plain", identity.KindRobot)
		switchedOff := w.robot(t, "switched off", identity.KindClient)
		if err := w.identity.SetRobotStatus(t.Context(), w.admin, switchedOff, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		expired := must(w.identity.CreateRobot(t.Context(), w.admin, identity.NewRobot{
			Organisation: w.acme.ID, Name: "expired", Kind: identity.KindClient, ExpiresAt: w.clock.Now().Add(time.Hour),
		}))(t)
		w.clock.Advance(time.Hour)

		kinds := map[registry.Category]map[identity.RobotID]string{
			registry.Customer: {w.client.ID: "", w.supplier.ID: "category", w.msp.ID: "category"},
			registry.Supplier: {w.client.ID: "category", w.supplier.ID: "", w.msp.ID: "category"},
			registry.MSP:      {w.client.ID: "category", w.supplier.ID: "category", w.msp.ID: ""},
			registry.Partner:  {w.client.ID: "", w.supplier.ID: "", w.msp.ID: ""},
		}
		for category, users := range kinds {
			users[w.globexClient.ID] = "unknown"
			users[plain.ID] = "unknown"
			users["0190a1b2-0000-7000-8000-00000000000f"] = "unknown"
			users[switchedOff.ID] = "inactive"
			users[expired.ID] = "inactive"
			var offered []identity.RobotID
			for _, u := range must(w.APIUsers(t.Context(), w.admin))(t) {
				if slices.Contains(u.Categories, category) {
					offered = append(offered, u.ID)
				}
			}
			for id, what := range users {
				if slices.Contains(offered, id) != (what == "") {
					t.Errorf("%s offers %v, which has %q as user %s", category, offered, what, id)
				}
				f := w.fields("app " + string(category) + string(id))
				f.Category, f.APIUser = category, id
				_, _, err := w.Register(t.Context(), w.admin, registry.NewApp{AppFields: f, WithoutSecret: true})
				if what == "inactive" && category != registry.Customer && category != registry.Partner {
					what = "category"
				}
				if what == "" {
					if err != nil {
						t.Errorf("%s with %s: %v", category, id, err)
					}
					continue
				}
				wantFields(t, err, fault("api_user", "app.api_user."+what))
			}
		}
	})
}

func TestRegisterDefaultAPI(t *testing.T) {
	tests := map[string]struct {
		scopes     []string
		asked      string
		want       string
		candidates []string
	}{
		"one API":           {[]string{"core.invoice.read"}, "", "coupa-core", []string{"coupa-core"}},
		"asked for":         {[]string{"core.invoice.read", "ccw.candidates"}, "ccw", "ccw", []string{"ccw", "coupa-core"}},
		"left open":         {[]string{"core.invoice.read", "ccw.candidates"}, "", "", []string{"ccw", "coupa-core"}},
		"beside an own one": {[]string{"core.invoice.read", "registry.apps.read"}, "", "coupa-core", []string{"coupa-core"}},
		"own ones alone":    {[]string{"PM.RobotAccount.Read", "registry.apps.read"}, "", "", nil},
	}
	w := sqliteWorld(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.candidates, w.DefaultAPIs(tt.scopes), cmp.Transformer("empty", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
				t.Error(diff)
			}
			f := w.fields(name)
			f.Scopes, f.DefaultAPI = tt.scopes, tt.asked
			if app, _ := w.registerFields(t, w.admin, f); app.DefaultAPI != tt.want {
				t.Errorf("default API %q, want %q", app.DefaultAPI, tt.want)
			}
		})
	}
}

func TestRegisterExpiry(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		now := w.clock.Now()
		own := time.Date(2027, 3, 1, 12, 0, 0, 999, time.FixedZone("CET", 3600))
		for choice, want := range map[registry.ExpiryChoice]time.Time{
			"": now.AddDate(1, 0, 0), registry.Expires90Days: now.AddDate(0, 0, 90), registry.Expires180Days: now.AddDate(0, 0, 180),
			registry.Expires1Year: now.AddDate(1, 0, 0), registry.ExpiresNever: {}, registry.ExpiresOn: own.UTC().Truncate(time.Microsecond),
		} {
			n := registry.NewApp{AppFields: w.fields("expires " + string(choice)), Expires: registry.Expiry{Choice: choice, At: own}, Label: "mine"}
			app, shown, err := w.Register(t.Context(), w.admin, n)
			if err != nil {
				t.Fatal(err)
			}
			s := w.app(t, app.ID).Secrets[0]
			if !s.EndsAt.Equal(want) || !s.ExpiresAt.Equal(want) || !shown.ExpiresAt.Equal(want) || s.Label != "mine" {
				t.Errorf("%q: secret ends %v, shown %v, want %v", choice, s.EndsAt, shown.ExpiresAt, want)
			}
		}
		offer, err := w.ExpiryOptions(t.Context(), w.acme.ID)
		if err != nil || len(offer.Options) != 5 || offer.Default != registry.Expires1Year || !offer.Earliest.Equal(now) || !offer.Latest.Equal(now.AddDate(10, 0, 0)) {
			t.Errorf("offers %+v, %v", offer, err)
		}
	})
}

func TestRegisterWithoutSecret(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := registry.NewApp{AppFields: w.fields("No secret"), WithoutSecret: true, Expires: registry.Expiry{Choice: "nonsense"}}
		n.Active = false
		app, shown, err := w.Register(t.Context(), w.operator(w.acme), n)
		if err != nil || shown != nil || len(app.Secrets) != 0 || app.Status != registry.Inactive {
			t.Fatalf("%+v, %v, %v", app, shown, err)
		}
		if stored := w.app(t, app.ID); stored.CreatedBy.Name != "operator:root" || len(stored.Secrets) != 0 {
			t.Errorf("stored %+v", stored)
		}
		made := w.rotate(t, app.ID, registry.Rotation{})
		if made.Old.ID != "" || w.authenticates(t, app.ClientID, made.Secret.Reveal()) {
			t.Error("the first secret of an inactive app took over from another, or works")
		}
	})
}

// A name is compared folded; the fault leads to the app that has it; another organisation's app is in nobody's way.
func TestRegisterDuplicateName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.globexApp(t, "Spend export")
		first, _ := w.register(t, "Spend export")
		for _, name := range []string{"Spend export", "SPEND  EXPORT", "Ｓpend export", "spend\u200b export"} {
			_, _, err := w.Register(t.Context(), w.admin, registry.NewApp{AppFields: w.fields(name)})
			p := wantFields(t, err, fault("name", "app.name.taken"))
			if p.Fields[0].Args["App"] != string(first.ID) {
				t.Errorf("%q: the fault leads to %v", name, p.Fields[0].Args)
			}
		}
	})
}
