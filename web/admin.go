package web

import (
	"context"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"credenza.example/credenza/internal/database"
)

// Admin answers on the admin listener, which only operators reach: /livez, /readyz, /metrics and pprof (C77).
type Admin struct {
	mux      *http.ServeMux
	db       *database.DB
	draining atomic.Bool
}

// NewAdmin returns the handlers of the admin listener.
func NewAdmin(db *database.DB, metrics prometheus.Gatherer) *Admin {
	a := &Admin{mux: http.NewServeMux(), db: db}
	a.mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answerText(w, http.StatusOK, "ok") })
	a.mux.HandleFunc("GET /readyz", a.ready)
	a.mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	a.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	a.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	a.mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	a.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return a
}

// ServeHTTP implements http.Handler.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// Drain makes /readyz answer 503 from now on, so that a balancer sends no more requests before the server stops (F11).
func (a *Admin) Drain() { a.draining.Store(true) }

// ready reports whether this process can decide: the database answers and the change feed is fresh.
func (a *Admin) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	switch {
	case a.draining.Load():
		answerText(w, http.StatusServiceUnavailable, "stopping")
	case a.db.Ping(ctx) != nil:
		answerText(w, http.StatusServiceUnavailable, "the database does not answer")
	case a.db.Feed().Fresh(ctx) != nil:
		answerText(w, http.StatusServiceUnavailable, "changes by other processes are not known")
	default:
		answerText(w, http.StatusOK, "ok")
	}
}

func answerText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // a prober that went away needs no answer
}
