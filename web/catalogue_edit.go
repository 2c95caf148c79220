package web

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// owner is for whom the reader adds APIs: everybody, or the own organisation. It is refused to those who may not.
func (c *call) owner(own bool) (scope.Owner, error) {
	if !own {
		if !c.actor.Has(access.CatalogueManage) {
			return scope.Owner{}, forbidden(access.CatalogueManage)
		}
		return scope.Owner{}, nil
	}
	if !c.actor.Has(access.AppsManage) {
		return scope.Owner{}, forbidden(access.AppsManage)
	}
	org, err := c.s.Identity.Organisation(c.ctx(), c.actor.Organisation)
	return scope.Owner{Organisation: org.ID, Prefix: org.ClientPrefix}, err
}

func forbidden(right access.Right) error {
	return problem.New(problem.Forbidden, "problem.forbidden", "Right", string(right))
}

// apiInput is the form of an API as it was sent.
type apiInput struct {
	own      bool
	document string
	version  int64
}

func readAPIInput(c *call, f *form) apiInput {
	in := apiInput{own: f.one("for") == "own", document: f.one(typedName), version: f.version()}
	if f.one("for") == "" { // no choice was offered, or none was made
		in.own = c.onlyOwn()
	}
	return in
}

// onlyOwn reports whether the reader adds APIs of the own organisation only.
func (c *call) onlyOwn() bool { return !c.actor.Has(access.CatalogueManage) }

// addAPIForm answers /catalogue/new with an example that only has to be changed.
func (s *Server) addAPIForm(c *call) error {
	in := apiInput{own: c.onlyOwn() || oneQuery(c, "for") == "own" && c.actor.Has(access.AppsManage)}
	owner, err := c.owner(in.own)
	if err != nil {
		return err
	}
	in.document = owner.Example()
	if draft := c.draft(); draft != nil {
		in = readAPIInput(c, &form{values: draft})
	}
	return c.drawAPI(http.StatusOK, templates.CatalogueForm{Action: addAPIPath, CancelHref: cataloguePath}, in, nil)
}

// addAPI adds the API of the document.
func (s *Server) addAPI(c *call) error {
	view := templates.CatalogueForm{Action: addAPIPath, CancelHref: cataloguePath}
	f, err := readUpload(c, maxDocument)
	if isTooLarge(err) {
		return c.tooLarge(view)
	} else if err != nil {
		return err
	}
	in := readAPIInput(c, f)
	owner, err := c.owner(in.own)
	if err != nil {
		return err
	}
	var key string
	if err = f.err(); err == nil {
		key, err = s.Catalogue.Add(c.ctx(), c.actor, owner, in.document, 0)
	}
	if problem.Is(err, problem.Stale) { // of version 0: there is one
		api, _ := scope.ParseAPI([]byte(in.document))
		err = problem.New(problem.Conflict, "catalogue.key.taken", "Key", api.Key)
	}
	if err == nil {
		return c.done(apiPath(key), "catalogue.flash.added", "API", key)
	}
	if !toldInForm(err) {
		return err
	}
	return c.drawAPI(c.sentBack(err), view, in, err)
}

func isTooLarge(err error) bool {
	st, ok := errors.AsType[*statusError](err)
	return ok && st.status == http.StatusRequestEntityTooLarge
}

// tooLarge answers a document that is larger than one may be. Nothing of it was kept.
func (c *call) tooLarge(view templates.CatalogueForm) error {
	view.Errors = templates.FieldErrors{{Field: typedName, Text: c.t("catalogue.document.large")}}
	return c.drawAPI(http.StatusRequestEntityTooLarge, view, apiInput{own: c.onlyOwn()}, nil)
}

func (c *call) drawAPI(status int, view templates.CatalogueForm, in apiInput, wrong error) error {
	view.Frame, view.Document, view.Version, view.Own = c.frame("catalogue"), in.document, in.version, in.own
	if view.APIHref == "" && c.actor.Has(access.CatalogueManage) && c.actor.Has(access.AppsManage) {
		view.Choice = true
	}
	if org, err := c.s.Identity.Organisation(c.ctx(), c.actor.Organisation); err == nil {
		owner := scope.Owner{Organisation: org.ID, Prefix: org.ClientPrefix}
		view.KeyPrefix, view.ScopePrefix = owner.KeyPrefix(), owner.ScopePrefix()
	}
	if wrong != nil {
		view.Errors = append(view.Errors, c.documentErrors(wrong)...)
	}
	return c.render(status, templates.CatalogueFormPage(view))
}

// maxFaults is how many faults of a document a page lists.
const maxFaults = 50

// goTypes are what the reader of YAML says about the program, which tells nobody anything.
var goTypes = regexp.MustCompile(` in type [\w.]+| into [\w.]+$`)

// documentErrors are the faults of a document, one line each.
func (c *call) documentErrors(wrong error) templates.FieldErrors {
	p := problem.As(wrong)
	if len(p.Fields) != 1 || p.Fields[0].Key != "catalogue.unsound" {
		errs := c.fieldErrors(wrong, nil)
		for i := range errs {
			if errs[i].Field == "" {
				errs[i].Field = typedName
			}
		}
		return errs
	}
	text, _ := p.Fields[0].Args["Faults"].(string)
	var errs templates.FieldErrors
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(goTypes.ReplaceAllString(strings.TrimPrefix(strings.TrimSpace(line), "yaml: "), ""))
		if line == "" || line == "unmarshal errors:" {
			continue
		}
		if len(errs) == maxFaults {
			return append(errs, templates.FieldError{Field: typedName, Text: c.t("catalogue.document.more")})
		}
		errs = append(errs, templates.FieldError{Field: typedName, Text: c.t("catalogue.document.fault", "Fault", line)})
	}
	return errs
}

// addition is an API that was added and that the reader may change.
func (c *call) addition(act string) (scope.API, scope.Owner, scope.Addition, error) {
	api, err := c.api()
	if err != nil {
		return api, scope.Owner{}, scope.Addition{}, err
	}
	if !api.Added { // what is built in stays as it is
		return api, scope.Owner{}, scope.Addition{}, problem.New(problem.NotFound, "problem.not_found")
	}
	if api, err = c.keptAPI(act); err != nil {
		return api, scope.Owner{}, scope.Addition{}, err
	}
	owner, err := c.owner(api.Organisation != "")
	if err != nil {
		return api, owner, scope.Addition{}, err
	}
	a, err := c.s.Catalogue.Addition(c.ctx(), owner, api.Key)
	return api, owner, a, err
}

func (s *Server) editAPIForm(c *call) error {
	api, _, a, err := c.addition("catalogue.api_edit")
	if err != nil {
		return err
	}
	in := apiInput{document: a.Document, version: a.Version, own: api.Organisation != ""}
	if draft := c.draft(); draft != nil {
		in = readAPIInput(c, &form{values: draft})
	}
	return c.drawAPI(http.StatusOK, editedAPI(api), in, nil)
}

func editedAPI(api scope.API) templates.CatalogueForm {
	return templates.CatalogueForm{Action: editAPIPath(api.Key), CancelHref: apiPath(api.Key), API: api.Title, APIHref: apiPath(api.Key)}
}

// editAPI replaces the document. The key stays, and no scope goes that an app holds.
func (s *Server) editAPI(c *call) error {
	api, owner, a, err := c.addition("catalogue.api_edit")
	if err != nil {
		return err
	}
	f, err := readUpload(c, maxDocument)
	if isTooLarge(err) {
		return c.tooLarge(editedAPI(api))
	} else if err != nil {
		return err
	}
	in := readAPIInput(c, f)
	in.own = owner.Organisation != ""
	if err = f.err(); err == nil {
		err = c.staysSound(api, in.document)
	}
	if err == nil {
		_, err = s.Catalogue.Add(c.ctx(), c.actor, owner, in.document, in.version)
	}
	view := editedAPI(api)
	switch {
	case err == nil:
		return c.done(apiPath(api.Key), "catalogue.flash.edited", "API", api.Title)
	case problem.Is(err, problem.Stale):
		view.Theirs, in.version = a.Document, a.Version
	case !toldInForm(err):
		return err
	}
	return c.drawAPI(c.sentBack(err), view, in, err)
}

// staysSound reports a document that is another API's, or leaves out scopes that apps hold. One that cannot be read is
// for the catalogue to report.
func (c *call) staysSound(before scope.API, document string) error {
	after, err := scope.ParseAPI([]byte(document))
	if err != nil {
		return nil //nolint:nilerr // Said in full when it is added.
	}
	if after.Key != before.Key {
		return problem.Fields(problem.NewField(typedName, "catalogue.key.changed", "Key", before.Key))
	}
	kept := after.Scopes()
	gone := slices.DeleteFunc(before.Scopes(), func(name string) bool { return slices.Contains(kept, name) })
	if len(gone) == 0 {
		return nil
	}
	n, err := c.s.Registry.APIUse(c.ctx(), c.actor, "", gone)
	if err == nil && n > 0 {
		err = problem.Fields(problem.NewField(typedName, "catalogue.scopes.held", "N", n, "Scopes", strings.Join(gone, ", ")))
	}
	return err
}

// removeAPIForm asks before an API that was added is removed; while apps hold its scopes it is not.
func (s *Server) removeAPIForm(c *call) error {
	api, _, a, err := c.addition("catalogue.api_remove")
	if err != nil {
		return err
	}
	return c.askRemove(http.StatusOK, api, a.Version, nil)
}

func (c *call) askRemove(status int, api scope.API, version int64, errs templates.FieldErrors) error {
	n, err := c.s.Registry.APIUse(c.ctx(), c.actor, api.Key, api.Scopes())
	if err != nil {
		return err
	}
	ask := templates.CatalogueRemove{
		Frame: c.frame("catalogue"), API: api.Title, APIHref: apiPath(api.Key), Action: removeAPIPath(api.Key), Version: version, Errors: errs,
		Apps: n,
	}
	if c.fragment() == "dialog" {
		return c.render(status, templates.CatalogueRemoveFragment(ask))
	}
	return c.render(status, templates.CatalogueRemovePage(ask))
}

func (s *Server) removeAPI(c *call) error {
	api, owner, a, err := c.addition("catalogue.api_remove")
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	n, err := s.Registry.APIUse(c.ctx(), c.actor, api.Key, api.Scopes())
	if err != nil {
		return err
	}
	if n > 0 {
		return c.askRemove(http.StatusConflict, api, a.Version, nil)
	}
	version := f.version()
	if err = f.err(); err == nil {
		err = s.Catalogue.Remove(c.ctx(), c.actor, owner, api.Key, version)
	}
	switch {
	case err == nil:
		return c.done(cataloguePath, "catalogue.flash.removed", "API", api.Title)
	case !toldInForm(err) && !problem.Is(err, problem.Stale):
		return err
	}
	return c.askRemove(c.sentBack(err), api, a.Version, c.fieldErrors(err, map[string]string{typedName: ""}))
}
