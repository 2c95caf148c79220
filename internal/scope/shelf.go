package scope

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
)

// retryPause is how long a catalogue that could not be read is waited for before it is tried again.
const retryPause = 250 * time.Millisecond

// Shelf holds the catalogue as it is now: the one that is built into the program with what administrators changed. Who
// decides takes it from here each time, so that a change counts in every room at once; what was taken never changes. A
// shelf is safe for use by many goroutines.
type Shelf struct {
	db    *database.DB
	trail *audit.Trail
	log   *slog.Logger

	changed chan struct{} // holds one: another process or this one changed something
	loading sync.Mutex
	now     atomic.Pointer[shelved]
}

// shelved is a catalogue with the version of what was changed in it.
type shelved struct {
	whole   *Catalogue
	version int64

	mu    sync.Mutex
	views map[access.OrganisationID]*Catalogue // those that were asked for
}

func newShelved(c *Catalogue, version int64) *shelved {
	return &shelved{whole: c, version: version, views: map[access.OrganisationID]*Catalogue{}}
}

// NewShelf returns a shelf on which one catalogue stands for ever.
func NewShelf(c *Catalogue) *Shelf {
	s := &Shelf{}
	s.now.Store(newShelved(c, 0))
	return s
}

// OpenShelf returns the shelf of a database. It follows the change feed while Follow runs. A stored change that no longer
// fits the built-in catalogue is left out, and the log says so: the rest must go on.
func OpenShelf(ctx context.Context, db *database.DB, trail *audit.Trail, log *slog.Logger) (*Shelf, error) {
	s := &Shelf{db: db, trail: trail, log: log, changed: make(chan struct{}, 1)}
	db.Feed().Subscribe(s.heard) // before it is read, so that nothing is changed in between unheard
	return s, s.load(ctx)
}

// Now returns the whole catalogue: what tokens and calls are judged by.
func (s *Shelf) Now() *Catalogue { return s.now.Load().whole }

// For returns what people and apps of an organisation may see and use: every shared API and the organisation's own.
func (s *Shelf) For(org access.OrganisationID) *Catalogue {
	now := s.now.Load()
	if !now.whole.private {
		return now.whole
	}
	now.mu.Lock()
	defer now.mu.Unlock()
	view := now.views[org]
	if view == nil {
		view = now.whole.of(org)
		now.views[org] = view
	}
	return view
}

// heard is told of changes.
func (s *Shelf) heard(changes []database.Change) {
	for _, c := range changes {
		if c.Topic != database.TopicCatalogue {
			continue
		}
		s.wake()
		return
	}
	if changes == nil { // anything may have changed
		s.wake()
	}
}

func (s *Shelf) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Follow takes over what other processes change, until the context ends.
func (s *Shelf) Follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		}
		for {
			err := s.load(ctx)
			if err == nil || ctx.Err() != nil {
				break
			}
			s.log.WarnContext(ctx, "the catalogue could not be read again; the known one serves on", "error", err)
			pause := time.NewTimer(retryPause)
			select {
			case <-ctx.Done():
				pause.Stop()
				return
			case <-pause.C:
			}
		}
	}
}

// load reads what was changed and puts the catalogue of now on the shelf, unless it stands there already.
func (s *Shelf) load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	changes, err := readChanges(s.db.Read(ctx))
	if err != nil {
		return err
	}
	if now := s.now.Load(); now != nil && now.version == changes.version {
		return nil
	}
	whole, err := changes.build()
	if err != nil {
		s.log.ErrorContext(ctx, "some changes of the catalogue do not fit the built-in one of this version and are left out", "error", err)
		if whole, err = changes.buildWhatFits(); err != nil {
			return err
		}
	}
	s.now.Store(newShelved(whole, changes.version))
	return nil
}
