package web

import (
	"bytes"
	"math"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/templates"
)

// render draws a page or fragment whole before the first byte is sent, so that a fault while drawing can still become a
// 500.
func (c *call) render(status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(templates.WithAssets(c.ctx(), c.s.assets), &b); err != nil {
		return err
	}
	if err := c.saveSession(); err != nil {
		if !safeMethod(c.Request().Method) {
			return err
		}
		// A page view changes nothing but that a message was shown: it may be shown again.
		c.s.Log.WarnContext(c.ctx(), "the session cannot be saved", "error", err)
	}
	h := c.Response().Header()
	h.Add("Vary", "X-Fragment, Accept-Language, Cookie")
	return c.HTMLBlob(status, b.Bytes())
}

// fragment returns which part of a page the script asks for: "", "results" or "dialog".
func (c *call) fragment() string { return c.Request().Header.Get("X-Fragment") }

// redirect answers a POST that succeeded with the page to see next (303, C27b).
func (c *call) redirect(path string) error {
	if err := c.saveSession(); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, path)
}

// retryAfter tells machines when to come again.
func (c *call) retryAfter(p *problem.Error) {
	if p.RetryAfter > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
}
