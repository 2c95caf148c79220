package web

import (
	"net/http"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// appDetail is the page of one app (ui.md §4.3).
func (s *Server) appDetail(c *call) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	org, err := s.Identity.Organisation(c.ctx(), c.actor.Organisation)
	if err != nil {
		return err
	}
	used, err := s.Registry.Use(c.ctx(), c.actor, app.ID)
	if err != nil {
		return err
	}
	mails, err := c.mails(app)
	if err != nil {
		return err
	}
	view := c.detail(app, org)
	view.Mails = mails
	known, err := s.Registry.Addresses(c.ctx(), c.actor, &app)
	if err != nil {
		return err
	}
	view.Address, view.SecondAddress = addressView(known[app.Contact.Email]), addressView(known[app.SecondContact.Email])
	view.Use, view.Rotation = c.use(app, used), c.rotationStrip(app, used, view.Now)
	if view.HandOffs, view.HandOffHref, err = c.handOffs(app); err != nil {
		return err
	}
	if view.Notices, err = c.withIdle(app, view.Notices); err != nil {
		return err
	}
	refused, notices, err := c.recentRejections(app)
	if err != nil {
		return err
	}
	view.Rejections, view.Notices = refused, append(view.Notices, notices...)
	return c.render(http.StatusOK, templates.AppDetailPage(view))
}

// detail fills the page with what there is to know of an app but its use, and with what the reader may do.
func (c *call) detail(app registry.App, org identity.Organisation) templates.AppDetail {
	now := c.s.DB.Now()
	view := templates.AppDetail{
		Frame: c.frame("apps"), Head: c.head(app, "overview"), Notices: c.notices(app, now),
		ClientID: app.ClientID, TokenURL: c.s.PublicURL + tokenPath, IntrospectURL: c.s.introspectURL(app), Secrets: c.secretRows(app, now),
		Scopes: c.scopeRows(app.Scopes), Try: c.s.tryIt(app), Now: now,
		MayManage: c.actor.Has(access.AppsManage), WriteHref: mailPath(app.ID), Description: app.Description,
		APIUser: app.APIUser.DisplayName, APIUserKind: string(app.APIUser.Kind), APIUserLive: app.APIUser.Live(now),
		Type: typeCodes[app.Type], CredentialType: credentialCodes[app.CredentialType], Contact: contactView(app.Contact),
		CreatedBy: c.author(app.CreatedBy), CreatedAt: app.CreatedAt,
		ModifiedBy: c.author(app.ModifiedBy), ModifiedAt: app.ModifiedAt, Prefix: org.ClientPrefix, Version: app.Version,
	}
	if len(c.s.Registry.DefaultAPIs(app.Scopes)) > 1 {
		view.DefaultAPI = c.apiTitle(app.DefaultAPI)
	}
	if !app.SecondContact.IsZero() {
		second := contactView(app.SecondContact)
		view.Second = &second
	}
	if app.Status == registry.Active {
		view.DeactivateHref = c.ifManager(deactivatePath(app.ID))
	} else {
		view.ActivateHref, view.DeleteHref = c.ifGiver(app.Kind, activatePath(app.ID)), c.ifManager(deletePath(app.ID))
	}
	return view
}

// head is the top of an app's pages. tab is the code of the one that is open.
func (c *call) head(app registry.App, tab string) templates.AppHead {
	head := templates.AppHead{
		Name: app.Name, Status: string(app.Status), Category: string(app.Category), Introspects: c.introspectsOf(app),
		EditHref: c.ifGiver(app.Kind, editPath(app.ID)), RotateHref: c.ifManager(rotatePath(app.ID)),
	}
	for _, t := range []templates.AppTab{
		{Code: "overview", Href: appPath(app.ID)}, {Code: "history", Href: historyPath(app.ID)},
	} {
		t.Current = t.Code == tab
		head.Tabs = append(head.Tabs, t)
	}
	return head
}

// notices are what needs attention, most serious first, each with the page that helps for whoever may use it.
func (c *call) notices(app registry.App, now time.Time) []templates.AppNotice {
	var list []templates.AppNotice
	if app.Kind == registry.Caller && !app.APIUser.Live(now) {
		list = append(list, templates.AppNotice{Code: "api_user", Href: c.ifManager(editPath(app.ID))})
	}
	rotate, summary, usable := c.ifManager(rotatePath(app.ID)), app.Summary(now), app.Usable()
	switch summary.Code {
	case registry.SecretsExpired:
		last := lastExpired(app)
		list = append(list, templates.AppNotice{Code: "expired", Hint: last.Hint, At: last.StoppedAt, Href: rotate})
	case registry.SecretsNone:
		list = append(list, templates.AppNotice{Code: "no_secret", Href: rotate})
	case registry.SecretsExpiring:
		list = append(list, templates.AppNotice{
			Code: "expiring", Hint: hintOf(usable, summary.EndsAt), Days: daysUntil(summary.EndsAt, now), At: summary.EndsAt,
			Href: rotate,
		})
	case registry.SecretsOK, registry.SecretsNew, registry.SecretsTwo:
	}
	if len(usable) == 2 && app.Status == registry.Active {
		list = append(list, templates.AppNotice{
			Code: "two", Hint: usable[0].Hint, At: usable[0].EndsAt, Days: daysUntil(now, usable[1].CreatedAt),
			Href: c.ifManager(retirePath(app.ID, usable[0].ID)),
		})
	}
	if days := daysUntil(now, app.CreatedAt); app.LastUsedAt.IsZero() && app.Status == registry.Active && days >= neverUsedFor {
		list = append(list, templates.AppNotice{Code: "never_used", Days: days, Href: c.ifManager(deactivatePath(app.ID))})
	}
	if app.Status != registry.Active {
		list = append(list, templates.AppNotice{Code: "inactive", Href: c.ifGiver(app.Kind, activatePath(app.ID))})
	}
	for i := range list {
		list[i].Introspects = c.introspectsOf(app)
	}
	return list
}

func lastExpired(app registry.App) registry.Secret {
	var last registry.Secret
	for _, secret := range app.Secrets {
		if secret.State == registry.SecretExpired && secret.StoppedAt.After(last.StoppedAt) {
			last = secret
		}
	}
	return last
}

// hintOf is the ending of the secret that ends at that moment.
func hintOf(secrets []registry.Secret, ends time.Time) string {
	for _, secret := range secrets {
		if secret.EndsAt.Equal(ends) {
			return secret.Hint
		}
	}
	return ""
}

// neverUsedFor is after how many days it is said that nobody has used an app yet.
const neverUsedFor = 7

// daysUntil counts whole days.
func daysUntil(at, now time.Time) int { return int(at.Sub(now) / (24 * time.Hour)) }

// secretRows are all secrets, usable ones first. What the table says of one that works depends on how long it will.
func (c *call) secretRows(app registry.App, now time.Time) []templates.AppSecret {
	rows := make([]templates.AppSecret, 0, len(app.Secrets))
	for _, secret := range usableFirst(app.Secrets) {
		row := templates.AppSecret{
			Label: secret.Label, Hint: secret.Hint, CreatedAt: secret.CreatedAt, CreatedBy: c.author(secret.CreatedBy),
			ExpiresAt: secret.EndsAt, State: secretState(secret, now), EndedAt: secret.StoppedAt,
			LastUsedAt: secret.LastUsedAt,
		}
		if !secret.EndsAt.IsZero() {
			row.Days = daysUntil(secret.EndsAt, now)
		}
		if secret.Usable() && !isLast(app, secret) {
			row.RetireHref = c.ifManager(retirePath(app.ID, secret.ID))
		}
		if secret.State == registry.SecretEnding {
			row.ExtendHref = c.ifManager(extendPath(app.ID, secret.ID))
		}
		if until := app.RestorableUntil(secret, now); !until.IsZero() {
			row.RestoreUntil, row.RestoreHref = until, c.ifManager(restorePath(app.ID, secret.ID))
		}
		rows = append(rows, row)
	}
	return rows
}

// usableFirst returns secrets with the usable ones first, otherwise in the order they have.
func usableFirst(secrets []registry.Secret) []registry.Secret {
	sorted := slices.Clone(secrets)
	slices.SortStableFunc(sorted, func(a, b registry.Secret) int {
		switch {
		case a.Usable() == b.Usable():
			return 0
		case a.Usable():
			return -1
		default:
			return 1
		}
	})
	return sorted
}

// secretState is the table's word for the state of a secret. One that works and was never used is new: it would be wrong
// to say that it is in use.
func secretState(secret registry.Secret, now time.Time) string {
	switch secret.State {
	case registry.SecretEnding:
		return "ends"
	case registry.SecretActive:
		if alone := (&registry.App{Secrets: []registry.Secret{secret}}); alone.Summary(now).Code == registry.SecretsExpiring {
			return "expires"
		}
		if secret.LastUsedAt.IsZero() {
			return "new"
		}
		return "in_use"
	case registry.SecretExpired, registry.SecretRetired, registry.SecretLeaked:
		return string(secret.State)
	default:
		return string(secret.State)
	}
}

// scopeRows are the scopes of an app with the calls they open. One that the catalogue has lost keeps its name.
func (c *call) scopeRows(names []string) []templates.AppScope {
	rows := make([]templates.AppScope, 0, len(names))
	for _, name := range names {
		row := templates.AppScope{Name: name, Kind: string(scope.KindSpecial)}
		if s, ok := c.catalogue().Scope(name); ok {
			api, _ := c.catalogue().API(s.API)
			row.Kind, row.API, row.Href = string(s.Kind), api.Title, scopePath(name)
			for _, o := range s.Opens {
				row.Calls = append(row.Calls, templates.ScopeCall{Method: o.Call.Method, Path: api.BasePath + o.Call.Path})
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// secretSummary is what the grid says of an app's secrets.
func secretSummary(summary registry.SecretSummary, now time.Time) templates.SecretSummary {
	view := templates.SecretSummary{Code: string(summary.Code)}
	if summary.Code == registry.SecretsExpiring {
		view.Days = daysUntil(summary.EndsAt, now)
	}
	return view
}
