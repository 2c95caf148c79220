package database

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The values of the label outcome.
const (
	pollGood   = "good"
	pollFailed = "failed"
)

// feedMetrics are what the operator sees of the change feed.
type feedMetrics struct {
	polls     *prometheus.CounterVec // by outcome
	announced prometheus.Counter
	listening prometheus.Gauge
	age       prometheus.GaugeFunc
}

func newFeedMetrics(age func() (time.Duration, bool)) *feedMetrics {
	const namespace, subsystem = "credenza", "feed"
	m := &feedMetrics{
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "polls_total",
			Help: "Looks at the change counter by outcome: good or failed.",
		}, []string{"outcome"}),
		announced: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "notifications_total",
			Help: "Changes that PostgreSQL announced.",
		}),
		listening: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "listening",
			Help: "1 while PostgreSQL announces changes to this process. Without that, and on SQLite, the poll alone finds them.",
		}),
		age: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "age_seconds",
			Help: "How old this process's knowledge of other processes' changes is. Beyond the stale bound it answers 503.",
		}, func() float64 {
			if d, ok := age(); ok {
				return d.Seconds()
			}
			return math.NaN()
		}),
	}
	m.polls.WithLabelValues(pollGood)
	m.polls.WithLabelValues(pollFailed)
	return m
}

// Register shows the feed's metrics.
func (f *Feed) Register(registry prometheus.Registerer) error {
	m := f.metrics
	for _, c := range []prometheus.Collector{m.polls, m.announced, m.listening, m.age} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("database: metrics: %w", err)
		}
	}
	return nil
}
