package database

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// Each transaction with changes sends one notification on this channel when it commits. Channels belong to a whole
// database, where other installations may have schemas of their own; so the payload is the object ID of the table
// change_counter, and each listens for its own.
const (
	announce   = "UPDATE change_counter SET n = n + ? WHERE id = 1 RETURNING n, pg_notify('credenza_changes', tableoid::text) IS NULL"
	listen     = "LISTEN credenza_changes"
	listenedTo = "SELECT 'change_counter'::regclass::oid::text"
)

const (
	listenerName = "credenza listener" // application_name of the connection
	listenTime   = 5 * time.Second     // bounds one step that waits for the server
	listenCheck  = 30 * time.Second    // without a notification the connection is tried this often
	firstPause   = 100 * time.Millisecond
	longestPause = 10 * time.Second
)

// listen wakes the feed whenever PostgreSQL announces a change, until the context ends. It only makes news sooner: while
// it has no connection, or behind a pooler that passes no notifications on, the poll finds the same.
func (f *Feed) listen(ctx context.Context) {
	if f.db.listener == nil {
		return
	}
	away := outage{log: f.db.log, what: "listening for changes"}
	pause := firstPause
	for ctx.Err() == nil {
		began := func() {
			away.note(ctx, nil)
			pause = firstPause
		}
		away.note(ctx, f.listenOnce(ctx, began))
		select {
		case <-ctx.Done():
		case <-time.After(pause + rand.N(pause)): //nolint:gosec // Spreads reconnections; nobody gains by guessing it.
		}
		pause = min(2*pause, longestPause)
	}
}

// listenOnce listens on one connection until it is lost, and returns why. began is called when it listens. What was
// announced before that went unheard, so the feed polls once then; the counter tells whether there was anything.
func (f *Feed) listenOnce(ctx context.Context, began func()) (err error) {
	conn, own, err := f.openListener(ctx)
	if err != nil {
		return err
	}
	defer func() {
		f.metrics.listening.Set(0)
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenTime)
		defer cancel()
		_ = conn.Close(closing) // it is lost, or the process ends
	}()
	f.metrics.listening.Set(1)
	began()
	f.wake()
	for {
		payload, err := awaitNotification(ctx, conn)
		if err != nil {
			return err
		}
		if payload == own {
			f.metrics.announced.Inc()
			f.wake()
		}
	}
}

// openListener connects and subscribes. own is the payload of this installation.
func (f *Feed) openListener(ctx context.Context) (conn *pgx.Conn, own string, err error) {
	ctx, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	if conn, err = pgx.ConnectConfig(ctx, f.db.listener); err != nil {
		return nil, "", fmt.Errorf("connect to listen: %w", err)
	}
	if err = conn.QueryRow(ctx, listenedTo).Scan(&own); err == nil {
		_, err = conn.Exec(ctx, listen)
	}
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("listen: %w", err), conn.Close(ctx))
	}
	return conn, own, nil
}

// awaitNotification returns the payload of the next notification. In long silence it asks now and then whether the
// server is still there: of a connection that was cut on the way nobody tells.
func awaitNotification(ctx context.Context, conn *pgx.Conn) (payload string, err error) {
	for {
		waiting, cancel := context.WithTimeout(ctx, listenCheck)
		n, err := conn.WaitForNotification(waiting)
		silent := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			return n.Payload, nil
		case !silent:
			return "", err
		}
		if err := tryConnection(ctx, conn); err != nil {
			return "", err
		}
	}
}

func tryConnection(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	return conn.Ping(ctx)
}
