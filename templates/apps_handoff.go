package templates

import (
	"context"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// AppHandOff is the page /apps/{id}/hand-offs/new: a link with which somebody else makes the next secret.
//
// The fields it sends: recipient, hours (1, 4, 24), and of AppRotate nonce, why (planned, lost), label, expiry, old or
// retire, and end.
type AppHandOff struct {
	Rotate    AppRotate
	Recipient string
	Hours     string
}

func (v AppHandOff) page(ctx context.Context) Page {
	p := v.Rotate.Frame.appPage(ctx, i18n.T(ctx, "hand_off.new.title", "App", v.Rotate.AppName), v.Rotate.AppName, v.Rotate.CancelHref)
	p.Error = len(v.Rotate.Errors) > 0
	return p
}

func (v AppHandOff) hours(ctx context.Context) []Option {
	return coded(ctx, "hand_off.hours.", v.Hours, []string{"1", "4", "24"})
}

func (v AppHandOff) why(ctx context.Context) []Option {
	return v.Rotate.whyOptions(ctx)[:2] // what leaked ends now, not when somebody opens a link
}

// AppHandOffMade shows a new link, once.
type AppHandOffMade struct {
	Frame     Frame
	AppName   string
	Recipient string
	Link      string
	Until     time.Time
	CloseHref string
}

// HandOffRow is a line of the list of links on an app's page.
type HandOffRow struct {
	Recipient    string
	State        string // open, spent, withdrawn, expired
	MadeBy       string
	MadeAt       time.Time
	Until        time.Time // open: until when it can be used
	EndedAt      time.Time // spent, withdrawn
	From         string    // spent: address
	WithdrawHref string
}

func (h HandOffRow) kind() string {
	switch h.State {
	case "open":
		return KindInfo
	case "spent":
		return KindOK
	default:
		return KindNeu
	}
}

// HandOff is the page behind a link: what its button does, for whom. Token is what the form sends.
type HandOff struct {
	Frame        Frame
	Token        string
	AppName      string
	ClientID     string
	Organisation string
	Recipient    string
	Giver        string
	Until        time.Time
	OldHint      string // ending of the secret that ends because of it; "" when none does
	OldEnds      string // code: now, 1h, 24h, 7d, 30d
	Errors       FieldErrors
}

func (v HandOff) page(ctx context.Context) Page {
	return Page{Frame: v.Frame, Title: i18n.T(ctx, "hand_off.page.title"), Error: len(v.Errors) > 0}
}

// old says what becomes of the old secret.
func (v HandOff) old(ctx context.Context) string {
	return i18n.T(ctx, "hand_off.page.old_"+v.OldEnds, "Hint", ending(v.OldHint))
}
