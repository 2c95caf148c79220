package registry_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

func viewNames(t *testing.T, w *world, actor access.Actor) []string {
	t.Helper()
	var names []string
	for _, v := range must(w.Views(t.Context(), actor))(t) {
		names = append(names, v.Name)
	}
	return names
}

// TestViews: a view is seen by whom it is for, comes back as it was saved, and goes.
func TestViews(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own := must(w.SaveView(t.Context(), w.viewer, registry.NewView{
			Name: " Partners ", Query: registry.Query{Text: "export", Category: registry.Partner, Sort: registry.SortUsed, Descending: true, PerPage: 100},
			Columns: []registry.Column{registry.ColumnScopes, "no column", registry.ColumnContact}, Compact: true,
		}))(t)
		shared := must(w.SaveView(t.Context(), w.admin, registry.NewView{Name: "Active", Shared: true, Query: registry.Query{Status: registry.Active}}))(t)
		for actor, want := range map[*access.Actor][]string{
			&w.viewer: {"Active", "Partners"}, &w.admin: {"Active"}, &w.globexAdmin: nil,
		} {
			if diff := cmp.Diff(want, viewNames(t, w, *actor)); diff != "" {
				t.Errorf("%s sees (-want +got):\n%s", actor.Name, diff)
			}
		}
		got := must(w.View(t.Context(), w.viewer, own.ID))(t)
		if diff := cmp.Diff(own, got); diff != "" {
			t.Error(diff)
		}
		if got.Name != "Partners" || got.Text != "export category:partner" || got.Sort != registry.SortUsed || !got.Descending || got.PerPage != 100 {
			t.Errorf("saved as %+v", got)
		}
		if diff := cmp.Diff([]registry.Column{registry.ColumnContact, registry.ColumnScopes}, got.Columns); diff != "" || !got.Compact {
			t.Errorf("compact %v, columns %s", got.Compact, diff)
		}
		if e := w.lastEvent(t); e.Action != "app.view.save" || e.Target.Label != "Active" {
			t.Errorf("the trail says %+v", e)
		}
		if err := w.DeleteView(t.Context(), w.admin, shared.ID); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"Partners"}, viewNames(t, w, w.viewer)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestPrivateViewsStayPrivate: neither colleagues nor the trail learn name and search.
func TestPrivateViewsStayPrivate(t *testing.T) {
	w := sqliteWorld(t)
	own := must(w.SaveView(t.Context(), w.viewer, registry.NewView{Name: "My doubts", Query: registry.Query{Text: "doubt"}}))(t)
	if e := w.lastEvent(t); e.Target.Label != "" || fmt.Sprint(e.After) != "map[shared:false]" {
		t.Errorf("the trail says %+v", e)
	}
	for _, actor := range []access.Actor{w.admin, w.globexAdmin} {
		if _, err := w.EditView(t.Context(), actor, own.ID, own.Version, "Mine now", true); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s edits it: %v", actor.Name, err)
		}
		if err := w.DeleteView(t.Context(), actor, own.ID); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s deletes it: %v", actor.Name, err)
		}
	}
}

// TestViewsTakeTheirRight: to share takes apps.manage, and so does everything about what is shared.
func TestViewsTakeTheirRight(t *testing.T) {
	w := sqliteWorld(t)
	shared := must(w.SaveView(t.Context(), w.admin, registry.NewView{Name: "All", Shared: true}))(t)
	own := must(w.SaveView(t.Context(), w.viewer, registry.NewView{Name: "All"}))(t) // a name of one's own beside the shared one
	for name, act := range map[string]func() error{
		"save shared": func() error {
			_, err := w.SaveView(t.Context(), w.viewer, registry.NewView{Name: "Ours", Shared: true})
			return err
		},
		"share": func() error {
			_, err := w.EditView(t.Context(), w.viewer, own.ID, own.Version, "Ours", true)
			return err
		},
		"take back": func() error {
			_, err := w.EditView(t.Context(), w.viewer, shared.ID, shared.Version, "All", false)
			return err
		},
		"delete shared":  func() error { return w.DeleteView(t.Context(), w.viewer, shared.ID) },
		"without rights": func() error { _, err := w.Views(t.Context(), w.nobody); return err },
		"save without": func() error {
			_, err := w.SaveView(t.Context(), w.nobody, registry.NewView{Name: "Nothing"})
			return err
		},
		"operator": func() error {
			_, err := w.SaveView(t.Context(), access.Operator("tester", w.acme.ID), registry.NewView{Name: "Operator's"})
			return err
		},
	} {
		if err := act(); !problem.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestViewFaults: each in the words of its field, and nothing is saved.
func TestViewFaults(t *testing.T) {
	w := sqliteWorld(t)
	must(w.SaveView(t.Context(), w.admin, registry.NewView{Name: "Taken"}))(t)
	key := w.issueSecret(t)
	for name, test := range map[string]struct {
		view registry.NewView
		want string
	}{
		"no name":   {registry.NewView{Name: " "}, "name app.view.name.missing"},
		"long name": {registry.NewView{Name: strings.Repeat("a", 41)}, "name app.view.name.too_long"},
		"taken":     {registry.NewView{Name: "TAKEN"}, "name app.view.name.taken"},
		"character": {registry.NewView{Name: "A", Query: registry.Query{Text: "a\u202eb"}}, "q app.search.characters"},
		"sort":      {registry.NewView{Name: "A", Query: registry.Query{Sort: "colour"}}, "sort app.search.sort"},
		"a secret":  {registry.NewView{Name: "A", Query: registry.Query{Text: key}}, "q app.text.secret"},
		"in a name": {registry.NewView{Name: key}, "name app.text.secret"},
	} {
		_, err := w.SaveView(t.Context(), w.admin, test.view)
		if got := faultsOf(err); got != test.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, test.want)
		}
	}
	if diff := cmp.Diff([]string{"Taken"}, viewNames(t, w, w.admin)); diff != "" {
		t.Error(diff)
	}
}

// TestViewsAreBounded, also when two save at once.
func TestViewsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 29 {
			must(w.SaveView(t.Context(), w.admin, registry.NewView{Name: fmt.Sprint("View ", i)}))(t)
		}
		var last sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			last.Go(func() {
				_, errs[i] = w.SaveView(t.Context(), w.admin, registry.NewView{Name: fmt.Sprint("Last ", i)})
			})
		}
		last.Wait()
		if names := viewNames(t, w, w.admin); len(names) > 31 {
			t.Errorf("%d views: %v", len(names), errs)
		}
		if _, err := w.SaveView(t.Context(), w.admin, registry.NewView{Name: "One more"}); !problem.Is(err, problem.Conflict) {
			t.Errorf("one more: %v", err)
		}
	})
}

// TestEditView: of two who edit at once, one is told.
func TestEditView(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := must(w.SaveView(t.Context(), w.admin, registry.NewView{Name: "Mine", Query: registry.Query{Text: "export"}}))(t)
		v = must(w.EditView(t.Context(), w.admin, v.ID, v.Version, "Ours", true))(t)
		if v.Name != "Ours" || !v.Shared || v.Text != "export" || v.Version != 2 {
			t.Errorf("edited: %+v", v)
		}
		if diff := cmp.Diff(v, must(w.View(t.Context(), w.viewer, v.ID))(t)); diff != "" {
			t.Error(diff)
		}
		if _, err := w.EditView(t.Context(), w.admin, v.ID, 1, "Late", true); !problem.Is(err, problem.Stale) {
			t.Errorf("with an old version: %v", err)
		}
	})
}

// faultsOf lists the fields of a problem with their keys.
func faultsOf(err error) string {
	text := ""
	if err == nil {
		return text
	}
	for i, f := range problem.As(err).Fields {
		if i > 0 {
			text += ", "
		}
		text += f.Name + " " + f.Key
	}
	return text
}

// issueSecret returns a secret of a new app.
func (w *world) issueSecret(t *testing.T) string {
	t.Helper()
	_, shown := w.register(t, "With a secret")
	return shown.Secret.Reveal()
}
