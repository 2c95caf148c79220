package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPlots: they are well-formed and hold every number.
func TestPlots(t *testing.T) {
	r := newReport("v1", false)
	ours := series{Name: partsOfToken + product, Labels: partNames()}
	bares := series{Name: partsOfToken + bareHandler, Labels: partNames()}
	for i := range partNames() {
		ours.Y, bares.Y = append(ours.Y, 1.25+float64(i)), append(bares.Y, float64(i))
	}
	r.Series = []series{
		ours, bares,
		{Name: wrongFlood + floodP50, X: []float64{0, 0.25, 0.5}, Y: []float64{0.5, 8, 0.5}},
		{Name: wrongFlood + floodP99, X: []float64{0, 0.25, 0.5}, Y: []float64{2, 4000, 2}},
		{Name: wrongFlood + floodTime, Y: []float64{0.2, 0.4}},
	}
	dir := t.TempDir()
	if err := r.writePlots(dir); err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"token-cpu.svg":     {"ES256 signature: 2.2 and 1.0", "Credenza", "bare handler"},
		"flood-latency.svg": {`class="p99" points="60.0,`, "budget of p99: 250 ms"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		decoder := xml.NewDecoder(strings.NewReader(string(text)))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s does not hold %q", name, want)
			}
		}
	}
}

func TestReadTraces(t *testing.T) {
	got := readTraces(`File: credenza
Type: cpu
-----------+-------------------------------------------------------
      30ms   crypto/internal/fips140/nistec.p256Sqr
             crypto/ecdsa.Sign
             credenza.example/credenza/internal/oauth.(*Server).issue
             net/http.(*conn).serve
-----------+-------------------------------------------------------
      10ms   runtime.mallocgc
             runtime.gcAssistAlloc (inline)
             log/slog.(*JSONHandler).Handle
-----------+-------------------------------------------------------
     0.04s   runtime.futex
             runtime.findRunnable
-----------+-------------------------------------------------------
      20ms   internal/runtime/syscall.Syscall6
             net.(*conn).Write
             net/http.checkConnErrorWriter.Write
-----------+-------------------------------------------------------
`)
	want := map[string]float64{"ES256 signature": 30, "garbage collector": 10, "writing the answer": 20, restOfIt: 40}
	for i, name := range partNames() {
		if diff := cmp.Diff(want[name], got[i]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
