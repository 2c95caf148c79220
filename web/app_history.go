package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// appHistory is the app's own part of the audit trail, newest first. A deleted app still has one, for those who keep its
// address.
func (s *Server) appHistory(c *call) error {
	id, err := c.appID()
	if err != nil {
		return err
	}
	page, err := s.Registry.History(c.ctx(), c.actor, id, positive(oneQuery(c, "before")))
	if err != nil {
		return err
	}
	view := templates.AppHistory{Frame: c.frame("apps"), Head: c.historyHead(id, page), Now: s.DB.Now()}
	for _, event := range page.Events {
		view.Events = append(view.Events, c.event(event, page.AppName))
	}
	view.Pager = historyPager(id, page, max(positive(oneQuery(c, "from")), 1))
	return c.render(http.StatusOK, templates.AppHistoryPage(view))
}

// historyHead is the head of the app, or its name alone when the app is gone.
func (c *call) historyHead(id registry.AppID, page registry.History) templates.AppHead {
	if app, err := c.s.Registry.App(c.ctx(), c.actor, id); err == nil {
		return c.head(app, "history")
	}
	return templates.AppHead{
		Name: page.AppName, Status: "deleted",
		Tabs: []templates.AppTab{{Code: "history", Href: historyPath(id), Current: true}},
	}
}

// historyPager leads to older events. Their number is not counted: the address carries the number of the first one.
func historyPager(id registry.AppID, page registry.History, from int64) templates.Pager {
	last := from + int64(len(page.Events)) - 1
	p := templates.Pager{First: int(from), Last: int(last), Total: int(last), More: page.Next > 0}
	if page.Next > 0 {
		next := url.Values{
			"before": {strconv.FormatInt(page.Next, 10)}, "from": {strconv.FormatInt(last+1, 10)},
		}
		p.NextHref = historyPath(id) + "?" + next.Encode()
	}
	return p
}

// positive reads a whole number from an address; anything else is 0.
func positive(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (c *call) event(e registry.HistoryEvent, appName string) templates.AppEvent {
	view := templates.AppEvent{
		Action: actOf(e.Action), Result: string(e.Result), Who: c.author(e.By), What: e.AppName, Hint: e.Hint, At: e.At,
		Address: e.Address, Count: int(e.Repeated) + 1, Request: e.Request,
	}
	if view.What == "" { // refused before anybody looked what the app is called
		view.What = appName
	}
	if e.Result == audit.Refused {
		view.Reason = c.reason(e.Reason)
	}
	for _, change := range e.Changes {
		view.Changes = append(view.Changes, templates.AppChange{
			Field: change.Field, Before: c.value(change.Field, change.Before), After: c.value(change.Field, change.After),
		})
	}
	return view
}

// actOf is the act that an event is about: whoever was not let near a form is told of like one who sent it.
func actOf(action string) string { return strings.TrimSuffix(action, ".form") }

// reason says why an attempt was refused. Events keep the key of what the person was told, without its arguments.
func (c *call) reason(key string) string {
	switch {
	case key == "problem.forbidden":
		return c.t("audit.reason.right")
	case strings.HasPrefix(key, "app.power"), key == "identity.power":
		return c.t("audit.reason.power")
	case key == "lookup.limit":
		return c.t("audit.reason.lookup_limit")
	case key == "problem.other_organisation":
		return c.t("audit.reason.organisation")
	default:
		return c.t("audit.reason.other", "Reason", key)
	}
}

// valueWords are the beginnings of the texts for codes that stand in events, by field.
var valueWords = map[string]string{
	"category": "apps.category.", "kind": "apps.what.", "status": "apps.status.", "reason": "apps.rotate.why_",
	"secret_state": "apps.secret.state.", "by": "lookup.by.",
}

// value writes what a field held so that a person can read it.
func (c *call) value(field string, v registry.Value) string {
	switch {
	case v.Erased:
		return c.t("apps.detail.contact_erased")
	case !v.Contact.IsZero():
		return strings.TrimSpace(v.Contact.FirstName+" "+v.Contact.LastName) + ", " + v.Contact.Email
	case v.List != nil:
		return strings.Join(v.List, ", ")
	case v.Text == "":
		return ""
	}
	switch field {
	case "type":
		return c.word("apps.type.", typeCodes[registry.Type(v.Text)])
	case "credential_type":
		return c.word("apps.credential.", credentialCodes[registry.CredentialType(v.Text)])
	case "default_api", "resource_api":
		return c.apiTitle(v.Text)
	case "old_secret":
		return "…" + v.Text
	case "old_ends", "ends_at", "link_ends":
		if at, err := time.Parse(time.RFC3339, v.Text); err == nil {
			return i18n.Time(c.ctx(), at)
		}
	case "secret_state":
		if slices.Contains([]string{string(registry.SecretActive), string(registry.SecretEnding)}, v.Text) {
			return c.t("apps.secret.state.in_use")
		}
	}
	if prefix, ok := valueWords[field]; ok {
		return c.t(prefix + v.Text)
	}
	return v.Text
}
