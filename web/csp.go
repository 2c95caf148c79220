package web

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/oauth"
)

// maxReport bounds a report of a violated content security policy, in bytes.
const maxReport = 8 << 10

// cspReport logs which directive was violated and nothing else of the report, which holds addresses of pages. The
// answer is always 204.
func (s *Server) cspReport(c echo.Context, _ *oauth.Token) error {
	if ok, _ := s.reports.Allow(limit.Network(c.RealIP())); !ok {
		return c.NoContent(http.StatusNoContent)
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxReport))
	var report struct {
		Report struct {
			Directive string `json:"effective-directive"`
			Violated  string `json:"violated-directive"`
		} `json:"csp-report"`
	}
	if err == nil && json.Unmarshal(body, &report) == nil {
		s.Log.LogAttrs(c.Request().Context(), slog.LevelWarn, "content security policy violated",
			slog.String("directive", directiveName(report.Report.Directive, report.Report.Violated)))
	}
	return c.NoContent(http.StatusNoContent)
}

// directiveName returns the first of the names that is a directive of our policy, or of one that a browser splits it
// into (script-src-elem). Any other word would be a stranger's text in the log.
func directiveName(names ...string) string {
	for _, name := range names {
		switch name {
		case "default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem", "style-src-attr",
			"img-src", "font-src", "connect-src", "media-src", "object-src", "frame-src", "child-src", "worker-src", "manifest-src",
			"form-action", "frame-ancestors", "base-uri", "require-trusted-types-for", "trusted-types":
			return name
		}
	}
	return "other"
}
