package web_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/registry"
)

func (p *portal) reject(clientID string, reason registry.RejectionReason, detail, from string) {
	p.registry.NoteRejection(registry.Rejected{ClientID: clientID, Reason: reason, Detail: detail}, netip.MustParseAddr(from))
}

func (p *portal) flushRejections() {
	p.t.Helper()
	p.must(p.registry.FlushRejections(p.t.Context()))
}

// TestRejectionsOnThePage follows refused requests of a client to the page of its app.
func TestRejectionsOnThePage(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	admin.get(made.path).is(http.StatusOK).says("[aria-labelledby=rejections]", "No request was rejected in the last 30 days.")
	for range 3 {
		p.token(made.clientID, "not the secret")
		p.clock.Advance(10 * time.Second)
	}
	admin.post(made.path+"/secrets/new", with(admin.get(made.path+"/secrets/new").form("main form"),
		map[string][]string{"end": {"now"}, "do": {"create"}})).revealed()
	p.token(made.clientID, made.secret)
	p.flushRejections()
	page := p.as("viewer@acme.example").get(made.path).is(http.StatusOK).
		says("[aria-labelledby=rejections]", "What was sent is no secret of this app.").
		says("[aria-labelledby=rejections]", "The secret …"+made.secret[63:]+" was used, which was retired.").
		says("[aria-labelledby=rejections]", "192.0.2.0/24").says(".strip", "4 requests of this app were rejected today.")
	if rows := page.Find(".rejections-table tbody tr"); rows.Length() != 2 || !strings.Contains(rows.First().Text(), "retired") {
		t.Errorf("%d rows, the first: %s", rows.Length(), rows.First().Text())
	}
	p.clock.Advance(24 * time.Hour)
	if got := p.as("admin@acme.example").get(made.path).text("main"); strings.Contains(got, "rejected today") {
		t.Error("what was rejected yesterday is told as of today")
	}
	if got := p.as("admin@acme.example").get(made.path + "/history").text(".events"); strings.Contains(got, "reject") {
		t.Error("the history speaks of rejections")
	}
}

// TestRejectionsPage pages through what is kept of an app.
func TestRejectionsPage(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	made := admin.register(nil)
	for day := range 3 {
		for i := range 20 {
			p.reject(made.clientID, registry.RejectedScope, fmt.Sprintf("core.thing%d.read", i), "192.0.2.1")
			p.clock.Advance(time.Second)
		}
		p.flushRejections()
		p.clock.Advance(time.Duration(24-day) * time.Hour)
	}
	admin = p.as("admin@acme.example")
	short := admin.get(made.path).is(http.StatusOK)
	if rows := short.Find(".rejections-table tbody tr").Length(); rows != 10 {
		t.Errorf("%d rows on the app's page", rows)
	}
	all := admin.get(short.Find("[aria-labelledby=rejections] a[href$='/rejections']").AttrOr("href", "")).is(http.StatusOK)
	next := all.Find("a[rel=next]").AttrOr("href", "")
	if rows := all.Find(".rejections-table tbody tr").Length(); rows != 50 || next != made.path+"/rejections?from=50" {
		t.Errorf("%d rows, and then %q", rows, next)
	}
	rest := admin.get(next).is(http.StatusOK).says(".pager-range", "51")
	if rows := rest.Find(".rejections-table tbody tr").Length(); rows != 10 || rest.Find("a[rel=prev]").AttrOr("href", "") != made.path+"/rejections" {
		t.Errorf("%d rows, before them %q", rows, rest.Find("a[rel=prev]").AttrOr("href", ""))
	}
	for _, odd := range []string{"-1", "x", "99999999999999999999", "5000"} {
		admin.get(made.path + "/rejections?from=" + odd).is(http.StatusOK)
	}
}

// TestUnknownClientsPage shows an organisation the client IDs of its prefix that nobody registered, and which may be meant.
func TestUnknownClientsPage(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.get("/apps/unknown").is(http.StatusOK).says("main", "no request named a client ID with your prefix")
	made := admin.register(nil)
	mistyped := made.clientID[:len(made.clientID)-1] + "0"
	p.token(mistyped, made.secret)
	p.token("CCWGLBX_aaaaaaaaaaaaaaaaaaaa", "x")
	p.token("<script>alert(1)</script>", "x")
	p.flushRejections()
	found := p.as("viewer@acme.example").get("/apps/unknown").is(http.StatusOK).says("tbody", mistyped).
		says("tbody", "Did you mean "+made.clientID+" of SAP spend export?")
	if rows := found.Find("tbody tr").Length(); rows != 1 || found.Find("tbody a").AttrOr("href", "") != made.path {
		t.Errorf("%d rows, linked to %q", rows, found.Find("tbody a").AttrOr("href", ""))
	}
	if got := p.as("admin@globex.example").get("/apps/unknown").is(http.StatusOK).text("main"); strings.Contains(got, made.clientID) || !strings.Contains(got, "CCWGLBX_a") {
		t.Errorf("Globex sees %s", got)
	}
	p.as("guest@acme.example").get("/apps/unknown").is(http.StatusForbidden)
}
