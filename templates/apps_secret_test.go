package templates_test

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

func TestRevealIsAWholePage(t *testing.T) {
	first := sampleReveal()
	first.OldHint, first.ExpiresAt, first.TestHref = "", time.Time{}, ""
	ended := sampleReveal()
	ended.OldEnds = time.Time{}
	for name, v := range map[string]templates.AppReveal{"rotated": sampleReveal(), "first": first, "old one ended": ended} {
		t.Run(name, func(t *testing.T) { checkPage(t, templates.AppRevealPage(v)) })
	}
	if got := words(renderDoc(t, templates.AppRevealPage(first)).Find(".reveal ol")); strings.Contains(got, "old secret") ||
		!strings.Contains(got, "does not expire") {
		t.Errorf("a first secret says %q", got)
	}
	rotated := renderDoc(t, templates.AppRevealPage(sampleReveal()))
	if test := rotated.Find(".reveal ol a"); test.AttrOr("href", "") != sampleApp+"/test" || test.AttrOr("target", "") != "_blank" {
		t.Errorf("the test opens %q in %q", test.AttrOr("href", ""), test.AttrOr("target", ""))
	}
	if got := words(rotated.Find(".reveal ol")); !strings.Contains(got, "The old secret …7Hq1 ends on 29 Nov 2026") {
		t.Errorf("the old secret's end: %q", got)
	}
	if renderDoc(t, templates.AppRevealPage(first)).Find(".reveal ol a").AttrOr("href", "") != "#try-title" {
		t.Error("who has no panel is not led to the commands")
	}
	if got := words(renderDoc(t, templates.AppRevealPage(ended)).Find(".reveal ol")); !strings.Contains(got, "…7Hq1 has ended") {
		t.Errorf("an ended old secret says %q", got)
	}
}

// ui.md §7 item 3. The secret stands in the page twice: the field and the .env block, both marked so that the script wipes them.
func TestRevealHoldsTheSecretInTwoPlacesOnly(t *testing.T) {
	html := renderHTML(t, templates.AppRevealPage(sampleReveal()))
	if n := strings.Count(html, sampleSecret); n != 2 {
		t.Fatalf("the secret stands in the page %d times", n)
	}
	doc := renderDoc(t, templates.AppRevealPage(sampleReveal()))
	field := doc.Find("input#client-secret[data-secret]")
	if field.AttrOr("value", "") != sampleSecret || field.AttrOr("type", "") != "text" {
		t.Error("the field does not hold the secret")
	}
	for attr, want := range map[string]string{"spellcheck": "false", "autocomplete": "off", "translate": "no", "name": "-"} {
		if got := field.AttrOr(attr, "-"); got != want {
			t.Errorf("%s is %q", attr, got)
		}
	}
	if _, ok := field.Attr("readonly"); !ok {
		t.Error("the secret can be edited")
	}
	want := "CCW_CLIENT_ID=" + sampleID + "\nCCW_SECRET=" + sampleSecret + "\nCCW_TOKEN_URL=http://127.0.0.1:8080/oauth2/token"
	if diff := cmp.Diff(want, doc.Find("textarea#client-env[data-secret]").Text()); diff != "" {
		t.Error(diff)
	}
}

func TestRevealCanBeClosedOnlyWhenStored(t *testing.T) {
	doc := renderDoc(t, templates.AppRevealPage(sampleReveal()))
	form := doc.Find("form[method=get][action='" + sampleApp + "']")
	tick := form.Find("input[type=checkbox]")
	if _, required := tick.Attr("required"); !required || tick.AttrOr("name", "-") != "-" {
		t.Error("the tick is not required, or is sent on")
	}
	if words(form.Find("button")) != "Close" {
		t.Error("no Close")
	}
	section := doc.Find("[data-reveal='" + sampleApp + "']")
	if section.Find("h1[tabindex='-1'][autofocus]").Length() != 1 {
		t.Error("the heading is not focused")
	}
	if got := words(section.Find("h1")); got != "Copy the secret for SAP spend export now" {
		t.Errorf("heading %q", got)
	}
	if section.Find(".js-only [data-download][data-from=client-env][data-name=sap-spend-export]").Length() != 2 {
		t.Error("the downloads are missing")
	}
	var labels []string
	doc.Find("[data-copy]").Each(func(_ int, s *goquery.Selection) {
		labels = append(labels, s.AttrOr("data-copy", "")+": "+s.AttrOr("aria-label", "")+", "+s.AttrOr("data-status", ""))
	})
	if diff := cmp.Diff("client-secret: Copy client secret, Client secret copied", labels[1]); diff != "" {
		t.Error(diff)
	}
	if doc.Find("[data-hide=client-secret]").Length() != 1 {
		t.Error("the secret cannot be hidden")
	}
	if got := words(section.Find("ol")); !strings.Contains(got, "The old secret …7Hq1 ends on 29 Nov 2026, 15:05 CET.") {
		t.Errorf("what now says %q", got)
	}
}

// The commands are complete, with real addresses, and take the secret from the keyboard only.
func TestPrintedCommands(t *testing.T) {
	doc := renderDoc(t, templates.AppRevealPage(sampleReveal()))
	want := map[string]string{
		"try-read": `read -rs CCW_SECRET`,
		"try-token": `printf 'user = "%s:%s"\n' \
    CCWACME_7q2mx4ktr9hvzpd3bfgn "$CCW_SECRET" |
  curl -sS -K - http://127.0.0.1:8080/oauth2/token \
    -d grant_type=client_credentials \
    -d scope=core.invoice.read`,
		"try-self": `CCW_TOKEN=$(printf 'user = "%s:%s"\n' \
    CCWACME_7q2mx4ktr9hvzpd3bfgn "$CCW_SECRET" |
  curl -sS -K - http://127.0.0.1:8080/oauth2/token \
    -d grant_type=client_credentials \
    -d scope=core.invoice.read |
  sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')
printf 'header = "Authorization: Bearer %s"\n' \
    "$CCW_TOKEN" |
  curl -sS -K - http://127.0.0.1:8080/api/v1/apps/self`,
	}
	for id, text := range want {
		if diff := cmp.Diff(text, doc.Find("pre#"+id).Text()); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	all := sampleReveal()
	all.Try.Scope = ""
	if got := renderDoc(t, templates.AppRevealPage(all)).Find("pre#try-token").Text(); !strings.HasSuffix(got, "grant_type=client_credentials") {
		t.Errorf("without a scope: %q", got)
	}
	if got := renderDoc(t, templates.AppDetailPage(sampleDetail())).Find("pre#try-token").Text(); got != want["try-token"] {
		t.Error("the app's page prints another command")
	}
}

func TestDetailIsAWholePage(t *testing.T) {
	for name, v := range map[string]templates.AppDetail{
		"manager": sampleDetail(), "viewer": sampleViewerDetail(), "inactive": sampleInactive(),
	} {
		t.Run(name, func(t *testing.T) { checkPage(t, templates.AppDetailPage(v)) })
	}
}

func sampleInactive() templates.AppDetail {
	d := sampleDetail()
	d.Head.Status, d.DeactivateHref = "inactive", ""
	d.ActivateHref, d.DeleteHref = sampleApp+"/activate", sampleApp+"/delete"
	d.Rotation, d.Secrets, d.Second, d.ContactErased, d.APIUserLive = nil, nil, nil, true, false
	d.DefaultAPI = "Coupa Core API"
	d.Notices = []templates.AppNotice{
		{Code: "expired", Hint: "7Hq1", At: at(4, 9, 0), Href: sampleApp + "/secrets/new"},
		{Code: "no_secret", Href: sampleApp + "/secrets/new"},
		{Code: "api_user", Href: sampleApp + "/edit"},
		{Code: "expiring", Hint: "7Hq1", Days: 1, At: at(23, 9, 0)},
		{Code: "two", Hint: "7Hq1", At: at(29, 14, 5)},
		{Code: "two", Hint: "7Hq1"},
		{Code: "two", Hint: "7Hq1", Days: 1, At: at(29, 14, 5)},
		{Code: "two", Hint: "7Hq1", Days: 12},
		{Code: "idle", At: at(29, 0, 0), Href: sampleApp + "/deactivate"},
		{Code: "never_used", Days: 8, Href: sampleApp + "/deactivate"},
		{Code: "inactive", Href: sampleApp + "/activate"},
	}
	return d
}

func TestDetailNotices(t *testing.T) {
	doc := renderDoc(t, templates.AppDetailPage(sampleInactive()))
	var got []string
	doc.Find(".notice").Each(func(_ int, s *goquery.Selection) { got = append(got, words(s)) })
	want := []string{
		"The secret …7Hq1 expired on 4 Nov 2026, 10:00 CET. The app gets no tokens.Rotate secret",
		"The app has no secret that works, so it gets no tokens.Make a secret",
		"The API user of this app is not active, so the app gets no tokens.Choose another API user",
		"The secret …7Hq1 expires in 1 day, on 23 Nov 2026, 10:00 CET.",
		"Two secrets work. The old one, …7Hq1, ends on 29 Nov 2026, 15:05 CET.",
		"Two secrets work. The old one, …7Hq1, goes on until somebody retires it.",
		"Two secrets have worked side by side for 1 day. The old one, …7Hq1, ends on 29 Nov 2026, 15:05 CET.",
		"Two secrets have worked side by side for 12 days. The old one, …7Hq1, goes on until somebody retires it.",
		"Nobody uses this app. It is deactivated on 29 Nov 2026, 01:00 CET, unless it is used before, because your organisation switches unused apps off.Deactivate now",
		"Nobody has used this app since it was registered 8 days ago.Deactivate",
		"This app is inactive: it gets no tokens, and tokens issued before do not work.Activate",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDetailCredentials(t *testing.T) {
	doc := renderDoc(t, templates.AppDetailPage(sampleDetail()))
	if doc.Find("#client-id").AttrOr("value", "") != sampleID || doc.Find("#token-url").AttrOr("value", "") == "" {
		t.Error("client ID or token URL is missing")
	}
	var rows []string
	doc.Find(".secrets-table tbody tr").Each(func(_ int, s *goquery.Selection) { rows = append(rows, words(s)) })
	want := []string{
		"2026-11…9fK222 Nov 2026, 15:05 CET by Ana Silva23 Nov 2027, 00:59 CETNever usedNew, not usedRetire",
		"2026-02 SAP production…7Hq13 Nov 2026, 10:12 CET by Jo Weber29 Nov 2026, 15:05 CET22 Nov 2026, 15:01 CET, 4 minutes agoEnds 29 Nov 2026Retire",
		"first…Zz001 Nov 2026, 10:12 CET by Jo Weber4 Nov 2026, 10:00 CETNever usedRetired",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	retire := doc.Find(".secrets-table a").First()
	if retire.AttrOr("aria-label", "") != "Retire “2026-11” (…9fK2)" || retire.AttrOr("href", "") != sampleApp+"/secrets/s2/retire" {
		t.Error("Retire does not say what, or leads elsewhere")
	}
	strip := words(doc.Find("section .banner"))
	if !strings.Contains(strip, "Put the new secret …9fK2 wherever the old one …7Hq1 is in use.") {
		t.Errorf("rotation says %q", strip)
	}
}

func TestSecretStates(t *testing.T) {
	for state, want := range map[string]string{
		"in_use": "In use", "new": "New, not used", "expired": "Expired", "retired": "Retired", "leaked": "Leaked, ended",
		"ends": "Ends 29 Nov 2026", "expires": "Expires in 12 days", "": "In use",
	} {
		d := sampleDetail()
		d.Secrets = d.Secrets[:1]
		d.Secrets[0].State, d.Secrets[0].Days, d.Secrets[0].ExpiresAt = state, 12, at(29, 14, 5)
		if got := words(renderDoc(t, templates.AppDetailPage(d)).Find(".secrets-table .chip")); got != want {
			t.Errorf("%q shows %q, want %q", state, got, want)
		}
	}
	d := sampleDetail()
	d.Secrets[0].State, d.Secrets[0].Days, d.Secrets[0].ExpiresAt = "expires", 0, at(22, 20, 0)
	d.Secrets[1].ExpiresAt, d.Secrets[1].State = time.Time{}, "in_use"
	table := words(renderDoc(t, templates.AppDetailPage(d)).Find(".secrets-table"))
	for _, want := range []string{"Expires today", "Does not expire"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is missing in %q", want, table)
		}
	}
}

// ui.md §7 item 9, §4.3: viewers find the contact first, metadata of secrets, and nothing to change.
func TestUI9_DetailForViewers(t *testing.T) {
	doc := renderDoc(t, templates.AppDetailPage(sampleViewerDetail()))
	checkNothingToChange(t, doc)
	if got := doc.Find(".columns section").First().AttrOr("aria-labelledby", ""); got != "contact" {
		t.Errorf("the first card is %q", got)
	}
	if doc.Find(".secrets-table tbody tr").Length() != 3 || doc.Find(".secrets-table th[scope=col]").Length() != 6 {
		t.Error("viewers miss metadata, or have a column of actions")
	}
	if doc.Find(".danger-area").Length() != 0 {
		t.Error("viewers have a danger area")
	}
	if got := renderDoc(t, templates.AppDetailPage(sampleDetail())).Find(".columns section").First().AttrOr("aria-labelledby", ""); got != "credentials" {
		t.Errorf("managers begin with %q", got)
	}
}

func TestDetailFacts(t *testing.T) {
	doc := renderDoc(t, templates.AppDetailPage(sampleDetail()))
	var facts []string
	doc.Find("section[aria-labelledby=about] dl > div").Each(func(_ int, s *goquery.Selection) {
		facts = append(facts, words(s.Find("dt"))+": "+words(s.Find("dd")))
	})
	want := []string{
		"API user: acme-client (client user)", "Application type: Machine to machine (OpenID Connect, client credentials)",
		"Credential type: Shared secret", "Created: 1 Nov 2026, 10:12 CET, 21 days ago by Ana Silva",
		"Last modified: 22 Nov 2026, 15:05 CET, just now by Jo Weber", "Client prefix of the organisation: ACME", "Version: 7",
	}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	if doc.Find("a[href='mailto:ana.silva@acme.example']").Length() != 1 || doc.Find("a[href^='mailto:integrations@']").Length() != 2 ||
		doc.Find("a[href^='mailto:ana.silva@acme.example?subject=']").Length() != 1 {
		t.Error("the contacts cannot be mailed")
	}
	if got := words(doc.Find("section[aria-labelledby=scopes] li").First()); !strings.Contains(got, "Opens 2 calls") {
		t.Errorf("scopes say %q", got)
	}
	gone := renderDoc(t, templates.AppDetailPage(sampleInactive()))
	if !strings.Contains(words(gone.Find(".contact")), "erased") || gone.Find("a[href^=mailto]").Length() != 0 {
		t.Error("an erased contact is shown")
	}
	if !strings.Contains(words(gone.Find("section[aria-labelledby=about]")), "Not active") {
		t.Error("the dead API user is not told")
	}
}

func TestDetailDangerArea(t *testing.T) {
	links := func(d templates.AppDetail) (all []string) {
		renderDoc(t, templates.AppDetailPage(d)).Find(".danger-area a").Each(func(_ int, s *goquery.Selection) {
			all = append(all, words(s)+" "+strings.TrimPrefix(s.AttrOr("href", ""), sampleApp))
		})
		return all
	}
	if diff := cmp.Diff([]string{"Deactivate /deactivate"}, links(sampleDetail())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Activate /activate", "Delete /delete"}, links(sampleInactive())); diff != "" {
		t.Error(diff)
	}
	if got := words(renderDoc(t, templates.AppDetailPage(sampleDetail())).Find(".danger-area")); !strings.Contains(got, "Deactivate it first") {
		t.Error("an active app does not say how it is deleted")
	}
}

// An address that is no address must not add fields to the mail that is started.
func TestContactAddressIsOnlyAnAddress(t *testing.T) {
	d := sampleDetail()
	d.Contact.Email = "ana@acme.example?bcc=eve@evil.example&body=x"
	href := renderDoc(t, templates.AppDetailPage(d)).Find(".contact a").First().AttrOr("href", "")
	if strings.ContainsAny(href, "?") {
		t.Errorf("the link is %q", href)
	}
}
