package registry_test

import (
	"testing"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/registry"
)

// TestAPIUse: apps count once however many of the scopes they hold, deleted ones not; who keeps the shared catalogue counts
// those of every organisation.
func TestAPIUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		with := func(name string, scopes ...string) registry.App {
			f := w.fields(name)
			f.Scopes = scopes
			app, _ := w.registerFields(t, w.admin, f)
			return app
		}
		with("Order mirror", "core.invoice.read", "core.invoice.write")
		gone := with("Gone", "core.user.read")
		w.globexApp(t, "Theirs") // holds core.invoice.read
		if err := w.Delete(t.Context(), w.admin, gone.ID, w.deactivate(t, gone.ID).Version, "Gone"); err != nil {
			t.Fatal(err)
		}
		keeper := w.admin
		keeper.Rights = access.NewSet(access.CatalogueManage)
		both := []string{"core.invoice.read", "core.invoice.write", "core.user.read"}
		for _, test := range []struct {
			actor  access.Actor
			api    string
			scopes []string
			want   int
		}{
			{w.admin, "", both, 1},
			{w.globexAdmin, "", both, 1},
			{keeper, "", both, 2},
			{keeper, "coupa-core", nil, 0},
			{keeper, "", []string{"core.user.read"}, 0},
		} {
			if n, err := w.APIUse(t.Context(), test.actor, test.api, test.scopes); err != nil || n != test.want {
				t.Errorf("%s %q %v: %d, %v; want %d", test.actor.Name, test.api, test.scopes, n, err, test.want)
			}
		}
	})
}
