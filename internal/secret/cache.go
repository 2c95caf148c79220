package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	cacheSize   = 100_000
	cacheLife   = 10 * time.Minute
	cacheJitter = 5 * time.Minute // spreads the hashes of clients that came together, after a restart for instance
)

// cacheKey stands for "this string presented for this version of this credential with this hash".
type cacheKey [sha256.Size]byte

// cache remembers which strings matched which hash (security.md §6.3 step 4), and nothing about whether the credential
// is still good: that is asked each time. A rotation changes the version, and so makes the entry unreachable here and
// in every other process without anybody telling.
//
// Keys are MACs under a key that lives and dies with the process, so neither a heap dump nor the rows give anything to
// compare guesses with elsewhere.
type cache struct {
	key     [32]byte
	entries *lru.Cache[cacheKey, time.Time] // until when
	clock   func() time.Time
}

func newCache(clock func() time.Time) (*cache, error) {
	entries, err := lru.New[cacheKey, time.Time](cacheSize)
	if err != nil {
		return nil, err
	}
	c := &cache{entries: entries, clock: clock}
	_, _ = rand.Read(c.key[:]) // crypto/rand never fails: it ends the process instead
	return c, nil
}

// keyOf returns the entry's key: an HMAC over credential ID, version, hash and secret, each with its length before it,
// so that no two lists of fields make one message.
func (c *cache) keyOf(candidate Candidate, presented string) cacheKey {
	message := make([]byte, 0, 256)
	message = field(message, candidate.CredentialID)
	message = binary.BigEndian.AppendUint32(message, 8)
	message = binary.BigEndian.AppendUint64(message, uint64(candidate.Version)) // any 8 bytes do
	message = field(message, candidate.Hash)
	message = field(message, presented)
	mac := hmac.New(sha256.New, c.key[:])
	mac.Write(message)
	var key cacheKey
	mac.Sum(key[:0])
	return key
}

func field(message []byte, text string) []byte {
	message = binary.BigEndian.AppendUint32(message, uint32(len(text))) // far below 4 GiB
	return append(message, text...)
}

// holds reports whether the string matched within the entry's life.
func (c *cache) holds(key cacheKey) bool {
	until, ok := c.entries.Get(key)
	if !ok {
		return false
	}
	left := until.Sub(c.clock())
	if left <= 0 || left > cacheLife+cacheJitter { // more than a whole life left: the clock was set back
		c.entries.Remove(key)
		return false
	}
	return true
}

// add remembers that the string matched, for 10 to 15 minutes. The key is as good as random and decides how long.
func (c *cache) add(key cacheKey) {
	jitter := binary.BigEndian.Uint64(key[:8]) % uint64(cacheJitter)
	c.entries.Add(key, c.clock().Add(cacheLife+time.Duration(jitter)))
}
