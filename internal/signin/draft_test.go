package signin_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/signin"
)

// idle returns a browser whose session has ended for want of requests.
func (h *house) idle(t *testing.T, email string) *browser {
	t.Helper()
	b := h.browser()
	b.signIn(t, email)
	h.clock.Advance(signin.IdleLimit)
	b.wantState(t, signin.TimedOut)
	return b
}

func (h *house) save(t *testing.T, cookie, path string, form url.Values) bool {
	t.Helper()
	kept, err := h.SaveDraft(t.Context(), cookie, path, form)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func (h *house) take(t *testing.T, p identity.Person, path string) (url.Values, bool) {
	t.Helper()
	form, ok, err := h.Draft(t.Context(), p.ID, path)
	if err != nil {
		t.Fatal(err)
	}
	return form, ok
}

func TestDraftComesBackAfterSigningIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		bo := h.member(t, h.acme, "bo@acme.example")
		b := h.idle(t, "ana@acme.example")
		form := url.Values{
			"name": {"SAP spend export"}, "description": {"two\r\nlines & = % é 采购 \x00\xff"}, "scope": {"core.common.read", "ccw.candidates"},
			"secret_expiry": {"90"}, "version": {"7"}, "empty": {""},
			"nonce": {"n-1"}, "form_nonce": {"n-2"}, "password": {"p"}, "new_password": {"p"}, "client_secret": {"s"}, "access-token": {"t"},
			"note": {"kept", "my ccws_0123 secret", "MY CCWS_0123 SECRET", "ccwr_1", "Ccwt_"},
		}
		if !h.save(t, b.cookie, "/apps/new", form) {
			t.Fatal("not kept")
		}
		want := url.Values{
			"name": form["name"], "description": form["description"], "scope": form["scope"],
			"secret_expiry": {"90"}, "version": {"7"}, "empty": {""}, "note": {"kept"},
		}
		b.signIn(t, "ana@acme.example")
		for name, miss := range map[string]func() (url.Values, bool){
			"another person": func() (url.Values, bool) { return h.take(t, bo, "/apps/new") },
			"another page":   func() (url.Values, bool) { return h.take(t, ana, "/apps") },
			"nobody":         func() (url.Values, bool) { return h.take(t, identity.Person{}, "/apps/new") },
		} {
			if got, ok := miss(); ok {
				t.Errorf("%s got %v", name, got)
			}
		}
		got, ok := h.take(t, ana, "/apps/new")
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%v %s", ok, diff)
		}
		if _, ok := h.take(t, ana, "/apps/new"); !ok {
			t.Error("a reload lost it")
		}
	})
}

func TestDraftLastsHalfAnHour(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		b := h.idle(t, "ana@acme.example")
		form := url.Values{"name": {"x"}}
		h.save(t, b.cookie, "/a", form)
		h.save(t, b.cookie, "/b", form)
		h.clock.Advance(30*time.Minute - time.Second)
		if _, ok := h.take(t, ana, "/a"); !ok {
			t.Error("gone before its time")
		}
		h.clock.Advance(time.Second)
		if _, ok := h.take(t, ana, "/b"); ok {
			t.Error("still there after its time")
		}
	})
}

func TestStrangersKeepNoDrafts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		live := h.browser()
		live.signIn(t, "ana@acme.example")
		out := h.browser()
		out.signIn(t, "ana@acme.example")
		old := out.cookie
		out.signOut(t, out.who(t).Actor)
		form := url.Values{"name": {"x"}}
		for name, cookie := range map[string]string{
			"none": "", "invented": strings.Repeat("A", 43), "endless": strings.Repeat("A", 100_000), "live": live.cookie, "signed out": old,
		} {
			if h.save(t, cookie, "/apps/new", form) {
				t.Errorf("kept for a cookie that is %s", name)
			}
		}
		h.clock.Advance(signin.IdleLimit)
		h.setPassword(t, ana, another)
		if h.save(t, live.cookie, "/apps/new", form) {
			t.Error("kept for a session that was ended")
		}
		if n := h.count(t, "SELECT count(*) FROM drafts"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestDraftsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		b := h.idle(t, "ana@acme.example")
		refused := map[string]struct {
			path string
			form url.Values
		}{
			"too large":       {"/apps/new", url.Values{"name": {strings.Repeat("x", 64*1024)}}},
			"nothing":         {"/apps/new", url.Values{"password": {"x"}}},
			"other host":      {"//evil.example/", url.Values{"name": {"x"}}},
			"no path":         {"apps", url.Values{"name": {"x"}}},
			"scheme":          {"https://evil.example/", url.Values{"name": {"x"}}},
			"backslash":       {"/\\evil.example", url.Values{"name": {"x"}}},
			"query":           {"/apps?x=1", url.Values{"name": {"x"}}},
			"control":         {"/apps\r\nX: y", url.Values{"name": {"x"}}},
			"NUL":             {"/apps\x00", url.Values{"name": {"x"}}},
			"no UTF-8":        {"/apps\xff", url.Values{"name": {"x"}}},
			"endless address": {"/" + strings.Repeat("a", 500), url.Values{"name": {"x"}}},
		}
		for name, test := range refused {
			if h.save(t, b.cookie, test.path, test.form) {
				t.Errorf("%s: kept", name)
			}
		}
		for i := range 12 {
			h.clock.Advance(time.Second)
			if !h.save(t, b.cookie, fmt.Sprintf("/apps/%d", i), url.Values{"name": {"x"}}) {
				t.Fatal("not kept")
			}
		}
		if n := h.count(t, "SELECT count(*) FROM drafts"); n != 5 {
			t.Errorf("%d rows, want 5", n)
		}
		h.save(t, b.cookie, "/apps/11", url.Values{"name": {"newer"}})
		if got, ok := h.take(t, ana, "/apps/11"); !ok || got.Get("name") != "newer" {
			t.Errorf("got %v, %v", got, ok)
		}
		if _, ok := h.take(t, ana, "/apps/0"); ok {
			t.Error("the oldest stayed")
		}
	})
}

// The page that is asked for with a session that ended by time is one more visit of nobody: nothing is signed in by it.
func TestEndedSessionOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.member(t, h.acme, "ana@acme.example")
		b := h.idle(t, "ana@acme.example")
		b.visit(func(ctx context.Context, cookie string) {
			v, err := h.Resolve(ctx, cookie)
			if err != nil || v.Actor.ID != "" || len(v.Actor.Rights) != 0 {
				t.Errorf("got %+v, %v", v, err)
			}
		})
		if n := h.count(t, "SELECT count(*) FROM sessions WHERE last_seen_at < ?", database.Micros(h.clock.Now())); n != 1 {
			t.Errorf("the ended session was used again")
		}
	})
}
