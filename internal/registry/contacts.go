package registry

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/problem"
)

const (
	// ContactPath is the page on which whoever reads a contact's address confirms it; its parameter is the ask.
	ContactPath = "/contact/verify"

	// askEvery is how often the reader of an address is asked whether it is still right (ui.md §2 row 10).
	askEvery = 365 * 24 * time.Hour
	// askLife is how long the link of such a mail works.
	askLife = 60 * 24 * time.Hour
	// askAtOnce bounds the mails of one AskContacts: a thousand apps that are imported must not fill a mail server's queue.
	askAtOnce = 50
	// askNames is how many apps such a mail and its page name.
	askNames = 20

	// answersIn and answersMost bound how often an answer is changed: each is an event in the trail for ever, and whoever has
	// the link needs to be nobody in particular.
	answersIn   = 24 * time.Hour
	answersMost = 10

	tidyChunk  = 500
	askPurpose = "registry.contact.ask"
)

// AddressState says what is known of a contact's address.
type AddressState string

// The states of an address. The latest answer counts.
const (
	AddressUnknown   AddressState = ""          // nobody was asked, or nobody answered yet
	AddressConfirmed AddressState = "confirmed" // its reader said that it is right
	AddressDenied    AddressState = "denied"    // its reader said that it should be somebody else
	AddressRefused   AddressState = "refused"   // a mail server refused it for good (product.md decision 19)
)

// Address is what is known of a contact's address, and since when.
type Address struct {
	State AddressState
	At    time.Time
}

// Stale reports whether another contact is needed.
func (a Address) Stale() bool { return a.State == AddressDenied || a.State == AddressRefused }

// Addresses returns what is known of the addresses of an app's contacts, by address as it is written in the app. It takes
// apps.view.
func (r *Registry) Addresses(ctx context.Context, actor access.Actor, app *App) (map[string]Address, error) {
	if err := r.mayView(ctx, actor, "app.view"); err != nil {
		return nil, err
	}
	known := map[string]Address{}
	for _, c := range []Contact{app.Contact, app.SecondContact} {
		if c.IsZero() {
			continue
		}
		row, found, err := r.store.address(ctx, actor.Organisation, emailKey(c.Email))
		if err != nil {
			return nil, err
		}
		if found {
			known[c.Email] = row.address()
		}
	}
	return known, nil
}

// emailKey is what an address is known by: its letters A to Z without case, as the column email_key of app_contacts has it.
func emailKey(email string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, email)
}

// address returns the latest of what is known.
func (row *addressRow) address() Address {
	latest := Address{}
	for state, at := range map[AddressState]*time.Time{
		AddressConfirmed: row.ConfirmedAt, AddressDenied: row.DeniedAt, AddressRefused: row.RefusedAt,
	} {
		if at != nil && (at.After(latest.At) || at.Equal(latest.At) && state < latest.State) {
			latest = Address{State: state, At: *at}
		}
	}
	return latest
}

// ask is what the link in a mail carries, with a MAC before it.
type ask struct {
	Address string `json:"a"` // ID of the row
	Until   int64  `json:"u"` // µs
}

func (r *Registry) sealAsk(a ask) (string, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(r.ring.MAC(askPurpose, body), body...)), nil
}

// openAsk reads what a link carried. What is made up is problem.NotFound, what is too old problem.Gone.
func (r *Registry) openAsk(text string) (ask, error) {
	const size = 32
	var a ask
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) <= size || !hmac.Equal(raw[:size], r.ring.MAC(askPurpose, raw[size:])) {
		return a, notFound()
	}
	if err := json.Unmarshal(raw[size:], &a); err != nil {
		return a, notFound()
	}
	if r.db.Now().After(database.FromMicros(a.Until)) {
		return a, problem.New(problem.Gone, "app.contact.ask_over")
	}
	return a, nil
}

// AskContacts sends a mail to the readers of addresses who were not asked for a year or never: is this still the right
// contact? One mail for an address of an organisation, however many its apps. It is for a timer; without an outbox it does
// nothing. Replicas may call it at once.
func (r *Registry) AskContacts(ctx context.Context) error {
	if r.outbox == nil {
		return nil
	}
	due, err := r.store.addressesDue(ctx, r.db.Now().Add(-askEvery), askAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for i := range due {
		errs = append(errs, r.askContact(ctx, &due[i]))
	}
	return errors.Join(errs...)
}

// askContact asks for one address, or forgets it when no app has it any more.
func (r *Registry) askContact(ctx context.Context, row *addressRow) error {
	reader, apps, total, err := r.store.appsOfAddress(ctx, row.OrganisationID, row.EmailKey, askNames)
	if err != nil {
		return err
	}
	link, err := r.sealAsk(ask{Address: row.ID, Until: database.Micros(r.db.Now().Add(askLife))})
	if err != nil {
		return err
	}
	return r.db.Housekeep(ctx, func(tx *database.Tx) error {
		if total == 0 {
			return forgetAddresses(tx, row.OrganisationID, row.EmailKey)
		}
		if taken, err := noteAsked(tx, row); err != nil || !taken {
			return err
		}
		organisation, err := organisationName(tx, row.OrganisationID)
		if err != nil {
			return err
		}
		return r.outbox.Mail(tx, notify.Message{
			Organisation: string(row.OrganisationID), To: notify.Address{Name: reader.name(), Email: reader.Email}, Key: "contact_ask",
			Args: map[string]any{"Organisation": organisation, "Apps": apps, "N": total},
			Path: ContactPath + "?ask=" + url.QueryEscape(link), Fleeting: true, Pace: notify.Slow,
		})
	})
}

// Asked is what the page behind the link shows.
type Asked struct {
	Organisation string
	Email        string
	Apps         []string // names of the first of them
	Total        int
	Known        Address
}

// Asked returns what the link of a mail asks about. Whoever has the link may see it; it says no more than the mail. Answers:
// problem.NotFound for what is no link or stands at no app any more, problem.Gone for one that is too old.
func (r *Registry) Asked(ctx context.Context, link string) (Asked, error) {
	row, err := r.askedRow(ctx, link)
	if err != nil {
		return Asked{}, err
	}
	reader, apps, total, err := r.store.appsOfAddress(ctx, row.OrganisationID, row.EmailKey, askNames)
	if err != nil {
		return Asked{}, err
	}
	if total == 0 {
		return Asked{}, notFound()
	}
	org, err := r.identity.Organisation(ctx, row.OrganisationID)
	return Asked{Organisation: org.Name, Email: reader.Email, Apps: apps, Total: total, Known: row.address()}, err
}

func (r *Registry) askedRow(ctx context.Context, link string) (addressRow, error) {
	a, err := r.openAsk(link)
	if err != nil {
		return addressRow{}, err
	}
	row, found, err := r.store.addressByID(ctx, a.Address)
	if err == nil && !found {
		err = notFound()
	}
	return row, err
}

// AnswerAsk keeps what the reader of an address says: that it is right, or that somebody else should be the contact. The
// same answer twice is one. It is recorded in the organisation's trail without the address. The answer is problem.Limited
// to whoever changes it more than ten times in a day; the last one then stands.
func (r *Registry) AnswerAsk(ctx context.Context, origin access.Origin, link string, right bool) error {
	row, err := r.askedRow(ctx, link)
	if err != nil {
		return err
	}
	state, action := AddressDenied, "contact.deny"
	if right {
		state, action = AddressConfirmed, "contact.confirm"
	}
	if row.address().State == state {
		return nil
	}
	actor := access.System("contact", row.OrganisationID)
	actor.Origin = origin
	act := audit.Act{Action: action, Organisation: row.OrganisationID, Target: audit.Target{Kind: "contact_address", ID: row.ID}}
	return r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		kept, err := noteAnswer(tx, &row, state, tx.Now().Add(-answersIn), answersMost)
		if err == nil && !kept {
			err = problem.New(problem.Limited, "app.contact.answers_over")
		}
		return audit.Change{After: map[string]any{"state": string(state)}}, err
	})
}

// TidyAddresses begins to know of contacts that are older than what is known of addresses, and forgets addresses that
// stand at no app: acts do both at once, but an older version of the product that runs beside this one does not. It is
// meant to be called at the start and once a day; where nothing is to be done it only reads.
func (r *Registry) TidyAddresses(ctx context.Context) error {
	return errors.Join(r.knowContacts(ctx), r.forgetStrays(ctx))
}

func (r *Registry) knowContacts(ctx context.Context) error {
	for after := ContactID(""); ; {
		rows, err := r.store.unknownContacts(ctx, after, tidyChunk)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].ID
		err = r.db.Housekeep(ctx, func(tx *database.Tx) error {
			for i := range rows {
				if err := knowAddress(tx, rows[i].OrganisationID, rows[i].Email); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

func (r *Registry) forgetStrays(ctx context.Context) error {
	for after := ""; ; {
		rows, err := r.store.strayAddresses(ctx, after, tidyChunk)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].ID
		err = r.db.Housekeep(ctx, func(tx *database.Tx) error {
			for i := range rows {
				if err := forgetAddresses(tx, rows[i].OrganisationID, rows[i].EmailKey); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// keysOf returns what the addresses of contacts are known by.
func keysOf(contacts []Contact) []string {
	keys := make([]string, len(contacts))
	for i, c := range contacts {
		keys[i] = emailKey(c.Email)
	}
	return keys
}

// addressAnswered notes that a mail server refused an address for good, until one takes a mail to it; for
// notify.Outbox.WhenEnded.
func addressAnswered(tx *database.Tx, m notify.Mail) error {
	org, key := access.OrganisationID(m.Organisation), emailKey(m.To.Email)
	switch m.State {
	case notify.Sent:
		return noteTaken(tx, org, key)
	case notify.Refused:
		return noteRefused(tx, org, key)
	default:
		return nil
	}
}
