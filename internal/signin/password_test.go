package signin_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/signin"
)

func TestC44_PasswordRules(t *testing.T) {
	tests := []struct{ name, password, fault string }{
		{"none", "", "missing"},
		{"7", "ab3xyz!", "too_short"},
		{"8", "ab3xyz!q", "too_short"},
		{"14", "ab3xyz!qkw9mnb", "too_short"},
		{"14 characters of many bytes", "äöüßéèêàçñøåæþ", "too_short"},
		{"15", "ab3xyz!qkw9mnbv", ""},
		{"15 characters beyond ASCII", "äöüßéèêàçñøåæþð", ""},
		{"64", strings.Repeat("ab3xyz!q", 8)[:49] + "kw9mnbvcdefghij", ""},
		{"128", numbered(128), ""},
		{"1024 bytes", numbered(1024), ""},
		{"1025 bytes", numbered(1025), "too_long"},
		{"1 MB", numbered(1 << 20), "too_long"},
		{"spaces count", "a b c d e f g h", ""},
		{"spaces at the ends count", "  sand dollars  ", ""},
		{"top list", "correct horse battery staple", "common"},
		{"top list in capitals", "CorrectHorseBatteryStaple", "common"},
		{"top list and digits", "thisismypassword2026", "common"},
		{"top list in wide letters", "ｔｈｉｓｉｓｍｙｐａｓｓｗｏｒｄ", "common"},
		{"keyboard", "qwertyuiopasdfgh", "common"},
		{"digits", "123456789012345", "common"},
		{"one character", strings.Repeat("x", 40), "common"},
		{"few characters", "abababcbcbcabcabca", "common"},
		{"a word again and again", "kettlekettlekettle", "common"},
		{"a sentence twice", good + good, ""},
		{"the address", "my ana.silva@acme.example!", "personal"},
		{"its local part", "hello ana silva hello", "personal"},
		{"the organisation", "we are ACME corp, hello", "personal"},
		{"the short name", "acme-corp forever more", "personal"},
		{"the prefix", "the acme of things to do", "personal"},
		{"NUL is a character", "ab3xyz!\x00qkw9mnb", ""},
		{"no UTF-8", "ab3xyz!\xff\xfeqkw9mnb", ""},
		{"as a rule", good, ""},
	}
	clock := dbtest.NewClock()
	h := newHouse(t, dbtest.SQLite(t, clock), clock)
	h.acme = h.organisation(t, "Acme Corp", "ACME")
	ana := h.invited(t, h.acme, "ana.silva@acme.example")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := h.Hashes()
			err := h.SetPassword(t.Context(), operator(), ana.ID, signin.NewSecret(test.password))
			if test.fault != "" {
				wantFault(t, err, test.fault)
				if h.Hashes() != before {
					t.Error("a refused password was hashed")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.browser().try("ana.silva@acme.example", test.password); err != nil {
				t.Errorf("accepted, but does not open: %v", err)
			}
		})
	}
}

// numbered is a long password without a period.
func numbered(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.String()[:n]
}

func TestC45_EveryByteOfAPasswordCounts(t *testing.T) {
	clock := dbtest.NewClock()
	h := newHouse(t, dbtest.SQLite(t, clock), clock)
	h.acme = h.organisation(t, "Acme Corp", "ACME")
	ana := h.invited(t, h.acme, "ana@acme.example")
	refuse := func(set string, wrong ...string) {
		t.Helper()
		h.setPassword(t, ana, set)
		for _, p := range wrong {
			b := h.browser()
			b.from = "198.51.100.1"
			if _, err := b.try("ana@acme.example", p); !problem.Is(err, problem.Unauthenticated) {
				t.Errorf("%q opened what %q closed: %v", p, set, err)
			}
			h.clock.Advance(25 * 3600e9) // the delay is not what is tested here
		}
		if _, err := h.browser().try("ana@acme.example", set); err != nil {
			t.Errorf("%q: %v", set, err)
		}
	}
	long := numbered(128)
	var changed []string
	for _, i := range []int{0, 71, 72, 73, 100, 126, 127} {
		b := []byte(long)
		b[i] ^= 1
		changed = append(changed, string(b))
	}
	refuse(long, append(changed, long[:72], long[:127], long+"x", long+"\x00", " "+long, long+" ", strings.ToUpper(long)+"A")...)
	refuse("before\x00after the zero byte", "before", "before\x00", "before\x00another after", "beforeafter the zero byte")
	composed := "Zoé likes crème brûlée"
	refuse(composed, norm.NFD.String(composed))
	refuse(norm.NFD.String(composed), composed)
	refuse(good, strings.ToUpper(good[:1])+good[1:], " "+good, good+"\n")
}

func TestPasswordIsStoredAsArgon2id(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ana := h.member(t, h.acme, "ana@acme.example")
		bo := h.member(t, h.acme, "bo@acme.example")
		var hashes []string
		for _, p := range []identity.Person{ana, bo} {
			c, ok, err := h.people.CredentialByID(t.Context(), p.ID)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			hashes = append(hashes, c.Hash.Reveal())
			if !strings.HasPrefix(c.Hash.Reveal(), "$argon2id$v=19$m=8,t=1,p=1$") || signin.CheckHash(c.Hash.Reveal()) != nil {
				t.Errorf("got %s", c.Hash.Reveal())
			}
		}
		if hashes[0] == hashes[1] {
			t.Error("one password, one hash: no salt")
		}
	})
}

func TestDefaultCostIsTheOneOfTheDesign(t *testing.T) {
	if got, want := signin.DefaultParams(), (signin.Params{Memory: 19456, Time: 2, Threads: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

const okHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestForeignHashesAreRefused(t *testing.T) {
	if err := signin.CheckHash(okHash); err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		"empty":           "",
		"bcrypt":          "$2a$10$abcdefghijklmnopqrstuv",
		"argon2i":         strings.Replace(okHash, "argon2id", "argon2i", 1),
		"version":         strings.Replace(okHash, "v=19", "v=16", 1),
		"costs for hours": strings.Replace(okHash, "t=2", "t=4294967295", 1),
		"a terabyte":      strings.Replace(okHash, "m=19456", "m=1073741824", 1),
		"no memory":       strings.Replace(okHash, "m=19456", "m=1", 1),
		"no pass":         strings.Replace(okHash, "t=2", "t=0", 1),
		"no lane":         strings.Replace(okHash, "p=1", "p=0", 1),
		"many lanes":      strings.Replace(okHash, "p=1", "p=255", 1),
		"beyond a byte":   strings.Replace(okHash, "p=1", "p=257", 1),
		"leading zero":    strings.Replace(okHash, "t=2", "t=02", 1),
		"more":            okHash + "$x",
		"short key":       okHash[:len(okHash)-4],
		"no salt":         strings.Replace(okHash, "AAAAAAAAAAAAAAAAAAAAAA$", "$", 1),
		"no base64":       strings.Replace(okHash, "AAAA$", "!!!!$", 1),
		"padding":         okHash + "=",
	}
	for name, phc := range bad {
		if signin.CheckHash(phc) == nil {
			t.Errorf("%s was accepted: %s", name, phc)
		}
	}
}

func FuzzCheckHash(f *testing.F) {
	for _, s := range []string{okHash, "", "$argon2id$v=19$m=8,t=1,p=1$$", "$$$$$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if signin.CheckHash(s) == nil && !strings.HasPrefix(s, "$argon2id$v=19$m=") {
			t.Errorf("accepted %q", s)
		}
	})
}

// Passwords are checked exactly: any other text is refused.
func TestPasswordsOpenOnlyThemselves(t *testing.T) {
	clock := dbtest.NewClock()
	h := newHouse(t, dbtest.SQLite(t, clock), clock)
	h.acme = h.organisation(t, "Acme Corp", "ACME")
	h.member(t, h.acme, "ana@acme.example")
	rapid.Check(t, func(t *rapid.T) {
		edit := rapid.SampledFrom([]func(string) string{
			func(s string) string { return s + rapid.StringN(1, 5, 20).Draw(t, "tail") },
			func(s string) string { return rapid.StringN(1, 5, 20).Draw(t, "head") + s },
			func(s string) string { return s[:rapid.IntRange(0, len(s)-1).Draw(t, "cut")] },
			func(string) string { return rapid.String().Draw(t, "other") },
		}).Draw(t, "edit")
		wrong := edit(good)
		if wrong == good {
			return
		}
		h.clock.Advance(25 * 3600e9)
		if _, err := h.browser().try("ana@acme.example", wrong); !problem.Is(err, problem.Unauthenticated) {
			t.Fatalf("%q: %v", wrong, err)
		}
	})
}

func TestHashingIsBounded(t *testing.T) {
	clock := dbtest.NewClock()
	h := newHouse(t, dbtest.SQLite(t, clock), clock)
	h.acme = h.organisation(t, "Acme Corp", "ACME")
	h.member(t, h.acme, "ana@acme.example")
	release := h.HoldHashing()
	before := h.Hashes()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range h.Queue() {
		wg.Go(func() {
			b := h.browser()
			b.from = fmt.Sprintf("198.51.100.%d", i)
			ctx, err := h.Sessions().Load(ctx, "")
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := h.SignIn(ctx, b.attempt(fmt.Sprintf("p%d@acme.example", i), good)); !problem.Is(err, problem.Unavailable) {
				t.Errorf("who gave up waiting got %v", err)
			}
		})
	}
	for h.Waiting() < int64(h.Queue()) { // until all of them wait
		if t.Context().Err() != nil {
			t.Fatal("they never came to wait")
		}
	}
	_, err := h.browser().try("ana@acme.example", good)
	if p := wantCode(t, err, problem.Unavailable); p.RetryAfter <= 0 {
		t.Error("one too many is not told when to come back")
	}
	cancel()
	wg.Wait()
	release()
	if h.Hashes() != before {
		t.Errorf("%d hashes although nobody had a turn", h.Hashes()-before)
	}
	if _, err := h.browser().try("ana@acme.example", good); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	s := signin.NewSecret("canary phrase of mine")
	a := signin.Attempt{Email: "ana@acme.example", Password: s}
	l := signin.Link{Token: s}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "attempt", a, "link", l)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "attempt", a, "link", &l)
	out := log.String() + fmt.Sprint(s, a, l) + fmt.Sprintf("%s %v %+v %#v %q %x %X %d %T", s, a, a, a, s, s, s, s, s)
	if strings.Contains(out, "canary") || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", "canary")) {
		t.Errorf("printed: %s", out)
	}
	if s.Reveal() != "canary phrase of mine" {
		t.Error("Reveal lost it")
	}
}
