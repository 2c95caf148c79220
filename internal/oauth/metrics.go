package oauth

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// The values of the label endpoint. "live" are the questions of our own APIs.
const (
	endpointToken      = "token"
	endpointIntrospect = "introspect"
	endpointRevoke     = "revoke"
	endpointLive       = "live"
)

// The values of the label outcome beside the reasons of refusals.
const (
	outcomeIssued   = "issued"
	outcomeActive   = "active"
	outcomeInactive = "inactive"
	outcomeRevoked  = "revoked"
	outcomeIgnored  = "ignored" // a token to revoke that is none any more
)

// metrics are what the operator sees of this package. No label has a value from outside, so their number is fixed.
type metrics struct {
	requests *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "credenza", Subsystem: "oauth", Name: "requests_total",
		Help: "Requests to the OAuth endpoints by how they ended. Worth an alarm: unavailable and internal.",
	}, []string{"endpoint", "outcome"})}
	m.start()
	if registry == nil {
		return m, nil
	}
	if err := registry.Register(m.requests); err != nil {
		return nil, fmt.Errorf("oauth: metrics: %w", err)
	}
	return m, nil
}

// start makes the series exist from the beginning, so that an alarm sees the first event as a rise from 0.
func (m *metrics) start() {
	good := map[string][]string{
		endpointToken:      {outcomeIssued},
		endpointIntrospect: {outcomeActive, outcomeInactive},
		endpointRevoke:     {outcomeRevoked, outcomeIgnored},
		endpointLive:       {outcomeActive, outcomeInactive},
	}
	for endpoint, outcomes := range good {
		for _, o := range append(outcomes, string(reasonClient), string(reasonLimited), string(reasonUnavailable), string(reasonInternal)) {
			m.requests.WithLabelValues(endpoint, o)
		}
	}
}

func (m *metrics) count(endpoint, outcome string) {
	m.requests.WithLabelValues(endpoint, outcome).Inc()
}
