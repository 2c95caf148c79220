package secret_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

// want says how a verification must end.
type want struct {
	credential string
	gate       secret.Gate
	err        error
	bcrypts    uint64
}

// check verifies and compares the end and the number of bcrypts run.
func (w *world) check(t *testing.T, clientID, presented string, want want) {
	t.Helper()
	before := w.verifier.Bcrypts()
	result, err := w.verify(t, clientID, presented)
	if !errors.Is(err, want.err) || (err == nil) != (want.err == nil) {
		t.Errorf("error %v, want %v", err, want.err)
	}
	if result.CredentialID != want.credential || result.Gate != want.gate {
		t.Errorf("credential %q by gate %s, want %q by %s", result.CredentialID, result.Gate, want.credential, want.gate)
	}
	if ran := w.verifier.Bcrypts() - before; ran != want.bcrypts {
		t.Errorf("%d bcrypts ran, want %d", ran, want.bcrypts)
	}
}

// TestC12_NothingNearTheSecretIsAccepted has the list of C12, against a stored secret that does match.
func TestC12_NothingNearTheSecretIsAccepted(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	good := w.issue(t, clientA, 1)
	tests := map[string]string{
		"one byte more":             good + "x",
		"a zero in the checksum":    good[:61] + "0" + good[61:],
		"padded to 72":              good + "xxxxx",
		"72 right bytes and more":   good + "xxxxx" + "junk",
		"truncated at 72":           (good + good)[:72],
		"one byte less":             good[:66],
		"NUL and the secret":        good + "\x00" + good,
		"NUL at the end":            good + "\x00",
		"upper case":                strings.ToUpper(good),
		"lower case":                strings.ToLower(good),
		"leading space":             " " + good,
		"trailing newline":          good + "\n",
		"homoglyph of the prefix":   strings.Replace(good, "c", "с", 1), // Cyrillic
		"homoglyph, 67 bytes":       strings.Replace(good, "cc", "с", 1),
		"empty":                     "",
		"its hash":                  w.rows[row{clientA, 1}].Hash,
		"right checksum, other tag": sealed(changed(good, 55, 3)),
		"right checksum, other key": sealed(good[:5] + "b" + good[6:]),
		"right checksum, next slot": sealed(changed(good, 6, 0)),
	}
	for name, presented := range tests {
		t.Run(name, func(t *testing.T) {
			gate := secret.GateShape
			if strings.HasPrefix(name, "right checksum") {
				gate = secret.GateTag
			}
			w.check(t, clientA, presented, want{gate: gate, err: secret.ErrWrong})
		})
	}
	if w.lookups != 0 {
		t.Errorf("%d lookups for texts that are no secret of the client", w.lookups)
	}
	w.check(t, clientA, good, want{credential: clientA + "/1", gate: secret.GateHash, bcrypts: 1})
}

func TestVerifyEndsAtTheRightGate(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	good := w.issue(t, clientA, 1)
	unused := makeFor(t, w.keys, clientA, 2).Secret.Reveal() // right tag, nothing in its slot
	old := makeFor(t, w.keys, clientA, 63).Secret.Reveal()   // right tag, slot 1, another body
	untrusted := makeFor(t, keysOf(t, 'c', []byte(strings.Repeat("x", 32))), clientA, 1).Secret.Reveal()
	unknown := makeFor(t, keysOf(t, 'e', []byte(strings.Repeat("x", 32))), clientA, 1).Secret.Reveal()
	tests := []struct {
		name, client, presented string
		want                    want
	}{
		{"accepted, cold", clientA, good, want{clientA + "/1", secret.GateHash, nil, 1}},
		{"accepted, warm", clientA, good, want{clientA + "/1", secret.GateCache, nil, 0}},
		{"another client's", clientB, good, want{"", secret.GateTag, secret.ErrWrong, 0}},
		{"no client ID", "", good, want{"", secret.GateTag, secret.ErrWrong, 0}},
		{"no usable secret in its slot", clientA, unused, want{"", secret.GateLookup, secret.ErrWrong, 0}},
		{"another secret of its slot", clientA, old, want{"", secret.GateHash, secret.ErrWrong, 1}},
		{"the same again", clientA, old, want{"", secret.GateNegative, secret.ErrWrong, 0}},
		{"untrusted key: bcrypt decides", clientA, untrusted, want{"", secret.GateHash, secret.ErrWrong, 1}},
		{"unknown key", clientA, unknown, want{"", secret.GateTag, secret.ErrWrong, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { w.check(t, test.client, test.presented, test.want) })
	}
}

// TestAnUnknownClientIsRefusedLikeAWrongSecret: the tag is judged before the lookup, so an invented secret costs the
// same for a client that exists and one that does not (T7); a secret of ours for a deleted client ends at the lookup.
func TestAnUnknownClientIsRefusedLikeAWrongSecret(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	w.issue(t, clientA, 1)
	invented := makeFor(t, keysOf(t, 'a', []byte(strings.Repeat("x", 32))), clientA, 1).Secret.Reveal()
	w.check(t, clientA, invented, want{gate: secret.GateTag, err: secret.ErrWrong})
	w.check(t, clientB, invented, want{gate: secret.GateTag, err: secret.ErrWrong})
	if w.lookups != 0 {
		t.Errorf("%d lookups", w.lookups)
	}
	deleted := makeFor(t, w.keys, clientB, 1).Secret.Reveal()
	w.check(t, clientB, deleted, want{gate: secret.GateLookup, err: secret.ErrWrong})
}

// TestASecretOfAnUntrustedKeyStillWorks: when a tag key is lost or leaked, its secrets live on by bcrypt alone.
func TestASecretOfAnUntrustedKeyStillWorks(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	good := w.issue(t, clientA, 1)
	next := secret.TagKey{ID: 'b', State: secret.Signing, Key: []byte(strings.Repeat("n", 32))}
	if err := w.keys.Replace([]secret.TagKey{{ID: 'a', State: secret.Untrusted}, next}); err != nil {
		t.Fatal(err)
	}
	w.check(t, clientA, good, want{clientA + "/1", secret.GateHash, nil, 1})
	w.check(t, clientA, sealed(changed(good, 20, 1)), want{"", secret.GateHash, secret.ErrWrong, 1})
}

// TestP2_OneBcryptNeverTwo: with two live secrets the slot picks the one to compare with, right or wrong.
func TestP2_OneBcryptNeverTwo(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	first, second := w.issue(t, clientA, 7), w.issue(t, clientA, 8)
	w.check(t, clientA, first, want{clientA + "/7", secret.GateHash, nil, 1})
	w.check(t, clientA, second, want{clientA + "/8", secret.GateHash, nil, 1})
	other := makeFor(t, w.keys, clientA, 8+62).Secret.Reveal()
	w.check(t, clientA, other, want{"", secret.GateHash, secret.ErrWrong, 1})
}

// TestATamperedHashIsRefusedAtOnce: $2a$31$ would keep bcrypt busy for days (security.md §6.3 step 9), and what bcrypt
// cannot read must not end as anything but a refusal.
func TestATamperedHashIsRefusedAtOnce(t *testing.T) {
	w := newWorld(t, secret.Params{Cost: 10, MinCost: 10, MaxCost: 14}, nil, nil)
	presented := makeFor(t, w.keys, clientA, 1).Secret.Reveal()
	sound := anyHash(t, "10")
	for name, hash := range map[string]string{
		"cost 31":        anyHash(t, "31"),
		"cost 15":        anyHash(t, "15"),
		"cost 9":         anyHash(t, "09"),
		"cost 4":         anyHash(t, "04"),
		"cost 0":         anyHash(t, "00"),
		"cost of words":  anyHash(t, "xx"),
		"empty":          "",
		"cut":            sound[:59],
		"longer":         sound + "x",
		"version 2b":     strings.Replace(sound, "$2a$", "$2b$", 1),
		"version 3":      strings.Replace(sound, "$2a$", "$3a$", 1),
		"plain text":     presented,
		"plain text, 60": presented[:60],
		"argon2":         "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2g",
		"salt spoiled":   sound[:7] + strings.Repeat("!", 22) + sound[29:],
	} {
		t.Run(name, func(t *testing.T) {
			w.put(clientA, 1, hash)
			ran := uint64(0)
			if name == "salt spoiled" { // only bcrypt notices, before it computes
				ran = 1
			}
			w.check(t, clientA, presented, want{gate: secret.GateGuard, err: secret.ErrWrong, bcrypts: ran})
		})
	}
}

func TestALookupThatFailsIsHandedOn(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	good := w.issue(t, clientA, 1)
	broken := problem.New(problem.Unavailable, "test.broken")
	calls := 0
	for fail, gate := range map[int]secret.Gate{1: secret.GateLookup, 2: secret.GateRecheck} {
		calls = 0
		lookup := func(ctx context.Context, slot int, again bool) (secret.Candidate, bool, error) {
			if calls++; calls == fail {
				return secret.Candidate{}, false, broken
			}
			return w.lookup(clientA)(ctx, slot, again)
		}
		result, err := w.another(t).Verify(t.Context(), secret.Presented{ClientID: clientA, Text: good}, lookup)
		if !errors.Is(err, broken) || result != (secret.Result{Gate: gate}) {
			t.Errorf("call %d fails: %+v, %v; want gate %s", fail, result, err, gate)
		}
	}
}

// TestStateIsReadAgainAfterBcrypt: a secret that was retired or replaced while bcrypt ran is not accepted
// (protocol.md §2), even though it matched.
func TestStateIsReadAgainAfterBcrypt(t *testing.T) {
	for name, meanwhile := range map[string]func(w *world){
		"retired":  func(w *world) { w.retire(clientA, 1) },
		"replaced": func(w *world) { w.put(clientA, 63, w.rows[row{clientA, 1}].Hash) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, secret.Params{}, nil, nil)
			good := w.issue(t, clientA, 1)
			w.hasher.SetCompare(func(_, _ []byte) error { meanwhile(w); return nil })
			w.check(t, clientA, good, want{gate: secret.GateRecheck, err: secret.ErrWrong, bcrypts: 1})
		})
	}
	t.Run("hashed again at another cost", func(t *testing.T) {
		w := newWorld(t, secret.Params{}, nil, nil)
		good := w.issue(t, clientA, 1)
		w.hasher.SetCompare(func(_, _ []byte) error { w.put(clientA, 1, "another hash"); return nil })
		w.check(t, clientA, good, want{clientA + "/1", secret.GateHash, nil, 1})
	})
}

// TestPresentedIsNotPrinted: whatever writes what was presented writes nothing of the secret.
func TestPresentedIsNotPrinted(t *testing.T) {
	p := secret.Presented{ClientID: clientA, Text: "ccws_canary", Network: netA}
	out := new(strings.Builder)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(out, verb+"\n", p)
		fmt.Fprintf(out, verb+"\n", &p)
		fmt.Fprintf(out, verb+"\n", []any{p, struct{ P secret.Presented }{p}})
	}
	text, err := json.Marshal(map[string]any{"p": p})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	slog.New(slog.NewJSONHandler(out, nil)).Info("x", "p", p)
	slog.New(slog.NewTextHandler(out, nil)).Info("x", "p", &p)
	if strings.Contains(out.String(), "canary") || strings.Contains(out.String(), fmt.Sprintf("%x", "canary")) {
		t.Errorf("the secret was printed:\n%s", out)
	}
	if got := strings.Count(out.String(), clientA); got < 20 {
		t.Errorf("the client was printed %d times only:\n%s", got, out)
	}
}

func TestErrWrongIsUnauthenticated(t *testing.T) {
	if code := problem.CodeOf(secret.ErrWrong); code != problem.Unauthenticated {
		t.Errorf("code %s", code)
	}
}
