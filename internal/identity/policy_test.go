package identity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

func TestPolicy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		want := identity.Policy{Organisation: h.acme.ID, SecretExpiry: identity.ExpiryRecommended}
		check := func(what string) {
			t.Helper()
			got, err := h.PolicyOf(t.Context(), h.acme.ID)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Fatalf("%s: %v (-want +got):\n%s", what, err, diff)
			}
		}
		check("never set")
		ana := h.actor(t, h.active(t, h.acme, "ana@acme.example", identity.RoleAdministrator))
		first := want
		want.SecretExpiry, want.CeilingDays, want.IdleDays, want.Version = identity.ExpiryRequired, 180, 365, 0
		set, err := h.SetPolicy(t.Context(), ana, want)
		if err != nil || set.Version != 1 {
			t.Fatal(set, err)
		}
		want.Version, want.ChangedAt = 1, set.ChangedAt
		if set.ChangedAt.IsZero() {
			t.Error("nobody knows when it was set")
		}
		check("set by its administrator")
		event := h.events(t, h.acme)[0]
		if event.Action != "organisation.policy" || event.Before["secret_expiry"] != "recommended" || event.After["secret_expiry"] != "required" {
			t.Errorf("event %+v", event)
		}
		_, err = h.SetPolicy(t.Context(), ana, first)
		wantCode(t, err, problem.Stale)
		before := len(h.events(t, h.acme))
		if _, err := h.SetPolicy(t.Context(), operator(), want); err != nil || len(h.events(t, h.acme)) != before {
			t.Errorf("the same again: %v, %d events more", err, len(h.events(t, h.acme))-before)
		}
		idle, err := h.IdlePolicies(t.Context())
		if diff := cmp.Diff([]identity.Policy{want}, idle); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		want.SecretExpiry, want.CeilingDays, want.IdleDays = identity.ExpiryOptional, 0, 0
		if _, err := h.SetPolicy(t.Context(), operator(), want); err != nil {
			t.Fatal(err)
		}
		want.Version, want.ChangedAt = 2, h.clock.Now()
		check("set by the operator")
		if idle, err := h.IdlePolicies(t.Context()); err != nil || len(idle) != 0 {
			t.Errorf("switched off apps: %v, %v", idle, err)
		}
		if other, err := h.PolicyOf(t.Context(), h.globex.ID); err != nil || other.Version != 0 {
			t.Errorf("another organisation has %+v, %v", other, err)
		}
	})
}

func TestPolicyTakesItsRight(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.role(t, h.acme, "Policies", access.PoliciesManage)
		p := identity.Policy{Organisation: h.acme.ID, SecretExpiry: identity.ExpiryOptional}
		for name, tt := range map[string]struct {
			actor access.Actor
			want  problem.Code
		}{
			"holder":   {h.actor(t, h.active(t, h.acme, "pol@acme.example", "Policies")), ""},
			"viewer":   {h.actor(t, h.active(t, h.acme, "view@acme.example", identity.RoleViewer)), problem.Forbidden},
			"stranger": {h.actor(t, h.active(t, h.globex, "hank@globex.example", identity.RoleAdministrator)), problem.NotFound},
			"platform": {h.actor(t, h.active(t, h.platform, "pat@platform.example", identity.RolePlatformAdministrator)), ""},
			"support":  {h.actor(t, h.active(t, h.platform, "sue@platform.example", identity.RoleSupport)), problem.NotFound},
			"operator": {operator(), ""},
		} {
			var err error
			if p.Version == 0 || tt.want == "" {
				var now identity.Policy
				if now, err = h.PolicyOf(t.Context(), h.acme.ID); err != nil {
					t.Fatal(err)
				}
				p.Version = now.Version
			}
			p.IdleDays += 30
			if _, err = h.SetPolicy(t.Context(), tt.actor, p); problem.CodeOf(err) != tt.want {
				t.Errorf("%s: %v, want %q", name, err, tt.want)
			}
		}
	})
}

func TestPolicyFaults(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, tt := range map[string]struct {
			p          identity.Policy
			field, key string
		}{
			"no expiry":          {identity.Policy{}, "secret_expiry", "policy.secret_expiry.invalid"},
			"unknown":            {identity.Policy{SecretExpiry: "sometimes"}, "secret_expiry", "policy.secret_expiry.invalid"},
			"no ceiling":         {identity.Policy{SecretExpiry: identity.ExpiryRequired}, "ceiling_days", "policy.ceiling_days.range"},
			"ceiling below":      {identity.Policy{SecretExpiry: identity.ExpiryRequired, CeilingDays: -1}, "ceiling_days", "policy.ceiling_days.range"},
			"ceiling above":      {identity.Policy{SecretExpiry: identity.ExpiryRequired, CeilingDays: 3651}, "ceiling_days", "policy.ceiling_days.range"},
			"ceiling for naught": {identity.Policy{SecretExpiry: identity.ExpiryOptional, CeilingDays: 90}, "ceiling_days", "policy.ceiling_days.not_required"},
			"idle soon":          {identity.Policy{SecretExpiry: identity.ExpiryOptional, IdleDays: 29}, "idle_days", "policy.idle_days.range"},
			"idle below":         {identity.Policy{SecretExpiry: identity.ExpiryOptional, IdleDays: -1}, "idle_days", "policy.idle_days.range"},
			"idle late":          {identity.Policy{SecretExpiry: identity.ExpiryOptional, IdleDays: 3651}, "idle_days", "policy.idle_days.range"},
		} {
			tt.p.Organisation = h.acme.ID
			_, err := h.SetPolicy(t.Context(), operator(), tt.p)
			t.Run(name, func(t *testing.T) { wantField(t, err, tt.field, tt.key) })
		}
		_, err := h.SetPolicy(t.Context(), operator(), identity.Policy{Organisation: "nowhere", SecretExpiry: identity.ExpiryOptional})
		wantCode(t, err, problem.NotFound)
	})
}
