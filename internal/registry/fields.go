package registry

import (
	"context"
	"slices"
	"strings"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

// AppFields is what a person fills in about an app (product.md decision 3), as typed. Faults name the fields name,
// description, category, type, credential_type, contact_first_name, contact_last_name, contact_email,
// second_contact_first_name, second_contact_last_name, second_contact_email, api_user, scopes and default_api. Of a
// resource server, category, type, credential type, API user, scopes and default API count for nothing.
type AppFields struct {
	Name           string
	Description    string
	Category       Category
	Type           Type
	CredentialType CredentialType
	Contact        Contact
	SecondContact  Contact // zero: none
	APIUser        identity.RobotID
	Scopes         []string
	DefaultAPI     string // may be empty
	Active         bool
}

// fill puts the fields into an app and returns what is wrong with them, everything at once. The app holds what is
// stored, or only its organisation and ID when it is new: what is not changed is not judged again by what the catalogue
// and the API users have become.
func (r *Registry) fill(ctx context.Context, app *App, f AppFields) (faults, error) {
	var found faults
	stored := *app
	var fault *problem.Field
	app.Name, fault = checked("name", f.Name, shortText(3, 80))
	found.add(fault)
	app.nameKey = identity.Fold(app.Name)
	app.Description, fault = checked("description", f.Description, func(field, value string) (string, *problem.Field) {
		return identity.Lines(field, value, 10, 500)
	})
	found.add(fault)
	app.Contact = found.contact("", f.Contact, stored.Contact)
	app.SecondContact = Contact{}
	if second := trimmed(f.SecondContact); !second.IsZero() {
		app.SecondContact = found.contact("second_", second, stored.SecondContact)
	}
	app.Status = Inactive
	if f.Active {
		app.Status = Active
	}
	if app.Kind == ResourceServer {
		fillResourceServer(app)
	} else if err := r.fillCaller(ctx, app, f, &found); err != nil {
		return nil, err
	}
	if taken, err := r.nameFault(ctx, app); err != nil {
		return nil, err
	} else if app.Name != "" {
		found.add(taken)
	}
	return found, nil
}

// fillCaller puts into an app that calls APIs what it is and what it may do. The app holds what is stored.
func (r *Registry) fillCaller(ctx context.Context, app *App, f AppFields, found *faults) error {
	found.choose("category", slices.Contains(Categories(), f.Category), false)
	found.choose("type", f.Type == Machine, f.Type == Web || f.Type == Device)
	found.choose("credential_type", f.CredentialType == SharedSecret, f.CredentialType == KeySet)
	app.Category, app.Type, app.CredentialType = f.Category, f.Type, f.CredentialType
	r.fillScopes(app, f, app.Scopes, found)
	r.fillDefaultAPI(app, f.DefaultAPI, app.DefaultAPI, found)
	return r.fillAPIUser(ctx, app, f.APIUser, app.APIUser.ID, found)
}

// nameFault is the fault of a name that another app bears; it leads to that app.
func (r *Registry) nameFault(ctx context.Context, app *App) (*problem.Field, error) {
	other, taken, err := r.store.nameTaken(ctx, app)
	if err != nil || !taken {
		return nil, err
	}
	fault := problem.NewField("name", "app.name.taken", "App", string(other))
	return &fault, nil
}

// afterCollision turns a violated unique key on the name into the field's fault: somebody took the name after it was
// looked for.
func (r *Registry) afterCollision(ctx context.Context, app *App, err error) error {
	if !database.IsUniqueOn(err, "name_key") {
		return err
	}
	fault, lookErr := r.nameFault(ctx, app)
	if lookErr != nil || fault == nil {
		return err
	}
	return problem.Fields(*fault)
}

// fillAPIUser takes an API user of the organisation that the category offers. One of another organisation is as unknown
// as one that does not exist.
func (r *Registry) fillAPIUser(ctx context.Context, app *App, id, stored identity.RobotID, found *faults) error {
	if id == "" {
		found.addNew("api_user", "app.api_user.missing")
		return nil
	}
	parsed, ok := identity.ParseRobotID(string(id))
	if !ok {
		found.addNew("api_user", "app.api_user.unknown")
		return nil
	}
	user, err := r.identity.APIUser(ctx, app.Organisation, parsed)
	switch {
	case problem.Is(err, problem.NotFound):
		found.addNew("api_user", "app.api_user.unknown")
		return nil
	case err != nil:
		return err
	case !slices.Contains(kindsFor(app.Category), user.Kind) && kindsFor(app.Category) != nil:
		found.addNew("api_user", "app.api_user.category")
	case user.ID != stored && !user.Live(r.db.Now()):
		found.addNew("api_user", "app.api_user.inactive")
	}
	app.APIUser = user
	return nil
}

// fillScopes takes scopes of the catalogue that may be given to apps.
func (r *Registry) fillScopes(app *App, f AppFields, stored []string, found *faults) {
	app.Scopes = sorted(f.Scopes)
	var unknown, withheld []string
	for _, name := range app.Scopes {
		s, known := r.catalogue.For(app.Organisation).Scope(name)
		switch {
		case slices.Contains(stored, name):
		case !known:
			unknown = append(unknown, name)
		case !s.Grantable():
			withheld = append(withheld, name)
		}
	}
	switch {
	case len(app.Scopes) == 0:
		found.addNew("scopes", "app.scopes.missing")
	case len(unknown) > 0:
		found.addNew("scopes", "app.scopes.unknown", "Scopes", few(unknown))
	case len(withheld) > 0:
		found.addNew("scopes", "app.scopes.withheld", "Scopes", few(withheld))
	}
}

// fillDefaultAPI takes a default API that fits the scopes. One that is kept and fits no longer gives way; where the
// scopes leave one API to choose, that one is chosen.
func (r *Registry) fillDefaultAPI(app *App, asked, stored string, found *faults) {
	candidates := r.DefaultAPIs(app.Scopes)
	fits := slices.Contains(candidates, asked)
	app.DefaultAPI = asked
	switch {
	case fits:
	case asked != "" && asked != stored:
		found.addNew("default_api", "app.default_api.choose")
	case len(candidates) == 1:
		app.DefaultAPI = candidates[0]
	default:
		app.DefaultAPI = ""
	}
}

// DefaultAPIs returns the keys of the APIs among which an app with these scopes may choose its default (protocol.md
// §1.1): those its scopes belong to, without the portal's own.
func (r *Registry) DefaultAPIs(scopes []string) []string {
	return slices.DeleteFunc(r.catalogue.Now().APIsOf(scopes), func(key string) bool {
		api, ok := r.catalogue.Now().API(key)
		return !ok || api.Own
	})
}

// faults collects what is wrong with a form.
type faults []problem.Field

func (f *faults) err() error { return problem.Fields(*f...) }

func (f *faults) add(fault *problem.Field) {
	if fault != nil {
		*f = append(*f, *fault)
	}
}

func (f *faults) addNew(field, key string, args ...any) {
	*f = append(*f, problem.NewField(field, key, args...))
}

// choose reports a choice that is none, or not yet one.
func (f *faults) choose(field string, fine, planned bool) {
	switch {
	case fine:
	case planned:
		f.addNew(field, "app."+field+".planned")
	default:
		f.addNew(field, "app."+field+".choose")
	}
}

// contact checks a contact person. One that is unchanged keeps its row.
func (f *faults) contact(prefix string, c, stored Contact) Contact {
	check := func(field, value string, rule textRule) string {
		value, fault := checked("contact_"+field, value, rule)
		if fault != nil {
			fault.Name = prefix + fault.Name
			f.add(fault)
		}
		return value
	}
	c = Contact{
		FirstName: check("first_name", c.FirstName, shortText(1, 80)),
		LastName:  check("last_name", c.LastName, shortText(1, 80)),
		Email:     check("email", c.Email, identity.Email),
	}
	if c.sameAs(stored) {
		return stored
	}
	c.ID = ContactID(database.NewID())
	return c
}

// textRule is one of identity's rules for texts. It is told the field as messages name it.
type textRule func(field, value string) (string, *problem.Field)

func shortText(least, most int) textRule {
	return func(field, value string) (string, *problem.Field) { return identity.Text(field, value, least, most) }
}

// checked checks a text that is kept and shown. A secret that was pasted into it would stand there for everybody to
// read, so it is refused and not kept.
func checked(field, value string, rule textRule) (string, *problem.Field) {
	if secret.Contains(value) {
		fault := problem.NewField(field, "app.text.secret")
		return "", &fault
	}
	return rule("app."+field, value)
}

// trimmed drops spaces, so that a contact of spaces is none.
func trimmed(c Contact) Contact {
	return Contact{
		FirstName: strings.TrimSpace(c.FirstName), LastName: strings.TrimSpace(c.LastName), Email: strings.TrimSpace(c.Email),
	}
}

// sorted returns the texts in order, each once, in a slice of its own.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// few cuts a list of texts from outside to what a sentence can bear: the first five, not too long.
func few(list []string) []string {
	const most, length = 5, 60
	var shown []string
	for _, s := range list[:min(len(list), most)] {
		shown = append(shown, cutRunes(strings.ToValidUTF8(s, ""), length))
	}
	return shown
}
