package templates

import (
	"context"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// ContactAsk is the page that asks the reader of a contact's address whether it is right. It posts ask and answer, which is
// yes or no.
type ContactAsk struct {
	Frame        Frame
	Action       string
	Link         string
	Organisation string
	Email        string
	Apps         []string // names of the first of them
	Total        int
	State        string // "", confirmed, denied, refused: the last answer
	At           time.Time
	Errors       FieldErrors
}

func (v ContactAsk) page(ctx context.Context) Page {
	return Page{Frame: v.Frame, Title: i18n.T(ctx, "contact.title"), Error: len(v.Errors) > 0}
}

// answered reports whether the reader has said something.
func (v ContactAsk) answered() bool { return v.State == "confirmed" || v.State == "denied" }
