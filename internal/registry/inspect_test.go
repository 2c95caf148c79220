package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/secret"
)

// TestInspect says what a pasted text is: whose secret, as far as the organisation may know, or what else.
func TestInspect(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		other, others := w.register(t, "Other")
		_, theirs := w.globexApp(t, "Theirs")
		gone, goneSecret := w.register(t, "Gone")
		if err := w.Delete(t.Context(), w.admin, gone.ID, w.deactivate(t, gone.ID).Version, "Gone"); err != nil {
			t.Fatal(err)
		}
		near := &registry.NearApp{ID: other.ID, Name: "Other", ClientID: other.ClientID}
		for text, want := range map[string]registry.Inspection{
			first.Secret.Reveal():       {Secret: first.ID},
			others.Secret.Reveal():      {Other: near},
			theirs.Secret.Reveal():      {},
			goneSecret.Secret.Reveal():  {},
			first.Secret.Reveal() + " ": {Flaw: secret.FlawSpaces},
			app.ClientID:                {Flaw: registry.FlawClientID},
			string(app.ID):              {Flaw: registry.FlawSecretID},
			"eyJhbGciOi.eyJpc3MiOi.x":   {Flaw: registry.FlawToken},
			"":                          {Flaw: secret.FlawPrefix},
		} {
			got := must(w.Inspect(t.Context(), w.viewer, app.ID, text))(t)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("inspection (-want +got):\n%s", diff)
			}
		}
		_, err := w.Inspect(t.Context(), w.nobody, app.ID, first.Secret.Reveal())
		wantCode(t, err, problem.Forbidden)
	})
}

// TestLocate finds the secret that somebody came across, for whoever may end it, in their own organisation.
func TestLocate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		w.rotate(t, app.ID, registry.Rotation{Reason: registry.Leaked, Old: first.ID})
		_, theirs := w.globexApp(t, "Theirs")
		for _, text := range []string{first.Secret.Reveal(), " " + first.Secret.Reveal() + "\n"} {
			id, secretID, err := w.Locate(t.Context(), w.admin, text)
			if err != nil || id != app.ID || secretID != first.ID {
				t.Errorf("found %s %s: %v", id, secretID, err)
			}
		}
		for text, key := range map[string]string{
			"": "app.locate.no_secret", app.ClientID: "app.locate.no_secret", first.Secret.Reveal()[:60]: "app.locate.no_secret",
			theirs.Secret.Reveal(): "app.locate.unknown",
		} {
			id, secretID, err := w.Locate(t.Context(), w.admin, text)
			wantFields(t, err, map[string]string{"client_secret": key})
			if id != "" || secretID != "" {
				t.Errorf("%s is told of", key)
			}
		}
		_, _, err := w.Locate(t.Context(), w.viewer, first.Secret.Reveal())
		wantCode(t, err, problem.Forbidden)
	})
}
