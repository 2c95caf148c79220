package keyring_test

import (
	"testing"

	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
)

// BenchmarkSigner is what each token costs to learn which key signs now.
func BenchmarkSigner(b *testing.B) {
	r := benchRing(b)
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Signer()
	}
}

// BenchmarkVerification is what each look at a token costs to learn whether its key verifies.
func BenchmarkVerification(b *testing.B) {
	r := benchRing(b)
	id := r.Signer().KeyID
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.Verification(id); !ok {
			b.Fatal("the signer does not verify")
		}
	}
}

func benchRing(b *testing.B) *keyring.Ring {
	b.Helper()
	db := dbtest.Open(b, "sqlite:"+b.TempDir()+"/c.db", dbtest.NewClock())
	m, err := keyring.CreateMaster(b.TempDir() + "/master.key")
	if err != nil {
		b.Fatal(err)
	}
	r, err := keyring.Open(b.Context(), db, m, quiet, keyringtest.RSA())
	if err != nil {
		b.Fatal(err)
	}
	return r
}
