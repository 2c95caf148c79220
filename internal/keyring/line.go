package keyring

import (
	"time"
)

// The times of a rotation. Nothing runs at these moments: who signs and what verifies follows from the rows and the
// clock, so every process comes to the same answer by itself.
const (
	// CacheFor is how long others may keep the public key set.
	CacheFor = 300 * time.Second
	// LongestToken bounds the lifetime of every token; whoever issues them sees to it.
	LongestToken = 24 * time.Hour

	// signWait is how long a signing key is published before it signs: longer than CacheFor and what a replica may lag
	// behind (30 s, protocol.md §2), and than the ten minutes for which widespread libraries keep a key set whatever
	// its header says.
	signWait = 15 * time.Minute
	// tagWait is the same for a tag key, which only replicas must have (protocol.md §3.3).
	tagWait = time.Minute
	// skew is how far the clocks of two replicas may differ while keys change hands.
	skew = 10 * time.Minute
	// acceptFor is how long a key verifies after it has signed for the last time.
	acceptFor = LongestToken + skew
	// eraseAfter is how long a key keeps its private half after it has signed for the last time.
	eraseAfter = skew
)

// line holds the keys of one purpose, which take over from one another, in the order in which they were made.
type line []*keyRow

// lines sorts rows by purpose. The rows come in the order in which they were made.
func lines(rows []keyRow) map[string]line {
	of := map[string]line{}
	for i := range rows {
		of[rows[i].Purpose] = append(of[rows[i].Purpose], &rows[i])
	}
	return of
}

// signer returns the key that signs at this time, nil if none can: the one whose time it is, else, before the times of
// all, as after a clock was set back, the first one that still can. So no setting of the clock leaves a gap, and what
// was erased or dropped never signs again.
func (l line) signer(now time.Time) *keyRow {
	var current, first *keyRow
	for _, k := range l {
		if k.State != StateSigning {
			continue
		}
		if k.signsAt(now) && (current == nil || current.begins().Before(k.begins())) {
			current = k
		}
		if first == nil || k.begins().Before(first.begins()) {
			first = k
		}
	}
	if current != nil {
		return current
	}
	return first
}

// next returns the key that is to take over from the signer, nil if none is waiting.
func (l line) next(now time.Time) *keyRow {
	signer := l.signer(now)
	for _, k := range l {
		if k.State == StateSigning && k.SignsUntil == nil && k != signer {
			return k
		}
	}
	return nil
}

// state returns what the key is at this time, one of the State constants.
func (l line) state(k *keyRow, now time.Time) string {
	switch {
	case k.State == StateUntrusted, k.State == StateRetired:
		return k.State
	case k == l.signer(now):
		return StateSigning
	case k.SignsUntil == nil:
		return StateNext
	case isSigning(k.Purpose) && !now.Before(k.acceptedUntil()):
		return StateRetired
	default:
		return StateAccepted
	}
}

// overtaken returns the state that the row is to be given, if time has overtaken the one it holds: without its private
// half when that will not be needed again, and retired when what the key signed has ended.
func (l line) overtaken(k *keyRow, now time.Time) (state string, done bool) {
	if !isSigning(k.Purpose) || k.SignsUntil == nil || k == l.signer(now) {
		return "", false
	}
	switch {
	case k.State != StateSigning && k.State != StateAccepted:
		return "", false
	case !now.Before(k.acceptedUntil()):
		return StateRetired, true
	case k.State == StateSigning && !now.Before(k.SignsUntil.Add(eraseAfter)):
		return StateAccepted, true
	default:
		return "", false
	}
}

// begins returns when the key begins to sign; the zero time stands for ever since.
func (r *keyRow) begins() time.Time {
	if r.SignsFrom == nil {
		return time.Time{}
	}
	return *r.SignsFrom
}

func (r *keyRow) signsAt(now time.Time) bool {
	return !now.Before(r.begins()) && (r.SignsUntil == nil || now.Before(*r.SignsUntil))
}

// acceptedUntil returns when the last token that the key signed has ended; zero while it may sign still.
func (r *keyRow) acceptedUntil() time.Time {
	if r.SignsUntil == nil {
		return time.Time{}
	}
	return r.SignsUntil.Add(acceptFor)
}

// turns returns the moments at which the state of the key may change.
func (r *keyRow) turns() []time.Time {
	turns := []time.Time{r.begins()}
	if r.SignsUntil != nil {
		turns = append(turns, *r.SignsUntil, r.acceptedUntil())
	}
	return turns
}

// span is a time in which nothing turns: from inclusive, until exclusive, either zero for without end.
type span struct{ from, until time.Time }

func (s span) holds(now time.Time) bool {
	return !now.Before(s.from) && (s.until.IsZero() || now.Before(s.until))
}

// spanAt returns the longest span around this time in which none of the rows turns.
func spanAt(rows []keyRow, now time.Time) span {
	var s span
	for i := range rows {
		for _, t := range rows[i].turns() {
			switch {
			case !now.Before(t) && s.from.Before(t):
				s.from = t
			case now.Before(t) && (s.until.IsZero() || t.Before(s.until)):
				s.until = t
			}
		}
	}
	return s
}
