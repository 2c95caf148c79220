package database

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
)

const (
	// attempts bounds how often a transaction that collided with another is run again.
	attempts = 5
	// transactTime bounds a transaction with all its attempts: whoever asks for one in the background sets no limit, and of
	// a server behind a network that was cut nothing is heard.
	transactTime = 30 * time.Second
)

// Topic says what kind of thing changed.
type Topic string

// The topics of the change feed, each with the ID that goes with it.
const (
	TopicApp          Topic = "app"          // app ID
	TopicOrganisation Topic = "organisation" // organisation ID
	TopicRobot        Topic = "robot"        // robot account ID
	TopicPerson       Topic = "person"       // person ID
	TopicRole         Topic = "role"         // organisation ID
	TopicKey          Topic = "key"          // purpose of the key
	TopicCatalogue    Topic = "catalogue"    // key of the API
)

// Change is one entry of the feed.
type Change struct {
	Topic Topic
	ID    string
}

// Tx is an open transaction. Only its DB may be used until it ends: SQLite has one writer, and a query on the pool from
// inside would wait for ever.
type Tx struct {
	g       *gorm.DB
	dialect Dialect
	now     time.Time
	changes []Change
}

// DB returns the transaction's connection, for store files.
func (tx *Tx) DB() *gorm.DB { return tx.g }

// Now returns the time at which the transaction began; all rows it writes carry the same.
func (tx *Tx) Now() time.Time { return tx.now }

// Changed tells every process, after the commit, that a thing changed.
func (tx *Tx) Changed(topic Topic, id string) {
	tx.changes = append(tx.changes, Change{Topic: topic, ID: id})
}

// Housekeep runs fn in a transaction that is not audited: sessions, spent codes, counters, queues. fn may run twice and
// does no other I/O.
func (db *DB) Housekeep(ctx context.Context, fn func(tx *Tx) error) error {
	return db.Transact(ctx, fn)
}

// Transact runs fn in a transaction; audit.Do is its only caller outside this package. fn may run twice (collisions are
// retried) and does no other I/O. After the commit the changes are published to this process and, through the table
// changes, to the others. It ends after 30 s at the latest.
func (db *DB) Transact(ctx context.Context, fn func(tx *Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, transactTime)
	defer cancel()
	var err error
	for attempt := range attempts {
		var done []Change
		if done, err = db.transactOnce(ctx, fn); err == nil {
			if len(done) > 0 {
				db.feed.publish(done)
			}
			return nil
		}
		if !retryable(err) {
			break
		}
		pause := time.Duration(1<<attempt) * 5 * time.Millisecond
		select {
		case <-ctx.Done():
			return translate(err)
		case <-time.After(pause + rand.N(pause)): //nolint:gosec // Spreads retries; nobody gains by guessing it.
		}
	}
	return translate(err)
}

func (db *DB) transactOnce(ctx context.Context, fn func(tx *Tx) error) ([]Change, error) {
	tx := &Tx{dialect: db.dialect}
	err := db.writer.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		// Here, not before: a writer may have waited long for its turn.
		tx.g, tx.now = g, db.Now()
		if err := fn(tx); err != nil {
			return err
		}
		return tx.record()
	})
	return tx.changes, err
}

// record writes the changes with the next numbers, and has PostgreSQL announce them when the transaction commits. It
// comes last in the transaction, because raising the counter makes every other writer wait until this one has committed.
func (tx *Tx) record() error {
	if len(tx.changes) == 0 {
		return nil
	}
	last, err := tx.raise(len(tx.changes))
	if err != nil {
		return fmt.Errorf("number the changes: %w", err)
	}
	first := last - int64(len(tx.changes)) + 1
	for i, c := range tx.changes {
		err := tx.g.Exec("INSERT INTO changes (n, topic, entity_id, at) VALUES (?, ?, ?, ?)",
			first+int64(i), string(c.Topic), c.ID, Micros(tx.now)).Error
		if err != nil {
			return fmt.Errorf("record a change: %w", err)
		}
	}
	return nil
}

// raise raises the counter by as many changes and returns the number of the last.
func (tx *Tx) raise(by int) (last int64, err error) {
	if tx.dialect == Postgres {
		var announced bool
		err = tx.g.Raw(announce, by).Row().Scan(&last, &announced)
		return last, err
	}
	err = tx.g.Raw("UPDATE change_counter SET n = n + ? WHERE id = 1 RETURNING n", by).Scan(&last).Error
	return last, err
}
