package scope

import "sync/atomic"

// Shelf holds the catalogue as it is now. Who decides takes it from here each time, so that a change counts in every
// room at once; what was taken never changes. It is safe for use by many goroutines.
type Shelf struct {
	now atomic.Pointer[Catalogue]
}

// NewShelf returns a shelf that holds a catalogue.
func NewShelf(c *Catalogue) *Shelf {
	s := &Shelf{}
	s.now.Store(c)
	return s
}

// Now returns the whole catalogue: what tokens and calls are judged by.
func (s *Shelf) Now() *Catalogue { return s.now.Load() }
