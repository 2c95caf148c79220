package registry

import (
	"cmp"
	"context"
	"maps"
	"slices"
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
	// listFrom is how many secrets make one mail of many, and listNames how many of them it names.
	listFrom  = 6
	listNames = 100
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
// organisation, once for each of 30, 14, 7, 1 and 0 days before. Whoever is to be told of more than five secrets of an
// organisation that come to the same stage and end on the same day gets one mail with a list of them. A secret that a newer
// one takes over from is told of only when it is still used in its last 24 hours. Secrets of inactive apps and suspended
// organisations are passed over. It is meant to be called once an hour; of several servers that do so, one tells.
func (r *Registry) TellEnds(ctx context.Context) error {
	if r.outbox == nil {
		return nil
	}
	var due []notice
	for after := SecretID(""); ; {
		rows, err := r.store.endingSecrets(ctx, r.db.Now(), after, noticeChunk)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		after = rows[len(rows)-1].ID
		some, err := r.dueNotices(ctx, rows)
		if err != nil {
			return err
		}
		due = append(due, some...)
	}
	managers := map[access.OrganisationID][]identity.Person{}
	for _, group := range grouped(due) {
		org := group[0].row.OrganisationID
		if _, known := managers[org]; !known {
			var err error
			if managers[org], err = r.identity.EveryHolder(ctx, org, access.AppsManage); err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(group, noticeChunk) {
			if err := r.tellEnd(ctx, chunk, managers[org]); err != nil {
				return err
			}
		}
	}
	return nil
}

// notice is one stage of one secret, and whom its app names.
type notice struct {
	row      *endingRow
	stage    int
	contacts []Contact
}

// noticeGroup is what notices have in common that one mail can tell of.
type noticeGroup struct {
	organisation access.OrganisationID
	stage        int
	day          string
}

func (n notice) group() noticeGroup {
	return noticeGroup{n.row.OrganisationID, n.stage, n.row.ends().UTC().Format(time.DateOnly)}
}

// grouped puts together what one mail can tell of, the most urgent stages first and each in the order of the secrets' IDs.
func grouped(due []notice) [][]notice {
	groups := map[noticeGroup][]notice{}
	for _, n := range due {
		groups[n.group()] = append(groups[n.group()], n)
	}
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b noticeGroup) int {
		return cmp.Or(cmp.Compare(a.stage, b.stage), cmp.Compare(a.organisation, b.organisation), cmp.Compare(a.day, b.day))
	})
	list := make([][]notice, len(keys))
	for i, key := range keys {
		list[i] = groups[key]
	}
	return list
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

// tellEnd queues the mails of notices of a group, but for those that another server was quicker with and those of secrets
// that are not in use any more.
func (r *Registry) tellEnd(ctx context.Context, group []notice, managers []identity.Person) error {
	return r.db.Housekeep(ctx, func(tx *database.Tx) error {
		var mine []notice
		for _, n := range group {
			first, err := takeNotice(tx, n.row, n.stage)
			if err != nil {
				return err
			}
			if first {
				mine = append(mine, n)
			}
		}
		lists := r.noticeLists(mine, managers)
		for _, n := range mine {
			to := slices.DeleteFunc(everybody(n.contacts, managers), func(c Contact) bool { return lists[emailKey(c.Email)] != nil })
			app := App{ID: n.row.AppID, Name: n.row.Name, Organisation: n.row.OrganisationID}
			if err := r.tell(tx, access.System("notices", app.Organisation), &app, n.tidings(to)); err != nil {
				return err
			}
		}
		for _, key := range slices.Sorted(maps.Keys(lists)) {
			if err := r.tellList(tx, lists[key]); err != nil {
				return err
			}
		}
		return nil
	})
}

// noticePace is that of the notices of a stage: what comes on the last day must not wait until it is false.
func noticePace(stage int) notify.Pace {
	if stage <= 1 {
		return notify.Urgent
	}
	return notify.Usual
}

// tidings are those of one notice on its own.
func (n notice) tidings(to []Contact) tidings {
	t := tidings{
		key: "secret_ends", to: to, args: map[string]any{"Secret": hinted(n.row.Hint), "Ends": n.row.ends()}, pace: noticePace(n.stage),
	}
	switch n.stage {
	case lastStage:
		t.key = "secret_ended"
	case stillUsed:
		t.key, t.args["Used"] = "secret_still_used", moment(n.row.LastUsedAt)
	}
	return t
}

// noticeList is what one address is told of in one mail.
type noticeList struct {
	to      notify.Address
	notices []notice
}

// noticeLists returns, by address, who gets a list. Where no mail is sent nobody does: each app keeps its own notice, which
// its page shows.
func (r *Registry) noticeLists(notices []notice, managers []identity.Person) map[string]*noticeList {
	if len(notices) < listFrom || r.outbox.Silent() {
		return nil
	}
	lists := map[string]*noticeList{}
	for _, n := range notices {
		for _, to := range addresses(everybody(n.contacts, managers)) {
			key := emailKey(to.Email)
			if lists[key] == nil {
				lists[key] = &noticeList{to: to}
			}
			lists[key].notices = append(lists[key].notices, n)
		}
	}
	maps.DeleteFunc(lists, func(_ string, l *noticeList) bool { return len(l.notices) < listFrom })
	return lists
}

// tellList queues the one mail about several notices of a group.
func (r *Registry) tellList(tx *database.Tx, l *noticeList) error {
	slices.SortStableFunc(l.notices, func(a, b notice) int {
		return cmp.Or(a.row.ends().Compare(b.row.ends()), cmp.Compare(a.row.Name, b.row.Name))
	})
	first := l.notices[0]
	organisation, err := organisationName(tx, first.row.OrganisationID)
	if err != nil {
		return err
	}
	key := "secrets_end"
	switch first.stage {
	case lastStage:
		key = "secrets_ended"
	case stillUsed:
		key = "secrets_still_used"
	}
	var names []string
	for _, n := range l.notices[:min(len(l.notices), listNames)] {
		names = append(names, n.row.Name+" ("+hinted(n.row.Hint)+")")
	}
	return r.outbox.Mail(tx, notify.Message{
		Organisation: string(first.row.OrganisationID), To: l.to, Key: key,
		Args: map[string]any{
			"Organisation": organisation, "N": len(l.notices), "Ends": first.row.ends(), "List": names, "More": len(l.notices) - len(names),
		},
		Path: "/apps", Fleeting: true, Pace: noticePace(first.stage),
	})
}
