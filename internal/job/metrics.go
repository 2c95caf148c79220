package job

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the operator sees of jobs. Kinds are names in the code.
type metrics struct {
	runs    *prometheus.CounterVec
	running *prometheus.GaugeVec
	waiting prometheus.Gauge
	dead    prometheus.Gauge
}

func newMetrics() *metrics {
	const namespace, subsystem = "credenza", "jobs"
	return &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "runs_total",
			Help: "Runs of jobs by kind and outcome: done, retried, dead, cancelled, released (the process stopped) or lost " +
				"(another process took over). Worth an alarm: dead.",
		}, []string{"kind", "outcome"}),
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "running",
			Help: "Jobs that run in this process, by kind.",
		}, []string{"kind"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "overdue",
			Help: "Jobs of the installation whose time has come and that nobody runs, counted every ten minutes.",
		}),
		dead: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "dead",
			Help: "Jobs of the installation that failed for good within 90 days, counted every ten minutes.",
		}),
	}
}

func (m *metrics) register(registry prometheus.Registerer) error {
	if registry == nil {
		return nil
	}
	for _, c := range []prometheus.Collector{m.runs, m.running, m.waiting, m.dead} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("job: metrics: %w", err)
		}
	}
	return nil
}
