package registry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/secret"
)

// loadTimeout bounds one read of a client, which may serve several callers and so goes on when one of them leaves.
const loadTimeout = 5 * time.Second

// snapshot holds clients that were read, by client ID, the least recently used giving way. An entry goes when the
// change feed names its app, its organisation or its API user.
//
// Every piece of such news begins a new epoch. What was read in an older epoch may lack the news: it is not kept, and
// whoever asks in the new epoch does not share the old one's read.
type snapshot struct {
	flights singleflight.Group

	mu      sync.Mutex
	entries *simplelru.LRU[string, *Client]
	about   map[database.Change]map[string]struct{} // what concerns which client IDs
	epoch   uint64
}

func newSnapshot(size int) (*snapshot, error) {
	s := &snapshot{about: map[database.Change]map[string]struct{}{}}
	entries, err := simplelru.NewLRU(size, func(_ string, c *Client) { s.forget(c) })
	if err != nil {
		return nil, fmt.Errorf("registry: snapshot of %d clients: %w", size, err)
	}
	s.entries = entries
	return s, nil
}

// get returns the entry of a client ID, nil if there is none, and the epoch it is or would be of.
func (s *snapshot) get(clientID string) (*Client, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, _ := s.entries.Get(clientID)
	return c, s.epoch
}

// has reports whether there is an entry of a client ID, and is no use of it.
func (s *snapshot) has(clientID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries.Contains(clientID)
}

// put keeps a client that was read in an epoch, if that has not passed.
func (s *snapshot) put(c *Client, epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if epoch != s.epoch {
		return
	}
	s.entries.Remove(c.ClientID)
	s.entries.Add(c.ClientID, c)
	for _, change := range c.concerns() {
		ids := s.about[change]
		if ids == nil {
			ids = map[string]struct{}{}
			s.about[change] = ids
		}
		ids[c.ClientID] = struct{}{}
	}
}

// forget drops what leads to an entry that has left; the lock is held.
func (s *snapshot) forget(c *Client) {
	for _, change := range c.concerns() {
		delete(s.about[change], c.ClientID)
		if len(s.about[change]) == 0 {
			delete(s.about, change)
		}
	}
}

// concerns returns the news that make the entry old.
func (c *Client) concerns() [3]database.Change {
	return [3]database.Change{
		{Topic: database.TopicApp, ID: string(c.ID)},
		{Topic: database.TopicOrganisation, ID: string(c.Organisation)},
		{Topic: database.TopicRobot, ID: string(c.APIUser)},
	}
}

// heard drops what the change feed names; nil means that anything may have changed.
func (s *snapshot) heard(changes []database.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if changes == nil {
		s.epoch++
		s.entries.Purge()
		return
	}
	for _, change := range changes {
		switch change.Topic {
		case database.TopicApp, database.TopicOrganisation, database.TopicRobot:
			s.epoch++
			for clientID := range s.about[change] {
				s.entries.Remove(clientID)
			}
		case database.TopicPerson, database.TopicRole, database.TopicKey, database.TopicCatalogue:
		}
	}
}

// Client returns what decides about a client's tokens, no older than the stale bound (protocol.md §2). Once warm it
// reads no database. A client ID that is not known costs one read each time and is not remembered. The answers are
// problem.NotFound and problem.Unavailable.
func (r *Registry) Client(ctx context.Context, clientID string) (*Client, error) {
	if err := r.db.Feed().Fresh(ctx); err != nil {
		return nil, err
	}
	if c, _ := r.snapshot.get(clientID); c != nil {
		return c, nil
	}
	return r.readClient(ctx, clientID)
}

// readClient reads a client from the database and keeps it. No caller waits longer than loadTimeout. What took longer to
// read than the stale bound allows is read again if anything changed meanwhile.
func (r *Registry) readClient(ctx context.Context, clientID string) (*Client, error) {
	if !validClientID(clientID) {
		return nil, notFound()
	}
	own, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	for {
		got, err := r.shareRead(own, clientID)
		switch {
		case err != nil && own.Err() != nil && ctx.Err() == nil:
			return nil, problem.Wrap(err, problem.Unavailable, "problem.unavailable")
		case err != nil:
			return nil, err
		case got.young():
			return got.client, nil
		}
		if err := r.db.Feed().Fresh(own); err != nil {
			return nil, err
		}
		if _, epoch := r.snapshot.get(clientID); epoch == got.epoch {
			return got.client, nil
		}
	}
}

// read is a client that was read, with what tells whether it may be decided upon.
type read struct {
	client *Client
	epoch  uint64
	young  func() bool
}

// shareRead reads a client. Callers who meet in one epoch share the reading, which goes on when one of them leaves.
func (r *Registry) shareRead(ctx context.Context, clientID string) (read, error) {
	_, epoch := r.snapshot.get(clientID)
	flight := fmt.Sprintf("%d %s", epoch, clientID)
	done := r.snapshot.flights.DoChan(flight, func() (any, error) {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		got := read{epoch: epoch, young: r.db.Feed().Reading()}
		var err error
		if got.client, err = r.store.readClient(own, clientID); err != nil {
			return nil, err
		}
		r.snapshot.put(got.client, epoch)
		return got, nil
	})
	select {
	case <-ctx.Done():
		return read{}, ctx.Err()
	case result := <-done:
		got, _ := result.Val.(read)
		return got, result.Err
	}
}

// lookup is what one verification asks: the usable secret of a client in a slot. A slot that the snapshot does not know
// may have been filled by another process this instant, so it costs one read before it is refused (protocol.md §2), and
// no second one when the snapshot did not know the client and it was just read.
func (r *Registry) lookup(clientID string) secret.Lookup {
	justRead := false
	return func(ctx context.Context, slot int, again bool) (secret.Candidate, bool, error) {
		var c *Client
		err := r.db.Feed().Fresh(ctx)
		if err != nil || again && justRead {
			return secret.Candidate{}, false, err
		}
		if !again {
			c, _ = r.snapshot.get(clientID)
			justRead = c == nil
		}
		if c == nil {
			c, err = r.readClient(ctx, clientID)
		}
		if isNotFound(err) {
			return secret.Candidate{}, false, nil
		}
		if err != nil {
			return secret.Candidate{}, false, err
		}
		candidate, ok := c.candidate(slot, r.db.Now())
		return candidate, ok, nil
	}
}
