package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// macs computes HMAC-SHA256 under one key. It keeps what it needs for that at hand, prepared with the key, since two of
// them are computed for every token.
type macs struct{ pool sync.Pool }

// mac is the working space of one computation.
type mac struct {
	hash    hash.Hash
	message []byte
	sum     [sha256.Size]byte
}

func newMACs(key []byte) *macs {
	return &macs{pool: sync.Pool{New: func() any {
		return &mac{hash: hmac.New(sha256.New, key), message: make([]byte, 0, 512)}
	}}}
}

// of returns the MAC of the message that build appends to the empty slice it is given.
func (m *macs) of(build func(message []byte) []byte) [sha256.Size]byte {
	w, _ := m.pool.Get().(*mac)
	defer m.pool.Put(w)
	w.message = build(w.message[:0])
	w.hash.Reset()
	w.hash.Write(w.message)
	w.hash.Sum(w.sum[:0])
	clear(w.message) // it held a secret
	return w.sum
}
