package web

import (
	"net/http"
	"net/url"
	"time"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/templates"
)

// pastedForm asks for a secret that somebody came across (ui.md §4.1).
func (s *Server) pastedForm(c *call) error { return s.drawPasted(c, http.StatusOK, nil) }

// pasted leads to the app whose secret it is: to the form that ends it as leaked. The secret stands in the body of this
// request and nowhere else.
func (s *Server) pasted(c *call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	text := f.one(secretField)
	if err = f.err(); err == nil {
		err = s.mayTry(c)
	}
	var app registry.AppID
	var secret registry.SecretID
	if err == nil {
		app, secret, err = s.Registry.Locate(c.ctx(), c.actor, text)
	}
	switch {
	case err == nil:
		return s.toLeaked(c, app, secret)
	case toldInForm(err):
		return s.drawPasted(c, c.sentBack(err), err)
	default:
		return err
	}
}

// toLeaked leads to where a secret is ended, or says that it has ended.
func (s *Server) toLeaked(c *call, id registry.AppID, secretID registry.SecretID) error {
	app, err := s.Registry.App(c.ctx(), c.actor, id)
	if err != nil {
		return err
	}
	secret, _ := app.Secret(secretID)
	if !secret.Usable() {
		return c.done(appPath(id), "apps.flash.pasted_over", "Hint", "…"+secret.Hint, "App", app.Name)
	}
	return c.redirect(rotatePath(id) + "?leaked=" + url.QueryEscape(string(secretID)))
}

func (s *Server) drawPasted(c *call, status int, wrong error) error {
	view := templates.AppPasted{Frame: c.frame("apps"), Action: pastedPath, CancelHref: appsPath}
	if wrong != nil {
		view.Errors = c.fieldErrors(wrong, nil)
	}
	return c.render(status, templates.AppPastedPage(view))
}

// mayTry refuses whoever tries secrets too often.
func (s *Server) mayTry(c *call) error {
	ok, wait := s.tests.Allow(c.actor.ID)
	if ok {
		return nil
	}
	limited := problem.New(problem.Limited, "apps.test.limited", "Seconds", int(wait.Round(time.Second)/time.Second)+1)
	limited.RetryAfter = wait
	return limited
}
