package registry

import (
	"context"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// App returns an app of the actor's organisation with everything a page shows of it. It takes apps.view; an app may
// read itself without. Deleted apps and those of other organisations are not found.
func (r *Registry) App(ctx context.Context, actor access.Actor, id AppID) (App, error) {
	if !isSelf(actor, id) {
		if err := r.mayView(ctx, actor, "app.view"); err != nil {
			return App{}, err
		}
	}
	app, found, err := r.store.loadApp(ctx, actor.Organisation, id)
	return r.complete(ctx, app, found, err)
}

// ByClientID is App for those who know an app by its client ID: the command line, and an app that asks about itself.
func (r *Registry) ByClientID(ctx context.Context, actor access.Actor, clientID string) (App, error) {
	if !validClientID(clientID) {
		return App{}, notFound()
	}
	app, found, err := r.store.loadByClientID(ctx, actor.Organisation, clientID)
	if !found || !isSelf(actor, app.ID) {
		if err := r.mayView(ctx, actor, "app.view"); err != nil {
			return App{}, err
		}
	}
	return r.complete(ctx, app, found, err)
}

// isSelf reports whether the actor is this very app.
func isSelf(actor access.Actor, id AppID) bool {
	return actor.Kind == access.KindApp && actor.ID == string(id) && id != ""
}

// complete fills in what other tables know: the names of authors and the API user.
func (r *Registry) complete(ctx context.Context, app App, found bool, err error) (App, error) {
	if err != nil {
		return App{}, err
	}
	if !found {
		return App{}, notFound()
	}
	authors := []*Author{&app.CreatedBy, &app.ModifiedBy}
	for i := range app.Secrets {
		authors = append(authors, &app.Secrets[i].CreatedBy)
	}
	if err := r.store.nameAuthors(ctx, app.Organisation, authors); err != nil {
		return App{}, err
	}
	if app.Kind == Caller {
		app.APIUser, err = r.apiUser(ctx, app.Organisation, app.APIUser.ID)
	}
	return app, err
}

// apiUser returns the robot account an app acts as. One that is no API user any more keeps its ID alone: it is not
// live.
func (r *Registry) apiUser(ctx context.Context, org access.OrganisationID, id identity.RobotID) (identity.RobotAccount, error) {
	user, err := r.identity.APIUser(ctx, org, id)
	if problem.Is(err, problem.NotFound) {
		return identity.RobotAccount{ID: id, Organisation: org}, nil
	}
	return user, err
}

// APIUserOption is an API user with the categories of apps that may act as it.
type APIUserOption struct {
	identity.RobotAccount

	Categories []Category
}

// APIUsers returns the live API users of the actor's organisation for a form to offer (product.md decision 3), in the
// order of the categories that may choose them.
func (r *Registry) APIUsers(ctx context.Context, actor access.Actor) ([]APIUserOption, error) {
	users, err := r.identity.APIUsers(ctx, actor.Organisation)
	if err != nil {
		return nil, err
	}
	now := r.db.Now()
	var options []APIUserOption
	for _, u := range users {
		o := APIUserOption{RobotAccount: u}
		for _, category := range Categories() {
			if slices.Contains(kindsFor(category), u.Kind) {
				o.Categories = append(o.Categories, category)
			}
		}
		if len(o.Categories) > 0 && u.Live(now) {
			options = append(options, o)
		}
	}
	slices.SortStableFunc(options, func(a, b APIUserOption) int {
		return slices.Index(Categories(), a.Categories[0]) - slices.Index(Categories(), b.Categories[0])
	})
	return options, nil
}

// kindsFor returns the kinds of API users that an app of the category may act as.
func kindsFor(category Category) []identity.RobotKind {
	switch category {
	case Customer:
		return []identity.RobotKind{identity.KindClient}
	case Supplier:
		return []identity.RobotKind{identity.KindSupplier}
	case MSP:
		return []identity.RobotKind{identity.KindMSP}
	case Partner:
		return []identity.RobotKind{identity.KindClient, identity.KindSupplier, identity.KindMSP}
	default:
		return nil
	}
}
