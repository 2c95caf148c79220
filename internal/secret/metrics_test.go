package secret_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"credenza.example/credenza/internal/secret"
)

func TestMetricsCountByGate(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := newWorld(t, secret.Params{}, nil, registry)
	good := w.issue(t, clientA, 1)
	wrong := makeFor(t, w.keys, clientA, 1).Secret.Reveal()
	for _, presented := range []string{good, good, good, "nonsense", sealed(changed(good, 30, 1)), wrong, wrong} {
		_, _ = w.verify(t, clientA, presented)
	}
	for i := range 31 {
		_, _ = w.from(t, netA, clientA, fmt.Sprint("nonsense", i))
	}
	for range 21 {
		_, _ = w.from(t, netA, clientA, wrong)
	}
	w.retire(clientA, 1)
	_, _ = w.verify(t, clientA, good)
	want := `
# HELP credenza_secret_bcrypts_total bcrypt computations by use: verify, make or rehash.
# TYPE credenza_secret_bcrypts_total counter
credenza_secret_bcrypts_total{use="make"} 1
credenza_secret_bcrypts_total{use="rehash"} 0
credenza_secret_bcrypts_total{use="verify"} 2
# HELP credenza_secret_bcrypt_waiting bcrypt computations that wait for their turn now, by lane.
# TYPE credenza_secret_bcrypt_waiting gauge
credenza_secret_bcrypt_waiting{lane="new"} 0
credenza_secret_bcrypt_waiting{lane="portal"} 0
credenza_secret_bcrypt_waiting{lane="rehash"} 0
credenza_secret_bcrypt_waiting{lane="seen"} 0
# HELP credenza_secret_cache_lookups_total Looks into the cache of verified secrets by result: hit or miss.
# TYPE credenza_secret_cache_lookups_total counter
credenza_secret_cache_lookups_total{result="hit"} 2
credenza_secret_cache_lookups_total{result="miss"} 24
`
	names := []string{
		"credenza_secret_bcrypts_total", "credenza_secret_bcrypt_waiting", "credenza_secret_cache_lookups_total",
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	for labels, want := range map[[2]string]float64{
		{"hash", "accepted"}: 1, {"cache", "accepted"}: 2, {"shape", "refused"}: 31, {"tag", "refused"}: 1,
		{"hash", "refused"}: 1, {"lookup", "refused"}: 1, {"guard", "refused"}: 0, {"queue", "unavailable"}: 0,
		{"negative", "refused"}: 20, {"limit_network", "limited"}: 1, {"limit_credential", "limited"}: 2,
	} {
		if got := testutil.ToFloat64(w.verifier.Verifications().WithLabelValues(labels[:]...)); got != want {
			t.Errorf("%v: %v, want %v", labels, got, want)
		}
	}
}

// TestMetricsHaveAFixedNumberOfSeries: every series exists from the start, and no verification adds one.
func TestMetricsHaveAFixedNumberOfSeries(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := newWorld(t, secret.Params{}, nil, registry)
	before, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}
	good := w.issue(t, clientA, 1)
	for range 100 {
		for _, presented := range []string{good, "nonsense", sealed(changed(good, 30, 1))} {
			for _, client := range []string{clientA, clientB, "", "anything"} {
				_, _ = w.from(t, netA, client, presented)
			}
		}
	}
	if after, err := testutil.GatherAndCount(registry); err != nil || after != before {
		t.Errorf("%d series, %d at the start, %v", after, before, err)
	}
}
