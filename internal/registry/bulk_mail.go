package registry

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/problem"
)

// MaxLetterSubject and MaxLetter bound the subject and the text of a letter, in characters. With both of these and a page
// of ticked apps a form stays far below what a form may have.
const (
	MaxLetterSubject = 120
	MaxLetter        = 2000
)

const (
	// letterNames is how many apps a letter and its event name.
	letterNames = 20
	// lettersAhead is how far ahead an organisation may plan letters, and letters to one address.
	lettersAhead = 12 * time.Hour
	// letterKind is what a letter's mail is about: one address of a bulk change.
	letterKind = "bulk letter"
)

// Letter is what a person writes to contacts: a subject, and plain text in lines.
type Letter struct {
	Subject string
	Words   string
}

// letter checks a letter: faults of mail_subject, which is one line, and mail_text.
func (f *faults) letter(l Letter) Letter {
	subject, fault := checked("mail_subject", l.Subject, shortText(3, MaxLetterSubject))
	f.add(fault)
	words, fault := checked("mail_text", l.Words, func(field, value string) (string, *problem.Field) {
		return identity.Lines(field, value, 10, MaxLetter)
	})
	f.add(fault)
	return Letter{Subject: subject, Words: words}
}

// CanMail reports whether this installation sends mail at all.
func (r *Registry) CanMail() bool { return r.outbox != nil && !r.outbox.Silent() }

// startLetters queues the letters to the contacts of the apps of a payload. What is recorded says who wrote to how many
// about how many apps and with which subject; each letter is recorded besides when it is queued.
func (r *Registry) startLetters(ctx context.Context, actor access.Actor, act audit.Act, p bulkPayload) (id job.ID, err error) {
	wait, err := r.outbox.LettersWait(ctx, string(actor.Organisation))
	if err != nil {
		return "", err
	}
	if wait > lettersAhead {
		return "", problem.New(problem.Conflict, "app.bulk.letters_wait")
	}
	keys, err := r.store.addressesOf(ctx, actor.Organisation, p.IDs)
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		return "", problem.Fields(problem.NewField("ids", "app.bulk.none"))
	}
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		var err error
		if p.Addresses, err = addressIDs(tx, actor.Organisation, keys); err == nil {
			id, err = queueBulk(tx, actor, p, len(p.Addresses))
		}
		return audit.Change{Target: audit.Target{Kind: "job", ID: string(id)}, After: map[string]any{
			"act": string(p.Act), "apps": len(p.IDs), "addresses": len(p.Addresses), "subject": p.Letter.Subject,
		}}, err
	})
	return id, err
}

// sendLetters goes through the addresses and queues a mail for each.
func (r *Registry) sendLetters(ctx context.Context, c *job.Claimed, p bulkPayload) error {
	sender, err := r.identity.Person(ctx, p.Person)
	if err != nil {
		return err
	}
	chosen := map[AppID]bool{}
	for _, id := range p.IDs {
		chosen[id] = true
	}
	for _, address := range p.Addresses {
		if err := ctx.Err(); err != nil {
			return err
		}
		item := job.Item{Key: address, Outcome: BulkDone}
		l := bulkLetter{job: c.ID, payload: p, sender: sender, chosen: chosen, address: address}
		err := r.sendLetter(ctx, l, func(tx *database.Tx, apps int) error {
			item.Detail = strconv.Itoa(apps)
			return c.Item(tx, item)
		})
		if err == nil || errors.Is(err, job.ErrItemDone) {
			continue
		}
		item.Detail = ""
		if item, err = outcomeOf(item, err); err != nil {
			return err
		}
		if err := c.Note(ctx, item); err != nil && !errors.Is(err, job.ErrItemDone) {
			return err
		}
	}
	return nil
}

// bulkLetter is one address of a bulk change and what goes there.
type bulkLetter struct {
	job     job.ID
	payload bulkPayload
	sender  identity.Person
	chosen  map[AppID]bool
	address string
}

// letterEnded notes among the results of a bulk change that a letter did not arrive; for notify.Outbox.WhenEnded.
func letterEnded(tx *database.Tx, m notify.Mail) error {
	id, address, _ := strings.Cut(m.About.ID, " ")
	if m.About.Kind != letterKind || m.State == notify.Sent {
		return nil
	}
	return job.Amend(tx, job.ID(id), address, BulkUnreached)
}

// sendLetter queues the mail to one address, as the sender with the rights of now. The answer is problem.NotFound for one
// that stands at none of the apps any more, errFull for one that has too many letters to come.
func (r *Registry) sendLetter(ctx context.Context, l bulkLetter, note func(tx *database.Tx, apps int) error) error {
	p, sender, address := l.payload, l.sender, l.address
	actor, err := r.identity.ActorFor(ctx, sender.ID)
	if err != nil {
		return err
	}
	actor.Origin = p.Origin
	row, found, err := r.store.addressByID(ctx, address)
	if err == nil && (!found || row.OrganisationID != actor.Organisation) {
		err = notFound()
	}
	if err != nil {
		return err
	}
	reader, apps, err := r.store.readerOf(ctx, actor.Organisation, row.EmailKey, l.chosen)
	if err != nil {
		return err
	}
	if len(apps) == 0 {
		return notFound()
	}
	if wait, err := r.outbox.LetterWaits(ctx, string(actor.Organisation), reader.Email); err != nil || wait > lettersAhead {
		return cmp.Or(err, errFull)
	}
	var names, ids []string
	for _, app := range apps[:min(len(apps), letterNames)] {
		names, ids = append(names, app.Name), append(ids, string(app.AppID))
	}
	act := audit.Act{
		Right: access.AppsManage, Action: "contact.mail", Organisation: actor.Organisation,
		Target: audit.Target{Kind: "contact_address", ID: address},
	}
	return r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if err := note(tx, len(apps)); err != nil {
			return audit.Change{}, err
		}
		organisation, err := organisationName(tx, actor.Organisation)
		if err != nil {
			return audit.Change{}, err
		}
		err = r.outbox.Mail(tx, notify.Message{
			Organisation: string(actor.Organisation), To: notify.Address{Name: reader.name(), Email: reader.Email}, Key: "letter",
			Args: map[string]any{
				"Subject": p.Letter.Subject, "Actor": sender.Name(), "Organisation": organisation,
				"N": len(apps), "List": names, "More": len(apps) - len(names),
			},
			Words: p.Letter.Words, ReplyTo: notify.Address{Name: sender.Name(), Email: sender.Email}, Fleeting: true,
			About: notify.Subject{Kind: letterKind, ID: string(l.job) + " " + address},
		})
		return audit.Change{After: map[string]any{"subject": p.Letter.Subject, "apps": len(apps), "first_apps": ids}}, err
	})
}

// withdrawLetters is for a suspended organisation: what its people wrote and its bulk changes had to tell is not sent any more.
func (r *Registry) withdrawLetters(tx *database.Tx, org access.OrganisationID) error {
	if err := forgetNews(tx, org); err != nil {
		return err
	}
	return r.outbox.Withdraw(tx, string(org))
}

// letterItems are the results by address. One that stands nowhere any more has no name.
func (r *Registry) letterItems(ctx context.Context, actor access.Actor, items []job.Item) ([]BulkItem, error) {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.Key
	}
	emails, err := r.store.emailsOf(ctx, actor.Organisation, ids)
	list := make([]BulkItem, len(items))
	for i, item := range items {
		list[i] = BulkItem{Key: item.Key, Name: emails[item.Key], Outcome: item.Outcome}
		list[i].Apps, _ = strconv.Atoi(item.Detail) // none for an address that got nothing
	}
	return list, err
}
