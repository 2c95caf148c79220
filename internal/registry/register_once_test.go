package registry_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// Two at once who take the same name: one app, and the other is told of it.
func TestRegisterSameNameAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const many = 6
		errs := make([]error, many)
		ids := make([]registry.AppID, many)
		atOnce(many, func(i int) {
			app, _, err := w.Register(t.Context(), w.admin, registry.NewApp{AppFields: w.fields("Same name")})
			ids[i], errs[i] = app.ID, err
		})
		var winner registry.AppID
		for i, err := range errs {
			if err == nil && winner != "" {
				t.Fatal("two apps of one name")
			}
			if err == nil {
				winner = ids[i]
			}
		}
		for _, err := range errs {
			if err == nil {
				continue
			}
			p := wantFields(t, err, fault("name", "app.name.taken"))
			if p.Fields[0].Args["App"] != string(winner) {
				t.Errorf("the fault leads to %v, not to %s", p.Fields[0].Args, winner)
			}
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM apps"); n != 1 || winner == "" {
			t.Errorf("%d apps", n)
		}
	})
}

// A form that is sent again makes nothing and shows nothing (C13).
func TestC13_RegisterTwiceWithOneForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := registry.NewApp{AppFields: w.fields("Once only"), Nonce: "nonce of a form"}
		app, _, err := w.Register(t.Context(), w.admin, n)
		if err != nil {
			t.Fatal(err)
		}
		w.unchanged(t, func() {
			_, shown, err := w.Register(t.Context(), w.admin, n)
			if p := wantCode(t, err, problem.Gone); p.Key != registry.KeySecretShown || p.Args["App"] != string(app.ID) || shown != nil {
				t.Errorf("got %v %v", p, p.Args)
			}
		})
		n.Name = "Another app" // another person's form with the same text as nonce is another form
		if _, _, err := w.Register(t.Context(), w.operator(w.acme), n); err != nil {
			t.Error(err)
		}
		bad := registry.NewApp{AppFields: w.fields(""), Nonce: "second form"}
		_, _, err = w.Register(t.Context(), w.admin, bad)
		wantCode(t, err, problem.Invalid)
		bad.Name = "Corrected"
		if _, _, err := w.Register(t.Context(), w.admin, bad); err != nil {
			t.Errorf("a form with faults spent its nonce: %v", err)
		}
	})
}

func TestRegisterSameFormAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const many = 6
		errs := make([]error, many)
		atOnce(many, func(i int) {
			n := registry.NewApp{AppFields: w.fields("Same form"), Nonce: "one nonce"}
			_, _, errs[i] = w.Register(t.Context(), w.admin, n)
		})
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else if code := problem.CodeOf(err); code != problem.Gone && code != problem.Invalid { // the name may be seen first
				t.Error(err)
			}
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM apps"); made != 1 || n != 1 {
			t.Errorf("%d answers with a secret, %d apps", made, n)
		}
	})
}

// A client ID that is taken is not given again, also when its app is deleted: another is made.
func TestRegisterNeverGivesAClientIDTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		same, other := bytes.Repeat([]byte{7}, 20), bytes.Repeat([]byte{9}, 20)
		deps := w.deps
		deps.Random = bytes.NewReader(slices.Concat(same, same, same, other, same))
		w.Registry = must(registry.New(deps))(t)

		first, _ := w.register(t, "First app")
		app := w.deactivate(t, first.ID)
		if err := w.Delete(t.Context(), w.admin, app.ID, app.Version, app.Name); err != nil {
			t.Fatal(err)
		}
		second, shown := w.register(t, "Second app")
		if first.ClientID != "CCWACME_"+strings.Repeat("9", 20) || second.ClientID != "CCWACME_"+strings.Repeat("b", 20) {
			t.Errorf("client IDs %s and %s", first.ClientID, second.ClientID)
		}
		if !w.authenticates(t, second.ClientID, shown.Secret.Reveal()) {
			t.Error("the secret was not made for the client ID that was given in the end")
		}
		_, _, err := w.Register(t.Context(), w.admin, registry.NewApp{AppFields: w.fields("Third app")})
		if !problem.Is(err, problem.Internal) {
			t.Errorf("without random bytes: %v", err)
		}
	})
}

// Without randomness there is no secret and no row (C15).
func TestC15_NoRandomnessNoApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Before")
		deps := w.deps
		deps.Keys = w.deps.Keys.WithRandom(broken{})
		w.Registry = must(registry.New(deps))(t)
		w.unchanged(t, func() {
			if _, _, err := w.Register(t.Context(), w.admin, registry.NewApp{AppFields: w.fields("After")}); !problem.Is(err, problem.Internal) {
				t.Errorf("register: %v", err)
			}
			if _, err := w.Rotate(t.Context(), w.admin, app.ID, registry.Rotation{Reason: registry.Lost}); !problem.Is(err, problem.Internal) {
				t.Errorf("rotate: %v", err)
			}
		})
	})
}
