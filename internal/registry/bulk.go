package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/problem"
)

// KindBulk is the kind of the jobs that StartBulk queues; RunBulk does them.
const KindBulk = "app.bulk"

// MaxBulk is how many apps one bulk change can be about.
const MaxBulk = 10_000

// planNames is how many names PlanBulk gives.
const planNames = 50

// BulkAct is what is done to each of many apps.
type BulkAct string

// The acts.
const (
	BulkActivate   BulkAct = "activate"
	BulkDeactivate BulkAct = "deactivate"
	BulkReassign   BulkAct = "reassign" // gives them another contact
)

// BulkActs returns the acts.
func BulkActs() []BulkAct { return []BulkAct{BulkActivate, BulkDeactivate, BulkReassign} }

// Bulk is a change of many apps: those of IDs or, with All, those that Filter selects. Confirmed is how many they were
// when somebody confirmed it.
type Bulk struct {
	Act       BulkAct
	IDs       []AppID
	All       bool
	Filter    Query
	Contact   Contact // BulkReassign
	Confirmed int
}

// BulkPlan is what a change would be about: how many apps, and the names of the first of them.
type BulkPlan struct {
	Total int
	Names []string
}

// Outcomes of one app in a bulk change; job.Item carries them.
const (
	BulkDone      = "done"
	BulkAlready   = "already"   // it was so before
	BulkGone      = "gone"      // deleted, or never one of the organisation's
	BulkForbidden = "forbidden" // whoever asked for it may not, or gives power they do not hold
	BulkRefused   = "refused"   // something about the app stands in the way: Detail is the key of the sentence
	BulkBusy      = "busy"      // others changed it all the time
)

// bulkPayload is what the job keeps.
type bulkPayload struct {
	Act     BulkAct
	Person  identity.PersonID
	IDs     []AppID
	Contact Contact
	Origin  access.Origin
}

// PlanBulk says what a bulk change would be about. It takes apps.manage. Faults: act, ids (none chosen, too many), and
// those of Search.
func (r *Registry) PlanBulk(ctx context.Context, actor access.Actor, b Bulk) (BulkPlan, error) {
	if err := r.trail.Check(ctx, actor, bulkAct(actor, b.Act)); err != nil {
		return BulkPlan{}, err
	}
	ids, err := r.resolveBulk(ctx, actor, b)
	if err != nil {
		return BulkPlan{}, err
	}
	names, err := r.store.appNames(ctx, actor.Organisation, ids[:min(len(ids), planNames)])
	if err != nil {
		return BulkPlan{}, err
	}
	plan := BulkPlan{Total: len(ids)}
	for _, id := range ids[:min(len(ids), planNames)] {
		if name, ok := names[string(id)]; ok {
			plan.Names = append(plan.Names, name)
		}
	}
	return plan, nil
}

// StartBulk queues a bulk change. Each app is changed on its own, by the rights that the actor holds at that moment, and
// recorded in the trail like a single change; RunBulk says what became of each. It takes apps.manage and a person.
// Answers besides those of PlanBulk: problem.Conflict with the key app.bulk.changed when the filter selects another
// number than Confirmed, and with app.bulk.busy while another bulk change of the organisation is under way; the faults of
// a contact.
func (r *Registry) StartBulk(ctx context.Context, actor access.Actor, b Bulk) (job.ID, error) {
	act := bulkAct(actor, b.Act)
	if err := r.trail.Check(ctx, actor, act); err != nil {
		return "", err
	}
	if actor.Kind != access.KindPerson {
		return "", audit.Forbidden(act.Right)
	}
	payload := bulkPayload{Act: b.Act, Person: identity.PersonID(actor.ID), Origin: actor.Origin}
	if b.Act == BulkReassign {
		var found faults
		payload.Contact = found.contact("", b.Contact, Contact{})
		if err := found.err(); err != nil {
			return "", err
		}
	}
	var err error
	if payload.IDs, err = r.resolveBulk(ctx, actor, b); err != nil {
		return "", err
	}
	if b.All && len(payload.IDs) != b.Confirmed {
		return "", problem.New(problem.Conflict, "app.bulk.changed", "N", len(payload.IDs))
	}
	var id job.ID
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		var err error
		var queued bool
		id, queued, err = job.Queue(tx, job.New{ // one at a time, so that nobody's changes wait for all of another's
			Organisation: string(actor.Organisation), Kind: KindBulk, Key: KindBulk, Label: string(b.Act), Payload: payload, Total: len(payload.IDs),
		})
		if err == nil && !queued {
			err = problem.New(problem.Conflict, "app.bulk.busy")
		}
		return audit.Change{
			Target: audit.Target{Kind: "job", ID: string(id)}, After: map[string]any{"act": string(b.Act), "apps": len(payload.IDs)},
		}, err
	})
	return id, err
}

func bulkAct(actor access.Actor, act BulkAct) audit.Act {
	return audit.Act{Right: access.AppsManage, Action: "app.bulk." + string(act), Organisation: actor.Organisation}
}

// resolveBulk returns the apps that a change is about, each once.
func (r *Registry) resolveBulk(ctx context.Context, actor access.Actor, b Bulk) ([]AppID, error) {
	if !slices.Contains(BulkActs(), b.Act) {
		return nil, problem.Fields(problem.NewField("act", "app.bulk.choose"))
	}
	ids := slices.Compact(slices.Sorted(slices.Values(b.IDs)))
	if b.All {
		var err error
		if ids, err = r.selectIDs(ctx, actor.Organisation, b.Filter); err != nil {
			return nil, err
		}
	}
	switch {
	case len(ids) == 0:
		return nil, problem.Fields(problem.NewField("ids", "app.bulk.none"))
	case len(ids) > MaxBulk:
		return nil, problem.Fields(problem.NewField("ids", "app.bulk.too_many", "Max", MaxBulk))
	default:
		return ids, nil
	}
}

// selectIDs returns what a filter selects, sorted, at most MaxBulk and one more.
func (r *Registry) selectIDs(ctx context.Context, org access.OrganisationID, q Query) ([]AppID, error) {
	if err := q.complete(); err != nil {
		return nil, err
	}
	s, err := r.newSelection(ctx, org, q)
	if err != nil || s.nothing {
		return nil, err
	}
	if err := r.count(ctx, &s); err != nil {
		return nil, err
	}
	return r.store.selectIDs(ctx, s, MaxBulk+1)
}

// RunBulk does the job of a bulk change, for job.Runner. What one app came to does not stop the others.
func (r *Registry) RunBulk(ctx context.Context, c *job.Claimed) error {
	var p bulkPayload
	if err := c.Decode(&p); err != nil {
		return err
	}
	for _, id := range p.IDs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.bulkOne(ctx, c, p, id); err != nil && !errors.Is(err, job.ErrItemDone) {
			return err
		}
	}
	return nil
}

// bulkOne changes one app and notes what came of it.
func (r *Registry) bulkOne(ctx context.Context, c *job.Claimed, p bulkPayload, id AppID) error {
	item := job.Item{Key: string(id), Outcome: BulkDone}
	noted := false
	note := func(tx *database.Tx) error {
		noted = true
		return c.Item(tx, item)
	}
	var err error
	for try := 1; ; try++ {
		err = r.bulkTry(ctx, p, id, note)
		if !isStale(err) || try == maxTries {
			break
		}
	}
	switch {
	case err == nil && noted:
		return nil
	case err == nil, errors.Is(err, errAlready):
		item.Outcome = BulkAlready
	case problem.Is(err, problem.NotFound):
		item.Outcome = BulkGone
	case problem.Is(err, problem.Forbidden), problem.Is(err, problem.Unauthenticated):
		item.Outcome = BulkForbidden
	case problem.Is(err, problem.Stale):
		item.Outcome = BulkBusy
	case problem.Is(err, problem.Conflict), problem.Is(err, problem.Invalid):
		item.Outcome, item.Detail = BulkRefused, firstKey(err)
	default:
		return err
	}
	return c.Note(ctx, item)
}

// errAlready says that an app is already as it is to be.
var errAlready = errors.New("nothing to change")

// bulkTry changes an app as it is now, as the person whom the job belongs to, with the rights of now.
func (r *Registry) bulkTry(ctx context.Context, p bulkPayload, id AppID, note besides) error {
	actor, err := r.identity.ActorFor(ctx, p.Person)
	if err != nil {
		return err
	}
	actor.Origin = p.Origin
	app, err := r.App(ctx, actor, id)
	if err != nil {
		return err
	}
	switch p.Act {
	case BulkActivate:
		return r.bulkStatus(ctx, actor, &app, Active, note)
	case BulkDeactivate:
		return r.bulkStatus(ctx, actor, &app, Inactive, note)
	case BulkReassign:
		if app.Contact.sameAs(p.Contact) {
			return errAlready
		}
		f := fieldsOf(&app)
		f.Contact = p.Contact
		_, err := r.edit(ctx, actor, id, app.Version, f, note)
		return err
	default:
		return job.Permanent(fmt.Errorf("unknown bulk act %q", p.Act))
	}
}

func (r *Registry) bulkStatus(ctx context.Context, actor access.Actor, app *App, to Status, note besides) error {
	if app.Status == to {
		return errAlready
	}
	_, err := r.setStatus(ctx, actor, app.ID, app.Version, to, note)
	return err
}

// fieldsOf returns the form that an app would be edited with.
func fieldsOf(a *App) AppFields {
	return AppFields{
		Name: a.Name, Description: a.Description, Category: a.Category, Type: a.Type, CredentialType: a.CredentialType,
		Contact: a.Contact, SecondContact: a.SecondContact, APIUser: a.APIUser.ID, Scopes: a.Scopes,
		DefaultAPI: a.DefaultAPI, Active: a.Status == Active,
	}
}

func firstKey(err error) string {
	p := problem.As(err)
	if len(p.Fields) > 0 {
		return p.Fields[0].Key
	}
	return p.Key
}

// BulkReport is how far a bulk change is.
type BulkReport struct {
	Job      job.Job
	Act      BulkAct
	Outcomes map[string]int // how many apps came to what
}

// BulkItem is what became of one app.
type BulkItem struct {
	App     AppID
	Name    string // as it is called now; empty when the organisation has no such app
	Outcome string
	Detail  string // BulkRefused: the key of the reason
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

// BulkItems returns up to limit results of a bulk change in the order of the apps' IDs, after one of them. It takes
// apps.manage.
func (r *Registry) BulkItems(ctx context.Context, actor access.Actor, id job.ID, after AppID, limit int) ([]BulkItem, error) {
	if _, err := r.bulkJob(ctx, actor, id); err != nil {
		return nil, err
	}
	items, err := job.Items(ctx, r.db, id, string(after), limit)
	if err != nil {
		return nil, err
	}
	ids := make([]AppID, len(items))
	for i, item := range items {
		ids[i] = AppID(item.Key)
	}
	names, err := r.store.appNames(ctx, actor.Organisation, ids)
	list := make([]BulkItem, len(items))
	for i, item := range items {
		list[i] = BulkItem{App: ids[i], Name: names[item.Key], Outcome: item.Outcome, Detail: item.Detail}
	}
	return list, err
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
		return audit.Change{}, err
	})
}
