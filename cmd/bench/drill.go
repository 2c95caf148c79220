package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// memoryGrowth is how much more memory the server may hold in a flood, in MiB (F8).
const memoryGrowth = 64

// part is one flood of the drill.
type part struct {
	name   string
	expect []int // statuses that may come beside those allowed everywhere
	silent bool  // a connection may be closed without an answer: who sends so slowly has to give way
	afresh bool  // the good clients open a connection for every request
	run    func(ctx context.Context) (*seen, error)
}

// drill runs floods one after the other beside good clients and puts the worst of each figure together.
func (b *bench) drill(ctx context.Context, line, what string, parts func(w *world, s *server) ([]part, error)) ([]figure, error) {
	w, err := b.tokenWorld(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { b.stop(s) }()
	list, err := parts(w, s)
	if err != nil {
		return nil, err
	}
	var d drillResult
	for k := range list {
		p := list[k]
		if !strings.Contains(p.name, b.floods) {
			continue
		}
		d.ran = true
		if k > 0 { // each part begins with the memory of a server that has just started
			b.stop(s)
			if s, err = w.serve(ctx); err != nil {
				return nil, err
			}
			again, err := parts(w, s)
			if err != nil {
				return nil, err
			}
			p = again[k]
		}
		clients := w.goodClients(s.host)
		clients.Afresh = p.afresh
		t, err := w.try(ctx, s, clients, 500*time.Millisecond, p.run)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		b.say("%s, %s: good p99 %.0f ms, %.0f MiB more, %d bcrypts, %v", line, p.name, t.p99(), t.growth(), t.bcrypt, t.flood)
		b.report.Series = append(b.report.Series, t.series(p.name)...)
		d.add(p, t)
	}
	if !d.ran {
		return nil, nil
	}
	return d.figures(line, what), nil
}

// growth is how much more memory the server held in the flood than before, in MiB.
func (t *trial) growth() float64 { return max(0, float64(t.memory-t.before)/mebibyte) }

// drillResult is the worst that was seen.
type drillResult struct {
	ran                    bool
	p99, growth            float64
	slowest, largest       string
	odd, lost, denied      int
	oddly, loosely, denial []string
}

func (d *drillResult) add(p part, t *trial) {
	if t.p99() >= d.p99 {
		d.p99, d.slowest = t.p99(), p.name
	}
	if t.growth() >= d.growth {
		d.growth, d.largest = t.growth(), p.name
	}
	if n := t.flood.except(append(slices.Clone(allowed), p.expect...)...) + t.flood.Unpaced; n > 0 {
		d.odd += n
		d.oddly = append(d.oddly, fmt.Sprintf("%s: %v, %d of them without Retry-After", p.name, t.flood, t.flood.Unpaced))
	}
	if n := t.flood.lost(); n > 0 && !p.silent || t.flood.Failures[hanging] > 0 {
		d.lost += max(t.flood.Failures[hanging], n)
		d.loosely = append(d.loosely, fmt.Sprintf("%s: %v", p.name, t.flood))
	}
	if n := t.good.Sent - t.good.Answers[http.StatusOK]; n > 0 {
		d.denied += n
		d.denial = append(d.denial, fmt.Sprintf("%s: %v", p.name, t.good))
	}
}

func (d *drillResult) figures(line, what string) []figure {
	return []figure{
		{Line: line, What: what + ": good clients' p99", Value: d.p99, Unit: "ms", Budget: fastEnough, Note: "worst: " + d.slowest},
		{Line: line, What: what + ": more memory than before", Value: d.growth, Unit: "MiB", Budget: memoryGrowth, Note: "worst: " + d.largest},
		{Line: line, What: what + ": answers of another kind than allowed", Value: float64(d.odd), exact: true, Note: strings.Join(d.oddly, "; ")},
		{Line: line, What: what + ": requests without an answer", Value: float64(d.lost), exact: true, Note: strings.Join(d.loosely, "; ")},
		{Line: line, What: what + ": good clients' requests without a token", Value: float64(d.denied), exact: true, Note: strings.Join(d.denial, "; ")},
	}
}

// wrongClients is F9, the first half: 64 connections of each kind of wrong client.
func wrongClients(ctx context.Context, b *bench) ([]figure, error) {
	length := 4 * time.Second
	if b.brief {
		length = time.Second
	}
	return b.drill(ctx, "F9", "64 connections of each wrong kind", func(w *world, s *server) ([]part, error) {
		kinds, err := w.wrongKinds(s.host)
		var list []part
		for _, k := range kinds {
			list = append(list, part{name: k.name, run: crowd{
				Server: s.host, Connections: floodConnections, Requests: k.requests, For: length, Within: patience,
			}.apart})
		}
		return list, err
	})
}

// latecomers is F9, the second part: clients who stay connected and whose requests wait for their bodies, beside clients
// who open a connection for every request.
func latecomers(ctx context.Context, b *bench) ([]figure, error) {
	length := 4 * time.Second
	if b.brief {
		length = time.Second
	}
	return b.drill(ctx, "F9", "512 connections with late bodies", func(w *world, s *server) ([]part, error) {
		return []part{{name: "late bodies", afresh: true, run: crowd{
			Server: s.host, Connections: 512, Requests: w.requests(s.host), For: length, Within: patience, Ready: true,
			Late: 50 * time.Millisecond,
		}.apart}}, nil
	})
}

// bursts is F9, the third part: 10,000 requests for tokens at once.
func bursts(ctx context.Context, b *bench) ([]figure, error) {
	n := 10_000
	if b.brief {
		n = 2_000
	}
	return b.drill(ctx, "F9", fmt.Sprintf("%d requests at once", n), func(w *world, s *server) ([]part, error) {
		kinds, err := w.wrongKinds(s.host)
		if err != nil {
			return nil, err
		}
		good, mixed := w.requests(s.host), w.requests(s.host)
		for k := range mixed {
			mixed = append(mixed, kinds[k%len(kinds)].requests[k])
		}
		everybody := crowd{Server: s.host, Connections: n, Requests: good, Total: n, Within: patience}
		half := everybody
		half.Requests = mixed
		held := half
		held.Ready = true
		return []part{
			{name: "good requests on new connections", run: everybody.apart},
			{name: "half of them wrong", run: half.apart},
			{name: "half of them wrong, on open connections", run: held.apart},
		}, nil
	})
}

// largeBodies is F8.
func largeBodies(ctx context.Context, b *bench) ([]figure, error) {
	length := 4 * time.Second
	if b.brief {
		length = time.Second
	}
	return b.drill(ctx, "F8", "huge bodies", func(w *world, s *server) ([]part, error) {
		credential := credentialHeader(w.good[0].ID, w.good[0].Secret)
		var list []part
		for _, body := range bodies(credential) {
			p := part{name: body.name, expect: body.expect, run: func(ctx context.Context) (*seen, error) {
				return body.flood(ctx, s.host, length)
			}}
			list = append(list, p)
		}
		return list, nil
	})
}

// slowClients is F7.
func slowClients(ctx context.Context, b *bench) ([]figure, error) {
	n := 4_000
	if b.brief {
		n = 400
	}
	return b.drill(ctx, "F7", fmt.Sprintf("%d sockets at 1 byte/s", n), func(w *world, s *server) ([]part, error) {
		head := tokenHead(s.host, credentialHeader(w.good[0].ID, w.good[0].Secret), formType, "Content-Length: 100")
		slow := func(text []byte, quickly int) func(context.Context) (*seen, error) {
			return func(ctx context.Context) (*seen, error) { return trickle(ctx, s.host, n, text, quickly) }
		}
		return []part{
			{name: "slow heads", silent: true, run: slow(head, 0)},
			{name: "slow bodies", silent: true, run: slow(append(slices.Clone(head), form...), len(head))},
		}, nil
	})
}

// join runs several measures as one line.
func join(measures ...func(context.Context, *bench) ([]figure, error)) func(context.Context, *bench) ([]figure, error) {
	return func(ctx context.Context, b *bench) (all []figure, err error) {
		for _, measure := range measures {
			figures, one := measure(ctx, b)
			all, err = append(all, figures...), errors.Join(err, one)
		}
		return all, err
	}
}
