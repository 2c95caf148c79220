package registry

import (
	"context"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/notify"
)

const (
	// firstStage is how many days before its end the first notice of a secret goes out, and lastStage the one that says it
	// has ended. stillUsed is the only notice of a secret that another has taken over from.
	firstStage = 30
	lastStage  = 0
	stillUsed  = -1

	// lateNotice is how long after its end a secret is still told of, by a server that was off.
	lateNotice  = 7 * 24 * time.Hour
	keepNotices = 180 * 24 * time.Hour
	noticeChunk = 500
)

// stages returns the days before the end of a secret at which its people are told (ui.md §2, request 1), the last first.
func stages() []int { return []int{lastStage, 1, 7, 14, firstStage} }

// stageOf returns the stage that the time before the end has reached, and false while there is none. A stage that had
// begun when the secret was made is no news.
func stageOf(created, ends, now time.Time) (int, bool) {
	for _, stage := range stages() {
		begins := ends.AddDate(0, 0, -stage)
		if !now.Before(begins) {
			return stage, stage == lastStage || created.Before(begins)
		}
	}
	return 0, false
}

// noticeOf returns which notice is due for a secret: its stage, or none.
func noticeOf(row *endingRow, now time.Time) (stage int, due bool) {
	ends := row.ends()
	if !row.Newer {
		return stageOf(row.CreatedAt, ends, now)
	}
	const day = 24 * time.Hour
	soon := now.Before(ends) && !now.Before(ends.Add(-day))
	return stillUsed, soon && !moment(row.LastUsedAt).Before(now.Add(-day)) && row.LastUsedAt > 0
}

// TellEnds queues mails about secrets that end, or have ended: to the contacts of the app and to every manager of its
// organisation, once for each of 30, 14, 7, 1 and 0 days before. A secret that a newer one takes over from is told of
// only when it is still used in its last 24 hours. Secrets of inactive apps and suspended organisations are passed over.
// It is meant to be called once an hour; of several servers that do so, one tells.
func (r *Registry) TellEnds(ctx context.Context) error {
	if r.outbox == nil {
		return nil
	}
	managers := map[access.OrganisationID][]identity.Person{}
	for after := SecretID(""); ; {
		rows, err := r.store.endingSecrets(ctx, r.db.Now(), after, noticeChunk)
		if err != nil || len(rows) == 0 {
			return err
		}
		after = rows[len(rows)-1].ID
		due, err := r.dueNotices(ctx, rows)
		if err != nil {
			return err
		}
		for _, n := range due {
			org := n.row.OrganisationID
			if _, known := managers[org]; !known {
				if managers[org], err = r.identity.EveryHolder(ctx, org, access.AppsManage); err != nil {
					return err
				}
			}
			if err := r.tellEnd(ctx, n, managers[org]); err != nil {
				return err
			}
		}
	}
}

// notice is one stage of one secret, and whom its app names.
type notice struct {
	row      *endingRow
	stage    int
	contacts []Contact
}

// dueNotices returns the notices that are due and were not given yet.
func (r *Registry) dueNotices(ctx context.Context, rows []endingRow) ([]notice, error) {
	told, err := r.store.toldNotices(ctx, rows)
	if err != nil {
		return nil, err
	}
	var due []notice
	var apps []AppID
	for i := range rows {
		row := &rows[i]
		stage, ok := noticeOf(row, r.db.Now())
		if ok && !told[noticeKey{row.ID, database.Micros(row.ends()), stage}] {
			due = append(due, notice{row: row, stage: stage})
			apps = append(apps, row.AppID)
		}
	}
	if len(due) == 0 {
		return nil, nil
	}
	contacts, err := r.store.contactsOf(ctx, apps)
	for i := range due {
		due[i].contacts = contacts[due[i].row.AppID]
	}
	return due, err
}

// tellEnd queues the mails of a notice, unless another server was quicker or the secret is not in use any more.
func (r *Registry) tellEnd(ctx context.Context, n notice, managers []identity.Person) error {
	row, ends := n.row, n.row.ends()
	args := map[string]any{"App": row.Name, "Secret": hinted(row.Hint), "Ends": ends}
	key := "secret_ends"
	switch n.stage {
	case lastStage:
		key = "secret_ended"
	case stillUsed:
		key, args["Used"] = "secret_still_used", moment(row.LastUsedAt)
	default:
		args["N"] = daysLeft(ends, r.db.Now())
	}
	recipients := addresses(everybody(n.contacts, managers))
	return r.db.Housekeep(ctx, func(tx *database.Tx) error {
		first, err := takeNotice(tx, row, n.stage)
		if err != nil || !first {
			return err
		}
		for _, to := range recipients {
			err := r.outbox.Mail(tx, notify.Message{
				Organisation: string(row.OrganisationID), To: to, Key: key, Args: args,
				Path: "/apps/" + string(row.AppID), About: mailAbout(row.AppID),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
