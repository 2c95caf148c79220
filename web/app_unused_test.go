package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
)

// TestUnusedApps: the report lists what nobody used, and a policy's notice stands there and on the app's page.
func TestUnusedApps(t *testing.T) {
	p := newPortal(t)
	admin := p.as("admin@acme.example")
	admin.get("/apps/unused").is(http.StatusOK).says("main", "Every active app was used in the last 90 days")
	idle := admin.register(appNamed("Idle export"))
	used := admin.register(appNamed("Busy export"))
	p.clock.Advance(91 * 24 * time.Hour)
	p.accessToken(used.clientID, used.secret)
	p.flush()
	admin = p.as("admin@acme.example")
	report := admin.get("/apps/unused").is(http.StatusOK).says("main table", "Idle export").says("main table", "Never used").says("main table", "Not planned")
	if strings.Contains(report.text("main"), "Busy export") {
		t.Error("an app that is used stands in the report")
	}
	if href := report.Find("main table .act a").AttrOr("href", ""); href != idle.path+"/deactivate" {
		t.Errorf("Deactivate leads to %q", href)
	}
	viewer := p.as("viewer@acme.example").get("/apps/unused").is(http.StatusOK)
	if viewer.Find("main table .act").Length() != 0 || strings.Contains(viewer.body, "/deactivate") {
		t.Error("whoever may only view can deactivate")
	}

	_, err := p.identity.SetPolicy(t.Context(), access.Operator("root", p.acme.ID), identity.Policy{
		Organisation: p.acme.ID, SecretExpiry: identity.ExpiryRecommended, IdleDays: 60,
	})
	p.must(err)
	p.must(p.registry.DisableIdle(t.Context()))
	admin.get("/apps/unused").is(http.StatusOK).says("main table", "23 Mar 2027")
	admin.get(idle.path).is(http.StatusOK).says(".strip", "It is deactivated on 23 Mar 2027")
	p.clock.Advance(30 * 24 * time.Hour)
	p.must(p.registry.DisableIdle(t.Context()))
	admin = p.as("admin@acme.example")
	admin.get(idle.path).is(http.StatusOK).says(".page-head", "Inactive")
	admin.get(idle.path+"/history").is(http.StatusOK).says(".events", "Idle export was deactivated, because nobody used it")
	if p.works(idle) {
		t.Error("an app that was switched off gets tokens")
	}
}
