package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
)

// Total returns how many apps the actor's organisation has, counted up to TotalCap and one more: of how many a search found
// some. It takes apps.view.
func (r *Registry) Total(ctx context.Context, actor access.Actor) (int, error) {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return 0, err
	}
	return r.store.appsTotal(ctx, actor.Organisation, TotalCap+1)
}
