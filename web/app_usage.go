package web

import (
	"time"

	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// lastDay is how long before its end an old secret that is still used makes the strip warn.
const lastDay = 24 * time.Hour

// silence is after how long without use the old one of two secrets is called safe to retire (ui.md §4.5).
const silence = 24 * time.Hour

// use is the panel that tells who still uses which secret: those that work, and those that were used lately.
func (c *call) use(app registry.App, used map[registry.SecretID]registry.SecretUse) templates.AppUse {
	view := templates.AppUse{LastUsedAt: app.LastUsedAt}
	for _, secret := range usableFirst(app.Secrets) {
		u, lately := used[secret.ID]
		if !lately && !secret.Usable() {
			continue
		}
		row := templates.SecretUse{Label: secret.Label, Hint: secret.Hint, Day: u.Day, Week: u.Week, Over: !secret.Usable()}
		for _, n := range u.Networks {
			row.Networks = append(row.Networks, templates.NetworkUse{Network: n.Network, Week: n.Week})
		}
		view.Secrets = append(view.Secrets, row)
	}
	return view
}

// rotationStrip is what is said while two secrets work; those of an inactive app do not.
func (c *call) rotationStrip(app registry.App, used map[registry.SecretID]registry.SecretUse, now time.Time) *templates.AppRotation {
	usable := app.Usable()
	if len(usable) != 2 || app.Status != registry.Active {
		return nil
	}
	old, fresh := usable[0], usable[1]
	strip := &templates.AppRotation{
		NewHint: fresh.Hint, OldHint: old.Hint, OldEnds: old.EndsAt, OldUsedAt: old.LastUsedAt, OldDay: used[old.ID].Day,
		RetireHref: c.ifManager(retirePath(app.ID, old.ID)),
	}
	if old.State == registry.SecretEnding {
		strip.ExtendHref = c.ifManager(extendPath(app.ID, old.ID))
	}
	silent := now.Sub(old.LastUsedAt) > silence
	for _, n := range used[old.ID].Networks {
		if n.Day > 0 {
			strip.OldNetworks = append(strip.OldNetworks, n.Network)
		}
	}
	switch {
	case !silent && !old.EndsAt.IsZero() && !old.EndsAt.After(now.Add(lastDay)):
		strip.Step = "late"
	case fresh.LastUsedAt.IsZero():
		strip.Step = "waiting"
	case silent:
		strip.Step = "silent"
	default:
		strip.Step = "both"
	}
	return strip
}
