package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/signin"
	"credenza.example/credenza/templates"
)

// zoneCookie holds the reader's time zone; the script sets it once (ui.md §3.5).
const zoneCookie = "tz"

// session finds out who asks and in which language, and keeps both for the handlers.
func (s *Server) session(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ec echo.Context) error {
		cookie := cookieValue(ec, s.Signin.Sessions().Cookie.Name)
		ctx, err := s.Signin.Sessions().Load(ec.Request().Context(), cookie)
		if err != nil {
			return err
		}
		ec.SetRequest(ec.Request().WithContext(withSession(ctx)))
		visit, err := s.Signin.Resolve(ctx, cookie)
		if err != nil {
			return err
		}
		c := s.strangersCall(ec)
		c.visit, c.cookie, c.actor = visit, cookie, visit.Actor
		c.actor.Origin = origin(ec)
		ec.Set(callKey, c)
		return next(ec)
	}
}

// strangersCall is the call of somebody who is not known, or not known yet.
func (s *Server) strangersCall(ec echo.Context) *call {
	r := ec.Request()
	language := s.Messages.For(r.Header.Get("Accept-Language"))
	zone := s.Messages.Zone(cookieText(ec, zoneCookie))
	return &call{Context: ec, s: s, text: i18n.With(r.Context(), language, zone), zone: zone}
}

func origin(ec echo.Context) access.Origin {
	return access.Origin{Address: ec.RealIP(), UserAgent: ec.Request().UserAgent(), RequestID: requestID(ec)}
}

func cookieValue(ec echo.Context, name string) string {
	cookie, err := ec.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// cookieText is the value of a cookie that a script wrote with encodeURIComponent.
func cookieText(ec echo.Context, name string) string {
	text, err := url.QueryUnescape(cookieValue(ec, name))
	if err != nil {
		return ""
	}
	return text
}

func (s *Server) hasSessionCookie(r *http.Request) bool {
	_, err := r.Cookie(s.Signin.Sessions().Cookie.Name)
	return err == nil
}

// saveSession writes what the handler changed of the session, before the first byte of the answer: a sign-in whose
// session could not be stored must not look like one.
func (c *call) saveSession() error {
	sessions, ctx := c.s.Signin.Sessions(), c.Request().Context()
	if c.failing || ctx.Value(sessionKnown{}) == nil {
		return nil
	}
	switch sessions.Status(ctx) {
	case scs.Modified:
		token, expires, err := sessions.Commit(ctx)
		if err != nil {
			return problem.Wrap(err, problem.Unavailable, "problem.unavailable")
		}
		sessions.WriteSessionCookie(ctx, c.Response(), token, expires)
	case scs.Destroyed:
		sessions.WriteSessionCookie(ctx, c.Response(), "", time.Time{})
	case scs.Unmodified:
	}
	return nil
}

// flash keeps a message for the page that the answer redirects to. Its arguments are texts and whole numbers.
func (c *call) flash(kind, key string, args ...any) error {
	f := signin.Flash{Kind: kind, Key: key, Args: map[string]string{}, Numbers: map[string]int{}}
	for i := 0; i+1 < len(args); i += 2 {
		name, ok := args[i].(string)
		if !ok {
			continue
		}
		switch value := args[i+1].(type) {
		case string:
			f.Args[name] = value
		case int:
			f.Numbers[name] = value
		}
	}
	return c.s.Signin.PutFlash(c.Request().Context(), f)
}

// takeFlash returns the message that was kept for this page, if any.
func (c *call) takeFlash() *templates.Flash {
	if !c.signedIn() || c.fragment() != "" || c.failing {
		return nil
	}
	f, ok := c.s.Signin.TakeFlash(c.Request().Context())
	if !ok {
		return nil
	}
	args := make([]any, 0, 2*(len(f.Args)+len(f.Numbers)))
	for name, value := range f.Args {
		args = append(args, name, value)
	}
	for name, value := range f.Numbers {
		args = append(args, name, value)
	}
	return &templates.Flash{Kind: f.Kind, Text: c.t(f.Key, args...)}
}

// restoreParam marks the address of a form whose text was kept while nobody was signed in.
const restoreParam = "restore"

// askToSignIn sends a page view to the sign-in page, and a form after keeping what was typed, where its page can give it
// back (ui.md §3.5). The script gets 401.
func (s *Server) askToSignIn(c *call, asked route) error {
	if c.fragment() != "" {
		return problem.New(problem.Unauthenticated, "problem.unauthenticated")
	}
	r := c.Request()
	back := url.Values{}
	if safeMethod(r.Method) {
		back.Set("next", r.URL.RequestURI())
	} else {
		path, keeps := asked.formPage(r.URL.Path)
		f, err := readPosted(c)
		if err != nil {
			return err
		}
		if keeps {
			if keeps, err = s.Signin.SaveDraft(c.ctx(), c.cookie, path, f.values); err != nil {
				return err
			}
		}
		if keeps {
			back.Set("kept", "1")
			path += "?" + restoreParam + "=1"
		}
		back.Set("next", path)
	}
	return c.redirect("/signin?" + back.Encode())
}

// draft returns what the person had typed into this form when the session ended, or nil. It stays until it expires: a
// reload must not lose it.
func (c *call) draft() url.Values {
	if oneQuery(c, restoreParam) == "" {
		return nil
	}
	form, ok, err := c.s.Signin.Draft(c.ctx(), identity.PersonID(c.actor.ID), c.Request().URL.Path)
	if err != nil {
		c.s.Log.WarnContext(c.ctx(), "a kept form cannot be read", "error", err)
	}
	if err != nil || !ok {
		return nil
	}
	return form
}

// sessionKnown marks contexts that session data was loaded into; asking scs about another one panics.
type sessionKnown struct{}

func withSession(ctx context.Context) context.Context {
	return context.WithValue(ctx, sessionKnown{}, true)
}
