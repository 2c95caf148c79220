package signin_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/signin"
)

func (h *house) link(t *testing.T, p identity.Person) signin.Link {
	t.Helper()
	l, err := h.MakeSetupLink(t.Context(), operator(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (b *browser) spend(token signin.Secret, password string) (p identity.Person, err error) {
	b.visit(func(ctx context.Context, _ string) {
		p, err = b.h.SpendLink(ctx, token, signin.NewSecret(password), access.Origin{Address: b.from})
	})
	return p, err
}

func TestC46_SetupLink(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		jo := h.invited(t, h.acme, "jo@acme.example", identity.RoleViewer)
		link := h.link(t, jo)
		token := link.Token.Reveal()
		if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) != 32 {
			t.Errorf("a token of %d bytes, %v", len(raw), err)
		}
		if !link.ExpiresAt.Equal(h.clock.Now().Add(72 * time.Hour)) {
			t.Errorf("ends %v", link.ExpiresAt)
		}
		if n := h.count(t, "SELECT count(*) FROM setup_links WHERE token_hash LIKE ?", "%"+token+"%"); n != 0 {
			t.Error("the token stands in the table")
		}
		for range 3 { // mail scanners follow links
			if l, err := h.LinkPerson(t.Context(), link.Token); err != nil || l.Person.ID != jo.ID || !l.ExpiresAt.Equal(link.ExpiresAt) {
				t.Fatal(l, err)
			}
		}
		b := h.browser()
		_, err := b.spend(link.Token, "too short")
		wantFault(t, err, "too_short")
		_, err = b.spend(link.Token, "jo@acme.example and more")
		wantFault(t, err, "personal")
		if p, err := b.spend(link.Token, good); err != nil || p.ID != jo.ID {
			t.Fatalf("after two bad passwords: %v, %v", p, err)
		}
		if v := b.who(t); v.State != signin.SignedIn || v.Actor.ID != string(jo.ID) {
			t.Errorf("got %+v", v)
		}
		_, err = h.LinkPerson(t.Context(), link.Token)
		wantCode(t, err, problem.NotFound)
		_, err = h.browser().spend(link.Token, another)
		wantCode(t, err, problem.NotFound)
		if _, err := h.browser().try("jo@acme.example", good); err != nil {
			t.Error(err)
		}
		h.wantNoTrace(t, token, "jo@acme", good)
	})
}

// wantNoTrace fails when one of the texts stands in Acme's trail.
func (h *house) wantNoTrace(t *testing.T, texts ...string) {
	t.Helper()
	for _, e := range h.events(t, h.acme.ID) {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if strings.Contains(string(b), text) {
				t.Errorf("%q stands in %s", text, b)
			}
		}
	}
}

func TestLinkIsSpentOnceHoweverManyTry(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		jo := h.invited(t, h.acme, "jo@acme.example")
		link := h.link(t, jo)
		var mu sync.Mutex
		var won []string
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				password := good + strings.Repeat("!", i)
				_, err := h.browser().spend(link.Token, password)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won = append(won, password)
				case !problem.Is(err, problem.NotFound):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d spent it, want 1", len(won))
		}
		if _, err := h.browser().try("jo@acme.example", won[0]); err != nil {
			t.Errorf("the winner's password: %v", err)
		}
		var set int
		for _, e := range h.events(t, h.acme.ID) {
			if e.Action == "person.password" {
				set++
			}
		}
		if set != 1 {
			t.Errorf("%d events, want 1", set)
		}
	})
}

func TestLinksEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		ended := func(name string, link signin.Link) {
			t.Helper()
			before := h.Hashes()
			_, err := h.LinkPerson(t.Context(), link.Token)
			p := wantCode(t, err, problem.NotFound)
			_, err = h.browser().spend(link.Token, another)
			if q := wantCode(t, err, problem.NotFound); p.Key != q.Key || p.Key != "signin.link_ended" {
				t.Errorf("%s: %s, %s", name, p.Key, q.Key)
			}
			if h.Hashes() != before {
				t.Errorf("%s: hashed for nothing", name)
			}
		}
		for _, token := range []string{"", "x", strings.Repeat("a", 43), strings.Repeat("a", 10_000), "\x00", "\xff"} {
			ended("invented", signin.Link{Token: signin.NewSecret(token)})
		}
		first := h.link(t, ana)
		second := h.link(t, ana)
		ended("replaced", first)
		h.setPassword(t, ana, good)
		ended("password set otherwise", second)

		third := h.link(t, ana)
		h.clock.Advance(72*time.Hour - time.Microsecond)
		if _, err := h.LinkPerson(t.Context(), third.Token); err != nil {
			t.Errorf("just before the end: %v", err)
		}
		h.clock.Advance(time.Microsecond)
		ended("expired", third)

		fourth := h.link(t, ana)
		set := func(status identity.Status) {
			t.Helper()
			if err := h.people.SetPersonStatus(t.Context(), operator(), ana, status); err != nil {
				t.Fatal(err)
			}
		}
		set(identity.Inactive)
		ended("switched off", fourth)
		_, err := h.MakeSetupLink(t.Context(), operator(), ana.ID)
		wantCode(t, err, problem.Conflict)
		set(identity.Active)
		ended("switched on again", fourth)

		fifth := h.link(t, ana)
		if err := h.people.SuspendOrganisation(t.Context(), operator(), h.acme.ID); err != nil {
			t.Fatal(err)
		}
		ended("organisation suspended", fifth)
		_, err = h.MakeSetupLink(t.Context(), operator(), ana.ID)
		wantCode(t, err, problem.Conflict)
	})
}

func TestSpendingEndsWhatTheOldPasswordOpened(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		old := h.browser()
		old.signIn(t, "ana@acme.example")
		for range 10 { // strangers made the account wait
			_, _ = h.browser().try("ana@acme.example", another)
		}
		b := h.browser()
		if _, err := b.spend(h.link(t, ana).Token, another); err != nil {
			t.Fatal(err)
		}
		old.wantState(t, signin.Nobody)
		b.wantState(t, signin.SignedIn)
		if _, err := h.browser().try("ana@acme.example", another); err != nil {
			t.Errorf("the wait is over for who holds a link: %v", err)
		}
		_, err := h.browser().try("ana@acme.example", good)
		wantCode(t, err, problem.Unauthenticated)
	})
}

// Protocol.md §6: who holds a link can become the person, so it takes the person's power to make one.
func TestLinkTakesPowerOverThePerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.people.CreateRole(t.Context(), operator(), identity.NewRole{
			Organisation: h.acme.ID, Name: "Clerk", Rights: []access.Right{access.PeopleManage, access.AppsView},
		})
		if err != nil {
			t.Fatal(err)
		}
		clerk := h.actor(t, h.member(t, h.acme, "clerk@acme.example", "Clerk"))
		admin := h.member(t, h.acme, "admin@acme.example", identity.RoleAdministrator)
		guest := h.member(t, h.acme, "guest@acme.example")
		theirs := h.member(t, h.globex, "bo@globex.example")
		_, err = h.MakeSetupLink(t.Context(), clerk, admin.ID)
		wantCode(t, err, problem.Forbidden)
		if _, err := h.MakeSetupLink(t.Context(), clerk, guest.ID); err != nil {
			t.Errorf("a guest: %v", err)
		}
		_, err = h.MakeSetupLink(t.Context(), h.actor(t, guest), guest.ID)
		if p := wantCode(t, err, problem.Forbidden); p.Args["Right"] != "people.manage" {
			t.Errorf("names %v", p.Args["Right"])
		}
		_, err = h.MakeSetupLink(t.Context(), h.actor(t, admin), theirs.ID)
		foreign := wantCode(t, err, problem.NotFound)
		_, err = h.MakeSetupLink(t.Context(), h.actor(t, admin), identity.PersonID(database.NewID()))
		if unknown := wantCode(t, err, problem.NotFound); unknown.Key != foreign.Key {
			t.Errorf("another organisation's: %s, unknown: %s", foreign.Key, unknown.Key)
		}
		if n := h.count(t, "SELECT count(*) FROM setup_links"); n != 1 {
			t.Errorf("%d links, want 1", n)
		}
	})
}
