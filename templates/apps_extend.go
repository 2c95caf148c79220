package templates

import (
	"context"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// AppExtend is the page /apps/{id}/secrets/{sid}/extend: until when a secret that a rotation ends shall work instead.
//
// The fields it sends: end (24h, 7d, 30d, date) and end_at (YYYY-MM-DDThh:mm in Zone).
type AppExtend struct {
	Frame      Frame
	Action     string
	CancelHref string
	AppName    string
	Errors     FieldErrors

	Label     string
	Hint      string
	EndsAt    time.Time // the end it has now
	ExpiresAt time.Time // beyond which it cannot go; zero: never
	Over      bool      // it ended meanwhile: nothing is left to choose

	End        string // chosen code
	EndChoices []EndChoice
	EndAt      string // as typed
	EndMin     string
	EndMax     string
	Zone       string
}

func (v AppExtend) page(ctx context.Context) Page {
	p := v.Frame.appPage(ctx, v.title(ctx), v.AppName, v.CancelHref)
	p.Error = len(v.Errors) > 0
	return p
}

func (v AppExtend) title(ctx context.Context) string {
	return i18n.T(ctx, "apps.extend.title", "Secret", secretName(ctx, v.Label, v.Hint))
}

func (v AppExtend) fields() endFields {
	return endFields{chosen: v.End, choices: v.EndChoices, at: v.EndAt, min: v.EndMin, max: v.EndMax, zone: v.Zone, errors: v.Errors}
}

// endFields is the choice of when a secret ends, as rotation and extension have it.
type endFields struct {
	chosen         string
	choices        []EndChoice
	at             string
	min, max, zone string
	errors         FieldErrors
}

// options name the moment each choice comes to, so that nothing has to be worked out.
func (e endFields) options(ctx context.Context) []Option {
	options := make([]Option, 0, len(e.choices))
	for _, c := range e.choices {
		o := Option{Value: c.Code, Label: i18n.T(ctx, "apps.end."+c.Code), Selected: c.Code == e.chosen}
		if happened(c.At) && c.Code != "now" {
			o.Hint = i18n.Time(ctx, c.At)
		}
		options = append(options, o)
	}
	return options
}
