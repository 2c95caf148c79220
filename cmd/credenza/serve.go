package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/config"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/notify"
	"credenza.example/credenza/internal/oauth"
	"credenza.example/credenza/static"
	"credenza.example/credenza/web"
)

const (
	// drainTime lets a balancer see /readyz fail before connections are refused; stopTime bounds requests under way.
	drainTime = 5 * time.Second
	stopTime  = 20 * time.Second
	// rewordEvery is how often it is looked for apps whose words an older version wrote.
	rewordEvery = time.Hour
	// sweepEvery is how often spent and expired rows are removed.
	sweepEvery = 10 * time.Minute
	// garbageRoom is the size of a piece of memory that is never touched, so that it takes addresses only. Go collects
	// garbage when the heap has doubled; ours is a few MiB, and doubles every hundred tokens. With this piece counted in
	// there is room for so much garbage more. A large heap gets no more room than that.
	garbageRoom = 16 << 20
	// flushEvery is how often counts of use are written: what a crash may lose (product.md decision 18).
	flushEvery = time.Minute
	// tellEvery is how often people are told of secrets that end, askEvery how often new contacts are asked.
	tellEvery = time.Hour
	// idleEvery is how often apps are looked for that nobody uses.
	idleEvery = 24 * time.Hour
	// tidyEvery is how often it is looked for addresses that an older version left or did not note.
	tidyEvery = 24 * time.Hour
	askEvery  = time.Minute
)

func (p *program) serveCommand() *cobra.Command {
	var demo bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the portal and the token endpoints",
		Args:  cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.serve(cmd.Context(), demo)
		},
	}
	cmd.Flags().BoolVar(&demo, "demo", false, "fill an empty database with the demonstration")
	return cmd
}

func (p *program) serve(ctx context.Context, demo bool) error {
	if demo {
		if err := p.validateDemo(); err != nil {
			return err
		}
	}
	room := make([]byte, garbageRoom)
	defer runtime.KeepAlive(room)
	lines := gatherLines(p.stderr)
	p.stderr = lines
	defer lines.close()
	r, err := p.open(ctx, migrateServe)
	if err != nil {
		return err
	}
	defer r.close()
	if err := errors.Join(r.metrics.Register(lines.lost), r.db.Feed().Register(r.metrics)); err != nil {
		return err
	}
	if demo {
		if err := r.demonstrate(ctx, p.stdout); err != nil {
			return err
		}
	}
	d, err := openDoors(ctx, r.cfg)
	if err != nil {
		return err
	}
	issuer := r.cfg.Issuer(d.public.Addr().String())
	h, err := r.handlers(issuer)
	if err != nil {
		return errors.Join(err, d.close())
	}
	// What was read at the start, the catalogue above all, left more garbage than lives on, and the first collection by
	// itself may be hours away (P9).
	debug.FreeOSMemory()
	_, _ = fmt.Fprintf(p.stdout, "Credenza is at %s\n", issuer)
	r.log.InfoContext(ctx, "serving", "url", issuer, "addr", d.public.Addr().String(), "admin_addr", d.admin.Addr().String(),
		"gateway_addr", d.gateway.Addr().String(), "settings", r.cfg)
	return r.run(ctx, d, h)
}

// validateDemo refuses a demonstration that others could reach, before anything is made.
func (p *program) validateDemo() error {
	p.began = true
	cfg, err := config.Load(p.environ)
	if err == nil {
		err = cfg.ValidateDemo()
	}
	return err
}

// handlers answer on the listeners.
type handlers struct {
	portal  *web.Server
	admin   *web.Admin
	gateway http.Handler
}

func (r *rooms) handlers(issuer string) (h handlers, err error) {
	messages, err := i18n.Load()
	if err != nil {
		return h, err
	}
	files, err := static.Load()
	if err != nil {
		return h, err
	}
	server, err := oauth.New(oauth.Deps{
		Issuer: issuer, DB: r.db, Registry: r.registry, Catalogue: r.catalogue, Ring: r.ring,
		Log: r.log, TokenLog: r.cfg.TokenLog, Metrics: r.metrics, Address: web.AddressOf(r.cfg.TrustedProxies),
	})
	if err != nil {
		return h, err
	}
	if r.cfg.HiddenAddresses() {
		r.log.Warn("CREDENZA_PUBLIC_URL is https, so a proxy stands in front, and CREDENZA_TRUSTED_PROXIES does not name it: " +
			"all clients come from its address, and limits per network are off for client secrets")
	}
	mailServer, err := notify.ParseServer(r.cfg.SMTPURL.Reveal())
	if err == nil {
		err = r.outbox.Send(r.jobs, notify.Sending{Messages: messages, PublicURL: issuer, Server: mailServer})
	}
	if err != nil {
		return h, err
	}
	h.admin, h.gateway = web.NewAdmin(r.db, r.metrics), server.Gateway()
	h.portal, err = web.New(web.Deps{
		PublicURL: issuer, DB: r.db, Trail: r.trail, Identity: r.identity, Signin: r.signin, Registry: r.registry,
		Catalogue: r.catalogue, OAuth: server, Messages: messages, Static: files, Log: r.log,
		TrustedProxies: r.cfg.TrustedProxies, ClientIDPrefix: r.cfg.ClientIDPrefix, APIRates: r.cfg.APIRates,
	})
	return h, err
}

// run serves until the context ends, then drains: readiness off, a pause, requests under way, background work.
func (r *rooms) run(ctx context.Context, d doors, h handlers) error {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(func() { r.db.Feed().Run(work) })
	background.Go(func() { r.followKeys(work) })
	background.Go(func() { r.catalogue.Follow(work) })
	background.Go(func() { r.jobs.Run(work) })
	background.Go(func() { r.checkFile(work) })
	r.chores(work, &background)
	background.Go(func() { r.registry.Rehash(work, r.log) })
	defer func() { stopWork(); background.Wait(); r.lastFlush(ctx) }()

	portal, admin, gateway := web.HTTPServer(h.portal, r.log), web.HTTPServer(h.admin, r.log), web.HTTPServer(h.gateway, r.log)
	failed := make(chan error, 3)
	go func() { failed <- web.Serve(portal, d.public, r.metrics) }()
	go func() { failed <- admin.Serve(d.admin) }()
	go func() { failed <- gateway.Serve(d.gateway) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	r.log.InfoContext(ctx, "stopping")
	h.admin.Drain()
	if !r.cfg.Loopback() {
		time.Sleep(drainTime)
	}
	stop, cancel := context.WithTimeout(work, stopTime)
	defer cancel()
	return errors.Join(portal.Shutdown(stop), gateway.Shutdown(stop), admin.Shutdown(stop))
}

// checkFile reads through a SQLite file for damage, beside the work: it takes long on a large one.
func (r *rooms) checkFile(ctx context.Context) {
	if err := r.db.CheckIntegrity(ctx); err != nil && ctx.Err() == nil {
		r.log.ErrorContext(ctx, "the database file is damaged: stop, keep a copy and restore a backup", "error", err)
	}
}

// regularly does something again and again until the context ends, at the start too or only after the first pause. What
// goes wrong is told, and tried again the next time.
func (r *rooms) regularly(ctx context.Context, pause time.Duration, atStart bool, trouble string, do func(context.Context) error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for now := atStart; ; now = true {
		if now {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				r.log.LogAttrs(ctx, slog.LevelWarn, "regular work failed", slog.String("trouble", trouble), slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// chores are what a server does beside requests, each by its own clock.
func (r *rooms) chores(ctx context.Context, background *sync.WaitGroup) {
	start := func(pause time.Duration, atStart bool, trouble string, do func(context.Context) error) {
		background.Go(func() { r.regularly(ctx, pause, atStart, trouble, do) })
	}
	start(sweepEvery, true, "what has expired could not be removed", r.sweep)
	start(flushEvery, false, useTrouble, r.registry.FlushUse)
	start(flushEvery, false, rejectionsTrouble, r.registry.FlushRejections)
	start(tellEvery, true, "people could not be told of secrets that end", r.registry.TellEnds)
	start(idleEvery, true, "unused apps could not be looked for", r.registry.DisableIdle)
	start(tidyEvery, true, "addresses of contacts could not be tidied", r.registry.TidyAddresses)
	// An older version that still runs beside this one writes apps that filters do not find.
	start(rewordEvery, true, "the words by which apps are found could not all be written", r.registry.Reword)
	if r.cfg.SMTPURL.Reveal() != "" { // a link that nobody is sent helps nobody
		start(askEvery, true, "contacts could not be asked", r.registry.AskContacts)
	}
}

const (
	useTrouble        = "the use of secrets could not be written"
	rejectionsTrouble = "what was refused could not be written"
)

// lastFlush writes what was counted since, once no request is under way any more.
func (r *rooms) lastFlush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := r.registry.FlushUse(ctx); err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, useTrouble, slog.Any("error", err))
	}
	if err := r.registry.FlushRejections(ctx); err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, rejectionsTrouble, slog.Any("error", err))
	}
}

// sweep removes what has expired.
func (r *rooms) sweep(ctx context.Context) error {
	return errors.Join(r.signin.Sweep(ctx), r.registry.Sweep(ctx), r.ring.Sweep(ctx), r.jobs.Sweep(ctx), r.outbox.Sweep(ctx))
}
