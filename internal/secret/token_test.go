package secret_test

import (
	"regexp"
	"testing"

	"credenza.example/credenza/internal/secret"
)

func TestNewTokenIsFoundByItsHash(t *testing.T) {
	form := regexp.MustCompile(`\A[0-9A-Za-z]{43}\z`)
	seen := map[string]bool{}
	for range 1000 {
		token, hash := secret.NewToken()
		text := token.Reveal()
		if !form.MatchString(text) || number(text).BitLen() > 256 {
			t.Fatalf("token %q is not 256 bits in base62", text)
		}
		if secret.HashToken(text) != hash {
			t.Fatal("the token's hash is not the one it was stored under")
		}
		if secret.HashToken(text[:42]) == hash || secret.HashToken(text+"\x00") == hash {
			t.Fatal("another text has the token's hash")
		}
		seen[text], seen[hash] = true, true
	}
	if len(seen) != 2000 {
		t.Errorf("%d tokens or hashes came twice", 2000-len(seen))
	}
}

func TestHashTokenIsSHA256(t *testing.T) {
	tests := map[string]string{
		"":    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	}
	for token, want := range tests {
		if got := secret.HashToken(token); got != want {
			t.Errorf("HashToken(%q) = %s, want %s", token, got, want)
		}
	}
}
