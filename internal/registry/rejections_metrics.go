package registry

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// rejectMetrics are what the operator sees of counting what was refused. No label has a value from outside.
type rejectMetrics struct {
	shapeless prometheus.Counter
	unknown   prometheus.Counter
	dropped   prometheus.Counter
	flushes   *prometheus.CounterVec
}

func newRejectMetrics() *rejectMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "credenza", Subsystem: "rejections", Name: name, Help: help})
	}
	m := &rejectMetrics{
		shapeless: counter("shapeless_total", "Refused requests that named a client ID which nobody can have registered. Nothing else is kept of them."),
		unknown: counter("unknown_total", "Refused requests that named a client ID which nobody registered, of the prefix of an organisation or of "+
			"none. Organisations see those of their prefix."),
		dropped: counter("dropped_total", "Refused requests that no page tells of, because too many different ones came in a minute or writing "+
			"failed for long. Worth an alarm: somebody may try out client IDs."),
		flushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "credenza", Subsystem: "rejections", Name: "flushes_total",
			Help: "How often what was refused was to be written to the database. Worth an alarm: failed, more than a few in a row.",
		}, []string{"outcome"}),
	}
	for _, outcome := range []string{flushWritten, flushFailed} {
		m.flushes.WithLabelValues(outcome)
	}
	return m
}

// register makes the metrics visible, with how much waits to be written; a nil registry shows nothing.
func (m *rejectMetrics) register(registry prometheus.Registerer, waiting func() float64) error {
	if registry == nil {
		return nil
	}
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "credenza", Subsystem: "rejections", Name: "waiting",
		Help: "Refused requests, those alike taken as one, that are counted and not written yet.",
	}, waiting)
	for _, c := range []prometheus.Collector{m.shapeless, m.unknown, m.dropped, m.flushes, gauge} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("registry: metrics: %w", err)
		}
	}
	return nil
}
