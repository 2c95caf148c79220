package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/problem"
)

// power asks whether the actor holds everything that the app may do: the grant right of every scope, and every effective
// right of its API user (protocol.md §6). It is asked at every act that gives or gives again: register, edit of scopes,
// API user, category or credential type, a new secret, activate. An app as actor passes on only scopes of its own token
// and rights of its own API user; what the actor carries says so already. A resource server takes catalogue.manage.
//
// The answer is nil, or problem.Forbidden with a fault for each of the fields scopes and api_user that goes too far. A
// refusal is recorded.
func (r *Registry) power(ctx context.Context, actor access.Actor, act audit.Act, app *App) error {
	if app.Kind == ResourceServer {
		return r.overCatalogue(ctx, actor, act)
	}
	var found faults
	var beyond []string
	var missing access.Right
	for _, name := range app.Scopes {
		if actor.MayGrant(name) {
			continue
		}
		beyond = append(beyond, name)
		if right, ok := access.GrantRight(name); ok && missing == "" {
			missing = right
		}
	}
	if len(beyond) > 0 {
		found.addNew("scopes", "app.power.scopes", "Scopes", few(beyond), "Right", string(missing))
	}
	rights, err := r.identity.RobotRights(ctx, app.Organisation, app.APIUser.ID)
	if err != nil {
		return err
	}
	for _, right := range rights.Rights() {
		if !actor.Has(right) {
			found.addNew("api_user", "app.power.api_user", "Right", string(right))
			if missing == "" {
				missing = right
			}
			break
		}
	}
	if len(found) == 0 {
		return nil
	}
	r.trail.Refused(ctx, actor, act, found[0].Key)
	refusal := problem.New(problem.Forbidden, "app.power", "Right", string(missing))
	refusal.Fields = found
	return refusal
}
