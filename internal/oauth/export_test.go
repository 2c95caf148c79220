package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"

	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/registry"
)

// AnError is one line of the table of answers.
type AnError struct {
	Reason string
	Status int
	Body   any
}

// AllErrors returns every answer that the table holds, with a detail from outside where there is room for one.
func AllErrors(detail string) []AnError {
	var all []AnError
	for r, a := range answers {
		all = append(all, AnError{Reason: string(r), Status: a.status, Body: refuseFor(r, detail).body()})
	}
	return all
}

// WriteError answers with an error as the endpoints do.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	writeRefusal(w, r, refusalOf(err))
}

// Presented returns what readClient found, as it might be logged by mistake.
func Presented(r *http.Request) any {
	p, _ := readClient(r, form{})
	return p
}

// Network is how an address is logged.
func Network(address string) string { return registry.NetworkOf(addr(address)).String() }

// Remembered returns how many verified tokens are remembered, and about how many bytes they take.
func (s *Server) Remembered() (tokens, bytes int) {
	s.verified.mu.Lock()
	defer s.verified.mu.Unlock()
	return s.verified.entries.Len(), s.verified.bytes
}

// Remember remembers as many tokens more, each of a size.
func (s *Server) Remember(tokens, bytes int) {
	for range tokens {
		var key [sha256.Size]byte
		_, _ = rand.Read(key[:]) // never fails
		s.verified.put(key, &content{bytes: bytes})
	}
}

// ReplaceKeys makes the keys of another installation the server's own, as if all of its own had left the key set.
func (s *Server) ReplaceKeys(ring *keyring.Ring) { s.keys, s.verified.ring = ring, ring }
