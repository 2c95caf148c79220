package notify

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"credenza.example/credenza/internal/database"
)

// pace bounds mails: so many at once, then one in each pause. What exceeds it is not lost but sent when its time comes.
type pace struct {
	name    string // of its rows
	atOnce  int64
	between time.Duration
}

// lane are the bounds that a mail is under: that of its organisation and that of its address there. What people write has
// a lane of its own, so that a letter to thousands does not hold up the notice that a secret ends.
type lane struct {
	organisation pace
	address      pace
}

// notices bound what the product tells by itself. An address: 30 at once, which is what whoever is the contact of some
// dozens of apps can get on one morning, then 30 an hour; nobody reads more. An organisation: 500 at once, then 1,200 an
// hour; usual relays take some thousand in a day from one sender before they refuse all of them.
func notices() lane {
	return lane{pace{"notices-of", 500, 3 * time.Second}, pace{"notices-to", 30, 2 * time.Minute}}
}

// letters bound what people write to contacts. An address: 5 at once, then 4 an hour; more from one organisation is
// harassment or a mistake. An organisation: as for notices.
func letters() lane {
	return lane{pace{"letters-of", 500, 3 * time.Second}, pace{"letters-to", 5, 15 * time.Minute}}
}

// slow bound what can wait, so that what is told by itself does not wait for it: as for notices.
func slow() lane {
	return lane{pace{"slow-of", 500, 3 * time.Second}, pace{"slow-to", 30, 2 * time.Minute}}
}

// lane returns the bounds of the mail; false when it has none.
func (m *Message) lane() (lane, bool) {
	switch {
	case m.Words != "":
		return letters(), true
	case m.Pace == Urgent:
		return lane{}, false
	case m.Pace == Slow:
		return slow(), true
	default:
		return notices(), true
	}
}

// jobKind is the kind of the job that sends the mail.
func (m *Message) jobKind() string {
	switch {
	case m.Words != "":
		return letterKind
	case m.Pace == Urgent:
		return urgentKind
	default:
		return jobKind
	}
}

// due takes the mail's place among those of its organisation and its address, in the transaction that queues it, and
// returns when it may be sent. The organisation's row is taken first by everybody, so that nobody waits for each other.
func (m *Message) due(tx *database.Tx) (time.Time, error) {
	l, bounded := m.lane()
	if !bounded {
		return tx.Now(), nil
	}
	at, err := takePlace(tx, l.organisation, m.Organisation)
	if err != nil {
		return time.Time{}, err
	}
	other, err := takePlace(tx, l.address, addressScope(m.Organisation, m.To.Email))
	if other.After(at) {
		at = other
	}
	return at, err
}

// addressScope names an address within an organisation without saying it.
func addressScope(organisation, email string) string {
	sum := sha256.Sum256([]byte(organisation + " " + strings.ToLower(email)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// takePlace plans one more mail and returns when it may go.
func takePlace(tx *database.Tx, p pace, scope string) (time.Time, error) {
	next, err := advancePace(tx, p.name+" "+scope, p.between)
	if at := next.Add(-time.Duration(p.atOnce) * p.between); at.After(tx.Now()) {
		return at, err
	}
	return tx.Now(), err
}

// LettersWait returns how long a letter of the organisation that is queued now waits before it is sent, because others
// were queued before it; 0 for not at all.
func (o *Outbox) LettersWait(ctx context.Context, organisation string) (time.Duration, error) {
	return o.wait(ctx, letters().organisation, organisation)
}

// LetterWaits is LettersWait for what else an address gets from the organisation.
func (o *Outbox) LetterWaits(ctx context.Context, organisation, email string) (time.Duration, error) {
	return o.wait(ctx, letters().address, addressScope(organisation, email))
}

func (o *Outbox) wait(ctx context.Context, p pace, scope string) (time.Duration, error) {
	next, err := readPace(o.db.Read(ctx), p.name+" "+scope)
	return max(0, next.Sub(o.db.Now())-time.Duration(p.atOnce)*p.between), err
}
