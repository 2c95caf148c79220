package templates

import (
	"context"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// Action is a button or a link that looks like one.
type Action struct {
	Label string // a verb with its object where space allows
	Kind  string // "primary" (one per page), "danger" (only where one confirms), "quiet" or "" (secondary)
	Icon  string // a symbol of icons.svg, or ""
	Href  string // of LinkButton
	Name  string // of Button: name and value that are sent with the form
	Value string
	// Dialog marks a link whose page the script may show as a dialog.
	Dialog bool
	Wide   bool
	Attrs  templ.Attributes // whatever else, but no addresses: form, data-key, aria-label …
}

func (a Action) class() string {
	class := "btn"
	if a.Kind != "" {
		class += " btn-" + a.Kind
	}
	if a.Wide {
		class += " btn-wide"
	}
	return class
}

// Option is one choice of a select, a radio group or a list of checkboxes.
type Option struct {
	Value, Label, Hint string
	Selected           bool
	Disabled           bool
	// For limits an option of a select to some values of another field (Field.FilterBy): the script shows and hides
	// it when that field changes. Empty is for all. Hidden says that the server leaves it out for now.
	For    []string
	Hidden bool
}

// Field is an input with its label, hint and error. The id of the control is "f-" and the name.
type Field struct {
	Name, Label  string
	Hint, Error  string
	Value        string
	Type         string // of TextField: "text" when empty
	Optional     bool   // fields are required unless they say so
	Autocomplete string
	InputMode    string
	MinLength    int
	MaxLength    int
	Rows         int // of TextArea: 4 when 0
	ReadOnly     bool
	Mono         bool
	Short        bool   // a narrow input: dates, numbers
	FilterBy     string // of SelectField: the field whose value chooses the options, see Option.For
	Attrs        templ.Attributes
}

// FieldID returns the id of the control with this name: the target of links in an ErrorSummary.
func FieldID(name string) string { return "f-" + name }

func (f Field) id() string { return FieldID(f.Name) }

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) rows() string {
	if f.Rows == 0 {
		return "4"
	}
	return strconv.Itoa(f.Rows)
}

func (f Field) class(base string) string {
	var b strings.Builder
	b.WriteString(base)
	if f.Mono {
		b.WriteString(" mono")
	}
	if f.Short {
		b.WriteString(" short")
	}
	return b.String()
}

// aria returns the attributes that tie hint and error to the control.
func (f Field) aria() templ.Attributes {
	a := templ.Attributes{}
	var by []string
	if f.Hint != "" {
		by = append(by, f.id()+"-hint")
	}
	if f.Error != "" {
		by = append(by, f.id()+"-error")
		a["aria-invalid"] = "true"
	}
	if len(by) > 0 {
		a["aria-describedby"] = strings.Join(by, " ")
	}
	return a
}

// attrs returns the attributes of a text control that may be absent.
func (f Field) attrs() templ.Attributes {
	a := f.aria()
	a["required"] = !f.Optional && !f.ReadOnly
	a["readonly"] = f.ReadOnly
	for name, value := range map[string]string{"autocomplete": f.Autocomplete, "inputmode": f.InputMode} {
		if value != "" {
			a[name] = value
		}
	}
	for name, value := range map[string]int{"minlength": f.MinLength, "maxlength": f.MaxLength} {
		if value > 0 {
			a[name] = strconv.Itoa(value)
		}
	}
	maps.Copy(a, f.Attrs)
	return a
}

func (o Option) attrs() templ.Attributes {
	a := templ.Attributes{"selected": o.Selected, "disabled": o.Disabled || o.Hidden, "hidden": o.Hidden}
	if len(o.For) > 0 {
		a["data-for"] = strings.Join(o.For, " ")
	}
	return a
}

// FieldError is one line of an ErrorSummary. Field is the name of the input, or "" for what belongs to none.
type FieldError struct{ Field, Text string }

// FieldErrors are the problems of a form that came back, in the order of its fields.
type FieldErrors []FieldError

// Of returns the text of the first problem of the field, "" when it has none.
func (e FieldErrors) Of(field string) string {
	for _, one := range e {
		if one.Field == field {
			return one.Text
		}
	}
	return ""
}

// Item is one line of a definition list: Value, or Content where a string is not enough.
type Item struct {
	Label, Value string
	Mono         bool
	Content      templ.Component
}

// Tab is one link of a row of tabs.
type Tab struct {
	Label, Href string
	Current     bool
}

// MenuItem is one link of a popover menu. Destructive items stand last.
type MenuItem struct {
	Label, Href, Icon string
	Danger            bool
	Dialog            bool
}

// Hidden is a hidden field of a form.
type Hidden struct{ Name, Value string }

// Pager is the foot of a long list. Hrefs are "" where there is nothing to go to; More marks a Total that is only a
// lower bound ("10,000+").
type Pager struct {
	First, Last, Total int
	More               bool
	PrevHref, NextHref string
	Sizes              []Tab // choices of rows per page
}

// Empty is the state of a list without entries: what the thing is for, and either the button or whom to ask.
type Empty struct {
	Text     string
	Action   *Action
	HelpHref string
	Ask      []string
}

// Confirm is a page (or dialog) that asks before an act.
type Confirm struct {
	Title  string   // as a question or statement: "Deactivate SAP spend export"
	Text   []string // one paragraph each: what will happen, what will not
	Post   string   // where the form goes
	Hidden []Hidden // nonce, row version
	Button Action   // verb and object; Kind "danger" or "primary"
	Cancel string   // where Cancel leads on the page; the dialog just closes
	Errors FieldErrors
}

// DiffRow is one field of a change. Empty values are shown as "nothing".
type DiffRow struct{ Field, Before, After string }

// dateTime is the machine-readable form of a moment.
func dateTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func (p Pager) rangeText(ctx context.Context) string {
	total := i18n.Number(ctx, int64(p.Total))
	if p.More {
		total = i18n.T(ctx, "pager.more_than", "Total", total)
	}
	return i18n.T(ctx, "pager.range", "First", p.First, "Last", p.Last, "Total", total)
}

// firstSlot begins the characters of the private use area that stand in for components while a sentence is put together.
const firstSlot = '\uE000'

// Rich is a sentence with components among its arguments: names, links, times. The message orders them:
//
//	@Rich("reveal.title", "App", Name(app))
func Rich(key string, args ...any) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var inner []templ.Component
		plain := make([]any, len(args))
		copy(plain, args)
		for i := 1; i < len(args); i += 2 {
			switch arg := args[i].(type) {
			case templ.Component:
				plain[i] = string(firstSlot + rune(len(inner)))
				inner = append(inner, arg)
			case string:
				plain[i] = strings.Map(noSlot, arg)
			}
		}
		return writeRich(ctx, w, i18n.T(ctx, key, plain...), inner)
	})
}

// noSlot keeps a name that somebody typed from standing in for a component.
func noSlot(r rune) rune {
	if r >= firstSlot && r < firstSlot+100 {
		return unicode.ReplacementChar
	}
	return r
}

func writeRich(ctx context.Context, w io.Writer, text string, inner []templ.Component) error {
	for text != "" {
		at := strings.IndexFunc(text, func(r rune) bool {
			return r >= firstSlot && r < firstSlot+rune(len(inner))
		})
		if at < 0 {
			break
		}
		if _, err := io.WriteString(w, templ.EscapeString(text[:at])); err != nil {
			return err
		}
		slot := []rune(text[at : at+len(string(firstSlot))])[0]
		if err := inner[slot-firstSlot].Render(ctx, w); err != nil {
			return err
		}
		text = text[at+len(string(firstSlot)):]
	}
	_, err := io.WriteString(w, templ.EscapeString(text))
	return err
}
