package templates_test

import (
	"testing"

	"credenza.example/credenza/templates"
)

func sampleWrite() templates.AppWrite {
	mail := templates.ContactMail{
		FirstName: "Ana", LastName: "Silva", Email: "ana.silva@acme.example", App: "SAP spend export", ClientID: sampleID, Organisation: "Acme",
	}
	second := mail
	second.FirstName, second.Email = "Jo", "jo@acme.example"
	return templates.AppWrite{Frame: sampleFrame(), AppName: "SAP spend export", AppHref: sampleApp, EditHref: sampleApp + "/edit", Mails: []templates.PreparedMail{
		{Mail: mail}, {Mail: second, Address: templates.AppAddress{State: "denied", At: at(3, 10, 0)}},
	}}
}

func samplePasted() templates.AppPasted {
	return templates.AppPasted{
		Frame: sampleFrame(), Action: "/apps/pasted", CancelHref: "/apps",
		Errors: templates.FieldErrors{{Field: "client_secret", Text: "Client secret: this is no client secret."}},
	}
}

func TestPreparedMailsAreAPage(t *testing.T) {
	checkPage(t, templates.AppWritePage(sampleWrite()))
	none := sampleWrite()
	none.Mails, none.EditHref = nil, ""
	checkPage(t, templates.AppWritePage(none))
	doc := renderDoc(t, templates.AppWritePage(sampleWrite()))
	if doc.Find("main section a[href^='mailto:']").Length() != 2 || doc.Find("main [readonly]").Length() != 6 || doc.Find(".chip-bad").Length() != 1 {
		t.Error("two contacts have a link and three fields to copy each, and one is stale")
	}
}

func TestPastedSecretIsAPage(t *testing.T) {
	checkPage(t, templates.AppPastedPage(samplePasted()))
	field := renderDoc(t, templates.AppPastedPage(samplePasted())).Find("form[method=post] input[name=client_secret]")
	if field.AttrOr("type", "") != "password" || field.AttrOr("autocomplete", "") != "off" || field.AttrOr("value", "") != "" {
		t.Error("the secret is kept or shown")
	}
}
