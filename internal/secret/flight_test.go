package secret_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

// end is how a verification ended.
type end struct {
	secret.Result
	err error
}

// ends collects them in their order.
type ends struct {
	mu  sync.Mutex
	all []end
}

func (e *ends) add(result secret.Result, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, end{result, err})
}

func (e *ends) list() []end {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

// start verifies in a goroutine of its own.
func (w *world) start(ctx context.Context, e *ends, clientID, presented string) {
	go func() {
		e.add(w.verifier.Verify(ctx, secret.Presented{ClientID: clientID, Text: presented}, w.lookup(clientID)))
	}()
}

// refusedBusy says whether the error is the one for an overloaded moment: unavailable, to be tried again in a second.
func refusedBusy(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Code == problem.Unavailable && p.RetryAfter == time.Second && p.Key == "secret.busy"
}

func TestSixtyFourIdenticalRequestsAreOneBcrypt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, secret.Params{}, time.Now, nil)
		good := w.issue(t, clientA, 1)
		held := w.hold()
		var e ends
		for range 64 {
			w.start(t.Context(), &e, clientA, good)
		}
		synctest.Wait() // all of them hang on the one bcrypt
		held.one()
		synctest.Wait()
		if n := w.verifier.Bcrypts(); n != 1 {
			t.Errorf("%d bcrypts ran, want 1", n)
		}
		for i, got := range e.list() {
			if want := (end{secret.Result{CredentialID: clientA + "/1", Gate: secret.GateHash}, nil}); got != want {
				t.Errorf("request %d: %+v", i, got)
			}
		}
		if n := len(e.list()); n != 64 {
			t.Errorf("%d requests ended", n)
		}
	})
}

// TestSixtyFourIdenticalRequestsInTheWild has no help from a fake clock: late ones must find the cache filled.
func TestSixtyFourIdenticalRequestsInTheWild(t *testing.T) {
	for range 20 {
		w := newWorld(t, secret.Params{}, nil, nil)
		good := w.issue(t, clientA, 1)
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if _, err := w.verify(t, clientA, good); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := w.verifier.Bcrypts(); n != 1 {
			t.Fatalf("%d bcrypts ran, want 1", n)
		}
	}
}

// TestALateRequestFindsTheCacheFilled: it looked into the cache before the bcrypt of another ended and asks for its own
// after.
func TestALateRequestFindsTheCacheFilled(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	good := w.issue(t, clientA, 1)
	w.check(t, clientA, good, want{clientA + "/1", secret.GateHash, nil, 1})
	gate, err := w.verifier.HashLate(t.Context(), clientA, good, w.rows[row{clientA, 1}])
	if gate != secret.GateHash || err != nil || w.verifier.Bcrypts() != 1 {
		t.Errorf("gate %s, error %v, %d bcrypts in all", gate, err, w.verifier.Bcrypts())
	}
}

// TestACallerThatLeavesTheLineDoesNotFailTheOthers is the same for a bcrypt that has not begun.
func TestACallerThatLeavesTheLineDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, secret.Params{}, time.Now, nil)
		good := w.issue(t, clientA, 1)
		held := w.hold()
		w.flood(t, 1) // has the slot
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		var first, other ends
		w.start(ctx, &first, clientA, good)
		synctest.Wait()
		w.start(t.Context(), &other, clientA, good)
		synctest.Wait()
		leave()
		synctest.Wait()
		if n := w.hasher.Waiting(); len(first.list()) != 1 || n != 1 {
			t.Errorf("%d callers left, %d bcrypts wait; want 1 and 1", len(first.list()), n)
		}
		held.all()
		synctest.Wait()
		if got := other.list(); len(got) != 1 || got[0].err != nil {
			t.Errorf("who stayed: %+v", got)
		}
	})
}

func TestACallerThatLeavesDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, secret.Params{}, time.Now, nil)
		good := w.issue(t, clientA, 1)
		held := w.hold()
		ctx, leave := context.WithCancel(t.Context())
		var first, others ends
		w.start(ctx, &first, clientA, good)
		synctest.Wait() // its request is the one that started the bcrypt
		for range 3 {
			w.start(t.Context(), &others, clientA, good)
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		if got := first.list(); len(got) != 1 || !refusedBusy(got[0].err) || got[0].Gate != secret.GateQueue {
			t.Errorf("who left: %+v", got)
		}
		held.one()
		synctest.Wait()
		for i, got := range others.list() {
			if got.err != nil {
				t.Errorf("other %d: %v", i, got.err)
			}
		}
		if n := w.verifier.Bcrypts(); n != 1 || len(others.list()) != 3 {
			t.Errorf("%d bcrypts, %d others ended", n, len(others.list()))
		}
	})
}

// TestAFullLineIsUnavailable has cost 10 and its line of 20: one runs, 20 wait, the next is told to come again in a
// second, and so are those that waited two seconds. Nobody hangs, and afterwards all is well.
func TestAFullLineIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, secret.Params{Cost: 10, MinCost: 4, MaxCost: 14}, time.Now, nil)
		held := w.hold()
		hash := anyHash(t, "04")
		var e ends
		ask := func(i int) {
			client := fmt.Sprint(clientA, i)
			w.put(client, 1, hash)
			w.start(t.Context(), &e, client, makeFor(t, w.keys, client, 1).Secret.Reveal())
		}
		for i := range 21 {
			ask(i)
		}
		synctest.Wait()
		if n := len(e.list()); n != 0 || w.hasher.Waiting() != 20 {
			t.Fatalf("%d ended, %d wait; want none and 20", n, w.hasher.Waiting())
		}
		ask(21)
		synctest.Wait()
		if got := e.list(); len(got) != 1 {
			t.Fatalf("%d ended, want the one too many", len(got))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(e.list()); n != 21 || w.hasher.Waiting() != 0 {
			t.Errorf("after two seconds %d ended, %d wait; want 21 and none", n, w.hasher.Waiting())
		}
		for i, got := range e.list() {
			if !refusedBusy(got.err) || got.Result != (secret.Result{Gate: secret.GateQueue}) {
				t.Errorf("request %d: %+v", i, got)
			}
		}
		held.all()
		ask(21) // the error was not kept: the same request is now served
		synctest.Wait()
		if got := e.list(); len(got) != 23 || got[21].err != nil || got[22].err != nil {
			t.Errorf("afterwards: %+v", got)
		}
	})
}

// TestOneClientCannotFillTheLine: of one client a hash runs and one waits (it may have two live secrets); whoever
// presents more different ones, which only an untrusted tag key makes possible, takes nobody's place.
func TestOneClientCannotFillTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, secret.Params{}, time.Now, nil)
		held := w.hold()
		w.hasher.SetSlots(2)
		hash := anyHash(t, "04")
		w.put(clientA, 1, hash)
		w.put(clientA, 2, hash)
		w.put(clientB, 1, hash)
		foreign := keysOf(t, 'c', []byte(strings.Repeat("x", 32)))
		var e ends
		w.start(t.Context(), &e, clientA, makeFor(t, w.keys, clientA, 1).Secret.Reveal())
		synctest.Wait()
		w.start(t.Context(), &e, clientA, makeFor(t, w.keys, clientA, 2).Secret.Reveal())
		synctest.Wait()
		for range 10 {
			w.start(t.Context(), &e, clientA, makeFor(t, foreign, clientA, 1).Secret.Reveal())
		}
		synctest.Wait()
		if n := len(e.list()); n != 10 || w.hasher.Waiting() != 1 || w.verifier.Bcrypts() != 1 {
			t.Fatalf("%d refused, %d wait, %d run; want 10, 1, 1", n, w.hasher.Waiting(), w.verifier.Bcrypts())
		}
		w.start(t.Context(), &e, clientB, makeFor(t, w.keys, clientB, 1).Secret.Reveal())
		synctest.Wait()
		if n := w.verifier.Bcrypts(); n != 2 {
			t.Errorf("%d run, want 2: the other client has the second slot at once", n)
		}
		held.all()
		synctest.Wait()
		if got := e.list(); len(got) != 13 || got[10].err != nil || got[11].err != nil || got[12].err != nil {
			t.Errorf("the honest three did not all get in: %+v", got)
		}
	})
}

// TestRotationWhileManyVerify: of a hundred requests in flight with the old secret, those that begin after it was
// retired are refused, whatever bcrypt still says (security.md §6.5).
func TestRotationWhileManyVerify(t *testing.T) {
	w := newWorld(t, secret.Params{}, nil, nil)
	old := w.issue(t, clientA, 1)
	var all sync.WaitGroup
	retired := make(chan struct{})
	for i := range 100 {
		all.Go(func() {
			if i >= 50 {
				<-retired
			}
			_, err := w.verify(t, clientA, old)
			if i >= 50 && !errors.Is(err, secret.ErrWrong) {
				t.Errorf("begun after the rotation: %v", err)
			}
		})
	}
	w.retire(clientA, 1)
	close(retired)
	all.Wait()
}
