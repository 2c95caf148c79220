package identity

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

// maxStandings bounds how many people's rights are kept in memory.
const maxStandings = 10_000

// Standing is what decides about a person's session: who acts with which rights, and when the password was set; a
// session begun with one that was set at another time is not taken. Organisation is the one the person belongs to.
type Standing struct {
	Actor         access.Actor
	PasswordSetAt time.Time // zero: never
}

// ActorFor returns an active person of an active organisation as an actor with the effective rights, or
// problem.Unauthenticated for anybody else. The origin is left to the caller. What this process knows is no older than
// the stale bound; when it cannot know, problem.Unavailable.
func (d *Directory) ActorFor(ctx context.Context, id PersonID) (access.Actor, error) {
	s, err := d.Standing(ctx, id)
	return s.Actor, err
}

// Standing is ActorFor with what else decides about a session.
func (d *Directory) Standing(ctx context.Context, id PersonID) (Standing, error) {
	for {
		if err := d.db.Feed().Fresh(ctx); err != nil {
			return Standing{}, err
		}
		s, generation, ok := d.known.get(id)
		if !ok {
			young := d.db.Feed().Reading()
			var err error
			if s, err = d.readStanding(ctx, id); err != nil {
				return Standing{}, err
			}
			if d.known.put(id, s, generation); !young() {
				continue // it is known now, unless something changed while it was read
			}
		}
		s.Actor.Rights = maps.Clone(s.Actor.Rights)
		return s, nil
	}
}

func unauthenticated() error {
	return problem.New(problem.Unauthenticated, "problem.unauthenticated")
}

// standings keeps what readStanding found until the feed says that it changed.
type standings struct {
	mu         sync.Mutex
	entries    *simplelru.LRU[PersonID, Standing]
	generation int64
}

func newStandings() (*standings, error) {
	entries, err := simplelru.NewLRU[PersonID, Standing](maxStandings, nil)
	if err != nil {
		return nil, fmt.Errorf("room for the rights of %d people: %w", maxStandings, err)
	}
	return &standings{entries: entries}, nil
}

// get returns what is known, or the generation that a later put must name.
func (k *standings) get(id PersonID) (s Standing, generation int64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok = k.entries.Get(id)
	return s, k.generation, ok
}

// put remembers what was read, unless something changed since the read began: the read may then have missed it.
func (k *standings) put(id PersonID, s Standing, generation int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if generation == k.generation {
		k.entries.Add(id, s)
	}
}

// heard forgets what changed. Roles and organisations are announced by the organisation's ID.
func (k *standings) heard(changes []database.Change) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.generation++
	if changes == nil {
		k.entries.Purge()
		return
	}
	gone := map[OrganisationID]bool{}
	for _, c := range changes {
		switch c.Topic {
		case database.TopicPerson:
			k.entries.Remove(PersonID(c.ID))
		case database.TopicRole, database.TopicOrganisation:
			gone[OrganisationID(c.ID)] = true
		default:
		}
	}
	if len(gone) == 0 {
		return
	}
	for _, id := range k.entries.Keys() {
		if s, ok := k.entries.Peek(id); ok && gone[s.Actor.Organisation] {
			k.entries.Remove(id)
		}
	}
}
