package registry_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// model is what must be true of one app, told as simply as can be: the judge of TestModel.
type model struct {
	active     bool
	generation int64
	secrets    []*modelSecret
	tokens     []modelToken
}

type modelSecret struct {
	shown   *registry.NewSecret
	ends    time.Time
	dead    bool // retired or leaked
	leaked  bool
	used    bool
	stopped time.Time // dead: since when
}

// stoppedAt is since when a secret that is not usable does not work.
func (s *modelSecret) stoppedAt() time.Time {
	if s.dead {
		return s.stopped
	}
	return s.ends
}

type modelToken struct {
	ref     registry.TokenRef
	expires time.Time
	revoked bool
}

func (s *modelSecret) usable(now time.Time) bool { return !s.dead && now.Before(s.ends) }

func (m *model) usable(now time.Time) []*modelSecret {
	var list []*modelSecret
	for _, s := range m.secrets {
		if s.usable(now) {
			list = append(list, s)
		}
	}
	return list
}

func (m *model) leaked(id registry.SecretID) bool {
	for _, s := range m.secrets {
		if s.shown.ID == id {
			return s.leaked
		}
	}
	return false
}

// Whatever is done to an app in whatever order, the same secrets and tokens work as in the model, on both databases.
func TestModel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			app, first := w.register(t, fmt.Sprintf("Model %d", n))
			now := w.clock.Now()
			run := &modelRun{w: w, app: app, model: model{active: true, generation: 1, secrets: []*modelSecret{{shown: first, ends: now.AddDate(1, 0, 0)}}}}
			for range rapid.IntRange(1, 8).Draw(r, "acts") {
				run.act(t, r)
				run.check(t, r)
			}
		})
	})
}

type modelRun struct {
	w     *world
	app   registry.App
	model model
}

func (run *modelRun) act(t *testing.T, r *rapid.T) {
	pick := func(what string) *modelSecret {
		return run.model.secrets[rapid.IntRange(0, len(run.model.secrets)-1).Draw(r, what)]
	}
	switch act := rapid.SampledFrom([]string{
		"rotate", "rotate", "retire", "leak", "wait", "switch", "buy", "buy", "revoke", "restore", "restore", "extend", "use",
	}).Draw(r, "act"); act {
	case "use":
		if s := pick("used"); run.model.active && s.usable(run.w.clock.Now()) {
			run.w.use(t, run.app, s.shown.ID, "192.0.2.1", 1)
			run.w.flush(t)
			s.used = true
		}
	case "restore":
		run.restore(t, r, pick("restored"))
	case "extend":
		run.extend(t, r, pick("extended"))
	case "rotate":
		var old *modelSecret
		if rapid.Bool().Draw(r, "names the old one") {
			old = pick("old")
		}
		run.rotate(t, r, old)
	case "retire":
		run.retire(t, r, pick("retired"))
	case "leak":
		s := pick("leaked")
		s.dead, s.leaked, s.stopped = true, true, run.w.clock.Now()
		if err := run.w.MarkLeaked(t.Context(), run.w.admin, run.app.ID, s.shown.ID); err != nil {
			r.Fatalf("leak: %v", err)
		}
	case "wait":
		run.w.clock.Advance(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 24 * time.Hour, 400 * 24 * time.Hour}).Draw(r, "wait"))
	case "switch":
		run.switchStatus(t, r)
	case "buy":
		s := pick("bought with")
		c, id, err := run.w.Authenticate(t.Context(), run.app.ClientID, s.shown.Secret.Reveal(), "")
		if err == nil {
			ref := registry.TokenRef{Generation: c.Generation, JTI: fmt.Sprint(run.app.ID, len(run.model.tokens)), Credential: id, APIUser: c.APIUser}
			run.model.tokens = append(run.model.tokens, modelToken{ref: ref, expires: run.w.clock.Now().Add(time.Hour)})
		}
	case "revoke":
		if n := len(run.model.tokens); n > 0 {
			token := &run.model.tokens[rapid.IntRange(0, n-1).Draw(r, "revoked")]
			token.revoked = true
			if err := run.w.RevokeToken(t.Context(), run.w.current(t, run.app), token.ref.JTI, token.expires); err != nil {
				r.Fatalf("revoke: %v", err)
			}
		}
	}
}

func (run *modelRun) rotate(t *testing.T, r *rapid.T, old *modelSecret) {
	now := run.w.clock.Now()
	usable := run.model.usable(now)
	ends := rapid.SampledFrom([]registry.EndChoice{"", registry.EndsNow, registry.EndsIn1Hour, registry.EndsIn24Hours}).Draw(r, "old ends")
	after := map[registry.EndChoice]time.Duration{"": 7 * 24 * time.Hour, registry.EndsIn1Hour: time.Hour, registry.EndsIn24Hours: 24 * time.Hour}[ends]
	n := registry.Rotation{Reason: registry.Planned, OldEnds: registry.End{Choice: ends}}
	want := problem.Code("")
	switch {
	case old != nil && !old.usable(now):
		want = problem.Invalid
	case len(usable) == 2 && (old == nil || after > 0 && (old.used || ends != "")):
		want = problem.Conflict
	case len(usable) == 2:
		after = 0 // nobody can miss a secret that was never used
	case old == nil && len(usable) == 1:
		old = usable[0]
	case old != nil:
	}
	if old != nil {
		n.Old = old.shown.ID
	}
	shown, err := run.w.Rotate(t.Context(), run.w.admin, run.app.ID, n)
	if problem.CodeOf(err) != want {
		r.Fatalf("rotate: %v, want %q", err, want)
	}
	if err != nil {
		return
	}
	if old != nil && now.Add(after).Before(expiryOf(old)) {
		old.ends = now.Add(after)
	}
	run.model.secrets = append(run.model.secrets, &modelSecret{shown: shown, ends: now.AddDate(1, 0, 0)})
}

func expiryOf(s *modelSecret) time.Time { return s.shown.ExpiresAt }

func (run *modelRun) retire(t *testing.T, r *rapid.T, s *modelSecret) {
	now := run.w.clock.Now()
	err := run.w.Retire(t.Context(), run.w.admin, run.app.ID, s.shown.ID)
	switch {
	case s.usable(now) && run.model.active && len(run.model.usable(now)) == 1:
		if !problem.Is(err, problem.Conflict) {
			r.Fatalf("retire the last one: %v", err)
		}
	case err != nil:
		r.Fatalf("retire: %v", err)
	case s.usable(now):
		s.dead, s.stopped = true, now
	}
}

// restore brings back a retired secret for 24 hours while it would be one of two at most.
func (run *modelRun) restore(t *testing.T, r *rapid.T, s *modelSecret) {
	now := run.w.clock.Now()
	usable := run.model.usable(now)
	want := problem.Code("")
	if s.leaked || !now.Before(expiryOf(s)) || !s.usable(now) && (len(usable) == 2 || !now.Before(s.stoppedAt().Add(24*time.Hour))) {
		want = problem.Conflict
	}
	if s.usable(now) {
		want = ""
	}
	if err := run.w.Restore(t.Context(), run.w.admin, run.app.ID, s.shown.ID); problem.CodeOf(err) != want {
		r.Fatalf("restore: %v, want %q", err, want)
	}
	if s.usable(now) || want != "" {
		return
	}
	s.dead, s.ends = false, expiryOf(s)
	for _, other := range usable {
		if run.index(other) > run.index(s) && now.Add(7*24*time.Hour).Before(s.ends) {
			s.ends = now.Add(7 * 24 * time.Hour)
		}
	}
}

// extend puts off the end of a secret that a rotation ends.
func (run *modelRun) extend(t *testing.T, r *rapid.T, s *modelSecret) {
	now := run.w.clock.Now()
	until := now.Add(time.Duration(rapid.IntRange(-1, 100).Draw(r, "days")) * 24 * time.Hour)
	want := problem.Code("")
	switch {
	case !s.usable(now) || !s.ends.Before(expiryOf(s)):
		want = problem.Conflict
	case !until.After(s.ends) || until.After(now.AddDate(0, 0, 90)) || until.After(expiryOf(s)):
		want = problem.Invalid
	}
	err := run.w.Extend(t.Context(), run.w.admin, run.app.ID, s.shown.ID, registry.End{Choice: registry.EndsOn, At: until})
	if problem.CodeOf(err) != want {
		r.Fatalf("extend: %v, want %q", err, want)
	}
	if want == "" {
		s.ends = until
	}
}

func (run *modelRun) index(s *modelSecret) int { return slices.Index(run.model.secrets, s) }

func (run *modelRun) switchStatus(t *testing.T, r *rapid.T) {
	act := run.w.Activate
	if run.model.active {
		act = run.w.Deactivate
		run.model.generation++
	}
	run.model.active = !run.model.active
	if _, err := act(t.Context(), run.w.admin, run.app.ID, run.w.app(t, run.app.ID).Version); err != nil {
		r.Fatalf("switch: %v", err)
	}
}

// check compares every secret and every token with the model.
func (run *modelRun) check(t *testing.T, r *rapid.T) {
	now := run.w.clock.Now()
	client := run.w.current(t, run.app)
	usable := run.model.usable(now)
	if got := run.w.app(t, run.app.ID); len(got.Usable()) != len(usable) || len(usable) > 2 || client.Generation != run.model.generation {
		r.Fatalf("%d usable, want %d; generation %d, want %d", len(got.Usable()), len(usable), client.Generation, run.model.generation)
	}
	for i, s := range run.model.secrets {
		if got, want := run.w.authenticates(t, run.app.ClientID, s.shown.Secret.Reveal()), run.model.active && s.usable(now); got != want {
			r.Fatalf("secret %d of %d works: %t, want %t", i, len(run.model.secrets), got, want)
		}
	}
	for i, token := range run.model.tokens {
		if !now.Before(token.expires) {
			continue // nothing is remembered about it, and nobody asks
		}
		want := token.ref.Generation == run.model.generation && !token.revoked && !run.model.leaked(token.ref.Credential)
		if got := client.TokenLives(token.ref); got != want {
			r.Fatalf("token %d lives: %t, want %t", i, got, want)
		}
	}
}
