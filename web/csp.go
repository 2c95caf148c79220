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

// directiveName returns the first of the names that has the form of a directive: lower-case letters and hyphens.
func directiveName(names ...string) string {
	for _, name := range names {
		ok := name != "" && len(name) <= 40
		for _, r := range name {
			ok = ok && (r == '-' || (r >= 'a' && r <= 'z'))
		}
		if ok {
			return name
		}
	}
	return "unknown"
}
