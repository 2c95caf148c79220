package templates

import (
	"context"
	"strconv"

	"credenza.example/credenza/internal/i18n"
)

// AppViews is the page of saved views of the grid (ui.md §4.1).
type AppViews struct {
	Frame    Frame
	Views    []AppView
	AppsHref string // the grid, where views are made
}

// AppView is one saved view. An empty address leaves its button out.
type AppView struct {
	Name       string
	Href       string
	Query      string // what is searched for; "" for all apps
	Order      string // code of the column, as in AppsColumn
	Descending bool
	Shared     bool
	EditHref   string
	DeleteHref string
}

// AppViewForm is the form that saves a view or renames one. Its fields: name, shared, and what stands in Hidden.
type AppViewForm struct {
	Frame      Frame
	New        bool
	Action     string
	CancelHref string
	Hidden     []Hidden
	Name       string
	Query      string
	Shared     bool
	MayShare   bool
	Errors     FieldErrors
}

// AppViewDelete asks before a view is deleted.
type AppViewDelete struct {
	Frame      Frame
	Name       string
	Shared     bool
	Action     string
	CancelHref string
}

func (v AppViewForm) title(ctx context.Context) string {
	if v.New {
		return i18n.T(ctx, "apps.views.save_title")
	}
	return i18n.T(ctx, "apps.views.edit_title")
}

func (v AppViewForm) page(ctx context.Context) Page {
	p := v.Frame.viewPage(ctx, v.title(ctx))
	p.Error = len(v.Errors) > 0
	return p
}

// viewPage is a page below that of the views.
func (f Frame) viewPage(ctx context.Context, title string) Page {
	return f.appPage(ctx, title, i18n.T(ctx, "apps.views.title"), viewsPath)
}

func (v AppViewDelete) confirm(ctx context.Context) Confirm {
	title := i18n.T(ctx, "apps.views.delete_title", "View", v.Name)
	text := "apps.views.delete_text"
	if v.Shared {
		text = "apps.views.delete_shared"
	}
	return Confirm{
		Title: title, Text: []string{i18n.T(ctx, text)}, Post: v.Action, Cancel: v.CancelHref,
		Button: Action{Label: title, Kind: "danger"},
	}
}

func (v AppViewDelete) page(ctx context.Context) Page {
	return v.Frame.viewPage(ctx, i18n.T(ctx, "apps.views.delete_title", "View", v.Name))
}

// VersionField is the hidden field by which a form says which version of a row it was filled from.
func VersionField(version int64) Hidden {
	return Hidden{Name: "version", Value: strconv.FormatInt(version, 10)}
}

const viewsPath = appsPath + "/views"
