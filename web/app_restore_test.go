package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// rotated makes a second secret through the form, with the old one ending as chosen.
func (b *browser) rotated(made registered, end string) registered {
	b.p.t.Helper()
	form := b.get(made.path + "/secrets/new").is(http.StatusOK).form("main form")
	return b.post(made.path+"/secrets/new", with(form, map[string][]string{"do": {"create"}, "end": {end}})).is(http.StatusOK).revealed()
}

// works reports whether a secret buys a token.
func (p *portal) works(made registered) bool {
	status, _ := p.token(made.clientID, made.secret)
	return status == http.StatusOK
}

// TestRestore brings a retired secret back from the table, and says why it cannot be done later.
func TestRestore(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	again := admin.rotated(made, "now")
	if p.works(made) || !p.works(again) {
		t.Fatal("the rotation did not end the old secret")
	}
	detail := admin.get(made.path).is(http.StatusOK)
	detail.wantRow(made.secret, "Retired", "Can be restored until 23 Nov 2026, 13:05 UTC", "Restore")
	restore := detail.Find(".secrets-table a[href$='/restore']").AttrOr("href", "")
	dialog := admin.fragment(restore, "dialog").is(http.StatusOK).says("form", "works again at once").says("form", "29 Nov 2026, 13:05 UTC")
	after := admin.follow(admin.post(restore, dialog.form("form"))).is(http.StatusOK).says(".flash, [role=status], main", "works again")
	after.wantRow(made.secret, "Ends 29 Nov 2026", "Extend", "Retire")
	if !p.works(made) || !p.works(again) {
		t.Error("after the restore one of the two does not work")
	}
	admin.get(made.path+"/history").says(".events", "restored the secret …"+made.secret[len(made.secret)-4:])
	if page := admin.get(restore); page.status != http.StatusSeeOther {
		t.Errorf("a secret that works is asked about: %d", page.status)
	}

	retire := after.Find(".secrets-table tr:has(a[href$='/extend']) a[href$='/retire']").AttrOr("href", "")
	admin.follow(admin.post(retire, admin.get(retire).form("main form"))).is(http.StatusOK)
	p.clock.Advance(24 * time.Hour)
	admin = p.as("admin@acme.example")
	if row := admin.get(made.path).secretRow(made.secret); strings.Contains(row, "estore") {
		t.Errorf("24 hours later the row says %q", row)
	}
	late := admin.get(restore).is(http.StatusOK).says("main", "ended more than 24 hours ago")
	if late.Find("main form").Length() != 0 {
		t.Error("it can be asked for all the same")
	}
	admin.post(restore, map[string][]string{"version": {"1"}}).is(http.StatusConflict).says("main", "ended more than 24 hours ago")
	if p.works(made) {
		t.Error("a secret was restored too late")
	}
}

// TestExtend puts off the end of the old one of two secrets.
func TestExtend(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	p.accessToken(made.clientID, made.secret)
	again := admin.rotated(made, "24h")
	p.accessToken(made.clientID, again.secret)
	p.clock.Advance(time.Hour)
	p.accessToken(made.clientID, made.secret)
	p.flush()
	admin = p.as("admin@acme.example")
	strip := "[aria-labelledby=credentials] .banner-warn"
	detail := admin.get(made.path).is(http.StatusOK).says(strip, "will stop working on 23 Nov 2026, 13:05 UTC, and it is still used: 2 times in 24 hours")
	extend := detail.Find(strip+" a[href$='/extend']").AttrOr("href", "")
	form := admin.get(extend).is(http.StatusOK).says("main form", "stops working on 23 Nov 2026, 13:05 UTC").form("main form")
	for name, tt := range map[string]struct {
		change map[string][]string
		field  string
		says   string
	}{
		"nothing":     {map[string][]string{"end": {"date"}, "end_at": {""}}, "end_at", "Enter the date."},
		"no date":     {map[string][]string{"end": {"date"}, "end_at": {"soon"}}, "end_at", "Enter the date."},
		"earlier":     {map[string][]string{"end": {"date"}, "end_at": {"2026-11-22T15:00"}}, "end_at", "works until 23 Nov 2026, 13:05 UTC already"},
		"too far":     {map[string][]string{"end": {"date"}, "end_at": {"2027-11-22T15:00"}}, "end_at", "too far ahead"},
		"no choice":   {map[string][]string{"end": {"never"}}, "end", "Choose when"},
		"chosen less": {map[string][]string{"end": {"1h"}}, "end", "already"},
	} {
		t.Run(name, func(t *testing.T) {
			page := admin.post(extend, with(form, tt.change)).is(http.StatusUnprocessableEntity)
			if got := page.text("#f-" + tt.field + "-error"); !strings.Contains(got, tt.says) {
				t.Errorf("the field %s says %q, want %q", tt.field, got, tt.says)
			}
		})
	}
	admin.follow(admin.post(extend, with(form, map[string][]string{"end": {"7d"}}))).is(http.StatusOK).says("main", "is put off").
		wantRow(made.secret, "Ends 29 Nov 2026")
	p.clock.Advance(6 * 24 * time.Hour)
	if !p.works(made) {
		t.Error("it ended at the old end")
	}
	admin = p.as("admin@acme.example")
	p.clock.Advance(25 * time.Hour)
	admin = p.as("admin@acme.example")
	if p.works(made) {
		t.Error("it outlives the new end")
	}
	admin.post(extend, with(form, map[string][]string{"end": {"30d"}})).is(http.StatusConflict).says("main", "no end to put off")
	admin.get(made.path+"/history").says(".events", "put off the end of the secret …"+made.secret[len(made.secret)-4:])
}

// TestRotateOverAMissedSecret: the new one of two that nobody has used is named, and makes room (protocol.md §3.5).
func TestRotateOverAMissedSecret(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	p.accessToken(made.clientID, made.secret)
	p.flush()
	missed := admin.rotated(made, "7d")
	form := admin.get(made.path+"/secrets/new").is(http.StatusOK).says("main form", "nobody had used it").form("main form")
	newest := usable(p, made.id)[1]
	third := admin.post(made.path+"/secrets/new", with(form, map[string][]string{"do": {"create"}, "retire": {newest}})).is(http.StatusOK).revealed()
	if !p.works(made) || p.works(missed) || !p.works(third) {
		t.Errorf("in use %t, missed %t, new %t", p.works(made), p.works(missed), p.works(third))
	}
}

// TestAttention: what the top of an app's page says as time goes by, most serious first (ui.md §4.3).
func TestAttention(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	says := func(wait time.Duration, want ...string) {
		t.Helper()
		p.clock.Advance(wait)
		var got []string
		p.as("admin@acme.example").get(made.path).is(http.StatusOK).Find(".strip .notice p").Each(func(_ int, s *selection) {
			got = append(got, strings.Join(strings.Fields(s.Text()), " "))
		})
		if len(got) != len(want) {
			t.Fatalf("it says %q, want %q", got, want)
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("line %d says %q, want %q", i, got[i], want[i])
			}
		}
	}
	says(0)
	says(7*24*time.Hour, "Nobody has used this app since it was registered 7 days ago.")
	p.accessToken(made.clientID, made.secret)
	p.flush()
	says(0)
	p.as("admin@acme.example").rotated(made, "30d")
	says(0, "Two secrets work. The old one")
	says(3*24*time.Hour, "Two secrets have worked side by side for 3 days.")
	says(27 * 24 * time.Hour)
	says(320*24*time.Hour, "expires in 15 days")
	says(30*24*time.Hour, "expired on")
}
