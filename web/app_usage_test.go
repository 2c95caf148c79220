package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/registry"
)

func (p *portal) flush() {
	p.t.Helper()
	p.must(p.registry.FlushUse(p.t.Context()))
}

// secretRow is what the table says of the secret that ends like this one.
func (a *page) secretRow(secret string) string {
	a.t.Helper()
	row := a.Find(".secrets-table tbody tr").FilterFunction(func(_ int, s *selection) bool {
		return strings.Contains(s.Text(), secret[len(secret)-4:])
	})
	if row.Length() != 1 {
		a.t.Fatalf("%d rows for a secret", row.Length())
	}
	return strings.Join(strings.Fields(row.Text()), " ")
}

func (a *page) wantRow(secret string, parts ...string) {
	a.t.Helper()
	row := a.secretRow(secret)
	for _, part := range parts {
		if !strings.Contains(row, part) {
			a.t.Errorf("the row %q does not say %q", row, part)
		}
	}
}

// TestUI7_LastUse follows a secret from "never used" to "last used", and the app in the grid.
func TestUI7_LastUse(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	fresh := admin.get(made.path).is(http.StatusOK).says("[aria-labelledby=use]", "Never used").says("[aria-labelledby=use]", "within a minute")
	fresh.wantRow(made.secret, "Never used", "New, not used")
	if fresh.Find(".use-table").Length() != 0 {
		t.Error("an app that was never used has a table of use")
	}
	grid := admin.get("/apps").is(http.StatusOK).says(".apps-table tbody", "Never used").says(".apps-table tbody", "New, not used")
	if strings.Contains(grid.text(".apps-table tbody"), "In use") || strings.Contains(fresh.text("main"), "In use") {
		t.Error("a secret that was never used reads as in use")
	}

	token := p.accessToken(made.clientID, made.secret)
	p.accessToken(made.clientID, made.secret)
	admin.get(made.path).says("[aria-labelledby=use]", "Never used")
	p.flush()
	p.clock.Advance(3 * 24 * time.Hour)
	admin = p.as("viewer@acme.example")
	detail := admin.get(made.path).is(http.StatusOK)
	detail.says("[aria-labelledby=use] p", "Last used 22 Nov 2026, 13:05 UTC, 3 days ago")
	detail.wantRow(made.secret, "22 Nov 2026, 13:05 UTC, 3 days ago", "In use")
	detail.says(".use-table tbody", "2 uses")
	admin.get("/apps?sort=used&dir=desc").is(http.StatusOK).says(".apps-table tbody", "22 Nov 2026, 13:05 UTC")
	if got := admin.get(made.path + "/history").text(".events"); strings.Contains(got, "used") {
		t.Errorf("the history speaks of use: %s", got)
	}
	if strings.Contains(detail.body, token[:40]) {
		t.Error("a token is on the page")
	}
}

// TestLastUseSorts: every direction of the column has its address, and never comes first.
func TestLastUseSorts(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	for _, name := range []string{"First used", "Never used", "Last used"} {
		made := admin.register(appNamed(name))
		if name != "Never used" {
			p.accessToken(made.clientID, made.secret)
			p.clock.Advance(time.Minute)
		}
	}
	p.flush()
	for query, want := range map[string]string{
		"?sort=used": "Never used, First used, Last used", "?sort=used&dir=desc": "Last used, First used, Never used",
	} {
		var names []string
		grid := admin.get("/apps" + query).is(http.StatusOK)
		grid.Find("#results tbody tr th a").Each(func(_ int, s *selection) { names = append(names, s.Text()) })
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	head := admin.get("/apps?sort=used").Find("th[aria-sort=ascending]")
	if head.Length() != 1 || head.Find("a").AttrOr("href", "") != "/apps?dir=desc&sort=used" {
		t.Errorf("the column leads to %q", head.Find("a").AttrOr("href", ""))
	}
}

// TestRotationTellsWhoStillUsesTheOldSecret walks the steps of ui.md §4.5.
func TestRotationTellsWhoStillUsesTheOldSecret(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	p.accessToken(made.clientID, made.secret)
	form := admin.get(made.path + "/secrets/new").is(http.StatusOK).form("main form")
	again := admin.post(made.path+"/secrets/new", with(form, map[string][]string{"do": {"create"}})).is(http.StatusOK).revealed()
	p.flush()
	strip := "[aria-labelledby=credentials] .banner"
	admin.get(made.path).says(strip, "Waiting for the first use of the new secret …"+again.secret[len(again.secret)-4:]).
		says(".use-table", "Not used in 7 days")
	choice := admin.get(made.path + "/secrets/new").is(http.StatusOK).text("main form")
	if !strings.Contains(choice, "Up to a minute ago nobody had used it") {
		t.Error("the form does not tell which of two secrets nobody uses")
	}

	p.accessToken(made.clientID, again.secret)
	p.flush()
	admin.get(made.path).says(strip, "Both secrets are in use").says(strip, "1 time in 24 hours, from ")

	p.clock.Advance(24*time.Hour + time.Minute)
	admin = p.as("admin@acme.example")
	p.accessToken(made.clientID, again.secret)
	p.flush()
	silent := admin.get(made.path).is(http.StatusOK).says(strip, "Safe to retire").says(strip, "22 Nov 2026, 13:05 UTC")
	retire := silent.Find(strip+" a[href$='/retire']").AttrOr("href", "")
	dialog := admin.fragment(retire, "dialog").is(http.StatusOK)
	after := admin.follow(admin.post(retire, dialog.form("form"))).is(http.StatusOK)
	after.wantRow(made.secret, "Retired", "22 Nov 2026, 13:05 UTC, 24 hours ago")
	if rows := after.Find(".use-table tbody tr.is-off").Length(); rows != 1 {
		t.Errorf("%d secrets that are over in the table of use", rows)
	}
	p.clock.Advance(9 * 24 * time.Hour)
	if last := p.app(made.id); last.Summary(p.clock.Now()).Code != registry.SecretsOK {
		t.Errorf("summary %v", last.Summary(p.clock.Now()))
	}
	admin = p.as("admin@acme.example")
	if rows := admin.get(made.path).is(http.StatusOK).Find(".use-table tbody tr").Length(); rows != 1 {
		t.Errorf("%d secrets in the table of use a week later", rows)
	}
}

// TestUseOfOthers: another organisation's app has no page, so no use.
func TestUseOfOthers(t *testing.T) {
	p := newPortal(t)
	made := p.as("admin@acme.example").register(nil)
	p.accessToken(made.clientID, made.secret)
	p.flush()
	p.as("admin@globex.example").get(made.path).is(http.StatusNotFound)
	if body := p.as("guest@acme.example").get(made.path).is(http.StatusForbidden).body; strings.Contains(body, "uses") {
		t.Error("somebody without rights sees the use of an app")
	}
}
