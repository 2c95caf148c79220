package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/problem"
)

const (
	// maxRefusals bounds how many different targets of one actor are recorded in a minute; further ones are counted
	// together, without naming them.
	maxRefusals = 30
	// verifyChunk is how many events are read at a time.
	verifyChunk = 1000
	// maxText bounds texts that come from outside, in bytes.
	maxText = 200
)

type eventRow struct {
	ID           string    `gorm:"primaryKey"`
	Chain        string    `gorm:"column:chain"`
	Sequence     int64     `gorm:"column:sequence"`
	At           time.Time `gorm:"serializer:micros"`
	ActorKind    string
	ActorID      string
	Action       string
	TargetKind   string
	TargetID     string
	TargetLabel  string
	Result       string
	Reason       string
	BeforeJSON   string `gorm:"column:before_json"`
	AfterJSON    string `gorm:"column:after_json"`
	Address      string
	UserAgent    string
	RequestID    string
	PreviousHash string
	Hash         string
}

// TableName names the table for the ORM.
func (*eventRow) TableName() string { return "audit_events" }

// appendEvent writes an event at the end of its chain. It comes last among a room's statements: the head's row lock
// makes other writers of the same organisation wait until the commit.
func appendEvent(tx *database.Tx, e Event) error { return appendEvents(tx, []Event{e}) }

// appendEvents writes events of several chains, always in the order of the chains: two acts that wait for each other's
// heads would wait for ever.
func appendEvents(tx *database.Tx, events []Event) error {
	slices.SortStableFunc(events, func(a, b Event) int { return strings.Compare(string(a.Chain), string(b.Chain)) })
	var err error
	for first := 0; first < len(events) && err == nil; {
		var rows []*eventRow
		for _, e := range events[first:] {
			if err == nil && e.Chain == events[first].Chain {
				var row *eventRow
				row, err = newRow(tx, e)
				rows = append(rows, row)
			}
		}
		if err == nil {
			err = insertEvents(tx, rows)
		}
		first += len(rows)
	}
	if err != nil {
		return problem.Wrap(fmt.Errorf("write the audit event: %w", err), problem.Unavailable, "problem.unavailable")
	}
	return nil
}

func newRow(tx *database.Tx, e Event) (*eventRow, error) {
	before, err := encodeFields(e.Before)
	if err != nil {
		return nil, err
	}
	after, err := encodeFields(e.After)
	if err != nil {
		return nil, err
	}
	return &eventRow{
		ID: e.ID, Chain: string(e.Chain), At: tx.Now(), ActorKind: string(e.ActorKind), ActorID: e.ActorID, Action: e.Action,
		TargetKind: e.Target.Kind, TargetID: cut(e.Target.ID), TargetLabel: cut(e.Target.Label),
		Result: string(e.Result), Reason: cut(e.Reason), BeforeJSON: before, AfterJSON: after,
		Address: cut(e.Origin.Address), UserAgent: cut(e.Origin.UserAgent), RequestID: cut(e.Origin.RequestID),
	}, nil
}

// insertEvents writes events of one chain.
func insertEvents(tx *database.Tx, rows []*eventRow) error {
	g, chain := tx.DB(), rows[0].Chain
	err := g.Exec("INSERT INTO audit_heads (chain, sequence, hash) VALUES (?, 0, '') ON CONFLICT (chain) DO NOTHING", chain).Error
	if err != nil {
		return err
	}
	// The update takes the row's lock before the hash is read, so that two transactions cannot follow the same event.
	var head struct {
		Sequence int64
		Hash     string
	}
	err = g.Raw("UPDATE audit_heads SET sequence = sequence + ? WHERE chain = ? RETURNING sequence, hash", len(rows), chain).Scan(&head).Error
	if err != nil {
		return err
	}
	for i, row := range rows {
		row.Sequence, row.PreviousHash = head.Sequence-int64(len(rows)-1-i), head.Hash
		row.Hash = row.digest()
		head.Hash = row.Hash
	}
	if err := g.Create(rows).Error; err != nil {
		return err
	}
	return g.Exec("UPDATE audit_heads SET hash = ? WHERE chain = ?", head.Hash, chain).Error
}

// appendRefusal counts a refused act and writes its event the first time in the minute.
func appendRefusal(tx *database.Tx, e Event) error {
	minute := database.Micros(tx.Now().Truncate(time.Minute))
	g := tx.DB()
	var distinct int64
	err := g.Raw("SELECT count(*) FROM audit_refusals WHERE chain = ? AND actor_kind = ? AND actor_id = ? AND minute = ?",
		string(e.Chain), string(e.ActorKind), e.ActorID, minute).Scan(&distinct).Error
	if err != nil {
		return err
	}
	if distinct >= maxRefusals {
		e.Action, e.Target = "access.refused", Target{}
	}
	var repeated int64
	err = g.Raw(`INSERT INTO audit_refusals (chain, actor_kind, actor_id, action, target_id, minute, event_id, repeated, last_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)
		ON CONFLICT (chain, actor_kind, actor_id, action, target_id, minute)
		DO UPDATE SET repeated = audit_refusals.repeated + 1, last_at = excluded.last_at
		RETURNING repeated`,
		string(e.Chain), string(e.ActorKind), e.ActorID, e.Action, cut(e.Target.ID), minute, e.ID, database.Micros(tx.Now())).
		Scan(&repeated).Error
	if err != nil || repeated > 0 {
		return err
	}
	return appendEvent(tx, e)
}

// cut shortens a text from outside to maxText bytes, between characters, and replaces what is no UTF-8, which
// PostgreSQL would refuse.
func cut(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
	}
	clean := make([]rune, 0, len(s))
	for _, r := range s {
		if r != 0 && r != utf8.RuneError {
			clean = append(clean, r)
		}
	}
	return string(clean)
}

// Query chooses events of one chain, newest first. Before, when not zero, is the sequence number to continue below;
// Limit is at most 100 and 25 when zero. TargetKind and TargetID choose the history of one thing, TargetKind alone that of
// all things of a kind; Result, when set, only what ended so.
type Query struct {
	Chain      access.OrganisationID
	TargetKind string
	TargetID   string
	Result     Result
	Before     int64
	Limit      int
}

// Page is a page of events. Next is the Before of the page after it, 0 at the end.
type Page struct {
	Events []Event
	Next   int64
}

// Events returns a page of the trail. The caller has checked that the actor may read this chain.
func (t *Trail) Events(ctx context.Context, q Query) (Page, error) {
	limit := 25
	if q.Limit > 0 {
		limit = min(q.Limit, 100)
	}
	g := t.db.Read(ctx).Where("chain = ?", string(q.Chain))
	if q.TargetKind != "" {
		g = g.Where("target_kind = ?", q.TargetKind)
	}
	if q.TargetID != "" {
		g = g.Where("target_id = ?", q.TargetID)
	}
	if q.Result != "" {
		g = g.Where("result = ?", string(q.Result))
	}
	if q.Before > 0 {
		g = g.Where("sequence < ?", q.Before)
	}
	var rows []eventRow
	if err := g.Order("sequence DESC").Limit(limit + 1).Find(&rows).Error; err != nil {
		return Page{}, fmt.Errorf("read audit events: %w", err)
	}
	var page Page
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = rows[limit-1].Sequence
	}
	repeats, err := t.repeats(ctx, rows)
	if err != nil {
		return Page{}, err
	}
	for i := range rows {
		e, err := rows[i].event()
		if err != nil {
			return Page{}, err
		}
		e.Repeated = repeats[e.ID]
		page.Events = append(page.Events, e)
	}
	return page, nil
}

func (t *Trail) repeats(ctx context.Context, rows []eventRow) (map[string]int64, error) {
	var ids []string
	for i := range rows {
		if rows[i].Result == string(Refused) {
			ids = append(ids, rows[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var counts []struct {
		EventID  string
		Repeated int64
	}
	err := t.db.Read(ctx).Raw("SELECT event_id, repeated FROM audit_refusals WHERE event_id IN ?", ids).Scan(&counts).Error
	if err != nil {
		return nil, fmt.Errorf("read repeated refusals: %w", err)
	}
	repeats := make(map[string]int64, len(counts))
	for _, c := range counts {
		repeats[c.EventID] = c.Repeated
	}
	return repeats, nil
}

func (r *eventRow) event() (Event, error) {
	before, err := decodeFields(r.BeforeJSON)
	if err != nil {
		return Event{}, err
	}
	after, err := decodeFields(r.AfterJSON)
	if err != nil {
		return Event{}, err
	}
	return Event{
		ID: r.ID, Chain: access.OrganisationID(r.Chain), Sequence: r.Sequence, At: r.At,
		ActorKind: access.Kind(r.ActorKind), ActorID: r.ActorID, Action: r.Action,
		Target: Target{Kind: r.TargetKind, ID: r.TargetID, Label: r.TargetLabel},
		Result: Result(r.Result), Reason: r.Reason, Before: before, After: after,
		Origin: access.Origin{Address: r.Address, UserAgent: r.UserAgent, RequestID: r.RequestID},
	}, nil
}

// Head is where a chain ends. Kept outside the database it proves that the tail was not cut (C74).
type Head struct {
	Sequence int64
	Hash     string
}

// Verification is what Verify found: how many events hold, where the chain ends, and the fault, empty when there is
// none. Sequence is the first event at fault.
type Verification struct {
	Events   int64
	Head     Head
	Fault    string
	Sequence int64
}

// Verify walks one chain and finds an edited, missing or moved event. known, when not zero, is a head noted earlier: the
// chain must still hold it.
func (t *Trail) Verify(ctx context.Context, chain access.OrganisationID, known Head) (Verification, error) {
	var v Verification
	// Read first: what is appended while the chain is walked is not looked at.
	var head Head
	err := t.db.Read(ctx).Raw("SELECT sequence, hash FROM audit_heads WHERE chain = ?", string(chain)).Scan(&head).Error
	if err != nil {
		return v, fmt.Errorf("read the chain's head: %w", err)
	}
	for {
		var rows []eventRow
		err := t.db.Read(ctx).Where("chain = ? AND sequence > ? AND sequence <= ?", string(chain), v.Head.Sequence, head.Sequence).
			Order("sequence").Limit(verifyChunk).Find(&rows).Error
		if err != nil {
			return v, fmt.Errorf("read the chain: %w", err)
		}
		if len(rows) == 0 {
			if head != v.Head || known.Sequence > v.Head.Sequence {
				v.Fault, v.Sequence = "cut", v.Head.Sequence+1
			}
			return v, nil
		}
		for i := range rows {
			if fault := rows[i].fault(v.Head, known); fault != "" {
				v.Fault, v.Sequence = fault, v.Head.Sequence+1
				return v, nil
			}
			v.Events++
			v.Head = Head{Sequence: rows[i].Sequence, Hash: rows[i].Hash}
		}
	}
}

// fault compares a row with the event before it.
func (r *eventRow) fault(before, known Head) string {
	switch {
	case r.Sequence != before.Sequence+1:
		return "missing"
	case r.PreviousHash != before.Hash:
		return "moved"
	case r.digest() != r.Hash:
		return "edited"
	case r.Sequence == known.Sequence && r.Hash != known.Hash:
		return "replaced"
	default:
		return ""
	}
}
