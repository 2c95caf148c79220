package registry_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

var office = netip.MustParseAddr("192.0.2.17")

// reject counts a refused request of a client, for a reason of its own.
func (w *world) reject(clientID string, reason registry.RejectionReason, detail string) {
	w.NoteRejection(registry.Rejected{ClientID: clientID, Reason: reason, Detail: detail}, office)
}

// present presents a secret and counts the refusal, as the endpoints do.
func (w *world) present(t testing.TB, clientID, text string) {
	t.Helper()
	_, _, err := w.Authenticate(t.Context(), clientID, text, "")
	refused, ok := errors.AsType[*registry.Refused](err)
	if !ok {
		t.Fatalf("not refused: %v", err)
	}
	w.NoteRejection(registry.Rejected{ClientID: clientID, Refusal: refused}, office)
}

// flushRejections writes what was counted.
func (w *world) flushRejections(t testing.TB) {
	t.Helper()
	if err := w.FlushRejections(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// rejections writes what was counted and returns what an app's page says: "reason detail network times", sorted.
func (w *world) rejections(t testing.TB, id registry.AppID) []string {
	t.Helper()
	w.flushRejections(t)
	list := must(w.Rejections(t.Context(), w.viewer, id, registry.Span{Most: 1000}))(t)
	app := w.app(t, id)
	var rows []string
	for _, row := range list.Rows {
		hint := row.Detail
		if secret, ok := app.Secret(row.Secret); ok {
			hint = "…" + secret.Hint
		}
		rows = append(rows, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %d", row.Reason, hint, row.Network, row.Times)), " "))
	}
	slices.Sort(rows)
	return rows
}

// TestRejectionsAreWrittenByKey: replicas take the rows in one order, so that none waits in a circle.
func TestRejectionsAreWrittenByKey(t *testing.T) {
	w := sqliteWorld(t)
	var apps []registry.App
	for _, name := range []string{"One", "Two", "Three"} {
		app, _ := w.register(t, name)
		apps = append(apps, app)
	}
	slices.SortFunc(apps, func(a, b registry.App) int { return cmp.Compare(a.ClientID, b.ClientID) })
	slices.Reverse(apps)
	for _, app := range apps {
		for _, detail := range []string{"c", "a", "b"} {
			w.reject(app.ClientID, registry.RejectedScope, detail)
		}
	}
	for _, id := range []string{"zzz", "mmm", "aaa"} {
		w.reject("CCWGLBX_"+strings.Repeat(id[:1], 20), registry.RejectedScope, "")
		w.reject("CCWACME_"+strings.Repeat(id[:1], 20), registry.RejectedScope, "")
	}
	keys := map[string][]string{}
	watchRows(t, w.db, func(table string, values []any) {
		size := map[string][2]int{"app_rejections": {10, 5}, "unknown_clients": {6, 2}}[table] // columns, those of the key first
		if size[0] == 0 {
			return
		}
		for row := range slices.Chunk(values, size[0]) {
			keys[table] = append(keys[table], fmt.Sprint(row[:size[1]]))
		}
	})
	w.flushRejections(t)
	for table, n := range map[string]int{"app_rejections": 9, "unknown_clients": 6} {
		if !slices.IsSorted(keys[table]) || len(keys[table]) != n {
			t.Errorf("%s: %q", table, keys[table])
		}
	}
}

// TestRejections tells why, for everything that can be wrong with a client's credentials.
func TestRejections(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		tests := map[string]struct {
			act  func(t *testing.T, app registry.App, first *registry.NewSecret) string // returns what is presented
			want string
		}{
			"no secret": {func(*testing.T, registry.App, *registry.NewSecret) string { return "hunter2" }, "no_secret 192.0.2.0/24 2"},
			"another app's": {func(t *testing.T, _ registry.App, _ *registry.NewSecret) string {
				_, other := w.register(t, "Other")
				return other.Secret.Reveal()
			}, "no_secret 192.0.2.0/24 2"},
			"retired": {func(t *testing.T, app registry.App, first *registry.NewSecret) string {
				w.rotate(t, app.ID, registry.Rotation{Old: first.ID, OldEnds: registry.End{Choice: registry.EndsNow}})
				return first.Secret.Reveal()
			}, "retired …%s 192.0.2.0/24 2"},
			"leaked": {func(t *testing.T, app registry.App, first *registry.NewSecret) string {
				if err := w.MarkLeaked(t.Context(), w.admin, app.ID, first.ID); err != nil {
					t.Fatal(err)
				}
				return first.Secret.Reveal()
			}, "leaked …%s 192.0.2.0/24 2"},
			"expired": {func(_ *testing.T, _ registry.App, first *registry.NewSecret) string {
				w.clock.Advance(2 * 366 * 24 * time.Hour)
				return first.Secret.Reveal()
			}, "expired …%s 192.0.2.0/24 2"},
			"inactive": {func(t *testing.T, app registry.App, first *registry.NewSecret) string {
				w.deactivate(t, app.ID)
				return first.Secret.Reveal()
			}, "app_inactive 192.0.2.0/24 2"},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				app, first := w.register(t, "App "+name)
				text := tt.act(t, app, first)
				w.present(t, app.ClientID, text)
				w.clock.Advance(10 * time.Second) // no pair of one attempt
				w.present(t, app.ClientID, text)
				want := tt.want
				if strings.Contains(want, "%s") {
					want = fmt.Sprintf(want, first.Hint)
				}
				if diff := gocmp.Diff([]string{want}, w.rejections(t, app.ID)); diff != "" {
					t.Errorf("rejections (-want +got):\n%s", diff)
				}
			})
		}
	})
}

// TestRejectionsAddUp: what is refused alike on a day is one row, whoever wrote it and however often.
func TestRejectionsAddUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		began := w.clock.Now()
		for range 3 {
			w.reject(app.ClientID, registry.RejectedScope, "core.order.read")
			w.rejections(t, app.ID)
			w.clock.Advance(time.Minute)
		}
		w.reject(app.ClientID, registry.RejectedScope, "core.order.write")
		w.clock.Advance(24 * time.Hour)
		w.reject(app.ClientID, registry.RejectedScope, "core.order.read")
		want := []string{
			"scope_not_held core.order.read 192.0.2.0/24 1", "scope_not_held core.order.read 192.0.2.0/24 3",
			"scope_not_held core.order.write 192.0.2.0/24 1",
		}
		if diff := gocmp.Diff(want, w.rejections(t, app.ID)); diff != "" {
			t.Errorf("rejections (-want +got):\n%s", diff)
		}
		list := must(w.Rejections(t.Context(), w.viewer, app.ID, registry.Span{Most: 1}))(t)
		if list.Total != 3 || list.Today != 1 || len(list.Rows) != 1 || !list.Rows[0].LastAt.Equal(w.clock.Now()) {
			t.Errorf("the first of a page: %+v", list)
		}
		last := must(w.Rejections(t.Context(), w.viewer, app.ID, registry.Span{Skip: 2, Most: 10}))(t)
		if len(last.Rows) != 1 || !last.Rows[0].FirstAt.Equal(began) || !last.Rows[0].LastAt.Equal(began.Add(2*time.Minute)) {
			t.Errorf("the last page: %+v", last)
		}
		w.clock.Advance(32 * 24 * time.Hour)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows := w.rejections(t, app.ID); len(rows) != 0 {
			t.Errorf("after a month there is still %v", rows)
		}
	})
}

// TestRejectionsAreForTheirOrganisation: the right is asked for, and an app of others, or one that is gone, is not found.
func TestRejectionsAreForTheirOrganisation(t *testing.T) {
	w := sqliteWorld(t)
	app, _ := w.register(t, "Spend export")
	theirs, _ := w.globexApp(t, "Theirs")
	gone, _ := w.register(t, "Gone")
	w.reject(gone.ClientID, registry.RejectedScope, "core.order.read")
	w.rejections(t, gone.ID)
	if err := w.Delete(t.Context(), w.admin, gone.ID, w.deactivate(t, gone.ID).Version, "Gone"); err != nil {
		t.Fatal(err)
	}
	if n := value[int](t, w.db, "SELECT count(*) FROM app_rejections"); n != 0 {
		t.Errorf("%d rows of a deleted app", n)
	}
	for _, tt := range []struct {
		actor access.Actor
		id    registry.AppID
		want  problem.Code
	}{{w.nobody, app.ID, problem.Forbidden}, {w.viewer, theirs.ID, problem.NotFound}, {w.viewer, gone.ID, problem.NotFound}} {
		_, err := w.Rejections(t.Context(), tt.actor, tt.id, registry.Span{Most: 10})
		wantCode(t, err, tt.want)
	}
	_, err := w.UnknownClients(t.Context(), w.nobody, registry.Span{Most: 10})
	wantCode(t, err, problem.Forbidden)
}

// TestRejectionsAreBounded: neither networks nor details nor reasons that strangers make up fill memory or table, and
// they do not push out what came with a secret of the app (protocol.md §10).
func TestRejectionsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		w.reject(app.ClientID, registry.RejectedInactive, "")
		for i := range 40 {
			for j := range 60 {
				from := netip.AddrFrom4([4]byte{10, byte(i), byte(j), 1})
				w.NoteRejection(registry.Rejected{ClientID: app.ClientID, Reason: registry.RejectedMalformed, Detail: fmt.Sprint("code", i)}, from)
			}
			if i%8 == 7 {
				w.flushRejections(t)
			}
			w.clock.Advance(time.Second)
		}
		w.clock.Advance(24 * time.Hour)
		for i := range 2000 {
			w.reject(app.ClientID, registry.RejectedUnknownScope, fmt.Sprint("scope.", i))
			if i%10 == 0 {
				w.flushRejections(t)
			}
		}
		rows := w.rejections(t, app.ID)
		if len(rows) > 200 {
			t.Errorf("%d rows of one app", len(rows))
		}
		networks := map[string]int{}
		for _, row := range rows {
			if parts := strings.Fields(row); parts[0] == "malformed" && len(parts) == 4 {
				networks[parts[1]]++
			}
		}
		for code, n := range networks {
			if n > 21 {
				t.Errorf("%d networks of %s", n, code)
			}
		}
	})
}

// TestStrangersDoNotHideWhatMatters floods an app with what anybody can send.
func TestStrangersDoNotHideWhatMatters(t *testing.T) {
	w := sqliteWorld(t)
	app, _ := w.register(t, "Spend export")
	w.reject(app.ClientID, registry.RejectedInactive, "")
	for i := range 300 {
		w.clock.Advance(time.Second)
		w.reject(app.ClientID, registry.RejectedMalformed, fmt.Sprint("code", i))
		if i%20 == 0 {
			w.rejections(t, app.ID)
		}
	}
	if rows := w.rejections(t, app.ID); len(rows) != 101 || !slices.Contains(rows, "app_inactive 192.0.2.0/24 1") {
		t.Errorf("%d rows: %v", len(rows), rows)
	}
}

// unknown returns what the page of unknown clients says: "client ID times", sorted by client ID.
func (w *world) unknown(t testing.TB, actor access.Actor) registry.UnknownClients {
	t.Helper()
	if err := w.FlushRejections(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := must(w.UnknownClients(t.Context(), actor, registry.Span{Most: 10_000}))(t)
	slices.SortFunc(list.Rows, func(a, b registry.UnknownClient) int { return cmp.Compare(a.ClientID, b.ClientID) })
	return list
}

// TestUnknownClients: an organisation sees what has its prefix and the shape of a client ID, and what may be meant.
func TestUnknownClients(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.register(t, "Spend export")
		gone, _ := w.register(t, "Gone")
		if err := w.Delete(t.Context(), w.admin, gone.ID, w.deactivate(t, gone.ID).Version, "Gone"); err != nil {
			t.Fatal(err)
		}
		id := app.ClientID
		misread := id[:12] + string('a'+(id[12]-'a'+1)%26) + id[13:]
		swapped := id[:8] + "z" + id[8:]
		for range 3 {
			w.reject(misread, registry.RejectedNoSecret, "")
		}
		for _, named := range []string{
			swapped, gone.ClientID, "CCWACME_22222222222222222222",
			"CCWGLBX_22222222222222222222",                                               // of others
			"CCWNONE_22222222222222222222", "XYZACME_22222222222222222222", "", "nobody", // of nobody
			"ccws_" + strings.Repeat("a", 62), "CCWACME_" + strings.Repeat("A", 20), "CCWACME_" + strings.Repeat("a", 40),
		} {
			w.reject(named, registry.RejectedNoSecret, "")
		}
		got := map[string]string{}
		for _, u := range w.unknown(t, w.viewer).Rows {
			got[u.ClientID] = fmt.Sprintf("%d %s %s", u.Times, u.Network, u.Was)
			if u.Near != nil {
				got[u.ClientID] += "near " + u.Near.Name
			}
		}
		want := map[string]string{
			misread: "3 192.0.2.0/24 near Spend export", swapped: "1 192.0.2.0/24 near Spend export", gone.ClientID: "1 192.0.2.0/24 Gone",
			"CCWACME_22222222222222222222": "1 192.0.2.0/24 ",
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("unknown clients (-want +got):\n%s", diff)
		}
		if theirs := w.unknown(t, w.globexAdmin); len(theirs.Rows) != 1 {
			t.Errorf("Globex sees %+v", theirs)
		}
		if n := value[int](t, w.db, "SELECT count(*) FROM unknown_clients"); n != 5 {
			t.Errorf("%d rows", n)
		}
		w.clock.Advance(31 * 24 * time.Hour)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := w.unknown(t, w.viewer); left.Total != 0 {
			t.Errorf("a month later there are %d", left.Total)
		}
	})
}

// TestUnknownClientsAreBounded: a flood of invented client IDs grows neither memory nor table, and pushes out no ID that
// somebody really uses.
func TestUnknownClientsAreBounded(t *testing.T) {
	w := sqliteWorld(t)
	const inUse = "CCWACME_yyyyyyyyyyyyyyyyyyyy"
	invented := func(i int) string { return fmt.Sprintf("CCWACME_%020d", i) }
	for i := range 20 {
		for range 5 {
			w.reject(inUse, registry.RejectedNoSecret, "")
		}
		for j := range 1000 {
			w.reject(invented(1000*i+j), registry.RejectedNoSecret, "")
		}
		if i == 0 {
			for j := range 60_000 {
				w.reject(fmt.Sprintf("CCW%04X_%020d", j%4096, j), registry.RejectedNoSecret, "")
			}
			if n := w.RejectionsWaiting(); n > 16<<10 {
				t.Errorf("%v rows wait", n)
			}
		}
		w.unknown(t, w.viewer)
	}
	list := w.unknown(t, w.viewer)
	if list.Total != 1000 {
		t.Errorf("%d unknown clients are kept", list.Total)
	}
	if last := list.Rows[len(list.Rows)-1]; last.ClientID != inUse || last.Times != 100 {
		t.Errorf("the one in use is gone: %+v", last)
	}
}

// TestRejectionsOutliveAFailure: what cannot be written now is written later, and nobody's request fails for it.
func TestRejectionsOutliveAFailure(t *testing.T) {
	w := sqliteWorld(t)
	app, _ := w.register(t, "Spend export")
	w.reject(app.ClientID, registry.RejectedScope, "core.order.read")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.FlushRejections(ended); err == nil {
		t.Error("a flush without a database succeeded")
	}
	w.reject(app.ClientID, registry.RejectedScope, "core.order.read")
	if diff := gocmp.Diff([]string{"scope_not_held core.order.read 192.0.2.0/24 2"}, w.rejections(t, app.ID)); diff != "" {
		t.Errorf("rejections (-want +got):\n%s", diff)
	}
}

// TestRejectionsAtOnce counts from many requests while others write.
func TestRejectionsAtOnce(t *testing.T) {
	w := sqliteWorld(t)
	app, _ := w.register(t, "Spend export")
	atOnce(8, func(i int) {
		for range 50 {
			w.reject(app.ClientID, registry.RejectedScope, "core.order.read")
		}
		if i%4 == 0 {
			_ = w.FlushRejections(t.Context()) // what fails is put back
		}
	})
	if diff := gocmp.Diff([]string{"scope_not_held core.order.read 192.0.2.0/24 400"}, w.rejections(t, app.ID)); diff != "" {
		t.Errorf("rejections (-want +got):\n%s", diff)
	}
}

// BenchmarkNoteRejection is what a refused request costs more than before: of a client that is known, and in a flood of
// invented ones.
func BenchmarkNoteRejection(b *testing.B) {
	w := sqliteWorld(b)
	app, _ := w.register(b, "Spend export")
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			w.reject(app.ClientID, registry.RejectedNoSecret, "")
		}
	})
	ids := make([]string, 1<<16)
	for i := range ids {
		ids[i] = fmt.Sprintf("CCWACME_%020d", i)
	}
	b.Run("flood", func(b *testing.B) {
		i := 0
		for b.Loop() {
			w.reject(ids[i%len(ids)], registry.RejectedNoSecret, "")
			i++
		}
	})
}
