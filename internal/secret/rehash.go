package secret

import (
	"context"
	"sync"
	"time"
)

const (
	// rehashQueue is how many secrets wait to be hashed again. More are let go: their clients come again.
	rehashQueue = 64
	// rehashLife is how long a presented secret is kept for that.
	rehashLife = time.Minute
)

// Rehash is a secret that was right and whose hash is of a lower cost than new ones, with the hash that is to take the
// old one's place.
type Rehash struct {
	ClientID     string
	CredentialID string
	OldHash      string
	NewHash      string
}

// rehashes are secrets that wait to be hashed again, each credential once (security.md §6.3 step 10).
type rehashes struct {
	jobs chan rehash

	mu      sync.Mutex
	open    bool                // somebody does the work
	pending map[string]struct{} // credentials that wait or are under way
}

// rehash is one of them.
type rehash struct {
	clientID  string
	secret    Secret
	candidate Candidate
	until     time.Time
}

func newRehashes() *rehashes {
	return &rehashes{jobs: make(chan rehash, rehashQueue), pending: map[string]struct{}{}}
}

// offer hands over a job unless its credential is being seen to, and reports whether there was no room for it. It does
// not wait: it is called on the path of a request.
func (r *rehashes) offer(job rehash) (full bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, pending := r.pending[job.candidate.CredentialID]; pending || !r.open {
		return false
	}
	select {
	case r.jobs <- job:
		r.pending[job.candidate.CredentialID] = struct{}{}
		return false
	default:
		return true
	}
}

func (r *rehashes) done(job rehash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pending, job.candidate.CredentialID)
}

func (r *rehashes) setOpen(open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = open
}

// Rehash hashes accepted secrets again whose hash is of a lower cost than new ones, one after the other and only when
// nobody waits for bcrypt, until the context ends. keep puts the new hash in the place of the old one and reports
// whether that was still there; if it could not, the secret's next bcrypt asks for another attempt. A process calls
// Rehash once.
func (v *Verifier) Rehash(ctx context.Context, keep func(context.Context, Rehash) (bool, error)) {
	v.rehashes.setOpen(true)
	defer v.rehashes.setOpen(false)
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-v.rehashes.jobs:
			v.hasher.metrics.rehashed(v.rehash(ctx, job, keep))
			v.rehashes.done(job)
		}
	}
}

func (v *Verifier) rehash(ctx context.Context, job rehash, keep func(context.Context, Rehash) (bool, error)) string {
	own, cancel := context.WithTimeout(ctx, job.until.Sub(v.hasher.clock()))
	defer cancel()
	if own.Err() != nil {
		return rehashDropped // it waited too long behind others
	}
	hash, err := v.hasher.hash(own, job.secret, laneRehash, useRehash)
	if err != nil {
		return rehashDropped // no turn in time; of a secret that was just right nothing else fails
	}
	kept, err := keep(ctx, Rehash{
		ClientID: job.clientID, CredentialID: job.candidate.CredentialID, OldHash: job.candidate.Hash, NewHash: hash,
	})
	switch {
	case err != nil:
		return rehashFailed
	case !kept:
		return rehashOvertaken
	}
	// The hash was made from this very string, which is as good as having been compared with it.
	job.candidate.Hash = hash
	v.accepted.add(v.keyer.keyOf(job.candidate, job.secret.Reveal()))
	return rehashKept
}
