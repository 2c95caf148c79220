package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
)

// maxHolding is how many apps Holding names.
const maxHolding = 50

// ScopeUse returns how many of the organisation's apps hold each scope, inactive ones included; scopes that none holds
// are left out. It takes apps.view.
func (r *Registry) ScopeUse(ctx context.Context, actor access.Actor) (map[string]int, error) {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return nil, err
	}
	return r.store.scopeUse(ctx, actor.Organisation)
}

// NamedApp is an app as a list names it.
type NamedApp struct {
	ID     AppID
	Name   string
	Status Status
}

// Holding returns the organisation's apps that hold a scope, by name, at most 50 of them, and how many there are. It
// takes apps.view.
func (r *Registry) Holding(ctx context.Context, actor access.Actor, scope string) (apps []NamedApp, total int, err error) {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return nil, 0, err
	}
	return r.store.holding(ctx, actor.Organisation, scope)
}
