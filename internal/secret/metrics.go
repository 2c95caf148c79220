package secret

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The values of the label use: what bcrypt ran for.
const (
	useVerify = "verify"
	useMake   = "make"
)

// The values of the label outcome.
const (
	outcomeAccepted    = "accepted"
	outcomeRefused     = "refused"
	outcomeUnavailable = "unavailable"
)

// metrics are what the operator sees of this package. No label has a value from outside, so their number is fixed.
type metrics struct {
	verifications *prometheus.CounterVec   // by gate and outcome
	bcrypts       *prometheus.CounterVec   // by use
	cache         *prometheus.CounterVec   // by result
	wait          *prometheus.HistogramVec // by use
	run           *prometheus.HistogramVec // by use
	waiting       prometheus.GaugeFunc
}

func newMetrics(waiting func() float64) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "credenza", Subsystem: "secret", Name: name, Help: help,
		}, labels)
	}
	seconds := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "credenza", Subsystem: "secret", Name: name, Help: help,
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .2, .4, .8, 1.6, 3.2},
		}, []string{"use"})
	}
	m := &metrics{
		verifications: counter("verifications_total",
			"Presented client secrets by the gate that decided. Worth an alarm: hash refused (an old or stolen secret, "+
				"or a leaked tag key), guard refused (a stored hash was changed), queue unavailable (overload).",
			"gate", "outcome"),
		bcrypts: counter("bcrypts_total", "bcrypt computations by use: verify or make.", "use"),
		cache:   counter("cache_lookups_total", "Looks into the cache of verified secrets by result: hit or miss.", "result"),
		wait:    seconds("bcrypt_wait_seconds", "Time that a bcrypt computation waited for its turn."),
		run:     seconds("bcrypt_seconds", "Time that a bcrypt computation took."),
		waiting: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "credenza", Subsystem: "secret", Name: "bcrypt_waiting",
			Help: "bcrypt computations that wait for their turn now.",
		}, waiting),
	}
	m.start()
	return m
}

// start makes every series exist from the beginning, so that an alarm sees the first event as a rise from 0.
func (m *metrics) start() {
	ends := map[string][]Gate{
		outcomeAccepted:    {GateCache, GateHash},
		outcomeRefused:     {GateShape, GateTag, GateLookup, GateGuard, GateHash, GateRecheck},
		outcomeUnavailable: {GateLookup, GateQueue, GateRecheck},
	}
	for outcome, gates := range ends {
		for _, gate := range gates {
			m.verifications.WithLabelValues(string(gate), outcome)
		}
	}
	for _, use := range []string{useVerify, useMake} {
		m.bcrypts.WithLabelValues(use)
		m.wait.WithLabelValues(use)
		m.run.WithLabelValues(use)
	}
	m.cache.WithLabelValues("hit")
	m.cache.WithLabelValues("miss")
}

func (m *metrics) register(registry prometheus.Registerer) error {
	if registry == nil {
		return nil
	}
	for _, c := range []prometheus.Collector{m.verifications, m.bcrypts, m.cache, m.wait, m.run, m.waiting} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("secret: metrics: %w", err)
		}
	}
	return nil
}

// verified counts an end of a verification.
func (m *metrics) verified(gate Gate, outcome string) {
	m.verifications.WithLabelValues(string(gate), outcome).Inc()
}

// looked counts a look into the cache.
func (m *metrics) looked(hit bool) {
	result := "miss"
	if hit {
		result = "hit"
	}
	m.cache.WithLabelValues(result).Inc()
}

// ran counts a bcrypt computation.
func (m *metrics) ran(use string, waited, took time.Duration) {
	m.bcrypts.WithLabelValues(use).Inc()
	m.wait.WithLabelValues(use).Observe(waited.Seconds())
	m.run.WithLabelValues(use).Observe(took.Seconds())
}
