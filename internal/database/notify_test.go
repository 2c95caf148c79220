package database_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
)

const selectListener = "SELECT COALESCE(max(pid), 0) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'credenza listener'"

// listenerOf returns the backend that announces changes to the one process that listens, 0 for none.
func listenerOf(t *testing.T, db *database.DB) (pid int) {
	t.Helper()
	if err := db.Read(t.Context()).Raw(selectListener).Scan(&pid).Error; err != nil {
		t.Fatal(err)
	}
	return pid
}

// listening begins a process that polls once an hour, so that it hears of others by notification or not at all.
func listening(t *testing.T, url string) *process {
	t.Helper()
	b := begin(t, url, database.Config{PollEvery: time.Hour})
	b.run(t)
	if b.next(t) != nil {
		t.Fatal("the first poll flushes")
	}
	await(t, "a listener", func() bool { return b.metric(t, "listening", "") == 1 })
	return b
}

func TestNotificationMakesTheNewsSooner(t *testing.T) {
	url := dbtest.PostgresURL(t)
	a := dbtest.Open(t, url, dbtest.NewClock())
	b := listening(t, url)
	for _, id := range []string{"one", "two", "three"} {
		if diff := cmp.Diff(change(t, a, id), b.next(t)); diff != "" {
			t.Error(diff)
		}
	}
}

// Many changes at once share polls, and none is missed.
func TestBurstOfNotificationsIsHeardWhole(t *testing.T) {
	url := dbtest.PostgresURL(t)
	a := dbtest.Open(t, url, dbtest.NewClock())
	b := listening(t, url)
	var want, got []database.Change
	for range 200 {
		want = append(want, change(t, a, database.NewID())...)
	}
	for len(got) < len(want) {
		got = append(got, b.next(t)...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Two installations in two schemas of one database share the channel, and each obeys its own.
func TestNotificationsOfAnotherInstallation(t *testing.T) {
	url := dbtest.PostgresURL(t)
	a := dbtest.Open(t, url, dbtest.NewClock())
	execute(t, a, "CREATE SCHEMA other")
	other := dbtest.Open(t, url+"&search_path=other", dbtest.NewClock())
	b := listening(t, url)
	for range 20 { // announced before ours, so that ours is not counted before these would be
		change(t, other, "theirs")
	}
	for n, id := range []string{"ours", "ours too"} {
		if diff := cmp.Diff(change(t, a, id), b.next(t)); diff != "" {
			t.Error(diff)
		}
		// A poll that was under way may find a change before its notification comes.
		await(t, "the notification", func() bool { return b.metric(t, "notifications_total", "") > float64(n) })
	}
	if n := b.metric(t, "notifications_total", ""); n != 2 {
		t.Errorf("%v notifications, want the two of this installation", n)
	}
}

// F12: a change that nobody announced is found by the poll.
func TestF12_LostNotificationIsMadeUpFor(t *testing.T) {
	url := dbtest.PostgresURL(t)
	a := dbtest.Open(t, url, dbtest.NewClock())
	b := begin(t, url, database.Config{})
	b.run(t)
	b.next(t)
	execute(t, a, "INSERT INTO changes (n, topic, entity_id, at) VALUES (1, 'app', 'silent', 0)", "UPDATE change_counter SET n = 1")
	if diff := cmp.Diff([]database.Change{{Topic: database.TopicApp, ID: "silent"}}, b.next(t)); diff != "" {
		t.Error(diff)
	}
	if n := b.metric(t, "notifications_total", ""); n != 0 {
		t.Errorf("%v notifications", n)
	}
}

// F12: the listener comes back by itself, with what it missed.
func TestF12_ListenerComesBack(t *testing.T) {
	t.Run("terminated", func(t *testing.T) {
		url := dbtest.PostgresURL(t)
		a := dbtest.Open(t, url, dbtest.NewClock())
		b := listening(t, url)
		first := listenerOf(t, a)
		if err := a.Read(t.Context()).Exec("SELECT pg_terminate_backend(?)", first).Error; err != nil {
			t.Fatal(err)
		}
		await(t, "another listener", func() bool { pid := listenerOf(t, a); return pid != 0 && pid != first })
		await(t, "its subscription", func() bool { return b.metric(t, "listening", "") == 1 })
		if diff := cmp.Diff(change(t, a, "after"), b.next(t)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		url := dbtest.PostgresURL(t)
		a := dbtest.Open(t, url, dbtest.NewClock())
		proxy := dbtest.NewProxy(t, url)
		b := listening(t, proxy.URL)
		proxy.Cut()
		await(t, "no listener", func() bool { return b.metric(t, "listening", "") == 0 })
		missed := change(t, a, "missed")
		proxy.Pass()
		if diff := cmp.Diff(missed, b.next(t)); diff != "" {
			t.Error(diff)
		}
	})
}
