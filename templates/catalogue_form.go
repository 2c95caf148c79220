package templates

import (
	"context"

	"credenza.example/credenza/internal/i18n"
)

// CatalogueForm adds an API, or changes one that was added when API is set. The fields it sends: for (shared or own, when
// there is a Choice), document, file and version.
type CatalogueForm struct {
	Frame                  Frame
	API, APIHref           string
	Action, CancelHref     string
	Document               string
	Version                int64
	Own, Choice            bool
	KeyPrefix, ScopePrefix string // how keys and scopes of the organisation's own APIs begin
	Theirs                 string // the document as somebody else saved it meanwhile; "" when nobody did
	Notes                  []CatalogueNote
	Errors                 FieldErrors
}

// CatalogueNote is something that an import decided, for whoever reviews it: Code is the end of a message key, Value what
// it is about.
type CatalogueNote struct{ Code, Value string }

// CatalogueRemove asks before an API is removed. Apps is how many hold its scopes: then it cannot be.
type CatalogueRemove struct {
	Frame                Frame
	API, APIHref, Action string
	Version              int64
	Apps                 int
	Errors               FieldErrors
}

func (v CatalogueForm) title(ctx context.Context) string {
	switch {
	case v.API != "":
		return i18n.T(ctx, "catalogue.edit.title", "API", v.API)
	case len(v.Notes) > 0:
		return i18n.T(ctx, "catalogue.import.review")
	default:
		return i18n.T(ctx, "catalogue.add.link")
	}
}

func (v CatalogueForm) page(ctx context.Context) Page {
	p := v.Frame.cataloguePage(ctx, v.title(ctx), v.API, v.APIHref)
	p.Error = len(v.Errors) > 0
	return p
}

func ownersOf(ctx context.Context, own bool) []Option {
	return []Option{
		{Value: "shared", Label: i18n.T(ctx, "catalogue.for.shared"), Selected: !own},
		{Value: "own", Label: i18n.T(ctx, "catalogue.for.own"), Selected: own},
	}
}

func (v CatalogueRemove) page(ctx context.Context) Page {
	p := v.Frame.cataloguePage(ctx, v.title(ctx), v.API, v.APIHref)
	p.Error = len(v.Errors) > 0
	return p
}

func (v CatalogueRemove) title(ctx context.Context) string {
	return i18n.T(ctx, "catalogue.remove.title", "API", v.API)
}

func (v CatalogueRemove) confirm(ctx context.Context) Confirm {
	return Confirm{
		Title: v.title(ctx), Text: []string{i18n.T(ctx, "catalogue.remove.text")}, Post: v.Action, Cancel: v.APIHref, Errors: v.Errors,
		Hidden: []Hidden{VersionField(v.Version)}, Button: Action{Label: v.title(ctx), Kind: "danger"},
	}
}

// CatalogueImport is the page /catalogue/import. The fields it sends: for (when there is a Choice), document and file.
type CatalogueImport struct {
	Frame              Frame
	Action, CancelHref string
	Document           string
	Own, Choice        bool
	Errors             FieldErrors
}

func (v CatalogueImport) page(ctx context.Context) Page {
	p := v.Frame.cataloguePage(ctx, i18n.T(ctx, "catalogue.import.title"), "", "")
	p.Error = len(v.Errors) > 0
	return p
}
