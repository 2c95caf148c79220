package secret_test

import (
	"testing"

	"credenza.example/credenza/internal/secret"
)

// BenchmarkParseAndCheck is what an invented secret costs at most: shape and tag.
func BenchmarkParseAndCheck(b *testing.B) {
	keys := newKeys(b)
	text := makeFor(b, keys, clientA, 1).Secret.Reveal()
	b.ReportAllocs()
	for b.Loop() {
		p, err := secret.Parse(text)
		if err != nil || keys.Check(clientA, p) != secret.TagValid {
			b.Fatal("refused")
		}
	}
}

func BenchmarkParseRefusesJunk(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := secret.Parse("ccws_a1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlfAVh9zIuM8pU0QMMPG"); err == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkMake(b *testing.B) {
	keys := newKeys(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := keys.Make(clientA, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyCached is what a warm client's secret costs.
func BenchmarkVerifyCached(b *testing.B) {
	w := newWorld(b, secret.Params{}, nil, nil)
	good := w.issue(b, clientA, 1)
	lookup := w.lookup(clientA)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.verifier.Verify(b.Context(), secret.Presented{ClientID: clientA, Text: good, Network: "192.0.2.1/32"}, lookup); err != nil {
			b.Fatal(err)
		}
	}
	if n := w.verifier.Bcrypts(); n != 1 {
		b.Errorf("%d bcrypts", n)
	}
}
