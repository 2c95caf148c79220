package templates_test

import (
	"fmt"
	"time"

	"credenza.example/credenza/templates"
)

// The samples are whole pages as a handler would fill them. Tests change one thing at a time.

func at(day, hour, minute int) time.Time {
	return time.Date(2026, time.November, day, hour, minute, 0, 0, time.UTC)
}

func sampleFrame() templates.Frame {
	return templates.Frame{
		User: &templates.User{Name: "Ana Silva", Email: "admin@acme.example", Organisation: "Acme"},
		Nav: []templates.NavLink{
			{Code: "home", Href: "/"}, {Code: "apps", Href: "/apps"},
		},
		Current: "apps",
	}
}

const (
	sampleApp    = "/apps/0193f6c2-1111-7aaa-8bbb-0000000000a1"
	sampleID     = "CCWACME_7q2mx4ktr9hvzpd3bfgn"
	sampleSecret = "ccws_1a7Qm4Xk2Tr9HvZpD3bFgN8sWcY5eJuL6qVtRxKzMhPdBnGfCwSyEaUiO9fK2ab"
)

func sampleRow(i int) templates.AppsRow {
	names := []string{
		"SAP spend export", "Onboarding sync", "Invoice mirror", "Workday candidates", "Supplier scorecard",
		"Timesheet loader", "Data warehouse nightly", "Requisition bot",
	}
	categories := []string{"customer", "partner", "supplier", "msp"}
	secrets := []templates.SecretSummary{
		{Code: "ok"}, {Code: "two"}, {Code: "expiring", Days: 12}, {Code: "expired"}, {Code: "none"}, {Code: "expiring", Days: 1},
	}
	row := templates.AppsRow{
		Href: fmt.Sprintf("/apps/0193f6c2-1111-7aaa-8bbb-%012x", i), Name: names[i%len(names)],
		ClientID: fmt.Sprintf("CCWACME_7q2mx4ktr9hvzpd3%04d", i), Category: categories[i%len(categories)], Status: "active",
		Secret: secrets[i%len(secrets)], LastUsedAt: at(21, 8, 30), CreatedBy: "Ana Silva", CreatedAt: at(1+i%20, 9, 12), ModifiedAt: at(2+i%20, 14, 5),
	}
	if i >= len(names) {
		row.Name = fmt.Sprintf("%s %d", row.Name, i)
	}
	row.HistoryHref, row.EditHref, row.RotateHref = row.Href+"/history", row.Href+"/edit", row.Href+"/secrets/new"
	row.DeactivateHref = row.Href + "/deactivate"
	if i%5 == 4 {
		row.Status, row.DeactivateHref = "inactive", ""
		row.ActivateHref, row.DeleteHref = row.Href+"/activate", row.Href+"/delete"
	}
	return row
}

func sampleGrid(rows int) templates.AppsGrid {
	r := templates.AppsResults{
		State: templates.AppsRows,
		Form: templates.AppsFilterForm{
			Action: "/apps", Values: map[string]string{}, Choices: map[string][]string{
				"category": {"customer", "partner", "supplier", "msp"}, "status": {"active", "inactive"},
				"secret": {"ok", "two", "expiring", "expired", "none"}, "used": {"<30d", ">90d", "never"},
			},
		},
		ExportCSV: "/apps?format=csv", ExportJSON: "/apps?format=json",
		Columns: []templates.AppsColumn{
			{Code: "name", Href: "/apps?sort=name&dir=desc", Sort: "ascending"},
			{Code: "category", Href: "/apps?sort=category"},
			{Code: "status", Href: "/apps?sort=status"},
			{Code: "used", Href: "/apps?sort=used"},
			{Code: "created", Href: "/apps?sort=created"},
			{Code: "modified", Href: "/apps?sort=modified"},
		},
		Pager: templates.Pager{
			First: 1, Last: rows, Total: 1284, NextHref: "/apps?after=abc",
			Sizes: []templates.Tab{
				{Label: "25", Href: "/apps?per=25"}, {Label: "50", Href: "/apps?per=50", Current: true}, {Label: "100", Href: "/apps?per=100"},
			},
		},
	}
	for i := range rows {
		r.Rows = append(r.Rows, sampleRow(i))
	}
	return templates.AppsGrid{
		Frame: sampleFrame(), CreateHref: "/apps/new", Results: r,
		Tabs: []templates.AppsTab{
			{Code: "all", Href: "/apps", Current: true},
			{Code: "active", Href: "/apps?q=status%3Aactive"},
			{Code: "attention", Href: "/apps?q=secret%3Aexpired"},
		},
		Search: templates.AppsSearch{
			Action: "/apps", Max: 400, Keep: []templates.Hidden{{Name: "per", Value: "50"}},
		},
	}
}

// viewOnly takes away what only managers get.
func viewOnly(g templates.AppsGrid) templates.AppsGrid {
	g.CreateHref = ""
	for i := range g.Results.Rows {
		r := &g.Results.Rows[i]
		r.EditHref, r.RotateHref, r.DeactivateHref, r.ActivateHref, r.DeleteHref = "", "", "", "", ""
	}
	return g
}

func sampleForm() templates.AppForm {
	return templates.AppForm{
		Frame: sampleFrame(), Action: "/apps", RedrawHref: "/apps/new", CancelHref: "/apps", Nonce: "n-123",
		Categories:    []string{"customer", "partner", "supplier", "msp"},
		Contact:       templates.AppContact{FirstName: "Ana", LastName: "Silva", Email: "ana.silva@acme.example"},
		ContactIsSelf: true,
		APIUsers: []templates.AppUserOption{
			{ID: "u1", Name: "acme-client", Kind: "client", Categories: []string{"customer", "partner"}},
			{ID: "u2", Name: "acme-supplier", Kind: "supplier", Categories: []string{"supplier", "partner"}},
			{ID: "u3", Name: "acme-msp", Kind: "msp", Categories: []string{"msp", "partner"}},
		},
		ClientIDPrefix: "CCWACME_", Zone: "UTC",
		Expiry: templates.ExpiryFields{
			Chosen: "1y", Min: "2026-11-23", Max: "2028-11-22", Choices: []templates.ExpiryChoice{
				{Code: "90d", At: at(22, 23, 59).AddDate(0, 0, 90)},
				{Code: "180d", At: at(22, 23, 59).AddDate(0, 0, 180)},
				{Code: "1y", At: at(22, 23, 59).AddDate(1, 0, 0)},
				{Code: "date"},
				{Code: "never"},
			},
		},
		Scopes: sampleScopes(), Active: true,
	}
}

func sampleScopes() templates.ScopePicker {
	call := func(method, path string, scopes ...string) templates.ScopeCall {
		return templates.ScopeCall{Method: method, Path: path, AnyOf: scopes}
	}
	return templates.ScopePicker{APIs: []templates.ScopeAPI{
		{Key: "coupa-core", Title: "Coupa Core API", Groups: []templates.ScopeGroup{
			{
				Objects: []string{"accounts"},
				Boxes: []templates.ScopeBox{
					{Scope: "core.accounting.read", Kind: "read"}, {Scope: "core.accounting.write", Kind: "write"},
				},
				Calls: []templates.ScopeCall{
					call("GET", "/api/accounts", "core.accounting.read"), call("POST", "/api/accounts", "core.accounting.write"),
				},
			},
			{
				Objects: []string{"invoices"},
				Boxes: []templates.ScopeBox{
					{Scope: "core.invoice.read", Kind: "read"},
					{Scope: "core.invoice.write", Kind: "write"},
					{Scope: "core.invoice.delete", Kind: "delete"},
					{Scope: "core.invoice.approval.bypass", Kind: "special"},
				},
				Calls: []templates.ScopeCall{
					call("GET", "/api/invoices/{id}", "core.invoice.read"),
					call("POST", "/api/invoices", "core.invoice.write", "core.invoice.create"),
				},
			},
			{Objects: []string{"items"}, Calls: []templates.ScopeCall{call("GET", "/api/items")}},
			{
				Objects: []string{"purchase_orders", "cancel_purchaseorders", "close_purchaseorders"},
				Boxes: []templates.ScopeBox{
					{Scope: "core.purchase_order.read", Kind: "read"}, {Scope: "core.purchase_order.write", Kind: "write"},
				},
				Calls: []templates.ScopeCall{call("PUT", "/api/purchase_orders/{id}/cancel", "core.purchase_order.write")},
			},
		}},
		{Key: "ccw", Title: "Coupa Contingent Workforce REST API", Groups: []templates.ScopeGroup{{
			Objects: []string{"candidates"}, Boxes: []templates.ScopeBox{{Scope: "ccw.candidates", Kind: "write"}},
			Calls: []templates.ScopeCall{call("POST", "/api/candidates/search", "ccw.candidates")},
		}}},
		{Key: "identity-pm", Title: "Portal identity API", Groups: []templates.ScopeGroup{{
			Objects: []string{"RobotAccount"},
			Boxes: []templates.ScopeBox{
				{Scope: "PM.RobotAccount", Kind: "special", NeedsRight: "robots.manage"},
				{Scope: "PM.RobotAccount.Read", Kind: "read", NeedsRight: "robots.manage"},
			},
		}}},
	}}
}

// sampleBadForm is the form after a failed save: filled, with a search in force and problems.
func sampleBadForm() templates.AppForm {
	f := sampleForm()
	f.Name, f.Description, f.Category = "SA", "short", "supplier"
	f.Contact.Email, f.Second.FirstName = "nobody", "Jo"
	f.Errors = templates.FieldErrors{
		{Field: "name", Text: "The name needs at least 3 characters."},
		{Field: "description", Text: "The description needs at least 10 characters."},
		{Field: "category", Text: "Choose a category."},
		{Field: "email", Text: "Write an e-mail address such as ana@acme.example."},
		{Field: "second_email", Text: "The second contact needs an e-mail address."},
		{Field: "expiry", Text: "Choose when the secret expires."},
		{Field: "api_user", Text: "Choose an API user of the category Supplier."},
		{Field: "scope", Text: "Choose at least one scope."},
	}
	f.Scopes.Query, f.Scopes.Matches, f.Scopes.Count = "invoice", 4, 1
	f.Scopes.APIs = []templates.ScopeAPI{{
		Key: "coupa-core", Title: "Coupa Core API", Groups: f.Scopes.APIs[0].Groups[1:2],
	}}
	f.Scopes.Chosen = []templates.ScopeBox{{Scope: "ccw.candidates", Kind: "write", Checked: true}}
	f.Scopes.Lonely = []string{"core.invoice.write"}
	f.DefaultAPIs = []templates.AppAPI{{Key: "coupa-core", Title: "Coupa Core API"}, {Key: "ccw", Title: "Contingent Workforce"}}
	f.DefaultAPI = "ccw"
	return f
}

func sampleEdit() templates.AppForm {
	f := sampleForm()
	f.Edit, f.Action, f.RedrawHref, f.CancelHref = true, sampleApp+"/edit", sampleApp+"/edit/form", sampleApp
	f.AppName, f.Name, f.ClientID, f.GenerateHref = "SAP spend export", "SAP spend export", sampleID, sampleApp+"/secrets/new"
	f.Description, f.Category, f.APIUser, f.Version = "Copies approved invoices to SAP every night.", "customer", "u1", 7
	f.Scopes.Count = 1
	f.Scopes.APIs[0].Groups[1].Boxes[0].Checked = true
	return f
}

func sampleClash() templates.AppForm {
	f := sampleEdit()
	f.Name = "SAP spend export 2"
	f.Clash = &templates.AppClash{
		By: "Jo Weber", At: at(22, 14, 5), DiscardHref: sampleApp + "/edit",
		Rows: []templates.ClashRow{{Field: "name", Yours: "SAP spend export 2", Theirs: "SAP export"}},
	}
	return f
}

func sampleTry() templates.TryIt {
	return templates.TryIt{
		ClientID: sampleID, TokenURL: "http://127.0.0.1:8080/oauth2/token",
		SelfURL: "http://127.0.0.1:8080/api/v1/apps/self", Scope: "core.invoice.read",
	}
}

func sampleReveal() templates.AppReveal {
	return templates.AppReveal{
		Frame: sampleFrame(), AppName: "SAP spend export", ClientID: sampleID, Secret: sampleSecret,
		ExpiresAt: at(22, 23, 59).AddDate(1, 0, 0), OldHint: "7Hq1", OldEnds: at(29, 14, 5),
		CloseHref: sampleApp, TestHref: sampleApp + "/test", Try: sampleTry(), FileName: "sap-spend-export",
	}
}

func sampleHead() templates.AppHead {
	return templates.AppHead{
		Name: "SAP spend export", Status: "active", Category: "customer", EditHref: sampleApp + "/edit",
		RotateHref: sampleApp + "/secrets/new",
		Tabs: []templates.AppTab{
			{Code: "overview", Href: sampleApp, Current: true}, {Code: "history", Href: sampleApp + "/history"},
		},
	}
}

func sampleDetail() templates.AppDetail {
	second := templates.AppContact{FirstName: "Jo", LastName: "Weber", Email: "integrations@acme.example"}
	return templates.AppDetail{
		Frame: sampleFrame(), Head: sampleHead(), ClientID: sampleID, TokenURL: "http://127.0.0.1:8080/oauth2/token",
		Notices: []templates.AppNotice{
			{Code: "two", Hint: "7Hq1", At: at(29, 14, 5), Href: "#credentials"},
		},
		Secrets: []templates.AppSecret{
			{
				Label: "2026-11", Hint: "9fK2", CreatedAt: at(22, 14, 5), CreatedBy: "Ana Silva",
				ExpiresAt: at(22, 23, 59).AddDate(1, 0, 0), State: "new", RetireHref: sampleApp + "/secrets/s2/retire",
			},
			{
				Label: "2026-02 SAP production", Hint: "7Hq1", CreatedAt: at(3, 9, 12), CreatedBy: "Jo Weber",
				ExpiresAt: at(29, 14, 5), State: "ends", RetireHref: sampleApp + "/secrets/s1/retire",
				LastUsedAt: at(22, 14, 1),
			},
			{
				Label: "first", Hint: "Zz00", CreatedAt: at(1, 9, 12), CreatedBy: "Jo Weber",
				EndedAt: at(4, 9, 0), State: "retired",
			},
		},
		Now: at(22, 14, 5), Use: sampleUse(),
		Rotation: &templates.AppRotation{
			Step:    "waiting",
			NewHint: "9fK2", OldHint: "7Hq1", OldEnds: at(29, 14, 5), RetireHref: sampleApp + "/secrets/s1/retire",
		},
		Scopes: []templates.AppScope{
			{
				Name: "core.invoice.read", Kind: "read", API: "Coupa Core API",
				Calls: []templates.ScopeCall{{Method: "GET", Path: "/api/invoices"}, {Method: "GET", Path: "/api/invoices/{id}"}},
			},
			{Name: "core.invoice.approval.bypass", Kind: "special", API: "Coupa Core API"},
		},
		Try: sampleTry(), MayManage: true, Description: "Copies approved invoices to SAP every night.",
		APIUser: "acme-client", APIUserKind: "client", APIUserLive: true, Type: "m2m", CredentialType: "shared_secret",
		Contact: templates.AppContact{FirstName: "Ana", LastName: "Silva", Email: "ana.silva@acme.example"}, Second: &second,
		CreatedBy: "Ana Silva", CreatedAt: at(1, 9, 12), ModifiedBy: "Jo Weber", ModifiedAt: at(22, 14, 5),
		Prefix: "ACME", Version: 7, DeactivateHref: sampleApp + "/deactivate",
	}
}

func sampleUse() templates.AppUse {
	return templates.AppUse{
		LastUsedAt: at(22, 14, 1),
		Secrets: []templates.SecretUse{
			{Label: "2026-11", Hint: "9fK2"},
			{
				Label: "2026-02 SAP production", Hint: "7Hq1", Day: 131, Week: 1284,
				Networks: []templates.NetworkUse{{Network: "203.0.113.0/24", Week: 1283}, {Network: "2001:db8:1::/48", Week: 1}},
			},
		},
	}
}

func sampleViewerDetail() templates.AppDetail {
	d := sampleDetail()
	d.MayManage, d.Head.EditHref, d.Head.RotateHref, d.DeactivateHref = false, "", "", ""
	d.Rotation.RetireHref, d.Notices[0].Href = "", ""
	for i := range d.Secrets {
		d.Secrets[i].RetireHref = ""
	}
	return d
}

func sampleRotate(usable int) templates.AppRotate {
	r := templates.AppRotate{
		Frame: sampleFrame(), Action: sampleApp + "/secrets", CancelHref: sampleApp, Nonce: "n-456", AppName: "SAP spend export",
		ClientID: sampleID, Why: "planned", Label: "2026-11", Expiry: sampleForm().Expiry,
		Zone: "UTC", End: "7d", EndMin: "2026-11-22T14:06", EndMax: "2027-11-22T14:05",
		EndChoices: []templates.EndChoice{
			{Code: "now", At: at(22, 14, 5)},
			{Code: "1h", At: at(22, 15, 5)},
			{Code: "24h", At: at(23, 14, 5)},
			{Code: "7d", At: at(29, 14, 5)},
			{Code: "30d", At: at(22, 14, 5).AddDate(0, 0, 30)},
			{Code: "date"},
		},
		Now: at(22, 14, 5),
		Usable: []templates.RotateSecret{
			{ID: "s1", Label: "2026-02 SAP production", Hint: "7Hq1", CreatedAt: at(3, 9, 12), EndsAt: at(29, 14, 5), LastUsedAt: at(22, 14, 1), Day: 131, Networks: 2, Hour: 12, HourSince: at(22, 13, 0)},
			{ID: "s2", Label: "2026-11", Hint: "9fK2", CreatedAt: at(22, 14, 5)},
		}[:usable],
	}
	if usable == 2 {
		r.Retire, r.Leaked = "s2", "s1"
	}
	return r
}

func sampleConfirm(act string) templates.AppConfirm {
	c := templates.AppConfirm{
		Frame: sampleFrame(), Act: act, Action: sampleApp + "/" + act, CancelHref: sampleApp, Version: 7, AppName: "SAP spend export",
	}
	if act == "retire" {
		c.Label, c.Hint, c.EndsAt = "2026-02 SAP production", "7Hq1", at(29, 14, 5)
	}
	return c
}

func sampleHistory() templates.AppHistory {
	head := sampleHead()
	head.Tabs[0].Current, head.Tabs[1].Current = false, true
	event := func(action string, minute int) templates.AppEvent {
		return templates.AppEvent{
			Action: action, Result: "done", Who: "Ana Silva", What: "SAP spend export", Hint: "9fK2", At: at(22, 14, minute),
			Address: "10.2.0.17", Request: "01HV7Q",
		}
	}
	refused := event("app.rotate", 9)
	refused.Result, refused.Who, refused.Count = "refused", "Vic Viewer", 3
	refused.Reason = "The right Manage API client app is missing."
	failed := event("app.delete", 8)
	failed.Result = "failed"
	edit := event("app.edit", 5)
	edit.Changes = []templates.AppChange{
		{Field: "name", Before: "SAP export", After: "SAP spend export"},
		{Field: "scopes", Before: "", After: "core.invoice.read core.invoice.write"},
	}
	return templates.AppHistory{
		Frame: sampleFrame(), Head: head,
		Events: []templates.AppEvent{
			refused, failed, event("app.deactivate", 7), event("app.rotate", 6), edit, event("app.leak", 4), event("app.moon", 3),
			event("app.register", 1),
		},
		Pager: templates.Pager{First: 1, Last: 8, Total: 8},
	}
}
