package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
)

func TestManageImpliesView(t *testing.T) {
	s := access.NewSet(access.AppsManage, access.ConnectionsManage, access.RobotsManage)
	want := []access.Right{
		access.AppsManage, access.AppsView, access.ConnectionsManage, access.ConnectionsView, access.RobotsManage, access.RobotsView,
	}
	if diff := cmp.Diff(want, s.Rights()); diff != "" {
		t.Error(diff)
	}
	if access.NewSet(access.AppsView).Has(access.AppsManage) {
		t.Error("view implies manage")
	}
}

func TestEveryRightIsOfOrganisationOrPlatform(t *testing.T) {
	seen := map[access.Right]int{}
	for _, r := range append(access.OrganisationRights(), access.PlatformRights()...) {
		seen[r]++
	}
	if len(seen) != 17 {
		t.Errorf("%d rights, decision 15 has 17", len(seen))
	}
	for r, n := range seen {
		if n != 1 {
			t.Errorf("%s is listed %d times", r, n)
		}
	}
	organisation := access.NewSet(access.OrganisationRights()...)
	if !organisation.HasAll(access.NewSet(access.ViewRights()...)) {
		t.Error("a view right is no organisation right")
	}
	if organisation.HasAll(access.NewSet(access.PlatformRights()...)) {
		t.Error("platform rights are among the organisation's")
	}
}

func TestGrantRight(t *testing.T) {
	tests := map[string]access.Right{
		"core.invoice.read": access.AppsManage, "ccw.candidates": access.AppsManage, "registry.apps.read": access.AppsManage,
		"x.acme.orders.read": access.AppsManage, "PM.RobotAccount": access.RobotsManage, "IS.Connections.Read": access.ConnectionsManage,
		"audit.events.read": access.AuditView, "oauth.introspect": access.RolesManage,
		"openid": "", "email": "", "oauth.other": "", "corex": "", "": "", "xacme.orders": "",
	}
	for scope, want := range tests {
		got, ok := access.GrantRight(scope)
		if got != want || ok != (want != "") {
			t.Errorf("GrantRight(%q) = %q, %v, want %q", scope, got, ok, want)
		}
	}
}

func TestMayGrant(t *testing.T) {
	org := access.OrganisationID("o")
	manager := access.Actor{Kind: access.KindPerson, Rights: access.NewSet(access.AppsManage)}
	app := access.Actor{Kind: access.KindApp, Scopes: []string{"core.invoice.read"}, Rights: access.NewSet(access.RobotsManage)}
	tests := []struct {
		name  string
		actor access.Actor
		scope string
		want  bool
	}{
		{"manager gives core", manager, "core.invoice.read", true},
		{"manager lacks robots", manager, "PM.RobotAccount", false},
		{"manager gives platform scope", manager, "openid", false},
		{"app gives what it has", app, "core.invoice.read", true},
		{"app gives more", app, "core.invoice.write", false},
		{"app's rights do not replace scopes", app, "PM.RobotAccount", false},
		{"operator", access.Operator("root", org), "openid", true},
		{"system", access.System("demo", org), "PM.Group", true},
		{"nobody", access.Actor{}, "core.invoice.read", false},
	}
	for _, tt := range tests {
		if got := tt.actor.MayGrant(tt.scope); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestActorHas(t *testing.T) {
	none := access.Actor{Kind: access.KindPerson}
	if none.Has(access.AppsView) || none.HasAll(access.NewSet(access.AppsView)) || !none.HasAll(nil) {
		t.Error("an actor without rights has some")
	}
	op := access.Operator("root", "o")
	if !op.Has(access.OrganisationsManage) || !op.HasAll(access.NewSet(access.RolesManage)) || op.ID != "operator:root" {
		t.Errorf("operator %+v", op)
	}
}
