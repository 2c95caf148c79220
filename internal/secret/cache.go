package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	acceptedSize   = 100_000
	acceptedLife   = 10 * time.Minute
	acceptedJitter = 5 * time.Minute // spreads the hashes of clients that came together, after a restart for instance

	refusedSize = 10_000
	refusedLife = time.Minute
)

// cacheKey stands for "this string presented for this version of this credential with this hash".
type cacheKey [sha256.Size]byte

// keyer makes cache keys. They are MACs under a key that lives and dies with the process, so neither a heap dump nor
// the rows give anything to compare guesses with elsewhere.
type keyer struct{ macs *macs }

func newKeyer() *keyer {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // crypto/rand never fails: it ends the process instead
	return &keyer{newMACs(key)}
}

// keyOf returns the key of an entry: an HMAC over credential ID, version, hash and secret, each with its length before
// it, so that no two lists of fields make one message.
func (k *keyer) keyOf(candidate Candidate, presented string) cacheKey {
	return k.macs.of(func(message []byte) []byte {
		message = field(message, candidate.CredentialID)
		message = binary.BigEndian.AppendUint32(message, 8)
		message = binary.BigEndian.AppendUint64(message, uint64(candidate.Version)) // any 8 bytes do
		message = field(message, candidate.Hash)
		return field(message, presented)
	})
}

func field(message []byte, text string) []byte {
	message = binary.BigEndian.AppendUint32(message, uint32(len(text))) // far below 4 GiB
	return append(message, text...)
}

// cache remembers what bcrypt said about which strings: one cache which matched (security.md §6.3 step 4), another
// which did not (step 6). It says nothing about whether the credential is still good: that is asked each time. A
// rotation changes the version, and so makes an entry unreachable here and in every other process without anybody
// telling.
type cache struct {
	entries      *lru.Cache[cacheKey, *entry]
	life, jitter time.Duration
	clock        func() time.Time
}

// entry is one remembered string.
type entry struct {
	until int64         // nanoseconds since 1970
	noted atomic.Uint64 // the network last noted in the memory of good networks on behalf of this entry
}

func newCache(size int, life, jitter time.Duration, clock func() time.Time) (*cache, error) {
	entries, err := lru.New[cacheKey, *entry](size)
	if err != nil {
		return nil, err
	}
	return &cache{entries: entries, life: life, jitter: jitter, clock: clock}, nil
}

// get returns what is remembered under the key and still holds, or nil.
func (c *cache) get(key cacheKey) *entry {
	e, ok := c.entries.Get(key)
	if !ok {
		return nil
	}
	left := time.Duration(e.until - c.clock().UnixNano())
	if left <= 0 || left > c.life+c.jitter { // more than a whole life left: the clock was set back
		c.entries.Remove(key)
		return nil
	}
	return e
}

// add remembers the string for the cache's life and a part of its jitter. The key is as good as random and decides how
// much.
func (c *cache) add(key cacheKey) {
	life := c.life
	if c.jitter > 0 {
		life += time.Duration(binary.BigEndian.Uint64(key[:8]) % uint64(c.jitter))
	}
	c.entries.Add(key, &entry{until: c.clock().Add(life).UnixNano()})
}
