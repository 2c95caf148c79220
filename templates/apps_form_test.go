package templates_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

func TestFormIsAWholePage(t *testing.T) {
	for name, f := range map[string]templates.AppForm{
		"new": sampleForm(), "with problems": sampleBadForm(), "edit": sampleEdit(), "clash": sampleClash(),
	} {
		t.Run(name, func(t *testing.T) { checkPage(t, templates.AppFormPage(f)) })
	}
}

// formFields returns the names a form sends, in order, each once; buttons with their values.
func formFields(form *goquery.Selection) []string {
	var names []string
	form.Find("[name]").Each(func(_ int, s *goquery.Selection) {
		name := s.AttrOr("name", "")
		if s.Is("button") {
			name += "=" + s.AttrOr("value", "")
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

func TestFormFields(t *testing.T) {
	form := renderDoc(t, templates.AppFormPage(sampleBadForm())).Find("main form")
	want := []string{
		"nonce", "scope_q_was", "do=enter", "name", "description", "category", "first_name", "last_name", "email",
		"second_first_name", "second_last_name", "second_email", "type", "credential_type", "expiry", "expires_on", "api_user",
		"redraw=users", "scope_q", "redraw=scopes", "scope", "default_api", "active", "do=save",
	}
	if diff := cmp.Diff(want, formFields(form)); diff != "" {
		t.Error(diff)
	}
	edit := renderDoc(t, templates.AppFormPage(sampleEdit())).Find("main form")
	want = []string{
		"nonce", "scope_q_was", "version", "do=enter", "name", "description", "category", "first_name", "last_name", "email",
		"second_first_name", "second_last_name", "second_email", "type", "credential_type", "api_user", "redraw=users",
		"scope_q", "redraw=scopes", "scope", "active", "do=save",
	}
	if diff := cmp.Diff(want, formFields(edit)); diff != "" {
		t.Error(diff)
	}
}

// The Enter key presses the first submit button of a form: it must be neither Update list nor Find.
func TestEnterKeyOfTheForm(t *testing.T) {
	form := renderDoc(t, templates.AppFormPage(sampleBadForm())).Find("main form")
	first := form.Find("button[type=submit]").First()
	if first.AttrOr("name", "")+"="+first.AttrOr("value", "") != "do=enter" || first.AttrOr("tabindex", "") != "-1" {
		t.Error("the Enter key does not press the button made for it")
	}
	if got := form.Find("[name=scope_q_was]").AttrOr("value", ""); got != "invoice" {
		t.Errorf("the search in force is %q", got)
	}
	redraw := form.Find("button[name=redraw]")
	redraw.Each(func(_ int, s *goquery.Selection) {
		if _, ok := s.Attr("formnovalidate"); !ok || s.AttrOr("formaction", "") != "/apps/new" {
			t.Error("a button that only redraws would save")
		}
	})
	if redraw.Length() != 2 || form.Find("button.btn-primary").Length() != 1 {
		t.Error("buttons are missing")
	}
}

func TestFormKeepsEverything(t *testing.T) {
	f := sampleBadForm()
	form := renderDoc(t, templates.AppFormPage(f)).Find("main form")
	for name, want := range map[string]string{
		"nonce": "n-123", "name": "SA", "first_name": "Ana", "last_name": "Silva", "email": "nobody", "second_first_name": "Jo",
		"scope_q": "invoice",
	} {
		if got := form.Find("input[name="+name+"]").AttrOr("value", ""); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := form.Find("textarea[name=description]").Text(); got != "short" {
		t.Errorf("description is %q", got)
	}
	if got := form.Find("input[name=category][checked]").AttrOr("value", ""); got != "supplier" {
		t.Errorf("category %q", got)
	}
	if got := form.Find("select[name=expiry] option[selected]").AttrOr("value", ""); got != "1y" {
		t.Errorf("expiry %q", got)
	}
	if got := form.Find("select[name=default_api] option[selected]").AttrOr("value", ""); got != "ccw" {
		t.Errorf("default API %q", got)
	}
	if form.Find("input[name=active][checked][value=on]").Length() != 1 {
		t.Error("Active lost its tick")
	}
	if _, open := form.Find("details:has([name=second_email])").Attr("open"); !open {
		t.Error("the second contact is folded with a problem in it")
	}
}

// checkProblems: every problem is in the summary with a link, at its field, and read with it.
func checkProblems(t *testing.T, c templ.Component, problems templates.FieldErrors) {
	t.Helper()
	doc := renderDoc(t, c)
	if !strings.HasPrefix(doc.Find("title").Text(), "Error: ") {
		t.Errorf("the title %q does not say that something is wrong", doc.Find("title").Text())
	}
	summary := doc.Find(".error-summary[role=alert]")
	for _, p := range problems {
		id := templates.FieldID(p.Field)
		if got := words(summary.Find("a[href='#" + id + "']")); got != p.Text {
			t.Errorf("the summary says %q about %s", got, p.Field)
		}
		field := doc.Find("#" + id)
		if field.AttrOr("aria-invalid", "") != "true" {
			t.Errorf("%s is not marked as wrong", p.Field)
		}
		if !slices.Contains(strings.Fields(field.AttrOr("aria-describedby", "")), id+"-error") {
			t.Errorf("the problem is not read with %s", p.Field)
		}
		if got := words(doc.Find("#" + id + "-error")); got != "Error: "+p.Text {
			t.Errorf("at %s stands %q", p.Field, got)
		}
	}
}

func TestFormProblems(t *testing.T) {
	f := sampleBadForm()
	f.Errors = nil
	for _, field := range []string{
		"name", "description", "category", "first_name", "last_name", "email", "second_first_name", "second_last_name",
		"second_email", "type", "credential_type", "expiry", "expires_on", "api_user", "scope", "default_api", "active",
	} {
		f.Errors = append(f.Errors, templates.FieldError{Field: field, Text: "About " + field + "."})
	}
	checkProblems(t, templates.AppFormPage(f), f.Errors)
}

func TestFormOffersAPIUsersOfTheCategory(t *testing.T) {
	offered := func(f templates.AppForm) []string {
		var names []string
		renderDoc(t, templates.AppFormPage(f)).Find("select[name=api_user] option").Each(func(_ int, s *goquery.Selection) {
			name := words(s)
			if _, hidden := s.Attr("hidden"); hidden {
				name = "not " + name
			}
			if _, selected := s.Attr("selected"); selected {
				name += "!"
			}
			names = append(names, name)
		})
		return names
	}
	f := sampleForm()
	want := []string{
		"Choose an API user!", "acme-client (client user)", "acme-supplier (supplier user)", "acme-msp (MSP user)",
	}
	if diff := cmp.Diff(want, offered(f)); diff != "" {
		t.Errorf("no category: %s", diff)
	}
	f.Category, f.APIUser = "supplier", "u1" // chosen for another category before
	want = []string{
		"Choose an API user", "not acme-client (client user)", "acme-supplier (supplier user)", "not acme-msp (MSP user)",
	}
	if diff := cmp.Diff(want, offered(f)); diff != "" {
		t.Errorf("supplier: %s", diff)
	}
	f.Category = "partner"
	want = []string{
		"Choose an API user", "acme-client (client user)!", "acme-supplier (supplier user)", "acme-msp (MSP user)",
	}
	if diff := cmp.Diff(want, offered(f)); diff != "" {
		t.Errorf("partner: %s", diff)
	}
}

func TestFormScopes(t *testing.T) {
	f := sampleForm()
	f.Scopes.APIs[2].Groups[0].Boxes[1].Checked = true // held already, not the person's to give
	doc := renderDoc(t, templates.AppFormPage(f))
	var boxes []string
	doc.Find("input[name=scope]").Each(func(_ int, s *goquery.Selection) { boxes = append(boxes, s.AttrOr("value", "")) })
	want := []string{
		"core.accounting.read", "core.accounting.write", "core.invoice.read", "core.invoice.write", "core.invoice.delete",
		"core.invoice.approval.bypass", "core.purchase_order.read", "core.purchase_order.write", "ccw.candidates",
		"PM.RobotAccount.Read",
	}
	if diff := cmp.Diff(want, boxes); diff != "" {
		t.Error(diff)
	}
	text := words(doc.Find("#f-scope"))
	for _, part := range []string{
		"No scope is published for these calls; they are denied.", "POST /api/invoices core.invoice.write · core.invoice.create",
		"GET /api/items no scope published: always denied", "You cannot give this scope: it takes the right",
		"The app holds this scope. Once removed", "4 scopes",
	} {
		if part != "4 scopes" && !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
	open := func(d *goquery.Document) (names []string) {
		d.Find(".scope-api[open] .scope-api-name").Each(func(_ int, s *goquery.Selection) { names = append(names, words(s)) })
		return names
	}
	if diff := cmp.Diff([]string{"Portal identity API"}, open(renderDoc(t, templates.AppFormPage(withCount(f, 1))))); diff != "" {
		t.Errorf("APIs with a chosen scope are unfolded: %s", diff)
	}
	if diff := cmp.Diff([]string{"Coupa Core API"}, open(renderDoc(t, templates.AppFormPage(sampleForm())))); diff != "" {
		t.Errorf("the first API is unfolded while nothing is chosen: %s", diff)
	}
}

func withCount(f templates.AppForm, n int) templates.AppForm {
	f.Scopes.Count = n
	return f
}

func TestFormScopeSearchLosesNothing(t *testing.T) {
	doc := renderDoc(t, templates.AppFormPage(sampleBadForm()))
	if doc.Find(".scope-kept input[name=scope][value='ccw.candidates'][checked]").Length() != 1 {
		t.Error("a chosen scope that does not match the search is lost")
	}
	text := words(doc.Find(".scope-count"))
	if text != "1 chosen · 4 scopes match" {
		t.Errorf("count %q", text)
	}
	if got := words(doc.Find("#f-scope .warning")); !strings.HasPrefix(got, "core.invoice.write is chosen without") {
		t.Errorf("warning %q", got)
	}
}

func TestFormEdit(t *testing.T) {
	doc := renderDoc(t, templates.AppFormPage(sampleEdit()))
	form := doc.Find("main form")
	if form.AttrOr("action", "") != sampleApp+"/edit" || form.Find("[name=version]").AttrOr("value", "") != "7" {
		t.Error("address or version is wrong")
	}
	id := form.Find("#client-id")
	if _, readonly := id.Attr("readonly"); !readonly || id.AttrOr("value", "") != sampleID || id.AttrOr("name", "-") != "-" {
		t.Error("the client ID can be changed or is not shown")
	}
	if got := words(form.Find("a[href='" + sampleApp + "/secrets/new']")); got != "Generate" {
		t.Errorf("the way to a new secret is called %q", got)
	}
	if strings.Contains(words(form), "will be created") || form.Find("[name=expiry]").Length() != 0 {
		t.Error("editing speaks of a new secret")
	}
	if got := words(form.Find("button.btn-primary")); got != "Save changes" {
		t.Errorf("the button says %q", got)
	}
	withoutRight := sampleEdit()
	withoutRight.GenerateHref = ""
	if renderDoc(t, templates.AppFormPage(withoutRight)).Find("a[href$='/secrets/new']").Length() != 0 {
		t.Error("Generate is there without an address")
	}
}

// A name that is taken leads to the app that bears it (ui.md §4.2).
func TestFormNameTaken(t *testing.T) {
	f := sampleBadForm()
	f.TakenHref = sampleApp
	checkPage(t, templates.AppFormPage(f))
	if got := words(renderDoc(t, templates.AppFormPage(f)).Find("main form a[href='" + sampleApp + "']")); got == "" {
		t.Error("the app with this name cannot be opened")
	}
}

func TestFormNew(t *testing.T) {
	doc := renderDoc(t, templates.AppFormPage(sampleForm()))
	if got := words(doc.Find("main form")); !strings.Contains(got, "A client ID beginning CCWACME_ and one secret will be created.") {
		t.Error("the summary line is missing")
	}
	complete := map[string]string{"first_name": "given-name", "last_name": "family-name", "email": "email", "second_email": "off"}
	for name, want := range complete {
		if got := doc.Find("[name="+name+"]").AttrOr("autocomplete", ""); got != want {
			t.Errorf("autocomplete of %s is %q, want %q", name, got, want)
		}
	}
	expiry := words(doc.Find("select[name=expiry]"))
	if !strings.Contains(expiry, "In 90 days: 21 Feb 2027, 00:59 CET") || !strings.Contains(expiry, "Never") {
		t.Errorf("the ends are not told: %q", expiry)
	}
	for _, planned := range []string{"type", "credential_type"} {
		if doc.Find("input[name="+planned+"]").Length() != 1 || doc.Find("input[name="+planned+"][checked]").Length() != 1 {
			t.Errorf("%s offers more than there is", planned)
		}
	}
	if doc.Find("[name=version], #client-id").Length() != 0 {
		t.Error("a new app has a version or a client ID")
	}
	if doc.Find("details[open] [name=second_email]").Length() != 0 {
		t.Error("the optional contact is unfolded")
	}
	f := sampleForm()
	f.Expiry.Choices, f.Expiry.Ceiling, f.ContactIsSelf = f.Expiry.Choices[:3], 365, false
	strict := renderDoc(t, templates.AppFormPage(f))
	if strict.Find("[name=expires_on]").Length() != 0 {
		t.Error("a day can be chosen against the policy")
	}
	if text := words(strict.Find("form")); !strings.Contains(text, "requires that secrets expire after 365 days at the latest") {
		t.Error("the form does not tell what the organisation requires")
	}
	if got := strict.Find("[name=email]").AttrOr("autocomplete", ""); got != "off" {
		t.Errorf("somebody else's address is offered by the browser: %q", got)
	}
}

// C55c: two people edit one app.
func TestC55c_FormShowsBothValues(t *testing.T) {
	doc := renderDoc(t, templates.AppFormPage(sampleClash()))
	banner := doc.Find("[role=alert].banner-warn")
	if got := words(banner.Find("tbody tr")); got != "NameSAP spend export 2SAP export" {
		t.Errorf("the clash shows %q", got)
	}
	if !strings.Contains(words(banner), "Jo Weber saved it on 22 Nov 2026, 15:05 CET.") {
		t.Errorf("nobody is named: %q", words(banner))
	}
	if banner.Find("a").AttrOr("href", "") != sampleApp+"/edit" {
		t.Error("theirs cannot be taken")
	}
	if got := doc.Find("main form [name=name]").AttrOr("value", ""); got != "SAP spend export 2" {
		t.Errorf("the form holds %q", got)
	}
	if !strings.HasPrefix(doc.Find("title").Text(), "Error: ") {
		t.Error("the title says nothing")
	}
}
