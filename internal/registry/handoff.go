package registry

import (
	"context"
	"slices"
	"time"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/problem"
)

// MaxHandOff is how long a hand-off link can be used at most (protocol.md §3.7).
const MaxHandOff = 24 * time.Hour

const (
	maxRecipient = 120
	// keepHandOffs is how long the list of an app shows a link that can be used no more.
	keepHandOffs = 7 * 24 * time.Hour
	// maxHandOffs bounds the links of an app that can be used at a time.
	maxHandOffs = 10
)

// The acts about hand-off links.
const (
	actionHandOff  = "app.hand_off"
	actionWithdraw = "app.hand_off_withdraw"
	actionSpend    = "app.hand_off_spend"
)

// HandOffID is the ID of a hand-off link.
type HandOffID string

// ParseHandOffID returns s as an ID; ok is false when it cannot be one.
func ParseHandOffID(s string) (id HandOffID, ok bool) {
	s, ok = database.ParseID(s)
	return HandOffID(s), ok
}

// HandOffState says what has become of a hand-off link.
type HandOffState string

// The states. Only an open one can be used.
const (
	HandOffOpen      HandOffState = "open"
	HandOffSpent     HandOffState = "spent"
	HandOffWithdrawn HandOffState = "withdrawn"
	HandOffExpired   HandOffState = "expired"
)

// HandOff is a link with which somebody else makes the app's next secret, then and there: it holds a token and no secret
// (protocol.md §3.7).
type HandOff struct {
	ID        HandOffID
	App       AppID
	Recipient string // whom it is for, as the giver wrote it
	Label     string // of the secret it makes
	State     HandOffState
	MadeBy    Author
	MadeAt    time.Time
	ExpiresAt time.Time
	EndedAt   time.Time // spent or withdrawn; zero while neither
	SpentFrom string    // network address
}

// NewHandOff is what GiveHandOff is asked for. Faults name the fields recipient, life, reason, label, expires, old_ends
// and old.
type NewHandOff struct {
	Recipient string
	Life      time.Duration // at most MaxHandOff
	Reason    Reason        // Planned or Lost: what leaked is not left to work until somebody opens a link
	Label     string        // of the new secret; empty: the month
	Expires   ExpiryChoice  // of the new secret, counted from its making; no own date
	Old       SecretID      // which secret the new one takes over from; empty while none is usable
	OldEnds   EndChoice     // when the old one ends, counted from the making of the new one; no own date
	Nonce     string        // of the form; empty: every call makes a link
}

// rotation is what the link does when it is used.
func (n *NewHandOff) rotation() Rotation {
	return Rotation{
		Reason: n.Reason, Label: n.Label, Expires: Expiry{Choice: n.Expires}, Old: n.Old, OldEnds: End{Choice: n.OldEnds},
	}
}

// GiveHandOff makes a link for somebody and returns its token, this once. It takes apps.manage and the power that the
// app has, and is for people: who gave it is asked for both again when it is used. The answers are those of Rotate, and
// problem.Conflict when too many links of the app are open.
func (r *Registry) GiveHandOff(ctx context.Context, actor access.Actor, id AppID, n NewHandOff) (HandOff, LinkToken, error) {
	app, act, err := r.admit(ctx, actor, actionHandOff, id)
	if err != nil {
		return HandOff{}, LinkToken{}, err
	}
	nonce := newNonce(actor, actionHandOff, id, n.Nonce, "")
	if err := r.unspent(ctx, actor.Organisation, nonce); err != nil {
		return HandOff{}, LinkToken{}, err
	}
	rule, err := r.expiryRule(ctx, app.Organisation)
	if err != nil {
		return HandOff{}, LinkToken{}, err
	}
	if err := n.check(&app, rule); err != nil {
		return HandOff{}, LinkToken{}, err
	}
	if actor.Kind != access.KindPerson {
		return HandOff{}, LinkToken{}, problem.New(problem.Forbidden, "hand_off.person")
	}
	if err := r.power(ctx, actor, act, &app); err != nil {
		return HandOff{}, LinkToken{}, err
	}
	token, err := makeLinkToken(r.random)
	if err != nil {
		return HandOff{}, LinkToken{}, err
	}
	row := handOffRow{
		ID: HandOffID(database.NewID()), OrganisationID: app.Organisation, AppID: id, TokenHash: token.digest(),
		Recipient: n.Recipient, Reason: n.Reason, Label: n.Label, SecretExpires: n.Expires, OldSecretID: n.Old, OldEnds: n.OldEnds,
		CreatedByKind: actor.Kind, CreatedByID: actor.ID,
	}
	err = r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		if ok, err := touchApp(tx, actor.Organisation, id, actor); err != nil || !ok {
			return audit.Change{}, orStale(err)
		}
		if err := spend(tx, &app, nonce); err != nil {
			return audit.Change{}, err
		}
		row.CreatedAt, row.ExpiresAt = tx.Now(), tx.Now().Add(n.Life)
		if err := insertHandOff(tx, &row); err != nil {
			return audit.Change{}, err
		}
		return audit.Change{After: map[string]any{
			fieldHandOff: string(row.ID), "link_ends": row.ExpiresAt.Format(time.RFC3339), "reason": string(n.Reason),
		}}, nil
	})
	if err != nil {
		return HandOff{}, LinkToken{}, err
	}
	h := row.handOff(row.CreatedAt)
	h.MadeBy.Name = actor.Name
	return h, token, nil
}

// check judges the form as the rotation that it describes would be judged now, and fills in what was left open.
func (n *NewHandOff) check(app *App, rule expiryRule) error {
	var found faults
	var fault *problem.Field
	n.Recipient, fault = checked("recipient", n.Recipient, shortText(1, maxRecipient))
	found.add(fault)
	if n.Life <= 0 || n.Life > MaxHandOff {
		found.addNew("life", "hand_off.life")
	}
	if n.Reason == Leaked {
		found.addNew("reason", "hand_off.leaked")
	}
	if n.Expires == ExpiresOn {
		found.addNew("expires", "app.expires.choose")
	}
	if n.OldEnds == EndsOn {
		found.addNew("old_ends", "app.old_ends.choose")
	}
	if err := found.err(); err != nil {
		return err
	}
	p, err := plans(app, n.rotation(), rule)
	if err != nil {
		return err
	}
	n.Label, n.Old = p.draft.label, p.old.ID
	return nil
}

// HandOffs returns the links of an app that can be used, and those that ended within the last 7 days, newest first. It
// takes apps.manage.
func (r *Registry) HandOffs(ctx context.Context, actor access.Actor, id AppID) ([]HandOff, error) {
	if _, _, err := r.admit(ctx, actor, "app.hand_off_list", id); err != nil {
		return nil, err
	}
	now := r.db.Now()
	rows, err := r.store.handOffsOf(ctx, actor.Organisation, id, now.Add(-keepHandOffs-MaxHandOff))
	if err != nil {
		return nil, err
	}
	list := make([]HandOff, 0, len(rows))
	for i := range rows {
		h := rows[i].handOff(now)
		if ended := h.ended(); h.State == HandOffOpen || now.Before(ended.Add(keepHandOffs)) {
			list = append(list, h)
		}
	}
	authors := make([]*Author, len(list))
	for i := range list {
		authors[i] = &list[i].MadeBy
	}
	return list, r.store.nameAuthors(ctx, actor.Organisation, authors)
}

// ended is since when the link cannot be used.
func (h HandOff) ended() time.Time {
	if h.State == HandOffExpired {
		return h.ExpiresAt
	}
	return h.EndedAt
}

// WithdrawHandOff ends a link that nobody has used. It takes apps.manage. One that cannot be used anyway stays as it is.
func (r *Registry) WithdrawHandOff(ctx context.Context, actor access.Actor, id AppID, handOff HandOffID) error {
	_, act, err := r.admit(ctx, actor, actionWithdraw, id)
	if err != nil {
		return err
	}
	if _, err := r.handOffOf(ctx, actor, id, handOff); err != nil {
		return err
	}
	return r.trail.Do(ctx, actor, act, func(tx *database.Tx) (audit.Change, error) {
		ok, err := withdrawHandOff(tx, actor.Organisation, id, handOff)
		if err == nil && !ok {
			err = audit.ErrNothing
		}
		return audit.Change{After: map[string]any{fieldHandOff: string(handOff)}}, err
	})
}

func (r *Registry) handOffOf(ctx context.Context, actor access.Actor, id AppID, handOff HandOffID) (HandOff, error) {
	row, found, err := r.store.handOffWith(ctx, actor.Organisation, id, handOff)
	if err == nil && !found {
		err = notFound()
	}
	return row.handOff(r.db.Now()), err
}

// HandOff returns a link of an app of the actor's organisation. It takes apps.manage.
func (r *Registry) HandOff(ctx context.Context, actor access.Actor, id AppID, handOff HandOffID) (HandOff, error) {
	if _, _, err := r.admit(ctx, actor, actionWithdraw, id); err != nil {
		return HandOff{}, err
	}
	return r.handOffOf(ctx, actor, id, handOff)
}

// Offer is what whoever holds a link may know before they use it.
type Offer struct {
	App       App // its name and client ID; the rest is not for them
	Recipient string
	Giver     string
	ExpiresAt time.Time
	Old       Secret // which ends when the link is used; zero when none does
	OldEnds   End
}

// Offered returns what a link is for, and uses nothing up: mail scanners follow links. problem.NotFound for a link that
// never was or whose app is deleted, problem.Gone for one that cannot be used any more, with the reason as its key; so
// for one of an app that is not active, or of somebody who may not give it now.
func (r *Registry) Offered(ctx context.Context, token LinkToken) (Offer, error) {
	row, app, err := r.openHandOff(ctx, token)
	if err != nil {
		return Offer{}, err
	}
	giver, err := r.giver(ctx, &row, access.Origin{})
	if err != nil {
		return Offer{}, err
	}
	offer := Offer{App: app, Recipient: row.Recipient, Giver: giver.Name, ExpiresAt: row.ExpiresAt, OldEnds: End{Choice: row.OldEnds}}
	if old, ok := app.Secret(row.OldSecretID); ok && old.Usable() {
		offer.Old = old
	}
	return offer, nil
}

// SpendHandOff makes the secret that a link was given for, with the giver as actor: what they may do, and the power over
// the app, is that of now. The old secret's end counts from now; one that has ended meanwhile is left alone, and so are
// secrets that were made since. Exactly one of many succeeds. The answers are those of Offered; problem.Conflict with
// the key app.secrets.two leaves the link as it was.
func (r *Registry) SpendHandOff(ctx context.Context, token LinkToken, origin access.Origin) (App, *NewSecret, error) {
	row, app, err := r.openHandOff(ctx, token)
	if err != nil {
		return App{}, nil, err
	}
	giver, err := r.giver(ctx, &row, origin)
	if err != nil {
		return App{}, nil, err
	}
	n := Rotation{Reason: row.Reason, Label: row.Label, Expires: Expiry{Choice: row.SecretExpires}, Old: row.OldSecretID, OldEnds: End{Choice: row.OldEnds}}
	if old, ok := app.Secret(n.Old); !ok || !old.Usable() {
		n.Old, n.alone = "", true
	}
	rule, err := r.expiryRule(ctx, app.Organisation)
	if err != nil {
		return App{}, nil, err
	}
	if _, fault := rule.resolve(n.Expires); fault != nil {
		n.Expires = Expiry{} // the policy became stricter: as it suggests
	}
	m := making{
		action: actionSpend,
		spend: func(tx *database.Tx, _ *App, made SecretID) error {
			ok, err := spendHandOff(tx, &row, made, origin.Address)
			if err == nil && !ok {
				err = problem.New(problem.Gone, "hand_off.spent")
			}
			return err
		},
		fields: map[string]any{fieldHandOff: string(row.ID)},
	}
	shown, err := r.make(ctx, giver, app.ID, n, m)
	if problem.Is(err, problem.Forbidden) || problem.Is(err, problem.Unauthenticated) {
		err = problem.New(problem.Gone, "hand_off.giver")
	}
	if problem.Is(err, problem.Invalid) || problem.Is(err, problem.Conflict) { // somebody else may have used it meanwhile
		if _, _, gone := r.openHandOff(ctx, token); gone != nil {
			err = gone
		}
	}
	return app, shown, err
}

// openHandOff returns the link and its app, when both can be used.
func (r *Registry) openHandOff(ctx context.Context, token LinkToken) (handOffRow, App, error) {
	row, found, err := r.store.handOffByToken(ctx, token.digest())
	if err != nil {
		return row, App{}, err
	}
	if !found {
		return row, App{}, problem.New(problem.NotFound, "hand_off.unknown")
	}
	app, found, err := r.store.loadApp(ctx, row.OrganisationID, row.AppID)
	if err != nil {
		return row, App{}, err
	}
	if !found {
		return row, App{}, problem.New(problem.NotFound, "hand_off.unknown")
	}
	if state := row.handOff(r.db.Now()).State; state != HandOffOpen {
		return row, App{}, problem.New(problem.Gone, "hand_off."+string(state))
	}
	org, err := r.identity.Organisation(ctx, row.OrganisationID)
	if err != nil {
		return row, App{}, err
	}
	if app.Status != Active || org.Status != identity.Active {
		return row, App{}, problem.New(problem.Gone, "hand_off.inactive")
	}
	return row, app, nil
}

// giver returns who gave the link as they are now, acting from where it is used; problem.Gone when they may not act.
func (r *Registry) giver(ctx context.Context, row *handOffRow, origin access.Origin) (access.Actor, error) {
	actor, err := r.identity.ActorFor(ctx, identity.PersonID(row.CreatedByID))
	actor.Origin = origin
	if problem.Is(err, problem.Unauthenticated) || err == nil && (!actor.Has(access.AppsManage) || actor.Organisation != row.OrganisationID) {
		err = problem.New(problem.Gone, "hand_off.giver")
	}
	return actor, err
}

// open counts the links that can be used.
func open(rows []handOffRow, now time.Time) int {
	return len(slices.DeleteFunc(slices.Clone(rows), func(row handOffRow) bool { return row.handOff(now).State != HandOffOpen }))
}
