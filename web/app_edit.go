package web

import (
	"net/http"
	"slices"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// editForm draws the form filled with what is stored, or with what was typed before the session ended. An address may
// name scopes to be ticked besides (ui.md §4.6); they are the app's once the form is saved.
func (s *Server) editForm(c *call) error {
	app, err := c.app()
	if err != nil {
		return err
	}
	in := storedInput(c, app).plus(c.askedScopes(distinct(c.QueryParams()["scope"])))
	if draft := c.draft(); draft != nil {
		in = readAppInput(&form{values: draft})
	}
	return s.drawEdit(c, http.StatusOK, editPage{app: app, in: in})
}

// edit saves the form. When somebody else saved meanwhile the page shows both, and saving again takes the reader's.
func (s *Server) edit(c *call) error {
	app, f, err := c.appForm()
	if err != nil {
		return err
	}
	page := editPage{app: app, in: readAppInput(f)}
	if page.in.redraw && f.err() == nil {
		return s.drawEdit(c, http.StatusOK, page)
	}
	if err = f.err(); err == nil {
		page.theirs, err = s.Registry.Edit(c.ctx(), c.actor, app.ID, page.in.version, page.in.fields())
	}
	switch {
	case err == nil:
		return c.done(appPath(app.ID), "apps.flash.saved", "App", page.theirs.Name)
	case problem.Is(err, problem.Stale):
		page.clash = true
	case !toldInForm(err):
		return err
	}
	page.wrong = err
	return s.drawEdit(c, c.sentBack(err), page)
}

// editPage is the edit form with what became of it.
type editPage struct {
	app    registry.App // as stored when the request came
	in     appInput
	wrong  error
	clash  bool
	theirs registry.App // clash: as somebody else saved it
}

func (s *Server) drawEdit(c *call, status int, page editPage) error {
	view, err := page.in.view(c, page.app.Scopes)
	if err != nil {
		return err
	}
	id := page.app.ID
	view.Edit, view.Action, view.RedrawHref, view.CancelHref = true, editPath(id), editPath(id), appPath(id)
	view.AppName, view.ClientID, view.GenerateHref = page.app.Name, page.app.ClientID, rotatePath(id)
	view.Introspects = c.introspectsOf(page.app)
	view.APIUsers = withStoredUser(view.APIUsers, page.app)
	if page.clash {
		view.Version = page.theirs.Version
		view.Clash = c.clash(page, view)
	} else {
		page.in.fault(c, &view, page.wrong)
	}
	return c.render(status, templates.AppFormPage(view))
}

// storedInput is the form as it would have been typed to make the app what it is.
func storedInput(c *call, app registry.App) appInput {
	in := appInput{
		version: app.Version, name: app.Name, description: app.Description, category: string(app.Category),
		contact: contactView(app.Contact), second: contactView(app.SecondContact),
		kind: typeCodes[app.Type], credential: credentialCodes[app.CredentialType], apiUser: string(app.APIUser.ID),
		scopes: app.Scopes, defaultAPI: app.DefaultAPI, active: app.Status == registry.Active,
	}
	// Where the scopes leave no choice nobody made one: a change of scopes then takes the API along.
	if len(c.s.Registry.DefaultAPIs(app.Scopes)) < 2 {
		in.defaultAPI = ""
	}
	return in
}

// plus is the form with scopes ticked that its address asks for and the app does not have yet.
func (in appInput) plus(give []string, refused []templates.ScopeRefusal) appInput {
	for _, name := range give {
		if !slices.Contains(in.scopes, name) {
			in.scopes, in.added = append(slices.Clone(in.scopes), name), append(in.added, name)
		}
	}
	in.refused = slices.DeleteFunc(refused, func(r templates.ScopeRefusal) bool { return slices.Contains(in.scopes, r.Scope) })
	return in
}

// withStoredUser keeps the app's API user on offer when nobody could choose it anew.
func withStoredUser(options []templates.AppUserOption, app registry.App) []templates.AppUserOption {
	known := slices.ContainsFunc(options, func(o templates.AppUserOption) bool { return o.ID == string(app.APIUser.ID) })
	if known || app.APIUser.Name == "" {
		return options
	}
	return append(options, templates.AppUserOption{
		ID: string(app.APIUser.ID), Name: app.APIUser.DisplayName, Kind: string(app.APIUser.Kind), Categories: categoryCodes(),
	})
}

// clash sets the reader's values beside those somebody else saved, where they differ.
func (c *call) clash(page editPage, view templates.AppForm) *templates.AppClash {
	theirs := page.theirs
	mine, other := page.in, storedInput(c, theirs)
	clash := &templates.AppClash{By: c.author(theirs.ModifiedBy), At: theirs.ModifiedAt, DiscardHref: editPath(theirs.ID)}
	add := func(field, yours, their string) {
		if yours != their {
			clash.Rows = append(clash.Rows, templates.ClashRow{Field: field, Yours: yours, Theirs: their})
		}
	}
	add("name", mine.name, other.name)
	add("description", unixLines(mine.description), other.description)
	add("category", c.word("apps.category.", mine.category), c.word("apps.category.", other.category))
	for _, contact := range []struct {
		prefix       string
		mine, theirs templates.AppContact
	}{{"", mine.contact, other.contact}, {"second_", mine.second, other.second}} {
		add(contact.prefix+"first_name", contact.mine.FirstName, contact.theirs.FirstName)
		add(contact.prefix+"last_name", contact.mine.LastName, contact.theirs.LastName)
		add(contact.prefix+"email", contact.mine.Email, contact.theirs.Email)
	}
	add("api_user", userName(view.APIUsers, mine.apiUser), userName(view.APIUsers, other.apiUser))
	add("scope", scopeText(mine.scopes), scopeText(other.scopes))
	add("default_api", c.apiTitle(mine.defaultAPI), c.apiTitle(other.defaultAPI))
	add("active", c.activeWord(mine.active), c.activeWord(other.active))
	return clash
}

// unixLines is a text as browsers send it with the line breaks that are stored.
func unixLines(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n") }

func scopeText(scopes []string) string {
	sorted := slices.Clone(scopes)
	slices.Sort(sorted)
	return strings.Join(sorted, ", ")
}

func userName(options []templates.AppUserOption, id string) string {
	for _, o := range options {
		if o.ID == id {
			return o.Name
		}
	}
	return id
}

func (c *call) apiTitle(key string) string {
	if api, ok := c.catalogue().API(key); ok {
		return api.Title
	}
	return key
}

// word is the text of a code; "" stays "".
func (c *call) word(prefix, code string) string {
	if code == "" {
		return ""
	}
	return c.t(prefix + code)
}

func (c *call) activeWord(active bool) string {
	if active {
		return c.t("apps.status." + string(registry.Active))
	}
	return c.t("apps.status." + string(registry.Inactive))
}

// app reads the app that the address names.
func (c *call) app() (registry.App, error) {
	id, err := c.appID()
	if err != nil {
		return registry.App{}, err
	}
	return c.s.Registry.App(c.ctx(), c.actor, id)
}

// appForm reads the app that the address names, and the form that was sent about it.
func (c *call) appForm() (registry.App, *form, error) {
	app, err := c.app()
	if err != nil {
		return registry.App{}, nil, err
	}
	f, err := readForm(c)
	return app, f, err
}

// author is what a sentence calls who made or changed something.
func (c *call) author(a registry.Author) string {
	if a.Kind == access.KindSystem {
		return c.t("product.name")
	}
	return a.Name
}
