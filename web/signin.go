package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/signin"
	"credenza.example/credenza/templates"
)

// signInForm is the page that asks for the password. Whoever is signed in goes on at once.
func (s *Server) signInForm(c *call) error {
	next := ownPath(oneQuery(c, "next"))
	if c.signedIn() {
		return c.redirect(next)
	}
	return c.render(http.StatusOK, templates.SignInPage(templates.SignIn{
		Frame: c.frame(""), Next: next, Notice: c.signedOutNotice(),
	}))
}

// signedOutNotice says why one has to sign in again.
func (c *call) signedOutNotice() string {
	kept := oneQuery(c, "kept") != ""
	switch {
	case oneQuery(c, "out") != "":
		return c.t("signin.notice.out")
	case c.visit.State != signin.TimedOut:
		return ""
	case c.visit.Idle && kept:
		return c.t("signin.notice.idle_kept", "At", c.visit.EndedAt, "N", int(signin.IdleLimit.Minutes()))
	case c.visit.Idle:
		return c.t("signin.notice.idle", "At", c.visit.EndedAt, "N", int(signin.IdleLimit.Minutes()))
	case kept:
		return c.t("signin.notice.long_kept", "At", c.visit.EndedAt, "N", int(signin.AbsoluteLimit.Hours()))
	default:
		return c.t("signin.notice.long", "At", c.visit.EndedAt, "N", int(signin.AbsoluteLimit.Hours()))
	}
}

func (s *Server) signIn(c *call) error {
	f, err := readForm(c)
	if err != nil {
		return err
	}
	page := templates.SignIn{Frame: c.frame(""), Email: f.one("email"), Next: ownPath(f.one("next"))}
	attempt := signin.Attempt{
		Email: page.Email, Password: signin.NewSecret(f.one("password")),
		Device: cookieValue(c, s.Signin.DeviceCookieName()), Origin: origin(c),
	}
	if err := f.err(); err != nil {
		page.Problem = c.t("problem.form")
		return c.render(http.StatusUnprocessableEntity, templates.SignInPage(page))
	}
	person, err := s.Signin.SignIn(c.Request().Context(), attempt)
	if err != nil {
		return c.signInRefused(page, err)
	}
	c.SetCookie(s.Signin.DeviceCookie(person))
	return c.redirect(page.Next)
}

// signInRefused shows the form again with what to do about it; never with which part was wrong (C47).
func (c *call) signInRefused(page templates.SignIn, err error) error {
	p := problem.As(err)
	switch p.Code {
	case problem.Unauthenticated, problem.Limited, problem.Unavailable:
		page.Problem = c.t(p.Key, pairs(p.Args)...)
		c.retryAfter(p)
		return c.render(statusOf(p.Code), templates.SignInPage(page))
	default:
		return err
	}
}

func (s *Server) signOut(c *call) error {
	if c.signedIn() {
		if err := s.Signin.SignOut(c.Request().Context(), c.actor); err != nil {
			return err
		}
	}
	return c.redirect("/signin?out=1")
}

// ownPath returns a path of this site to go to after signing in; "/" for anything else, so that the sign-in page cannot
// be made to lead elsewhere.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") ||
		u.Host != "" || u.Scheme != "" || u.Path == "/signin" || u.Path == "/signout" || len(next) > 2000 {
		return "/"
	}
	return next
}

// acceptForm is the page behind a one-time link. It uses nothing up: mail scanners follow links.
func (s *Server) acceptForm(c *call) error {
	c.noReferrer()
	page, err := c.acceptPage(oneQuery(c, "token"))
	if err != nil {
		return err
	}
	return c.render(http.StatusOK, templates.AcceptPage(page))
}

// accept sets the password and signs the person in.
func (s *Server) accept(c *call) error {
	c.noReferrer()
	f, err := readForm(c)
	if err != nil {
		return err
	}
	token, password, again := f.one("token"), f.one("password"), f.one("password_again")
	if password != again {
		f.errs = append(f.errs, problem.NewField("password_again", "signin.password.differs"))
	}
	err = f.err()
	if err == nil {
		person, spendErr := s.Signin.SpendLink(c.Request().Context(), signin.NewSecret(token), signin.NewSecret(password), origin(c))
		if spendErr == nil {
			c.SetCookie(s.Signin.DeviceCookie(person))
			return c.redirect("/")
		}
		err = spendErr
	}
	if !problem.Is(err, problem.Invalid) {
		return err
	}
	page, pageErr := c.acceptPage(token)
	if pageErr != nil {
		return errors.Join(pageErr, err)
	}
	page.Errors = c.fieldErrors(err, nil)
	return c.render(http.StatusUnprocessableEntity, templates.AcceptPage(page))
}

func (c *call) acceptPage(token string) (templates.Accept, error) {
	link, err := c.s.Signin.LinkPerson(c.ctx(), signin.NewSecret(token))
	if err != nil {
		return templates.Accept{}, err
	}
	person := link.Person
	org, err := c.s.Identity.Organisation(c.ctx(), person.Organisation)
	if err != nil {
		return templates.Accept{}, err
	}
	return templates.Accept{
		Frame: c.frame(""), Name: person.FirstName, Email: person.Email, Organisation: org.Name, Link: token,
		MinLength: signin.MinPassword, Until: link.ExpiresAt,
	}, nil
}

// noReferrer keeps a link's token from being sent on with the next request (protocol.md §9).
func (c *call) noReferrer() { c.Response().Header().Set("Referrer-Policy", "no-referrer") }
