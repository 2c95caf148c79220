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

// KindBulk is the kind of the jobs that StartBulk queues, KindBulkNews that of those that tell of it afterwards.
const (
	KindBulk     = "app.bulk"
	KindBulkNews = "app.bulk.news"
)

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
	BulkMail       BulkAct = "mail"     // writes to their contacts and changes nothing
)

// BulkActs returns the acts.
func BulkActs() []BulkAct { return []BulkAct{BulkActivate, BulkDeactivate, BulkReassign, BulkMail} }

// Bulk is a change of many apps: those of IDs or, with All, those that Filter selects. Confirmed is how many they were
// when somebody confirmed it.
type Bulk struct {
	Act       BulkAct
	IDs       []AppID
	All       bool
	Filter    Query
	Contact   Contact // BulkReassign
	Letter    Letter  // BulkMail
	Confirmed int
	Nonce     string // of the form; empty: every call begins a change
}

// BulkPlan is what a change would be about: how many apps, the names of the first of them and, for BulkMail, how many
// addresses their contacts have.
type BulkPlan struct {
	Total     int
	Names     []string
	Addresses int
}

// Outcomes of one app in a bulk change; job.Item carries them.
const (
	BulkDone      = "done"
	BulkAlready   = "already"   // it was so before
	BulkGone      = "gone"      // deleted, or never one of the organisation's
	BulkForbidden = "forbidden" // whoever asked for it may not, or gives power they do not hold
	BulkRefused   = "refused"   // something about the app stands in the way: Detail is the key of the sentence
	BulkBusy      = "busy"      // others changed it all the time

	BulkFull      = "full"      // BulkMail: so many letters wait for the address that it gets no more
	BulkUnreached = "unreached" // BulkMail: the letter was refused or given up
)

// bulkPayload is what the job keeps. When it is over only the first two are left: the rest names people, or was needed
// for the work alone.
type bulkPayload struct {
	Act       BulkAct
	Person    identity.PersonID
	IDs       []AppID
	Contact   Contact
	Letter    Letter
	Addresses []string // BulkMail: IDs of contact_addresses
	Origin    access.Origin

	nonce nonce // of the form, hashed; not kept
}

// PlanBulk says what a bulk change would be about. It takes apps.manage. Faults: act (also for mail where none is sent),
// ids (none chosen, too many), and those of Search.
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
	if b.Act == BulkMail {
		keys, err := r.store.addressesOf(ctx, actor.Organisation, ids)
		if err != nil {
			return BulkPlan{}, err
		}
		plan.Addresses = len(keys)
	}
	return plan, nil
}

// StartBulk queues a bulk change. Each app is changed on its own, by the rights that the actor holds at that moment, and
// recorded in the trail like a single change; RunBulk says what became of each. Its contacts are told at the end, each
// address once. It takes apps.manage and a person. Answers besides those of PlanBulk: problem.Conflict with the key
// app.bulk.changed when the filter selects another number than Confirmed, with app.bulk.busy while another bulk change of
// the organisation is under way, and with app.bulk.letters_wait; the faults of a contact and of a letter. A form that is
// sent twice begins one change, and both get its job.
func (r *Registry) StartBulk(ctx context.Context, actor access.Actor, b Bulk) (job.ID, error) {
	act := bulkAct(actor, b.Act)
	if err := r.trail.Check(ctx, actor, act); err != nil {
		return "", err
	}
	if actor.Kind != access.KindPerson {
		return "", audit.Forbidden(act.Right)
	}
	once := newNonce(actor, act.Action, "", b.Nonce, "")
	if id, err := r.begunWith(ctx, actor, once); err != nil || id != "" {
		return id, err
	}
	id, err := r.startBulk(ctx, actor, b, once)
	if err != nil {
		if begun, failed := r.begunWith(ctx, actor, once); failed == nil && begun != "" {
			return begun, nil // the same form was quicker
		}
	}
	return id, err
}

// begunWith returns the bulk change that a form's nonce was spent on; empty when it was not.
func (r *Registry) begunWith(ctx context.Context, actor access.Actor, once nonce) (job.ID, error) {
	if once.hash == "" {
		return "", nil
	}
	on, err := r.store.spentOn(ctx, actor.Organisation, once.hash)
	return job.ID(on.TargetID), err
}

// startBulk is StartBulk for a nonce that was not spent.
func (r *Registry) startBulk(ctx context.Context, actor access.Actor, b Bulk, once nonce) (job.ID, error) {
	act := bulkAct(actor, b.Act)
	payload, err := b.payload(actor)
	if err != nil {
		return "", err
	}
	payload.nonce = once
	if payload.IDs, err = r.resolveBulk(ctx, actor, b); err != nil {
		return "", err
	}
	if b.All && len(payload.IDs) != b.Confirmed {
		return "", problem.New(problem.Conflict, "app.bulk.changed", "N", len(payload.IDs))
	}
	if b.Act == BulkMail {
		return r.startLetters(ctx, actor, act, payload)
	}
	var id job.ID
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		var err error
		id, err = queueBulk(tx, actor, payload, len(payload.IDs))
		return audit.Change{
			Target: audit.Target{Kind: "job", ID: string(id)}, After: map[string]any{"act": string(b.Act), "apps": len(payload.IDs)},
		}, err
	})
	return id, err
}

// payload is what the job keeps of what somebody filled in, checked.
func (b Bulk) payload(actor access.Actor) (bulkPayload, error) {
	p := bulkPayload{Act: b.Act, Person: identity.PersonID(actor.ID), Origin: actor.Origin}
	var found faults
	switch b.Act {
	case BulkReassign:
		p.Contact = found.contact("", b.Contact, Contact{})
	case BulkMail:
		p.Letter = found.letter(b.Letter)
	case BulkActivate, BulkDeactivate:
	}
	return p, found.err()
}

// queueBulk queues the job: one at a time of an organisation, so that nobody's changes wait for all of another's.
func queueBulk(tx *database.Tx, actor access.Actor, p bulkPayload, total int) (job.ID, error) {
	id, queued, err := job.Queue(tx, job.New{
		Organisation: string(actor.Organisation), Kind: KindBulk, Key: KindBulk, Label: string(p.Act), Payload: p, Total: total,
	})
	if err == nil && !queued {
		err = problem.New(problem.Conflict, "app.bulk.busy")
	}
	if err != nil || p.nonce.hash == "" {
		return id, err
	}
	already, err := spendNonce(tx, actor.Organisation, p.nonce, AppID(id))
	if err == nil && already.TargetID != "" {
		err = problem.New(problem.Conflict, "app.bulk.busy") // the same form was quicker: StartBulk returns its job
	}
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
	if b.Act == BulkMail && !r.CanMail() {
		return nil, problem.Fields(problem.NewField("act", "app.bulk.silent"))
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

// WorkBulk has the runner do bulk changes and tell of them. It is called before the runner runs.
func (r *Registry) WorkBulk(runner *job.Runner) {
	runner.Handle(KindBulk, job.Limits{Ended: r.EndBulk}, r.RunBulk)
	runner.Handle(KindBulkNews, job.Limits{}, r.tellBulk)
}

// RunBulk does the job of a bulk change, for job.Runner. What one app came to does not stop the others.
func (r *Registry) RunBulk(ctx context.Context, c *job.Claimed) error {
	var p bulkPayload
	if err := c.Decode(&p); err != nil {
		return err
	}
	if p.Act == BulkMail {
		return r.sendLetters(ctx, c, p)
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
	note := func(tx *database.Tx, actor access.Actor, before, after *App) error {
		noted = true
		if err := r.noteNews(tx, c.ID, p.Act, actor, before, after); err != nil {
			return err
		}
		return c.Item(tx, item)
	}
	var err error
	for try := 1; ; try++ {
		noted = false // what an earlier try noted was not written
		err = r.bulkTry(ctx, p, id, note)
		if !isStale(err) || try == maxTries {
			break
		}
	}
	if err == nil && noted {
		return nil
	}
	if item, err = outcomeOf(item, err); err != nil {
		return err
	}
	return c.Note(ctx, item)
}

// outcomeOf returns what an error means for one thing of a bulk change, or the error when it means nothing for that.
func outcomeOf(item job.Item, err error) (job.Item, error) {
	switch {
	case err == nil, errors.Is(err, errAlready):
		item.Outcome = BulkAlready
	case errors.Is(err, errFull):
		item.Outcome = BulkFull
	case problem.Is(err, problem.NotFound):
		item.Outcome = BulkGone
	case problem.Is(err, problem.Forbidden), problem.Is(err, problem.Unauthenticated):
		item.Outcome = BulkForbidden
	case problem.Is(err, problem.Stale):
		item.Outcome = BulkBusy
	case problem.Is(err, problem.Conflict), problem.Is(err, problem.Invalid):
		item.Outcome, item.Detail = BulkRefused, firstKey(err)
	default:
		return item, err
	}
	return item, nil
}

// errAlready says that an app is already as it is to be.
var errAlready = errors.New("nothing to change")

// errFull says that too many letters wait for an address.
var errFull = errors.New("too many letters wait")

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
	key, args := p.Key, p.Args
	if len(p.Fields) > 0 {
		key, args = p.Fields[0].Key, p.Fields[0].Args
	}
	if len(args) > 0 { // which are not kept
		return "app.bulk.reason"
	}
	return key
}
