package secret

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	seenClients  = 100_000
	seenNetworks = 8                  // of one client, the latest ones
	seenLife     = 7 * 24 * time.Hour // a job that runs once a week stays known
)

// marks tells texts apart by 64 bits under a seed of this process. Two that fell together would only let a failure go
// uncounted or a stranger pass for a known network, and nobody outside can look for such two.
type marks struct{ seed maphash.Seed }

func newMarks() marks { return marks{seed: maphash.MakeSeed()} }

// of returns the mark of a list of texts.
func (m marks) of(texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(m.seed)
	for _, text := range texts {
		// The length first, so that no two lists make one stream of bytes. Errors there are none.
		n := len(text)
		_, _ = h.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		_, _ = h.WriteString(text)
	}
	return h.Sum64()
}

// seen remembers from which networks a client presented a right secret (security.md §6.3 step 8). Such a network is
// served first and not refused for what strangers did elsewhere. It goes by client and not by secret, so that a new
// secret is known where the old one was. A client keeps its own latest networks only: one that comes from very many
// pushes out nobody else's.
type seen struct {
	marks marks
	clock func() time.Time

	mu      sync.Mutex
	clients *simplelru.LRU[uint64, []sight] // by the mark of the client ID; the latest last
}

// sight is a network and when a right secret came from there last.
type sight struct {
	network uint64 // mark
	at      int64  // seconds since 1970
}

func newSeen(m marks, clock func() time.Time) (*seen, error) {
	clients, err := simplelru.NewLRU[uint64, []sight](seenClients, nil)
	if err != nil {
		return nil, err
	}
	return &seen{marks: m, clock: clock, clients: clients}, nil
}

// note remembers that a right secret of the client came from a network, given by its mark.
func (s *seen) note(clientID string, network uint64) {
	client := s.marks.of(clientID)
	now := sight{network: network, at: s.clock().Unix()}
	s.mu.Lock()
	defer s.mu.Unlock()
	sights, _ := s.clients.Get(client)
	i := slices.IndexFunc(sights, func(known sight) bool { return known.network == network })
	if i < 0 && len(sights) == seenNetworks {
		i = 0 // the one unseen for longest gives way
	}
	if i >= 0 {
		sights = slices.Delete(sights, i, i+1)
	}
	s.clients.Add(client, append(sights, now))
}

// has reports whether a right secret of the client came from the network within the last days.
func (s *seen) has(clientID, network string) bool {
	if network == "" {
		return false
	}
	client, mark := s.marks.of(clientID), s.marks.of(network)
	oldest := s.clock().Add(-seenLife).Unix()
	s.mu.Lock()
	defer s.mu.Unlock()
	sights, _ := s.clients.Peek(client) // strangers who ask keep nothing alive
	return slices.ContainsFunc(sights, func(known sight) bool { return known.network == mark && known.at > oldest })
}
