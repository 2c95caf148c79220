package registry

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// The values of the label outcome of flushes.
const (
	flushWritten = "written"
	flushFailed  = "failed"
)

// useMetrics are what the operator sees of counting. No label has a value from outside.
type useMetrics struct {
	dropped prometheus.Counter
	flushes *prometheus.CounterVec
	held    prometheus.Histogram
}

func newUseMetrics() *useMetrics {
	m := &useMetrics{
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "credenza", Subsystem: "use", Name: "dropped_total",
			Help: "Uses of secrets that were never written for want of memory, because writing failed for long or because " +
				"too many secrets are in use. Worth an alarm: last use and counts on the pages are too low.",
		}),
		flushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "credenza", Subsystem: "use", Name: "flushes_total",
			Help: "How often what was counted was to be written to the database. Worth an alarm: failed, more than a few in a row.",
		}, []string{"outcome"}),
		held: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "credenza", Subsystem: "use", Name: "write_seconds",
			Help:    "How long a transaction that writes counts kept other writers waiting. It should stay under 0.05.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1},
		}),
	}
	for _, outcome := range []string{flushWritten, flushFailed} {
		m.flushes.WithLabelValues(outcome)
	}
	return m
}

// register makes the metrics visible, with how much waits to be written; a nil registry shows nothing.
func (m *useMetrics) register(registry prometheus.Registerer, waiting func() float64) error {
	if registry == nil {
		return nil
	}
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "credenza", Subsystem: "use", Name: "waiting",
		Help: "Networks of secrets whose uses are counted and not written yet.",
	}, waiting)
	for _, c := range []prometheus.Collector{m.dropped, m.flushes, m.held, gauge} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("registry: metrics: %w", err)
		}
	}
	return nil
}
