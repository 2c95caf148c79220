package secret_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"credenza.example/credenza/internal/secret"
)

func TestParseReadsTheParts(t *testing.T) {
	const text = "ccws_a1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlfAVh9zIuM8pU0QMMPF"
	got := parse(t, text)
	want := secret.Parsed{KeyID: 'a', Slot: 1, Tag: "AVh9zIuM8pU"}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(secret.Parsed{})); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func TestContains(t *testing.T) {
	const good = "ccws_a1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlfAVh9zIuM8pU0QMMPF"
	for _, text := range []string{
		good, "is " + good + ".", strings.ToUpper(good), good[:20], good[:30] + "\n" + good[30:], "ccws_", "x=ccwr_1&y", "Ccwt_",
	} {
		if !secret.Contains(text) {
			t.Errorf("overlooked in %q", text)
		}
	}
	for _, text := range []string{"", "Spend export", "CCWACME_0123456789abcdefghij", "ccw.candidates", "ccws", "ccws -", "ccwx_1", good[5:]} {
		if secret.Contains(text) {
			t.Errorf("found in %q", text)
		}
	}
}

// TestC12_ParseTakesNothingNearASecret goes through what bcrypt would overlook, what people and proxies do to a
// secret, and numbers that would give one secret two texts.
func TestC12_ParseTakesNothingNearASecret(t *testing.T) {
	const good = "ccws_a1003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlfAVh9zIuM8pU0QMMPF"
	zeros := "ccws_a1" + strings.Repeat("0", 43)
	top := new(big.Int).Lsh(big.NewInt(1), 256)
	tests := map[string]string{
		"empty":                     "",
		"one byte more":             good + "A",
		"a zero in the checksum":    good[:61] + "0" + good[61:],
		"newline":                   good + "\n",
		"NUL and itself":            good + "\x00" + good,
		"NUL at the end":            good + "\x00",
		"twice":                     good + good,
		"filled to 72":              good + "01234",
		"one byte less":             good[:66],
		"leading space":             " " + good,
		"trailing space":            good + " ",
		"space for a byte":          " " + good[1:],
		"upper case":                strings.ToUpper(good),
		"lower case":                strings.ToLower(good),
		"case of one letter":        strings.Replace(good, "J", "j", 1),
		"upper case prefix":         "CCWS_" + good[5:],
		"refresh token's prefix":    "ccwr_" + good[5:],
		"without the underscore":    "ccwsX" + good[5:],
		"homoglyph of one byte":     strings.Replace(good, "0", "O", 1),
		"homoglyph of two bytes":    strings.Replace(good, "a", "а", 1), // Cyrillic
		"homoglyph, length kept":    strings.Replace(good[:66], "a", "а", 1),
		"full-width digit":          strings.Replace(good, "0", "０", 1),
		"hyphen":                    strings.Replace(good, "J", "-", 1),
		"underscore":                strings.Replace(good, "J", "_", 1),
		"high byte":                 strings.Replace(good, "J", "\xff", 1),
		"NUL inside":                strings.Replace(good, "J", "\x00", 1),
		"percent-encoded":           strings.Replace(good, "_", "%5F", 1),
		"key id is no digit":        sealed("ccws_-" + good[6:]),
		"slot is no digit":          sealed("ccws_a-" + good[7:]),
		"body of 2^256":             sealed("ccws_a1" + text62(top, 43) + "00000000000"),
		"body of 62^43-1":           sealed("ccws_a1" + strings.Repeat("z", 43) + "00000000000"),
		"tag of 2^64":               zeros + "LygHa16AHYG" + "1hwwlc",
		"tag of 62^11-1":            sealed(zeros + "zzzzzzzzzzz"),
		"checksum above 2^32":       zeros + "00000000000" + "7L1Dzm", // the right one and 2^32 more
		"checksum of another":       good[:61] + "2eLyni",
		"two characters swapped":    good[:20] + good[21:22] + good[20:21] + good[22:],
		"client ID":                 clientA,
		"client ID in its place":    (clientA + good)[:67],
		"quoted":                    `"` + good[:65] + `"`,
		"placeholder of the page":   "$CCW_SECRET",
		"a long text":               strings.Repeat("A", 1<<20),
		"zero bytes of that length": strings.Repeat("\x00", 67),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := secret.Parse(text); !errors.Is(err, secret.ErrFormat) {
				t.Errorf("Parse(%.80q): %v, want ErrFormat", text, err)
			}
			if wellFormed(text) {
				t.Error("the oracle takes it for a secret")
			}
		})
	}
}

func TestParseTakesTheGreatestNumbers(t *testing.T) {
	for name, text := range map[string]string{
		"body of 2^256-1": "ccws_a1yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1000000000001FLdMs",
		"tag of 2^64-1":   "ccws_a10000000000000000000000000000000000000000000LygHa16AHYF0m4ife",
		"zeros":           "ccws_a10000000000000000000000000000000000000000000000000000002eLyni",
	} {
		if _, err := secret.Parse(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseErrorHoldsNothingOfTheText(t *testing.T) {
	text := newMade(t).Secret.Reveal()
	_, err := secret.Parse(text[:66] + "-")
	if err == nil || strings.Contains(err.Error(), text[5:20]) {
		t.Errorf("error: %v", err)
	}
}

func TestSlotOf(t *testing.T) {
	for generation, want := range map[int64]int{0: 0, 1: 1, 61: 61, 62: 0, 63: 1, 1<<63 - 1: 7} {
		if got := secret.SlotOf(generation); got != want {
			t.Errorf("SlotOf(%d) = %d, want %d", generation, got, want)
		}
	}
}

// TestParseRefusesEveryChangeOfOneCharacter: the checksum sees any change of one byte, so none gets to the tag.
func TestParseRefusesEveryChangeOfOneCharacter(t *testing.T) {
	text := newMade(t).Secret.Reveal()
	for i := range len(text) {
		for b := range 256 {
			if byte(b) == text[i] {
				continue
			}
			if _, err := secret.Parse(text[:i] + string([]byte{byte(b)}) + text[i+1:]); err == nil {
				t.Fatalf("byte %#x at %d was accepted", b, i)
			}
		}
	}
}

func TestParseAgreesWithTheOracle(t *testing.T) {
	base := newMade(t).Secret.Reveal()
	rapid.Check(t, func(t *rapid.T) {
		head := []byte(base[:61])
		for range rapid.IntRange(0, 30).Draw(t, "changes") {
			i := rapid.IntRange(5, 60).Draw(t, "at")
			head[i] = rapid.SampledFrom([]byte(digits+"zzzzzzzzzzzzzzzz_-")).Draw(t, "digit")
		}
		text := sealed(string(head))
		if rapid.Bool().Draw(t, "other checksum") {
			text = changed(text, rapid.IntRange(61, 66).Draw(t, "where"), rapid.IntRange(0, 60).Draw(t, "by"))
		}
		if _, err := secret.Parse(text); (err == nil) != wellFormed(text) {
			t.Fatalf("Parse(%q): %v, the oracle says %v", text, err, wellFormed(text))
		}
	})
}

// FuzzSecretParse is target 3 of security.md §4: what Parse accepts is exactly what the oracle accepts, is rebuilt
// from its parts byte by byte, and is refused after any change of one character.
func FuzzSecretParse(f *testing.F) {
	f.Add(newMade(f).Secret.Reveal())
	f.Fuzz(func(t *testing.T, text string) {
		p, err := secret.Parse(text)
		if (err == nil) != wellFormed(text) {
			t.Fatalf("Parse(%q): %v, the oracle says %v", text, err, wellFormed(text))
		}
		if err != nil {
			return
		}
		head := secret.Prefix + string(p.KeyID) + string(digits[p.Slot]) + text62(number(text[7:50]), 43) + p.Tag
		if again := sealed(head); again != text {
			t.Fatalf("%q comes back as %q", text, again)
		}
		for i := 5; i < len(text); i++ {
			for by := range 61 {
				if _, err := secret.Parse(changed(text, i, by)); err == nil {
					t.Fatalf("%q is accepted like %q", changed(text, i, by), text)
				}
			}
		}
	})
}
