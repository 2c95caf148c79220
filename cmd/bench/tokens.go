package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// batch is what some tokens cost a server.
type batch struct {
	cpu         time.Duration // per token, of the server's process
	rate        float64       // tokens per second
	allocations float64       // per token
	collections float64       // of garbage, per 1000 tokens
}

// tokens has a server issue n tokens to warm clients over 8 connections.
func (w *world) tokens(ctx context.Context, s *server, n int) (batch, error) {
	before, err1 := s.metrics(ctx)
	cpuBefore, err2 := s.cpu()
	load := crowd{Server: s.host, Connections: 8, Requests: w.requests(s.host), Total: n, Within: patience}.run(ctx)
	cpuAfter, err3 := s.cpu()
	after, err4 := s.metrics(ctx)
	if err := errors.Join(err1, err2, err3, err4, ctx.Err()); err != nil {
		return batch{}, err
	}
	if load.Answers[200] != n {
		return batch{}, fmt.Errorf("of %d requests for tokens came back: %v", n, load)
	}
	return batch{
		cpu: per(cpuAfter-cpuBefore, n), rate: float64(n) / load.Took.Seconds(),
		allocations: (after.mallocs() - before.mallocs()) / float64(n),
		collections: (after.collections() - before.collections()) / float64(n) * 1000,
	}, nil
}

// warmTokens is P1: the product and the bare handler in turn, on the same machine in the same minutes.
func warmTokens(ctx context.Context, b *bench) ([]figure, error) {
	w, err := b.tokenWorld(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer b.stop(s)
	base, err := w.serveBare(s.url())
	if err != nil {
		return nil, err
	}
	defer b.stop(base)
	rounds, n := 7, 15_000
	if b.brief {
		rounds, n = 5, 4_000
	}
	if err := w.warm(ctx, s.host); err != nil {
		return nil, err
	}
	for _, each := range []*server{s, base} { // the first thousands grow stacks, pools and heap
		if _, err := w.tokens(ctx, each, n/4); err != nil {
			return nil, err
		}
	}
	var ours, bares []batch
	var ratios []float64
	for range rounds {
		one, err1 := w.tokens(ctx, s, n)
		other, err2 := w.tokens(ctx, base, n)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		ours, bares = append(ours, one), append(bares, other)
		ratios = append(ratios, float64(one.cpu)/float64(other.cpu))
	}
	if b.profiles != "" {
		if err := b.addParts(ctx, w, measured{product, s, middle(ours)}, measured{bareHandler, base, middle(bares)}); err != nil {
			return nil, err
		}
	}
	return []figure{
		{
			Line: "P1", What: "server CPU per warm token, of the bare handler's", Value: median(ratios), Unit: "×", Budget: 1.25,
			Note: fmt.Sprintf("%d and %d µs, %.0f and %.0f tokens/s; ratios from %.2f to %.2f", middle(ours).Microseconds(),
				middle(bares).Microseconds(), fastest(ours), fastest(bares), quantile(ratios, 0), quantile(ratios, 1)),
		},
		{
			Line: "P1", What: "allocations per warm token", Value: float64(int(ours[len(ours)-1].allocations)), Budget: 250,
			Note: fmt.Sprintf("the bare handler: %.0f; collections of garbage per 1000 tokens: %.1f and %.1f", bares[len(bares)-1].allocations,
				ours[len(ours)-1].collections, bares[len(bares)-1].collections),
		},
	}, nil
}

// What is compared.
const (
	product     = "Credenza"
	bareHandler = "bare handler"
)

// measured is a server with what a token costs there.
type measured struct {
	name string
	*server
	cpu time.Duration
}

// addParts adds to the report how the CPU time of a token falls to parts, in µs.
func (b *bench) addParts(ctx context.Context, w *world, list ...measured) error {
	for _, m := range list {
		shares, err := w.profile(ctx, m.server, b.profiles, strings.ReplaceAll(m.name, " ", "-"))
		if err != nil {
			return err
		}
		s := series{Name: partsOfToken + m.name, Labels: partNames()}
		for _, share := range shares {
			s.Y = append(s.Y, share/100*float64(m.cpu)/float64(time.Microsecond))
		}
		b.report.Series = append(b.report.Series, s)
	}
	return nil
}

func middle(list []batch) time.Duration {
	var times []time.Duration
	for _, b := range list {
		times = append(times, b.cpu)
	}
	return median(times)
}

// fastest is the middle rate.
func fastest(list []batch) float64 {
	var rates []float64
	for _, b := range list {
		rates = append(rates, b.rate)
	}
	return median(rates)
}

// coldTokens is P2: what the first token of a client costs in bcrypt.
func coldTokens(ctx context.Context, b *bench) ([]figure, error) {
	w, err := b.tokenWorld(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer b.stop(s)
	var figures []figure
	for _, c := range []struct {
		what    string
		account account
	}{
		{"bcrypts of a cold client's first token, one secret", w.good[0]},
		{"bcrypts of a cold client's first token, two secrets", w.two},
		{"bcrypts of the same client's first token with the older of the two", account{ID: w.two.ID, Secret: w.older}},
	} {
		n, took, err := w.bcryptsOf(ctx, s, c.account)
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure{
			Line: "P2", What: c.what, Value: float64(n), Budget: 1, exact: true, Note: fmt.Sprintf("%d ms", took.Milliseconds()),
		})
	}
	return figures, nil
}

// bcryptsOf counts the bcrypts of an account's next tokens: the first ones by five at once, then one more.
func (w *world) bcryptsOf(ctx context.Context, s *server, a account) (n int, took time.Duration, err error) {
	before, err := s.metrics(ctx)
	if err != nil {
		return 0, 0, err
	}
	request := [][]byte{tokenRequest(s.host, a.ID, a.Secret)}
	atOnce := crowd{Server: s.host, Connections: 5, Requests: request, Total: 5, Within: patience}.run(ctx)
	again := crowd{Server: s.host, Connections: 1, Requests: request, Total: 1, Within: patience}.run(ctx)
	after, err := s.metrics(ctx)
	if err == nil && atOnce.Answers[200]+again.Answers[200] != 6 {
		err = fmt.Errorf("a cold client got: %v, then %v", atOnce, again)
	}
	return after.bcrypts() - before.bcrypts(), atOnce.Took, err
}
