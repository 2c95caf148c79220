package signin_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/signin"
)

func TestC50_SignInMakesANewSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		h.member(t, h.acme, "bo@acme.example")
		b := h.browser()
		fixed := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		b.cookie = fixed
		b.signIn(t, "ana@acme.example")
		first := b.cookie
		if first == fixed {
			t.Fatal("a token that the client chose was adopted")
		}
		if raw, err := base64.RawURLEncoding.DecodeString(first); err != nil || len(raw) < 16 {
			t.Errorf("a token of %d bytes, %v", len(raw), err)
		}
		b.visit(func(ctx context.Context, _ string) {
			if err := h.PutFlash(ctx, signin.Flash{Key: "of Ana"}); err != nil {
				t.Error(err)
			}
		})
		b.signIn(t, "bo@acme.example")
		if b.cookie == first {
			t.Error("the token stayed the same over a sign-in")
		}
		b.visit(func(ctx context.Context, _ string) {
			if f, ok := h.TakeFlash(ctx); ok {
				t.Errorf("the new session holds %q", f.Key)
			}
		})
		old := h.browser()
		old.cookie = first
		old.wantState(t, signin.Nobody)
		thief := h.browser()
		thief.cookie = fixed
		thief.wantState(t, signin.Nobody)
		if n := h.count(t, "SELECT count(*) FROM sessions"); n != 1 {
			t.Errorf("%d sessions, want 1", n)
		}
		for _, secret := range []string{b.cookie, first} {
			n := h.count(t, "SELECT count(*) FROM sessions WHERE token_hash LIKE ? OR data LIKE ?", "%"+secret+"%", "%"+secret+"%")
			if n != 0 {
				t.Error("a token stands in the table")
			}
		}
	})
}

func TestC50_StrangersLeaveNoSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, cookie := range []string{"", "x", strings.Repeat("a", 43), strings.Repeat("a", 4000), "'%20OR%201=1"} {
			b := h.browser()
			b.cookie = cookie
			set := b.visit(func(ctx context.Context, cookie string) {
				if err := h.PutFlash(ctx, signin.Flash{Key: "x"}); err != nil {
					t.Error(err)
				}
				if v, err := h.Resolve(ctx, cookie); err != nil || v.State != signin.Nobody {
					t.Errorf("%q: %v, %v", cookie, v.State, err)
				}
			})
			if len(set) != 0 {
				t.Errorf("%q: set %v", cookie, set)
			}
		}
		if n := h.count(t, "SELECT count(*) FROM sessions"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestC51_IdleLimit(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		for range 5 {
			h.clock.Advance(29*time.Minute + 59*time.Second)
			b.wantState(t, signin.SignedIn)
		}
		last := h.clock.Now()
		h.clock.Advance(30 * time.Minute)
		want := signin.Visit{State: signin.TimedOut, EndedAt: last.Add(30 * time.Minute), Idle: true}
		for range 2 { // looking does not change it
			if diff := cmp.Diff(want, b.who(t)); diff != "" {
				t.Error(diff)
			}
		}
		b.signIn(t, "ana@acme.example")
		b.wantState(t, signin.SignedIn)
	})
}

func TestC51_AbsoluteLimit(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		ends := h.clock.Now().Add(12 * time.Hour)
		for h.clock.Now().Add(20 * time.Minute).Before(ends) {
			h.clock.Advance(20 * time.Minute)
			v := b.who(t)
			if v.State != signin.SignedIn {
				t.Fatalf("ended at %v", h.clock.Now())
			}
			b.visit(func(ctx context.Context, _ string) { // writing prolongs nothing
				if err := h.PutFlash(ctx, signin.Flash{Key: "x"}); err != nil {
					t.Error(err)
				}
			})
		}
		h.clock.Advance(ends.Sub(h.clock.Now()) - time.Second)
		b.wantState(t, signin.SignedIn)
		h.clock.Advance(time.Second)
		if diff := cmp.Diff(signin.Visit{State: signin.TimedOut, EndedAt: ends}, b.who(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestC51_SignOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		stolen := h.browser()
		stolen.cookie = b.cookie
		b.signOut(t, b.who(t).Actor)
		if b.cookie != "" {
			t.Error("the browser keeps the cookie")
		}
		stolen.wantState(t, signin.Nobody)
	})
}

// everywhere runs a test with two processes on one database.
func everywhere(t *testing.T, test func(t *testing.T, here, there *house)) {
	t.Helper()
	urls := map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "credenza.db") },
		"postgres": dbtest.PostgresURL,
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			clock, url := dbtest.NewClock(), url(t)
			here := newHouse(t, dbtest.Open(t, url, clock), clock)
			there := newHouse(t, dbtest.Open(t, url, clock), clock)
			here.acme = here.organisation(t, "Acme Corp", "ACME")
			there.acme = here.acme
			test(t, here, there)
		})
	}
}

func TestC51_SessionsEndOnAllReplicas(t *testing.T) {
	ends := map[string]func(h *house, p identity.Person) error{
		"password": func(h *house, p identity.Person) error {
			return h.SetPassword(context.Background(), operator(), p.ID, signin.NewSecret(another))
		},
		"switched off": func(h *house, p identity.Person) error {
			return h.people.SetPersonStatus(context.Background(), operator(), p, identity.Inactive)
		},
		"organisation suspended": func(h *house, p identity.Person) error {
			return h.people.SuspendOrganisation(context.Background(), operator(), p.Organisation)
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, here, there *house) {
				ana := here.member(t, here.acme, "ana@acme.example")
				here.member(t, here.acme, "bo@acme.example")
				one, two, other := here.browser(), there.browser(), there.browser()
				one.signIn(t, "ana@acme.example")
				two.signIn(t, "ana@acme.example")
				other.signIn(t, "bo@acme.example")
				one.wantState(t, signin.SignedIn)
				two.wantState(t, signin.SignedIn)
				if err := end(there, ana); err != nil {
					t.Fatal(err)
				}
				one.wantState(t, signin.Nobody)
				two.wantState(t, signin.Nobody)
				if name != "organisation suspended" {
					other.wantState(t, signin.SignedIn)
				}
				if n := here.count(t, "SELECT count(*) FROM sessions WHERE person_id = ?", string(ana.ID)); n != 0 {
					t.Errorf("%d rows left", n)
				}
			})
		})
	}
}

func TestC55_WhatEndedDoesNotRevive(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example", identity.RoleAdministrator)
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		steps := []func() error{
			func() error { return h.people.SetPersonStatus(t.Context(), operator(), ana, identity.Inactive) },
			func() error { return h.people.SetPersonStatus(t.Context(), operator(), ana, identity.Active) },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		b.wantState(t, signin.Nobody)
		b.signIn(t, "ana@acme.example")
		if err := h.people.SuspendOrganisation(t.Context(), operator(), h.acme.ID); err != nil {
			t.Fatal(err)
		}
		_, err := h.browser().try("ana@acme.example", good)
		wantCode(t, err, problem.Unauthenticated)
		if err := h.people.ResumeOrganisation(t.Context(), operator(), h.acme.ID); err != nil {
			t.Fatal(err)
		}
		b.wantState(t, signin.Nobody)
		b.signIn(t, "ana@acme.example")
		if err := h.people.SetPersonRoles(t.Context(), operator(), ana, nil); err != nil {
			t.Fatal(err)
		}
		if v := b.who(t); v.State != signin.SignedIn || len(v.Actor.Rights) != 0 {
			t.Errorf("without roles: %v, %v", v.State, v.Actor.Rights)
		}
	})
}

// A change of password that began before a sign-in with the old one, and ended the sessions before that one was written,
// ends it too: what counts is the password, not the time.
func TestC55_SignInBesideAChangeOfPassword(t *testing.T) {
	changes := map[string]func(t *testing.T, h *house, p identity.Person){
		"by the operator": func(t *testing.T, h *house, p identity.Person) { t.Helper(); h.setPassword(t, p, another) },
		"by a link": func(t *testing.T, h *house, p identity.Person) {
			t.Helper()
			if _, err := h.browser().spend(h.link(t, p).Token, another); err != nil {
				t.Error(err)
			}
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				ana := h.member(t, h.acme, "ana@acme.example")
				h.clock.Advance(time.Minute)
				b := h.browser()
				b.visit(func(ctx context.Context, _ string) {
					h.clock.Advance(time.Second)
					if _, err := h.SignIn(ctx, b.attempt("ana@acme.example", good)); err != nil {
						t.Error(err)
					}
					h.clock.Advance(-time.Second) // the change began a second earlier, and waited
					change(t, h, ana)
					h.clock.Advance(time.Second)
				})
				if b.cookie == "" {
					t.Fatal("no session was begun")
				}
				b.wantState(t, signin.Nobody)
			})
		})
	}
}

// Who signs in with a new password stays signed in at a process that has not heard of it yet.
func TestNewPasswordBeforeTheNews(t *testing.T) {
	everywhere(t, func(t *testing.T, here, there *house) {
		ana := here.member(t, here.acme, "ana@acme.example")
		old, b := there.browser(), there.browser()
		old.signIn(t, "ana@acme.example")
		old.wantState(t, signin.SignedIn)
		here.clock.Advance(time.Millisecond)
		here.setPassword(t, ana, another)
		if _, err := b.try("ana@acme.example", another); err != nil {
			t.Fatal(err)
		}
		b.wantState(t, signin.SignedIn)
		old.wantState(t, signin.Nobody)
	})
}

// A request that was under way when the session ended does not bring it back by writing what it holds.
func TestEndedSessionIsNotWrittenBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		token := b.cookie
		b.visit(func(ctx context.Context, _ string) {
			if err := h.PutFlash(ctx, signin.Flash{Key: "x"}); err != nil {
				t.Error(err)
			}
			h.setPassword(t, ana, another)
		})
		b.cookie = token
		b.wantState(t, signin.Nobody)
		if n := h.count(t, "SELECT count(*) FROM sessions"); n != 0 {
			t.Errorf("%d rows came back", n)
		}
	})
}

// The password is changed between the check of the old one and the first use of the session it began.
func TestSessionOfAnOldPasswordIsNotTaken(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		h.clock.Advance(time.Hour)
		b := h.browser()
		b.visit(func(ctx context.Context, _ string) {
			if _, err := h.SignIn(ctx, b.attempt("ana@acme.example", good)); err != nil {
				t.Error(err)
			}
			h.clock.Advance(time.Second)
			h.setPassword(t, ana, another) // ends all sessions; this one is not written yet
		})
		if n := h.count(t, "SELECT count(*) FROM sessions"); n != 1 {
			t.Fatalf("%d rows, the test expects the late one", n)
		}
		b.wantState(t, signin.Nobody)
		if n := h.count(t, "SELECT count(*) FROM sessions"); n != 0 {
			t.Errorf("%d rows left", n)
		}
	})
}

func TestLastSeenIsWrittenOnceAMinute(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		began := h.clock.Now()
		seen := func() time.Time {
			return database.FromMicros(h.count(t, "SELECT last_seen_at FROM sessions"))
		}
		for range 5 {
			h.clock.Advance(10 * time.Second)
			b.wantState(t, signin.SignedIn)
			if got := seen(); !got.Equal(began) {
				t.Errorf("written at %v", got)
			}
		}
		h.clock.Advance(10 * time.Second)
		b.wantState(t, signin.SignedIn)
		if got := seen(); !got.Equal(h.clock.Now()) {
			t.Errorf("seen %v, want %v", got, h.clock.Now())
		}
	})
}

// F10: a session does not live longer because the clock was set back.
func TestSessionFromTheFutureIsNotTaken(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		h.clock.Advance(-4 * time.Minute)
		b.wantState(t, signin.SignedIn)
		h.clock.Advance(-2 * time.Minute)
		if got := b.who(t); got.State == signin.SignedIn {
			t.Errorf("got %+v", got)
		}
	})
}

func TestFlashIsShownOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		want := signin.Flash{Kind: "success", Key: "apps.saved", Args: map[string]string{"Name": "SAP „spend“ export"}, Numbers: map[string]int{"N": 12}}
		b.visit(func(ctx context.Context, _ string) {
			if err := h.PutFlash(ctx, want); err != nil {
				t.Error(err)
			}
		})
		b.visit(func(ctx context.Context, _ string) {
			got, ok := h.TakeFlash(ctx)
			if diff := cmp.Diff(want, got); !ok || diff != "" {
				t.Errorf("%v %s", ok, diff)
			}
		})
		b.visit(func(ctx context.Context, _ string) {
			if got, ok := h.TakeFlash(ctx); ok {
				t.Errorf("again: %v", got)
			}
		})
		b.wantState(t, signin.SignedIn)
	})
}

func TestSessionHoldsTextOnly(t *testing.T) {
	_, h := sqliteHouse(t)
	if _, err := h.Sessions().Codec.Encode(time.Time{}, map[string]any{"number": 7}); err == nil {
		t.Error("a number was taken")
	}
	if _, _, err := h.Sessions().Codec.Decode([]byte("{")); err == nil {
		t.Error("half a session was taken")
	}
}

func TestC59_Cookies(t *testing.T) {
	_, h := sqliteHouse(t)
	ana := h.member(t, h.acme, "ana@acme.example")
	b := h.browser()
	cookies := b.visit(func(ctx context.Context, _ string) {
		if _, err := h.SignIn(ctx, b.attempt("ana@acme.example", good)); err != nil {
			t.Error(err)
		}
	})
	if len(cookies) != 1 {
		t.Fatalf("got %v", cookies)
	}
	device := h.DeviceCookie(ana)
	for _, c := range []*http.Cookie{cookies[0], device} {
		if !strings.HasPrefix(c.Name, "__Host-credenza") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.SameSite != http.SameSiteLaxMode || c.Domain != "" {
			t.Errorf("got %s", c)
		}
		if err := c.Valid(); err != nil {
			t.Error(err)
		}
	}
	if cookies[0].MaxAge != 0 || !cookies[0].Expires.IsZero() {
		t.Errorf("the session cookie outlives the browser: %s", cookies[0])
	}
	if cookies[0].Name == device.Name || strings.Contains(device.Value, "ana") {
		t.Errorf("got %s", device)
	}
	plain, err := signin.New(signin.Deps{DB: h.db, Trail: h.trail, People: h.people, MAC: mac, Params: cheap})
	if err != nil {
		t.Fatal(err)
	}
	if c := plain.Sessions().Cookie; c.Name != "credenza" || c.Secure || !c.HttpOnly || plain.DeviceCookieName() != "credenza-device" {
		t.Errorf("on http: %+v", c)
	}
}

func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		if _, err := h.MakeSetupLink(t.Context(), operator(), ana.ID); err != nil {
			t.Fatal(err)
		}
		rows := func() [3]int64 {
			if err := h.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			return [3]int64{
				h.count(t, "SELECT count(*) FROM sessions"), h.count(t, "SELECT count(*) FROM drafts"), h.count(t, "SELECT count(*) FROM setup_links"),
			}
		}
		h.clock.Advance(40 * time.Minute)
		if kept, err := h.SaveDraft(t.Context(), b.cookie, "/apps/new", map[string][]string{"name": {"x"}}); err != nil || !kept {
			t.Fatal(kept, err)
		}
		steps := []struct {
			wait time.Duration
			want [3]int64
		}{
			{0, [3]int64{1, 1, 1}},
			{31 * time.Minute, [3]int64{1, 0, 1}},
			{34 * time.Hour, [3]int64{1, 0, 1}},
			{2 * time.Hour, [3]int64{0, 0, 1}},
			{31 * 24 * time.Hour, [3]int64{0, 0, 1}},
			{24 * time.Hour, [3]int64{0, 0, 0}},
		}
		for _, step := range steps {
			h.clock.Advance(step.wait)
			if got := rows(); got != step.want {
				t.Errorf("after %s: %v, want %v", step.wait, got, step.want)
			}
		}
	})
}

// A page is shown to who is signed in even while nothing can be written (F3).
func TestReadingGoesOnWithoutWrites(t *testing.T) {
	clock := dbtest.NewClock()
	url := "sqlite:" + filepath.Join(t.TempDir(), "credenza.db")
	h := newHouse(t, dbtest.Open(t, url, clock), clock)
	h.acme = h.organisation(t, "Acme Corp", "ACME")
	h.member(t, h.acme, "ana@acme.example")
	b := h.browser()
	b.signIn(t, "ana@acme.example")
	clock.Advance(10 * time.Minute)
	locker := dbtest.Open(t, url, clock)
	err := locker.Housekeep(t.Context(), func(*database.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		ctx, err := h.Sessions().Load(ctx, b.cookie)
		if err != nil {
			return err
		}
		v, err := h.Resolve(ctx, b.cookie)
		if v.State != signin.SignedIn {
			t.Errorf("state %s", v.State)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSessionThatCannotBeReadAnswers503(t *testing.T) {
	_, h := sqliteHouse(t)
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.AddCookie(&http.Cookie{Name: h.Sessions().Cookie.Name, Value: strings.Repeat("A", 43)})
	w := httptest.NewRecorder()
	h.Sessions().LoadAndSave(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the page was made") })).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "sql") {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
}

func TestManyRequestsOfOneSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		b := h.browser()
		b.signIn(t, "ana@acme.example")
		h.clock.Advance(2 * time.Minute)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				same := h.browser()
				same.cookie = b.cookie
				same.visit(func(ctx context.Context, cookie string) {
					if v, err := h.Resolve(ctx, cookie); err != nil || v.State != signin.SignedIn {
						t.Errorf("%v, %v", v.State, err)
					}
					if err := h.PutFlash(ctx, signin.Flash{Key: "x"}); err != nil {
						t.Error(err)
					}
				})
			})
		}
		wg.Wait()
		b.wantState(t, signin.SignedIn)
	})
}

func TestAuditThatCannotBeWrittenKeepsPeopleOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		err := h.db.Housekeep(t.Context(), func(tx *database.Tx) error { return tx.DB().Exec("ALTER TABLE audit_events RENAME TO gone").Error })
		if err != nil {
			t.Fatal(err)
		}
		b := h.browser()
		_, err = b.try("ana@acme.example", good)
		wantCode(t, err, problem.Unavailable)
		if b.cookie != "" {
			t.Error("signed in without a trace")
		}
	})
}
