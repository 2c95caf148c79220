package templates

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// AppForm is the page /apps/new and, with Edit set, /apps/{id}/edit (ui.md §4.2). Every field is filled from what the
// person sent when the form comes back with errors.
//
// The fields it sends: nonce, version (edit), kind and resource_api (AppKinds), name, description, category, first_name, last_name, email,
// second_first_name, second_last_name, second_email, type, credential_type, expiry and expires_on (new), api_user,
// scope (repeated), default_api, scope_q, scope_q_was, active ("on" when ticked).
//
// Three submit buttons: save (name "do", value "save"); "redraw" (to RedrawHref, value "users" or "scopes"), which
// answers with the same form, nothing checked and nothing lost; and one out of sight for the Enter key (name "do",
// value "enter"): when scope_q differs from scope_q_was it means redraw, else save.
type AppForm struct {
	Frame      Frame
	Edit       bool
	Action     string // where save posts to
	RedrawHref string // where "Update list" and "Find scopes" post to
	CancelHref string
	Nonce      string
	Version    int64  // edit: version of the row the form was filled from
	AppName    string // edit: the stored name, for headings (Name may hold a rejected value)

	Errors FieldErrors
	Clash  *AppClash // edit: somebody else saved meanwhile

	Kinds       AppKinds // new: for who may choose
	Introspects string   // edit: title of the API whose tokens it introspects; "" for an app that calls APIs

	Name        string
	TakenHref   string // the app that bears the name already; "" leaves the link out
	Description string
	Category    string
	Categories  []string // codes in order: customer, partner, supplier, msp

	Contact       AppContact
	ContactIsSelf bool // prefilled from the signed-in person: autocomplete tokens and a note
	Second        AppContact

	APIUsers []AppUserOption // all of the organisation; those of other categories than the chosen one are not offered
	APIUser  string          // chosen ID

	ClientID       string // edit
	GenerateHref   string // edit: the rotate page; "" leaves the link out
	ClientIDPrefix string // new: CCWACME_

	Expiry ExpiryFields // new
	Zone   string       // name of the zone in which a day ends, such as UTC

	Scopes      ScopePicker
	DefaultAPIs []AppAPI // offered only when the scopes may span several APIs; empty leaves the field out
	DefaultAPI  string   // chosen key

	Active bool
}

// AppContact is a contact person as typed.
type AppContact struct{ FirstName, LastName, Email string }

// AppUserOption is an API user to choose.
type AppUserOption struct {
	ID   string
	Name string
	Kind string // client, supplier, msp
	// Categories are the categories that may use it (product.md decision 3).
	Categories []string
}

// AppAPI names an API of the catalogue.
type AppAPI struct{ Key, Title string }

// ExpiryFields is "Secret expires": what the policy of the organisation leaves to choose from, and what was chosen.
type ExpiryFields struct {
	Choices []ExpiryChoice
	Chosen  string // code
	On      string // YYYY-MM-DD as typed
	Min     string // first and last day that is allowed, YYYY-MM-DD, may be empty
	Max     string
	Ceiling int // days after which a secret must have ended; 0 while expiry is not required
}

// ExpiryChoice is one entry of "Secret expires". At is zero for the choices date and never.
type ExpiryChoice struct {
	Code string // 90d, 180d, 1y, date, never
	At   time.Time
}

// ScopePicker is the fieldset "What it may do". APIs hold what matches Query (all of it when Query is empty); chosen
// scopes that do not match stay in Chosen, so that searching never loses a tick. No scope may stand in both, and none
// twice: objects that share a scope form one group.
type ScopePicker struct {
	Query   string
	APIs    []ScopeAPI
	Chosen  []ScopeBox
	Count   int            // how many are ticked in all
	Matches int            // how many scopes match Query
	Lonely  []string       // write scopes ticked without their read twin: named in a warning
	Refused []ScopeRefusal // asked for by a link and not ticked, with the reason
	Added   []string       // ticked by a link to the edit form, and not saved yet
}

// ScopeAPI is one API of the catalogue. It is unfolded when something in it is chosen or searched for, or with Open.
type ScopeAPI struct {
	Key, Title string
	Open       bool
	Groups     []ScopeGroup
}

// ScopeGroup is one or more objects that share scopes, with the calls these scopes open. Objects without a published
// scope have no boxes.
type ScopeGroup struct {
	Objects []string // object names of the catalogue: invoices
	Boxes   []ScopeBox
	Calls   []ScopeCall
	Open    bool // show the calls at once (the search matched one of them)
}

// ScopeBox is one scope with its checkbox.
type ScopeBox struct {
	Scope   string
	Kind    string // read, write, delete, special
	Checked bool
	// NeedsRight is the right (apps.manage, …) the person lacks to give this scope; the box is then left out, unless
	// the app holds the scope already (Checked).
	NeedsRight string
}

// ScopeCall is a call of an object and the scopes any of which opens it. No scopes: none is published, always denied.
type ScopeCall struct {
	Method, Path string
	AnyOf        []string
}

// AppClash tells that the row was saved by somebody else since the form was opened.
type AppClash struct {
	By          string
	At          time.Time
	Rows        []ClashRow // fields in which yours differs from theirs
	DiscardHref string     // the edit page afresh, with theirs
}

// ClashRow is one field with two values. Field is the name of the form field.
type ClashRow struct{ Field, Yours, Theirs string }

// userOptions are the API users; those the chosen category does not allow are hidden, and shown again by the script
// when the category changes (or by "Update list" without it).
func (v AppForm) userOptions(ctx context.Context) []Option {
	options := []Option{{Label: i18n.T(ctx, "apps.field.api_user_choose"), Selected: v.APIUser == ""}}
	for _, u := range v.APIUsers {
		fits := v.Category == "" || slices.Contains(u.Categories, v.Category)
		options = append(options, Option{
			Value: u.ID, For: u.Categories, Hidden: !fits, Selected: fits && u.ID == v.APIUser,
			Label: i18n.T(ctx, "apps.field.api_user_option", "Name", u.Name, "Kind", i18n.T(ctx, "apps.kind."+u.Kind)),
		})
	}
	return options
}

func (v AppForm) categoryOptions(ctx context.Context) []Option {
	options := coded(ctx, "apps.category.", v.Category, v.Categories)
	for i, code := range v.Categories {
		options[i].Hint = i18n.T(ctx, "apps.category_hint."+code)
	}
	return options
}

func (v AppForm) apiOptions(ctx context.Context) []Option {
	options := []Option{{Label: i18n.T(ctx, "apps.field.default_api_choose"), Selected: v.DefaultAPI == ""}}
	for _, a := range v.DefaultAPIs {
		options = append(options, Option{Value: a.Key, Label: a.Title, Selected: a.Key == v.DefaultAPI})
	}
	return options
}

// hidden are the fields nobody sees. scope_q_was tells the Enter key in the scope search from a wish to save.
func (v AppForm) hidden() []Hidden {
	fields := []Hidden{{Name: "nonce", Value: v.Nonce}, {Name: "scope_q_was", Value: v.Scopes.Query}}
	if v.Edit {
		fields = append(fields, Hidden{Name: "version", Value: strconv.FormatInt(v.Version, 10)})
	}
	return fields
}

// contactField is a field of a contact person. own says that it may be the signed-in person's data, which browsers
// then offer to fill in.
func (v AppForm) contactField(ctx context.Context, second bool, part, value string) Field {
	name := part
	f := Field{Label: i18n.T(ctx, "apps.field."+part), Value: value, MaxLength: 100, Optional: second}
	if second {
		name = "second_" + part
	}
	if part == "email" {
		f.Type, f.InputMode, f.MaxLength = "email", "email", 254
	}
	f.Name, f.Error, f.Autocomplete = name, v.Errors.Of(name), "off"
	if !second && v.ContactIsSelf {
		f.Autocomplete = map[string]string{
			"first_name": "given-name", "last_name": "family-name", "email": "email",
		}[part]
	}
	return f
}

// secondOpen says whether the second contact is unfolded: when something is in it, or wrong with it.
func (v AppForm) secondOpen() bool {
	if v.Second != (AppContact{}) {
		return true
	}
	for _, e := range v.Errors {
		if len(e.Field) > 7 && e.Field[:7] == "second_" {
			return true
		}
	}
	return false
}

// hint says why the choice is there, or what the organisation requires.
func (e ExpiryFields) hint(ctx context.Context) string {
	if e.Ceiling > 0 {
		return i18n.T(ctx, "apps.field.expiry_required", "N", e.Ceiling)
	}
	return i18n.T(ctx, "apps.field.expiry_hint")
}

// bounds are the limits of a date input, for browsers that help. It is needed only with one choice, so not required.
func bounds(least, most string) templ.Attributes {
	a := templ.Attributes{"required": false}
	if least != "" {
		a["min"] = least
	}
	if most != "" {
		a["max"] = most
	}
	return a
}

// open says whether the API is unfolded.
func (p ScopePicker) open(i int) bool {
	if p.APIs[i].Open || p.Query != "" || len(p.APIs) == 1 {
		return true
	}
	_, ticked := p.APIs[i].counts()
	return ticked > 0 || (i == 0 && p.Count == 0)
}

// counts returns how many scopes an API offers and how many of them are ticked.
func (a ScopeAPI) counts() (all, ticked int) {
	for _, g := range a.Groups {
		for _, b := range g.Boxes {
			all++
			if b.Checked {
				ticked++
			}
		}
	}
	return all, ticked
}

func (a ScopeAPI) summary(ctx context.Context) string {
	all, ticked := a.counts()
	if ticked == 0 {
		return i18n.T(ctx, "apps.scopes.in_api", "N", all)
	}
	return i18n.T(ctx, "apps.scopes.in_api_ticked", "N", all, "Ticked", ticked)
}

// aria ties the search hint and the problem of the whole group to the fieldset.
func (v AppForm) scopeField(ctx context.Context) Field {
	return Field{
		Name: "scope", Label: i18n.T(ctx, "apps.form.may"), Hint: i18n.T(ctx, "apps.scopes.hint"),
		Error: v.Errors.Of("scope"),
	}
}

// clashRows puts words to the fields that two people changed.
func (c AppClash) rows(ctx context.Context) []clashRow {
	rows := make([]clashRow, 0, len(c.Rows))
	for _, r := range c.Rows {
		rows = append(rows, clashRow{label: fieldText(ctx, r.Field), yours: r.Yours, theirs: r.Theirs})
	}
	return rows
}

type clashRow struct{ label, yours, theirs string }

// page is what the layout needs; a form that came back is told apart in its title.
func (v AppForm) page(ctx context.Context) Page {
	p := v.Frame.appPage(ctx, v.title(ctx), "", "")
	if v.Edit {
		p = v.Frame.appPage(ctx, i18n.T(ctx, "apps.action.edit"), v.AppName, v.CancelHref)
		p.Title = v.title(ctx)
	}
	p.Error = len(v.Errors) > 0 || v.Clash != nil
	return p
}

func (v AppForm) title(ctx context.Context) string {
	if v.Edit {
		return i18n.T(ctx, "apps.form.edit_title", "App", v.AppName)
	}
	return v.text(ctx, "apps.form.new_title")
}

func (v AppForm) saveText(ctx context.Context) string {
	if v.Edit {
		return i18n.T(ctx, "apps.action.save")
	}
	return v.text(ctx, "apps.action.create_app")
}
