package templates_test

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

func TestRotateIsAWholePage(t *testing.T) {
	for usable := range 3 {
		checkPage(t, templates.AppRotatePage(sampleRotate(usable)))
	}
	inactive := sampleRotate(1)
	inactive.Inactive = true
	checkPage(t, templates.AppRotatePage(inactive))
	if got := words(renderDoc(t, templates.AppRotatePage(inactive)).Find("main")); !strings.Contains(got, "works once the app is activated") {
		t.Error("an inactive app does not say so")
	}
}

func TestRotateFields(t *testing.T) {
	for usable, want := range [][]string{
		{"nonce", "why", "label", "expiry", "expires_on", "do=create"},
		{"nonce", "old", "why", "label", "expiry", "expires_on", "end", "end_at", "do=create", "do=end"},
		{"nonce", "why", "leaked", "label", "expiry", "expires_on", "retire", "do=create", "do=end"},
	} {
		form := renderDoc(t, templates.AppRotatePage(sampleRotate(usable))).Find("main form")
		if diff := cmp.Diff(want, formFields(form)); diff != "" {
			t.Errorf("%d usable: %s", usable, diff)
		}
		if form.AttrOr("method", "") != "post" || form.AttrOr("action", "") != sampleApp+"/secrets" {
			t.Error("the form goes elsewhere")
		}
	}
}

// Every end is told as a moment, so that nothing has to be computed by a script (ui.md §4.5).
func TestRotateTellsWhenTheOldSecretEnds(t *testing.T) {
	doc := renderDoc(t, templates.AppRotatePage(sampleRotate(1)))
	var ends []string
	doc.Find("label:has([name=end])").Each(func(_ int, s *goquery.Selection) {
		end := s.Find("input").AttrOr("value", "") + ": " + words(s)
		if _, ok := s.Find("input").Attr("checked"); ok {
			end += "!"
		}
		ends = append(ends, end)
	})
	want := []string{
		"now: Now", "1h: In 1 hour 22 Nov 2026, 16:05 CET", "24h: In 24 hours 23 Nov 2026, 15:05 CET",
		"7d: In 7 days 29 Nov 2026, 15:05 CET!", "30d: In 30 days 22 Dec 2026, 15:05 CET", "date: On a date and time",
	}
	if diff := cmp.Diff(want, ends); diff != "" {
		t.Error(diff)
	}
	if got := words(doc.Find("#f-end legend")); got != "When does the old secret “2026-02 SAP production” (…7Hq1) end?" {
		t.Errorf("the question is %q", got)
	}
	date := doc.Find("input[type=datetime-local][name=end_at]")
	if date.AttrOr("min", "") != "2026-11-22T14:06" || !strings.Contains(words(doc.Find("#f-end_at-hint")), "UTC") {
		t.Error("the date has no bound or no zone")
	}
}

func TestRotateWithTwoSecretsMakesRoom(t *testing.T) {
	doc := renderDoc(t, templates.AppRotatePage(sampleRotate(2)))
	var room []string
	doc.Find("label:has([name=retire])").Each(func(_ int, s *goquery.Selection) {
		room = append(room, s.Find("input").AttrOr("value", "")+": "+words(s))
	})
	want := []string{
		"s1: “2026-02 SAP production” (…7Hq1) Made on 3 Nov 2026, 10:12 CET. Ends by itself on 29 Nov 2026, 15:05 CET. Last used 4 minutes ago from 2 networks, 131 times in 24 hours.",
		"s2: “2026-11” (…9fK2) Made on 22 Nov 2026, 15:05 CET. Up to a minute ago nobody had used it.",
	}
	if diff := cmp.Diff(want, room); diff != "" {
		t.Error(diff)
	}
	if doc.Find("[name=retire][value=s2][checked]").Length() != 1 || doc.Find("[name=leaked][value=s1][checked]").Length() != 1 {
		t.Error("what was chosen is lost")
	}
}

// Whoever says "leaked" hears how much ends besides (ui.md §4.5).
func TestRotateTellsWhatALeakEnds(t *testing.T) {
	note := func(v templates.AppRotate) string {
		return words(renderDoc(t, templates.AppRotatePage(v)).Find("p.if-leaked"))
	}
	want := "The tokens it bought end too: “2026-02 SAP production” (…7Hq1) was used 12 times since 22 Nov 2026, 14:00 CET."
	if got := note(sampleRotate(2)); !strings.HasSuffix(got, want) {
		t.Errorf("it says %q", got)
	}
	v := sampleRotate(1)
	v.Usable[0].Hour = 0
	if got := note(v); strings.Contains(got, "tokens") {
		t.Errorf("of one that was not used lately it says %q", got)
	}
	for networks, want := range map[int]string{
		1: "Last used 4 minutes ago from 1 network, 131 times in 24 hours.", 0: "Last used 4 minutes ago.",
	} {
		v := sampleRotate(1)
		v.Usable[0].Networks = networks
		if networks == 0 {
			v.Usable[0].Day = 0
		}
		if got := words(renderDoc(t, templates.AppRotatePage(v)).Find("#f-end-hint")); !strings.HasSuffix(got, want) {
			t.Errorf("%d networks: %q", networks, got)
		}
	}
}

func TestConfirmRestore(t *testing.T) {
	v := sampleConfirm("restore")
	v.Label, v.Hint = "2026-02 SAP production", "7Hq1"
	checkPage(t, templates.AppConfirmPage(v))
	doc := renderDoc(t, templates.AppConfirmPage(v))
	if got := words(doc.Find("main form p")); got != "The secret works again at once, as it did before. Nothing has to be copied: it is the same secret." {
		t.Errorf("it says %q", got)
	}
	v.EndsAt = at(29, 14, 5)
	if got := words(renderDoc(t, templates.AppConfirmPage(v)).Find("main form p")); !strings.HasSuffix(got, "It ends by itself on 29 Nov 2026, 15:05 CET.") {
		t.Errorf("with an end it says %q", got)
	}
	v.Refusal, v.RefusalText, v.RotateHref = "restore", "It leaked.", sampleApp+"/secrets/new"
	refused := renderDoc(t, templates.AppConfirmPage(v))
	if refused.Find("main form button[type=submit]").Length() != 0 || !strings.Contains(words(refused.Find("main")), "It leaked.") {
		t.Error("what cannot be restored has a button, or no reason")
	}
}

func sampleExtend() templates.AppExtend {
	r := sampleRotate(1)
	return templates.AppExtend{
		Frame: sampleFrame(), Action: sampleApp + "/secrets/s1/extend", CancelHref: sampleApp, AppName: "SAP spend export",
		Label: "2026-02 SAP production", Hint: "7Hq1", EndsAt: at(23, 14, 5), ExpiresAt: at(1, 0, 0).AddDate(1, 0, 0),
		End: "7d", EndChoices: r.EndChoices[3:], EndMin: "2026-11-23T14:06", EndMax: "2027-02-20T14:05", Zone: "UTC",
	}
}

func TestExtend(t *testing.T) {
	v := sampleExtend()
	checkPage(t, templates.AppExtendPage(v))
	doc := renderDoc(t, templates.AppExtendPage(v))
	if got := words(doc.Find("main form > p")); got != "The secret stops working on 23 Nov 2026, 15:05 CET. Put that off while something still uses it. It expires on 1 Nov 2027, 01:00 CET, whatever you choose." {
		t.Errorf("it says %q", got)
	}
	if doc.Find("[name=end][value='7d'][checked]").Length() != 1 || doc.Find("[name=end_at]").AttrOr("max", "") != v.EndMax {
		t.Error("nothing is chosen, or an own end has no bound")
	}
	v.Errors = templates.FieldErrors{{Field: "end_at", Text: "Enter the date."}}
	checkProblems(t, templates.AppExtendPage(v), v.Errors)
	v.Errors, v.Over = templates.FieldErrors{{Text: "It ended."}}, true
	if renderDoc(t, templates.AppExtendPage(v)).Find("main form [name=end], main form button").Length() != 0 {
		t.Error("an end can be chosen for a secret that has ended")
	}
}

func TestRotateWithoutSecrets(t *testing.T) {
	v := sampleRotate(0)
	v.Why = "lost"
	doc := renderDoc(t, templates.AppRotatePage(v))
	if doc.Find("button[value=end], [name=end]").Length() != 0 {
		t.Error("something ends although nothing works")
	}
	if doc.Find("[name=why][value=lost][checked]").Length() != 1 {
		t.Error("the reason is lost")
	}
}

func TestRotateProblems(t *testing.T) {
	for usable, fields := range map[int][]string{
		1: {"why", "label", "expiry", "expires_on", "end", "end_at"}, 2: {"why", "leaked", "label", "expiry", "retire"},
	} {
		v := sampleRotate(usable)
		for _, field := range fields {
			v.Errors = append(v.Errors, templates.FieldError{Field: field, Text: "About " + field + "."})
		}
		checkProblems(t, templates.AppRotatePage(v), v.Errors)
	}
}

func TestConfirmPages(t *testing.T) {
	for act, button := range map[string]string{
		"activate": "Activate SAP spend export", "deactivate": "Deactivate SAP spend export", "delete": "Delete SAP spend export",
		"retire": "Retire “2026-02 SAP production” (…7Hq1)",
	} {
		t.Run(act, func(t *testing.T) {
			checkPage(t, templates.AppConfirmPage(sampleConfirm(act)))
			for _, doc := range []*goquery.Document{
				renderDoc(t, templates.AppConfirmPage(sampleConfirm(act))), renderDoc(t, templates.AppConfirmFragment(sampleConfirm(act))),
			} {
				form := doc.Find("form[method=post][action='" + sampleApp + "/" + act + "']")
				if got := words(form.Find("button[type=submit]")); got != button {
					t.Errorf("the button says %q", got)
				}
				if form.Find("[name=version]").AttrOr("value", "") != "7" {
					t.Error("no version")
				}
				if danger := form.Find(".btn-danger").Length() == 1; danger != (act != "activate") {
					t.Error("the colour of the button is wrong")
				}
				if typed := form.Find("[name=confirm_name]").Length() == 1; typed != (act == "delete") {
					t.Error("only deleting asks for the name")
				}
			}
		})
	}
}

func TestConfirmFragmentIsAFragment(t *testing.T) {
	html := renderHTML(t, templates.AppConfirmFragment(sampleConfirm("delete")))
	checkMarkup(t, html)
	if strings.Contains(html, "<html") || !strings.Contains(html, `id="dlg-title"`) {
		t.Error("the dialog gets a page")
	}
	if !strings.Contains(html, `command="request-close"`) {
		t.Error("the dialog cannot be closed")
	}
}

func TestConfirmKeepsTheTypedName(t *testing.T) {
	v := sampleConfirm("delete")
	v.TypedName, v.Errors = "SAP", templates.FieldErrors{{Field: "confirm_name", Text: "The name does not match."}}
	checkProblems(t, templates.AppConfirmPage(v), v.Errors)
	if got := renderDoc(t, templates.AppConfirmPage(v)).Find("[name=confirm_name]").AttrOr("value", ""); got != "SAP" {
		t.Errorf("the name came back as %q", got)
	}
}

func TestConfirmRetire(t *testing.T) {
	text := func(v templates.AppConfirm) string {
		return words(renderDoc(t, templates.AppConfirmPage(v)).Find("main form p"))
	}
	v := sampleConfirm("retire")
	if got := text(v); !strings.Contains(got, "would end by itself on 29 Nov 2026, 15:05 CET") {
		t.Errorf("with an end: %q", got)
	}
	v.Unused = true
	if got := text(v); !strings.Contains(got, "was never used") {
		t.Errorf("unused: %q", got)
	}
	v = sampleConfirm("retire")
	v.EndsAt = time.Time{}
	if got := text(v); !strings.HasPrefix(got, "This secret of the app stops working at once.") {
		t.Errorf("without an end: %q", got)
	}
}

// What cannot be done is explained, without a button that would fail.
func TestConfirmRefusal(t *testing.T) {
	v := sampleConfirm("retire")
	v.Refusal, v.InsteadHref, v.RotateHref = "last_secret", sampleApp+"/deactivate", sampleApp+"/secrets/new"
	checkPage(t, templates.AppConfirmPage(v))
	for _, doc := range []*goquery.Document{
		renderDoc(t, templates.AppConfirmPage(v)), renderDoc(t, templates.AppConfirmFragment(v)),
	} {
		if doc.Find("form[action^='/apps'], button[type=submit]:not(.menu-item)").Length() != 0 {
			t.Error("the refused act has a form")
		}
		if doc.Find("a[href$='/deactivate']").Length() != 1 || doc.Find("a[href$='/secrets/new']").Length() != 1 {
			t.Error("no way out")
		}
	}
	v = sampleConfirm("delete")
	v.Refusal, v.InsteadHref = "active", sampleApp+"/deactivate"
	if got := words(renderDoc(t, templates.AppConfirmPage(v)).Find(".confirm")); !strings.Contains(got, "Only an inactive app can be deleted.") {
		t.Errorf("refusal %q", got)
	}
}

func TestHistory(t *testing.T) {
	checkPage(t, templates.AppHistoryPage(sampleHistory()))
	doc := renderDoc(t, templates.AppHistoryPage(sampleHistory()))
	var got []string
	doc.Find(".events > li").Each(func(_ int, s *goquery.Selection) { got = append(got, words(s.Find(".event-line"))) })
	want := []string{
		"Vic Viewer tried to make a new secret for SAP spend exportRefused", "Ana Silva tried to delete SAP spend exportFailed",
		"Ana Silva deactivated SAP spend export", "Ana Silva made the new secret …9fK2 for SAP spend export",
		"Ana Silva changed SAP spend export", "Ana Silva ended the secret …9fK2 of SAP spend export, because it leaked",
		"Ana Silva did app.moon to SAP spend export", "Ana Silva registered SAP spend export",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	refused := words(doc.Find(".events > li").First())
	for _, part := range []string{
		"22 Nov 2026, 15:09 CET", "from 10.2.0.17", "3 times within a minute", "Request 01HV7Q", "The right Manage API client app is missing.",
	} {
		if !strings.Contains(refused, part) {
			t.Errorf("%q is missing", part)
		}
	}
	var rows []string
	doc.Find("table.diff tbody tr").Each(func(_ int, s *goquery.Selection) {
		rows = append(rows, words(s.Find("th"))+": "+words(s.Find("td").First())+" > "+words(s.Find("td").Last()))
	})
	wantRows := []string{"Name: SAP export > SAP spend export", "Scopes: nothing > core.invoice.read core.invoice.write"}
	if diff := cmp.Diff(wantRows, rows); diff != "" {
		t.Error(diff)
	}
}

// Every act and every refusal of it has a sentence (a missing text fails renderContext).
func TestHistoryKnowsAllActs(t *testing.T) {
	h := sampleHistory()
	h.Events = nil
	acts := []string{
		"app.register", "app.edit", "app.rotate", "app.retire", "app.leak", "app.activate", "app.deactivate", "app.delete",
		"app.secret_expired",
	}
	for _, action := range acts {
		for _, result := range []string{"done", "refused", "failed"} {
			h.Events = append(h.Events, templates.AppEvent{Action: action, Result: result, Who: "Ana", What: "App", Hint: "9fK2", At: at(1, 0, 0)})
		}
	}
	renderDoc(t, templates.AppHistoryPage(h)).Find(".event-text").Each(func(i int, s *goquery.Selection) {
		if text := words(s); strings.Contains(text, "app.") || strings.Contains(text, "audit.") {
			t.Errorf("%s has no sentence: %q", acts[i/3], text)
		}
	})
}

func TestHistoryWithoutEvents(t *testing.T) {
	h := sampleHistory()
	h.Events = nil
	checkPage(t, templates.AppHistoryPage(h))
	if got := words(renderDoc(t, templates.AppHistoryPage(h)).Find(".empty")); got != "Nothing has been recorded yet." {
		t.Errorf("an empty history says %q", got)
	}
}

func TestHistoryForViewers(t *testing.T) {
	h := sampleHistory()
	h.Head.EditHref, h.Head.RotateHref = "", ""
	checkNothingToChange(t, renderDoc(t, templates.AppHistoryPage(h)))
}
