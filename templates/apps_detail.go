package templates

import (
	"context"
	"slices"
	"time"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// AppDetail is the page /apps/{id} (ui.md §4.3). Addresses left empty leave their control out: whoever may only view
// gets none of Edit, Rotate, Retire, Deactivate, Activate, Delete.
type AppDetail struct {
	Frame   Frame
	Head    AppHead
	Notices []AppNotice // most serious first

	ClientID      string
	TokenURL      string
	IntrospectURL string      // of a resource server, in place of TokenURL
	Secrets       []AppSecret // usable first, then newest first
	Rotation      *AppRotation
	HandOffs      []HandOffRow // for who may withdraw them
	HandOffHref   string       // to make one; "" for who may not
	Use           AppUse
	Mails         AppMails
	Rejections    AppRejections
	Now           time.Time // what "3 days ago" counts from
	Scopes        []AppScope
	Try           TryIt
	MayManage     bool   // contact card first when not
	WriteHref     string // the prepared mails to the contacts

	Description    string
	APIUser        string
	APIUserKind    string
	APIUserLive    bool
	Type           string // m2m
	CredentialType string // shared_secret
	DefaultAPI     string // title, "" when all scopes are of one API
	Contact        AppContact
	Second         *AppContact
	Address        AppAddress // of Contact
	SecondAddress  AppAddress
	ContactErased  bool // deleted apps
	CreatedBy      string
	CreatedAt      time.Time
	ModifiedBy     string
	ModifiedAt     time.Time
	Prefix         string // client prefix of the organisation
	Version        int64

	DeactivateHref string
	ActivateHref   string
	DeleteHref     string // only for an inactive app; when DeactivateHref is set the page says "deactivate first"
}

// AppHead is the top of an app's pages: detail and history.
type AppHead struct {
	Name        string
	Status      string // active, inactive
	Category    string
	Introspects string // title of the API whose tokens it introspects; "" for an app that calls APIs
	EditHref    string
	RotateHref  string
	Tabs        []AppTab
}

// AppTab is a tab of an app's pages.
type AppTab struct {
	Code    string // overview, history
	Href    string
	Current bool
}

// AppNotice is one line of the attention strip.
type AppNotice struct {
	Code        string // expired, expiring, two, no_secret, idle, never_used, inactive, api_user
	Hint        string // ending of the secret concerned
	Days        int    // whole days: expiring: that are left, two: side by side, never_used: since it was registered
	At          time.Time
	Href        string // what to do about it: rotate, activate; "" leaves the link out
	Introspects string // as in AppHead
	Count       int    // rejected: requests today
}

// AppSecret is one row of the secrets table. Nobody ever sees more of a secret than Hint.
type AppSecret struct {
	Label      string
	Hint       string // last four characters
	CreatedAt  time.Time
	CreatedBy  string
	ExpiresAt  time.Time // zero: does not expire
	State      string    // in_use, new, ends, expires, expired, retired, leaked
	Days       int       // expires: whole days left
	EndedAt    time.Time // retired, leaked
	LastUsedAt time.Time // zero: never
	RetireHref string
	ExtendHref string // ends: puts off the end

	RestoreHref  string    // retired: makes it work again
	RestoreUntil time.Time // until when it may be restored; zero: not
}

// AppRotation is the strip that is shown while two secrets work.
type AppRotation struct {
	NewHint    string
	OldHint    string
	OldEnds    time.Time // zero: no end is set
	RetireHref string    // retire the old one now
	ExtendHref string    // put off the end of the old one; "" when no rotation ends it

	// Step is how far the change is: waiting (the new one was not used yet), both (are in use), silent (the old one for 24
	// hours), late (the old one ends within 24 hours and is still used).
	Step        string
	OldUsedAt   time.Time
	OldDay      int64    // both, late: uses of the old one in the last 24 hours
	OldNetworks []string // both, late: where these came from
}

// AppScope is one scope of the app with the calls it opens.
type AppScope struct {
	Name  string
	Href  string // its page; "" for one that the catalogue has lost
	Kind  string // read, write, delete, special
	API   string // title
	Calls []ScopeCall
}

// mail is the mail to a contact of the app.
func (v AppDetail) mail(to AppContact) ContactMail {
	m := ContactMail{FirstName: to.FirstName, LastName: to.LastName, Email: to.Email, App: v.Head.Name, ClientID: v.ClientID}
	if v.Frame.User != nil {
		m.Organisation = v.Frame.User.Organisation
	}
	return m
}

func (h AppHead) tabs(ctx context.Context) []Tab {
	tabs := make([]Tab, 0, len(h.Tabs))
	for _, t := range h.Tabs {
		tabs = append(tabs, Tab{Label: i18n.T(ctx, "apps.tab_of_app."+t.Code), Href: t.Href, Current: t.Current})
	}
	return tabs
}

func (n AppNotice) kind() string {
	switch n.Code {
	case "expired", "no_secret", "api_user":
		return KindBad
	case "inactive":
		return KindNeu
	case "never_used":
		return KindInfo
	case "expiring":
		return expiringKind(n.Days)
	default:
		return KindWarn
	}
}

func (n AppNotice) icon() string {
	if n.Code == "inactive" || n.Code == "never_used" {
		return "info"
	}
	return "alert"
}

// sentence is what the strip says; ends and moments stand in it as their own elements.
func (n AppNotice) sentence() templ.Component {
	codes := []string{"expired", "expiring", "two", "no_secret", "idle", "never_used", "inactive", "api_user", "rejected"}
	if !slices.Contains(codes, n.Code) {
		return templ.NopComponent
	}
	key := "apps.notice." + n.Code
	if n.Code == "two" {
		key = n.two()
	}
	switch n.Code {
	case "expired", "no_secret", "inactive", "never_used", "rejected":
		key = ofKind(key, n.Introspects)
	}
	return Rich(key, "Hint", Code(ending(n.Hint)), "N", n.Days+n.Count, "At", TimeTag(n.At))
}

// two is the sentence about two secrets: how long they have worked side by side, and whether the old one has an end.
func (n AppNotice) two() string {
	key := "apps.notice.two"
	if n.Days > 0 {
		key = "apps.notice.two_days"
	}
	if !happened(n.At) {
		key += "_open"
	}
	return key
}

// secretColumns are the columns of the secrets table; the last one only for who may act.
func (v AppDetail) secretColumns() []string {
	columns := []string{"label", "hint", "created", "expires", "used", "state"}
	if v.MayManage {
		columns = append(columns, "action")
	}
	return columns
}

// over reports whether the secret no longer works.
func (s AppSecret) over() bool {
	return s.State == "expired" || s.State == "retired" || s.State == "leaked"
}

// secretAct is a button in the row of a secret.
type secretAct struct {
	code, href string
	dialog     bool // asked in the dialog, where the script can
}

// acts are what may be done to the secret.
func (s AppSecret) acts() []secretAct {
	var list []secretAct
	for _, a := range []secretAct{
		{"extend", s.ExtendHref, false}, {"retire", s.RetireHref, true}, {"restore", s.RestoreHref, true},
	} {
		if a.href != "" {
			list = append(list, a)
		}
	}
	return list
}

// about are the facts of the side column.
func (v AppDetail) about(ctx context.Context) []Item {
	items := []Item{{Label: i18n.T(ctx, "apps.field.resource_api"), Content: plainName(v.Head.Introspects)}}
	if v.Head.Introspects == "" {
		items = []Item{
			{Label: i18n.T(ctx, "apps.field.api_user"), Content: apiUser(v)},
			{Label: i18n.T(ctx, "apps.field.type"), Value: i18n.T(ctx, "apps.type."+v.Type)},
		}
	}
	items = append(items,
		Item{Label: i18n.T(ctx, "apps.field.credential_type"), Value: i18n.T(ctx, "apps.credential."+v.CredentialType)})
	if v.DefaultAPI != "" {
		items = append(items, Item{Label: i18n.T(ctx, "apps.field.default_api"), Value: v.DefaultAPI})
	}
	return append(items,
		Item{Label: i18n.T(ctx, "apps.detail.created"), Content: madeBy(v, false)},
		Item{Label: i18n.T(ctx, "apps.detail.modified"), Content: madeBy(v, true)},
		Item{Label: i18n.T(ctx, "apps.detail.prefix"), Value: v.Prefix, Mono: true},
		Item{Label: i18n.T(ctx, "apps.field.version"), Value: i18n.Number(ctx, v.Version)},
	)
}

// endLabel stands before the end of a secret where the table is too narrow for its heading.
func (s AppSecret) endLabel(ctx context.Context) string {
	if happened(s.EndedAt) {
		return i18n.T(ctx, "apps.secrets.ended")
	}
	return i18n.T(ctx, "apps.secrets.column.expires")
}

// AppAddress is what is known of a contact's address: confirmed or denied by its reader, or refused by a mail server. The
// zero value is nothing.
type AppAddress struct {
	State string
	At    time.Time
}

func (a AppAddress) stale() bool { return a.State == "denied" || a.State == "refused" }
