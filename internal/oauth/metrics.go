package oauth

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// The values of the label endpoint. "live" are the questions of our own APIs, "gateway" the checks of calls.
const (
	endpointToken      = "token"
	endpointIntrospect = "introspect"
	endpointRevoke     = "revoke"
	endpointLive       = "live"
	endpointGateway    = "gateway"
)

// The values of the label outcome beside the reasons of refusals.
const (
	outcomeIssued   = "issued"
	outcomeActive   = "active"
	outcomeInactive = "inactive"
	outcomeRevoked  = "revoked"
	outcomeIgnored  = "ignored" // a token to revoke that is none any more
)

// How a token's signature was judged: it was verified before, it was verified now, or it is none of ours.
const (
	signatureKnown   = "known"
	signatureNew     = "new"
	signatureRefused = "refused"
)

// metrics are what the operator sees of this package. No label has a value from outside, so their number is fixed.
type metrics struct {
	requests   *prometheus.CounterVec
	issued     prometheus.Counter // the one of requests that nearly every request raises
	signatures *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "credenza", Subsystem: "oauth", Name: "requests_total",
		Help: "Requests to the OAuth endpoints by how they ended. Worth an alarm: unavailable and internal.",
	}, []string{"endpoint", "outcome"}), signatures: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "credenza", Subsystem: "oauth", Name: "signatures_total",
		Help: "Access tokens shown, by how their signature was judged: known (verified before), new, refused.",
	}, []string{"outcome"})}
	m.start()
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.signatures} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("oauth: metrics: %w", err)
		}
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
		endpointGateway: {
			outcomeAllowed, outcomeNoToken, outcomeOtherAPI, outcomeNoUser, outcomeNoScope, outcomeUndescribed, outcomeClosed,
			outcomeCrooked, outcomeUnknownAPI,
		},
	}
	for endpoint, outcomes := range good {
		for _, o := range append(outcomes, string(reasonClient), string(reasonLimited), string(reasonUnavailable), string(reasonInternal)) {
			m.requests.WithLabelValues(endpoint, o)
		}
	}
	m.issued = m.requests.WithLabelValues(endpointToken, outcomeIssued)
	for _, o := range []string{signatureKnown, signatureNew, signatureRefused} {
		m.signatures.WithLabelValues(o)
	}
}

func (m *metrics) verified(outcome string) { m.signatures.WithLabelValues(outcome).Inc() }

func (m *metrics) count(endpoint, outcome string) {
	if endpoint == endpointToken && outcome == outcomeIssued {
		m.issued.Inc()
		return
	}
	m.requests.WithLabelValues(endpoint, outcome).Inc()
}
