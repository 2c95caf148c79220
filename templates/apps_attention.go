package templates

import (
	"context"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// StaleContacts is the page /apps/contacts: contacts who said that it should be somebody else, or whose mail comes back.
type StaleContacts struct {
	Frame     Frame
	Rows      []StaleContact
	More      bool // there are more than the page shows
	MayManage bool
	Now       time.Time
}

// StaleContact is one of them, with the active apps it stands at: AppName is set when it is one.
type StaleContact struct {
	Name, Email string
	Address     AppAddress
	Apps        int
	AppName     string
	Href        string // of the app, or of the list of them
	EditHref    string // of the one app, for who may change it
}

// apps is the link to what the contact stands at.
func (r StaleContact) apps(ctx context.Context) string {
	if r.AppName != "" {
		return r.AppName
	}
	return i18n.T(ctx, "stale.apps", "N", r.Apps)
}

// RejectedToday is the page /apps/rejected: apps of which requests were refused since midnight UTC.
type RejectedToday struct {
	Frame       Frame
	Rows        []RejectedApp
	More        bool // there are more than the page shows
	UnknownHref string
	Now         time.Time
}

// RejectedApp is one of them.
type RejectedApp struct {
	Name, Status   string
	Times          int64
	LastAt         time.Time
	Href           string
	RejectionsHref string
}

// translated is the value of the attribute translate: names are not.
func translated(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
