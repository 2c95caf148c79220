package database

import (
	"context"
	"errors"
	"fmt"
)

// mark is the last change that a poll knows. Beside the number it holds what tells the change from another of the same
// number: a PostgreSQL server that took over after a failure may have lost the last changes and given their numbers
// again.
type mark struct {
	n      int64
	change Change
	at     int64
}

// news is what a poll found.
type news struct {
	version int64 // of the data, on SQLite
	last    mark
	changes []Change // since the poll before
	flush   bool     // anything may have changed
}

// look reads what was changed since the last good poll. Only one poll runs at a time.
func (f *Feed) look(ctx context.Context) (news, error) {
	f.mu.Lock()
	found, started := news{version: f.dataVersion, last: f.last}, f.started
	f.mu.Unlock()
	if f.db.dialect == SQLite {
		// Cheaper than a query, and the answer changes with every commit of another connection.
		version := found.version
		if err := f.db.probe.QueryRowContext(ctx, "PRAGMA data_version").Scan(&found.version); err != nil {
			return news{}, translate(err)
		}
		if started && found.version == version {
			return found, nil
		}
	}
	known := found.last
	var err error
	if found.last, err = f.lastChange(ctx); err != nil {
		return news{}, fmt.Errorf("read the change counter: %w", translate(err))
	}
	switch {
	case !started: // nothing is known of what happened before
		found.flush = true
	case found.last == known:
	case found.last.n <= known.n:
		found.flush = true
	default:
		if found.changes, found.flush, err = f.between(ctx, known, found.last.n); err != nil {
			return news{}, fmt.Errorf("read the changes: %w", translate(err))
		}
	}
	return found, nil
}

// lastChange returns the counter with the change that has its number. Without one the mark has only the number.
func (f *Feed) lastChange(ctx context.Context) (m mark, err error) {
	err = f.db.probe.QueryRowContext(ctx, `SELECT c.n, COALESCE(h.topic, ''), COALESCE(h.entity_id, ''), COALESCE(h.at, 0)
		FROM change_counter c LEFT JOIN changes h ON h.n = c.n WHERE c.id = 1`).Scan(&m.n, &m.change.Topic, &m.change.ID, &m.at)
	return m, err
}

// between returns the changes numbered above the known one, up to and with to. flush is set when some are not there any
// more, or the known one is another now.
func (f *Feed) between(ctx context.Context, known mark, to int64) (changes []Change, flush bool, err error) {
	rows, err := f.db.probe.QueryContext(ctx, fmt.Sprintf(
		"SELECT n, topic, entity_id, at FROM changes WHERE n >= %d AND n <= %d ORDER BY n", known.n, to))
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m mark
		if err := rows.Scan(&m.n, &m.change.Topic, &m.change.ID, &m.at); err != nil {
			return nil, false, err
		}
		if m.n == known.n {
			flush = m != known
			continue
		}
		changes = append(changes, m.change)
	}
	return changes, flush || int64(len(changes)) != to-known.n, rows.Err()
}
