package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"io"

	"github.com/prometheus/client_golang/prometheus"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/internal/secret"
)

// Deps is what the registry works with. Time is that of the database's clock. ClientIDPrefix begins every new client
// ID. Random makes the rest of it and is crypto/rand when nil; CacheSize bounds the snapshot, in apps, and is 100,000
// when zero; UseSize bounds the counts of use that wait to be written, in networks of secrets, and is 131,072 when zero.
// With nil for Metrics, use is counted but the counting not shown; with nil for Outbox nobody is sent mail.
type Deps struct {
	DB             *database.DB
	Trail          *audit.Trail
	Identity       *identity.Directory
	Catalogue      *scope.Shelf
	Ring           *keyring.Ring
	Keys           *secret.Keys
	Hasher         *secret.Hasher
	Verifier       *secret.Verifier
	ClientIDPrefix string
	Random         io.Reader
	CacheSize      int
	UseSize        int
	Metrics        prometheus.Registerer
	Outbox         *notify.Outbox
}

// Registry is the room's door: every use case and query. It is safe for use by many goroutines.
type Registry struct {
	db        *database.DB
	store     *store
	trail     *audit.Trail
	identity  *identity.Directory
	catalogue *scope.Shelf
	ring      *keyring.Ring
	keys      *secret.Keys
	hasher    *secret.Hasher
	verifier  *secret.Verifier
	prefix    string
	random    io.Reader
	snapshot  *snapshot
	use       *useCounts
	outbox    *notify.Outbox // nil: nobody is told
	rejected  *rejectCounts
}

const defaultCacheSize = 100_000

// New returns the registry kept in a database. It follows the change feed from then on.
func New(d Deps) (*Registry, error) {
	if d.DB == nil || d.Trail == nil || d.Identity == nil || d.Catalogue == nil || d.Ring == nil ||
		d.Keys == nil || d.Hasher == nil || d.Verifier == nil {
		return nil, errors.New("registry: a dependency is missing")
	}
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.CacheSize == 0 {
		d.CacheSize = defaultCacheSize
	}
	if d.UseSize == 0 {
		d.UseSize = maxWaiting
	}
	r := &Registry{
		db: d.DB, store: &store{db: d.DB, ways: usualWays}, trail: d.Trail, identity: d.Identity, catalogue: d.Catalogue, ring: d.Ring,
		keys: d.Keys, hasher: d.Hasher, verifier: d.Verifier, prefix: d.ClientIDPrefix, random: d.Random,
		outbox: d.Outbox,
	}
	var err error
	if r.snapshot, err = newSnapshot(d.CacheSize); err != nil {
		return nil, err
	}
	r.use = newUseCounts(d.UseSize, newUseMetrics())
	if err := r.use.metrics.register(d.Metrics, func() float64 { return float64(r.use.entries.Load()) }); err != nil {
		return nil, err
	}
	r.rejected = newRejectCounts(newRejectMetrics())
	if err := r.rejected.metrics.register(d.Metrics, r.rejected.waiting); err != nil {
		return nil, err
	}
	d.DB.Feed().Subscribe(r.snapshot.heard)
	d.Identity.WhenSuspended(endTokens)
	d.Identity.WhenSuspended(forgetIdleNotices)
	d.Identity.WhenRobotsDeleted(keepActing)
	if d.Outbox != nil {
		d.Outbox.WhenEnded(addressAnswered)
		d.Outbox.WhenEnded(letterEnded)
		d.Identity.WhenSuspended(r.withdrawLetters)
	}
	return r, nil
}

// targetKind is what audit events call an app.
const targetKind = "app"

// manageAct is an act that takes apps.manage, upon an app of the actor's organisation.
func manageAct(actor access.Actor, action string, id AppID, name string) audit.Act {
	return audit.Act{
		Right: access.AppsManage, Action: action, Organisation: actor.Organisation,
		Target: audit.Target{Kind: targetKind, ID: string(id), Label: name},
	}
}

// admit reads the app that an act is about and asks whether the actor may do such a thing at all, in the order that
// tells strangers nothing: who lacks the right hears so whether or not there is an app.
func (r *Registry) admit(ctx context.Context, actor access.Actor, action string, id AppID) (App, audit.Act, error) {
	app, found, err := r.store.loadApp(ctx, actor.Organisation, id)
	if err != nil {
		return App{}, audit.Act{}, err
	}
	act := manageAct(actor, action, id, app.Name)
	if err := r.trail.Check(ctx, actor, act); err != nil {
		return App{}, act, err
	}
	if !found {
		return App{}, act, notFound()
	}
	return app, act, nil
}

// again asks a second time, after a hash that may have waited long for its turn: whether the actor may still do this,
// and still holds the power that the app gets. It returns the actor with the rights of now, to act as. What an app as
// actor may do is what its token says, for as long as the token lives.
func (r *Registry) again(ctx context.Context, actor access.Actor, act audit.Act, app *App) (access.Actor, error) {
	actor, err := r.rightsNow(ctx, actor)
	if err == nil {
		err = r.trail.Check(ctx, actor, act)
	}
	if err == nil {
		err = r.power(ctx, actor, act, app)
	}
	return actor, err
}

// rightsNow returns a person with the rights of now. Others stay as they are.
func (r *Registry) rightsNow(ctx context.Context, actor access.Actor) (access.Actor, error) {
	if actor.Kind != access.KindPerson {
		return actor, nil
	}
	fresh, err := r.identity.ActorFor(ctx, identity.PersonID(actor.ID))
	fresh.Origin = actor.Origin
	return fresh, err
}

// mayView asks for apps.view.
func (r *Registry) mayView(ctx context.Context, actor access.Actor, action string) error {
	return r.trail.Check(ctx, actor, audit.Act{Right: access.AppsView, Action: action, Organisation: actor.Organisation})
}

// mayViewApp asks for apps.view and for the app, which is not found when it is deleted or another organisation's.
func (r *Registry) mayViewApp(ctx context.Context, actor access.Actor, action string, id AppID) error {
	if err := r.mayView(ctx, actor, action); err != nil {
		return err
	}
	found, err := r.store.hasApp(ctx, actor.Organisation, id)
	if err == nil && !found {
		err = notFound()
	}
	return err
}

func notFound() error { return problem.New(problem.NotFound, "problem.not_found") }

func stale() error { return problem.New(problem.Stale, "problem.stale") }
