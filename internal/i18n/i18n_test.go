package i18n_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/i18n"
)

func bundle(t testing.TB) *i18n.Bundle {
	t.Helper()
	b, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// english returns a context in English and the keys that were asked for and not found.
func english(t testing.TB, zone string) (context.Context, *[]string) {
	t.Helper()
	b := bundle(t)
	var missing []string
	l := b.For("en").OnMissing(func(key string) { missing = append(missing, key) })
	return i18n.With(t.Context(), l, b.Zone(zone)), &missing
}

func TestPlurals(t *testing.T) {
	ctx, missing := english(t, "")
	for n, want := range map[int]string{
		0: "0 days ago", 1: "1 day ago", 2: "2 days ago", 1284: "1,284 days ago", 1_000_000: "1,000,000 days ago",
	} {
		if got := i18n.T(ctx, "time.days_ago", "N", n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
	if len(*missing) > 0 {
		t.Errorf("missing: %v", *missing)
	}
}

// A message without variables is the same text whatever it is given, and one without the plural form of its count
// answers with the general form.
func TestTextWithoutPluralForm(t *testing.T) {
	ctx, _ := english(t, "")
	if got := i18n.T(ctx, "action.cancel", "N", 1, "Name", "x"); got != "Cancel" {
		t.Errorf("got %q", got)
	}
	if got := i18n.T(ctx, "pager.range", "First", 1, "Last", 1, "Total", "1", "N", 1); got != "1-1 of 1" {
		t.Errorf("got %q", got)
	}
}

func TestUnknownKeyIsReturnedAndReported(t *testing.T) {
	ctx, missing := english(t, "")
	if got := i18n.T(ctx, "no.such.key", "N", 3); got != "no.such.key" {
		t.Errorf("got %q", got)
	}
	if diff := cmp.Diff([]string{"no.such.key"}, *missing); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutLocalizer(t *testing.T) {
	ctx := t.Context()
	if got := i18n.T(ctx, "action.cancel"); got != "action.cancel" {
		t.Errorf("text: %q", got)
	}
	at := time.Date(2026, 11, 22, 13, 5, 0, 0, time.UTC)
	if got := i18n.Time(ctx, at); got != "22 Nov 2026, 13:05 UTC" {
		t.Errorf("time: %q", got)
	}
	if got := i18n.Language(ctx); got != "en" {
		t.Errorf("language: %q", got)
	}
	if got := i18n.List(ctx, []string{"a", "b"}); got != "a, b" {
		t.Errorf("list: %q", got)
	}
}

func TestArgumentsAreWrittenForTheReader(t *testing.T) {
	ctx, _ := english(t, "Europe/Berlin")
	at := time.Date(2026, 11, 22, 13, 5, 0, 0, time.UTC)
	for _, test := range []struct {
		name string
		arg  any
		want string
	}{
		{"text", "SAP spend export", "Welcome, SAP spend export"},
		{"number", 12345, "Welcome, 12,345"},
		{"wide number", int64(-1234567), "Welcome, -1,234,567"},
		{"year as text", "2026", "Welcome, 2026"},
		{"moment", at, "Welcome, 22 Nov 2026, 14:05 CET"},
		{"list", []string{"Ana", "Jo", "Kim"}, "Welcome, Ana, Jo and Kim"},
		{"markup stays text", "<b>{{.Name}}</b>", "Welcome, <b>{{.Name}}</b>"},
	} {
		if got := i18n.T(ctx, "home.heading", "Name", test.arg); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if got := i18n.Text(ctx, "home.heading", map[string]any{"Name": uint8(7)}); got != "Welcome, 7" {
		t.Errorf("map: %q", got)
	}
}

func TestTimeInZones(t *testing.T) {
	at := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)
	for _, test := range []struct{ zone, time, date string }{
		{"", "1 Jul 2026, 22:30 UTC", "1 Jul 2026"},
		{"UTC", "1 Jul 2026, 22:30 UTC", "1 Jul 2026"},
		{"Europe/Berlin", "2 Jul 2026, 00:30 CEST", "2 Jul 2026"},
		{"Europe/London", "1 Jul 2026, 23:30 BST", "1 Jul 2026"},
		{"America/Sao_Paulo", "1 Jul 2026, 19:30 UTC-03:00", "1 Jul 2026"},
		{"Asia/Kolkata", "2 Jul 2026, 04:00 IST", "2 Jul 2026"},
		{"Mars/Olympus", "1 Jul 2026, 22:30 UTC", "1 Jul 2026"},
	} {
		ctx, _ := english(t, test.zone)
		if got := i18n.Time(ctx, at); got != test.time {
			t.Errorf("%s: got %q, want %q", test.zone, got, test.time)
		}
		if got := i18n.Date(ctx, at); got != test.date {
			t.Errorf("%s: got %q, want %q", test.zone, got, test.date)
		}
	}
	ctx, _ := english(t, "")
	if i18n.Time(ctx, time.Time{}) != "" || i18n.Date(ctx, time.Time{}) != "" {
		t.Error("the zero time has a text")
	}
}

// The zone's name comes from a cookie: nothing outside the zone database is opened.
func TestZoneNamesFromOutside(t *testing.T) {
	b := bundle(t)
	for _, name := range []string{
		"", "Local", "../etc/passwd", "/etc/passwd", "Europe/Berlin\x00", "Europe Berlin", "..", "Europe/", "日本",
		strings.Repeat("a", 65), "Europe\\Berlin",
	} {
		if got := b.Zone(name); got != time.UTC {
			t.Errorf("%q: got %v", name, got)
		}
	}
	if got := b.Zone("Europe/Berlin").String(); got != "Europe/Berlin" {
		t.Errorf("got %q", got)
	}
	if first := b.Zone("Asia/Tokyo"); first != b.Zone("Asia/Tokyo") {
		t.Error("a zone is loaded twice")
	}
}

func TestAgo(t *testing.T) {
	ctx, missing := english(t, "")
	now := time.Date(2026, 11, 22, 13, 5, 0, 0, time.UTC)
	for _, test := range []struct {
		d    time.Duration
		want string
	}{
		{0, "just now"},
		{-59 * time.Second, "just now"},
		{59 * time.Second, "just now"},
		{-time.Minute, "1 minute ago"},
		{-59 * time.Minute, "59 minutes ago"},
		{30 * time.Minute, "in 30 minutes"},
		{-time.Hour, "1 hour ago"},
		{-47*time.Hour - 59*time.Minute, "47 hours ago"},
		{time.Hour, "in 1 hour"},
		{-48 * time.Hour, "2 days ago"},
		{12 * 24 * time.Hour, "in 12 days"},
		{-1500 * 24 * time.Hour, "1,500 days ago"},
	} {
		if got := i18n.Ago(ctx, now.Add(test.d), now); got != test.want {
			t.Errorf("%v: got %q, want %q", test.d, got, test.want)
		}
	}
	if len(*missing) > 0 {
		t.Errorf("missing: %v", *missing)
	}
}

func TestNumber(t *testing.T) {
	ctx, _ := english(t, "")
	for n, want := range map[int64]string{
		0: "0", 7: "7", -7: "-7", 999: "999", 1000: "1,000", -1000: "-1,000", 123456: "123,456",
		9223372036854775807: "9,223,372,036,854,775,807", -9223372036854775808: "-9,223,372,036,854,775,808",
	} {
		if got := i18n.Number(ctx, n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestList(t *testing.T) {
	ctx, _ := english(t, "")
	for _, test := range []struct {
		words []string
		want  string
	}{
		{nil, ""},
		{[]string{"a"}, "a"},
		{[]string{"a", "b"}, "a and b"},
		{[]string{"a", "b", "c"}, "a, b and c"},
		{[]string{"a", "b", "c", "d"}, "a, b, c and d"},
	} {
		if got := i18n.List(ctx, test.words); got != test.want {
			t.Errorf("%v: got %q, want %q", test.words, got, test.want)
		}
	}
}

func TestChoiceOfLanguage(t *testing.T) {
	b := bundle(t)
	for _, wishes := range [][]string{
		nil,
		{""},
		{"en"},
		{"en-GB"},
		{"*"},
		{"xx-nonsense-1234567890"},
		{"", "ja;q=0.9, en;q=0.1"},
		{"%%%"},
		{strings.Repeat("de,", 10000)},
		{strings.Repeat("a-", 2000)},
		{"tlh"},
	} {
		if got := b.For(wishes...).Language(); got != "en" {
			t.Errorf("%.40q: got %q", wishes, got)
		}
	}
	if diff := cmp.Diff("en", b.Languages()[0]); diff != "" {
		t.Errorf("English is not the first language: %s", diff)
	}
}

// Language lists come from anybody's browser. Whatever they hold, a shipped language answers.
func FuzzAcceptLanguage(f *testing.F) {
	b := bundle(f)
	shipped := map[string]bool{}
	for _, name := range b.Languages() {
		shipped[name] = true
	}
	for _, seed := range []string{
		"", "en", "de-CH, de;q=0.9, en;q=0.8, *;q=0.5", "zh-Hans-CN", "fr;q=", "en;q=99999999999999999999",
		"x-private", "i-klingon", "en-US-u-ca-buddhist", ";;;,,,", "\x00", "a-b-c-d-e-f-g-h", "de-DE-1996-x-foo,en",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		l := b.For(first, second)
		if l == nil || !shipped[l.Language()] {
			t.Fatalf("%q, %q: no shipped language", first, second)
		}
		if l.Language() != b.For(first, second).Language() {
			t.Fatalf("%q, %q: two answers", first, second)
		}
	})
}

// Nothing a person typed can act as a template or change the sentence around it.
func FuzzText(f *testing.F) {
	b := bundle(f)
	for _, seed := range []string{"", "{{.Name}}", "{{template \"x\"}}", "<script>", "\x00", "{{", "}}", "日本語"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		ctx := i18n.With(t.Context(), b.For("en"), nil)
		if got, want := i18n.T(ctx, "home.heading", "Name", name), "Welcome, "+name; got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func BenchmarkText(b *testing.B) {
	ctx, _ := english(b, "Europe/Berlin")
	b.Run("fixed", func(b *testing.B) {
		for b.Loop() {
			i18n.T(ctx, "action.cancel")
		}
	})
	b.Run("plural", func(b *testing.B) {
		for b.Loop() {
			i18n.T(ctx, "time.days_ago", "N", 12)
		}
	})
}
