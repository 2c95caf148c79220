package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// appInput is the form of register and edit as it was typed: what it may become is the registry's business, and a form
// that comes back with errors is drawn from it. Fields of other names are not read, whatever they hold (C54).
type appInput struct {
	nonce                       string
	version                     int64
	purpose, resourceAPI        string // the kind of app, and the API of a resource server
	name, description, category string
	contact, second             templates.AppContact
	kind, credential            string
	expiry, expiresOn           string
	apiUser                     string
	scopes                      []string
	refused                     []templates.ScopeRefusal // asked for by the address, and not ticked
	added                       []string                 // ticked by the address of an edit form
	defaultAPI                  string
	scopeQuery                  string
	active                      bool
	redraw                      bool // asks for the same form again, nothing checked and nothing lost
}

func readAppInput(f *form) appInput {
	in := appInput{
		nonce: f.one("nonce"), version: f.version(), purpose: f.one("kind"), resourceAPI: f.one("resource_api"),
		name: f.one("name"), description: f.one("description"), category: f.one("category"),
		contact: readContact(f, ""), second: readContact(f, "second_"),
		kind: f.one("type"), credential: f.one("credential_type"),
		expiry: f.one("expiry"), expiresOn: f.one("expires_on"), apiUser: f.one("api_user"),
		scopes: distinct(f.all("scope")), defaultAPI: f.one("default_api"),
		scopeQuery: searchedFor(strings.TrimSpace(f.one("scope_q"))), active: f.one("active") == "on",
	}
	// The Enter key in the scope search asks for scopes, in any other field it saves.
	searched := f.one("do") == "enter" && in.scopeQuery != strings.TrimSpace(f.one("scope_q_was"))
	in.redraw = f.one("redraw") != "" || searched
	return in
}

func readContact(f *form, prefix string) templates.AppContact {
	return templates.AppContact{
		FirstName: f.one(prefix + "first_name"), LastName: f.one(prefix + "last_name"), Email: f.one(prefix + "email"),
	}
}

// The words of the form for what the registry calls otherwise. A value of neither is passed on for the registry to
// refuse.
var (
	typeCodes       = map[registry.Type]string{registry.Machine: "m2m"}
	credentialCodes = map[registry.CredentialType]string{registry.SharedSecret: "shared_secret"}
)

func typeOf(code string) registry.Type {
	for t, c := range typeCodes {
		if c == code {
			return t
		}
	}
	return registry.Type(code)
}

func credentialOf(code string) registry.CredentialType {
	for t, c := range credentialCodes {
		if c == code {
			return t
		}
	}
	return registry.CredentialType(code)
}

func contactOf(c templates.AppContact) registry.Contact {
	return registry.Contact{FirstName: c.FirstName, LastName: c.LastName, Email: c.Email}
}

func contactView(c registry.Contact) templates.AppContact {
	return templates.AppContact{FirstName: c.FirstName, LastName: c.LastName, Email: c.Email}
}

// view is the form filled with what was typed. What differs between register and edit is up to the caller.
func (in appInput) view(c *call, held []string) (templates.AppForm, error) {
	users, err := c.apiUserOptions()
	scopes := c.scopePicker(in.scopeQuery, in.scopes, held)
	scopes.Refused, scopes.Added = in.refused, in.added
	return templates.AppForm{
		Frame: c.frame("apps"), Nonce: in.nonce, Version: in.version,
		Name: in.name, Description: in.description, Category: oneOf(categoryCodes(), in.category),
		Categories: categoryCodes(),
		Contact:    in.contact, ContactIsSelf: in.contact.Email == c.actor.Email, Second: in.second,
		APIUsers: users, APIUser: in.apiUser, Zone: c.zoneName(),
		Scopes: scopes, DefaultAPIs: c.defaultAPIs(), DefaultAPI: in.defaultAPI,
		Active: in.active,
	}, err
}

// oneOf is the value when it is one of the codes: a choice that is none leaves everything on offer.
func oneOf(codes []string, value string) string {
	if slices.Contains(codes, value) {
		return value
	}
	return ""
}

// fault fills in what is wrong with the form, and where the app is that bears the name already.
func (in appInput) fault(c *call, view *templates.AppForm, wrong error) {
	if wrong == nil {
		return
	}
	view.Errors = c.fieldErrors(wrong, formNames(in.expiry))
	slices.SortStableFunc(view.Errors, func(a, b templates.FieldError) int {
		return slices.Index(fieldOrder, a.Field) - slices.Index(fieldOrder, b.Field)
	})
	for _, f := range problem.As(wrong).Fields {
		if id, ok := registry.ParseAppID(asText(f.Args["App"])); ok && f.Name == "name" {
			view.TakenHref = appPath(id)
		}
	}
}

// apiUserOptions are the API users of the organisation, each with the categories that may choose it. The one an app has
// stays on offer even when nobody could choose it anew.
func (c *call) apiUserOptions() ([]templates.AppUserOption, error) {
	users, err := c.s.Registry.APIUsers(c.ctx(), c.actor)
	list := make([]templates.AppUserOption, 0, len(users))
	for _, u := range users {
		option := templates.AppUserOption{ID: string(u.ID), Name: u.DisplayName, Kind: string(u.Kind)}
		for _, category := range u.Categories {
			option.Categories = append(option.Categories, string(category))
		}
		list = append(list, option)
	}
	return list, err
}

// ownDay reads the day of an own expiry date as its last minute in the reader's zone (ui.md §2, row 7). What is no day
// is no time at all, which the registry reports.
func (c *call) ownDay(text string) time.Time {
	day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(text), i18n.Zone(c.ctx()))
	if err != nil {
		return time.Time{}
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 0, 0, day.Location())
}

// minuteForm is what an input of type datetime-local sends; browsers that lack it leave a text field.
const minuteForm = "2006-01-02T15:04"

// ownMinute reads date and time in the reader's zone.
func (c *call) ownMinute(text string) time.Time {
	text = strings.Replace(strings.TrimSpace(text), " ", "T", 1)
	for _, layout := range []string{minuteForm, "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, i18n.Zone(c.ctx())); err == nil {
			return at
		}
	}
	return time.Time{}
}

// expiryFields are the choices of "Secret expires" that the organisation's policy leaves, with what was chosen, and the
// days between which an own date must lie. A form that nobody filled in yet begins with what the policy suggests.
func (c *call) expiryFields(chosen, on string) (templates.ExpiryFields, error) {
	offer, err := c.s.Registry.ExpiryOptions(c.ctx(), c.actor.Organisation)
	if err != nil {
		return templates.ExpiryFields{}, err
	}
	zone := i18n.Zone(c.ctx())
	view := templates.ExpiryFields{
		Chosen: chosen, On: on, Ceiling: offer.Ceiling, Min: offer.Earliest.In(zone).Format(time.DateOnly),
		Max: offer.Latest.In(zone).AddDate(0, 0, -1).Format(time.DateOnly),
	}
	if view.Chosen == "" {
		view.Chosen = string(offer.Default)
	}
	for _, o := range offer.Options {
		view.Choices = append(view.Choices, templates.ExpiryChoice{Code: string(o.Choice), At: o.At})
	}
	return view, nil
}

// expiry is what was chosen for the end of a new secret.
func (c *call) expiry(choice, on string) registry.Expiry {
	e := registry.Expiry{Choice: registry.ExpiryChoice(choice)}
	if e.Choice == registry.ExpiresOn {
		e.At = c.ownDay(on)
	}
	return e
}

// formNames are the form's names for what the registry calls otherwise, and nothing for what the form does not show.
func formNames(expiry string) map[string]string {
	names := map[string]string{
		"contact_first_name": "first_name", "contact_last_name": "last_name", "contact_email": "email",
		"second_contact_first_name": "second_first_name", "second_contact_last_name": "second_last_name",
		"second_contact_email": "second_email", "scopes": "scope", "expires": "expiry", "old_ends": "end",
		"nonce": "", "version": "", "do": "", "redraw": "", "scope_q_was": "",
	}
	if expiry == string(registry.ExpiresOn) {
		names["expires"] = "expires_on"
	}
	return names
}

// fieldOrder is the order in which the form shows its fields, and so the one in which it says what is wrong with them.
var fieldOrder = []string{
	"kind", "resource_api", "name", "description", "category", "first_name", "last_name", "email", "second_first_name", "second_last_name",
	"second_email", "type", "credential_type", "expiry", "expires_on", "api_user", "scope", "default_api", "active",
}

// fields is what the registry is told of the form.
func (in appInput) fields() registry.AppFields {
	return registry.AppFields{
		Name: in.name, Description: in.description, Category: registry.Category(in.category),
		Type: typeOf(in.kind), CredentialType: credentialOf(in.credential),
		Contact: contactOf(in.contact), SecondContact: contactOf(in.second), APIUser: identity.RobotID(in.apiUser),
		Scopes: in.scopes, DefaultAPI: in.defaultAPI, Active: in.active,
	}
}

// toldInForm reports whether a problem is told in the form itself, which then comes back with everything typed: what is
// wrong with the input, what the state of the app does not allow, power that is given away beyond one's own, and that
// it cannot be done just now: who presses again then sends the same nonce, so that nothing is made twice whatever
// became of the first time.
func toldInForm(err error) bool {
	p := problem.As(err)
	switch p.Code {
	case problem.Invalid, problem.Conflict, problem.Unavailable, problem.Limited:
		return true
	case problem.Forbidden:
		return len(p.Fields) > 0
	default:
		return false
	}
}

// sentBack returns the status with which a form comes back. Machines are told when to come again, and the log what is
// missing.
func (c *call) sentBack(err error) int {
	p := problem.As(err)
	c.retryAfter(p)
	status := statusOf(p.Code)
	if status >= http.StatusInternalServerError {
		c.s.logFailure(c, err)
	}
	return status
}
