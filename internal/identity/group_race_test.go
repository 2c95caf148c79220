package identity_test

import (
	"errors"
	"sync"
	"testing"

	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// TestC55c_MembersAtOnce: many writers of one group, of one robot account, and its deletion end in a state that holds
// together, and nobody hears of a fault of ours.
func TestC55c_MembersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		group, other := h.group(t, "Able", nil), h.group(t, "Baker", nil)
		robot := h.robot(t, "Nightly")
		add, drop := []string{string(group.ID), string(other.ID)}, []string{string(group.ID)}
		acts := []func() error{
			func() error {
				_, err := h.ChangeRobot(t.Context(), operator(), h.acme.ID, robot.ID, identity.RobotChange{AddGroups: add})
				return err
			},
			func() error {
				_, err := h.ChangeRobot(t.Context(), operator(), h.acme.ID, robot.ID, identity.RobotChange{RemoveGroups: drop})
				return err
			},
			func() error {
				_, err := h.ChangeGroup(t.Context(), operator(), h.acme.ID, group.ID, identity.GroupChange{Add: []string{string(robot.ID)}})
				return err
			},
			func() error {
				_, err := h.ChangeGroup(t.Context(), operator(), h.acme.ID, group.ID, identity.GroupChange{Remove: []string{string(robot.ID)}})
				return err
			},
			func() error { return h.DeleteGroups(t.Context(), operator(), h.acme.ID, []string{string(other.ID)}) },
			func() error { return h.DeleteRobots(t.Context(), operator(), h.acme.ID, []string{string(robot.ID)}) },
		}
		var wg sync.WaitGroup
		found := make([]error, 4*len(acts))
		for i := range found {
			wg.Go(func() { found[i] = acts[i%len(acts)]() })
		}
		wg.Wait()
		for _, err := range found {
			switch {
			case err == nil, problem.Is(err, problem.NotFound), problem.Is(err, problem.Stale), problem.Is(err, problem.Invalid):
			default:
				t.Error(err, errors.Unwrap(err))
			}
		}
		members, err := h.MembersOf(t.Context(), operator(), h.acme.ID, group.ID, other.ID)
		if err != nil || len(members) != 0 {
			t.Errorf("members of what is gone: %v, %v", members, err)
		}
		_, err = h.Robot(t.Context(), operator(), h.acme.ID, robot.ID)
		wantCode(t, err, problem.NotFound)
	})
}
