package secret_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/crypto/bcrypt"

	"credenza.example/credenza/internal/secret"
)

// costly is a world whose new hashes have cost 5, with rows that have 4.
type costly struct {
	*world

	registry *prometheus.Registry
	kept     chan secret.Rehash // what keep was asked
	answer   chan error         // what it answers: errGone that the old hash is not there any more
}

var errGone = errors.New("gone")

// newCostly returns it with the work begun. It belongs into a synctest bubble.
func newCostly(t *testing.T) *costly {
	t.Helper()
	c := &costly{registry: prometheus.NewRegistry(), kept: make(chan secret.Rehash), answer: make(chan error)}
	c.world = newWorld(t, secret.Params{Cost: 5, MinCost: 4, MaxCost: 14}, time.Now, c.registry)
	return c
}

func (c *costly) work(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.verifier.Rehash(ctx, func(ctx context.Context, r secret.Rehash) (bool, error) {
			select {
			case c.kept <- r:
			case <-ctx.Done():
				return false, ctx.Err()
			}
			select {
			case err := <-c.answer:
				if err != nil {
					return false, ignoreGone(err)
				}
			case <-ctx.Done():
				return false, ctx.Err()
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			at := row{r.ClientID, 1}
			candidate := c.rows[at]
			candidate.Hash = r.NewHash
			c.rows[at] = candidate
			return true, nil
		})
	}()
	t.Cleanup(func() { stop(); <-ended })
	synctest.Wait()
}

func ignoreGone(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// old stores a secret with a hash of cost 4 and returns it.
func (c *costly) old(t *testing.T, clientID string) string {
	t.Helper()
	text := makeFor(t, c.keys, clientID, 1).Secret.Reveal()
	hash, err := bcrypt.GenerateFromPassword([]byte(text), 4)
	if err != nil {
		t.Fatal(err)
	}
	c.put(clientID, 1, string(hash))
	return text
}

// asked returns what keep is asked, or fails if it is not asked now.
func (c *costly) asked(t *testing.T) secret.Rehash {
	t.Helper()
	synctest.Wait()
	select {
	case r := <-c.kept:
		return r
	default:
		t.Fatal("no hash was to be kept")
		return secret.Rehash{}
	}
}

// idle fails if a hash is to be kept.
func (c *costly) idle(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case r := <-c.kept:
		t.Fatalf("a hash of %s was to be kept", r.CredentialID)
	default:
	}
}

func (c *costly) results(t *testing.T, want map[string]float64) {
	t.Helper()
	synctest.Wait()
	for _, result := range []string{"kept", "overtaken", "dropped", "failed"} {
		if got := testutil.ToFloat64(c.hasher.Rehashes().WithLabelValues(result)); got != want[result] {
			t.Errorf("%s: %v, want %v", result, got, want[result])
		}
	}
}

// TestAnAcceptedSecretIsHashedAgainAtTheRaisedCost: beside the request, once, and the client stays warm.
func TestAnAcceptedSecretIsHashedAgainAtTheRaisedCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCostly(t)
		c.work(t)
		text := c.old(t, clientA)
		before := c.rows[row{clientA, 1}]
		c.check(t, clientA, text, want{clientA + "/1", secret.GateHash, nil, 1})
		c.check(t, clientA, text, want{clientA + "/1", secret.GateCache, nil, 0}) // nobody waits for it
		r := c.asked(t)
		if r.ClientID != clientA || r.CredentialID != before.CredentialID || r.OldHash != before.Hash {
			t.Errorf("asked to keep %s of %s in place of %q", r.CredentialID, r.ClientID, r.OldHash)
		}
		if cost, err := bcrypt.Cost([]byte(r.NewHash)); cost != 5 || err != nil {
			t.Errorf("cost %d, %v", cost, err)
		}
		c.answer <- nil
		synctest.Wait()
		c.check(t, clientA, text, want{clientA + "/1", secret.GateCache, nil, 0}) // the new hash is known
		if result, err := c.another(t).Verify(t.Context(), secret.Presented{ClientID: clientA, Text: text}, c.lookup(clientA)); err != nil {
			t.Errorf("another process: %+v, %v", result, err)
		}
		time.Sleep(16 * time.Minute)
		c.check(t, clientA, text, want{clientA + "/1", secret.GateHash, nil, 1})
		c.idle(t) // its cost is right now
		c.results(t, map[string]float64{"kept": 1})
		if n := testutil.ToFloat64(c.hasher.Runs().WithLabelValues("rehash")); n != 1 {
			t.Errorf("%v bcrypts for rehashes", n)
		}
	})
}

// TestOnlyWeakAndAcceptedSecretsAreHashedAgain: not what is of the cost of new ones or above, and not what is wrong.
func TestOnlyWeakAndAcceptedSecretsAreHashedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCostly(t)
		c.work(t)
		equal := c.issue(t, clientA, 1)
		c.check(t, clientA, equal, want{clientA + "/1", secret.GateHash, nil, 1})
		c.old(t, clientB)
		c.check(t, clientB, makeFor(t, c.keys, clientB, 1).Secret.Reveal(), want{"", secret.GateHash, secret.ErrWrong, 1})
		c.hasher.SetCompare(func(_, _ []byte) error { return nil })
		c.put(clientA, 1, anyHash(t, "06"))
		c.check(t, clientA, equal, want{clientA + "/1", secret.GateHash, nil, 1})
		c.idle(t)
		c.results(t, nil)
	})
}

// TestACredentialIsHashedAgainOnceAtATime: while it is under way, nothing asks a second time; what was not kept is asked
// for again at the next bcrypt.
func TestACredentialIsHashedAgainOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCostly(t)
		c.work(t)
		text := c.old(t, clientA)
		accept := func() {
			t.Helper()
			c.check(t, clientA, text, want{clientA + "/1", secret.GateHash, nil, 1})
			time.Sleep(16 * time.Minute)
		}
		accept()
		c.asked(t)
		accept()
		accept()
		c.answer <- errGone
		c.idle(t)
		c.results(t, map[string]float64{"overtaken": 1})
		accept()
		c.asked(t)
		c.answer <- errors.New("the database is away")
		c.idle(t)
		c.results(t, map[string]float64{"overtaken": 1, "failed": 1})
		accept()
		c.asked(t)
		c.answer <- nil
		c.results(t, map[string]float64{"overtaken": 1, "failed": 1, "kept": 1})
	})
}

// TestRehashesWaitForEverybody: while verifications fill the one slot and the line, none runs; after a minute without a
// turn it is dropped.
func TestRehashesWaitForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCostly(t)
		text := c.old(t, clientA)
		c.check(t, clientA, text, want{clientA + "/1", secret.GateHash, nil, 1}) // nobody does the work: nothing is kept for it
		c.work(t)
		c.idle(t)
		held := c.hold()
		go func() { _, _ = c.verify(t, clientB, c.old(t, clientB)) }()
		synctest.Wait()
		c.flood(t, 3)
		synctest.Wait()
		held.one() // client B is accepted, and its rehash waits behind the flood
		synctest.Wait()
		held.one()
		held.one()
		c.idle(t)
		held.one()
		if r := c.asked(t); r.ClientID != clientB {
			t.Errorf("%s was hashed again", r.ClientID)
		}
		c.answer <- nil

		// Once more, with a hash that never ends.
		time.Sleep(time.Hour)
		go func() { _, _ = c.verify(t, clientA, text) }()
		synctest.Wait()
		c.flood(t, 1)
		synctest.Wait()
		held.one()
		time.Sleep(59 * time.Second)
		c.results(t, map[string]float64{"kept": 1})
		time.Sleep(2 * time.Second)
		c.results(t, map[string]float64{"kept": 1, "dropped": 1})
		held.all()
		c.idle(t)
	})
}

// TestRehashesThatFindNoRoomAreDropped: their clients come again.
func TestRehashesThatFindNoRoomAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCostly(t)
		c.work(t)
		c.hasher.SetCompare(func(_, _ []byte) error { return nil })
		hash := anyHash(t, "04")
		for i := range 100 {
			client := clientA + string(rune('0'+i))
			c.put(client, 1, hash)
			if _, err := c.verify(t, client, makeFor(t, c.keys, client, 1).Secret.Reveal()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		c.results(t, map[string]float64{"dropped": 100 - 65}) // one is under way, 64 wait
		for range 65 {
			c.asked(t)
			c.answer <- nil
		}
		c.idle(t)
		c.results(t, map[string]float64{"dropped": 35, "kept": 65})
	})
}
