package secret_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/secret"
)

// TestMakeWritesTheFormat holds the format still: the wanted texts come from a program of another language that
// follows security.md §6.2 and protocol.md §3.1. A secret made today must be readable by every later version.
func TestMakeWritesTheFormat(t *testing.T) {
	tests := []struct {
		name       string
		generation int64
		body       []byte
		want       string
	}{
		{"first", 1, sequence(32), "ccws_a1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlfAVh9zIuM8pU0QMMPF"},
		{"zeros", 63, make([]byte, 32), "ccws_a10000000000000000000000000000000000000000000KNSoubjEK9A2r5kXJ"},
		{"ones", 61, bytes.Repeat([]byte{255}, 32), "ccws_azyhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1LQgoUsZVnIc2zujfp"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			made := makeFor(t, newKeys(t).WithRandom(bytes.NewReader(test.body)), clientA, test.generation)
			if diff := cmp.Diff(test.want, made.Secret.Reveal()); diff != "" {
				t.Errorf("secret (-want +got):\n%s", diff)
			}
			if made.Tag != test.want[50:61] || made.Hint != test.want[63:] {
				t.Errorf("tag %q, hint %q of %q", made.Tag, made.Hint, test.want)
			}
		})
	}
}

func TestMadeSecretsPassTheirCheck(t *testing.T) {
	keys := newKeys(t)
	for _, generation := range []int64{0, 1, 61, 62, 12345} {
		for _, client := range []string{clientA, "x", strings.Repeat("c", 255)} {
			p := parse(t, makeFor(t, keys, client, generation).Secret.Reveal())
			if verdict := keys.Check(client, p); verdict != secret.TagValid {
				t.Errorf("client %.30q, generation %d: verdict %d", client, generation, verdict)
			}
			if p.Slot != secret.SlotOf(generation) {
				t.Errorf("generation %d has slot %d", generation, p.Slot)
			}
		}
	}
}

func TestMakeRefusesWhatHasNoSecret(t *testing.T) {
	keys := newKeys(t)
	for name, make := range map[string]func() (secret.Made, error){
		"no client ID":        func() (secret.Made, error) { return keys.Make("", 1) },
		"endless client ID":   func() (secret.Made, error) { return keys.Make(strings.Repeat("c", 256), 1) },
		"negative generation": func() (secret.Made, error) { return keys.Make(clientA, -1) },
	} {
		if made, err := make(); err == nil || made != (secret.Made{}) {
			t.Errorf("%s: made %q, error %v", name, made.Hint, err)
		}
	}
}

// TestC15_NoRandomBytesNoSecret: a source that fails, or ends early, yields an error and nothing to store.
func TestC15_NoRandomBytesNoSecret(t *testing.T) {
	broken := errors.New("no entropy")
	for name, source := range map[string]io.Reader{
		"fails":        iotest.ErrReader(broken),
		"ends":         bytes.NewReader(nil),
		"ends early":   bytes.NewReader(make([]byte, 31)),
		"fails midway": io.MultiReader(bytes.NewReader(make([]byte, 16)), iotest.ErrReader(broken)),
	} {
		t.Run(name, func(t *testing.T) {
			made, err := newKeys(t).WithRandom(source).Make(clientA, 1)
			if err == nil || made.Secret.Reveal() != "" || made.Tag != "" || made.Hint != "" {
				t.Errorf("made %q, tag %q, hint %q, error %v", made.Secret.Reveal(), made.Tag, made.Hint, err)
			}
		})
	}
	source := iotest.OneByteReader(bytes.NewReader(make([]byte, 32)))
	if _, err := newKeys(t).WithRandom(source).Make(clientA, 1); err != nil {
		t.Errorf("a source that is only slow was refused: %v", err)
	}
}

// TestC15_AHundredThousandSecrets: length, alphabet, checksum, published expression, no secret or tag twice, and a
// chi-square test for each of the 32 bytes of the body.
func TestC15_AHundredThousandSecrets(t *testing.T) {
	const count = 100_000
	keys := newKeys(t)
	seen := make(map[string]struct{}, 2*count)
	var frequencies [32][256]int
	for i := range int64(count) {
		made := makeFor(t, keys, clientA, i)
		text := made.Secret.Reveal()
		if len(text) != 67 || !shape.MatchString(text) || published.FindString(text) != text {
			t.Fatalf("secret %d is not of the format", i)
		}
		parse(t, text) // also the checksum
		seen[text[7:50]] = struct{}{}
		seen[made.Tag] = struct{}{}
		var body [32]byte
		fastNumber(text[7:50]).FillBytes(body[:])
		for at, b := range body {
			frequencies[at][b]++
		}
	}
	if len(seen) != 2*count {
		t.Errorf("%d bodies or tags came twice", 2*count-len(seen))
	}
	// 255 degrees of freedom: mean 255, deviation 22.6. Over 420 happens by chance once in 10^9 tests of a byte.
	const bound = 420
	for at := range frequencies {
		if x := chiSquare(frequencies[at], count); x > bound {
			t.Errorf("byte %d of the body is not evenly spread: chi-square %.0f, bound %d", at, x, bound)
		}
	}
}

// fastNumber is number by the standard library's own base 62, whose lower case comes before the upper case.
func fastNumber(text string) *big.Int {
	swapped := strings.Map(func(c rune) rune {
		if c >= 'A' {
			return c ^ 0x20
		}
		return c
	}, text)
	n, _ := new(big.Int).SetString(swapped, 62)
	return n
}

func chiSquare(frequencies [256]int, count int) float64 {
	expected := float64(count) / 256
	sum := 0.0
	for _, n := range frequencies {
		sum += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	return sum
}

func TestChiSquareSeesABias(t *testing.T) {
	var even, biased [256]int
	for i := range 100_000 {
		even[i%256]++
		biased[i%255]++ // one value never comes
	}
	if x := chiSquare(even, 100_000); x > 1 {
		t.Errorf("an even spread has chi-square %.1f", x)
	}
	if x := chiSquare(biased, 100_000); x < 380 {
		t.Errorf("a biased spread has chi-square %.1f", x)
	}
}

// TestCheckCoversEverythingUnderTheTag changes each thing that the tag covers, with a right checksum each time.
func TestCheckCoversEverythingUnderTheTag(t *testing.T) {
	keys := newKeys(t)
	text := makeFor(t, keys, clientA, 5).Secret.Reveal()
	for at := 5; at < 61; at++ {
		for by := range 61 {
			p, err := secret.Parse(sealed(changed(text, at, by)))
			if err != nil || at == 5 {
				continue // beyond the range of its number; or the key id, which has a test of its own
			}
			if verdict := keys.Check(clientA, p); verdict != secret.TagWrong {
				t.Fatalf("character %d changed: verdict %d, want TagWrong", at, verdict)
			}
		}
	}
	for name, client := range map[string]string{
		"another's":       clientB,
		"none":            "",
		"shorter":         clientA[:len(clientA)-1],
		"longer":          clientA + "x",
		"with NUL":        clientA + "\x00",
		"in upper case":   strings.ToUpper(clientA),
		"endless":         strings.Repeat("x", 1<<16),
		"256 bytes":       strings.Repeat("x", 256),
		"with its body":   clientA + text[7:8],
		"of other length": strings.Repeat("x", len(clientA)+256),
	} {
		if verdict := keys.Check(client, parse(t, text)); verdict != secret.TagWrong {
			t.Errorf("client ID %s: verdict %d, want TagWrong", name, verdict)
		}
	}
	if verdict := keys.Check(clientA, secret.Parsed{KeyID: 'a'}); verdict != secret.TagWrong {
		t.Errorf("a Parsed that Parse did not return: verdict %d", verdict)
	}
}

func TestCheckGoesByTheStateOfTheKey(t *testing.T) {
	random := bytes.Repeat([]byte{7}, 32)
	with := func(id byte, key string) secret.Parsed {
		keys := keysOf(t, id, []byte(key)).WithRandom(bytes.NewReader(random))
		return parse(t, makeFor(t, keys, clientA, 1).Secret.Reveal())
	}
	other := strings.Repeat("o", 32)
	tests := []struct {
		name string
		p    secret.Parsed
		want secret.TagVerdict
	}{
		{"signing", with('a', string(sequence(32))), secret.TagValid},
		{"signing, another's key", with('a', other), secret.TagWrong},
		{"accepted", with('b', strings.Repeat("b", 32)), secret.TagValid},
		{"accepted, another's key", with('b', other), secret.TagWrong},
		{"untrusted", with('c', strings.Repeat("c", 32)), secret.TagSkipped},
		{"untrusted, whoever made it", with('c', other), secret.TagSkipped},
		{"lost", with('d', other), secret.TagSkipped},
		{"unknown", with('e', other), secret.TagUnknownKey},
	}
	keys := newKeys(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := keys.Check(clientA, test.p); got != test.want {
				t.Errorf("verdict %d, want %d", got, test.want)
			}
		})
	}
	if got := keys.Check("", with('c', other)); got != secret.TagWrong {
		t.Errorf("untrusted key, no client ID: verdict %d, want TagWrong", got)
	}
}

func TestNewKeysRefusesSetsWithoutSense(t *testing.T) {
	key := sequence(32)
	signing := secret.TagKey{ID: 'a', State: secret.Signing, Key: key}
	tests := map[string][]secret.TagKey{
		"none":            nil,
		"none signing":    {{ID: 'a', State: secret.Accepted, Key: key}},
		"one id twice":    {signing, {ID: 'a', State: secret.Accepted, Key: key}},
		"short key":       {{ID: 'a', State: secret.Signing, Key: key[:31]}},
		"no key":          {{ID: 'a', State: secret.Signing}},
		"accepted, short": {signing, {ID: 'b', State: secret.Accepted, Key: key[:16]}},
		"id is no digit":  {{ID: '-', State: secret.Signing, Key: key}},
		"id is a number":  {{ID: 1, State: secret.Signing, Key: key}},
		"unknown state":   {signing, {ID: 'b', State: "retired", Key: key}},
		"no state":        {signing, {ID: 'b', Key: key}},
	}
	for name, set := range tests {
		t.Run(name, func(t *testing.T) {
			if keys, err := secret.NewKeys(set); err == nil || keys != nil {
				t.Errorf("accepted, error %v", err)
			}
		})
	}
}

// TestReplaceTakesOverTheNextSet walks a tag key through its life: signing, accepted, untrusted, gone.
func TestReplaceTakesOverTheNextSet(t *testing.T) {
	old, next := sequence(32), bytes.Repeat([]byte{9}, 32)
	keys := keysOf(t, '0', old)
	same := keys.WithRandom(rand.Reader)
	p := parse(t, makeFor(t, keys, clientA, 1).Secret.Reveal())
	steps := []struct {
		set  []secret.TagKey
		want secret.TagVerdict
	}{
		{[]secret.TagKey{{ID: '0', State: secret.Accepted, Key: old}}, secret.TagValid},
		{[]secret.TagKey{{ID: '0', State: secret.Untrusted, Key: old}}, secret.TagSkipped},
		{nil, secret.TagUnknownKey},
	}
	for _, step := range steps {
		if err := keys.Replace(append(step.set, secret.TagKey{ID: '1', State: secret.Signing, Key: next})); err != nil {
			t.Fatal(err)
		}
		if got := same.Check(clientA, p); got != step.want {
			t.Errorf("old secret: verdict %d, want %d", got, step.want)
		}
		if made := makeFor(t, same, clientA, 2); made.Secret.Reveal()[5] != '1' {
			t.Error("a new secret has the old key's tag")
		}
	}
	if err := keys.Replace(nil); err == nil {
		t.Error("a set without a signing key was taken")
	}
	if _, err := keys.Make(clientA, 3); err != nil {
		t.Errorf("after a refused set: %v", err)
	}
}

func TestOfSeveralSigningKeysTheLastSigns(t *testing.T) {
	keys, err := secret.NewKeys([]secret.TagKey{
		{ID: '0', State: secret.Signing, Key: sequence(32)}, {ID: '1', State: secret.Signing, Key: sequence(33)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := parse(t, makeFor(t, keys, clientA, 1).Secret.Reveal()); p.KeyID != '1' {
		t.Errorf("key %c signed", p.KeyID)
	}
	old := parse(t, makeFor(t, keysOf(t, '0', sequence(32)), clientA, 1).Secret.Reveal())
	if got := keys.Check(clientA, old); got != secret.TagValid {
		t.Errorf("tag of the other signing key: verdict %d", got)
	}
}

func TestKeysKeepTheirOwnCopy(t *testing.T) {
	key := sequence(32)
	keys := keysOf(t, 'a', key)
	p := parse(t, makeFor(t, keys, clientA, 1).Secret.Reveal())
	clear(key)
	if got := keys.Check(clientA, p); got != secret.TagValid {
		t.Errorf("after the caller wiped its key: verdict %d", got)
	}
}

func TestKeysAreSafeForManyAtOnce(t *testing.T) {
	keys := newKeys(t)
	set := []secret.TagKey{{ID: 'a', State: secret.Signing, Key: sequence(32)}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range int64(50) {
				made, err := keys.Make(clientA, i)
				if err != nil {
					t.Error(err)
					return
				}
				if p, err := secret.Parse(made.Secret.Reveal()); err != nil || keys.Check(clientA, p) != secret.TagValid {
					t.Error("a secret made beside others does not check")
				}
				if err := keys.Replace(set); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
