package templates

import (
	"context"

	"credenza.example/credenza/internal/i18n"
)

// AppWrite is the page with prepared mails to the contacts of an app: one who may see the app may write to them.
type AppWrite struct {
	Frame    Frame
	AppName  string
	AppHref  string
	Mails    []PreparedMail // none when the people were erased
	EditHref string         // where contacts are changed; "" for who may not
}

// PreparedMail is a mail to one contact, and what is known of the address.
type PreparedMail struct {
	Mail    ContactMail
	Address AppAddress
}

func (v AppWrite) page(ctx context.Context) Page {
	return v.Frame.appPage(ctx, i18n.T(ctx, "mail.page.title", "App", v.AppName), v.AppName, v.AppHref)
}
