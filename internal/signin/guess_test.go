package signin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func TestC47_RefusalsAreAlike(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		h.invited(t, h.acme, "invited@acme.example")
		off := h.member(t, h.acme, "off@acme.example")
		if err := h.people.SetPersonStatus(t.Context(), operator(), off, identity.Inactive); err != nil {
			t.Fatal(err)
		}
		h.member(t, h.globex, "bo@globex.example")
		if err := h.people.SuspendOrganisation(t.Context(), operator(), h.globex.ID); err != nil {
			t.Fatal(err)
		}
		attempts := map[string][2]string{
			"wrong":                   {"ana@acme.example", another},
			"empty password":          {"ana@acme.example", ""},
			"endless password":        {"ana@acme.example", strings.Repeat("x", 60_000)},
			"unknown":                 {"nobody@acme.example", good},
			"invited":                 {"invited@acme.example", good},
			"invited, empty password": {"invited@acme.example", ""},
			"inactive":                {"off@acme.example", good},
			"suspended organisation":  {"bo@globex.example", good},
			"no address":              {"ana", good},
			"empty address":           {"", good},
			"NUL":                     {"ana\x00@acme.example", good},
			"no UTF-8":                {"ana\xff@acme.example", good},
			"two lines":               {"ana@acme.example\nbo@acme.example", good},
			"injection":               {"' OR '1'='1", good},
			"endless address":         {strings.Repeat("a", 60_000) + "@acme.example", good},
		}
		want := wantCode(t, problem.New(problem.Unauthenticated, "signin.wrong"), problem.Unauthenticated)
		i := 0
		for name, a := range attempts {
			t.Run(name, func(t *testing.T) {
				i++
				b := h.browser()
				b.from = fmt.Sprintf("198.51.100.%d", i)
				before := h.Hashes()
				_, err := b.try(a[0], a[1])
				if diff := cmp.Diff(want, problem.As(err)); diff != "" {
					t.Error(diff)
				}
				if n := h.Hashes() - before; n != 1 {
					t.Errorf("%d hashes, want 1", n)
				}
				if b.cookie != "" {
					t.Error("a refusal set a cookie")
				}
			})
		}
	})
}

func TestC48_OneAccountManyPasswords(t *testing.T) {
	clock, h := sqliteHouse(t)
	h.member(t, h.acme, "ana@acme.example")
	var refused, limited int
	for i := range 200 {
		b := h.browser()
		b.from = fmt.Sprintf("2001:db8:%x::1", i) // a network each
		before := h.Hashes()
		_, err := b.try("ana@acme.example", fmt.Sprint(another, i))
		switch problem.CodeOf(err) {
		case problem.Unauthenticated:
			refused++
		case problem.Limited:
			limited++
			if h.Hashes() != before {
				t.Fatal("an attempt that must wait was hashed")
			}
		default:
			t.Fatal(err)
		}
	}
	if refused != 6 || limited != 194 {
		t.Errorf("%d compared, %d made to wait; want 6 and 194", refused, limited)
	}
	_, err := h.browser().try("ana@acme.example", good)
	p := wantCode(t, err, problem.Limited)
	until, ok := p.Args["Until"].(time.Time)
	if !ok || until.Second() != 0 || until.Before(clock.Now().Add(p.RetryAfter)) || until.After(clock.Now().Add(p.RetryAfter+time.Minute)) {
		t.Errorf("told to wait %s, until %v", p.RetryAfter, p.Args["Until"])
	}
	clock.Advance(until.Sub(clock.Now()))
	if _, err := h.browser().try("ana@acme.example", good); err != nil {
		t.Errorf("at the minute that was named: %v", err)
	}
}

func TestC48_UnknownAccountsWaitLikeKnownOnes(t *testing.T) {
	_, h := sqliteHouse(t)
	h.member(t, h.acme, "ana@acme.example")
	answers := func(email string, network int) (codes []problem.Code) {
		for i := range 10 {
			b := h.browser()
			b.from = fmt.Sprintf("2001:db8:%x:%x::1", network, i)
			_, err := b.try(email, another)
			codes = append(codes, problem.CodeOf(err))
		}
		return codes
	}
	if diff := cmp.Diff(answers("ana@acme.example", 1), answers("nobody@acme.example", 2)); diff != "" {
		t.Error(diff)
	}
}

func TestC48_VariantsOfAnAddressShareOneCounter(t *testing.T) {
	_, h := sqliteHouse(t)
	h.member(t, h.acme, "ana@acme.example")
	variants := []string{
		"ana@acme.example", "ANA@ACME.EXAMPLE", " ana@acme.example\t", "Ana@Acme.Example", "ａｎａ@acme.example", "ana\u200b@acme.example",
	}
	for i, v := range variants {
		b := h.browser()
		b.from = fmt.Sprintf("198.51.100.%d", i)
		if _, err := b.try(v, another); !problem.Is(err, problem.Unauthenticated) {
			t.Fatalf("%q: %v", v, err)
		}
	}
	_, err := h.browser().try("ana@acme.example", good)
	wantCode(t, err, problem.Limited)
}

func TestC48_OnePasswordManyAccounts(t *testing.T) {
	_, h := sqliteHouse(t)
	h.member(t, h.acme, "ana@acme.example")
	var refused int
	for i := range 200 {
		b := h.browser() // one network
		switch _, err := b.try(fmt.Sprintf("p%d@acme.example", i), good); problem.CodeOf(err) {
		case problem.Unauthenticated:
			refused++
		case problem.Limited:
		default:
			t.Fatal(err)
		}
	}
	if refused != 31 {
		t.Errorf("%d of 200 compared, want 31", refused)
	}
	elsewhere := h.browser()
	elsewhere.from = "198.51.100.9"
	if _, err := elsewhere.try("ana@acme.example", good); err != nil {
		t.Errorf("from another network: %v", err)
	}
}

// Strangers who fail in the owner's name, from everywhere and for ever, do not lock the owner's device out.
func TestC48_KnownDeviceMayStillSignIn(t *testing.T) {
	clock, h := sqliteHouse(t)
	ana := h.member(t, h.acme, "ana@acme.example")
	bo := h.member(t, h.acme, "bo@acme.example")
	mine := h.browser()
	mine.signIn(t, "ana@acme.example")
	mine.device = h.DeviceToken(ana)
	for range 60 { // from the owner's own network too
		_, _ = h.browser().try("ana@acme.example", another)
		_, _ = h.browser().try("nobody@acme.example", another)
	}
	_, err := h.browser().try("ana@acme.example", good)
	wantCode(t, err, problem.Limited)
	if _, err := mine.try("ana@acme.example", good); err != nil {
		t.Errorf("the owner's device: %v", err)
	}

	for range 60 {
		_, _ = h.browser().try("ana@acme.example", another)
	}
	other := "B"
	if strings.HasPrefix(mine.device, other) {
		other = "C"
	}
	for name, device := range map[string]string{
		"another person's": h.DeviceToken(bo), "cut": mine.device[:len(mine.device)-2], "longer": mine.device + "AA",
		"invented": strings.Repeat("A", 75), "empty": "", "no base64": "!!!", "changed": other + mine.device[1:],
	} {
		b := h.browser()
		b.device = device
		if _, err := b.try("ana@acme.example", good); !problem.Is(err, problem.Limited) {
			t.Errorf("device token %s: %v", name, err)
		}
	}

	stolen := h.browser()
	stolen.device = mine.device
	var compared int
	for range 100 {
		if _, err := stolen.try("ana@acme.example", another); problem.Is(err, problem.Unauthenticated) {
			compared++
		}
	}
	if compared != 6 {
		t.Errorf("a stolen device token gave %d guesses, want 6", compared)
	}
	clock.Advance(200 * 24 * time.Hour)
	old := h.browser()
	old.device = mine.device
	for range 10 {
		_, _ = h.browser().try("ana@acme.example", another)
	}
	if _, err := old.try("ana@acme.example", good); !problem.Is(err, problem.Limited) {
		t.Errorf("a device token of long ago still counts: %v", err)
	}
}

func TestSuccessForgivesTheAccountAndNotTheNetwork(t *testing.T) {
	_, h := sqliteHouse(t)
	h.member(t, h.acme, "ana@acme.example")
	for range 10 {
		for range 3 {
			if _, err := h.browser().try("ana@acme.example", another); !problem.Is(err, problem.Unauthenticated) {
				t.Fatal(err)
			}
		}
		if _, err := h.browser().try("ana@acme.example", good); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		_, _ = h.browser().try("ana@acme.example", another)
	}
	_, err := h.browser().try("ana@acme.example", good)
	wantCode(t, err, problem.Limited) // the network has failed 31 times by now
}

func TestC73_SignInsAreRecorded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		before := len(h.events(t, h.acme.ID))
		b := h.browser()
		_, _ = b.try("ana@acme.example", another)
		_, _ = b.try("ana@acme.example", another)
		b.signIn(t, "ana@acme.example")
		actor := b.who(t).Actor
		actor.Origin = access.Origin{Address: "192.0.2.7"}
		b.signOut(t, actor)
		origin := access.Origin{Address: "192.0.2.7", UserAgent: "test browser", RequestID: "r-1"}
		event := func(action string, result audit.Result) audit.Event {
			return audit.Event{
				Chain: h.acme.ID, At: h.clock.Now(), ActorKind: access.KindPerson, ActorID: string(ana.ID), Action: action,
				Target: audit.Target{Kind: "person", ID: string(ana.ID)}, Result: result, Origin: origin,
			}
		}
		signedOut, signedIn, refused := event("signout", audit.Done), event("signin", audit.Done), event("signin", audit.Refused)
		signedOut.Origin = actor.Origin
		refused.Reason, refused.Repeated = "signin.wrong_password", 1
		got := h.events(t, h.acme.ID)
		got = got[:len(got)-before]
		if diff := cmp.Diff([]audit.Event{signedOut, signedIn, refused}, got, cmpopts.IgnoreFields(audit.Event{}, "ID", "Sequence")); diff != "" {
			t.Error(diff)
		}
	})
}

// What strangers type into the address field may be anything, a password too: it is never kept (C72).
func TestC73_StrangersAreRecordedWithoutTheirWords(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 40 {
			_, _ = h.browser().try("canary-stranger@acme.example", "canary password")
			_, _ = h.browser().try("canary password in the wrong field", "canary")
		}
		events := h.events(t, "")
		var unknown, limited int
		for _, e := range events {
			b, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(b), "canary") {
				t.Errorf("%s", b)
			}
			switch {
			case e.Action == "signin" && e.Reason == "signin.unknown":
				unknown++
			case e.Action == "signin.limited":
				limited++
			}
			network := audit.Target{Kind: "network", ID: "192.0.2.7/32"}
			if e.Result != audit.Refused || e.Target != network || e.Origin.Address != "192.0.2.7" || e.ActorID != "" {
				t.Errorf("got %+v", e)
			}
		}
		if unknown != 1 || limited != 1 {
			t.Errorf("%d events about unknown accounts, %d about waiting, in one minute", unknown, limited)
		}
	})
}

func TestC73_TripsAreRecordedOncePerMinute(t *testing.T) {
	clock, h := sqliteHouse(t)
	ana := h.member(t, h.acme, "ana@acme.example")
	trips := func() (n int64) {
		for _, e := range h.events(t, h.acme.ID) {
			if e.Action == "signin.limited" && e.Reason == "signin.limited_account" && e.Target.ID == string(ana.ID) {
				n += 1 + e.Repeated
			}
		}
		return n
	}
	for range 50 {
		_, _ = h.browser().try("ana@acme.example", another)
	}
	if n := trips(); n != 1 {
		t.Errorf("%d trips recorded, want 1", n)
	}
	clock.Advance(time.Minute)
	for range 50 {
		_, _ = h.browser().try("ana@acme.example", another)
	}
	if n := trips(); n != 2 {
		t.Errorf("%d trips recorded after another minute, want 2", n)
	}
}

func TestReasonsHaveEnglishTexts(t *testing.T) {
	for _, reason := range []string{"wrong_password", "switched_off", "unknown", "changed", "limited_account", "limited_network", "limited_device"} {
		wantEnglish(t, "signin."+reason)
	}
	for _, fault := range []string{"missing", "too_short", "too_long", "common", "personal"} {
		wantEnglish(t, "signin.password."+fault)
	}
}
