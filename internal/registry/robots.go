package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// RobotUse returns when apps that act as these robot accounts of the actor's organisation last used a secret: the last
// sign-in of the accounts, up to a minute late. Deleted apps count; one that acted as another account before brings its
// last use along. An account that nobody signed in as has no entry. It takes robots.view.
func (r *Registry) RobotUse(ctx context.Context, actor access.Actor, ids ...identity.RobotID) (map[identity.RobotID]time.Time, error) {
	act := audit.Act{Right: access.RobotsView, Action: "robot.use", Organisation: actor.Organisation}
	if err := r.trail.Check(ctx, actor, act); err != nil || len(ids) == 0 {
		return nil, err
	}
	return r.store.robotUse(ctx, actor.Organisation, ids)
}

// inUse is the refusal to delete a robot account that apps act as (product.md decision 14).
func inUse(robot string, apps []string) error {
	return problem.New(problem.Conflict, "identity.robot_in_use", "Name", robot, "Apps", few(apps), "N", len(apps))
}
