package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
)

const (
	// newsNames is how many apps the mail about a bulk change names.
	newsNames = 20
	newsChunk = 100
	// keepNews is how long whom a bulk change concerns is kept where the job that would tell them is dead.
	keepNews = 7 * 24 * time.Hour
)

// newsPayload is that of the job that tells of a bulk change.
type newsPayload struct {
	Job    job.ID
	Person identity.PersonID
}

// noteNews notes, in the transaction of the change of one app, what its contacts are told at the end of the bulk change.
// Where no mail is sent each app keeps its own notice instead, which its page shows and nobody's post-box suffers from.
func (r *Registry) noteNews(tx *database.Tx, id job.ID, act BulkAct, actor access.Actor, before, after *App) error {
	if r.outbox == nil {
		return nil
	}
	if r.outbox.Silent() {
		return r.tellEdited(tx, actor, before, after)
	}
	news := map[string][]Contact{}
	switch act {
	case BulkActivate:
		news["bulk_activated"] = after.contacts()
	case BulkDeactivate:
		news["bulk_deactivated"] = after.contacts()
	case BulkReassign:
		news["bulk_contact_new"] = without(after.contacts(), before.contacts())
		news["bulk_contact_old"] = without(before.contacts(), after.contacts())
	case BulkMail:
		return nil // changes no app
	}
	for key, people := range news {
		for _, to := range addresses(people) {
			if err := insertNews(tx, id, after, key, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// EndBulk does what belongs to the end of a bulk change, however it ended, in the transaction that ends it: it has people
// told, and forgets what the work alone needed.
func (r *Registry) EndBulk(tx *database.Tx, j job.Job) error {
	var p bulkPayload
	if err := j.Decode(&p); err != nil {
		p = bulkPayload{Act: BulkAct(j.Label)} // what cannot be read was never begun
	}
	some, err := hasNews(tx, j.ID)
	if err != nil {
		return err
	}
	if some {
		_, _, err := job.Queue(tx, job.New{
			Organisation: j.Organisation, Kind: KindBulkNews, Key: string(j.ID), Payload: newsPayload{Job: j.ID, Person: p.Person},
		})
		if err != nil {
			return err
		}
	}
	return job.Shorten(tx, j.ID, bulkPayload{Act: p.Act, Person: p.Person})
}

// tellBulk makes the mails about a bulk change, one for each address.
func (r *Registry) tellBulk(ctx context.Context, c *job.Claimed) error {
	var p newsPayload
	if err := c.Decode(&p); err != nil {
		return err
	}
	actor, err := r.identity.Person(ctx, p.Person)
	if err != nil {
		return err
	}
	for {
		keys, err := r.store.newsAddresses(ctx, p.Job, newsChunk)
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			if err := r.tellNews(ctx, access.OrganisationID(c.Organisation), p.Job, key, actor.Name()); err != nil {
				return err
			}
		}
	}
}

// tellNews queues the mail to one address and deletes what it tells of, so that of several that do so one does.
func (r *Registry) tellNews(ctx context.Context, org access.OrganisationID, id job.ID, key, actor string) error {
	return r.db.Housekeep(ctx, func(tx *database.Tx) error {
		rows, total, err := takeNews(tx, id, key, newsNames)
		if err != nil || total == 0 {
			return err
		}
		organisation, err := organisationName(tx, org)
		if err != nil {
			return err
		}
		names := make([]string, len(rows))
		for i, row := range rows {
			names[i] = row.Name
		}
		return r.outbox.Mail(tx, notify.Message{
			Organisation: string(org), To: notify.Address{Name: rows[0].ToName, Email: rows[0].ToEmail}, Key: rows[0].TextKey,
			Args: map[string]any{
				"Organisation": organisation, "Actor": actor, "N": total, "List": names, "More": total - len(names),
			},
			Fleeting: true, Pace: notify.Slow,
		})
	})
}
