package web

import (
	"net/http"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/templates"
)

// importAPIForm answers /catalogue/import: an OpenAPI document, typed or as a file.
func (s *Server) importAPIForm(c *call) error {
	in := apiInput{own: c.onlyOwn()}
	if draft := c.draft(); draft != nil {
		in = readAPIInput(c, &form{values: draft})
	}
	return c.drawImport(http.StatusOK, in, nil)
}

// importAPI shows what was made of a document, in the form that adds an API: nothing is stored before that is sent.
func (s *Server) importAPI(c *call) error {
	f, err := readUpload(c, scope.MaxOpenAPI)
	if isTooLarge(err) {
		return c.drawImport(http.StatusRequestEntityTooLarge, apiInput{own: c.onlyOwn()},
			templates.FieldErrors{{Field: typedName, Text: c.t("catalogue.import.large")}})
	} else if err != nil {
		return err
	}
	in := readAPIInput(c, f)
	owner, err := c.owner(in.own)
	if err != nil {
		return err
	}
	var draft string
	var notes []scope.Note
	if err = f.err(); err == nil {
		draft, notes, err = scope.FromOpenAPI([]byte(in.document), owner)
	}
	if err != nil {
		if !toldInForm(err) {
			return err
		}
		return c.drawImport(c.sentBack(err), in, c.fieldErrors(err, nil))
	}
	view := templates.CatalogueForm{Action: addAPIPath, CancelHref: cataloguePath}
	for _, n := range notes {
		view.Notes = append(view.Notes, templates.CatalogueNote{Code: n.Code, Value: n.Value})
	}
	return c.drawAPI(http.StatusOK, view, apiInput{own: in.own, document: draft}, nil)
}

func (c *call) drawImport(status int, in apiInput, errs templates.FieldErrors) error {
	return c.render(status, templates.CatalogueImportPage(templates.CatalogueImport{
		Frame: c.frame("catalogue"), Action: importAPIPath, CancelHref: cataloguePath, Document: in.document, Own: in.own,
		Choice: c.actor.Has(access.CatalogueManage) && c.actor.Has(access.AppsManage), Errors: errs,
	}))
}
