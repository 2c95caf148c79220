package templates_test

import (
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

func sampleMails() templates.AppMails {
	return templates.AppMails{
		EditHref: sampleApp + "/edit",
		Refused: []templates.RefusedMail{
			{To: "gone@acme.example", At: at(21, 9, 12), Contact: true},
			{To: "<b>Ana</b> Silva", At: at(20, 9, 12), Failed: true},
		},
		Kept: []templates.KeptMail{{
			Title: "<b>Spend</b>: secret …7Hq1 ends 29 Nov 2026", Texts: []string{"It ends <i>soon</i>.", "Rotate it."}, At: at(15, 9, 12),
		}},
	}
}

// The strip tells whom mails do not reach, even when nothing else needs attention; notices that were not sent have a panel.
func TestMailsOfAnApp(t *testing.T) {
	v := sampleDetail()
	v.Notices, v.Mails = nil, sampleMails()
	page := renderDoc(t, templates.AppDetailPage(v))
	var lines []string
	page.Find(".strip .notice").Each(func(_ int, s *goquery.Selection) { lines = append(lines, words(s)) })
	if diff := cmp.Diff([]string{
		"The mail to gone@acme.example was refused on 21 Nov 2026, 10:12 CET.Change the contact",
		"No mail reached <b>Ana</b> Silva: it was given up on 20 Nov 2026, 10:12 CET.",
	}, lines); diff != "" {
		t.Errorf("the strip (-want +got):\n%s", diff)
	}
	panel := page.Find("section[aria-labelledby=mails]")
	want := "NoticesThis portal sends no mail, so that nobody was told. Pass on what matters." +
		"<b>Spend</b>: secret …7Hq1 ends 29 Nov 2026 15 Nov 2026, 10:12 CET It ends <i>soon</i>.Rotate it."
	if got := words(panel); got != want {
		t.Errorf("the panel says %q, want %q", got, want)
	}
	if page.Find(".strip b, [aria-labelledby=mails] b, [aria-labelledby=mails] i").Length() != 0 {
		t.Error("a name became markup")
	}

	v.Mails = templates.AppMails{}
	page = renderDoc(t, templates.AppDetailPage(v))
	if page.Find(".strip, [aria-labelledby=mails]").Length() != 0 {
		t.Error("an app without trouble has a strip or a panel of mails")
	}
}
