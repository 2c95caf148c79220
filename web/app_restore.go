package web

import (
	"net/http"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// restoreForm asks before a retired secret works again; one that cannot be restored says why (product.md decision 17).
func (s *Server) restoreForm(c *call) error {
	app, secret, err := c.appSecret()
	if err != nil {
		return err
	}
	if secret.Usable() {
		return c.redirect(appPath(app.ID))
	}
	return c.confirm(http.StatusOK, c.restoreView(app, secret))
}

// restore makes the secret usable again.
func (s *Server) restore(c *call) error {
	app, secret, err := c.appSecret()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	f.version() // sent by every question; a secret has no use for it
	if err = f.err(); err == nil {
		err = s.Registry.Restore(c.ctx(), c.actor, app.ID, secret.ID)
	}
	switch {
	case err == nil:
		return c.done(appPath(app.ID), "apps.flash.restored", "Hint", "…"+secret.Hint, "App", app.Name)
	case !toldInForm(err):
		return err
	}
	view := c.restoreView(app, secret)
	if view.Refusal == "" {
		view.Errors = c.fieldErrors(err, confirmNames())
	}
	return c.confirm(c.sentBack(err), view)
}

func (c *call) restoreView(app registry.App, secret registry.Secret) templates.AppConfirm {
	now := c.s.DB.Now()
	view := c.confirmView(app, "restore", restorePath(app.ID, secret.ID))
	view.Label, view.Hint, view.EndsAt = secret.Label, secret.Hint, app.RestoredUntil(secret, now)
	if err := app.Restorable(secret, now); err != nil {
		view.Refusal, view.RefusalText = "restore", c.fieldErrors(err, nil)[0].Text
		view.RotateHref = c.ifManager(rotatePath(app.ID))
	}
	return view
}

// extendInput is the form of an extension as it was typed.
type extendInput struct{ end, endAt string }

// extendForm asks until when a secret that a rotation ends shall work (ui.md §4.5).
func (s *Server) extendForm(c *call) error {
	app, secret, err := c.appSecret()
	if err != nil {
		return err
	}
	if secret.State != registry.SecretEnding {
		return c.redirect(appPath(app.ID))
	}
	return s.drawExtend(c, http.StatusOK, extendInput{}, nil)
}

// extend puts off the end of the secret.
func (s *Server) extend(c *call) error {
	app, secret, err := c.appSecret()
	if err != nil {
		return err
	}
	f, err := readForm(c)
	if err != nil {
		return err
	}
	in := extendInput{end: f.one("end"), endAt: f.one("end_at")}
	until := registry.End{Choice: registry.EndChoice(in.end)}
	if until.Choice == registry.EndsOn {
		until.At = c.ownMinute(in.endAt)
	}
	if err = f.err(); err == nil {
		err = s.Registry.Extend(c.ctx(), c.actor, app.ID, secret.ID, until)
	}
	switch {
	case err == nil:
		return c.done(appPath(app.ID), "apps.flash.extended", "Hint", "…"+secret.Hint, "App", app.Name)
	case !toldInForm(err):
		return err
	}
	return s.drawExtend(c, c.sentBack(err), in, err)
}

// drawExtend draws the form with the secret as it is now.
func (s *Server) drawExtend(c *call, status int, in extendInput, wrong error) error {
	app, secret, err := c.appSecret()
	if err != nil {
		return err
	}
	view := templates.AppExtend{
		Frame: c.frame("apps"), Action: extendPath(app.ID, secret.ID), CancelHref: appPath(app.ID), AppName: app.Name,
		Label: secret.Label, Hint: secret.Hint, EndsAt: secret.EndsAt, ExpiresAt: secret.ExpiresAt,
		End: in.end, EndAt: in.endAt, Zone: c.zoneName(),
	}
	options, earliest, latest := s.Registry.ExtendOptions(secret)
	view.EndChoices, view.EndMin, view.EndMax = c.endChoicesOf(options, earliest, latest)
	if view.End == "" {
		view.End = string(options[0].Choice)
	}
	if wrong != nil {
		names := map[string]string{"until": "end", "scopes": "", "api_user": ""}
		if in.end == string(registry.EndsOn) {
			names["until"] = "end_at"
		}
		view.Errors = c.fieldErrors(wrong, names)
		if problem.Is(wrong, problem.Conflict) {
			view.Over = true
		}
	}
	return c.render(status, templates.AppExtendPage(view))
}
