package secret

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/problem"
)

// The values of the label use: what bcrypt ran for.
const (
	useVerify = "verify"
	useMake   = "make"
	useRehash = "rehash"
)

// The values of the label outcome.
const (
	outcomeAccepted    = "accepted"
	outcomeRefused     = "refused"
	outcomeLimited     = "limited"
	outcomeUnavailable = "unavailable"
)

// The values of the label result of rehashes.
const (
	rehashKept      = "kept"
	rehashOvertaken = "overtaken" // the old hash was not there any more
	rehashDropped   = "dropped"   // no room, or no turn in time
	rehashFailed    = "failed"    // it could not be stored
)

// laneNames are the values of the label lane.
var laneNames = [lanes]string{lanePortal: "portal", laneSeen: "seen", laneNew: "new", laneRehash: "rehash"}

// ending is how a verification ended.
type ending struct {
	gate    Gate
	outcome string
}

// metrics are what the operator sees of this package. No label has a value from outside, so their number is fixed.
type metrics struct {
	verifications *prometheus.CounterVec   // by gate and outcome
	bcrypts       *prometheus.CounterVec   // by use
	cache         *prometheus.CounterVec   // by result
	rehashes      *prometheus.CounterVec   // by result
	wait          *prometheus.HistogramVec // by lane
	run           *prometheus.HistogramVec // by use
	waiting       []prometheus.Collector   // by lane

	// The counters of every warm token, found once.
	endings   map[ending]prometheus.Counter
	hit, miss prometheus.Counter
}

func newMetrics(waiting func(lane) int) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "credenza", Subsystem: "secret", Name: name, Help: help,
		}, labels)
	}
	seconds := func(name, label, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "credenza", Subsystem: "secret", Name: name, Help: help,
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .2, .4, .8, 1.6, 3.2},
		}, []string{label})
	}
	m := &metrics{
		verifications: counter("verifications_total",
			"Presented client secrets by the gate that decided. Worth an alarm: hash refused (an old or stolen secret, "+
				"or a leaked tag key), guard refused (a stored hash was changed), queue unavailable (overload).",
			"gate", "outcome"),
		bcrypts: counter("bcrypts_total", "bcrypt computations by use: verify, make or rehash.", "use"),
		cache:   counter("cache_lookups_total", "Looks into the cache of verified secrets by result: hit or miss.", "result"),
		rehashes: counter("rehashes_total", "Secrets to be hashed again at a raised cost by result: kept, overtaken (somebody "+
			"else did it), dropped (no turn; it comes again), failed (could not be stored).", "result"),
		wait: seconds("bcrypt_wait_seconds", "lane", "Time that a bcrypt computation waited for its turn, by lane: portal (a new "+
			"secret), seen (a client where it was seen good), new (a client elsewhere), rehash."),
		run: seconds("bcrypt_seconds", "use", "Time that a bcrypt computation took, by use: verify, make or rehash."),
	}
	for i, name := range laneNames {
		m.waiting = append(m.waiting, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "credenza", Subsystem: "secret", Name: "bcrypt_waiting",
			Help:        "bcrypt computations that wait for their turn now, by lane.",
			ConstLabels: prometheus.Labels{"lane": name},
		}, func() float64 { return float64(waiting(lane(i))) }))
	}
	m.start()
	return m
}

// start makes every series exist from the beginning, so that an alarm sees the first event as a rise from 0.
func (m *metrics) start() {
	ends := map[string][]Gate{
		outcomeAccepted:    {GateCache, GateHash},
		outcomeRefused:     {GateShape, GateTag, GateLookup, GateNegative, GateGuard, GateHash, GateRecheck},
		outcomeLimited:     {GateLimitNetwork, GateLimitCredential},
		outcomeUnavailable: {GateLookup, GateQueue, GateRecheck},
	}
	m.endings = map[ending]prometheus.Counter{}
	for outcome, gates := range ends {
		for _, gate := range gates {
			m.endings[ending{gate, outcome}] = m.verifications.WithLabelValues(string(gate), outcome)
		}
	}
	for _, use := range []string{useVerify, useMake, useRehash} {
		m.bcrypts.WithLabelValues(use)
		m.run.WithLabelValues(use)
	}
	for _, name := range laneNames {
		m.wait.WithLabelValues(name)
	}
	for _, result := range []string{rehashKept, rehashOvertaken, rehashDropped, rehashFailed} {
		m.rehashes.WithLabelValues(result)
	}
	m.hit, m.miss = m.cache.WithLabelValues("hit"), m.cache.WithLabelValues("miss")
}

func (m *metrics) register(registry prometheus.Registerer) error {
	if registry == nil {
		return nil
	}
	all := append([]prometheus.Collector{m.verifications, m.bcrypts, m.cache, m.rehashes, m.wait, m.run}, m.waiting...)
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("secret: metrics: %w", err)
		}
	}
	return nil
}

// outcomeOf names how a verification ended with this error.
func outcomeOf(err error) string {
	switch {
	case err == nil:
		return outcomeAccepted
	case errors.Is(err, ErrWrong):
		return outcomeRefused
	case problem.Is(err, problem.Limited):
		return outcomeLimited
	default:
		return outcomeUnavailable
	}
}

// verified counts an end of a verification.
func (m *metrics) verified(gate Gate, outcome string) {
	if c, ok := m.endings[ending{gate, outcome}]; ok {
		c.Inc()
		return
	}
	m.verifications.WithLabelValues(string(gate), outcome).Inc()
}

// looked counts a look into the cache.
func (m *metrics) looked(hit bool) {
	if hit {
		m.hit.Inc()
		return
	}
	m.miss.Inc()
}

// ran counts a bcrypt computation.
func (m *metrics) ran(use string, in lane, waited, took time.Duration) {
	m.bcrypts.WithLabelValues(use).Inc()
	m.wait.WithLabelValues(laneNames[in]).Observe(waited.Seconds())
	m.run.WithLabelValues(use).Observe(took.Seconds())
}

// rehashed counts how hashing a secret again ended.
func (m *metrics) rehashed(result string) { m.rehashes.WithLabelValues(result).Inc() }
