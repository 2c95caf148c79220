package registry

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"credenza.example/credenza/internal/secret"
)

// Bounds of what is counted between two flushes; all of it together stays under some 10 MB. Strangers can name any
// client ID, so those that are not in the snapshot have room of their own: a flood of invented ones pushes out nothing
// that is known of the apps in use.
const (
	maxRejectedKnown     = 48 << 10 // rows, of clients in the snapshot
	maxRejectedStrange   = 16 << 10 // rows, of others
	maxRejectedOfClient  = 48       // rows of one client; further ones lose their detail and network
	maxRejectedOfPrefix  = 250      // client IDs that begin alike and are not in the snapshot
	maxRejectionNetworks = 20       // told apart for one day, reason and detail of an app

	dayMicros = int64(24 * time.Hour / time.Microsecond)
)

// Rejected is a request that was refused, as it is counted. ClientID is what the request named, whether or not there
// is such a client. Detail is a scope's name or a code of ours; it must hold nothing that was presented as a secret.
type Rejected struct {
	ClientID string
	Reason   RejectionReason
	Detail   string
	Refusal  *Refused // of Authenticate or Standing, where one of them refused; its reason goes first
}

// NoteRejection counts a refused request from an address. It writes nothing and asks no database, so it does the same,
// and costs the same, whether the client exists or not (C22): whose the client ID is, FlushRejections finds out. What
// finds no room is dropped and counted as such. Client IDs that nobody can have registered are only counted.
func (r *Registry) NoteRejection(n Rejected, address netip.Addr) {
	row := rejectedRow{rejectedKey: rejectedKey{reason: n.Reason, detail: n.Detail, slot: noSlot, network: NetworkOf(address)}}
	if n.Refusal != nil {
		row.reason, row.detail, row.slot = n.Refusal.Reason, "", n.Refusal.slot
	}
	now := r.db.Now().UnixMicro()
	row.day, row.times, row.first, row.last = now-now%dayMicros, 1, now, now
	r.rejected.note(n.ClientID, r.snapshot.has(n.ClientID), row)
}

// rejectedRow is what was refused alike on a day from one network.
type rejectedRow struct {
	rejectedKey

	times       int64
	first, last int64 // microseconds since 1970
}

type rejectedKey struct {
	reason  RejectionReason
	detail  string
	slot    int8 // of the secret that was presented, noSlot when it is not known
	network Network
	day     int64 // when it began (UTC), microseconds since 1970
}

// rough is the key under which a row is counted that finds no room of its own.
func (k rejectedKey) rough() rejectedKey {
	k.detail, k.slot, k.network = "", noSlot, OtherNetworks
	return k
}

func (r *rejectedRow) add(other rejectedRow) {
	r.times += other.times
	r.first, r.last = min(r.first, other.first), max(r.last, other.last)
}

// rejectedClient is what was refused of one client ID.
type rejectedClient struct {
	known bool // the snapshot had it when it came
	rows  []rejectedRow
}

func (c *rejectedClient) find(k rejectedKey) *rejectedRow {
	for i := range c.rows {
		if c.rows[i].rejectedKey == k {
			return &c.rows[i]
		}
	}
	return nil
}

// rejectCounts are the rejections that were counted and not written yet.
type rejectCounts struct {
	metrics *rejectMetrics

	mu       sync.Mutex
	clients  map[string]*rejectedClient
	prefixes map[string]int // how many client IDs that are not known begin so
	room     map[bool]int   // rows that may still come, of known clients and of others

	flushing sync.Mutex // one FlushRejections at a time
}

func newRejectCounts(m *rejectMetrics) *rejectCounts {
	c := &rejectCounts{metrics: m}
	c.empty()
	return c
}

// empty forgets everything; the lock is held, or nobody else knows of it yet.
func (c *rejectCounts) empty() {
	c.clients, c.prefixes = map[string]*rejectedClient{}, map[string]int{}
	c.room = map[bool]int{true: maxRejectedKnown, false: maxRejectedStrange}
}

func (c *rejectCounts) note(clientID string, known bool, row rejectedRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	client := c.clients[clientID]
	if client == nil {
		if client = c.admit(clientID, known); client == nil {
			return
		}
	}
	if !c.add(client, row) {
		c.metrics.dropped.Add(float64(row.times))
	}
}

// admit makes room for a client ID that was not named before, or returns nil. The client ID is a part of a request,
// which would stay as long as it does.
func (c *rejectCounts) admit(clientID string, known bool) *rejectedClient {
	prefix, ok := splitClientID(clientID)
	switch {
	case !known && !ok:
		c.metrics.shapeless.Inc()
		return nil
	case c.room[known] <= 0, !known && c.prefixes[prefix] >= maxRejectedOfPrefix:
		c.metrics.dropped.Inc()
		return nil
	}
	clientID = strings.Clone(clientID)
	if !known {
		c.prefixes[clientID[:len(prefix)]]++
	}
	client := &rejectedClient{known: known}
	c.clients[clientID] = client
	return client
}

// add adds to the row with the same key, to a new one, or to one without detail. It reports whether there was room.
func (c *rejectCounts) add(client *rejectedClient, row rejectedRow) bool {
	for _, key := range []rejectedKey{row.rejectedKey, row.rough()} {
		row.rejectedKey = key
		if same := client.find(key); same != nil {
			same.add(row)
			return true
		}
		if len(client.rows) < maxRejectedOfClient && c.room[client.known] > 0 {
			row.detail = strings.Clone(row.detail)
			client.rows = append(client.rows, row)
			c.room[client.known]--
			return true
		}
	}
	return false
}

// waiting is how many rows are not written yet.
func (c *rejectCounts) waiting() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return float64(maxRejectedKnown + maxRejectedStrange - c.room[true] - c.room[false])
}

// rejection is a client ID with what was refused of it, on its way to the database.
type rejection struct {
	clientID string
	*rejectedClient
}

// takeAll takes out everything that was counted, by client ID.
func (c *rejectCounts) takeAll() []rejection {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]rejection, 0, len(c.clients))
	for clientID, client := range c.clients {
		list = append(list, rejection{clientID, client})
	}
	c.empty()
	slices.SortFunc(list, func(a, b rejection) int { return cmp.Compare(a.clientID, b.clientID) })
	return list
}

// putBack counts what could not be written together with what came meanwhile, as far as there is room.
func (c *rejectCounts) putBack(list []rejection) {
	for _, r := range list {
		for _, row := range r.rows {
			c.note(r.clientID, r.known, row)
		}
	}
}

// splitClientID returns what stands before the last "_" of a text that has the shape of a client ID: capitals and digits,
// then about as many letters and digits as we make. It is wide enough for what people misread or cut off, and too narrow
// for anything of a secret.
func splitClientID(s string) (prefix string, ok bool) {
	i := strings.LastIndexByte(s, '_')
	if i < 3 || i > 24 || secret.Contains(s) {
		return "", false
	}
	prefix, rest := s[:i], s[i+1:]
	ok = clientIDRandom-1 <= len(rest) && len(rest) <= clientIDRandom+1 &&
		strings.Trim(prefix, upperDigits) == "" && strings.Trim(rest, lowerDigits) == ""
	return prefix, ok
}

const (
	upperDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	lowerDigits = "abcdefghijklmnopqrstuvwxyz0123456789"
)
