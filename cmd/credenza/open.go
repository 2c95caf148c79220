package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/audit"
	"credenza.example/credenza/internal/config"
	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/job"
	"credenza.example/credenza/internal/keyring"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/registry"
	"credenza.example/credenza/internal/scope"
	"credenza.example/credenza/internal/secret"
	"credenza.example/credenza/internal/signin"
)

// rooms are the rooms of one process, wired together over one database.
type rooms struct {
	cfg       config.Config
	log       *slog.Logger
	metrics   *prometheus.Registry
	db        *database.DB
	trail     *audit.Trail
	ring      *keyring.Ring
	keys      *secret.Keys // the ring's tag keys
	catalogue *scope.Shelf
	identity  *identity.Directory
	release   func() // gives the server's lock back; nil without one
	signin    *signin.Service
	registry  *registry.Registry
	jobs      *job.Runner
	outbox    *notify.Outbox
}

// migration says what open does with an old schema.
type migration int

const (
	migrateEmpty  migration = iota // make a new database ready, refuse an old one: a server may be running on it
	migrateAlways                  // bring any up to date
	migrateServe                   // the same, once this process is the one that serves
)

// open reads the settings, opens the database with its master key and wires the rooms. Database and key are made when
// both are missing; one without the other is refused (architecture.md §5).
func (p *program) open(ctx context.Context, m migration) (*rooms, error) {
	p.began = true
	cfg, err := config.Load(p.environ)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
	db, err := database.Open(ctx, database.Config{URL: cfg.DatabaseURL.Reveal(), Logger: log, StaleBound: cfg.StaleBound})
	if err != nil {
		return nil, err
	}
	r := &rooms{cfg: cfg, log: log, db: db, metrics: prometheus.NewRegistry()}
	if m == migrateServe {
		// First of all: nothing of a database may be changed under the server that runs on it.
		r.release, err = db.LockServer()
	}
	if err == nil {
		err = r.prepare(ctx, m, keyring.WithRSA(p.makeRSA))
	}
	if err == nil {
		err = r.wire(ctx)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// prepare migrates and opens the keys. The order matters: see keyring.Prepare.
func (r *rooms) prepare(ctx context.Context, m migration, keys keyring.Option) error {
	create, err := keyring.Prepare(ctx, r.db, r.cfg.MasterKeyFile)
	if err != nil {
		return err
	}
	empty, err := r.db.Empty(ctx)
	if err != nil {
		return err
	}
	if empty || m != migrateEmpty {
		err = r.db.Migrate(ctx)
	} else {
		err = r.db.CheckSchema(ctx)
	}
	if err != nil {
		return err
	}
	master, err := keyring.OpenMaster(r.cfg.MasterKeyFile, create)
	if err != nil {
		return err
	}
	r.ring, err = keyring.Open(ctx, r.db, master, r.log, keys)
	return err
}

// wire makes the rooms, lower ones first.
func (r *rooms) wire(ctx context.Context) error {
	r.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.trail = audit.New(r.db, r.log)
	var err error
	if r.jobs, err = job.NewRunner(job.Deps{DB: r.db, Log: r.log, Metrics: r.metrics}); err != nil {
		return err
	}
	if r.outbox, err = notify.New(r.db, r.metrics); err != nil {
		return err
	}
	if r.catalogue, err = scope.OpenShelf(ctx, r.db, r.trail, r.log); err != nil {
		return err
	}
	if r.identity, err = identity.New(r.db, r.trail); err != nil {
		return err
	}
	r.signin, err = signin.New(signin.Deps{
		DB: r.db, Trail: r.trail, People: r.identity, MAC: r.ring.MAC, Logger: r.log,
		Secure: strings.HasPrefix(r.cfg.PublicURL, "https://"),
	})
	if err != nil {
		return err
	}
	if r.keys, err = secret.NewKeys(tagKeysOf(r.ring)); err != nil {
		return err
	}
	params := secret.DefaultParams()
	params.Cost = r.cfg.BcryptCost
	hasher, err := secret.NewHasher(params, r.db.Now, r.metrics)
	if err != nil {
		return err
	}
	var options []secret.Option
	if r.cfg.HiddenAddresses() {
		options = append(options, secret.WithoutNetworks())
	}
	verifier, err := secret.NewVerifier(r.keys, hasher, options...)
	if err != nil {
		return err
	}
	r.registry, err = registry.New(registry.Deps{
		DB: r.db, Trail: r.trail, Identity: r.identity, Catalogue: r.catalogue, Ring: r.ring, Keys: r.keys, Hasher: hasher,
		Verifier: verifier, ClientIDPrefix: r.cfg.ClientIDPrefix, Metrics: r.metrics, Outbox: r.outbox,
	})
	if err != nil {
		return err
	}
	r.registry.WorkBulk(r.jobs)
	return nil
}

// tagKeysOf hands the ring's tag keys to package secret, which knows no ring.
func tagKeysOf(ring *keyring.Ring) []secret.TagKey {
	var keys []secret.TagKey
	for _, k := range ring.TagKeys() {
		keys = append(keys, secret.TagKey{ID: k.ID, State: secret.State(k.State), Key: k.Key})
	}
	return keys
}

func (r *rooms) close() {
	closeQuietly(r.db, r.log)
	if r.release != nil {
		r.release()
	}
}

func closeQuietly(c io.Closer, log *slog.Logger) {
	if err := c.Close(); err != nil {
		log.Warn("closing", "what", fmt.Sprintf("%T", c), "error", err)
	}
}

// operator is the actor of the command line (protocol.md §6). org is empty where an act belongs to none yet.
func operator(org access.OrganisationID) access.Actor {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return access.Operator(name, org)
}
