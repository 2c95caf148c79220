package templates_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/templates"
)

func TestRich(t *testing.T) {
	for _, test := range []struct {
		name string
		c    templ.Component
		want string
	}{
		{
			"component inside",
			templates.Rich("accept.text", "Organisation", templates.Name("A & B")),
			`Choose a password to sign in to <strong class="name" translate="no">A &amp; B</strong>.`,
		},
		{
			"text is escaped", templates.Rich("accept.text", "Organisation", "<b>A</b>"),
			`Choose a password to sign in to &lt;b&gt;A&lt;/b&gt;.`,
		},
		{
			"two components, in the order of the message",
			templates.Rich("help.token.step3", "Grant", templates.Code("g"), "URL", templates.Code("u")),
			`In your program, send a form to <code translate="no">u</code> with <code translate="no">g</code>, the client ID and the secret. ` +
				`The answer holds a token and how many seconds it lives.`,
		},
		{
			"names cannot stand in for components",
			templates.Rich("pager.range", "First", templates.Code("x"), "Last", "\uE000\uE001", "Total", 2),
			"<code translate=\"no\">x</code>-\uFFFD\uFFFD of 2",
		},
		{"no components", templates.Rich("action.cancel"), "Cancel"},
	} {
		if got := renderHTML(t, test.c); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestTimes(t *testing.T) {
	moment := time.Date(2026, 11, 19, 13, 5, 0, 0, time.FixedZone("", 3600))
	for _, test := range []struct {
		c    templ.Component
		want string
	}{
		{templates.TimeTag(moment), `<time datetime="2026-11-19T12:05:00Z">19 Nov 2026, 13:05 CET</time>`},
		{templates.TimeTag(time.Time{}), ""},
		{templates.TimeAgo(time.Time{}, noon), ""},
		{templates.TimeAgo(moment, noon), `<time datetime="2026-11-19T12:05:00Z">19 Nov 2026, 13:05 CET</time>, 2 days ago`},
	} {
		if got := renderHTML(t, test.c); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// A state is told by its word; the shape before it, never colour alone, is the stylesheet's (WCAG 1.4.1).
func TestChips(t *testing.T) {
	for _, kind := range []string{
		templates.KindOK, templates.KindWarn, templates.KindBad, templates.KindInfo, templates.KindTwo, templates.KindNeu,
	} {
		chip := renderDoc(t, templates.Chip(kind, "Word")).Find("span.chip.chip-" + kind)
		if words(chip) != "Word" {
			t.Errorf("%s: %q", kind, words(chip))
		}
	}
}

func TestFieldWiring(t *testing.T) {
	f := templates.Field{Name: "name", Label: "Name", Hint: "3 to 80", Error: "Too <short>", Value: `"x"`, MinLength: 3}
	for _, test := range []struct {
		name string
		c    templ.Component
		ctl  string
	}{
		{"text", templates.TextField(f), "input"},
		{"area", templates.TextArea(f), "textarea"},
		{"select", templates.SelectField(f, []templates.Option{{Value: "a", Label: "A"}}), "select"},
		{"password", templates.PasswordField(f), "input"},
		{"radio", templates.RadioField(f, []templates.Option{{Value: "a", Label: "A"}}), "fieldset"},
		{"checkbox list", templates.CheckboxList(f, []templates.Option{{Value: "a", Label: "A"}}), "fieldset"},
		{"checkbox", templates.CheckboxField(f, true), "input"},
	} {
		doc := renderDoc(t, test.c)
		control := doc.Find(test.ctl + "#f-name")
		if control.AttrOr("aria-describedby", "") != "f-name-hint f-name-error" || control.AttrOr("aria-invalid", "") != "true" {
			html, _ := goquery.OuterHtml(control)
			t.Errorf("%s: %s", test.name, html)
		}
		if got := words(doc.Find("#f-name-error")); got != "Error: Too <short>" {
			t.Errorf("%s: error %q", test.name, got)
		}
		if got := words(doc.Find("#f-name-hint")); got != "3 to 80" {
			t.Errorf("%s: hint %q", test.name, got)
		}
		checkParts(t, doc)
	}
}

func TestFieldWithoutNotes(t *testing.T) {
	doc := renderDoc(t, templates.TextField(templates.Field{Name: "q", Label: "Name", Optional: true, MaxLength: 80, Short: true}))
	input := doc.Find("input#f-q")
	for name, want := range map[string]string{"type": "text", "maxlength": "80", "name": "q", "value": "", "class": "input short"} {
		if got := input.AttrOr(name, "-"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"aria-invalid", "aria-describedby", "required", "readonly", "minlength", "autocomplete"} {
		if _, ok := input.Attr(name); ok {
			t.Errorf("%s is set", name)
		}
	}
	if words(doc.Find("label")) != "Name (optional)" {
		t.Errorf("label %q", words(doc.Find("label")))
	}
}

// A password is never sent back to the page.
func TestPasswordFieldHasNoValue(t *testing.T) {
	html := renderHTML(t, templates.PasswordField(templates.Field{Name: "p", Label: "Password", Value: "hunter2"}))
	if strings.Contains(html, "hunter2") {
		t.Error("the password stands in the page")
	}
}

func TestOptions(t *testing.T) {
	doc := renderDoc(t, templates.SelectField(templates.Field{Name: "user", Label: "User", FilterBy: "category"}, []templates.Option{
		{Value: "1", Label: "client", For: []string{"customer", "partner"}, Selected: true},
		{Value: "2", Label: "supplier", For: []string{"supplier"}, Hidden: true},
		{Value: "3", Label: "any"},
	}))
	if doc.Find("select").AttrOr("data-filter-by", "") != "category" {
		t.Error("the script does not find the list")
	}
	want := []string{
		`<option value="1" data-for="customer partner" selected="">client</option>`,
		`<option value="2" data-for="supplier" disabled="" hidden="">supplier</option>`,
		`<option value="3">any</option>`,
	}
	var got []string
	doc.Find("option").Each(func(_ int, s *goquery.Selection) {
		html, _ := goquery.OuterHtml(s)
		got = append(got, html)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorSummary(t *testing.T) {
	if renderHTML(t, templates.ErrorSummary(nil)) != "" {
		t.Error("a summary without errors")
	}
	errors := templates.FieldErrors{{Field: "name", Text: "Too short"}, {Text: "Nothing was changed"}, {Field: "name", Text: "Taken"}}
	summary := renderDoc(t, templates.ErrorSummary(errors)).Find(".error-summary")
	if words(summary.Find("h2")) != "There are 3 problems" || summary.AttrOr("role", "") != "alert" {
		t.Errorf("heading %q", words(summary.Find("h2")))
	}
	if got := summary.Find("a").First().AttrOr("href", ""); got != "#f-name" {
		t.Errorf("the first problem leads to %q", got)
	}
	if summary.Find("li").Length() != 3 || summary.Find("a").Length() != 2 {
		t.Error("problems or links are missing")
	}
	if errors.Of("name") != "Too short" || errors.Of("email") != "" {
		t.Error("a field has another problem than its first")
	}
}

func TestButtons(t *testing.T) {
	button := renderDoc(t, templates.Button(templates.Action{
		Label: "Create", Kind: "primary", Icon: "plus", Name: "do", Value: "save", Wide: true,
		Attrs: templ.Attributes{"form": "f", "formnovalidate": true},
	})).Find("button")
	for name, want := range map[string]string{
		"class": "btn btn-primary btn-wide", "type": "submit", "name": "do", "value": "save", "form": "f", "formnovalidate": "",
	} {
		if got := button.AttrOr(name, "-"); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	link := renderDoc(t, templates.LinkButton(templates.Action{Label: "Retire", Href: "/r", Dialog: true})).Find("a")
	if _, dialog := link.Attr("data-dialog"); !dialog || link.AttrOr("class", "") != "btn" || link.AttrOr("href", "") != "/r" {
		t.Error("the link is no button that opens a dialog")
	}
}

// Copy buttons say what they copy and report to the one status region; the secret can be wiped and hidden.
func TestCopyFields(t *testing.T) {
	doc := renderDoc(t, templ.Join(
		templates.CopyField("cid", "Client ID", "CCWACME_x", "Copy client ID"),
		templates.SecretField("sec", "Client secret", "ccws_x", "Copy client secret"),
		templates.SecretBlock("env", "For an .env file", "A=ccws_x\nB=2", "Copy the lines"),
		templates.CodeBlock("code", "Commands", "a \"b\" | c\n  d", "Copy the commands"),
	))
	checkParts(t, doc)
	if got := doc.Find("[data-secret]").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("id", "") }); cmp.Diff([]string{"sec", "env"}, got) != "" {
		t.Errorf("secrets are %v", got)
	}
	if doc.Find("#cid").AttrOr("value", "") != "CCWACME_x" || doc.Find("#env").Text() != "A=ccws_x\nB=2" {
		t.Error("a value is changed")
	}
	if doc.Find("#code").Text() != "a \"b\" | c\n  d" || doc.Find("#code").AttrOr("tabindex", "") != "0" {
		t.Error("the lines are changed, or cannot be scrolled by keyboard")
	}
	button := doc.Find("[data-copy=sec]")
	if button.AttrOr("aria-label", "") != "Copy client secret" || button.AttrOr("data-status", "") != "Client secret copied" {
		t.Errorf("button %q, status %q", button.AttrOr("aria-label", ""), button.AttrOr("data-status", ""))
	}
	doc.Find("input, textarea").Each(func(_ int, s *goquery.Selection) {
		for name, want := range map[string]string{"readonly": "", "autocomplete": "off", "spellcheck": "false", "translate": "no"} {
			if got := s.AttrOr(name, "-"); got != want {
				t.Errorf("%s: %s is %q", s.AttrOr("id", ""), name, got)
			}
		}
	})
	doc.Find("button").Each(func(_ int, s *goquery.Selection) {
		if !s.HasClass("js-only") {
			t.Errorf("%q does nothing without script and is shown", words(s))
		}
	})
}

func TestConfirm(t *testing.T) {
	c := templates.Confirm{
		Title: "Delete <SAP>", Text: []string{"It is gone for ever."}, Post: "/apps/1/delete", Cancel: "/apps/1",
		Hidden: []templates.Hidden{{Name: "version", Value: "3"}},
		Button: templates.Action{Label: "Delete <SAP>", Kind: "danger"},
		Errors: templates.FieldErrors{{Field: "confirm", Text: "Type the name"}},
	}
	field := templates.TextField(templates.Field{Name: "confirm", Label: "Name"})
	page := renderDoc(t, withChildren(templates.ConfirmPage(templates.Page{Frame: signedIn(), Title: "Delete"}, c), field))
	dialog := renderDoc(t, withChildren(templates.ConfirmDialog(c), field))
	for name, doc := range map[string]*goquery.Document{"page": page, "dialog": dialog} {
		form := doc.Find("form[action='/apps/1/delete'][method=post]")
		if form.Find("[name=version]").AttrOr("value", "") != "3" || form.Find("#f-confirm").Length() != 1 {
			t.Errorf("%s: fields are missing", name)
		}
		controls := form.Find(".actions > *")
		if words(controls.First()) != "Cancel" || words(controls.Last()) != "Delete <SAP>" {
			t.Errorf("%s: Cancel does not come first", name)
		}
		checkParts(t, doc)
	}
	if page.Find("h1").Length() != 1 || page.Find(".actions a[href='/apps/1']").Length() != 1 {
		t.Error("the page has no heading, or Cancel leads elsewhere")
	}
	cancel := dialog.Find("button[command=request-close]")
	if cancel.AttrOr("commandfor", "") != "dlg" || dialog.Find("h2#dlg-title[tabindex='-1']").Length() != 1 {
		t.Error("the dialog cannot be closed, or has no heading to focus")
	}
	if dialog.Find("header, main, title").Text() != "" {
		t.Error("the fragment is a whole page")
	}
}

func TestMenu(t *testing.T) {
	doc := renderDoc(t, templates.Menu("m", "Actions for SAP", []templates.MenuItem{
		{Label: "Edit", Href: "/e", Icon: "edit"}, {Label: "Delete", Href: "/d", Danger: true, Dialog: true},
	}))
	checkParts(t, doc)
	if doc.Find("ul#m[popover] li").Length() != 2 || doc.Find("[role=menu]").Length() > 0 {
		t.Error("the menu is no list of links")
	}
	if doc.Find("button").AttrOr("aria-label", "") != "Actions for SAP" || doc.Find("li.menu-last a[data-dialog]").Length() != 1 {
		t.Error("the button has no name, or the destructive item does not stand apart")
	}
}

func TestPager(t *testing.T) {
	for _, test := range []struct {
		p    templates.Pager
		want string
	}{
		{templates.Pager{First: 1, Last: 50, Total: 1284}, "1-50 of 1,284"},
		{templates.Pager{First: 51, Last: 100, Total: 10000, More: true}, "51-100 of 10,000+"},
	} {
		if got := words(renderDoc(t, templates.PagerBar(test.p)).Find(".pager-range")); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	doc := renderDoc(t, templates.PagerBar(templates.Pager{
		Total: 3, PrevHref: "/p", NextHref: "/n",
		Sizes: []templates.Tab{{Label: "25", Href: "/25"}, {Label: "50", Href: "/50", Current: true}},
	}))
	if doc.Find("a[rel=prev][href='/p']").Length() != 1 || doc.Find("a[rel=next][href='/n']").Length() != 1 {
		t.Error("a way is missing")
	}
	if words(doc.Find("[aria-current]")) != "50" {
		t.Error("the size in use is not marked")
	}
	if renderDoc(t, templates.PagerBar(templates.Pager{Total: 3})).Find("a").Length() > 0 {
		t.Error("a link that leads nowhere")
	}
}

func TestEmptyState(t *testing.T) {
	asked := renderDoc(t, templates.EmptyState(templates.Empty{Text: "No app yet.", Ask: []string{"Ana", "Jo", "Kim"}}))
	if got := words(asked.Find(".empty")); got != "No app yet.Ask one of: Ana, Jo and Kim" {
		t.Errorf("got %q", got)
	}
	may := renderDoc(t, templates.EmptyState(templates.Empty{
		Text: "No app yet.", HelpHref: "/help", Action: &templates.Action{Label: "Create", Href: "/apps/new", Kind: "primary"},
	}))
	if may.Find("a.btn-primary[href='/apps/new']").Length() != 1 || may.Find("a[href='/help']").Length() != 1 {
		t.Error("the button or the help is missing")
	}
}

func TestDiffAndLists(t *testing.T) {
	doc := renderDoc(t, templates.DiffTable([]templates.DiffRow{{Field: "Name", Before: "<a>", After: ""}}))
	if got := words(doc.Find("tbody tr")); got != "Name<a>nothing" {
		t.Errorf("got %q", got)
	}
	if got := doc.Find("thead th[scope=col]").Map(func(_ int, s *goquery.Selection) string { return words(s) }); cmp.Diff([]string{"What", "Before", "After"}, got) != "" {
		t.Errorf("columns %v", got)
	}
	list := renderDoc(t, templates.DefinitionList([]templates.Item{
		{Label: "Name", Value: "Jo"}, {Label: "ID", Value: "x", Mono: true}, {Label: "When", Content: templates.TimeTag(noon)},
	}))
	if got := words(list.Find("dl")); got != "NameJoIDxWhen22 Nov 2026, 13:00 CET" {
		t.Errorf("got %q", got)
	}
	if list.Find("dd code").Length() != 1 || list.Find("dd time").Length() != 1 {
		t.Error("a value has lost its element")
	}
}

func TestTabsAndBanner(t *testing.T) {
	tabs := renderDoc(t, templates.Tabs("Views", []templates.Tab{{Label: "All", Href: "/a", Current: true}, {Label: "Mine", Href: "/m"}}))
	if tabs.Find("nav[aria-label=Views] a").Length() != 2 || words(tabs.Find("[aria-current=page]")) != "All" {
		t.Error("tabs are no named links")
	}
	banner := renderDoc(t, withChildren(templates.Banner(templates.KindWarn, "Two <secrets>"), templ.Raw("<p>x</p>")))
	if words(banner.Find(".banner-warn h2")) != "Two <secrets>" || words(banner.Find(".banner-warn p")) != "x" {
		t.Error("title or text is missing")
	}
	if renderDoc(t, templates.Banner(templates.KindWarn, "")).Find("h2").Length() > 0 {
		t.Error("an empty heading")
	}
}

// withChildren gives a component its children, as @c { … } does in a component.
func withChildren(c, children templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return c.Render(templ.WithChildren(ctx, children), w)
	})
}
