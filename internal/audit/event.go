package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
)

// Event is one entry of the trail. Chain is the organisation whose trail it belongs to, empty for none. Repeated is how
// often a refused act was tried again in the same minute.
type Event struct {
	ID        string
	Chain     access.OrganisationID
	Sequence  int64
	At        time.Time
	ActorKind access.Kind
	ActorID   string
	Action    string
	Target    Target
	Result    Result
	Reason    string
	Before    map[string]any
	After     map[string]any
	Origin    access.Origin
	Repeated  int64
}

func newEvent(actor access.Actor, act Act, result Result, reason string) Event {
	return Event{
		ID: database.NewID(), Chain: act.Organisation, ActorKind: actor.Kind, ActorID: actor.ID,
		Action: act.Action, Target: act.Target, Result: result, Reason: reason, Origin: actor.Origin,
	}
}

// encodeFields writes a change's fields as JSON with sorted keys, "" for none, so that equal fields hash alike.
func encodeFields(fields map[string]any) (string, error) {
	if len(fields) == 0 {
		return "", nil
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return "", fmt.Errorf("encode an audit event: %w", err)
	}
	return string(b), nil
}

func decodeFields(s string) (map[string]any, error) {
	if s == "" {
		return nil, nil
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(s), &fields); err != nil {
		return nil, fmt.Errorf("decode an audit event: %w", err)
	}
	return fields, nil
}

// digest is the hash of a row and of everything before it in its chain: SHA-256 over the fields in this order, each
// preceded by its length, so that no two different rows hash the same bytes.
func (r *eventRow) digest() string {
	h := sha256.New()
	for _, s := range []string{
		"credenza audit event 1", r.PreviousHash, r.ID, r.Chain, r.ActorKind, r.ActorID, r.Action, r.TargetKind,
		r.TargetID, r.TargetLabel, r.Result, r.Reason, r.BeforeJSON, r.AfterJSON, r.Address, r.UserAgent, r.RequestID,
	} {
		writeNumber(h, int64(len(s)))
		h.Write([]byte(s))
	}
	writeNumber(h, r.Sequence)
	writeNumber(h, database.Micros(r.At))
	return hex.EncodeToString(h.Sum(nil))
}

func writeNumber(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}
