package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
)

// APIUse returns how many apps hold one of the scopes, or introspect the tokens of the API: of every organisation for
// holders of catalogue.manage, else of the actor's own, which takes apps.manage. It is asked before scopes or an API
// leave the catalogue.
func (r *Registry) APIUse(ctx context.Context, actor access.Actor, api string, scopes []string) (int, error) {
	act := audit.Act{Right: access.AppsManage, Action: "catalogue.api_remove", Organisation: actor.Organisation}
	org := actor.Organisation
	if actor.Has(access.CatalogueManage) {
		act.Right, org = access.CatalogueManage, ""
	}
	if err := r.trail.Check(ctx, actor, act); err != nil {
		return 0, err
	}
	return r.store.apiUse(ctx, org, api, scopes)
}
