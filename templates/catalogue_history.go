package templates

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// CatalogueHistory is the page /catalogue/{api}/history.
type CatalogueHistory struct {
	Frame        Frame
	API, APIHref string
	Events       []CatalogueEvent // newest first
}

// CatalogueEvent is one change of the catalogue. Act is map, unmap, api, api_edit or api_remove; Before and After are the
// scopes of a call. Who is "" when the reader may not know.
type CatalogueEvent struct {
	At                  time.Time
	Who, Act, API, Call string
	Before, After, Note string
}

func (e CatalogueEvent) sentence(ctx context.Context) templ.Component {
	who := e.Who
	if who == "" {
		who = i18n.T(ctx, "catalogue.history.somebody")
	}
	switch e.Act {
	case "map":
		return Rich("catalogue.history.map", "Who", Name(who), "Call", Code(e.Call))
	case "unmap":
		return Rich("catalogue.history.unmap", "Who", Name(who), "Call", Code(e.Call))
	case "api_edit":
		return Rich("catalogue.history.api_edit", "Who", Name(who), "API", Name(e.API))
	case "api_remove":
		return Rich("catalogue.history.api_remove", "Who", Name(who), "API", Name(e.API))
	default:
		return Rich("catalogue.history.api", "Who", Name(who), "API", Name(e.API))
	}
}

func (e CatalogueEvent) rows(ctx context.Context) []DiffRow {
	return []DiffRow{{Field: i18n.T(ctx, "catalogue.field.any_of"), Before: e.Before, After: e.After}}
}

// opensCalls reports whether the change was about a call, whose scopes are told.
func (e CatalogueEvent) opensCalls() bool { return e.Call != "" && (e.Before != "" || e.After != "") }
