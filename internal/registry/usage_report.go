package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
)

// SecretUse is how often a secret was used lately, and from where. Hour counts the last hour, Day the last 24 hours and
// Week the last 7 days; all count whole hours, so up to an hour more: Since is when that of Hour begins. Networks are
// those of the week, the most used first.
type SecretUse struct {
	Hour     int64
	Since    time.Time
	Day      int64
	Week     int64
	Networks []NetworkUse
}

// NetworkUse is the use of a secret from one network. Network is as Network.String has it.
type NetworkUse struct {
	Network    string
	Day        int64
	Week       int64
	LastUsedAt time.Time
}

// Use returns how the secrets of an app were used in the last 7 days; those that were not used are missing. What
// processes counted in the last minute may not be there yet. It takes apps.view; an app may ask about itself without.
// Deleted apps and those of other organisations are not found.
func (r *Registry) Use(ctx context.Context, actor access.Actor, id AppID) (map[SecretID]SecretUse, error) {
	if !isSelf(actor, id) {
		if err := r.mayView(ctx, actor, "app.view"); err != nil {
			return nil, err
		}
	}
	if found, err := r.store.hasApp(ctx, actor.Organisation, id); err != nil {
		return nil, err
	} else if !found {
		return nil, notFound()
	}
	now := r.db.Now().Truncate(time.Hour)
	since := useSince{hour: now.Add(-time.Hour), day: now.Add(-24 * time.Hour), week: now.Add(-7 * 24 * time.Hour)}
	rows, err := r.store.useOf(ctx, actor.Organisation, id, since)
	use := map[SecretID]SecretUse{}
	for _, row := range rows {
		u := use[row.SecretID]
		u.Since = since.hour
		u.Hour += row.Hour
		u.Day += row.Day
		u.Week += row.Week
		u.Networks = append(u.Networks, NetworkUse{row.Network, row.Day, row.Week, moment(row.LastUsedAt)})
		use[row.SecretID] = u
	}
	return use, err
}
