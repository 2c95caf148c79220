package limit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

var errNoClock = errors.New("limit: a clock is needed")

// table is a bounded map from keys to what is known about them, with the lock under which an entry is read, judged
// and changed in one step.
type table[V any] struct {
	mu      sync.Mutex
	entries *simplelru.LRU[[sha256.Size]byte, V]
	clock   func() time.Time
}

func newTable[V any](limit int, clock func() time.Time) (*table[V], error) {
	if clock == nil {
		return nil, errNoClock
	}
	entries, err := simplelru.NewLRU[[sha256.Size]byte, V](limit, nil)
	if err != nil {
		return nil, fmt.Errorf("limit: room for %d keys: %w", limit, err)
	}
	return &table[V]{entries: entries, clock: clock}, nil
}

func sum(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }
