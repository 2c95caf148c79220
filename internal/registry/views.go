package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// ViewID is the ID of a saved view.
type ViewID string

// ParseViewID reports whether s has the form of a view's ID.
func ParseViewID(s string) (ViewID, bool) {
	id, ok := database.ParseID(s)
	return ViewID(id), ok
}

// maxViews bounds the views of a person, and those that an organisation shares: they stand as tabs above the grid.
const maxViews = 30

// View is a search of the grid that was saved under a name (ui.md §4.1): its text, order and page size, and how its rows
// look. A shared one is seen by everybody who sees the organisation's apps, another only by who saved it.
type View struct {
	ID         ViewID
	Name       string
	Text       string
	Sort       Sort
	Descending bool
	PerPage    int
	Columns    []Column // optional ones
	Compact    bool     // dense rows
	Shared     bool
	Owner      identity.PersonID
	Version    int64
}

// NewView is what SaveView is asked for. Of the query the text, the filters, the order and the page size count.
type NewView struct {
	Name    string
	Shared  bool
	Query   Query
	Columns []Column
	Compact bool
}

// Views returns the actor's own views and those that the organisation shares, by name. It takes apps.view.
func (r *Registry) Views(ctx context.Context, actor access.Actor) ([]View, error) {
	if err := r.mayView(ctx, actor, "app.view.list"); err != nil {
		return nil, err
	}
	return r.store.views(ctx, actor)
}

// View returns one of the views that Views lists, else problem.NotFound.
func (r *Registry) View(ctx context.Context, actor access.Actor, id ViewID) (View, error) {
	views, err := r.Views(ctx, actor)
	if err != nil {
		return View{}, err
	}
	for _, v := range views {
		if v.ID == id {
			return v, nil
		}
	}
	return View{}, notFound()
}

// SaveView saves a view. It takes apps.view, and apps.manage to share it. Only people save views. Faults name the fields
// name, shared and those of Search.
func (r *Registry) SaveView(ctx context.Context, actor access.Actor, n NewView) (View, error) {
	v := View{ID: ViewID(database.NewID()), Shared: n.Shared, Owner: identity.PersonID(actor.ID), Version: 1}
	act := viewAct(actor, "app.view.save", v)
	if err := r.mayKeepView(ctx, actor, act); err != nil {
		return View{}, err
	}
	if err := v.fill(n); err != nil {
		return View{}, err
	}
	act.Target.Label = v.label()
	err := r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if n, err := countViews(tx, actor, v.Shared); err != nil || n >= maxViews {
			return audit.Change{}, orTooMany(err)
		}
		return audit.Change{After: v.record()}, insertView(tx, actor, &v)
	})
	return v, nameOfView(err)
}

// EditView gives a view another name, shares it or takes it back; its search stays. The version must be the one the
// actor saw. It takes apps.view for one's own, and apps.manage for one that is shared or comes to be. Answers:
// problem.NotFound, problem.Stale, and faults of the fields name and shared.
func (r *Registry) EditView(ctx context.Context, actor access.Actor, id ViewID, version int64, name string, shared bool) (View, error) {
	before, err := r.View(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	after := before
	after.Shared, after.Version = shared, version+1
	act := viewAct(actor, "app.view.edit", View{ID: id, Name: before.Name, Shared: before.Shared || shared})
	if err := r.mayKeepView(ctx, actor, act); err != nil {
		return View{}, err
	}
	if fault := after.rename(name); fault != nil {
		return View{}, problem.Fields(*fault)
	}
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if before.Shared != after.Shared {
			owner := actor
			owner.ID = string(before.Owner)
			if n, err := countViews(tx, owner, after.Shared); err != nil || n >= maxViews {
				return audit.Change{}, orTooMany(err)
			}
		}
		ok, err := updateView(tx, actor, &after, version)
		if err != nil || !ok {
			return audit.Change{}, orStale(err)
		}
		return audit.Change{Before: before.record(), After: after.record()}, nil
	})
	return after, nameOfView(err)
}

// DeleteView deletes a view. Who may do so is as with EditView.
func (r *Registry) DeleteView(ctx context.Context, actor access.Actor, id ViewID) error {
	v, err := r.View(ctx, actor, id)
	if err != nil {
		return err
	}
	act := viewAct(actor, "app.view.delete", v)
	if err := r.mayKeepView(ctx, actor, act); err != nil {
		return err
	}
	return r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if ok, err := deleteView(tx, actor, id); err != nil || !ok {
			return audit.Change{}, orStale(err)
		}
		return audit.Change{Before: v.record()}, nil
	})
}

// viewAct is an act upon a view: what others see takes the right to change.
func viewAct(actor access.Actor, action string, v View) audit.Act {
	right := access.AppsView
	if v.Shared {
		right = access.AppsManage
	}
	return audit.Act{
		Right: right, Action: action, Organisation: actor.Organisation,
		Target: audit.Target{Kind: "app_view", ID: string(v.ID), Label: v.label()},
	}
}

// label is the name in the trail. What somebody keeps for themselves is nobody else's business.
func (v *View) label() string {
	if v.Shared {
		return v.Name
	}
	return ""
}

// mayKeepView asks for the right, and that the actor is a person: views belong to people.
func (r *Registry) mayKeepView(ctx context.Context, actor access.Actor, act audit.Act) error {
	if err := r.trail.Check(ctx, actor, act); err != nil {
		return err
	}
	if actor.Kind != access.KindPerson {
		return audit.Forbidden(act.Right)
	}
	return nil
}

// fill puts in what was asked for.
func (v *View) fill(n NewView) error {
	q := n.Query
	if err := q.complete(); err != nil {
		return err
	}
	for _, filter := range []struct{ key, value string }{{"category", string(q.Category)}, {"status", string(q.Status)}} {
		if filter.value != "" {
			q.Text += " " + filter.key + ":" + filter.value
		}
	}
	if err := checkFilter(q.Text, q.Zone); err != nil {
		return err
	}
	v.Sort, v.Descending, v.PerPage = q.Sort, q.Descending, q.PerPage
	v.Columns, v.Compact = ParseColumns(FormatColumns(n.Columns)), n.Compact
	var found faults
	var fault *problem.Field
	v.Text, fault = checked("q", q.Text, func(_, value string) (string, *problem.Field) {
		text, fault := identity.Text("app.search", value, 0, MaxQuery)
		if fault != nil {
			fault.Name = "q"
		}
		return text, fault
	})
	found.add(fault)
	found.add(v.rename(n.Name))
	return found.err()
}

func (v *View) rename(name string) (fault *problem.Field) {
	v.Name, fault = checked("name", name, func(_, value string) (string, *problem.Field) {
		return identity.Text("app.view.name", value, 1, 40)
	})
	return fault
}

// record is what the trail keeps of a view: of a private one that it was there, and of none what it searches for, which
// may be people.
func (v *View) record() map[string]any {
	if !v.Shared {
		return map[string]any{"shared": false}
	}
	return map[string]any{"shared": true, "name": v.Name}
}

// nameOfView turns a violated unique key on the name into the field's fault.
func nameOfView(err error) error {
	if database.IsUniqueOn(err, "name_key") {
		return problem.Fields(problem.NewField("name", "app.view.name.taken"))
	}
	return err
}

func orTooMany(err error) error {
	if err != nil {
		return err
	}
	return problem.New(problem.Conflict, "app.view.too_many", "Max", maxViews)
}
