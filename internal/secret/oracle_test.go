package secret_test

import (
	"fmt"
	"hash/crc32"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"credenza.example/credenza/internal/secret"
)

const (
	clientA = "CCWACME_abcdefghjkmnpqrstuvw"
	clientB = "CCWGLBX_abcdefghjkmnpqrstuvw"

	digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// published is the expression that scanners for leaked secrets are given (security.md §6.2).
var published = regexp.MustCompile(`\bccw[srt]_[0-9A-Za-z]{62}\b`)

var shape = regexp.MustCompile(`\Accws_([0-9A-Za-z])([0-9A-Za-z])([0-9A-Za-z]{43})([0-9A-Za-z]{11})([0-9A-Za-z]{6})\z`)

// number is base62 with the standard library's big numbers.
func number(text string) *big.Int {
	n := new(big.Int)
	for _, c := range text {
		n.Add(n.Mul(n, big.NewInt(62)), big.NewInt(int64(strings.IndexRune(digits, c))))
	}
	return n
}

// text62 is the inverse of number.
func text62(n *big.Int, width int) string {
	n = new(big.Int).Set(n)
	text := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		rest := new(big.Int)
		n.DivMod(n, big.NewInt(62), rest)
		text[i] = digits[rest.Int64()]
	}
	return string(text)
}

// wellFormed says by other means than the package's what Parse must accept.
func wellFormed(text string) bool {
	parts := shape.FindStringSubmatch(text)
	return parts != nil && number(parts[3]).BitLen() <= 256 && number(parts[4]).BitLen() <= 64 &&
		number(parts[5]).Cmp(big.NewInt(int64(crc32.ChecksumIEEE([]byte(text[:61]))))) == 0
}

// sealed gives the first 61 bytes a right checksum, as a forger would.
func sealed(head string) string {
	return head[:61] + text62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(head[:61])))), 6)
}

// changed returns the text with another base62 digit at i.
func changed(text string, i, by int) string {
	other := (strings.IndexByte(digits, text[i]) + 1 + by%61) % 62
	return text[:i] + string(digits[other]) + text[i+1:]
}

func sequence(n int) []byte {
	all := make([]byte, n)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// newKeys returns keys of every state: a signing, b accepted, c untrusted, d untrusted and lost.
func newKeys(t testing.TB) *secret.Keys {
	t.Helper()
	keys, err := secret.NewKeys([]secret.TagKey{
		{ID: 'a', State: secret.Signing, Key: sequence(32)},
		{ID: 'b', State: secret.Accepted, Key: []byte(strings.Repeat("b", 32))},
		{ID: 'c', State: secret.Untrusted, Key: []byte(strings.Repeat("c", 32))},
		{ID: 'd', State: secret.Untrusted},
	})
	if err != nil {
		t.Fatalf("NewKeys: %v", err)
	}
	return keys
}

// keysOf returns keys of which only this one signs.
func keysOf(t testing.TB, id byte, key []byte) *secret.Keys {
	t.Helper()
	keys, err := secret.NewKeys([]secret.TagKey{{ID: id, State: secret.Signing, Key: key}})
	if err != nil {
		t.Fatalf("NewKeys: %v", err)
	}
	return keys
}

func newMade(t testing.TB) secret.Made { t.Helper(); return makeFor(t, newKeys(t), clientA, 1) }

func makeFor(t testing.TB, keys *secret.Keys, clientID string, generation int64) secret.Made {
	t.Helper()
	made, err := keys.Make(clientID, generation)
	if err != nil {
		t.Fatalf("Make: %v", err)
	}
	return made
}

func parse(t testing.TB, text string) secret.Parsed {
	t.Helper()
	p, err := secret.Parse(text)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return p
}

// stopped is a clock that stands still.
func stopped() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func TestOracleAgreesWithItself(t *testing.T) {
	for _, n := range []int64{0, 61, 62, 1 << 40} {
		if got := number(text62(big.NewInt(n), 11)); got.Int64() != n {
			t.Error(fmt.Sprint(n, " became ", got))
		}
	}
}
