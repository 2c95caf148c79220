package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/problem"
)

// BulkReport is how far a bulk change is.
type BulkReport struct {
	Job      job.Job
	Act      BulkAct
	Outcomes map[string]int // how many apps came to what
}

// BulkItem is what became of one app or, for BulkMail, of one address.
type BulkItem struct {
	Key     string // that results are in the order of
	App     AppID  // empty for an address
	Name    string // of the app as it is called now, or the address; empty when the organisation has no such thing any more
	Outcome string
	Detail  string // BulkRefused: the key of the reason
	Apps    int    // that the mail to an address names
}

// BulkJob returns how far a bulk change of the organisation is. It takes apps.manage.
func (r *Registry) BulkJob(ctx context.Context, actor access.Actor, id job.ID) (BulkReport, error) {
	j, err := r.bulkJob(ctx, actor, id)
	if err != nil {
		return BulkReport{}, err
	}
	outcomes, err := job.Outcomes(ctx, r.db, id)
	return BulkReport{Job: j, Act: BulkAct(j.Label), Outcomes: outcomes}, err
}

// bulkJob asks for the right and returns the job, if it is a bulk change of the actor's organisation.
func (r *Registry) bulkJob(ctx context.Context, actor access.Actor, id job.ID) (job.Job, error) {
	if err := r.trail.Check(ctx, actor, bulkAct(actor, "show")); err != nil {
		return job.Job{}, err
	}
	j, found, err := job.Find(ctx, r.db, string(actor.Organisation), id)
	if err == nil && (!found || j.Kind != KindBulk) {
		err = notFound()
	}
	return j, err
}

// BulkItems returns up to limit results of a bulk change in the order of their keys, after one of them. It takes
// apps.manage.
func (r *Registry) BulkItems(ctx context.Context, actor access.Actor, id job.ID, after string, limit int) ([]BulkItem, error) {
	j, err := r.bulkJob(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	items, err := job.Items(ctx, r.db, id, after, limit)
	if err != nil {
		return nil, err
	}
	if BulkAct(j.Label) == BulkMail {
		return r.letterItems(ctx, actor, items)
	}
	ids := make([]AppID, len(items))
	for i, item := range items {
		ids[i] = AppID(item.Key)
	}
	names, err := r.store.appNames(ctx, actor.Organisation, ids)
	list := make([]BulkItem, len(items))
	for i, item := range items {
		list[i] = BulkItem{Key: item.Key, App: ids[i], Name: names[item.Key], Outcome: item.Outcome, Detail: item.Detail}
	}
	return list, err
}

// BulkDoneApps returns up to limit apps that a bulk change changed, so that it can be undone. It takes apps.manage.
func (r *Registry) BulkDoneApps(ctx context.Context, actor access.Actor, id job.ID, limit int) ([]AppID, error) {
	if _, err := r.bulkJob(ctx, actor, id); err != nil {
		return nil, err
	}
	keys, err := job.KeysOf(ctx, r.db, id, BulkDone, limit)
	ids := make([]AppID, len(keys))
	for i, key := range keys {
		ids[i] = AppID(key)
	}
	return ids, err
}

// CancelBulk stops a bulk change; what was changed stays so. It takes apps.manage. The answer is problem.Conflict with
// the key app.bulk.over for one that has ended.
func (r *Registry) CancelBulk(ctx context.Context, actor access.Actor, id job.ID) error {
	if _, err := r.bulkJob(ctx, actor, id); err != nil {
		return err
	}
	act := bulkAct(actor, "cancel")
	act.Target = audit.Target{Kind: "job", ID: string(id)}
	return r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		state, err := job.Cancel(tx, string(actor.Organisation), id)
		if err == nil && state == "" {
			err = problem.New(problem.Conflict, "app.bulk.over")
		}
		if err != nil || state != job.Cancelled {
			return audit.Change{}, err
		}
		j, err := job.Within(tx, string(actor.Organisation), id) // it waited to go on, and no runner ends it
		if err == nil {
			err = r.EndBulk(tx, j)
		}
		return audit.Change{}, err
	})
}
