package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/mattn/go-sqlite3"
)

// writes is P4: what tokens write, and for how long writing it keeps others waiting.
func writes(ctx context.Context, b *bench) ([]figure, error) {
	w, err := b.tokenWorld(ctx)
	if err != nil {
		return nil, err
	}
	more, n := 24, 20_000
	if b.brief {
		more, n = 0, 4_000
	}
	for k := range more {
		a, err := w.app(ctx, fmt.Sprintf("One client of many %d", k+1))
		if err != nil {
			return nil, err
		}
		w.many = append(w.many, a)
	}
	_, earlier, err := w.counted(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.serve(ctx)
	if err != nil {
		return nil, err
	}
	fewest, err := w.fewestCommits(ctx, s, n)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	// At its end the server writes what it counted, as it does each minute.
	stopped := make(chan struct{})
	go func() {
		b.stop(s)
		close(stopped)
	}()
	longest, err := w.watchWriter(ctx, stopped)
	<-stopped
	if err != nil {
		return nil, err
	}
	rows, uses, err := w.counted(ctx)
	if err != nil {
		return nil, err
	}
	uses -= earlier
	issued := 3*n + len(w.good) + len(w.many)
	return []figure{
		{
			Line: "P4", What: fmt.Sprintf("transactions during %d tokens", n), Value: float64(fewest), exact: true,
			Note: "the fewest of three turns",
		},
		{
			Line: "P4", What: "longest that writing their use kept others waiting", Value: milliseconds(longest), Unit: "ms", Budget: 50,
			Note: fmt.Sprintf("%d rows for %d uses", rows, issued),
		},
		{Line: "P4", What: "tokens whose use was not counted", Value: math.Abs(float64(issued - uses)), exact: true},
	}, nil
}

// fewestCommits has the clients get n tokens, from many networks, three times, and returns how often the database was
// written to in the turn with the fewest: what is not about tokens, such as the sweep of old rows, comes now and then.
func (w *world) fewestCommits(ctx context.Context, s *server, n int) (int, error) {
	c := crowd{Server: s.host, Connections: 21, Requests: w.requests(s.host), Total: n, Within: patience}
	for _, a := range w.many {
		c.Requests = append(c.Requests, tokenRequest(s.host, a.ID, a.Secret))
	}
	for k := range c.Connections {
		c.From = append(c.From, fmt.Sprintf("127.0.%d.1", k+1))
	}
	first := c
	first.Total = len(c.Requests)
	first.Connections = 1
	if cold := first.run(ctx); cold.Answers[200] != first.Total {
		return 0, fmt.Errorf("the clients got no tokens: %v", cold)
	}
	fewest := -1
	for range 3 {
		before, err1 := w.commits()
		load := c.run(ctx)
		after, err2 := w.commits()
		if err := errors.Join(err1, err2); err != nil {
			return 0, err
		}
		if load.Answers[200] != n {
			return 0, fmt.Errorf("the clients got no tokens: %v", load)
		}
		if made := int(after - before); fewest < 0 || made < fewest {
			fewest = made
		}
	}
	return fewest, nil
}

// commits is the number of transactions that were written to the database since the index of its write-ahead log was
// made: the third word of that index, which SQLite documents as a counter of transactions (walformat.html §2.1).
func (i *installation) commits() (uint32, error) {
	head := make([]byte, 12)
	file, err := os.Open(i.database() + "-shm")
	if err != nil {
		return 0, err
	}
	if _, err = file.Read(head); err != nil {
		return 0, errors.Join(err, file.Close())
	}
	return binary.NativeEndian.Uint32(head[8:]), file.Close()
}

// watchWriter asks for the place of the one writer again and again, as another process would, until the channel is
// closed, and returns the longest time for which it was not to be had.
func (i *installation) watchWriter(ctx context.Context, stopped <-chan struct{}) (longest time.Duration, err error) {
	db, err := sql.Open("sqlite3", "file:"+i.database()+"?_busy_timeout=0")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	since := time.Now()
	for {
		select {
		case <-stopped:
			return longest, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(200 * time.Microsecond):
		}
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		var locked sqlite3.Error
		if errors.As(err, &locked) && (locked.Code == sqlite3.ErrBusy || locked.Code == sqlite3.ErrLocked) {
			longest = max(longest, time.Since(since))
			continue
		}
		if err == nil {
			_, err = conn.ExecContext(ctx, "ROLLBACK")
		}
		if err != nil {
			return 0, err
		}
		since = time.Now()
	}
}

// counted returns how many rows the use of the secrets has and how many uses they say.
func (i *installation) counted(ctx context.Context) (rows, uses int, err error) {
	db, err := sql.Open("sqlite3", "file:"+i.database()+"?mode=ro")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(uses), 0) FROM secret_usage").Scan(&rows, &uses)
	return rows, uses, err
}
