package templates

import (
	"context"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// AppRotate is the page /apps/{id}/secrets/new (ui.md §4.5).
//
// The fields it sends: nonce, why (planned, lost, leaked), label, expiry, expires_on, do: "create", or "end" for "End it,
// make none". While one secret is usable: old (its ID, hidden), end (now, 1h, 24h, 7d, 30d, date) and end_at
// (YYYY-MM-DDThh:mm in Zone). While two are: retire (ID of the one that ends now) and leaked (ID of the one that did).
// Leaked means now whatever the others say.
type AppRotate struct {
	Frame       Frame
	Action      string
	CancelHref  string
	HandOffHref string // to hand the secret over by a link instead
	Nonce       string
	AppName     string
	ClientID    string
	Introspects string // title of the API whose tokens it introspects; "" for an app that calls APIs
	Inactive    bool   // the app is inactive: the new secret works once it is activated

	Errors FieldErrors

	Why    string // chosen
	Label  string
	Expiry ExpiryFields
	Zone   string

	Now    time.Time      // what "3 days ago" counts from
	Usable []RotateSecret // usable secrets, oldest first: none, one or two
	Retire string         // chosen secret ID, when two are usable
	Leaked string         // chosen secret ID, when two are usable

	End        string // chosen code
	EndChoices []EndChoice
	EndAt      string // as typed
	EndMin     string // earliest and latest moment, YYYY-MM-DDThh:mm in Zone, may be empty
	EndMax     string
}

// RotateSecret is a usable secret on the rotate page.
type RotateSecret struct {
	ID        string
	Label     string
	Hint      string
	CreatedAt time.Time
	EndsAt    time.Time // zero: no end

	LastUsedAt time.Time // zero: never
	Day        int64     // uses in the last 24 hours
	Networks   int       // from so many networks
	Hour       int64     // uses since HourSince, at least an hour ago
	HourSince  time.Time
}

// EndChoice is one end for the old secret. At is zero for date.
type EndChoice struct {
	Code string // now, 1h, 24h, 7d, 30d, date
	At   time.Time
}

func (v AppRotate) page(ctx context.Context) Page {
	p := v.Frame.appPage(ctx, i18n.T(ctx, "apps.rotate.title", "App", v.AppName), v.AppName, v.CancelHref)
	p.Error = len(v.Errors) > 0
	return p
}

func (v AppRotate) whyOptions(ctx context.Context) []Option {
	options := coded(ctx, "apps.rotate.why_", v.Why, []string{"planned", "lost", "leaked"})
	for i := range options {
		hint := "apps.rotate.why_" + options[i].Value + "_hint"
		if options[i].Value == "leaked" {
			hint = ofKind(hint, v.Introspects)
		}
		options[i].Hint = i18n.T(ctx, hint)
	}
	return options
}

// secretOptions are the usable secrets to choose one from.
func (v AppRotate) secretOptions(ctx context.Context, chosen string) []Option {
	options := make([]Option, 0, len(v.Usable))
	for _, s := range v.Usable {
		options = append(options, Option{
			Value: s.ID, Label: secretName(ctx, s.Label, s.Hint), Hint: s.facts(ctx, v.Now), Selected: s.ID == chosen,
		})
	}
	return options
}

// facts say of a secret what helps to choose: since when it is there, how long it works, who still uses it.
func (s RotateSecret) facts(ctx context.Context, now time.Time) string {
	text := i18n.T(ctx, "apps.rotate.facts", "At", s.CreatedAt)
	if happened(s.EndsAt) {
		text = i18n.T(ctx, "apps.rotate.facts_ends", "At", s.CreatedAt, "Ends", s.EndsAt)
	}
	switch ago := i18n.Ago(ctx, s.LastUsedAt, now); {
	case s.LastUsedAt.IsZero():
		return i18n.T(ctx, "apps.rotate.facts_unused", "At", s.CreatedAt)
	case s.Day == 0:
		return text + " " + i18n.T(ctx, "apps.rotate.facts_silent", "Ago", ago)
	case s.Networks == 1:
		return text + " " + i18n.T(ctx, "apps.rotate.facts_used", "Ago", ago, "N", int(s.Day))
	default:
		return text + " " + i18n.T(ctx, "apps.rotate.facts_used_from", "Ago", ago, "N", int(s.Day),
			"Networks", i18n.Number(ctx, int64(s.Networks)))
	}
}

// bought tells for each secret that was used lately how many tokens may end with it.
func (v AppRotate) bought(ctx context.Context) []string {
	var list []string
	for _, s := range v.Usable {
		if s.Hour > 0 && v.Introspects == "" {
			list = append(list, i18n.T(ctx, "apps.rotate.leaked_tokens",
				"N", int(s.Hour), "Secret", secretName(ctx, s.Label, s.Hint), "Since", s.HourSince))
		}
	}
	return list
}

// hidden are the fields nobody sees. The one usable secret is named, so that another one that somebody made meanwhile is
// not ended in its place.
func (v AppRotate) hidden() []Hidden {
	fields := []Hidden{{Name: "nonce", Value: v.Nonce}}
	if len(v.Usable) == 1 {
		fields = append(fields, Hidden{Name: "old", Value: v.Usable[0].ID})
	}
	return fields
}

func (v AppRotate) endLegend(ctx context.Context) string {
	return i18n.T(ctx, "apps.rotate.end_of", "Secret", secretName(ctx, v.Usable[0].Label, v.Usable[0].Hint))
}

func (v AppRotate) endHint(ctx context.Context) string { return v.Usable[0].facts(ctx, v.Now) }

func (v AppRotate) ends() endFields {
	return endFields{chosen: v.End, choices: v.EndChoices, at: v.EndAt, min: v.EndMin, max: v.EndMax, zone: v.Zone, errors: v.Errors}
}
