package registry_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

var recipient = access.Origin{Address: "198.51.100.7", UserAgent: "browser", RequestID: "r1"}

func newHandOff(old *registry.NewSecret) registry.NewHandOff {
	n := registry.NewHandOff{Recipient: "Kim at SAP", Life: 24 * time.Hour, Reason: registry.Planned, OldEnds: registry.EndsIn24Hours}
	if old != nil {
		n.Old = old.ID
	}
	return n
}

// give makes a link for the app as the administrator.
func (w *world) give(t testing.TB, app registry.App, n registry.NewHandOff) (registry.HandOff, registry.LinkToken) {
	t.Helper()
	h, token, err := w.GiveHandOff(t.Context(), w.admin, app.ID, n)
	if err != nil {
		t.Fatal(err)
	}
	return h, token
}

// gone fails unless a link cannot be used, for this reason, and nothing changes by trying.
func (w *world) gone(t testing.TB, what string, token registry.LinkToken, code problem.Code, key string) {
	t.Helper()
	w.unchanged(t, func() {
		_, err := w.Offered(t.Context(), token)
		if p := wantCode(t, err, code); p.Key != key {
			t.Errorf("%s: looking at it: %s, want %s", what, p.Key, key)
		}
		_, _, err = w.SpendHandOff(t.Context(), token, recipient)
		if p := wantCode(t, err, code); p.Key != key {
			t.Errorf("%s: using it: %s, want %s", what, p.Key, key)
		}
	})
}

// A link makes the secret when it is used, with its giver as actor, once; the old one's end counts from then.
func TestHandOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		given, token := w.give(t, app, newHandOff(first))
		if e := w.lastEvent(t); e.Action != "app.hand_off" || e.After["hand_off"] != string(given.ID) || strings.Contains(fmt.Sprint(e), "Kim") {
			t.Errorf("event %+v", e)
		}
		if len(w.app(t, app.ID).Secrets) != 1 {
			t.Fatal("the link holds a secret")
		}
		w.clock.Advance(23 * time.Hour)
		offer, err := w.Offered(t.Context(), token)
		if err != nil || offer.App.Name != "Spend export" || offer.Recipient != "Kim at SAP" || offer.Giver != "Ana Silva" || offer.Old.ID != first.ID {
			t.Fatalf("%+v, %v", offer, err)
		}
		got, made, err := w.SpendHandOff(t.Context(), token, recipient)
		if err != nil || got.ID != app.ID {
			t.Fatal(err)
		}
		now := w.clock.Now()
		if !made.Old.EndsAt.Equal(now.Add(24*time.Hour)) || !made.ExpiresAt.Equal(now.AddDate(1, 0, 0)) {
			t.Errorf("the old one ends %v, the new one %v", made.Old.EndsAt, made.ExpiresAt)
		}
		for _, s := range []*registry.NewSecret{first, made} {
			if !w.authenticates(t, app.ClientID, s.Secret.Reveal()) {
				t.Errorf("…%s does not work", s.Hint)
			}
		}
		e := w.lastEvent(t)
		want := map[string]any{
			"secret": string(made.ID), "reason": "planned", "old_secret": string(first.ID), "hand_off": string(given.ID),
			"old_ends": now.Add(24 * time.Hour).Format(time.RFC3339),
		}
		if e.Action != "app.hand_off_spend" || e.ActorID != w.admin.ID || e.Origin != recipient || cmp.Diff(want, e.After) != "" {
			t.Errorf("event %+v", e)
		}
		w.gone(t, "used", token, problem.Gone, "hand_off.spent")

		list := must(w.HandOffs(t.Context(), w.admin, app.ID))(t)
		if len(list) != 1 || list[0].State != registry.HandOffSpent || list[0].SpentFrom != recipient.Address || list[0].MadeBy.Name != "Ana Silva" {
			t.Errorf("listed %+v", list)
		}
		h := must(w.History(t.Context(), w.viewer, app.ID, 0))(t)
		if c := h.Events[0].Changes; len(c) == 0 || !strings.Contains(fmt.Sprint(c), "Kim at SAP") || h.Events[0].Hint != made.Hint {
			t.Errorf("history says %+v", h.Events[0])
		}
	})
}

// The token is nowhere but in the answer (T3, protocol.md §3.6).
func TestHandOffTokenIsStoredAsAHash(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		_, token := w.give(t, app, newHandOff(first))
		var rows []map[string]any
		if err := w.db.Read(t.Context()).Table("hand_offs").Find(&rows).Error; err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		for _, text := range []string{fmt.Sprint(rows), fmt.Sprintf("%+v", w.events(t, w.acme)), fmt.Sprint(token), fmt.Sprintf("%#v", token), token.String()} {
			if strings.Contains(text, token.Reveal()) {
				t.Error("the token is there")
			}
		}
		if b, err := json.Marshal(token); err != nil || strings.Contains(string(b), token.Reveal()) || len(token.Reveal()) != 43 {
			t.Errorf("%s, %v", b, err)
		}
	})
}

func TestHandOffEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, token := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 10_000), "' OR 1=1 --"} {
			w.gone(t, "unknown", registry.NewLinkToken(token), problem.NotFound, "hand_off.unknown")
		}
		app, first := w.register(t, "Spend export")
		given, token := w.give(t, app, newHandOff(first))
		for range 2 {
			if err := w.WithdrawHandOff(t.Context(), w.admin, app.ID, given.ID); err != nil {
				t.Fatal(err)
			}
		}
		if e := w.lastEvent(t); e.Action != "app.hand_off_withdraw" || e.After["hand_off"] != string(given.ID) {
			t.Errorf("event %+v", e)
		}
		w.gone(t, "withdrawn", token, problem.Gone, "hand_off.withdrawn")

		_, token = w.give(t, app, newHandOff(first))
		now := w.deactivate(t, app.ID)
		w.gone(t, "of an app that was deactivated", token, problem.Gone, "hand_off.inactive")
		must(w.Activate(t.Context(), w.admin, app.ID, now.Version))(t)
		w.clock.Advance(24*time.Hour - time.Microsecond)
		if _, err := w.Offered(t.Context(), token); err != nil {
			t.Errorf("just before its end: %v", err)
		}
		w.clock.Advance(time.Microsecond)
		w.gone(t, "expired", token, problem.Gone, "hand_off.expired")

		_, token = w.give(t, app, newHandOff(first))
		now = w.deactivate(t, app.ID)
		if err := w.Delete(t.Context(), w.admin, app.ID, now.Version, "Spend export"); err != nil {
			t.Fatal(err)
		}
		w.gone(t, "of an app that was deleted", token, problem.NotFound, "hand_off.unknown")
		if n := value[int](t, w.db, "SELECT count(*) FROM hand_offs WHERE recipient <> '' OR spent_from <> ''"); n != 0 {
			t.Errorf("%d links of a deleted app tell of people", n)
		}
	})
}

// Whoever gave the link is asked for right and power again when it is used (protocol.md §3.7, §6).
func TestHandOffAsksTheGiverAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		manager := w.withRights(t, "Apps", access.AppsManage)
		app, first := w.register(t, "Spend export")
		give := func() registry.LinkToken {
			_, token, err := w.GiveHandOff(t.Context(), manager, app.ID, newHandOff(first))
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		token := give()
		f := w.fields("Spend export")
		f.Scopes = append(f.Scopes, "PM.RobotAccount")
		must(w.Edit(t.Context(), w.admin, app.ID, app.Version, f))(t)
		w.unchanged(t, func() {
			_, _, err := w.SpendHandOff(t.Context(), token, recipient)
			if p := wantCode(t, err, problem.Gone); p.Key != "hand_off.giver" {
				t.Errorf("the app has more than the giver holds: %s", p.Key)
			}
		})
		if e := w.lastEvent(t); e.Result != "refused" || e.ActorID != manager.ID || e.Origin.Address != recipient.Address {
			t.Errorf("the refusal is not recorded: %+v", e)
		}
		_, _, err := w.GiveHandOff(t.Context(), manager, app.ID, newHandOff(first))
		wantCode(t, err, problem.Forbidden)

		person := must(w.identity.Person(t.Context(), identity.PersonID(manager.ID)))(t)
		if err := w.identity.SetPersonStatus(t.Context(), w.operator(w.acme), person, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		w.gone(t, "of somebody who left", token, problem.Gone, "hand_off.giver")
	})
}

// What happened to the secrets meanwhile: the one that has ended is left alone, and so is one that is new; two that work
// leave the link as it was.
func TestHandOffAfterOtherChanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		_, token := w.give(t, app, newHandOff(first))
		second := w.rotate(t, app.ID, registry.Rotation{})
		_, _, err := w.SpendHandOff(t.Context(), token, recipient)
		if p := wantCode(t, err, problem.Conflict); p.Key != "app.secrets.two" {
			t.Errorf("with two that work: %s", p.Key)
		}
		if err := w.Retire(t.Context(), w.admin, app.ID, first.ID); err != nil {
			t.Fatal(err)
		}
		w.policy(t, identity.ExpiryRequired, 30, 0)
		_, made, err := w.SpendHandOff(t.Context(), token, recipient)
		if err != nil {
			t.Fatal(err)
		}
		if s := w.secretOf(t, app, second.ID); made.Old.ID != "" || s.State != registry.SecretActive {
			t.Errorf("it took over from %+v; the secret made meanwhile is %s", made.Old, s.State)
		}
		if !made.ExpiresAt.Equal(w.clock.Now().AddDate(0, 0, 30)) {
			t.Errorf("the policy of now is not obeyed: expires %v", made.ExpiresAt)
		}
	})
}

func TestHandOffRefusals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		for field, change := range map[string]func(*registry.NewHandOff){
			"recipient app.recipient.missing":    func(n *registry.NewHandOff) { n.Recipient = " " },
			"recipient app.recipient.too_long":   func(n *registry.NewHandOff) { n.Recipient = strings.Repeat("k", 121) },
			"recipient app.recipient.characters": func(n *registry.NewHandOff) { n.Recipient = "Kim\nBcc: all" },
			"recipient app.text.secret":          func(n *registry.NewHandOff) { n.Recipient = first.Secret.Reveal() },
			"life hand_off.life":                 func(n *registry.NewHandOff) { n.Life = 24*time.Hour + 1 },
			"life hand_off.life ":                func(n *registry.NewHandOff) { n.Life = 0 },
			"reason hand_off.leaked":             func(n *registry.NewHandOff) { n.Reason = registry.Leaked },
			"reason app.reason.choose":           func(n *registry.NewHandOff) { n.Reason = "" },
			"expires app.expires.choose":         func(n *registry.NewHandOff) { n.Expires = registry.ExpiresOn },
			"old_ends app.old_ends.choose":       func(n *registry.NewHandOff) { n.OldEnds = registry.EndsOn },
			"old app.old.unknown":                func(n *registry.NewHandOff) { n.Old = "nowhere" },
		} {
			n := newHandOff(first)
			change(&n)
			name, key, _ := strings.Cut(strings.TrimSpace(field), " ")
			_, _, err := w.GiveHandOff(t.Context(), w.admin, app.ID, n)
			t.Run(field, func(t *testing.T) { wantFields(t, err, map[string]string{name: key}) })
		}
		given, _ := w.give(t, app, newHandOff(first))
		other, _ := w.register(t, "Other")
		for name, tt := range map[string]struct {
			actor access.Actor
			app   registry.AppID
			want  problem.Code
		}{
			"viewer": {w.viewer, app.ID, problem.Forbidden}, "stranger": {w.globexAdmin, app.ID, problem.NotFound},
			"another app": {w.admin, other.ID, problem.NotFound},
		} {
			wantCode(t, w.WithdrawHandOff(t.Context(), tt.actor, tt.app, given.ID), tt.want)
			if name == "another app" {
				continue
			}
			_, err := w.HandOffs(t.Context(), tt.actor, tt.app)
			wantCode(t, err, tt.want)
			_, _, err = w.GiveHandOff(t.Context(), tt.actor, tt.app, newHandOff(first))
			wantCode(t, err, tt.want)
		}
		_, _, err := w.GiveHandOff(t.Context(), w.operator(w.acme), app.ID, newHandOff(first))
		wantCode(t, err, problem.Forbidden)
		for range 9 {
			w.give(t, app, newHandOff(first))
		}
		_, _, err = w.GiveHandOff(t.Context(), w.admin, app.ID, newHandOff(first))
		wantCode(t, err, problem.Conflict)
	})
}

// Of many who use a link at once one gets a secret (C55c).
func TestC55c_HandOffAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Contested")
		n := newHandOff(first)
		n.OldEnds = registry.EndsNow
		_, token := w.give(t, app, n)
		const many = 4
		shown := make([]*registry.NewSecret, many)
		errs := make([]error, many)
		atOnce(many, func(i int) { _, shown[i], errs[i] = w.SpendHandOff(t.Context(), token, recipient) })
		made := 0
		for i, err := range errs {
			switch {
			case err == nil:
				made++
				if !w.authenticates(t, app.ClientID, shown[i].Secret.Reveal()) {
					t.Error("the secret that was shown does not work")
				}
			case !problem.Is(err, problem.Gone):
				t.Error(err)
			}
		}
		if now := w.app(t, app.ID); made != 1 || len(now.Secrets) != 2 || len(now.Usable()) != 1 {
			t.Errorf("%d made, %d stored, %d usable", made, len(now.Secrets), len(now.Usable()))
		}
	})
}
