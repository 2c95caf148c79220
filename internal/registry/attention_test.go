package registry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/registry"
)

func (w *world) attention(t testing.TB, actor access.Actor) registry.Attention {
	t.Helper()
	return must(w.Attention(t.Context(), actor))(t)
}

// staleContacts returns the list as "address state apps app".
func (w *world) staleContacts(t testing.TB) []registry.StaleContact {
	t.Helper()
	list, more, err := w.StaleContacts(t.Context(), w.viewer)
	if err != nil || more {
		t.Fatalf("more: %v, %v", more, err)
	}
	return list
}

// TestStaleContacts are counted and listed once for each address, however many apps it stands at, as long as it stands at
// an active one and its reader has not said otherwise since.
func TestStaleContacts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		apps := w.withReader(t, "Import", "Export", "Archive")
		w.register(t, "Of somebody else")
		if got := w.attention(t, w.viewer); got != (registry.Attention{}) || len(w.staleContacts(t)) != 0 {
			t.Fatalf("nobody has answered, and there are %+v", got)
		}
		w.askContacts(t)
		link := w.asks(t, reader)[0]
		at := w.clock.Now()
		if err := w.AnswerAsk(t.Context(), access.Origin{}, link, false); err != nil {
			t.Fatal(err)
		}
		w.deactivate(t, apps[2].ID)
		want := []registry.StaleContact{{
			Name: "Jo Weber", Email: reader, Known: registry.Address{State: registry.AddressDenied, At: at}, Apps: 2,
		}}
		got := w.staleContacts(t)
		got[0].App, got[0].AppName = "", ""
		if diff := cmp.Diff(want, got); diff != "" || w.attention(t, w.viewer).StaleContacts != 1 {
			t.Errorf("%d counted; listed (-want +got):\n%s", w.attention(t, w.viewer).StaleContacts, diff)
		}
		if theirs := w.attention(t, w.globexAdmin); theirs.StaleContacts != 0 {
			t.Error("another organisation counts ours")
		}

		w.deactivate(t, apps[0].ID)
		if got = w.staleContacts(t); len(got) != 1 || got[0].App != apps[1].ID || got[0].AppName != "Export" || got[0].Apps != 1 {
			t.Errorf("of one app: %+v", got)
		}
		w.clock.Advance(time.Minute)
		if err := w.AnswerAsk(t.Context(), access.Origin{}, link, true); err != nil {
			t.Fatal(err)
		}
		if got := w.attention(t, w.viewer); got.StaleContacts != 0 || len(w.staleContacts(t)) != 0 {
			t.Errorf("confirmed since, and counted as %+v", got)
		}
	})
}

// TestRejectedToday: apps with how often they were refused since midnight UTC, most often first.
func TestRejectedToday(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		often, _ := w.register(t, "Often")
		once, _ := w.register(t, "Once")
		w.register(t, "Never")
		theirs, _ := w.globexApp(t, "Theirs")
		for range 3 {
			w.reject(often.ClientID, registry.RejectedNoSecret, "")
		}
		w.reject(often.ClientID, registry.RejectedGrant, "")
		w.reject(once.ClientID, registry.RejectedNoSecret, "")
		w.reject(theirs.ClientID, registry.RejectedNoSecret, "")
		w.reject("CCWACME_aaaaaaaaaaaaaaaaaaaa", registry.RejectedNoSecret, "")
		if err := w.FlushRejections(t.Context()); err != nil {
			t.Fatal(err)
		}
		at := w.clock.Now()
		if got := w.attention(t, w.viewer); got.RejectedApps != 2 || got.Rejections != 5 {
			t.Errorf("counted %+v", got)
		}
		list := func() []registry.RejectedApp {
			list, more, err := w.RejectedToday(t.Context(), w.viewer)
			if err != nil || more {
				t.Fatalf("more: %v, %v", more, err)
			}
			return list
		}
		want := []registry.RejectedApp{
			{ID: often.ID, ClientID: often.ClientID, Name: "Often", Status: registry.Active, Times: 4, LastAt: at},
			{ID: once.ID, ClientID: once.ClientID, Name: "Once", Status: registry.Active, Times: 1, LastAt: at},
		}
		if diff := cmp.Diff(want, list()); diff != "" {
			t.Error(diff)
		}
		w.clock.Advance(24 * time.Hour)
		if got := w.attention(t, w.viewer); got.RejectedApps != 0 || len(list()) != 0 {
			t.Errorf("a day later: %+v", got)
		}
	})
}
