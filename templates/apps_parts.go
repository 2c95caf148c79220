package templates

import (
	"context"
	"strings"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// appsPath is the address of the grid: where breadcrumbs of all app pages begin.
const appsPath = "/apps"

// page returns the layout's view of an app page. name is the app the page stands below, "" for pages directly below
// the grid; href is that app's page.
func (f Frame) appPage(ctx context.Context, title, name, href string) Page {
	section := i18n.T(ctx, "nav.apps")
	p := Page{Frame: f, Title: title, Section: section, Crumbs: []Crumb{{Label: section, Href: appsPath}}}
	if name != "" {
		p.Crumbs = append(p.Crumbs, Crumb{Label: name, Href: href})
	}
	return p
}

// cutID cuts a client ID where it may be shortened: CCWACME_7q2m, what is left out, x9fk. Short ones stay whole.
func cutID(id string) (head, middle, tail string) {
	r := []rune(id)
	cut := strings.IndexRune(id, '_') + 5
	if cut < 5 || cut > 16 {
		cut = 8
	}
	if len(r) <= cut+6 {
		return id, "", ""
	}
	return string(r[:cut]), string(r[cut : len(r)-4]), string(r[len(r)-4:])
}

// ending writes the last four characters of a secret the way all pages do: …9fK2.
func ending(hint string) string {
	if hint == "" {
		return ""
	}
	return "…" + hint
}

// secretName is how sentences call one secret: its label and ending, whichever there are.
func secretName(ctx context.Context, label, hint string) string {
	if label == "" {
		return ending(hint)
	}
	return i18n.T(ctx, "apps.secret.name", "Label", label, "Hint", ending(hint))
}

// statusKind is the colour of an app's status.
func statusKind(status string) string {
	switch status {
	case "active":
		return KindOK
	case "pending":
		return KindInfo
	case "suspended":
		return KindBad
	default:
		return KindNeu
	}
}

// fewDays is when an ending secret turns from warning to alarm (ui.md §5.4: bad under 3 days).
const fewDays = 3

func expiringKind(days int) string {
	if days < fewDays {
		return KindBad
	}
	return KindWarn
}

// summaryChip is the chip of the grid's column Secret.
func (s SecretSummary) chip(ctx context.Context) (kind, word string) {
	switch s.Code {
	case "two":
		return KindTwo, i18n.T(ctx, "apps.secrets.two")
	case "expiring":
		return expiringKind(s.Days), expiresIn(ctx, s.Days)
	case "expired":
		return KindBad, i18n.T(ctx, "apps.secrets.expired")
	case "none":
		return KindNeu, i18n.T(ctx, "apps.secrets.none")
	case "new":
		return KindInfo, i18n.T(ctx, "apps.secret.state.new")
	default:
		return KindOK, i18n.T(ctx, "apps.secrets.ok")
	}
}

func expiresIn(ctx context.Context, days int) string {
	if days <= 0 {
		return i18n.T(ctx, "apps.secret.expires_today")
	}
	return i18n.T(ctx, "apps.secret.expires_in", "N", days)
}

// chip is the state of one secret in the table of the detail page.
func (s AppSecret) chip(ctx context.Context) (kind, word string) {
	switch s.State {
	case "new":
		return KindInfo, i18n.T(ctx, "apps.secret.state.new")
	case "ends":
		return KindWarn, i18n.T(ctx, "apps.secret.state.ends", "Date", i18n.Date(ctx, s.ExpiresAt))
	case "expires":
		return expiringKind(s.Days), expiresIn(ctx, s.Days)
	case "expired":
		return KindBad, i18n.T(ctx, "apps.secret.state.expired")
	case "retired":
		return KindNeu, i18n.T(ctx, "apps.secret.state.retired")
	case "leaked":
		return KindBad, i18n.T(ctx, "apps.secret.state.leaked")
	default:
		return KindOK, i18n.T(ctx, "apps.secret.state.in_use")
	}
}

// expiryOptions are the entries of "Secret expires": what each choice comes to stands in it, so that nothing has to be
// computed by a script.
func expiryOptions(ctx context.Context, choices []ExpiryChoice, chosen string) []Option {
	options := make([]Option, 0, len(choices))
	for _, c := range choices {
		label := i18n.T(ctx, "apps.expiry."+c.Code)
		if !c.At.IsZero() {
			label = i18n.T(ctx, "apps.expiry.at", "Choice", label, "At", c.At)
		}
		options = append(options, Option{Value: c.Code, Label: label, Selected: c.Code == chosen})
	}
	return options
}

// offers reports whether one of the choices is code.
func offers(choices []ExpiryChoice, code string) bool {
	for _, c := range choices {
		if c.Code == code {
			return true
		}
	}
	return false
}

// coded makes options out of codes whose words are the texts prefix+code.
func coded(ctx context.Context, prefix, chosen string, codes []string) []Option {
	options := make([]Option, 0, len(codes))
	for _, code := range codes {
		options = append(options, Option{
			Value: code, Label: i18n.T(ctx, prefix+code), Selected: code == chosen,
		})
	}
	return options
}

// happened reports whether a moment is known.
func happened(t time.Time) bool { return !t.IsZero() }

// fields are the names of form fields and of values in the audit trail that have words of their own.
var fieldKeys = map[string]string{
	"name": "name_server", "description": "description", "category": "category", "api_user": "api_user", "scopes": "scopes",
	"scope": "scopes", "active": "active", "status": "status", "default_api": "default_api", "type": "type",
	"credential_type": "credential_type", "first_name": "first_name", "last_name": "last_name", "email": "email",
	"second_first_name": "second_first_name", "second_last_name": "second_last_name", "second_email": "second_email",
	"label": "label", "expires_at": "expires_at", "ends_at": "expires_at", "contact": "contact", "client_id": "client_id",
	"second_contact": "second_contact", "hint": "hint", "reason": "reason", "version": "version", "why": "reason",
	"generation": "generation", "secret": "secret", "created_by": "created_by", "secret_state": "secret_state",
	"old_secret": "old_secret", "old_ends": "old_ends", "hand_off": "hand_off",
	"link_ends": "link_ends", "kind": "kind", "resource_api": "resource_api", "by": "lookup_by",
}

// fieldText is the word for a field of a form or of the audit trail; unknown ones keep their name.
func fieldText(ctx context.Context, field string) string {
	if key, ok := fieldKeys[field]; ok {
		return i18n.T(ctx, "apps.field."+key)
	}
	return field
}

// ownPath lets only paths of this site through. It stands where templ does not look at addresses: formaction.
func ownPath(href string) string {
	if !strings.HasPrefix(href, "/") || strings.HasPrefix(href, "//") || strings.HasPrefix(href, "/\\") {
		return ""
	}
	return href
}
