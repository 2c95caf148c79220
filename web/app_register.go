package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// registerForm draws the empty form, or one filled from the address (ui.md §4.2) or from what was typed before the
// session ended. A GET makes nothing.
func (s *Server) registerForm(c *call) error {
	in, err := c.freshInput()
	if err != nil {
		return err
	}
	return s.drawRegister(c, http.StatusOK, in, nil)
}

// registerRedraw draws the form again with everything typed: for the list of API users and the search for scopes.
func (s *Server) registerRedraw(c *call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	in := readAppInput(f)
	if err := f.err(); err != nil {
		return s.drawRegister(c, statusOf(problem.Invalid), in, err)
	}
	return s.drawRegister(c, http.StatusOK, in, nil)
}

// register makes the app and answers with the page that shows its secret: the one answer that ever holds it.
func (s *Server) register(c *call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	in := readAppInput(f)
	if in.redraw && f.err() == nil {
		return s.drawRegister(c, http.StatusOK, in, nil)
	}
	var app registry.App
	var made *registry.NewSecret
	if err = f.err(); err == nil {
		app, made, err = s.Registry.Register(c.ctx(), c.actor, registry.NewApp{
			AppFields: in.fields(), Kind: registry.Kind(in.purpose), ResourceAPI: in.resourceAPI, Expires: c.expiry(in.expiry, in.expiresOn), Nonce: in.nonce,
		})
	}
	switch {
	case err == nil:
		return s.reveal(c, app, made)
	case toldInForm(err):
		return s.drawRegister(c, c.sentBack(err), in, err)
	default:
		return c.unlessShown(err)
	}
}

// drawRegister draws the form with what was typed and, when it comes back, with what is wrong.
func (s *Server) drawRegister(c *call, status int, in appInput, wrong error) error {
	view, err := in.view(c, nil)
	if err != nil {
		return err
	}
	org, err := s.Identity.Organisation(c.ctx(), c.actor.Organisation)
	if err != nil {
		return err
	}
	view.Action, view.RedrawHref, view.CancelHref = appsPath, newAppPath, appsPath
	view.Kinds = c.kinds(in)
	view.ClientIDPrefix = s.ClientIDPrefix + org.ClientPrefix + "_"
	if view.Expiry, err = c.expiryFields(in.expiry, in.expiresOn); err != nil {
		return err
	}
	in.fault(c, &view, wrong)
	return c.render(status, templates.AppFormPage(view))
}

// freshInput is how the form begins: as a draft that was kept, or with the signed-in person as contact and what the
// address asks for.
func (c *call) freshInput() (appInput, error) {
	if draft := c.draft(); draft != nil {
		in := readAppInput(&form{values: draft})
		in.nonce = newNonce()
		return in, nil
	}
	in := appInput{
		nonce: newNonce(), kind: typeCodes[registry.Machine], credential: credentialCodes[registry.SharedSecret],
		active: true,
		name:   oneQuery(c, "name"), category: oneQuery(c, "category"),
	}
	in.scopes, in.refused = c.askedScopes(distinct(c.QueryParams()["scope"]))
	// What was ticked in the catalogue is of one API as a rule, which then is the app's default.
	if apis := c.s.Registry.DefaultAPIs(in.scopes); len(apis) == 1 {
		in.defaultAPI = apis[0]
	}
	person, err := c.s.Identity.Person(c.ctx(), identity.PersonID(c.actor.ID))
	if err != nil {
		return in, err
	}
	in.contact = templates.AppContact{FirstName: person.FirstName, LastName: person.LastName, Email: person.Email}
	in.purpose, err = c.likelyKind()
	return in, err
}

// newNonce marks a form, so that sending it twice makes one secret.
func newNonce() string { return uuid.NewString() }

// unlessShown answers a form that was sent before with the page of the app it made; other errors stay errors.
func (c *call) unlessShown(err error) error {
	var p *problem.Error
	if !errors.As(err, &p) || p.Key != registry.KeySecretShown {
		return err
	}
	id, ok := registry.ParseAppID(asText(p.Args["App"]))
	if !ok {
		return err
	}
	if err := c.flash(templates.KindInfo, "app.secret_already_shown"); err != nil {
		return err
	}
	return c.redirect(appPath(id))
}

func asText(value any) string {
	text, _ := value.(string)
	return strings.TrimSpace(text)
}
