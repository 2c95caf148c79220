package oauth

import (
	"crypto/sha256"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/scope"
)

const (
	// maxVerified and maxVerifiedBytes bound what is remembered of verified tokens: tokens of one scope are about 700
	// bytes, those with every scope of the largest API 6,000.
	maxVerified      = 16 << 10
	maxVerifiedBytes = 16 << 20
	// verifiedOverhead is about what an entry takes besides the texts of its token, in bytes.
	verifiedOverhead = 500
)

// verified remembers what stood in tokens whose signature was verified, so that a token that is shown again costs a
// hash instead of a signature (protocol.md §1.3). It knows nothing of what may have become of a token since: times,
// app, generation and revocation are asked for each time, and so is whether the key still belongs to the key set. It is
// safe for use by many goroutines.
//
// The key of an entry is the SHA-256 of the whole token, signature included: what differs in one character is another
// token and is verified. Tokens that fail are not remembered, so nobody outside can push others out of it.
type verified struct {
	headers *headers
	ring    *keyring.Ring
	metrics *metrics

	mu      sync.Mutex
	entries *simplelru.LRU[[sha256.Size]byte, *content]
	bytes   int
}

// content is what stands in a verified token. It never changes.
type content struct {
	claims

	scopes scope.Set // of the claim scope
	bytes  int       // about what it takes
}

func newVerified(h *headers, ring *keyring.Ring, m *metrics) (*verified, error) {
	v := &verified{headers: h, ring: ring, metrics: m}
	var err error
	v.entries, err = simplelru.NewLRU(maxVerified, func(_ [sha256.Size]byte, c *content) { v.bytes -= c.bytes })
	return v, err
}

// of returns what stands in a token that one of the keys of this installation signed. Whether it still holds is asked
// elsewhere.
func (v *verified) of(token string) (*content, bool) {
	if len(token) > maxToken {
		v.metrics.verified(signatureRefused)
		return nil, false
	}
	header, _, _ := strings.Cut(token, ".")
	if _, ok := v.headers.keyOf(v.ring, header); !ok {
		v.metrics.verified(signatureRefused)
		return nil, false
	}
	key := sha256.Sum256([]byte(token))
	if c, ok := v.get(key); ok {
		v.metrics.verified(signatureKnown)
		return c, true
	}
	claims, ok := v.headers.verify(v.ring, token)
	if !ok {
		v.metrics.verified(signatureRefused)
		return nil, false
	}
	c := &content{claims: claims, bytes: len(token) + verifiedOverhead}
	if scopes, err := scope.ParseSet(claims.Scope); err == nil { // else it has none
		c.scopes = scopes
	}
	v.put(key, c)
	v.metrics.verified(signatureNew)
	return c, true
}

func (v *verified) get(key [sha256.Size]byte) (*content, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.entries.Get(key)
}

func (v *verified) put(key [sha256.Size]byte, c *content) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.entries.Remove(key) // of somebody who verified it at the same time
	v.entries.Add(key, c)
	for v.bytes += c.bytes; v.bytes > maxVerifiedBytes; {
		v.entries.RemoveOldest()
	}
}
