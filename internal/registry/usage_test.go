package registry_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/registry"
)

// use notes uses of a secret from an address.
func (w *world) use(t *testing.T, app registry.App, id registry.SecretID, address string, times int) {
	t.Helper()
	c := w.current(t, app)
	at, _ := netip.ParseAddr(address)
	for range times {
		w.NoteUse(c, id, at)
	}
}

func (w *world) flush(t *testing.T) {
	t.Helper()
	if err := w.FlushUse(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// wantUse compares what was written about a secret: how often in 24 hours and in 7 days, in all and by network.
func (w *world) wantUse(t *testing.T, app registry.App, id registry.SecretID, want string) {
	t.Helper()
	use := must(w.Use(t.Context(), w.viewer, app.ID))(t)[id]
	got := fmt.Sprint(use.Day, "/", use.Week)
	for _, n := range use.Networks {
		got += fmt.Sprintf(" %s %d/%d", n.Network, n.Day, n.Week)
	}
	if got != want {
		t.Errorf("use %q, want %q", got, want)
	}
}

func TestNetworkOf(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.77": "203.0.113.0/24", "0.0.0.0": "0.0.0.0/24", "255.255.255.255": "255.255.255.0/24",
		"::ffff:203.0.113.77": "203.0.113.0/24", "2001:db8:1:2:3:4:5:6": "2001:db8:1::/48", "::": "::/48", "::1": "::/48",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "ffff:ffff:ffff::/48", "fe80::1%eth0": "fe80::/48", "": "unknown", "@": "unknown",
	} {
		at, _ := netip.ParseAddr(address)
		if got := registry.NetworkOf(at).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := registry.OtherNetworks.String(); got != "other" {
		t.Errorf("others: %s", got)
	}
}

func FuzzNetworkOf(f *testing.F) {
	f.Add([]byte{203, 0, 113, 77})
	f.Add([]byte("0123456789abcdef"))
	f.Fuzz(func(t *testing.T, b []byte) {
		at, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		at = at.Unmap()
		bits := 48
		if at.Is4() {
			bits = 24
		}
		if got, want := registry.NetworkOf(at).String(), netip.PrefixFrom(at, bits).Masked().String(); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	})
}

// What was noted is on the page after a flush, and not before.
func TestUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, first := w.register(t, "Spend export")
		second := w.rotate(t, app.ID, registry.Rotation{})
		other, others := w.register(t, "Other app")
		w.use(t, app, first.ID, "203.0.113.7", 3)
		w.use(t, app, first.ID, "203.0.113.200", 1)
		w.use(t, other, others.ID, "", 1)
		w.clock.Advance(time.Minute)
		w.use(t, app, first.ID, "2001:db8:1:2::3", 2)
		w.wantUse(t, app, first.ID, "0/0")
		if !w.app(t, app.ID).LastUsedAt.IsZero() {
			t.Error("used before anything was written")
		}
		w.flush(t)
		w.wantUse(t, app, first.ID, "6/6 203.0.113.0/24 4/4 2001:db8:1::/48 2/2")
		w.wantUse(t, app, second.ID, "0/0")
		w.wantUse(t, other, others.ID, "1/1 unknown 1/1")
		for _, n := range must(w.Use(t.Context(), w.viewer, app.ID))(t)[first.ID].Networks {
			if want := w.clock.Now().Add(-time.Minute * time.Duration(n.Week/4)); !n.LastUsedAt.Equal(want) {
				t.Errorf("%s was last used %v, want %v", n.Network, n.LastUsedAt, want)
			}
		}
		got := w.app(t, app.ID)
		old, _ := got.Secret(first.ID)
		fresh, _ := got.Secret(second.ID)
		if !got.LastUsedAt.Equal(w.clock.Now()) || !old.LastUsedAt.Equal(w.clock.Now()) || !fresh.LastUsedAt.IsZero() {
			t.Errorf("last use of the app %v, of its secrets %v and %v", got.LastUsedAt, old.LastUsedAt, fresh.LastUsedAt)
		}
		row := w.search(t, registry.Query{Sort: registry.SortUsed, Descending: true}).Rows[0]
		if row.ID != app.ID || !row.LastUsedAt.Equal(w.clock.Now()) {
			t.Errorf("the grid says %+v", row)
		}
	})
}

// Use is counted, not audited, and changes nothing that others must obey (product.md decision 18).
func TestUseIsNoChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		before, events := w.app(t, app.ID), len(w.events(t, w.acme))
		counter := value[int64](t, w.db, "SELECT n FROM change_counter")
		client := w.current(t, app)
		w.clock.Advance(time.Hour)
		w.use(t, app, shown.ID, "203.0.113.7", 5)
		w.flush(t)
		after := w.app(t, app.ID)
		if after.LastUsedAt.IsZero() || len(w.events(t, w.acme)) != events ||
			value[int64](t, w.db, "SELECT n FROM change_counter") != counter || w.current(t, app) != client {
			t.Error("a flush left an event, raised the change counter or emptied the snapshot")
		}
		before.LastUsedAt, before.Secrets[0].LastUsedAt = after.LastUsedAt, after.Secrets[0].LastUsedAt
		if diff := cmp.Diff(before, after, cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
			t.Errorf("more than the last use changed:\n%s", diff)
		}
		if n := value[int](t, w.db, "SELECT version FROM app_secrets"); n != 1 {
			t.Errorf("the secret has version %d", n)
		}
	})
}

// P4: once an app is known its tokens cost no statement on any pool of the database, use included.
func TestP4_NoDatabaseOnTheTokenPath(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Warm")
		if !w.authenticates(t, app.ClientID, shown.Secret.Reveal()) {
			t.Fatal("not warm")
		}
		s := watchAll(t, w.db)
		for range 1000 {
			c, id, err := w.Authenticate(t.Context(), app.ClientID, shown.Secret.Reveal(), "")
			if err != nil {
				t.Fatal(err)
			}
			w.NoteUse(c, id, netip.MustParseAddr("203.0.113.7"))
		}
		if n := s.n.Load(); n != 0 {
			t.Errorf("1,000 warm tokens cost %d statements", n)
		}
		w.flush(t)
		if n := s.n.Load(); n < 3 {
			t.Errorf("a flush was seen as %d statements: the test is blind", n)
		}
		w.wantUse(t, app, shown.ID, "1000/1000 203.0.113.0/24 1000/1000")
	})
}

func TestUseAllocatesNothing(t *testing.T) {
	w := sqliteWorld(t)
	app, shown := w.register(t, "Warm")
	c, at := w.current(t, app), netip.MustParseAddr("2001:db8::1")
	if n := testing.AllocsPerRun(100, func() { w.NoteUse(c, shown.ID, at) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Hours are told apart; what is shown looks back by whole hours.
func TestUseByHour(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export") // at 13:05
		start := w.clock.Now()
		w.use(t, app, shown.ID, "203.0.113.7", 1)
		w.clock.Advance(55*time.Minute - time.Microsecond)
		w.use(t, app, shown.ID, "203.0.113.7", 2)
		w.clock.Advance(time.Microsecond) // 14:00
		w.use(t, app, shown.ID, "203.0.113.7", 4)
		w.flush(t)
		type hour struct{ Hour, Uses, LastUsedAt int64 }
		var got []hour
		if err := w.db.Read(t.Context()).Raw("SELECT hour, uses, last_used_at FROM secret_usage ORDER BY hour").Scan(&got).Error; err != nil {
			t.Fatal(err)
		}
		one, two := start.Truncate(time.Hour), start.Truncate(time.Hour).Add(time.Hour)
		want := []hour{
			{database.Micros(one), 3, database.Micros(two) - 1},
			{database.Micros(two), 4, database.Micros(two)},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("hours (-want +got):\n%s", diff)
		}
		for _, tt := range []struct {
			at   time.Time
			want string
		}{
			{two, "7/7 203.0.113.0/24 7/7"},
			{one.Add(25*time.Hour - 1), "7/7 203.0.113.0/24 7/7"},
			{one.Add(25 * time.Hour), "4/7 203.0.113.0/24 4/7"},
			{two.Add(25 * time.Hour), "0/7 203.0.113.0/24 0/7"},
			{one.Add(7*24*time.Hour + time.Hour), "0/4 203.0.113.0/24 0/4"},
			{two.Add(7*24*time.Hour + time.Hour), "0/0"},
		} {
			w.clock.Advance(tt.at.Sub(w.clock.Now()))
			w.wantUse(t, app, shown.ID, tt.want)
		}
		if last := w.app(t, app.ID).LastUsedAt; !last.Equal(two) {
			t.Errorf("last use %v", last)
		}
	})
}

// A clock that is set back takes no last use back, neither in memory nor in the database.
func TestUseWhenTheClockIsSetBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		late := w.clock.Now()
		w.use(t, app, shown.ID, "203.0.113.7", 1)
		w.clock.Advance(-time.Minute)
		w.use(t, app, shown.ID, "203.0.113.7", 1)
		w.flush(t)
		w.clock.Advance(-3 * time.Hour)
		w.use(t, app, shown.ID, "203.0.113.7", 1)
		w.flush(t)
		w.clock.Advance(3*time.Hour + time.Minute)
		w.wantUse(t, app, shown.ID, "3/3 203.0.113.0/24 3/3")
		got := w.app(t, app.ID)
		if !got.LastUsedAt.Equal(late) || !got.Secrets[0].LastUsedAt.Equal(late) {
			t.Errorf("last use %v and %v, want %v", got.LastUsedAt, got.Secrets[0].LastUsedAt, late)
		}
	})
}

// A deleted app has no use, and gets none from what was counted before.
func TestUseOfADeletedApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		other, others := w.register(t, "Other app")
		w.use(t, app, shown.ID, "203.0.113.7", 1)
		w.use(t, other, others.ID, "203.0.113.7", 1)
		off := w.deactivate(t, app.ID)
		if err := w.Delete(t.Context(), w.admin, app.ID, off.Version, app.Name); err != nil {
			t.Fatal(err)
		}
		w.flush(t)
		w.flush(t)
		if n := value[int](t, w.db, "SELECT count(*) FROM secret_usage"); n != 1 {
			t.Errorf("%d rows", n)
		}
		w.wantUse(t, other, others.ID, "1/1 203.0.113.0/24 1/1")
	})
}

// Hours are kept for 90 days, and a last use for ever.
func TestSweepOfUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		used := w.clock.Now()
		w.use(t, app, shown.ID, "203.0.113.7", 1)
		w.flush(t)
		w.clock.Advance(time.Hour)
		w.use(t, app, shown.ID, "203.0.113.7", 1)
		w.flush(t)
		rows := func(want int) {
			t.Helper()
			if err := w.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := value[int](t, w.db, "SELECT count(*) FROM secret_usage"); n != want {
				t.Errorf("%d rows, want %d", n, want)
			}
		}
		w.clock.Advance(used.Truncate(time.Hour).Add(90*24*time.Hour - 1).Sub(w.clock.Now()))
		rows(2)
		w.clock.Advance(1)
		rows(1)
		w.clock.Advance(time.Hour)
		rows(0)
		if last := w.app(t, app.ID).LastUsedAt; !last.Equal(used.Add(time.Hour)) {
			t.Errorf("last use %v", last)
		}
	})
}

// Everything that is written about use is in one table and two columns: no address stands anywhere.
func TestUseKeepsNoAddress(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, shown := w.register(t, "Spend export")
		w.use(t, app, shown.ID, "203.0.113.77", 1)
		w.use(t, app, shown.ID, "2001:db8:1:2::77", 1)
		w.flush(t)
		networks := value[string](t, w.db, "SELECT string_agg(network, ' ' ORDER BY network) FROM secret_usage")
		if networks != "2001:db8:1::/48 203.0.113.0/24" || strings.Contains(fmt.Sprint(w.dump(t)), ".77") {
			t.Errorf("networks %q", networks)
		}
	})
}
