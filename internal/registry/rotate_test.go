package registry_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// Both secrets work until the old one's end, then the new one alone; a third is refused while two work (C16).
func TestC16_UI6_Rotate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		w.clock.Advance(time.Minute)
		second := w.rotate(t, app.ID, registry.Rotation{Label: "second", OldEnds: registry.End{Choice: registry.EndsIn1Hour}})
		works := func(what string, want ...bool) {
			t.Helper()
			got := []bool{w.authenticates(t, app.ClientID, first.Secret.Reveal()), w.authenticates(t, app.ClientID, second.Secret.Reveal())}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: old and new (-want +got):\n%s", what, diff)
			}
		}
		works("during the overlap", true, true)
		if second.Old.ID != first.ID || !second.Old.EndsAt.Equal(w.clock.Now().Add(time.Hour)) || second.ClientID != app.ClientID {
			t.Errorf("shown %+v", second)
		}
		w.unchanged(t, func() {
			_, err := w.Rotate(t.Context(), w.admin, app.ID, registry.Rotation{Reason: registry.Planned})
			p := wantCode(t, err, problem.Conflict)
			two, _ := p.Args["Secrets"].([]registry.Secret)
			if len(two) != 2 || two[0].ID != first.ID || two[1].ID != second.ID {
				t.Errorf("the conflict lists %+v", p.Args)
			}
		})
		w.clock.Advance(time.Hour - time.Microsecond)
		works("just before the end", true, true)
		w.clock.Advance(time.Microsecond)
		works("at the end", false, true)

		third := w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsNow}})
		works("ended at once", false, false)
		if !w.authenticates(t, app.ClientID, third.Secret.Reveal()) {
			t.Error("the third secret does not work")
		}
		states := map[string]registry.SecretState{}
		for _, s := range w.app(t, app.ID).Secrets {
			states[s.Hint] = s.State
		}
		want := map[string]registry.SecretState{
			first.Hint: registry.SecretRetired, second.Hint: registry.SecretRetired, third.Hint: registry.SecretActive,
		}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Error(diff)
		}
		if got := w.app(t, app.ID); got.Version != app.Version || got.Generation != app.Generation {
			t.Errorf("rotation made version %d and generation %d", got.Version, got.Generation)
		}
	})
}

func TestRotateEvent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		made := w.rotate(t, app.ID, registry.Rotation{Reason: registry.Lost})
		want := audit.Event{
			ActorKind: access.KindPerson, ActorID: w.admin.ID, Action: "app.rotate", Result: audit.Done,
			Target: audit.Target{Kind: "app", ID: string(app.ID), Label: "Spend export"},
			After: map[string]any{
				"secret": string(made.ID), "reason": "lost", "old_secret": string(first.ID),
				"old_ends": w.clock.Now().Add(7 * 24 * time.Hour).Format(time.RFC3339),
			},
		}
		if diff := cmp.Diff(want, bare(w.lastEvent(t))); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
	})
}

// Two at once who rotate make exactly one new secret each as long as there is room: never more than two usable, and no
// secret that was shown is lost (C55c).
func TestC55c_RotateAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			app, first := w.register(t, fmt.Sprintf("Contested %d", round))
			const many = 4
			shown := make([]*registry.NewSecret, many)
			errs := make([]error, many)
			atOnce(many, func(i int) {
				shown[i], errs[i] = w.Rotate(t.Context(), w.admin, app.ID, registry.Rotation{Reason: registry.Planned})
			})
			made := 0
			for i, err := range errs {
				switch {
				case err == nil:
					made++
					if !w.authenticates(t, app.ClientID, shown[i].Secret.Reveal()) {
						t.Error("a secret that was shown does not work")
					}
				case !problem.Is(err, problem.Conflict):
					t.Error(err)
				}
			}
			now := w.app(t, app.ID)
			if usable := now.Usable(); made != 1 || len(usable) != 2 || len(now.Secrets) != 2 {
				t.Fatalf("%d made, %d usable of %d", made, len(usable), len(now.Secrets))
			}
			if !w.authenticates(t, app.ClientID, first.Secret.Reveal()) {
				t.Error("the first secret does not work")
			}
		}
	})
}

// Where each of two ends the old secret now, both make one and the last one made works.
func TestC55c_RotateNowAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Contested")
		const many = 4
		shown := make([]*registry.NewSecret, many)
		atOnce(many, func(i int) {
			n := registry.Rotation{Reason: registry.Lost, OldEnds: registry.End{Choice: registry.EndsNow}}
			var err error
			if shown[i], err = w.Rotate(t.Context(), w.admin, app.ID, n); err != nil {
				t.Error(err)
			}
		})
		now := w.app(t, app.ID)
		if len(now.Secrets) != many+1 || len(now.Usable()) != 1 {
			t.Fatalf("%d secrets, %d usable", len(now.Secrets), len(now.Usable()))
		}
		for _, s := range shown {
			if works := w.authenticates(t, app.ClientID, s.Secret.Reveal()); works != (s.ID == now.Usable()[0].ID) {
				t.Errorf("secret …%s works: %t", s.Hint, works)
			}
		}
	})
}

// C13: a form that is sent again makes no second secret, whoever is quicker.
func TestC13_RotateTwiceWithOneForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Once only")
		const many = 4
		n := registry.Rotation{Reason: registry.Lost, OldEnds: registry.End{Choice: registry.EndsNow}, Nonce: "a nonce"}
		errs := make([]error, many)
		atOnce(many, func(i int) { _, errs[i] = w.Rotate(t.Context(), w.admin, app.ID, n) })
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
				continue
			}
			if p := wantCode(t, err, problem.Gone); p.Key != registry.KeySecretShown || p.Args["App"] != string(app.ID) {
				t.Errorf("got %v %v", p, p.Args)
			}
		}
		if got := w.app(t, app.ID); made != 1 || len(got.Secrets) != 2 {
			t.Errorf("%d made, %d secrets", made, len(got.Secrets))
		}
	})
}

// A leaked secret ends now whatever the form says, and its tokens with it; the other secret is untouched.
func TestRotateLeaked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Leaky")
		second := w.rotate(t, app.ID, registry.Rotation{})
		leaked := registry.Rotation{Reason: registry.Leaked, OldEnds: registry.End{Choice: registry.EndsIn30Days}}
		w.unchanged(t, func() {
			_, err := w.Rotate(t.Context(), w.admin, app.ID, leaked)
			wantFields(t, err, fault("old", "app.old.choose"))
		})
		leaked.Old = second.ID
		third := w.rotate(t, app.ID, leaked)
		for text, want := range map[string]bool{
			first.Secret.Reveal(): true, second.Secret.Reveal(): false, third.Secret.Reveal(): true,
		} {
			if got := w.authenticates(t, app.ClientID, text); got != want {
				t.Errorf("secret …%s works: %t", text[len(text)-4:], got)
			}
		}
		if !third.Old.EndsAt.Equal(w.clock.Now()) || w.lastEvent(t).Action != "app.leak" {
			t.Errorf("old %+v, event %s", third.Old, w.lastEvent(t).Action)
		}
		client := must(w.Client(t.Context(), app.ClientID))(t)
		for id, want := range map[registry.SecretID]bool{first.ID: true, second.ID: false, third.ID: true} {
			token := registry.TokenRef{Generation: 1, JTI: "x", Credential: id, APIUser: w.client.ID}
			if client.TokenLives(token) != want {
				t.Errorf("token bought with %s lives: %t", id, !want)
			}
		}
		// One that ended before can leak all the same.
		w.clock.Advance(8 * 24 * time.Hour)
		w.rotate(t, app.ID, registry.Rotation{Reason: registry.Leaked, Old: first.ID})
		if s, _ := find(w.app(t, app.ID), first.ID); s.State != registry.SecretLeaked {
			t.Errorf("state %s", s.State)
		}
	})
}

func find(app registry.App, id registry.SecretID) (registry.Secret, bool) { return app.Secret(id) }

func TestRotateFaults(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Faults")
		other, others := w.register(t, "Other app")
		_, globex := w.globexApp(t, "Globex app")
		now := w.clock.Now()
		for name, tt := range map[string]struct {
			n    registry.Rotation
			want map[string]string
		}{
			"no reason":     {registry.Rotation{}, fault("reason", "app.reason.choose")},
			"label":         {registry.Rotation{Reason: registry.Lost, Label: "a\tb"}, fault("label", "app.label.characters")},
			"expiry":        {registry.Rotation{Reason: registry.Lost, Expires: registry.Expiry{Choice: "soon"}}, fault("expires", "app.expires.choose")},
			"end":           {registry.Rotation{Reason: registry.Lost, OldEnds: registry.End{Choice: "2h"}}, fault("old_ends", "app.old_ends.choose")},
			"no date":       {registry.Rotation{Reason: registry.Lost, OldEnds: registry.End{Choice: registry.EndsOn}}, fault("old_ends", "app.date.missing")},
			"past date":     {registry.Rotation{Reason: registry.Lost, OldEnds: registry.End{Choice: registry.EndsOn, At: now}}, fault("old_ends", "app.date.past")},
			"far date":      {registry.Rotation{Reason: registry.Lost, OldEnds: registry.End{Choice: registry.EndsOn, At: now.AddDate(0, 0, 91)}}, fault("old_ends", "app.date.too_far")},
			"unknown old":   {registry.Rotation{Reason: registry.Lost, Old: "nonsense"}, fault("old", "app.old.unknown")},
			"another app's": {registry.Rotation{Reason: registry.Lost, Old: others.ID}, fault("old", "app.old.unknown")},
			"Globex's":      {registry.Rotation{Reason: registry.Leaked, Old: globex.ID}, fault("old", "app.old.unknown")},
			"all at once": {registry.Rotation{Label: "\n", Expires: registry.Expiry{Choice: "x"}, OldEnds: registry.End{Choice: "x"}, Old: "x"}, map[string]string{
				"reason": "app.reason.choose", "expires": "app.expires.choose", "old_ends": "app.old_ends.choose", "old": "app.old.unknown",
			}},
		} {
			t.Run(name, func(t *testing.T) {
				w.unchanged(t, func() {
					_, err := w.Rotate(t.Context(), w.admin, app.ID, tt.n)
					wantFields(t, err, tt.want)
				})
			})
		}
		if !w.authenticates(t, app.ClientID, first.Secret.Reveal()) || !w.authenticates(t, other.ClientID, others.Secret.Reveal()) {
			t.Error("a refused rotation ended a secret")
		}
	})
}

// The old secret's end: bounded by its own expiry, and able to be put off while two work.
func TestRotateOldEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		now := w.clock.Now()
		on := now.AddDate(0, 0, 60)
		for choice, want := range map[registry.EndChoice]time.Time{
			"": now.AddDate(0, 0, 7), registry.EndsNow: now, registry.EndsIn1Hour: now.Add(time.Hour),
			registry.EndsIn24Hours: now.Add(24 * time.Hour), registry.EndsIn7Days: now.AddDate(0, 0, 7),
			registry.EndsIn30Days: now.AddDate(0, 0, 30), registry.EndsOn: on,
		} {
			app, first := w.register(t, "ends "+string(choice))
			made := w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: choice, At: on}})
			s, _ := find(w.app(t, app.ID), first.ID)
			if !s.EndsAt.Equal(want) || !made.Old.EndsAt.Equal(want) {
				t.Errorf("%q: ends %v, shown %v, want %v", choice, s.EndsAt, made.Old.EndsAt, want)
			}
		}
		soon := now.Add(time.Hour)
		n := registry.NewApp{AppFields: w.fields("Expires soon"), Expires: registry.Expiry{Choice: registry.ExpiresOn, At: soon}}
		app, _, err := w.Register(t.Context(), w.admin, n)
		if err != nil {
			t.Fatal(err)
		}
		if made := w.rotate(t, app.ID, registry.Rotation{}); !made.Old.EndsAt.Equal(soon) {
			t.Errorf("the old secret is said to end %v, after its expiry", made.Old.EndsAt)
		}
		options, earliest, latest := w.EndOptions()
		if len(options) != 6 || !earliest.Equal(now) || !latest.Equal(now.AddDate(0, 0, 90)) {
			t.Errorf("options %v from %v to %v", options, earliest, latest)
		}
	})
}

// With two usable, the one that is named may end now to make room.
func TestRotateReplacesOneOfTwo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Two")
		second := w.rotate(t, app.ID, registry.Rotation{})
		w.use(t, app, second.ID, "192.0.2.1", 1)
		w.flush(t)
		_, err := w.Rotate(t.Context(), w.admin, app.ID, registry.Rotation{
			Reason: registry.Planned, Old: second.ID, OldEnds: registry.End{Choice: registry.EndsIn1Hour},
		})
		wantCode(t, err, problem.Conflict)
		third := w.rotate(t, app.ID, registry.Rotation{Old: second.ID, OldEnds: registry.End{Choice: registry.EndsNow}})
		for text, want := range map[string]bool{
			first.Secret.Reveal(): true, second.Secret.Reveal(): false, third.Secret.Reveal(): true,
		} {
			if got := w.authenticates(t, app.ClientID, text); got != want {
				t.Errorf("secret …%s works: %t", text[len(text)-4:], got)
			}
		}
	})
}

// A secret that was never used makes room by itself when it is named, since nobody can miss it (protocol.md §3.5).
func TestRotateReplacesOneNeverUsed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Missed the page")
		w.use(t, app, first.ID, "192.0.2.1", 1)
		w.flush(t)
		missed := w.rotate(t, app.ID, registry.Rotation{})
		made := w.rotate(t, app.ID, registry.Rotation{Old: missed.ID})
		if made.Old.ID != missed.ID || !made.Old.EndsAt.Equal(w.clock.Now()) {
			t.Errorf("took over from %+v", made.Old)
		}
		for _, s := range []*registry.NewSecret{first, missed, made} {
			if works := w.authenticates(t, app.ClientID, s.Secret.Reveal()); works != (s != missed) {
				t.Errorf("…%s works: %t", s.Hint, works)
			}
		}
		if s := w.secretOf(t, app, first.ID); s.State != registry.SecretEnding {
			t.Errorf("the secret that is in use is %s", s.State)
		}
		_, err := w.Rotate(t.Context(), w.admin, app.ID, registry.Rotation{Reason: registry.Planned})
		wantCode(t, err, problem.Conflict)
	})
}

// However often the newest of two is replaced, the two never come to stand in one slot, where a presented secret could
// mean either.
func TestRotateKeepsSlotsApart(t *testing.T) {
	w := sqliteWorld(t)
	app, first := w.register(t, "Slots")
	last := w.rotate(t, app.ID, registry.Rotation{OldEnds: registry.End{Choice: registry.EndsOn, At: w.clock.Now().AddDate(0, 0, 90)}})
	for range 65 {
		last = w.rotate(t, app.ID, registry.Rotation{Old: last.ID, OldEnds: registry.End{Choice: registry.EndsNow}})
		if !w.authenticates(t, app.ClientID, last.Secret.Reveal()) || !w.authenticates(t, app.ClientID, first.Secret.Reveal()) {
			t.Fatal("one of the two does not work")
		}
	}
	if s, _ := find(w.app(t, app.ID), last.ID); s.Generation != 1+1+65+1 { // one number was passed over
		t.Errorf("generation %d", s.Generation)
	}
}
