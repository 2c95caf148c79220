package web_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"credenza.example/credenza/web"
)

// F5, F7: no request waits for ever, and who waited can still be told.
func TestF5_RequestsEnd(t *testing.T) {
	var deadline time.Time
	server := web.HTTPServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		deadline, _ = r.Context().Deadline()
	}), slog.New(slog.DiscardHandler))
	began := time.Now()
	server.Handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if deadline.IsZero() || !deadline.Before(began.Add(server.WriteTimeout)) {
		t.Errorf("deadline %v, begun %v, to be answered within %v", deadline, began, server.WriteTimeout)
	}
}
