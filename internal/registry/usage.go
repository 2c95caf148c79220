package registry

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"credenza.example/credenza/internal/access"
)

const (
	// maxNetworks is how many networks of a secret are told apart in an hour; more are counted together as
	// OtherNetworks (product.md decision 18).
	maxNetworks = 20
	// maxWaiting bounds what is counted and not written yet, in networks of secrets in hours: some 25 MB at most.
	maxWaiting = 1 << 17

	useShards  = 64
	hourMicros = int64(time.Hour / time.Microsecond)
)

// NoteUse counts one use of a client's secret from an address: a request that was answered with what it asked for after
// the secret was accepted. It is meant for the path of every token: it writes nothing, waits for nobody but others who
// count the same moment, and allocates nothing once the secret was used from that network since the last FlushUse.
func (r *Registry) NoteUse(c *Client, id SecretID, address netip.Addr) {
	r.use.note(c, id, NetworkOf(address), r.db.Now().UnixMicro())
}

// useKey is an hour of a secret.
type useKey struct {
	secret SecretID
	hour   int64 // when it began, microseconds since 1970
}

// tally is how often something was used, and when last (microseconds since 1970).
type tally struct {
	uses int64
	last int64
}

func (t *tally) add(other tally) {
	t.uses += other.uses
	t.last = max(t.last, other.last)
}

// networkTally is a tally of one network.
type networkTally struct {
	network Network
	tally
}

// hourUse is the use of a secret in an hour: at most maxNetworks networks in the order in which they came, and what
// came from others.
type hourUse struct {
	organisation access.OrganisationID
	app          AppID
	networks     []networkTally
	others       tally
}

// find returns the tally of a network that is told apart, or nil.
func (u *hourUse) find(n Network) *tally {
	if n == OtherNetworks {
		return &u.others
	}
	for i := range u.networks {
		if u.networks[i].network == n {
			return &u.networks[i].tally
		}
	}
	return nil
}

func (u *hourUse) each(visit func(Network, tally)) {
	for _, n := range u.networks {
		visit(n.network, n.tally)
	}
	if u.others.uses > 0 {
		visit(OtherNetworks, u.others)
	}
}

func (u *hourUse) last() (last int64) {
	u.each(func(_ Network, t tally) { last = max(last, t.last) })
	return last
}

func (u *hourUse) uses() (sum int64) {
	u.each(func(_ Network, t tally) { sum += t.uses })
	return sum
}

// useCounts are the uses that were counted and not written yet. Each shard has the secrets whose IDs hash to it.
//
// When there is no more room, the networks that come new are counted as others; no use is lost by that. Secrets that
// come new are not counted then, and uses_dropped says how many. Room is made by writing, or, when that fails for long,
// by giving up the oldest hours (shed).
type useCounts struct {
	metrics *useMetrics
	seed    maphash.Seed
	most    int64        // networks of secrets in hours
	entries atomic.Int64 // of these, counted or being written
	shards  [useShards]useShard

	flushing sync.Mutex // one FlushUse at a time
	rows     int        // of the next transaction; of FlushUse
}

type useShard struct {
	mu    sync.Mutex
	hours map[useKey]*hourUse
}

func newUseCounts(most int, m *useMetrics) *useCounts {
	u := &useCounts{metrics: m, seed: maphash.MakeSeed(), most: int64(most), rows: firstRows}
	for i := range u.shards {
		u.shards[i].hours = map[useKey]*hourUse{}
	}
	return u
}

func (u *useCounts) shard(id SecretID) *useShard {
	return &u.shards[maphash.String(u.seed, string(id))%useShards]
}

func (u *useCounts) note(c *Client, id SecretID, n Network, now int64) {
	key := useKey{secret: id, hour: now - now%hourMicros}
	s := u.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	hour := s.hours[key]
	if hour == nil {
		if !u.take() {
			u.metrics.dropped.Inc()
			return
		}
		hour = &hourUse{organisation: c.Organisation, app: c.ID, networks: make([]networkTally, 1)}
		hour.networks[0].network = n
		s.hours[key] = hour
	}
	u.add(hour, n, tally{uses: 1, last: now})
}

// add adds to the tally of a network; the lock of the shard is held.
func (u *useCounts) add(hour *hourUse, n Network, t tally) {
	to := hour.find(n)
	switch {
	case to != nil:
	case len(hour.networks) < maxNetworks && u.take():
		hour.networks = append(hour.networks, networkTally{network: n})
		to = &hour.networks[len(hour.networks)-1].tally
	default:
		to = &hour.others
	}
	to.add(t)
}

// take takes the room of one entry, if there is any.
func (u *useCounts) take() bool {
	if u.entries.Add(1) <= u.most {
		return true
	}
	u.entries.Add(-1)
	return false
}

// pending is an hour of a secret on its way to the database.
type pending struct {
	key useKey
	use *hourUse
}

// takeAll takes out everything that was counted. It keeps its room until released.
func (u *useCounts) takeAll() []pending {
	var all []pending
	for i := range u.shards {
		for key, use := range u.shards[i].take() {
			all = append(all, pending{key, use})
		}
	}
	return all
}

// take takes out what a shard has counted: from then on nobody else reads or writes it.
func (s *useShard) take() map[useKey]*hourUse {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.hours) == 0 {
		return nil
	}
	hours := s.hours
	s.hours = map[useKey]*hourUse{}
	return hours
}

// release gives the room of what was written or given up to others.
func (u *useCounts) release(list []pending) {
	for _, p := range list {
		u.entries.Add(-int64(len(p.use.networks)))
	}
}

// putBack counts what could not be written together with what was counted meanwhile.
func (u *useCounts) putBack(list []pending) {
	for _, p := range list {
		u.putBackOne(p)
	}
	u.shed()
}

func (u *useCounts) putBackOne(p pending) {
	s := u.shard(p.key.secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	hour := s.hours[p.key]
	if hour == nil {
		s.hours[p.key] = p.use
		return
	}
	u.release([]pending{p})
	p.use.each(func(n Network, t tally) { u.add(hour, n, t) })
}

// shed makes room when three quarters are filled by what cannot be written: it gives up the oldest hours until half is
// free. The newest hour stays, for it says best what is in use.
func (u *useCounts) shed() {
	if u.entries.Load() <= u.most/4*3 {
		return
	}
	for u.entries.Load() > u.most/2 {
		oldest, newest := u.span()
		if oldest == newest {
			return
		}
		u.giveUp(oldest)
	}
}

// span returns the oldest and the newest hour that are counted, 0 without any.
func (u *useCounts) span() (oldest, newest int64) {
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		for key := range s.hours {
			if oldest == 0 || key.hour < oldest {
				oldest = key.hour
			}
			newest = max(newest, key.hour)
		}
		s.mu.Unlock()
	}
	return oldest, newest
}

// giveUp forgets an hour of all secrets.
func (u *useCounts) giveUp(hour int64) {
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		for key, use := range s.hours {
			if key.hour == hour {
				delete(s.hours, key)
				u.release([]pending{{key, use}})
				u.metrics.dropped.Add(float64(use.uses()))
			}
		}
		s.mu.Unlock()
	}
}
