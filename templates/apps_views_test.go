package templates_test

import (
	"testing"

	"credenza.example/credenza/templates"
)

func TestViewsAreWholePages(t *testing.T) {
	views := templates.AppViews{Frame: sampleFrame(), AppsHref: "/apps"}
	checkPage(t, templates.AppViewsPage(views))
	views.Views = []templates.AppView{
		{Name: "Everything", Href: "/apps?sort=used&dir=desc", Order: "used", Descending: true, Shared: true},
		{Name: "<b>Mine</b>", Href: "/apps?q=export", Query: "export <i>", Order: "name", EditHref: "/apps/views/1", DeleteHref: "/apps/views/1/delete"},
	}
	checkPage(t, templates.AppViewsPage(views))
	form := templates.AppViewForm{
		Frame: sampleFrame(), New: true, Action: "/apps/views", CancelHref: "/apps", Query: "export", MayShare: true,
		Errors: templates.FieldErrors{{Field: "name", Text: "Enter a name for the view."}},
	}
	checkPage(t, templates.AppViewFormPage(form))
	form.New, form.Query, form.MayShare, form.Errors = false, "", false, nil
	checkPage(t, templates.AppViewFormPage(form))
	checkPage(t, templates.AppViewDeletePage(templates.AppViewDelete{
		Frame: sampleFrame(), Name: "Mine", Action: "/apps/views/1/delete", CancelHref: "/apps/views",
	}))
}
