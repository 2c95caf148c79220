package notify

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/job"
)

const (
	// keepMails is how long a mail that is over stays to be seen.
	keepMails  = 90 * 24 * time.Hour
	sweepChunk = 500
	// maxAbout bounds the mails that are read about one thing.
	maxAbout = 100
	// jobKind, urgentKind and letterKind are the kinds of the jobs that send: notices, those that do not wait for other
	// notices, and what people write.
	jobKind    = "mail"
	urgentKind = "mail.urgent"
	letterKind = "letter"
)

// Outbox queues mails and knows what became of them. It is safe for use by many goroutines.
type Outbox struct {
	db      *database.DB
	metrics *metrics
	ended   []func(tx *database.Tx, m Mail) error
	silent  bool // there is no mail server
}

// New returns the outbox kept in a database. With nil for metrics nothing is shown.
func New(db *database.DB, metrics prometheus.Registerer) (*Outbox, error) {
	if db == nil {
		return nil, errors.New("notify: a dependency is missing")
	}
	o := &Outbox{db: db, metrics: newMetrics()}
	return o, o.metrics.register(metrics)
}

// Mail queues a mail in the transaction: it is sent when that commits, and never otherwise; at once, or, where an address
// or an organisation got very many (pace.go), later. An address that is none makes
// a mail that failed and no error, so that an old row does not keep an act from being done.
func (o *Outbox) Mail(tx *database.Tx, m Message) error {
	args, err := encodeArgs(m.Args)
	if err != nil {
		return err
	}
	row := &mailRow{
		ID: ID(database.NewID()), ToName: line(m.To.Name, maxName), ToEmail: m.To.Email, Language: m.Language, TextKey: m.Key, Args: args,
		Path: m.Path, AboutKind: m.About.Kind, AboutID: m.About.ID, Fleeting: m.Fleeting, State: Queued, CreatedAt: tx.Now(),
		Words: m.Words, ReplyName: line(m.ReplyTo.Name, maxName), ReplyEmail: m.ReplyTo.Email,
	}
	if m.Organisation != "" {
		row.OrganisationID = &m.Organisation
	}
	if !deliverable(m.To.Email) {
		now := tx.Now()
		row.ToEmail, row.State, row.LastError, row.FinishedAt = "", Failed, failedAddress, &now
		if err := o.tellEnd(tx, row); err != nil || m.Fleeting {
			return err
		}
	}
	if err := insertMail(tx, row); err != nil || row.State != Queued {
		return err
	}
	due, err := m.due(tx)
	if err != nil {
		return err
	}
	_, _, err = job.Queue(tx, job.New{
		Organisation: m.Organisation, Kind: m.jobKind(), Key: string(row.ID), Payload: payload{row.ID}, RunAt: due,
	})
	return err
}

// Silent reports whether this installation sends no mail, because it has no mail server. Before Send it does not.
func (o *Outbox) Silent() bool { return o.silent }

// payload is that of a job that sends a mail.
type payload struct {
	Mail ID `json:"mail"`
}

// WhenEnded calls fn in the transaction that notes what became of a mail: a server took it (Sent), or refused the address
// for good (Refused, a bounce), or it was given up (Failed). It is called before the runner runs; fn may run twice and
// does no other I/O.
func (o *Outbox) WhenEnded(fn func(tx *database.Tx, m Mail) error) {
	o.ended = append(o.ended, fn)
}

// tellEnd tells what became of a mail.
func (o *Outbox) tellEnd(tx *database.Tx, row *mailRow) error {
	m, err := row.mail()
	m.FinishedAt = tx.Now()
	for _, fn := range o.ended {
		if err == nil {
			err = fn(tx, m)
		}
	}
	return err
}

// About returns the last mails of the organisation about a thing, the newest first, at most 100. Who shows them asks for
// the right to see the thing.
func (o *Outbox) About(ctx context.Context, organisation string, about Subject) ([]Mail, error) {
	rows, err := readAbout(o.db.Read(ctx), organisation, about, maxAbout)
	if err != nil {
		return nil, err
	}
	mails := make([]Mail, len(rows))
	for i := range rows {
		if mails[i], err = rows[i].mail(); err != nil {
			return nil, err
		}
	}
	return mails, nil
}

// Erase forgets all mails about a thing, also those that wait to be sent.
func (o *Outbox) Erase(tx *database.Tx, about Subject) error { return eraseAbout(tx, about) }

// Withdraw forgets the letters of an organisation that wait to be sent. The jobs that were to send them find nothing.
func (o *Outbox) Withdraw(tx *database.Tx, organisation string) error {
	return deleteLetters(tx, organisation)
}

// Sweep deletes mails that were over 90 days ago, and plans of mails whose time has passed. It is meant to be called every
// few minutes.
func (o *Outbox) Sweep(ctx context.Context) error {
	before := o.db.Now().Add(-keepMails)
	for _, part := range []func(tx *database.Tx) (int64, error){
		func(tx *database.Tx) (int64, error) { return sweepMails(tx, before, sweepChunk) },
		func(tx *database.Tx) (int64, error) { return sweepPace(tx, sweepChunk) },
	} {
		for more := true; more; {
			var n int64
			err := o.db.Housekeep(ctx, func(tx *database.Tx) (err error) {
				n, err = part(tx)
				return err
			})
			if err != nil {
				return err
			}
			more = n == sweepChunk
		}
	}
	return nil
}
