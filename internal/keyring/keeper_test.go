package keyring_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/database/dbtest"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/keyring/keyringtest"
	"credenza.example/credenza/internal/problem"
)

var operator = access.Operator("root", "")

const instant = time.Microsecond

func TestC43c_PublishWaitSignRetire(t *testing.T) {
	eachFleet(t, func(t *testing.T, f *fleet) {
		old := f.rings[0].Signer().KeyID
		done := f.rotate(keyring.Signing, false)
		if len(done.Made) != 2 || len(done.Old) != 2 || len(done.Dropped) != 0 {
			t.Fatalf("%d made, %d before, %d dropped", len(done.Made), len(done.Old), len(done.Dropped))
		}
		made := done.Made[0].ID
		f.agrees("published", old, old, made)
		f.expectStates("published", "signing", "next")
		f.clock.Advance(keyring.SignWait - instant)
		f.agrees("just before its time", old, old, made)
		f.clock.Advance(instant)
		f.agrees("at its time", made, old, made)
		f.expectStates("at its time", "accepted", "signing")
		f.sweep()
		if n := f.whole("sign"); n != 2 {
			t.Errorf("%d private keys at the turn, want 2: the clock of another replica may be behind", n)
		}
		f.clock.Advance(keyring.EraseAfter)
		f.sweep()
		if n, m := f.whole("sign"), f.whole("sign-rs256"); n != 1 || m != 1 {
			t.Errorf("%d and %d private keys are kept of which one signs", n, m)
		}
		f.agrees("erased", made, old, made)
		f.expectStates("erased", "accepted", "signing")
		f.clock.Advance(keyring.AcceptFor - keyring.EraseAfter - instant)
		f.agrees("just before the last token ends", made, old, made)
		f.clock.Advance(instant)
		f.agrees("after the last token", made, made)
		f.refused("after the last token", old)
		f.expectStates("after the last token", "retired", "signing")
		f.sweep()
		f.clock.Advance(-keyring.AcceptFor)
		f.agrees("the clock set back after the sweep", made, made)
		f.refused("the clock set back after the sweep", old)
	})
}

func TestRotationsDoNotOverlap(t *testing.T) {
	eachFleet(t, func(t *testing.T, f *fleet) {
		for _, tt := range []struct {
			kind keyring.Kind
			wait time.Duration
		}{{keyring.Signing, keyring.SignWait}, {keyring.Tag, keyring.TagWait}} {
			done := f.rotate(tt.kind, false)
			f.clock.Advance(tt.wait - instant)
			before := dump(t, f.dbs[0])
			_, err := f.keepers[1].Rotate(t.Context(), operator, keyring.Rotation{Kind: tt.kind})
			p := problem.As(err)
			if p.Code != problem.Conflict || p.Key != "keys.pending" || p.Args["Key"] != done.Made[0].ID ||
				p.Args["From"] != done.Made[0].SignsFrom.UTC().Format("2006-01-02 15:04:05 UTC") {
				t.Errorf("%s: a second rotation: %v %v", tt.kind, err, p.Args)
			}
			if diff := cmp.Diff(before, dump(t, f.dbs[0])); diff != "" {
				t.Errorf("%s: the refused rotation wrote: %s", tt.kind, diff)
			}
			f.clock.Advance(instant)
			f.rotate(tt.kind, false)
		}
	})
}

func TestTwoRotateAtOnce(t *testing.T) {
	eachFleet(t, func(t *testing.T, f *fleet) {
		for _, kind := range []keyring.Kind{keyring.Signing, keyring.Tag} {
			errs := make([]error, 2)
			var wg sync.WaitGroup
			for i, k := range f.keepers {
				wg.Go(func() { _, errs[i] = k.Rotate(t.Context(), operator, keyring.Rotation{Kind: kind}) })
			}
			wg.Wait()
			slices.SortFunc(errs, func(a, _ error) int {
				if a == nil {
					return -1
				}
				return 1
			})
			if errs[0] != nil || !problem.Is(errs[1], problem.Conflict) {
				t.Errorf("%s: %v, want one done and one refused", kind, errs)
			}
		}
	})
}

func TestCompromisedKeysAreDroppedAtOnce(t *testing.T) {
	eachFleet(t, func(t *testing.T, f *fleet) {
		first := f.rings[0].Signer().KeyID
		done := f.rotate(keyring.Signing, true)
		second := done.Made[0].ID
		if len(done.Dropped) != 2 || done.Dropped[0].ID != first {
			t.Errorf("dropped %v", done.Dropped)
		}
		f.agrees("dropped", second, second)
		f.refused("dropped", first)
		f.expectStates("dropped", "untrusted", "signing")
		if n := f.whole("sign"); n != 1 {
			t.Errorf("%d private keys are kept", n)
		}

		// One that waits goes with it, one that signed until just now, and one whose private half was erased here: who
		// read it may have done so before.
		f.rotate(keyring.Signing, false)
		f.clock.Advance(keyring.SignWait + keyring.EraseAfter)
		f.sweep()
		third := f.rings[0].Signer().KeyID
		f.rotate(keyring.Signing, false)
		f.clock.Advance(keyring.SignWait)
		fourth := f.rings[0].Signer().KeyID
		fifth := f.rotate(keyring.Signing, false).Made[0].ID
		f.agrees("before", fourth, second, third, fourth, fifth)
		done = f.rotate(keyring.Signing, true)
		sixth := done.Made[0].ID
		f.agrees("dropped with others", sixth, sixth)
		for _, kid := range []string{first, second, third, fourth, fifth} {
			f.refused("dropped with others", kid)
		}
		f.expectStates("dropped with others", "untrusted", "untrusted", "untrusted", "untrusted", "untrusted", "signing")

		// Neither time nor a clock that was set back brings any of them back, nor does another ring.
		for _, step := range []time.Duration{keyring.AcceptFor, -4 * keyring.AcceptFor, 8 * keyring.AcceptFor} {
			f.clock.Advance(step)
			f.sweep()
			for _, kid := range []string{first, second, third, fourth, fifth} {
				f.refused(step.String(), kid)
			}
			if got := open(t, f.dbs[0], f.master).Signer().KeyID; got != sixth || f.rings[1].Signer().KeyID != sixth {
				t.Errorf("%v: %s signs, want %s", step, got, sixth)
			}
		}
	})
}

// A clock that is set back, at each point of a rotation, leaves no gap and loses no key that is in use.
func TestF10_ClockSetBack(t *testing.T) {
	day := 24 * time.Hour
	tests := []struct {
		name    string
		advance time.Duration // after the rotation
		swept   bool
		signer  int // after the clock was set back by a day: 0 the old key, 1 the new one
		verify  []int
	}{
		{"while the new key waits", 0, true, 0, []int{0, 1}},
		{"after it began", keyring.SignWait, true, 0, []int{0, 1}},
		{"after the old one was erased", keyring.SignWait + keyring.EraseAfter, true, 1, []int{0, 1}},
		{"after the old one retired, not swept", keyring.SignWait + keyring.AcceptFor, false, 0, []int{0, 1}},
		{"after the old one retired", keyring.SignWait + keyring.AcceptFor, true, 1, []int{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := alone(t)
			keys := []string{f.rings[0].Signer().KeyID}
			keys = append(keys, f.rotate(keyring.Signing, false).Made[0].ID)
			f.clock.Advance(tt.advance)
			if tt.swept {
				f.sweep()
			}
			f.clock.Advance(-2 * day)
			var verify []string
			for _, i := range tt.verify {
				verify = append(verify, keys[i])
			}
			f.agrees("set back", keys[tt.signer], verify...)
			f.rings = append(f.rings, open(t, f.dbs[0], f.master)) // a process that starts now
			f.agrees("set back, started anew", keys[tt.signer], verify...)
			f.clock.Advance(2*day + keyring.SignWait + keyring.AcceptFor)
			f.agrees("set right and over", keys[1], keys[1])
		})
	}
}

// A clock that ran a year ahead during a rotation does not keep the next one from happening.
func TestRotationAfterAClockRanAhead(t *testing.T) {
	f := alone(t)
	year := 365 * 24 * time.Hour
	f.clock.Advance(year)
	second := f.rotate(keyring.Signing, false).Made[0].ID
	f.clock.Advance(keyring.SignWait + keyring.AcceptFor)
	f.sweep()
	f.clock.Advance(-year)
	f.agrees("set right", second, second)
	third := f.rotate(keyring.Signing, false).Made[0].ID
	f.agrees("rotated", second, second, third)
	f.clock.Advance(keyring.SignWait)
	f.agrees("at its time", third, second, third)
	f.clock.Advance(keyring.AcceptFor)
	f.sweep()
	f.agrees("over", third, third)
	f.clock.Advance(year)
	f.agrees("in the year that was foreseen", third, third)
}

// Each step is one transaction, so whoever is killed leaves the step before.
func TestKilledRotationLeavesEverythingAsItWas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		f := newFleet(t, []*database.DB{db}, clock)
		f.rotate(keyring.Signing, false)
		f.rotate(keyring.Tag, false)
		f.clock.Advance(keyring.SignWait + keyring.EraseAfter)
		before := dump(t, db)
		exec(t, db, "", "ALTER TABLE audit_events RENAME TO away")
		for _, kind := range []keyring.Kind{keyring.Signing, keyring.Tag} {
			for _, compromised := range []bool{false, true} {
				if _, err := f.keepers[0].Rotate(t.Context(), operator, keyring.Rotation{Kind: kind, Compromised: compromised}); err == nil {
					t.Error("rotated without an event")
				}
			}
		}
		exec(t, db, "", "ALTER TABLE away RENAME TO audit_events")
		exec(t, db, "", "ALTER TABLE changes RENAME TO away")
		if err := f.rings[0].Sweep(t.Context()); err == nil {
			t.Error("swept without telling the others")
		}
		exec(t, db, "", "ALTER TABLE away RENAME TO changes")
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Error(diff)
		}
		f.rings = append(f.rings, open(t, db, f.master))
		f.sweep()
		f.rotate(keyring.Signing, false)
	})
}

func TestTagKeysRotate(t *testing.T) {
	eachFleet(t, func(t *testing.T, f *fleet) {
		expect := func(when string, want ...string) {
			t.Helper()
			for i, r := range f.rings {
				if diff := cmp.Diff(want, mindOf(r).Tags); diff != "" {
					t.Errorf("%s, process %d (-want +got):\n%s", when, i, diff)
				}
			}
		}
		if done := f.rotate(keyring.Tag, false); len(done.Made) != 1 || done.Made[0].ID != "2" || len(done.Old) != 1 || done.Old[0].ID != "1" {
			t.Errorf("rotated %+v", done)
		}
		expect("known to all", "1 signing 32", "2 accepted 32")
		if diff := cmp.Diff([]string{"signing", "next"}, f.states("HMAC-SHA256")); diff != "" {
			t.Error(diff)
		}
		f.clock.Advance(keyring.TagWait - instant)
		expect("just before its time", "1 signing 32", "2 accepted 32")
		f.clock.Advance(instant)
		expect("at its time", "1 accepted 32", "2 signing 32")
		f.clock.Advance(10 * 365 * 24 * time.Hour)
		f.sweep()
		expect("years later", "1 accepted 32", "2 signing 32")
		f.rotate(keyring.Tag, false)
		if done := f.rotate(keyring.Tag, true); len(done.Dropped) != 3 {
			t.Errorf("dropped %+v", done.Dropped)
		}
		expect("compromised", "1 untrusted 0", "2 untrusted 0", "3 untrusted 0", "4 signing 32")
		f.clock.Advance(-20 * 365 * 24 * time.Hour)
		expect("set back", "1 untrusted 0", "2 untrusted 0", "3 untrusted 0", "4 signing 32")
	})
}

func TestTagKeyIDsAreGivenOnce(t *testing.T) {
	f := alone(t)
	seen := map[string]bool{"1": true}
	for range 61 {
		id := f.rotate(keyring.Tag, true).Made[0].ID
		if seen[id] || len(id) != 1 || !strings.Contains("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", id) {
			t.Errorf("the ID %q", id)
		}
		seen[id] = true
	}
	_, err := f.keepers[0].Rotate(t.Context(), operator, keyring.Rotation{Kind: keyring.Tag, Compromised: true})
	if p := problem.As(err); p.Code != problem.Conflict || p.Key != "keys.tag_ids_spent" {
		t.Errorf("a 63rd key: %v", err)
	}
}

func TestKeysTakeTheirRight(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB, clock *dbtest.Clock) {
		f := newFleet(t, []*database.DB{db}, clock)
		platform := access.OrganisationID("01890000-0000-7000-8000-000000000001")
		person := func(rights ...access.Right) access.Actor {
			return access.Actor{Kind: access.KindPerson, ID: "p", Organisation: platform, Rights: access.NewSet(rights...)}
		}
		before := dump(t, db)
		weak := person(access.OrganisationsManage, access.SupportLookup, access.CatalogueManage, access.PlatformAudit, access.AppsManage)
		if _, err := f.keepers[0].Keys(t.Context(), weak); !problem.Is(err, problem.Forbidden) {
			t.Errorf("listed: %v", err)
		}
		for _, r := range []keyring.Rotation{{Kind: keyring.Signing}, {Kind: keyring.Signing, Compromised: true}, {Kind: keyring.Tag}} {
			if _, err := f.keepers[0].Rotate(t.Context(), weak, r); !problem.Is(err, problem.Forbidden) {
				t.Errorf("%v: rotated: %v", r, err)
			}
		}
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Error(diff)
		}
		if _, err := f.keepers[0].Rotate(t.Context(), person(access.KeysManage), keyring.Rotation{Kind: keyring.Signing}); err != nil {
			t.Error(err)
		}
		if _, err := f.keepers[0].Rotate(t.Context(), operator, keyring.Rotation{Kind: keyring.Sealing}); err == nil || problem.Is(err, problem.Conflict) {
			t.Errorf("sealing keys: %v", err)
		}
		page, err := f.trail.Events(t.Context(), audit.Query{Chain: platform})
		if err != nil || len(page.Events) != 5 {
			t.Fatalf("%d events, %v", len(page.Events), err)
		}
	})
}

func TestRotationIsRecorded(t *testing.T) {
	f := alone(t)
	type record struct {
		Actor, Action, Target string
		Before, After         map[string]any
	}
	var want []record
	add := func(action string, done keyring.Rotated) {
		r := record{"operator:root", action, string(done.Made[0].Kind), map[string]any{}, map[string]any{}}
		for i, k := range done.Made {
			r.Before[k.Algorithm], r.After[k.Algorithm] = done.Old[i].ID, k.ID
			r.After["signs_from"] = k.SignsFrom.Format(time.RFC3339)
		}
		var dropped []any
		for _, k := range done.Dropped {
			dropped = append(dropped, k.ID)
		}
		if dropped != nil {
			r.After["dropped"] = dropped
		}
		want = append([]record{r}, want...)
	}
	add("keys.rotate", f.rotate(keyring.Signing, false))
	add("keys.drop", f.rotate(keyring.Signing, true))
	add("keys.rotate", f.rotate(keyring.Tag, false))
	add("keys.drop", f.rotate(keyring.Tag, true))
	page, err := f.trail.Events(t.Context(), audit.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var got []record
	for _, e := range page.Events {
		got = append(got, record{e.ActorID, e.Action, e.Target.ID, e.Before, e.After})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if v, err := f.trail.Verify(t.Context(), "", audit.Head{}); err != nil || v.Fault != "" || v.Events != 4 {
		t.Errorf("the chain: %+v, %v", v, err)
	}
}

func TestKeysShowTimesAndNothingElse(t *testing.T) {
	f := alone(t)
	made := f.clock.Now()
	f.rotate(keyring.Signing, false)
	f.clock.Advance(keyring.SignWait + keyring.EraseAfter)
	f.sweep()
	keys, err := f.keepers[0].Keys(t.Context(), operator)
	if err != nil {
		t.Fatal(err)
	}
	turn := made.Add(keyring.SignWait)
	old := keyring.Key{
		Kind: keyring.Signing, Algorithm: "ES256", State: "accepted", CreatedAt: made, SignsFrom: made, SignsUntil: turn,
		AcceptedUntil: turn.Add(keyring.AcceptFor), EndedAt: turn.Add(keyring.EraseAfter),
	}
	now := keyring.Key{Kind: keyring.Signing, Algorithm: "ES256", State: "signing", CreatedAt: made, SignsFrom: turn}
	rs := func(k keyring.Key) keyring.Key { k.Algorithm = "RS256"; return k }
	want := []keyring.Key{
		old, now, rs(old), rs(now),
		{ID: "1", Kind: keyring.Tag, Algorithm: "HMAC-SHA256", State: "signing", CreatedAt: made, SignsFrom: made},
		{ID: "1", Kind: keyring.Sealing, Algorithm: "AES256-GCM", State: "current", CreatedAt: made},
		{ID: "1", Kind: keyring.Sealing, Algorithm: "HMAC-SHA256", State: "current", CreatedAt: made},
	}
	for i, k := range keys {
		if k.Kind == keyring.Signing {
			if len(k.ID) != 43 {
				t.Errorf("ID %q", k.ID)
			}
			keys[i].ID = ""
		}
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDroppedKeysShowWhatTheyLivedToSee(t *testing.T) {
	f := alone(t)
	made := f.clock.Now()
	f.rotate(keyring.Signing, false)
	f.clock.Advance(time.Minute)
	dropped := f.rotate(keyring.Signing, true).Dropped
	for i, want := range []keyring.Key{{SignsFrom: made, SignsUntil: made.Add(time.Minute)}, {}} {
		if k := dropped[i]; !k.SignsFrom.Equal(want.SignsFrom) || !k.SignsUntil.Equal(want.SignsUntil) || !k.EndedAt.Equal(made.Add(time.Minute)) {
			t.Errorf("%s: %+v", k.Algorithm, k)
		}
	}
}

// Rows that only somebody with the master key can write, and that no version of the product does.
func TestRowsThatCannotBeAreRefused(t *testing.T) {
	now := dbtest.NewClock().Now()
	tests := map[string]struct {
		purpose string
		change  func(r *keyring.Rewritten)
	}{
		"unknown state":                   {"sign", func(r *keyring.Rewritten) { r.State = "next" }},
		"no state":                        {"tag", func(r *keyring.Rewritten) { r.State = "" }},
		"signing without a key":           {"sign", func(r *keyring.Rewritten) { r.Key = nil }},
		"RS256 without a key":             {"sign-rs256", func(r *keyring.Rewritten) { r.Key = nil }},
		"accepted with a key":             {"sign", func(r *keyring.Rewritten) { r.State, r.SignsUntil = "accepted", &now }},
		"accepted without an end":         {"sign", func(r *keyring.Rewritten) { r.State, r.Key = "accepted", nil }},
		"untrusted with a key":            {"sign", func(r *keyring.Rewritten) { r.State = "untrusted" }},
		"untrusted tag key with a key":    {"tag", func(r *keyring.Rewritten) { r.State = "untrusted" }},
		"accepted tag key":                {"tag", func(r *keyring.Rewritten) { r.State, r.SignsUntil = "accepted", &now }},
		"untrusted MAC key":               {"mac", func(r *keyring.Rewritten) { r.State, r.Key = "untrusted", nil }},
		"data key without a key":          {"data", func(r *keyring.Rewritten) { r.Key = nil }},
		"C37: ES256 key that says RS256":  {"sign", func(r *keyring.Rewritten) { r.Algorithm = "RS256" }},
		"C37: RS256 key that says PS256":  {"sign-rs256", func(r *keyring.Rewritten) { r.Algorithm = "PS256" }},
		"C37: RS256 key that says HS256":  {"sign-rs256", func(r *keyring.Rewritten) { r.Algorithm = "HS256" }},
		"public half that is none":        {"sign", func(r *keyring.Rewritten) { r.PublicKey = "{}" }},
		"public half of another key":      {"sign", func(r *keyring.Rewritten) { r.PublicKey = foreignJWK }},
		"private half that is none":       {"sign", func(r *keyring.Rewritten) { r.Key = []byte("x") }},
		"RS256 private half that is none": {"sign-rs256", func(r *keyring.Rewritten) { r.Key = []byte("x") }},
		"every signing key is untrusted":  {"sign", func(r *keyring.Rewritten) { r.State, r.Key = "untrusted", nil }},
		"every tag key is untrusted":      {"tag", func(r *keyring.Rewritten) { r.State, r.Key = "untrusted", nil }},
		"another text in the key check":   {"check", func(r *keyring.Rewritten) { r.Key = []byte("another check") }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := alone(t)
			signer := f.rings[0].Signer().KeyID
			if err := keyring.Rewrite(t.Context(), f.dbs[0], f.master, tt.purpose, tt.change); err != nil {
				t.Fatal(err)
			}
			if _, err := keyring.Open(t.Context(), f.dbs[0], f.master, quiet, keyringtest.RSA()); err == nil {
				t.Error("opened")
			}
			if f.rings[0].Signer().KeyID != signer {
				t.Error("the ring that was open signs with something else")
			}
		})
	}
}

// foreignJWK is a P-256 key of nobody's: the example of RFC 7517, appendix A.1.
const foreignJWK = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",` +
	`"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","alg":"ES256","kid":"1"}`

// A database in which the RS256 line has nothing left that can sign gets another key when it is opened.
func TestRS256LineIsBegunAnew(t *testing.T) {
	f := alone(t)
	before := keyIDs(f.rings[0])
	err := keyring.Rewrite(t.Context(), f.dbs[0], f.master, "sign-rs256", func(r *keyring.Rewritten) { r.State, r.Key = "untrusted", nil })
	if err != nil {
		t.Fatal(err)
	}
	generator := keyringtest.Generator()
	if _, err := generator(); err != nil { // the one that is in the database already
		t.Fatal(err)
	}
	r, err := keyring.Open(t.Context(), f.dbs[0], f.master, quiet, keyring.WithRSA(generator))
	if err != nil {
		t.Fatal(err)
	}
	if got := keyIDs(r); len(got) != 2 || got[0] != before[0] || got[1] == before[1] {
		t.Errorf("published %v, before %v", got, before)
	}
}

func TestFollowTellsOfNewsAndOfTime(t *testing.T) {
	f := alone(t)
	acts := make(chan mind, 100)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { f.rings[0].Follow(ctx, func() { acts <- mindOf(f.rings[0]) }) })
	await := func(when, tags string) {
		t.Helper()
		for deadline := time.After(dbtest.PollTimeout); ; {
			select {
			case m := <-acts:
				if strings.Join(m.Tags, ", ") == tags {
					return
				}
			case <-deadline:
				t.Fatalf("%s: never told of %s", when, tags)
			}
		}
	}
	await("at once", "1 signing 32")
	f.rotate(keyring.Tag, false)
	await("news", "1 signing 32, 2 accepted 32")
	f.clock.Advance(keyring.TagWait)
	await("time", "1 accepted 32, 2 signing 32")
	f.rotate(keyring.Tag, true)
	await("news", "1 untrusted 0, 2 untrusted 0, 3 signing 32")
	stop()
	wg.Wait()
}

func TestSweepWritesOnlyWhenThereIsSomethingToDo(t *testing.T) {
	f := alone(t)
	exec(t, f.dbs[0], "", "ALTER TABLE change_counter RENAME TO away")
	for range 3 {
		if err := f.rings[0].Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		f.clock.Advance(1000 * time.Hour)
	}
	exec(t, f.dbs[0], "", "ALTER TABLE away RENAME TO change_counter")
	f.rotate(keyring.Signing, false)
	f.clock.Advance(keyring.SignWait + keyring.EraseAfter)
	_ = f.rings[0].Signer() // has read the new keys
	exec(t, f.dbs[0], "", "UPDATE keys SET public_key = '{}' WHERE purpose = 'sign'")
	if err := f.rings[0].Sweep(t.Context()); !errors.Is(err, keyring.ErrSealed) {
		t.Errorf("a row that somebody changed was sealed anew: %v", err)
	}
}

// Everybody asks while keys change hands, by news and by time.
func TestTurnsUnderLoad(t *testing.T) {
	f := alone(t)
	r := f.rings[0]
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				signer := r.Signer()
				if signer.Key == nil || signer.Algorithm != "ES256" {
					t.Error("nothing signs")
					return
				}
				_, _ = r.Verification(signer.KeyID)
				if len(r.JWKS().Keys) < 2 || len(r.TagKeys()) == 0 || len(r.MAC("p", nil)) != 32 {
					t.Error("keys are missing")
					return
				}
			}
		})
	}
	for i := range 12 {
		f.rotate(keyring.Signing, i%4 == 3)
		for range 4 {
			f.clock.Advance(keyring.SignWait / 4)
		}
		f.sweep()
	}
	close(done)
	wg.Wait()
}
