package notify

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// outcomeRetried is the label of an attempt in vain; the others are states.
const outcomeRetried = "retried"

type metrics struct {
	mails *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{mails: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "credenza", Subsystem: "mail", Name: "outcomes_total",
		Help: "Mails by what became of them: sent, refused (a bounce), failed (given up after three days), kept (no mail server), " +
			"and attempts that are repeated: retried. Worth an alarm: retried without sent.",
	}, []string{"outcome"})}
	for _, outcome := range []string{string(Sent), string(Refused), string(Failed), string(Kept), outcomeRetried} {
		m.mails.WithLabelValues(outcome)
	}
	return m
}

func (m *metrics) register(registry prometheus.Registerer) error {
	if registry == nil {
		return nil
	}
	if err := registry.Register(m.mails); err != nil {
		return fmt.Errorf("notify: metrics: %w", err)
	}
	return nil
}
